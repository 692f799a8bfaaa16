"""Labeled arrays, as far as the package needs them: what xarray calls a dataset, without half a second to load it.

A run reads names, dimensions, units and numbers. For all that a `Dataset` can do beside, one is made when it is asked.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr


class LabeledArrays(Protocol):
    """The part of xarray's interface that the package uses: a `Dataset` has it, and so have `Arrays`."""

    @property
    def variables(self) -> Mapping[Any, Any]:
        """All of them, by name."""

    @property
    def data_vars(self) -> Mapping[Any, Any]:
        """Those that are no coordinates."""

    @property
    def coords(self) -> Mapping[Any, Any]:
        """Those that are."""

    @property
    def attrs(self) -> dict[Any, Any]:
        """Attributes of the whole."""

    @property
    def sizes(self) -> Mapping[Any, int]:
        """Lengths of the dimensions."""

    def __getitem__(self, name: str, /) -> Any: ...

    def __contains__(self, name: object, /) -> bool: ...

    def isel(self, **places: Any) -> Any:
        """The same at some places of dimensions."""

    def assign(self, **variables: Any) -> Any:
        """The same with further variables."""

    def assign_coords(self, **coords: Any) -> Any:
        """The same with further coordinates."""


SameArrays = TypeVar("SameArrays", bound=LabeledArrays)


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
        """Type of the values."""
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
    """Labeled arrays that have of a `Dataset` what this package asks; `dataset` is the whole of it."""

    def __init__(self, variables: Mapping[str, Any], coords: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        self.variables = {
            name: part if isinstance(part, Labeled) else Labeled(*part)
            for name, part in {**variables, **coords}.items()
        }
        self.coords = {name: self.variables[name] for name in self.variables if name in coords}
        self.attrs = dict(attrs)

    @property
    def data_vars(self) -> dict[str, Labeled]:
        """Variables that are no coordinates."""
        return {name: part for name, part in self.variables.items() if name not in self.coords}

    @functools.cached_property
    def sizes(self) -> dict[str, int]:
        """Lengths of the dimensions."""
        return {dim: n for part in self.variables.values() for dim, n in zip(part.dims, part.shape, strict=True)}

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


def side_by_side(parts: Sequence[LabeledArrays], dim: str) -> Arrays:
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
    return made


def as_dataset(found: LabeledArrays) -> xr.Dataset:
    """The `Dataset` of what may be `Arrays`."""
    import xarray as xr

    if isinstance(found, xr.Dataset):
        return found
    assert isinstance(found, Arrays)
    return found.dataset
