"""The engine on a graphics card, in the simulator: the same numbers as on the processor."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulate.errors import MissingExtra

ROOT = Path(__file__).parents[2]


PROGRAM = """
import json
from contextlib import nullcontext
from dataclasses import replace
from threading import Thread
import numpy as np
import sympy
from numba.cuda.simulator import kernel as simulator
from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.cuda import compile_for_cuda
from simulate.kernels.system import equations, infusion, lower
from simulate.solver import DOPRI5, RODAS5P, Schedule, StopKind, Tolerance, solve

# The simulator's main thread asks again and again which threads live: unless it waits, it has the interpreter most of
# the time, and they nearly none of it.
simulator.BlockThread.is_alive = lambda thread: thread.join(0.01) or Thread.is_alive(thread)
# At each call of a function it looks for `cuda` through all names of its module, where only the two that are launched
# have it.
swapped = simulator.swapped_cuda_module
simulator.swapped_cuda_module = lambda called, module: (
    swapped(called, module) if "cuda" in called.__globals__ else nullcontext()
)

def compared(system, parameters, rows, times, method="DOPRI5", **options):
    schedule = Schedule.from_rows(rows)
    chosen = {"DOPRI5": DOPRI5, "RODAS5P": RODAS5P}[method]
    cpu = solve(build(system), parameters, schedule, times, method=chosen, **options)
    gpu = compile_for_cuda(system, method).solve(parameters, schedule, times, **options)
    scale = np.nanmax(np.abs(cpu.values), axis=(0, 1))
    worst = np.nanmax(np.abs(gpu.values - cpu.values) / np.where(scale > 0, scale, 1.0))
    return {
        "worst": float(worst),
        "values": int(np.isfinite(gpu.values).sum()),
        "same_holes": bool(np.array_equal(np.isnan(gpu.values), np.isnan(cpu.values))),
        "same_counters": bool(np.array_equal(gpu.counters, cpu.counters)),
        "cpu": [[f.member, f.status.name, f.state, f.reason] for f in cpu.failures],
        "gpu": [[f.member, f.status.name, f.state, f.reason] for f in gpu.failures],
    }

def reference_model_by(method):
    model = reference_model(hypothesis_named("H1+H3a+H4"))
    nominal = np.array([p.value for p in model.parameters])
    doses = [(0.0, StopKind.BOLUS, 0, 100.0), (0.25, StopKind.BOLUS, 0, 100.0)]
    return compared(lower(model), np.array([nominal, nominal]), [doses, doses[1:]], np.linspace(0.0, 0.3, 4), method,
                    tolerance=Tolerance(1e-10))

def infused():
    system = equations({"x": "-k*x"}, ["1"], parameters=("k",), observables={"double": "2*x"})
    gain = sympy.Integer(3)
    system = replace(system, rhs=(system.rhs[0] + gain * infusion("line"),), routes=("line",), route_targets=(0,),
                     gains=(gain,))
    parameters = np.linspace(0.1, 3.0, 70)[:, None]
    rows = [[(0.5, StopKind.RATE, 0, 2.0), (1.5, StopKind.RATE, 0, -2.0), (1.0, StopKind.BOLUS, 0, 1.0)]] * 70
    return compared(system, parameters, rows, np.linspace(0.0, 3.0, 7))

def exploding():
    system = equations({"x": "k*x**2"}, ["1"], parameters=("k",))
    return compared(system, np.array([[-1.0], [1.0], [-2.0]]), [[], [], []], np.array([0.0, 0.5, 2.0]))

def with_series():
    try:
        compile_for_cuda(equations({"x": "-x"}, ["1"]), "TAYLOR")
    except InputError as error:
        return str(error)

print(json.dumps({
    "DOPRI5": reference_model_by("DOPRI5"), "RODAS5P": reference_model_by("RODAS5P"), "infused": infused(),
    "exploding": exploding(), "series": with_series(),
}))
"""


@functools.cache
def in_simulator() -> Any:
    """What the program finds while CUDA kernels run in Numba's simulator, which a process has from its start or not."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("method", ["DOPRI5", "RODAS5P"])
def test_the_reference_model_has_the_same_values_within_1e_10(method: str) -> None:
    found = in_simulator()[method]
    # Near the baseline, steps follow rounding errors: only at a tight tolerance are their effects below 1e-10.
    assert found["worst"] < 1e-10
    assert found["values"] > 200
    assert found["cpu"] == found["gpu"] == []


def test_infusions_and_members_beyond_one_block_have_the_same_values() -> None:
    found = in_simulator()["infused"]
    assert found["worst"] < 1e-10
    assert found["values"] == 70 * 7 * 2
    assert found["same_counters"]


def test_a_member_that_fails_fails_alike_and_alone() -> None:
    found = in_simulator()["exploding"]
    assert found["gpu"] == found["cpu"]
    assert [failure[0] for failure in found["gpu"]] == [1]
    assert found["same_holes"]
    assert found["worst"] < 1e-10


def test_a_method_with_taylor_series_is_refused() -> None:
    assert in_simulator()["series"] == (
        "error[cuda.method]: the engine for graphics cards has no Taylor series\n"
        "  found:    TAYLOR\n"
        "  expected: `DOP853`, `DOPRI5`, `RODAS5P`"
    )


def test_without_the_extra_the_error_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "simulate.kernels.cuda", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        importlib.import_module("simulate.kernels.cuda")
    assert str(caught.value) == (
        "error[extra.gpu]: the engine for graphics cards needs the package numba-cuda\n"
        "  expected: numba-cuda with a CUDA driver, or its simulator\n"
        '  try:      pip install "il1sim[gpu]"'
    )
