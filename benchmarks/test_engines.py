"""Speed of the engine by method and threads: ``pytest benchmarks --benchmark-only``; its peers are in `race.py`.

Each benchmark records trajectories per second and the largest relative error of all recorded values against the same
engine at a tolerance of 1e-11, checked in turn against SciPy by the tests: a fast wrong answer does not count.
"""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.workload import Workload, reference_workload, relative_error
from simulate.kernels.build import build
from simulate.kernels.reference import solve_reference
from simulate.solver import DOPRI5, RODAS5P, TAYLOR, FloatArray, Method, Tolerance, solve

MEMBERS = 512


@pytest.fixture(scope="module")
def workload() -> Workload:
    return reference_workload(MEMBERS)


@pytest.fixture(scope="module")
def exact(workload: Workload) -> FloatArray:
    part = workload.part(64)
    return solve(
        build(part.system), part.parameters, part.schedule, part.times, tolerance=Tolerance(1e-11), method=DOPRI5
    ).values


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("method", "rtol"), [(TAYLOR, 6.8e-6), (DOPRI5, 3.2e-7)], ids=["taylor", "dopri5"])
def test_explicit(
    benchmark: Any, workload: Workload, exact: FloatArray, threads: int, method: Method, rtol: float
) -> None:
    kernel = build(workload.system)

    def run() -> Any:
        return solve(
            kernel,
            workload.parameters,
            workload.schedule,
            workload.times,
            tolerance=Tolerance(rtol),
            method=method,
            threads=threads,
        )

    result = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    _note(benchmark, MEMBERS, relative_error(result.values, exact))


def test_stiff(benchmark: Any, workload: Workload, exact: FloatArray) -> None:
    part = workload.part(64)
    kernel = build(part.system)

    def run() -> Any:
        return solve(
            kernel,
            part.parameters,
            part.schedule,
            part.times,
            tolerance=Tolerance(1e-6),
            method=RODAS5P,
            threads=1,
        )

    result = benchmark.pedantic(run, rounds=2, warmup_rounds=1)
    _note(benchmark, 64, relative_error(result.values, exact))


def test_scipy(benchmark: Any, workload: Workload, exact: FloatArray) -> None:
    part = workload.part(1)

    def run() -> Any:
        return solve_reference(
            part.system, part.parameters, part.schedule, part.times, tolerance=Tolerance(1e-6), method="DOP853"
        )

    result = benchmark.pedantic(run, rounds=1)
    _note(benchmark, 1, relative_error(result.values, exact))


def _note(benchmark: Any, members: int, error: float) -> None:
    benchmark.extra_info["trajectories_per_second"] = round(members / benchmark.stats.stats.min, 1)
    benchmark.extra_info["max_relative_error"] = float(f"{error:.2g}")
