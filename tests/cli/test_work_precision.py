"""`simulate work-precision` from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import simulate.studies.workprecision as workprecision
from simulate.cli.app import outcome
from simulate.solver.methods import METHODS

Capture = pytest.CaptureFixture[str]

SMALL = ("--patients", "2", "--set", "time.end=3 d")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workprecision, "SHOWN", ("ENZYME",))
    monkeypatch.setattr(workprecision, "TOLERANCES", (1e-3, 1e-6))


def test_work_precision_prints_a_line_for_each_method_and_tolerance(capsys: Capture) -> None:
    assert outcome(["work-precision", *SMALL]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0] == "work for one trajectory, and the largest relative error"
    rows = [line.split() for line in lines if "e-0" in line]
    # One stiff method solves the stiff problem, and all of them solve the scenario.
    assert len(rows) == 2 * (1 + len(METHODS))
    assert rows[0][:3] == ["ENZYME", "Rodas5P", "1e-03"]
    assert all(float(row[-4]) > 0 for row in rows)


def test_the_folder_has_diagrams_and_the_table_in_full(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "diagrams"
    assert outcome(["work-precision", *SMALL, "--out", str(target), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    pictures = {"work-precision.png", "work-precision.svg"}
    assert {*pictures, "work-precision.csv", "manifest.json"} < set(document["files"])
    assert all((target / name).is_file() for name in document["files"])
    rows = list(csv.DictReader(io.StringIO((target / "work-precision.csv").read_text(encoding="utf-8"))))
    assert [row["workload"] for row in rows] == [point["workload"] for point in document["points"]]
    assert [float(row["error"]) for row in rows] == [point["error"] for point in document["points"]]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert outcome(["work-precision", *SMALL, "--out", str(tmp_path)]) == 3
    assert capsys.readouterr().err.startswith("error[store.occupied]")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
