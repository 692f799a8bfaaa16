"""Importance sampling from a mixture fitted to particles: independent draws, an evidence with an honest error.

The proposal is nine parts Student components in bent coordinates, one for each cluster of particles, and one part
prior; its uniform numbers are a scrambled Sobol set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simulate.inference.smc import log_student, resampled
from simulate.inference.target import Guess, Scores, Target, guess_of, log_prior, scores
from simulate.streams import FloatArray, IntArray, stream
from simulate.sums import logsumexp

_FREEDOM = 20.0
_INFLATION = 1.1
_PRIOR = 0.1
"""Share of the prior in a proposal: it bounds the weights."""

_ENOUGH, _MOST_ROUNDS = 1.5, 5
"""Rounds end once so many times as many draws count by the guess as are to be scored."""

_SCORED = 0.35
"""Draws that are scored for each draw of a round, where others are guessed."""

_BY_PRIOR = 0.2
"""Share of the scored draws that are chosen as the prior would: the path from the prior needs them."""

_BENT, _STRAIGHT = 1000, 0.01
"""Points at most to which bends are fitted, and how strongly these are drawn to none."""

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
        """Shape of the generalized Pareto tail of the weights, see `WORST_TAIL`."""
        return pareto_shape(self.weights)


WORST_TAIL = 0.7
"""Shape of the tail of weights from which they cannot be trusted: A. Vehtari and others, J. Mach. Learn. Res. 25 (2024)
72."""


FEWEST = 50.0
"""Effective draws below which nothing is concluded from them."""


def are_too_few(effective: float, tail: float) -> bool:
    """Whether nothing is to be concluded from draws, by how many count and the shape of the tail of their weights."""
    return tail >= WORST_TAIL or effective < FEWEST


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


def polish(target: Target, particles: FloatArray, feasible: float, *, draws: int, seed: int) -> Weighted:
    """Draws of a posterior, and its evidence.

    Parameters
    ----------
    target
        Log-likelihoods; the prior is standard normal, restricted to feasible points.
    particles
        Shape [particle, dimension].
    feasible
        Share of the normal prior that is feasible.
    draws
        Number of draws of a round, best a power of two. Of a target that can be learned they are guessed, round after
        round until enough of them count, and some of all are scored (`solved`).
    seed
        Key of all random numbers.
    """
    guess = guess_of(target, particles)
    proposal = _proposal(particles, np.full(len(particles), 1.0 / len(particles)), seed)
    if guess is None:
        points = _drawn(proposal, draws, seed, 0)
        return Weighted(points, scores(target, points), log_prior(points) - _log_density(proposal, points), feasible)
    points, ratios, guessed = _guessed(guess, particles, proposal, draws, seed)
    return _of_some(target, points, ratios, guessed, feasible, solved(draws), seed)


def solved(draws: int) -> int:
    """How many points of a target that can be learned are scored for so many draws."""
    return max(round(_SCORED * draws), 2)


def _guessed(
    guess: Guess, particles: FloatArray, proposal: _Proposal, draws: int, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draws of one round after the other, logarithms of prior over proposal, and what is guessed of them.

    Each round's proposal is fitted to the draws so far, and all draws are held against all proposals together (adaptive
    multiple importance sampling: J.-M. Cornuet and others, Scand. J. Stat. 39 (2012) 798). The particles count beside
    them by their number, as what they are of may be a little beside the posterior.
    """
    points, guessed = np.empty((0, particles.shape[1])), np.empty(0)
    densities: list[FloatArray] = []
    proposals: list[_Proposal] = []
    while True:
        fresh = _drawn(proposal, draws, seed, len(proposals))
        densities = [
            np.append(known, _log_density(old, fresh)) for old, known in zip(proposals, densities, strict=True)
        ]
        points, guessed = np.concatenate([points, fresh]), np.append(guessed, guess(fresh))
        proposals.append(proposal)
        densities.append(_log_density(proposal, points))
        ratios = log_prior(points) - logsumexp(densities, axis=0) + np.log(len(proposals))
        logs = guessed + ratios
        if not np.isfinite(logs).any():
            return points, ratios, guessed
        weights = np.exp(logs - logsumexp(logs))
        effective = 1.0 / float(np.square(weights).sum())
        if effective >= _ENOUGH * solved(draws) or len(proposals) == _MOST_ROUNDS:
            return points, ratios, guessed
        pooled = np.concatenate([np.ones(len(particles)), weights * effective])
        proposal = _proposal(np.concatenate([particles, points]), pooled / pooled.sum(), seed)


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


@dataclass(frozen=True, slots=True, eq=False)
class _Proposal:
    """Student components in coordinates that are bent to be nearly normal, and the prior.

    Attributes
    ----------
    bends
        Place, logarithm of the scale, skewness and logarithm of the weight of the tails of each coordinate, shape
        [coordinate, 4].
    components
        Share, mean and root of the scale of each component.
    """

    bends: FloatArray
    components: list[tuple[float, FloatArray, FloatArray]]


def _drawn(proposal: _Proposal, number: int, seed: int, turn: int) -> FloatArray:
    """Draws from a proposal, shape [draw, dimension]."""
    from scipy.stats import chi2, qmc  # takes as long to import as the rest of SciPy

    dimension = len(proposal.bends)
    sobol = qmc.Sobol(dimension + 2, scramble=True, rng=int(stream(seed, "polish", turn).integers(2**62)))
    uniform = np.clip(sobol.random(number), 2.0**-53, 1.0 - 2.0**-53)
    normal = ndtri(uniform[:, 2:])
    spread = np.sqrt(_FREEDOM / chi2.ppf(uniform[:, 1], _FREEDOM))
    edges = np.cumsum([_PRIOR, *((1.0 - _PRIOR) * share for share, _, _ in proposal.components)])
    chosen = np.minimum(np.searchsorted(edges, uniform[:, 0], side="right"), len(proposal.components))
    points = normal.copy()
    for index, (_, mean, root) in enumerate(proposal.components, start=1):
        mine = chosen == index
        straight = mean + spread[mine, None] * np.einsum("ij,kj->ik", normal[mine], root)
        points[mine] = _bent(straight, proposal.bends)
    return points


def _log_density(proposal: _Proposal, points: FloatArray) -> FloatArray:
    """Logarithm of the density of a proposal, shape [point]."""
    straight, logs = _straight(points, proposal.bends)
    parts = [np.log(_PRIOR) + log_prior(points)]
    parts += [
        np.log((1.0 - _PRIOR) * share) + log_student(straight, mean, root, _FREEDOM) + logs.sum(axis=1)
        for share, mean, root in proposal.components
    ]
    density: FloatArray = logsumexp(parts, axis=0)
    return density


def _straight(points: FloatArray, bends: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bent coordinates made straight, and the logarithms of their derivatives, both of the shape of the points.

    The sinh-arcsinh transformation of M. C. Jones, A. Pewsey, Biometrika 96 (2009) 761.
    """
    place, scale, skew, tail = bends.T
    apart = (points - place) / np.exp(scale)
    angle = np.exp(tail) * np.arcsinh(apart) - skew
    return np.sinh(angle), np.log(np.cosh(angle)) + tail - scale - 0.5 * np.log1p(np.square(apart))


def _bent(straight: FloatArray, bends: FloatArray) -> FloatArray:
    place, scale, skew, tail = bends.T
    points: FloatArray = place + np.exp(scale) * np.sinh((np.arcsinh(straight) + skew) / np.exp(tail))
    return points


def _proposal(points: FloatArray, weights: FloatArray, seed: int) -> _Proposal:
    """What is fitted to weighted points: bends, then as many clusters as the Bayesian criterion asks for."""
    dimension = points.shape[1]
    some = points[resampled(weights, min(_BENT, len(points)), 0.5)]
    bends = np.stack([_bend(column) for column in some.T])
    straight, _ = _straight(points, bends)
    n = 1.0 / float(np.square(weights).sum())
    best: list[tuple[float, FloatArray, FloatArray]] = []
    best_criterion = np.inf
    for count in range(1, _MOST_COMPONENTS + 1):
        if count > 1 and n < count * _LEAST * dimension:
            break
        labels = _clusters(straight, weights, count, seed)
        sizes = n * np.bincount(labels, weights, minlength=count)
        if count > 1 and sizes.min() < _LEAST * dimension:
            continue
        fitted = [_component(straight[labels == index], weights[labels == index]) for index in range(count)]
        density = logsumexp(
            [np.log(share) + log_student(straight, mean, root, _FREEDOM) for share, mean, root in fitted], axis=0
        )
        numbers = count * (1 + dimension + dimension * (dimension + 1) / 2) - 1
        criterion = numbers * np.log(n) - 2.0 * n * float(np.einsum("i,i->", weights, density))
        if criterion < best_criterion:
            best, best_criterion = fitted, criterion
    return _Proposal(bends, best)


def _clusters(points: FloatArray, weights: FloatArray, count: int, seed: int) -> IntArray:
    """Cluster of each point, shape [point]."""
    from scipy.cluster.vq import kmeans2, vq

    if count == 1:
        return np.zeros(len(points), dtype=np.int64)
    random = stream(seed, "polish clusters", count)
    some = points[resampled(weights, len(points), 0.5)]
    centers, _ = kmeans2(some, count, minit="++", rng=int(random.integers(2**62)))
    labels, _ = vq(points, centers)
    return labels.astype(np.int64)


def _bend(column: FloatArray) -> FloatArray:
    """The transformation that makes a coordinate nearly normal: the likeliest, weakly drawn to none."""
    from scipy.optimize import minimize

    first = np.array([column.mean(), np.log(column.std() + 1e-6), 0.0, 0.0])

    def cost(bend: FloatArray) -> float:
        straight, logs = _straight(column[:, np.newaxis], bend[np.newaxis])
        return float((0.5 * np.square(straight) - logs).mean() + _STRAIGHT * np.square(bend[2:]).sum())

    room = np.array([3.0 * column.std() + 1e-6, 2.0, 2.0, 1.0])
    bounds = [*zip((first - room).tolist(), (first + room).tolist(), strict=True)]
    found = minimize(cost, first, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-3, "fatol": 1e-6})
    return found.x


def _component(points: FloatArray, weights: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    share = float(weights.sum())
    mean = np.einsum("i,ij->j", weights, points) / share
    centered = points - mean
    covariance = np.einsum("i,ij,ik->jk", weights / share, centered, centered) + 1e-6 * np.eye(points.shape[1])
    return share, mean, np.linalg.cholesky(_INFLATION * covariance)
