"""Draws of a fit to individual data, on which a run can stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from simulate.cohort.population import Population
from simulate.cohort.transform import Changes
from simulate.errors import InputError, Where, counted
from simulate.inference.thinning import thinned
from simulate.streams import FloatArray, IntArray
from simulate.studies.fitting.posterior import Posterior
from simulate.studies.fitting.priors import Free, of_populations
from simulate.studies.fitting.simulated_trial import changes_of
from simulate.studies.models import find_model, hypothesis_parts


@dataclass(frozen=True, slots=True, eq=False)
class IndividualDraws:
    """Equally likely populations of a model that was fitted to individual data."""

    data: str  #: Name of the data
    free: tuple[Free, ...]  #: What a point says, coordinate by coordinate
    points: FloatArray  #: Shape [draw, coordinate], on the standard normal scale of the prior
    found: str  #: File of the fit
    #: As of `Draws`.
    weakness: str = ""
    options: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str] = "fit"
    is_fitted: ClassVar[bool] = True

    @property
    def standing(self) -> str:
        """For a reader, what they were fitted to."""
        return f" to the individual data {self.data}"

    @property
    def origin(self) -> str:
        weakness = f" ({self.weakness})" if self.weakness else ""
        return f"{counted(len(self.points), 'draw')} of the fit {self.found}{self.standing}{weakness}"

    def changes(self, population: Population, draws: IntArray) -> Changes:
        free = of_populations(self.free, population)
        return changes_of(population, [*free.values()], self.points[:, [*free]], {}).of(draws)


def individual_draws(
    hypothesis: str, fit: Path, posterior: Posterior, wanted: int, *, model: Path | None = None
) -> IndividualDraws:
    """Draws of a fit to individual data, which mean something in the model to which it was fitted and in no other."""
    kept = posterior.individuals
    if kept is None:
        raise InputError(
            "the fit is of the reference model, and the scenario has a model of its own",
            code="fit.model",
            where=Where(file=str(fit)),
            expected="a fit of the same model, which `simulate fit --data` makes",
            advice="leave `fit` out",
        )
    found = find_model(model, hypothesis_parts(hypothesis))
    routes = tuple(route for route in found.routes if kept.routes is None or route.name in kept.routes)
    key = replace(found, routes=routes).key
    if key != kept.model:
        raise InputError(
            f"the fit to the individual data {posterior.evidence} is of another model",
            code="fit.stale",
            where=Where(file=str(fit)),
            found=f"a model with the key {key}",
            expected=f"the key {kept.model}",
            advice="the same model file and hypothesis, with the same numbers; else fit again",
        )
    points = posterior.points[thinned(posterior.points, wanted)]
    return IndividualDraws(posterior.evidence, kept.free, points, str(fit), posterior.diagnostics.weakness)
