"""Isoboles: doses that have the same effect as something else varies."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.dose_response import dose_label
from simulate.figures.style import COLUMN, INK, PAGE, POINTS, color, logarithmic, quantity_label, styled
from simulate.studies.dose_response.tables import names_of, patients_text

_HEIGHT, _LINE = 2.8, 0.18
_MARKERS = ("o", "s", "^")
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))


def isobole(datasets: xr.Dataset | Sequence[xr.Dataset]) -> Figure:
    """Draw the doses for equal effects over the second axis, a panel for each endpoint.

    One column wide for one endpoint, a page wide for more. Where no dose in the range has the effect a line ends; bands
    are 95 % of the resampled cohorts. Several datasets are of hypotheses, which differ by their lines.
    """
    several = [datasets] if isinstance(datasets, xr.Dataset) else list(datasets)
    dataset = several[0]
    endpoints = min(dataset.sizes["endpoint"], 3)
    with styled(POINTS):
        height = _HEIGHT + (0.0 if len(several) == 1 else _LINE * len(several))
        figure = Figure(figsize=(COLUMN if endpoints == 1 else PAGE, height), layout="constrained")
        grid = figure.subplots(1, endpoints, squeeze=False, sharey=True)
        about = dataset["second"].attrs
        name = str(about.get("long_name", dataset.attrs["second"]))
        doses = np.asarray(dataset["dose"].values, dtype=np.float64)
        for index, axes in enumerate(grid.flat):
            for dashes, one in zip(_DASHES, several, strict=False):
                _draw(axes, one, index, dashes)
            axes.set_ylim(doses[doses > 0.0][0] / 1.2, doses[-1] * 1.2)
            logarithmic(axes.yaxis)
            axes.set_title(
                textwrap.fill(str(dataset["endpoint_title"].values[index]), 44 if endpoints < 3 else 30), loc="left"
            )
            axes.set_xlabel(
                textwrap.fill(quantity_label(name, str(about.get("units", ""))), 44 if endpoints < 3 else 30)
            )
        grid[0, 0].set_ylabel(dose_label(dataset))
        handles: list[Any]
        handles, labels = grid[0, 0].get_legend_handles_labels()
        handles, labels = handles[: dataset.sizes["level"]], labels[: dataset.sizes["level"]]
        reached = np.any([np.isfinite(one["isobole"].values[:endpoints]).any(axis=(0, 2)) for one in several], axis=0)
        labels = [
            label if known else f"{label}: no dose in the range" for label, known in zip(labels, reached, strict=True)
        ]
        handles = [*handles, Line2D([], [], linestyle="none")]
        what = "means, 95 % of resampled cohorts" if len(several) == 1 else "means and 95 %"
        labels = [*labels, f"{what}, n = {patients_text(dataset)}"]
        if len(several) > 1:
            handles += [Line2D([], [], color=INK, linestyle=dashes) for dashes in _DASHES[: len(several)]]
            labels += names_of(several)
        figure.legend(handles, labels, loc="outside lower left", ncols=1 if endpoints == 1 else 2)
    return figure


def _draw(axes: Axes, dataset: xr.Dataset, endpoint: int, dashes: Any) -> None:
    doses = np.asarray(dataset["dose"].values, dtype=np.float64)
    for level, share in enumerate(dataset["level"].values):
        needed = dataset["isobole"].values[endpoint, level]
        low, high = (dataset[f"isobole_{end}"].values[endpoint, level] for end in ("low", "high"))
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
            linestyle=dashes,
            marker=_MARKERS[level % len(_MARKERS)],
            markersize=3.5,
            label=f"{100.0 * float(share):.0f} % of the largest effect",
        )
