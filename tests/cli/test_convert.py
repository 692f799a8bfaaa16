"""Models of other programs on the command line: checked, converted, run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("libsbml")

from simulate.cli.app import outcome
from simulate.figures.time_course import time_course
from simulate.studies.bare_models import model_scenario
from simulate.studies.datasets import read_dataset
from tests.exchange.models import TIME, apply, ci, cn, compartment, event, math, parameter, reaction, sbml, species
from tests.exchange.problems import write_problem

Capture = pytest.CaptureFixture[str]

DECAY = sbml(
    Compartments=compartment(),
    Species=species("S", 8.0),
    Parameters=parameter("k", 0.5) + parameter("spare", 1.0) + parameter("double", constant="false"),
    Rules=f'<assignmentRule variable="double">{math(apply("times", "<cn>2</cn>", ci("S")))}</assignmentRule>',
    Reactions=reaction("decay", apply("times", ci("k"), ci("S")), "S"),
)

GIVEN = sbml(
    Compartments=compartment(),
    Species=species("S", 8.0),
    Parameters=parameter("k", 0.5),
    Reactions=reaction("decay", apply("times", ci("k"), ci("S")), "S"),
    Events=event("once", apply("geq", TIME, cn(2.0)), {"S": apply("plus", ci("S"), cn(3.0))}),
)
SCENARIO = """
schema = 1
title = "given"
model.file = "given.xml"
time = { end = "4 s", every = "1 s" }
[[arm]]
name = "given"
regimen = "3 dimensionless into_S at 0 s"
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model file in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decay.xml").write_text(DECAY, encoding="utf-8")
    return "decay.xml"


def test_a_model_is_checked_and_what_is_left_out_is_listed(model: str, capsys: Capture) -> None:
    assert outcome(["check", model]) == 0
    assert (
        capsys.readouterr().out.split()
        == (
            "decay.xml: nothing wrong with this SBML file: 1 state, 2 parameters, 0 events, time in s (the file "
            "gives no unit of time: seconds are taken); left out: the parameter `spare`, which nothing uses"
        ).split()
    )


def test_a_converted_model_is_a_model_file(model: str, capsys: Capture) -> None:
    assert outcome(["convert", model, "-o", "decay.toml", "--time", "h"]) == 0
    said = capsys.readouterr()
    assert said.out.split() == "wrote decay.toml: 1 state, 2 parameters, 0 events, time in d (h in decay.xml)".split()
    assert said.err.split() == "left out: the parameter `spare`, which nothing uses".split()
    assert outcome(["check", "decay.toml"]) == 0
    assert 'rate = "k*per_time*S"' in Path("decay.toml").read_text(encoding="utf-8")


def test_no_file_is_replaced_without_being_asked(model: str, capsys: Capture) -> None:
    Path("decay.toml").write_text("mine", encoding="utf-8")
    assert outcome(["convert", model, "-o", "decay.toml"]) == 2
    assert "the file decay.toml is there already" in capsys.readouterr().err
    assert Path("decay.toml").read_text(encoding="utf-8") == "mine"


def test_a_model_file_becomes_sbml_and_comes_back(model: str, capsys: Capture) -> None:
    assert outcome(["convert", model, "-o", "decay.toml"]) == 0
    assert outcome(["convert", "decay.toml", "-o", "again.xml"]) == 0
    capsys.readouterr()
    assert outcome(["check", "again.xml"]) == 0
    assert "1 state, 2 parameters, 0 events, time in d" in capsys.readouterr().out


def test_only_models_are_converted(model: str, capsys: Capture) -> None:
    assert outcome(["convert", "model.txt", "-o", "decay.toml"]) == 2
    assert "a model is converted from and to SBML, Antimony and model files" in capsys.readouterr().err


def test_a_model_is_run_for_the_time_that_is_given(model: str, capsys: Capture) -> None:
    assert outcome(["run", model, "--end", "4 s", "--out", "results", "--no-figures", "--json"]) == 0
    printed = capsys.readouterr()
    note = "the file gives no unit of time: seconds are taken; if it counts days, `--set model.time_unit=d`\n"
    assert printed.err.count(note) == 1
    levels = {row["quantity"]: row for row in json.loads(printed.out)["summary"]}
    assert set(levels) == {"S", "double"}
    assert Path("results/results.nc").is_file()


@pytest.mark.parametrize("verb", ["run", "sweep", "sensitivity", "equilibria", "dose-response", "verify", "explore"])
def test_every_verb_says_once_what_unit_of_time_it_takes(model: str, verb: str, capsys: Capture) -> None:
    more = {
        "run": ["--end", "4", "--no-figures", "--out", "out"],
        "sweep": ["--end", "4", "--over", "k=0.1,0.2", "--out", "out"],
        "sensitivity": ["--end", "4", "-e", "S", "--vary", "cv=0.3", "--n", "8", "--trajectories", "2"],
        "equilibria": [],
        "dose-response": ["--dose", "1:10:4", "-e", "S:change", "--no-figures", "--out", "out"],
        "verify": ["--end", "4"],
        "explore": ["--end", "4", "--out", "out"],
    }[verb]
    if verb == "dose-response":
        # Doses stand in a scenario, and a model that can be given something says by which route.
        Path("given.xml").write_text(GIVEN, encoding="utf-8")
        Path("given.toml").write_text(SCENARIO, encoding="utf-8")
        model = "given.toml"
    assert outcome([verb, model, *more]) == 0
    said = "".join(capsys.readouterr())
    assert said.count("the file gives no unit of time: seconds are taken; if it counts days, ") == 1
    assert outcome([verb, model, *more, "--set", "model.time_unit=d", *(["--force"] if "out" in more else [])]) == 0
    assert "unit of time" not in "".join(capsys.readouterr())


def test_a_unit_of_time_may_be_given_to_a_model(model: str, capsys: Capture) -> None:
    levels = []
    for more in (["--end", "4"], ["--end", "4", "--set", "model.time_unit=d"], ["--end", "4 h"]):
        assert outcome(["run", model, *more, "--no-figures", "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)["summary"]
        levels.append([row["median"] for row in shown if row["quantity"] == "S"])
    # Four of the seconds of the file are as far as four days are, if these are what it counts; in 4 h all is gone.
    assert levels[0] == pytest.approx(levels[1])
    assert levels[2][-1] < 1e-6 < levels[0][-1]
    assert outcome(["run", model, "--end", "4", "--set", "model.time_unit=kg"]) == 3
    assert capsys.readouterr().err == (
        "error[units.mismatch]: this is no unit of time\n  --> --set model.time_unit=kg\n"
        "  found:    `kg`\n  expected: a unit such as s, min, h or d\n"
    )


def test_the_unit_of_time_of_another_model_is_its_own(capsys: Capture) -> None:
    assert outcome(["run", "untreated", "--set", "model.time_unit=d"]) == 3
    assert capsys.readouterr().err == (
        "error[scenario.model]: only a model in SBML or Antimony can be told its unit of time\n"
        "  --> --set model.time_unit=d, key `model.time_unit`\n  found:    `d`\n"
        "  try:      leave it out: other models have units of their own\n"
    )


def test_a_model_says_no_end_of_its_own(model: str, capsys: Capture) -> None:
    assert outcome(["run", model]) == 3
    assert "an SBML file does not say how long it is to be solved" in capsys.readouterr().err


def test_the_scenario_of_a_model_has_a_hundred_times_unless_told(model: str) -> None:
    told = model_scenario(model, "4 s", "1 s")
    assert [round(time * 86400.0, 9) for time in told.times] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert len(model_scenario(model, "4 s").times) == 101
    assert (told.patients, told.quantities) == (1, ("S", "double"))


def test_times_of_a_model_are_shown_in_its_own_unit(model: str, capsys: Capture) -> None:
    assert outcome(["run", model, "--end", "4", "--out", "results", "--no-figures"]) == 0
    shown = capsys.readouterr().out
    heading = next(line for line in shown.splitlines() if line.startswith(" level"))
    assert heading.split() == ["level", "baseline", "4", "s"]
    assert "day" not in shown
    # 8 exp(-0.5 * 4), the exact course
    row = next(line for line in shown.partition("Levels\n")[2].splitlines() if line.startswith(" S"))
    assert row.split()[-1] == "1.08"
    assert "\n1 patient.\n" in shown
    figure = time_course(read_dataset(Path("results/results.nc")))
    assert {axes.get_xlabel() for axes in figure.axes} - {""} == {"time (s)"}


def test_a_model_file_is_run_for_the_time_that_is_given(model: str, capsys: Capture) -> None:
    assert outcome(["convert", model, "-o", "decay.toml", "--time", "h"]) == 0
    capsys.readouterr()
    assert outcome(["run", "decay.toml"]) == 3
    assert capsys.readouterr().err == (
        "error[exchange.time]: a model file does not say how long it is to be solved\n"
        "  --> decay.toml\n"
        '  expected: --end "10 h"\n'
    )
    assert outcome(["run", "decay.toml", "--end", "4 h", "--every", "1 h", "--no-figures"]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.partition("Levels\n")[2].splitlines() if line.startswith(" S"))
    assert row.split()[-1] == "1.08"
    assert "4 h" in shown


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "h.toml",
            '[hypothesis]\nname = "h"\n',
            "error[file.kind]: the file is a hypothesis, and no scenario\n"
            "  --> h.toml\n"
            "  expected: a scenario\n"
            "  try:      `simulate run anakinra-100mg-daily -H h.toml` takes it\n",
        ),
        (
            "t.toml",
            "[[visit]]\nday = 0\n",
            "error[file.kind]: the file is a trial, and no scenario\n"
            "  --> t.toml\n"
            "  expected: a scenario\n"
            "  try:      `simulate trial --trial t.toml` takes it\n",
        ),
        (
            "d.csv",
            "ID,TIME,AMT\n1,0,100\n",
            "error[run.kind]: a table of doses is no scenario\n"
            "  --> d.csv\n"
            "  expected: a scenario, or a model\n"
            "  try:      name it in an arm of a scenario, in place of a regimen: "
            '`doses = { file = "d.csv", time = "h", amount = "mg" }`\n',
        ),
    ],
)
def test_a_file_of_another_kind_is_told_its_verb(
    name: str, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text, encoding="utf-8")
    assert outcome(["run", name]) == 3
    assert capsys.readouterr().err == message


def test_a_problem_in_petab_becomes_one_of_version_2(model: str, capsys: Capture) -> None:
    pytest.importorskip("yaml")
    write_problem(Path("old"))
    assert outcome(["convert", "old/problem.yaml", "-o", "new/problem.yaml"]) == 0
    said = capsys.readouterr()
    assert (
        said.out.split()
        == (
            "wrote new/problem.yaml: PEtab of version 2, 3 parameters, 2 sought, 1 experiment, 1 observable, "
            "3 measurements; log-likelihood 1.297599 at the nominal values, as of what it was made of"
        ).split()
    )
    assert (
        said.err.split()
        == ("left out: the scales of the parameters `k`: version 2 has none, and bounds stay as they are").split()
    )
    assert outcome(["check", "new/problem.yaml"]) == 0
    assert "version 2, 3 parameters of which 2 are sought" in " ".join(capsys.readouterr().out.split())
    assert outcome(["convert", "old/problem.yaml", "-o", "newer/problem.yaml", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {name: document[name] for name in ("file", "version", "parameters", "sought", "measurements")} == {
        "file": "newer/problem.yaml", "version": 2, "parameters": 3, "sought": 2, "measurements": 3,
    }  # fmt: skip
    assert outcome(["convert", "old/problem.yaml", "-o", "old/problem.yaml", "--force"]) == 3
    assert "error[petab.file]: the file old/problem.yaml is there already" in capsys.readouterr().err


def test_an_arm_with_what_was_read_of_it_becomes_a_problem(model: str, capsys: Capture) -> None:
    pytest.importorskip("yaml")
    assert outcome(["convert", model, "-o", "decay.toml", "--time", "h"]) == 0
    Path("read.csv").write_text("TIME,DVID,DV,SD\n0,S,8.5,0.5\n2,S,3,0.5\n", encoding="utf-8")
    capsys.readouterr()
    arguments = ["convert", "decay.toml", "--data", "read.csv", "--time", "h", "--estimate", "k=0.1:1"]
    assert outcome([*arguments, "-o", "problem/problem.yaml"]) == 0
    # 8 - 8.5 over 0.5, and 8 exp(-1) - 3.
    assert "log-likelihood -0.958073 at the nominal values" in " ".join(capsys.readouterr().out.split())
    assert outcome(["fit", "problem/problem.yaml", "--starts", "2", "-o", "fit"]) == 0
    assert outcome(["convert", "problem/problem.yaml", "--fit", "fit", "-o", "fitted/problem.yaml"]) == 0
    fitted = {row["name"]: row["value"] for row in json.loads(Path("fit/fit.json").read_text())["parameters"]}
    row = Path("fitted/parameters.tsv").read_text(encoding="utf-8").split("\n")[1].split("\t")
    assert (row[0], float(row[2])) == ("k", fitted["k"])


def test_what_only_problems_have_is_refused_elsewhere(model: str, capsys: Capture) -> None:
    assert outcome(["convert", model, "-o", "decay.toml", "--estimate", "k"]) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: --estimate is for a problem in PEtab, whose name ends in .yaml\n"
    )
    assert outcome(["convert", model, "-o", "problem.yaml", "--every", "1 h"]) == 2
    assert capsys.readouterr().err == "error[usage.argument]: --every says nothing beside a problem in PEtab\n"


def test_the_reference_model_is_converted_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(["convert", "reference", "-H", "H4", "-o", "reference.R"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == "wrote reference.R: 20 states, 39 parameters, 0 events, time in d".split()
    assert printed.err.splitlines() == ["left out: the conditions on a baseline", "left out: how patients differ"]
    assert outcome(["convert", "reference", "-o", "reference.toml"]) == 0
    assert outcome(["check", "reference.toml"]) == 0
    capsys.readouterr()
    assert outcome(["convert", "reference", "--arm", "drug", "-o", "other.xml"]) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: --arm is for scenarios, and for an archive: a model is converted as it is\n"
    )
    assert outcome(["convert", "reference", "-H", "H99", "-o", "other.xml"]) == 3
    assert "there is no hypothesis `H99`" in capsys.readouterr().err


def test_several_hypotheses_are_simulated_as_long_as_is_said(capsys: Capture, tmp_path: Path) -> None:
    wanted = ["-n", "2", "--fit", "typical", "--no-figures", "--out", str(tmp_path / "two")]
    assert outcome(["run", "anakinra-100mg-daily", "-H", "H1", "-H", "H4", "--end", "4 weeks", *wanted]) == 0
    assert "day 28" in capsys.readouterr().out
