"""Draws of the posterior of an estimation problem.

The samplers are those of all fits: tempered particles from the prior, in runs from different seeds, then importance
sampling from what is fitted to them (`simulate.studies.fitting.sampling`). A parameter without a prior is uniform on
its scale between its bounds. A point whose model cannot be solved counts as impossible.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from simulate.errors import InputError, NumericalError, counted
from simulate.inference import diagnostics
from simulate.inference.polish import are_too_few
from simulate.inference.target import Scores
from simulate.solver.kernel import FloatArray
from simulate.studies.fitting.posterior import Estimate, Settings
from simulate.studies.fitting.remaining import Remaining
from simulate.studies.fitting.sampling import (
    PointCount,
    estimates_of,
    generations_of,
    kept_of,
    polished,
    prior_of,
    r_hat_of,
    warnings_of_draws,
)
from simulate.studies.petab.objective import Objective, scaled
from simulate.studies.petab.outcomes import ProblemPosterior
from simulate.studies.petab.priors import believed
from simulate.watching import Headway

_SHARES = (0.05, 0.5, 0.95)


class PriorTarget:
    """The likelihood of a problem at standard normal places of its priors."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.asked = PointCount()

    def values(self, places: FloatArray) -> FloatArray:
        """Values of the parameters, not on their scales, shape [place, parameter]."""
        estimated = self._objective.problem.estimated
        return np.stack([believed(one, places[:, column]) for column, one in enumerate(estimated)], axis=1)

    def __call__(self, points: FloatArray) -> Scores:
        """Log-likelihoods; infeasible where the model cannot be solved."""
        found = np.array(self._of(points))
        self.asked.points += len(points)
        self.asked.unresolved += int(np.isneginf(found).sum())
        return Scores(found[:, np.newaxis], np.isfinite(found))

    def _of(self, points: FloatArray) -> list[float]:
        scales = [one.scale for one in self._objective.problem.estimated]
        places = [
            [scaled(float(value), scale) for value, scale in zip(row, scales, strict=True)]
            for row in self.values(points)
        ]
        return [
            -math.inf
            if isinstance(found, NumericalError) or not math.isfinite(found.log_likelihood)
            else found.log_likelihood
            for found in self._objective.many(np.array(places))
        ]


def sample_problem(
    objective: Objective, settings: Settings, told: Callable[[str], None] | None = None
) -> ProblemPosterior:
    """Draws of the posterior of a problem.

    Parameters
    ----------
    objective
        The objective.
    settings
        Particles, runs, draws and seed.
    told
        Called with a line about what is being done.

    Raises
    ------
    InputError
        ``petab.nothing``: no parameter is sought. ``petab.prior``: a prior has nothing between the bounds.
    NotConverged
        The model can be solved in too little of the prior, or the measurements are impossible under it.
    """
    estimated = objective.problem.estimated
    if not estimated:
        raise InputError("no parameter of the problem is to be estimated", code="petab.nothing")
    tell = told or (lambda line: None)
    target = PriorTarget(objective)
    remaining = Remaining(settings)
    chains = [
        generations_of(len(estimated), settings, target, "", number, None, tell, remaining)
        for number in range(settings.runs)
    ]
    feasible = float(np.mean([chain[-1].feasible for chain in chains]))
    tell(Headway(counted(settings.draws, "draw")))
    weighted = polished(target, np.concatenate([chain[-1].points for chain in chains]), feasible, settings, tell)
    r_hat = r_hat_of(chains)
    is_told = not are_too_few(weighted.effective, weighted.tail)
    kept = kept_of(weighted, settings.kept if is_told else 0, settings.seed, "petab draws")
    estimates: tuple[Estimate, ...] = ()
    if is_told:
        prior = prior_of(chains, feasible, len(estimated), settings.seed)
        learned = diagnostics.learned(weighted.points, weighted.weights, prior)
        words = ((one.id, one.name, "", "sought") for one in estimated)
        estimates = estimates_of(words, learned, np.quantile(prior, _SHARES, axis=0), target.values)
    return ProblemPosterior(
        estimates=estimates,
        names=tuple(one.id for one in estimated),
        draws=target.values(weighted.points[kept]),
        log_likelihoods=weighted.scores.total[kept],
        # The samplers have the mean over what can be solved; what cannot has a likelihood of 0.
        log_evidence=weighted.log_evidence + math.log(feasible),
        error=weighted.error,
        effective=weighted.effective,
        tail=weighted.tail,
        r_hat=r_hat,
        impossible=1.0 - feasible,
        evaluations=target.asked.points,
        warnings=warnings_of_draws(r_hat, weighted.effective, weighted.tail),
    )
