"""What hypotheses say of what was not measured: courses with bands, doses, and who is affected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.style import COLORS, FAINT, MILLIMETER, WIDTH, styled
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

_SAID = "lines: medians; bands and bars: 90 % of the populations that a fit, or the prior, holds possible"

_LEAST = 1.0
"""Axes reach at least as far, so that what does not move is seen not to."""


def prediction_figure(predictions: Sequence[Prediction]) -> Figure:
    """Draw predictions of several hypotheses for one trial: courses of quantities, the answer to doses, responders."""
    design = predictions[0].trial
    seen = design.foreseen
    main = seen.main[: _COLUMNS - 1]
    known = {quantity for part in predictions for quantity, _ in part.courses}
    drawn = [name for name in seen.titles if name in known][:_MOST]
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, _HEIGHT * MILLIMETER), layout="constrained")
        panels = figure.subplots(3, _COLUMNS)
        for axes in panels.flat:
            axes.set_visible(False)
        for axes, quantity in zip(panels.flat, drawn, strict=False):
            axes.set_visible(True)
            _courses(axes, predictions, quantity, design)
        for axes, quantity in zip(panels[2], main, strict=False):
            axes.set_visible(True)
            _doses(axes, predictions, quantity, design)
        if design.response is not None:
            panels[2, -1].set_visible(True)
            _groups(panels[2, -1], predictions, main, design)
        handles = [
            Line2D([], [], **_style(index), label=f"{part.hypothesis} ({part.source})")
            for index, part in enumerate(predictions)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, title=_SAID)
    return figure


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
    low, high = axes.get_ylim()
    axes.set(
        xlabel="weeks (dotted: last dose)", ylabel="change (%)",
        xticks=(0, *(day / 7.0 for day in seen.days[1:]), (design.end + seen.wash_out) / 7.0),
        ylim=(min(low, -_LEAST), max(high, _LEAST)),
    )  # fmt: skip
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


def _groups(axes: Axes, predictions: Sequence[Prediction], main: Sequence[str], design: TrialDesign) -> None:
    shifts = np.linspace(-0.15, 0.15, len(main)).tolist() if len(main) > 1 else [0.0]
    for quantity, marker, shift in zip(main, _MARKERS, shifts, strict=False):
        for index, part in enumerate(predictions):
            answer = next(row for row in part.answers if row.question.key == f"{quantity} who")
            if answer.band is not None:
                color = COLORS[index % len(COLORS)]
                axes.plot((answer.band.low, answer.band.high), (index + shift,) * 2, color=color, linewidth=1.0)
                axes.plot(answer.band.median, index + shift, marker, color=color, markersize=3.0)
    axes.axvline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    titles = design.foreseen.titles
    names = ", ".join(f"{sign} {titles[quantity]}" for sign, quantity in zip("●■", main, strict=False))
    axes.set(yticks=range(len(predictions)), ylim=(len(predictions) - 0.5, -0.5), xlabel=f"points of % ({names})")
    axes.set_yticklabels([part.hypothesis for part in predictions])
    axes.set_title("Responders less others, at stop", loc="left")
