"""p-values of the tests that a small study would use, for many studies at once.

All are two-sided. Each row is a study; the last axis is its patients. A study in which nothing varies has p = 1.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, stdtr
from scipy.stats import rankdata

from simulate.evidence.resampling import correlation, rank_sum_of_falls
from simulate.evidence.signed_rank import SignedRank, p_value
from simulate.streams import FloatArray

EXACT_UP_TO = 50
"""Pairs up to which the signed-rank test is exact where that is asked for."""


def signed_rank(changes: FloatArray, way: SignedRank = SignedRank.ASYMPTOTIC) -> FloatArray:
    """Wilcoxon's signed-rank test of changes without ties, shape [study].

    Without correction for continuity if not said otherwise: of the usual ways only that prints the 0.005 of the
    abstract (`simulate.evidence.kinds.p_value`).
    """
    n = changes.shape[-1]
    falls = rank_sum_of_falls(changes).astype(np.int64)
    lesser = np.minimum(falls, n * (n + 1) // 2 - falls)
    chosen = SignedRank.ASYMPTOTIC if way is SignedRank.EXACT and n > EXACT_UP_TO else way
    table = np.array([p_value(total, n, chosen) for total in range(n * (n + 1) // 4 + 1)])
    found: FloatArray = table[lesser]
    return found


def paired_t(changes: FloatArray) -> FloatArray:
    """Student's t test that changes are 0 on average, shape [study]; NaN for less than two."""
    n = changes.shape[-1]
    if n < 2:
        return np.full(changes.shape[:-1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = changes.mean(axis=-1) / (changes.std(axis=-1, ddof=1) / np.sqrt(n))
    return _of_t(t, float(n - 1))


def pearson(first: FloatArray, second: FloatArray) -> FloatArray:
    """Test of Pearson's coefficient by the t distribution, shape [study]; NaN for less than three pairs."""
    n = first.shape[-1]
    if n < 3:
        return np.full(first.shape[:-1], np.nan)
    r = correlation(first, second)
    with np.errstate(divide="ignore"):
        t = r * np.sqrt((n - 2.0) / np.maximum(1.0 - r * r, 0.0))
    return _of_t(t, n - 2.0)


def spearman(first: FloatArray, second: FloatArray) -> FloatArray:
    """Test of Spearman's coefficient by the t distribution, as programs do it where n is not tiny; as `pearson`."""
    return pearson(rankdata(first, axis=-1), rankdata(second, axis=-1))


def rank_sum(first: FloatArray, second: FloatArray) -> FloatArray:
    """Mann and Whitney's test that two groups differ, asymptotic and without correction, shape [study]."""
    n, m = first.shape[-1], second.shape[-1]
    ranks = rankdata(np.concatenate([first, second], axis=-1), axis=-1)
    u = ranks[..., :n].sum(axis=-1) - 0.5 * n * (n + 1)
    z = (u - 0.5 * n * m) / np.sqrt(n * m * (n + m + 1) / 12.0)
    found: FloatArray = np.minimum(2.0 * ndtr(-np.abs(z)), 1.0)
    return found


def welch(first: FloatArray, second: FloatArray) -> FloatArray:
    """Welch's t test that the means of two groups differ, shape [study]; NaN for groups of less than two."""
    n, m = first.shape[-1], second.shape[-1]
    if min(n, m) < 2:
        return np.full(first.shape[:-1], np.nan)
    a, b = first.var(axis=-1, ddof=1) / n, second.var(axis=-1, ddof=1) / m
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (first.mean(axis=-1) - second.mean(axis=-1)) / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a * a / (n - 1) + b * b / (m - 1))
    return _of_t(t, freedom)


def fisher(first: FloatArray, n: int, second: FloatArray, m: int) -> FloatArray:
    """Fisher's exact test that events are as likely in two groups, shape [study]."""
    from scipy.stats import fisher_exact

    pairs, where = np.unique(
        np.stack([np.ravel(first), np.ravel(second)]).astype(np.int64), axis=1, return_inverse=True
    )
    table = np.array([float(fisher_exact(np.array([[a, n - a], [b, m - b]])).pvalue) for a, b in pairs.T.tolist()])
    return table[np.ravel(where)].reshape(np.shape(first))


def _of_t(t: FloatArray, freedom: FloatArray | float) -> FloatArray:
    found = np.minimum(2.0 * stdtr(freedom, -np.abs(t)), 1.0)
    # 0 / 0: nothing changed in anybody.
    return np.where(np.isnan(t), 1.0, found)
