"""Expressions evaluated as a tree: values of a closed form, and derivatives of complex steps."""

from __future__ import annotations

import cmath
from collections.abc import Callable

import numpy as np
import pytest

from simulate.kernels.duals import Dual, constant, evaluate, stacked
from simulate.symbolic.expressions import parse_expression

X, Y = 0.4, 1.7
POINT = {"x": Dual(np.array(X), np.array([1.0, 0.0])), "y": Dual(np.array(Y), np.array([0.0, 1.0]))}

SMOOTH: list[tuple[str, Callable[[complex, complex], complex]]] = [
    ("x + 2*y - 3", lambda x, y: x + 2 * y - 3),
    ("x*y/(x + y)", lambda x, y: x * y / (x + y)),
    ("x**3 + y**x + 2**x + x**y", lambda x, y: x**3 + y**x + 2**x + x**y),
    ("exp(-x*y) + log(y) + sqrt(x)", lambda x, y: cmath.exp(-x * y) + cmath.log(y) + cmath.sqrt(x)),
    ("sin(x) + cos(y) + tan(x)", lambda x, y: cmath.sin(x) + cmath.cos(y) + cmath.tan(x)),
    (
        "asin(x) + acos(x) + atan(y) + tanh(x)",
        lambda x, y: cmath.asin(x) + cmath.acos(x) + cmath.atan(y) + cmath.tanh(x),
    ),
    ("hill(x, y, 3)", lambda x, y: x**3 / (x**3 + y**3)),
]


@pytest.mark.parametrize(("text", "function"), SMOOTH, ids=[text for text, _ in SMOOTH])
def test_values_and_derivatives_are_those_of_the_function(
    text: str, function: Callable[[complex, complex], complex]
) -> None:
    found = evaluate(parse_expression(text), POINT)
    assert float(found.value) == pytest.approx(function(X, Y).real, rel=1e-14)
    assert found.slope is not None
    by_x, by_y = function(X + 1e-30j, Y).imag / 1e-30, function(X, Y + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(found.slope, [by_x, by_y], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("text", "value", "slope"),
    [
        ("min(x, y) + 2*max(x, y)", X + 2 * Y, [1.0, 2.0]),
        ("abs(x - y)", Y - X, [-1.0, 1.0]),
        ("floor(y) + x", 1.0 + X, [1.0, 0.0]),
        ("piecewise(x, x > y, y, not x == y and y >= 1, 5)", Y, [0.0, 1.0]),
        ("piecewise(x, x > y or x == y, 5)", 5.0, [0.0, 0.0]),
    ],
)
def test_at_a_choice_the_side_of_the_value_counts(text: str, value: float, slope: list[float]) -> None:
    found = evaluate(parse_expression(text), POINT)
    assert float(found.value) == pytest.approx(value, rel=1e-15)
    assert found.slope is not None
    np.testing.assert_allclose(found.slope, slope)


def test_numbers_without_derivative_have_none_and_arrays_go_through() -> None:
    times = Dual(np.array([0.0, 1.0, 2.0]))
    assert evaluate(parse_expression("2*t + 1"), {"t": times}).slope is None
    found = evaluate(parse_expression("x*t"), {"t": times, "x": POINT["x"]})
    np.testing.assert_allclose(found.value, X * times.value)
    np.testing.assert_allclose(found.slope, np.outer(times.value, [1.0, 0.0]))


def test_single_numbers_are_stacked_with_zero_where_they_have_no_derivative() -> None:
    found = stacked([constant(3.0), POINT["y"]], 2)
    np.testing.assert_array_equal(found.value, [[3.0], [Y]])
    np.testing.assert_array_equal(found.slope, [[[0.0, 0.0]], [[0.0, 1.0]]])


def test_arrays_of_one_shape_are_stacked_along_a_new_axis() -> None:
    y = Dual(np.array([Y, 2.0 * Y]), np.array([[0.0, 1.0], [0.0, 2.0]]))
    found = stacked([constant(3.0), y], 2)
    np.testing.assert_array_equal(found.value, [[3.0, 3.0], [Y, 2.0 * Y]])
    np.testing.assert_array_equal(found.slope, [np.zeros((2, 2)), [[0.0, 1.0], [0.0, 2.0]]])


def test_a_power_of_zero_has_the_derivative_of_its_base_alone() -> None:
    zero = Dual(np.array(0.0), np.array([1.0, 0.0]))
    found = evaluate(parse_expression("x**y + x**2"), {"x": zero, "y": POINT["y"]})
    np.testing.assert_array_equal(found.slope, [0.0, 0.0])
