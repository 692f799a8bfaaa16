"""A hypothesis in a file of the user's has the same rights as one that ships: the example of the page."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.studies.comparison.fits import find_fit, problems_for
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.problem import problem_for
from tests.studies.fitting.tiny import SETTINGS, problem

PAGE = Path(__file__).resolve().parents[3] / "docs" / "model-files.md"


FIXED = """
[hypothesis.constraints]
det1 = 0.1
det17 = 0.1
f_m = 0.5
il1_muscle = 0.01
R_0 = 1
k_23 = 1
y_23 = 0.3
d_M17 = 0.006
p_unchanged = 0.25
slope_response = 1
"""


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = (block for block in blocks if "[hypothesis]" in block)
    Path("il23.toml").write_text(text, encoding="utf-8")
    return text


def test_its_numbers_are_free_with_the_priors_of_its_rows_and_the_rest_is_shared(example: str) -> None:
    own = {part.name: part for part in problem_for("il23.toml").free}
    shared = {part.name: part for part in problem("H0").free}
    assert own.keys() - shared.keys() == {"k_23", "y_23", "g_23"}
    assert all(own[name] == part for name, part in shared.items())
    assert (own["k_23"].median, own["k_23"].low, own["k_23"].high, own["k_23"].widening) == (1.0, 0.1, 10.0, 2.5)


def test_a_number_that_it_fixes_is_not_free(example: str) -> None:
    Path("fixed.toml").write_text(example + "\n[hypothesis.constraints]\nf_m = 0.5\nk_23 = 1\n", encoding="utf-8")
    fixed = problem_for("fixed.toml")
    assert {part.name for part in problem_for("il23.toml").free} - {part.name for part in fixed.free} == {"f_m", "k_23"}
    points = np.zeros((2, fixed.dimension))
    assert np.isfinite(Likelihood(fixed, 8, 1)(points).total).all()


def test_a_number_without_a_prior_is_named(example: str) -> None:
    Path("il23.toml").write_text(example.replace("bounds = [0, 0.8]\n", ""), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        problem_for("il23.toml")
    assert str(caught.value) == (
        "error[fit.bounds]: the parameter `g_23` has no bounds, and so no prior\n"
        "  expected: `bounds = [low, high]` in its row: limits that hold 95 % of what is believed\n"
        "  try:      add bounds, which a fit leaves the value free within"
    )


def test_it_is_run_predicted_fitted_and_compared(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--patients", "2", "--set", "time.end=7 d", "-q", "il17a", "--no-figures"]
    assert outcome(["run", "anakinra-100mg-daily", "--hypothesis", "il23.toml", *short, "--out", "r"]) == 0
    assert "hypothesis H23" in capsys.readouterr().out
    few = ["--draws", "8", "--patients", "8", "--json", "--no-figures"]
    assert outcome(["predict", "H0", "il23.toml", *few, "--out", "predicted"]) == 0
    title = json.loads(Path("predicted/manifest.json").read_text(encoding="utf-8"))["title"]
    assert title == "predictions of H0, H23 on the evidence abstract"
    rows = json.loads(capsys.readouterr().out)["rows"]
    (falls,) = (row for row in rows if row["hypothesis"] == "H23" and row["question"] == "IL-17A+, week 24")
    assert falls["sign"] == "down"
    # The fewer numbers are free, the sooner it is fitted.
    Path("il23.toml").write_text(example + FIXED, encoding="utf-8")
    made = find_fit(problem_for("il23.toml"), SETTINGS, Path("fits"))
    assert made.source == "made now"
    assert outcome(["compare", "H0", "il23.toml", "--json"]) == 0
    found = {row["hypothesis"]: row for row in json.loads(capsys.readouterr().out)["hypotheses"]}
    assert (found["H0"]["fit"], found["H23"]["fit"]) == ("shipped", "fits/il23/fit.json")
    assert found["H23"]["log_evidence"] == made.posterior.log_evidence
    # A file is meant by its own name as well, and is shown by that of its hypothesis in all that is left behind.
    weighed = ["--prior", "il23.toml=3", "--against", "il23.toml"]
    assert outcome(["compare", "H0", "il23.toml", *weighed, "--no-figures", "--out", "compared"]) == 0
    told = capsys.readouterr().out
    assert "H23" in told
    assert "il23.toml" not in told
    left = {file: file.read_text(encoding="utf-8") for file in Path("compared").glob("*.csv")}
    assert any("H23" in text for text in left.values())
    assert not [file for file, text in left.items() if "il23.toml" in text]
    kept = json.loads(Path("compared/manifest.json").read_text(encoding="utf-8"))
    assert set(kept["models"]) == {"H0", "H23"}
    priors = {
        row["hypothesis"]: row["prior"] for row in csv.DictReader(left[Path("compared/hypotheses.csv")].splitlines())
    }
    assert float(priors["H23"]) == 3 * float(priors["H0"]) == 0.75


def test_two_files_of_one_name_are_not_compared(example: str) -> None:
    Path("other.toml").write_text(example + "\n[hypothesis.constraints]\nk_23 = 1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        problems_for(["il23.toml", "other.toml"])
    assert str(caught.value) == (
        "error[compare.name]: `il23.toml` and `other.toml` are both called `H23`\n"
        "  expected: hypotheses of different names: tables and figures tell them apart by that\n"
        '  try:      give one of the files another name, `[hypothesis]` with `name = "..."`'
    )


def test_options_of_a_trial_are_no_part_of_the_name_but_what_was_asked_for_is(example: str) -> None:
    assert problem_for("il23.toml").label == "H23"
    assert problem_for("h1+il23.toml").label == "H1+H23"
    added = problem_for("H0").options[0]
    assert problem_for("H0").label == "H0"
    assert added in problem_for(f"H1+{added}").label.split("+")
