"""Minimum, maximum and whole part for generated code.

Those of Python forget an undefined argument or keep it, depending on the order of the arguments; a simulation must not
hide one, so these keep it always.
"""

from __future__ import annotations

from simulate.compiled import verbatim


@verbatim
def smaller(a: float, b: float) -> float:
    """The smaller of two numbers, undefined where one of them is."""
    return a if a < b or a != a else b


@verbatim
def larger(a: float, b: float) -> float:
    """The larger of two numbers, undefined where one of them is."""
    return a if a > b or a != a else b


_LARGEST = 2251799813685248.0
"""2⁵¹: every number beyond it is whole or half, and the shift below rounds up to here exactly."""
_SHIFT = 6755399441055744.0
"""1.5 · 2⁵²: adding it rounds a number to a whole one."""


@verbatim
def whole(x: float) -> float:
    """The largest whole number that is not above a number, undefined where that is; up to 2⁵¹."""
    nearest = (x + _SHIFT) - _SHIFT
    nearest = nearest - 1.0 if nearest > x else nearest
    return nearest if abs(x) < _LARGEST else x
