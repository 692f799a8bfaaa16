"""Density of a printed mean and range of n values.

The least and the greatest of n values have the joint density n (n − 1) f(a) f(b) P^(n−2), with P the probability of a
value between a and b. Given both, the other k = n − 2 are independent draws from the distribution between a and b. The
density of their mean is that of a beta distribution from a to b with the right mean and variance: it ends where the
mean must end, it is exact where a single value is uniform, and two moments of it suffice. At n = 8 and a logarithmic
standard deviation of 1.4, 4.3 % of simulated means lie below its 5 % quantile, and 1.8 % below that of a normal one.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, gammaln, xlog1py, xlogy

from simulate.evidence.marginals import Marginal, log_difference
from simulate.streams import FloatArray
from simulate.sums import logsumexp

_LARGEST_PRECISION = 1e12


def log_range(marginal: Marginal, n: int, low: float, high: float) -> FloatArray:
    """Logarithm of the density of the least and the greatest of ``n`` values, shape [cohort]; ``n`` is at least 2."""
    inner = marginal.log_moment(0, low, high)
    ends = marginal.log_density(low) + marginal.log_density(high)
    return float(np.log(n * (n - 1.0))) + ends + ((n - 2) * inner if n > 2 else 0.0)


def log_mean_given_range(marginal: Marginal, n: int, low: float, high: float, mean: float) -> FloatArray:
    """Logarithm of the density of the mean of ``n`` values, given the least and the greatest, shape [cohort].

    Of two values the mean follows from the range, and the result is 0.
    """
    if n == 2:
        return np.zeros(len(marginal.log_weights))
    inner = (n * mean - low - high) / (n - 2)
    # The mean of the n changes by (n − 2)/n where that of the inner ones changes by 1.
    return _log_inner_mean(marginal, n - 2, low, high, inner) + float(np.log(n / (n - 2)))


def log_mean_range(marginal: Marginal, n: int, low: float, high: float, mean: float) -> FloatArray:
    """Logarithm of the joint density of mean, least and greatest of ``n`` values, shape [cohort]."""
    return log_range(marginal, n, low, high) + log_mean_given_range(marginal, n, low, high, mean)


def mean_and_variance_within(marginal: Marginal, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of a value that is known to lie between two others, each of shape [cohort]."""
    log_mass = marginal.log_moment(0, low, high)
    with np.errstate(invalid="ignore"):
        first = np.exp(marginal.log_moment(1, low, high) - log_mass)
        second = np.exp(marginal.log_moment(2, low, high) - log_mass)
    # Where no patient comes near, rounding decides: anything between the limits will do, as the range says it all.
    first = np.clip(np.where(np.isfinite(first), first, 0.5 * (low + high)), low, high)
    most = (first - low) * (high - first)
    variance = np.where(np.isfinite(second), second - first * first, most / 3.0)
    return first, np.clip(variance, most / _LARGEST_PRECISION, most)


def _log_inner_mean(marginal: Marginal, k: int, low: float, high: float, mean: float) -> FloatArray:
    if not low < mean < high:
        return np.full(len(marginal.log_weights), -np.inf)
    first, variance = mean_and_variance_within(marginal, low, high)
    width = high - low
    return _log_beta((mean - low) / width, (first - low) / width, variance / (k * width * width)) - float(np.log(width))


def _log_beta(at: float, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Logarithm of the density, between 0 and 1, of the beta distribution with a mean and a variance."""
    mean = np.clip(mean, 1.0 / _LARGEST_PRECISION, 1.0 - 1.0 / _LARGEST_PRECISION)
    spread = mean * (1.0 - mean)
    precision = np.clip(spread / np.maximum(variance, spread / _LARGEST_PRECISION) - 1.0, 1e-6, _LARGEST_PRECISION)
    a, b = mean * precision, (1.0 - mean) * precision
    return xlogy(a - 1.0, at) + xlog1py(b - 1.0, -at) - betaln(a, b)


def log_censored_mean_range(
    marginal: Marginal, n: int, limit: float, high: float, mean: float, *, substitute: float
) -> FloatArray:
    """Log-density [cohort] of mean and greatest of ``n`` values of which the least is below a detection limit.

    ``substitute`` stands for an undetectable value in the mean. Given the greatest, the number of the others that are
    undetectable is binomial, conditioned on at least one; the mean of the rest is as in `log_mean_given_range`.
    """
    others = n - 1
    log_hidden, log_shown = marginal.log_below(limit), marginal.log_moment(0, limit, high)
    terms = []
    for hidden in range(1, n):
        shown = others - hidden
        ways = float(gammaln(others + 1) - gammaln(hidden + 1) - gammaln(shown + 1))
        term = ways + hidden * log_hidden
        if shown:
            inner = (n * mean - high - hidden * substitute) / shown
            term = term + shown * log_shown + float(np.log(n / shown))
            term = term + _log_inner_mean(marginal, shown, limit, high, inner)
        elif abs(n * mean - high - hidden * substitute) > 1e-9 * high:
            continue
        terms.append(term)
    if not terms:
        return np.full(len(log_hidden), -np.inf)
    summed: FloatArray = logsumexp(np.stack(terms), axis=0)
    return float(np.log(n)) + marginal.log_density(high) + summed


def log_mean(marginal: Marginal, n: int, mean: float) -> FloatArray:
    """Logarithm of the density of the mean of ``n`` values, without their range, shape [cohort].

    The mean of n is taken to be log-normal with the mean m of one value and the variance v/n: its logarithm has the
    variance ln(1 + v/(n m²)).
    """
    log_first = marginal.log_moment(1, 0.0, np.inf)
    log_second = marginal.log_moment(2, 0.0, np.inf)
    relative = np.exp(log_difference(log_second - 2.0 * log_first, np.zeros_like(log_first)))
    variance = np.log1p(relative / n)
    z = (float(np.log(mean)) - log_first + 0.5 * variance) / np.sqrt(variance)
    return -0.5 * z * z - 0.5 * np.log(2.0 * np.pi * variance) - float(np.log(mean))
