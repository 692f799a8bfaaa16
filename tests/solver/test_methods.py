"""Each method keeps what it promises: order, dense order, and the standard problems against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from benchmarks.problems import (
    FORCED,
    HIRES,
    LOGISTIC,
    LOTKA,
    ROBER,
    Problem,
)
from simulate.kernels.build import build
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import equations
from simulate.solver import DOP853, DOPRI5, METHODS, RODAS5P, Method, Schedule, Status, Tolerance, solve
from simulate.solver.layout import RESULT, STATE
from tests.helpers.fixed_steps import RUNGE_KUTTA, attempt, column, march

NOTHING = np.zeros((1, 0))


END = {LOGISTIC.name: 0.1 * np.e / (0.9 + 0.1 * np.e)}
"""States at time 1 in closed form, where the oracle is no better than a method of order 8."""


def slope(errors: list[float]) -> float:
    """Observed order from errors at steps that halve."""
    return float(np.mean(np.log2(np.array(errors[:-1]) / np.array(errors[1:]))))


@pytest.mark.parametrize("method", RUNGE_KUTTA, ids=lambda method: method.name)
@pytest.mark.parametrize("problem", [LOGISTIC, FORCED], ids=lambda problem: problem.name)
def test_the_order_is_the_stated_one(method: Method, problem: Problem) -> None:
    kernel = build(problem.system)
    exact = END.get(problem.name)
    if exact is None:
        exact = solve_reference(
            problem.system, NOTHING, Schedule.empty(1), np.array([1.0]), tolerance=Tolerance(1e-13)
        ).values[0, 0]
    # Few steps for a high order: its error soon drowns in rounding.
    counts = (10, 20, 40) if method.order < 8 else (2, 3, 4)
    errors = [float(np.abs(march(kernel, method, 1.0, steps) - exact).max()) for steps in counts]
    slopes = -np.diff(np.log(errors)) / np.diff(np.log(counts))
    assert float(slopes.mean()) == pytest.approx(method.order, abs=0.25)


@pytest.mark.parametrize("method", RUNGE_KUTTA, ids=lambda method: method.name)
@pytest.mark.parametrize("theta", [0.25, 0.5, 0.8])
def test_dense_output_is_of_the_stated_order(method: Method, theta: float) -> None:
    kernel, state = build(LOTKA.system), np.array([10.0, 5.0])
    errors = []
    for step in (0.02, 0.01, 0.005) if method.dense_order < 7 else (0.16, 0.08, 0.04):
        w = attempt(kernel, method, 0.0, state, step)
        method.interpolate(w, 2, 0, theta)
        exact = solve_reference(
            LOTKA.system, NOTHING, Schedule.empty(1), np.array([theta * step]), tolerance=Tolerance(1e-13)
        ).values[0, 0]
        errors.append(float(np.abs(column(w, RESULT, 2) - exact).max()))
    # A polynomial of order 4 leaves an error of order 5 within one step.
    assert slope(errors) > method.dense_order + 0.7


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_dense_output_meets_both_ends_of_a_step(method: Method) -> None:
    state = np.array([10.0, 5.0])
    w = attempt(build(LOTKA.system), method, 0.0, state, 0.01)
    method.interpolate(w, 2, 0, 0.0)
    np.testing.assert_allclose(column(w, RESULT, 2), state, rtol=1e-15)
    method.interpolate(w, 2, 0, 1.0)
    np.testing.assert_allclose(column(w, RESULT, 2), column(w, STATE, 2), rtol=1e-15)


def test_the_robertson_kinetics_need_few_steps_and_keep_their_mass() -> None:
    result = solve(
        build(ROBER.system),
        NOTHING,
        Schedule.empty(1),
        ROBER.times,
        tolerance=Tolerance(1e-6),
        method=RODAS5P,
    )
    assert result.counters[0, :2].sum() < 2000
    np.testing.assert_allclose(result.values[0].sum(axis=1), 1.0, rtol=1e-12)


def test_hires_keeps_the_sum_of_its_last_two_species() -> None:
    result = solve(
        build(HIRES.system),
        NOTHING,
        Schedule.empty(1),
        HIRES.times,
        tolerance=Tolerance(1e-6),
        method=RODAS5P,
    )
    np.testing.assert_allclose(result.values[0, :, 6] + result.values[0, :, 7], 0.0057, rtol=1e-12)


def test_lotka_volterra_stays_on_its_level_curve() -> None:
    result = solve(build(LOTKA.system), NOTHING, Schedule.empty(1), LOTKA.times, tolerance=Tolerance(1e-10))
    prey, hunter = result.values[0].T
    invariant = prey - 3 * np.log(prey) + hunter - 1.5 * np.log(hunter)
    start = 10 - 3 * np.log(10) + 5 - 1.5 * np.log(5)
    np.testing.assert_allclose(invariant, start, rtol=1e-8)


def test_an_explicit_method_on_a_stiff_problem_stops_with_advice_and_does_not_lie() -> None:
    result = solve(
        build(ROBER.system),
        NOTHING,
        Schedule.empty(1),
        ROBER.times,
        tolerance=Tolerance(1e-6),
        max_steps=5000,
    )
    assert result.status.tolist() == [Status.TOO_MANY_STEPS]
    assert "try a stiff method" in result.failures[0].reason
    assert np.isnan(result.values[0, -1]).all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_solution_that_runs_to_infinity_is_caught_near_its_pole(method: Method) -> None:
    result = solve(
        build(equations({"x": "x**2"}, [1.0])), NOTHING, Schedule.empty(1), np.array([0.5, 2.0]), method=method
    )
    assert result.status[0] in (Status.STEP_TOO_SMALL, Status.NOT_FINITE)
    assert result.failures[0].time == pytest.approx(1.0, abs=1e-3)
    assert result.failures[0].state == "x"
    assert result.values[0, 0, 0] == pytest.approx(2.0, rel=1e-5)
    assert np.isnan(result.values[0, 1, 0])


def test_outputs_do_not_change_the_steps() -> None:
    kernel = build(LOTKA.system)
    few = solve(kernel, NOTHING, Schedule.empty(1), np.array([10.0]))
    many = solve(kernel, NOTHING, Schedule.empty(1), np.linspace(0, 10, 2001))
    assert few.counters.tolist() == many.counters.tolist()
    assert few.values[0, -1].tolist() == many.values[0, -1].tolist()


def test_a_tighter_tolerance_costs_more_steps() -> None:
    kernel = build(LOTKA.system)
    loose, tight = (
        solve(kernel, NOTHING, Schedule.empty(1), LOTKA.times, tolerance=Tolerance(rtol)).counters[0, 0]
        for rtol in (1e-4, 1e-10)
    )
    assert tight > 2 * loose


def test_the_high_order_needs_fewer_evaluations_at_tight_tolerances_and_reaches_them() -> None:
    exact = solve_reference(LOTKA.system, NOTHING, Schedule.empty(1), LOTKA.times, tolerance=Tolerance(1e-13))
    evaluations, errors = {}, {}
    for method in (DOPRI5, DOP853):
        result = solve(
            build(LOTKA.system),
            NOTHING,
            Schedule.empty(1),
            LOTKA.times,
            tolerance=Tolerance(1e-11),
            method=method,
        )
        evaluations[method.order] = int(result.counters[0, 2])
        errors[method.order] = float(np.abs(result.values / exact.values - 1).max())
    assert evaluations[8] < evaluations[5] / 2.5
    assert max(errors.values()) < 1e-9


def test_only_steps_with_an_output_inside_cost_the_stages_of_the_dense_output() -> None:
    kernel = build(LOTKA.system)
    end, inside = (
        solve(kernel, NOTHING, Schedule.empty(1), np.array(times), method=DOP853).counters[0].tolist()
        for times in ([10.0], [4.999, 5.0, 10.0])
    )
    assert inside[:2] == end[:2]
    assert inside[2] == end[2] + DOP853.dense_stages


def test_neighbors_with_outputs_inside_their_steps_leave_a_step_as_it_is() -> None:
    # Members step differently, so that the stages of the dense output are taken for some lanes at every other step.
    kernel = build(equations({"x": "v", "v": "-k * x"}, [1.0, 0.0], parameters=["k"]))
    parameters = np.linspace(0.5, 40.0, 13)[:, None]
    few = solve(kernel, parameters, Schedule.empty(13), np.array([20.0]), method=DOP853)
    many = solve(kernel, parameters, Schedule.empty(13), np.linspace(0, 20, 301), method=DOP853)
    assert many.values[:, -1].tolist() == few.values[:, -1].tolist()
    exact = np.cos(np.sqrt(parameters) * many.times)
    np.testing.assert_allclose(many.quantity("x"), exact, atol=1e-5)


def test_an_autonomous_model_may_start_at_any_time() -> None:
    kernel = build(LOTKA.system)
    early = solve(kernel, NOTHING, Schedule.empty(1), LOTKA.times)
    late = solve(kernel, NOTHING, Schedule.empty(1), 1e6 + LOTKA.times, start=1e6)
    np.testing.assert_allclose(late.values, early.values, rtol=1e-4)


def test_small_and_large_sizes_keep_their_relative_accuracy() -> None:
    kernel = build(equations({"y": "-y"}, ["first"], parameters=["first"]))
    sizes = np.array([[1e-300], [1e-30], [1.0], [1e30], [1e300]])
    result = solve(kernel, sizes, Schedule.empty(5), np.array([1.0, 5.0]), tolerance=Tolerance(1e-8, 0.0))
    np.testing.assert_allclose(result.quantity("y") / sizes, np.exp(-result.times)[None, :].repeat(5, 0), rtol=1e-7)


def test_the_oracle_agrees_with_scipy_called_by_hand() -> None:
    solution = solve_ivp(
        lambda _, y: [1.5 * y[0] - y[0] * y[1], y[0] * y[1] - 3 * y[1]],
        (0, 10),
        [10.0, 5.0],
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
        t_eval=LOTKA.times,
    )
    oracle = solve_reference(LOTKA.system, NOTHING, Schedule.empty(1), LOTKA.times).values[0]
    np.testing.assert_allclose(oracle, solution.y.T, rtol=1e-8)
    assert DOPRI5.stages == 6
