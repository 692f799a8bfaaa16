"""A failure entry names time, term and patient, and its replay gives the same bits."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from simulate.cli.app import outcome
from simulate.cohort.ensemble import Ensemble
from simulate.solver.trajectories import Status
from simulate.studies.datasets import read_dataset
from simulate.studies.failures import EXAMINED, FailureEntry, failure_entries
from simulate.studies.runs import Study, prepare, simulate_study
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting

MODEL = """
[parameters]
unit_of_x = "1 nM"
k_loss = "0.2 1/d"
threshold = "0.5 nM"

[parameters.k_growth]
value = 0.1
unit = "1/d"
spread = { cv = 0.8 }

[parameters.bystander]
value = 0.2
unit = "1/d"
spread = { cv = 0.5 }

[species.X]
meaning = "what may explode"
unit = "nM"
initial = "unit_of_x"

[species.Y]
meaning = "what looks on"
unit = "nM"
initial = "unit_of_x"

[reactions.explosion]
rate = "k_growth*X**2/unit_of_x"
change = { X = 1 }

[reactions.loss]
rate = "k_loss*X/100"
change = { X = -1 }

[reactions.watching]
rate = "bystander*Y"
change = { Y = -1 }

[observables.above]
meaning = "logarithm of what is above a threshold"
unit = "1"
expression = "log((Y - threshold)/unit_of_x)"
"""

SCENARIO = """
schema = 1
title = "patients who explode"
[model]
file = "model.toml"
[time]
end = "{end} d"
[cohort]
patients = 40
seed = 5
[[arm]]
name = "nothing"
regimen = "none"
[[arm]]
name = "nothing again"
regimen = "none"
[outputs]
quantities = ["X"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.toml").write_text(MODEL.replace("Y - threshold", "Y + threshold"), encoding="utf-8")
    (tmp_path / "explode.toml").write_text(SCENARIO.format(end=8), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entries(**settings: object) -> tuple[Study, Ensemble, tuple[FailureEntry, ...]]:
    laid = [Setting(key.replace("__", "."), value, f"{key} = {value!r}") for key, value in settings.items()]
    study = prepare(read_scenario("explode.toml", laid))
    ensemble = simulate_study(study)
    return study, ensemble, failure_entries(study, ensemble)


def test_the_term_and_the_extreme_parameter_of_an_explosion_are_named(folder: Path) -> None:
    _, ensemble, found = entries()
    assert 0 < len(found) < 80
    values = ensemble.cohort.of("k_growth")
    for entry in found:
        assert entry.day == pytest.approx(1.0 / values[entry.patient], rel=0.02)
        assert (entry.state, entry.term) == ("X", "explosion")
        assert entry.expression is not None
        assert "k_growth" in entry.expression
        assert entry.state_value is not None
        assert entry.state_value > 1e3
        assert entry.place is not None
        assert entry.place.parameter == "k_growth"
        assert entry.place.value == values[entry.patient]
        # Those explode who grow faster than 1/8 a day; the median is 0.1/sqrt(1 + 0.8²) or so.
        assert entry.place.quantile > 0.5
        assert entry.place.z > 0.0
    ranked = sorted(found, key=lambda entry: values[entry.patient])
    assert [entry.place.quantile for entry in ranked if entry.place] == sorted(
        entry.place.quantile for entry in found if entry.place
    )


def test_the_ledger_of_a_run_without_failures_is_empty(folder: Path) -> None:
    assert entries(time__end="0.2 d")[2] == ()


def test_a_replay_repeats_the_patient_with_the_same_bits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "explode.toml", "--set", "k_loss=0.3", "--set", "time.every='12 h'", "--no-figures"]
    assert outcome([*command, "--out", "all"]) == 4
    said = capsys.readouterr().err
    manifest = json.loads((folder / "all" / "manifest.json").read_text(encoding="utf-8"))
    entry = manifest["failures"][1]
    assert f"to repeat it alone: {manifest['failures'][0]['replay']}" in said
    words = shlex.split(entry["replay"])
    assert words[:3] == ["simulate", "run", "explode.toml"]
    assert words[-4:] == ["--patient", str(entry["patient"]), "--seed", "5"]
    assert outcome([*words[1:], "--no-figures", "--out", "one"]) == 4
    whole, alone = read_dataset(folder / "all" / "results.nc"), read_dataset(folder / "one" / "results.nc")
    assert alone["member"].values.tolist() == [entry["patient"]]
    same = whole.sel(member=[entry["patient"]])
    assert np.array_equal(same["X"].values.view(np.uint64), alone["X"].values.view(np.uint64))
    assert same["status"].values.tolist() == alone["status"].values.tolist()
    repeated = json.loads((folder / "one" / "manifest.json").read_text(encoding="utf-8"))["failures"]
    assert [row["day"] for row in repeated] == [entry["day"]] * 2


def test_one_patient_and_many_at_once_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["run", "explode.toml", "--patient", "3", "--patients", "5"]) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: --patient is one patient and --patients many\n  try:      give one of them\n"
    )


def test_an_undefined_observable_is_a_failure_with_its_expression(folder: Path) -> None:
    (folder / "model.toml").write_text(MODEL.replace("value = 0.1\n", "value = 0.001\n"), encoding="utf-8")
    _, ensemble, found = entries()
    assert found
    assert {entry.status for entry in found} == {"not_finite"}
    assert {entry.term for entry in found[:EXAMINED]} == {"above"}
    assert {entry.state for entry in found} == {None}
    assert {entry.place.parameter for entry in found if entry.place is not None} <= {"bystander", "k_growth"}
    slow = {entry.patient for entry in found}
    loss = ensemble.cohort.of("bystander")
    assert slow == set(np.flatnonzero(np.exp(-loss * 8.0) < 0.5).tolist())


def test_a_term_that_is_about_to_be_undefined_is_found_though_another_is_larger(folder: Path) -> None:
    text = MODEL.replace("Y - threshold", "Y + threshold").replace("value = 0.1\n", "value = 0.001\n")
    text += '\n[reactions.root]\nrate = "k_loss*(Y - threshold)**(1/2)*unit_of_x**(1/2)/1000"\nchange = { Y = 1 }\n'
    (folder / "model.toml").write_text(text, encoding="utf-8")
    _, _, found = entries()
    assert found
    assert {(entry.state, entry.term, entry.term_value) for entry in found[:EXAMINED]} == {("Y", "root", None)}
    assert "`root` is not a number in the rate of `Y`" in found[0].told("d")


def test_an_infeasible_baseline_names_its_condition(folder: Path) -> None:
    text = MODEL.replace("Y - threshold", "Y + threshold")
    text += '\n[conditions.room]\nexpression = "k_loss - bystander"\nreason = "nobody may look on for so long"\n'
    (folder / "model.toml").write_text(text, encoding="utf-8")
    _, ensemble, found = entries()
    refused = [entry for entry in found[:EXAMINED] if entry.status == "infeasible"]
    assert refused
    for entry in refused:
        assert (entry.term, entry.expression) == ("room", "k_loss - bystander")
        assert entry.term_value == pytest.approx(0.2 - ensemble.cohort.of("bystander")[entry.patient])
        assert entry.place is not None
        assert entry.place.parameter == "bystander"


def test_the_limit_of_steps_is_in_the_ledger_too(folder: Path) -> None:
    _, ensemble, found = entries(solver__max_steps=20)
    assert {Status.TOO_MANY_STEPS} <= set(ensemble.status.ravel().tolist())
    assert all(entry.term is not None for entry in found)


def test_further_failures_keep_their_replay(folder: Path) -> None:
    _, _, found = entries(cohort__patients=120, solver__max_steps=5)
    assert len(found) > EXAMINED
    assert found[EXAMINED - 1].term is not None
    assert found[EXAMINED].term is None
    assert "--set solver.max_steps=5" in found[-1].replay
