"""Patients of a large run are simulated some thousands at a time: no number and no word depends on how many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulate.arrays import as_dataset
from simulate.cohort.ensemble import Ensemble
from simulate.studies import runs
from simulate.studies.datasets import ensemble_counts
from simulate.studies.failures import failure_entries
from simulate.studies.intervals import run_study
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import read_scenario
from tests.studies.test_failures import MODEL, SCENARIO

RULES = """schema = 1
title = "Doses that are missed, and halved where a level is passed"
model = { hypothesis = "H1", fit = "shipped", draws = 3 }
[time]
end = "14 d"
every = "1 d"
[cohort]
patients = 9
seed = 4
[[arm]]
name = "untreated"
regimen = "none"
[[arm]]
name = "missed"
regimen = "100 mg sc daily missing 30 %"
[[arm]]
name = "halved"
regimen = "100 mg sc daily"
[[arm.rule]]
quantity = "serum_il1ra"
above = "0.2 ug/mL"
dose = 0.5
[outputs]
quantities = ["serum_il1ra", "il17a"]
"""


def both(study: Study, together: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Ensemble, xr.Dataset]]:
    """The study run at once, and by so many trajectories at a time."""
    whole = run_study(study, threads=1)
    monkeypatch.setattr(runs, "_TOGETHER", together)
    return [whole, run_study(study, threads=2)]


def assert_same(found: Sequence[tuple[Ensemble, xr.Dataset]]) -> None:
    (ensemble, dataset), (other, in_groups) = found
    xr.testing.assert_identical(as_dataset(dataset), as_dataset(in_groups))
    for name in dataset.variables:
        assert dataset[name].dtype == in_groups[name].dtype
    assert ensemble.failures == other.failures
    assert ensemble.occurrences == other.occurrences
    assert ensemble_counts(ensemble) == ensemble_counts(other)
    np.testing.assert_array_equal(ensemble.parameter_values, other.parameter_values)
    np.testing.assert_array_equal(ensemble.trajectories.counters, other.trajectories.counters)
    assert (ensemble.trajectories.chosen is None) == (other.trajectories.chosen is None)


def test_missed_doses_rules_and_draws_of_a_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.toml").write_text(RULES, encoding="utf-8")
    found = both(prepare(read_scenario(str(tmp_path / "s.toml"))), 21, monkeypatch)
    assert found[0][0].occurrences
    assert found[0][1].sizes["member"] == 27
    assert_same(found)


def test_patients_who_fail_keep_their_places_and_their_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.toml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "explode.toml").write_text(SCENARIO.format(end=8), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    study = prepare(read_scenario("explode.toml"))
    found = both(study, 14, monkeypatch)
    told, in_groups = (failure_entries(study, ensemble) for ensemble, _ in found)
    assert {entry.state for entry in told} == {"X", None}
    assert len({entry.patient for entry in told} - set(range(7))) > 5
    assert told == in_groups
    assert_same(found)
