"""Predictions agree with single patients, and with what a hypothesis cannot do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from simulate.studies.fitting.draws import prior_draws
from simulate.studies.fitting.problem import problem_for
from simulate.studies.prediction.prediction import Band, PredictedAnswer, Prediction, predict, rows
from simulate.studies.prediction.questions import PredictedReading, PredictionQuestion
from simulate.trials.reading import read_trial
from tests.biology.courses import change
from tests.studies.fitting.tiny import problem


@cache
def predicted(hypothesis: str) -> Prediction:
    return predict(prior_draws(problem(hypothesis), 8), patients=8)


def band(hypothesis: str, text: str) -> Band:
    found = next(answer.band for answer in predicted(hypothesis).answers if answer.question.text == text)
    assert found is not None
    return found


def test_the_null_hypothesis_moves_no_cell() -> None:
    for answer in predicted("H0").answers:
        if answer.question.reading.quantity in ("il17a", "ifng", "double_positive", "naive", "cd45ro"):
            assert answer.band == Band(0.0, 0.0, 0.0), answer
    assert band("H0", "muscle inflammation, week 24").high < -10.0


def test_the_typical_patient_lies_within_the_band() -> None:
    found = band("H1", "IL-17A+, week 24")
    assert found.low < 100.0 * change("H1", "il17a", 168) < found.high


def test_more_drug_does_more_and_none_does_nothing_where_only_the_drug_acts() -> None:
    assert band("H1", "IL-17A+, 30 less 100 mg").low > 0.0
    assert band("H1", "IL-17A+, 200 less 100 mg").high < 0.0
    assert band("H1", "IL-17A+, without the drug").high == pytest.approx(0.0, abs=1e-4)


def test_steroids_act_without_the_drug() -> None:
    without, usual = band("H5", "IFNγ+, without the drug"), band("H5", "IFNγ+, week 24")
    assert (without.low, without.median, without.high) == pytest.approx((usual.low, usual.median, usual.high), abs=0.2)


def test_what_a_model_does_not_have_is_said() -> None:
    answers = {answer.question.text: answer for answer in predicted("H1").answers}
    assert answers["Th1 in muscle, week 24"].band is None
    assert answers["Th1 in muscle, week 24"].agrees is None
    assert answers["Th1 in muscle, week 24"].sign == ""


def test_an_answer_agrees_where_its_middle_goes_as_expected() -> None:
    question = PredictionQuestion("ifng", "x", PredictedReading("ifng", 168.0))
    for middle, agrees in ((5.0, True), (0.5, False), (-5.0, False)):
        answer = PredictedAnswer(question, Band(middle - 1.0, middle, middle + 1.0), frozenset({"up"}))
        assert answer.agrees is agrees
    assert PredictedAnswer(question, Band(-3.0, 0.0, 3.0), frozenset()).signs == {"up", "flat", "down"}


def test_a_trial_of_another_shape_is_predicted_at_its_own_visits_and_doses() -> None:
    found = predict(prior_draws(problem_for("H1", None, (read_trial("example-two-arms"),)), 8), patients=8)
    answers = {answer.question.text: answer.band for answer in found.answers}
    less, without = answers["G-CSF, 30 less 100 mg"], answers["G-CSF, without the drug"]
    assert less is not None
    assert without is not None
    assert less.low > 0.0
    assert without.high == pytest.approx(0.0, abs=1e-4)
    assert {"G-CSF, week 4", "naive CD4 cells, week 12", "G-CSF, 4 weeks after stop less at stop"} <= set(answers)
    assert not any("responders" in text for text in answers)
    assert found.days.max() == 84.0 + 28.0


def test_the_same_is_predicted_twice_and_rows_hold_every_answer() -> None:
    again = predict(prior_draws(problem("H1"), 8), patients=8)
    assert again.answers == predicted("H1").answers
    for key, course in again.courses.items():
        np.testing.assert_array_equal(course, predicted("H1").courses[key])
    table = rows([again, predicted("H0")])
    assert len(table) == 2 * len(again.answers)
    assert {row["hypothesis"] for row in table} == {"H0", "H1"}
