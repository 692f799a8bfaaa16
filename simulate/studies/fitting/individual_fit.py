"""A fit to individual data: the same samplers as for what was reported, another likelihood."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulate.errors import NotConverged, counted
from simulate.inference import diagnostics, polish
from simulate.inference.smc import Generation
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.fitting.individual import IndividualProblem
from simulate.studies.fitting.individual_likelihood import (
    IndividualLikelihood,
    LearnedIndividualLikelihood,
    log_densities,
)
from simulate.studies.fitting.individual_readings import FINE
from simulate.studies.fitting.posterior import FittedPatient, Individuals, Posterior, Settings
from simulate.studies.fitting.sampling import posterior_of, sampled, some_of, with_other_places
from simulate.trials.individual import PRIOR
from simulate.watching import Headway, Report

FEWEST = 10.0
"""Effective number of virtual patients that every real one has, at the best point and in 19 of 20 draws; with fewer,
the log-likelihood of a patient errs by about a third or more, and a fit is refused."""

_ALGORITHM = "individual, moves by what was learned 2"
_FINER = Tolerance(FINE.rtol / 100.0)


def fit_individuals(
    problem: IndividualProblem,
    settings: Settings | None = None,
    *,
    folder: Path | None = None,
    threads: int | None = None,
    report: Report | None = None,
) -> Posterior:
    """Fit a model to individual data; arguments and result as for `simulate.studies.fitting.fit.fit`.

    ``patients`` and ``final_patients`` of the settings are virtual patients of each real one. Items of the result are
    the patients.
    """
    chosen = Settings() if settings is None else settings
    tell = report or (lambda line: None)
    check_readings(problem, threads=threads)
    coarse, final = (
        LearnedIndividualLikelihood(problem, virtual, chosen.places, threads=threads)
        for virtual in (chosen.patients, chosen.final_patients)
    )

    def begun(generation: Generation) -> None:
        # Before hours are spent: what is refused at the end is refused here.
        _check_effective(problem, chosen, generation.points[[int(np.argmax(generation.scores.total))]], threads)

    last = polish.solved(chosen.draws)
    found = sampled(problem, chosen, coarse, final, _ALGORITHM, folder, tell, last=last, begun=begun)
    points, items, best = found.points, found.items, found.best.point
    at_best = _check_effective(problem, chosen, best[np.newaxis], threads)[0]
    in_draws = _check_effective(problem, chosen, points[some_of(len(points))], threads)
    tell(Headway("errors of the evidence: other virtual patients, a finer solver"))
    sets, moved = with_other_places(
        found,
        lambda places: IndividualLikelihood(problem, chosen.final_patients, places, threads=threads),
    )
    few = some_of(len(points))
    finer = IndividualLikelihood(problem, chosen.final_patients, chosen.places, _FINER, threads)(points[few]).total
    patients = tuple(
        FittedPatient(patient.name, len(patient.values), float(at_best[column]), float(least))
        for column, (patient, least) in enumerate(
            zip(problem.patients, np.quantile(in_draws, 0.05, axis=0), strict=True)
        )
    )
    return posterior_of(
        found,
        evidence=problem.name,
        items=[f"patient {patient.name}" for patient in problem.patients],
        sets=sets,
        set_items=np.stack([other.items.mean(axis=0) for other in moved]),
        solver_error=float(np.abs(finer - items[few].sum(axis=1)).max()),
        refused=float(final.look(points[few]).refused.mean()),
        readings=tuple(column[:, np.newaxis] for column in np.maximum(items, diagnostics.LEAST).T),
        individuals=Individuals(
            problem.model_key,
            problem.average,
            problem.free,
            tuple(best.tolist()),
            patients,
            tuple(route.name for route in problem.routes),
        ),
    )


def check_readings(problem: IndividualProblem, *, threads: int | None = None) -> None:
    """Refuse readings that no noise can explain, as the model has nothing there: a level before the first dose, say."""
    likelihood = IndividualLikelihood(problem, 1, 1, threads=threads)
    middle = np.zeros((1, problem.dimension))
    noises = problem.noises(middle)
    for patient in problem.patients:
        level = likelihood.typical(patient, middle)
        density = log_densities(patient, noises, level)[0, 0]
        for number, row in enumerate(patient.rows):
            part = problem.readings[int(patient.readings[number])]
            has_additive = any(kind == "additive" for kind, _ in part.noises)
            if not has_additive and level[0, 0, number] == 0.0 and not np.isfinite(density[number]):
                raise row.cell.error(
                    f"the model has no `{part.quantity}` then, and noise in proportion to it is nothing",
                    "data.noise",
                    expected="readings after something was given, or a noise that is not in proportion",
                    advice="leave the reading out, or give the noise an `additive` part",
                )


def _check_effective(
    problem: IndividualProblem, settings: Settings, points: FloatArray, threads: int | None
) -> FloatArray:
    """Effective numbers of virtual patients, shape [point, patient]."""
    likelihood = IndividualLikelihood(problem, settings.final_patients, settings.places, threads=threads)
    found = likelihood.look(points).effective
    low = np.quantile(found, 0.05, axis=0)
    worst = int(np.argmin(low))
    if low[worst] < FEWEST:
        patient = problem.patients[worst]
        raise NotConverged(
            f"the likelihood of patient `{patient.name}` hangs on {low[worst]:.1f} of {settings.final_patients} "
            "virtual patients",
            code="fit.effective",
            found=f"{counted(len(patient.values), 'reading')}; {int((low < FEWEST).sum())} of "
            f"{len(problem.patients)} patients "
            f"have fewer than {FEWEST:g} effective virtual patients",
            expected=f"at least {FEWEST:g} for each",
            advice='`average = "mode"`, which puts them where the patient is likely to be; or more `--final-patients`'
            if problem.average == PRIOR
            else "more `--final-patients`, a larger noise, or fewer readings of a patient",
        )
    return found
