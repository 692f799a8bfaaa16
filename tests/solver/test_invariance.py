"""The same bits, whatever the batch, its order, the threads and the neighbors."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import equations
from simulate.solver import METHODS, Method, Schedule, Status, StopKind, solve
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.systems import with_route

TIMES = np.array([0.0, 0.3, 2.0, 7.5])
MEMBERS = 257


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    """Three states with a fast and a slow one, and a singularity for members whose ``blow`` is 1."""
    return build(
        equations(
            {"x": "-k * x + blow * x**2", "y": "k * x - y / 3", "z": "exp(-y) - z**2"},
            ["1", "0", "k / 10"],
            parameters=["k", "blow"],
            observables={"sum": "x + y"},
        )
    )


@pytest.fixture(scope="module")
def parameters() -> np.ndarray:
    rates = np.geomspace(0.05, 40.0, MEMBERS)
    blow = np.zeros(MEMBERS)
    blow[100] = 45.0
    return np.column_stack([rates, blow])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_bits_depend_on_neither_batch_nor_threads_nor_order(
    kernel: CompiledKernel, parameters: np.ndarray, method: Method
) -> None:
    whole = solve(kernel, parameters, Schedule.empty(MEMBERS), TIMES, method=method, threads=1)
    assert whole.status[100] != Status.OK
    assert (np.delete(whole.status, 100) == Status.OK).all()
    for threads in (2, 8):
        assert_same_bits(
            whole, solve(kernel, parameters, Schedule.empty(MEMBERS), TIMES, method=method, threads=threads)
        )
    order = np.random.default_rng(3).permutation(MEMBERS).tolist()
    shuffled = solve(kernel, parameters[order], Schedule.empty(MEMBERS), TIMES, method=method)
    assert_same_bits(member_of(whole, order), shuffled)
    for size in (1, 7, 64):
        for first in range(0, MEMBERS, size * 9 + 1):
            members = list(range(first, min(first + size, MEMBERS)))
            part = solve(kernel, parameters[members], Schedule.empty(len(members)), TIMES, method=method)
            assert_same_bits(member_of(whole, members), part)


def test_a_failing_member_changes_no_bit_of_the_others(kernel: CompiledKernel, parameters: np.ndarray) -> None:
    whole = solve(kernel, parameters, Schedule.empty(MEMBERS), TIMES)
    others = [member for member in range(MEMBERS) if member != 100]
    without = solve(kernel, parameters[others], Schedule.empty(MEMBERS - 1), TIMES)
    assert_same_bits(without, member_of(whole, others))


@functools.cache
def dosed_kernel() -> CompiledKernel:
    return build(with_route(equations({"x": "-k * x", "y": "k * x - y"}, [1.0, 0.0], parameters=["k"])))


stops = st.lists(st.tuples(st.floats(0.0, 8.0), st.floats(0.0, 5.0)), max_size=6)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(stops, min_size=1, max_size=19), threads=st.integers(1, 4))
def test_members_with_any_doses_are_the_same_alone_and_together(
    rows: list[list[tuple[float, float]]], threads: int
) -> None:
    kernel = dosed_kernel()
    schedules = [[(time, StopKind.BOLUS, 0, amount) for time, amount in row] for row in rows]
    parameters = np.linspace(0.1, 3.0, len(rows))[:, None]
    whole = solve(kernel, parameters, Schedule.from_rows(schedules), TIMES, threads=threads)
    for member, row in enumerate(schedules):
        alone = solve(kernel, parameters[[member]], Schedule.from_rows([row]), TIMES)
        assert_same_bits(alone, member_of(whole, [member]))
