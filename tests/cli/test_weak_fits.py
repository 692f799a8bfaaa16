"""A fit of which too few draws count says so itself, and wherever its draws are used."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.cli.fit import _estimates, _summary
from simulate.results.study_openings import of_fit
from simulate.studies.fitting.posterior import read_posterior

SENTENCE = (
    "nothing can be concluded from this fit: 2 effective draws, tail 1.80, and 50 and a tail below 0.7 are needed"
)
SCENARIO = "anakinra-100mg-daily"
DRAWN = ["--hypothesis", "H1", "--fit", "weak", "--draws", "2", "-n", "4"]


@pytest.fixture
def weak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the fit that ships, as if two of its draws counted."""
    content = json.loads(shipped.fit_files()["H1"].read_text(encoding="utf-8"))
    content["diagnostics"] |= {"effective": 2.0, "tail": 1.8}
    monkeypatch.chdir(tmp_path)
    Path("weak").mkdir()
    Path("weak/fit.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path / "weak" / "fit.json"


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_run_on_a_weak_fit_says_so_and_its_report_too(weak: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["run", SCENARIO, *DRAWN, "--out", "ran", "--no-figures"]) == 0
    assert SENTENCE in flat(capsys.readouterr().out)
    manifest = json.loads(Path("ran/manifest.json").read_text(encoding="utf-8"))
    assert [text for text in manifest["answer"]["caveats"] if SENTENCE in text] == [
        f"Hypothesis H1; 4 patients in each of 2 draws of the fit weak/fit.json ({SENTENCE})."
    ]
    assert outcome(["report", "ran", "--no-error", "--no-figures"]) == 0
    assert SENTENCE in flat(Path("ran.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["dose-response", SCENARIO, *DRAWN, "--dose", "1 mg:300 mg", "--no-figures"],
        ["trial", "--hypothesis", "H1", "--fit", "weak", "--draws", "8", "--patients", "16", "--studies", "100"],
        ["predict", "H1", "--fit", "weak", "--draws", "8"],
        ["run", SCENARIO, *DRAWN, "--fit", "prior", "--no-figures", "--out", "side"],
    ],
    ids=lambda arguments: f"{arguments[0]}-{len(arguments)}",
)
def test_every_verb_on_a_weak_fit_says_so(weak: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(arguments) == 0, capsys.readouterr().err
    assert SENTENCE in flat(capsys.readouterr().out)


def test_a_fit_that_stands_has_no_such_sentence() -> None:
    found = read_posterior(shipped.fit_files()["H1"])
    assert found.diagnostics.weakness == ""
    assert found.told == found.estimates


@pytest.mark.parametrize(("effective", "tail", "is_weak"), [(50.0, 0.69, False), (49.0, 0.0, True), (900.0, 0.7, True)])
def test_a_fit_is_weak_by_either_count_or_tail(effective: float, tail: float, is_weak: bool) -> None:
    found = read_posterior(shipped.fit_files()["H1"]).diagnostics
    assert bool(dataclasses.replace(found, effective=effective, tail=tail).weakness) is is_weak


def test_what_was_learned_is_not_told_of_a_weak_fit(weak: Path) -> None:
    found = read_posterior(weak)
    lines = _summary(found)
    assert [line for line in lines if line.startswith("learned")] == ["learned: not known: 2 effective draws"]
    assert lines.count(f"warning: {SENTENCE}") == 1
    table = _estimates("H1", found.told)
    cells = {str(column.header): set(column.cells) for column in table.columns}
    assert (cells["learned"], cells["verdict"]) == ({"–"}, {"not known"})
    told = of_fit(found)
    assert told.sentences[0] == "What the reported values say of each number is not known: 2 effective draws."
    assert not any("say much" in text or "say nothing" in text for text in told.sentences)
    assert f"Warning: {SENTENCE}." in told.caveats
