"""What a statement is about."""

from __future__ import annotations

from dataclasses import dataclass

from simulate.symbolic.units import Unit


@dataclass(frozen=True, slots=True)
class Subject:
    """Of what, when and in whom something is stated."""

    quantity: str  #: Observable, or a name of the trial's own
    days: tuple[float, ...]  #: Visits; of several the values are pooled
    since: float | None  #: Visit from which a change counts; None where no change is meant
    group: str  #: ``all``, or the name of a part of the patients
    unit: Unit  #: Unit of the figures

    @property
    def before(self) -> float:
        """Visit from which a change counts, the baseline if none is named."""
        return 0.0 if self.since is None else self.since
