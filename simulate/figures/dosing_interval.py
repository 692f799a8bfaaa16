"""What happens between two doses: trough, average and peak, and how much of the time IL-1 is blocked."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulate.figures.dose_response import dose_axis, dose_label, places_of, second_label, shown_places
from simulate.figures.style import COLORS, INK, PAGE, POINTS, color, counted, logarithmic, quantity_label, styled
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import draws_in

_HEIGHT = 2.9
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)))

_MARK: dict[str, Any] = {"marker": "o", "markersize": 3.0}
"""What stands at each dose that was simulated."""


def dosing_interval(dataset: xr.Dataset) -> Figure:
    """Draw exposures and blocked shares of the last interval between doses, over the doses, a page wide.

    Left trough, average and peak at the first place of the second axis; right the share of the interval in which the
    signal is below the bound, a dash for each site and a color for each place, or for each site where there is one
    place. Lines are medians, with dots at the doses that were simulated, and bands 90 % of the patients where there is
    one place.
    """
    doses = np.asarray(dataset["dose"].values, dtype=np.float64)
    lines = shown_places(dataset.sizes["second"])
    with styled(POINTS):
        figure = Figure(figsize=(PAGE, _HEIGHT), layout="constrained")
        left, right = figure.subplots(1, 2)
        for index, measure in enumerate(dataset["measure"].values):
            values = np.asarray(dataset["exposure"].sel(measure=measure).values[lines[0]], dtype=np.float64)
            _ribbon(left, doses, values, COLORS[index], _DASHES[index], str(measure), has_band=True)
        about = dataset["exposure"].attrs
        logarithmic(left.yaxis)
        left.set_ylabel(textwrap.fill(quantity_label(str(about["long_name"]), str(about["units"])), 34))
        for site_index, site in enumerate(dataset["site"].values):
            for order, place in enumerate(lines):
                values = np.asarray(dataset["blocked"].sel(site=site).values[place], dtype=np.float64)
                shade = color(order if len(lines) > 1 else site_index)
                _ribbon(right, doses, values, shade, _DASHES[site_index % 3], "", has_band=len(lines) == 1)
        right.set_ylabel(f"share of the interval with\nIL-1 signal below {dataset.attrs['bound']:g} % of baseline (%)")
        right.set_ylim(-3.0, 103.0)
        finished = np.isfinite(dataset["blocked"].values[0]).sum(axis=-1).ravel()
        draws = draws_in(dataset)
        people = counted([number // draws for number in finished.tolist()], dataset.sizes["member"] // draws)
        people += f" in each of {draws} draws" if draws > 1 else ""
        second = "" if not dataset.attrs["second"] else f", {second_label(dataset, lines[0])}"
        left.set_title(textwrap.fill(f"before day {dataset.attrs['window_end']:g}{second}", 50), loc="left")
        shown = f"median of {people}" + (", and 90 %" if len(lines) == 1 else "")
        right.set_title(textwrap.fill(shown, 40), loc="left")
        for axes in (left, right):
            dose_axis(axes, doses, dose_label(dataset))
        left.legend(loc="upper left")
        sites = [str(site).removeprefix("signal_") for site in dataset["site"].values]
        handles = [
            Line2D([], [], color=INK if len(lines) > 1 else color(index), linestyle=_DASHES[index % 3], **_MARK)
            for index in range(len(sites))
        ]
        if len(lines) > 1:
            handles += [Line2D([], [], color=color(order), **_MARK) for order in range(len(lines))]
            sites += [second_label(dataset, place) for place in lines]
        # Long enough that gaps between dashes are seen beside the dot.
        figure.legend(handles, sites, loc="outside lower right", ncols=min(len(handles), 6), handlelength=3.2)
    return figure


def _ribbon(
    axes: Axes, doses: FloatArray, values: FloatArray, shade: str, dashes: Any, label: str, *, has_band: bool
) -> None:
    """Median of values [dose, member] as a line, 90 % of the members as a band."""
    known = np.isfinite(values).any(axis=1)
    if not known.any():
        return
    places = places_of(doses)[known]
    low, middle, high = np.nanquantile(values[known], (0.05, 0.5, 0.95), axis=1)
    if has_band:
        axes.fill_between(places, low, high, color=shade, alpha=0.15, linewidth=0.0)
    axes.plot(places, middle, color=shade, linestyle=dashes, label=label, linewidth=1.4, **_MARK)
