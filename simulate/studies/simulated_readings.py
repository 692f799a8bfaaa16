"""Readings beside simulated quantities: ``measured_*`` as a laboratory would have reported them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from simulate.cohort.assay import Assay, read
from simulate.errors import InputError
from simulate.studies.datasets import by_draw, pooled, values_of_finished
from simulate.symbolic.units import convert, unit
from simulate.trials.reading import shipped_trial

PREFIX = "measured_"


def with_readings(dataset: xr.Dataset, *, seed: int, assays: Mapping[str, Assay] | None = None) -> xr.Dataset:
    """The dataset of a run with a reading of every quantity for which there is an assay.

    Parameters
    ----------
    dataset
        In the layout of `simulate.studies.datasets`.
    seed
        Seed of the cohort.
    assays
        Assays by quantity; those of the shipped trial if not given.

    Returns
    -------
    xr.Dataset
        With ``measured_NAME`` (arm, member, time) in the unit of ``NAME``; its attribute ``lower_limit`` is the value
        reported for everything at or below the limit of the assay. Members that failed have none.
    """
    dataset = pooled(dataset)
    known = shipped_trial().assays if assays is None else assays
    members = np.asarray(dataset["member"].values, dtype=np.int64)
    found = {}
    for name in sorted(known.keys() & {str(name) for name in dataset.data_vars}):
        if PREFIX + name in dataset.data_vars:
            raise InputError(
                f"results have a quantity `{PREFIX}{name}` already",
                code="results.name",
                found="the name of the reading of another quantity",
                advice="rename it in the model",
            )
        assay, own = known[name], unit(dataset[name].attrs["units"])
        truth = values_of_finished(dataset, name) * convert(1.0, own, assay.unit)
        readings = np.empty_like(truth)
        for index, day in enumerate(dataset["time"].values.tolist()):
            readings[:, :, index] = read(
                assay, truth[:, :, index], quantity=name, visit=f"day {day!r}", members=members, seed=seed
            )
        attributes = {
            "units": own.text,
            "long_name": f"{dataset[name].attrs['long_name']}, as measured",
            "lower_limit": convert(assay.limit, assay.unit, own),
        }
        found[PREFIX + name] = (("arm", "member", "time"), readings * convert(1.0, assay.unit, own), attributes)
    return by_draw(dataset.assign(found))
