"""Profile likelihoods of the free numbers of a fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.inference.profiles import profiles
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.posterior import Posterior
from simulate.studies.fitting.problem import Problem

_GRID = np.linspace(-2.0, 2.0, 7)
"""Standard deviations of the prior at which a number is held."""


@dataclass(frozen=True, slots=True)
class Profiled:
    """The profile likelihood of one number."""

    #: As in `Free`.
    name: str
    unit: str
    verdict: str  #: "flat", "one-sided", "bounded" or "split"; as in `Profiles.verdicts`
    #: Ends of what lies within 1.92 of the greatest log-likelihood; None where the prior ends first.
    low: float | None
    high: float | None
    drop: float  #: By how much the log-likelihood falls at the worst value of the grid


def profile(
    problem: Problem,
    posterior: Posterior,
    *,
    names: Sequence[str] | None = None,
    rounds: int = 8,
    threads: int | None = None,
) -> tuple[Profiled, ...]:
    """Profiles of the free numbers of a fit."""
    settings = posterior.settings
    target = Likelihood(problem, settings.patients, settings.places, threads=threads)
    chosen = [index for index, part in enumerate(problem.free) if names is None or part.name in names]
    draws = posterior.points
    found = profiles(
        target,
        draws,
        target(draws).total,
        np.full(len(draws), 1.0 / len(draws)),
        grid=_GRID,
        seed=settings.seed,
        coordinates=chosen,
        rounds=rounds,
    )
    rows = []
    for index, column in enumerate(chosen):
        part = problem.free[column]
        ends = [
            float(part.values(np.array([end]))[0]) if math.isfinite(end) else None for end in found.intervals[index]
        ]
        drop = float(found.maximum - found.values[index].min())
        rows.append(Profiled(part.name, part.unit, found.verdicts[index], ends[0], ends[1], drop))
    return tuple(rows)
