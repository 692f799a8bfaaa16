"""Times at which a course must be recorded so that its average, trough and peak are found.

What a dose changes, it changes at once. So a course is cut where doses and infusions begin and end, on either side of
each cut there is a time to look, and between cuts the average is by Gauss's rule on panels that widen with the time
since the cut, as what fades does so the slower the later it is. Where the end of an infusion at a set rate differs
between patients, the cut is that of the typical patient.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from simulate.regimen.doses import Plan, exact
from simulate.regimen.steady import Kinetics
from simulate.regimen.stops import compile_schedule
from simulate.solver.kernel import FloatArray
from simulate.symbolic.model import Model

_PANELS, _NODES = 8, 5
_FEWEST_PANELS, _MANY_PANELS = 3, 400
_USUAL = Fraction(1)
"""Length for what is not given again and again, days."""

_AT_ONCE = 1e-9
"""How long after the start a dose at the start has been given, days; what is recorded at 0 is the baseline."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """An interval."""

    #: When to look, shape [time], days ascending. A time right before a cut stands for what is there before it.
    times: FloatArray
    weights: FloatArray  #: Of the values in their average, shape [time]; 0 for those at cuts


def last_interval(plan: Plan, day: Fraction) -> Fraction:
    """Length of the interval between doses in which a day lies or that it ends, days.

    Where several courses run side by side it is the longest of their intervals: after it all are as they were, if it is
    a multiple of the others. After the last dose it is the interval that the last course had.
    """
    found: list[tuple[Fraction, Fraction]] = []
    for course in plan.courses:
        end = day if course.until is None else min(day, course.until)
        if course.every is not None and course.start < end:
            last = course.start + (-(-(end - course.start) // course.every) - 1) * course.every
            found.append((last + course.every, course.every))
    if not found:
        return _USUAL
    due = max(next_one for next_one, _ in found)
    running = [every for next_one, every in found if next_one >= day]
    return max(running) if running else max(every for next_one, every in found if next_one == due)


def window_before(
    plans: Sequence[Plan],
    model: Model,
    day: float,
    horizon: float,
    patient: FloatArray,
    *,
    panels: int = _PANELS,
    nodes: int = _NODES,
) -> Window:
    """The last interval between doses before a day; a dose that somebody misses cuts an interval all the same."""
    start = max(Fraction(0), exact(day) - max(last_interval(plan, exact(day)) for plan in plans))
    return window(plans, model, float(start), day, horizon, patient, panels=panels, nodes=nodes)


def window(
    plans: Sequence[Plan],
    model: Model,
    start: float,
    day: float,
    horizon: float,
    patient: FloatArray,
    *,
    panels: int = _PANELS,
    nodes: int = _NODES,
) -> Window:
    """All that there is from one day to another, for whoever follows one of some prescriptions.

    Where infusions at a set rate end, depends on the parameters of the typical patient. There are so many panels
    between two cuts, fewer where there are many cuts, and so many nodes in each.
    """
    kept = [
        Plan(tuple(replace(course, missing=Fraction(0)) for course in plan.courses), plan.resets)
        for plan in dict.fromkeys(plans)
    ]
    kinetics = Kinetics(model, np.tile(patient, (len(kept), 1)))
    stops = np.unique(compile_schedule(kept, model.routes, horizon=horizon, kinetics=kinetics).times)
    cuts = [start, *(time for time in stops.tolist() if start < time < day), day]
    panels = max(_FEWEST_PANELS, min(panels, _MANY_PANELS // len(cuts)))
    shares = np.array([0.0, *2.0 ** np.arange(1.0 - panels, 1.0)])
    spots, heights = np.polynomial.legendre.leggauss(nodes)
    inside = (shares[:-1, np.newaxis] + np.diff(shares)[:, np.newaxis] * 0.5 * (spots + 1.0)).ravel()
    heavy = (np.diff(shares)[:, np.newaxis] * 0.5 * heights).ravel()
    times, weights = [], []
    for begin, end in itertools.pairwise(cuts):
        first = begin if begin > 0.0 else min(_AT_ONCE, 0.1 * inside[0] * end)
        times.append([first, *(begin + (end - begin) * inside), np.nextafter(end, 0.0)])
        weights.append([0.0, *((end - begin) * heavy), 0.0])
    total = np.concatenate(weights)
    return Window(np.concatenate(times), total / total.sum())


def highest(times: FloatArray, values: FloatArray) -> FloatArray:
    """Largest of the values [..., time]; where it is a smooth one, that of the parabola through its neighbors."""
    count = len(times)
    rows = np.ascontiguousarray(values).reshape(-1, count)
    # Of values without a number the first counts as the largest.
    summit, first = rows.argmax(axis=1), np.arange(0, rows.size, count)
    largest = rows.take(first + summit)
    at = np.minimum(np.maximum(summit, 1), count - 2)
    (t0, y0), (t1, y1), (t2, y2) = ((times.take(at + by), rows.take(first + at + by)) for by in (-1, 0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (y1 - y0) / (t1 - t0), (y2 - y1) / (t2 - t1)
        bend = (right - left) / (t2 - t0)
        slope = left + bend * (t1 - t0)
        rise = -0.25 * slope * slope / bend
    # A jump has no summit beside it: there the parabola would go far beyond.
    is_smooth = (y1 == largest) & (left > 0.0) & (right < 0.0) & (rise < np.minimum(y1 - y0, y1 - y2))
    found: FloatArray = np.where(is_smooth, y1 + rise, largest)
    return found.reshape(values.shape[:-1])
