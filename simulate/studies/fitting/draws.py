"""Draws of what is believed of the free numbers of a hypothesis: of a fit if there is one, and else of the prior."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simulate.cohort.population import Population
from simulate.cohort.transform import Changes
from simulate.errors import InputError, Where, counted
from simulate.inference.thinning import thinned
from simulate.streams import FloatArray, IntArray, stream
from simulate.studies.fitting.keys import check_current
from simulate.studies.fitting.known_fits import MADE, Fit, known_fit, passed_over
from simulate.studies.fitting.named_evidence import DEFAULT, evidence_for, evidence_name
from simulate.studies.fitting.posterior import read_posterior
from simulate.studies.fitting.priors import of_populations
from simulate.studies.fitting.problem import Problem, problem_for
from simulate.studies.fitting.simulated_trial import changes_at, feasible_at
from simulate.studies.scenario import PRIOR, SHIPPED, TYPICAL


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Equally likely populations of a hypothesis."""

    problem: Problem  #: The hypothesis, its model and its free numbers
    points: FloatArray  #: Shape [draw, coordinate], on the standard normal scale of the prior
    is_fitted: bool  #: Whether they are of a fit; otherwise they are of the prior
    places: int  #: Key of the places at which the patients stand
    fitted_to: str = ""  #: Trial to which they were fitted, if that is not the problem's own; otherwise empty
    found: str = ""  #: File of the fit where it is not the one that ships; otherwise empty
    #: Why nothing can be concluded from the fit, or why the prior stands in place of one that is there; else empty.
    weakness: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """Options that the model has beside those that a scenario names."""
        return self.problem.options

    @property
    def origin(self) -> str:
        if not self.problem.free:
            return "the parameters of the tables"
        of = f"the fit {self.found}".rstrip() if self.is_fitted else "the prior"
        weakness = f" ({self.weakness})" if self.weakness else ""
        return f"{counted(len(self.points), 'draw')} of {of}{self.standing if self.is_fitted else ''}{weakness}"

    @property
    def standing(self) -> str:
        """For a reader, to which trial or on which evidence, where that is not the problem's own or the default."""
        if self.fitted_to:
            return f" to {self.fitted_to}"
        name = evidence_name(self.problem)
        return "" if name == DEFAULT else f" to the evidence {name}"

    @property
    def name(self) -> str:
        """What they are draws of, in a word; ``typical`` where nothing is free and all is as the tables have it."""
        return TYPICAL if not self.problem.free else "fit" if self.is_fitted else PRIOR

    def changes(self, population: Population, draws: IntArray) -> Changes:
        """In what the populations of draws differ from one of the same parameters."""
        free = of_populations(self.problem.free, population)
        problem = replace(self.problem, population=population, free=tuple(free.values()))
        return changes_at(problem, self.points[:, [*free]]).of(draws)


def draws_of(
    problem: Problem, wanted: int, *, fit: Fit | None = None, seed: int = 1, threads: int | None = None
) -> Draws:
    """Draws of a hypothesis: of a fit, if not given the one that ships or lies in the folder of fits, or of the prior.

    They are as many as wanted, or as the fit has kept, and chosen to be spread as all of these are (`thinned`). A trial
    that reported nothing has the draws of the shipped trial, as `draws_elsewhere`.
    """
    if not problem.data:
        base = draws_of(problem_for(problem.hypothesis), wanted, fit=fit, seed=seed, threads=threads)
        return draws_elsewhere(base, problem, seed=seed)
    if fit is not None:
        check_current(problem, fit.posterior)
    known = known_fit(problem) if fit is None else fit
    if known is None:
        return replace(prior_draws(problem, wanted, seed=seed, threads=threads), weakness=passed_over(problem))
    result = known.posterior
    found = "" if known.source in (SHIPPED, MADE) else known.source
    points = result.points[thinned(result.points, wanted)]
    weakness = result.diagnostics.weakness
    return Draws(problem, points, True, result.settings.places, found=found, weakness=weakness)


def draws_elsewhere(draws: Draws, problem: Problem, *, seed: int = 1) -> Draws:
    """The same populations in another trial; numbers that only that trial needs are of their prior."""
    known = {part.name: column for column, part in enumerate(draws.problem.free)}
    columns = [
        draws.points[:, known[part.name]]
        if part.name in known
        else stream(seed, f"draws elsewhere: {part.name}", 0).standard_normal(len(draws.points))
        for part in problem.free
    ]
    points = np.stack(columns, axis=-1) if columns else np.empty((len(draws.points), 0))
    fitted_to = draws.fitted_to or draws.problem.trial.name
    return replace(draws, problem=problem, points=points, fitted_to=fitted_to)


ALL = 2048
"""As many draws as a fit can have kept, and as many of the prior as are shown in their place."""


def draws_named(hypothesis: str, fit: str | Path, wanted: int = ALL) -> Draws:
    """Draws of a hypothesis by what a user calls them: ``shipped``, ``prior``, or the result of a fit.

    ``shipped`` is the fit that ships or lies in the folder of fits, or the prior where there is neither.
    """
    if fit == PRIOR:
        return prior_draws(problem_for(hypothesis), wanted)
    if fit == SHIPPED:
        return draws_of(problem_for(hypothesis), wanted)
    posterior = read_posterior(fit)
    if posterior.individuals is not None:
        raise InputError(
            "the fit is to individual data, and a fit to what was reported is needed",
            code="fit.individual",
            where=Where(file=str(fit)),
            expected="a fit of `simulate fit` without `--data`",
            advice=f"`simulate run anakinra-100mg-daily --hypothesis {hypothesis} --fit {fit}` takes either",
        )
    problem = evidence_for(hypothesis, posterior.evidence)
    return draws_of(problem, wanted, fit=Fit(problem, posterior, str(fit)))


def prior_draws(problem: Problem, wanted: int, *, seed: int = 1, threads: int | None = None) -> Draws:
    """Draws of what is believed of a hypothesis before any fit; arguments as for `draws_of`."""
    points = prior_points(problem, max(wanted, _POOL), purpose="draws: prior", seed=seed, threads=threads)
    return Draws(problem, points[thinned(points, wanted)], False, 1)


_POOL = 256
"""Draws of the prior among which a few are chosen: as many as the fits that ship have kept."""

_ROUNDS = 20


def prior_points(
    problem: Problem, wanted: int, *, purpose: str, seed: int, places: int = 1, threads: int | None = None
) -> FloatArray:
    """Points of the prior, shape [point, coordinate], redrawn where too many of their patients have no baseline."""
    points = np.empty((wanted, problem.dimension))
    waiting = np.arange(wanted)
    for attempt in range(_ROUNDS):
        drawn = stream(seed, purpose, attempt).standard_normal(points.shape)
        points[waiting] = drawn[waiting]
        feasible = [
            feasible_at(part, points[waiting], patients=8, seed=places, threads=threads) for part in problem.parts
        ]
        waiting = waiting[~np.all(feasible, axis=0)]
        if not len(waiting):
            break
    return points
