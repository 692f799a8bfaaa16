"""`simulate dose-response` from the command line to the folder."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import simulate
from simulate.cli.app import outcome
from simulate.cli.dose_response import _effect
from simulate.results.provenance import Provenance
from simulate.results.result import Result
from simulate.studies.dose_response.responses import ResponseRequest

Capture = pytest.CaptureFixture[str]
SMALL = (
    "--fit",
    "typical",
    "--patients",
    "6",
    "--set",
    "time.end=28 d",
    "--dose",
    "1,10,30,100,300 mg",
    "--replicates",
    "10",
)


def test_a_study_prints_two_tables_and_leaves_tables_figures_and_the_dataset(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "doses"
    arguments = ["dose-response", "anakinra-100mg-daily", *SMALL, "-e", "il17a:change@28d", "--out", str(target)]
    assert outcome(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(
        "dose-response, 1 to 300 mg, in place of the dose of `anakinra 100 mg/d` "
        "(anakinra 100 mg once a day for 6 months, the first 28 d)\n"
    )
    assert "il17a:change@28d, %" in captured.out
    assert " base " not in captured.out
    assert " ED50, mg " in captured.out
    assert " average, pg/mL   trough, pg/mL   peak, pg/mL " in captured.out
    assert "blocked: share of the interval with the signal of IL-1 below 10 % of its baseline" in captured.out
    assert captured.err == f"wrote {target}\n"
    # Without a dose there is no change, and the error of the solver is not shown as one.
    assert " 0 (0 to 0) " in captured.out
    drawn = ("dose-response", "dosing-interval", "exposure-response")
    names = ["curves.csv", "dose-response.json", "effects.csv", "inputs", "manifest.json", "models", "response.nc"]
    names = sorted([*names, *(f"{name}.{kind}" for name in drawn for kind in ("png", "svg"))])
    assert sorted(path.name for path in target.iterdir()) == names
    with open(target / "effects.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["dose"]) for row in rows] == [0.0, 1.0, 10.0, 30.0, 100.0, 300.0]
    assert float(rows[0]["mean"]) == 0.0
    assert float(rows[-1]["mean"]) < float(rows[1]["mean"]) < -1.0
    assert float(rows[-1]["blocked_lymph"]) > float(rows[1]["blocked_lymph"])


def test_a_value_however_small_is_shown_as_it_is() -> None:
    assert _effect(5e-7, 4e-7, 2e-6) == "5e-07 (4e-07 to 2e-06)"
    assert _effect(0.0, 0.0, 2e-3) == "0 (0 to 0.00200)"


def test_json_holds_curves_effects_and_isoboles(capsys: Capture) -> None:
    options = ["--second", "f_m=0.1,0.9", "--isobole", "--json", "-e", "ck:change@28"]
    assert outcome(["dose-response", "anakinra-100mg-daily", *SMALL, *options]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert len(document["curves"]) == 2 * 4
    assert len(document["effects"]) == 2 * 6
    assert len(document["isoboles"]) == 3 * 2
    assert document["second"] == "f_m"
    assert {row["second"] for row in document["curves"]} == {0.1, 0.9}
    assert all(row["n"] == row["n_all"] == 6 for row in document["curves"])


def test_a_folder_of_something_else_is_refused_before_any_work(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert outcome(["dose-response", "anakinra-100mg-daily", *SMALL, "--out", str(tmp_path)]) == 3
    assert "error[store.occupied]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_two_hypotheses_stand_in_one_table_and_repeat_from_their_directory(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "two"
    arguments = ["dose-response", "anakinra-100mg-daily", *SMALL, "-e", "ifng:change@28", "-H", "H0", "-H", "H4"]
    assert outcome([*arguments, "--no-figures", "--out", str(target)]) == 0
    shown = capsys.readouterr().out
    lines = [line for line in shown.splitlines() if line.split()[:2] == ["ifng:change@28,", "%"]]
    curves = {line.split()[2]: line for line in lines}
    assert set(curves) == {"H0", "H4"}
    # The last column folds where the table is wider than a line.
    assert curves["H0"].rstrip().endswith(("no response in the range", "no response in the"))
    heads = next(line for line in shown.splitlines() if "dose, mg" in line)
    assert heads.split() == ["endpoint", "dose,", "mg", "H0", "H4"]
    with open(target / "curves.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["hypothesis"] for row in rows] == ["H0"] * 4 + ["H4"] * 4
    assert {row["verdict"] for row in rows if row["hypothesis"] == "H0"} == {"no response in the range"}
    assert {"response-H0.nc", "response-H4.nc"} <= {path.name for path in target.iterdir()}
    with open(target / "effects.csv", encoding="utf-8", newline="") as file:
        means = {(row["hypothesis"], float(row["dose"])): float(row["mean"]) for row in csv.DictReader(file)}
    assert {mean for (name, _), mean in means.items() if name == "H0"} == {0.0}
    assert means["H4", 300.0] > means["H4", 1.0] > 0.0
    assert outcome(["runs", "repeat", str(target)]) == 0
    assert capsys.readouterr().out.startswith("the same to the bit: curves.csv, dose-response.json, effects.csv")


def test_of_several_hypotheses_it_is_said_which_has_no_fit(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "two"
    few = ["--dose", "10,30,100,300 mg", "--draws", "2", "-n", "4", "--replicates", "4", "-e", "ifng:change@28"]
    arguments = ["dose-response", "anakinra-100mg-daily", *few, "-H", "H1", "-H", "H1+H4"]
    assert outcome([*arguments, "--no-figures", "--out", str(target)]) == 0
    shown = capsys.readouterr().out
    heads = next(line for line in shown.splitlines() if "dose, mg" in line)
    assert heads.split() == ["endpoint", "dose,", "mg", "H1,", "fit", "H1+H4,", "prior"]
    told = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["answer"]["sentences"]
    assert [sentence.partition(", change")[0] for sentence in told] == ["H1, fit", "H1+H4, prior"]
    assert json.loads((target / "dose-response.json").read_text(encoding="utf-8"))["draws_of"] == ["fit", "prior"]


def test_of_one_hypothesis_it_is_said_what_its_draws_are_of(capsys: Capture) -> None:
    few = ["--dose", "10,30,100,300 mg", "--draws", "2", "-n", "4", "--replicates", "4", "-e", "ifng:change@28"]
    assert outcome(["dose-response", "anakinra-100mg-daily", *few, "-H", "H1+H4"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    caption = "sigmoid Emax curves of the mean of 4 of 4 patients in each of 2 draws of the prior; 95 % of resampled"
    assert f"hypothesis H1+H4; {caption}" in shown


def test_a_hypothesis_twice_is_refused(capsys: Capture) -> None:
    assert outcome(["dose-response", "anakinra-100mg-daily", "-H", "H1", "-H", "H1"]) == 3
    assert capsys.readouterr().err == (
        "error[hypothesis.twice]: the hypothesis `H1` is given twice\n  try:      give it once\n"
    )


def test_a_request_that_this_version_does_not_know_is_not_repeated(tmp_path: Path, capsys: Capture) -> None:
    request = ResponseRequest(endpoint=("ck",))
    arguments = {"scenario": "untreated", "hypotheses": [], "settings": [], "request": {**asdict(request), "luck": 3}}
    Result(Provenance("dose-response", arguments, {}, "k"), "a study", None).write(tmp_path / "study")
    assert outcome(["runs", "repeat", str(tmp_path / "study")]) == 3
    assert capsys.readouterr().err == (
        "error[runs.asked]: the run was asked in a way that this version does not know\n"
        f"  --> {tmp_path / 'study'}\n  found:    `luck`\n"
        f"  try:      repeat it with the version that made it, which `simulate runs show {tmp_path / 'study'}` names\n"
    )


def test_tolerance_and_dropout_are_those_of_the_scenario(capsys: Capture) -> None:
    found = simulate.dose_response(
        "anakinra-100mg-daily", dose="1,10,30,100 mg", endpoint="ck@182", patients=40, fit="typical", dropout=True,
        rtol=1e-5, replicates=0, out=None,
    )  # fmt: skip
    assert found.attrs["rtol"] == 1e-5
    # Who has left has no value on the last day.
    assert 0 < int(found["n"].values[0, 0]) < 40


def test_only_an_endpoint_that_is_something_without_a_dose_has_a_base(capsys: Capture) -> None:
    endpoints = ("-e", "il17a:change@28d", "-e", "il17a@28d")
    assert outcome(["dose-response", "anakinra-100mg-daily", *SMALL, *endpoints]) == 0
    lines = capsys.readouterr().out.splitlines()
    (heading,) = (line for line in lines if " base " in line)
    end = heading.index("base") + len("base")
    of_change, of_level = (next(line for line in lines if line.startswith(f" {name}, %")) for name in endpoints[1::2])
    assert not of_change[len(" il17a:change@28d, %") : end].strip()
    assert of_level[len(" il17a:change@28d, %") : end].strip()
