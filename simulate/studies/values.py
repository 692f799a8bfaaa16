"""Values of the quantities of a dataset: whose values count, and how exact they are.

Members who failed have no values, those whom a rule has stopped none after that, and those who have left the study none
where results are of those who are still in it. The dataset is that of `simulate.studies.datasets`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulate.arrays import LabeledArrays
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.datasets import TERMS, quantity_names
from simulate.studies.resolution import NOTHING, Resolution


def values_of_finished(dataset: LabeledArrays, name: str, place: int | None = None) -> FloatArray:
    """Values of a quantity, NaN for members that failed, even before their failure.

    Shape [arm, member, time]; of one time alone where a place in the coordinate is given.
    """
    # One time is copied without the others.
    values = np.array(dataset.variables[name].values[:, :, _times(place)], dtype=np.float64)
    values[np.asarray(dataset.variables["status"].values) != Status.OK] = np.nan
    return values


def _times(place: int | None) -> slice | list[int]:
    return slice(None) if place is None else [place]


def stopped_members(dataset: LabeledArrays) -> npt.NDArray[np.bool_]:
    """Whom a rule has stopped before the last time of a dataset, shape [arm, member]: they have not failed."""
    last = np.asarray(dataset.variables[quantity_names(dataset)[0]].values[:, :, -1], dtype=np.float64)
    found: npt.NDArray[np.bool_] = np.isnan(last) & (np.asarray(dataset.variables["status"].values) == Status.OK)
    return found


def resolution_of(dataset: LabeledArrays) -> Resolution:
    """The numerical resolution of a dataset."""
    return Resolution(**{name: float(dataset.attrs[name]) for name in ("rtol", "atol") if name in dataset.attrs})


def terms_of(dataset: LabeledArrays, quantity: str) -> FloatArray:
    """Sizes of the terms of a quantity, shape [arm, member]; 0 where its terms do not cancel."""
    if TERMS + quantity not in dataset:
        return np.zeros((dataset.sizes["arm"], dataset.sizes["member"]))
    return np.asarray(dataset.variables[TERMS + quantity].values, dtype=np.float64)


def nothing_in(dataset: LabeledArrays) -> dict[str, float]:
    """In each unit, the size below which a number is nothing but rounding; by the first patient."""
    found: dict[str, float] = {}
    for name in quantity_names(dataset):
        variable = dataset.variables[name]
        sizes = np.abs(np.asarray(variable.values[:, 0], dtype=np.float64))
        key = str(variable.attrs["units"])
        found[key] = max(found.get(key, 0.0), NOTHING * float(np.fmax.reduce(sizes, axis=None, initial=0.0)))
    return found


def peaks_of(values: FloatArray) -> FloatArray:
    """Largest sizes of courses, shape [...], of values [..., time]; 0 for those without a number."""
    found: FloatArray = np.nan_to_num(np.fmax.reduce(np.abs(values), axis=-1))
    return found


def values_shown(dataset: LabeledArrays, name: str, place: int | None = None) -> FloatArray:
    """As `values_of_finished`, and NaN for who has left the study where results are of those who are still in it."""
    values = values_of_finished(dataset, name, place)
    if counts_dropout(dataset):
        values[:, ~seen_members(dataset)[:, _times(place)]] = np.nan
    return values


def counts_dropout(dataset: LabeledArrays) -> bool:
    """Whether the results of a dataset are of those who are still in the study."""
    return bool(dataset.attrs.get("dropout", 0))


def seen_members(dataset: LabeledArrays) -> npt.NDArray[np.bool_]:
    """Whom results are of, shape [member, time]: those still in the study, or everybody if dropout does not count."""
    days = np.asarray(dataset.variables["time"].values, dtype=np.float64)
    if not counts_dropout(dataset):
        return np.ones((dataset.sizes["member"], len(days)), dtype=np.bool_)
    left = np.asarray(dataset.variables["dropout_day"].values, dtype=np.float64)
    return left[:, np.newaxis] > days
