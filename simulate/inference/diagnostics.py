"""Diagnostics of draws: whether they can be trusted, and what the data have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.inference.polish import Weighted
from simulate.inference.quantiles import quantiles
from simulate.streams import FloatArray
from simulate.sums import logsumexp

PRIOR, WEAK = 0.1, 0.5
"""Contractions below which a parameter counts as prior, and as weakly informed."""

LEAST = -200.0
"""Log-likelihood of an item below which it makes no difference how much lower it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """How far the data have changed the distribution of each coordinate.

    Attributes
    ----------
    median, low, high
        Median and central 90 % interval, shape [dimension].
    contraction
        1 - variance after / variance before, shape [dimension]; below zero where the data widen a marginal.
    overlap
        Area that the marginals before and after have in common, shape [dimension].
    verdict
        "prior", "weakly informed" or "informed" for each coordinate.
    """

    median: FloatArray
    low: FloatArray
    high: FloatArray
    contraction: FloatArray
    overlap: FloatArray
    verdict: tuple[str, ...]


def learned(points: FloatArray, weights: FloatArray, prior: FloatArray) -> Learned:
    """Compare weighted draws of a posterior with draws of its prior.

    Parameters
    ----------
    points, weights
        Shape [draw, dimension] and [draw].
    prior
        Draws of the prior, shape [draw, dimension]; those that are feasible, which need not be normal.
    """
    low, median, high = quantiles(points, weights, (0.05, 0.5, 0.95))
    mean = np.einsum("i,ij->j", weights, points)
    after = np.einsum("i,ij->j", weights, np.square(points - mean))
    contraction = 1.0 - after / prior.var(axis=0)
    overlap = np.array([_overlap(points[:, column], weights, prior[:, column]) for column in range(points.shape[1])])
    verdict = tuple("prior" if c < PRIOR else "weakly informed" if c < WEAK else "informed" for c in contraction)
    return Learned(median, low, high, contraction, overlap, verdict)


def rank_normalized_r_hat(chains: Sequence[FloatArray]) -> FloatArray:
    """R-hat of runs from different seeds, treated as chains, shape [dimension]; below 1.05 they agree.

    A. Vehtari and others, Bayesian Analysis 16 (2021) 667: ranks of all draws together, then the classical ratio.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    n = min(len(chain) for chain in chains)
    draws = np.stack([chain[:n] for chain in chains])
    runs, _, dimension = draws.shape
    ranks = rankdata(draws.reshape(-1, dimension), axis=0)
    scores = ndtri((ranks - 0.375) / (runs * n + 0.25)).reshape(draws.shape)
    within = scores.var(axis=1, ddof=1).mean(axis=0)
    between = scores.mean(axis=1).var(axis=0, ddof=1)
    ratio: FloatArray = np.sqrt((n - 1.0) / n + between / within)
    return ratio


def path_shares(weighted: Weighted) -> tuple[FloatArray, FloatArray]:
    """Contribution of each item to the log-evidence and its standard error, shape [item] each.

    The log-evidence is the integral over the temperature of the mean log-likelihood, and the mean of a sum is the sum
    of the means: the shares add up and depend on no order. At each temperature the same draws are weighted anew; the
    error is that of their number, each draw's influence followed through all temperatures.

    Parameters
    ----------
    weighted
        Draws whose proposal covers the prior as well as the posterior, as that of `polish` does.
    """
    known = weighted.scores.feasible
    items = np.maximum(weighted.scores.items[known], LEAST)
    total, ratios = items.sum(axis=1), weighted.log_ratios[known]
    # Close to the prior the mean changes fastest: more places there.
    nodes = np.linspace(0.0, 1.0, 41) ** 3.0
    gaps = np.diff(nodes, prepend=0.0, append=1.0)
    shares = np.zeros(items.shape[1])
    influence = np.zeros_like(items)
    for node, width in zip(nodes, 0.5 * (gaps[:-1] + gaps[1:]), strict=True):
        logs = node * total + ratios
        weights = np.exp(logs - logsumexp(logs))
        mean = np.einsum("i,ij->j", weights, items)
        shares += width * mean
        influence += width * weights[:, None] * (items - mean)
    return shares, np.sqrt(np.square(influence).sum(axis=0))


def _overlap(points: FloatArray, weights: FloatArray, prior: FloatArray) -> float:
    edges = np.histogram_bin_edges(np.concatenate([points, prior]), bins=40)
    after, _ = np.histogram(points, edges, weights=weights / weights.sum())
    before, _ = np.histogram(prior, edges, weights=np.full(len(prior), 1.0 / len(prior)))
    return float(np.minimum(after, before).sum())
