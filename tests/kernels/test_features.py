"""What is narrow around a time that a state says is found, however narrow, and no step passes over it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from sympy import Symbol

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.features import centers_and_edges, kinks_as_switches
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import equations
from simulate.solver import DOPRI5, RODAS5P, TAYLOR, Method, Schedule, Status, Tolerance, solve
from tests.helpers.bits import assert_same_bits, member_of

PULSES: dict[str, tuple[str, Callable[[float], float]]] = {
    "gauss": ("exp(-((t - c)/w)**2)", lambda w: math.sqrt(math.pi) * w),
    "nothing_at_its_center": ("((t - c)/w)**2*exp(-((t - c)/w)**2)", lambda w: math.sqrt(math.pi) / 2 * w),
    "power_of_two": ("2**(-((t - c)/w)**2)", lambda w: math.sqrt(math.pi / math.log(2)) * w),
    "laplace": ("exp(-abs((t - c)/w))", lambda w: 2 * w),
    "window": ("min(max((t - c)/(w/1000), 0), 1)*min(max((c + w - t)/(w/1000), 0), 1)", lambda w: w * 0.999),
    "tent": ("max(0, 1 - abs((t - c)/w))", lambda w: w),
    "parabola": ("max(0, 1 - ((t - c)/w)**2)", lambda w: w * 4 / 3),
    "two_steps": ("1/(1 + exp((c - t)/(w/100)))/(1 + exp((t - c - w)/(w/100)))", lambda w: w),
    "hyperbolic": ("1 - tanh((t - c)/w)**2", lambda w: 2 * w),
    "twice": ("max(0, 1 - abs(abs(t - c - 1) - 1)/w)", lambda w: 2 * w),
    "piece": ("piecewise(1, (t - c)**2 < w**2, 0)", lambda w: 2 * w),
}
"""Rates of height 1 about the time c, of the width w, and their areas."""
SPEEDS = {"still": 0.0, "moving": 0.25}
WIDTHS = [0.3, 1e-2, 1e-3, 1e-6]
END = 40.0


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    """Pulses around a state that begins at 5.37 and rises by v a day."""
    rates = {name: f"k*({rate})" for name, (rate, _) in PULSES.items()}
    return build(equations({**rates, "c": "v"}, [0.0] * len(rates) + [5.37], parameters=["w", "k", "v"]))


def members(speed: float) -> np.ndarray:
    return np.array([[w, 1 / w, speed] for w in WIDTHS])


@pytest.mark.parametrize("method", [DOPRI5, RODAS5P], ids=lambda method: method.name)
@pytest.mark.parametrize("speed", SPEEDS.values(), ids=SPEEDS)
def test_each_pulse_leaves_its_area_behind(kernel: CompiledKernel, method: Method, speed: float) -> None:
    found = solve(kernel, members(speed), Schedule.empty(4), np.array([END]), method=method, tolerance=Tolerance(1e-7))
    assert (found.status == Status.OK).all()
    # The time from edge to edge is longer where the center runs along.
    areas = np.array([[area(w) / w / (1.0 - speed) for _, area in PULSES.values()] for w in WIDTHS])
    np.testing.assert_allclose(found.values[:, 0, :-1], areas, rtol=2e-5)


def test_bits_of_a_member_are_its_own(kernel: CompiledKernel) -> None:
    times = np.array([5.0, END])
    together = solve(kernel, members(0.25), Schedule.empty(4), times)
    for member in range(4):
        alone = solve(kernel, members(0.25)[[member]], Schedule.empty(1), times)
        assert_same_bits(member_of(together, [member]), member_of(alone, [0]))


def test_a_power_law_is_found_and_its_tails_are_seen() -> None:
    # The integral of 1/(1 + u**2) is arctan u.
    kernel = build(equations({"x": "1/(1 + ((t - c)/w)**2)/w", "c": "0"}, [0.0, 5.37], parameters=["w"]))
    widths = np.array([[0.1], [1e-3], [1e-6]])
    found = solve(kernel, widths, Schedule.empty(3), np.array([20.0]), tolerance=Tolerance(1e-7)).values[:, 0, 0]
    exact = np.arctan((20.0 - 5.37) / widths[:, 0]) + np.arctan(5.37 / widths[:, 0])
    np.testing.assert_allclose(found, exact, rtol=1e-5)


def test_a_saturating_power_switches_where_a_state_says() -> None:
    # A window between two Hill functions of time: c to 2 c, steep.
    rate = "(t/c)**n/(1 + (t/c)**n)*(2*c)**n/((2*c)**n + t**n)"
    kernel = build(equations({"x": rate, "c": "0"}, [0.0, 0.01], parameters=["n"]))
    found = solve(kernel, np.array([[200.0], [2000.0]]), Schedule.empty(2), np.array([30.0]))
    assert (found.status == Status.OK).all()
    np.testing.assert_allclose(found.values[:, 0, 0], 0.01, rtol=2e-3)


@pytest.mark.parametrize(
    "rate",
    [
        "V*x*(1 + cos(t))/(K + x*(1 + cos(t)))",
        "V/(K + x*(1 + cos(t)/2))",
        "(x*(1 + cos(t)/2))**1.5",
        "exp(-x*cos(t))",
        "max(0, x*cos(t))",
        "x**1.5*exp(-k*t)",
    ],
)
def test_a_state_that_time_modulates_places_nothing(rate: str) -> None:
    rates = equations({"x": rate}, [1.0], parameters=["V", "K", "k"]).rhs
    moving = {Symbol("t"), Symbol("x")}
    assert centers_and_edges(rates, moving) == ()
    assert kinks_as_switches(rates, moving) == rates


def test_a_place_in_time_that_parameters_say_costs_nothing_here() -> None:
    moving = {Symbol("t"), Symbol("x"), Symbol("y")}
    rates = equations(
        {"x": "exp(-((t - a)/w)**2 - 2*x)", "y": "max(0, 1 - abs((t - a)/w)) - max(x, y)"}, [0.0, 0.0],
        parameters=["a", "w"],
    ).rhs  # fmt: skip
    assert centers_and_edges(rates, moving) == ()
    assert kinks_as_switches(rates, moving) == rates


def test_derivatives_see_it_too() -> None:
    # The area of a tent of the height 1 is its width, wherever it stands; seen before its end it is what has passed.
    system = equations({"x": "max(0, 1 - abs((t - c)/w))", "c": "0"}, [0.0, 5.37], parameters=["w"])
    times = np.array([5.38, 10.0])
    found = solve_sensitivities(system, np.array([[0.1]]), Schedule.empty(1), times, of=["w"], initial=["c"])
    np.testing.assert_allclose(found.trajectories.quantity("x")[0], [0.05 + 0.01 - 0.0005, 0.1], rtol=1e-6)
    np.testing.assert_allclose(found.derivative("x", "w")[0], [0.5 + 0.01**2 / 0.02, 1.0], rtol=1e-6)
    np.testing.assert_allclose(found.derivative("x", "c(0)")[0], [-0.9, 0.0], atol=1e-6)


def test_series_are_refused_for_it() -> None:
    pulse = build(equations({"x": "exp(-((t - c)/w)**2)", "c": "0"}, [0.0, 5.37], parameters=["w"]))
    with pytest.raises(InputError, match="a pulse in time"):
        solve(pulse, np.array([[0.1]]), Schedule.empty(1), np.array([10.0]), method=TAYLOR)
