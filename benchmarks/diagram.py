"""Work-precision diagrams: what an error costs with each method, in time and in evaluations."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks.point import Point
from simulate.figures.style import MILLIMETER, WIDTH, color, plain_number, styled

MEASURES = (("microseconds", "time for one trajectory (µs)"), ("evaluations", "evaluations of the right-hand side"))
"""Columns of the figure: an attribute of `Point`, and its name on the axis."""

_ROW_HEIGHT = 48.0
_LEGEND_HEIGHT = 10.0
_MARKERS = ("o", "s", "^", "D", "v", "P")


def work_precision(points: Sequence[Point]) -> Figure:
    """Draw the diagrams of all workloads among the points.

    Parameters
    ----------
    points
        What `benchmarks.work_precision.measure` found; those without an error are not drawn.

    Returns
    -------
    Figure
        180 mm wide; save it with `simulate.figures.style.save`. To the right the error is smaller; lower is better.
    """
    workloads = list(dict.fromkeys(point.workload for point in points))
    methods = list(dict.fromkeys(point.method for point in points))
    with styled():
        height = (len(workloads) * _ROW_HEIGHT + _LEGEND_HEIGHT) * MILLIMETER
        spacing = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, hspace=0.06, wspace=0.05)
        figure = Figure(figsize=(WIDTH * MILLIMETER, height), layout=spacing)
        grid = figure.subplots(len(workloads), len(MEASURES), squeeze=False)
        for row, workload in zip(grid, workloads, strict=True):
            own = [point for point in points if point.workload == workload]
            for axes, (measure, label) in zip(row, MEASURES, strict=True):
                _draw(axes, own, methods, measure)
                axes.set_ylabel(label)
            row[0].set_title(workload, loc="left", fontweight="bold")
        for axes in grid[-1]:
            axes.set_xlabel("largest relative error made")
        figure.align_ylabels()
        handles = {line.get_label(): line for axes in grid.flat for line in axes.get_lines()}
        shown = [method for method in methods if method in handles]
        figure.legend([handles[method] for method in shown], shown, loc="outside lower center", ncols=len(shown))
    return figure


def _draw(axes: Axes, points: Sequence[Point], methods: Sequence[str], measure: str) -> None:
    for index, method in enumerate(methods):
        own = [(point.error, getattr(point, measure)) for point in points if point.method == method and point.error]
        if own:
            axes.plot(
                [error for error, _ in own],
                [work for _, work in own],
                color=color(index),
                marker=_MARKERS[index % len(_MARKERS)],
                markersize=3.0,
                label=method,
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_inverted(True)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        # Below two decades the powers of ten alone would be one number on the axis.
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100.0 * low else (1.0,), numticks=7))
        axis.set_major_formatter(FuncFormatter(plain_number))
        axis.set_minor_formatter(NullFormatter())
