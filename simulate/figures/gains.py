"""What measurements are expected to tell: between hypotheses, within them, and how often they decide or mislead."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.style import COLORS, FAINT, GRAY, MILLIMETER, WIDTH, styled
from simulate.studies.measuring.ranking import Interval, Ranking

_ROW = 5.0
_FRAME = 30.0


def gains_figure(ranking: Ranking) -> Figure:
    """Draw a ranking, 180 mm wide."""
    rows = ranking.rows
    with styled():
        height = (_FRAME + _ROW * len(rows)) * MILLIMETER
        figure = Figure(figsize=(WIDTH * MILLIMETER, height), layout="constrained")
        between, within, odds = figure.subplots(1, 3, sharey=True, width_ratios=(1.6, 1.0, 1.2))
        places = np.arange(len(rows), dtype=np.float64)
        values = np.array([row.gain.between for row in rows])
        errors = 2.0 * np.array([row.gain.error for row in rows])
        between.hlines(places, np.maximum(values - errors, 0.0), values + errors, color=COLORS[0], linewidth=1.0)
        between.plot(values, places, "o", color=COLORS[0], markersize=3.5)
        between.plot([row.gain.with_own for row in rows], places, "|", color=GRAY, markersize=6.0)
        between.plot([row.bound for row in rows], places, "x", color=GRAY, markersize=3.5)
        between.axvline(ranking.entropy, color=FAINT, linewidth=0.8, linestyle=":")
        between.set_xlim(left=-0.03 * ranking.entropy)
        between.set_xlabel("information between hypotheses (nat)")
        marks = [("o", "estimate ± 2 se", COLORS[0]), ("|", "own draw left in", GRAY), ("x", "classifier", GRAY)]
        _legend(between, marks)
        within.barh(places, [max(row.gain.within, 0.0) for row in rows], height=0.6, color=COLORS[4], linewidth=0.0)
        within.set_xlabel("within them, mean (nat)")
        parts = (
            ("true one decided", [row.decided for row in rows], [row.decided_interval for row in rows], COLORS[2], "o"),
            ("misled", [row.misled_10 for row in rows], [row.misled_10_interval for row in rows], COLORS[1], "s"),
        )
        for index, (_, shares, intervals, color, marker) in enumerate(parts):
            _shares(odds, places + 0.24 * index - 0.12, shares, intervals, color, marker)
        odds.set_xlim(-0.03, 1.03)
        odds.set_xlabel("with odds of 10 (share)")
        _legend(odds, [(marker, name, color) for name, _, _, color, marker in parts])
        between.set_yticks(places, [f"{row.rank}  {row.measurement.name} (n {row.measurement.n})" for row in rows])
        between.set_ylim(len(rows) - 0.5, -0.5)
        for axes in (between, within, odds):
            axes.tick_params(axis="y", length=0.0)
        names = ", ".join(pool.draws.problem.label for pool in ranking.pools)
        figure.suptitle(f"Which measurement would tell {names} apart", x=0.01, ha="left", fontweight="bold")
    return figure


def _shares(
    axes: Axes, places: np.ndarray, shares: list[float], intervals: list[Interval], color: str, marker: str
) -> None:
    ends = np.array(intervals)
    axes.hlines(places, ends[:, 0], ends[:, 1], color=color, linewidth=1.0)
    axes.plot(shares, places, marker, color=color, markersize=3.0)


def _legend(axes: Axes, parts: list[tuple[str, str, str]]) -> None:
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=4.0, linestyle="none", label=name)
        for marker, name, color in parts
    ]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1)
