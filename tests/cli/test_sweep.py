"""`simulate sweep` from the command line to its directory."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import xarray as xr

from simulate.cli.app import outcome

Capture = pytest.CaptureFixture[str]

SMALL = (
    "--fit",
    "typical",
    "--patients",
    "3",
    "--seed",
    "5",
    "--set",
    "time.end=3 d",
    "--quantity",
    "ifng",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(*arguments: str) -> int:
    return outcome(["sweep", "anakinra-100mg-daily", *SMALL, *arguments])


def test_a_sweep_leaves_results_quantiles_summary_and_manifest(folder: Path, capsys: Capture) -> None:
    assert sweep("--over", "dose=10:300:3log", "--at", "0 d", "--at", "3 d", "--out", "here") == 0
    captured = capsys.readouterr()
    assert captured.err == "wrote here\n"
    people = "hypothesis H1+H6; 3 patients with the parameters of the tables, of no fit; on day 3"
    assert f"{people}; median (5 % to 95 % of the patients)\n" in " ".join(captured.out.split()) + "\n"
    assert [line.split()[:3] for line in captured.out.splitlines() if line.startswith(" dose")] == [
        ["dose", amount, "mg"] for amount in ("10", "54.8", "300")
    ]
    names = [
        "changes.csv",
        "inputs",
        "manifest.json",
        "models",
        "quantiles.nc",
        "results.nc",
        "summary.csv",
        "sweep.json",
    ]
    assert sorted(path.name for path in (folder / "here").iterdir()) == names
    with open(folder / "here" / "summary.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with xr.open_dataset(folder / "here" / "results.nc", engine="h5netcdf", decode_times=False) as dataset:
        assert dict(dataset["ifng"].sizes) == {"arm": 3, "member": 3, "time": 2}
        assert len(rows) == 6
        for row in rows:
            values = dataset["ifng"].sel(arm=row["arm"], time=float(row["time_d"]))
            assert float(row["p50"]) == float(values.median())
            assert (row["unit"], row["n_ok"]) == (dataset["ifng"].attrs["units"], "3")


def test_the_same_command_finds_what_is_finished(folder: Path, capsys: Capture) -> None:
    assert sweep("--over", "dose=10,100", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["counters"] == {"n": 6, "n_ok": 6}
    assert first["directory"] == f"runs/anakinra-100mg-daily-{first['key'][:8]}"
    assert sweep("--over", "dose=10,100", "--json") == 0
    assert json.loads(capsys.readouterr().out) == first


def test_a_dry_run_says_what_it_would_take_and_writes_nothing(folder: Path, capsys: Capture) -> None:
    assert sweep("--over", "dose=10,100", "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["arms"], found["patients"], found["trajectories"], found["parts"]) == (2, 3, 6, 1)
    # Four times, and the size of the terms, of six trajectories with a status each.
    assert found["kept_bytes"] == 6 * (8 * (4 + 1) + 1)
    assert found["seconds"] > 0.0
    assert sweep("--over", "dose=10,100", "--dry-run", "--workers", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        *("arms", "patients in each", "trajectories", "parts", "memory", "disk", "time")
    ]
    assert list(folder.iterdir()) == []


def test_a_misspelt_axis_is_an_input_that_cannot_be_used(folder: Path, capsys: Capture) -> None:
    assert sweep("--over", "dos=10,100") == 3
    assert capsys.readouterr().err == (
        "error[sweep.unknown]: there is nothing with the name `dos` to vary\n  --> --over dos=10,100\n"
        "  expected: `dose`, `interval`, `regimen`, a parameter, or a covariate of the population\n"
        "  try:      did you mean `dose`?\n"
    )
    assert list(folder.iterdir()) == []


def test_too_many_failures_are_told_with_the_exit_code_of_numerical_failure(folder: Path, capsys: Capture) -> None:
    assert sweep("--over", "dose=10,100", "--set", "solver.max_steps=5", "--out", "here") == 4
    captured = capsys.readouterr().err
    assert "left out: 6 of 6 trajectories\n  the first: patient 0, arm `dose 10 mg`, day " in captured
    assert "error[run.failures]: 6 of 6 trajectories did not reach the end\n" in captured
    assert (folder / "here" / "manifest.json").exists()
