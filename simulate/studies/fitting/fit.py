"""A fit: from the prior to the posterior and its evidence, in generations that are batches of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulate.evidence.likelihoods import item_term, log_likelihood
from simulate.evidence.trial_observations import TrialObservations
from simulate.inference import diagnostics, polish
from simulate.inference.target import Scores
from simulate.solver.batch import workers
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.fitting.named_evidence import evidence_name
from simulate.studies.fitting.posterior import Posterior, Settings
from simulate.studies.fitting.predictive import tails
from simulate.studies.fitting.problem import COARSE, Problem
from simulate.studies.fitting.sampling import PointCount, posterior_of, remembered, sampled, some_of, with_other_places
from simulate.studies.fitting.simulated_trial import Solving, seen_at, simulate_points, simulated_trial
from simulate.studies.fitting.surrogate import Surrogate, states_by_point, surrogate
from simulate.watching import Headway, Report

_BATCH = 8192
"""Trajectories at a time: memory stays bounded, and progress is told."""

_LEARNED = 200
"""Points at most from which a likelihood is learned."""

_ALGORITHM = "moves by what was learned 2"
"""What keys of generations hash of how they are made: another text wherever they become others."""

_FINE = Tolerance(COARSE.rtol / 100.0)

_Solved = tuple[tuple[NDArray[np.float32], ...], FloatArray]
"""States of the patients of a point in each trial, and the log-likelihood of each datum."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Log-likelihoods of points, as samplers ask for them; the same point has the same bits in every batch."""

    problem: Problem  #: What is fitted
    #: Virtual patients of a point, and the key of their places.
    patients: int
    places: int
    #: As for `simulate.solver.solve`.
    tolerance: Tolerance = COARSE
    threads: int | None = None
    #: How much was asked, and what was solved if this is to be remembered; neither decides a value.
    asked: PointCount = field(default_factory=PointCount, compare=False)
    solved: dict[bytes, _Solved] | None = field(default=None, compare=False)

    def __call__(self, points: FloatArray) -> Scores:
        size = max(_BATCH // self.patients, 1)
        parts = [self._scores(points[first : first + size]) for first in range(0, len(points), size)]
        if not parts:
            return Scores(np.empty((0, len(self.problem.data))), np.empty(0, dtype=np.bool_))
        return Scores(np.concatenate([part.items for part in parts]), np.concatenate([part.feasible for part in parts]))

    def _scores(self, points: FloatArray) -> Scores:
        parts = self.problem.parts
        how = Solving(tolerance=self.tolerance, threads=self.threads)
        ensembles = [simulate_points(part, points, patients=self.patients, seed=self.places, **how) for part in parts]
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
        states, items = zip(*remembered(self.solved, chosen, self), strict=True)
        return surrogate(
            self.problem,
            chosen,
            [*zip(*states, strict=True)],
            np.stack(items),
            patients=self.patients,
            places=self.places,
            threads=workers(self.threads),
        )


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
    from a mixture fitted to the particles, which give posterior and evidence. An interrupted fit whose generations are
    kept in a folder goes on to the same bits.
    """
    chosen = Settings() if settings is None else settings
    tell = report or (lambda line: None)
    coarse, final = (
        LearnedLikelihood(problem, patients, chosen.places, threads=threads)
        for patients in (chosen.patients, chosen.final_patients)
    )
    last = min(_LEARNED, chosen.particles * chosen.runs) + polish.solved(chosen.draws)
    found = sampled(problem, chosen, coarse, final, _ALGORITHM, folder, tell, last=last)
    tell(Headway("errors of the evidence: other patients, a finer solver"))
    sets, moved = with_other_places(
        found, lambda places: Likelihood(problem, chosen.final_patients, places, threads=threads)
    )
    # Of the same patients a point may be feasible in one set and not in another: it says nothing of items.
    set_items = [
        other.items[other.feasible].mean(axis=0) if other.feasible.any() else np.zeros(other.items.shape[1])
        for other in moved
    ]
    few = some_of(len(found.points))
    few = few[:: max(len(few) // 8, 1)]
    finer = Likelihood(problem, chosen.final_patients, chosen.places, tolerance=_FINE, threads=threads)
    solver_error = float(np.abs(finer(found.points[few]).total - found.items.sum(axis=1)[few]).max())
    parts = problem.parts
    different, place = np.unique(found.points, axis=0, return_inverse=True)
    trials = [
        simulated_trial(part, different, patients=chosen.final_patients, seed=chosen.places, threads=threads).of(
            place.reshape(-1)
        )
        for part in parts
    ]
    return posterior_of(
        found,
        evidence=evidence_name(problem),
        items=[item.name for item in problem.data],
        sets=sets,
        set_items=np.array(set_items),
        solver_error=solver_error,
        refused=float(np.mean([trial.refused.mean() for trial in trials])),
        readings=by_reading(problem, [trial.seen for trial in trials]),
        tails=tuple(
            row
            for part, trial in zip(parts, trials, strict=True)
            for row in tails(part.evidence, trial.seen, before=f"{part.trial.name}: " if problem.others else "")
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
