"""Hypotheses side by side: in how many patients each gives what was reported, how much, and how many would show it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.evidence.sign_test import patients_needed
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import draws_in, pooled, quantity_names
from simulate.studies.paired import (
    ALL,
    ENDPOINTS,
    OTHERS,
    RESPONDERS,
    Paired,
    are_draws_told,
    changes_since_baseline,
    draws_of_members,
    groups_of,
    is_seen,
    share_of_both,
    summed_up,
    treated_by,
)

BOTH = ("ifng", "il17a")
"""What was reported to change in opposite ways in the same cells; in how many patients both do is the question."""

LARGE = 10.0
"""Change in percent from which on it is called large."""


@dataclass(frozen=True, slots=True)
class EndpointSideBySide:
    """One endpoint under one hypothesis."""

    #: Name, meaning, and unit of the change.
    quantity: str
    title: str
    unit: str
    direction: str  #: That is asked for, ``up`` or ``down``: reported on this day or another; empty for none
    changed: Paired  #: Change since baseline of all patients
    #: The middle half of them.
    p25: float | None
    p75: float | None
    #: Share of patients who go the way that is asked for, or the way that more go where none is; and the patients in
    #: whom a sign test would show it with a power of 80 %: None if it would not.
    going: float | None
    needed: int | None
    is_reported: bool = True  #: Whether it was reported of this day and treatment
    #: Whether the trial's readings could tell the median change from none; None where nothing is asked for or known.
    seen: bool | None = None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The endpoints of a treated arm under one hypothesis."""

    #: Who says it, of which treatment, and when.
    hypothesis: str
    arm: str
    day: float
    n: int  #: Patients
    #: By group, the share of patients in whom both `BOTH` change as reported; empty where that cannot be said.
    both: Mapping[str, float | None] = field(default_factory=dict)
    #: The same of all patients, by more than `LARGE` percent each; None where that cannot be said.
    large: float | None = None
    #: Between which values 90 % of the draws of a fit have their own share of all patients; None for one population.
    both_of_draws: tuple[float, float] | None = None
    endpoints: tuple[EndpointSideBySide, ...] = ()  #: In the order of the results
    #: What the patients are draws of, ``fit`` or ``prior``; ``typical`` for the one population of the tables.
    draws_of: str = "typical"
    name: str = ""  #: What tells it from the others: the hypothesis, the draws, or both


def set_side_by_side(
    dataset: LabeledArrays,
    hypothesis: str,
    place: int,
    directions: Mapping[str, str],
    reported: Mapping[str, Collection[str]] | None = None,
) -> tuple[SideBySide, ...]:
    """The endpoints of each treated arm under one hypothesis, at the time of a visit.

    ``directions`` are those that are asked for, by quantity; ``reported`` the quantities of which they were reported at
    this visit, by arm, all if not given.
    """
    dataset = pooled(dataset)
    names = quantity_names(dataset)
    day = float(dataset["time"].values[place])
    shown = [name for name in ENDPOINTS if name in names] or list(names[: len(ENDPOINTS)])
    read = {
        name: changes_since_baseline(dataset, name, place) for name in dict.fromkeys((*shown, *BOTH)) if name in names
    }
    groups = {group.name: group.belonging for group in groups_of(dataset)}
    draws = draws_of_members(dataset)
    found = []
    for arm in np.flatnonzero(treated_by(dataset, day)):
        one = SideBySide(
            hypothesis,
            str(dataset["arm"].values[arm]),
            day,
            dataset.sizes["member"] // draws_in(dataset),
            endpoints=tuple(
                _endpoint(
                    dataset,
                    name,
                    *read[name],
                    int(arm),
                    directions.get(name, ""),
                    reported is None or name in reported.get(str(dataset["arm"].values[arm]), ()),
                    day,
                )
                for name in shown
            ),
        )
        if all(name in read and name in directions for name in BOTH):
            ways = [directions[name] for name in BOTH]
            changes = [read[name][0][arm] for name in BOTH]
            own = {name: groups[name][arm] for name in (ALL, RESPONDERS, OTHERS) if name in groups}
            both = {name: share_of_both(changes, ways, belonging) for name, belonging in own.items()}
            band = None
            if draws is not None and are_draws_told(dataset):
                each = [
                    share_of_both([change[draws == draw] for change in changes], ways, own[ALL][draws == draw])
                    for draw in np.unique(draws)
                ]
                shares = [share for share in each if share is not None]
                band = (float(np.quantile(shares, 0.05)), float(np.quantile(shares, 0.95))) if shares else None
            large = share_of_both(changes, ways, own[ALL], beyond=LARGE)
            one = SideBySide(one.hypothesis, one.arm, day, one.n, both, large, band, one.endpoints)
        found.append(one)
    return tuple(found)


def _endpoint(
    dataset: LabeledArrays,
    name: str,
    changes: FloatArray,
    unit: str,
    arm: int,
    direction: str,
    is_reported: bool,
    day: float,
) -> EndpointSideBySide:
    own = changes[arm]
    summed = summed_up(own, np.ones(len(own)), draws_of_members(dataset))
    if not are_draws_told(dataset):
        summed = replace(summed, of_draws={})
    there = own[np.isfinite(own)]
    quarters = np.quantile(there, (0.25, 0.75)).tolist() if len(there) else (None, None)
    up, down = summed.up, summed.down
    going, needed = None, None
    if up is not None and down is not None:
        rises = direction == "up" or (not direction and up >= down)
        going = up if rises else down
        needed = patients_needed(going, down if rises else up)
    title = str(dataset[name].attrs["long_name"])
    seen = is_seen(summed.median, name, day) if direction and unit == "%" else None
    return EndpointSideBySide(
        name, title, unit, direction, summed, quarters[0], quarters[1], going, needed, is_reported, seen
    )
