"""The figures of a dose-response study, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from simulate.figures.dose_response import MAX_LINES, dose_response, second_label, shown_places
from simulate.figures.dosing_interval import dosing_interval
from simulate.figures.exposure_response import exposure_response
from simulate.figures.heat_map import heat_map
from simulate.figures.isobole import isobole
from simulate.studies.dose_response.tables import names_of, patients_text


def response_figures(datasets: Sequence[xr.Dataset]) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Name of each figure of a study and what draws it; none where nobody has a result."""
    if not any(int(one["n"].max()) for one in datasets):
        return
    several = len(datasets) > 1
    shown = in_lines(datasets) if several else datasets[0]
    yield "dose-response", lambda: dose_response(shown)
    if "exposure" in shown:
        yield "exposure-response", lambda: exposure_response(datasets)
    if "exposure" in shown and "blocked" in shown:
        yield "dosing-interval", lambda: dosing_interval(shown)
    for one in datasets if datasets[0].sizes["second"] > 1 else ():
        name = f"heat-map-{one.attrs['hypothesis']}" if several else "heat-map"
        for endpoint in range(one.sizes["endpoint"]):
            yield f"{name}-{endpoint + 1}", _heat_map(one, endpoint)
    if "isobole" in datasets[0]:
        yield "isobole", lambda: isobole(datasets)


def in_lines(datasets: Sequence[xr.Dataset]) -> xr.Dataset:
    """One dataset in which hypotheses stand along the second axis, with what was varied beside each, and have names.

    Of many places of a second axis those are taken that can be shown apart.
    """
    parts, names = [], []
    for own, one in zip(names_of(datasets), datasets, strict=True):
        places = shown_places(one.sizes["second"], max(1, MAX_LINES // len(datasets)))
        parts.append(one.isel(second=places).drop_dims([name for name in ("cause", "cohort") if name in one.dims]))
        names += [f"{own}, {second_label(one, place)}" if one.attrs["second"] else own for place in places]
    found = xr.concat(
        parts, dim="second", join="outer", data_vars="minimal", coords="minimal", compat="override",
        combine_attrs="override",
    )  # fmt: skip
    return found.assign_coords(
        second=("second", np.arange(len(names), dtype=np.float64)), line=("second", np.array(names, dtype=object))
    ).assign_attrs(second="hypothesis")


def _heat_map(dataset: xr.Dataset, endpoint: int) -> Callable[[], Figure]:
    note = f"mean of {patients_text(dataset, endpoint)}"
    return lambda: heat_map(field(dataset, endpoint), note=note)


def field(dataset: xr.Dataset, endpoint: int) -> xr.DataArray:
    """Means over doses and the second axis, as `simulate.figures.heat_map` takes them; the dose of nothing left out."""
    means = dataset["mean"].isel(endpoint=endpoint).sel(dose=dataset["dose"] > 0.0)
    labels = {"long_name": str(means["endpoint_title"].values), "units": str(means["endpoint_unit"].values)}
    found = means.drop_vars([name for name in means.coords if name not in means.dims]).assign_attrs(labels)
    return found.assign_coords(dose=found["dose"].assign_attrs(long_name="dose"))
