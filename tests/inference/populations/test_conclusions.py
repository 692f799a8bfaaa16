"""Answers of populations, their intervals, and whether ways disagree."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.inference.populations.conclusions import Question, Way, conclude
from simulate.streams import FloatArray
from tests.inference.populations.pools import gaussian_pool


def way(name: str, values: FloatArray, **more: FloatArray) -> Way:
    return Way(name, more.get("weights", np.ones(len(values))), (Question("mean", values),))


def test_an_answer_is_a_weighted_mean_among_those_asked() -> None:
    question = Question("share", np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.5, 0.0, 1.0]))
    (found,) = conclude([Way("one", np.array([2.0, 2.0, 5.0, 1.0]), (question,))], seed=1)
    assert found.answers["one"].value == pytest.approx(2.0 / 4.0)
    assert found.spread == 0.0
    assert not found.is_method_dependent


def test_the_interval_is_that_of_a_mean() -> None:
    values = gaussian_pool(400, 1)[:, 0]
    (found,) = conclude([way("one", values)], seed=1)
    answer = found.answers["one"]
    half = 1.645 * values.std() / 20.0
    assert answer.high - answer.value == pytest.approx(half, rel=0.1)
    assert answer.value - answer.low == pytest.approx(half, rel=0.1)


def test_patients_of_one_chain_count_together() -> None:
    # 40 chains that each repeat one value 25 times know no more than 40 patients.
    few = gaussian_pool(40, 1)[:, 0]
    chains = np.repeat(np.arange(40), 25)
    together = Way("chains", np.ones(1000), (Question("mean", np.repeat(few, 25)),), chains)
    (found,) = conclude([together, way("patients", few)], seed=1)
    widths = {name: answer.high - answer.low for name, answer in found.answers.items()}
    assert widths["chains"] == pytest.approx(widths["patients"], rel=0.1)
    assert found.spread < 1e-12


def test_ways_that_differ_by_more_than_both_intervals_are_told() -> None:
    values = gaussian_pool(400, 1)[:, 0]
    (found,) = conclude([way("a", values), way("b", values + 0.05), way("c", values + 1.0)], seed=1)
    assert found.is_method_dependent
    assert found.apart == ("a", "c")
    assert found.spread == pytest.approx(1.0)
    (near,) = conclude([way("a", values), way("b", values + 0.05)], seed=1)
    assert near.apart is None


def test_a_wide_interval_that_holds_the_other_answer_is_no_disagreement() -> None:
    luck = gaussian_pool(30, 1)[:, 0]
    sharp, blunt = 0.3 + 1e-3 * luck, 2.0 * (luck - luck.mean())
    (found,) = conclude([way("sharp", sharp), way("blunt", blunt)], seed=1)
    answers = found.answers
    assert not answers["sharp"].holds(answers["blunt"].value)
    assert answers["blunt"].holds(answers["sharp"].value)
    assert not found.is_method_dependent


def test_the_same_seed_gives_the_same_bits_whatever_ways_are_beside() -> None:
    values = gaussian_pool(100, 1)[:, 0]
    (one,) = conclude([way("a", values)], seed=7)
    (two,) = conclude([way("b", values + 1.0), way("a", values)], seed=7)
    assert one.answers["a"] == two.answers["a"]
    (other,) = conclude([way("a", values)], seed=8)
    assert other.answers["a"].low != one.answers["a"].low


def test_ways_must_answer_the_same_questions() -> None:
    values = gaussian_pool(10, 1)[:, 0]
    with pytest.raises(InputError) as fault:
        conclude([way("a", values), Way("b", np.ones(10), ())], seed=1)
    assert str(fault.value) == (
        "error[populations.questions]: `b` does not answer the questions of `a`\n  found:    none\n  expected: `mean`"
    )


def test_a_question_about_nobody_is_refused() -> None:
    question = Question("change in responders", np.ones(4), np.zeros(4))
    with pytest.raises(InputError) as fault:
        conclude([Way("a", np.ones(4), (question,))], seed=1)
    assert str(fault.value) == (
        "error[populations.nobody]: `change in responders` is asked of patients of whom `a` has none"
    )


def test_ways_that_differ_by_no_more_than_the_error_of_the_simulation_do_not_differ() -> None:
    def way(name: str, value: float, error: float) -> Way:
        return Way(name, np.ones(4), (Question("q", np.full(4, value), error=error),))

    (told,) = conclude([way("a", 0.5, 0.0), way("b", 0.5 + 1e-9, 0.0)], seed=1)
    assert told.apart == ("a", "b")
    (same,) = conclude([way("a", 0.5, 1e-6), way("b", 0.5 + 1e-9, 1e-6)], seed=1)
    assert same.apart is None
    (apart,) = conclude([way("a", 0.5, 1e-6), way("b", 0.6, 1e-6)], seed=1)
    assert apart.is_method_dependent
