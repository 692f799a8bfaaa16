"""Two hypotheses held against each other: fits, signs, and what would tell them apart, on one page."""

from __future__ import annotations

import csv
import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.cli.app import outcome
from simulate.cli.contrast import show
from simulate.figures.contrast import contrast_figure
from simulate.results.contrast import answer_of, change_text, page
from simulate.results.result import Result
from simulate.studies.contrast import Contrast, Tendency, contrast_days, contrasted, course_of, readouts_of
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.problem import problem_for
from simulate.studies.measuring.pool import MeasurementPool
from simulate.studies.paired import changes_since_baseline
from simulate.studies.prediction.prediction import Band
from tests.figures.synthetic import dataset

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def found() -> Result[Contrast]:
    return simulate.contrast(["H0", "H4"], draws=12, patients=8, studies=40)


@pytest.fixture(scope="module")
def apart() -> Contrast:
    return made_up((1.5, 1 / 1.5))


def made_up(changes: tuple[float, float], draws: int = 24, spread_of: float = 0.02) -> Contrast:
    """Patients of two hypotheses, alike in everything but the factor of IFNγ+ cells on every later day."""
    known = Draws(problem_for("H0"), np.zeros((draws, 1)), False, 1)
    arm = known.problem.trial.arms[0].name
    readouts = [
        one
        for one in readouts_of(known.problem.trial, [known, known])
        if one.samples[0].readings[0].quantity in ("ifng", "il17a")
    ]
    spread = np.linspace(-spread_of, spread_of, draws)[:, np.newaxis] + np.zeros((draws, 8))
    pools = []
    for change in changes:
        levels = {}
        for one in readouts:
            reading = one.samples[0].readings[0]
            moved = np.log(change) if reading.quantity == "ifng" else 0.0
            levels[arm, reading.quantity, 0.0] = np.full(spread.shape, 10.0)
            levels[arm, reading.quantity, reading.day] = 10.0 * np.exp(moved + spread)
        pools.append(MeasurementPool(known, ("ifng", "il17a"), np.full(spread.shape, 0.125), levels, {}))
    return contrasted(pools, readouts, [None, None], patients=8, studies=200, seed=1)


def test_the_number_of_patients_is_that_of_a_test_between_two_normal_means(apart: Contrast) -> None:
    # Mean log changes that are d apart, with an error of s: the log-likelihood ratio of n patients is normal with a
    # mean of n d² / 2 s² and a variance of n d² / s²; it is above ln 10 in 80 % where its 20 % quantile is.
    one = apart.readouts[0]
    assert one.quantity == "ifng"
    d, s = 2.0 * np.log(1.5), np.sqrt(2.0) * 0.3
    enough = [n for n in (4, 6, 8, 12, 16) if 0.5 * n * d**2 / s**2 - 0.8416 * np.sqrt(n) * d / s >= np.log(10.0)]
    assert one.n == enough[0]
    assert one.higher == 1.0
    assert one.courses == (Tendency.RISES, Tendency.FALLS)


def test_what_was_reported_of_a_day_that_no_one_predicts_is_read_too() -> None:
    design = problem_for("H0").trial
    reported = dataclasses.replace(design.outcomes[0], last=84.0)
    foresight = dataclasses.replace(design.foreseen, days=(14.0,))
    changed = dataclasses.replace(design, outcomes=(reported, *design.outcomes[1:]), foresight=foresight)
    assert {14.0, 84.0} <= set(contrast_days(changed))
    assert design.first not in contrast_days(changed)


def test_what_goes_alike_under_both_takes_more_patients_than_are_tried() -> None:
    same = made_up((1.2, 1.2))
    assert {one.n for one in same.readouts} == {None}
    assert all(one.higher == pytest.approx(0.5) for one in same.readouts)
    told = " ".join(answer_of(same).sentences)
    assert "No single readout here tells them apart with up to 512 patients" in told
    assert "Much the same under both: " in told


def test_signs_are_counted_over_draws_and_over_patients(apart: Contrast) -> None:
    rises, falls = apart.signs
    assert (rises.quantity, rises.way, rises.draws) == ("ifng", "up", (1.0, 0.0))
    assert (rises.patients[0].median, rises.patients[1].median) == (pytest.approx(1.0), 0.0)
    # IL-17A moves by up to 2 % either way, and less than 1 % is no way.
    assert falls.quantity == "il17a"
    assert falls.draws == (pytest.approx(0.25, abs=0.05),) * 2


@pytest.mark.parametrize("factor", [1.001, 1.00001])
def test_a_patient_is_counted_as_moving_where_a_run_counts_the_patient(factor: float) -> None:
    (rises, _) = made_up((factor, 1.0 / factor), spread_of=0.0).signs
    run = dataset(arms=2, members=4)
    run["level"].values[:, :, 1:] = run["level"].values[:, :, :1] * np.array([factor, 1.0 / factor])[:, None, None]
    changes, _ = changes_since_baseline(run, "level", 1)
    assert [band.median for band in rises.patients] == [float((own > 0.0).mean()) for own in changes]
    assert rises.patients[0].median == float(factor == 1.001)


def test_patients_are_counted_over_all_draws_as_in_a_run() -> None:
    (rises, _) = made_up((1.0, 1.0), draws=24, spread_of=0.02).signs
    assert rises.shares == (0.5, 0.5)
    found = replace(made_up((1.0, 1.0)), signs=(replace(rises, shares=(1 / 3, 0.5)),))
    said = next(text for text in answer_of(found).sentences if text.startswith("Reported"))
    assert "of the draws of H0 (33 % of the patients)" in said


def test_by_which_rule_a_reported_sign_is_counted_is_said(apart: Contrast) -> None:
    told = [text for text in answer_of(apart).caveats if text.startswith("A draw goes")]
    assert told == [
        "A draw goes a reported way where the mean change of its patients is 1 % or more that way; a patient, where "
        "it is that way by any amount that the solver resolves, as in `simulate run`, which judges by shares of "
        "patients."
    ]
    assert not any(text.startswith("A draw goes") for text in answer_of(replace(apart, signs=())).caveats)


def test_a_band_goes_one_way_if_all_of_it_does() -> None:
    bands = [Band(2.0, 5.0, 9.0), Band(-9.0, -5.0, -2.0), Band(-0.5, 0.0, 0.5), Band(-3.0, 0.0, 8.0)]
    assert [course_of(band) for band in bands] == [Tendency.RISES, Tendency.FALLS, Tendency.STAYS, Tendency.EITHER]
    assert change_text(bands[3]) == "0 [-3.0, +8.0]"
    nearly = [Band(-17.0, -8.0, -0.9), Band(-0.9, 4.0, 9.0)]
    assert [course_of(band).value for band in nearly] == ["falls or stays", "rises or stays"]


def test_under_the_null_hypothesis_no_cells_change_and_under_h4_they_do(found: Result[Contrast]) -> None:
    ifng = next(one for one in found.value.readouts if one.quantity == "ifng")
    assert ifng.courses[0] is Tendency.STAYS
    assert ifng.changes[1].median > 1.0
    rises = found.value.signs[0]
    assert rises.draws[0] == 0.0
    assert rises.draws[1] > 0.5
    days = {one.day for one in found.value.readouts}
    assert days == {14.0, 28.0, 84.0, 168.0, 182.0, 210.0}
    assert "serum_il1ra" not in {one.quantity for one in found.value.readouts}


def test_the_page_opens_with_the_question_and_says_what_both_stand_on(found: Result[Contrast]) -> None:
    shown = page(found.value)
    assert shown.startswith("What would tell H0 from H4?\n\n")
    assert "Reported: IFNγ+ cells rose at week 26." in " ".join(shown.split())
    assert "H0: 12 draws of the " in shown
    assert found.answer is not None
    assert found.answer.question == "What would tell H0 from H4?"


@pytest.mark.parametrize("letters", [60, 100])
def test_what_is_printed_fits_into_the_lines_of_the_console(
    found: Result[Contrast], letters: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", str(letters))
    show(found.value)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= min(letters, 80)
    assert shown.startswith("What would tell H0 from H4?\n\n")
    assert "higher" in shown
    assert shown.rstrip().endswith(page(found.value).split()[-1])


def test_a_hypothesis_without_a_fit_is_said_to_stand_on_its_prior(apart: Contrast) -> None:
    sentence = answer_of(apart).sentences[0]
    assert sentence == ("H0 and H0 stand on 24 draws of the prior: nothing says how well they fit what was reported.")


def test_the_figure_has_a_panel_for_each_quantity_with_the_patients_of_the_best_visit(apart: Contrast) -> None:
    figure = contrast_figure(apart)
    assert figure.axes[0].get_title(loc="left") == "a  IFNγ+"
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert bold == [str(apart.readouts[0].n)]
    assert "↑" in [text.get_text() for text in figure.axes[0].texts]


def test_the_command_writes_the_page_the_rows_and_the_figure(tmp_path: Path, capsys: Capture) -> None:
    short = ["contrast", "H0", "H4", "--draws", "12", "--patients", "8", "--studies", "40"]
    assert outcome([*short, "--out", str(tmp_path / "out"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    folder = tmp_path / "out"
    assert shown == json.loads((folder / "contrast.json").read_text(encoding="utf-8"))
    assert (folder / "contrast.txt").read_text(encoding="utf-8").startswith(f"{shown['question']}\n")
    assert (folder / "contrast.png").is_file()
    with (folder / "contrast.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["quantity"] for row in rows] == [row["quantity"] for row in shown["readouts"]]
    assert json.loads((folder / "manifest.json").read_text())["answer"]["question"] == shown["question"]


@pytest.mark.parametrize(
    ("names", "found", "advice"),
    [
        (["H1"], "`H1`", "such as `simulate contrast H1 H3a`"),
        (["H1", "H4", "H0"], "`H1`, `H4`, `H0`", "`simulate design H1 H4 H0` takes more"),
    ],
)
def test_other_than_two_hypotheses_are_refused(names: list[str], found: str, advice: str, capsys: Capture) -> None:
    assert outcome(["contrast", *names]) == 3
    assert capsys.readouterr().err == (
        f"error[contrast.two]: a contrast is of two hypotheses\n  found:    {found}\n  try:      {advice}\n"
    )


def test_one_population_of_each_tells_nothing_apart(capsys: Capture) -> None:
    assert outcome(["contrast", "H0", "H4", "--fit", "typical"]) == 3
    assert capsys.readouterr().err == (
        "error[fit.typical]: a contrast of one population of each hypothesis says nothing\n"
        "  found:    `typical`\n"
        "  expected: `shipped`, `prior` or results of fits: draws, by whose spread hypotheses are told apart\n"
        "  try:      leave `--fit typical` out; `simulate predict H0 H4 --fit typical` has one population of each\n"
    )
