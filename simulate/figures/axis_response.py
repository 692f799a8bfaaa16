"""Results of a sweep over one axis: median and bands of what each quantity has changed by."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from simulate.figures.style import (
    COLORS,
    FAINT,
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
from simulate.studies.datasets import pooled, quantity_names
from simulate.studies.paired import outcomes
from simulate.studies.values import resolution_of, terms_of
from simulate.studies.visits import time_unit_of, time_words

MAX_PANELS = 9
"""Panels that fit on a page."""

_ROW_HEIGHT = 2.0


def axis_response(sweep: xr.Dataset, axis: str, *, quantities: Sequence[str] | None = None) -> Figure:
    """Draw changes up to the last time of a sweep over its only axis, one with numbers such as ``dose``, a panel each.

    A page wide. Lines are medians, bands 50 and 90 % of the patients who reached that time. Of a sweep that has kept
    one time alone, levels are drawn.
    """
    sweep = pooled(sweep)
    names = tuple(quantities or quantity_names(sweep))[:MAX_PANELS]
    places = np.asarray(sweep[f"over_{axis}"].values, dtype=np.float64)
    order = np.argsort(places, kind="stable")
    found = [outcomes(sweep, name) for name in names]
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    with styled(POINTS):
        figure = Figure(figsize=(PAGE, rows * _ROW_HEIGHT + 0.4), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for index, axes in enumerate(grid.flat):
            if index >= len(names):
                axes.remove()
                continue
            values = found[index].values
            known = [place for place in order if np.isfinite(values[place]).any()]
            if known:
                bands = np.nanquantile(values[known], (0.05, 0.25, 0.5, 0.75, 0.95), axis=1)
                axes.fill_between(places[known], bands[0], bands[4], color=COLORS[0], alpha=0.14, linewidth=0.0)
                axes.fill_between(places[known], bands[1], bands[3], color=COLORS[0], alpha=0.28, linewidth=0.0)
                axes.plot(places[known], bands[2], color=COLORS[0], marker="o", markersize=2.5)
                around(axes, bands, resolution_of(sweep), terms_of(sweep, names[index]))
                if found[index].are_changes:
                    axes.axhline(0.0, color=FAINT, linewidth=0.6, zorder=0)
            if places.min() > 0.0 and places.max() > 10.0 * places.min():
                logarithmic(axes.xaxis)
            axes.set_xlabel(quantity_label(axis, str(sweep[f"over_{axis}"].attrs.get("units", ""))))
            unit = found[index].unit
            changed = "change" if unit == "1" else f"change ({unit})"
            axes.set_ylabel(changed if found[index].are_changes else unit_label(sweep, names[index]))
            title = title_of(sweep, names[index])
            axes.set_title("\n".join(textwrap.wrap(title, 30)[:2]), loc="left")
        finished = np.isfinite(found[0].values).sum(axis=1).tolist()
        people = "patients of all draws" if "draw" in sweep.coords else counted(finished, sweep.sizes["member"])
        shown = time_unit_of(sweep)
        since, last = (time_words(float(time), shown) for time in sweep["time"].values[[0, -1]])
        text = f"{f'change from {since} to ' if found[0].are_changes else ''}{last}: median, 50 and 90 % of {people}"
        numbers = [name for name, own in zip(names, found, strict=True) if own.unit == "1"]
        text += f"\n{NO_UNITS}" if lacks_units(sweep, numbers) else ""
        figure.suptitle(text, fontsize=POINTS, x=0.01, ha="left")
    return figure
