"""The best point, from many starts at once: the posterior is cooled until its particles sit in the optima."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulate.inference.smc import Generation, advance
from simulate.inference.target import Target
from simulate.streams import FloatArray

COLD = 30.0
"""Power of the likelihood at which the search ends."""

_CLOSE = 2.0
"""Log-likelihood within which a point counts as one of the best."""

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
    generation = replace(start, points=start.points[chosen], scores=start.scores.rows(chosen))
    while generation.beta < cold:
        generation = advance(target, generation, seed, end=min(4.0 * generation.beta, cold))
    points = np.concatenate([generation.points, start.points])
    totals = np.concatenate([generation.scores.total, start.scores.total])
    best = int(np.argmax(totals))
    close = np.argsort(-totals, kind="stable")
    kept: list[FloatArray] = []
    for index in close[totals[close] > totals[best] - _CLOSE]:
        if all(np.abs(points[index] - other).max() > _APART for other in kept):
            kept.append(points[index])
    return Optimum(points[best], float(totals[best]), len(kept))
