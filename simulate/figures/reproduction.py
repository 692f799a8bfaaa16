"""The paper that the authors could have drawn: one repeated study, and each printed figure among its predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulate.figures.style import COLORS, FAINT, GRAY, INK, MILLIMETER, WIDTH, styled
from simulate.studies.fitting.reproduction import PAIRED, Predicted, Row, Study

_HEIGHT = 150.0
_COLUMNS = 4

_TITLES = {
    ("response", "count"): "responders of 15",
    ("il1ra-baseline", "mean"): "IL-1Ra before, mean (pg/mL)",
    ("il1ra-on-drug", "mean"): "IL-1Ra on drug, mean (pg/mL)",
    ("cd45ro-ck-correlation", "r"): "R of CD45RO and fall of CK",
    ("ifng-level", "mean"): "IFNγ+, mean (%)",
    ("ifng-direction", "mean change"): "IFNγ+, mean change of logarithm",
    ("il17a-level", "mean"): "IL-17A+, mean (%)",
    ("il17a-direction", "count"): "IL-17A+ fell, of 3 responders",
}
"""Printed figures that are drawn, in order."""


def reproduction_figure(rows: Sequence[Row], study: Study, *, hypothesis: str, null: str) -> Figure:
    """Draw a reproduction.

    Parameters
    ----------
    rows
        Rows of `simulate.studies.fitting.reproduction.reproduce`.
    study
        One repeated study, for the panels in the first line.
    hypothesis, null
        Names for the legend.
    """
    with styled():
        figure = Figure(figsize=(WIDTH * MILLIMETER, _HEIGHT * MILLIMETER), layout="constrained")
        grid = figure.add_gridspec(3, _COLUMNS, height_ratios=(1.25, 1.0, 1.0))
        _pairs(figure.add_subplot(grid[0, 0]), study, "serum_il1ra", "serum IL-1Ra (pg/mL)")
        _correlation(figure.add_subplot(grid[0, 1]), study)
        _pairs(figure.add_subplot(grid[0, 2]), study, "ifng", "IFNγ+ (% of CD4)")
        _pairs(figure.add_subplot(grid[0, 3]), study, "il17a", "IL-17A+ (% of CD4)")
        known = {(row.item, row.figure): row for row in rows}
        shown = [(title, known[key]) for key, title in _TITLES.items() if key in known]
        for index, (title, row) in enumerate(shown):
            _strips(figure.add_subplot(grid[1 + index // _COLUMNS, index % _COLUMNS]), row, title, hypothesis, null)
        figure.suptitle(
            "Above: one repeated study, simulated. Below: the printed figure (line; dashed if disputed) among repeated "
            "studies, median and 90 %",
            fontsize=7.0,
            x=0.01,
            ha="left",
        )
    return figure


def _pairs(axes: Axes, study: Study, quantity: str, label: str) -> None:
    before, after = study.before[quantity], study.after[quantity]
    for first, second in zip(before[:PAIRED], after[:PAIRED], strict=True):
        axes.plot((0.0, 1.0), (first, second), color=COLORS[0], marker="o", markersize=2.5, linewidth=0.8)
    axes.plot(np.zeros(len(before) - PAIRED), before[PAIRED:], "o", color=COLORS[0], markersize=2.5, fillstyle="none")
    axes.set(yscale="log", xticks=(0.0, 1.0), xlim=(-0.3, 1.3), ylabel=label)
    axes.set_xticklabels(["before", "6 months"])


def _correlation(axes: Axes, study: Study) -> None:
    fall = np.log(study.before["ck"] / study.after["ck"])
    level = study.before["cd45ro"]
    axes.plot(level, fall, "o", color=COLORS[0], markersize=3.0)
    axes.axhline(0.0, color=FAINT, linewidth=0.5)
    axes.set(xlabel="CD45RO before (% of CD4)", ylabel="fall of CK (logarithm)")
    axes.set_title(f"R = {np.corrcoef(level, fall)[0, 1]:.2f}", loc="right")


def _strips(axes: Axes, row: Row, title: str, hypothesis: str, null: str) -> None:
    bands = (("before the fit", row.before, GRAY), (null, row.null, COLORS[1]), (hypothesis, row.fitted, COLORS[0]))
    for height, (_, band, color) in enumerate(bands):
        if band is not None:
            axes.plot((band.low, band.high), (height, height), color=color, linewidth=3.0, alpha=0.35)
            axes.plot(band.median, height, "o", color=color, markersize=3.5)
    if row.reported is not None:
        style = "--" if row.standing == "disputed" else "-"
        axes.axvline(row.reported, color=INK, linewidth=1.0, linestyle=style)
    elif row.direction:
        axes.axvline(0.0, color=INK, linewidth=0.6)
        axes.annotate(
            "", xy=(0.97 if row.direction == "up" else 0.03, 1.03), xytext=(0.5, 1.03), xycoords="axes fraction",
            textcoords="axes fraction", arrowprops={"arrowstyle": "->", "color": INK, "lw": 0.8},
        )  # fmt: skip
    _scale(axes, [band for _, band, _ in bands if band is not None], row)
    axes.set(ylim=(-0.6, 2.6), yticks=range(len(bands)))
    axes.set_yticklabels([name for name, _, _ in bands] if axes.get_subplotspec().colspan.start == 0 else [])  # type: ignore[union-attr]
    axes.set_title(title, loc="left", pad=7.0)


def _scale(axes: Axes, bands: Sequence[Predicted], row: Row) -> None:
    lowest = min((band.low for band in bands), default=0.0)
    highest = max((band.high for band in bands), default=1.0)
    if row.figure == "mean" and lowest > 0.0 and highest > 4.0 * lowest:
        from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
