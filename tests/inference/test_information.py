"""Expected information against quadrature, where effects are normal and p(y|h) has a formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from simulate.inference.information import (
    Gain,
    Statistic,
    classifier_bound,
    difference,
    gain,
    likelihoods,
    measured,
    posterior_probabilities,
    ranks,
)
from simulate.streams import FloatArray, normals

MEANS = np.array([0.0, 0.5, -0.3])
SPREADS = np.array([0.3, 0.3, 0.5])
NOISE = 0.8
UNIFORM = np.full(3, 1.0 / 3.0)


def statistic(n: int, draws: int, *, seed: int = 1, name: str = "effect", noise: float = NOISE) -> Statistic:
    """Mean of n readings of an effect that is normal under each hypothesis."""
    effects = MEANS[:, np.newaxis] + SPREADS[:, np.newaxis] * np.stack(
        [normals(seed, f"test: {hypothesis}", np.arange(draws), 1)[:, 0] for hypothesis in range(3)]
    )
    variance = np.full((3, draws, 1, 1), noise**2 / n)
    return Statistic(name, effects[..., np.newaxis], variance)


def found(one: Statistic, *, measurements: int = 512, seed: int = 1, prior: FloatArray = UNIFORM) -> Gain:
    return gain(likelihoods(one, measured(one, measurements, seed=seed)), prior)


def exact(n: int, prior: FloatArray = UNIFORM) -> float:
    """Information between the hypotheses by quadrature."""
    y = np.linspace(-8.0, 8.0, 40001)
    densities = np.array(
        [norm(m, math.hypot(s, NOISE / math.sqrt(n))).pdf(y) for m, s in zip(MEANS, SPREADS, strict=True)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(densities > 0.0, densities * np.log(densities / (prior @ densities)), 0.0)
    return float(prior @ np.trapezoid(terms, y, axis=1))


@pytest.mark.parametrize("n", [3, 12, 100])
def test_information_between_hypotheses_is_that_of_quadrature(n: int) -> None:
    one = found(statistic(n, 400), measurements=800)
    assert abs(one.between - exact(n)) < 3.0 * one.error
    assert one.error < 0.05
    assert one.between <= one.with_own


def test_information_under_an_uneven_prior_is_that_of_quadrature() -> None:
    prior = np.array([0.7, 0.2, 0.1])
    one = found(statistic(12, 400), measurements=800, prior=prior)
    assert abs(one.between - exact(12, prior)) < 3.0 * one.error


def test_the_error_is_that_of_repetitions() -> None:
    several = [found(statistic(12, 100, seed=seed), measurements=200, seed=seed) for seed in range(12)]
    spread = float(np.std([one.between for one in several], ddof=1))
    claimed = float(np.mean([one.error for one in several]))
    # Both parts of the error see what the other sees as well, so that it is rather too large.
    assert 0.6 * spread < claimed < 2.5 * spread


def test_draws_too_far_apart_are_noticed_and_the_two_biases_enclose_the_truth() -> None:
    sparse = found(statistic(5000, 50))
    assert sparse.is_sparse
    assert sparse.between < exact(5000) < sparse.with_own
    assert not found(statistic(3, 400)).is_sparse


def test_a_draw_that_is_left_in_recognizes_itself() -> None:
    same = statistic(100_000, 40)
    alike = Statistic("alike", np.repeat(same.mean[:1], 3, axis=0), same.covariance)
    # Nothing tells hypotheses apart that are one; each draw stands in all of them.
    assert found(alike).with_own == pytest.approx(0.0, abs=1e-9)
    apart = found(Statistic("apart", same.mean + 1e-3 * np.arange(3)[:, None, None], same.covariance))
    assert apart.with_own > apart.between


def test_information_within_a_hypothesis_is_that_of_its_formula() -> None:
    n = 12
    expected = np.mean([0.5 * math.log(1.0 + (s / NOISE) ** 2 * n) for s in SPREADS])
    one = found(statistic(n, 400), measurements=800)
    assert one.within == pytest.approx(expected, abs=0.1)


def test_the_classifier_says_no_more_than_there_is() -> None:
    for n in (3, 12, 100):
        values = measured(statistic(n, 400), 800, seed=2)
        bound = classifier_bound(values, 400, UNIFORM)
        assert bound < exact(n) + 0.03
        assert bound > exact(n) - 0.06


def test_two_measurements_together_tell_what_one_of_twice_as_many_tells() -> None:
    first, second = statistic(6, 400, name="first"), statistic(6, 400, name="second")
    both = likelihoods(first, measured(first, 800, seed=1)) + likelihoods(second, measured(second, 800, seed=1))
    one = gain(both, UNIFORM)
    assert abs(one.between - exact(12)) < 3.0 * one.error


def test_what_is_measured_with_more_noise_ranks_lower_and_alike_share_a_rank() -> None:
    gains = [found(statistic(n, 200, name=f"of {n}")) for n in (2, 40, 2, 12)]
    found_ranks = ranks(gains, UNIFORM)
    assert found_ranks[1] == 1
    assert found_ranks[0] == found_ranks[2]
    assert found_ranks[0] > found_ranks[1]
    less, error = difference(gains[1], gains[0], UNIFORM)
    assert less > 2.0 * error > 0.0


def test_probabilities_after_a_measurement_are_calibrated() -> None:
    one = statistic(12, 400)
    after = posterior_probabilities(likelihoods(one, measured(one, 1200, seed=3)), UNIFORM)
    np.testing.assert_allclose(after.sum(axis=2), 1.0, rtol=1e-12)
    # Of all claims of about 70 %, about 70 % are true.
    claims, truths = after.ravel(), np.broadcast_to(np.eye(3, dtype=bool)[:, np.newaxis], after.shape).ravel()
    for low in (0.1, 0.3, 0.5, 0.7):
        within = (claims > low) & (claims < low + 0.2)
        assert truths[within].mean() == pytest.approx(claims[within].mean(), abs=0.06)


def test_the_hypothesis_has_no_part_in_the_random_numbers() -> None:
    one = statistic(3, 20)
    alone = Statistic(one.name, one.mean[1:2], one.covariance[1:2])
    np.testing.assert_array_equal(measured(one, 50, seed=1)[1], measured(alone, 50, seed=1)[0])
