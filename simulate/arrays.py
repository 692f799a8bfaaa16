"""Labeled arrays, as far as the package needs them: what xarray calls a dataset, without half a second to load it.

A run reads names, dimensions, units and numbers. For all that a `Dataset` can do beside, one is made when it is asked.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr


class Labeled:
    """An array with names for its dimensions, and attributes such as its unit."""

    __slots__ = ("attrs", "dims", "values")

    def __init__(self, dims: str | Iterable[Hashable], values: npt.ArrayLike, attrs: Mapping[str, Any] | None = None):
        self.dims = (dims,) if isinstance(dims, str) else tuple(map(str, dims))
        self.values = np.asarray(values)
        self.attrs = dict(attrs or {})

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the values are."""
        return self.values.dtype

    @property
    def parts(self) -> tuple[tuple[str, ...], np.ndarray[Any, Any], dict[str, Any]]:
        """Dimensions, values and attributes."""
        return self.dims, self.values, self.attrs

    def __array__(self, *arguments: Any, **named: Any) -> np.ndarray[Any, Any]:
        return np.asarray(self.values, *arguments, **named)

    def along(self, dim: str, places: Any) -> Labeled:
        """The same at some places of a dimension."""
        if dim not in self.dims:
            return self
        return Labeled(self.dims, self.values[(slice(None),) * self.dims.index(dim) + (places,)], self.attrs)


class Arrays:
    """Labeled arrays that know what of a `Dataset` this package asks; of the rest, one that is made knows."""

    def __init__(self, variables: Mapping[str, Any], coords: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        self.variables = {
            name: part if isinstance(part, Labeled) else Labeled(*part)
            for name, part in {**variables, **coords}.items()
        }
        self.coords = {name: self.variables[name] for name in self.variables if name in coords}
        self.attrs = dict(attrs)

    @property
    def data_vars(self) -> dict[str, Labeled]:
        """What is no coordinate."""
        return {name: part for name, part in self.variables.items() if name not in self.coords}

    @functools.cached_property
    def sizes(self) -> dict[str, int]:
        """Lengths of the dimensions."""
        return {dim: n for part in self.variables.values() for dim, n in zip(part.dims, part.shape, strict=True)}

    @property
    def dims(self) -> dict[str, int]:
        """Names of the dimensions."""
        return self.sizes

    def __getitem__(self, name: str) -> Labeled:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def __iter__(self) -> Iterator[str]:
        return iter(self.data_vars)

    def isel(self, **places: Any) -> Arrays:
        """The same at some places of dimensions."""
        found = self.variables
        for dim, own in places.items():
            found = {name: part.along(dim, own) for name, part in found.items()}
        return self._with(found, self.coords)

    def assign(self, **variables: Any) -> Arrays:
        """The same with further variables."""
        return self._with(self.variables | variables, self.coords)

    def assign_coords(self, **coords: Any) -> Arrays:
        """The same with further coordinates."""
        return self._with(self.variables | coords, {**self.coords, **coords})

    def _with(self, variables: Mapping[str, Any], coords: Mapping[str, Any]) -> Arrays:
        # In their order, which that of a file follows.
        made = Arrays(variables, {}, self.attrs)
        made.coords = {name: part for name, part in made.variables.items() if name in coords}
        return made

    @functools.cached_property
    def dataset(self) -> xr.Dataset:
        """The same as a `Dataset`."""
        import xarray as xr

        parts = {name: part.parts for name, part in self.variables.items()}
        coords = {name: parts.pop(name) for name in self.coords}
        return xr.Dataset(parts, coords=coords, attrs=self.attrs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.dataset, name)


def arrays(variables: Mapping[str, Any], coords: Mapping[str, Any], attrs: Mapping[str, Any]) -> xr.Dataset:
    """Labeled arrays of variables and coordinates, each given by its dimensions, values and attributes."""
    return cast("xr.Dataset", Arrays(variables, coords, attrs))


def side_by_side(parts: Sequence[xr.Dataset], dim: str) -> xr.Dataset:
    """Arrays of several, those of a dimension beside each other; what lacks it is that of the first."""
    first, *_ = parts
    found: dict[str, Any] = {
        str(name): Labeled(
            part.dims, np.concatenate([one.variables[name].values for one in parts], part.dims.index(dim)), part.attrs
        )
        if dim in part.dims
        else part
        for name, part in first.variables.items()
    }
    made = Arrays(found, {}, first.attrs)
    made.coords = {name: made.variables[name] for name in made.variables if name in first.coords}
    return cast("xr.Dataset", made)


def is_plain(found: xr.Dataset) -> bool:
    """Whether labeled arrays are `Arrays`, and no `Dataset`."""
    return isinstance(found, Arrays)


def as_dataset(found: xr.Dataset) -> xr.Dataset:
    """A `Dataset` of what may be `Arrays`."""
    given: object = found
    return given.dataset if isinstance(given, Arrays) else found
