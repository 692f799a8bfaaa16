"""What is learned of a likelihood is near to it, and decides nothing but what is worth solving."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from simulate.inference.target import guess_of
from simulate.streams import FloatArray
from simulate.studies.fitting.fit import LearnedLikelihood, Likelihood
from simulate.studies.fitting.problem import Problem, problem_for
from simulate.studies.fitting.surrogate import LEAST
from simulate.trials.reading import read_trial
from tests.studies.fitting.tiny import problem

PATIENTS = 8


@cache
def two_trials() -> Problem:
    return problem_for("H1", trials=[read_trial("zong-2011"), read_trial("example-two-arms")])


def points(problem: Problem, number: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((number, problem.dimension))


@pytest.mark.parametrize("given", [lambda: problem("H1"), two_trials], ids=["one arm", "two trials, two arms"])
def test_a_guess_is_near_to_the_likelihood(given: object) -> None:
    asked = given()  # type: ignore[operator]
    guess = LearnedLikelihood(asked, PATIENTS, 1).learned(points(asked, 96, 1))
    fresh = points(asked, 32, 2)
    true = Likelihood(asked, PATIENTS, 1)(fresh).total
    error = guess(fresh) - true
    # Points of the prior lie far apart, and the likelihood differs between them by thousands of times.
    assert true.std() > 1.0
    assert np.median(np.abs(error)) < 0.35
    assert np.std(error) < 0.5 * true.std()


def test_at_the_points_that_were_solved_a_guess_is_nearer_still() -> None:
    solved = points(problem("H1"), 32, 1)
    target = LearnedLikelihood(problem("H1"), PATIENTS, 1)
    guess = target.learned(solved)
    assert np.abs(guess(solved) - target(solved).total).max() < 0.3


def test_a_guess_has_the_same_bits_in_every_batch_and_with_any_number_of_threads() -> None:
    solved, asked = points(problem("H1"), 24, 1), points(problem("H1"), 80, 2)
    one = LearnedLikelihood(problem("H1"), PATIENTS, 1, threads=1).learned(solved)(asked)
    two = LearnedLikelihood(problem("H1"), PATIENTS, 1, threads=2).learned(solved)
    np.testing.assert_array_equal(two(asked), one)
    np.testing.assert_array_equal(two(asked[::-1])[::-1], one)
    np.testing.assert_array_equal(two(asked[62:66]), one[62:66])


def test_a_guess_without_a_value_excludes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    guess = LearnedLikelihood(problem("H1"), PATIENTS, 1).learned(points(problem("H1"), 24, 1))
    asked = points(problem("H1"), 8, 2)
    known = guess(asked)

    monkeypatch.setattr("simulate.studies.fitting.surrogate.log_likelihood", lambda *_: SimpleNamespace(total=np.nan))
    np.testing.assert_array_equal(guess(asked), np.where(np.isfinite(known), LEAST, -np.inf))


def test_what_was_asked_before_decides_nothing_of_what_is_learned() -> None:
    solved, asked = points(problem("H1"), 24, 1), points(problem("H1"), 8, 2)
    fresh, used = LearnedLikelihood(problem("H1"), PATIENTS, 1), LearnedLikelihood(problem("H1"), PATIENTS, 1)
    used(points(problem("H1"), 12, 3))
    used(solved[5:9])
    used.learned(solved[:10])
    np.testing.assert_array_equal(used.learned(solved)(asked), fresh.learned(solved)(asked))


def test_a_guess_excludes_the_infeasible_points_and_no_others() -> None:
    asked = points(problem("H2"), 64, 0)
    target = LearnedLikelihood(problem("H2"), PATIENTS, 1)
    feasible = target(asked).feasible
    assert 0 < feasible.sum() < len(asked)
    guess = target.learned(asked[feasible][:20])
    np.testing.assert_array_equal(np.isfinite(guess(asked)), feasible)


def test_a_plain_likelihood_is_not_learned_from() -> None:
    assert guess_of(Likelihood(problem("H1"), PATIENTS, 1), points(problem("H1"), 4, 1)) is None
