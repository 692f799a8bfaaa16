"""The same trial with another day of the last visit, and the patients who are expected to be still in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from simulate.cohort.population import Retained, staying
from simulate.errors import InputError
from simulate.trials.design import TrialDesign, Visit


def lasting(design: TrialDesign, day: float, name: str, retention: Sequence[Retained] = ()) -> TrialDesign:
    """A trial like another one, but for the day of its last visit; it has reported nothing.

    Visits between stay as they are up to that day. What was asked of the last visit, or of one after the day, is asked
    of the new last visit; its last dose comes as long before it as before. As many are in the study as `_still_in`
    says, and of these the same share has readings as at the last visit of the other one.

    Parameters
    ----------
    design
        The other one.
    day, name
        When its last visit is, and how a reader is told.
    retention
        How many of its population stay in a study.

    Raises
    ------
    InputError
        ``trial.end``: not after the first visit. ``trial.visit``; ``trial.window``.
    """
    if not day > design.first:
        raise InputError(
            f"the trial would end on day {day:g}",
            code="trial.end",
            expected=f"a day after the first visit, that of day {design.first:g}",
        )
    last = design.visits[-1]
    kept = [visit for visit in design.visits[:-1] if visit.day < day]
    gap = None if last.last_dose is None else last.day - last.last_dose
    n, last_known = (None, None) if last.n is None else _still_in(design, day, retention)
    end = Visit(name, day, None if gap is None else max(0.0, day - gap), n, last_known)
    kept_of = 1.0 if last.n is None or n is None else n / last.n

    def at(old: float) -> float:
        return old if old in [visit.day for visit in kept] else day

    response = design.response
    outcomes = [replace(part, last=at(part.last)) for part in design.outcomes if part.first < day]
    return replace(
        design,
        visits=(*kept, end),
        readouts=tuple(
            replace(part, samples=(*part.samples[: len(kept)], part.samples[-1] * kept_of) if part.samples else ())
            for part in design.readouts
        ),
        response=None if response is None else replace(response, day=at(response.day)),
        outcomes=tuple({part.asked: part for part in reversed(outcomes)}.values())[::-1],
        foresight=None,
        evidence=None,
    )


def _still_in(design: TrialDesign, day: float, retention: Sequence[Retained]) -> tuple[float, float | None]:
    """Patients of a trial who are expected in it on a day; and the day of the last figure, if that is earlier.

    At its visits they are as many as the trial says. Between these they leave when those of the population do, or at a
    constant hazard where all of these stay; after the last they go on leaving as the population does.
    """
    said = [(0.0, float(design.n)), *((visit.day, visit.n) for visit in design.visits if visit.n and visit.day > 0.0)]
    (start, before), after = (
        max(point for point in said if point[0] <= day),
        [point for point in said if point[0] > day],
    )
    there, here = staying(retention, start), staying(retention, day)
    if not after:
        known = max([start, *(row.day for row in retention)])
        return before * here / there, known if known < day else None
    end, left = after[0]
    lost = math.log(there / staying(retention, end))
    passed = math.log(there / here) / lost if lost else (day - start) / (end - start)
    return before * (left / before) ** passed, None
