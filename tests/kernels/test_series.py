"""Coefficients modulo the prime are those of the series that calculus gives."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from simulate.errors import InputError
from simulate.kernels.modular import PRIME, fraction, null_space, reduced, residue
from simulate.kernels.series import Series
from simulate.kernels.system import System, equations
from simulate.streams import IntArray

ORDERS = 7
POINTS = 3


def coefficients(system: System, variables: tuple[str, ...]) -> tuple[IntArray, IntArray]:
    """Values of the parameters [point, name] and coefficients [point, order, observable, 1 + variable]."""
    series = Series(system, variables, np.arange(POINTS), orders=ORDERS)
    found = np.stack([series.advance() for _ in range(ORDERS)], axis=1)
    return series.parameters(system.parameters), found


def modulo(value: sympy.Expr) -> int:
    return residue(int(value.p), int(value.q))


def test_series_of_a_rational_system_are_its_lie_derivatives() -> None:
    system = equations(
        {"x": "a*x/(b + x**2) - x*y/3", "y": "(a - 1.5*y)**3 - t*x"},
        ["b/(1 + a)", "2*a"],
        parameters=["a", "b"],
        observables={"ratio": "y/(x + b)"},
    )
    values, found = coefficients(system, ("b", "a"))
    names = sympy.symbols("a b")
    states, time = sympy.symbols("x y"), sympy.Symbol("t")
    start = dict(zip(states, system.initial, strict=True)) | {time: sympy.Integer(0)}
    expression, factorial = system.observed[0], 1
    for order in range(4):
        factorial *= max(order, 1)
        at_start = sympy.together(expression.subs(start)) / factorial
        for point in range(POINTS):
            place = dict(zip(names, map(sympy.Integer, values[point].tolist()), strict=True))
            expected = [at_start, sympy.diff(at_start, names[1]), sympy.diff(at_start, names[0])]
            assert found[point, order, 0].tolist() == [modulo(value.subs(place)) for value in expected]
        expression = sympy.diff(expression, time) + sum(
            sympy.diff(expression, state) * rate for state, rate in zip(states, system.rhs, strict=True)
        )


def test_functions_have_the_coefficients_of_the_textbook() -> None:
    system = equations(
        {"idle": "0"},
        [0.0],
        parameters=["a"],
        observables={"exp": "exp(a*t)", "log": "log(1 + a*t)", "tanh": "tanh(a*t)", "root": "(1 + a*t)**0.5"},
    )
    values, found = coefficients(system, ("a",))
    x = sympy.Symbol("x")
    for place, function in enumerate((sympy.exp(x), sympy.log(1 + x), sympy.tanh(x), sympy.sqrt(1 + x))):
        for order in range(ORDERS):
            number = sympy.diff(function, x, order).subs(x, 0) / sympy.factorial(order)
            for point in range(POINTS):
                a = int(values[point, 0])
                slope = modulo(number) * order * pow(a, max(order - 1, 0), PRIME) % PRIME
                assert found[point, order, place].tolist() == [modulo(number) * pow(a, order, PRIME) % PRIME, slope]


@pytest.mark.parametrize("power", ["1/2", "-3/2", "2/3", "7/4"])
def test_powers_of_fractions_are_roots_of_powers(power: str) -> None:
    whole = sympy.Rational(power)
    system = equations(
        {"x": "b - x*x"},
        ["a"],
        parameters=["a", "b"],
        observables={"root": f"(b + x)**({power})", "again": f"((b + x)**({power}))**{whole.q}/(b + x)**({whole.p})"},
    )
    _, found = coefficients(system, ("a", "b"))
    assert found[:, 0, 1].tolist() == [[1, 0, 0]] * POINTS
    assert not found[:, 1:, 1].any()
    assert found[:, 1:, 0].all()


def test_a_power_satisfies_its_differential_equation_whatever_the_exponent() -> None:
    system = equations(
        {"z": "n*z/(b + t)", "e": "e*b", "l": "1/(b + t)"},
        ["c", "c", "b"],
        parameters=["b", "c", "n"],
        observables={"power": "(b + t)**n/z", "exp": "exp(c + b*t)/e", "log": "log(b + t) - l"},
    )
    _, found = coefficients(system, ("b", "n"))
    # Both solve the same linear equation, so that their ratio or difference never changes.
    assert found[:, 0, :, 0].all()
    assert not found[:, 1:, :, 0].any()


def test_what_is_infinite_at_the_beginning_is_named() -> None:
    system = equations({"x": "1"}, [0.0], observables={"y": "1/x"})
    with pytest.raises(InputError) as caught:
        coefficients(system, ())
    assert str(caught.value) == "\n".join(
        [
            "error[identifiability.function]: "
            "an expression has no power series at the beginning, where it would divide by zero",
            "  --> term `1/x`",
            "  try:      take an equivalent form, or observables that do not need it",
        ]
    )


def test_null_spaces_are_orthogonal_and_ranks_add_up() -> None:
    rng = np.random.default_rng(4)
    left, right = rng.integers(0, PRIME, (6, 3)), rng.integers(0, PRIME, (3, 5))
    product = np.array(
        [[sum(int(a) * int(b) for a, b in zip(row, column, strict=True)) % PRIME for column in right.T] for row in left]
    )
    form, pivots = reduced(product)
    null = null_space(product)
    assert (len(form), len(pivots), len(null)) == (3, 3, 2)
    for row in product:
        assert [sum(int(a) * int(b) for a, b in zip(row, vector, strict=True)) % PRIME for vector in null] == [0, 0]


def test_small_fractions_are_recognized_and_others_are_not() -> None:
    assert [fraction(residue(p, q)) for p, q in ((-3, 2), (24, 1), (5, 12))] == [
        sympy.Rational(-3, 2),
        24,
        sympy.Rational(5, 12),
    ]
    assert fraction(residue(25)) is None
    assert fraction(123456789) is None
