"""The greatest posterior density, sought by cooling particles until they sit in the optima."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulate.inference.smc import Generation, advance, by, is_at
from simulate.inference.target import Guess, Target, guess_of, scores
from simulate.streams import FloatArray

COLD = 30.0
"""Power of the likelihood at which the search ends."""

_CLOSE = 2.0
"""Log-likelihood within which a point counts as one of the best."""

_REACH = 2.0
"""How far beyond the particles it is sought, in ranges of theirs: what was learned of them may rise there for ever."""

_APART = 1.0
"""Distance in standard deviations of the prior, in any coordinate, at which two points are different optima."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the likelihood is greatest.

    Attributes
    ----------
    point, log_likelihood
        The best point that was found, shape [coordinate], and its log-likelihood.
    distinct
        How many points lie within 2 of it, each apart from all others by a standard deviation of the prior in some
        coordinate: many tell of a ridge or a plain, and not of an estimate.
    """

    point: FloatArray
    log_likelihood: float
    distinct: int


def optimum(target: Target, start: Generation, seed: int, *, starts: int, cold: float = COLD) -> Optimum:
    """Cool the best particles of a posterior.

    Where the target can be learned, they are cooled by what was learned, and scored by the target where they end.

    Parameters
    ----------
    target
        Log-likelihoods.
    start
        Particles, of which the ``starts`` likeliest go on.
    seed
        Key of all random numbers; another than that of the run which gave ``start``.
    cold
        Power of the likelihood at the end.
    """
    chosen = np.argsort(-start.scores.total, kind="stable")[:starts].astype(np.int64)
    guess = guess_of(target, start.points)
    cooled = target if guess is None else by(_where_it_holds(guess, start.points))
    first = start.scores.rows(chosen) if guess is None else scores(cooled, start.points[chosen])
    generation = replace(start, points=start.points[chosen], scores=first, held=first.total)
    while not is_at(generation, cold):
        generation = advance(cooled, generation, seed, end=min(4.0 * generation.beta, cold))
    points = np.concatenate([generation.points, start.points])
    found = generation.scores.total if guess is None else scores(target, generation.points).total
    totals = np.concatenate([found, start.scores.total])
    best = int(np.argmax(totals))
    close = np.argsort(-totals, kind="stable")
    kept: list[FloatArray] = []
    for index in close[totals[close] > totals[best] - _CLOSE]:
        if all(np.abs(points[index] - other).max() > _APART for other in kept):
            kept.append(points[index])
    return Optimum(points[best], float(totals[best]), len(kept))


def _where_it_holds(guess: Guess, learned: FloatArray) -> Guess:
    """A guess within reach of the points that it was learned from, and minus infinity elsewhere."""
    low, high = learned.min(axis=0), learned.max(axis=0)
    reach = _REACH * (high - low)

    def totals(points: FloatArray) -> FloatArray:
        is_near = ((points >= low - reach) & (points <= high + reach)).all(axis=1)
        found = np.full(len(points), -np.inf)
        found[is_near] = guess(points[is_near])
        return found

    return totals
