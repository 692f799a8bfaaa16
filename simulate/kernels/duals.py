"""Expressions as numbers with derivatives, outside of any kernel: a tree is walked, no code is made.

For formulas that are evaluated a few times on arrays of a few hundred numbers, such as what an observable is when a
measurement is taken, where compiling would take longer than all that it saves.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from simulate.elementwise import exp, log
from simulate.solver.kernel import FloatArray
from simulate.symbolic.switching import above, at_least, both, choose, either, floor, no, same


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """Numbers and their derivatives.

    Attributes
    ----------
    value
        Any shape.
    slope
        That shape with one more axis, the directions; None where all derivatives are 0.
    """

    value: FloatArray
    slope: FloatArray | None = None

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, _sum(_wide(self, other), _wide(other, self)))

    def __sub__(self, other: Dual) -> Dual:
        return self + other * constant(-1.0)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.value * other.value, _sum(_scaled(other.value, self.slope), _scaled(self.value, other.slope)))

    def __truediv__(self, other: Dual) -> Dual:
        return self * other.mapped(1.0 / other.value, -1.0 / other.value**2)

    def mapped(self, value: FloatArray, derivative: FloatArray) -> Dual:
        """A function of these numbers, by its values and its derivatives."""
        return Dual(value, _scaled(derivative, self.slope))

    def log(self) -> Dual:
        """Natural logarithm."""
        return self.mapped(log(self.value), 1.0 / self.value)


def constant(value: float) -> Dual:
    """A number without derivative."""
    return Dual(np.asarray(value, dtype=np.float64))


def stacked(parts: list[Dual], directions: int) -> Dual:
    """Numbers, or arrays of one shape, along a new first axis; of numbers alone the shape is [part, 1]."""
    value = np.stack(np.broadcast_arrays(*(np.atleast_1d(part.value) for part in parts)))
    if all(part.slope is None for part in parts):
        return Dual(value)
    zero = np.zeros(directions)
    shape = (*value.shape[1:], directions)
    return Dual(value, np.stack([np.broadcast_to(zero if part.slope is None else part.slope, shape) for part in parts]))


def evaluate(expr: Expr, values: Mapping[str, Dual]) -> Dual:
    """Value of an expression of the grammar where its symbols have these values.

    What is undefined is NaN or infinite. At a kink the derivative is that of the side that the value is on.

    Raises
    ------
    KeyError
        A symbol has no value.
    """
    with np.errstate(all="ignore"):
        return _evaluate(expr, values, {})


def _evaluate(expr: Expr, values: Mapping[str, Dual], done: dict[Expr, Dual]) -> Dual:
    if expr.is_Symbol:
        return values[expr.name]
    if expr.is_Rational:
        return constant(float(expr))
    if expr in done:
        return done[expr]
    if expr.is_number and not expr.args:
        return constant(float(expr))
    found = _combined(expr.func, [_evaluate(part, values, done) for part in expr.args])
    done[expr] = found
    return found


def _combined(kind: object, parts: list[Dual]) -> Dual:
    """A node of an expression from its parts."""
    if kind == sympy.Pow:
        return _power(*parts)
    if kind == choose:
        return _chosen(parts[0].value > 0.5, parts[1], parts[2])
    if kind in _CONDITIONS:
        return Dual(np.asarray(_CONDITIONS[kind](*(part.value for part in parts)), dtype=np.float64))
    if kind in _FOLDED:
        return functools.reduce(_FOLDED[kind], parts)
    value, derivative = _FUNCTIONS[kind](parts[0].value)
    return parts[0].mapped(value, derivative)


def _power(base: Dual, exponent: Dual) -> Dual:
    value = base.value**exponent.value
    if exponent.slope is None:
        return base.mapped(value, exponent.value * base.value ** (exponent.value - 1.0))
    by_base = _scaled(exponent.value * base.value ** (exponent.value - 1.0), base.slope)
    # A power of 0 is 0 for all exponents above 0.
    by_exponent = np.where(value == 0.0, 0.0, value * log(base.value))
    return Dual(value, _sum(by_base, _scaled(by_exponent, exponent.slope)))


def _chosen(first: Any, one: Dual, other: Dual) -> Dual:
    value = np.where(first, one.value, other.value)
    if one.slope is None and other.slope is None:
        return Dual(value)
    directions = (one.slope if one.slope is not None else other.slope).shape[-1]  # type: ignore[union-attr]
    slopes = [
        np.zeros((*value.shape, directions))
        if part.slope is None
        else np.broadcast_to(part.slope, (*value.shape, directions))
        for part in (one, other)
    ]
    return Dual(value, np.where(np.asarray(first)[..., np.newaxis], *slopes))


def _wide(part: Dual, other: Dual) -> FloatArray | None:
    """Slope of a part with the shape that it has in a sum with another."""
    if part.slope is None:
        return None
    shape = np.broadcast_shapes(part.value.shape, other.value.shape)
    return np.broadcast_to(part.slope, (*shape, part.slope.shape[-1]))


def _scaled(factor: FloatArray, slope: FloatArray | None) -> FloatArray | None:
    return None if slope is None else np.asarray(factor)[..., np.newaxis] * slope


def _sum(one: FloatArray | None, other: FloatArray | None) -> FloatArray | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _exp(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = exp(x)
    return value, value


def _tanh(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = np.tanh(x)
    return value, 1.0 - value**2


def _tan(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    value = np.tan(x)
    return value, 1.0 + value**2


_FUNCTIONS: Mapping[object, Callable[[FloatArray], tuple[FloatArray, FloatArray]]] = {
    sympy.exp: _exp,
    sympy.log: lambda x: (log(x), 1.0 / x),
    sympy.tanh: _tanh,
    sympy.Abs: lambda x: (np.abs(x), np.sign(x)),
    sympy.sin: lambda x: (np.sin(x), np.cos(x)),
    sympy.cos: lambda x: (np.cos(x), -np.sin(x)),
    sympy.tan: _tan,
    sympy.asin: lambda x: (np.arcsin(x), 1.0 / np.sqrt(1.0 - x**2)),
    sympy.acos: lambda x: (np.arccos(x), -1.0 / np.sqrt(1.0 - x**2)),
    sympy.atan: lambda x: (np.arctan(x), 1.0 / (1.0 + x**2)),
    floor: lambda x: (np.floor(x), np.zeros_like(x)),
}
_FOLDED: Mapping[object, Callable[[Dual, Dual], Dual]] = {
    sympy.Add: operator.add,
    sympy.Mul: operator.mul,
    sympy.Min: lambda one, other: _chosen(one.value <= other.value, one, other),
    sympy.Max: lambda one, other: _chosen(one.value >= other.value, one, other),
}
_CONDITIONS: Mapping[object, Callable[..., object]] = {
    above: np.greater,
    at_least: np.greater_equal,
    same: np.equal,
    both: lambda *parts: np.all(np.broadcast_arrays(*parts), axis=0),
    either: lambda *parts: np.any(np.broadcast_arrays(*parts), axis=0),
    no: np.logical_not,
}
