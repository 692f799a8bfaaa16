"""What is narrow in time is found, however narrow, and no step passes over it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from sympy import Expr, Symbol, cos, exp, pi

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import equations
from simulate.solver import DOP853, DOPRI5, RODAS5P, TAYLOR, Method, Schedule, StopKind, Tolerance, solve
from tests.helpers.bits import assert_same_bits, member_of

PULSES: dict[str, tuple[str | Expr, Callable[[float], float]]] = {
    "gauss": ("exp(-((t - a)/w)**2)", lambda w: math.sqrt(math.pi) * w),
    "written_out": ("exp(-(t**2 - 2*t*a + a**2)/w**2)", lambda w: math.sqrt(math.pi) * w),
    "nothing_at_its_center": ("((t - a)/w)**2*exp(-((t - a)/w)**2)", lambda w: math.sqrt(math.pi) / 2 * w),
    "window": ("min(max((t - a)/(w/1000), 0), 1)*min(max((a + w - t)/(w/1000), 0), 1)", lambda w: w * 0.999),
    "tent": ("max(0, 1 - abs((t - a)/w))", lambda w: w),
    "parabola": ("max(0, 1 - ((t - a)/w)**2)", lambda w: w * 4 / 3),
    "two_steps": ("1/(1 + exp((a - t)/(w/100)))/(1 + exp((t - a - w)/(w/100)))", lambda w: w),
    "hyperbolic": ("1 - tanh((t - a)/w)**2", lambda w: 2 * w),
    "twice": ("max(0, 1 - abs(abs(t - a - 1) - 1)/w)", lambda w: 2 * w),
    "every_day": (exp(50 * (cos(2 * pi * (Symbol("t") - Symbol("a"))) - 1) / Symbol("w")), lambda w: 0.0),
}
"""Rates of height 1 about the time a, of the width w, and their areas."""


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    names = [name for name in PULSES if name != "every_day"]
    rates: dict[str, str | Expr] = {name: Symbol("k") * parsed(name) for name in names}
    return build(equations(rates, [0.0] * len(rates), parameters=["a", "w", "k"]))


def parsed(name: str) -> Expr:
    rate = PULSES[name][0]
    return equations({"x": rate}, [0.0]).rhs[0] if isinstance(rate, str) else rate


WIDTHS = [1e-3, 0.3, 1e-5, 1e-3]
MEMBERS = np.array([[a, w, 1 / w] for a, w in zip([5.37, 60.0, 5.37, 111.1], WIDTHS, strict=True)])


@pytest.mark.parametrize("method", [DOPRI5, DOP853, RODAS5P], ids=lambda method: method.name)
def test_each_pulse_leaves_its_area_behind_whatever_the_member(kernel: CompiledKernel, method: Method) -> None:
    found = solve(kernel, MEMBERS, Schedule.empty(4), np.array([5.0, 182.0]), method=method)
    areas = [[PULSES[name][1](w) / w for name in kernel.states] for w in WIDTHS]
    np.testing.assert_allclose(found.values[:, 1], areas, rtol=2e-5)
    early = PULSES["two_steps"][1](0.0)  # all of them begin later
    np.testing.assert_allclose(found.values[:, 0], early, atol=1e-6)


def test_breaks_do_not_depend_on_how_long_it_is_solved(kernel: CompiledKernel) -> None:
    # Two windows that open and close within one part of the longest time are the limit; these are a day apart.
    wide = np.array([[5.37, 3.0, 1.0], [2.0, 0.2, 1.0]])
    owners, days = kernel.breaks(wide, 0.0, 8.0)
    for end in (8.5, 20.0, 182.0):
        more, later = kernel.breaks(wide, 0.0, end)
        for member in range(2):
            kept = later[more == member]
            assert kept[kept < 8.0].tolist() == days[owners == member].tolist()


def test_breaks_and_bits_of_a_member_are_its_own(kernel: CompiledKernel) -> None:
    times = np.array([5.0, 182.0])
    together = solve(kernel, MEMBERS, Schedule.empty(4), times)
    for member in range(4):
        alone = solve(kernel, MEMBERS[[member]], Schedule.empty(1), times)
        assert_same_bits(member_of(together, [member]), member_of(alone, [0]))
    owners, days = kernel.breaks(np.repeat(MEMBERS, 70, axis=0), 0.0, 182.0)
    for member in range(4):
        assert np.array_equal(days[owners == 70 * member + 69], kernel.breaks(MEMBERS[[member]], 0.0, 182.0)[1])


def test_a_train_of_pulses_is_given_whole() -> None:
    kernel = build(equations({"x": parsed("every_day")}, [0.0], parameters=["a", "w"]))
    found = solve(kernel, np.array([[0.4, 0.01]]), Schedule.empty(1), np.array([30.0]), tolerance=Tolerance(1e-8))
    t = np.linspace(-0.05, 0.05, 20001)
    one = np.exp(5000 * (np.cos(2 * np.pi * t) - 1)).sum() * (t[1] - t[0])
    assert found.values[0, 0, 0] == pytest.approx(30 * one, rel=1e-5)


def test_kinks_are_where_a_hand_finds_them() -> None:
    kernel = build(equations({"x": "-x*min(max((t - a)/w, 0), 1) + abs(t - 7)"}, [1.0], parameters=["a", "w"]))
    owners, days = kernel.breaks(np.array([[2.0, 0.5], [3.0, 9.0]]), 0.0, 10.0)
    np.testing.assert_allclose(days[owners == 0], [2.0, 2.5, 7.0], rtol=1e-12)
    np.testing.assert_allclose(days[owners == 1], [3.0, 7.0], rtol=1e-12)


def test_a_model_without_time_of_its_own_has_no_breaks_and_one_with_a_slow_one_pays_little() -> None:
    still = build(equations({"x": "-k*x*abs(x - 1)"}, [2.0], parameters=["k"]))
    assert still.clock is None
    slow = build(equations({"x": "exp(-k*t)*(1 + t)/(2 + t**2) - x"}, [2.0], parameters=["k"]))
    assert len(slow.breaks(np.array([[0.1]]), 0.0, 10.0)[1]) <= 12


def test_a_series_is_refused_for_a_pulse_which_it_cannot_see_from_afar() -> None:
    kernel = build(equations({"x": "exp(-((t - a)/w)**2)"}, [0.0], parameters=["a", "w"]))
    with pytest.raises(InputError) as caught:
        solve(kernel, MEMBERS[:1, :2], Schedule.empty(1), np.array([10.0]), method=TAYLOR)
    assert str(caught.value) == (
        "error[kernel.not-smooth]: the model has a pulse in time, whose Taylor series is nothing from afar\n"
        "  found:    exp(-(-a + t)**2/w**2)\n"
        "  expected: sums, products, quotients, whole powers up to 16, exp, log, sin and cos\n"
        "  try:      choose a Runge-Kutta method, such as Dormand-Prince"
    )


def test_derivatives_see_the_pulse_too() -> None:
    system = equations({"x": "k*exp(-((t - a)/w)**2)"}, [0.0], parameters=["a", "w", "k"])
    found = solve_sensitivities(system, MEMBERS[:1], Schedule.empty(1), np.array([10.0]), of=["w", "k"])
    area = math.sqrt(math.pi)
    np.testing.assert_allclose(found.derivative("x", "w")[0, 0], 1e3 * area, rtol=1e-4)
    np.testing.assert_allclose(found.derivative("x", "k")[0, 0], 1e-3 * area, rtol=1e-4)


BESIDE_STATES: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "x": ("exp(-((t - a)/w)**2 - 2*x)/w", lambda a, w: math.log(1 + 2 * math.sqrt(math.pi) * math.exp(-2)) / 2),
    "common": ("exp(-((t - a)**2 + w**2*y)/w**2)/w", lambda a, w: math.sqrt(math.pi) * math.exp(-2)),
    "times": ("exp(-y*((t - a)/w)**2)/w", lambda a, w: math.sqrt(math.pi / 2)),
    "hyperbolic": ("(1 - tanh((t - a)/w + y)**2)/w", lambda a, w: 2.0),
    "steps": ("1/(1 + exp((a - t)/w + y))/(1 + exp((t - a)/w + y))/w", lambda a, w: 4 / (math.exp(4) - 1)),
    "tent": ("max(0, 1 - abs((t - a)/w) - y/4)/w", lambda a, w: 0.25),
    "power": (
        "1/(y + ((t - a)/w)**2)/w",
        lambda a, w: (math.atan((182 - a) / w / math.sqrt(2)) + math.atan(a / w / math.sqrt(2))) / math.sqrt(2),
    ),
    "base": ("y**(-((t - a)/w)**2)/w", lambda a, w: math.sqrt(math.pi / math.log(2))),
}
"""Pulses in whose arguments a state stands beside time, and their areas where y is 2 and x begins at 1."""


def test_a_pulse_is_found_where_a_state_stands_in_its_argument_too() -> None:
    rates = {name: rate for name, (rate, _) in BESIDE_STATES.items()}
    system = equations({**rates, "y": "0"}, [1.0] * len(rates) + [2.0], parameters=["a", "w"])
    kernel = build(system)
    members = np.array([[5.37, 1e-3], [60.0, 0.1], [111.1, 1e-5]])
    for method in (DOPRI5, RODAS5P):
        found = solve(kernel, members, Schedule.empty(3), np.array([182.0]), method=method, tolerance=Tolerance(1e-8))
        areas = [[area(a, w) for _, area in BESIDE_STATES.values()] for a, w in members]
        np.testing.assert_allclose(found.values[:, 0, :-1] - 1.0, areas, rtol=2e-5)
    with pytest.raises(InputError, match="a pulse in time"):
        solve(kernel, members, Schedule.empty(3), np.array([182.0]), method=TAYLOR)


PULSE_OF_STATE = equations({"x": "exp(-((y - c)/w)**2)", "y": "1"}, [0.0, 0.0], parameters=["c", "w"])


def test_what_nobody_can_find_is_bounded_or_named() -> None:
    kernel = build(PULSE_OF_STATE)
    area, members, none = math.sqrt(math.pi) * 0.01, np.array([[5.37, 0.01]]), Schedule.empty(1)

    def found(schedule: Schedule = none, **settings: float | list[float]) -> float:
        return float(solve(kernel, members, schedule, np.array([10.0]), **settings).values[0, 0, 0])  # type: ignore[arg-type]

    assert found() == 0.0
    assert found(max_step=0.005) == pytest.approx(area, rel=1e-4)
    assert found(breaks=[5.37]) == pytest.approx(area, rel=1e-4)
    assert found(Schedule.from_rows([[(5.37, StopKind.BREAK, 0, 0.0)]])) == found(breaks=[5.37])


def test_steps_are_no_longer_than_the_longest_step() -> None:
    kernel = build(equations({"x": "-x"}, [1.0]))
    for method in (DOPRI5, TAYLOR, RODAS5P):
        found = solve(
            kernel, np.zeros((1, 0)), Schedule.empty(1), np.array([20.0]), method=method, max_step=0.1,
            tolerance=Tolerance(1e-4),
        )  # fmt: skip
        assert 200 <= found.counters[0, 0] <= 212


@pytest.mark.parametrize("longest", [0.0, -1.0, math.nan])
def test_a_longest_step_that_is_none_is_refused(longest: float) -> None:
    kernel = build(equations({"x": "-x"}, [1.0]))
    with pytest.raises(InputError) as caught:
        solve(kernel, np.zeros((1, 0)), Schedule.empty(1), np.array([1.0]), max_step=longest)
    assert str(caught.value) == (
        f"error[solver.max-step]: max_step is {longest!r}\n  found:    {longest!r}\n  expected: a time above 0, in days"
    )


def test_a_break_that_is_no_time_is_refused() -> None:
    kernel = build(equations({"x": "-x"}, [1.0]))
    with pytest.raises(InputError) as caught:
        solve(kernel, np.zeros((1, 0)), Schedule.empty(1), np.array([1.0]), breaks=[0.5, math.nan])
    assert str(caught.value) == (
        "error[solver.breaks]: a break is not finite\n  found:    [0.5, nan]\n  expected: finite times, in days"
    )
