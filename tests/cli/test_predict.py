"""``simulate predict`` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simulate.biology.hypotheses import HYPOTHESES
from simulate.cli.app import outcome
from simulate.errors import InputError

SHORT = ["--draws", "8", "--patients", "8"]


def test_predictions_stand_side_by_side_with_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert outcome(["predict", "H0", "H1", "--fits", str(tmp_path), "--out", str(out), *SHORT]) == 0
    said = capsys.readouterr().out
    assert "H0 (fit)" in said
    assert "IL-17A+, week 12" in said
    assert "not in the model: IL-10 of Th17 cells" in said
    assert (out / "prediction.png").stat().st_size > 20_000
    with (out / "prediction.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert outcome(["predict", "H0", "H1", "--fits", str(tmp_path), "--json", *SHORT]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["rows"]) == len(written)
    assert document["hypotheses"][0] == {
        "hypothesis": "H0",
        "draws_of": "fit",
        "refused": pytest.approx(0.0, abs=1e-9),
    }


def test_an_unknown_hypothesis_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["predict", "H77"]) == 3
    assert "there is no hypothesis `H77`" in capsys.readouterr().err


def test_the_hypothesis_on_which_runs_stand_is_predicted_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def stop(names: list[str], *_: object, **__: object) -> None:
        asked.extend(names)
        raise InputError("stop", code="test.stop")

    monkeypatch.setattr("simulate.studies.comparison.fits.problems_for", stop)
    assert outcome(["predict"]) == 3
    assert asked == [*(hypothesis.name for hypothesis in HYPOTHESES), "H1+H6"]
