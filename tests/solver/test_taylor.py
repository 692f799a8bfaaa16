"""Taylor series as a method: order, dense output, tolerance, bits, doses, failures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from benchmarks.problems import BRUSSELATOR, FORCED, LOGISTIC, LORENZ, LOTKA, Problem
from simulate.biology.hypotheses import hypothesis_named
from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import equations, lower
from simulate.solver import TAYLOR, FloatArray, Schedule, Status, StopKind, Tolerance, solve
from simulate.solver.layout import CONSTANTS, LANES, NOW, RESULT, START, STATE, STEP
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.fixed_steps import column
from tests.helpers.models import reference_model
from tests.helpers.systems import ABSORPTION, superposed_bateman, with_route

NOTHING = np.zeros((1, 0))


def step_from(kernel: CompiledKernel, time: float, state: FloatArray, step: float) -> FloatArray:
    """Workspace after one step of a given size from ``state`` in every lane."""
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)
    for index, value in enumerate(state):
        w[START + index * LANES : START + (index + 1) * LANES] = value
    w[NOW : NOW + LANES] = time
    kernel.jets(TAYLOR.series)(w)
    w[STEP : STEP + LANES] = step
    TAYLOR.attempt(w, len(state), *[kernel.rhs.address] * 4)
    return w


def exact(problem: Problem, times: FloatArray) -> FloatArray:
    tolerance = Tolerance(1e-13)
    return solve_reference(problem.system, NOTHING, Schedule.empty(1), times, tolerance=tolerance).values[0]


@pytest.mark.parametrize("problem", [LOGISTIC, FORCED], ids=lambda problem: problem.name)
def test_the_order_is_the_stated_one(problem: Problem) -> None:
    kernel, n = build(problem.system), len(problem.system.states)
    true = exact(problem, np.array([2.0]))[0]
    errors = []
    for steps in (4, 8):
        state = np.array([float(value) for value in problem.system.initial])
        for index in range(steps):
            state = column(step_from(kernel, 2.0 * index / steps, state, 2.0 / steps), STATE, n)
        errors.append(float(np.abs(state - true).max()))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(TAYLOR.order, abs=0.5)


def test_the_polynomial_is_the_dense_output() -> None:
    kernel, state = build(LOTKA.system), np.array([10.0, 5.0])
    w = step_from(kernel, 0.0, state, 0.02)
    TAYLOR.interpolate(w, 2, 0, 0.0)
    np.testing.assert_array_equal(column(w, RESULT, 2), state)
    TAYLOR.interpolate(w, 2, 0, 1.0)
    np.testing.assert_allclose(column(w, RESULT, 2), column(w, STATE, 2), rtol=1e-15)
    TAYLOR.interpolate(w, 2, 0, 0.3)
    np.testing.assert_allclose(column(w, RESULT, 2), exact(LOTKA, np.array([0.006]))[0], rtol=1e-12)


@pytest.mark.parametrize("problem", [LOGISTIC, LOTKA, BRUSSELATOR, LORENZ, FORCED], ids=lambda problem: problem.name)
def test_the_global_error_follows_the_tolerance(problem: Problem) -> None:
    kernel, oracle = build(problem.system), exact(problem, problem.times)
    errors = []
    for rtol in (1e-5, 1e-7, 1e-9):
        tolerance = Tolerance(rtol)
        result = solve(kernel, NOTHING, Schedule.empty(1), problem.times, tolerance=tolerance, method=TAYLOR)
        assert result.status.tolist() == [Status.OK]
        assert result.counters[0, 1] == 0
        errors.append(float(np.max(np.abs(result.values[0] - oracle) / (np.abs(oracle) + 1e-3))))
        # Lorenz' attractor magnifies what is wrong at the start by e^(0.9 · 5) and more.
        assert errors[-1] < (1e4 if problem is LORENZ else 100.0) * rtol
    assert errors[2] < errors[1] / 10 < errors[0] / 100


def test_patients_agree_with_scipy_and_depend_on_neither_batch_nor_order_nor_threads() -> None:
    model = reference_model(hypothesis_named("H1+H3a+H4"))
    system, members = lower(model), 21
    kernel = build(system)
    nominal = np.array([parameter.value for parameter in model.parameters])
    varied = [parameter.name in {"k_a", "CL", "k_CK"} for parameter in model.parameters]
    factors = np.exp(0.2 * np.random.default_rng(5).standard_normal((members, len(nominal))))
    parameters = np.where(varied, nominal * factors, nominal)
    times = np.array([0.0, 0.4, 1.0, 6.0, 10.0])
    row = [(0.0, StopKind.BOLUS, 0, 100.0), (1.0, StopKind.BOLUS, 0, 50.0), (1.5, StopKind.RATE, 0, 30.0)]
    rows = [[*row, (2.5 + 0.1 * member, StopKind.RATE, 0, -30.0)] for member in range(members)]

    def part(chosen: list[int], threads: int) -> object:
        schedule = Schedule.from_rows([rows[member] for member in chosen])
        tolerance = Tolerance(1e-8)
        return solve(kernel, parameters[chosen], schedule, times, tolerance=tolerance, method=TAYLOR, threads=threads)

    whole = part(list(range(members)), 1)
    tight = Tolerance(1e-11)
    oracle = solve_reference(system, parameters[:2], Schedule.from_rows(rows[:2]), times, tolerance=tight)
    np.testing.assert_allclose(whole.values[:2], oracle.values, rtol=1e-6, atol=1e-9)
    assert_same_bits(whole, part(list(range(members)), 3))
    for chosen in ([0], [20, 3], list(reversed(range(members))), list(range(4, 17))):
        assert_same_bits(member_of(whole, chosen), part(chosen, 2))


def test_doses_far_apart_are_the_superposed_bateman_function() -> None:
    doses = [(0.0, 100.0), (0.9, 40.0), (30.0, 7.0)]
    schedule = Schedule.from_rows([[(time, StopKind.BOLUS, 0, amount) for time, amount in doses]])
    times = np.linspace(0.05, 40.0, 97)
    result = solve(build(ABSORPTION), np.array([[9.0, 3.0]]), schedule, times, tolerance=Tolerance(1e-9), method=TAYLOR)
    np.testing.assert_allclose(
        result.quantity("central")[0], superposed_bateman(times, doses, 9.0, 3.0), rtol=1e-7, atol=1e-10
    )


def test_a_fast_decay_to_what_moves_slowly_takes_fewer_steps_after_a_dose_than_in_plain_time() -> None:
    # In plain time the polynomial of a decay is below 1 up to 4.3136 in units of the decay, and steps stay there.
    rate, days = 60.0, 9.0
    system = with_route(equations({"x": "-x", "y": f"{rate} * (x / (1 + x) - y)"}, [0.0, 0.0]))
    schedule = Schedule.from_rows([[(0.0, StopKind.BOLUS, 0, 1.0), (1.0, StopKind.BOLUS, 0, 1.0)]])
    times = np.array([1.0, 1.0 + days])
    result = solve(build(system), NOTHING, schedule, times, tolerance=Tolerance(1e-4), method=TAYLOR)
    oracle = solve_reference(system, NOTHING, schedule, times, tolerance=Tolerance(1e-11))
    np.testing.assert_allclose(result.values, oracle.values, rtol=1e-5)
    assert result.counters[0, 0] < days * rate / 4.3136


def test_a_state_that_blows_up_fails_alone() -> None:
    kernel = build(equations({"x": "k * x**2 - x"}, [1.0], parameters=["k"]))
    rates = np.array([[0.5], [3.0], [0.1]])
    whole = solve(kernel, rates, Schedule.empty(3), np.array([0.1, 5.0]), method=TAYLOR)
    assert whole.status.tolist()[::2] == [Status.OK, Status.OK]
    assert whole.status[1] in {Status.NOT_FINITE, Status.STEP_TOO_SMALL, Status.TOO_MANY_STEPS}
    # x = 1 / (k - (k - 1) e^t) ends at ln(k / (k - 1)).
    assert whole.failures[0].time == pytest.approx(np.log(1.5), rel=1e-6)
    assert np.isnan(whole.values[1, 1]).all()
    others = solve(kernel, rates[::2], Schedule.empty(2), np.array([0.1, 5.0]), method=TAYLOR)
    assert_same_bits(others, member_of(whole, [0, 2]))


def test_a_state_without_a_derivative_is_a_failure() -> None:
    kernel = build(equations({"x": "1 / y", "y": "0 * y"}, [1.0, "first"], parameters=["first"]))
    result = solve(kernel, np.array([[2.0], [0.0]]), Schedule.empty(2), np.array([1.0]), method=TAYLOR)
    assert result.status[0] == Status.OK
    assert result.status[1] == Status.NOT_FINITE


def test_a_dose_with_an_undefined_gain_is_a_failure() -> None:
    system = with_route(equations({"x": "-x"}, [1.0], parameters=["volume"]))
    kernel = build(replace(system, gains=(1 / sympy.Symbol("volume"),)))
    schedule = Schedule.from_rows([[(1.0, StopKind.BOLUS, 0, 1.0)]] * 2)
    result = solve(kernel, np.array([[1.0], [0.0]]), schedule, np.array([0.5, 2.0]), method=TAYLOR)
    assert result.status.tolist() == [Status.OK, Status.NOT_FINITE]
    assert result.failures[0].time == 1.0


def test_where_time_cannot_resolve_a_step_no_step_is_taken() -> None:
    kernel = build(equations({"x": "-x"}, [1.0]))
    result = solve(kernel, NOTHING, Schedule.empty(1), np.array([1e15 + 3.0]), start=1e15, method=TAYLOR)
    assert result.status.tolist() == [Status.STEP_TOO_SMALL]


def test_a_model_with_a_root_is_refused_before_anything_is_solved() -> None:
    kernel = build(equations({"x": "-sqrt(x)"}, [1.0]))
    with pytest.raises(InputError, match="no Taylor series"):
        solve(kernel, NOTHING, Schedule.empty(1), np.array([1.0]), method=TAYLOR)


def test_a_power_of_a_constant_has_a_series_whatever_its_exponent() -> None:
    system = equations(
        {"x": "c - x * a ** (t / (t + b))", "y": "x * a ** 1.5 - y"}, [1.0, 0.5], parameters=["a", "b", "c"]
    )
    parameters, times = np.array([[0.3, 2.0, 1.5], [4.0, 0.5, 0.2]]), np.array([0.5, 3.0, 8.0])
    found = solve(build(system), parameters, Schedule.empty(2), times, tolerance=Tolerance(1e-11), method=TAYLOR)
    true = solve_reference(system, parameters, Schedule.empty(2), times, tolerance=Tolerance(1e-12))
    np.testing.assert_allclose(found.values, true.values, rtol=1e-9)
