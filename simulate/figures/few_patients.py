"""Fewer patients than make a band: a line for each, with what was observed in them as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from simulate.arrays import LabeledArrays
from simulate.figures.bands import dashes
from simulate.figures.style import FAINT, INK, color
from simulate.solver.kernel import FloatArray
from simulate.studies.observed import ObservedValue

FEW = 12
"""Patients of an arm from which on bands are drawn."""

_MARKERS = "os^DvPX<>*h"
_POINT: dict[str, Any] = {"linestyle": "none", "markersize": 3.2, "markeredgewidth": 0.6}
_LABEL = 5.5
_TURNS = 6.0
"""How many times its range a line goes up and down before it is said to zigzag."""
_ROOM = 0.095
"""Height of the label of a line as a share of a panel."""


@dataclass(frozen=True, slots=True, eq=False)
class FewPatients:
    """The patients of a dataset of which each has a line."""

    names: tuple[str, ...]  #: IDs, or numbers where they have none, in the order of the cohort
    places: tuple[tuple[int, ...], ...]  #: Of each, the members who stand for the patient: one, or one for each draw
    by_patient: bool  #: Whether colors tell patients apart: where there is one arm alone, and more than one patient
    has_ids: bool  #: Whether the names are IDs, which say who it is; a number says so only beside its color

    def lines(self, values: FloatArray) -> FloatArray:
        """Median of the members of each patient, shape [arm, patient, time], of values [arm, member, time]."""
        found = np.full((values.shape[0], len(self.places), values.shape[2]), np.nan)
        for place, members in enumerate(self.places):
            for arm, own in enumerate(values[:, members]):
                there = np.flatnonzero(np.isfinite(own).any(axis=0))
                found[arm, place, there] = np.nanmedian(own[:, there], axis=0)
        return found

    def shade(self, arm: int, patient: int) -> str:
        return color(patient if self.by_patient else arm)

    def pattern(self, arm: int, patient: int) -> Any:
        """Dashes of the line of a patient in an arm: colors return darker after the sixth patient."""
        return dashes(patient // 6 if self.by_patient else arm)

    def marker(self, name: str) -> str:
        return _MARKERS[self.names.index(name) % len(_MARKERS)]


def few_patients(dataset: LabeledArrays) -> FewPatients | None:
    """The patients of a pooled dataset if they are fewer than `FEW`."""
    numbers = np.asarray(dataset["member"].values)
    distinct = list(dict.fromkeys(numbers.tolist()))
    if len(distinct) >= FEW:
        return None
    places = [tuple(np.flatnonzero(numbers == number).tolist()) for number in distinct]
    named = "patient_id" in dataset.coords and len({str(name) for name in dataset["patient_id"].values}) == len(
        distinct
    )
    names = [str(dataset["patient_id"].values[own[0]]) for own in places] if named else [str(one) for one in distinct]
    # A model that is solved once has nobody to tell apart.
    by_patient = dataset.sizes["arm"] == 1 and (named or len(distinct) > 1)
    return FewPatients(tuple(names), tuple(places), by_patient, named)


def zigzags(lines: FloatArray) -> bool:
    """Whether some of lines [arm, patient, time] go up and down so often that together they would fill the panel."""
    for line in lines.reshape(-1, lines.shape[-1]):
        there = line[np.isfinite(line)]
        if len(there) > 1 and np.abs(np.diff(there)).sum() > _TURNS * np.ptp(there) > 0.0:
            return True
    return False


def draw_lines(axes: Axes, days: FloatArray, lines: FloatArray, few: FewPatients) -> None:
    """Draw lines [arm, patient, time]; where they zigzag thin and pale, with the median of each arm."""
    is_pale = lines.shape[1] > 1 and zigzags(lines)
    for arm, own in enumerate(lines):
        for patient, line in enumerate(own):
            shade, pattern = few.shade(arm, patient), few.pattern(arm, patient)
            if is_pale:
                alpha = 0.6 if few.by_patient else 0.3
                axes.plot(days, line, color=shade, linewidth=0.35, alpha=alpha, zorder=10 + arm)
            else:
                axes.plot(days, line, color=shade, linestyle=pattern, linewidth=0.9, zorder=10 + arm)
        there = np.flatnonzero(np.isfinite(own).any(axis=0))
        if is_pale and len(there):
            shade, median = INK if few.by_patient else color(arm), np.nanmedian(own[:, there], axis=0)
            axes.plot(days[there], median, color=shade, linestyle=dashes(arm), linewidth=1.3, zorder=20 + arm)


def name_lines(axes: Axes, days: FloatArray, lines: FloatArray, few: FewPatients) -> None:
    """Write the name of each patient at the end of the line, where no other line ends nearby; limits must be set.

    A number without a color of its own would be explained nowhere, and where a line that zigzags ends says nothing.
    """
    if (not few.by_patient and not few.has_ids) or zigzags(lines):
        return
    ends = []
    for arm, own in enumerate(lines):
        for patient, line in enumerate(own):
            there = np.flatnonzero(np.isfinite(line))
            if len(there):
                day, value = float(days[there[-1]]), float(line[there[-1]])
                height = axes.transAxes.inverted().transform(axes.transData.transform((day, value)))[1]
                ends.append((float(height), day, value, arm, patient))
    ends.sort()
    heights = np.array([end[0] for end in ends])
    for place, (_, day, value, arm, patient) in enumerate(ends):
        others = np.delete(heights, place)
        if not len(others) or np.abs(others - heights[place]).min() >= _ROOM:
            axes.annotate(
                few.names[patient], (day, value), xytext=(2.0, 0.0), textcoords="offset points", va="center",
                fontsize=_LABEL, color=few.shade(arm, patient), annotation_clip=False, zorder=45,
            )  # fmt: skip


def draw_observed(
    axes: Axes,
    observed: Sequence[ObservedValue],
    arms: Mapping[str, int],
    few: FewPatients | None,
    *,
    is_averaged: bool,
) -> None:
    """Draw observed values as points, those that say less than a limit hollow.

    ``is_averaged`` says that the lines are of averages between doses: then what is simulated at the very time is a
    dash, joined to the point.
    """
    for row in observed:
        arm = arms[row.arm]
        known = few is not None and row.patient_id in few.names
        shade = few.shade(arm, few.names.index(row.patient_id)) if few is not None and known else color(arm)
        mark = few.marker(row.patient_id) if few is not None and known else "o"
        if is_averaged and few is not None and row.simulated is not None:
            axes.plot([row.day] * 2, [row.simulated, row.observed], color=shade, linewidth=0.4, zorder=42)
            axes.plot([row.day], [row.simulated], color=shade, marker="_", **_POINT, zorder=43)
        axes.plot(
            [row.day], [row.observed], color=shade, marker=mark, markeredgecolor=INK if few is not None else shade,
            markerfacecolor="white" if row.below or few is None else shade, zorder=44, clip_on=False, **_POINT,
        )  # fmt: skip


def legend_of_few(
    few: FewPatients, observed: Sequence[ObservedValue], draws: int, *, is_averaged: bool, has_medians: bool = False
) -> list[tuple[Line2D, str]]:
    """Handles of lines and points, with their labels; ``is_averaged`` as for `draw_observed`, of any panel.

    ``has_medians`` says that in some panel lines zigzag.
    """
    found = []
    seen = {row.patient_id for row in observed}
    for patient, name in enumerate(few.names):
        if few.by_patient or name in seen:
            mark: dict[str, Any] = _POINT | {"marker": few.marker(name), "markeredgecolor": INK} if name in seen else {}
            shade = few.shade(0, patient) if few.by_patient else FAINT
            line = {"linestyle": few.pattern(0, patient) if few.by_patient else "none"}
            found.append((Line2D([], [], color=shade, **(mark | line)), f"patient {name}"))
    one = Line2D([], [], color=FAINT, linewidth=0.9)
    if len(few.names) == 1 and not few.has_ids:
        # The line is the one of the arm.
        if draws > 1:
            found.append((one, f"median of {draws} draws"))
    elif not few.by_patient or draws > 1:
        people = "each patient" + (", ID at its end where there is room" if few.has_ids and not few.by_patient else "")
        found.append((one, people + (f", median of {draws} draws" if draws > 1 else "")))
    if has_medians:
        thick = Line2D([], [], color=INK if few.by_patient else FAINT, linewidth=1.3)
        found.append((thick, "thick: median patient, where lines zigzag"))
    units = {row.unit for row in observed}
    unit = f", in {units.pop()}" if len(units) == 1 else ", in the unit of the axis"
    for is_below, label in ((False, f"observed{unit}"), (True, f"observed to be below{unit}")):
        if any(row.below == is_below for row in observed):
            face = "white" if is_below else FAINT
            point = Line2D([], [], color=FAINT, marker="o", markeredgecolor=INK, markerfacecolor=face, **_POINT)
            found.append((point, label))
    if is_averaged and observed:
        found.append((Line2D([], [], color=FAINT, marker="_", **_POINT), "simulated at that hour"))
    return found


def legend_of_observed(observed: Sequence[ObservedValue]) -> list[tuple[Line2D, str]]:
    """As `legend_of_few`, of points over bands."""
    point = Line2D([], [], color=FAINT, marker="o", markerfacecolor="white", **_POINT)
    return [(point, "observed")] if observed else []
