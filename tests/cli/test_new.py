"""Files to begin with are right as they are, and replace nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.evidence.reading import read_evidence
from simulate.studies.fitting.problem import problem_for
from tests.studies.fitting.tiny import free_few

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("kind", ["scenario", "model", "hypothesis", "trial", "evidence", "measurement"])
def test_a_new_file_of_each_kind_has_nothing_wrong(kind: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "mine.toml"
    assert outcome(["new", kind, str(tmp_path / "mine")]) == 0
    assert f"simulate check {file}" in capsys.readouterr().out
    text = file.read_text(encoding="utf-8")
    assert "NAME" not in text
    assert outcome(["check", str(file)]) == 0
    assert f"nothing wrong with this {kind} file" in capsys.readouterr().out
    assert outcome(["new", kind, str(file)]) == 2
    assert capsys.readouterr().err == (
        f"error[usage.argument]: the file {file} is there already\n  try:      --force, or another name\n"
    )
    file.write_text("old", encoding="utf-8")
    assert outcome(["new", kind, str(file), "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == kind
    assert file.read_text(encoding="utf-8") == text


def test_a_scenario_or_trial_that_ships_is_copied(tmp_path: Path, capsys: Capture) -> None:
    scenario, trial = tmp_path / "scenario.toml", tmp_path / "trial.toml"
    assert outcome(["new", "scenario", str(scenario), "--like", "dose-arms"]) == 0
    assert scenario.read_bytes() == shipped.scenario_files()["dose-arms"].read_bytes()
    assert outcome(["check", str(scenario)]) == 0
    # What a trial reported is not what another one will.
    assert outcome(["new", "trial", str(trial), "--like", "zong-2011"]) == 0
    assert trial.read_text(encoding="utf-8").count("evidence") > 0
    assert outcome(["check", str(trial)]) == 0
    assert capsys.readouterr().out.rstrip().endswith("no evidence")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["scenari", "mine"],
            "error[usage.argument]: there are no files of the kind `scenari`\n"
            "  expected: `scenario`, `model`, `hypothesis`, `trial`, `evidence`, `measurement`\n"
            "  try:      did you mean `scenario`?\n",
        ),
        (
            ["hypothesis", "il-23"],
            "error[usage.argument]: 'il-23' cannot be the name of a hypothesis\n"
            "  expected: letters, digits and `_`, a letter first\n",
        ),
        (
            ["evidence", "what was said"],
            "error[usage.argument]: 'what was said' cannot be the name of a set of evidence\n"
            "  expected: letters, digits, `_` and `-`\n",
        ),
        (
            ["hypothesis", "il1"],
            "error[usage.argument]: 'il1' is the name of a mechanism of the reference model\n"
            "  expected: a name that the model does not have yet\n"
            "  try:      such as `simulate new hypothesis my_il1`\n",
        ),
        (
            ["hypothesis", "h1"],
            "error[usage.argument]: 'h1' is the name of a hypothesis that ships\n"
            "  expected: a name that the model does not have yet\n"
            "  try:      such as `simulate new hypothesis my_h1`\n",
        ),
        (
            ["model", "mine", "--like", "killing"],
            "error[usage.argument]: no model `killing` ships\n"
            "  try:      leave `--like` out: `simulate new model mine`\n",
        ),
        (
            ["trial", "mine", "--like", "zong-2010"],
            "error[usage.argument]: no trial `zong-2010` ships\n"
            f"  expected: {', '.join(f'`{name}`' for name in shipped.trial_files())}\n"
            "  try:      did you mean `zong-2014` or `zong-2011`?\n",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(["new", *arguments]) == 2
    assert capsys.readouterr().err == message
    assert not list(tmp_path.iterdir())


def test_new_evidence_can_be_fitted_and_a_new_measurement_ranked(tmp_path: Path, capsys: Capture) -> None:
    evidence, measurement = tmp_path / "told.toml", tmp_path / "next.toml"
    assert outcome(["new", "evidence", str(evidence)]) == 0
    assert outcome(["new", "measurement", str(measurement)]) == 0
    assert outcome(["audit", str(evidence)]) == 0
    # Of ten coins, eight or more fall on the same side with the probability (45 + 10 + 1)/1024.
    assert "at least 8 of 10 has the probability 0.0547 if nothing changes" in capsys.readouterr().out
    problem = problem_for("H1", read_evidence(evidence))
    assert [item.name for item in problem.evidence.items if item.use.value == "datum"] == [
        "ifng-before",
        "il17a-fell",
        "ifng-rose",
    ]
    sizes = ["--draws", "10", "--patients", "8", "--repeats", "20"]
    assert outcome(["design", "H0", "H1", "--measurement", str(measurement), *sizes]) == 0
    assert "next: cells after 2 weeks and 2 months" in " ".join(capsys.readouterr().out.split())


def test_a_fit_to_new_evidence_brings_it_where_it_is_reproduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    free_few(monkeypatch)
    sizes = "--particles 20 --runs 1 -n 8 --draws 64 --final-patients 8".split()
    assert outcome(["new", "evidence", "told"]) == 0
    assert outcome(["fit", "-H", "H0", "--evidence", "told.toml", *sizes]) == 0
    Path("told.toml").unlink()
    capsys.readouterr()
    assert outcome(["reproduce", "--fit", "fits/H0@told", "--fits", "others"]) == 3
    assert capsys.readouterr().err == (
        "error[fit.missing]: no fit of `H0` to the evidence `told`, of today's numbers, is there\n"
        "  expected: a result in others/H0@told\n"
        "  try:      make one: `simulate fit --hypothesis H0 --evidence told.toml`\n"
    )
    assert outcome(["reproduce", "--fit", "fits/H0@told"]) == 0
    assert "il17a-fell" in capsys.readouterr().out
