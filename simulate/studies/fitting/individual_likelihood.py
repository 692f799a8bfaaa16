"""The likelihood of individual data: that of each patient, averaged over virtual patients with the same covariates.

Virtual patients stand at the same places at all points, so that the likelihood is a smooth function of its point, and
the same point has the same bits in every batch. How far the average can be trusted, the effective number of virtual
patients of each real one tells: 1 / Σ w² of their shares w in the sum.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from simulate.cohort.points import latin, leading_columns
from simulate.cohort.transform import KIND, kinds_of
from simulate.elementwise import exp, log
from simulate.inference.target import Scores
from simulate.solver.kernel import IntArray
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.fitting.individual import IndividualProblem, RealPatient
from simulate.studies.fitting.individual_modes import Modes, modes_from
from simulate.studies.fitting.individual_readings import FINE, BoolArray, VirtualReadings, names_of, predict
from simulate.studies.fitting.problem import MOST_REFUSED
from simulate.studies.fitting.sampling import PointCount, remembered
from simulate.studies.fitting.smooth import Smooth, smooth
from simulate.trials.individual import MODE

_BATCH = 8192
"""Virtual patients that are solved at a time."""

_STEPS, _FIRST_STEPS = 4, 12
"""Looks at each point until the mode of a patient is thought to be found; and at the middle of the prior, where the
search at all others begins."""

_FARTHEST = 4.0
"""Scores beyond which no search begins."""

_HALF_LOG = 0.5 * math.log(2.0 * math.pi)
_SLOPE_STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class PatientLikelihoods:
    """Log-likelihoods of real patients at some points, averaged over virtual ones."""

    #: Of each real patient, and the effective number of virtual ones, shape [point, patient].
    log_likelihoods: FloatArray
    effective: FloatArray
    #: Share of the virtual patients drawn as patients are who have no steady baseline, shape [point].
    refused: FloatArray
    unsolved: BoolArray  #: Whether some could not be solved, shape [point]


@dataclass(frozen=True, slots=True)
class IndividualLikelihood:
    """Log-likelihoods of points, patient by patient, as samplers ask for them."""

    problem: IndividualProblem  #: What is fitted
    #: Virtual patients of each real one, best a power of two, and the key of their places.
    virtual: int
    places: int
    #: As for `simulate.solver.solve`.
    tolerance: Tolerance = FINE
    threads: int | None = None
    #: How many points were asked, and at how many somebody could not be solved; decides no value.
    asked: PointCount = field(default_factory=PointCount, compare=False)

    def __call__(self, points: FloatArray) -> Scores:
        looked = self.look(points)
        self.asked.points += len(points)
        self.asked.unresolved += int(looked.unsolved.sum())
        return Scores(looked.log_likelihoods, looked.refused <= MOST_REFUSED)

    def look(self, points: FloatArray) -> PatientLikelihoods:
        """Log-likelihoods with effective numbers."""
        shape = (len(points), len(self.problem.patients))
        found = PatientLikelihoods(
            np.empty(shape), np.empty(shape), np.zeros(shape[0]), np.zeros(shape[0], dtype=np.bool_)
        )
        size = max(_BATCH // self.virtual, 1)
        for first in range(0, len(points), size):
            rows = slice(first, first + size)
            for number, patient in enumerate(self.problem.patients):
                own = self._one(patient, points[rows])
                found.log_likelihoods[rows, number], found.effective[rows, number] = own[:2]
                found.refused[rows] = np.maximum(found.refused[rows], own[2])
                found.unsolved[rows] |= own[3]
        return found

    def _one(self, patient: RealPatient, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        """Log-likelihood, effective number, share without a baseline and whether unsolved, shape [point] each."""
        names = names_of(self.problem, patient)
        at = _places(names, self.virtual, self.places, patient.name)
        normal = np.stack([ndtri(at[name]) for name in names], axis=-1) if names else np.zeros((self.virtual, 0))
        kinds = np.broadcast_to(kinds_of(self.problem.population, at[KIND]), (len(points), self.virtual))
        noises = self.problem.noises(points)
        if self.problem.average == MODE and names:
            modes = self.modes(patient, points, names)
            scores = modes.scores(normal)
            ratio = modes.log_ratio(scores)
        else:
            scores = np.broadcast_to(normal, (len(points), *normal.shape))
            ratio = np.zeros(kinds.shape)
        seen = self._seen(patient, points, names, scores, kinds)
        logs = log_densities(patient, noises, seen.values).sum(axis=-1) + ratio
        logs = np.where(seen.exists & ~seen.unsolved, logs, -np.inf)
        top = logs.max(axis=1)
        with np.errstate(invalid="ignore"):
            shares = np.where(np.isfinite(logs), exp(logs - top[:, np.newaxis]), 0.0)
        total, squares = shares.sum(axis=1), np.square(shares).sum(axis=1)
        possible = total > 0.0
        # Who has no steady baseline does not exist: the others take the weight.
        count = np.where(possible, seen.exists.sum(axis=1), 1)
        value = np.where(possible, np.where(possible, top, 0.0) + log(np.where(possible, total, 1.0) / count), -np.inf)
        effective = np.where(possible, np.square(total) / np.where(possible, squares, 1.0), 0.0)
        refused: FloatArray = 1.0 - seen.exists.mean(axis=1)
        unsolved: BoolArray = np.any(seen.unsolved, axis=1)
        return value, effective, refused, unsolved

    def _seen(
        self, patient: RealPatient, points: FloatArray, names: tuple[str, ...], scores: FloatArray, kinds: IntArray
    ) -> VirtualReadings:
        uniforms = {name: ndtr(scores[..., column]) for column, name in enumerate(names)}
        return predict(self.problem, patient, points, uniforms, kinds, tolerance=self.tolerance, threads=self.threads)

    def typical(self, patient: RealPatient, points: FloatArray) -> FloatArray:
        """What the virtual patient in the middle has of what was read, shape [point, 1, observation]."""
        names = names_of(self.problem, patient)
        kinds = np.zeros((len(points), 1), dtype=np.int64)
        return self._seen(patient, points, names, np.zeros((len(points), 1, len(names))), kinds).values

    def modes(self, patient: RealPatient, points: FloatArray, names: tuple[str, ...]) -> Modes:
        """Where virtual patients stand for a real one at some points."""
        return self.modes_from(patient, points, self._start(patient, points, names), _STEPS)

    def modes_from(self, patient: RealPatient, points: FloatArray, start: FloatArray, steps: int) -> Modes:
        """The same, from scores of shape [point, dimension] on."""
        names, noises = names_of(self.problem, patient), self.problem.noises(points)

        def look(scores: FloatArray) -> FloatArray:
            kinds = np.zeros(scores.shape[:2], dtype=np.int64)
            return self._seen(patient, points, names, scores, kinds).values

        def judge(predicted: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            level = predicted[:, np.newaxis]
            density = log_densities(patient, noises, level)[:, 0]
            slope, fisher = slopes(patient, noises, level)
            return density, slope[:, 0], fisher[:, 0]

        return modes_from(start, look, judge, steps)

    def _start(self, patient: RealPatient, points: FloatArray, names: tuple[str, ...]) -> FloatArray:
        """Scores at which a patient has the values of the mode at the middle of the prior, shape [point, dimension]."""
        population, scores = self.problem.population, _first(self.problem, patient, self.tolerance)
        changes = self.problem.changes(points)
        middle = self.problem.changes(np.zeros((1, self.problem.dimension)))
        pairs = {name for pair in population.correlations for name in (pair.a, pair.b)}
        rows = {part.name: part for part in (*population.parameters, *population.covariates)}
        found = np.empty((len(points), len(names)))
        for column, name in enumerate(names):
            part, score = rows[name], scores[column]
            assert part.spread is not None
            typical, typical_there = (own.typical.get(name, part.value + np.zeros(1)) for own in (middle, changes))
            sd, sd_there = (own.sd_log.get(name, part.spread.sd_log + np.zeros(1)) for own in (middle, changes))
            moved = (sd * score + log(typical / typical_there)) / sd_there
            found[:, column] = score if name in pairs else np.clip(moved, -_FARTHEST, _FARTHEST)
        return found


@functools.lru_cache(maxsize=1024)
def _first(problem: IndividualProblem, patient: RealPatient, tolerance: Tolerance) -> FloatArray:
    """Scores of the mode of a patient at the middle of the prior, shape [dimension]."""
    middle = np.zeros((1, problem.dimension))
    nothing = np.zeros((1, len(names_of(problem, patient))))
    center: FloatArray = (
        IndividualLikelihood(problem, 1, 1, tolerance).modes_from(patient, middle, nothing, _FIRST_STEPS).center[0]
    )
    return center


@functools.lru_cache(maxsize=256)
def _places(names: tuple[str, ...], virtual: int, seed: int, patient: str) -> Mapping[str, FloatArray]:
    """Places of virtual patients by name, each of shape [place], others for each real patient: errors do not add up."""
    leading = leading_columns([f"{name} of {patient}" for name in (KIND, *names[:20])], virtual, seed=seed)
    found = dict(zip((KIND, *names[:20]), leading.values(), strict=True))
    return found | {name: latin(f"{name} of {patient}", virtual, seed=seed) for name in names[20:]}


@dataclass(frozen=True, slots=True)
class LearnedIndividualLikelihood(IndividualLikelihood):
    """An `IndividualLikelihood` that samplers ask by way of what was learned of it (`simulate.studies.fitting.smooth`).

    What was learned depends on no more than the points that it was learned from: where an interrupted fit goes on, they
    are solved again.
    """

    solved: dict[bytes, float] = field(default_factory=dict, compare=False)

    def __call__(self, points: FloatArray) -> Scores:
        # A class with slots is made anew by its decorator: `super` without arguments would mean the one before.
        found = IndividualLikelihood.__call__(self, points)
        self.solved.update((point.tobytes(), total) for point, total in zip(points, found.total.tolist(), strict=True))
        return found

    def learned(self, points: FloatArray) -> Smooth:
        """Log-likelihoods of other points, approximately."""
        chosen = np.unique(points, axis=0)
        return smooth(chosen, np.array(remembered(self.solved, chosen, self)))


def log_densities(
    patient: RealPatient, noises: Sequence[Mapping[str, FloatArray]], predicted: FloatArray
) -> FloatArray:
    """Log-densities of a patient's readings over the unit of the quantity, of the shape of ``predicted``.

    Of a reading that is below a limit it is the logarithm of the probability that it is.
    """
    found = np.empty_like(predicted)
    for kind in np.unique(patient.readings).tolist():
        mine = np.flatnonzero(patient.readings == kind)
        values, level = patient.values[mine], predicted[..., mine]
        deviation, size, scale = _standardized(noises[kind], values, level)
        with np.errstate(invalid="ignore", over="ignore"):
            density = -0.5 * np.square(deviation) - log(size) - _HALF_LOG - scale
            found[..., mine] = np.where(patient.below[mine], log_ndtr(deviation), density)
    return np.where(np.isnan(found), -np.inf, found)


def _standardized(
    noise: Mapping[str, FloatArray], values: FloatArray, level: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Deviations in standard deviations; these; and the logarithm of the derivative of the scale on which they are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if "log" in noise:
            size = noise["log"][:, np.newaxis, np.newaxis] + np.zeros_like(level)
            return (log(values) - log(level)) / size, size, log(values)
        size = _size(noise, level)
        return (values - level) / size, size, np.zeros_like(values)


def _size(noise: Mapping[str, FloatArray], level: FloatArray) -> FloatArray:
    nothing = np.zeros(len(level))
    additive, proportional = (
        noise.get(kind, nothing)[:, np.newaxis, np.newaxis] for kind in ("additive", "proportional")
    )
    size: FloatArray = np.sqrt(np.square(additive) + np.square(proportional * level))
    return size


def slopes(
    patient: RealPatient, noises: Sequence[Mapping[str, FloatArray]], predicted: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivative of the log-densities by what is predicted, and its variance where the model holds (Fisher's).

    Both of the shape of ``predicted``; what decides no result but only where virtual patients stand.
    """
    sizes, relative = np.empty_like(predicted), np.zeros_like(predicted)
    for kind in np.unique(patient.readings).tolist():
        mine = np.flatnonzero(patient.readings == kind)
        noise, level = noises[kind], predicted[..., mine]
        if "log" in noise:
            sizes[..., mine] = noise["log"][:, np.newaxis, np.newaxis] * np.abs(level)
        else:
            sizes[..., mine] = _size(noise, level)
            share = noise.get("proportional", np.zeros(len(level)))[:, np.newaxis, np.newaxis]
            with np.errstate(divide="ignore", invalid="ignore"):
                relative[..., mine] = np.square(share) * level / np.square(sizes[..., mine])
    steps = _SLOPE_STEP * sizes + 1e-300
    up, here, down = (log_densities(patient, noises, predicted + side * steps) for side in (1.0, 0.0, -1.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        first = (up - down) / (2.0 * steps)
        # Of what is only known to be below a limit, what is learned depends on how far below it is.
        censored = np.maximum((2.0 * here - up - down) / np.square(steps), 0.0)
        fisher = np.where(patient.below, censored, 1.0 / np.square(sizes) + 2.0 * np.square(relative))
    return np.nan_to_num(first, posinf=0.0, neginf=0.0), np.nan_to_num(fisher, posinf=0.0, neginf=0.0)
