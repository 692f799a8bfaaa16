"""`simulate vpop` from the command line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.studies.fitting.keys import fit_key
from simulate.studies.fitting.posterior import write_posterior
from simulate.studies.fitting.problem import problem_for
from tests.studies.virtual.fits import fitted

Capture = pytest.CaptureFixture[str]

SMALL = ["vpop", "-H", "H1", "-n", "200", "--fewest", "30", "--chains", "6", "--steps", "9"]


def test_what_is_concluded_is_printed_for_each_way_with_the_spread(capsys: Capture, tmp_path: Path) -> None:
    write_posterior(tmp_path / "fit.json", fitted("H1"))
    assert outcome([*SMALL, "--fit", str(tmp_path / "fit.json")]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    beginnings = ("pool, before any figure", "acceptance", "chains", "reweighting", "spread between ways")
    for beginning in beginnings:
        assert any(line.startswith(beginning) and ("%" in line or "spread" in line) for line in lines), beginning
    assert any("IL-17A+" in line for line in lines)
    assert any("Only a posterior carries the uncertainty of the parameters" in line for line in lines)
    assert any("the abstract has no data of single patients" in line for line in lines)
    assert "ifng: the log-normal likeliest for `ifng-level`, n = 8, read as: baseline" in lines
    assert any(line.startswith("warning: chains: R-hat between chains is") for line in lines)


def test_json_is_one_document_and_the_folder_holds_the_patients(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one that ships has many more draws and patients.
    write_posterior(tmp_path / "H1.json", fitted("H1"))
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {"H1": tmp_path / "H1.json"})
    assert outcome([*SMALL, "--as-published", "--json", "--out", str(tmp_path / "out")]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((tmp_path / "out" / "vpop.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "chains-as-published.csv",
        "chains.csv",
        "inputs",
        "manifest.json",
        "models",
        "pool.csv",
        "vpop.json",
    ]
    assert shown["hypothesis"] == "H1"
    assert shown["ways"] == ["acceptance", "chains", "reweighting"]
    for row in shown["conclusions"]:
        assert set(row["answers"]) == set(shown["ways"])
        assert row["spread"] >= 0.0
        assert row["method_dependent"] == (row["apart"] is not None)
    assert [row["item"] for row in shown["target"]["levels"]] == ["il1ra-baseline", "ifng-level", "il17a-level"]
    assert 0.0 <= shown["posterior"]["IL-17A+ cells fall"]["value"] <= 1.0


def test_a_fit_stands_beside_its_own_hypothesis(capsys: Capture, tmp_path: Path) -> None:
    write_posterior(tmp_path / "fit.json", fitted("H1"))
    assert outcome([*SMALL[:1], *SMALL[3:], "--fit", str(tmp_path / "fit.json"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["hypothesis"] == "H1"
    answer = shown["posterior"]["IL-17A+ cells fall"]
    assert 0.0 <= answer["low"] <= answer["value"] <= answer["high"] <= 1.0


def test_a_stale_fit_is_refused(capsys: Capture, tmp_path: Path) -> None:
    stale = dataclasses.replace(fitted("H1"), key="0123")
    write_posterior(tmp_path / "fit.json", stale)
    assert outcome([*SMALL, "--fit", str(tmp_path / "fit.json")]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error[fit.stale]: the fit of `H1` was made with other numbers, patients, evidence or priors than today's\n"
        "  found:    key 0123\n"
        f"  expected: key {fit_key(problem_for('H1'), stale.settings)}\n"
        "  try:      fit again: `simulate reproduce --hypothesis H1 --refit`\n"
    )


def test_too_few_patients_end_with_the_code_of_what_did_not_converge(capsys: Capture) -> None:
    assert outcome(["vpop", "-H", "H1", "-n", "60", "--fewest", "40", "--steps", "3"]) == 5
    assert capsys.readouterr().err.startswith("error[vpop.pool]: only 60 of 60 plausible patients have a steady")
