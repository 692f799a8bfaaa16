"""Whatever is set is read, or refused by its key: every key of a scenario, in every analysis that takes settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulate
from simulate.api.varying import dose_response
from simulate.cli.app import outcome
from simulate.errors import InputError, NumericalError
from simulate.studies.scenario import SCENARIO_KEYS, read_scenario
from simulate.studies.sensitivity.analysis import sensitivity
from simulate.studies.sensitivity.question import cohort_at, question_of
from simulate.studies.settings import Setting
from simulate.studies.unread import EVERYTHING, READS, refuse_unread

Capture = pytest.CaptureFixture[str]

MODEL = """\
[parameters]
k = { value = 0.1, unit = "1/h", spread = { cv = 0.2 } }
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
"""
SCENARIO = """\
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "2 d"
[cohort]
patients = 2
[[arm]]
name = "a"
regimen = "1 mg iv daily"
[[arm]]
name = "b"
regimen = "2 mg iv daily"
"""

VALUES: dict[str, Any] = {
    "title": "u",
    "question": "why?",
    "model.name": "reference",
    "model.file": "other.toml",
    "model.time_unit": "h",
    "model.hypothesis": "none",
    "model.beyond_bounds": True,
    "model.fit": "typical",
    "model.draws": 3,
    "time.end": "3 d",
    "time.every": "12 h",
    "time.visits": ["1 d"],
    "time.unit": "h",
    "cohort.patients": 3,
    "cohort.first": 1,
    "cohort.seed": 7,
    "cohort.population": "healthy",
    "cohort.spread": {"cv": 0.1},
    "cohort.between_doses": 0.1,
    "cohort.between_occasions": {"k": 0.1},
    "cohort.occasion": "1 d",
    "cohort.dropout": True,
    "outputs.quantities": ["A"],
    "solver.rtol": 1e-5,
    "solver.atol": 1e-8,
    "solver.max_steps": 1000,
    "solver.method": "dop853",
    "solver.max_step": "6 h",
    "solver.breaks": ["1 d"],
    "k": "0.2 1/h",
    "arm.a.regimen": "3 mg iv daily",
}
"""A value for each key of a scenario."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unread")
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return folder / "s.toml"


def keys_of() -> set[str]:
    """Every key of a scenario but those of arms and parameters."""
    tables = {f"{name}.{key}" for name, keys in SCENARIO_KEYS.items() if name for key in keys}
    return tables | {*SCENARIO_KEYS[""]} - {*SCENARIO_KEYS, "schema", "arm", "parameters"}


def test_there_is_a_value_for_every_key() -> None:
    assert keys_of() | {"k", "arm.a.regimen"} == {*VALUES}
    assert {key.partition(".")[0] for key in keys_of()} | {"arm", "parameters"} == {*EVERYTHING}


@pytest.mark.parametrize("verb", READS)
def test_a_setting_is_read_or_refused_by_its_key(scenario: Path, verb: str) -> None:
    for key, value in VALUES.items():
        full = {"k": "parameters.k", "arm.a.regimen": "arm[0].regimen"}.get(key, key)
        settings = [Setting(key, value, f"--set {key}=...")]
        if key == "model.name":
            settings.append(Setting("model.file", None, "test"))
        if key == "model.time_unit":
            settings.insert(0, Setting("model.file", "other.xml", "test"))
        if key == "cohort.occasion":
            settings.insert(0, Setting("cohort.between_occasions", {"k": 0.1}, "test"))
        found = read_scenario(scenario, settings)
        is_read = any(full == known or full.startswith((f"{known}.", f"{known}[")) for known in READS[verb])
        if is_read:
            refuse_unread(found, verb)
            continue
        with pytest.raises(InputError, match=rf"`simulate {verb}` does not read `{full}`"):
            refuse_unread(found, verb)


def test_a_setting_of_an_arm_that_is_not_looked_at_is_refused(scenario: Path) -> None:
    with pytest.raises(InputError) as caught:
        dose_response(scenario, endpoint="A", settings={"arm.b.regimen": "9 mg iv daily"})
    assert str(caught.value) == (
        "error[scenario.unread]: `simulate dose-response` looks at the arm `a` alone\n"
        "  --> arm.b.regimen = '9 mg iv daily', key `arm[1].regimen`\n"
        "  try:      leave the setting out, or choose the other arm"
    )


def test_what_is_read_past_is_refused_before_anything_is_solved(scenario: Path, capsys: Capture) -> None:
    words = ["dose-response", str(scenario), "-e", "A", "--set", 'outputs.quantities=["A"]']
    assert outcome(words) == 3
    assert capsys.readouterr().err == (
        "error[scenario.unread]: `simulate dose-response` does not read `outputs.quantities`\n"
        '  --> --set outputs.quantities=["A"], key `outputs.quantities`\n'
        "  expected: `title`, `question`, `model`, `time.end`, `time.visits`, `cohort`, `arm`, `parameters`, `solver`\n"
        "  try:      what is looked at is named by `--endpoint` and `--exposure`\n"
    )
    assert outcome(["verify", str(scenario), "--set", "cohort.dropout=true"]) == 3
    assert "`simulate verify` does not read `cohort.dropout`" in capsys.readouterr().err


HELD = ("chi", "det1", "det17", "d_M17", "p_unchanged", "slope_response", "il1_muscle", "R_0")


def asked(*settings: tuple[str, object]) -> Any:
    laid_over = [Setting("model.hypothesis", "H0", "test"), *(Setting(key, value, "test") for key, value in settings)]
    return question_of(read_scenario("anakinra-100mg-daily", laid_over), ("ck@28",), hold=HELD)


def answered(*settings: tuple[str, object]) -> float:
    (found,) = sensitivity(asked(*settings), n=0, trajectories=0, local=False)
    return float(found.high[0])


def test_a_sensitivity_is_solved_as_the_scenario_says() -> None:
    usual = answered()
    assert answered(("solver.method", "dop853")) != usual
    assert answered(("solver.method", "dop853")) == pytest.approx(usual, rel=1e-4)
    assert answered(("cohort.between_doses", 0.5)) != pytest.approx(usual, rel=1e-6)
    with pytest.raises(NumericalError, match="the limit of steps was reached"):
        answered(("solver.max_steps", 1))
    cohort = cohort_at(asked(("cohort.between_doses", 0.5)), np.full((3, asked().dimension), 0.5))
    assert cohort.ids.tolist() == [0, 0, 0]


def test_an_option_that_is_given_twice_is_refused(capsys: Capture) -> None:
    for words, name, advice in (
        (["sweep", "untreated", "-H", "H1", "-H", "H3a"], "--hypothesis", "`-H H1+H3a` combines two hypotheses"),
        (
            ["sweep", "untreated", "--hypothesis", "H1", "-H", "H1"],
            "--hypothesis",
            "`-H H1+H3a` combines two hypotheses",
        ),
        (["sweep", "untreated", "--seed", "1", "--seed", "2"], "--seed", "give it once"),
        (["run", "untreated", "--dropout", "--no-dropout"], "--dropout", "give it once"),
        (["dose-response", "untreated", "--arm", "a", "--arm", "b"], "--arm", "give it once"),
        (["fit", "-H", "H1", "-H", "H2"], "--hypothesis", "`-H H1+H3a` combines two hypotheses"),
    ):
        assert outcome(words) == 2
        said = capsys.readouterr().err
        name = "--no-dropout" if "--no-dropout" in words and "--no-dropout" in said else name
        assert said == f"error[usage.option]: the option `{name}` is given twice\n  try:      {advice}\n"


def test_a_key_that_two_options_set_is_refused(scenario: Path, capsys: Capture) -> None:
    assert outcome(["run", str(scenario), "--set", "k=0.2 1/h", "--set", "parameters.k=0.3 1/h"]) == 3
    assert capsys.readouterr().err == (
        "error[scenario.setting]: `parameters.k` is set twice\n"
        "  --> --set parameters.k=0.3 1/h\n"
        "  found:    --set k=0.2 1/h\n"
        "  try:      set it once\n"
    )
    assert outcome(["run", str(scenario), "-n", "3", "--set", "cohort.patients=5"]) == 3
    assert "`cohort.patients` is set twice" in capsys.readouterr().err
    with pytest.raises(InputError) as caught:
        simulate.run(scenario, patients=3, settings={"cohort.patients": 5})
    assert str(caught.value) == (
        "error[scenario.setting]: `cohort.patients` is set twice\n"
        "  found:    an argument, 3, and a setting, 5\n"
        "  try:      set it once"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trial", "--control", "none"], "the option `--control` says nothing without `--placebo`"),
        (["compare", "H0", "H1", "--larger", "2"], "the option `--larger` says nothing without `--calibrate`"),
        (
            ["compare", "H0", "H1", "--calibrate", "4", "--prior", "H0=2"],
            "the option `--prior` says nothing beside `--calibrate`",
        ),
        (["reproduce", "--refit", "--fit", "x.json"], "the option `--fit` says nothing beside `--refit`"),
        (["runs", "list", "--dry-run"], "the option `--dry-run` says nothing to `runs list`"),
        (["compare", "H0", "H1", "--prior", "H0=2", "--prior", "H0=3"], "the prior weight of `H0` is given twice"),
        (["equilibria", "--fed", "sc=1", "--fed", "sc=2"], "the rate of `sc` is given twice"),
    ],
)
def test_an_option_that_would_say_nothing_is_refused(words: list[str], message: str, capsys: Capture) -> None:
    assert outcome([*words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["what"] == message
