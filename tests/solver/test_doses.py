"""Doses against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.kernels.build import build
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import equations
from simulate.solver import METHODS, Method, Schedule, StopKind, Tolerance, solve
from tests.helpers.systems import ABSORPTION, superposed_bateman, superposed_infusion, with_route

KERNEL = build(ABSORPTION)
TIGHT = Tolerance(1e-11)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_half_a_year_of_daily_doses_is_the_superposed_bateman_function(method: Method) -> None:
    doses = [(float(day), 100.0) for day in range(182)]
    times = np.linspace(0.0, 182.0, 1457)
    schedule = Schedule.from_rows([[(time, StopKind.BOLUS, 0, amount) for time, amount in doses]])
    result = solve(KERNEL, np.array([[4.1, 16.9]]), schedule, times, tolerance=TIGHT, method=method)
    exact = superposed_bateman(times, doses, 4.1, 16.9)
    np.testing.assert_allclose(result.quantity("central")[0], exact, rtol=1e-8, atol=1e-9)


def test_overlapping_infusions_follow_their_closed_form() -> None:
    kernel = build(with_route(equations({"x": "-k * x"}, [0.0], parameters=["k"])))
    doses = [(0.5, 10.0, 2.0), (1.0, 3.0, 0.25), (1.5, 8.0, 4.0)]
    row = [(time, StopKind.RATE, 0, amount / duration) for time, amount, duration in doses]
    row += [(time + duration, StopKind.RATE, 0, -amount / duration) for time, amount, duration in doses]
    times = np.linspace(0.0, 8.0, 81)
    result = solve(kernel, np.array([[0.7]]), Schedule.from_rows([row]), times, tolerance=TIGHT)
    exact = superposed_infusion(times, doses, 0.7)
    np.testing.assert_allclose(result.quantity("x")[0], exact, rtol=1e-9, atol=1e-10)


def test_a_dose_into_a_system_at_rest_is_not_stepped_over() -> None:
    # At rest the step grows without bound; a dose at day 500 must still be met exactly.
    schedule = Schedule.from_rows([[(500.0, StopKind.BOLUS, 0, 7.0)]])
    times = np.array([499.0, 500.25, 501.0])
    result = solve(KERNEL, np.array([[4.1, 16.9]]), schedule, times, tolerance=TIGHT)
    np.testing.assert_allclose(
        result.quantity("central")[0], superposed_bateman(times, [(500.0, 7.0)], 4.1, 16.9), rtol=1e-8, atol=1e-12
    )


def test_a_dose_of_nothing_changes_the_result_within_tolerance_only() -> None:
    times = np.array([1.0, 2.5])
    first = [(0.0, StopKind.BOLUS, 0, 5.0)]
    plain, with_zero = (
        solve(KERNEL, np.array([[4.1, 16.9]]), Schedule.from_rows([row]), times, tolerance=TIGHT).values
        for row in (first, [*first, (1.3, StopKind.BOLUS, 0, 0.0)])
    )
    np.testing.assert_allclose(plain, with_zero, rtol=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    doses=st.lists(st.tuples(st.floats(0.0, 9.0), st.floats(0.1, 50.0)), min_size=1, max_size=8),
    ka=st.floats(0.3, 6.0),
    ratio=st.floats(1.5, 6.0),
)
def test_any_doses_follow_the_superposed_bateman_function(
    doses: list[tuple[float, float]], ka: float, ratio: float
) -> None:
    times = np.linspace(0.0, 10.0, 21)
    schedule = Schedule.from_rows([[(time, StopKind.BOLUS, 0, amount) for time, amount in doses]])
    result = solve(KERNEL, np.array([[ka, ka * ratio]]), schedule, times, tolerance=TIGHT)
    exact = superposed_bateman(times, doses, ka, ka * ratio)
    np.testing.assert_allclose(result.quantity("central")[0], exact, rtol=1e-7, atol=1e-9)


def test_the_oracle_takes_doses_and_infusions_the_same_way() -> None:
    row = [(0.0, StopKind.BOLUS, 0, 4.0), (1.0, StopKind.RATE, 0, 2.0), (3.0, StopKind.RATE, 0, -2.0)]
    times, parameters = np.array([0.0, 1.0, 2.0, 5.0]), np.array([[1.3, 0.4]])
    schedule = Schedule.from_rows([row])
    ours = solve(KERNEL, parameters, schedule, times, tolerance=TIGHT)
    oracle = solve_reference(ABSORPTION, parameters, schedule, times)
    np.testing.assert_allclose(ours.values, oracle.values, rtol=1e-9, atol=1e-12)
