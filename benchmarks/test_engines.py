"""Speed of the engine beside its peers, as ratios within one run: ``pytest benchmarks --benchmark-only``.

Each benchmark records trajectories per second and the largest relative error of all recorded values against the same
engine at a tolerance of 1e-11, checked in turn against SciPy by the tests: a fast wrong answer does not count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.workload import DAYS, DOSE, Workload, reference_workload
from simulate.kernels.build import build
from simulate.kernels.reference import solve_reference
from simulate.solver import RODAS5P, FloatArray, Tolerance, solve

MEMBERS = 512
FLOOR = 1e-6


@pytest.fixture(scope="module")
def workload() -> Workload:
    return reference_workload(MEMBERS)


@pytest.fixture(scope="module")
def exact(workload: Workload) -> FloatArray:
    part = workload.part(64)
    return solve(
        build(part.system), part.parameters, part.schedule, part.times, tolerance=Tolerance(1e-11, 1e-13)
    ).values


def relative_error(values: FloatArray, exact: FloatArray) -> float:
    members = min(len(values), len(exact))
    return float(np.max(np.abs(values[:members] - exact[:members]) / (np.abs(exact[:members]) + FLOOR)))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rtol", [1e-6, 1e-7])
def test_explicit(benchmark: Any, workload: Workload, exact: FloatArray, threads: int, rtol: float) -> None:
    kernel = build(workload.system)

    def run() -> Any:
        return solve(
            kernel,
            workload.parameters,
            workload.schedule,
            workload.times,
            tolerance=Tolerance(rtol, rtol * 1e-3),
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
            tolerance=Tolerance(1e-6, 1e-9),
            method=RODAS5P,
            threads=1,
        )

    result = benchmark.pedantic(run, rounds=2, warmup_rounds=1)
    _note(benchmark, 64, relative_error(result.values, exact))


def test_scipy(benchmark: Any, workload: Workload, exact: FloatArray) -> None:
    part = workload.part(1)

    def run() -> Any:
        return solve_reference(
            part.system, part.parameters, part.schedule, part.times, tolerance=Tolerance(1e-6, 1e-9), method="DOP853"
        )

    result = benchmark.pedantic(run, rounds=1)
    _note(benchmark, 1, relative_error(result.values, exact))


def test_diffrax(benchmark: Any, workload: Workload, exact: FloatArray) -> None:
    """The peer over a batch: Tsit5 with the loosest tolerance that meets 1e-5, one solve a day."""
    pytest.importorskip("diffrax")
    from benchmarks.diffrax_peer import compiled_peer

    part = workload.part(128)
    peer = compiled_peer(part.system, part.times, days=DAYS, dose=DOSE, rtol=1e-6, atol=1e-8)
    states = peer(part.parameters)
    result = benchmark.pedantic(lambda: peer(part.parameters), rounds=1)
    assert np.array_equal(result, states)
    _note(benchmark, 128, relative_error(result, exact[:, :, : result.shape[2]]))


def _note(benchmark: Any, members: int, error: float) -> None:
    benchmark.extra_info["trajectories_per_second"] = round(members / benchmark.stats.stats.min, 1)
    benchmark.extra_info["max_relative_error"] = float(f"{error:.2g}")
