"""Predictions of few hypotheses as courses, and of many as rows."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.figures.prediction import prediction_figure
from simulate.studies.prediction.prediction import Band, PredictedAnswer, Prediction
from simulate.studies.prediction.questions import UNTREATED, questions
from simulate.trials.reading import shipped_trial

DESIGN = shipped_trial()
SEEN = DESIGN.foreseen
DAYS = np.unique([*np.arange(0.0, SEEN.days[-1], 14.0), *SEEN.days, DESIGN.end + SEEN.wash_out])


def made_up(number: int, *, still: str = "", lacks: str = "") -> Prediction:
    """Changes that grow with time, the dose and the number of the hypothesis; one quantity stays as it is."""
    courses = {}
    for place, quantity in enumerate(SEEN.titles):
        for dose in dict.fromkeys((UNTREATED, *SEEN.doses, DESIGN.dose)):
            size = 0.0 if quantity == still else (number + 1.0) * (place - 2.5) * (1.0 + dose / 100.0)
            course = size * DAYS / DAYS[-1]
            if quantity != lacks:
                courses[quantity, float(dose)] = np.stack([course - abs(size), course, course + abs(size)])
    answers = tuple(
        PredictedAnswer(question, Band(-1.0, 0.5 * number, 9.0), frozenset()) for question in questions(DESIGN)
    )
    return Prediction(f"H{number}", "the prior", DESIGN, DAYS, courses, answers, 0.0)


@pytest.mark.parametrize(("count", "is_in_rows"), [(4, False), (6, False), (7, True), (13, True)])
def test_more_hypotheses_than_can_be_told_apart_as_lines_have_rows_with_names(count: int, is_in_rows: bool) -> None:
    names = [f"H{number}" for number in range(count)]
    figure = prediction_figure([made_up(number) for number in range(count)])
    figure.draw_without_rendering()
    first = figure.axes[0]
    assert ([label.get_text() for label in first.get_yticklabels()] == names) == is_in_rows
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert (f"{names[-1]} (the prior)" in entries) != is_in_rows
    if is_in_rows:
        at = int(np.flatnonzero(SEEN.days[-1] == DAYS)[0])
        quantity = next(iter(SEEN.titles))
        bars = [line for line in first.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] == count - 1]  # type: ignore[arg-type,index]
        expected = made_up(count - 1).courses[quantity, DESIGN.dose][[0, 2], at]
        assert [float(end) for end in np.asarray(bars[0].get_xdata())] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("count", [2, 9])
def test_what_changes_nowhere_has_zero_alone_on_its_axis_and_what_a_model_lacks_is_said(count: int) -> None:
    still, lacks = "naive", "double_positive"
    figure = prediction_figure([made_up(number, still=still, lacks=lacks if number else "") for number in range(count)])
    axes = figure.axes[list(SEEN.titles).index(still)]
    ticks = axes.get_xticks() if count > 6 else axes.get_yticks()
    assert [float(tick) for tick in ticks] == [0.0]
    assert "no change in any" in [text.get_text() for text in axes.texts]
    others = [text.get_text() for text in figure.axes[list(SEEN.titles).index(lacks)].texts]
    assert others.count("not in the model") == (count - 1 if count > 6 else 0)
