"""A dataset says what was simulated, for whom, in which units; and comes back from its file as it was."""

from __future__ import annotations

from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest
import xarray as xr

from simulate.api.simulating import run
from simulate.arrays import as_dataset
from simulate.errors import InputError
from simulate.solver.trajectories import Status
from simulate.studies.datasets import ensemble_dataset, quantity_names, read_dataset, write_dataset
from simulate.studies.values import values_of_finished
from simulate.symbolic.composition import compose
from simulate.symbolic.parts import Mechanism, Observable
from simulate.symbolic.units import unit
from tests.studies.tiny import DRUG, MECHANISM, arm, ensemble, model


@pytest.fixture(scope="module")
def dataset() -> xr.Dataset:
    simulated = ensemble(
        arm("daily", "10 mg iv every 1 d until 3 d missing 50 %"),
        arm("none", "none"),
        arm("no room", "10 mg iv over 2 h", room=-1.0),
    )
    found = ensemble_dataset(simulated, model(), ("concentration", "A"), attributes={"title": "tiny", "seed": 3})
    return as_dataset(found)


def test_quantities_have_arm_member_time_and_say_unit_and_meaning(dataset: xr.Dataset) -> None:
    assert quantity_names(dataset) == ("concentration", "A")
    assert dataset["concentration"].dims == ("arm", "member", "time")
    assert dataset["concentration"].attrs == {"units": "mg/L", "long_name": "concentration of the drug"}
    assert dataset["arm"].values.tolist() == ["daily", "none", "no room"]
    assert dataset["regimen"].values.tolist()[1:] == ["none", "10 mg iv over 2 h"]
    assert dataset["time"].attrs["units"] == "d"


def test_doses_are_the_scheduled_ones_whoever_misses_them(dataset: xr.Dataset) -> None:
    assert dataset["dose_time"].values[0].tolist() == [0.0, 1.0, 2.0]
    assert dataset["dose_amount"].values[0].tolist() == [10.0] * 3
    assert np.isnan(dataset["dose_time"].values[1]).all()
    assert dataset["dose_route"].values[2].tolist() == ["iv", "", ""]


def test_parameters_are_those_that_were_used(dataset: xr.Dataset) -> None:
    used = dataset["parameters"].sel(parameter="room")
    assert used.values[:, 0].tolist() == [1.0, 1.0, -1.0]
    assert dict(zip(dataset["parameter"].values, dataset["parameter_unit"].values, strict=True))["k"] == "1/d"


def test_failures_are_flagged_and_left_out_of_what_is_summarized(dataset: xr.Dataset) -> None:
    assert dataset["status"].values[:, 0].tolist() == [Status.OK, Status.OK, Status.INFEASIBLE]
    flags = dict(
        zip(dataset["status"].attrs["flag_meanings"].split(), dataset["status"].attrs["flag_values"], strict=True)
    )
    assert flags["infeasible"] == Status.INFEASIBLE
    values = values_of_finished(dataset, "A")
    assert np.isnan(values[2]).all()
    assert not np.isnan(values[:2]).any()


def test_a_dataset_comes_back_from_its_file_as_it_was(dataset: xr.Dataset, tmp_path: Path) -> None:
    write_dataset(dataset, tmp_path / "results.nc")
    xr.testing.assert_identical(read_dataset(tmp_path / "results.nc"), dataset)


def test_only_what_shrinks_to_less_than_half_is_compressed(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal((1, 100, 100))
    plain = xr.Dataset({name: (("arm", "member", "time"), values) for name, values in (("a", noise), ("b", noise * 0))})
    write_dataset(plain, tmp_path / "results.nc")
    with h5py.File(tmp_path / "results.nc") as file:
        assert (file["a"].compression, file["b"].compression) == (None, "gzip")
    xr.testing.assert_identical(read_dataset(tmp_path / "results.nc"), plain)


def test_the_same_dataset_gives_the_same_bytes(dataset: xr.Dataset, tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_dataset(dataset, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_quantity_cannot_take_a_name_of_the_layout() -> None:
    extra = Mechanism("extra", "a name", observables=(Observable("status", "a name", unit("mg"), DRUG.symbol),))
    changed = compose([MECHANISM, extra])
    with pytest.raises(InputError) as caught:
        ensemble_dataset(ensemble(arm("a", "none")), changed, ("status",))
    assert str(caught.value) == (
        "error[results.name]: results cannot hold a quantity with the name `status`\n"
        "  found:    a name that results have for something else\n"
        "  try:      rename it in the model, or leave it out of `outputs.quantities`"
    )


def test_doses_that_a_parameter_makes_nothing_are_no_doses(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text(
        '[parameters]\nk = "1 1/d"\nF = 1\nG = 1\n[species.A]\nunit = "mg"\n[reactions.out]\nrate = "k*A"\n'
        'change = { A = -1 }\n[routes.sc]\ntarget = "A"\nunit = "mg"\ngain = "F*G"\n[routes.iv]\ntarget = "A"\n'
        'unit = "mg"\ngain = "1"\n',
        encoding="utf-8",
    )
    (tmp_path / "s.toml").write_text(
        'schema = 1\ntitle = "t"\n[model]\nfile = "model.toml"\n[time]\nend = "3 d"\n[cohort]\npatients = 2\n'
        '[[arm]]\nname = "both"\nregimen = "1 mg sc daily and 5 mg iv"\n'
        '[[arm]]\nname = "one"\nregimen = "1 mg sc daily"\n',
        encoding="utf-8",
    )
    given = run(tmp_path / "s.toml")
    assert np.isfinite(given["dose_time"].values).sum(axis=1).tolist() == [5, 4]
    none = run(tmp_path / "s.toml", settings={"F": 0.0})
    assert none["dose_amount"].values[0, 0] == 5.0
    assert none["dose_route"].values.tolist() == [["iv"], [""]]
    assert not np.isfinite(none["dose_time"].values[1]).any()
    assert not none["A"].sel(arm="one").values.any()
