"""The share of Th1 memory that is in blood, constant in the reference model; `redistribution` (H4) replaces it."""

from __future__ import annotations

from sympy import Integer

from simulate.symbolic.parts import Definition, Mechanism
from simulate.symbolic.units import DIMENSIONLESS

STAYING = Definition(
    "th1_in_blood", "share of Th1 memory that is in blood, over its baseline", DIMENSIONLESS, Integer(1)
)

RESIDENCE = Mechanism(name="residence", title="Th1 memory stays in blood", definitions=(STAYING,))
