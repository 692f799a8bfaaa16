from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from simulate.studies import netcdf
from simulate.studies.netcdf import netcdf_bytes, opened, read_netcdf
from simulate.studies.sweeps.running import run_sweep
from tests.studies.sweeps.small import plan


@pytest.fixture
def dataset() -> xr.Dataset:
    """One of each kind of variable: numbers with gaps, whole ones, texts, none; with and without coordinates."""
    numbers = np.random.default_rng(1).normal(size=(2, 3, 40))
    numbers[1, 2, 5:] = np.nan
    return xr.Dataset(
        {
            "level": (("arm", "member", "time"), numbers, {"units": "µg/L", "long_name": "a level"}),
            "flat": (("member", "dose"), np.full((3, 500), 2.5), {"flag_values": np.arange(3, dtype=np.int8)}),
            "half": ("dose", np.linspace(0.0, 1.0, 500, dtype=np.float32)),
            "status": (("arm", "member"), np.zeros((2, 3), dtype=np.int8)),
            "route": (("arm", "part"), np.array([["sc", ""], ["iv", "µ"]], dtype=object)),
            "alone": ((), np.float64(7.0)),
        },
        coords={
            "arm": ("arm", np.array(["none", "100 mg"], dtype=object)),
            "regimen": ("arm", np.array(["", "100 mg sc every 1 d"], dtype=object)),
            "member": ("member", np.arange(3), {"long_name": "number of the patient"}),
            "stratum": ("member", np.array(["IBM", "PM", "DM"])),
            "time": ("time", np.linspace(0.0, 1.0, 40), {"units": "d"}),
            "nowhere": ("other", np.arange(4.0)),
        },
        attrs={"title": "a run", "seed": 7, "rtol": 1e-6, "dropout": np.int64(0), "question": ""},
    )


def test_what_is_read_is_what_xarray_writes_and_reads(dataset: xr.Dataset, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.nc", tmp_path / "theirs.nc"
    ours.write_bytes(netcdf_bytes(dataset, ["flat"]))
    dataset.to_netcdf(theirs, engine="h5netcdf", encoding={"flat": {"zlib": True, "complevel": 4, "shuffle": True}})
    with xr.open_dataset(ours, engine="h5netcdf") as found, xr.open_dataset(theirs, engine="h5netcdf") as expected:
        xr.testing.assert_identical(found, expected)
        assert list(found.data_vars) == list(dataset.data_vars)
        for name, variable in expected.variables.items():
            own = found.variables[name]
            assert own.dtype == variable.dtype
            unlike = {"source", "chunksizes", "preferred_chunks"}
            settings = {key: value for key, value in variable.encoding.items() if key not in unlike}
            assert str({key: own.encoding[key] for key in settings}) == str(settings)


def assert_read_as_by_xarray(path: Path) -> None:
    found = read_netcdf(path)
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as expected:
        xr.testing.assert_identical(found, expected)
        for part in ("variables", "data_vars", "coords", "sizes", "attrs"):
            assert list(getattr(found, part)) == list(getattr(expected, part))
        for name, variable in expected.variables.items():
            assert found.variables[name].dtype == variable.dtype


def test_what_is_written_here_by_xarray_or_by_sweeps_is_read_as_by_xarray(dataset: xr.Dataset, tmp_path: Path) -> None:
    ours, theirs, sweep = tmp_path / "ours.nc", tmp_path / "theirs.nc", tmp_path / "sweep"
    ours.write_bytes(netcdf_bytes(dataset, ["flat"]))
    dataset.to_netcdf(theirs, engine="h5netcdf")
    run_sweep(plan(), sweep)
    for path in (ours, theirs, *sorted(sweep.glob("*.nc"))):
        assert_read_as_by_xarray(path)


def test_a_large_file_is_read_as_it_is_asked_for(
    dataset: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.nc"
    path.write_bytes(netcdf_bytes(dataset, []))
    with opened(path) as small:
        assert small.variables["level"]._in_memory
    monkeypatch.setattr(netcdf, "_SMALL", 1)
    with opened(path) as large:
        assert not large.variables["level"]._in_memory
        xr.testing.assert_identical(large.load(), small)


def test_dimensions_are_those_of_the_netcdf_library(dataset: xr.Dataset, tmp_path: Path) -> None:
    """What xarray reads past and the library of the C language goes by: numbers and places of dimensions."""
    ours, theirs = tmp_path / "ours.nc", tmp_path / "theirs.nc"
    ours.write_bytes(netcdf_bytes(dataset, []))
    dataset.to_netcdf(theirs, engine="h5netcdf")
    hidden = ("CLASS", "NAME", "_Netcdf4Dimid", "_Netcdf4Coordinates")
    with h5py.File(ours) as found, h5py.File(theirs) as expected:
        assert set(found) == set(expected)
        for name, part in expected.items():
            own = found[name]
            assert own.dtype == part.dtype
            assert str({key: own.attrs.get(key) for key in hidden}) == str({key: part.attrs.get(key) for key in hidden})
            scales, others = ([dict(dim).keys() for dim in one.dims] for one in (own, part))
            assert scales == others


def test_the_same_dataset_gives_the_same_bytes(dataset: xr.Dataset) -> None:
    assert netcdf_bytes(dataset, ["flat"]) == netcdf_bytes(dataset.copy(deep=True), ["flat"])
