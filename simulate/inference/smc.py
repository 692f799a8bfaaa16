"""Tempered sequential Monte Carlo: from the prior to the posterior in a few temperatures, each move one batch.

The scheme is that of N. Chopin, O. Papaspiliopoulos, An Introduction to Sequential Monte Carlo (2020), chapter 17:
temperatures chosen so that the effective sample size halves, systematic resampling, and Metropolis moves whose
proposals follow the particles. All random numbers are keyed by seed, stage and move, so a run that was interrupted
between two stages goes on to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from simulate.errors import NotConverged
from simulate.inference.target import Guess, Scores, Target, guess_of, log_prior, scores
from simulate.streams import FloatArray, IntArray, stream

HALF = 0.5
"""Share of the particles that a temperature step leaves effective."""

_FEWEST_MOVES, _MOST_MOVES = 3, 10
_ENOUGH = 3.0
"""Moves end once every particle has been accepted so often on average."""

_MOST_GUESSED = 28
_GUESSED = 7
"""Moves by a guess between two looks at the target: a palindrome of walks with an independence move in the middle."""

_TRUSTED = 0.5
"""Share of looks at the target that must agree with the guess; with fewer, it is looked at more often."""

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
            return Generation(points, found, 0.0, 0.0, 2.38 / np.sqrt(dimension), particles / tried, ())
    raise NotConverged(
        f"{len(waiting)} of {particles} prior draws are still infeasible after {_MAX_ROUNDS} rounds",
        code="inference.infeasible",
        expected="a prior of which a fair share is feasible",
        advice="look at the conditions of the baseline, and at the priors of the parameters that they name",
    )


def advance(target: Target, before: Generation, seed: int, *, end: float = 1.0) -> Generation:
    """The next temperature, not beyond ``end``: weights, resampling, moves."""
    number = len(before.stages)
    total = before.scores.total
    step = _step(total, end - before.beta)
    beta = end if step >= end - before.beta else before.beta + step
    logs = (beta - before.beta) * total
    gain = float(logsumexp(logs) - np.log(len(logs)))
    weights = np.exp(logs - logsumexp(logs))
    effective = 1.0 / float(np.square(weights).sum())
    mean, root = _moments(before.points, weights)
    ancestors = resampled(weights, len(weights), float(stream(seed, "smc resampling", number).random()))
    points, found = before.points[ancestors], before.scores.rows(ancestors)
    guess = guess_of(target, before.points)
    if guess is not None:
        moved = _guided(target, guess, points, found, beta, before.scale, mean, root, seed, number)
        points, found, scale, accepted, moves = moved
        return _next(before, points, found, beta, gain, scale, effective, moves, accepted, ancestors)
    scale, accepted, moves = before.scale, 0.0, 0
    while moves < _FEWEST_MOVES or (accepted < _ENOUGH and moves < _MOST_MOVES):
        random = stream(seed, f"smc move {number}", moves)
        if moves % 3 == 2:
            points, found, share = _independence(target, points, found, beta, mean, root, random)
        else:
            points, found, share = _walk(target, points, found, beta, scale * root, random)
            scale *= float(np.exp(0.7 * (share - _WANTED)))
        accepted += share
        moves += 1
    return _next(before, points, found, beta, gain, scale, effective, moves, accepted, ancestors)


def _next(
    before: Generation,
    points: FloatArray,
    found: Scores,
    beta: float,
    gain: float,
    scale: float,
    effective: float,
    moves: int,
    accepted: float,
    ancestors: IntArray,
) -> Generation:
    unique = len(np.unique(ancestors)) / len(ancestors)
    stage = Stage(beta, effective, gain, moves, accepted / moves, unique)
    return Generation(points, found, beta, before.log_evidence + gain, scale, before.feasible, (*before.stages, stage))


def _guided(
    target: Target,
    guess: Guess,
    points: FloatArray,
    found: Scores,
    beta: float,
    scale: float,
    mean: FloatArray,
    root: FloatArray,
    seed: int,
    number: int,
) -> tuple[FloatArray, Scores, float, float, int]:
    """Moves by a guess, each series of which is taken or refused as a whole by the target.

    A series is in detailed balance with the posterior of the guess, as it reads the same in both directions; taken with
    the ratio of the target to the guess it is so with the posterior itself (J. S. Liu, Monte Carlo Strategies in
    Scientific Computing (2001), section 9.4.3; with one move it is the delayed acceptance of J. A. Christen, C. Fox,
    J. Comput. Graph. Stat. 14 (2005) 795).

    Returns
    -------
    tuple
        Points, their scores, the scale of the walk, how often each was accepted on average, and the number of moves.
    """
    held = guess(points)
    accepted, moves, series, length = 0.0, 0, 0, _GUESSED
    while moves < _FEWEST_MOVES or (accepted < _ENOUGH and moves < _MOST_GUESSED):
        random = stream(seed, f"smc move {number}", series)
        there, near = points, held
        count, walked = np.zeros(len(points)), []
        for step in range(length):
            is_walk = step != length // 2 if length > 1 else series % 3 != 2
            if is_walk:
                steps = random.standard_normal(points.shape)
                proposed, ratio = there + np.einsum("ij,kj->ik", steps, scale * root), np.zeros(len(points))
            else:
                proposed, ratio = _drawn(there, mean, root, random)
            chances = np.log(random.random(len(points)))
            fresh = guess(proposed)
            with np.errstate(invalid="ignore"):
                change = beta * (fresh - near) + log_prior(proposed) - log_prior(there) + ratio
            taken = chances < change
            there, near = np.where(taken[:, None], proposed, there), np.where(taken, fresh, near)
            count += taken
            walked += [float(taken.mean())] if is_walk else []
        chances = np.log(random.random(len(points)))
        left = np.flatnonzero(count > 0.0)
        looked = scores(target, there[left])
        with np.errstate(invalid="ignore"):
            surprise = beta * ((looked.total - found.total[left]) - (near[left] - held[left]))
        agreed = np.zeros(len(points), dtype=np.bool_)
        agreed[left] = chances[left] < surprise
        everybody = Scores(found.items.copy(), found.feasible.copy())
        everybody.items[left], everybody.feasible[left] = looked.items, looked.feasible
        found = everybody.where(agreed, found)
        points, held = np.where(agreed[:, None], there, points), np.where(agreed, near, held)
        accepted += float((count * agreed).mean())
        moves += length
        series += 1
        if walked:
            scale *= float(np.exp(0.7 * (np.mean(walked) - _WANTED)))
        if agreed.sum() < _TRUSTED * len(left):
            length = max((length - 1) // 2, 1)
    return points, found, scale, accepted, moves


def sample(
    target: Target,
    dimension: int,
    *,
    particles: int,
    seed: int,
    resume: Generation | None = None,
    save: Callable[[Generation], None] | None = None,
) -> Generation:
    """Particles of the posterior.

    Parameters
    ----------
    target
        Log-likelihoods; the prior is standard normal.
    dimension, particles
        Number of coordinates, and of points in a batch.
    seed
        Key of all random numbers.
    resume
        A generation that ``save`` was given in an earlier run with the same arguments; the result has the same bits as
        one without interruption.
    save
        Called with every finished generation.
    """
    generation = begin(target, dimension, particles, seed) if resume is None else resume
    if save is not None and resume is None:
        save(generation)
    while generation.beta < 1.0:
        generation = advance(target, generation, seed)
        if save is not None:
            save(generation)
    return generation


def _step(total: FloatArray, largest: float) -> float:
    """Largest step of the temperature that leaves half of the particles effective."""
    top = float(total.max())
    if not np.isfinite(top):
        raise NotConverged(
            "every particle finds the data impossible",
            code="inference.impossible",
            expected="a prior under which the data can occur",
            advice="look at the items one by one: which of them is minus infinity?",
        )

    def enough(step: float) -> bool:
        weights = np.exp(step * (total - top))
        return float(weights.sum() ** 2 / np.square(weights).sum()) >= HALF * len(total)

    if enough(largest):
        return largest
    low, high = 0.0, largest
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    # Where more than half of the particles are impossible no step keeps half; a small one drops them.
    return low if low > 0.0 else 1e-3 * largest


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
