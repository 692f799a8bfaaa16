"""Tornado: what each input does to an endpoint when it moves alone, and its share of the variance when all move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulate.figures.style import COLORS, FAINT, GRAY, INK, MILLIMETER, WIDTH, styled
from simulate.studies.sensitivity.analysis import Sensitivity
from simulate.studies.sensitivity.tables import UNKNOWN, are_known, order_of

MOST = 15
"""Inputs that are drawn, the most important ones."""

_ROW = 5.0
_FRAME = 26.0


def tornado(found: Sensitivity, names: Sequence[str]) -> Figure:
    """Draw a tornado of one endpoint, 180 mm wide; panels of what was not asked for are left out."""
    shares = found.shares if found.shares is not None and found.shares.is_defined else None
    order = order_of(found)
    if shares is not None:
        # What is not known may matter most: it keeps its place among those that are drawn.
        unknown = int((~are_known(shares.total_interval)).sum())
        order = [*order[: len(order) - unknown][: max(MOST - unknown, 0)], *order[len(order) - unknown :]]
    order = order[:MOST]
    swings = bool(np.isfinite(found.low).all())
    panels = [draw for draw, wanted in ((_swings, swings), (_shares, shares is not None)) if wanted]
    with styled():
        height = (_FRAME + _ROW * len(order)) * MILLIMETER
        figure = Figure(figsize=(WIDTH * MILLIMETER, height), layout="constrained")
        grid = figure.subplots(1, max(len(panels), 1), sharey=True, squeeze=False)[0]
        for axes, draw in zip(grid, panels, strict=False):
            draw(axes, found, order)
        if not panels:
            grid[0].text(0.5, 0.5, "nothing varies", transform=grid[0].transAxes, ha="center")
        grid[0].set_yticks(range(len(order)), [names[index] for index in order])
        grid[0].set_ylim(len(order) - 0.4, -0.6)
        for axes in grid:
            axes.tick_params(axis="y", length=0.0)
        figure.suptitle(found.endpoint.title, x=0.01, ha="left", fontweight="bold")
    return figure


def _swings(axes: Axes, found: Sensitivity, order: Sequence[int]) -> None:
    middle = found.middle
    for row, index in enumerate(order):
        for value, color in ((found.low[index], COLORS[0]), (found.high[index], COLORS[1])):
            axes.barh(row, value - middle, left=middle, height=0.62, color=color, linewidth=0.0)
    axes.axvline(middle, color=INK, linewidth=0.8)
    label = "input alone at an end of its 90 % range"
    axes.set_xlabel(f"{label} ({found.endpoint.unit})" if found.endpoint.unit else label)
    handles = [Patch(color=COLORS[0], label="5 % quantile"), Patch(color=COLORS[1], label="95 % quantile")]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def _shares(axes: Axes, found: Sensitivity, order: Sequence[int]) -> None:
    shares = found.shares
    assert shares is not None
    rows = np.arange(len(order), dtype=np.float64)
    parts = (
        ("alone", shares.first, shares.first_interval, -0.14, COLORS[2], "o"),
        ("with interactions", shares.total, shares.total_interval, 0.14, GRAY, "s"),
    )
    for _, value, interval, shift, color, marker in parts:
        ends = interval[order]
        # One that is not known would squeeze all others into a line.
        known = are_known(ends)
        axes.hlines((rows + shift)[known], ends[known, 0], ends[known, 1], color=color, linewidth=1.0)
        axes.plot(value[order][known], (rows + shift)[known], marker, color=color, markersize=3.5, linestyle="none")
        for row in rows[~known]:
            axes.text(0.02, row + shift, UNKNOWN, color=color, va="center", fontsize=6.0)
    axes.axvline(0.0, color=FAINT, linewidth=0.6)
    axes.set_xlabel("share of the variance when all inputs vary, 95 % interval")
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=3.5, linewidth=1.0, label=name)
        for name, _, _, _, color, marker in parts
    ]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
