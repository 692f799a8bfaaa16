"""Expressions as source of a programming language such as Python, JavaScript or R."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError

LARGEST_UNROLLED_POWER = 16
"""Largest whole power that is written as a product."""


@dataclass(frozen=True)
class Language:
    """The syntax of a language for expressions and assignments.

    Attributes
    ----------
    functions
        Call of a function, by its kind; its arguments are texts.
    root, assignment, comment, power
        Square root, assignment to a new name, comment and power, with a place for each part.
    """

    functions: Mapping[type, Callable[..., str]]
    root: str
    assignment: str
    comment: str
    power: str


def number(value: sympy.Number) -> str:
    """Decimal text of the double nearest to an exact number."""
    if value.is_Rational:
        return repr(float(Fraction(int(value.p), int(value.q))))
    return repr(float(value))


def source(expression: Expr, names: Mapping[Symbol, str], language: Language) -> str:
    """Source of an expression.

    Raises
    ------
    InputError
        When the expression has a function that the language has not.
    """
    return _sum(expression, names, language)


def _sum(expression: Expr, names: Mapping[Symbol, str], language: Language) -> str:
    if not expression.is_Add:
        return _product(expression, names, language)
    text = ""
    for term in _terms(expression):
        coefficient, _ = term.as_coeff_Mul()
        if coefficient.is_negative and text:
            text += f" - {_product(-term, names, language)}"
        else:
            text += (" + " if text else "") + _product(term, names, language)
    return text


@functools.lru_cache(maxsize=10_000)
def _terms(expression: Expr) -> tuple[Expr, ...]:
    """The terms of a sum in the order in which they are written; the same sums are in many models."""
    return tuple(expression.as_ordered_terms())


def _product(expression: Expr, names: Mapping[Symbol, str], language: Language) -> str:
    if not expression.is_Mul:
        return _factor(expression, names, language)
    coefficient, rest = expression.as_coeff_Mul()
    sign = ""
    if coefficient.is_negative:
        sign, coefficient = "-", -coefficient
    above: list[str] = [] if coefficient == 1 else [number(coefficient)]
    below: list[str] = []
    for factor in sympy.Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        if exponent.is_Rational and exponent.is_negative:
            below.append(_factor(sympy.Pow(base, -exponent), names, language))
        else:
            above.append(_factor(factor, names, language))
    text = " * ".join(above) if above else "1.0"
    if below:
        divisor = " * ".join(below)
        text += f" / ({divisor})" if len(below) > 1 else f" / {divisor}"
    return sign + text


def _factor(expression: Expr, names: Mapping[Symbol, str], language: Language) -> str:
    if expression.is_Symbol:
        return names[expression]
    if expression.is_Number:
        return f"({number(expression)})" if expression.is_negative else number(expression)
    if expression.is_Pow or isinstance(expression, sympy.exp):
        return _power(expression, names, language)
    if expression.is_Add or expression.is_Mul:
        return f"({_sum(expression, names, language)})"
    if expression.is_NumberSymbol:
        return repr(float(expression))
    function = language.functions.get(type(expression))
    if function is None:
        known = ", ".join(sorted(kind.__name__ for kind in language.functions))
        raise InputError(
            f"the function `{type(expression).__name__}` cannot be compiled",
            code="kernel.function",
            found=str(expression),
            expected=f"one of {known}",
        )
    return function(*(_sum(argument, names, language) for argument in expression.args))


def _power(expression: Expr, names: Mapping[Symbol, str], language: Language) -> str:
    if isinstance(expression, sympy.exp):
        return language.functions[sympy.exp](_sum(expression.args[0], names, language))
    base, exponent = expression.as_base_exp()
    if exponent.is_Rational and exponent.is_negative:
        return f"(1.0 / {_factor(sympy.Pow(base, -exponent), names, language)})"
    text = _factor(base, names, language)
    if exponent == sympy.Rational(1, 2):
        return language.root.format(_sum(base, names, language))
    if exponent.is_Integer and 1 <= int(exponent) <= LARGEST_UNROLLED_POWER and text.isidentifier():
        return "(" + " * ".join([text] * int(exponent)) + ")"
    return language.power.format(_sum(base, names, language), _sum(exponent, names, language))
