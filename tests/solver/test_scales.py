"""No unit decides: tolerances follow the scale of each state, whatever it is declared in and whenever it is fed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.stats import gamma

from simulate.biology.hypotheses import hypothesis_named
from simulate.kernels.build import build
from simulate.kernels.system import System, equations, lower
from simulate.solver import (
    DOP853,
    DOPRI5,
    METHODS,
    RODAS5P,
    FloatArray,
    Method,
    Schedule,
    Status,
    StopKind,
    Tolerance,
    Trajectories,
    solve,
    solve_automatically,
)
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.models import reference_model
from tests.helpers.systems import in_units, superposed_bateman, with_route

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
UNITS = (1e-12, 1e12)
Row = list[tuple[float, StopKind, int, float]]


@dataclass(frozen=True)
class Course:
    """A system in any units, doses of its first state, and the times to look at."""

    system: System
    doses: tuple[tuple[float, float], ...]
    times: tuple[float, ...]

    def solved(self, method: Method, units: FloatArray, **options: object) -> Trajectories:
        """Members whose states have units of these sizes, shape [member, state]."""
        row: Row = [(time, StopKind.BOLUS, 0, amount) for time, amount in self.doses]
        return solve(
            build(in_units(self.system)), units, Schedule.from_rows([row] * len(units)), np.array(self.times),
            method=method, max_steps=50_000, **options,
        )  # fmt: skip

    def values(self, method: Method, **options: object) -> FloatArray:
        """States [time, state] in units of size 1."""
        result = self.solved(method, np.ones((1, len(self.system.states))), **options)
        assert result.status.tolist() == [Status.OK]
        return result.values[0]


LENGTH, RATE = 12, 10.0
ORAL = Course(
    with_route(
        equations(
            {"depot": "-4 * depot", "central": "4 * depot - central", "effect": "3 * (central - effect)"}, [0.0] * 3
        )
    ),
    ((0.5, 100.0), (2.0, 100.0)),
    (0.4, 0.51, 1.0, 2.5, 6.0),
)
TARGET = Course(
    with_route(
        equations(
            {
                "drug": "-drug / 5 - 100 * drug * receptor + bound",
                "receptor": "5 - receptor - 100 * drug * receptor + bound",
                "bound": "100 * drug * receptor - bound - 2 * bound",
            },
            [0.0, 5.0, 0.0],
        )
    ),
    ((0.0, 50.0), (1.0, 50.0)),
    (0.01, 0.5, 1.5, 2.0),
)
CHAIN = Course(
    with_route(
        equations(
            {"x0": f"-{RATE} * x0", **{f"x{i}": f"{RATE} * x{i - 1} - {RATE} * x{i}" for i in range(1, LENGTH + 1)}},
            [0.0] * (LENGTH + 1),
        )
    ),
    ((0.0, 3.0),),
    (0.2, 0.5, 1.0, 2.0, 4.0),
)


@every_method
@pytest.mark.parametrize("course", [ORAL, TARGET, CHAIN], ids=["oral", "target-mediated", "chain"])
def test_the_unit_of_any_one_state_does_not_matter(course: Course, method: Method) -> None:
    n = len(course.system.states)
    units = np.ones((1 + 2 * n, n))
    for state in range(n):
        units[1 + 2 * state : 3 + 2 * state, state] = UNITS
    units = np.vstack([units, np.full((1, n), 1e-12), np.full((1, n), 1e12)])
    result = course.solved(method, units)
    assert (result.status == Status.OK).all()
    values = result.values * units[:, None, :]
    apart = np.abs(values - values[0]) / Tolerance().allowed(values[0], np.abs(values[0]).max(axis=0))
    assert float(apart.max()) < 10.0


@every_method
def test_the_unit_of_any_one_state_of_the_reference_model_does_not_matter(method: Method) -> None:
    model = reference_model(hypothesis_named("H1+H3a+H4"))
    system = replace(lower(model), observables=(), observed=(), units=lower(model).units[: len(model.species)])
    n = len(system.states)
    units = np.ones((3 + 2 * n, n))
    for state in range(n):
        units[1 + 2 * state : 3 + 2 * state, state] = UNITS
    units[-2:] = [[1e-12], [1e12]]
    nominal = np.array([parameter.value for parameter in model.parameters])
    row: Row = [(float(day), StopKind.BOLUS, 0, 100.0) for day in range(3)]
    result = solve(
        build(in_units(system)),
        np.hstack([np.broadcast_to(nominal, (len(units), len(nominal))), units]),
        Schedule.from_rows([row] * len(units)),
        np.array([0.1, 1.0, 2.5, 6.0]),
        method=method,
    )
    assert (result.status == Status.OK).all()
    values = result.values * units[:, None, :]
    assert np.abs(values[0, 0, system.states.index("A_d")]) > 1.0
    apart = np.abs(values - values[0]) / Tolerance().allowed(values[0], np.abs(values[0]).max(axis=0))
    assert float(apart.max()) < 10.0


@every_method
def test_what_is_given_in_moles_is_followed_as_far_as_what_is_given_in_femtomoles(method: Method) -> None:
    kernel = build(with_route(equations({"x": "-2.4 * x"}, [0.0])))
    times = np.array([1.0, 5.0, 8.0])
    for amount in (1e-9, 1e6):
        rows: list[Row] = [[(0.0, StopKind.BOLUS, 0, amount)]]
        found = solve(kernel, np.zeros((1, 0)), Schedule.from_rows(rows), times, method=method)
        np.testing.assert_allclose(found.values[0, :, 0], amount * np.exp(-2.4 * times), rtol=1e-4)


@every_method
def test_a_chain_of_compartments_that_begin_at_nothing_follows_the_gamma_density(method: Method) -> None:
    found = CHAIN.values(method)
    for place in range(LENGTH + 1):
        true = 3.0 / RATE * gamma.pdf(np.array(CHAIN.times), place + 1, scale=1 / RATE)
        np.testing.assert_allclose(found[:, place], true, rtol=2e-5, atol=1e-10)


@functools.cache
def oracle() -> FloatArray:
    """Drug, receptor, bound by SciPy's LSODA, after both doses."""

    def rates(_: float, y: FloatArray) -> list[float]:
        drug, receptor, bound = y
        taken = 100 * drug * receptor
        return [-drug / 5 - taken + bound, 5 - receptor - taken + bound, taken - 3 * bound]

    rows, state, now = [], np.array([50.0, 5.0, 0.0]), 0.0
    for time in (0.01, 0.5, 1.0, 1.5, 2.0):
        state = solve_ivp(rates, (now, time), state, method="LSODA", rtol=1e-12, atol=1e-20).y[:, -1]
        now = time
        if time == 1.0:
            state = state + np.array([50.0, 0.0, 0.0])
        else:
            rows.append(state)
    return np.array(rows)


@every_method
def test_a_receptor_far_below_what_binds_it_is_followed_too(method: Method) -> None:
    true = oracle()
    assert true[:, 1].max() < 1e-3 * 5.0
    np.testing.assert_allclose(TARGET.values(method), true, rtol=1e-4)


def test_a_receptor_far_below_what_binds_it_is_followed_by_the_automatic_choice() -> None:
    row: Row = [(time, StopKind.BOLUS, 0, amount) for time, amount in TARGET.doses]
    found = solve_automatically(
        build(in_units(TARGET.system)), np.ones((1, 3)), Schedule.from_rows([row]), np.array(TARGET.times)
    )
    np.testing.assert_allclose(found.values[0], oracle(), rtol=1e-4)


@every_method
def test_an_effect_that_begins_with_a_later_dose_is_right_from_its_first_moment(method: Method) -> None:
    found, times = ORAL.values(method), np.array(ORAL.times)
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(found[1:, 1], superposed_bateman(times, list(ORAL.doses), 4.0, 1.0)[1:], rtol=2e-5)
    true = np.zeros(len(times))
    for time, amount in ORAL.doses:
        since = np.maximum(times - time, 0.0)
        # Partial fractions of 4 · 3 / ((s + 4)(s + 1)(s + 3)).
        true += amount * 12 * (np.exp(-4 * since) / 3 + np.exp(-since) / 6 - np.exp(-3 * since) / 2)
    np.testing.assert_allclose(found[1:, 2], true[1:], rtol=2e-5)


@pytest.fixture(scope="module")
def windows() -> object:
    """What a window in time, or a threshold, lets into states that are zero before; what turns that into more."""
    return build(
        equations(
            {"x": "max(0, t - opening) - x", "y": "x - y", "z": "max(0, x - 1)"}, [0.0] * 3, parameters=["opening"]
        )
    )


@pytest.mark.parametrize("method", [DOPRI5, DOP853, RODAS5P], ids=lambda method: method.name)
def test_a_state_that_is_fed_long_after_any_stop_is_right_and_costs_few_steps(windows: object, method: Method) -> None:
    openings, times = np.array([[2.0], [5.0], [7.5]]), np.array([1.0, 10.0])
    together = solve(windows, openings, Schedule.empty(3), times, method=method)  # type: ignore[arg-type]
    assert together.status.tolist() == [Status.OK] * 3
    assert together.counters[:, :2].sum(axis=1).max() < 200
    since = 10.0 - openings[:, 0]
    assert together.values[:, 0].tolist() == [[0.0] * 3] * 3
    np.testing.assert_allclose(together.values[:, 1, 0], since - 1 + np.exp(-since), rtol=1e-5)
    np.testing.assert_allclose(together.values[:, 1, 1], since - 2 + (since + 2) * np.exp(-since), rtol=1e-5)
    for index in range(3):
        alone = solve(windows, openings[[index]], Schedule.empty(1), times, method=method)  # type: ignore[arg-type]
        assert_same_bits(member_of(together, [index]), alone)


@every_method
def test_a_state_that_begins_at_nothing_and_is_fed_by_a_constant_or_the_clock_is_right(method: Method) -> None:
    kernel = build(equations({"x": "7 - x / 3", "y": "x - y", "z": "t**2 - z"}, [0.0] * 3))
    times = np.array([1e-6, 0.1, 3.0, 50.0])
    found = solve(kernel, np.zeros((1, 0)), Schedule.empty(1), times, method=method)
    assert found.status.tolist() == [Status.OK]
    np.testing.assert_allclose(found.quantity("x")[0], -21 * np.expm1(-times / 3), rtol=1e-4)
    y = 21 + 10.5 * np.exp(-times) - 31.5 * np.exp(-times / 3)
    np.testing.assert_allclose(found.quantity("y")[0, 1:], y[1:], rtol=1e-4)
    z = times**2 - 2 * times - 2 * np.expm1(-times)
    np.testing.assert_allclose(found.quantity("z")[0, 1:], z[1:], rtol=1e-4)


@every_method
def test_an_integral_of_nothing_but_rounding_stops_nobody(method: Method) -> None:
    system = with_route(
        equations(
            {
                "drug": "-drug",
                "x": "0.1 * 3 - 0.3 * x - drug * x / 2",
                "error": "7 * (x - 1) / 10",
                "noise": "x / 10 - (x + error) / 10 + error / 10",
            },
            [0.0, 1.0, 1e-17, -3e-17],
        )
    )
    rows: list[Row] = [[(30.0, StopKind.BOLUS, 0, 10.0)]]
    found = solve(
        build(system), np.zeros((1, 0)), Schedule.from_rows(rows), np.array([30.0, 90.0]), method=method, max_steps=2000
    )
    assert found.status.tolist() == [Status.OK]
    assert abs(found.quantity("noise")[0]).max() < 1e-12

    def rates(_: float, y: FloatArray) -> list[float]:
        return [-y[0], 0.3 - 0.3 * y[1] - y[0] * y[1] / 2, 0.7 * (y[1] - 1)]

    true = solve_ivp(rates, (0, 60), [10.0, 1.0, 0.0], method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    np.testing.assert_allclose(found.values[0, 1, 1:3], true[1:], rtol=1e-5)


@every_method
def test_what_is_fed_by_little_first_and_by_more_later_costs_few_steps(method: Method) -> None:
    system = equations(
        {"fast": "-100 * fast", "a": "1", "b": "a", "c": "a**9 + b", "d": "c**2", "e": "d**2"}, [1.0, *[0.0] * 5]
    )
    times = np.array([0.5, 3.0])
    found = solve(build(system), np.zeros((1, 0)), Schedule.empty(1), times, method=method, max_steps=400)
    assert found.status.tolist() == [Status.OK]
    np.testing.assert_allclose(found.quantity("c")[0], times**10 / 10 + times**3 / 6, rtol=1e-5)
    d = times**21 / 2100 + times**14 / 420 + times**7 / 252
    np.testing.assert_allclose(found.quantity("d")[0], d, rtol=1e-5)


@every_method
@pytest.mark.parametrize("end", [1e-6, 1e-2])
def test_what_would_be_fed_by_more_later_than_anything_is_solved_has_no_scale_of_it(method: Method, end: float) -> None:
    rates = {"a": "1", "b": "a", "c": "a**9 + b", "d": "c**2", "e": "d**2"}
    found = solve(build(equations(rates, [0.0] * 5)), np.zeros((1, 0)), Schedule.empty(1), [end], method=method)
    c, d, e = end**3 / 6, end**7 / 252, end**15 / (15 * 252**2)
    np.testing.assert_allclose(found.values[0, 0], [end, end**2 / 2, c, d, e], rtol=1e-5)


@every_method
def test_a_later_end_leaves_numbers_before_the_last_stop_as_they_are(method: Method) -> None:
    system = with_route(equations({"a": "-a", "b": "a", "c": "b**4 + 1e-6 * a", "d": "c**2 - d"}, [0.0] * 4))
    schedule = Schedule.from_rows([[(day, StopKind.BOLUS, 0, 1.0) for day in (0.0, 0.2, 0.5)]])
    ends = [
        solve(build(system), np.zeros((1, 0)), schedule, np.array([0.1, 0.2, 0.3, 0.5, end]), method=method).values
        for end in (0.6, 30.0)
    ]
    np.testing.assert_array_equal(ends[0][:, :4], ends[1][:, :4])


@every_method
@pytest.mark.parametrize("others", [{}, {"x": "0.625"}, {"x": "-90 * x"}], ids=["alone", "growing", "fading"])
def test_what_only_time_feeds_and_not_at_first_is_fed(method: Method, others: dict[str, str]) -> None:
    """All of the first eight derivatives are zero at the start."""
    system = equations({"y": "k * t**8", "z": "y - z", **others}, [0.0, 0.0, 1.0][: 2 + len(others)], parameters=["k"])
    parameters, times = np.array([[0.0], [1.0], [0.0], [1e9], [0.0], [1.0], [1e-9], [0.0], [1.0]]), np.array([0.5, 3.0])
    found = solve(build(system), parameters, Schedule.empty(9), times, method=method)
    y = parameters * times**9 / 9
    # 9! times what is left of exp(-t) after the terms of its series up to t^9.
    tail = sum((-1.0) ** n * times**n / math.factorial(n) for n in range(10, 40))
    z = parameters * (math.factorial(8) * tail)
    np.testing.assert_allclose(found.quantity("y"), y, rtol=1e-5)
    np.testing.assert_allclose(found.quantity("z"), z, rtol=1e-5)
    for member in range(9):
        alone = solve(build(system), parameters[[member]], Schedule.empty(1), times, method=method)
        assert_same_bits(alone, member_of(found, [member]))


@every_method
@pytest.mark.parametrize(
    ("rates", "exact"),
    [
        ({"y": "t**9"}, lambda t: 1.0 + t**10 / 10.0),
        ({"y": "x**8", "x": "1"}, lambda t: 1.0 + t**9 / 9.0),
        ({"y": "-y * x**9", "x": "1"}, lambda t: np.exp(-(t**10) / 10.0)),
        ({"y": "exp(-x**4)", "x": "1"}, lambda t: 1.0 + math.gamma(1.25) * gamma(0.25).cdf(t**4)),
        ({"y": "x**10 / (1 + x**10)", "x": "u", "u": "0"}, lambda t: [1.0 + hill(end) for end in t]),
    ],
    ids=["time", "power", "fading", "bell", "response"],
)
def test_what_is_there_and_is_fed_by_more_than_its_first_eight_derivatives_tell_is_fed(
    method: Method, rates: dict[str, str], exact: Callable[[FloatArray], FloatArray]
) -> None:
    """The last derivatives of a series are zero at the start, be it those of a state that is not."""
    initial = {"y": 1.0, "x": 0.0, "u": 1.0}
    system, times = equations(rates, [initial[name] for name in rates]), np.array([0.5, 1.5, 4.0])
    found = solve(build(system), np.zeros((1, 0)), Schedule.empty(1), times, method=method)
    np.testing.assert_allclose(found.quantity("y")[0], exact(times), rtol=1e-5, atol=1e-6)


def hill(end: float) -> float:
    """Integral of x^10/(1 + x^10) from 0 to an end."""
    return float(quad(lambda x: x**10 / (1.0 + x**10), 0.0, end, epsabs=1e-12)[0])


@every_method
def test_a_state_that_grows_out_of_numbers_too_small_to_be_written_stops_nobody(method: Method) -> None:
    system = equations({"a": "1", "b": "a**8", "c": "b**8", "d": "c**8", "e": "d**8"}, [0.0] * 5)
    found = solve(build(system), np.zeros((1, 0)), Schedule.empty(1), np.ones(1), method=method)
    assert found.status.tolist() == [Status.OK]
    np.testing.assert_allclose(found.values[0, 0, :3], [1.0, 1 / 9, 1 / (73 * 9**8)], rtol=1e-5)


@every_method
def test_a_reset_forgets_the_scale(method: Method) -> None:
    kernel = build(with_route(equations({"x": "-2 * x"}, [0.0])))
    rows: list[Row] = [
        [
            (0.0, StopKind.BOLUS, 0, 1e12),
            (1.0, StopKind.RESET, 0, 0.0),
            (1.0, StopKind.BOLUS, 0, 1e-6),
        ]
    ]
    found = solve(kernel, np.zeros((1, 0)), Schedule.from_rows(rows), np.array([2.0]), method=method)
    assert found.values[0, 0, 0] == pytest.approx(1e-6 * math.exp(-2.0), rel=1e-5)


def test_errors_fall_with_the_tolerance_far_below_the_scale() -> None:
    kernel, times = build(with_route(equations({"x": "-2.4 * x"}, [0.0]))), np.array([5.0])
    rows: list[Row] = [[(0.0, StopKind.BOLUS, 0, 1.0)]]
    errors = [
        abs(
            float(
                solve(kernel, np.zeros((1, 0)), Schedule.from_rows(rows), times, tolerance=Tolerance(rtol)).values[
                    0, 0, 0
                ]
            )
            / math.exp(-12.0)
            - 1
        )
        for rtol in (1e-4, 1e-6, 1e-8, 1e-10)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2] > 1000 * errors[3]
