"""Labeled arrays as the bytes of a netCDF-4 file, written and read by h5py.

What xarray does for this reads every name anew for each of its variables, and loads dask where that is installed.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from simulate.arrays import LabeledArrays

if TYPE_CHECKING:
    import xarray as xr

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."
_COORDINATES = "coordinates"
_DIMENSION, _DIMENSIONS = "_Netcdf4Dimid", "_Netcdf4Coordinates"
_SMALL = 64_000_000
"""Bytes of a file up to which all of it is read at once."""
_OF_THE_FORMAT = {
    "CLASS", "DIMENSION_LIST", "NAME", "REFERENCE_LIST", "_FillValue", "_NCProperties", _DIMENSION, _DIMENSIONS,
}  # fmt: skip
"""Attributes that are no description."""


def netcdf_bytes(dataset: LabeledArrays, compressed: Collection[str]) -> memoryview:
    """Content of a netCDF-4 file with a dataset, whose variables are numbers or texts; the same for the same dataset.

    Parameters
    ----------
    dataset
        What is written.
    compressed
        Names of the variables that are compressed.
    """
    # By way of memory: on a disk that is full, the HDF5 library ends the process instead of raising an error.
    content = io.BytesIO()
    with h5py.File(content, "w", track_order=True) as file:
        sizes = {str(name): size for name, size in dataset.sizes.items()}
        scales = {name: _scale(file, dataset, name, size) for name, size in sizes.items()}
        places = {name: place for place, name in enumerate(sizes)}
        for name, scale in scales.items():
            scale.attrs[_DIMENSION] = np.int32(places[name])
        # Coordinates that no variable names are named by the file.
        coordinates = {str(name): {*part.dims} for name, part in dataset.coords.items() if name not in sizes}
        unnamed = {*coordinates}
        for key, variable in dataset.variables.items():
            name, dims = str(key), [str(dim) for dim in variable.dims]
            written = scales[name] if name in scales else _variable(file, name, variable, name in compressed)
            if dims:
                written.attrs[_DIMENSIONS] = np.array([places[dim] for dim in dims], dtype=np.int32)
            if dims and name not in scales:
                written.attrs[_DIMENSION] = np.int32(places[dims[0]])
                for at, dim in enumerate(dims):
                    written.dims[at].attach_scale(scales[dim])
            beside = ""
            if name not in dataset.coords:
                own = {name for name, its in coordinates.items() if its <= {*dims}}
                beside = " ".join(sorted(own))
                unnamed -= own
            _describe(written, {**variable.attrs, **({_COORDINATES: beside} if beside else {})})
        _describe(file, {**dataset.attrs, **({_COORDINATES: " ".join(sorted(unnamed))} if unnamed else {})})
        versions = f"version=2,h5py={h5py.version.version},hdf5={h5py.version.hdf5_version}"
        file.attrs.create("_NCProperties", np.bytes_(versions))
    return content.getbuffer()


def _scale(file: h5py.File, dataset: LabeledArrays, name: str, size: int) -> Any:
    """A dimension: its coordinate, or a place that says how long it is."""
    if name in dataset.variables:
        scale = _variable(file, name, dataset.variables[name], False)
        scale.make_scale(name)
        return scale
    scale = file.create_dataset(name, (size,), ">f4")
    scale.make_scale(f"{_NO_VARIABLE}{size:10d}")
    return scale


def _variable(file: h5py.File, name: str, variable: xr.Variable, is_compressed: bool) -> Any:
    values = variable.values
    if values.dtype.kind in "OU":
        return file.create_dataset(name, variable.shape, h5py.string_dtype(), data=values.astype(object))
    smaller = {"compression": "gzip", "compression_opts": 4, "shuffle": True} if is_compressed else {}
    if values.dtype.kind != "f":
        return file.create_dataset(name, data=values, **smaller)
    written = file.create_dataset(name, data=values, fillvalue=np.nan, **smaller)
    written.attrs["_FillValue"] = np.array([np.nan], dtype=values.dtype)
    return written


def _describe(written: Any, attributes: Mapping[Any, Any]) -> None:
    for name, value in attributes.items():
        written.attrs[str(name)] = value if isinstance(value, str) else np.atleast_1d(value)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[xr.Dataset]:
    """The dataset of a file, in memory if it is small; of a large one only what is asked for is read."""
    if path.stat().st_size <= _SMALL:
        yield read_netcdf(path)
        return
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
        yield dataset


def read_netcdf(path: Path) -> xr.Dataset:
    """The dataset of a netCDF-4 file whose variables are numbers, NaN where there is none, or texts; all of it."""
    import xarray as xr

    variables: dict[str, xr.Variable] = {}
    with h5py.File(path, "r") as file:
        attributes = _attributes(file)
        coordinates = attributes.pop(_COORDINATES, "").split()
        held = dict(file.items())
        dims = {part.attrs[_DIMENSION]: name for name, part in held.items() if "CLASS" in part.attrs}
        for name, part in held.items():
            if "CLASS" in part.attrs and part.attrs["NAME"].decode().startswith(_NO_VARIABLE):
                continue
            own = _attributes(part)
            coordinates += own.pop(_COORDINATES, "").split()
            values = part.asstr()[()].astype(str) if part.dtype.kind == "O" else part[()]
            variables[name] = xr.Variable([dims[place] for place in _places(part)], values, own)
    coordinates = [name for name in variables if name in {*coordinates, *dims.values()}]
    coords = {name: variables.pop(name) for name in coordinates}
    return xr.Dataset(variables, coords, attributes)


def _places(part: Any) -> list[int]:
    """Numbers of the dimensions of a variable."""
    if len(part.shape) < 2:
        return [part.attrs[_DIMENSION]] if part.shape else []
    places: list[int] = part.attrs[_DIMENSIONS].tolist()
    return places


def _attributes(part: Any) -> dict[str, Any]:
    return {name: _plain(part.attrs[name]) for name in part.attrs if name not in _OF_THE_FORMAT}


def _plain(value: Any) -> Any:
    """An attribute as it was given: one number is written as an array of one."""
    return value[0] if isinstance(value, np.ndarray) and value.size == 1 else value
