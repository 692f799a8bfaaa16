"""Times of models of other programs: every verb takes bare numbers in the unit of the file, and speaks in it."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import pytest

from simulate.cli.app import outcome
from simulate.studies.datasets import read_dataset
from tests.exchange.models import apply, ci, parameter, sbml
from tests.exchange.test_trips import rule

Capture = pytest.CaptureFixture[str]
SECONDS = {"hour": 3600, "year": 31557600, "long year": 366 * 86400}
DECAY = rule("rate", "x", apply("times", apply("minus", ci("k")), ci("x")))


def decay(unit: str) -> str:
    """x, from 2, that is lost by a tenth of itself in a unit of time."""
    units = f"""<unitDefinition id="own"><listOfUnits>
    <unit kind="second" exponent="1" scale="0" multiplier="{SECONDS[unit]}"/></listOfUnits></unitDefinition>"""
    parameters = parameter("x", 2.0, "false") + parameter("k", 0.1)
    return sbml("own", UnitDefinitions=units, Parameters=parameters, Rules=DECAY)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("libsbml")
    monkeypatch.chdir(tmp_path)
    for unit in SECONDS:
        Path(f"{unit}.xml").write_text(decay(unit), encoding="utf-8")
    return "hour.xml"


def rows(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(file).read_text(encoding="utf-8").splitlines()))


def test_a_sweep_keeps_values_at_times_of_the_file(model: str, capsys: Capture) -> None:
    words = ["sweep", model, "--end", "50", "--over", "k=0.1,0.2", "--out", "swept"]
    assert outcome([*words, "--at", "0", "--at", "50"]) == 0
    said = capsys.readouterr().out
    assert "Change since 0 h, of" in said
    assert "\n1 patient; at 50 h\n" in said
    assert re.findall(r"^ k 0\.\d +(\S+)$", said, re.MULTILINE) == ["-99", "-100"]
    found = {row["over_k"]: float(row["p50"]) for row in rows("swept/summary.csv") if float(row["time_d"]) > 0.0}
    assert found == {
        "0.1": pytest.approx(2.0 * math.exp(-5.0), rel=1e-4),
        "0.2": pytest.approx(2.0 * math.exp(-10.0), rel=1e-4),
    }
    assert outcome(["tidy", "swept", "--at", "50", "--out", "long.csv"]) == 0
    assert [float(row["day"]) for row in rows("long.csv")] == [pytest.approx(50.0 / 24.0)] * 2
    capsys.readouterr()
    assert outcome(["tidy", "swept", "--at", "51", "--out", "other.csv"]) == 3
    assert capsys.readouterr().err == (
        "error[tidy.time]: nothing was recorded at 51 h\n"
        "  expected: a time of 0 to 50 h, of 2\n"
        "  try:      the nearest is 50 h\n"
    )
    assert outcome(["report", "swept", "--out", "report.html"]) == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert "to 50 h." in page
    assert "x, change by 50 h: " in page


def test_a_sweep_refuses_times_after_the_end_in_the_unit_of_the_file(model: str, capsys: Capture) -> None:
    assert outcome(["sweep", model, "--end", "50", "--over", "k=0.1,0.2", "--at", "60", "--out", "swept"]) == 3
    assert capsys.readouterr().err == (
        "error[sweep.time]: values are to be kept at 60 h\n"
        "  --> --at 60\n"
        "  expected: times up to 50 h, the end of the scenario\n"
    )


def test_a_model_file_of_ones_own_has_bare_times_in_the_unit_of_the_end(model: str) -> None:
    assert outcome(["convert", model, "-o", "own.toml"]) == 0
    words = ["sweep", "own.toml", "--end", "10 h", "--every", "5", "--over", "k=0.1,0.2", "--out", "swept"]
    assert outcome([*words, "--at", "10"]) == 0
    assert {float(row["time_d"]) for row in rows("swept/summary.csv")} == {10.0 / 24.0}


def test_bare_times_of_a_scenario_that_says_no_unit_are_refused(model: str, capsys: Capture) -> None:
    words = ["sweep", "anakinra-100mg-daily", "--fit", "typical", "--over", "f_m=0.1,0.2", "--at", "50"]
    assert outcome([*words, "--out", "swept"]) == 3
    assert capsys.readouterr().err == (
        "error[units.mismatch]: `50` is not a time\n"
        "  --> --at 50\n"
        '  expected: a number with a unit of time, such as "182 d", from 0 d to 100000 d\n'
    )


@pytest.mark.parametrize(
    ("unit", "shown", "rate"),
    [("hour", "50 h", "1/h"), ("year", "50 year", "1/year"), ("long year", "50 × 366 d", "1/(366 d)")],
)
def test_units_of_time_of_any_length_are_those_of_tables(
    model: str, unit: str, shown: str, rate: str, capsys: Capture
) -> None:
    assert outcome(["run", f"{unit}.xml", "--end", "50", "--every", "25", "--no-figures", "--out", unit]) == 0
    assert shown in capsys.readouterr().out
    (end,) = (row for row in rows(f"{unit}/summary.csv") if row["visit"] == shown)
    assert float(end["day"]) == pytest.approx(50.0 * SECONDS[unit] / 86400.0)
    assert float(end["median"]) == pytest.approx(2.0 * math.exp(-5.0), rel=1e-4)
    assert outcome(["equilibria", f"{unit}.xml"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "leading eigenvalue" in line)
    assert line.split()[-2:] == [rate.split()[-1], "-0.1"]
    assert rate in line


def test_a_failure_is_told_in_the_unit_of_the_file(model: str, capsys: Capture) -> None:
    growth = rule("rate", "x", apply("times", ci("x"), ci("x")))
    units = decay("hour").split("<listOfUnitDefinitions>")[1].split("</listOfUnitDefinitions>")[0]
    text = sbml("own", UnitDefinitions=units, Parameters=parameter("x", 2.0, "false"), Rules=growth)
    Path("burst.xml").write_text(text, encoding="utf-8")
    # x is 1/(1/2 - t) in hours.
    assert outcome(["run", "burst.xml", "--end", "1", "--no-figures", "--out", "burst"]) == 4
    assert "arm `model`, 0.5 h" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("end", "title"),
    [
        ("8 weeks", "anakinra 100 mg once a day for 6 months, the first 8 weeks"),
        ("52 weeks", "anakinra 100 mg once a day for 6 months, followed for 52 weeks"),
        ("182 d", "anakinra 100 mg once a day for 6 months"),
    ],
)
def test_a_title_follows_the_end_that_is_set(end: str, title: str, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    words = [
        "run",
        "anakinra-100mg-daily",
        "--fit",
        "typical",
        "-n",
        "2",
        "--every",
        "28 d",
        "-q",
        "ifng",
        "--no-figures",
    ]
    assert outcome([*words, "--end", end, "--out", out]) == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"]["title"] == title


def test_a_title_that_is_set_stays(tmp_path: Path) -> None:
    words = [
        "run",
        "anakinra-100mg-daily",
        "--fit",
        "typical",
        "-n",
        "2",
        "-q",
        "ifng",
        "--no-figures",
        "--end",
        "8 weeks",
    ]
    assert outcome([*words, "--set", "title=mine", "--out", str(tmp_path / "run")]) == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"]["title"] == "mine"


def test_a_file_that_does_not_say_its_encoding_is_one_in_utf_8(model: str) -> None:
    text = decay("hour").replace(' encoding="UTF-8"', "").replace('id="k"', 'id="k" name="Verlust, µ"')
    Path("unsaid.xml").write_text(text, encoding="utf-8")
    assert outcome(["run", "unsaid.xml", "--end", "50", "--no-figures", "--out", "unsaid"]) == 0
    (end,) = (row for row in rows("unsaid/summary.csv") if row["visit"] == "50 h")
    assert float(end["median"]) == pytest.approx(2.0 * math.exp(-5.0), rel=1e-4)


BAD = (
    "error[units.quantity]: `{0}` is not a quantity\n  --> {1}\n"
    "  expected: a number, with its unit if it has one, such as `100 mg`, `12 h` or `0.3`\n"
)
RANGE = (
    "error[key.value]: the time `{0}` is out of range\n  --> {1}, key `{2}`\n"
    "  expected: more than 0 d, at most 100000 d\n"
)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--end", "soon"], BAD.format("soon", "--end soon")),
        (["--end", "0"], RANGE.format("0 h", "--end 0", "time.end")),
        (["--end", "-5"], RANGE.format("-5 h", "--end -5", "time.end")),
        (["--end", "10", "--every", "often"], BAD.format("often", "--every often")),
        (["--end", "10", "--every", "0"], RANGE.format("0 h", "--every 0", "time.every")),
        (
            ["--end", "10 mg"],
            "error[units.mismatch]: `10 mg` is not a time\n  --> --end 10 mg\n"
            '  expected: a number with a unit of time, such as "10 h"\n',
        ),
        (
            ["--end", "10", "--set", "time.end=20 h"],
            "error[scenario.setting]: `time.end` is set twice\n  --> --set time.end=20 h\n"
            "  found:    --end 10\n  try:      set it once\n",
        ),
    ],
)
def test_a_time_that_cannot_be_is_blamed_on_its_option(
    words: list[str], message: str, model: str, capsys: Capture
) -> None:
    assert outcome(["run", model, *words]) == 3
    assert capsys.readouterr().err == message


def test_tidy_blames_a_time_on_its_option(model: str, capsys: Capture) -> None:
    assert outcome(["run", model, "--end", "10", "--no-figures", "--out", "here"]) == 0
    capsys.readouterr()
    assert outcome(["tidy", "here", "--at", "soon"]) == 3
    assert capsys.readouterr().err == BAD.format("soon", "--at soon")


def test_the_unit_of_the_end_is_that_in_which_times_are_shown_and_said(model: str, capsys: Capture) -> None:
    assert outcome(["run", "hour.xml", "--end", "2 d", "--every", "0.5", "--no-figures", "--out", "days"]) == 0
    heading = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(" level"))
    assert heading.split() == ["level", "baseline", "day", "2"]
    assert read_dataset(Path("days/results.nc"))["time"].values.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    over = ["--over", "k=1", "--at", "1", "--at", "2", "--out", "swept"]
    assert outcome(["sweep", "hour.xml", "--end", "2 d", *over]) == 0
    assert read_dataset(Path("swept/results.nc"))["time"].values.tolist() == [1.0, 2.0]
