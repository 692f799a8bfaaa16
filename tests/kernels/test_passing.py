"""Derivatives through switches and events, against closed forms and against differences of SciPy's solutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from simulate.kernels.sensitivities import Sensitivities, solve_sensitivities
from simulate.kernels.system import Happening, System, equations, infusion
from simulate.solver import METHODS, FloatArray, Method, Schedule, StopKind, Tolerance
from simulate.symbolic.expressions import parse_expression

methods = pytest.mark.parametrize(
    "method", [method for method in METHODS if not method.series], ids=lambda method: method.name
)
TIGHT = Tolerance(1e-11)


def event(name: str, when: str, targets: dict[int, str], delay: str = "0", **more: object) -> Happening:
    values = tuple(parse_expression(value) for value in targets.values())
    condition = parse_expression(when, condition=True)
    return Happening(name, condition, tuple(targets), values, delay=parse_expression(delay), **more)


def solved(
    system: System, values: dict[str, float], times: FloatArray, method: Method | None = None, **more: object
) -> Sensitivities:
    members = np.array([[values[name] for name in system.parameters]])
    return solve_sensitivities(system, members, Schedule.empty(1), times, method=method, tolerance=TIGHT, **more)  # type: ignore[arg-type]


def assert_closed(found: Sensitivities, values: dict[str, float], quantity: str, before: str, after: list[str]) -> None:
    """Check a quantity and its derivatives against formulas in t, one for each stretch between the times asked for.

    The first holds at the first time, and so on, so that a time lies in each stretch.
    """
    symbols = {name: sympy.Symbol(name) for name in (*values, "t")}
    for place, text in enumerate([before, *after]):
        formula = sympy.sympify(text, locals=symbols)
        at = {**values, "t": float(found.trajectories.times[place])}
        assert found.trajectories.quantity(quantity)[0, place] == pytest.approx(float(formula.subs(at)), rel=1e-9)
        for direction in found.directions:
            if direction in symbols:
                expected = float(formula.diff(symbols[direction]).subs(at))
                assert found.derivative(quantity, direction)[0, place] == pytest.approx(expected, rel=1e-7, abs=1e-9), (
                    direction,
                    place,
                )


@methods
@pytest.mark.parametrize("together", [1, 2, 8])
def test_a_switch_at_a_time_that_is_a_parameter(method: Method, together: int) -> None:
    system = equations({"x": "piecewise(a, t > tau, b) - k*x"}, ["x0"], parameters=["a", "b", "tau", "k", "x0"])
    values = {"a": 2.0, "b": 0.5, "tau": 1.3, "k": 0.7, "x0": 0.3}
    found = solved(system, values, np.array([0.9, 2.9]), method, together=together)
    first = "b/k + (x0 - b/k)*exp(-k*{})"
    at_switch = first.format("tau")
    assert_closed(found, values, "x", first.format("t"), [f"a/k + ({at_switch} - a/k)*exp(-k*(t - tau))"])


@methods
def test_an_input_that_switches_at_fixed_times(method: Method) -> None:
    # As a dose that is given from 1 to 2: the times depend on nothing that is varied.
    system = equations({"x": "piecewise(dose, t >= 1 and t < 2, 0) - k*x"}, ["x0"], parameters=["dose", "k", "x0"])
    values = {"dose": 3.0, "k": 0.6, "x0": 0.5}
    found = solved(system, values, np.array([0.5, 1.7, 2.9]), method)
    during = "x0*exp(-k*t) + dose/k*(1 - exp(-k*(t - 1)))"
    after = "x0*exp(-k*t) + dose/k*(1 - exp(-k))*exp(-k*(t - 2))"
    assert_closed(found, values, "x", "x0*exp(-k*t)", [during, after])


@methods
def test_a_switch_at_a_threshold_of_a_state(method: Method) -> None:
    system = equations({"x": "a", "y": "piecewise(1, x < c, y)"}, ["x0", "1"], parameters=["a", "c", "x0"])
    values = {"a": 1.3, "c": 2.0, "x0": 0.2}
    found = solved(system, values, np.array([1.0, 3.0]), method, initial=["y"])
    assert_closed(found, values, "y", "1 + t", ["(1 + (c - x0)/a)*exp(t - (c - x0)/a)"])
    passing = (2.0 - 0.2) / 1.3
    np.testing.assert_allclose(found.derivative("y", "y(0)")[0], [1.0, np.exp(3.0 - passing)], rtol=1e-8)


@methods
def test_whole_parts_of_a_product_switch_when_it_is_whole(method: Method) -> None:
    system = equations({"x": "floor(k*t)"}, [0], parameters=["k"])
    found = solved(system, {"k": 0.8}, np.array([1.0, 2.0, 3.0, 4.5]), method)
    assert_closed(found, {"k": 0.8}, "x", "0", ["t - 1/k", "2*t - 3/k", "3*t - 6/k"])


@methods
def test_a_rate_that_goes_on_at_a_switch_has_no_jump_in_its_derivative(method: Method) -> None:
    # Where x passes c both pieces are c**2, and so the derivative goes on.
    system = equations({"x": "a", "y": "piecewise(c*x, x < c, x**2)"}, [0, 0], parameters=["a", "c"])
    values = {"a": 0.9, "c": 1.1}
    found = solved(system, values, np.array([1.0, 2.0]), method)
    assert_closed(found, values, "y", "a*c*t**2/2", ["c**3/a/2 + (a**2*t**3 - c**3/a)/3"])


@methods
def test_a_ball_bounces_as_the_derivatives_of_newton_say(method: Method) -> None:
    system = replace(
        equations({"h": "v", "v": "-g"}, ["h0", 0], parameters=["g", "e", "h0"]),
        events=(event("bounce", "h <= 0 and v < 0", {1: "-e*v"}),),
    )
    values = {"g": 9.81, "e": 0.9, "h0": 1.2}
    found = solved(system, values, np.array([0.3, 0.9, 1.6]), method)
    down, speed = "sqrt(2*h0/g)", "e*sqrt(2*h0*g)"
    second = f"({down} + 2*{speed}/g)"
    bounced = f"{speed}*(t - {down}) - g*(t - {down})**2/2"
    assert_closed(found, values, "h", "h0 - g*t**2/2", [bounced, f"e*{speed}*(t - {second}) - g*(t - {second})**2/2"])


@methods
@pytest.mark.parametrize("at_trigger", [True, False])
def test_an_event_after_a_delay_has_values_of_its_trigger_or_of_its_own_time(method: Method, at_trigger: bool) -> None:
    system = replace(
        equations({"x": "-k*x"}, ["x0"], parameters=["k", "x0", "tau", "d", "f", "r"]),
        events=(event("reset", "t >= tau", {0: "f*x + r*t"}, "d*k", at_trigger=at_trigger),),
    )
    values = {"k": 0.5, "x0": 2.0, "tau": 1.1, "d": 0.8, "f": 0.4, "r": 0.3}
    found = solved(system, values, np.array([1.3, 2.5]), method)
    seen = "tau" if at_trigger else "(tau + d*k)"
    new = f"(f*x0*exp(-k*{seen}) + r*{seen})"
    assert_closed(found, values, "x", "x0*exp(-k*t)", [f"{new}*exp(-k*(t - tau - d*k))"])


def test_events_follow_each_other_at_one_time_that_a_state_says() -> None:
    # The first event lets the second happen at once, which lets what it sets decide on the rate of y.
    system = replace(
        equations({"x": "a", "y": "piecewise(x, z > 1, 0)", "z": "0"}, [0, 0, 0], parameters=["a", "c", "b"]),
        events=(event("first", "x >= c", {0: "b*x"}), event("second", "x >= c and z < 1", {2: "2"}, at_trigger=False)),
    )
    values = {"a": 1.2, "c": 1.5, "b": 0.5}
    found = solved(system, values, np.array([1.0, 1.8]))
    assert_closed(found, values, "x", "a*t", ["b*c + a*(t - c/a)"])
    assert_closed(found, values, "y", "0", ["b*c*(t - c/a) + a*(t - c/a)**2/2"])
    assert_closed(found, values, "z", "0", ["2"])


def test_what_switches_at_one_time_for_several_reasons_adds_up_or_has_no_derivative() -> None:
    both = "piecewise(1, t > tau, 0)*piecewise(1, t > {}, 0)"
    system = equations(
        {
            "sum": "piecewise(a, t > tau, 0) + piecewise(b, t > sigma, 0)",
            "product": both.format("sigma"),
            "same": both.format("2*tau - tau"),
        },
        [0, 0, 0],
        parameters=["a", "b", "tau", "sigma"],
    )
    values = {"a": 2.0, "b": 3.0, "tau": 1.5, "sigma": 1.5}
    found = solved(system, values, np.array([1.0, 4.0]))
    assert_closed(found, values, "sum", "0", ["a*(t - tau) + b*(t - sigma)"])
    assert np.isnan(found.derivative("product", "tau")[0, 1])
    assert np.isnan(found.derivative("product", "sigma")[0, 1])
    np.testing.assert_array_equal(found.derivative("product", "a")[0], 0.0)
    alone = solved(
        equations({"x": both.format("2*tau - tau")}, [0], parameters=["tau"]), {"tau": 1.5}, np.array([1.0, 4.0])
    )
    np.testing.assert_allclose(alone.derivative("x", "tau")[0], [0.0, -1.0], rtol=1e-9)


@methods
def test_what_grazes_its_threshold_has_no_derivative_and_the_solution_has(method: Method) -> None:
    # x reaches c = 1 at t = 1 with no speed, and its change by b is no number there; by a nothing moves in time.
    system = equations(
        {"x": "3*(t - 1)**2", "y": "piecewise(a, x > c, 0)", "z": "-z"}, [0, 0, 1], parameters=["a", "c"]
    )
    found = solved(system, {"a": 2.0, "c": 1.0}, np.array([0.5, 3.0]), method)
    np.testing.assert_allclose(found.trajectories.quantity("y")[0], [0.0, 4.0], atol=1e-3)
    np.testing.assert_allclose(found.derivative("y", "a")[0], [0.0, 2.0], atol=1e-3)
    assert found.derivative("y", "c")[0, 0] == 0.0
    assert np.isnan(found.derivative("y", "c")[0, 1])
    np.testing.assert_array_equal(found.derivative("z", "c")[0], 0.0)


@methods
@pytest.mark.parametrize("above", [1e-2, 1e-5])
def test_what_passes_its_threshold_by_little_has_its_derivative(method: Method, above: float) -> None:
    # A stone that is thrown up and comes a little higher than c, where its pace is the square root of twice that.
    system = equations({"x": "v", "v": "-1", "y": "piecewise(1, x > c, 0)"}, [0, "u", 0], parameters=["u", "c"])
    values = {"u": 2.0, "c": 2.0 - above}
    found = solved(system, values, np.array([1.0, 3.0]), method, max_step=2e-3)
    assert found.trajectories.quantity("y")[0, 1] == pytest.approx(2.0 * np.sqrt(2.0 * above), rel=1e-5)
    for name, slope in (("u", 2.0), ("c", -1.0)):
        expected = 2.0 * slope / np.sqrt(2.0 * above)
        np.testing.assert_allclose(found.derivative("y", name)[0], [0.0, expected], rtol=1e-5)


def dosed(rate: str) -> System:
    system = equations({"x": rate}, ["1"], parameters=["a", "b", "tau", "k"])
    return replace(
        system, rhs=(system.rhs[0] + infusion("in"),), routes=("in",), route_targets=(0,), gains=(sympy.S.One,)
    )


def test_doses_do_not_move_and_at_the_time_of_a_switch_that_does_there_is_no_derivative() -> None:
    system = dosed("piecewise(a, x > b, 0) - k*x")
    values = np.array([[0.5, 2.0, 1.0, 0.3]])
    stops = Schedule.from_rows([[(1.0, StopKind.BOLUS, 0, 3.0)]])
    found = solve_sensitivities(system, values, stops, np.array([0.9, 1.5]), tolerance=TIGHT)
    # The dose lifts x over b at a time that stays: the derivative by b is nothing.
    np.testing.assert_array_equal(found.derivative("x", "b")[0], 0.0)
    k, a = 0.3, 0.5
    np.testing.assert_allclose(found.derivative("x", "a")[0], [0.0, (1 - np.exp(-k * 0.5)) / k], rtol=1e-8)
    expected = a / k + (np.exp(-k) + 3.0 - a / k) * np.exp(-k * 0.5)
    assert found.trajectories.quantity("x")[0, 1] == pytest.approx(expected, rel=1e-9)
    timed = solve_sensitivities(
        dosed("piecewise(a*x, t >= tau, 0)"), values, stops, np.array([0.9, 1.5]), tolerance=TIGHT
    )
    assert np.isnan(timed.derivative("x", "tau")[0, 1])
    np.testing.assert_allclose(timed.derivative("x", "a")[0], [0.0, 4.0 * 0.5 * np.exp(0.25)], rtol=1e-8)


@methods
def test_who_begins_at_a_threshold_has_the_derivative_of_the_side_that_follows(method: Method) -> None:
    # For a higher c the product begins later, for a lower one it does not begin earlier: the page says which is told.
    system = equations({"x": "1", "y": "piecewise(1, x >= c, 0)"}, ["x0", 0], parameters=["x0", "c"])
    found = solved(system, {"x0": 2.0, "c": 2.0}, np.array([0.5, 3.0]), method)
    np.testing.assert_allclose(found.trajectories.quantity("y")[0], [0.5, 3.0], rtol=1e-9)
    np.testing.assert_array_equal(found.derivative("y", "c")[0], 0.0)
    later = solved(system, {"x0": 2.0, "c": 2.0 + 1e-3}, np.array([0.5, 3.0]), method)
    np.testing.assert_allclose(later.derivative("y", "c")[0], -1.0, rtol=1e-9)


def test_a_thermostat_has_the_differences_of_solutions_of_scipy() -> None:
    # Heated below low until it is above high, with a reading that lags behind: the heater is an event's.
    names = ["power", "loss", "lag", "low", "high"]
    values = np.array([6.0, 0.4, 1.5, 3.0, 5.0])
    system = replace(
        equations(
            {"room": "power*on - loss*room", "seen": "lag*(room - seen)", "on": "0"}, [1, 1, 1], parameters=names
        ),
        events=(event("off", "seen > high", {2: "0"}), event("on", "seen < low", {2: "1"})),
    )
    times = np.array([0.5, 2.0, 5.0, 9.0])
    found = solve_sensitivities(system, values[None], Schedule.empty(1), times, tolerance=TIGHT)

    def by_scipy(own: FloatArray) -> FloatArray:
        power, loss, lag, low, high = own
        now, state, heated, rows = 0.0, np.array([1.0, 1.0]), 1.0, []
        while len(rows) < len(times):
            crossing = (lambda t, y: y[1] - high) if heated else (lambda t, y: y[1] - low)
            crossing.terminal = True  # type: ignore[attr-defined]
            crossing.direction = 1.0 if heated else -1.0  # type: ignore[attr-defined]
            part = solve_ivp(
                lambda t, y, heated=heated: [power * heated - loss * y[0], lag * (y[0] - y[1])],
                (now, times[-1] + 1.0), state, "DOP853", rtol=1e-12, atol=1e-13, events=crossing, dense_output=True,
            )  # fmt: skip
            rows += [part.sol(time) for time in times[len(rows) :] if time <= part.t[-1]]
            now, state, heated = part.t[-1], part.y[:, -1], 1.0 - heated
        return np.array(rows)

    np.testing.assert_allclose(found.trajectories.values[0, :, :2], by_scipy(values), rtol=1e-8)
    for place, name in enumerate(names):
        step = 1e-5 * values[place]
        ends = [values.copy() for _ in range(2)]
        ends[0][place] -= step
        ends[1][place] += step
        slope = (by_scipy(ends[1]) - by_scipy(ends[0])) / (2 * step)
        np.testing.assert_allclose(found.values[0, :, :2, place], slope, rtol=2e-5, atol=2e-6, err_msg=name)


RELAY = replace(
    equations(
        {"x": "piecewise(a, y < c, -b*x)", "y": "x - k*y", "n": "0"}, ["1", "0", "0"], parameters=["a", "b", "c", "k"]
    ),
    events=(event("counted", "y > c", {2: "n + x", 0: "x/2"}, "1/4"),),
)
SOME = np.random.default_rng(5).uniform(0.5, 1.5, (13, 4))


def test_derivatives_have_the_same_bits_whatever_the_batch_its_order_the_threads_and_the_other_directions() -> None:
    times = np.linspace(0.0, 8.0, 17)

    def of(rows: FloatArray, threads: int = 1, together: int = 8) -> Sensitivities:
        return solve_sensitivities(
            RELAY, rows, Schedule.empty(len(rows)), times, threads=threads, together=together
        )  # fmt: skip

    whole, backward, alone = of(SOME, 2), of(SOME[::-1]), of(SOME[4:5])
    assert np.isfinite(whole.values).all()
    assert np.abs(whole.derivative("n", "k")[:, -1]).min() > 0.0
    assert whole.values.tobytes() == np.ascontiguousarray(backward.values[::-1]).tobytes()
    assert whole.trajectories.values[4:5].tobytes() == alone.trajectories.values.tobytes()
    assert whole.values[4:5].tobytes() == alone.values.tobytes()
    single = of(SOME, together=1)
    assert single.trajectories.values.tobytes() == whole.trajectories.values.tobytes()
    np.testing.assert_allclose(single.values, whole.values, rtol=1e-9, atol=1e-12)


def test_the_solution_beside_derivatives_is_that_without_any() -> None:
    from simulate.kernels.build import build
    from simulate.solver import solve

    times = np.linspace(0.0, 8.0, 17)
    plain = solve(build(RELAY), SOME, Schedule.empty(len(SOME)), times, tolerance=TIGHT)
    beside = solve_sensitivities(RELAY, SOME, Schedule.empty(len(SOME)), times, tolerance=TIGHT)
    np.testing.assert_allclose(beside.trajectories.values, plain.values, rtol=1e-9, atol=1e-11)


@methods
def test_where_a_threshold_jumps_over_a_state_the_time_is_that_of_the_jump(method: Method) -> None:
    # Until tau the threshold is at high, above all x; then it is at low, below x.
    system = equations(
        {"x": "a", "y": "piecewise(x, x > piecewise(high, t < tau, low), 0)"},
        [0, 0],
        parameters=["a", "tau", "high", "low"],
    )
    values = {"a": 0.8, "tau": 1.4, "high": 9.0, "low": 0.3}
    found = solved(system, values, np.array([1.0, 3.0]), method)
    assert_closed(found, values, "y", "0", ["a*(t**2 - tau**2)/2"])


@methods
def test_a_rhythm_that_is_made_of_whole_parts_moves_with_its_period(method: Method) -> None:
    system = equations({"x": "piecewise(a, t - p*floor(t/p) < d, 0)"}, [0], parameters=["a", "p", "d"])
    values = {"a": 1.5, "p": 3.0, "d": 2.0}
    found = solved(system, values, np.array([1.0, 2.5, 4.0, 5.5]), method)
    assert_closed(found, values, "x", "a*t", ["a*d", "a*d + a*(t - p)", "2*a*d"])


def test_a_threshold_with_a_kink_does_not_jump() -> None:
    # 2 - |t - c| is above x = b from c - (2 - b) to c + (2 - b), with the kink between.
    system = equations({"y": "piecewise(1, abs(t - c) < 2 - b, 0)"}, [0], parameters=["b", "c"])
    values = {"b": 0.6, "c": 2.5}
    found = solved(system, values, np.array([0.5, 3.0, 5.0]))
    assert_closed(found, values, "y", "0", ["t - c + 2 - b", "4 - 2*b"])


@methods
@pytest.mark.parametrize(("comparison", "slope"), [(">=", -2.0), (">", 0.0)])
def test_an_output_at_the_time_of_a_switch_has_the_derivative_of_the_side_that_the_comparison_has_there(
    method: Method, comparison: str, slope: float
) -> None:
    system = equations({"x": f"piecewise(a, t {comparison} tau, 0)"}, [0], parameters=["a", "tau"])
    found = solved(system, {"a": 2.0, "tau": 1.0}, np.array([0.5, 1.0, 1.5]), method)
    np.testing.assert_allclose(found.derivative("x", "tau")[0], [0.0, slope, -2.0], rtol=1e-9)


@methods
def test_rates_that_go_on_as_they_were_have_their_derivative_where_a_threshold_is_grazed(method: Method) -> None:
    # x is 1 + (t - 1)**3 and stands at c = 1 at t = 1, where the rate of y goes over from c to x without a jump.
    system = equations({"x": "3*(t - 1)**2", "y": "piecewise(x, x > c, c)"}, [0, 0], parameters=["c"])
    found = solved(system, {"c": 1.0}, np.array([0.5, 2.0]), method)
    np.testing.assert_allclose(found.derivative("y", "c")[0], [0.5, 1.0], rtol=1e-3)


@methods
def test_maxima_minima_and_absolute_values_have_their_derivatives_behind_many_kinks(method: Method) -> None:
    # The waves of a rectified sine, whose kinks move in time with its frequency, and kinks that a state passes.
    system = equations(
        {"x": "max(sin(w*t), 0)", "y": "min(a, z)", "z": "1", "u": "abs(z - a)"}, [0, 0, 0, 0], parameters=["w", "a"]
    )
    values = {"w": 2.0, "a": 1.7}
    found = solved(system, values, np.array([1.0, 4.0]), method)
    # At 1 in the first wave and at 4 in the second one; a wave has the area 2/w.
    assert_closed(found, values, "x", "(1 - cos(w*t))/w", ["2/w + (1 - cos(w*t))/w"])
    assert_closed(found, values, "y", "t**2/2", ["a**2/2 + a*(t - a)"])
    assert_closed(found, values, "u", "a*t - t**2/2", ["a**2/2 + (t - a)**2/2"])
