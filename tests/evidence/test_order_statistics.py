"""Densities of mean and range: they add up to 1, agree with brute force, and are calibrated on simulated trials."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from simulate.evidence.marginals import Marginal
from simulate.evidence.order_statistics import (
    log_censored_mean_range,
    log_mean,
    log_mean_given_range,
    log_mean_range,
    log_range,
    mean_and_variance_within,
)
from simulate.streams import FloatArray


def log_normal(location: float = 0.0, scale: float = 0.8) -> Marginal:
    """A single log-normal distribution."""
    return Marginal.of(np.ones((1, 1)), np.full((1, 1), location), scale)


def two_kinds(shift: float | FloatArray = 0.0) -> Marginal:
    """Three in ten have tenfold levels; several cohorts if several shifts are given."""
    location = np.array([[0.0, math.log(10.0)]]) + np.atleast_1d(shift)[:, np.newaxis]
    return Marginal.of(np.broadcast_to([0.7, 0.3], location.shape), location, np.array([0.5, 0.3]))


def draws_of_two_kinds(trials: int, n: int, seed: int) -> FloatArray:
    """Independent draws from `two_kinds`, shape [trial, n], sorted."""
    rng = np.random.default_rng(seed)
    is_high = rng.random((trials, n)) < 0.3
    z = rng.standard_normal((trials, n))
    return np.sort(np.where(is_high, np.exp(math.log(10.0) + 0.3 * z), np.exp(0.5 * z)), axis=1)


def test_a_marginal_is_the_mixture_that_scipy_makes() -> None:
    marginal = two_kinds()
    parts = [(0.7, stats.lognorm(0.5)), (0.3, stats.lognorm(0.3, scale=10.0))]
    for value in (0.05, 1.0, 4.0, 30.0):
        density = sum(share * part.pdf(value) for share, part in parts)
        below = sum(share * part.cdf(value) for share, part in parts)
        assert np.exp(marginal.log_density(value)) == pytest.approx(density, rel=1e-10)
        assert np.exp(marginal.log_below(value)) == pytest.approx(below, rel=1e-10)
        assert np.exp(marginal.log_above(value)) == pytest.approx(1.0 - below, rel=1e-8)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(("low", "high"), [(0.5, 3.0), (0.0, 2.0), (4.0, math.inf), (5.0, 5.1)])
def test_moments_between_limits_are_those_of_quadrature(order: int, low: float, high: float) -> None:
    marginal = two_kinds()

    def integrand(value: float) -> float:
        return value**order * float(np.exp(marginal.log_density(value))[0])

    expected, _ = integrate.quad(integrand, max(low, 1e-9), min(high, 300.0), points=[1.0, 10.0], limit=400)
    assert np.exp(marginal.log_moment(order, low, high))[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("location", [-700.0, -50.0, 50.0, 700.0])
def test_no_tail_becomes_undefined(location: float) -> None:
    marginal = log_normal(location, 0.1)
    terms = [
        marginal.log_density(1.0),
        marginal.log_below(1.0),
        marginal.log_above(1.0),
        log_range(marginal, 8, 0.5, 2.0),
        log_mean_range(marginal, 8, 0.5, 2.0, 1.0),
    ]
    assert not np.isnan(terms).any()
    first, variance = mean_and_variance_within(marginal, 0.5, 2.0)
    assert 0.5 <= first[0] <= 2.0
    assert variance[0] > 0.0


def test_patients_who_failed_have_no_weight() -> None:
    whole = Marginal.of(np.ones((1, 2)), np.array([[0.0, 1.0]]), 0.3)
    broken = Marginal.of(np.ones((1, 3)), np.array([[0.0, np.nan, 1.0]]), 0.3)
    np.testing.assert_allclose(broken.log_density(1.5), whole.log_density(1.5), rtol=1e-14)


def test_pooled_visits_have_equal_shares() -> None:
    one, other = log_normal(0.0, 0.5), log_normal(2.0, 0.2)
    pooled = Marginal.pooled(one, other)
    expected = 0.5 * (np.exp(one.log_below(2.0)) + np.exp(other.log_below(2.0)))
    np.testing.assert_allclose(np.exp(pooled.log_below(2.0)), expected, rtol=1e-12)


def test_the_range_of_two_values_is_both_of_them() -> None:
    marginal = two_kinds()
    both = math.log(2.0) + marginal.log_density(1.5) + marginal.log_density(7.0)
    np.testing.assert_allclose(log_range(marginal, 2, 1.5, 7.0), both, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 8])
def test_the_density_of_the_range_adds_up_to_one(n: int) -> None:
    marginal = two_kinds()

    def at(high: float, low: float) -> float:
        a, b = math.exp(low), math.exp(high)
        return float(np.exp(log_range(marginal, n, a, b))[0]) * a * b

    grid = np.linspace(-3.0, 4.0, 71)
    values = np.array([[at(high, low) if high > low else 0.0 for high in grid] for low in grid])
    total = integrate.trapezoid(integrate.trapezoid(values, grid, axis=1), grid)
    assert total == pytest.approx(1.0, abs=5e-3)


@pytest.mark.parametrize("n", [3, 4, 8, 14])
@pytest.mark.parametrize("marginal", [log_normal(), log_normal(0.0, 1.4), two_kinds()])
def test_the_density_of_the_mean_given_the_range_adds_up_to_one(n: int, marginal: Marginal) -> None:
    low, high = 0.4, 9.0
    least, most = ((n - 1) * low + high) / n, (low + (n - 1) * high) / n

    def at(mean: float) -> float:
        return float(np.exp(log_mean_given_range(marginal, n, low, high, mean))[0])

    total, _ = integrate.quad(at, least, most, limit=200)
    assert total == pytest.approx(1.0, abs=1e-4)


def test_a_mean_that_the_range_forbids_is_impossible() -> None:
    assert log_mean_given_range(log_normal(), 8, 1.0, 4.0, 1.3)[0] == -math.inf
    assert log_mean_given_range(log_normal(), 8, 1.0, 4.0, 3.7)[0] == -math.inf


def test_of_two_values_the_mean_says_nothing_more_than_the_range() -> None:
    assert log_mean_given_range(two_kinds(), 2, 1.0, 4.0, 2.5)[0] == 0.0


def convolved(marginal: Marginal, k: int, low: float, high: float, points: int = 2000) -> tuple[FloatArray, FloatArray]:
    """Density of the sum of k values between two limits, by convolution on a grid: brute force."""
    step = (high - low) / points
    middles = low + step * (np.arange(points) + 0.5)
    mass = np.array([np.exp(marginal.log_density(value))[0] for value in middles])
    mass /= mass.sum()
    total = mass
    for _ in range(k - 1):
        total = np.convolve(total, mass)
    return k * (low + 0.5 * step) + step * np.arange(len(total)), total / step


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.4])
@pytest.mark.parametrize("ends", [1.2, 2.0])
def test_the_density_of_the_mean_is_nearer_to_convolution_than_a_normal_one(scale: float, ends: float) -> None:
    marginal, n, low, high = log_normal(0.0, scale), 8, math.exp(-ends * scale), math.exp(ends * scale)
    sums, exact = convolved(marginal, n - 2, low, high)
    middle = exact > 1e-3 * exact.max()
    means, weights = (sums[middle] + low + high)[::40] / n, exact[middle][::40] / exact[middle][::40].sum()
    truth = np.log(n * exact[middle][::40])
    found = np.array([log_mean_given_range(marginal, n, low, high, mean)[0] for mean in means])
    first, variance = mean_and_variance_within(marginal, low, high)
    normal = stats.norm(((n - 2) * first[0] + low + high) / n, math.sqrt(variance[0] * (n - 2)) / n)
    # What is to be expected of the error, in nats.
    error, error_of_normal = (float(weights @ np.abs(logs - truth)) for logs in (found, normal.logpdf(means)))
    assert error < 0.1
    assert error < 0.5 * error_of_normal


def uniformity(values: FloatArray) -> float:
    """p-value of the Kolmogorov-Smirnov test for a uniform distribution."""
    return float(stats.kstest(values, "uniform").pvalue)


@pytest.mark.parametrize(("n", "scale"), [(8, 0.8), (14, 0.8), (6, 1.2)])
def test_the_mean_given_the_range_is_calibrated(n: int, scale: float) -> None:
    rng = np.random.default_rng(11)
    values = np.sort(np.exp(scale * rng.standard_normal((400, n))), axis=1)
    marginal, places = log_normal(0.0, scale), []
    for row in values:
        low, high, mean = float(row[0]), float(row[-1]), float(row.mean())
        first, variance = mean_and_variance_within(marginal, low, high)
        at, center = ((value - low) / (high - low) for value in ((n * mean - low - high) / (n - 2), float(first[0])))
        precision = center * (1.0 - center) / (float(variance[0]) / (n - 2) / (high - low) ** 2) - 1.0
        places.append(float(stats.beta(center * precision, (1.0 - center) * precision).cdf(at)))
    assert uniformity(np.array(places)) > 0.01


def scores(
    values: FloatArray, log_density: Callable[[Marginal, FloatArray], FloatArray], *, of_spread: bool = False
) -> FloatArray:
    """Derivatives of a log density with respect to the shift or the spread of the population, one for each trial."""
    step = 0.02
    moves = np.array([-step, step])
    marginal = two_kinds(0.0 * moves if of_spread else moves)
    if of_spread:
        center = math.log(10.0) * 0.3
        factor = np.exp(moves)[:, np.newaxis]
        marginal = Marginal(
            marginal.log_weights, center + (marginal.location - center) * factor, marginal.scale * factor
        )
    both = np.array([log_density(marginal, row) for row in values])
    slopes: FloatArray = (both[:, 1] - both[:, 0]) / (2.0 * step)
    return slopes


def t_of(values: FloatArray) -> float:
    return float(values.mean() / values.std() * math.sqrt(len(values)))


def mean_and_range(marginal: Marginal, row: FloatArray) -> FloatArray:
    return log_mean_range(marginal, len(row), row[0], row[-1], row.mean())


@pytest.mark.parametrize("of_spread", [False, True])
def test_the_expected_score_of_mean_and_range_is_zero(of_spread: bool) -> None:
    found = scores(draws_of_two_kinds(1500, 8, seed=3), mean_and_range, of_spread=of_spread)
    assert abs(t_of(found)) < 3.0


def test_the_score_tells_a_range_from_quartiles() -> None:
    def as_if_quartiles(marginal: Marginal, row: FloatArray) -> FloatArray:
        return log_mean_range(marginal, len(row), row[2], row[-3], row.mean())

    values = draws_of_two_kinds(600, 14, seed=3)
    values = values[(values[:, 2] * 13 + values[:, -3] < 14 * values.mean(axis=1))]
    values = values[values.mean(axis=1) * 14 < values[:, 2] + 13 * values[:, -3]]
    assert abs(t_of(scores(values, as_if_quartiles, of_spread=True))) > 5.0


def test_the_expected_score_of_a_censored_range_is_zero() -> None:
    limit, substitute = 0.6, 0.3

    def censored(marginal: Marginal, row: FloatArray) -> FloatArray:
        mean = float(np.where(row > limit, row, substitute).mean())
        if row[0] <= limit:
            return log_censored_mean_range(marginal, len(row), limit, row[-1], mean, substitute=substitute)
        return log_mean_range(marginal, len(row), row[0], row[-1], mean)

    values = draws_of_two_kinds(1500, 8, seed=4)
    assert 0.3 < np.mean(values[:, 0] <= limit) < 0.9
    assert abs(t_of(scores(values, censored))) < 3.0


def test_censored_and_uncensored_ranges_together_have_all_probability() -> None:
    marginal, n, limit = log_normal(), 3, 0.8
    highs = np.exp(np.linspace(math.log(limit) + 1e-6, 4.0, 20))

    def total_over_means(high: float) -> float:
        means = np.linspace(limit / 3.0, high, 120)
        densities = np.array(
            [
                float(np.exp(log_censored_mean_range(marginal, n, limit, high, mean, substitute=0.5 * limit))[0])
                for mean in means
            ]
        )
        return float(integrate.trapezoid(densities, means))

    found = integrate.trapezoid([total_over_means(high) for high in highs], highs)
    below = float(np.exp(marginal.log_below(limit))[0])
    # The greatest is above the limit, at least one of the three below; that both others are below has no density.
    expected = 1.0 - (1.0 - below) ** 3 - below**3 - 3.0 * below**2 * (1.0 - below)
    assert found == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("n", [4, 10])
def test_the_mean_alone_is_calibrated(n: int) -> None:
    rng = np.random.default_rng(7)
    marginal = log_normal(1.0, 0.7)
    means = np.exp(1.0 + 0.7 * rng.standard_normal((2000, n))).mean(axis=1)
    grid = np.exp(np.linspace(math.log(0.3), math.log(40.0), 1500))
    density = np.array([np.exp(log_mean(marginal, n, value))[0] for value in grid])
    cumulative = integrate.cumulative_trapezoid(density, grid, initial=0.0)
    assert cumulative[-1] == pytest.approx(1.0, abs=1e-3)
    places = np.interp(means, grid, cumulative)
    quantiles = [float(np.mean(places < level)) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
    np.testing.assert_allclose(quantiles, [0.05, 0.25, 0.5, 0.75, 0.95], atol=0.03)
