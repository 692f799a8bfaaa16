"""Weights of least relative entropy where they are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logit, ndtri

from simulate.errors import InputError
from simulate.inference.populations.reweighting import reweight
from simulate.streams import FloatArray
from tests.inference.populations.pools import gaussian_pool


def normal_quantiles(number: int) -> FloatArray:
    """A standard normal pool without luck."""
    return ndtri((np.arange(number) + 0.5) / number)


def test_a_tilted_coin_has_the_logit_of_its_chance() -> None:
    coins = np.array([[0.0], [1.0]] * 10)
    found = reweight(coins, ["heads"], np.array([0.8]))
    assert found.multipliers[0] == pytest.approx(logit(0.8), rel=1e-9)
    assert found.achieved[0] == pytest.approx(0.8, abs=1e-10)
    assert found.weights[1] == pytest.approx(0.08, abs=1e-10)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-14)
    assert found.effective == pytest.approx(1.0 / (10 * 0.08**2 + 10 * 0.02**2))
    assert found.largest == pytest.approx(0.08, abs=1e-10)


def test_a_normal_pool_is_tilted_to_another_normal() -> None:
    x = normal_quantiles(20_000)
    mean, sd = 0.4, 0.8
    found = reweight(np.column_stack([x, x * x]), ["mean", "square"], np.array([mean, mean**2 + sd**2]))
    assert found.multipliers == pytest.approx([mean / sd**2, 0.5 - 0.5 / sd**2], abs=2e-3)
    assert found.unmet == ()
    below = found.weights[x < mean - sd].sum()
    assert below == pytest.approx(0.158655, abs=2e-3)


def test_a_mean_gives_way_by_its_sampling_variance() -> None:
    # Mean of a tilted standard normal is λ, and λ + λ·variance = wanted.
    x = normal_quantiles(20_000)[:, None]
    for variance in (0.01, 0.5, 3.0):
        found = reweight(x, ["mean"], np.array([0.6]), np.array([[variance]]))
        assert found.achieved[0] == pytest.approx(0.6 / (1.0 + variance), abs=2e-3)
        assert found.multipliers[0] == pytest.approx(0.6 / (1.0 + variance), abs=2e-3)
        assert found.misses[0] == pytest.approx((found.achieved[0] - 0.6) / variance**0.5)


def test_without_sampling_variance_the_soft_weights_are_the_hard_ones() -> None:
    outputs = gaussian_pool(500, 2)
    wanted = np.array([0.3, -0.2])
    hard = reweight(outputs, ["a", "b"], wanted)
    soft = reweight(outputs, ["a", "b"], wanted, 1e-12 * np.eye(2))
    assert soft.weights == pytest.approx(hard.weights, abs=1e-10)
    assert hard.achieved == pytest.approx(wanted, abs=1e-9)
    assert (hard.misses == 0.0).all()


def test_no_other_weights_with_these_means_are_nearer_to_the_pool() -> None:
    outputs = gaussian_pool(12, 1, seed=3)
    found = reweight(outputs, ["a"], np.array([0.25]))

    def distance(weights: FloatArray) -> float:
        positive = np.maximum(weights, 1e-12)
        return float((positive * np.log(12 * positive)).sum())

    direct = minimize(
        distance,
        np.full(12, 1.0 / 12.0),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * 12,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1.0},
            {"type": "eq", "fun": lambda w: w @ outputs[:, 0] - 0.25},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.weights == pytest.approx(direct.x, abs=1e-4)


def test_the_unit_of_a_function_does_not_matter() -> None:
    outputs = gaussian_pool(400, 2)
    plain = reweight(outputs, ["a", "b"], np.array([0.3, 0.1]))
    scaled = reweight(outputs * [1e6, 1e-4], ["a", "b"], np.array([0.3e6, 0.1e-4]))
    assert scaled.weights == pytest.approx(plain.weights, rel=1e-6)
    assert scaled.multipliers * [1e6, 1e-4] == pytest.approx(plain.multipliers, rel=1e-6)


def test_functions_that_say_the_same_twice_do_no_harm() -> None:
    outputs = gaussian_pool(400, 1)
    once = reweight(outputs, ["a"], np.array([0.3]))
    twice = reweight(np.column_stack([outputs, 2.0 * outputs]), ["a", "b"], np.array([0.3, 0.6]))
    assert twice.weights == pytest.approx(once.weights, rel=1e-6)


def test_a_pool_that_matches_keeps_equal_weights() -> None:
    outputs = gaussian_pool(200, 2)
    found = reweight(outputs, ["a", "b"], outputs.mean(axis=0))
    assert found.weights == pytest.approx(np.full(200, 1.0 / 200.0), rel=1e-8)
    assert found.effective == pytest.approx(200.0)


def test_what_a_soft_mean_cannot_reach_is_told() -> None:
    coins = np.array([[0.0, 1.0], [1.0, 0.0]] * 50)
    # Heads and tails cannot both be common: wanted 0.9 each, allowed an error of 0.05.
    found = reweight(coins, ["heads", "tails"], np.array([0.9, 0.9]), 0.0025 * np.eye(2))
    assert found.achieved == pytest.approx([0.5, 0.5], abs=1e-9)
    assert found.misses == pytest.approx([-8.0, -8.0], abs=1e-7)
    assert found.unmet == ("heads", "tails")


def test_a_mean_outside_the_pool_is_refused_by_name() -> None:
    outputs = np.array([[0.0, 5.0], [1.0, 6.0], [2.0, 7.0], [3.0, 5.5]])
    with pytest.raises(InputError) as fault:
        reweight(outputs, ["low", "high"], np.array([1.0, 7.5]))
    assert str(fault.value) == (
        "error[populations.hull]: no patient of the pool reaches the mean that `high` is to have\n"
        "  found:    7.5\n"
        "  expected: from 5 to 7\n"
        "  try:      allow for the sampling of a mean of few people (a covariance), or make the pool wider"
    )


def test_means_that_contradict_each_other_are_refused() -> None:
    coins = np.array([[0.0, 1.0], [1.0, 0.0]] * 50)
    with pytest.raises(InputError) as fault:
        reweight(coins, ["heads", "tails"], np.array([0.7, 0.6]))
    assert str(fault.value) == (
        "error[populations.hull]: no weights of the patients have all wanted means together\n"
        "  found:    `heads` 0.7, `tails` 0.6\n"
        "  expected: means that do not contradict each other; each alone can be had\n"
        "  try:      allow for the sampling of means of few people (a covariance), or make the pool wider"
    )


def test_means_at_the_edge_of_the_pool_are_refused() -> None:
    outputs = np.array([[0.0], [1.0], [2.0]])
    with pytest.raises(InputError) as fault:
        reweight(outputs, ["a"], np.array([2.0]))
    assert str(fault.value) == (
        "error[populations.hull]: the wanted means are at the edge of the pool: most patients would have no weight at "
        "all\n"
        "  found:    `a` 2\n"
        "  expected: means that some patients exceed and others do not reach\n"
        "  try:      allow for the sampling of means of few people (a covariance), or make the pool wider"
    )


def test_wanted_means_must_be_those_of_the_functions() -> None:
    with pytest.raises(InputError) as fault:
        reweight(gaussian_pool(50, 2), ["a", "b"], np.zeros(3), np.eye(2))
    assert str(fault.value) == (
        "error[populations.shape]: wanted means and their covariance are not those of the functions\n"
        "  found:    (3,) and (2, 2)\n"
        "  expected: (2,) and (2, 2)"
    )
    with pytest.raises(InputError) as fault:
        reweight(gaussian_pool(50, 2), ["a", "b"], np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert fault.value.found == "least eigenvalue -1"
