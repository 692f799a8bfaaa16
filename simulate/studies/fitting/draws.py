"""Draws of what is believed of the free numbers of a hypothesis: of a fit if there is one, and else of the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate import shipped
from simulate.streams import FloatArray
from simulate.studies.fitting.posterior import Posterior, shipped_posterior
from simulate.studies.fitting.reproduction import check_current, is_current, prior_points
from simulate.studies.fitting.trial import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Equally likely populations of a hypothesis.

    Attributes
    ----------
    problem
        The hypothesis, its model and its free numbers.
    points
        Shape [draw, coordinate], on the standard normal scale of the prior.
    is_fitted
        Whether they are of a fit; otherwise they are of the prior.
    places
        Key of the places at which the patients stand.
    """

    problem: Problem
    points: FloatArray
    is_fitted: bool
    places: int

    @property
    def origin(self) -> str:
        """For a reader."""
        return f"{len(self.points)} draws of {'the fit' if self.is_fitted else 'the prior, as there is no fit'}"


def draws_of(
    problem: Problem, wanted: int, *, posterior: Posterior | None = None, seed: int = 1, threads: int | None = None
) -> Draws:
    """Draws of a hypothesis.

    Parameters
    ----------
    problem
        The hypothesis and its trial.
    wanted
        How many; fewer if the fit has kept fewer.
    posterior
        Result of a fit; if not given, the shipped one where there is one of today's numbers, and else the prior.
    seed
        Key of draws of the prior.

    Raises
    ------
    InputError
        ``fit.stale``: the result is of another problem.
    """
    if posterior is not None:
        check_current(problem, posterior)
    found = shipped_fit(problem) if posterior is None else posterior
    if found is None:
        points = prior_points(problem, wanted, purpose="draws: prior", seed=seed, threads=threads)
        return Draws(problem, points, False, 1)
    # Draws that are the same stand beside each other: every so many of them, and not the first.
    count = min(wanted, len(found.points))
    chosen = (np.arange(count) * len(found.points)) // count
    return Draws(problem, found.points[chosen], True, found.settings.places)


def shipped_fit(problem: Problem) -> Posterior | None:
    """Shipped result of the fit of a hypothesis, if there is one and it is of today's numbers."""
    if problem.hypothesis.casefold() not in (known.casefold() for known in shipped.fit_files()):
        return None
    found = shipped_posterior(problem.hypothesis)
    return found if is_current(problem, found) else None
