"""Importance sampling of virtual patients about the mode of a real patient with informative readings.

Averaged over patients as they are drawn, the likelihood of a patient with many precise readings is that of the one or
two virtual patients who happen to come near. So the mode of the patient is sought, at every point of the prior anew,
on the scale on which patients are standard normal, and virtual patients are drawn from a normal distribution about it:
importance sampling, as population methods have it (A. J. Boeckmann and others, NONMEM Users Guide, IMP; for
quadrature J. C. Pinheiro, D. M. Bates, J. Comput. Graph. Stat. 4 (1995) 12). One in eight is drawn as patients are,
which bounds the weights. The mean is without bias wherever the mode is thought to be; a poor one costs virtual
patients, which the effective number tells. The number of steps is fixed, and nothing is remembered from other points,
so that a likelihood is a function of its point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulate.elementwise import exp, log
from simulate.streams import FloatArray

AS_DRAWN = 0.125
"""Share of the virtual patients who are drawn as patients are."""

_WIDER = 1.1
"""Factor on the standard deviations about the mode."""

_STEP = 0.02
_DAMPING = 10.0

Look = Callable[[FloatArray], FloatArray]
"""Predicted readings at scores of shape [point, place, dimension]: shape [point, place, observation]."""

Judge = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
"""Log-densities of predicted readings, derivatives and Fisher's information, all of shape [point, observation]."""


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """The mode of a patient at some points."""

    center: FloatArray  #: Scores, shape [point, dimension]
    #: Lower triangular root of the matrix of second derivatives there, shape [point, dimension, dimension].
    root: FloatArray

    def scores(self, normal: FloatArray) -> FloatArray:
        """Scores of virtual patients, shape [point, place, dimension]; ``normal`` of shape [place, dimension]."""
        count, dimension = normal.shape
        drawn = drawn_as_patients(count)
        solved = np.zeros((len(self.center), count, dimension))
        for row in reversed(range(dimension)):
            rest = normal[:, row] * _WIDER
            for other in range(row + 1, dimension):
                rest = rest - self.root[:, np.newaxis, other, row] * solved[..., other]
            solved[..., row] = rest / self.root[:, np.newaxis, row, row]
        found: FloatArray = solved + self.center[:, np.newaxis]
        found[:, :drawn] = normal[:drawn]
        return found

    def log_ratio(self, scores: FloatArray) -> FloatArray:
        """Logarithm of the density of patients over that of these virtual patients, shape [point, place]."""
        count, dimension = scores.shape[1:]
        share = drawn_as_patients(count) / count
        apart = scores - self.center[:, np.newaxis]
        as_drawn, about = np.zeros(scores.shape[:2]), np.zeros(scores.shape[:2])
        volume = np.zeros(len(scores))
        for row in range(dimension):
            total = np.zeros(scores.shape[:2])
            for other in range(row, dimension):
                total = total + self.root[:, np.newaxis, other, row] * apart[..., other]
            about = about - 0.5 * np.square(total / _WIDER)
            as_drawn = as_drawn - 0.5 * np.square(scores[..., row])
            volume = volume + log(self.root[:, row, row] / _WIDER)
        # Both parts of the mixture, relative to the first: nothing overflows.
        about = about + volume[:, np.newaxis]
        top = np.maximum(as_drawn, about)
        mixture = share * exp(as_drawn - top) + (1.0 - share) * exp(about - top)
        return as_drawn - top - log(mixture)


def drawn_as_patients(places: int) -> int:
    """How many of the places of a patient, the first of them, are those of patients as they are drawn."""
    return max(round(AS_DRAWN * places), 1)


def modes_from(start: FloatArray, look: Look, judge: Judge, steps: int) -> Modes:
    """Modes by some steps of Fisher's scoring, each of which is taken only if it leads up."""
    points, dimension = start.shape
    offsets = np.concatenate([np.zeros((1, dimension)), _STEP * np.eye(dimension)])
    center, trial = start.copy(), start.copy()
    height = np.full(points, -np.inf)
    gradient = np.zeros((points, dimension))
    matrix = np.zeros((points, dimension, dimension)) + np.eye(dimension)
    damping = np.zeros(points)
    for _ in range(steps):
        predicted = look(trial[:, np.newaxis] + offsets)
        density, slope, fisher = judge(predicted[:, 0])
        with np.errstate(invalid="ignore"):
            reached = density.sum(axis=-1) - 0.5 * np.square(trial).sum(axis=-1)
            better = reached > height
        rates = np.nan_to_num((predicted[:, 1:] - predicted[:, :1]) / _STEP)
        upward = -trial
        curved = np.zeros_like(matrix) + np.eye(dimension)
        for row in range(dimension):
            upward[:, row] += (rates[:, row] * slope).sum(axis=-1)
            for column in range(row + 1):
                own = (rates[:, row] * rates[:, column] * fisher).sum(axis=-1)
                curved[:, row, column] += own
                if row != column:
                    curved[:, column, row] += own
        sound = better & np.isfinite(upward).all(axis=-1) & np.isfinite(curved).all(axis=(-2, -1))
        center = np.where(sound[:, np.newaxis], trial, center)
        height = np.where(sound, reached, height)
        gradient = np.where(sound[:, np.newaxis], upward, gradient)
        matrix = np.where(sound[:, np.newaxis, np.newaxis], curved, matrix)
        damping = np.where(sound, damping / _DAMPING, np.maximum(damping * _DAMPING, 1.0))
        trial = center + _step(matrix, damping, gradient)
    return Modes(center, root_of(matrix))


def _step(matrix: FloatArray, damping: FloatArray, gradient: FloatArray) -> FloatArray:
    dimension = gradient.shape[1]
    damped = matrix * (1.0 + np.eye(dimension) * damping[:, np.newaxis, np.newaxis])
    root = root_of(damped)
    half, step = np.zeros_like(gradient), np.zeros_like(gradient)
    for row in range(dimension):
        rest = gradient[:, row].copy()
        for other in range(row):
            rest -= root[:, row, other] * half[:, other]
        half[:, row] = rest / root[:, row, row]
    for row in reversed(range(dimension)):
        rest = half[:, row].copy()
        for other in range(row + 1, dimension):
            rest -= root[:, other, row] * step[:, other]
        step[:, row] = rest / root[:, row, row]
    return np.clip(step, -3.0, 3.0)


def root_of(matrix: FloatArray) -> FloatArray:
    """Lower triangular roots, shape [point, dimension, dimension], by plain loops: bits depend on no other point."""
    root = np.zeros_like(matrix)
    for row in range(matrix.shape[-1]):
        for column in range(row + 1):
            rest = matrix[:, row, column].copy()
            for inner in range(column):
                rest -= root[:, row, inner] * root[:, column, inner]
            if row == column:
                # Fisher's matrix and the one of the prior leave at least 1; rounding of huge ones may leave less.
                root[:, row, row] = np.sqrt(np.maximum(rest, 1.0))
            else:
                root[:, row, column] = rest / root[:, column, column]
    return root
