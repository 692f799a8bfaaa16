"""A smooth right-hand side as linear combinations of the few series that are not linear in the states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Node = tuple[Any, ...]
"""An operation and its operands."""

Linear = tuple[int, tuple[tuple[int, int], ...]]
"""The place of a constant, and pairs of a core and the place of its coefficient, in the order of cores."""


@dataclass(frozen=True, slots=True)
class Tape:
    """A right-hand side in an order in which it can be computed.

    Attributes
    ----------
    constants
        Constant in time: ``number`` and its value, ``input`` and its offset, or an operation on earlier constants.
    cores
        ``state`` and its index, ``time``, ``product`` of two cores, or ``sum``, ``quotient``, ``exp``, ``log``,
        ``sin``, ``cos`` of linear combinations of earlier cores, or ``choose`` between two by a constant one.
    rates
        The derivative of each state.
    """

    constants: tuple[Node, ...]
    cores: tuple[Node, ...]
    rates: tuple[Linear, ...]
