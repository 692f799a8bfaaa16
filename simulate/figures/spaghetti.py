"""Trajectories of single patients, a line each, with the median of all: what a ribbon hides."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.style import (
    COLUMN,
    INK,
    NO_UNITS,
    PAGE,
    POINTS,
    around,
    color,
    counted,
    lacks_units,
    logarithmic,
    styled,
    title_of,
    unit_label,
)
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import draws_in, pooled, quantity_names
from simulate.studies.values import resolution_of, terms_of, values_shown

PATIENTS = 40
"""Lines of an arm that the eye can still follow."""

MAX_PANELS = 9
"""Panels that fit on a page."""

_ROW_HEIGHT = 1.9
_LOG_SPAN = 30.0


def spaghetti(dataset: xr.Dataset, *, quantities: Sequence[str] | None = None, patients: int = PATIENTS) -> Figure:
    """Draw trajectories of single patients.

    Parameters
    ----------
    quantities
        What to draw, a panel each; the first `MAX_PANELS` if not given.
    patients
        Lines in a panel, shared out among the arms: those of the first patients who reached the end. The median is that
        of all who did.

    Returns
    -------
    Figure
        One column wide for one quantity, a page wide for more; save it with `simulate.figures.style.save`.
    """
    dataset = pooled(dataset)
    names = tuple(quantities or quantity_names(dataset))[:MAX_PANELS]
    columns = 2 if len(names) == 4 else min(3, len(names))
    rows = math.ceil(len(names) / columns)
    with styled(POINTS):
        size = (COLUMN if columns == 1 else PAGE, rows * _ROW_HEIGHT + (1.0 if columns == 1 else 0.6))
        share = max(1, patients // dataset.sizes["arm"])
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
        days = np.asarray(dataset["time"].values, dtype=np.float64)
        finished: list[int] = []
        for axes, name in zip(grid.flat, names, strict=False):
            finished = _draw(axes, days, values_shown(dataset, name), share)
            around(axes, dataset[name].values, resolution_of(dataset), terms_of(dataset, name))
            axes.set_ylabel(unit_label(dataset, name))
            axes.set_title("\n".join(textwrap.wrap(title_of(dataset, name), 26 if columns > 1 else 46)), loc="left")
        for index, axes in enumerate(grid.flat):
            if index >= len(names):
                axes.remove()
            elif index + columns >= len(names):
                axes.set_xlabel("time (days)")
                axes.tick_params(axis="x", labelbottom=True)
        shown = min(share, max(finished))
        handles = [Line2D([], [], color=color(arm)) for arm in range(dataset.sizes["arm"])]
        labels = [textwrap.fill(str(name), 40) for name in dataset["arm"].values]
        draws = draws_in(dataset)
        people = counted([number // draws for number in finished], dataset.sizes["member"] // draws)
        people += f" of each of {draws} draws" if draws > 1 else ""
        handles += [Line2D([], [], color=INK, linewidth=0.5, alpha=0.5), Line2D([], [], color=INK, linewidth=2.0)]
        labels += [f"{shown} single patients" + (" of each" if len(labels) > 1 else ""), f"median of {people}"]
        ncols = 1 if columns == 1 and max(map(len, labels[:-2])) > 16 else 2 if columns == 1 else min(3, len(labels))
        if lacks_units(dataset, names):
            handles.append(Line2D([], [], linestyle="none"))
            labels.append(NO_UNITS)
            ncols = min(columns, ncols)
        figure.legend(handles, labels, loc="outside upper left", ncols=ncols, columnspacing=0.8)
    return figure


def _draw(axes: Axes, days: FloatArray, values: FloatArray, share: int) -> list[int]:
    """Draw a panel; returns how many patients of each arm did not fail."""
    finished = []
    for arm, members in enumerate(values):
        present = members[~np.isnan(members).all(axis=1)]
        finished.append(len(present))
        if len(present):
            axes.plot(days, present[:share].T, color=color(arm), linewidth=0.5, alpha=0.45, zorder=1 + arm)
            there = ~np.isnan(present).all(axis=0)
            median = np.full(len(days), np.nan)
            median[there] = np.nanmedian(present[:, there], axis=0)
            axes.plot(days, median, color="white", linewidth=3.0, zorder=20 + arm)
            axes.plot(days, median, color=color(arm), linewidth=2.0, zorder=30 + arm)
    shown = values[np.isfinite(values)]
    if shown.size and shown.min() > 0.0 and shown.max() > _LOG_SPAN * shown.min():
        logarithmic(axes.yaxis)
    return finished
