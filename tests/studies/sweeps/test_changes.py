"""Changes at the points of a sweep are those of the patients of its results."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import simulate
from simulate.studies import paired
from simulate.studies.sweeps import changes
from simulate.studies.sweeps.changes import changes_table, sweep_changes
from simulate.tabular import read_csv


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweep") / "out"
    simulate.sweep(
        "anakinra-100mg-daily",
        over={"dose": [10.0, 100.0]},
        patients=5,
        draws=3,
        end="20 d",
        at=["0 d", "7 d", "20 d"],
        quantities=["ifng", "il17a"],
        out=out,
    )
    return out


def test_changes_are_those_of_each_patient_from_the_first_time_to_the_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {(row.arm, row.quantity): row for row in sweep_changes(folder / "results.nc")}
    with xr.open_dataset(folder / "results.nc", engine="h5netcdf", decode_times=False) as dataset:
        values, draws = dataset["ifng"].values, dataset["draw"].values
        assert dataset["ifng"].dims == ("arm", "member", "time")
        for arm, name in enumerate(dataset["arm"].values):
            own = 100.0 * (values[arm, :, -1] / values[arm, :, 0] - 1.0)
            row = rows[str(name), "ifng"]
            assert (row.unit, row.since, row.day, row.changed.n) == ("%", 0.0, 20.0, 5.0)
            assert row.over == {"dose": [10.0, 100.0][arm]}
            assert (row.changed.median, row.changed.p5, row.changed.p95) == pytest.approx(
                np.quantile(own, (0.5, 0.05, 0.95))
            )
            assert (row.changed.up, row.changed.down) == (np.mean(own > 0.0), np.mean(own < 0.0))
            # Five patients who are drawn say nothing of what is not known; those who are meant do.
            assert row.between_draws == (None, None)
    medians = [np.median(own[draws == draw]) for draw in np.unique(draws)]
    monkeypatch.setattr(paired, "FEWEST_DRAWN", 5)
    (*_, last) = [row for row in sweep_changes(folder / "results.nc") if row.quantity == "ifng"]
    assert last.between_draws == pytest.approx(np.quantile(medians, (0.05, 0.95)))


def test_the_table_of_the_directory_is_that_of_the_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = (folder / "changes.csv").read_text(encoding="utf-8")
    assert changes_table(sweep_changes(folder / "results.nc")).csv() == written
    assert read_csv(written).columns[:3] == ("arm", "over_dose", "quantity")
    # The same when patients are read one by one.
    monkeypatch.setattr(changes, "_BLOCK_BYTES", 1)
    assert changes_table(sweep_changes(folder / "results.nc")).csv() == written


def test_a_sweep_of_one_time_has_no_changes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    simulate.sweep("untreated", over={"f_m": [0.1]}, patients=1, draws=1, end="1 d", at=["1 d"], out=out)
    assert sweep_changes(out / "results.nc") == ()
    assert len(read_csv((out / "changes.csv").read_text(encoding="utf-8"))) == 0


def test_the_unit_is_one_at_all_points_however_patients_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, out = tmp_path / "m.toml", tmp_path / "out"
    path.write_text(
        '[parameters]\nk = "0.1 1/h"\nA0 = "1 mg"\ns = "1 mg/h"\n[species.A]\nunit = "mg"\ninitial = "A0"\n'
        '[reactions.out]\nrate = "k*A"\nchange = { A = -1 }\n[reactions.made]\nrate = "s"\nchange = { A = 1 }\n',
        encoding="utf-8",
    )
    simulate.sweep(str(path), over={"A0": [5.0, 0.0]}, vary={"k.cv": 0.1}, patients=3, end="10 h", out=out)
    rows = sweep_changes(out / "results.nc")
    # At one point it begins at nothing, of which there is no %.
    assert [row.unit for row in rows] == ["mg", "mg"]
    monkeypatch.setattr(changes, "_BLOCK_BYTES", 1)
    assert sweep_changes(out / "results.nc") == rows


def test_what_is_nothing_but_rounding_does_not_change_at_any_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1e-27 beside 100 nothing is left and nothing was there; of 100 there is 1/e after one over the rate."""
    (tmp_path / "model.toml").write_text(
        '[parameters]\nk = "0.5 1/d"\n'
        '[species.large]\nunit = "1"\ninitial = "100"\n[species.rounding]\nunit = "1"\ninitial = "1e-27"\n'
        '[reactions.a]\nrate = "k*large"\nchange = { large = -1 }\n'
        '[reactions.b]\nrate = "k*rounding"\nchange = { rounding = -1 }\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    simulate.sweep(tmp_path / "model.toml", {"k": [0.5, 1.0]}, end="2 d", patients=2, out=out)
    rows = sweep_changes(out / "results.nc")
    found = [(row.quantity, row.unit, row.changed.median, row.changed.down) for row in rows]
    assert found == [
        ("large", "%", pytest.approx(-100.0 * (1.0 - math.exp(-1.0)), rel=1e-5), 1.0),
        ("rounding", "1", 0.0, 0.0),
        ("large", "%", pytest.approx(-100.0 * (1.0 - math.exp(-2.0)), rel=1e-5), 1.0),
        ("rounding", "1", 0.0, 0.0),
    ]
    monkeypatch.setattr(changes, "_BLOCK_BYTES", 1)
    assert sweep_changes(out / "results.nc") == rows
