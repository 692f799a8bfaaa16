"""Exposure-response: the effect of each patient at each dose over what was in the blood, and the median along it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulate.figures.dose_response import effect_label
from simulate.figures.style import COLORS, FAINT, INK, PAGE, POINTS, color, logarithmic, quantity_label, styled
from simulate.solver.kernel import FloatArray
from simulate.studies.dose_response.tables import names_of

GROUPS = 12
"""Groups of equal size, by exposure, whose quantiles are drawn."""

MAX_DOTS = 3000
"""Dots of a panel; of more, every second, third and so on is drawn."""

_GROUP: dict[str, Any] = {"linewidth": 1.6, "marker": "o", "markersize": 3.0}
"""A dot for each group, and the line through them."""

_HEIGHT = 2.5
_MEASURES = ("average", "trough")


def exposure_response(datasets: xr.Dataset | Sequence[xr.Dataset]) -> Figure:
    """Draw effects over exposures, a row for each endpoint and a column for each measure, a page wide.

    Measures are average and trough in the last interval between doses. Dots are patients at a
    dose; the line is the median and the band 90 % of groups of equal size. Several datasets are of hypotheses, which
    have a color each, and no dots.
    """
    several = [datasets] if isinstance(datasets, xr.Dataset) else list(datasets)
    dataset, is_alone = several[0], len(several) == 1
    endpoints = dataset.sizes["endpoint"]
    with styled(POINTS):
        figure = Figure(figsize=(PAGE, endpoints * _HEIGHT + 0.4), layout="constrained")
        grid = figure.subplots(endpoints, len(_MEASURES), squeeze=False, sharey="row")
        about = dataset["exposure"].attrs
        used = 0
        for row in range(endpoints):
            for column, measure in enumerate(_MEASURES):
                for order, one in enumerate(several):
                    effect = np.asarray(one["effect"].isel(endpoint=row).values, dtype=np.float64).ravel()
                    exposure = np.asarray(one["exposure"].sel(measure=measure).values, dtype=np.float64).ravel()
                    used = _draw(grid[row, column], exposure, effect, color(order), has_dots=is_alone)
                text = quantity_label(f"{measure} of {about['long_name']}", str(about["units"]))
                grid[row, column].set_xlabel(textwrap.fill(text, 48))
            grid[row, 0].set_ylabel(effect_label(dataset.isel(endpoint=row), "level"))
            title = str(dataset["endpoint_title"].values[row])
            grid[row, 0].set_title("\n".join(textwrap.wrap(title, 48)), loc="left")
        handles: list[Any] = [
            Line2D([], [], color=FAINT, marker="o", markersize=2.0, linestyle="none"),
            Line2D([], [], color=COLORS[0], **_GROUP),
            Patch(color=COLORS[0], alpha=0.2, linewidth=0.0),
        ]
        total = dataset["effect"].isel(endpoint=0).size
        labels = [
            f"patient at a dose, {used} of {total} with a result",
            f"median of each of {GROUPS} groups",
            "90 % of them",
        ]
        if not is_alone:
            handles = [Line2D([], [], color=color(order), **_GROUP) for order in range(len(several))]
            labels = names_of(several)
            handles.append(Patch(color=INK, alpha=0.2, linewidth=0.0))
            labels.append(f"median and 90 % of each of {GROUPS} groups of patients")
        figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def _draw(axes: Axes, exposure: FloatArray, effect: FloatArray, shade: str, *, has_dots: bool) -> int:
    """Draw a panel; returns how many dots there are to be drawn."""
    known = np.isfinite(exposure) & np.isfinite(effect)
    x, y = exposure[known], effect[known]
    if not len(x):
        return 0
    every = -(-len(x) // MAX_DOTS)
    if has_dots:
        axes.plot(x[::every], y[::every], ".", color=FAINT, markersize=1.5, alpha=0.5, rasterized=True, zorder=1)
    order = np.argsort(x, kind="stable")
    groups = [group for group in np.array_split(order, min(GROUPS, len(x))) if len(group)]
    centers = np.array([np.median(x[group]) for group in groups])
    low, middle, high = np.array([np.quantile(y[group], (0.05, 0.5, 0.95)) for group in groups]).T
    axes.fill_between(centers, low, high, color=shade, alpha=0.2, linewidth=0.0, zorder=2)
    axes.plot(centers, middle, color=shade, zorder=3, **_GROUP)
    if x.min() > 0.0 and x.max() > 30.0 * x.min():
        logarithmic(axes.xaxis)
    return len(x)
