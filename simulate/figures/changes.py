"""Panels of paired changes since baseline over time, with the directions that were reported as arrows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulate.arrays import LabeledArrays
from simulate.evidence.observations import Observations, Standing, of_all, of_arm
from simulate.figures.bands import MOST_BANDS, ROOM, bands_of, draw_bands, label_y, shown_of_bands, titled
from simulate.figures.few_patients import FewPatients, draw_lines, few_patients
from simulate.figures.style import FAINT, INK, color, plain_number, title_of
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import quantity_names
from simulate.studies.paired import (
    ENDPOINTS,
    TITLES,
    courses_of_change,
    draws_of_members,
    percent_of,
    summed_up,
    treated_by,
)
from simulate.studies.values import seen_members

LETTERS = 27
"""Letters in a line of the title of one of four panels in a row."""

_NEAR = 4.0
_MARGIN = 0.36
_LINE = 0.085


@dataclass(frozen=True, slots=True)
class Arrow:
    """A reported direction."""

    #: Day of the visit, and ``up`` or ``down``.
    day: float
    way: str
    #: For each arm, the share of its patients who go that way; None for an arm that is not treated so by then.
    shares: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ChangePanel:
    """What one panel shows."""

    #: Name, meaning, and the unit of the change.
    quantity: str
    title: str
    unit: str
    bands: FloatArray  #: Quantiles of the changes of the patients, shape [arm, level, time]
    arrows: tuple[Arrow, ...]  #: Reported directions within the time shown
    #: Changes of each patient, shape [arm, patient, time], where they are too few for bands.
    lines: FloatArray | None = None


def change_panels(dataset: LabeledArrays, observations: Observations) -> tuple[ChangePanel, ...]:
    """Panels for those of `ENDPOINTS` that a dataset has."""
    names = quantity_names(dataset)
    return tuple(_panel(dataset, name, observations) for name in ENDPOINTS if name in names)


def _panel(dataset: LabeledArrays, name: str, observations: Observations) -> ChangePanel:
    changes, unit = courses_of_change(dataset, name)
    days = np.asarray(dataset["time"].values, dtype=np.float64)
    arrows = []
    named = [str(arm) for arm in dataset["arm"].values]
    for item in of_all(observations):
        if item.quantity != name or item.direction is None or item.standing is Standing.HEALTHY:
            continue
        place = int(np.abs(days - item.day).argmin())
        if place and abs(float(days[place]) - item.day) <= _NEAR:
            treated = [
                given and item in of_arm(observations, arm)
                for arm, given in zip(named, treated_by(dataset, item.day), strict=True)
            ]
            summed = [summed_up(changes[arm][:, place], np.ones(changes.shape[1])) for arm in range(len(changes))]
            shares = tuple(
                (one.up if item.direction == "up" else one.down) if given else None
                for one, given in zip(summed, treated, strict=True)
            )
            arrows.append(Arrow(float(days[place]), item.direction, shares))
    title = TITLES.get(name, title_of(dataset, name))
    seen, few = seen_members(dataset), few_patients(dataset)
    lines = None if few is None else few.lines(np.where(seen, changes, np.nan))
    return ChangePanel(name, title, unit, bands_of(changes, seen, draws_of_members(dataset)), tuple(arrows), lines)


def draw_changes(
    axes: Axes, panel: ChangePanel, days: FloatArray, letter: str, label: str, few: FewPatients | None = None
) -> None:
    """Draw a panel: bands, or lines of few patients, about a line of no change.

    ``label`` is that of the y axis; empty where a neighbor has it.
    """
    axes.axhline(0.0, color=FAINT, linewidth=0.6, zorder=0)
    if few is not None and panel.lines is not None:
        draw_lines(axes, days, panel.lines, few)
    else:
        draw_bands(axes, days, panel.bands)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(plain_number))
    titled(axes, panel.title, letter, width=LETTERS)
    label_y(axes, label)
    shown = shown_of_bands(panel.bands) if panel.lines is None else panel.lines[np.isfinite(panel.lines)]
    low, high = min(0.0, *shown.tolist()) if len(shown) else -1.0, max(0.0, *shown.tolist()) if len(shown) else 1.0
    least = 0.05 * max(high - low, 20.0 if panel.unit == "%" else 0.0) or 1.0
    # An arrow needs room on its side of no change, and so has a band that barely moves.
    ways = {arrow.way for arrow in panel.arrows}
    room = 0.3 * (high - low)
    axes.set_ylim(min(low - least, -room if "down" in ways else 0.0), max(high + least, room if "up" in ways else 0.0))


def draw_arrows(axes: Axes, panel: ChangePanel, end: float) -> None:
    """Draw the first reported direction and the shares of each arm; lengthens the axis of time, which must be set."""
    told = [arrow for arrow in panel.arrows if any(share is not None for share in arrow.shares)]
    if not told:
        return
    arrow = told[0]
    left, right = axes.get_xlim()
    # Bars of many arms stand between the curves and the arrow.
    bars = ROOM if len(panel.bands) > MOST_BANDS and panel.lines is None else 0.0
    axes.set_xlim(left, right + (_MARGIN + bars) * end)
    axes.spines["bottom"].set_bounds(left, right)
    bottom, top = axes.get_ylim()
    x, tip = (1.1 + bars) * end, top if arrow.way == "up" else bottom
    axes.annotate(
        "",
        (x, 0.85 * tip),
        (x, 0.0),
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.0, "shrinkA": 0.0, "shrinkB": 0.0},
        annotation_clip=False,
        zorder=50,
    )
    lines = [
        (f"{percent_of(share)} %", INK if len(arrow.shares) == 1 else color(arm))
        for arm, share in enumerate(arrow.shares)
        if share is not None
    ]
    if end - arrow.day > _NEAR:
        lines.insert(0, (f"day {arrow.day:g}:", INK))
    middle = (0.5 * tip - bottom) / (top - bottom)
    first = min(middle + 0.5 * _LINE * (len(lines) - 1), 0.96)
    for line, (text, shade) in enumerate(lines):
        axes.text(
            x + 0.04 * end,
            first - _LINE * line,
            text,
            transform=axes.get_xaxis_transform(),
            color=shade,
            va="center",
            ha="left",
            zorder=50,
        )
