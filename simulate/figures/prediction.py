"""What hypotheses say of what was not measured: courses with bands, doses, and who is affected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from simulate.figures.style import COLORS, FAINT, GRAY, MILLIMETER, WIDTH, styled
from simulate.studies.prediction.prediction import Prediction
from simulate.studies.prediction.questions import UNTREATED
from simulate.trials.design import TrialDesign

_HEIGHT = 165.0

_COLUMNS = 3
_MOST = 2 * _COLUMNS
"""Quantities whose courses are drawn, at most."""

_MARKERS = ("o", "s")

_LINES = ("-", (0, (4, 1.5)), (0, (1, 1)))
"""Where colors return, lines differ."""

_PAPER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
"""What stands behind a text over lines."""

_SAID = "lines: medians; bands and bars: 90 % of the populations that a fit, or the prior, holds possible"

_LEAST = 1.0
"""Axes reach at least as far, so that what does not move is seen not to."""

_NOTHING = 0.01
"""Change in % that is none to a reader: an axis would have but zero on it."""

_MOST_LINES = 6
"""Hypotheses beyond which each has a row of its own: more lines, and bands over each other, nobody tells apart."""

_ROW, _AROUND = 3.6, 17.0
"""Height of a row and of what stands around rows, mm."""

_ROWS_SAID = "dots: medians; bars: 90 % of the populations that a fit, or the prior, holds possible"


def prediction_figure(predictions: Sequence[Prediction]) -> Figure:
    """Draw predictions of several hypotheses for one trial: courses of quantities, the answer to doses, responders.

    More hypotheses than can be told apart as lines have a row each, with the change at the last visit of the trial and
    after the wash-out in place of courses.
    """
    design = predictions[0].trial
    seen = design.foreseen
    main = seen.main[: _COLUMNS - 1]
    known = {quantity for part in predictions for quantity, _ in part.courses}
    drawn = [name for name in seen.titles if name in known][:_MOST]
    are_rows = len(predictions) > _MOST_LINES
    height = 3 * (_ROW * len(predictions) + _AROUND) if are_rows else _HEIGHT
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, height * MILLIMETER), layout="constrained")
        panels = figure.subplots(3, _COLUMNS)
        for axes in panels.flat:
            axes.set_visible(False)
        for axes, quantity in zip(panels.flat, drawn, strict=False):
            axes.set_visible(True)
            (_course_rows if are_rows else _courses)(axes, predictions, quantity, design)
        for axes, quantity in zip(panels[2], main, strict=False):
            axes.set_visible(True)
            (_dose_rows if are_rows else _doses)(axes, predictions, quantity, design)
        if design.response is not None:
            panels[2, -1].set_visible(True)
            _groups(panels[2, -1], predictions, main, design, is_one_color=are_rows)
        if are_rows:
            for axes in panels.flat:
                _name_rows(axes, predictions, has_names=axes in panels[:, 0])
            end = design.foreseen.days[-1] / 7.0
            sources = list(dict.fromkeys(part.source for part in predictions))
            said = _ROWS_SAID + (f" ({sources[0]})" if len(sources) == 1 else "")
            handles = [
                Line2D([], [], color=COLORS[0], marker="o", markersize=3.0, label=f"week {end:g}"),
                Line2D([], [], label=f"week {predictions[0].days[-1] / 7.0:g}, after the wash-out", **_HOLLOW),
            ]
            figure.legend(handles=handles, loc="outside lower center", ncols=2, title=said)
        else:
            handles = [
                Line2D([], [], **_style(index), label=f"{part.hypothesis} ({part.source})")
                for index, part in enumerate(predictions)
            ]
            figure.legend(handles=handles, loc="outside lower center", ncols=4, title=_SAID)
    return figure


_HOLLOW: dict[str, Any] = {
    "color": COLORS[1], "marker": "o", "markersize": 3.0, "markerfacecolor": "white", "markeredgewidth": 0.8,
    "linestyle": "none",
}  # fmt: skip


def _name_rows(axes: Axes, predictions: Sequence[Prediction], *, has_names: bool) -> None:
    """Give each hypothesis its row, the first at the top, and its name left of the first column."""
    several = len({part.source for part in predictions}) > 1
    names = [f"{part.hypothesis} ({part.source})" if several else part.hypothesis for part in predictions]
    axes.set(yticks=range(len(predictions)), ylim=(len(predictions) - 0.5, -0.5))
    axes.set_yticklabels(names if has_names else [""] * len(names))
    axes.tick_params(axis="y", length=0.0)
    axes.hlines(
        range(len(predictions)), 0.0, 1.0, transform=axes.get_yaxis_transform(), color=FAINT, linewidth=0.2, zorder=0
    )


def _course_rows(axes: Axes, predictions: Sequence[Prediction], quantity: str, design: TrialDesign) -> None:
    last, shown = design.foreseen.days[-1], [0.0]
    for row, part in enumerate(predictions):
        found = part.courses.get((quantity, design.dose))
        if found is None:
            axes.text(
                0.5, row, "not in the model", transform=axes.get_yaxis_transform(), color=GRAY, ha="center", va="center"
            )
            continue
        low, median, high = found[:, int(np.flatnonzero(part.days == last)[0])]
        axes.plot((low, high), (row, row), color=COLORS[0], linewidth=1.0)
        axes.plot(found[1, -1], row, **_HOLLOW)
        axes.plot(median, row, "o", color=COLORS[0], markersize=3.0)
        shown += [low, high, found[1, -1]]
    axes.axvline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    axes.set_xlabel("change (%)")
    axes.set_title(f"{design.foreseen.titles[quantity]}, {design.dose:g} {design.dose_unit}", loc="left")
    _reach(axes.xaxis, shown)


def _dose_rows(axes: Axes, predictions: Sequence[Prediction], quantity: str, design: TrialDesign) -> None:
    """Medians at each dose, the larger the dose the larger the dot."""
    seen = design.foreseen
    doses, last, shown = (UNTREATED, *seen.doses), seen.days[-1], [0.0]
    for row, part in enumerate(predictions):
        place = int(np.flatnonzero(part.days == last)[0])
        medians = [float(part.courses[quantity, dose][1, place]) for dose in doses]
        axes.plot((min(medians), max(medians)), (row, row), color=COLORS[0], linewidth=0.6)
        for order, median in enumerate(medians):
            axes.plot(
                median, row, "o", color=COLORS[0], markersize=1.6 + 0.9 * order, markeredgewidth=0.6,
                markerfacecolor="white" if doses[order] == UNTREATED else COLORS[0],
            )  # fmt: skip
        shown += medians
    axes.axvline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    told = ", ".join(f"{dose:g}" for dose in doses)
    axes.set_xlabel(f"change, week {last / 7.0:g} (%)\nsmall to large: {told} {design.dose_unit}")
    axes.set_title(f"{seen.titles[quantity]} by dose, medians", loc="left")
    _reach(axes.xaxis, shown)


def _reach(axis: Axis, shown: Sequence[float]) -> None:
    """Let an axis of changes reach `_LEAST` at least; where nothing changes it has zero alone, and says so."""
    largest = max(map(abs, shown))
    is_x = isinstance(axis, XAxis)
    low, high = sorted(axis.get_view_interval())
    set_limits: Callable[..., object] = axis.axes.set_xlim if is_x else axis.axes.set_ylim
    set_limits(min(low, -_LEAST), max(high, _LEAST))
    if largest < _NOTHING:
        axis.set_major_locator(FixedLocator([0.0]))
        at: dict[str, Any] = (
            {"x": 0.97, "ha": "right", "y": 1.0, "va": "top"} if is_x else {"x": 0.5, "ha": "center", "y": 0.75}
        )
        axis.axes.text(s="no change in any", transform=axis.axes.transAxes, color=GRAY, bbox=_PAPER, **at)


def _style(index: int) -> dict[str, Any]:
    return {"color": COLORS[index % len(COLORS)], "linestyle": _LINES[index // len(COLORS) % len(_LINES)]}


def _courses(axes: Axes, predictions: Sequence[Prediction], quantity: str, design: TrialDesign) -> None:
    seen = design.foreseen
    for index, part in enumerate(predictions):
        found = part.courses.get((quantity, design.dose))
        if found is None:
            continue
        weeks = part.days / 7.0
        axes.fill_between(weeks, found[0], found[2], color=COLORS[index % len(COLORS)], alpha=0.12, linewidth=0.0)
        axes.plot(weeks, found[1], **_style(index))
    axes.axhline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    axes.axvline(design.end / 7.0, color=FAINT, linewidth=0.6, linestyle=":", zorder=0.5)
    axes.set(
        xlabel="weeks (dotted: last dose)", ylabel="change (%)",
        xticks=(0, *(day / 7.0 for day in seen.days[1:]), (design.end + seen.wash_out) / 7.0),
    )  # fmt: skip
    known = [found for part in predictions if (found := part.courses.get((quantity, design.dose))) is not None]
    _reach(axes.yaxis, np.concatenate([[0.0], *(found.ravel() for found in known)]).tolist())
    axes.set_title(f"{seen.titles[quantity]}, {design.dose:g} {design.dose_unit}", loc="left")


def _doses(axes: Axes, predictions: Sequence[Prediction], quantity: str, design: TrialDesign) -> None:
    seen = design.foreseen
    doses, last = (UNTREATED, *seen.doses), seen.days[-1]
    for index, part in enumerate(predictions):
        place = int(np.flatnonzero(part.days == last)[0])
        bands = np.array([part.courses[quantity, dose][:, place] for dose in doses]).T
        axes.fill_between(doses, bands[0], bands[2], color=COLORS[index % len(COLORS)], alpha=0.12, linewidth=0.0)
        axes.plot(doses, bands[1], marker="o", markersize=2.5, **_style(index))
    axes.axhline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    axes.set(xlabel=f"dose ({design.dose_unit})", ylabel=f"change, week {last / 7.0:g} (%)", xticks=doses)
    axes.set_title(f"{seen.titles[quantity]} by dose", loc="left")


def _groups(
    axes: Axes, predictions: Sequence[Prediction], main: Sequence[str], design: TrialDesign, *, is_one_color: bool
) -> None:
    shifts = np.linspace(-0.15, 0.15, len(main)).tolist() if len(main) > 1 else [0.0]
    for quantity, marker, shift in zip(main, _MARKERS, shifts, strict=False):
        for index, part in enumerate(predictions):
            answer = next(row for row in part.answers if row.question.key == f"{quantity} who")
            if answer.band is not None:
                color = COLORS[0 if is_one_color else index % len(COLORS)]
                axes.plot((answer.band.low, answer.band.high), (index + shift,) * 2, color=color, linewidth=1.0)
                axes.plot(answer.band.median, index + shift, marker, color=color, markersize=3.0)
    axes.axvline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    titles = design.foreseen.titles
    names = ", ".join(f"{sign} {titles[quantity]}" for sign, quantity in zip("●■", main, strict=False))
    axes.set(yticks=range(len(predictions)), ylim=(len(predictions) - 0.5, -0.5), xlabel=f"points of % ({names})")
    axes.set_yticklabels([part.hypothesis for part in predictions])
    axes.set_title("Responders less others, at stop", loc="left")
