"""Readings stand beside what they are readings of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulate.cohort.assay import Assay, read
from simulate.solver.trajectories import Status
from simulate.studies.datasets import ensemble_dataset, read_dataset, write_dataset
from simulate.studies.simulated_readings import with_readings
from simulate.symbolic.units import unit
from tests.studies.tiny import arm, ensemble, model

ASSAYS = {"concentration": Assay(unit("µg/L"), 0.2, limit=100.0), "ck": Assay(unit("µkat/L"), 0.1)}


@pytest.fixture(scope="module")
def dataset() -> xr.Dataset:
    simulated = ensemble(
        arm("daily", "10 mg iv every 1 d until 3 d"), arm("none", "none"), arm("no room", "10 mg iv", room=-1.0)
    )
    return ensemble_dataset(simulated, model(), ("concentration", "A"))


def test_what_has_an_assay_has_readings_in_its_own_unit(dataset: xr.Dataset) -> None:
    measured = with_readings(dataset, seed=3, assays=ASSAYS)
    assert set(measured.data_vars) - set(dataset.data_vars) == {"measured_concentration"}
    found = measured["measured_concentration"]
    assert found.dims == ("arm", "member", "time")
    assert found.attrs == {
        "units": "mg/L",
        "long_name": "concentration of the drug, as measured",
        "lower_limit": 0.1,
    }
    truth = dataset["concentration"].values[0, :, 1]
    expected = read(
        ASSAYS["concentration"],
        truth * 1000,
        quantity="concentration",
        visit=f"day {float(dataset['time'].values[1])!r}",
        members=dataset["member"].values,
        seed=3,
    )
    np.testing.assert_allclose(found.values[0, :, 1], expected / 1000, rtol=1e-12)


def test_nothing_is_reported_as_the_limit_and_failures_as_nothing(dataset: xr.Dataset) -> None:
    found = with_readings(dataset, seed=3, assays=ASSAYS)["measured_concentration"]
    assert np.all(found.values[1] == 0.1)
    assert dataset["status"].values[2, 0] == Status.INFEASIBLE
    assert np.isnan(found.values[2]).all()


def test_readings_come_back_from_a_file(dataset: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "results.nc"
    measured = with_readings(dataset, seed=3, assays=ASSAYS)
    write_dataset(measured, path)
    xr.testing.assert_identical(read_dataset(path)["measured_concentration"], measured["measured_concentration"])


def test_what_has_no_assay_has_no_readings(dataset: xr.Dataset) -> None:
    xr.testing.assert_identical(with_readings(dataset, seed=3), dataset)
