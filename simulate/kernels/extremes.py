"""Minimum and maximum for generated code.

Those of Python forget an undefined argument or keep it, depending on the order of the arguments; a simulation must not
hide one, so these keep it always.
"""

from __future__ import annotations

from simulate.compiled import inlined


@inlined
def smaller(a: float, b: float) -> float:
    """The smaller of two numbers, undefined where one of them is."""
    return a if a < b or a != a else b


@inlined
def larger(a: float, b: float) -> float:
    """The larger of two numbers, undefined where one of them is."""
    return a if a > b or a != a else b
