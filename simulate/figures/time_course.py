"""Small multiples of a cohort over time: changes and levels, bands of each arm, doses, and what the source printed."""

from __future__ import annotations

import math
import string
import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from simulate.arrays import LabeledArrays
from simulate.evidence.observations import Observations, Standing, of_all
from simulate.figures.axes import Multiples, PlainNumbers, panel_axes
from simulate.figures.bands import MOST_BANDS, area, dashes, draw_bands, fill, label_y, place_beside, titled
from simulate.figures.changes import ChangePanel, change_panels, draw_arrows, draw_changes
from simulate.figures.few_patients import (
    FewPatients,
    draw_lines,
    draw_observed,
    few_patients,
    legend_of_few,
    legend_of_observed,
    name_lines,
    zigzags,
)
from simulate.figures.panels import Mark, Panel, panels_of
from simulate.figures.style import (
    FAINT,
    GRAY,
    INK,
    MILLIMETER,
    NO_UNITS,
    WIDTH,
    around,
    color,
    counted,
    lacks_units,
    plain_number,
    spelling,
    styled,
)
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.datasets import draws_in, pooled, quantity_names
from simulate.studies.observed import ObservedValue
from simulate.studies.paired import FEWEST_DRAWN, draws_of_members
from simulate.studies.values import (
    counts_dropout,
    resolution_of,
    seen_members,
    stopped_members,
    terms_of,
    values_of_finished,
)
from simulate.studies.visits import in_time_unit, time_unit_of

_PANEL_HEIGHT = 31.0
_TALLEST = 246.0
_LEGEND_LETTERS = 130
_MONTH = 365.25 / 12.0
_SEPARATE_DOSES = 40
_EARLY = 0.1
_DOT: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.6, "markeredgewidth": 0.8}


_CAPPED = Path([(-0.5, -1.0), (0.5, -1.0), (0.0, -1.0), (0.0, 1.0), (-0.5, 1.0), (0.5, 1.0)], [1, 2, 1, 2, 1, 2])
"""A bar with a dash at each end."""

_STANDINGS = {
    Standing.REPORTED: ("source: mean and range", INK, INK),
    Standing.INFERRED: ("source, inferred", GRAY, "white"),
    Standing.AMBIGUOUS: ("source, ambiguous", GRAY, GRAY),
    Standing.DISPUTED: ("source, disputed", INK, "white"),
}
"""Text in the legend, color of the edge and of the face."""


def time_course(
    dataset: LabeledArrays,
    observations: Observations = (),
    *,
    quantities: Sequence[str] | None = None,
    observed: Sequence[ObservedValue] = (),
) -> Figure:
    """Draw the time course of a simulated cohort: changes since baseline first, levels below.

    Parameters
    ----------
    dataset
        Result of a run.
    observations
        Printed figures, drawn where their quantity and their visit are shown; disputed ones are hollow.
    quantities
        Whose levels to draw, a panel each, without changes. If not given: `STORY`, or the first `MAX_PANELS` of a
        dataset without some of them, below the changes of what of `simulate.studies.paired.ENDPOINTS` it has.
    observed
        What was observed in the patients, drawn as points; their quantities have panels in any case.

    Returns
    -------
    Figure
        180 mm wide; save it with `simulate.figures.style.save`.
    """
    dataset = pooled(dataset)
    panels = panels_of(dataset, of_all(observations), quantities=quantities, observed=observed)
    few = few_patients(dataset)
    changes = change_panels(dataset, observations) if quantities is None else ()
    columns = min(3, len(panels))
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, _TALLEST * MILLIMETER))
        above = [panel_axes(figure) for _ in changes]
        grid = [panel_axes(figure) for _ in panels]
        doses = _dose_rows(dataset, few)
        days = np.asarray(dataset["time"].values, dtype=np.float64)
        end, shown_in = float(days[-1]), time_unit_of(dataset)
        staying = _still_there(dataset) if counts_dropout(dataset) or stopped_members(dataset).any() else None
        arms = {str(name): arm for arm, name in enumerate(dataset["arm"].values)}
        letters = iter(string.ascii_lowercase)
        for index, change in enumerate(changes):
            axes = above[index]
            label = "change since baseline (%)" if index == 0 else ""
            draw_changes(axes, change, days, next(letters), label if change.unit == "%" else change.unit, few)
            _draw_doses(axes, doses)
            _time_axis(axes, end, shown_in=shown_in, rows_below=len(doses), labeled=False, staying=staying)
            axes.tick_params(axis="x", labelbottom=True)
            draw_arrows(axes, change, end)
        for index, panel in enumerate(panels):
            axes = grid[index]
            _draw(axes, panel, days, next(letters), few, arms)
            if panel.residue is not None:
                _draw_nothing(axes, panel.residue)
            elif not panel.logarithmic and not panel.marks and not panel.observed:
                shown = panel.bands if panel.lines is None else panel.lines
                around(axes, shown, resolution_of(dataset), terms_of(dataset, panel.quantity))
            if few is not None and panel.lines is not None:
                name_lines(axes, days, panel.lines, few)
            _draw_doses(axes, doses)
            is_lowest = index + columns >= len(panels)
            _time_axis(axes, end, shown_in=shown_in, rows_below=len(doses), labeled=is_lowest, staying=staying)
        _legend(figure, dataset, panels, changes, few)
        rows = [grid[first : first + columns] for first in range(0, len(grid), columns)]
        multiples = Multiples([[above] if above else [], rows])
        multiples.fit(figure, _PANEL_HEIGHT * MILLIMETER, _TALLEST * MILLIMETER)
        figure.set_layout_engine(multiples)
    return figure


def _draw(
    axes: Axes, panel: Panel, days: FloatArray, letter: str, few: FewPatients | None, arms: Mapping[str, int]
) -> None:
    if few is not None and panel.lines is not None:
        draw_lines(axes, days, panel.lines, few)
    else:
        draw_bands(axes, days, panel.bands)
    draw_observed(axes, panel.observed, arms, few, is_averaged=panel.envelope is not None)
    if panel.envelope is not None:
        _draw_swings(axes, days, panel, few)
        axes.autoscale_view()
    for mark in panel.marks:
        _draw_mark(axes, mark)
    if panel.logarithmic:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        # Below two decades the powers of ten alone would be one number on the axis.
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 300.0 * low else (1.0,), numticks=8))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(spelling(low, high)))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        low, high = axes.get_ylim()
        if 0.0 < low < 0.5 * high:
            axes.set_ylim(bottom=0.0)
    titled(axes, panel.title, letter)
    label_y(axes, panel.label)


def _draw_nothing(axes: Axes, residue: float) -> None:
    """An axis with zero alone, and what is left of it by rounding."""
    axes.set_ylim(-1.0, 1.0)
    axes.yaxis.set_major_locator(FixedLocator([0.0]))
    said = f"zero: never more than {plain_number(10.0 ** math.ceil(math.log10(residue)), None)}"
    axes.text(0.5, 0.75, said, transform=axes.transAxes, ha="center", va="center", color=GRAY)


def _swinging(envelope: FloatArray) -> list[int]:
    """Arms that are dosed regularly."""
    return [arm for arm, row in enumerate(envelope) if np.isfinite(row).any()]


def _has_room_for_hatches(panel: Panel) -> bool:
    """Hatches over each other would belong to no arm, and lines that zigzag are not seen on them."""
    is_alone = panel.envelope is not None and len(_swinging(panel.envelope)) == 1
    return is_alone and (panel.lines is None or not zigzags(panel.lines))


def _is_early(days: FloatArray, swing: FloatArray) -> bool:
    """Whether trough and peak [side, time] of an arm end so long before the end that there they would mislead."""
    there = days[np.isfinite(swing).all(axis=0)]
    return bool(there.size) and float(days[-1] - there[-1]) > _EARLY * float(days[-1])


def _draw_swings(axes: Axes, days: FloatArray, panel: Panel, few: FewPatients | None) -> None:
    """Draw trough to peak: of one arm over time, of several at the last dose, each beside the axes.

    Where doses end long before the end, on the day of the last.
    """
    envelope = panel.envelope
    assert envelope is not None
    is_hatched, is_gray = _has_room_for_hatches(panel), few is not None and few.by_patient
    # The bars of the bands stand in the first row beside the axes.
    row = int(len(envelope) > MOST_BANDS and panel.lines is None)
    for arm in _swinging(envelope):
        trough, peak = envelope[arm]
        if not is_hatched:
            last = np.flatnonzero(np.isfinite(trough) & np.isfinite(peak))[-1]
            end = float(days[-1])
            if _is_early(days, envelope[arm]):
                # Beside each other where several arms have their last dose on one day.
                at = float(days[last]) + 0.012 * end * arm
            else:
                at = place_beside(end, arm, len(envelope), row)
            axes.plot(
                [at, at], [trough[last], peak[last]], color=FAINT if is_gray else color(arm), linewidth=0.8,
                marker="_", markersize=2.5, clip_on=False, zorder=40,
            )  # fmt: skip
            continue
        shade = FAINT if is_gray else color(arm)
        hatched: dict[str, Any] = {"facecolor": "none", "hatch": "/////", "linewidth": 0.4, "alpha": 0.6, "zorder": 5}
        fill(axes, days, trough, peak, edgecolor=shade, **hatched)


def _draw_mark(axes: Axes, mark: Mark) -> None:
    edge, face = _STANDINGS[mark.standing][1:]
    if mark.low is not None and mark.high is not None:
        # An inverted range is drawn from the lesser to the greater.
        axes.plot([mark.day] * 2, sorted((mark.low, mark.high)), color=edge, linewidth=0.8, zorder=40, clip_on=False)
    if mark.mean is not None:
        axes.plot([mark.day], [mark.mean], color=edge, markerfacecolor=face, zorder=41, clip_on=False, **_DOT)


def _dose_rows(dataset: LabeledArrays, few: FewPatients | None) -> list[tuple[str, FloatArray]]:
    """Color and times of the doses of each arm that has some; one gray row where all arms have the same.

    Gray is also that of the one arm in which colors are of patients.
    """
    times = [row[np.isfinite(row)] for row in np.asarray(dataset["dose_time"].values, dtype=np.float64)]
    is_gray = few is not None and few.by_patient
    if (len(times) > 1 or is_gray) and times[0].size and all(np.array_equal(row, times[0]) for row in times):
        return [(GRAY, times[0])]
    return [(color(arm), row) for arm, row in enumerate(times) if row.size]


def _draw_doses(axes: Axes, rows: Sequence[tuple[str, FloatArray]]) -> None:
    """Draw ticks below the curves: one for each dose, or a bar where they would run into each other."""
    height = 0.022
    frame = axes.get_xaxis_transform()
    for row, (shade, given) in enumerate(rows):
        bottom = -0.035 - 1.3 * height * row
        if len(given) <= _SEPARATE_DOSES:
            axes.vlines(given, bottom, bottom + height, transform=frame, color=shade, linewidth=0.7, clip_on=False)
            continue
        gaps = np.diff(given)
        usual = float(np.median(gaps))
        breaks = np.flatnonzero(gaps > 2.5 * usual)
        starts, ends = given[[0, *(breaks + 1)]], given[[*breaks, len(given) - 1]] + usual
        bars = [
            [(x0, bottom), (x0, bottom + height), (x1, bottom + height), (x1, bottom)]
            for x0, x1 in zip(starts, ends, strict=True)
        ]
        axes.add_artist(area(bars, transform=frame, color=shade, linewidth=0.0, clip_on=False))


def _still_there(dataset: LabeledArrays) -> Callable[[float], str]:
    """How many patients whose values are shown are there on a day, as a text; a range where arms or draws differ."""
    days = np.asarray(dataset["time"].values, dtype=np.float64)
    there = ~np.isnan(values_of_finished(dataset, quantity_names(dataset)[0])) & seen_members(dataset)
    draws = draws_of_members(dataset)
    # A patient is one, in however many draws.
    own = [there] if draws is None else [there[:, draws == draw] for draw in np.unique(draws)]
    counts = np.concatenate([members.sum(axis=1) for members in own])

    def text(day: float) -> str:
        found = sorted({int(count) for count in counts[:, np.abs(days - day).argmin()]})
        return f"{found[0]}" if len(found) == 1 else f"{found[0]}–{found[-1]}"

    return text


def _time_axis(
    axes: Axes, end: float, *, shown_in: str, rows_below: int, labeled: bool, staying: Callable[[float], str] | None
) -> None:
    """Ticks in months or days, or in the unit in which times are shown.

    Where people leave, the number of those who stay stands below each.
    """

    def shown(day: float, label: str) -> str:
        return label if staying is None else f"{label}\n{staying(day)}"

    axes.set_xlim(-0.03 * end, 1.03 * end)
    if shown_in != "d":
        scale = in_time_unit(1.0, shown_in)
        # Long numbers would run into each other.
        locator = MaxNLocator(6 if 1.0 <= end * scale < 1e4 else 3)
        ticks = [tick for tick in locator.tick_values(0.0, end * scale) if 0.0 <= tick <= end * scale * 1.03]
        labels = PlainNumbers().format_ticks(ticks)
        _label_times(
            axes,
            [tick / scale for tick in ticks],
            [shown(tick / scale, own) for tick, own in zip(ticks, labels, strict=True)],
        )
        label = f"time ({shown_in})"
    elif end > 100.0:
        step = max(1, round(end / _MONTH / 4.0 / 3.0)) * 3 if end > 5.0 * _MONTH else 1
        months = np.arange(0, end / _MONTH + 0.1, step)
        _label_times(axes, (months * _MONTH).tolist(), [shown(month * _MONTH, f"{month:g}") for month in months])
        if end < 800.0:
            axes.xaxis.set_minor_locator(FixedLocator((np.arange(0, end / _MONTH + 0.1) * _MONTH).tolist()))
        label = "time (months)"
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6 if end >= 1.0 else 3))
        if staying is not None:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda day, _: shown(day, f"{day:g}")))
        label = "time (days)"
    axes.tick_params(axis="x", labelbottom=labeled, pad=2.0 + 3.4 * rows_below)
    if labeled:
        axes.set_xlabel(label if staying is None else f"{label}, patients in the study")


def _label_times(axes: Axes, days: Sequence[float], labels: Sequence[str]) -> None:
    # `set_xticks` would make an object for each tick.
    axes.xaxis.set_major_locator(FixedLocator(days))
    axes.xaxis.set_major_formatter(FixedFormatter(labels))


def _patch(alpha: float) -> Patch:
    return Patch(color=FAINT, alpha=alpha, linewidth=0.0)


def _bar(width: float) -> Line2D:
    return Line2D([], [], color=FAINT, linestyle="none", marker="|", markersize=7.0, markeredgewidth=width)


def _bands_legend(dataset: LabeledArrays) -> list[tuple[Any, str]]:
    """Handles of medians and bands, with their labels."""
    people = "those in the study" if counts_dropout(dataset) else _people(dataset)
    are_bars = dataset.sizes["arm"] > MOST_BANDS
    wide, narrow = (_bar(0.4), _bar(1.8)) if are_bars else (_patch(0.25), _patch(0.55))
    at_end = ", at the end" if are_bars else ""
    inner = f"50 % of {people}"
    if "draw" in dataset.coords:
        # Other patients would differ by more than draws that have the same.
        patients = dataset.sizes["member"] // draws_in(dataset)
        whose = "" if patients >= FEWEST_DRAWN else f", of these {patients} patients"
        inner = f"median in 90 % of {draws_in(dataset)} draws{whose}"
    line = Line2D([], [], color=FAINT)
    return [(line, "median"), (narrow, f"{inner}{at_end}"), (wide, f"90 % of {people}{at_end}")]


def _legend(
    figure: Figure,
    dataset: LabeledArrays,
    panels: Sequence[Panel],
    changes: Sequence[ChangePanel],
    few: FewPatients | None,
) -> None:
    found: list[tuple[Any, str]] = []
    for arm, name in enumerate(dataset["arm"].values) if few is None or not few.by_patient else ():
        line = Line2D([], [], color=color(arm), linestyle=dashes(arm))
        is_line = few is not None or dataset.sizes["arm"] > MOST_BANDS
        handle = line if is_line else (Patch(color=color(arm), alpha=0.28, linewidth=0.0), line)
        found.append((handle, "\n".join(textwrap.wrap(str(name), 48))))
    observed = [row for panel in panels for row in panel.observed]
    if few is None:
        found += [*_bands_legend(dataset), *legend_of_observed(observed)]
    else:
        draws = len(np.unique(dataset["draw"])) if "draw" in dataset.coords else 1
        is_averaged = any(panel.observed and panel.envelope is not None for panel in panels)
        has_medians = _has_medians(panels, changes, few)
        found += legend_of_few(few, observed, draws, is_averaged=is_averaged, has_medians=has_medians)
    if np.isfinite(np.asarray(dataset["dose_time"].values, dtype=np.float64)).any():
        is_averaged = any(panel.envelope is not None for panel in panels)
        label = "doses; values as each is given" if _is_seen_at_doses(dataset) and not is_averaged else "doses"
        found.append((Line2D([], [], color=FAINT, linewidth=2.5, solid_capstyle="butt"), label))
    found += _swings_legend(dataset, panels)
    shown = {mark.standing for panel in panels for mark in panel.marks}
    look = _DOT | {"linestyle": "-", "linewidth": 0.8}
    for standing, (label, edge, face) in _STANDINGS.items():
        if standing in shown:
            found.append((Line2D([], [], color=edge, markerfacecolor=face, **look), label))
    if any(change.arrows for change in changes):
        arrow = Line2D([], [], color=INK, linestyle="none", marker="^", markersize=4.0)
        found.append((arrow, "reported, and how many go that way"))
    if lacks_units(dataset, [panel.quantity for panel in panels]):
        found.append((Line2D([], [], linestyle="none"), NO_UNITS))
    handles, labels = zip(*found, strict=True)
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=_columns(labels),
        handler_map={tuple: HandlerTuple(ndivide=1)},
        borderaxespad=0.2,
        title=str(dataset["arm"].values[0]) if few is not None and few.by_patient else None,
        alignment="left",
    )


def _swings_legend(dataset: LabeledArrays, panels: Sequence[Panel]) -> list[tuple[Any, str]]:
    """Handles and labels of troughs and peaks, and of arms that have none where others do."""
    found: list[tuple[Any, str]] = []
    following = [_has_room_for_hatches(panel) for panel in panels if panel.envelope is not None]
    if not all(following):
        capped = Line2D([], [], color=FAINT, linestyle="none", marker=_CAPPED, markersize=7.0)
        days = np.asarray(dataset["time"].values, dtype=np.float64)
        envelopes = [panel.envelope for panel in panels if panel.envelope is not None]
        is_early = any(_is_early(days, swing) for own in envelopes for swing in own)
        told = "; on its day where doses end early" if is_early else ""
        found.append((capped, f"trough to peak about the last dose (median){told}"))
    if any(following):
        hatched = Patch(facecolor="none", edgecolor=FAINT, hatch="/////", linewidth=0.4)
        found.append((hatched, "trough to peak (median)"))
    for arm in _not_averaged(dataset, panels) if following else ():
        line = Line2D([], [], color=color(arm), linestyle=dashes(arm))
        found.append((line, "what follows the dose: as it is, of other arms averages between doses"))
    return found


def _not_averaged(dataset: LabeledArrays, panels: Sequence[Panel]) -> list[int]:
    """Arms with doses that have no average between them where another has: a rule changes them, say."""
    envelopes = [panel.envelope for panel in panels if panel.envelope is not None]
    dosed = np.isfinite(np.asarray(dataset["dose_time"].values, dtype=np.float64)).any(axis=1)
    averaged = {arm for envelope in envelopes for arm in _swinging(envelope)}
    return [arm for arm in np.flatnonzero(dosed).tolist() if arm not in averaged]


def _has_medians(panels: Sequence[Panel], changes: Sequence[ChangePanel], few: FewPatients) -> bool:
    """Whether lines of several patients are drawn with their median."""
    lines = [*(panel.lines for panel in panels), *(change.lines for change in changes)]
    return len(few.names) > 1 and any(own is not None and zigzags(own) for own in lines)


def _columns(labels: Sequence[str]) -> int:
    """As many as fit beside each other, each as wide as its longest label, of columns that are filled one by one."""
    letters = [max(map(len, label.split("\n"))) + 6 for label in labels]
    for columns in range(len(labels), 1, -1):
        # As Matplotlib deals them out: the first columns have one more where they cannot all have as many.
        rows, longer = divmod(len(letters), columns)
        starts = np.cumsum([0, *([rows + 1] * longer), *([rows] * (columns - longer))])
        widths = [max(letters[first:last]) for first, last in pairwise(starts.tolist())]
        if sum(widths) <= _LEGEND_LETTERS:
            return columns
    return 1


def _is_seen_at_doses(dataset: LabeledArrays) -> bool:
    """Whether all values under treatment are from the times of doses, so that what happens between them is not seen."""
    days = np.asarray(dataset["time"].values, dtype=np.float64)
    rows = [row[np.isfinite(row)] for row in np.asarray(dataset["dose_time"].values, dtype=np.float64)]
    # Nothing is between doses where there is one alone.
    courses = [given for given in rows if given.size > 1]
    return bool(courses) and all(
        np.isin(days[(days >= given[0]) & (days <= given[-1])], given).all() for given in courses
    )


def _people(dataset: LabeledArrays) -> str:
    """Whom the bands are of: how many did not fail, of how many."""
    if "draw" in dataset.coords:
        return "patients of all draws"
    finished = (np.asarray(dataset["status"].values) == Status.OK).sum(axis=1)
    return "patients" if dataset.sizes["member"] == 1 else counted(finished.tolist(), dataset.sizes["member"])
