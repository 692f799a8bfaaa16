"""Reported values as flat rows, for tables and figures that show them beside simulated quantities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulate.evidence.items import Item
from simulate.evidence.items import Standing as Standing
from simulate.evidence.kinds import Correlation, Count, Direction, Mean, MeanRange, Protocol, PValue
from simulate.evidence.reading import read_evidence
from simulate.symbolic.units import Unit


@dataclass(frozen=True, slots=True)
class Observation:
    """A reported value about one quantity at one visit."""

    #: Name in its file, and what the source says, in our words.
    name: str
    account: str
    #: Observable, or a name of the trial's own, and day of the visit.
    quantity: str
    day: float
    #: How far the figure can be relied on, and why no farther.
    standing: Standing
    note: str | None
    #: Printed mean and range; None where one was not printed.
    mean: float | None
    low: float | None
    high: float | None
    unit: Unit
    direction: str | None  #: ``up`` or ``down`` for a printed change; None otherwise
    #: Number of patients with the change, and of all.
    count: int | None
    n: int | None
    #: Printed coefficient, and the quantity with which it was found; None otherwise.
    correlation: float | None
    partner: str | None
    p: float | None = None  #: Printed p-value of the change or the correlation; None otherwise


Observations = Sequence[Observation] | Mapping[str, Sequence[Observation]]
"""What the source printed, for all arms alike, or by the name of the arm beside which it may stand."""


def of_arm(observations: Observations, arm: str) -> Sequence[Observation]:
    """Reported values that may stand beside an arm."""
    return observations.get(arm, ()) if isinstance(observations, Mapping) else observations


def of_all(observations: Observations) -> tuple[Observation, ...]:
    """Reported values that may stand beside any arm, each once."""
    if not isinstance(observations, Mapping):
        return tuple(observations)
    return tuple(dict.fromkeys(item for own in observations.values() for item in own))


def read_observations(path: Path | None = None) -> tuple[Observation, ...]:
    """Reported values: means with ranges, changes and their p-values, correlations, and counts of patients."""
    items = read_evidence(path).items
    return tuple(observation_of(item) for item in items if not isinstance(item.statement, Protocol))


def observation_of(item: Item) -> Observation:
    """An item as it was printed, whatever its readings."""
    said = item.statement
    return Observation(
        name=item.name,
        account=item.account,
        quantity=item.subject.quantity,
        day=item.subject.days[0],
        standing=item.standing,
        note=item.note,
        mean=said.mean if isinstance(said, Mean | MeanRange) else None,
        low=said.low if isinstance(said, MeanRange) else None,
        high=said.high if isinstance(said, MeanRange) else None,
        unit=item.subject.unit,
        direction=said.way if isinstance(said, Direction | PValue) else None,
        count=said.count if isinstance(said, Count | Direction) else None,
        n=said.n,
        correlation=said.r if isinstance(said, Correlation) else None,
        partner=said.partner if isinstance(said, Correlation) else None,
        p=said.p if isinstance(said, Correlation | PValue) else None,
    )


def comparable(observations: Sequence[Observation], *, population: str | Path | None) -> tuple[Observation, ...]:
    """Reported values that may stand beside people of a population; None for the study's own."""
    if population == "healthy":
        return tuple(item for item in observations if item.standing is Standing.HEALTHY)
    return tuple(observations) if population in {None, "myositis"} else ()
