"""Hypotheses compared: log-evidences with their errors, and what each datum says for each of them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulate.figures.style import COLORS, FAINT, INK, MILLIMETER, WIDTH, styled
from simulate.studies.comparison.comparison import TEN, THREE, Comparison

_ROW = 6.0
_SPACE = 46.0

_MOST = 3.0
"""Difference of log-likelihood at which the colors of the matrix end."""


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw a comparison: evidences above, and the matrix of data and hypotheses below."""
    rows = len(comparison.matrix.items) + 1
    height = _SPACE + _ROW * rows + 4.0 * len(comparison.fits) + 14.0
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, height * MILLIMETER), layout="constrained")
        above, below = figure.subplots(
            2, 1, height_ratios=(4.0 * len(comparison.fits) + 8.0, _ROW * rows + 8.0)
        )  # fmt: skip
        _evidences(above, comparison)
        _matrix(below, comparison)
    return figure


def _evidences(axes: Axes, comparison: Comparison) -> None:
    names = comparison.names
    for height, name in enumerate(names):
        pair = comparison.against_best(name)
        if pair is not None:
            axes.plot((-pair.most, -pair.least), (height, height), color=COLORS[4], linewidth=5.0, alpha=0.5)
            axes.errorbar(
                -pair.difference, height, xerr=2.0 * pair.error, color=COLORS[0], marker="o", markersize=3.5, capsize=2
            )
        else:
            axes.plot(0.0, height, "o", color=COLORS[0], markersize=3.5)
    for place, label in ((0.0, "even"), (-THREE, "3:1"), (-TEN, "10:1")):
        axes.axvline(place, color=FAINT, linewidth=0.8, linestyle="-" if place == 0.0 else "--")
        axes.annotate(label, (place, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", color=INK)
    low = min([-TEN, *axes.get_xlim()])
    axes.set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5), xlim=(low - 0.2, max(axes.get_xlim()[1], 0.4)))
    axes.set_yticklabels(names)
    axes.set_xlabel(
        f"log-evidence less that of {names[0]} (nat); bar: two standard errors; band: other priors, doubts and readings"
    )


def _matrix(axes: Axes, comparison: Comparison) -> None:
    matrix = comparison.matrix.with_all
    entries, noise = matrix.entries, matrix.is_noise
    shown = np.ma.masked_array(entries, noise)
    axes.set_facecolor("#E6E6E6")
    # Orange against purple: told apart with any color vision.
    image = axes.pcolormesh(shown, cmap="PuOr_r", vmin=-_MOST, vmax=_MOST, edgecolors="white", linewidth=1.0)
    for row in range(entries.shape[0]):
        for column in range(entries.shape[1]):
            value = entries[row, column]
            is_dark = not noise[row, column] and abs(value) > 0.7 * _MOST
            axes.annotate(
                f"{value:+.2f}", (column + 0.5, row + 0.5), ha="center", va="center",
                color="white" if is_dark else (FAINT if noise[row, column] else INK),
            )  # fmt: skip
    axes.set(
        xticks=np.arange(entries.shape[1]) + 0.5, yticks=np.arange(entries.shape[0]) + 0.5, ylim=(entries.shape[0], 0)
    )
    # Combined names are wider than a column.
    axes.set_xticklabels([name.replace("+", "\n+") for name in comparison.names])
    axes.set_yticklabels(matrix.items)
    axes.tick_params(length=0.0)
    axes.set_title(
        f"Share of each datum in the log-evidence, less that under {matrix.reference} (nat); gray: within its noise",
        loc="left",
    )
    axes.figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01, extend="both", label="for the hypothesis (nat)")
