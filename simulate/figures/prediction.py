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
from simulate.studies.prediction.questions import DOSES, END, STUDIED, TITLES, UNTREATED, WEEKS

_HEIGHT = 165.0

_COURSES = ("il17a", "ifng", "double_positive", "ex_th17", "naive", "cd45ro")

_LINES = ("-", (0, (4, 1.5)), (0, (1, 1)))
"""Where colors return, lines differ."""

_LEAST = 1.0
"""Axes reach at least as far, so that what does not move is seen not to."""

_LAST = 7.0 * WEEKS[-1]


def prediction_figure(predictions: Sequence[Prediction]) -> Figure:
    """Draw predictions of several hypotheses: a panel for each quantity, the answer to doses, and responders."""
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, _HEIGHT * MILLIMETER), layout="constrained")
        panels = figure.subplots(3, 3)
        for axes, quantity in zip(panels.flat, _COURSES, strict=False):
            _courses(axes, predictions, quantity)
        _doses(panels[2, 0], predictions, "il17a")
        _doses(panels[2, 1], predictions, "ifng")
        _groups(panels[2, 2], predictions)
        handles = [
            Line2D([], [], **_style(index), label=f"{part.hypothesis} ({part.source})")
            for index, part in enumerate(predictions)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _style(index: int) -> dict[str, Any]:
    return {"color": COLORS[index % len(COLORS)], "linestyle": _LINES[index // len(COLORS) % len(_LINES)]}


def _courses(axes: Axes, predictions: Sequence[Prediction], quantity: str) -> None:
    for index, part in enumerate(predictions):
        found = part.courses.get((quantity, STUDIED))
        if found is None:
            continue
        weeks = part.days / 7.0
        axes.fill_between(weeks, found[0], found[2], color=COLORS[index % len(COLORS)], alpha=0.12, linewidth=0.0)
        axes.plot(weeks, found[1], **_style(index))
    axes.axhline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    axes.axvline(END / 7.0, color=FAINT, linewidth=0.6, linestyle=":", zorder=0.5)
    low, high = axes.get_ylim()
    axes.set(
        xlabel="weeks (dotted: last dose)", ylabel="change (%)", xticks=(0, *WEEKS[1:], 30),
        ylim=(min(low, -_LEAST), max(high, _LEAST)),
    )  # fmt: skip
    axes.set_title(f"{TITLES[quantity]}, {STUDIED:g} mg a day", loc="left")


def _doses(axes: Axes, predictions: Sequence[Prediction], quantity: str) -> None:
    doses = (UNTREATED, *DOSES)
    for index, part in enumerate(predictions):
        place = int(np.flatnonzero(part.days == _LAST)[0])
        bands = np.array([part.courses[quantity, dose][:, place] for dose in doses]).T
        axes.fill_between(doses, bands[0], bands[2], color=COLORS[index % len(COLORS)], alpha=0.12, linewidth=0.0)
        axes.plot(doses, bands[1], marker="o", markersize=2.5, **_style(index))
    axes.axhline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    axes.set(xlabel="dose (mg a day)", ylabel=f"change, week {WEEKS[-1]} (%)", xticks=doses)
    axes.set_title(f"{TITLES[quantity]} by dose", loc="left")


def _groups(axes: Axes, predictions: Sequence[Prediction]) -> None:
    for quantity, marker, shift in (("il17a", "o", -0.15), ("ifng", "s", 0.15)):
        for index, part in enumerate(predictions):
            answer = next(row for row in part.answers if row.question.key == f"{quantity} who")
            if answer.band is not None:
                color = COLORS[index % len(COLORS)]
                axes.plot((answer.band.low, answer.band.high), (index + shift,) * 2, color=color, linewidth=1.0)
                axes.plot(answer.band.median, index + shift, marker, color=color, markersize=3.0)
    axes.axvline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    axes.set(
        yticks=range(len(predictions)), ylim=(len(predictions) - 0.5, -0.5), xlabel="points of % (● IL-17A+, ■ IFNγ+)"
    )
    axes.set_yticklabels([part.hypothesis for part in predictions])
    axes.set_title("Responders less others, at stop", loc="left")
