"""Exact arithmetic modulo a prime, on numbers that carry their derivatives, and exact linear algebra.

A polynomial that is not zero is not zero at a random point modulo a large prime, except with a probability of at most
its degree over the prime (J. T. Schwartz, J. ACM 27 (1980) 701). So ranks of Jacobians, which no rounding blurs here,
are those of the formulas.

A number with derivatives is the last axis of an array: the value, then the derivative with respect to each variable.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from simulate.streams import IntArray

PRIME = 2147483579
"""Below 2³¹, so that products fit in 64 bits; (PRIME - 1) / 2 is a prime too, so that roots are unique."""

_LARGEST_NUMERATOR, _LARGEST_DENOMINATOR = 24, 12


def residue(numerator: int, denominator: int = 1) -> int:
    """A fraction modulo the prime."""
    return numerator * pow(denominator, -1, PRIME) % PRIME


def times(a: IntArray, b: IntArray) -> IntArray:
    """Product of numbers with derivatives."""
    product = a * b[..., :1] % PRIME + b * a[..., :1] % PRIME
    product[..., 0] = a[..., 0] * b[..., 0] % PRIME
    return product % PRIME


def inverse(a: IntArray) -> IntArray:
    """Reciprocal of numbers with derivatives.

    Raises
    ------
    ZeroDivisionError
        A value is zero.
    """
    if not np.all(a[..., 0]):
        raise ZeroDivisionError
    value = powers(a[..., 0], PRIME - 2)
    result = -(value * value % PRIME)[..., None] * a % PRIME
    result[..., 0] = value
    return result


def powers(values: IntArray, exponent: int) -> IntArray:
    """Values, without derivatives, to one non-negative power."""
    result, square = np.ones_like(values), values
    while exponent:
        if exponent & 1:
            result = result * square % PRIME
        square = square * square % PRIME
        exponent >>= 1
    return result


def convolved(a: IntArray, b: IntArray) -> IntArray:
    """Sum of a₀bₙ + a₁bₙ₋₁ + … + aₙb₀ of numbers with derivatives; the axis before the last counts."""
    total: IntArray = times(a, b[..., ::-1, :]).sum(axis=-2) % PRIME
    return total


def reduced(rows: IntArray) -> tuple[IntArray, tuple[int, ...]]:
    """Reduced echelon form without rows of zeros, and the columns of its leading ones."""
    rows = rows % PRIME
    pivots: list[int] = []
    for column in range(rows.shape[1]):
        place = len(pivots)
        candidates = np.flatnonzero(rows[place:, column])
        if not candidates.size:
            continue
        chosen = place + int(candidates[0])
        rows[[place, chosen]] = rows[[chosen, place]]
        rows[place] = rows[place] * pow(int(rows[place, column]), -1, PRIME) % PRIME
        factors = rows[:, column].copy()
        factors[place] = 0
        rows = (rows - factors[:, None] * rows[place] % PRIME) % PRIME
        pivots.append(column)
        if len(pivots) == len(rows):
            break
    return rows[: len(pivots)], tuple(pivots)


def null_space(rows: IntArray) -> IntArray:
    """Basis, as rows in reduced echelon form, of the vectors that every row is orthogonal to."""
    form, pivots = reduced(rows)
    others = [column for column in range(rows.shape[1]) if column not in pivots]
    basis = np.zeros((len(others), rows.shape[1]), dtype=np.int64)
    for index, column in enumerate(others):
        basis[index, column] = 1
        basis[index, list(pivots)] = -form[:, column] % PRIME
    return reduced(basis)[0]


def fraction(value: int) -> Fraction | None:
    """The small fraction that a residue stands for, if there is one."""
    for denominator in range(1, _LARGEST_DENOMINATOR + 1):
        numerator = value * denominator % PRIME
        numerator = numerator - PRIME if numerator > PRIME // 2 else numerator
        if abs(numerator) <= _LARGEST_NUMERATOR:
            return Fraction(numerator, denominator)
    return None
