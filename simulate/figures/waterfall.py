"""The waterfall: the change of each patient since baseline, from the largest rise to the largest fall."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from simulate.figures.style import COLUMN, INK, PAGE, POINTS, color, styled
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import draws_in, pooled
from simulate.studies.effects import changes

_HEIGHT = 2.4
_MAX_ARMS = 6


def waterfall(dataset: xr.Dataset, quantity: str, day: float) -> Figure:
    """Draw the change of each patient in percent of the baseline at the nearest day, a panel for each arm.

    One column wide for one arm, a page wide for more. Colors are those of the strata. A patient without a baseline
    above 0 has no change in percent; they and those who failed are counted in the title.
    """
    dataset = pooled(dataset)
    found = changes(dataset, quantity, day)
    percent = np.asarray(found.values, dtype=np.float64)[:_MAX_ARMS]
    strata = np.asarray(dataset["stratum"].values, dtype=object)
    names = list(dict.fromkeys(strata))
    with styled(POINTS):
        columns = 2 if len(percent) == 4 else min(3, len(percent))
        rows = -(-len(percent) // columns)
        size = (COLUMN if columns == 1 else PAGE, rows * _HEIGHT + 0.6)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, values, arm in zip(grid.flat, percent, dataset["arm"].values, strict=False):
            draws = draws_in(dataset)
            people = f"{np.isfinite(values).sum() // draws} of {len(values) // draws} patients"
            people += f" of each of {draws} draws" if draws > 1 else ""
            title = textwrap.fill(f"{arm}: {people}", 30 if columns > 1 else 46)
            _draw(axes, values, strata, names)
            axes.set_title(title, loc="left")
        for axes in grid.flat[len(percent) :]:
            axes.remove()
        shown_day = f"{float(found.attrs['day']):g}"
        title = f"{dataset[quantity].attrs['long_name']} at day {shown_day}"
        figure.suptitle(textwrap.fill(title, 48 if columns == 1 else 100), fontsize=POINTS, fontweight="bold")
        for row in range(rows):
            grid[row, 0].set_ylabel("change (% of baseline)")
        ranked = "patients of all draws, ranked" if draws_in(dataset) > 1 else "patients, ranked"
        for index in range(max(0, len(percent) - columns), len(percent)):
            grid.flat[index].set_xlabel(ranked)
        if len(names) > 1:
            handles = [Patch(color=color(index)) for index in range(len(names))]
            figure.legend(handles, [str(name) for name in names], loc="outside lower left", ncols=min(3, len(names)))
    return figure


def _draw(axes: Axes, values: FloatArray, strata: Any, names: Sequence[object]) -> None:
    order = np.argsort(-values, kind="stable")[: int(np.isfinite(values).sum())]
    shades = [color(names.index(strata[member])) for member in order]
    # Bars that touch: a gap between hundreds of them would be a pattern of its own.
    x0, tops = np.arange(len(order)) + 0.5, values[order]
    corners = np.stack([x0, x0, x0 + 1.0, x0 + 1.0], axis=1), np.stack([0.0 * tops, tops, tops, 0.0 * tops], axis=1)
    # One object for all of them, drawn in a fraction of the time of one for each.
    bars = PolyCollection(list(np.stack(corners, axis=2)), facecolors=shades, linewidth=0.0, snap=True)
    # As bars do, none leaves room beyond nothing.
    bars.sticky_edges.y.append(0.0)
    axes.add_collection(bars, autolim=False)
    axes.update_datalim(
        [(0.5, 0.0), (len(order) + 0.5, float(tops.min(initial=0.0))), (0.5, float(tops.max(initial=0.0)))]
    )
    axes.autoscale_view()
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
