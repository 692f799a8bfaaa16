"""From the parts of a sweep to one netCDF file, a part at a time.

The file is laid out first, with room for every value at a place that is known; the values are then written there by
plain writes. Memory does not grow with the sweep, the bytes do not depend on the order, and a disk that is full is an
error like any other, where the HDF5 library would end the process.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.cohort.ensemble import overrides_of
from simulate.studies.datasets import LABELS, dose_variables, idle_routes, quantity_labels, regimen_words, terms_labels
from simulate.studies.runs import dataset_attributes
from simulate.studies.sweeps.parts import Arrays
from simulate.studies.sweeps.plans import SweepPlan
from simulate.studies.sweeps.variations import labels_of

MAX_DOSES = 200_000
"""Most places, arms times doses, for which a sweep lists its doses."""

_SLACK = 4_000_000
_TEXT_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Slot:
    """A variable of the file that parts fill: its shape and type, and where its values begin."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int


def gather(plan: SweepPlan, target: Path, part: Callable[[int], Arrays]) -> None:
    """Write the results of a sweep."""
    patients = plan.study.members
    staging = target.parent / f".il1sim-{secrets.token_hex(8)}.tmp"
    try:
        _reserve(staging, plan.rows * plan.row_bytes + patients * _TEXT_BYTES + _SLACK)
        slots = _lay_out(plan, staging)
        strata = np.zeros(patients, dtype=np.uint8)
        descriptor = os.open(staging, os.O_RDWR)
        try:
            for index, place in enumerate(plan.parts):
                arrays = part(index)
                strata[slice(*place.members)] = arrays["stratum"]
                for name, slot in slots.items():
                    _put(descriptor, slot, arrays[name], place.arms, place.members)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _add_strata(plan, staging, strata)
        os.replace(staging, target)
    finally:
        staging.unlink(missing_ok=True)


def _reserve(path: Path, size: int) -> None:
    """Fail now if the disk has no room, and not later within a library that cannot say so."""
    with open(path, "xb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    path.unlink()


def _put(
    descriptor: int, slot: _Slot, values: npt.NDArray[Any], arms: tuple[int, int], members: tuple[int, int]
) -> None:
    """Write the values of a part to their places: a stretch for each arm."""
    by_arm = slot.dims[0] == "arm"
    row = slot.dtype.itemsize * int(np.prod(slot.shape[2 if by_arm else 1 :], dtype=np.int64))
    patients = slot.shape[1 if by_arm else 0]
    for index, arm in enumerate(range(*arms) if by_arm else (0,)):
        own = np.ascontiguousarray(values[index] if by_arm else values, dtype=slot.dtype)
        view, offset = memoryview(own.tobytes()), slot.offset + (arm * patients + members[0]) * row
        while view:
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written


def _lay_out(plan: SweepPlan, path: Path) -> dict[str, _Slot]:
    """Make the file with all that is known beforehand, and room for the rest."""
    import h5netcdf

    patients, arms = plan.study.members, len(plan.study.arms)
    known = _known(plan)
    sizes = {"arm": arms, "member": patients, "time": len(plan.times)}
    for dims, values, _ in known.values():
        sizes |= dict(zip(dims, np.shape(values), strict=True))
    slots: dict[str, _Slot] = {}
    with h5netcdf.File(path, "w") as file:
        file.dimensions = sizes
        for name, (dims, dtype, label) in _filled(plan).items():
            shape = tuple(sizes[dim] for dim in dims)
            variable = file.create_variable(name, dims, dtype, dcpl=_with_room())
            variable.attrs.update(label)
            if all(shape):
                slots[name] = _Slot(dims, shape, np.dtype(dtype), variable._h5ds.id.get_offset())
        for name, (dims, values, label) in known.items():
            _create(file, name, dims, values, label)
        file.attrs.update(dataset_attributes(plan.study) | {"title": plan.request.title, "key": plan.key})
        own = ("regimen", "base_arm", "stratum", *(["draw"] if plan.study.draws else []), "parameter_unit")
        file.attrs["coordinates"] = " ".join((*own, *(f"over_{axis.name}" for axis in plan.request.axes)))
    return slots


def _with_room() -> Any:
    import h5py

    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    return creation


def _create(file: Any, name: str, dims: tuple[str, ...], values: npt.NDArray[Any], label: Mapping[str, Any]) -> None:
    import h5py

    dtype = h5py.string_dtype() if values.dtype == object else values.dtype
    file.create_variable(name, dims, dtype, data=values).attrs.update(label)


def _filled(plan: SweepPlan) -> dict[str, tuple[tuple[str, ...], str, Mapping[str, Any]]]:
    """Variables that the parts fill."""
    labels = quantity_labels(plan.study.model)
    found: dict[str, tuple[tuple[str, ...], str, Mapping[str, Any]]] = {
        name: (("arm", "member", "time"), "f8", labels[name]) for name in plan.study.quantities
    }
    for name, label in terms_labels(plan.study.model, plan.study.quantities).items():
        found[name] = (("arm", "member"), "f8", label)
    found["status"] = (("arm", "member"), "i1", LABELS["status"])
    if plan.request.parameters:
        found["parameters"] = (("arm", "member", "parameter"), "f8", LABELS["parameters"])
    dims = ("arm", "member", "covariate") if plan.varies_covariates else ("member", "covariate")
    found["covariates"] = (dims, "f8", LABELS["covariates"])
    found["dropout_day"] = (("member",), "f8", LABELS["dropout_day"])
    return found


def _known(plan: SweepPlan) -> dict[str, tuple[tuple[str, ...], npt.NDArray[Any], Mapping[str, Any]]]:
    """Variables that are known without solving."""
    study = plan.study
    draws, numbers = study.places(0, study.members)
    found: dict[str, tuple[tuple[str, ...], npt.NDArray[Any], Mapping[str, Any]]] = {
        "arm": (("arm",), _texts([arm.name for arm in study.arms]), {}),
        "regimen": (("arm",), _texts([regimen_words(arm) for arm in study.arms]), {}),
        "base_arm": (("arm",), _texts(plan.base_arms), {"long_name": "arm of the scenario"}),
        "member": (("member",), numbers, LABELS["member"]),
        **({} if study.draws is None else {"draw": (("member",), draws, LABELS["draw"])}),
        "time": (("time",), plan.times, LABELS["time"]),
        "parameter": (("parameter",), _texts([part.name for part in study.model.parameters]), {}),
        "parameter_unit": (("parameter",), _texts([part.unit.text for part in study.model.parameters]), {}),
        "covariate": (("covariate",), _texts([part.name for part in study.population.covariates]), {}),
    }
    for index, axis in enumerate(plan.request.axes):
        values = [point[index] for point in plan.values]
        numbers = _texts(values) if isinstance(values[0], str) else np.array(values, dtype=np.float64)
        found[f"over_{axis.name}"] = (("arm",), numbers, labels_of(axis, study))
    if len(study.arms) <= MAX_DOSES:
        zeros = [{name for name, own in overrides_of(arm).items() if own.value == 0.0} for arm in study.arms]
        idle = [idle_routes(study.model, zero) for zero in zeros]
        doses = dose_variables(study.arms, study.model, float(study.times[-1]), idle)
        if np.size(doses["dose_time"][1]) <= MAX_DOSES:
            found |= doses
    return found


def _add_strata(plan: SweepPlan, path: Path, strata: npt.NDArray[np.uint8]) -> None:
    import h5netcdf

    names = _texts([stratum.name for stratum in plan.study.population.strata] or [""])
    with h5netcdf.File(path, "r+") as file:
        _create(file, "stratum", ("member",), names[strata], {})
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _texts(values: Any) -> npt.NDArray[Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found
