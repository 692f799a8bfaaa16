"""What a statement is about."""

from __future__ import annotations

from dataclasses import dataclass

from simulate.symbolic.units import Unit


@dataclass(frozen=True, slots=True)
class Subject:
    """Of what, when and in whom something is stated.

    ``quantity``: observable, or a name of the trial's own. ``days``: visits; of several the values are pooled.
    ``since``: visit from which a change counts; None where no change is meant. ``group``: ``all``, or the name of a
    part of the patients. ``unit``: unit of the figures.
    """

    quantity: str
    days: tuple[float, ...]
    since: float | None
    group: str
    unit: Unit
