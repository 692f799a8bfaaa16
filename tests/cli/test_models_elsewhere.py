"""Models where a verb wants something else: sensitivity and verify take them, and the others say what they take."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path

import pytest

from simulate.cli.app import outcome
from tests.cli.test_times_of_models import decay

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("libsbml")
    monkeypatch.chdir(tmp_path)
    Path("m.xml").write_text(decay("hour"), encoding="utf-8")
    return "m.xml"


def test_what_an_endpoint_of_a_model_depends_on_is_its_parameters(model: str, capsys: Capture) -> None:
    words = ["sensitivity", model, "--end", "10", "-e", "x@5", "--vary", "k.cv=0.3", "--local", "--n", "64"]
    assert outcome([*words, "--no-figures", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["endpoints"]
    assert found["title"] == "x at 5 h"
    (row,) = found["inputs"]
    # k is log-normal about 0.1 with that coefficient of variation, and x is 2 exp(-5 k).
    sd = math.sqrt(math.log(1.0 + 0.3**2))
    low, high = (0.1 * math.exp(sign * 1.6448536269514722 * sd) for sign in (-1.0, 1.0))
    assert (row["input"], row["meaning"]) == ("k", "k")
    assert row["low"] == pytest.approx(2.0 * math.exp(-5.0 * low), rel=1e-4)
    assert row["high"] == pytest.approx(2.0 * math.exp(-5.0 * high), rel=1e-4)
    assert row["slope"] == pytest.approx(-5.0 * 0.1 * sd * 2.0 * math.exp(-0.5), rel=1e-4)
    assert row["total"] == pytest.approx(1.0, abs=0.05)


def test_an_endpoint_of_one_input_has_one_share() -> None:
    from simulate.inference.sensitivity import saltelli_points, shares

    points = saltelli_points(((0,),), 1, 64, seed=1)
    found = shares(points[:, 0] ** 2, 1, 64, seed=1)
    assert found.first.shape == found.total.shape == (1,)
    assert found.first[0] == pytest.approx(1.0, abs=0.1)
    assert found.total[0] == pytest.approx(1.0, abs=0.1)


def test_a_report_of_it_says_what_it_stands_on(model: str) -> None:
    words = ["sensitivity", model, "--end", "10", "-e", "x", "--vary", "cv=0.3", "--n", "16", "--trajectories", "4"]
    assert outcome([*words, "--out", "depends"]) == 0
    assert outcome(["report", "depends", "--out", "depends.html"]) == 0
    page = Path("depends.html").read_text(encoding="utf-8")
    assert "parameters vary within what is assumed or known of how patients differ, each by itself." in page


RUN = '`simulate run m.xml --end "10 h"` takes the model\n'
NOT_A_SCENARIO = (
    "error[scenario.model]: the file is a model, and no scenario\n"
    "  --> m.xml\n"
    "  expected: a scenario, shipped or a file, which says how long and with which doses\n"
    '  try:      name the model in a scenario file: a table `[model]` with `file = "m.xml"`; `simulate new scenario '
    'mine` writes one to begin with, and `simulate run m.xml --end "10 h"` needs none\n'
)
NOT_A_HYPOTHESIS = (
    "error[hypothesis.kind]: `m.xml` is a model, and no hypothesis\n"
    "  expected: a name such as H1, or a hypothesis file in TOML\n"
    f"  try:      {RUN}"
)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["verify", "m.xml"],
            "error[exchange.time]: an SBML file does not say how long it is to be solved\n"
            "  --> m.xml\n"
            '  expected: --end "10 h"\n',
        ),
        (["dose-response", "m.xml"], NOT_A_SCENARIO),
        (["predict", "m.xml"], NOT_A_HYPOTHESIS),
        (["compare", "H0", "m.xml"], NOT_A_HYPOTHESIS),
        (["contrast", "H0", "m.xml"], NOT_A_HYPOTHESIS),
        (["design", "H0", "m.xml"], NOT_A_HYPOTHESIS),
        (["fit", "-H", "m.xml"], NOT_A_HYPOTHESIS),
        (["trial", "-H", "m.xml"], NOT_A_HYPOTHESIS),
        (
            ["run", "untreated", "-H", "m.xml"],
            NOT_A_HYPOTHESIS.replace("\n", "\n  --> --hypothesis m.xml, key `model.hypothesis`\n", 1),
        ),
        (
            ["trial", "--trial", "m.xml"],
            "error[file.kind]: the file is SBML, and no TOML\n"
            "  --> m.xml\n"
            "  expected: TOML\n"
            "  try:      `simulate run` takes a model in SBML, by a name that ends in .xml or .sbml\n",
        ),
        (
            ["fit", "m.xml"],
            "error[exchange.kind]: the file is a model, and no estimation problem\n"
            "  --> m.xml\n"
            "  expected: a problem in PEtab (YAML), which names its model and the measurements\n"
            "  try:      docs/petab.md says how one is written\n",
        ),
        (
            ["fit", "--data", "m.xml"],
            "error[exchange.kind]: the file is a model, and no data file\n"
            "  --> m.xml\n"
            "  expected: a data file (TOML), which names its model, or a table (CSV)\n"
            "  try:      docs/individual-data.md says how one is written\n",
        ),
        (
            ["audit", "m.xml"],
            "error[file.kind]: the file is SBML, and no TOML\n"
            "  --> m.xml\n"
            "  expected: TOML\n"
            "  try:      `simulate run` takes a model in SBML, by a name that ends in .xml or .sbml\n",
        ),
        (
            ["sensitivity", "m.xml", "-e", "x"],
            "error[exchange.time]: an SBML file does not say how long it is to be solved\n"
            "  --> m.xml\n"
            '  expected: --end "10 h"\n',
        ),
        (
            ["sensitivity", "m.xml", "-e", "x", "--end", "10"],
            "error[sensitivity.model]: no parameter of the model varies\n"
            "  --> m.xml\n"
            "  expected: `--vary cv=0.3` for all parameters, or `--vary NAME.cv=0.3` for one: how far they may "
            "be off\n",
        ),
        (
            ["sensitivity", "m.xml", "-e", "x", "--end", "10", "--vary", "cv=0.3", "--by", "numbers"],
            "error[sensitivity.model]: nothing says which numbers of a user's model are uncertain\n"
            "  --> m.xml\n"
            "  found:    inputs by numbers\n"
            "  expected: inputs by patients: how parameters differ is known, or assumed by `--vary cv=0.3`\n"
            "  try:      leave `--by` and `--fit` out\n",
        ),
        (
            ["sensitivity", "m.xml", "-e", "x@11", "--end", "10", "--vary", "cv=0.3"],
            "error[endpoint.day]: the time of an endpoint is not one that is simulated\n"
            "  found:    'x@11'\n"
            "  expected: a number above 0 and up to 10 h\n",
        ),
    ],
)
def test_who_gives_a_model_is_told_what_is_taken(words: list[str], message: str, model: str, capsys: Capture) -> None:
    assert outcome(words) == 3
    assert capsys.readouterr().err == message


TWICE = "error[hypothesis.twice]: the hypothesis `{0}` is given twice\n  found:    `H1+{0}`\n  try:      give it once\n"


@pytest.mark.parametrize(
    "words",
    [
        ["run", "untreated", "-H"], ["sweep", "untreated", "--over", "f_m=0.1", "-H"], ["explore", "untreated", "-H"],
        ["sensitivity", "untreated", "-e", "ifng", "-H"], ["dose-response", "untreated", "-H"], ["equilibria", "-H"],
        ["fit", "-H"], ["reproduce", "-H"], ["calibrate", "-H"], ["trial", "-H"], ["vpop", "-H"], ["verify", "-H"],
        ["show", "model", "-H"], ["convert", "reference", "-o", "h.xml", "-H"], ["compare", "H0"], ["contrast", "H0"],
        ["predict"], ["design", "H0"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("again", ["H1", "h1"])
def test_a_hypothesis_is_given_once(
    words: list[str], again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome([*words, f"H1+{again}"]) == 3
    said = [line for line in capsys.readouterr().err.splitlines(keepends=True) if not line.startswith("  --> ")]
    assert "".join(said) == TWICE.format(again)


SCENARIO = """
schema = 1
title = "mine"
[model]
file = "m.xml"
[time]
end = "10 h"
unit = "h"
[[arm]]
name = "none"
regimen = "none"
"""
RULED = SCENARIO + '[[arm.rule]]\nquantity = "qqqqq"\nabove = "1"\nend = true\n'


@pytest.mark.parametrize(
    ("words", "advised"),
    [
        (["run", "m.xml", "--end", "10", "-q", "qqqqq"], "show model --model m.xml"),
        (["run", "m.xml", "--end", "10", "--set", "qqqqq=1"], "show parameters --model m.xml"),
        (["run", "m.xml", "--end", "10", "--vary", "qqqqq.cv=0.1"], "show parameters --model m.xml"),
        (["sweep", "m.xml", "--end", "10", "--over", "qqqqq=1,2"], "show parameters --model m.xml"),
        (["sensitivity", "m.xml", "--end", "10", "-e", "qqqqq", "--vary", "cv=0.3"], "show model --model m.xml"),
        (["run", "with blank.xml", "--end", "10", "-q", "qqqqq"], "show model --model 'with blank.xml'"),
        (["run", "ruled.toml"], "show model --model m.xml"),
        (["run", "untreated", "-q", "qqqqq", "-H", "H1+H4"], "show model --hypothesis H1+H4"),
        (["run", "untreated", "-q", "qqqqq", "-H", "none", "--fit", "typical"], "show model"),
        (["dose-response", "anakinra-100mg-daily", "-e", "qqqqq"], "show model --hypothesis H1+H6"),
        (["sensitivity", "untreated", "-e", "qqqqq", "-H", "H1"], "show model --hypothesis H1"),
    ],
)
def test_advice_to_list_names_is_a_command_for_the_model_at_hand(
    words: list[str], advised: str, model: str, capsys: Capture
) -> None:
    Path("with blank.xml").write_text(decay("hour"), encoding="utf-8")
    Path("ruled.toml").write_text(RULED, encoding="utf-8")
    assert outcome(words) == 3
    assert capsys.readouterr().err.endswith(f"  try:      `simulate {advised}` lists them\n")
    assert outcome(shlex.split(advised)) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "unit", "day", "title"),
    [
        ("ck@14", "d", 14.0, "day 14"),
        ("ck@14d", "d", 14.0, "day 14"),
        ("ck@2 weeks", "d", 14.0, "day 14"),
        ("ck:change@336", "h", 14.0, "336 h"),
        ("ck:change@14 d", "h", 14.0, "336 h"),
        ("ck", "h", 28.0, "672 h"),
    ],
)
def test_the_time_of_an_endpoint_has_the_unit_that_it_says_or_that_of_all_times(
    text: str, unit: str, day: float, title: str
) -> None:
    from simulate.biology.reference import reference_model
    from simulate.studies.endpoints import parse_endpoint

    found = parse_endpoint(text, reference_model(), 28.0, unit)
    assert found.day == pytest.approx(day, rel=1e-15)
    assert title in found.title
