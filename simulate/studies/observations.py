"""What the source printed, as far as it can be laid beside simulated quantities."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from simulate import shipped
from simulate.errors import InputError
from simulate.files import read_toml
from simulate.studies.sheets import Table, lay_over, validated
from simulate.symbolic.units import DIMENSIONLESS, Unit, unit


class Standing(enum.Enum):
    """How far a printed figure can be relied on; the value is the word of the file."""

    REPORTED = "reported"
    AMBIGUOUS = "ambiguous"
    DISPUTED = "disputed"
    HEALTHY = "healthy control"


@dataclass(frozen=True, slots=True)
class Observation:
    """A printed figure about one quantity at one visit.

    Attributes
    ----------
    name, quotation
        Name in its file, and the words of the source.
    quantity, day
        Observable, or a name of the trial's own, and day of the visit.
    standing, note
        How far the figure can be relied on, and why no farther.
    mean, low, high, unit
        Printed mean and range; None where one was not printed.
    direction
        ``up`` or ``down`` for a printed change; None otherwise.
    count, n
        Number of patients with the change, and of all.
    correlation, partner
        Printed coefficient, and the quantity with which it was found; None otherwise.
    p
        Printed p-value of the change or the correlation; None otherwise.
    """

    name: str
    quotation: str
    quantity: str
    day: float
    standing: Standing
    note: str | None
    mean: float | None
    low: float | None
    high: float | None
    unit: Unit
    direction: str | None
    count: int | None
    n: int | None
    correlation: float | None
    partner: str | None
    p: float | None = None


class _Item(Table):
    id: str = Field(min_length=1)
    quotation: str = Field(min_length=1)
    quantity: str
    partner: str | None = Field(default=None, alias="with")
    visit_day: float = Field(ge=0.0)
    kind: Literal["mean_range", "count", "p_value", "correlation", "direction", "protocol"]
    standing: Literal["reported", "ambiguous", "disputed", "healthy control"]
    note: str | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    count: int | None = None
    n: int | None = None
    p: float | None = None
    r: float | None = None
    direction: Literal["up", "down"] | None = None


class _File(Table):
    version: Literal[1] = Field(alias="schema")
    source: str
    item: list[_Item]


def observations_file() -> Path:
    """The printed figures of the abstract."""
    return shipped.root() / "observations" / "abstract.toml"


def read_observations(path: Path | None = None) -> tuple[Observation, ...]:
    """Printed figures: means with ranges, changes and their p-values, correlations, and counts of patients.

    Parameters
    ----------
    path
        A file in the form of `observations_file`, which is read if not given.

    Raises
    ------
    InputError
        ``file.*``, ``scenario.*`` or ``units.*`` with the line at fault.
    """
    sheet = lay_over(read_toml(observations_file() if path is None else path), (), _File)
    found = []
    for index, item in enumerate(validated(sheet, _File).item):
        if item.kind == "protocol":
            continue
        try:
            its_unit = DIMENSIONLESS if item.unit is None else unit(item.unit)
        except InputError as error:
            error.where = sheet.where("item", index, "unit")
            raise
        found.append(
            Observation(
                name=item.id,
                quotation=item.quotation,
                quantity=item.quantity,
                day=item.visit_day,
                standing=Standing(item.standing),
                note=item.note,
                mean=item.mean,
                low=item.low,
                high=item.high,
                unit=its_unit,
                direction=item.direction,
                count=item.count,
                n=item.n,
                correlation=item.r,
                partner=item.partner,
                p=item.p,
            )
        )
    return tuple(found)


def comparable(
    observations: Sequence[Observation], *, population: str | Path | None, treated: bool
) -> tuple[Observation, ...]:
    """Printed figures that may stand beside simulated people: those about such people under such treatment.

    Parameters
    ----------
    observations
        What the source printed.
    population
        Population of the run; None for the patients of the study.
    treated
        Whether any arm receives the drug. Untreated patients were seen at baseline only.
    """
    if population == "healthy":
        return tuple(item for item in observations if item.standing is Standing.HEALTHY)
    if population not in {None, "myositis"}:
        return ()
    return tuple(item for item in observations if treated or item.day == 0.0)
