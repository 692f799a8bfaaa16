"""A fit to individual data: the same samplers as for what was reported, another likelihood."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from simulate.errors import NotConverged
from simulate.files import content_hash
from simulate.inference import diagnostics, polish, search
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.fitting.fit import fit_key
from simulate.studies.fitting.individual import IndividualProblem
from simulate.studies.fitting.marginal import IndividualLikelihood, LearnedIndividualLikelihood
from simulate.studies.fitting.noise import log_densities
from simulate.studies.fitting.posterior import Diagnostics, FittedPatient, Individuals, Posterior, Settings, Support
from simulate.studies.fitting.remaining import Remaining
from simulate.studies.fitting.sampling import (
    Report,
    check_resolved,
    estimates_of,
    generations_of,
    informed_directions,
    kept_of,
    polished,
    prior_of,
    some_of,
    warnings_of,
)
from simulate.studies.fitting.virtual import FINE
from simulate.trials.individual import PRIOR

FEWEST = 10.0
"""Effective number of virtual patients that every real one has, at the best point and in 19 of 20 draws; with fewer,
the log-likelihood of a patient errs by about a third or more, and a fit is refused."""

_ALGORITHM = "individual, moves by what was learned 2"
_PATIENT_SETS = 5
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

    Raises
    ------
    InputError
        ``inference.checkpoint``; ``data.noise``: a reading whose noise is nothing, as the model has nothing there.
    NotConverged
        ``fit.effective``: the likelihood of a patient hangs on too few virtual patients. ``fit.unresolved``,
        ``inference.*``.
    """
    chosen = Settings() if settings is None else settings
    tell = report or (lambda line: None)
    check_readings(problem, threads=threads)
    key = fit_key(problem, chosen)
    coarse = LearnedIndividualLikelihood(problem, chosen.patients, chosen.places, threads=threads)
    remaining = Remaining(chosen, polish.solved(chosen.draws))
    chains = []
    for number in range(chosen.runs):
        generations_key = content_hash(_ALGORITHM, key)
        chains.append(
            generations_of(problem.dimension, chosen, coarse, generations_key, number, folder, tell, remaining)
        )
        if number == 0:
            # Before hours are spent: what is refused at the end is refused here.
            last = chains[0][-1]
            _check_effective(problem, chosen, last.points[[int(np.argmax(last.scores.total))]], threads)
    particles = np.concatenate([chain[-1].points for chain in chains])
    feasible = float(np.mean([chain[-1].feasible for chain in chains]))
    tell("searching the best point from the likeliest particles")
    best = search.optimum(coarse, chains[0][-1], chosen.seed + 1_000, starts=min(48, chosen.particles))
    final = LearnedIndividualLikelihood(problem, chosen.final_patients, chosen.places, threads=threads)
    weighted = polished(final, particles, feasible, chosen, tell)
    unresolved = check_resolved(coarse.asked, final.asked)
    kept = kept_of(weighted, chosen.kept, chosen.seed, "fit draws")
    points, items = weighted.points[kept], weighted.scores.items[kept]
    at_best = _check_effective(problem, chosen, best.point[np.newaxis], threads)[0]
    in_draws = _check_effective(problem, chosen, points[some_of(len(points))], threads)
    tell("errors of the evidence: other virtual patients, a finer solver")
    sets, set_items = _other_sets(problem, chosen, points, items, threads)
    few = some_of(len(points))
    finer = IndividualLikelihood(problem, chosen.final_patients, chosen.places, _FINER, threads)(points[few]).total
    solver_error = float(np.abs(finer - items[few].sum(axis=1)).max())
    errors = (weighted.error, float(np.std([0.0, *sets], ddof=1)), solver_error)
    prior = prior_of(chains, feasible, problem.dimension, chosen.seed)
    learned = diagnostics.learned(weighted.points, weighted.weights, prior)
    shares, share_errors = diagnostics.path_shares(weighted)
    checks = Diagnostics(
        r_hat=float(diagnostics.rank_normalized_r_hat([chain[-1].points for chain in chains]).max())
        if chosen.runs > 1
        else None,
        effective=weighted.effective,
        tail=weighted.tail,
        log_evidences=(*(chain[-1].log_evidence for chain in chains), weighted.log_evidence),
        unresolved=unresolved,
        refused=float(final.look(points[few]).refused.mean()),
        informed_directions=informed_directions(weighted, prior),
        stages=tuple((stage.beta, stage.effective, stage.moves, stage.acceptance) for stage in chains[0][-1].stages),
        optimum=best.log_likelihood,
        distinct=best.distinct,
        warnings=(),
    )
    patients = tuple(
        FittedPatient(patient.name, len(patient.values), float(at_best[column]), float(least))
        for column, (patient, least) in enumerate(
            zip(problem.patients, np.quantile(in_draws, 0.05, axis=0), strict=True)
        )
    )
    return Posterior(
        hypothesis=problem.hypothesis,
        evidence=problem.name,
        key=key,
        settings=chosen,
        estimates=estimates_of(problem.free, learned, prior),
        diagnostics=dataclasses.replace(checks, warnings=warnings_of(checks, errors)),
        log_evidence=weighted.log_evidence,
        errors=errors,
        points=points,
        items=tuple(f"patient {patient.name}" for patient in problem.patients),
        log_likelihoods=items,
        shares=shares,
        support=Support(
            feasible=feasible,
            sets=sets,
            set_items=set_items,
            share_errors=share_errors,
            readings=tuple(column[:, np.newaxis] for column in np.maximum(items, diagnostics.LEAST).T),
            tails=(),
        ),
        individuals=Individuals(problem.model.key, problem.average, problem.free, tuple(best.point.tolist()), patients),
    )


def check_readings(problem: IndividualProblem, *, threads: int | None = None) -> None:
    """Refuse readings that no noise can explain, as the model has nothing there: a level before the first dose, say.

    Raises
    ------
    InputError
        ``data.noise``.
    """
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
    """Effective numbers of virtual patients, shape [point, patient].

    Raises
    ------
    NotConverged
        ``fit.effective``: in more than one of twenty points somebody has too few.
    """
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
            found=f"{len(patient.values)} readings; {int((low < FEWEST).sum())} of {len(problem.patients)} patients "
            f"have fewer than {FEWEST:g} effective virtual patients",
            expected=f"at least {FEWEST:g} for each",
            advice='`average = "mode"`, which puts them where the patient is likely to be; or more `--final-patients`'
            if problem.average == PRIOR
            else "more `--final-patients`, a larger noise, or fewer readings of a patient",
        )
    return found


def _other_sets(
    problem: IndividualProblem, settings: Settings, points: FloatArray, items: FloatArray, threads: int | None
) -> tuple[FloatArray, FloatArray]:
    """Change of the log-evidence, shape [set], and of the mean of each patient, [set, patient], with other places."""
    some = some_of(len(points))
    changes, of_items = [], []
    for number in range(1, _PATIENT_SETS + 1):
        other = IndividualLikelihood(problem, settings.final_patients, settings.places + number, threads=threads)
        found = other(points[some])
        moved = np.maximum(found.items, diagnostics.LEAST) - np.maximum(items[some], diagnostics.LEAST)
        changes.append(float(logsumexp(found.total - items[some].sum(axis=1)) - np.log(len(some))))
        of_items.append(moved.mean(axis=0))
    return np.array(changes), np.stack(of_items)
