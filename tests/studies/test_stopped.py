"""Patients whom a rule stops: they count at the times that they reached, everywhere alike, and have not failed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import simulate
from simulate.cli.app import outcome
from simulate.figures.panels import panels_of
from simulate.figures.spaghetti import spaghetti
from simulate.results.tables import summary
from simulate.studies.datasets import failed_numerically, outcome_counts

MODEL = """
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
[parameters.k]
value = 0.1
unit = "1/h"
spread = { cv = 0.5 }
"""

SCENARIO = """
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "10 d"
every = "1 d"
[cohort]
patients = 200
[[arm]]
name = "a"
regimen = "100 mg iv every 12 h from 1 h"
[[arm.rule]]
quantity = "A"
above = "150 mg"
end = true
"""

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("stopped")
    (made / "model.toml").write_text(MODEL, encoding="utf-8")
    (made / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def ran(folder: Path) -> xr.Dataset:
    return simulate.run(folder / "s.toml")


def expected_at(dataset: xr.Dataset, day: int, hours_after_last: float = 11.0) -> tuple[int, np.ndarray]:
    """How many are there on a day, and quantiles of their amounts; after n doses a patient has a sum of n terms."""
    loss = dataset["parameters"].sel(parameter="k").values[0][:, np.newaxis]
    left, doses = np.exp(-12.0 * loss), np.arange(1, 2 * day + 1)
    peaks = 100.0 * (1.0 - left**doses) / (1.0 - left)
    there = (peaks <= 150.0).all(axis=1)
    amounts = peaks[there, -1] * np.exp(-hours_after_last * loss[there, 0])
    return int(there.sum()), np.quantile(amounts, (0.05, 0.5, 0.95))


def test_a_summary_is_of_those_who_reached_each_visit(ran: xr.Dataset) -> None:
    start, end = summary(ran)
    assert (start.n_ok, start.n) == (200, 200)
    count, quantiles = expected_at(ran, 10)
    assert 50 < count < 150
    assert end.n_ok == count
    assert (end.p5, end.median, end.p95) == pytest.approx(tuple(quantiles), rel=1e-4)


def test_doses_from_the_start_on_stop_the_same_patients(folder: Path) -> None:
    found = simulate.run(folder / "s.toml", settings={"arm.a.regimen": "100 mg iv every 12 h"})
    count, before = expected_at(found, 10, hours_after_last=12.0)
    row = summary(found)[-1]
    assert (row.n_ok, row.n) == (count, 200)
    # The value at the end is that after the dose of this moment.
    assert (row.p5, row.median, row.p95) == pytest.approx(tuple(before + 100.0), rel=1e-4)


def test_bands_are_of_those_who_reached_each_time(ran: xr.Dataset) -> None:
    bands = panels_of(ran)[0].bands[0]
    for day in (1, 2, 5, 10):
        assert bands[[0, 2, 4], day] == pytest.approx(expected_at(ran, day)[1], rel=1e-4)
    lines = spaghetti(ran).axes[0].lines
    median = np.asarray(lines[-1].get_ydata(), dtype=np.float64)
    assert median[[1, 2, 5, 10]] == pytest.approx([expected_at(ran, day)[1][1] for day in (1, 2, 5, 10)], rel=1e-4)


def test_a_sweep_says_what_runs_say(folder: Path, ran: xr.Dataset, capsys: Capture) -> None:
    out = folder / "swept"
    assert outcome(["sweep", str(folder / "s.toml"), "--over", "dose=100,90 mg", "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    with open(out / "summary.csv", encoding="utf-8") as file:
        first, last = list(csv.DictReader(file))[:2]
    count, quantiles = expected_at(ran, 10)
    assert (int(first["n_ok"]), int(last["n_ok"])) == (200, count)
    assert [float(last[name]) for name in ("p5", "p50", "p95")] == pytest.approx(quantiles, rel=1e-4)
    with xr.open_dataset(out / "quantiles.nc", engine="h5netcdf", decode_times=False) as kept:
        assert kept["n_ok"].values[0].tolist() == [200, *(expected_at(ran, day)[0] for day in range(1, 11))]
    counters = json.loads(said.out)["counters"]
    assert counters["n"] == 400
    assert counters["n_ok"] + counters["stopped"] == 400
    assert counters["stopped"] >= 200 - count
    assert f"stopped by a rule: {counters['stopped']} of 400 trajectories; each counts until then" in said.err
    assert "left out" not in said.err


def test_a_run_in_which_all_are_stopped_is_no_failure(folder: Path, capsys: Capture) -> None:
    ends = ["--set", 'arm.a.rule=[{quantity="A", above="50 mg", end=true}]']
    assert outcome(["run", str(folder / "s.toml"), *ends, "--out", str(folder / "all"), "--json", "--no-figures"]) == 0
    assert json.loads(capsys.readouterr().out)["counters"] == {"n": 200, "n_ok": 0, "stopped": 200}


def test_who_was_stopped_is_no_failure_of_the_solver() -> None:
    counts = outcome_counts([0, 0, 0, 3, 4], stopped=2)
    assert counts == {"n": 5, "n_ok": 1, "stopped": 2, "not_finite": 1, "infeasible": 1}
    assert failed_numerically(counts) == 1
