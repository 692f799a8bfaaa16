"""Simulation-based calibration: data are simulated from known parameters, and fitted as the reported ones are.

If the likelihood and the sampler are right, the place of the true value among the draws of its posterior is uniform
over repeats (S. Talts and others, arXiv:1804.06788). Parameters that no datum informs pass trivially; what has power is
the log-likelihood of the true point, and what is predicted (M. Modrák and others, Bayesian Analysis 20 (2025) 461).

The made-up abstract has the figures that a trial of the same size would print, each item with patients of its own as
the likelihood assumes. Its reading is drawn by the shares and is then known; nothing in it is a misprint. The virtual
patients are those of the fit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from simulate.errors import InputError
from simulate.evidence.items import Evidence, Item
from simulate.evidence.kinds.means import Ceiling
from simulate.evidence.likelihoods import log_likelihood
from simulate.evidence.resampling import Trials
from simulate.evidence.trial_observations import TrialObservations
from simulate.inference import smc
from simulate.streams import FloatArray, IntArray, stream
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.problem import Problem, only_trial
from simulate.studies.fitting.simulated_trial import simulated_trial
from simulate.trials.design import Outcome

_RANKS = 15
"""Draws that a true value is ranked among: 16 places."""

_BINS = 4
_ROUNDS = 50

INTERVALS = (0.5, 0.75, 0.875)
"""Central intervals whose coverage is counted: those that have these shares exactly with 16 places."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Places of true values among draws of their posteriors."""

    #: Coordinates, then ``log-likelihood`` and what is predicted: changes that the trial reported as up or down.
    names: tuple[str, ...]
    ranks: IntArray  #: Shape [repeat, name], from 0 to `draws`
    draws: int  #: Number of draws that a value is ranked among

    def coverage(self, share: float) -> FloatArray:
        """Share of fits whose central interval with this share held the true value, shape [name]."""
        place = (self.ranks + 0.5) / (self.draws + 1.0)
        inside: FloatArray = (np.abs(place - 0.5) <= 0.5 * share).mean(axis=0)
        return inside

    @property
    def p_values(self) -> FloatArray:
        """Probability of ranks as uneven as these if all places are equally likely, shape [name]; chi-squared."""
        repeats = len(self.ranks)
        counts = np.stack([np.bincount(column * _BINS // (self.draws + 1), minlength=_BINS) for column in self.ranks.T])
        expected = repeats / _BINS
        found: FloatArray = chi2.sf(np.square(counts - expected).sum(axis=1) / expected, _BINS - 1)
        return found

    @property
    def is_calibrated(self) -> bool:
        """Whether no name is more uneven than one in a hundred such tables would have it."""
        return not self.faults

    @property
    def faults(self) -> tuple[str, ...]:
        """One sentence for each name that is more uneven than that."""
        least = 0.01 / len(self.names)
        rows = zip(self.names, self.p_values.tolist(), strict=True)
        return tuple(f"ranks of `{name}` have p = {p:.2g}, at most {least:.2g}" for name, p in rows if p <= least)


def calibrate(
    problem: Problem,
    *,
    repeats: int,
    particles: int = 96,
    patients: int = 16,
    seed: int = 1,
    threads: int | None = None,
    report: Callable[[int], None] | None = None,
) -> Calibration:
    """Fit made-up abstracts."""
    only_trial(problem, "calibration")
    told = [outcome for outcome in problem.trial.changes if outcome.way]
    names = (*(part.name for part in problem.free), "log-likelihood", *(f"change of {part.title}" for part in told))
    ranks = np.empty((repeats, len(names)), dtype=np.int64)
    for repeat in range(repeats):
        truth, seen = _truth(problem, patients, seed, repeat, threads)
        evidence = made_up(problem.evidence, seen, seed, repeat)
        target = Likelihood(dataclasses.replace(problem, evidence=evidence), patients, seed, threads=threads)
        found = smc.sample(target, problem.dimension, particles=particles, seed=seed + 7919 * (repeat + 1))
        chosen = np.linspace(0, particles - 1, _RANKS).astype(np.int64)
        order = stream(seed, "calibration thinning", repeat).permutation(particles)[chosen]
        points = np.concatenate([truth, found.points[order]])
        trial = simulated_trial(problem, points, patients=patients, seed=seed, threads=threads)
        changes = [_change(trial.seen, outcome) for outcome in told]
        values = np.column_stack([points, log_likelihood(evidence, trial.seen).total, *changes])
        ties = stream(seed, "calibration ties", repeat).random(values.shape)
        below = (values[1:] < values[0]) | ((values[1:] == values[0]) & (ties[1:] < ties[0]))
        ranks[repeat] = below.sum(axis=0)
        if report is not None:
            report(1)
    return Calibration(names, ranks, _RANKS)


def made_up(evidence: Evidence, seen: TrialObservations, seed: int, repeat: int) -> Evidence:
    """Evidence with the data that a trial of the first cohort would have printed; other items are left as they are.

    Which reading an item has is drawn by the shares, and then known: it stays the only one.
    """
    data = set(evidence.data)
    return Evidence(
        evidence.source,
        tuple(_made_up(item, seen, seed, repeat) if item in data else item for item in evidence.items),
    )


def _made_up(item: Item, seen: TrialObservations, seed: int, repeat: int) -> Item:
    random = stream(seed, f"made-up abstract: {item.name}", repeat)
    readings = [reading for reading in item.readings if not isinstance(reading.statement, Ceiling)]
    shares = np.cumsum([reading.share for reading in readings])
    true = readings[int(np.searchsorted(shares, random.random() * shares[-1], side="right"))]
    trials = Trials(count=1, seed=int(random.integers(2**31)))
    numbers = true.statement.imitate(true.subject, seen.of_arm(item.arm), trials)[0, 0]
    printed = true.statement.printed(dict(zip(true.statement.figures, numbers.tolist(), strict=True)))
    if printed is None:
        raise InputError(
            f"a statement such as {type(true.statement).__name__} cannot be made up",
            code="fit.calibration",
            advice="leave the item out of the evidence",
        )
    return dataclasses.replace(
        item, statement=printed, readings=(dataclasses.replace(true, statement=printed, share=1.0),), doubt=0.0
    )


def _truth(
    problem: Problem, patients: int, seed: int, repeat: int, threads: int | None
) -> tuple[FloatArray, TrialObservations]:
    for attempt in range(_ROUNDS):
        point = stream(seed, f"calibration truth {attempt}", repeat).standard_normal((1, problem.dimension))
        trial = simulated_trial(problem, point, patients=patients, seed=seed, threads=threads)
        if trial.feasible[0]:
            return point, trial.seen
    raise InputError("the prior has hardly a feasible point", code="fit.calibration")


def _change(seen: TrialObservations, outcome: Outcome) -> FloatArray:
    """Mean change of the logarithm of a quantity, shape [cohort]."""
    change = seen.logarithm(outcome.quantity, outcome.last) - seen.logarithm(outcome.quantity, outcome.first)
    mean: FloatArray = np.nansum(seen.weights * change, axis=1)
    return mean
