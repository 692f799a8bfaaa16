from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from simulate.inference.thinning import thinned

RANDOM = np.random.default_rng(3)
DRAWS = RANDOM.standard_normal((256, 5)) @ RANDOM.standard_normal((5, 5))


def energy(some: np.ndarray, every: np.ndarray) -> float:
    """Sum over the coordinates of the distance between two empirical distributions (Székely's, of ranks)."""
    total = 0.0
    for a, b in zip(some.T, every.T, strict=True):
        total += 2 * np.abs(a[:, None] - b).mean() - np.abs(a[:, None] - a).mean() - np.abs(b[:, None] - b).mean()
    return total


def ranks(draws: np.ndarray) -> np.ndarray:
    return draws.argsort(axis=0).argsort(axis=0).astype(float)


def test_the_chosen_are_nearer_to_all_than_the_best_of_a_thousand_random_subsets() -> None:
    every = ranks(DRAWS)
    found = energy(every[thinned(DRAWS, 16)], every)
    random = [energy(every[RANDOM.choice(256, 16, replace=False)], every) for _ in range(1000)]
    assert found < 0.5 * min(random)


def test_no_exchange_of_one_draw_brings_the_chosen_nearer_to_all() -> None:
    every, chosen = ranks(DRAWS[:60, :2]), thinned(DRAWS[:60, :2], 6)
    least = energy(every[chosen], every)
    for place in range(6):
        for other in set(range(60)) - set(chosen.tolist()):
            changed = chosen.copy()
            changed[place] = other
            assert energy(every[changed], every) >= least - 1e-9


def test_of_one_coordinate_they_are_the_middles_of_equal_shares() -> None:
    # The points nearest to the uniform distribution in energy are (2 i + 1) / 2 n.
    draws = RANDOM.permutation(np.arange(160.0))[:, None]
    found = np.sort(draws[thinned(draws, 16), 0])
    assert found == pytest.approx(10 * np.arange(16) + 4.5, abs=1.0)


def test_a_median_of_a_monotone_function_is_nearer_to_that_of_all_than_with_random_draws() -> None:
    draws = RANDOM.standard_normal((40, 256, 8))
    weights = np.array([1.0, 0.6, 0.4, 0.2, 0.1, 0.1, 0.0, 0.0])

    def median(points: np.ndarray) -> float:
        return float(np.median(100 * ndtr(points @ weights)))

    errors = np.array([(median(one[thinned(one, 16)]) - median(one), median(one[:16]) - median(one)) for one in draws])
    thin, random = np.sqrt(np.mean(errors**2, axis=0))
    assert thin < 0.6 * random


def test_a_draw_that_stands_more_often_is_chosen_more_often_and_no_place_twice() -> None:
    draws = np.repeat([[0.0], [1.0]], [192, 64], axis=0)
    chosen = thinned(draws, 16)
    assert len(set(chosen.tolist())) == 16
    assert draws[chosen, 0].sum() == 4


def test_order_and_scale_of_a_coordinate_do_not_change_the_choice_and_all_are_taken_where_there_are_no_more() -> None:
    assert thinned(DRAWS, 16).tolist() == thinned(np.exp(0.1 * DRAWS), 16).tolist()
    assert thinned(DRAWS[:7], 16).tolist() == thinned(DRAWS[:7], 7).tolist() == list(range(7))
    assert len(thinned(DRAWS, 0)) == 0
