"""A surrogate of the likelihood of a fit to what was reported, learned from points that were solved.

Of a new point everything is exact but two things, which are interpolated between solved points (Gaussian process
regression with the same kernel for all): how the states of its patients have moved since the baseline, and the
likelihood of items that hardly differs between the points. Parameters of the patients, baseline, observables, assay and
the likelihood of all other items are those of the point itself.

It decides which points are worth solving and nothing else: samplers correct for what it errs by.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sympy import Basic, Symbol

from simulate.cohort.draws import Cohort
from simulate.cohort.ensemble import Ensemble, member_parameters
from simulate.evidence.items import Evidence
from simulate.evidence.likelihoods import log_likelihood
from simulate.kernels.of_model import kernel_of, system_of
from simulate.solver.batch import solve
from simulate.solver.kernel import IntArray
from simulate.solver.layout import CONSTANTS, LANES
from simulate.solver.observing import fail_undefined
from simulate.solver.problem import Schedule
from simulate.solver.recording import observe_all
from simulate.solver.trajectories import Trajectories
from simulate.streams import FloatArray
from simulate.studies.fitting.problem import REGRESSED, Problem
from simulate.studies.fitting.simulated_trial import arms_of, cohort_at, recorded_times, seen_at

_BEND, _REACH, _NOISE = 10.0, 6.0, 0.01
"""Variance of what is not linear beside that of what is, the distance over which it varies in standard deviations of
the points, and the variance of what is taken for noise."""

_FLAT = 0.35
"""Standard deviation of the log-likelihood of an item over the solved points below which it is interpolated."""

_STILL = 1e-3
"""Standard deviation of the logarithm of a movement over the solved points below which it is the same in all."""

_TINY = 1e-300
_BLOCK = 64
"""Points at a time."""

LEAST = -1e4
"""Log-likelihood below which it makes no difference how much lower it is; a stand-in excludes nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What was learned for one trial."""

    problem: Problem  #: The hypothesis with this trial
    times: FloatArray  #: Days that are recorded, from 0 on
    states: IntArray  #: Places of the states on which depends what is read; the others are taken to stay where they are
    #: Which of them move by a factor, shape [row of a point, later time, state]; the others by a difference.
    is_ratio: npt.NDArray[np.bool_]
    #: Mean movement, shape [value]; places of those that differ between points; and for each of these the weights of
    #: the solved points, shape [solved point, varying value].
    mean: FloatArray
    varying: IntArray
    weights: FloatArray
    evidence: Evidence  #: Items whose likelihood is that of the point
    #: The same of the sum of the log-likelihoods of the other items; shape [solved point].
    item_mean: float
    item_weights: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Surrogate:
    """Approximate log-likelihoods; a point's value depends on the solved points and on itself alone."""

    parts: tuple[_Part, ...]  #: Trial by trial
    solved: FloatArray  #: Standardized numbers of the solved points, shape [solved point, number]
    #: By which numbers are standardized.
    center: FloatArray
    scale: FloatArray
    #: As for `Likelihood`.
    patients: int
    places: int
    threads: int

    def __call__(self, points: FloatArray) -> FloatArray:
        """Log-likelihoods, shape [point]; minus infinity where a point is not in the prior."""
        blocks = [points[first : first + _BLOCK] for first in range(0, len(points), _BLOCK)]
        if len(blocks) < 2 or self.threads < 2:
            return np.concatenate([self._block(block) for block in blocks] or [np.empty(0)])
        with ThreadPoolExecutor(max_workers=self.threads) as pool:
            return np.concatenate([*pool.map(self._block, blocks)])

    def _block(self, points: FloatArray) -> FloatArray:
        near = _kernel((_numbers(self.parts[0].problem, points) - self.center) / self.scale, self.solved)
        totals, feasible = np.zeros(len(points)), np.ones(len(points), dtype=np.bool_)
        for part in self.parts:
            moved = np.repeat(part.mean[np.newaxis], len(points), axis=0)
            moved[:, part.varying] += np.einsum("ij,jk->ik", near, part.weights)
            ensemble = _predicted(part, points, moved, self.patients, self.places)
            trial = seen_at(part.problem, ensemble, points, patients=self.patients, seed=self.places)
            feasible &= trial.feasible
            found = np.full(len(points), LEAST)
            if trial.feasible.any():
                terms = log_likelihood(part.evidence, trial.seen.rows(trial.feasible))
                flat = part.item_mean + np.einsum("ij,j->i", near, part.item_weights)
                # A movement that is guessed too large may leave nothing to read, and an item without a value.
                found[trial.feasible] = np.fmax(terms.total + flat[trial.feasible], LEAST)
            totals += found
        return np.where(feasible, totals, -np.inf)


def surrogate(
    problem: Problem,
    points: FloatArray,
    ensembles: Sequence[Sequence[npt.NDArray[np.float32]]],
    items: FloatArray,
    *,
    patients: int,
    places: int,
    threads: int,
) -> Surrogate:
    """Learn from solved points and the log-likelihood of each datum there.

    ``ensembles`` are, for each part of the problem, the states of each point, shape [row of the point, time, state]:
    rows are arm by arm, patient by patient.
    """
    numbers = _numbers(problem, points)
    center, scale = numbers.mean(axis=0), numbers.std(axis=0) + 1e-12
    solved = (numbers - center) / scale
    gram = _kernel(solved, solved) + _NOISE * np.eye(len(solved))
    inverted = inverse(gram)
    parts = []
    bounded = np.maximum(items, LEAST)
    before = 0
    for part, states in zip(problem.parts, ensembles, strict=True):
        values = np.stack(states).astype(np.float64)
        times = recorded_times(part.trial)
        cohort, _ = cohort_at(part, points, patients=patients, seed=places)
        seen = _states_seen(part)
        values = values[:, :, :, seen]
        first = _baselines(part, cohort, len(points))[:, :, seen]
        is_above = (values[:, :, times > 0.0] > 0.0) & (first[:, :, np.newaxis] > 0.0)
        is_ratio: npt.NDArray[np.bool_] = np.all(is_above, axis=0)
        moved = _moved(values[:, :, times > 0.0], first[:, :, np.newaxis], is_ratio).reshape(len(points), -1)
        known = np.isfinite(moved)
        count = known.sum(axis=0)
        mean = np.where(known, moved, 0.0).sum(axis=0) / np.maximum(count, 1)
        apart = np.where(known, moved - mean, 0.0)
        own = bounded[:, before : before + len(part.evidence.data)]
        before += own.shape[1]
        is_flat = own.std(axis=0) < _FLAT
        of_flat = own[:, is_flat].sum(axis=1)
        left = {item for item, flat in zip(part.evidence.data, is_flat, strict=True) if not flat}
        evidence = replace(part.evidence, items=tuple(item for item in part.evidence.items if item in left))
        item_mean = float(of_flat.mean())
        item_weights = np.einsum("ij,j->i", inverted, of_flat - item_mean)
        at = times[times > 0.0]
        on_visits, in_serum = np.isin(at, part.trial.days), _states_seen(part, only_sampled=True)
        is_wanted = on_visits[:, np.newaxis] | np.isin(seen, in_serum)
        is_wanted = np.broadcast_to(is_wanted, is_ratio.shape).reshape(-1)
        mean = np.where(is_wanted, mean, 0.0)
        varying = np.flatnonzero(is_wanted & ((apart.std(axis=0) > _STILL) | ~is_ratio.reshape(-1)))
        weights = np.einsum("ij,jk->ik", inverted, np.ascontiguousarray(apart[:, varying]))
        parts.append(_Part(part, times, seen, is_ratio, mean, varying, weights, evidence, item_mean, item_weights))
    return Surrogate(tuple(parts), solved, center, scale, patients, places, threads)


def _states_seen(part: Problem, *, only_sampled: bool = False) -> IntArray:
    """Places of the states on which the observables depend that the trial reads, or reads at the hour of a sample."""
    system = system_of(part.model)
    observed = dict(
        zip((*system.states, *system.observables), (*map(Symbol, system.states), *system.observed), strict=True)
    )
    needed: set[Basic] = set()
    sampled = [readout.quantity for readout in part.trial.readouts if readout.sampling is not None]
    for name in sampled if only_sampled else part.trial.watched:
        for one in (name, f"{name}{REGRESSED}"):
            needed |= observed[one].free_symbols if one in observed else set()
    return np.array([place for place, name in enumerate(system.states) if Symbol(name) in needed], dtype=np.int64)


def _numbers(problem: Problem, points: FloatArray) -> FloatArray:
    """What the coordinates stand for, on the scale of the prior: closer to linear than the coordinates themselves."""
    columns = []
    for column, part in enumerate(problem.free):
        values = part.values(points[:, column])
        columns.append(np.log(values) if part.is_log else values)
    return np.stack(columns, axis=1)


def _kernel(first: FloatArray, second: FloatArray) -> FloatArray:
    products = np.einsum("ik,jk->ij", first, second)
    squares = np.square(first).sum(axis=1)[:, np.newaxis] + np.square(second).sum(axis=1) - 2.0 * products
    found: FloatArray = 1.0 + products + _BEND * np.exp(-0.5 * squares / _REACH**2)
    return found


def inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of a positive definite matrix by elimination: the bits of LAPACK depend on threads for large ones."""
    n = len(matrix)
    work = np.concatenate([matrix, np.eye(n)], axis=1)
    for row in range(n):
        work[row] /= work[row, row]
        factor = work[:, row].copy()
        factor[row] = 0.0
        work -= factor[:, np.newaxis] * work[row]
    return np.ascontiguousarray(work[:, n:])


def _moved(values: FloatArray, first: FloatArray, is_ratio: npt.NDArray[np.bool_]) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.maximum(values, _TINY)) - np.log(np.maximum(first, _TINY))
    return np.where(is_ratio, ratio, values - first)


def _rows(part: Problem, cohort: Cohort) -> FloatArray:
    """Parameters of the members in each arm, shape [arm, member, parameter]."""
    return np.stack([member_parameters(part.model, arm, cohort) for arm in arms_of(part.trial)])


def _by_point(values: FloatArray, arms: int, points: int) -> FloatArray:
    """From rows arm by arm and point by point to shape [point, arm and patient, ...]."""
    apart = values.reshape(arms, points, -1, *values.shape[1:])
    return np.ascontiguousarray(np.moveaxis(apart, 0, 1)).reshape(points, -1, *values.shape[1:])


def states_by_point(ensemble: Ensemble, points: int) -> FloatArray:
    """States of an ensemble of several points, shape [point, row of the point, time, state]."""
    assert ensemble.model is not None
    states = len(ensemble.model.species)
    return _by_point(ensemble.trajectories.values[:, :, :states], len(ensemble.arms), points)


def _baselines(part: Problem, cohort: Cohort, points: int) -> FloatArray:
    """States before treatment, shape [point, row of the point, state]."""
    values = _rows(part, cohort)
    found = _initial(part, values.reshape(-1, values.shape[-1]))
    states = len(part.model.species)
    return _by_point(found.values[:, 0, :states], len(values), points)


def _initial(part: Problem, parameters: FloatArray) -> Trajectories:
    return solve(kernel_of(part.model), parameters, Schedule.empty(len(parameters)), np.zeros(1), threads=1)


def _predicted(part: _Part, points: FloatArray, moved: FloatArray, patients: int, places: int) -> Ensemble:
    """The ensemble as it would be if the states moved so; ``moved`` has the shape [point, value]."""
    problem = part.problem
    cohort, _ = cohort_at(problem, points, patients=patients, seed=places)
    arms = arms_of(problem.trial)
    parameters = _rows(problem, cohort)
    flat = np.ascontiguousarray(parameters.reshape(-1, parameters.shape[-1]))
    found = _initial(problem, flat)
    kernel = kernel_of(problem.model)
    states, count = len(problem.model.species), len(points)
    first = _by_point(found.values[:, 0, part.states], len(arms), count)[:, :, np.newaxis]
    change = moved.reshape(count, *part.is_ratio.shape)
    with np.errstate(over="ignore"):
        later = np.where(part.is_ratio, first * np.exp(np.where(part.is_ratio, change, 0.0)), first + change)
    values = np.full((len(flat), len(part.times), found.values.shape[2]), np.nan)
    at_first = int((part.times <= 0.0).sum())
    values[:, :, :states] = found.values[:, :1, :states]
    apart = later.reshape(count, len(arms), patients, *later.shape[2:])
    moving = np.moveaxis(apart, 1, 0).reshape(len(flat), -1, len(part.states))
    values[:, at_first:, part.states] = moving
    workspace = np.zeros(CONSTANTS + kernel.rows * LANES)
    observe_all(
        workspace, kernel.prepare.address, kernel.observe.address, flat, part.times, states, kernel.controlled,
        values, 0, len(flat),
    )  # fmt: skip
    outcome = np.stack([found.status, np.full(len(flat), -1)], axis=1)
    fail_undefined(kernel, values, part.times, outcome, np.full(len(flat), np.nan), 0, len(flat))
    trajectories = replace(
        found, times=part.times, values=values, status=np.ascontiguousarray(outcome[:, 0]), failures=()
    )
    names = tuple(parameter.name for parameter in problem.model.parameters)
    return Ensemble(problem.model.key, arms, cohort, names, parameters, trajectories, model=problem.model)
