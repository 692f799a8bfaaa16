"""The best point of targets whose best point is known."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.inference.search import optimum
from simulate.inference.smc import sample
from simulate.inference.target import Guess, Scores
from simulate.streams import FloatArray
from tests.inference.targets import everywhere, gaussian, two_modes


def test_the_center_of_a_gaussian_is_found() -> None:
    target = gaussian().target
    best = optimum(target, sample(target, 8, particles=300, seed=1), 2, starts=48)
    np.testing.assert_allclose(best.point, 0.5, atol=0.2)
    assert best.distinct == 1
    assert best.log_likelihood == pytest.approx(target(np.full((1, 8), 0.5)).total[0], abs=1.0)


def test_of_two_equal_optima_both_are_counted() -> None:
    def target(points: FloatArray) -> Scores:
        apart = np.minimum(np.square(points - 1.5).sum(axis=1), np.square(points + 1.5).sum(axis=1))
        return everywhere((-0.5 * apart / 0.04)[:, None])

    best = optimum(target, sample(target, 2, particles=400, seed=1), 2, starts=100)
    assert best.distinct == 2
    np.testing.assert_allclose(np.abs(best.point), 1.5, atol=0.1)


def test_a_plain_has_many_points_that_are_as_good() -> None:
    def target(points: FloatArray) -> Scores:
        return everywhere(np.zeros((len(points), 1)))

    best = optimum(target, sample(target, 3, particles=200, seed=1), 2, starts=48)
    assert best.distinct > 5


def test_the_best_of_the_two_modes_is_the_heavier() -> None:
    target = two_modes().target
    best = optimum(target, sample(target, 8, particles=400, seed=3), 2, starts=48)
    np.testing.assert_allclose(best.point, -1.2, atol=0.25)


class Rising:
    """A Gaussian of which what was learned rises without end, far from all that it was learned from."""

    def __call__(self, points: FloatArray) -> Scores:
        return everywhere(-0.5 * np.square(points - 0.5))

    def learned(self, points: FloatArray) -> Guess:
        def guess(asked: FloatArray) -> FloatArray:
            return self(asked).total + 0.3 * ((asked - 0.5) ** 4).sum(axis=1)

        return guess


def test_the_best_point_is_not_sought_where_what_was_learned_rises_without_end() -> None:
    target = Rising()
    start = sample(target.__call__, 2, particles=100, seed=1)
    best = optimum(target, start, 2, starts=48)
    np.testing.assert_allclose(best.point, 0.5, atol=0.3)
