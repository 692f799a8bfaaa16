"""Changes of a run: for each quantity, arm and visit the paired change since baseline, beside what was reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.evidence.observations import Observation, Observations, Standing, of_arm
from simulate.results.tables import SummaryVisit, is_at, rounded, visits
from simulate.studies.datasets import pooled, quantity_names
from simulate.studies.dose_following import are_averaged
from simulate.studies.paired import (
    AGREEING,
    ALL,
    FEWEST_DRAWN,
    RESPONDERS,
    PatientGroup,
    are_draws_told,
    changes_at,
    draws_of_members,
    each_summed_up,
    groups_of,
    is_seen,
    less_untreated,
    percent_of,
    treated_by,
    untreated_arm,
    verdict,
)
from simulate.studies.values import nothing_in

RULE = (
    f"a reported direction agrees where {100 * AGREEING:g} % of the patients or more go it, disagrees where "
    f"{100 * (1 - AGREEING):g} % or fewer do, and is undecided between; there is no prediction where some draws of "
    "a fit agree and others disagree; too small to be seen is a median change below the "
    "standard error that the noise of readings gives the mean change in the trial"
)
"""How a reported direction is judged, for captions."""

WENT = {"up": "rose", "down": "fell"}
"""Directions as a reader sees them."""

UNSEEN = "too small to be seen"
"""What is said of a change that the readings of the trial could not tell from none."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """Paired change of a quantity since baseline, of a group of an arm at a visit."""

    #: What changes, and the unit of the change: % of the baseline, or that of the quantity where a baseline is 0.
    quantity: str
    meaning: str
    unit: str
    #: Whose change, and the untreated arm whose change is taken from it, patient by patient; empty for none.
    arm: str
    less: str
    #: Of whom, and when.
    group: str
    visit: str
    day: float
    #: As `simulate.studies.paired.Paired`.
    median: float | None
    p5: float | None
    p95: float | None
    up: float | None
    down: float | None
    n: float
    #: A reported direction, ``rose`` or ``fell``, what the patients say of it, and the share of them who go it; empty
    #: and None where none was reported.
    reported: str
    verdict: str
    agreeing: float | None
    #: Between which values 90 % of the draws of a fit have their own; None where there is one population, or too few
    #: patients are drawn (`simulate.studies.paired.FEWEST_DRAWN`).
    median_low: float | None = None
    median_high: float | None = None
    up_low: float | None = None
    up_high: float | None = None
    down_low: float | None = None
    down_high: float | None = None
    #: Whether it was read as the average over the dosing interval before the visit, and not at the visit itself.
    averaged: bool = False
    #: Beside a reported direction, whether the trial's readings could tell the median change from none
    #: (`simulate.studies.paired.is_seen`); None where that is not known.
    seen: bool | None = None

    @property
    def shares(self) -> tuple[float, float]:
        """Of those who rise and who fall; 0 where there is nobody."""
        return self.up or 0.0, self.down or 0.0


def change_rows(dataset: LabeledArrays, observations: Observations = ()) -> tuple[ChangeRow, ...]:
    """Rows of the table: quantities, arms, groups, visits after the baseline, in this order.

    What is nothing but rounding (`simulate.studies.resolution.NOTHING`) is 0: it has no change in percent and no
    direction. A direction that was reported is set beside all patients and beside responders of arms that are treated.
    """
    dataset = pooled(dataset)
    shown = tuple(visit for visit in visits(dataset) if visit.index > 0)
    groups, nothing = groups_of(dataset), nothing_in(dataset)
    rows: list[ChangeRow] = []
    for name in quantity_names(dataset):
        rows += _of_quantity(dataset, name, shown, groups, observations, nothing)
    return tuple(rows)


def _of_quantity(
    dataset: LabeledArrays,
    name: str,
    shown: Sequence[SummaryVisit],
    groups: Sequence[PatientGroup],
    observations: Observations,
    nothing: Mapping[str, float],
) -> Iterator[ChangeRow]:
    arms = [str(arm) for arm in dataset["arm"].values]
    untreated, draws, is_told = untreated_arm(dataset), draws_of_members(dataset), are_draws_told(dataset)
    least = nothing[str(dataset.variables[name].attrs["units"])]
    own = changes_at(dataset, name, [visit.index for visit in shown], nothing=least)
    against = [
        less_untreated(dataset, name, visit.index, untreated, nothing=least)
        for visit in (() if untreated is None else shown)
    ]
    meaning = str(dataset.variables[name].attrs["long_name"])
    averaged = dict(zip(shown, are_averaged(dataset, name, [visit.index for visit in shown]), strict=True))
    asked = [
        (arm, less, group, visit, values[arm], unit)
        for arm in range(len(arms))
        for less, changes in [("", own), *([] if untreated in (None, arm) else [(arms[untreated], against)])]
        for group in groups
        for visit, (values, unit) in zip(shown, changes, strict=True)
    ]
    summed = each_summed_up([(values, group.belonging[arm]) for arm, _, group, _, values, _ in asked], draws)
    for (arm, less, group, visit, _, unit), found in zip(asked, summed, strict=True):
        direction = "" if less else reported_direction(of_arm(observations, arms[arm]), name, visit)
        if group.name not in (ALL, RESPONDERS) or not treated_by(dataset, visit.day)[arm]:
            direction = ""
        judged = verdict(direction, found) if direction else None
        yield ChangeRow(
            quantity=name,
            meaning=meaning,
            unit=unit,
            arm=arms[arm],
            less=less,
            group=group.name,
            visit=visit.name,
            day=visit.day,
            median=found.median,
            p5=found.p5,
            p95=found.p95,
            up=found.up,
            down=found.down,
            n=found.n,
            averaged=bool(averaged[visit][arm]),
            reported=WENT.get(direction, ""),
            verdict="" if judged is None else judged[0].value,
            agreeing=None if judged is None else judged[1],
            seen=is_seen(found.median, name, visit.day) if judged and unit == "%" else None,
            **{
                f"{name}_{end}": value
                for name, band in (found.of_draws if is_told else {}).items()
                for end, value in zip(("low", "high"), band, strict=True)
            },
        )


def reported_direction(observations: Sequence[Observation], quantity: str, visit: SummaryVisit) -> str:
    """Direction, ``up`` or ``down``, that was reported of patients for a quantity at a visit; empty for none."""
    for item in observations:
        if item.quantity == quantity and item.direction and item.standing is not Standing.HEALTHY:
            if is_at(item, visit):
                return item.direction
    return ""


def signed(value: float | None, unit: str = "%") -> str:
    """A change for a reader, with its sign: percent to the digits that can be read, others to three."""
    if value is None or not np.isfinite(value):
        return "–"
    if value == 0.0:
        return "0"
    size = abs(value)
    if not unit.endswith("%") or size >= 999.5:
        digits = rounded(size)
    else:
        digits = f"{size:.0f}" if size >= 9.95 else f"{size:.1f}" if size >= 0.095 else f"{size:.1g}"
    return f"{'-' if value < 0.0 else '+'}{digits}"


def banded(row: ChangeRow) -> str:
    """Median with the range from 5 to 95 %; the median alone where it is of one patient."""
    if row.p5 is None or row.p5 == row.p95:
        return signed(row.median, row.unit)
    return f"{signed(row.median, row.unit)} ({signed(row.p5, row.unit)} to {signed(row.p95, row.unit)})"


def between_draws(row: ChangeRow) -> str:
    """Between which values 90 % of the draws of a fit have their own median; empty where there is one population."""
    if row.median_low is None:
        return ""
    return f"[{signed(row.median_low, row.unit)} to {signed(row.median_high, row.unit)}]"


def said_of_draws(rows: Sequence[ChangeRow], patients: int) -> str:
    """What square brackets are in a run on draws of a fit of so many patients, or why there are none."""
    if all(row.median_low is None for row in rows):
        return f"no [ ] between draws, which have the same patients: that needs {FEWEST_DRAWN} of them"
    whom = "this patient" if patients == 1 else f"these {patients} patients"
    few = f", of {whom}; other patients would differ by more" if patients < FEWEST_DRAWN else ""
    return f"[ ]: where 90 % of the draws have their own median, or share{few}"


def judged(row: ChangeRow) -> str:
    """What was reported and what the patients say of it, such as ``rose: undecided 61 %``; empty for nothing.

    Below it stand that the change is too small to be seen, if it is, and between which
    shares 90 % of the draws of a fit are.
    """
    if not row.verdict:
        return row.reported
    low, high = (row.up_low, row.up_high) if row.reported == WENT["up"] else (row.down_low, row.down_high)
    band = "" if low is None else f"\n[{percent_of(low)} to {percent_of(high)}]"
    unseen = f",\n{UNSEEN}" if row.seen is False else ""
    return f"{row.reported}: {row.verdict} {percent_of(row.agreeing)} %{unseen}{band}"
