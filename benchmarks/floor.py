"""The floor: what the vectorized right-hand side alone would take, called as often as the steps need.

For a method that works with Taylor series it is the function that finds the coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from benchmarks.workload import Workload
from simulate.compiled import BLOCK_FUNCTION, WORKSPACE
from simulate.kernels.build import build
from simulate.solver import METHODS, Tolerance, solve
from simulate.solver.batch import aligned
from simulate.solver.layout import ABSOLUTE, CONSTANTS, LANES, RELATIVE, RESULT, START, STATE

_CALLS = 5_000


def floor(method_name: str, workload: Workload, tolerance: Tolerance) -> tuple[str, float, Callable[[], None]]:
    """What is called, how many trajectories one run is worth, and the run."""
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
    attempts = float(result.counters[:, :2].sum(axis=1).mean())
    called, calls = (kernel.rhs, float(result.counters[:, 2].mean()))
    if method.series:
        called, calls = kernel.jets(method.series), attempts
    w = aligned(CONSTANTS + kernel.rows * LANES)
    for index, value in enumerate(workload.parameters[0]):
        w[CONSTANTS + index * LANES : CONSTANTS + (index + 1) * LANES] = value
    kernel.prepare(w)
    size = len(kernel.states) * LANES
    w[STATE : STATE + size] = w[START : START + size] = w[RESULT : RESULT + size]
    w[ABSOLUTE : ABSOLUTE + size] = tolerance.atol
    w[RELATIVE : RELATIVE + LANES] = tolerance.rtol
    _repeat(w, called.address, 100)
    name = f"{method_name} series" if method.series else f"right-hand sides of {method_name}"
    return f"{calls:.0f} {name}", _CALLS * LANES / calls, lambda: _repeat(w, called.address, _CALLS)


@numba.njit(numba.void(WORKSPACE.made, BLOCK_FUNCTION.made, numba.int64))  # type: ignore[untyped-decorator]
def _repeat(w: Any, rhs: Any, times: int) -> None:
    for _ in range(times):
        rhs(w)
