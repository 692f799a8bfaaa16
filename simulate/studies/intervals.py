"""Dosing intervals: the average, trough and peak of a quantity between two doses.

What follows the dose goes up and down with it, so that a value at a visit is the hour after a dose more than it is the
patient. Such a quantity is read as its average over the dosing interval before the visit, with trough and peak beside
it. For this a run is recorded at more times than it is asked for; no other number moves. Where patients of an arm have
doses of their own, every arm is read at the visit itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.arrays import LabeledArrays, side_by_side
from simulate.cohort.arms import Arm
from simulate.cohort.draws import members_at
from simulate.cohort.ensemble import Ensemble, typical_parameters
from simulate.cohort.joining import joined
from simulate.regimen.doses import Plan
from simulate.regimen.timetable import timetable_of
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.rules import Action
from simulate.studies.datasets import quantity_names
from simulate.studies.dose_following import stretches
from simulate.studies.observed import times_of_readings
from simulate.studies.runs import (
    Study,
    check_memory,
    cohort_of,
    members_together,
    numbers_of_a_state,
    simulate_study,
    study_dataset,
)
from simulate.studies.visits import visits_at
from simulate.studies.windows import Window, highest, window_before

PARTS = ("mean", "lowest", "highest")
"""What is kept of each interval."""

_ENVELOPE = 6
_MOST_TIMES = 2000
_MOST_NUMBERS = 120_000_000
"""Most numbers to keep for the intervals of arms in which chance has a part in each dose, 1 GB."""
_MOST_PATIENTS = 4096
"""Patients, those of all arms counted, who are reckoned with for that: a run of more has no fewer intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """The dosing interval of an arm, by its index, that ends on a day."""

    arm: int
    day: float
    window: Window


def intervals_of(study: Study) -> tuple[Interval, ...]:
    """Dosing intervals to look at: those before visits, and some over each stretch of dosing for its course.

    Where chance has a part in each dose, one interval tells nothing of the next: there all are looked at, or as many as
    there is room for. There are none where fewer than three doses follow one another. And there are none at all where
    patients of an arm have no interval in common: what that arm is at a visit is no match for averages of others.
    """
    if any(has_own_doses(arm) for arm in study.arms):
        return ()
    at_visits: list[Interval] = []
    others: list[Interval] = []
    by_chance: dict[int, list[Interval]] = {}
    for index, arm in enumerate(study.arms):
        patient = typical_parameters(study.model, arm, study.population)
        is_by_chance = _has_chance(study, arm)
        found = by_chance.setdefault(index, []) if is_by_chance else others
        size = {"panels": 3, "nodes": 2} if is_by_chance else {"panels": 5, "nodes": 3}
        for day, is_visit in _days(study, arm.plan, every=is_by_chance):
            own = {} if is_visit else size
            window = window_before([arm.plan], study.model, day, float(study.times[-1]), patient, **own)
            (at_visits if is_visit else found).append(Interval(index, day, window))
    if len(_times(study, (*at_visits, *others))) > len(study.times) + _MOST_TIMES:
        return tuple(at_visits)
    dense = [one for found in by_chance.values() for one in found]
    together = min(study.members, max(1, _MOST_PATIENTS // len(study.arms))) * len(study.arms)
    room = min(_MOST_TIMES, _MOST_NUMBERS // (together * numbers_of_a_state(study.model)))
    step = -(-(len(_times(study, dense)) - len(study.times)) // max(1, room))
    thinned = [one for found in by_chance.values() for one in found[:: -max(1, min(step, len(found) // _ENVELOPE))]]
    return (*at_visits, *others, *thinned)


def has_own_doses(arm: Arm) -> bool:
    """Whether patients of an arm are dosed each in their own way, or by rules: they have no interval in common."""
    is_given = any(plan.courses for plan in arm.all_plans) or any(rule.action is Action.BOLUS for rule in arm.rules)
    return is_given and (len(set(arm.all_plans)) > 1 or bool(arm.rules))


def recording(study: Study, intervals: Sequence[Interval]) -> Study:
    """The study recorded at the times of the intervals, and of what was observed in patients, as well."""
    observed = times_of_readings(study.readings.compared, study.scenario.arms, study.model)
    if not intervals and not len(observed):
        return study
    times = _times(study, intervals)
    # A time that is recorded before and after a dose stands there twice.
    found = replace(study, times=np.sort(np.concatenate([times[~np.isin(times, observed)], observed])))
    check_memory(found.scenario, found.model, found.quantities, len(found.times))
    return found


def with_intervals(dataset: LabeledArrays, study: Study, intervals: Sequence[Interval]) -> LabeledArrays:
    """A dataset recorded at more times as one at the times asked for, with what its quantities do in the intervals.

    With ``dosing_interval`` (arm, member, followed, interval, part), ``interval_day`` (arm, interval) and
    ``interval_chance`` (arm).
    """
    times = study.times
    recorded = np.asarray(dataset["time"].values, dtype=np.float64)
    kept = dataset if len(recorded) == len(times) else dataset.isel(time=_places(recorded, times))
    if not intervals:
        return kept
    names = quantity_names(dataset)
    arms, members = dataset.sizes["arm"], dataset.sizes["member"]
    by_arm = [[one for one in intervals if one.arm == arm] for arm in range(arms)]
    count = max(map(len, by_arm))
    found = np.full((arms, members, len(names), count, len(PARTS)), np.nan)
    days = np.full((arms, count), np.nan)
    courses = [dataset.variables[name].values for name in names]
    for arm, own in enumerate(by_arm):
        for place, one in enumerate(sorted(own, key=lambda interval: interval.day)):
            days[arm, place] = one.day
            at = _places(recorded, one.window.times)
            for column, course in enumerate(courses):
                values = np.asarray(course[arm][:, at], dtype=np.float64)
                found[arm, :, column, place, 0] = (values * one.window.weights).sum(axis=1)
                beside = np.ascontiguousarray(values)
                found[arm, :, column, place, 1] = -highest(one.window.times, -beside)
                found[arm, :, column, place, 2] = highest(one.window.times, beside)
    label = {"long_name": "average, lowest and highest of a quantity over the dosing interval that ends on a day"}
    ended = {"units": "d", "long_name": "end of a dosing interval"}
    chance = np.array([_has_chance(study, arm) for arm in study.arms], dtype=np.int8)
    by_chance = {"long_name": "whether chance has a part in each dose, so that intervals tell nothing of each other"}
    followed_too: LabeledArrays = kept.assign(
        dosing_interval=(("arm", "member", "followed", "interval", "part"), found, label),
        interval_day=(("arm", "interval"), days, ended),
        interval_chance=("arm", chance, by_chance),
    ).assign_coords(followed=("followed", np.array(names, dtype=object)), part=("part", np.array(PARTS, dtype=object)))
    return followed_too


def run_study(
    study: Study, *, threads: int | None = None, progress: Callable[[int], None] | None = None
) -> tuple[Ensemble, LabeledArrays]:
    """Simulate a study and label the result, with what quantities do between doses; arguments as `simulate_study`.

    Of courses the ensemble keeps those of quantities that were observed in patients, else one: all are in the dataset.
    Patients are simulated a thousand at a time, and of no others is the whole state held.
    """
    intervals = intervals_of(study)
    recorded = recording(study, intervals)
    cohort, together = cohort_of(study), members_together(len(study.arms))
    parts: list[Ensemble] = []
    datasets: list[LabeledArrays] = []
    for first in range(0, cohort.members, together):
        people = members_at(cohort, np.arange(first, min(first + together, cohort.members)))
        found = simulate_study(recorded, people=people, threads=threads, progress=progress)
        datasets.append(with_intervals(study_dataset(study, found), study, intervals))
        parts.append(found.keeping(study.readings.quantities or study.quantities[:1]))
    return joined(parts, cohort), _joined(datasets)


def _joined(parts: Sequence[LabeledArrays]) -> LabeledArrays:
    """One dataset of those of some members each."""
    return parts[0] if len(parts) == 1 else side_by_side(parts, "member")


def _places(recorded: FloatArray, times: FloatArray) -> IntArray:
    """Where times were recorded; of one recorded twice, after what happens at it."""
    return np.searchsorted(recorded, times, side="right") - 1


def _has_chance(study: Study, arm: Arm) -> bool:
    """Whether doses of an arm may be missed, or differ in what arrives of them or what becomes of it."""
    occasions = study.scenario.occasions
    return (
        any(course.missing for course in arm.plan.courses)
        or any(occasion.sd_log for occasion in study.population.occasions)
        or (occasions is not None and any(spread for _, spread in occasions.spreads))
    )


def _days(study: Study, plan: Plan, *, every: bool) -> list[tuple[float, bool]]:
    """Ends of every interval, or of those that tell enough of a course, and whether each is a visit."""
    end = float(study.times[-1])
    given = np.unique(timetable_of(plan, study.model.routes, end).doses.time)
    found: dict[float, bool] = {}
    visits = [visit.day for visit in visits_at(study.times)]
    for first, last in stretches(given):
        usual = float(np.median(np.diff(given)))
        last = min(last, end)
        number = int((last - first) / usual + 1e-9)
        if number < 1:
            continue
        counts = np.arange(1.0, number + 1.0) if every else np.unique(np.geomspace(1, number, _ENVELOPE).round())
        found |= {day: False for day in (first + usual * counts).tolist()}
        found |= {day: True for day in visits if first < day <= last}
    return sorted(found.items())


def _times(study: Study, intervals: Sequence[Interval]) -> FloatArray:
    return np.unique(np.concatenate([study.times, *(one.window.times for one in intervals)]))
