"""Isoboles: doses that have the same effect as something else varies."""

from __future__ import annotations

import textwrap

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.dose_response import dose_label
from simulate.figures.style import COLUMN, PAGE, POINTS, color, logarithmic, quantity_label, styled
from simulate.studies.dose_response.tables import patients_text

_HEIGHT = 2.8
_MARKERS = ("o", "s", "^")


def isobole(dataset: xr.Dataset) -> Figure:
    """Draw the doses for equal effects over the second axis, a panel for each endpoint.

    Parameters
    ----------
    dataset
        Result of `simulate.dose_response` with isoboles.

    Returns
    -------
    Figure
        One column wide for one endpoint, a page wide for more. Where no dose in the range has the effect a line ends;
        bands are 95 % of the resampled cohorts.
    """
    endpoints = min(dataset.sizes["endpoint"], 3)
    with styled(POINTS):
        figure = Figure(figsize=(COLUMN if endpoints == 1 else PAGE, _HEIGHT), layout="constrained")
        grid = figure.subplots(1, endpoints, squeeze=False, sharey=True)
        about = dataset["second"].attrs
        name = str(about.get("long_name", dataset.attrs["second"]))
        doses = np.asarray(dataset["dose"].values, dtype=np.float64)
        for index, axes in enumerate(grid.flat):
            for level, share in enumerate(dataset["level"].values):
                needed = dataset["isobole"].values[index, level]
                low, high = (dataset[f"isobole_{end}"].values[index, level] for end in ("low", "high"))
                axes.fill_between(
                    dataset["second"].values,
                    np.where(np.isfinite(needed) & ~np.isfinite(low), doses[doses > 0.0][0], low),
                    np.where(np.isfinite(needed) & ~np.isfinite(high), doses[-1], high),
                    color=color(level),
                    alpha=0.14,
                    linewidth=0.0,
                )
                axes.plot(
                    dataset["second"].values,
                    needed,
                    color=color(level),
                    marker=_MARKERS[level % len(_MARKERS)],
                    markersize=3.5,
                    label=f"{100.0 * float(share):.0f} % of the largest effect",
                )
            axes.set_ylim(doses[doses > 0.0][0] / 1.2, doses[-1] * 1.2)
            logarithmic(axes.yaxis)
            axes.set_title(
                textwrap.fill(str(dataset["endpoint_title"].values[index]), 44 if endpoints < 3 else 30), loc="left"
            )
            axes.set_xlabel(
                textwrap.fill(quantity_label(name, str(about.get("units", ""))), 44 if endpoints < 3 else 30)
            )
        grid[0, 0].set_ylabel(dose_label(dataset))
        handles, labels = grid[0, 0].get_legend_handles_labels()
        reached = np.isfinite(dataset["isobole"].values[:endpoints]).any(axis=(0, 2))
        labels = [
            label if known else f"{label}: no dose in the range" for label, known in zip(labels, reached, strict=True)
        ]
        handles = [*handles, Line2D([], [], linestyle="none")]
        labels = [*labels, f"means, 95 % of resampled cohorts, n = {patients_text(dataset)}"]
        figure.legend(handles, labels, loc="outside lower left", ncols=1 if endpoints == 1 else 2)
    return figure
