"""How likely readings are of what a virtual patient has: normal, with a noise that is told, or log-normal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulate.elementwise import log
from simulate.streams import FloatArray
from simulate.studies.fitting.individual import RealPatient

_HALF_LOG = 0.5 * math.log(2.0 * math.pi)
_STEP = 1e-4


def log_densities(
    patient: RealPatient, noises: Sequence[Mapping[str, FloatArray]], predicted: FloatArray
) -> FloatArray:
    """Log-densities of a patient's readings over the unit of the quantity, of the shape of ``predicted``.

    Of a reading that is below a limit it is the logarithm of the probability that it is.
    """
    from scipy.special import log_ndtr

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
    steps = _STEP * sizes + 1e-300
    up, here, down = (log_densities(patient, noises, predicted + side * steps) for side in (1.0, 0.0, -1.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        first = (up - down) / (2.0 * steps)
        # Of what is only known to be below a limit, what is learned depends on how far below it is.
        censored = np.maximum((2.0 * here - up - down) / np.square(steps), 0.0)
        fisher = np.where(patient.below, censored, 1.0 / np.square(sizes) + 2.0 * np.square(relative))
    return np.nan_to_num(first, posinf=0.0, neginf=0.0), np.nan_to_num(fisher, posinf=0.0, neginf=0.0)
