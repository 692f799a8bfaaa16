"""A fit: from the prior to the posterior and its evidence, in generations that are batches of the engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from simulate.cohort.ensemble import Ensemble
from simulate.evidence.likelihoods import item_term, log_likelihood
from simulate.evidence.trial_observations import TrialObservations
from simulate.files import content_hash
from simulate.inference import diagnostics, polish, search
from simulate.inference.target import Scores
from simulate.solver.batch import workers
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.fitting.individual import IndividualProblem
from simulate.studies.fitting.posterior import Diagnostics, Posterior, Settings, Support
from simulate.studies.fitting.predictive import tails
from simulate.studies.fitting.remaining import Remaining
from simulate.studies.fitting.sampling import (
    Asked,
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
from simulate.studies.fitting.standing import evidence_name
from simulate.studies.fitting.surrogate import Surrogate, states_by_point, surrogate
from simulate.studies.fitting.trial import COARSE, Problem, seen_at, simulate_points, trial_of

_BATCH = 8192
"""Trajectories at a time: memory stays bounded, and progress is told."""

_PATIENT_SETS = 5
"""Further sets of places from which the error by the choice of patients is taken."""

_LEARNED = 200
"""Points at most from which a likelihood is learned."""

_ALGORITHM = "moves by what was learned 2"
"""What keys of generations hash of how they are made: another text wherever they become others."""

_FINE = Tolerance(COARSE.rtol / 100.0)

_Solved = tuple[tuple[NDArray[np.float32], ...], FloatArray]
"""States of the patients of a point in each trial, and the log-likelihood of each datum."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Log-likelihoods of points, as samplers ask for them; the same point has the same bits in every batch.

    Attributes
    ----------
    problem
        What is fitted.
    patients, places
        Virtual patients of a point, and the key of their places.
    tolerance, threads
        As for `simulate.solver.solve`.
    asked, solved
        How much was asked, and what was solved if this is to be remembered; neither decides a value.
    """

    problem: Problem
    patients: int
    places: int
    tolerance: Tolerance = COARSE
    threads: int | None = None
    asked: Asked = field(default_factory=Asked, compare=False)
    solved: dict[bytes, _Solved] | None = field(default=None, compare=False)

    def __call__(self, points: FloatArray) -> Scores:
        size = max(_BATCH // self.patients, 1)
        parts = [self._scores(points[first : first + size]) for first in range(0, len(points), size)]
        if not parts:
            return Scores(np.empty((0, len(self.problem.data))), np.empty(0, dtype=np.bool_))
        return Scores(np.concatenate([part.items for part in parts]), np.concatenate([part.feasible for part in parts]))

    def _scores(self, points: FloatArray) -> Scores:
        parts = self.problem.parts
        ensembles = self._ensembles(points)
        trials = [
            seen_at(part, ensemble, points, patients=self.patients, seed=self.places)
            for part, ensemble in zip(parts, ensembles, strict=True)
        ]
        feasible = np.all([trial.feasible for trial in trials], axis=0)
        # Where hardly anybody exists there is nothing to see, and nothing to say of it.
        terms = [
            log_likelihood(part.evidence, trial.seen.rows(feasible)) for part, trial in zip(parts, trials, strict=True)
        ]
        self.asked.points += len(points)
        self.asked.unresolved += int(np.any([term.unresolved for term in terms], axis=0).sum())
        items = np.full((len(points), sum(term.values.shape[1] for term in terms)), -np.inf)
        items[feasible] = np.concatenate([term.values for term in terms], axis=1)
        if self.solved is not None:
            by_point = [states_by_point(ensemble, len(points)) for ensemble in ensembles]
            for index, point in enumerate(points):
                states = tuple(np.array(part[index], dtype=np.float32) for part in by_point)
                self.solved[point.tobytes()] = (states, items[index])
        return Scores(items, feasible)

    def _ensembles(self, points: FloatArray) -> list[Ensemble]:
        """The patients of some points in each trial."""
        return [
            simulate_points(
                part,
                points,
                patients=self.patients,
                seed=self.places,
                tolerance=self.tolerance,
                threads=self.threads,
            )
            for part in self.problem.parts
        ]


@dataclass(frozen=True, slots=True)
class LearnedLikelihood(Likelihood):
    """A likelihood that samplers ask by way of what was learned from points that it has solved.

    What was learned depends on no more than these points: where an interrupted fit goes on, they are solved again.
    """

    solved: dict[bytes, _Solved] = field(default_factory=dict, compare=False)

    def learned(self, points: FloatArray) -> Surrogate:
        """Log-likelihoods of other points, approximately."""
        chosen = np.unique(points, axis=0)
        chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, _LEARNED).astype(np.int64))]
        keys = [point.tobytes() for point in chosen]
        missing = np.array([key not in self.solved for key in keys])
        if missing.any():
            self(chosen[missing])
        known = {key: self.solved[key] for key in keys}
        # What was solved before will not be asked for again.
        self.solved.clear()
        self.solved.update(known)
        return surrogate(
            self.problem,
            chosen,
            [[known[key][0][part] for key in keys] for part in range(len(self.problem.parts))],
            np.stack([known[key][1] for key in keys]),
            patients=self.patients,
            places=self.places,
            threads=workers(self.threads),
        )


def fit_key(problem: Problem | IndividualProblem, settings: Settings) -> str:
    """Content hash of what decides the result of a fit, but for the engine."""
    return content_hash("fit 2", problem.key, repr(settings))


def fit(
    problem: Problem,
    settings: Settings | None = None,
    *,
    folder: Path | None = None,
    threads: int | None = None,
    report: Report | None = None,
) -> Posterior:
    """Fit a hypothesis to the evidence.

    Runs of tempered particles from different seeds, a search for the best point from the likeliest of them, and draws
    from a mixture fitted to the particles, which give posterior and evidence.

    Parameters
    ----------
    problem
        Hypothesis and evidence.
    settings
        How long to look.
    folder
        Where generations are kept, so that an interrupted fit goes on to the same bits; nowhere if not given.
    threads
        Threads to use; all cores if not given. The result does not depend on it.
    report
        Told what is going on.

    Raises
    ------
    InputError
        ``inference.checkpoint``: the folder holds generations of another fit.
    NotConverged
        ``fit.unresolved``: too many points could not be solved; ``inference.*``.
    """
    chosen = Settings() if settings is None else settings
    tell = report or (lambda line: None)
    key = fit_key(problem, chosen)
    generations_key = content_hash(_ALGORITHM, key)
    coarse = LearnedLikelihood(problem, chosen.patients, chosen.places, threads=threads)
    remaining = Remaining(chosen, min(_LEARNED, chosen.particles * chosen.runs) + polish.solved(chosen.draws))
    chains = [
        generations_of(problem.dimension, chosen, coarse, generations_key, number, folder, tell, remaining)
        for number in range(chosen.runs)
    ]
    particles = np.concatenate([chain[-1].points for chain in chains])
    feasible = float(np.mean([chain[-1].feasible for chain in chains]))
    tell("searching the best point from the likeliest particles")
    best = search.optimum(coarse, chains[0][-1], chosen.seed + 1_000, starts=min(48, chosen.particles))
    final = LearnedLikelihood(problem, chosen.final_patients, chosen.places, threads=threads)
    weighted = polished(final, particles, feasible, chosen, tell)
    unresolved = check_resolved(coarse.asked, final.asked)
    kept = kept_of(weighted, chosen.kept, chosen.seed, "fit draws")
    points = weighted.points[kept]
    tell("errors of the evidence: other patients, a finer solver")
    items = weighted.scores.items[kept]
    sets, set_items = _other_sets(problem, chosen, points, items, threads)
    errors = (
        weighted.error,
        float(np.std([0.0, *sets], ddof=1)),
        _finer(problem, chosen, points, items.sum(axis=1), threads),
    )
    prior = prior_of(chains, feasible, problem.dimension, chosen.seed)
    learned = diagnostics.learned(weighted.points, weighted.weights, prior)
    parts = problem.parts
    different, place = np.unique(points, axis=0, return_inverse=True)
    trials = [
        trial_of(part, different, patients=chosen.final_patients, seed=chosen.places, threads=threads).of(
            place.reshape(-1)
        )
        for part in parts
    ]
    shares, share_errors = diagnostics.path_shares(weighted)
    checks = Diagnostics(
        r_hat=float(diagnostics.rank_normalized_r_hat([chain[-1].points for chain in chains]).max())
        if len(chains) > 1
        else None,
        effective=weighted.effective,
        tail=weighted.tail,
        log_evidences=(*(chain[-1].log_evidence for chain in chains), weighted.log_evidence),
        unresolved=unresolved,
        refused=float(np.mean([trial.refused.mean() for trial in trials])),
        informed_directions=informed_directions(weighted, prior),
        stages=tuple((stage.beta, stage.effective, stage.moves, stage.acceptance) for stage in chains[0][-1].stages),
        optimum=best.log_likelihood,
        distinct=best.distinct,
        warnings=(),
    )
    return Posterior(
        hypothesis=problem.hypothesis,
        evidence=evidence_name(problem),
        key=key,
        settings=chosen,
        estimates=estimates_of(problem.free, learned, prior),
        diagnostics=dataclasses.replace(checks, warnings=warnings_of(checks, errors)),
        log_evidence=weighted.log_evidence,
        errors=errors,
        points=points,
        items=tuple(item.name for item in problem.data),
        log_likelihoods=items,
        shares=shares,
        support=Support(
            feasible=feasible,
            sets=sets,
            set_items=set_items,
            share_errors=share_errors,
            readings=by_reading(problem, [trial.seen for trial in trials]),
            tails=tuple(
                row
                for part, trial in zip(parts, trials, strict=True)
                for row in tails(part.evidence, trial.seen, before=f"{part.trial.name}: " if problem.others else "")
            ),
        ),
    )


def by_reading(problem: Problem, seen: Sequence[TrialObservations]) -> tuple[FloatArray, ...]:
    """Log-likelihood of each reading of each item alone, an array [cohort, reading] for each item of each trial."""
    terms = (
        item_term(item, one).by_reading
        for part, one in zip(problem.parts, seen, strict=True)
        for item in part.evidence.data
    )
    return tuple(np.maximum(term, diagnostics.LEAST) for term in terms)


def _other_sets(
    problem: Problem, settings: Settings, points: FloatArray, items: FloatArray, threads: int | None
) -> tuple[FloatArray, FloatArray]:
    """Change of the log-evidence, and of the mean of each item, with other sets of places.

    Shape [set] and [set, item]. The sets are the same for all hypotheses, so that the changes are as well in part.
    """
    some = some_of(len(points))
    changes, of_items = [], []
    for number in range(1, _PATIENT_SETS + 1):
        found = Likelihood(problem, settings.final_patients, settings.places + number, threads=threads)(points[some])
        moved = np.maximum(found.items, diagnostics.LEAST) - np.maximum(items[some], diagnostics.LEAST)
        changes.append(float(logsumexp(found.total - items[some].sum(axis=1)) - np.log(len(some))))
        # Of the same patients a point may be feasible in one set and not in another: it says nothing of items.
        of_items.append(moved[found.feasible].mean(axis=0) if found.feasible.any() else np.zeros(moved.shape[1]))
    return np.array(changes), np.array(of_items)


def _finer(problem: Problem, settings: Settings, points: FloatArray, totals: FloatArray, threads: int | None) -> float:
    """Largest change of a log-likelihood with a finer solver."""
    few = some_of(len(points))
    few = few[:: max(len(few) // 8, 1)]
    finer = Likelihood(problem, settings.final_patients, settings.places, tolerance=_FINE, threads=threads)
    return float(np.abs(finer(points[few]).total - totals[few]).max())
