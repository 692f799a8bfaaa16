"""Sizes, tolerances and times at the edge of what doubles hold: a right number, or a status that says why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from simulate.kernels.build import build
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import equations
from simulate.solver import METHODS, Method, Schedule, Status, StopKind, Tolerance, Trajectories, solve
from simulate.solver.layout import ERROR, STATE
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.fixed_steps import RUNGE_KUTTA, attempt, column
from tests.helpers.systems import ABSORPTION, with_route

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def one(system: object, times: list[float], parameters: list[float] | None = None, **options: object) -> Trajectories:
    row = np.array([parameters or []])
    return solve(build(system), row, Schedule.empty(1), np.array(times), **options)


@every_method
def test_a_state_that_stays_zero_needs_no_absolute_tolerance(method: Method) -> None:
    result = one(equations({"x": "-x", "y": "-y"}, [1.0, 0.0]), [1.0], tolerance=Tolerance(1e-8, 0.0), method=method)
    assert result.status.tolist() == [Status.OK]
    np.testing.assert_allclose(result.values[0, 0], [np.exp(-1.0), 0.0], rtol=1e-6)


@every_method
def test_an_overflow_that_passes_the_error_test_is_a_failure_and_no_result(method: Method) -> None:
    rise = sympy.Float("1e306")
    result = one(equations({"x": rise}, [sympy.Float("1.7e308")]), [0.0, 1e3, 2e3], method=method)
    assert result.status.tolist() == [Status.NOT_FINITE]
    assert np.isfinite(result.values[0, 0, 0])
    assert np.isnan(result.values[0, 1:, 0]).all()
    assert result.failures[0].state == "x"


@every_method
@pytest.mark.parametrize("time", [0.0, 1.0, 2.0], ids=["at the start", "on the way", "at the end"])
def test_a_dose_with_an_undefined_gain_is_a_failure_from_its_time_on(method: Method, time: float) -> None:
    volume = sympy.Symbol("volume")
    system = with_route(equations({"x": "-x", "y": "-y"}, [1.0, 1.0], parameters=["volume"]))
    kernel = build(replace(system, gains=(1 / volume,)))
    schedule = Schedule.from_rows([[(time, StopKind.BOLUS, 0, 1.0)]] * 9)
    volumes = np.ones((9, 1))
    volumes[3] = 0.0
    result = solve(kernel, volumes, schedule, np.array([0.0, 0.5, 1.0, 2.0]), method=method)
    assert result.status.tolist() == [Status.NOT_FINITE if member == 3 else Status.OK for member in range(9)]
    assert np.isnan(result.values[3]).all(axis=-1).tolist() == (result.times >= time).tolist()
    assert (result.failures[0].state, result.failures[0].time) == ("x", time)


@every_method
def test_where_time_cannot_resolve_a_step_no_step_is_taken(method: Method) -> None:
    # Next to 1e15 days the clock moves by an eighth of a day: steps below that would move the state only.
    result = one(equations({"x": "-10 * x"}, [1.0]), [1e15 + 1.0], start=1e15, method=method)
    assert result.status.tolist() == [Status.STEP_TOO_SMALL]
    assert result.failures[0].time == 1e15


@pytest.mark.parametrize("method", RUNGE_KUTTA, ids=lambda method: method.name)
def test_a_step_to_a_state_without_a_derivative_has_an_undefined_error(method: Method) -> None:
    # The floor lies between the new state and every stage before it: no smaller step could leave that state again.
    step, start = 0.5, np.array([1.0, 0.0])
    free = attempt(build(equations({"x": "-x", "y": "0 * x"}, start.tolist())), method, 0.0, start, step)
    floor = column(free, STATE, 1)[0] + abs(column(free, ERROR, 1)[0]) / 2
    rooted = equations({"x": "-x", "y": sympy.sqrt(sympy.Symbol("x") - sympy.Float(floor))}, start.tolist())
    w = attempt(build(rooted), method, 0.0, start, step)
    assert column(w, STATE, 1)[0] < floor
    assert np.isnan(column(w, ERROR, 2)[1])


@every_method
def test_a_member_with_an_undefined_observable_has_failed_and_keeps_its_states(method: Method) -> None:
    system = equations(
        {"x": "-x"}, ["first"], parameters=["first"], observables={"twice": "2 * x", "log": "log(x - 1 / 2)"}
    )
    first = np.array([[9.0], [1.0], [9.0], [0.0]])
    result = solve(build(system), first, Schedule.empty(4), np.array([0.0, 0.5, 1.0, 2.0]), method=method)
    assert result.status.tolist() == [Status.OK, Status.NOT_FINITE, Status.OK, Status.NOT_FINITE]
    assert [(failure.member, failure.time, failure.state) for failure in result.failures] == [
        (1, 1.0, None),
        (3, 0.0, None),
    ]
    assert result.failures[0].reason.startswith("the observable `log` is infinite or undefined there, and the states")
    np.testing.assert_allclose(result.quantity("x")[1], np.exp(-result.times), rtol=1e-5)
    assert np.isfinite(result.quantity("log")[1]).tolist() == [True, True, False, False]


def test_the_end_of_the_last_infusion_leaves_no_rate_behind() -> None:
    # 0.1 + 0.2 - 0.1 - 0.2 is not zero in doubles; a state without loss would show it.
    kernel = build(with_route(equations({"x": "0 * x"}, [0.0])))
    row = [(0.0, 0.1), (1.0, 0.2), (2.0, -0.1), (3.0, -0.2)]
    schedule = Schedule.from_rows([[(time, StopKind.RATE, 0, rate) for time, rate in row]])
    result = solve(kernel, np.zeros((1, 0)), schedule, np.array([3.0, 1e9]))
    assert result.values[0, 0, 0] == pytest.approx(0.6, rel=1e-12)
    assert result.values[0, 1, 0] == result.values[0, 0, 0]


def test_columns_of_other_types_and_a_changed_array_of_times_give_the_same_bits() -> None:
    kernel, parameters = build(ABSORPTION), np.array([[1.3, 0.4]])
    schedule = Schedule.from_rows([[(0.5, StopKind.BOLUS, 0, 2.0), (1.0, StopKind.RATE, 0, 1.0)]])
    narrow = Schedule(
        offsets=schedule.offsets.astype(np.int32),
        times=schedule.times.astype(np.float32),
        kinds=schedule.kinds.astype(np.int8),
        routes=schedule.routes.astype(np.uint8),
        amounts=schedule.amounts.astype(np.int64),
    )
    times = np.array([1.0, 2.0])
    plain = solve(kernel, parameters, schedule, times)
    assert_same_bits(plain, solve(kernel, np.asfortranarray(parameters), narrow, times.astype(int)))
    times[:] = 7.0
    assert plain.times.tolist() == [1.0, 2.0]


@every_method
def test_neighbors_with_stops_do_not_touch_the_bits_of_a_system_that_depends_on_time(method: Method) -> None:
    rates = {"x": "-k * x * (1 + t / (2 + t))", "y": "k * x - y * exp(-t / 7) / (1 + t)", "z": "q * z**2 - z * t"}
    kernel = build(with_route(equations(rates, ["0", "1", "q"], parameters=["k", "q"])))
    generator = np.random.default_rng(5)
    start, members = 3.7, 21
    times = start + np.array([0.4, 1.1, 5.0])
    parameters = np.column_stack([generator.uniform(0.05, 5.0, members), np.where(np.arange(members) % 5, 0.1, 9.0)])
    rows = [
        [(start + float(time), StopKind(index % 2), 0, float(time)) for index, time in enumerate(days)]
        for days in (generator.uniform(0.0, 5.0, member % 7) for member in range(members))
    ]
    whole = solve(kernel, parameters, Schedule.from_rows(rows), times, start=start, method=method)
    assert set(whole.status.tolist()) > {Status.OK}
    for member, row in enumerate(rows):
        alone = solve(kernel, parameters[[member]], Schedule.from_rows([row]), times, start=start, method=method)
        assert_same_bits(alone, member_of(whole, [member]))


@pytest.mark.parametrize(("rate", "value"), [("1 / x", 0.0), ("log(x)", -1.0), ("exp(x)", 1000.0)])
def test_the_oracle_reports_an_undefined_rate_as_a_failure_too(rate: str, value: float) -> None:
    system = equations({"x": rate}, ["first"], parameters=["first"])
    for result in (
        one(system, [1.0], [value]),
        solve_reference(system, np.array([[value]]), Schedule.empty(1), np.array([1.0])),
    ):
        assert result.status.tolist() == [Status.NOT_FINITE]
        assert np.isnan(result.values).all()
        assert "look for a division by zero" in result.failures[0].reason
