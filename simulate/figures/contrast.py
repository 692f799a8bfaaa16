"""Two hypotheses held against each other: courses of what tells them apart, with bands and the patients it takes."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simulate.figures.style import COLORS, FAINT, INK, MILLIMETER, WIDTH, plain_number, styled
from simulate.studies.contrast import Contrast, ContrastReadout
from simulate.studies.measuring.ranking import SIZES

_COLUMNS = 3
_MOST = 2 * _COLUMNS
"""Quantities that are drawn."""

_ROW, _FRAME = 48.0, 14.0
_LEAST = 5.0
"""Axes reach at least as far, in percent, so that what does not move is seen not to."""

_NUMBERS = 0.14
"""Share of the height of an axis, below, that the numbers have for themselves."""

_CLOSE = 0.09
"""Share of the axis that a number needs."""

_LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)))


def contrast_figure(found: Contrast) -> Figure:
    """Draw the quantities that take the fewest patients, a panel each.

    180 mm wide. Bands are 90 % of the draws, lines medians; an arrow at the right is a reported direction, and the
    numbers below are the patients that each visit takes.
    """
    best = found.best[:_MOST]
    rows = max(1, -(-len(best) // _COLUMNS))
    with styled():
        size = (WIDTH * MILLIMETER, (_FRAME + _ROW * rows) * MILLIMETER)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(rows, _COLUMNS, squeeze=False)
        for index, axes in enumerate(panels.flat):
            if index >= len(best):
                axes.remove()
                continue
            _draw(axes, found, best[index])
            axes.set_title(f"{string.ascii_lowercase[index]}  {best[index].title}", loc="left", fontweight="bold")
            if index % _COLUMNS == 0:
                axes.set_ylabel("change (%)")
        handles: list[Any] = [
            Line2D([], [], color=COLORS[index], linestyle=_LINES[index], label=f"{name} ({part.name})")
            for index, (name, part) in enumerate(zip(found.names, found.draws, strict=True))
        ]
        handles += [
            Patch(color=INK, alpha=0.15, linewidth=0.0, label="90 % of draws"),
            Line2D([], [], linestyle="none", label="↑ ↓ reported"),
            Line2D([], [], linestyle="none", label=f"numbers: patients that tell them apart (–: over {SIZES[-1]})"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _draw(axes: Axes, found: Contrast, chosen: ContrastReadout) -> None:
    own = sorted((one for one in found.readouts if one.quantity == chosen.quantity), key=lambda one: one.day)
    end = found.trial.end
    weeks = np.array([found.trial.first, *(one.day for one in own)]) / 7.0
    for index in range(len(found.names)):
        bands = np.array([(0.0, 0.0, 0.0), *((b.low, b.median, b.high) for b in (one.changes[index] for one in own))])
        axes.fill_between(weeks, bands[:, 0], bands[:, 2], color=COLORS[index], alpha=0.15, linewidth=0.0)
        axes.plot(
            weeks, bands[:, 1], color=COLORS[index], linestyle=_LINES[index], marker="o", markersize=2.5, linewidth=1.2
        )
    axes.axhline(0.0, color=FAINT, linewidth=0.5, zorder=0.5)
    low, high = axes.get_ylim()
    low, high = min(low, -_LEAST), max(high, _LEAST)
    axes.set_ylim(high - (high - low) / (1.0 - _NUMBERS), high)
    axes.axvline(end / 7.0, ymin=_NUMBERS, color=FAINT, linewidth=0.6, linestyle=":", zorder=0.5)
    for one in _apart(own, chosen):
        axes.annotate(
            "–" if one.n is None else one.number,
            (one.day / 7.0, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(0.0, 2.0),
            textcoords="offset points",
            ha="center",
            color=INK if one.day == chosen.day and one.n is not None else FAINT,
            fontweight="bold" if one.day == chosen.day and one.n is not None else "normal",
        )
    for sign in found.signs:
        if sign.quantity == chosen.quantity:
            axes.annotate(
                "↑" if sign.way == "up" else "↓",
                (1.0, 0.5),
                xycoords="axes fraction",
                xytext=(3.0, 0.0),
                textcoords="offset points",
                fontsize=12.0,
                va="center",
            )
    axes.set_xticks([0.0, *(one.day / 7.0 for one in _apart(own, chosen))])
    axes.xaxis.set_major_formatter(FuncFormatter(plain_number))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(plain_number))
    axes.set_xlabel("weeks (dotted: last visit)")


def _apart(own: list[ContrastReadout], chosen: ContrastReadout) -> list[ContrastReadout]:
    """Visits whose numbers would not stand on each other: the chosen one, and of close ones the later."""
    span = own[-1].day
    kept = [chosen]
    for one in reversed(own):
        if all(abs(other.day - one.day) >= _CLOSE * span for other in kept):
            kept.append(one)
    return kept
