"""Visits: the days at which a run is summarized."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.solver.kernel import FloatArray
from simulate.symbolic.units import convert, unit

VISITS = ((0.0, "baseline"), (91.0, "3 months"), (182.0, "6 months"), (364.0, "12 months"))
"""Days and names of the visits of the trial."""

VISIT_WINDOW = 4.0
"""Days by which a time of output, or of a reported value, may miss a visit."""


@dataclass(frozen=True, slots=True)
class SummaryVisit:
    """A time of output that stands for a visit: of the trial, planned for a day, or the end of the run."""

    index: int
    day: float
    name: str
    planned: float | None


def visits(dataset: LabeledArrays) -> tuple[SummaryVisit, ...]:
    """Visits of the trial that the run covers, and the end of the run where it is none of them.

    A run whose times are not shown in days has a beginning and an end alone.
    """
    days = np.asarray(dataset["time"].values, dtype=np.float64)
    shown = time_unit_of(dataset)
    if shown == "d":
        return visits_at(days)
    end = len(days) - 1
    return (
        SummaryVisit(0, float(days[0]), VISITS[0][1], 0.0),
        SummaryVisit(end, float(days[end]), time_words(float(days[end]), shown), None),
    )


def time_unit_of(dataset: LabeledArrays) -> str:
    """Unit in which the times of a run are shown."""
    return str(dataset.attrs.get("time_unit", "d"))


def in_time_unit(days: float, shown: str) -> float:
    """Days in the unit in which they are shown."""
    return convert(days, unit("d"), unit(shown))


def time_words(days: float, shown: str = "d") -> str:
    """A time as a reader is told it: ``day 182``, or ``50 h`` where times are shown in another unit."""
    if shown == "d":
        return f"day {days:g}"
    return f"{in_time_unit(days, shown):.6g}{' ×' if ' ' in shown else ''} {shown}"


def visits_at(days: FloatArray) -> tuple[SummaryVisit, ...]:
    """Visits of the trial that times of output, days, cover, and the last time where it is none of them."""
    end = len(days) - 1
    found: list[SummaryVisit] = []
    for day, name in VISITS:
        nearest = int(np.abs(days - day).argmin())
        if abs(float(days[nearest]) - day) <= VISIT_WINDOW and all(visit.index != nearest for visit in found):
            found.append(SummaryVisit(nearest, float(days[nearest]), name, day))
    if all(float(days[end]) - visit.day > min(VISIT_WINDOW, 0.1 * float(days[end])) for visit in found):
        found.append(SummaryVisit(end, float(days[end]), f"day {days[end]:g}", None))
    return tuple(found)
