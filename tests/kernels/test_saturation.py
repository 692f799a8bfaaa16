"""Saturating terms, their derivatives and their solutions, against numbers with fifty digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from sympy import Symbol

from simulate.kernels import ratios
from simulate.kernels.build import build
from simulate.kernels.in_numpy import IN_NUMPY
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.saturation import in_ratios
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import equations
from simulate.kernels.vectorfield import inputs_of, vector_field
from simulate.solver import DOP853, DOPRI5, RODAS5P, Schedule, solve
from simulate.symbolic.expressions import parse_expression

TERMS = {
    "up": "hill(x, K, n)",
    "down": "K**n/(K**n + x**n)",
    "ratio": "(x/K)**n/(1 + (x/K)**n)",
    "inverse": "1/(1 + (x/K)**n)",
    "high": "hill(x, K, 200)",
    "shifted": "(x/K)**n/(1 + (x/K)**n + 1/1000)",
    "sigmoid": "1/(1 + exp(-n*(x - K)))",
    "turned": "exp(n*(x - K))/(1 + exp(n*(x - K)))",
    "boltzmann": "exp(n*x)/(exp(n*x) + exp(n*K))",
    "softplus": "log(1 + exp(n*(x - K)))/n",
    "product": "2*x*hill(x, K, n)/3",
    "window": "(x/K)**n/(1 + (x/K)**n)**2",
    "bell": "exp(n*(x - K))/(1 + exp(n*(x - K)))**2",
    "squared": "hill(x, K, n)**2",
    "cubed": "1/(1 + (x/K)**n)**3",
}
SYSTEM = equations(
    {name: f"k*({term})" for name, term in TERMS.items()},
    [0.0] * len(TERMS),
    parameters=["x", "K", "n", "k"],
    observables={f"value_{name}": term for name, term in TERMS.items()},
)
POINTS = np.array(
    [
        (x, half, n, 1.0)
        for x, half in [
            (50, 1),
            (1, 50),
            (2, 2),
            (1e-9, 3e-9),
            (3e-200, 2e-200),
            (4e250, 5e250),
            (0.7, 0.5),
            (1e-300, 1),
        ]
        for n in (0.5, 1, 2.5, 3, 80, 400)
    ]
)


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    return build(SYSTEM)


def exact(name: str, x: float, half: float, n: float) -> float:
    x, half, n = mpmath.mpf(x), mpmath.mpf(half), mpmath.mpf(n)
    u = n * (x - half)
    s = (x / half) ** (200 if name == "high" else n)
    value = {
        "down": lambda: 1 / (1 + s),
        "inverse": lambda: 1 / (1 + s),
        "shifted": lambda: s / (s + mpmath.mpf(1001) / 1000),
        "sigmoid": lambda: 1 / (1 + mpmath.exp(-u)),
        "turned": lambda: 1 / (1 + mpmath.exp(-u)),
        "boltzmann": lambda: 1 / (1 + mpmath.exp(-u)),
        "softplus": lambda: mpmath.log1p(mpmath.exp(u)) / n if u < 1000 else u / n,
        "product": lambda: 2 * x * s / (1 + s) / 3,
        "window": lambda: s / (1 + s) ** 2,
        "bell": lambda: mpmath.exp(u) / (1 + mpmath.exp(u)) ** 2,
        "squared": lambda: (s / (1 + s)) ** 2,
        "cubed": lambda: 1 / (1 + s) ** 3,
    }.get(name, lambda: s / (1 + s))()
    return float(value)


def test_no_term_overflows_on_the_way(kernel: CompiledKernel) -> None:
    found = solve(kernel, POINTS, Schedule.empty(len(POINTS)), np.array([0.0]))
    with mpmath.workdps(50):
        for name in TERMS:
            wanted = [exact(name, *point[:3]) for point in POINTS]
            # An exponent n*(x - K) has an error of its own, and so has log(1 + s) far below 0.
            rtol = 1e-9 if name in {"sigmoid", "turned", "boltzmann", "softplus", "bell"} else 1e-12
            np.testing.assert_allclose(
                found.quantity(f"value_{name}")[:, 0], wanted, rtol=rtol, atol=1e-300, err_msg=name
            )


@pytest.mark.parametrize("method", [DOPRI5, DOP853, RODAS5P], ids=lambda method: method.name)
def test_a_response_of_a_state_is_solved_from_nothing_to_far_beyond_its_middle(method: object) -> None:
    rates = {"x": "c", "r": "hill(x, K, n)", "i": "1/(1 + (x/K)**n)", "s": "1/(1 + exp(-n*(x/K - 1)))"}
    kernel = build(equations(rates, [0.0, 0.0, 0.0, 0.0], parameters=["c", "K", "n"]))
    members = np.array([(50.0, 1.0, 200.0), (5e-8, 1e-9, 0.5), (50.0, 1.0, 1.0), (3e3, 1.0, 40.0)])
    found = solve(kernel, members, Schedule.empty(4), np.array([0.0, 2.0]), method=method)  # type: ignore[arg-type]
    assert (found.status == 0).all()
    for (c, half, n), values in zip(members.tolist(), found.values[:, 1], strict=True):
        with mpmath.workdps(30):
            middle = [0, half / c * 0.5, half / c * 0.9, half / c, half / c * 1.1, half / c * 2, 2]
            area = mpmath.quad(lambda t, a=c / half, n=n: (a * t) ** n / (1 + (a * t) ** n), middle)
            sigmoid = mpmath.quad(lambda t, a=c / half, n=n: 1 / (1 + mpmath.exp(-n * (a * t - 1))), middle)
        np.testing.assert_allclose(values[1:], [float(area), 2 - float(area), float(sigmoid)], rtol=1e-5)


DIFFERENTIATED = ("up", "down", "ratio", "sigmoid", "softplus")
SMALL = equations(
    {"t": "1"}, [0.0], parameters=["x", "K", "n"], observables={name: TERMS[name] for name in DIFFERENTIATED}
)


def test_derivatives_to_each_argument_are_defined_where_terms_are() -> None:
    points = np.array([(50.0, 1.0, 200.0), (0.7, 0.5, 2.5), (1.0, 50.0, 400.0), (3.0, 2.0, 6.0)])
    found = solve_sensitivities(SMALL, points, Schedule.empty(4), np.array([0.0]), of=["x", "K", "n"])
    with mpmath.workdps(60):
        for name in DIFFERENTIATED:
            for place, direction in enumerate(("x", "K", "n")):
                wanted = []
                for point in points.tolist():
                    step = mpmath.mpf(10) ** -20
                    ends = []
                    for sign in (-1, 1):
                        moved = [mpmath.mpf(value) for value in point]
                        moved[place] += sign * step
                        ends.append(exact_number(name, *moved))
                    wanted.append(float((ends[1] - ends[0]) / (2 * step)))
                np.testing.assert_allclose(
                    found.derivative(name, direction)[:, 0],
                    wanted,
                    rtol=1e-9,
                    atol=1e-30,
                    err_msg=f"{name} {direction}",
                )


def exact_number(name: str, x: object, half: object, n: object) -> object:
    s, u = (x / half) ** n, n * (x - half)  # type: ignore[operator]
    if name == "softplus":
        return mpmath.log1p(mpmath.exp(u)) / n
    if name == "sigmoid":
        return 1 / (1 + mpmath.exp(-u))
    return 1 / (1 + s) if name == "down" else s / (1 + s)


def test_a_field_in_numpy_is_as_well_defined(kernel: CompiledKernel) -> None:
    field = vector_field(SYSTEM)
    inputs = inputs_of(SYSTEM, POINTS)
    rates = field.rates(np.zeros((len(POINTS), len(TERMS))), inputs)
    compiled = solve(kernel, POINTS, Schedule.empty(len(POINTS)), np.array([0.0])).values[:, 0, len(TERMS) :]
    np.testing.assert_allclose(rates, compiled, rtol=1e-12, atol=1e-300)


def test_ordinary_powers_are_left_as_they_are() -> None:
    for text in ("hill(x, K, 2)", "x/(K + x)", "x**4/(K + x**4)", "1/(1 + x/K)", "exp(-x)", "x**n", "1 + x**n"):
        expression = parse_expression(text)
        assert in_ratios([expression], {Symbol("x")}) == (expression,)


def test_functions_of_arrays_are_those_of_lanes() -> None:
    s, n = np.array([0.0, 0.3, 1.0, 7.0, np.inf]), 3.0
    for name in ("share", "weight", "weight_log"):
        more = (1.0,) if name != "share" else ()
        lanes = [getattr(ratios, name)(value, n, *more) for value in s]
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(IN_NUMPY[name](s, n, *more), lanes, rtol=1e-14)
    u = np.array([-800.0, -2.0, 0.0, 3.0, 800.0])
    for name in ("logistic", "softplus"):
        np.testing.assert_allclose(IN_NUMPY[name](u), [getattr(ratios, name)(v) for v in u], rtol=1e-14, atol=1e-300)
