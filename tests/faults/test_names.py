"""Quantities with names that results have for something else are refused before anything is solved, or kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

import simulate
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.studies.datasets import RESERVED, check_names

Capture = pytest.CaptureFixture[str]

MODEL = """\
[parameters]
k = "0.1 1/h"
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
[observables.NAME]
unit = "mg"
expression = "2*A"
"""
SCENARIO = """\
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "2 d"
[cohort]
patients = 1
[[arm]]
name = "a"
regimen = "100 mg iv daily"
"""


def scenario(folder: Path, name: str) -> Path:
    (folder / "model.toml").write_text(MODEL.replace("NAME", name), encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return folder / "s.toml"


@pytest.mark.parametrize("name", ["quantile", "n_ok", "time", "member", "over_k", "base_arm"])
def test_a_name_that_collides_is_refused_before_anything_is_solved(
    tmp_path: Path, name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulate.solver.automatic.solve", None)
    path = str(scenario(tmp_path, name))
    for words in (
        ["run", path, "--out", str(tmp_path / "out")],
        ["sweep", path, "--over", "k=0.1,0.2", "--out", str(tmp_path / "out")],
        ["dose-response", path, "-e", name],
    ):
        assert outcome(words) == 3
        assert capsys.readouterr().err == (
            f"error[results.name]: results cannot hold a quantity with the name `{name}`\n"
            f"  --> {path}, key `outputs.quantities`\n"
            "  found:    a name that results have for something else\n"
            "  try:      rename it in the model, or leave it out of `outputs.quantities`\n"
        )
    assert not (tmp_path / "out").exists()


def test_every_name_of_results_is_one_that_no_quantity_can_have(tmp_path: Path) -> None:
    path = scenario(tmp_path, "stopped")
    run = simulate.run(path)
    assert {*map(str, run.variables), *map(str, run.dims)} - {"stopped"} <= RESERVED | {"rule"}
    out = tmp_path / "swept"
    swept = simulate.sweep(path, {"k": [0.1, 0.2]}, parameters=True, out=out)
    names = {*map(str, swept.variables), *map(str, swept.dims)}
    with xr.open_dataset(out / "quantiles.nc", engine="h5netcdf", decode_times=False) as quantiles:
        names |= {*map(str, quantiles.variables), *map(str, quantiles.dims)}
    assert names - {"stopped", "over_k"} <= RESERVED
    # Names of what a part of a sweep holds beside quantities are kept apart.
    assert swept["stopped"].values[0, 0] == pytest.approx(run["stopped"].values[0, 0])
    for name in RESERVED:
        with pytest.raises(InputError):
            check_names([name])
