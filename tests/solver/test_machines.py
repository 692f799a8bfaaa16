"""The same numbers on other machines: within tolerance on a processor without wide vectors, and with any libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

import numpy as np

PROGRAM = """
import json
import numpy as np
from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver import RODAS5P, DOPRI5, Schedule, solve
system = equations(
    {"x": "-k * x * (1 + tanh(t))", "y": "k * x - y / (1 + exp(-x)) ** (3 / 2)", "z": "log(1 + y) - z**2"},
    [1.0, 0.0, 0.5], parameters=["k"],
)
rates = np.geomspace(0.05, 20.0, 19)[:, None]
found = {}
for method in (DOPRI5, RODAS5P):
    result = solve(build(system), rates, Schedule.empty(19), np.array([0.3, 2.0, 7.5]), method=method)
    found[method.name] = [value.hex() for value in result.values.ravel().tolist()]
print(json.dumps(found))
"""


def answers(**environment: str) -> dict[str, np.ndarray]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return {name: np.array([float.fromhex(value) for value in row]) for name, row in json.loads(done.stdout).items()}


@cache
def ours() -> dict[str, np.ndarray]:
    return answers(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONHASHSEED="0")


@cache
def generic() -> dict[str, np.ndarray]:
    return answers(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")


def test_a_processor_without_wide_vectors_gives_the_same_within_tolerance() -> None:
    for method, values in ours().items():
        np.testing.assert_allclose(generic()[method], values, rtol=1e-5, atol=1e-8)


def test_threads_the_hash_seed_and_a_cache_with_code_of_another_processor_change_no_bit() -> None:
    ours(), generic()
    # The cache now holds code for both processors, and each takes its own.
    other = answers(OMP_NUM_THREADS="8", OPENBLAS_NUM_THREADS="8", PYTHONHASHSEED="1")
    assert all(other[method].tolist() == values.tolist() for method, values in ours().items())
