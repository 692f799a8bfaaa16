"""Tempered sequential Monte Carlo: from the prior to the posterior in a few temperatures, each move one batch.

The scheme is that of N. Chopin, O. Papaspiliopoulos, An Introduction to Sequential Monte Carlo (2020), chapter 17:
temperatures chosen so that the effective sample size halves, systematic resampling, and Metropolis moves whose
proposals follow the particles. All random numbers are keyed by seed, stage and move, so a run that was interrupted
between two stages goes on to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from simulate.errors import NotConverged
from simulate.inference.target import Guess, Scores, Target, guess_of, log_prior, scores
from simulate.streams import FloatArray, IntArray, stream
from simulate.sums import logsumexp

HALF = 0.5
"""Share of the particles that a temperature step leaves effective."""

_FEWEST_MOVES, _MOST_MOVES, _MOST_GUESSED = 3, 10, 28
_ENOUGH = 3.0
"""Moves end once every particle has been accepted so often on average; by a guess, which is cheap, more are made."""

_MOST_LAST = 3
"""Times that the last temperature is repeated where what was guessed turns out to be too far from the target."""

_WANTED = 0.25
"""Acceptance of the random walk that its scale is steered to."""

_FREEDOM = 5.0
"""Degrees of freedom of the independence proposal."""

_MAX_ROUNDS = 200
"""Redraws of an infeasible particle of the prior."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One temperature step.

    Attributes
    ----------
    beta
        Power of the likelihood after the step.
    effective
        Effective sample size of the weights of the step.
    gain
        Its contribution to the log-evidence.
    moves
        Moves made after it.
    acceptance
        Mean acceptance of these moves.
    unique
        Share of the particles that have different ancestors in this step.
    """

    beta: float
    effective: float
    gain: float
    moves: int
    acceptance: float
    unique: float


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """Particles at one temperature, and how they came there.

    Attributes
    ----------
    points
        Shape [particle, dimension].
    scores
        Log-likelihoods of the particles.
    held
        Log-likelihoods by which they are distributed: these, or those that a guess had of them, shape [particle].
    beta
        Power of the likelihood.
    log_evidence
        Logarithm of the mean of likelihood^beta over the prior.
    scale
        Scale of the random walk.
    feasible
        Share of prior draws that were feasible.
    stages
        Steps so far.
    """

    points: FloatArray
    scores: Scores
    held: FloatArray
    beta: float
    log_evidence: float
    scale: float
    feasible: float
    stages: tuple[Stage, ...]


def begin(target: Target, dimension: int, particles: int, seed: int) -> Generation:
    """Particles of the prior; infeasible ones are redrawn.

    Raises
    ------
    NotConverged
        ``inference.infeasible``: feasible points are too rare to be found by drawing.
    """
    points = np.empty((particles, dimension))
    waiting = np.arange(particles)
    found: Scores | None = None
    tried = 0
    for attempt in range(_MAX_ROUNDS):
        drawn = stream(seed, "smc prior", attempt).standard_normal((particles, dimension))
        points[waiting] = drawn[waiting]
        fresh = scores(target, points[waiting])
        tried += len(waiting)
        if found is None:
            found = fresh
        else:
            found.items[waiting], found.feasible[waiting] = fresh.items, fresh.feasible
        waiting = np.flatnonzero(~found.feasible)
        if not len(waiting):
            return Generation(points, found, found.total, 0.0, 0.0, 2.38 / np.sqrt(dimension), particles / tried, ())
    raise NotConverged(
        f"{len(waiting)} of {particles} prior draws are still infeasible after {_MAX_ROUNDS} rounds",
        code="inference.infeasible",
        expected="a prior of which a fair share is feasible",
        advice="look at the conditions of the baseline, and at the priors of the parameters that they name",
    )


def advance(target: Target, before: Generation, seed: int, *, end: float = 1.0) -> Generation:
    """The next temperature, not beyond ``end``: weights, resampling, moves.

    Of a target that can be learned, particles move by what was learned from where they were, and are scored by the
    target where they end: of each particle one score a temperature. They are then distributed as the guess has it, and
    the weights of the next step make up for what it errs by.
    """
    number = len(before.stages)
    guess = guess_of(target, before.points)
    near = before.scores.total if guess is None else guess(before.points)
    beta = _next_beta(near, before, end)
    logs = _powered(near, beta) - _powered(before.held, before.beta)
    weights = np.exp(logs - logsumexp(logs))
    effective = 1.0 / float(np.square(weights).sum())
    owed = _owed(before)
    gain = float(logsumexp(owed + _powered(before.scores.total, beta - before.beta)) - logsumexp(owed))
    mean, root = _moments(before.points, weights)
    ancestors = resampled(weights, len(weights), float(stream(seed, "smc resampling", number).random()))
    points = before.points[ancestors]
    found = before.scores.rows(ancestors) if guess is None else _alone(near[ancestors])
    mover = target if guess is None else by(guess)
    most = _MOST_MOVES if guess is None else _MOST_GUESSED
    scale, accepted, moves = before.scale, 0.0, 0
    while moves < _FEWEST_MOVES or (accepted < _ENOUGH and moves < most):
        random = stream(seed, f"smc move {number}", moves)
        if moves % 3 == 2:
            points, found, share = _independence(mover, points, found, beta, mean, root, random)
        else:
            points, found, share = _walk(mover, points, found, beta, scale * root, random)
            scale *= float(np.exp(0.7 * (share - _WANTED)))
        accepted += share
        moves += 1
    unique = len(np.unique(ancestors)) / len(ancestors)
    stage = Stage(beta, effective, gain, moves, accepted / moves, unique)
    looked = found if guess is None else scores(target, points)
    after = Generation(
        points,
        looked,
        found.total,
        beta,
        before.log_evidence + gain,
        scale,
        before.feasible,
        (*before.stages, stage),
    )
    return _settled(after, end, seed)


def is_at(generation: Generation, end: float) -> bool:
    """Whether particles have come to a temperature, and are distributed as the target has it."""
    return generation.beta >= end and np.array_equal(generation.held, generation.scores.total)


def by(guess: Guess) -> Target:
    """A guess as a target of its own."""
    return lambda points: _alone(guess(points))


def _alone(totals: FloatArray) -> Scores:
    """Log-likelihoods as those of a single datum."""
    feasible = np.isfinite(totals)
    return Scores(np.where(feasible, totals, -np.inf)[:, np.newaxis], feasible)


def _powered(logs: FloatArray, power: float) -> FloatArray:
    """Logarithms of powers: that of zero to the power of zero is zero."""
    return power * logs if power > 0.0 else np.zeros(len(logs))


def _owed(generation: Generation) -> FloatArray:
    """Logarithms of the weights that make particles of a guess those of the target."""
    if np.array_equal(generation.held, generation.scores.total):
        return np.zeros(len(generation.held))
    return _powered(generation.scores.total, generation.beta) - _powered(generation.held, generation.beta)


def _settled(generation: Generation, end: float, seed: int) -> Generation:
    """At the last temperature: particles resampled by what they owe, where enough of them count."""
    if generation.beta < end or is_at(generation, end):
        return generation
    repeats = sum(stage.beta >= end for stage in generation.stages)
    owed = _owed(generation)
    if not np.isfinite(owed).any():
        return generation
    weights = np.exp(owed - logsumexp(owed))
    if np.square(weights).sum() * len(weights) * HALF > 1.0 and repeats < _MOST_LAST:
        return generation
    offset = float(stream(seed, "smc settling", repeats).random())
    chosen = resampled(weights, len(weights), offset)
    found = generation.scores.rows(chosen)
    return replace(generation, points=generation.points[chosen], scores=found, held=found.total)


def sample(target: Target, dimension: int, *, particles: int, seed: int) -> Generation:
    """Particles of the posterior; ``target`` has the log-likelihoods, and the prior is standard normal."""
    generation = begin(target, dimension, particles, seed)
    while not is_at(generation, 1.0):
        generation = advance(target, generation, seed)
    return generation


def _next_beta(near: FloatArray, before: Generation, end: float) -> float:
    """Largest power, not beyond the end, that leaves half of the particles effective."""
    top = float(near.max())
    if not np.isfinite(top):
        raise NotConverged(
            "every particle finds the data impossible",
            code="inference.impossible",
            expected="a prior under which the data can occur",
            advice="look at the items one by one: which of them is minus infinity?",
        )
    distributed = _powered(before.held, before.beta)

    def enough(beta: float) -> bool:
        logs = _powered(near, beta) - distributed
        weights = np.exp(logs - logs.max())
        return float(weights.sum() ** 2 / np.square(weights).sum()) >= HALF * len(near)

    if enough(end):
        return end
    low, high = before.beta, end
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    # Where more than half of the particles are impossible no step keeps half; a small one drops them.
    return low if low > before.beta else before.beta + 1e-3 * (end - before.beta)


def _moments(points: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean, and Cholesky factor of the covariance, of weighted points; sums in fixed order."""
    mean = np.einsum("i,ij->j", weights, points)
    centered = points - mean
    covariance = np.einsum("i,ij,ik->jk", weights, centered, centered)
    # A direction in which the particles have collapsed must stay open.
    covariance += 1e-6 * np.eye(points.shape[1])
    return mean, np.linalg.cholesky(covariance)


def resampled(weights: FloatArray, number: int, offset: float) -> IntArray:
    """Systematic sample of indices in proportion to weights, shape [number]; ``offset`` lies between 0 and 1."""
    edges = np.cumsum(weights)
    places = (np.arange(number) + offset) / number * edges[-1]
    ancestors = np.searchsorted(edges, places, side="right")
    kept: IntArray = np.minimum(ancestors, len(weights) - 1).astype(np.int64)
    return kept


def _walk(
    target: Target, points: FloatArray, found: Scores, beta: float, root: FloatArray, random: np.random.Generator
) -> tuple[FloatArray, Scores, float]:
    steps = random.standard_normal(points.shape)
    chances = np.log(random.random(len(points)))
    proposed = points + np.einsum("ij,kj->ik", steps, root)
    return _accepted(target, points, found, beta, proposed, np.zeros(len(points)), chances)


def _independence(
    target: Target,
    points: FloatArray,
    found: Scores,
    beta: float,
    mean: FloatArray,
    root: FloatArray,
    random: np.random.Generator,
) -> tuple[FloatArray, Scores, float]:
    proposed, ratio = _drawn(points, mean, root, random)
    chances = np.log(random.random(len(points)))
    return _accepted(target, points, found, beta, proposed, ratio, chances)


def _drawn(
    points: FloatArray, mean: FloatArray, root: FloatArray, random: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Points that do not depend on where one is, and the logarithms of the ratio of the proposals there and back."""
    normal = random.standard_normal(points.shape)
    spread = np.sqrt(_FREEDOM / random.chisquare(_FREEDOM, len(points)))
    proposed = mean + spread[:, None] * np.einsum("ij,kj->ik", normal, root)
    return proposed, log_student(points, mean, root, _FREEDOM) - log_student(proposed, mean, root, _FREEDOM)


def _accepted(
    target: Target,
    points: FloatArray,
    found: Scores,
    beta: float,
    proposed: FloatArray,
    ratio: FloatArray,
    chances: FloatArray,
) -> tuple[FloatArray, Scores, float]:
    fresh = scores(target, proposed)
    change = beta * (fresh.total - found.total) + log_prior(proposed) - log_prior(points) + ratio
    taken = chances < change
    return np.where(taken[:, None], proposed, points), fresh.where(taken, found), float(taken.mean())


def log_student(points: FloatArray, mean: FloatArray, root: FloatArray, freedom: float) -> FloatArray:
    """Logarithm of the multivariate Student density, shape [point]; ``root`` is the Cholesky factor of its scale."""
    dimension = len(mean)
    standard = np.linalg.solve(root, (points - mean).T)
    square = np.square(standard).sum(axis=0)
    constant = (
        gammaln(0.5 * (freedom + dimension))
        - gammaln(0.5 * freedom)
        - 0.5 * dimension * np.log(freedom * np.pi)
        - np.log(np.diag(root)).sum()
    )
    density: FloatArray = constant - 0.5 * (freedom + dimension) * np.log1p(square / freedom)
    return density
