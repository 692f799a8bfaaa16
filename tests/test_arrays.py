"""Labeled arrays without xarray: what is asked of them is what xarray says of a dataset of the same."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulate.arrays import Arrays, as_dataset
from simulate.studies.datasets import by_draw, pooled
from simulate.studies.netcdf import netcdf_bytes

TIMES = np.array([0.0, 0.5, 1.0])
VALUES = np.arange(12.0).reshape(1, 4, 3)
VARIABLES = {"a": (("arm", "member", "time"), VALUES, {"units": "mg"}), "days": ("member", np.arange(4.0))}
COORDS = {
    "arm": ("arm", np.array(["none"], dtype=object)),
    "member": ("member", np.array([0, 1, 0, 1]), {"long_name": "number"}),
    "draw": ("member", np.array([0, 0, 1, 1])),
    "time": ("time", TIMES, {"units": "d"}),
}
ATTRS = {"title": "four", "seed": 3}


@pytest.fixture
def plain() -> Arrays:
    return Arrays(VARIABLES, COORDS, ATTRS)


@pytest.fixture
def dataset() -> xr.Dataset:
    return xr.Dataset(VARIABLES, COORDS, ATTRS)


def changed(found: xr.Dataset | Arrays) -> xr.Dataset:
    """Less of the times, more of the rest."""
    chosen = found.isel(time=np.array([2, 0])).assign(b=(("member", "part"), np.ones((4, 2)), {"units": "d"}))
    made = chosen.assign_coords(part=("part", np.array(["low", "high"], dtype=object)))
    assert isinstance(made, xr.Dataset | Arrays)
    return made  # type: ignore[return-value]


def test_they_say_of_themselves_what_a_dataset_says(plain: Arrays, dataset: xr.Dataset) -> None:
    for one, other in ((plain, dataset), (changed(plain), changed(dataset))):
        assert list(one.variables) == list(other.variables)
        assert list(one.data_vars) == list(other.data_vars) == list(one)
        assert list(one.coords) == list(other.coords)
        assert dict(one.sizes) == dict(other.sizes)
        assert list(one.sizes) == list(other.sizes)
        assert one.attrs == other.attrs
        for name, part in other.variables.items():
            assert (one[name].dims, one[name].shape, one[name].dtype) == (part.dims, part.shape, part.dtype)
            assert one[name].attrs == part.attrs
            np.testing.assert_array_equal(one[name], part.values)
    assert "b" not in plain
    with pytest.raises(KeyError):
        plain["b"]


def test_a_dataset_of_them_is_one_and_so_it_stays(plain: Arrays, dataset: xr.Dataset) -> None:
    xr.testing.assert_identical(plain.dataset, dataset)
    xr.testing.assert_identical(as_dataset(changed(plain)), changed(dataset))
    assert as_dataset(dataset) is dataset


def test_draws_are_divided_and_pooled_as_those_of_a_dataset(plain: Arrays, dataset: xr.Dataset) -> None:
    divided = by_draw(plain)  # type: ignore[arg-type]
    assert isinstance(divided, Arrays)
    xr.testing.assert_identical(as_dataset(divided), by_draw(dataset))
    assert dict(divided.sizes) == {"arm": 1, "draw": 2, "member": 2, "time": 3}
    back = pooled(divided)
    assert isinstance(back, Arrays)
    xr.testing.assert_identical(as_dataset(back), dataset)


def test_their_file_has_the_same_bytes(plain: Arrays, dataset: xr.Dataset) -> None:
    for one, other in ((plain, dataset), (changed(plain), changed(dataset))):
        assert netcdf_bytes(one, ["a"]) == netcdf_bytes(other, ["a"])  # type: ignore[arg-type]
