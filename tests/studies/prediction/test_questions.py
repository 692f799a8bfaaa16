"""What the literature expects, of single hypotheses and of combinations."""

from __future__ import annotations

import pytest

from simulate.biology.hypotheses import DOWN, FLAT, HYPOTHESES, UP
from simulate.studies.prediction.questions import expected, questions
from simulate.trials.reading import shipped_trial


@pytest.mark.parametrize("hypothesis", [hypothesis.name for hypothesis in HYPOTHESES])
def test_the_literature_expects_something_of_each_hypothesis(hypothesis: str) -> None:
    keys = {question.key for question in questions(shipped_trial())}
    assert any(expected(key, hypothesis) for key in keys), "`EXPECTED` in simulate/biology/hypotheses.py lacks it"
    assert all(expected(key, hypothesis) <= {UP, DOWN, FLAT} for key in keys)


def test_a_combination_is_expected_to_move_what_one_of_its_parts_moves() -> None:
    assert expected("ifng", "H4") == {UP}
    assert expected("ifng", "h1 + H3a") == {UP, DOWN}
    assert expected("double_positive", "H1+H4") == {DOWN}
    assert expected("double_positive", "H4+H5") == {FLAT}


def test_nothing_is_expected_of_a_hypothesis_of_ones_own() -> None:
    assert expected("ifng", "H1+mine.toml") == frozenset()


def test_no_question_is_asked_twice() -> None:
    texts = [question.text for question in questions(shipped_trial())]
    assert len(set(texts)) == len(texts)
