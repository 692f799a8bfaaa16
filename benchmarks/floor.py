"""The floor: what the vectorized right-hand side alone would take, called as often as the steps need."""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np

from benchmarks.workload import Workload
from simulate.compiled import BLOCK_FUNCTION, WORKSPACE
from simulate.kernels.build import build
from simulate.solver import METHODS, Tolerance, solve
from simulate.solver.layout import CONSTANTS, LANES, RESULT, STATE

_CALLS = 20_000


def floor(method_name: str, workload: Workload, tolerance: Tolerance) -> tuple[str, float]:
    """What is called, and trajectories per second of processor time if nothing else were done."""
    method = next(method for method in METHODS if method.name == method_name)
    kernel = build(workload.system)
    result = solve(
        kernel,
        workload.parameters,
        workload.schedule,
        workload.times,
        tolerance=tolerance,
        method=method,
        threads=1,
    )
    calls = float(result.counters[:, 2].mean())
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    for index, value in enumerate(workload.parameters[0]):
        w[CONSTANTS + index * LANES : CONSTANTS + (index + 1) * LANES] = value
    kernel.prepare(w)
    size = len(kernel.states) * LANES
    w[STATE : STATE + size] = w[RESULT : RESULT + size]
    _repeat(w, kernel.rhs, 100)
    seconds = []
    for _ in range(5):
        begun = time.process_time()
        _repeat(w, kernel.rhs, _CALLS)
        seconds.append(time.process_time() - begun)
    per_call = min(seconds) / (_CALLS * LANES)
    return f"{calls:.0f} right-hand sides of {method_name}", 1.0 / (calls * per_call)


@numba.njit(numba.void(WORKSPACE, BLOCK_FUNCTION, numba.int64))  # type: ignore[untyped-decorator]
def _repeat(w: Any, rhs: Any, times: int) -> None:
    for _ in range(times):
        rhs(w)
