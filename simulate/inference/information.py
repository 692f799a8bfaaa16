"""What a measurement is expected to tell: between hypotheses, and within one.

A hypothesis is K equally likely draws of its parameters; under a draw the measured statistic is normal, with a mean and
a covariance that the draw decides. The information between hypotheses is ``E[ln p(y|h) − ln Σ p(h') p(y|h')]``
(Lindley, Ann. Math. Stat. 27 (1956) 986), with ``p(y|h)`` the mean over the draws. The draw from which y came is left
out of the mean of its own hypothesis: left in, it recognizes itself, and the information is too large. Left out, it is
too small where a likelihood is narrower than the draws are apart, which the number of draws that a y is likely under
shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.streams import FloatArray, normals
from simulate.sums import logsumexp

BLOCKS = 10
"""Blocks of draws that are left out in turn for the error."""

FEWEST = 10.0
"""Draws of its own hypothesis that a y must be likely under, in 95 % of all y."""

_CHUNK = 64
_TIE = 1e-9
_LEAST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """A measured statistic under every draw of every hypothesis.

    Attributes
    ----------
    name
        Key of its random numbers: two statistics of different names err independently.
    mean
        Shape [hypothesis, draw, component].
    covariance
        Shape [hypothesis, draw, component, component], positive definite.
    """

    name: str
    mean: FloatArray
    covariance: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of hypotheses and draws."""
        return self.mean.shape[0], self.mean.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Likelihoods:
    """Logarithms of the densities of simulated measurements under every draw.

    Attributes
    ----------
    values
        Shape [true hypothesis, measurement, hypothesis, draw]; measurement r is made under draw ``r % K`` of the true
        one.
    """

    values: FloatArray

    def __add__(self, other: Likelihoods) -> Likelihoods:
        """Of two measurements of different patients together: independent, given the draw."""
        return Likelihoods(self.values + other.values)


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """Expected information, in nats.

    Attributes
    ----------
    between
        Between the hypotheses, own draws left out.
    error
        Its standard error: over measurements, and over draws by leaving out blocks of them.
    with_own
        The same with own draws left in: never too small.
    within
        Mean over the hypotheses of the information about their parameters, of own draws left in: never too large.
    effective
        5 % quantile of the number of draws of its own hypothesis that a measurement is likely under.
    terms
        What each measurement tells, shape [true hypothesis, measurement].
    without
        The information with each block of draws left out, shape [block].
    """

    between: float
    error: float
    with_own: float
    within: float
    effective: float
    terms: FloatArray
    without: FloatArray

    @property
    def is_sparse(self) -> bool:
        """Whether the draws are too far apart for what is measured."""
        return self.effective < FEWEST


def measured(statistic: Statistic, measurements: int, *, seed: int) -> FloatArray:
    """Simulated measurements, shape [true hypothesis, measurement, component].

    The random numbers know the statistic and the number of the measurement, and not the hypothesis.
    """
    _, draws = statistic.shape
    components = statistic.mean.shape[2]
    errors = normals(seed, f"information: {statistic.name}", np.arange(measurements), components)
    roots = np.linalg.cholesky(statistic.covariance)
    under = np.arange(measurements) % draws
    found: FloatArray = statistic.mean[:, under] + np.einsum("hrij,rj->hri", roots[:, under], errors)
    return found


def likelihoods(statistic: Statistic, values: FloatArray) -> Likelihoods:
    """Densities of measurements, shape [true hypothesis, measurement, component], under every draw."""
    hypotheses, draws = statistic.shape
    components = statistic.mean.shape[2]
    means = statistic.mean.reshape(-1, components)
    roots = np.linalg.cholesky(statistic.covariance.reshape(-1, components, components))
    whitening = np.linalg.inv(roots)
    constant = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1) + 0.5 * components * math.log(2.0 * math.pi)
    flat = values.reshape(-1, components)
    found = np.empty((len(flat), len(means)))
    for begin in range(0, len(means), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        # W (y - m) as two products, which is faster than to make all differences first.
        scaled = np.einsum("mij,rj->rmi", whitening[part], flat, optimize=True)
        scaled -= np.einsum("mij,mj->mi", whitening[part], means[part])
        found[:, part] = -0.5 * np.einsum("rmi,rmi->rm", scaled, scaled)
    found -= constant
    return Likelihoods(found.reshape(*values.shape[:2], hypotheses, draws))


def gain(found: Likelihoods, prior: FloatArray) -> Gain:
    """Expected information of a measurement.

    Parameters
    ----------
    found
        Densities of simulated measurements.
    prior
        Probabilities of the hypotheses, shape [hypothesis].
    """
    values = found.values
    measurements, draws = values.shape[1], values.shape[3]
    blocks = min(BLOCKS, draws)
    sums = _sums(values, blocks)
    terms = _terms(sums.evidences(), prior)
    between = float(prior @ terms.mean(axis=1))
    block_of = np.arange(measurements) % draws * blocks // draws
    without = np.array(
        [prior @ _terms(sums.evidences(block), prior)[:, block_of != block].mean(axis=1) for block in range(blocks)]
    )
    over_measurements = math.sqrt(float(prior**2 @ (terms.var(axis=1) / measurements)))
    over_draws = math.sqrt((blocks - 1.0) / blocks * float(((without - without.mean()) ** 2).sum()))
    # With its own draw the density of a measurement under its hypothesis is the mean over all of them.
    evidences = sums.evidences()
    others, own = np.einsum("hrh->hr", evidences), _own_density(values)
    together = np.logaddexp(others + math.log(max(draws - 1, 1)), own) - math.log(draws)
    within = own - together
    np.einsum("hrh->hr", evidences)[...] = together
    return Gain(
        between=between,
        error=math.hypot(over_measurements, over_draws),
        with_own=float(prior @ _terms(evidences, prior).mean(axis=1)),
        within=float(prior @ within.mean(axis=1)),
        effective=effective_draws(found),
        terms=terms,
        without=without,
    )


def effective_draws(found: Likelihoods) -> float:
    """5 % quantile of the number of other draws of its own hypothesis that a measurement is likely under."""
    others = _of_others(found.values)
    weights = np.exp(others - others.max(axis=2, keepdims=True))
    effective = weights.sum(axis=2) ** 2 / (weights**2).sum(axis=2)
    return float(np.quantile(effective, 0.05))


def difference(first: Gain, second: Gain, prior: FloatArray) -> tuple[float, float]:
    """Information of a first measurement less that of a second, and the standard error of that."""
    terms = first.terms - second.terms
    blocks = first.without - second.without
    over_measurements = float(prior**2 @ (terms.var(axis=1) / terms.shape[1]))
    over_draws = (len(blocks) - 1.0) / len(blocks) * float(((blocks - blocks.mean()) ** 2).sum())
    return first.between - second.between, math.sqrt(over_measurements + over_draws)


def posterior_probabilities(found: Likelihoods, prior: FloatArray) -> FloatArray:
    """Probabilities of the hypotheses after each measurement, shape [true hypothesis, measurement, hypothesis]."""
    evidences = _sums(found.values, 1).evidences() + np.log(prior)
    after: FloatArray = np.exp(evidences - logsumexp(evidences, axis=2, keepdims=True))
    return after


def classifier_bound(values: FloatArray, draws: int, prior: FloatArray) -> float:
    """A lower bound of the information between hypotheses: what a quadratic discriminant makes of measurements.

    Each half of the measurements is classified by normal distributions fitted to the other half; the entropy of the
    prior less the mean surprise is never more than the information, whatever the classifier.

    Parameters
    ----------
    values
        Simulated measurements, shape [true hypothesis, measurement, component].
    draws
        Number of draws from which they came: measurement r under draw ``r % draws``.
    prior
        Probabilities of the hypotheses.
    """
    entropy = -float(prior @ np.log(prior))
    surprise = 0.0
    # Halves are of different draws, or the classifier would know some of those that it judges.
    is_even = np.arange(values.shape[1]) % draws % 2 == 0
    for learn, judge in ((is_even, ~is_even), (~is_even, is_even)):
        known = values[:, learn]
        mean = known.mean(axis=1)
        centered = known - mean[:, np.newaxis]
        covariance = np.einsum("hri,hrj->hij", centered, centered) / known.shape[1]
        size = covariance.shape[-1]
        covariance += 1e-9 * np.trace(covariance, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] * np.eye(size)
        normal = Statistic("classifier", mean[:, np.newaxis], covariance[:, np.newaxis])
        scores = likelihoods(normal, values[:, judge]).values[..., 0] + np.log(prior)
        scores -= logsumexp(scores, axis=2, keepdims=True)
        right = np.einsum("hrh->hr", scores)
        surprise -= 0.5 * float(prior @ right.mean(axis=1))
    return entropy - surprise


def ranks(gains: Sequence[Gain], prior: FloatArray) -> list[int]:
    """Rank of each measurement; those within two standard errors of the first of a rank share it."""
    order = sorted(range(len(gains)), key=lambda index: -gains[index].between)
    found = [0] * len(gains)
    leader = order[0]
    for place, index in enumerate(order):
        less, error = difference(gains[leader], gains[index], prior)
        if less > max(2.0 * error, _TIE):
            leader = index
        found[index] = place + 1 if leader == index else found[leader]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Densities summed over blocks of draws, the own draw of a measurement left out.

    `logs` is the largest of each row, shape [true hypothesis, measurement, hypothesis]; `blocks` are sums relative to
    it and `counts` the numbers of draws in them, with one axis more.
    """

    logs: FloatArray
    blocks: FloatArray
    counts: FloatArray

    def evidences(self, without: int | None = None) -> FloatArray:
        """Logarithms of p(y|h), all draws of a block left out where one is named."""
        keep = np.arange(self.blocks.shape[3]) != (-1 if without is None else without)
        sums, counts = (part[..., keep].sum(axis=3) for part in (self.blocks, self.counts))
        found: FloatArray = self.logs + np.log(np.maximum(sums, _LEAST)) - np.log(np.maximum(counts, 1.0))
        return found


def _sums(values: FloatArray, blocks: int) -> _Sums:
    hypotheses, measurements, _, draws = values.shape
    block_of = np.arange(draws) * blocks // draws
    starts = np.searchsorted(block_of, np.arange(blocks))
    counts = np.broadcast_to(np.bincount(block_of, minlength=blocks).astype(np.float64), (*values.shape[:3], blocks))
    counts = counts.copy()
    logs = np.empty(values.shape[:3])
    sums = np.empty(counts.shape)
    rows = np.arange(measurements)
    for true in range(hypotheses):
        part = values[true].copy()
        part[rows, true, rows % draws] = -np.inf
        counts[true, rows, true, block_of[rows % draws]] -= 1.0
        logs[true] = part.max(axis=2)
        sums[true] = np.add.reduceat(np.exp(part - logs[true][..., np.newaxis]), starts, axis=2)
    return _Sums(logs, sums, counts)


def _terms(evidences: FloatArray, prior: FloatArray) -> FloatArray:
    """What each measurement tells, shape [true hypothesis, measurement]."""
    terms: FloatArray = np.einsum("hrh->hr", evidences) - logsumexp(evidences + np.log(prior), axis=2)
    return terms


def _of_own(values: FloatArray) -> FloatArray:
    """Densities under the draws of the true hypothesis, shape [true hypothesis, measurement, draw]."""
    own: FloatArray = np.einsum("hrhk->hrk", values)
    return own


def _of_others(values: FloatArray) -> FloatArray:
    """As `_of_own`, with a density of 0 under the draw from which a measurement came."""
    measurements, draws = values.shape[1], values.shape[3]
    others = _of_own(values).copy()
    others[:, np.arange(measurements), np.arange(measurements) % draws] = -np.inf
    return others


def _own_density(values: FloatArray) -> FloatArray:
    measurements, draws = values.shape[1], values.shape[3]
    return _of_own(values)[:, np.arange(measurements), np.arange(measurements) % draws]
