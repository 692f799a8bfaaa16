"""Derivatives, as Taylor coefficients, against those that mpmath finds from closed forms."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy.polys.ring_series import rs_integrate, rs_mul, rs_series_inversion

from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver import FloatArray
from simulate.solver.layout import (
    ABSOLUTE,
    BEND,
    CONSTANTS,
    LANES,
    LAST_TERM,
    NOW,
    RELATIVE,
    RESULT,
    START,
    TERM_BEFORE,
    stage,
)
from simulate.symbolic.symbols import TIME

ORDER = 8


def workspace(
    rates: dict[str, str | sympy.Expr], first: list[float], time: float = 0.0, bend: float = 0.0
) -> FloatArray:
    """The workspace of a kernel whose series have been found."""
    kernel = build(equations(rates, first))
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)
    size = len(rates) * LANES
    w[START : START + size] = w[RESULT : RESULT + size]
    w[NOW : NOW + LANES] = time
    w[BEND : BEND + LANES] = bend
    w[ABSOLUTE : ABSOLUTE + size] = 1e-9
    w[RELATIVE : RELATIVE + LANES] = 1e-6
    kernel.jets(ORDER)(w)
    return w


def coefficients(
    rates: dict[str, str | sympy.Expr], first: list[float], time: float = 0.0, bend: float = 0.0
) -> FloatArray:
    """Shape [state, order]; every lane must give the same."""
    w, size = workspace(rates, first, time, bend), len(rates) * LANES
    found = np.array([w[stage(k) : stage(k) + size].reshape(-1, LANES) for k in range(ORDER)])
    assert (found == found[:, :, :1]).all()
    return found[:, :, 0].T / [math.factorial(k) for k in range(1, ORDER + 1)]


@pytest.mark.parametrize(
    ("rate", "first", "time", "solution"),
    [
        ("-3 * y", 2.0, 0.0, lambda t: 2 * mpmath.exp(-3 * t)),
        ("y * (1 - y)", 0.25, 0.0, lambda t: 1 / (1 + 3 * mpmath.exp(-t))),
        ("y**2", 0.5, 0.0, lambda t: 1 / (2 - t)),
        ("-y**3 / 2", 1.0, 0.0, lambda t: 1 / mpmath.sqrt(1 + t)),
        ("1 / y", 2.0, 0.0, lambda t: mpmath.sqrt(4 + 2 * t)),
        ("y / (1 + t)", 1.5, 0.5, lambda t: 1 + t),
        ("exp(-y)", 0.0, 0.0, lambda t: mpmath.log(1 + t)),
        ("y * log(y)", 2.0, 0.0, lambda t: mpmath.exp(mpmath.log(2) * mpmath.exp(t))),
        (sympy.sin(TIME) * sympy.Symbol("y"), 1.0, 0.0, lambda t: mpmath.exp(1 - mpmath.cos(t))),
        (sympy.cos(2 * TIME), 0.3, 0.1, lambda t: 0.3 + (mpmath.sin(2 * t) - mpmath.sin(0.2)) / 2),
        ("t**2 / (1 + t)", 0.0, 1.0, lambda t: (t**2 - 1) / 2 - (t - 1) + mpmath.log((1 + t) / 2)),
    ],
)
def test_the_coefficients_are_those_of_the_solution(
    rate: str | sympy.Expr, first: float, time: float, solution: Callable[[object], object]
) -> None:
    with mpmath.workdps(40):
        exact = [float(value) for value in mpmath.taylor(solution, time, ORDER)]
    assert exact[0] == pytest.approx(first, abs=1e-12)
    np.testing.assert_allclose(coefficients({"y": rate}, [first], time)[0], exact[1:], rtol=1e-13, atol=1e-14)


def test_in_bent_time_the_coefficients_are_those_of_the_solution_there() -> None:
    bend, time = 0.7, 0.5
    rate = sympy.sin(TIME) * sympy.Symbol("y") / (1 + sympy.Symbol("y")) + TIME
    plain = coefficients({"y": rate}, [1.5], time)[0]
    with mpmath.workdps(40):
        powers = [1.5, *plain]
        bent = mpmath.taylor(lambda s: mpmath.polyval(powers[::-1], s + mpmath.mpf(bend) * s * s / 2), 0, ORDER)
    found = coefficients({"y": rate}, [1.5], time, bend)[0]
    np.testing.assert_allclose(found, [float(value) for value in bent[1:]], rtol=1e-12)


def test_nested_saturation_has_the_coefficients_of_its_plain_form() -> None:
    # The inner quotient is 1/(1 + x), the whole 2/(2.5 + 0.5 x) after it is written as one quotient.
    nested = coefficients({"x": "-x", "y": "2 / (1 + x) / (0.5 + 2 / (1 + x))"}, [1.0, 0.0])
    plain = coefficients({"x": "-x", "y": "2 / (0.5 * (1 + x) + 2)"}, [1.0, 0.0])
    np.testing.assert_allclose(nested, plain, rtol=1e-13)


def exact_coefficients(rates: dict[str, str], first: list[float]) -> FloatArray:
    """Coefficients [state, order] by Picard's iteration in fractions, with SymPy's own arithmetic of power series."""
    series, t = sympy.ring("t", sympy.QQ)
    symbols = sympy.symbols(list(rates))

    def value(expression: sympy.Expr, known: dict[sympy.Expr, Any]) -> Any:
        if expression in known:
            return known[expression]
        if expression.is_Rational:
            return series(sympy.QQ(expression.p, expression.q))
        if expression.is_Pow and expression.exp < 0:
            return rs_series_inversion(value(expression.base**-expression.exp, known), t, ORDER)
        factors = [expression.base] * int(expression.exp) if expression.is_Pow else expression.args
        parts = [value(part, known) for part in factors]
        return functools.reduce(lambda a, b: a + b if expression.is_Add else rs_mul(a, b, t, ORDER), parts)

    slopes = [sympy.sympify(rate, dict(zip(rates, symbols, strict=True)), rational=True) for rate in rates.values()]
    found = [series(sympy.Rational(value)) for value in first]
    for _ in range(ORDER):
        known = dict(zip(symbols, found, strict=True))
        found = [
            series(sympy.Rational(begin)) + rs_integrate(value(slope, known), t)
            for begin, slope in zip(first, slopes, strict=True)
        ]
    return np.array([[float(one.coeff(t**k)) for k in range(1, ORDER + 1)] for one in found])


@pytest.mark.parametrize("seed", range(4))
def test_the_coefficients_of_random_equations_are_those_found_in_fractions(seed: int) -> None:
    # More states than are taken at once, one after the other and in circles, and quotients that share a denominator.
    generator = np.random.default_rng(seed)
    names = [f"y{index}" for index in range(10)]
    below = ["(2 + y0 + 3*y1)", "(1 + y2)"]
    shapes = [
        "{a}*{b}",
        "{a}/{d}",
        "{a}*{b}/{d}",
        "1/{d}",
        "{a}/(1 + {a})",
        "{a}/{d}/(2 + {b})",
        "{a}**2",
        "{a}*(1 - 1/{d})",
        "2/(1 + 1/{d})",
    ]

    def term(state: int) -> str:
        a, b = generator.choice(names[: state + 1 if seed % 2 else len(names)], 2)
        return str(generator.choice(shapes)).format(a=a, b=b, d=generator.choice(below))

    rates = {
        name: f"1/2 - {generator.integers(1, 5)}/4*{name} + {names[state - 1]}/3 + {term(state)} - 1/8*{term(state)}"
        for state, name in enumerate(names)
    }
    first = [float(value) / 4 for value in generator.integers(1, 5, len(names))]
    exact = exact_coefficients(rates, first)
    scale = np.abs(exact).max(axis=0)
    np.testing.assert_allclose(coefficients(rates, first) / scale, exact / scale, rtol=1e-11, atol=1e-13)


def test_the_last_terms_are_those_of_the_coefficients_in_units_of_the_tolerance() -> None:
    rates, first = {"x": "y", "y": "-x / 1000", "z": "-z / (1 + x)"}, [1e-6, 3.0, 5e4]
    w = workspace(rates, first)
    allowed = 1e-9 + 1e-6 * np.abs(first)
    for row, k in ((LAST_TERM, ORDER), (TERM_BEFORE, ORDER - 1)):
        exact = ((coefficients(rates, first)[:, k - 1] / allowed) ** 2).sum()
        assert w[row : row + LANES] == pytest.approx([exact] * LANES, rel=0.12)
