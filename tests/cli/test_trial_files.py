"""Trials of other shapes on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.inputs import noting
from simulate.results.provenance import asked
from simulate.studies.fitting.posterior import read_posterior
from simulate.studies.fitting.problem import problem_for
from simulate.trials.reading import read_trial
from tests.studies.fitting.tiny import free_few

Capture = pytest.CaptureFixture[str]

SHORT = ["--particles", "20", "--runs", "1", "--patients", "8", "--draws", "64", "--final-patients", "8"]
EXAMPLE = "example-two-arms"
BOTH = ["--trial", "zong-2011", "--trial", EXAMPLE]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short fit of H0 to the example, of few numbers."""
    folder = tmp_path_factory.mktemp("fits")
    with pytest.MonkeyPatch.context() as patch:
        free_few(patch)
        out = str(folder / f"H0@{EXAMPLE}")
        assert outcome(["fit", "-H", "H0", "--trial", EXAMPLE, *SHORT, "--out", out]) == 0
    return folder


@pytest.fixture
def fits(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    free_few(monkeypatch)
    return made


def test_a_trial_of_another_shape_is_fitted_to_what_it_reported(fits: Path) -> None:
    found = read_posterior(fits / f"H0@{EXAMPLE}" / "fit.json")
    assert found.items == (
        "il1ra-baseline",
        "il1ra-on-drug",
        "double-positive-baseline",
        "double-positive-on-drug",
        "double-positive-on-placebo",
        "gcsf-week-4",
    )
    assert np.isfinite(found.log_likelihoods).all()
    # Nobody was called a responder.
    assert {"slope_response", "p_unchanged"}.isdisjoint(row.name for row in found.estimates)
    assert np.isfinite(found.log_evidence)


def test_a_fit_to_another_trial_is_found_in_its_folder_and_reproduced(fits: Path, capsys: Capture) -> None:
    assert outcome(["reproduce", "-H", "H0", "--trial", EXAMPLE, "--fits", str(fits), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    own = [row for row in rows if row["trial"] == EXAMPLE]
    assert [row["item"] for row in own if row["figure"] == "count"] == [
        "completed",
        "double-positive-on-drug",
        "double-positive-on-placebo",
    ]
    shown = {(row["item"], row["figure"]): row["median"] for row in own}
    # Without an effect of IL-1 on cells, half of the changes are falls in either arm; the drug is in the serum of one.
    assert 4 <= shown["double-positive-on-drug", "count"] <= 7
    assert shown["il1ra-on-drug", "mean"] > 10 * shown["il1ra-baseline", "mean"]


def test_a_study_of_two_arms_is_repeated_as_its_file_says(fits: Path, capsys: Capture) -> None:
    file = str(fits / f"H0@{EXAMPLE}" / "fit.json")
    arguments = ["trial", "--trial", EXAMPLE, "--fit", file, "--draws", "8", "--patients", "16", "--studies", "100"]
    assert outcome([*arguments, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["design"] == {
        "trial": EXAMPLE,
        "end": 84.0,
        "n": 16,
        "regimen": "100 mg sc every 24 h",
        "controls": 8,
        "control": "none",
        "complete": False,
        "as_it_was": True,
    }
    assert {row["effect"] for row in shown["effects"]} == {
        "double_positive-difference",
        "gcsf-difference",
        "naive-difference",
    }


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["predict", "H0"], "a prediction"),
        (["trial", "-H", "H0"], "a repeated study"),
        (["design", "H0", "H1"], "a ranking of measurements"),
        (["calibrate", "-H", "H0"], "calibration"),
        (["compare", "H0", "H1", "--calibrate", "4"], "a choice in made-up abstracts"),
    ],
)
def test_verbs_that_take_one_trial_say_so(arguments: list[str], what: str, capsys: Capture) -> None:
    assert outcome([*arguments, *BOTH]) == 3
    assert capsys.readouterr().err.endswith(
        f"error[trial.several]: {what} takes one trial\n"
        "  found:    `zong-2011`, `example-two-arms`\n"
        "  try:      name one of them: `fit`, `compare` and `reproduce` take several\n"
    )


def test_a_trial_without_a_fit_is_not_reproduced(tmp_path: Path, capsys: Capture) -> None:
    assert outcome(["reproduce", "-H", "H1", *BOTH, "--fits", str(tmp_path)]) == 3
    assert capsys.readouterr().err == (
        "error[fit.missing]: no fit of `H1` to `zong-2011` and `example-two-arms`, of today's numbers, is there\n"
        f"  expected: a result in {tmp_path}/H1@zong-2011+example-two-arms\n"
        "  try:      make one: `simulate fit --hypothesis H1` with the same trials\n"
    )


def test_trial_files_are_checked_and_listed(capsys: Capture) -> None:
    for name, content in (
        ("zong-2011", "1 arm, 15 patients, 2 visits up to day 182"),
        (EXAMPLE, "2 arms, 24 patients, 4 visits up to day 84"),
    ):
        assert outcome(["check", str(shipped.trial_files()[name]), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["kind"] == "trial"
        assert found["content"].startswith(content)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'gcsf = "G-CSF"',
            'il12 = "IL-12"',
            "error[trial.quantity]: the trial `mine` reads `il12`, which the model does not have\n",
        ),
        (
            'unit = "cell/µL"',
            'unit = "%"',
            "error[units.mismatch]: % cannot be converted to cell/µL\n",
        ),
    ],
)
def test_a_trial_that_reads_what_no_model_has_is_refused(
    old: str, new: str, message: str, tmp_path: Path, capsys: Capture
) -> None:
    text = shipped.trial_files()[EXAMPLE].read_text(encoding="utf-8").split("[[outcome]]")[0]
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new).replace(f'evidence = "{EXAMPLE}"\n', ""), encoding="utf-8")
    assert outcome(["check", str(path)]) == 3
    assert message in capsys.readouterr().err


def test_a_folder_of_results_knows_the_files_that_a_trial_names(tmp_path: Path) -> None:
    for kind in ("trials", "observations"):
        text = (shipped.root() / kind / f"{EXAMPLE}.toml").read_text(encoding="utf-8")
        text = text.replace(f'evidence = "{EXAMPLE}"', 'evidence = "observations.toml"')
        (tmp_path / f"{kind}.toml").write_text(text.replace(f'trial = "{EXAMPLE}"\n', ""), encoding="utf-8")
    file = str(tmp_path / "trials.toml")
    keys = []
    for n in ("n = 15", "n = 14"):
        path = tmp_path / "observations.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("n = 15", n), encoding="utf-8")
        with noting():
            problem_for("H1", None, [read_trial(file)])
            keys.append(asked("predict", {"trial": [file]}, out=None, force=False).key)
    assert len(set(keys)) == 2
