"""`simulate.solver.vectors` for a block of one lane: what a thread of a graphics card computes with.

The same names with the same meaning, on plain numbers. Quick approximations are the same approximations, so that both
machines take the same steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from simulate.compiled import inlined

_SHIFT = 1.5 * 2.0**52
_LEAST_NORMAL = 2.0**-1022
# The bits of the first guess of an inverse, 0x7FDE_6238_22FC_16E6, as exponent and mantissa.
_GUESS_EXPONENT, _GUESS_MANTISSA = 1022, 0xE_6238_22FC_16E6 / 2.0**52


@inlined
def load(w: Any, place: int) -> Any:
    """The row of the workspace at an offset."""
    return w[place]


@inlined
def store(w: Any, place: int, value: float) -> None:
    """Write a row of the workspace."""
    w[place] = value


@inlined
def fence(w: Any) -> None:
    """Nothing: one lane is written whole."""


def weighted(weights: Mapping[int, float]) -> Any:
    """Return the function ``(w, place)``: the sum of weight times row, at ``place`` beyond each of some offsets."""
    terms = list(weights.items())
    (offset, weight), first = terms[-1], (len(terms) - 1) // 4 * 4

    @inlined
    def last(w: Any, place: int) -> Any:
        return weight * w[offset + place]

    if len(terms) == 1:
        return last
    # As in `simulate.solver.vectors`: the terms of a group of four, then the groups.
    end = first if first and first < len(terms) - 1 else len(terms) - 1
    before, rest = weighted(dict(terms[:end])), weighted(dict(terms[end:]))

    @inlined
    def total(w: Any, place: int) -> Any:
        return before(w, place) + rest(w, place)

    return total


@inlined
def every(value: float) -> float:
    """The same number in every lane."""
    return value


@inlined
def choose(mask: bool, yes: float, no: float) -> float:
    """``yes`` where the mask is true, else ``no``."""
    return yes if mask else no


@inlined
def size(a: float) -> float:
    """Absolute value."""
    return abs(a)


@inlined
def root(a: float) -> float:
    """Square root."""
    return math.sqrt(a)


@inlined
def any_lane(mask: bool) -> bool:
    """Whether the mask is true in any lane."""
    return mask


@inlined
def lanes_where(mask: bool) -> int:
    """The lanes in which the mask is true, as bits of a whole number."""
    return 1 if mask else 0


@inlined
def first_lane(lanes: int) -> int:
    """The first of some lanes, of which there is one at least."""
    return 0


@inlined
def near_quotient(a: float, b: float) -> float:
    """a/b with an error below 1/1000, for a positive b up to 1e300; undefined where a or b is."""
    scale = 2.0**200 if b < 1.0 else 1.0
    b = b * scale
    half, exponent = math.frexp(b)
    # What a subtraction of the bits of b leaves in mantissa and exponent.
    mantissa = _GUESS_MANTISSA - (2.0 * half - 1.0)
    power = _GUESS_EXPONENT - (exponent - 1) - 1023
    if mantissa < 0.0:
        mantissa = mantissa + 1.0
        power = power - 1
    guess = math.ldexp(1.0 + mantissa, power)
    guess = guess * (2.0 - b * guess)
    guess = guess * (2.0 - b * guess)
    return a * scale * guess


@inlined
def near_power(a: float, exponent: float) -> float:
    """``a ** exponent`` with an error below 1/200 for exponents up to 1/2 in size; 0 is taken for the least number."""
    mantissa, whole = 1.0, 1024
    if a < math.inf:
        mantissa, whole = math.frexp(a)
        mantissa, whole = 2.0 * mantissa, whole - 1
        if a < _LEAST_NORMAL:
            mantissa, whole = 1.0 + a / _LEAST_NORMAL, -1023
    logarithm = whole + ((mantissa * (-1.0 / 3.0) + 2.0) * mantissa - 5.0 / 3.0)
    scaled = logarithm * exponent
    nearest = (scaled + _SHIFT) - _SHIFT
    rest = scaled - nearest
    return math.ldexp(((0.0555041 * rest + 0.2402265) * rest + 0.6931472) * rest + 1.0, int(nearest))


def intrinsic(function: Any) -> Any:
    """Nothing: no instruction is written here."""
    return function


def width() -> int:
    """Lanes of one pass."""
    return 1
