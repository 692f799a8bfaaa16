"""The size of a constant expression, estimated before SymPy is asked to compute it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy
from sympy import Expr

from simulate.symbolic.switching import above, at_least, both, choose, either, floor, no, same
from simulate.symbolic.symbols import at_baseline

MAX_BITS = 990
"""Longest numerator and denominator, such that each is a finite double."""


def approximate(expr: Expr) -> float:
    """Float value of a constant by Python's own arithmetic, which overflows instead of filling memory.

    Raises
    ------
    ArithmeticError, ValueError, TypeError
        When it is not real, not finite or beyond 1e300.
    """
    if expr.is_Rational:
        value = int(expr.p) / int(expr.q)
    elif expr is sympy.E:
        value = math.e
    elif isinstance(expr, choose):
        # What is not chosen may have no value.
        condition, chosen, otherwise = expr.args
        value = approximate(chosen if approximate(condition) > 0.5 else otherwise)
    else:
        values = [approximate(argument) for argument in expr.args]
        value = _OPERATIONS[expr.func](*values)
    if not isinstance(value, float | int) or not math.isfinite(value) or abs(value) > 1e300:
        raise ValueError(value)
    return value


_OPERATIONS: Mapping[Any, Callable[..., float]] = {
    sympy.Add: lambda *values: math.fsum(values),
    sympy.Mul: lambda *values: math.prod(values),
    sympy.Pow: lambda base, exponent: base**exponent,
    sympy.exp: math.exp,
    sympy.log: math.log,
    sympy.tanh: math.tanh,
    sympy.Abs: abs,
    sympy.Min: min,
    sympy.Max: max,
    at_baseline: lambda value: value,
    sympy.sin: math.sin,
    sympy.cos: math.cos,
    sympy.tan: math.tan,
    sympy.asin: math.asin,
    sympy.acos: math.acos,
    sympy.atan: math.atan,
    floor: math.floor,
    above: lambda a, b: float(a > b),
    at_least: lambda a, b: float(a >= b),
    same: lambda a, b: float(a == b),
    no: lambda value: 1.0 - value,
    both: min,
    either: max,
}


def bits(number: Expr) -> int:
    """Length of the longer of numerator and denominator."""
    return max(abs(int(number.p)).bit_length(), int(number.q).bit_length())
