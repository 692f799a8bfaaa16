"""Taylor coefficients against those that mpmath finds from closed forms."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import sympy

from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver import FloatArray
from simulate.solver.layout import BEND, CONSTANTS, LANES, NOW, RESULT, START, stage
from simulate.symbolic.parts import TIME

ORDER = 8


def coefficients(
    rates: dict[str, str | sympy.Expr], first: list[float], time: float = 0.0, bend: float = 0.0
) -> FloatArray:
    """Shape [state, order]; every lane must give the same."""
    kernel = build(equations(rates, first))
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)
    size = len(rates) * LANES
    w[START : START + size] = w[RESULT : RESULT + size]
    w[NOW : NOW + LANES] = time
    w[BEND : BEND + LANES] = bend
    kernel.jets(ORDER)(w)
    found = np.array([w[stage(k) : stage(k) + size].reshape(-1, LANES) for k in range(ORDER)])
    assert (found == found[:, :, :1]).all()
    return found[:, :, 0].T


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
