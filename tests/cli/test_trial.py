"""``simulate trial`` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulate.cli.app import outcome

Capture = pytest.CaptureFixture[str]

SHORT = ["trial", "-H", "H0", "--draws", "8", "--patients", "16", "--studies", "200"]


def test_power_errors_and_ranks_are_printed_and_the_design_is_told(capsys: Capture) -> None:
    assert outcome(SHORT) == 0
    shown = capsys.readouterr().out
    assert "H0: as it was: 15 patients, 100 mg sc every 24 h" in shown
    assert "no effect to find" in shown
    assert "cd45ro-ck-correlation r" in shown
    assert "200 studies of 8 draws of the fit, 16 virtual patients of each" in shown
    assert "treated: 15 enrolled, 11 to 6 months; read at the first visit, and at the last as well: " in shown
    assert "serum_il1ra 14, 10, ifng 8, 6, il17a 8, 6, cd45ro 8, 6, ck 15, 11" in " ".join(shown.split())
    assert "without a second arm a change is no effect of the drug" in shown


def test_a_hypothesis_without_a_fit_is_drawn_from_its_prior_and_says_so(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulate.shipped.fit_files", dict)
    assert outcome([*SHORT, "--n", "20", "--placebo", "20"]) == 0
    shown = capsys.readouterr().out
    assert "200 studies of 8 draws of the prior, 16 virtual patients of each" in shown
    assert "H0: 20 patients, 100 mg sc every 24 h against 20 on none" in shown
    assert "controls: 20 enrolled, 15 to 6 months" in shown


def test_the_folder_holds_what_json_says(tmp_path: Path, capsys: Capture) -> None:
    assert outcome([*SHORT, "--json", "--out", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((tmp_path / "trial.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "effects.csv",
        "inputs",
        "manifest.json",
        "models",
        "printed.csv",
        "trial.json",
        "trial.png",
        "trial.svg",
    ]
    assert shown["design"]["as_it_was"] is True
    with (tmp_path / "effects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["power"]) for row in rows] == [part["power"] for part in shown["effects"]]
    for row in shown["effects"]:
        low, high = row["power_interval"]
        assert 0.0 <= low <= row["power"] <= high <= 1.0
    for row in shown["printed"]:
        assert 0.0 <= row["rank"] <= 1.0
    unlike = next(row for row in shown["printed"] if row["item"] == "cd45ro-ck-correlation")
    assert unlike["rank"] < 0.05


def test_other_doses_have_no_ranks_of_what_was_printed_under_this_one(capsys: Capture) -> None:
    assert outcome([*SHORT, "--regimen", "50 mg sc every 24 h", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["printed"] == []
