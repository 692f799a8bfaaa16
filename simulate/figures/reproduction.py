"""One repeated study as its authors would have drawn it, and each reported value among its predictions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from simulate.evidence.items import Standing
from simulate.figures.style import COLORS, FAINT, GRAY, INK, MILLIMETER, WIDTH, styled
from simulate.studies.fitting.reproduction import ReproducedStudy, Row
from simulate.trials.design import Outcome

_HEIGHT = 150.0
_COLUMNS = 4

_COLORS = (COLORS[0], COLORS[1], GRAY)
"""The fitted hypothesis, the null hypothesis, and the hypothesis before the fit."""

_DRAWN = ("count", "mean", "r", "mean change")
"""Figures that are drawn, of those that are fitted or disputed."""


def reproduction_figure(rows: Sequence[Row], study: ReproducedStudy, *, hypothesis: str, null: str) -> Figure:
    """Draw a reproduction."""
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, _HEIGHT * MILLIMETER), layout="constrained")
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.0, 1.5))[:, 0]
        panels = above.subplots(1, _COLUMNS)
        outcomes = [*sorted(study.trial.outcomes, key=_order)[:_COLUMNS]]
        for axes, outcome in itertools.zip_longest(panels, outcomes):
            if outcome is None:
                axes.set_visible(False)
            elif outcome.partner is None:
                _pairs(axes, study, outcome)
            else:
                _correlation(axes, study, outcome, outcome.partner)
        above.suptitle(
            "One repeated study, simulated: patients read at the first and the last visit, and (open) at the first only"
        )
        drawn = [row for row in rows if row.trial == study.trial.name and row.figure in _DRAWN]
        drawn = [row for row in drawn if row.is_used or row.standing == Standing.DISPUTED.value]
        for axes, row in itertools.zip_longest(below.subplots(2, _COLUMNS).flat, drawn[: 2 * _COLUMNS]):
            if row is None:
                axes.set_visible(False)
            else:
                _strips(axes, row, _title(row))
        below.suptitle(
            "What was printed (line; dashed if disputed; arrow where only a direction was) among many studies"
        )
        handles = [
            Line2D([], [], color=color, marker="o", markersize=3.5, linewidth=1.5, label=label)
            for label, color in zip((hypothesis, null, f"{hypothesis} before the data"), _COLORS, strict=True)
        ]
        below.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _order(outcome: Outcome) -> int:
    """Correlations come first, then what the trial reported as up or down, the drug, and the rest."""
    return 0 if outcome.partner is not None else 1 if outcome.way else 3 if outcome.is_compared else 2


def _title(row: Row) -> str:
    unit = f" ({row.unit})" if row.unit else f" of {row.n}" if row.figure == "count" else ""
    return f"{row.item.replace('-', ' ')}\n{row.figure}{unit}"


def _label(study: ReproducedStudy, quantity: str) -> str:
    part = study.trial.readout(quantity)
    return f"{part.title} ({part.assay.unit.text})"


def _pairs(axes: Axes, study: ReproducedStudy, outcome: Outcome) -> None:
    before, after = study.before[outcome.quantity], study.after[outcome.quantity]
    paired = study.paired
    for first, second in zip(before[:paired], after[:paired], strict=True):
        axes.plot((0.0, 1.0), (first, second), color=COLORS[0], marker="o", markersize=2.5, linewidth=0.8)
    axes.plot(np.zeros(len(before) - paired), before[paired:], "o", color=COLORS[0], markersize=2.5, fillstyle="none")
    axes.set(xticks=(0.0, 1.0), xlim=(-0.3, 1.3), ylabel=_label(study, outcome.quantity))
    axes.set_xticklabels([study.trial.visits[0].name, study.trial.visits[-1].name])
    _logarithmic(axes, axes.yaxis)


def _correlation(axes: Axes, study: ReproducedStudy, outcome: Outcome, partner: str) -> None:
    fall = np.log(study.before[partner] / study.after[partner])
    level = study.before[outcome.quantity]
    axes.plot(level, fall, "o", color=COLORS[0], markersize=3.0)
    axes.axhline(0.0, color=FAINT, linewidth=0.5)
    axes.set(xlabel=_label(study, outcome.quantity), ylabel=f"fall of {outcome.partner_title} (logarithm)")
    axes.set_title(f"R = {np.corrcoef(level, fall)[0, 1]:.2f}", loc="right")


def _strips(axes: Axes, row: Row, title: str) -> None:
    bands = (row.fitted, row.null, row.before)
    for height, (band, color) in enumerate(zip(bands, _COLORS, strict=True)):
        if band is not None:
            axes.plot((band.low, band.high), (-height, -height), color=color, linewidth=3.0, alpha=0.35)
            axes.plot(band.median, -height, "o", color=color, markersize=3.5)
    if row.reported is not None:
        style = "--" if row.standing == "disputed" else "-"
        axes.axvline(row.reported, color=INK, linewidth=1.0, linestyle=style)
    elif row.direction:
        axes.axvline(0.0, color=FAINT, linewidth=0.6)
        ends = (0.55, 0.95) if row.direction == "up" else (0.45, 0.05)
        axes.annotate(
            "", xy=(ends[1], 0.06), xytext=(ends[0], 0.06), xycoords="axes fraction", textcoords="axes fraction",
            arrowprops={"arrowstyle": "->", "color": INK, "lw": 1.0},
        )  # fmt: skip
    known = [band for band in bands if band is not None]
    lowest = min((band.low for band in known), default=1.0)
    highest = max((band.high for band in known), default=1.0)
    if row.figure == "mean" and lowest > 0.0 and highest > 2.0 * lowest:
        _logarithmic(axes, axes.xaxis)
    if row.figure == "count":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(ylim=(-2.6, 0.6), yticks=[])
    axes.set_title(title, loc="left")


def _logarithmic(axes: Axes, axis: Axis) -> None:
    """A logarithmic axis with plain numbers."""
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 50.0 * low else (1.0,), numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
