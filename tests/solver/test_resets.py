"""Resets against closed forms and the oracle, and values before and after a stop."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import System, equations
from simulate.solver import METHODS, Method, Schedule, StopKind, Tolerance, solve
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.systems import ABSORPTION, superposed_bateman, with_route

TIGHT = Tolerance(1e-11)
Stop = tuple[float, StopKind, int, float]


def reset(time: float) -> Stop:
    return time, StopKind.RESET, 0, 0.0


def bolus(time: float, amount: float) -> Stop:
    return time, StopKind.BOLUS, 0, amount


@functools.cache
def own_baseline() -> tuple[System, CompiledKernel]:
    """A system whose baseline differs between members and is not where it tends to."""
    system = with_route(
        equations({"x": "-k * x", "y": "k * x - y / 3"}, ["2 * k", "k + 1"], parameters=["k"], observables={"s": "x+y"})
    )
    return system, build(system)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_after_a_reset_a_member_goes_on_as_one_that_begins_there(method: Method) -> None:
    _, kernel = own_baseline()
    parameters = np.array([[0.3], [1.7], [4.0]])
    later = np.linspace(0.0, 6.0, 13)
    again = solve(
        kernel,
        parameters,
        Schedule.from_rows([[bolus(0.5, 3.0), reset(2.5), bolus(3.0, 1.0)]] * 3),
        2.5 + later,
        tolerance=TIGHT,
        method=method,
    )
    fresh = solve(
        kernel, parameters, Schedule.from_rows([[bolus(0.5, 1.0)]] * 3), later, tolerance=TIGHT, method=method
    )
    np.testing.assert_allclose(again.values, fresh.values, rtol=1e-8, atol=1e-10)
    # To the bit at the reset itself: the baseline, and nothing that was integrated.
    assert again.values[:, 0].tobytes() == fresh.values[:, 0].tobytes()


def test_doses_before_a_reset_are_forgotten_and_those_at_its_time_are_not() -> None:
    times = np.linspace(3.0, 6.0, 13)
    row = [bolus(0.0, 100.0), bolus(3.0, 7.0), reset(3.0), bolus(4.0, 2.0)]
    result = solve(
        build(ABSORPTION), np.array([[4.1, 16.9]]), Schedule.from_rows([row]), times, tolerance=TIGHT
    ).quantity("central")[0]
    exact = superposed_bateman(times, [(3.0, 7.0), (4.0, 2.0)], 4.1, 16.9)
    np.testing.assert_allclose(result, exact, rtol=1e-8, atol=1e-12)


def test_a_reset_ends_the_infusions_of_its_member_alone() -> None:
    kernel = build(with_route(equations({"x": "0 * k"}, ["k"], parameters=["k"])))
    infused: list[Stop] = [(1.0, StopKind.RATE, 0, 10.0)]
    rows = [[*infused, reset(3.0)], infused, [*infused, reset(3.0), (3.0, StopKind.RATE, 0, 1.0)]]
    result = solve(kernel, np.array([[5.0], [6.0], [7.0]]), Schedule.from_rows(rows), np.array([2.0, 3.0, 5.0]))
    np.testing.assert_allclose(result.quantity("x"), [[15, 5, 5], [16, 26, 46], [17, 7, 9]], rtol=1e-9)


def test_a_reset_at_the_start_changes_nothing_and_one_at_the_end_is_recorded() -> None:
    _, kernel = own_baseline()
    parameters, times = np.array([[0.8]]), np.array([0.0, 1.0, 2.0])
    plain = solve(kernel, parameters, Schedule.empty(1), times)
    at_start = solve(kernel, parameters, Schedule.from_rows([[reset(0.0)]]), times)
    assert plain.values.tobytes() == at_start.values.tobytes()
    at_end = solve(kernel, parameters, Schedule.from_rows([[reset(2.0)]]), times)
    assert at_end.values[0, 2].tobytes() == plain.values[0, 0].tobytes()


stops = st.lists(
    st.one_of(
        st.builds(bolus, st.floats(0.0, 8.0), st.floats(0.0, 5.0)),
        st.builds(reset, st.floats(0.0, 8.0)),
        st.builds(lambda time, rate: (time, StopKind.RATE, 0, rate), st.floats(0.0, 8.0), st.floats(0.0, 5.0)),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(stops, min_size=1, max_size=19), threads=st.integers(1, 4))
def test_members_with_any_resets_are_the_same_alone_and_together(rows: list[list[Stop]], threads: int) -> None:
    _, kernel = own_baseline()
    times = np.array([0.0, 0.3, 2.0, 7.5])
    parameters = np.linspace(0.1, 3.0, len(rows))[:, None]
    whole = solve(kernel, parameters, Schedule.from_rows(rows), times, threads=threads)
    for member, row in enumerate(rows):
        alone = solve(kernel, parameters[[member]], Schedule.from_rows([row]), times)
        assert_same_bits(alone, member_of(whole, [member]))


@settings(max_examples=15, deadline=None)
@given(row=stops)
def test_the_oracle_resets_the_same_way(row: list[Stop]) -> None:
    system, kernel = own_baseline()
    times = np.array([0.0, 0.0, 0.3, 2.0, 7.5])
    schedule = Schedule.from_rows([row])
    ours = solve(kernel, np.array([[1.3]]), schedule, times, tolerance=TIGHT)
    oracle = solve_reference(system, np.array([[1.3]]), schedule, times)
    np.testing.assert_allclose(ours.values, oracle.values, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_time_given_twice_is_recorded_before_and_after_its_stops(method: Method) -> None:
    _, kernel = own_baseline()
    parameters = np.array([[0.3], [1.7]])
    schedule = Schedule.from_rows(
        [[bolus(0.0, 3.0), bolus(1.0, 2.0), bolus(4.0, 1.0)], [reset(1.0), bolus(1.0, 5.0), bolus(4.0, 1.0)]]
    )
    once, twice = np.array([0.0, 1.0, 2.0, 4.0]), np.repeat([0.0, 1.0, 2.0, 4.0], 2)
    after = solve(kernel, parameters, schedule, once, method=method)
    both = solve(kernel, parameters, schedule, twice, method=method)
    assert both.values[:, 1::2].tobytes() == after.values.tobytes()
    np.testing.assert_allclose(both.quantity("x")[0, ::2], both.quantity("x")[0, 1::2] - [3.0, 2.0, 0.0, 1.0])
    np.testing.assert_allclose(both.quantity("x")[1, 3], 2 * 1.7 + 5.0, rtol=1e-15)
    # Where no stop falls, the two are one value.
    assert both.values[:, 4].tobytes() == both.values[:, 5].tobytes()
    observed = both.quantity("x") + both.quantity("y")
    np.testing.assert_allclose(both.quantity("s"), observed, rtol=1e-15)


def test_a_time_without_extent_can_be_recorded_before_and_after_too() -> None:
    _, kernel = own_baseline()
    result = solve(kernel, np.array([[1.0]]), Schedule.from_rows([[bolus(0.0, 3.0)]]), np.zeros(2))
    assert result.quantity("x")[0].tolist() == [2.0, 5.0]


def test_a_reset_after_a_dose_at_one_time_is_refused() -> None:
    _, kernel = own_baseline()
    ordered = Schedule.from_rows([[bolus(1.0, 2.0), reset(1.0)]])
    turned = Schedule(
        ordered.offsets, ordered.times, ordered.kinds[::-1], ordered.routes, np.ascontiguousarray(ordered.amounts[::-1])
    )
    with pytest.raises(InputError) as caught:
        solve(kernel, np.array([[1.0]]), turned, np.array([2.0]))
    assert str(caught.value) == (
        "error[solver.schedule]: the stops of a member do not ascend from the start\n"
        "  expected: times from 0.0 on; at one time, visits first, then resets, then states that are set\n"
        "  try:      let Schedule.from_rows arrange the stops"
    )


def test_the_end_of_an_infusion_that_a_reset_has_ended_is_refused() -> None:
    _, kernel = own_baseline()
    row = [(0.0, StopKind.RATE, 0, 10.0), reset(1.0), (2.0, StopKind.RATE, 0, -10.0)]
    with pytest.raises(InputError) as caught:
        solve(kernel, np.ones((2, 1)), Schedule.from_rows([[], row]), np.array([2.0]))
    assert str(caught.value) == (
        "error[solver.schedule]: an infusion of member 1 ends that a reset has ended before\n"
        "  expected: no end of an infusion that a reset cuts short"
    )
