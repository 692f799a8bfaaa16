"""Results of a sweep over one axis: median and bands of each quantity at the last time."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from simulate.figures.style import (
    COLORS,
    NO_UNITS,
    PAGE,
    POINTS,
    around,
    counted,
    lacks_units,
    logarithmic,
    quantity_label,
    styled,
    title_of,
    unit_label,
)
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import counts_dropout, quantity_names, resolution_of, terms_of, values_shown

MAX_PANELS = 9
"""Panels that fit on a page."""

_ROW_HEIGHT = 2.0


def axis_response(sweep: xr.Dataset, axis: str, *, quantities: Sequence[str] | None = None) -> Figure:
    """Draw quantities at the last time of a sweep over its only axis, one with numbers such as ``dose``, a panel each.

    A page wide. Lines are medians, bands 50 and 90 % of the patients who reached that day.
    """
    names = tuple(quantities or quantity_names(sweep))[:MAX_PANELS]
    places = np.asarray(sweep[f"over_{axis}"].values, dtype=np.float64)
    order = np.argsort(places, kind="stable")
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    with styled(POINTS):
        figure = Figure(figsize=(PAGE, rows * _ROW_HEIGHT + 0.4), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for index, axes in enumerate(grid.flat):
            if index >= len(names):
                axes.remove()
                continue
            values = _last(sweep, names[index])
            known = [place for place in order if np.isfinite(values[place]).any()]
            if known:
                bands = np.nanquantile(values[known], (0.05, 0.25, 0.5, 0.75, 0.95), axis=1)
                axes.fill_between(places[known], bands[0], bands[4], color=COLORS[0], alpha=0.14, linewidth=0.0)
                axes.fill_between(places[known], bands[1], bands[3], color=COLORS[0], alpha=0.28, linewidth=0.0)
                axes.plot(places[known], bands[2], color=COLORS[0], marker="o", markersize=2.5)
                around(axes, bands, resolution_of(sweep), terms_of(sweep, names[index]))
            if places.min() > 0.0 and places.max() > 10.0 * places.min():
                logarithmic(axes.xaxis)
            axes.set_xlabel(quantity_label(axis, str(sweep[f"over_{axis}"].attrs.get("units", ""))))
            axes.set_ylabel(unit_label(sweep, names[index]))
            title = title_of(sweep, names[index])
            axes.set_title("\n".join(textwrap.wrap(title, 30)[:2]), loc="left")
        finished = np.isfinite(_last(sweep, names[0])).sum(axis=1).tolist()
        day = float(sweep["time"].values[-1])
        text = f"day {day:g}: median, 50 and 90 % of {counted(finished, sweep.sizes['member'])}"
        text += f"\n{NO_UNITS}" if lacks_units(sweep, names) else ""
        figure.suptitle(text, fontsize=POINTS, x=0.01, ha="left")
    return figure


def _last(sweep: xr.Dataset, name: str) -> FloatArray:
    """Values of a quantity at the last time, shape [arm, member]."""
    needed = [name, "status", *(["dropout_day"] if counts_dropout(sweep) else [])]
    return values_shown(sweep[needed].isel(time=[-1]), name)[:, :, 0]
