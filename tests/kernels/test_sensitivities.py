"""Derivatives of solutions against closed forms and complex steps."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy

from simulate.biology.hypotheses import hypothesis_named
from simulate.errors import InputError
from simulate.kernels.sensitivities import Direction, Sensitivities, solve_sensitivities
from simulate.kernels.system import System, equations, infusion, lower
from simulate.solver import (
    DOPRI5,
    METHODS,
    RODAS5P,
    TAYLOR,
    FloatArray,
    Method,
    Schedule,
    Status,
    StopKind,
    Tolerance,
)
from simulate.solver.layout import CAPACITY
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.complex_step import complex_step
from tests.helpers.models import reference_model
from tests.helpers.systems import with_route

TIGHT = Tolerance(1e-11)
TIMES = np.array([0.0, 0.3, 1.0, 2.5, 7.0])

STEADY_STEPS = [method for method in METHODS if not method.series]
methods = pytest.mark.parametrize("method", STEADY_STEPS, ids=lambda method: method.name)

DECAY = equations({"x": "-k * x"}, ["a / k"], parameters=["k", "a"], observables={"square": "k * x**2", "clock": "t"})

# The toggle switch with feedback by a power whose exponent is a parameter, and a baseline that depends on parameters.
CIRCUIT = equations(
    {"u": "a / (1 + v**n) - u", "v": "a / (1 + u**2) - b * v", "w": "exp(-u) * v - w / (c + w)"},
    ["1 / 2", "a / b", "c * a"],
    parameters=["a", "b", "c", "n"],
    observables={"total": "u + v * w", "share": "u / (u + v)"},
)
CIRCUIT_VALUES = np.array([1.7, 0.8, 0.6, 2.3])


def dosed() -> System:
    """One compartment with absorption: a dose puts F times its amount into the depot; the concentration is observed."""
    system = equations(
        {"depot": "-ka * depot", "central": "ka * depot - CL / V * central"},
        [0.0, 0.0],
        parameters=["ka", "CL", "V", "F"],
        observables={"concentration": "central / V"},
    )
    bioavailability = sympy.Symbol("F")
    return replace(
        system,
        rhs=(system.rhs[0] + bioavailability * infusion("sc"), system.rhs[1]),
        routes=("sc",),
        route_targets=(0,),
        gains=(bioavailability,),
    )


@methods
def test_decay_has_its_known_derivatives(method: Method) -> None:
    k, a = 0.7, 3.0
    found = solve_sensitivities(
        DECAY, np.array([[k, a]]), Schedule.empty(1), TIMES, initial=["x"], method=method, tolerance=TIGHT
    )
    assert found.directions == ("k", "a", "x(0)")
    x, fading = a / k * np.exp(-k * TIMES), np.exp(-k * TIMES)
    by_k = -(TIMES + 1 / k) * x
    expected = {
        "x": (by_k, fading / k, fading),
        "square": (x**2 + 2 * k * x * by_k, 2 * x * fading, 2 * k * x * fading),
        "clock": (0 * x, 0 * x, 0 * x),
    }
    np.testing.assert_allclose(found.trajectories.quantity("x")[0], x, rtol=1e-9)
    for quantity, slopes in expected.items():
        for direction, slope in zip(found.directions, slopes, strict=True):
            np.testing.assert_allclose(found.derivative(quantity, direction)[0], slope, rtol=1e-8, atol=1e-12)


@methods
def test_concentration_after_doses_and_an_infusion_has_the_derivatives_of_its_closed_form(method: Method) -> None:
    ka, cl, v, f, t = sympy.symbols("ka CL V F t", positive=True)
    after_dose = f * ka / (ka - cl / v) * (sympy.exp(-cl / v * t) - sympy.exp(-ka * t)) / v
    # An infusion from 0 to 1, seen after its end.
    s = sympy.Symbol("s", positive=True)
    after_infusion = sympy.integrate(sympy.expand(after_dose.subs(t, t - s)), (s, 0, 1))
    doses = ((0.0, 100.0), (0.0, 20.0), (1.5, 50.0))
    rows = [(time, StopKind.BOLUS, 0, amount) for time, amount in doses]
    rows += [(0.0, StopKind.RATE, 0, 30.0), (1.0, StopKind.RATE, 0, -30.0)]
    values = {ka: 2.1, cl: 0.9, v: 3.0, f: 0.6}
    times = np.array([1.0, 1.25, 2.0, 4.0])
    found = solve_sensitivities(
        dosed(), np.array([list(values.values())]), Schedule.from_rows([rows]), times, method=method, tolerance=TIGHT
    )
    for symbol in values:
        expected = []
        for time in times:
            parts = [
                amount * sympy.diff(after_dose, symbol).subs(t, time - start) for start, amount in doses if time > start
            ]
            parts.append(30 * sympy.diff(after_infusion, symbol).subs(t, time))
            expected.append(float(sympy.Add(*parts).subs(values)))
        np.testing.assert_allclose(found.derivative("concentration", symbol.name)[0], expected, rtol=1e-8)


@methods
def test_a_nonlinear_system_has_the_derivatives_of_complex_steps(method: Method) -> None:
    found = solve_sensitivities(
        CIRCUIT,
        CIRCUIT_VALUES[None],
        Schedule.empty(1),
        TIMES,
        initial=["u", "w"],
        together=4,
        method=method,
        tolerance=TIGHT,
    )
    for index, name in enumerate(found.directions):
        weights = np.zeros(4)
        state = None
        if index < 4:
            weights[index] = 1.0
        else:
            state = CIRCUIT.states.index(name[0])
        values, slopes = complex_step(CIRCUIT, CIRCUIT_VALUES, [], TIMES, weights, state=state)
        np.testing.assert_allclose(found.trajectories.values[0], values, rtol=1e-9)
        np.testing.assert_allclose(found.values[0, :, :, index], slopes, rtol=1e-8, atol=1e-10)


def test_the_error_of_the_derivatives_falls_with_the_tolerance() -> None:
    weights = np.array([0.0, 1.0, 0.0, 0.0])
    _, exact = complex_step(CIRCUIT, CIRCUIT_VALUES, [], TIMES, weights)
    errors = []
    for rtol in (1e-5, 1e-7, 1e-9):
        found = solve_sensitivities(
            CIRCUIT, CIRCUIT_VALUES[None], Schedule.empty(1), TIMES, of=["b"], tolerance=Tolerance(rtol)
        )
        errors.append(float(np.abs(found.values[0, :, :, 0] - exact).max()))
        assert errors[-1] < 20 * rtol
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_each_state_may_have_an_absolute_tolerance_of_its_own() -> None:
    tolerance = Tolerance(1e-9)
    found = solve_sensitivities(CIRCUIT, CIRCUIT_VALUES[None], Schedule.empty(1), TIMES, of=["b"], tolerance=tolerance)
    _, exact = complex_step(CIRCUIT, CIRCUIT_VALUES, [], TIMES, np.array([0.0, 1.0, 0.0, 0.0]))
    np.testing.assert_allclose(found.values[0, :, :, 0], exact, rtol=1e-6, atol=1e-8)


DAYS = 6
STOPS = [
    *((float(day), StopKind.BOLUS, 0, 100.0) for day in range(DAYS) if day != 3),
    (2.25, StopKind.RATE, 0, 40.0),
    (3.0, StopKind.RATE, 0, -40.0),
]
DAILY = np.linspace(0.0, DAYS, 13)
CHOSEN = ("CL", "F", "CD4", "K_Ra")


@cache
def patients() -> tuple[System, FloatArray]:
    """The reference model under three hypotheses, and patients who differ."""
    model = reference_model(hypothesis_named("H1+H3a+H4"))
    nominal = np.array([parameter.value for parameter in model.parameters])
    varied = np.array([parameter.name in {"CL", "V", "k_a", "K_Ra", "d_E"} for parameter in model.parameters])
    factors = np.exp(0.2 * np.random.default_rng(11).standard_normal((19, len(nominal))))
    return lower(model), np.where(varied, nominal * factors, nominal)


@cache
def chosen(together: int, threads: int = 2) -> Sensitivities:
    system, parameters = patients()
    schedule = Schedule.from_rows([STOPS] * len(parameters))
    return solve_sensitivities(
        system,
        parameters,
        schedule,
        DAILY,
        of=CHOSEN,
        together=together,
        tolerance=Tolerance(1e-9),
        threads=threads,
    )


def test_the_reference_model_has_the_derivatives_of_complex_steps() -> None:
    system, parameters = patients()
    found = chosen(2)
    for name in CHOSEN:
        weights = np.zeros(len(system.parameters))
        weights[system.parameters.index(name)] = scale = parameters[4, system.parameters.index(name)]
        values, slopes = complex_step(system, parameters[4], sorted(STOPS), DAILY, weights)
        largest = np.abs(values).max(axis=0)
        error = found.values[4, :, :, CHOSEN.index(name)] * scale - slopes
        assert np.abs(error / largest).max() < 1e-6


def test_all_parameters_of_the_reference_model_count_in_a_joint_direction() -> None:
    # One derivative along a direction in which every parameter moves is wrong if that to any of them is.
    system, parameters = patients()
    shares = np.random.default_rng(5).uniform(0.5, 1.5, len(system.parameters))
    weights = tuple(
        (name, sympy.Symbol(name) * sympy.Float(share)) for name, share in zip(system.parameters, shares, strict=True)
    )
    found = solve_sensitivities(
        system,
        parameters[:1],
        Schedule.from_rows([STOPS]),
        DAILY,
        of=[Direction("all", weights)],
        tolerance=Tolerance(1e-10),
    )
    values, slopes = complex_step(system, parameters[0], sorted(STOPS), DAILY, parameters[0] * shares)
    error = (found.values[0, :, :, 0] - slopes) / np.abs(values).max(axis=0)
    assert np.abs(error).max() < 1e-7


def test_the_solution_has_the_same_bits_whatever_is_solved_together() -> None:
    system, parameters = patients()
    pairs, alone = chosen(2), chosen(4)
    assert_same_bits(pairs.trajectories, alone.trajectories)
    # Derivatives agree to rounding, in units of the quantity.
    scale = np.array([parameters[:, system.parameters.index(name)].max() for name in CHOSEN])
    size = np.abs(pairs.trajectories.values).max(axis=(0, 1))
    assert (np.abs(pairs.values - alone.values).max(axis=(0, 1)) * scale < 1e-10 * size[:, None]).all()


@pytest.mark.parametrize(
    ("starts", "observables"),
    [
        ([1, 0.5], {"o1": "x*y + c", "o2": "x*y**2/2 + a", "o3": "x**2*y*b/2 - c"}),
        (["a*b + c", "a*b**2/2 + c*c"], {"o1": "x*y + c"}),
    ],
)
def test_products_that_derivatives_repeat_change_no_bit_of_the_solution(
    starts: list[str | float], observables: dict[str, str]
) -> None:
    # In `x*y + c` the product is fused with the sum, unless a derivative of another observable shares it.
    rates = {"x": "-a*x + b*y", "y": "a*x - b*y*y"}
    system = equations(rates, starts, parameters=["a", "b", "c"], observables=observables)
    parameters = np.random.default_rng(9).uniform(0.5, 2.0, (40, 3))
    schedule, times = Schedule.empty(40), np.linspace(0.0, 2.0, 3)
    ways = [["a"], ["b"], ["c"], ["a", "b"], ["a", "b", "c"]]
    first, *others = (solve_sensitivities(system, parameters, schedule, times, of=way).trajectories for way in ways)
    for other in others:
        assert_same_bits(first, other)
    initial = solve_sensitivities(system, parameters, schedule, times, of=[], initial=["x"]).trajectories
    assert_same_bits(first, initial)


def test_derivatives_have_the_same_bits_whatever_the_batch_its_order_and_the_threads() -> None:
    system, parameters = patients()
    whole = chosen(2)
    single = chosen(2, threads=1)
    np.testing.assert_array_equal(whole.values.view(np.uint64), single.values.view(np.uint64))
    members = [12, 3, 18]
    part = solve_sensitivities(
        system,
        parameters[members],
        Schedule.from_rows([STOPS] * 3),
        DAILY,
        of=CHOSEN,
        together=2,
        tolerance=Tolerance(1e-9),
    )
    assert_same_bits(member_of(whole.trajectories, members), part.trajectories)
    np.testing.assert_array_equal(whole.values[members].view(np.uint64), part.values.view(np.uint64))


def test_a_stiff_method_and_an_explicit_one_agree_on_doses_and_infusions() -> None:
    system = with_route(CIRCUIT)
    schedule = Schedule.from_rows([[(0.5, StopKind.BOLUS, 0, 0.4), (1.0, StopKind.RATE, 0, 0.3)]])
    explicit, stiff = (
        solve_sensitivities(system, CIRCUIT_VALUES[None], schedule, TIMES, method=method, tolerance=TIGHT)
        for method in (None, RODAS5P)
    )
    np.testing.assert_allclose(explicit.values, stiff.values, rtol=1e-7, atol=1e-9)


def test_a_stiff_method_goes_through_a_maximum_within_an_exponential() -> None:
    # Which is no switch: beyond the kink the exponential must not go on as it was.
    system = equations({"x": "a", "y": "exp(-max(x, c))"}, [0, 0], parameters=["a", "c"])
    explicit, stiff = (
        solve_sensitivities(
            system, np.array([[0.5, 0.5]]), Schedule.empty(1), np.array([0.0, 3.0]), method=method, tolerance=TIGHT
        )
        for method in (None, RODAS5P)
    )
    # x passes c at 1, and c matters until then.
    for found in (explicit, stiff):
        np.testing.assert_allclose(found.derivative("y", "c")[0, 1], -np.exp(-0.5), rtol=1e-3)


def test_what_a_direction_never_reaches_stands_still() -> None:
    system, parameters = patients()
    found = solve_sensitivities(
        system, parameters[:1], Schedule.from_rows([STOPS]), DAILY, of=["k_CK"], initial=["A_c"]
    )
    moved = np.abs(found.values[0, :, : len(system.states)]).max(axis=0) > 0.0
    # The clearance of CK moves CK alone; drug in the circulation neither what feeds it nor what it does not act on.
    assert [name for name, moves in zip(system.states, moved[:, 0], strict=True) if moves] == ["CK"]
    assert [name for name, moves in zip(system.states, moved[:, 1], strict=True) if not moves] == ["N", "A", "A_d"]


def test_a_direction_of_relative_changes_is_the_derivative_to_a_logarithm() -> None:
    k = sympy.Symbol("k")
    found = solve_sensitivities(
        DECAY, np.array([[0.7, 3.0]]), Schedule.empty(1), TIMES, of=["k", Direction("log k", (("k", k),))]
    )
    np.testing.assert_allclose(found.derivative("x", "log k"), 0.7 * found.derivative("x", "k"), rtol=1e-12)


def test_the_exponent_of_a_power_of_nothing_has_a_derivative() -> None:
    # SymPy writes x**n * log(x), which is undefined at x = 0.
    system = equations(
        {"x": "1 - x", "y": "hill(x, k, n) - y"}, [0.0, 0.0], parameters=["k", "n"], observables={"z": "x**n"}
    )
    # A stiff method needs second derivatives too, so an exponent above 2.
    for method, n in ((DOPRI5, 1.7), (DOPRI5, 2.3), (RODAS5P, 2.3)):
        found = solve_sensitivities(
            system, np.array([[0.5, n]]), Schedule.empty(1), TIMES, method=method, tolerance=TIGHT
        )
        x = 1 - np.exp(-TIMES)
        np.testing.assert_allclose(found.derivative("z", "n")[0, 1:], (x[1:] ** n * np.log(x[1:])), rtol=1e-8)
        assert found.derivative("z", "n")[0, 0] == 0.0
        assert np.isfinite(found.values).all()


def test_a_derivative_that_does_not_exist_is_no_failure_of_the_solution() -> None:
    system = equations({"x": "1 - x"}, [0.0], observables={"root": "sqrt(x)"})
    found = solve_sensitivities(system, np.empty((1, 0)), Schedule.empty(1), TIMES, initial=["x"])
    assert found.trajectories.status.tolist() == [Status.OK]
    assert not np.isfinite(found.derivative("root", "x(0)")[0, 0])
    assert np.isfinite(found.derivative("root", "x(0)")[0, 1:]).all()


def test_a_failing_member_has_no_derivatives_and_changes_no_bit_of_the_others() -> None:
    system = equations({"x": "-k * x + blow * x**2"}, ["1"], parameters=["k", "blow"])
    parameters = np.array([[0.5, 0.0], [0.5, 3.0], [0.9, 0.1]])
    found = solve_sensitivities(system, parameters, Schedule.empty(3), TIMES)
    others = solve_sensitivities(system, parameters[[0, 2]], Schedule.empty(2), TIMES)
    assert [failure.member for failure in found.trajectories.failures] == [1]
    assert np.isnan(found.values[1, -1]).all()
    np.testing.assert_array_equal(found.values[[0, 2]].view(np.uint64), others.values.view(np.uint64))


@pytest.mark.parametrize(
    ("of", "initial", "message"),
    [
        (["kk"], [], "the system has no parameter `kk`"),
        (["k"], ["k"], "the system has no state `k`"),
        (["k", "k"], [], "the sensitivity to `k` is asked for twice"),
        ([], [], "no parameter or initial value is given to differentiate by"),
    ],
)
def test_what_cannot_be_varied_is_refused(of: list[str], initial: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        solve_sensitivities(DECAY, np.array([[0.7, 3.0]]), Schedule.empty(1), TIMES, of=of, initial=initial)
    assert caught.value.what == message


def test_taylor_series_are_refused_with_advice() -> None:
    with pytest.raises(InputError) as caught:
        solve_sensitivities(DECAY, np.array([[0.7, 3.0]]), Schedule.empty(1), TIMES, method=TAYLOR)
    assert str(caught.value) == (
        "error[sensitivities.method]: sensitivities cannot be solved with Taylor series\n"
        "  found:    Taylor 8\n"
        "  expected: a method whose steps the sensitivities do not change\n"
        "  try:      leave the method out: Dormand-Prince 5(4) is taken"
    )


def test_a_system_without_room_for_a_direction_is_refused() -> None:
    n = CAPACITY // 2 + 1
    system = equations({f"x{index}": f"-x{index}" for index in range(n)}, [1.0] * n)
    with pytest.raises(InputError, match=f"a system of {n} states and 0 observables is too large for sensitivities"):
        solve_sensitivities(system, np.empty((1, 0)), Schedule.empty(1), TIMES, initial=["x0"])
