"""The figures of a dose-response study, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import xarray as xr
from matplotlib.figure import Figure

from simulate.figures.dose_response import dose_response
from simulate.figures.dosing_interval import dosing_interval
from simulate.figures.exposure_response import exposure_response
from simulate.figures.heat_map import heat_map
from simulate.figures.isobole import isobole
from simulate.studies.dose_response.tables import patients_text


def response_figures(dataset: xr.Dataset) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Name of each figure of a study and what draws it; none where nobody has a result."""
    if not int(dataset["n"].max()):
        return
    yield "dose-response", lambda: dose_response(dataset)
    if "exposure" in dataset:
        yield "exposure-response", lambda: exposure_response(dataset)
    if "exposure" in dataset and "blocked" in dataset:
        yield "dosing-interval", lambda: dosing_interval(dataset)
    if dataset.sizes["second"] > 1:
        for endpoint in range(dataset.sizes["endpoint"]):
            yield f"heat-map-{endpoint + 1}", _heat_map(dataset, endpoint)
    if "isobole" in dataset:
        yield "isobole", lambda: isobole(dataset)


def _heat_map(dataset: xr.Dataset, endpoint: int) -> Callable[[], Figure]:
    note = f"mean of {patients_text(dataset, endpoint)}"
    return lambda: heat_map(field(dataset, endpoint), note=note)


def field(dataset: xr.Dataset, endpoint: int) -> xr.DataArray:
    """Means over doses and the second axis, as `simulate.figures.heat_map` takes them; the dose of nothing left out."""
    means = dataset["mean"].isel(endpoint=endpoint).sel(dose=dataset["dose"] > 0.0)
    labels = {"long_name": str(means["endpoint_title"].values), "units": str(means["endpoint_unit"].values)}
    found = means.drop_vars([name for name in means.coords if name not in means.dims]).assign_attrs(labels)
    return found.assign_coords(dose=found["dose"].assign_attrs(long_name="dose"))
