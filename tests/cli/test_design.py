"""``simulate design`` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulate.cli.app import outcome

Capture = pytest.CaptureFixture[str]

SHORT = ["design", "H0", "H3b", "--draws", "10", "--patients", "8", "--repeats", "20"]
TWO = [*SHORT, "--measurement", "dish-il1ra", "--measurement", "paired-non-responders"]


def test_measurements_are_ranked_and_the_origin_of_each_hypothesis_is_told(capsys: Capture) -> None:
    assert outcome(TWO) == 0
    shown = capsys.readouterr().out
    assert "at most 0.69 between the hypotheses" in shown
    # Licensing shows in a dish and in washed cells not at all.
    assert shown.index("restimulation with and without IL-1Ra in the dish") < shown.index("paired restimulation of the")
    assert "H0: 10 draws of the fit" in shown
    assert "H3b: 10 draws of the " in shown
    assert "One after the other" in shown
    assert "not in the catalogue: IL-10 of Th17 cells (question 6): the model has no IL-10" in shown


def test_a_number_of_patients_that_is_not_exact_is_marked_and_the_mark_is_told(capsys: Capture) -> None:
    """Ten draws are too few wherever hypotheses are told apart at all."""
    told = "question mark: the draws are too few for an exact number: more --draws\n"
    assert outcome(TWO) == 0
    shown = capsys.readouterr().out
    assert ("?" in shown.partition("One after")[0], told in shown) == (True, True)


def test_the_folder_holds_what_json_says(tmp_path: Path, capsys: Capture) -> None:
    assert outcome([*TWO, "--json", "--out", str(tmp_path / "out"), "--fits", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    folder = tmp_path / "out"
    assert shown == json.loads((folder / "design.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "design.csv",
        "design.json",
        "design.png",
        "design.svg",
        "inputs",
        "manifest.json",
        "models",
    ]
    with (folder / "design.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["measurement"] for row in rows] == [part["measurement"] for part in shown["measurements"]]
    best, worst = shown["measurements"]
    assert best["between"] > worst["between"]
    assert worst["between"] == pytest.approx(0.0, abs=0.1)


def test_an_unknown_measurement_is_refused_with_the_nearest(capsys: Capture) -> None:
    assert outcome([*SHORT, "--measurement", "dish-il1"]) == 3
    shown = capsys.readouterr().err
    assert shown.startswith("error[measurement.unknown]: there is no measurement `dish-il1`\n  expected: `blood-1-3-6-")
    assert shown.endswith("or a TOML file\n  try:      did you mean `dish-il1ra`?\n")
