"""``simulate compare`` on the command line."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.studies.fitting.known_fits import fit_folder
from simulate.studies.fitting.posterior import write_posterior
from simulate.studies.fitting.problem import problem_for
from simulate.studies.scenario import RESULT
from tests.studies.comparison.short import posterior


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {})
    for name in ("H0", "H1"):
        file = fit_folder(problem_for(name), tmp_path / "fits") / RESULT
        file.parent.mkdir(parents=True)
        write_posterior(file, replace(posterior(name), log_evidence=-40.0))
    return tmp_path / "fits"


def test_a_comparison_prints_odds_matrix_and_verdict_and_leaves_tables_and_a_figure(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert outcome(["compare", "H0", "H1", "--fits", str(folder), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Hypotheses, the likeliest first" in said
    assert "ifng-direction" in said
    assert said.startswith("indistinguishable: fits are too small to tell H0 from H1\n")
    assert "all are held equally likely" in said
    assert (out / "comparison.png").stat().st_size > 20_000
    with (out / "matrix.csv").open(encoding="utf-8", newline="") as file:
        assert {row["hypothesis"] for row in csv.DictReader(file)} == {"H0", "H1"}
    document = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    assert outcome(["compare", "H0", "H1", "--fits", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == document
    assert {"hypotheses", "verdict", "matrix"} <= document.keys()


def test_the_verdict_comes_first_and_what_moves_the_odds_is_told_once_for_all_that_it_moves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outcome(["compare", "H1+H6", "H0", "H1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "indistinguishable: the data cannot tell H1+H6 from H1, H0"
    assert "H1+H6 against H1, H0: indistinguishable, the odds are below 3" in lines
    (moved,) = [line for line in lines if line.startswith("what moves the odds")]
    assert re.fullmatch(
        r"what moves the odds of H1\+H6 most, ifng-direction read as: all six: H1 \d\.\d, H0 \d(\.\d)?", moved
    )


def test_an_unknown_hypothesis_is_told_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["compare", "H0", "H3"]) == 3
    said = capsys.readouterr().err
    assert "there is no hypothesis `H3`" in said
    assert "did you mean" in said


def test_a_prior_that_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["compare", "H0", "H1", "--prior", "two"]) == 2
    assert "a prior weight cannot be read" in capsys.readouterr().err
