"""Importance sampling from a mixture fitted to particles: independent draws, an evidence with an honest error.

The proposal is nine parts Student components, one for each cluster of particles, and one part prior, which bounds the
weights; its uniform numbers are a scrambled Sobol set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtri

from simulate.inference.smc import log_student
from simulate.inference.target import Scores, Target, guess_of, log_prior, scores
from simulate.streams import FloatArray, stream

_FREEDOM = 6.0
_INFLATION = 1.2
_PRIOR = 0.1
"""Share of the prior in the proposal."""

GUESSED, MORE_GUESSED = 2, 8
"""Draws that are guessed for each draw that is asked for: at first, and where these turn out to be too few."""

_SCORED = 0.5
"""Draws that are scored for each draw that is asked for, where others are guessed."""

_BY_PRIOR = 0.2
"""Share of the scored draws that are chosen as the prior would: the path from the prior needs them."""

_MOST_COMPONENTS = 4
_FEWEST_EXCESSES = 5

_LEAST = 5
"""Particles that a component must have for each dimension."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """Weighted draws of a posterior.

    Attributes
    ----------
    points
        Shape [draw, dimension].
    scores
        Log-likelihoods of the draws.
    log_ratios
        Logarithms of prior over proposal, shape [draw].
    feasible
        Share of prior draws that are feasible, by which the prior is normalized.
    mean
        Logarithm of the mean likelihood over the normal prior and its standard error, where more is known of it than
        these draws say.
    """

    points: FloatArray
    scores: Scores
    log_ratios: FloatArray
    feasible: float
    mean: tuple[float, float] | None = None

    @property
    def log_weights(self) -> FloatArray:
        """Logarithms of likelihood times prior over proposal, shape [draw]; not normalized."""
        return self.scores.total + self.log_ratios

    @property
    def weights(self) -> FloatArray:
        """Normalized weights, shape [draw]."""
        normalized: FloatArray = np.exp(self.log_weights - logsumexp(self.log_weights))
        return normalized

    @property
    def log_evidence(self) -> float:
        """Logarithm of the mean likelihood over feasible prior points."""
        if self.mean is not None:
            return self.mean[0] - float(np.log(self.feasible))
        return float(logsumexp(self.log_weights) - np.log(len(self.log_weights)) - np.log(self.feasible))

    @property
    def error(self) -> float:
        """Standard error of the log-evidence from the spread of the weights; the Sobol set makes it cautious."""
        if self.mean is not None:
            return self.mean[1]
        ratio = np.exp(self.log_weights - logsumexp(self.log_weights)) * len(self.log_weights)
        return float(ratio.std() / np.sqrt(len(ratio)))

    @property
    def effective(self) -> float:
        """Effective sample size."""
        return 1.0 / float(np.square(self.weights).sum())

    @property
    def tail(self) -> float:
        """Shape of the generalized Pareto tail of the weights; above 0.7 they cannot be trusted.

        A. Vehtari and others, J. Mach. Learn. Res. 25 (2024) 72.
        """
        return pareto_shape(self.weights)


def pareto_shape(weights: FloatArray) -> float:
    """Shape of the generalized Pareto tail of weights, shape [draw]; 0 where hardly any of the largest differ.

    J. Zhang, M. A. Stephens, Technometrics 51 (2009) 316: a mean over likelihoods of a profile, no iteration.
    """
    ratio = np.sort(weights)
    count = int(min(0.2 * len(ratio), 3.0 * np.sqrt(len(ratio))))
    excess = ratio[-count:] - ratio[-count - 1]
    excess = excess[excess > 1e-12 * ratio[-1]]
    n = len(excess)
    if n < _FEWEST_EXCESSES:
        return 0.0
    number = 30 + int(np.sqrt(n))
    steps = 1.0 - np.sqrt(number / (np.arange(1, number + 1) - 0.5))
    slopes = steps / (3.0 * excess[int(n / 4.0 + 0.5) - 1]) + 1.0 / excess[-1]
    shapes = np.log1p(-slopes[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-slopes / shapes) - shapes - 1.0)
    slope = float(np.exp(profile - logsumexp(profile)) @ slopes)
    return float(np.log1p(-slope * excess).mean())


def polish(
    target: Target, particles: FloatArray, feasible: float, *, draws: int, seed: int, guessed: int = GUESSED
) -> Weighted:
    """Draws from a mixture fitted to particles of the posterior.

    Parameters
    ----------
    target
        Log-likelihoods; the prior is standard normal, restricted to feasible points.
    particles
        Shape [particle, dimension].
    feasible
        Share of the normal prior that is feasible.
    draws
        Number of draws, best a power of two; one batch. Of a target that can be learned so many times as many are
        guessed, and half as many are scored.
    seed
        Key of all random numbers.
    guessed
        How many times as many.
    """
    from scipy.stats import chi2, qmc  # takes as long to import as the rest of SciPy

    dimension = particles.shape[1]
    guess = guess_of(target, particles)
    number = draws if guess is None else guessed * draws
    components = _components(particles, seed)
    sobol = qmc.Sobol(dimension + 2, scramble=True, rng=int(stream(seed, "polish", 0).integers(2**62)))
    uniform = np.clip(sobol.random(number), 2.0**-53, 1.0 - 2.0**-53)
    normal = ndtri(uniform[:, 2:])
    spread = np.sqrt(_FREEDOM / chi2.ppf(uniform[:, 1], _FREEDOM))
    edges = np.cumsum([_PRIOR, *((1.0 - _PRIOR) * share for share, _, _ in components)])
    chosen = np.minimum(np.searchsorted(edges, uniform[:, 0], side="right"), len(components))
    points = normal.copy()
    for index, (_, mean, root) in enumerate(components, start=1):
        mine = chosen == index
        points[mine] = mean + spread[mine, None] * np.einsum("ij,kj->ik", normal[mine], root)
    prior = log_prior(points)
    parts = [np.log(_PRIOR) + prior]
    parts += [
        np.log((1.0 - _PRIOR) * share) + log_student(points, mean, root, _FREEDOM) for share, mean, root in components
    ]
    ratios = prior - logsumexp(parts, axis=0)
    if guess is None:
        return Weighted(points, scores(target, points), ratios, feasible)
    return _of_some(target, points, ratios, guess(points), feasible, solved(draws), seed)


def solved(draws: int) -> int:
    """How many points of a target that can be learned are scored for so many draws."""
    return max(round(_SCORED * draws), 2)


def _of_some(
    target: Target,
    points: FloatArray,
    ratios: FloatArray,
    guessed: FloatArray,
    feasible: float,
    number: int,
    seed: int,
) -> Weighted:
    """Draws that are scored only in part, each with a probability that the guess decides and its weight makes up for.

    Sampling in two phases: C.-E. Särndal and others, Model Assisted Survey Sampling (1992), chapter 9. The evidence is
    the mean of the guess over all draws and of what it errs by over those that are scored; both are without bias
    wherever the guess is finite.
    """
    logs = guessed + ratios
    possible = np.isfinite(logs)
    if not possible.any():
        return Weighted(points, scores(target, points), ratios, feasible)
    wanted = np.zeros(len(points))
    for share, log in ((1.0 - _BY_PRIOR, logs), (_BY_PRIOR, ratios)):
        wanted[possible] += share * np.exp(log[possible] - logsumexp(log[possible]))
    chance = _chances(wanted, min(number, int(possible.sum())))
    edges = np.cumsum(chance) + float(stream(seed, "polish scored", 0).random())
    chosen = np.flatnonzero(np.diff(np.floor(edges), prepend=np.floor(edges[0] - chance[0])) > 0.0)
    found = scores(target, points[chosen])
    kept = ratios[chosen] - np.log(chance[chosen]) + np.log(len(chosen) / len(points))
    scored = np.exp(found.total + ratios[chosen] - (top := float(logs.max())))
    near, all_near = np.exp(logs[chosen] - top), np.exp(logs - top)
    missed = (scored - near) / chance[chosen]
    mean = float(all_near.mean() + missed.sum() / len(points))
    if mean <= 0.0:
        # So poor a guess is worth nothing beside the scored draws themselves.
        return Weighted(points[chosen], found, kept, feasible)
    error = np.sqrt(all_near.var() / len(points) + np.square(missed).sum() / len(points) ** 2) / mean
    return Weighted(points[chosen], found, kept, feasible, (float(np.log(mean)) + top, float(error)))


def _chances(wanted: FloatArray, number: int) -> FloatArray:
    """Probabilities that add up to a number, in proportion to what is wanted as far as they stay below 1."""
    certain = np.zeros(len(wanted), dtype=np.bool_)
    while True:
        rest = float(wanted[~certain].sum())
        chance = np.where(certain, 1.0, wanted * ((number - certain.sum()) / rest if rest > 0.0 else 0.0))
        beyond = (chance > 1.0) & ~certain
        if not beyond.any():
            return chance
        certain |= beyond


def _components(particles: FloatArray, seed: int) -> list[tuple[float, FloatArray, FloatArray]]:
    """Share, mean and root of the scale of each cluster; as many clusters as the Bayesian criterion asks for."""
    from scipy.cluster.vq import kmeans2

    n, dimension = particles.shape
    scale = particles.std(axis=0) + 1e-12
    best: list[tuple[float, FloatArray, FloatArray]] = []
    best_criterion = np.inf
    for count in range(1, _MOST_COMPONENTS + 1):
        if count > 1 and n < count * _LEAST * dimension:
            break
        if count == 1:
            labels = np.zeros(n, dtype=np.int64)
        else:
            _, labels = kmeans2(
                particles / scale, count, minit="++", rng=int(stream(seed, "polish clusters", count).integers(2**62))
            )
        sizes = np.bincount(labels, minlength=count)
        if sizes.min() < _LEAST * dimension:
            continue
        fitted = [_component(particles[labels == index], n) for index in range(count)]
        density = logsumexp(
            [np.log(share) + log_student(particles, mean, root, _FREEDOM) for share, mean, root in fitted], axis=0
        )
        numbers = count * (1 + dimension + dimension * (dimension + 1) / 2) - 1
        criterion = numbers * np.log(n) - 2.0 * float(density.sum())
        if criterion < best_criterion:
            best, best_criterion = fitted, criterion
    return best or [_component(particles, n)]


def _component(points: FloatArray, total: int) -> tuple[float, FloatArray, FloatArray]:
    mean = points.mean(axis=0)
    centered = points - mean
    covariance = np.einsum("ij,ik->jk", centered, centered) / len(points) + 1e-6 * np.eye(points.shape[1])
    return len(points) / total, mean, np.linalg.cholesky(_INFLATION * covariance)
