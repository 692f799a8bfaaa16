"""Trials drawn again and again from virtual patients, with random numbers that are the same for every cohort.

A statistic whose distribution has no formula is computed in many trials of n patients. The numbers by which patients
are chosen and readings disturbed are fixed, so that a likelihood stays a smooth function of the parameters of a model,
and two hypotheses are compared on the same trials.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from simulate.evidence.marginals import Marginal, log_mass
from simulate.streams import FloatArray, IntArray, normals, stream
from simulate.sums import logsumexp

TRIALS = 512
"""Trials for each cohort: probabilities are known to about 0.02."""


@dataclass(frozen=True, slots=True)
class Trials:
    """Random numbers of simulated trials: how many, and the seed from which they come."""

    count: int = TRIALS
    seed: int = 0

    def uniforms(self, purpose: str, n: int) -> FloatArray:
        """Uniform numbers, shape [trial, patient of the trial]; the same at each call."""
        return _uniforms(self.seed, purpose, self.count, n)

    def normals(self, purpose: str, n: int) -> FloatArray:
        """Standard normal numbers, shape [trial, patient of the trial]; the same at each call."""
        return _normals(self.seed, purpose, self.count, n)


FIXED = Trials()
"""The trials of likelihoods."""


@functools.lru_cache(maxsize=64)
def _uniforms(seed: int, purpose: str, trials: int, n: int) -> FloatArray:
    values = stream(seed, f"evidence: {purpose}", n).random((trials, n))
    values.setflags(write=False)
    return values


@functools.lru_cache(maxsize=64)
def _normals(seed: int, purpose: str, trials: int, n: int) -> FloatArray:
    values = normals(seed, f"evidence: {purpose}: {n}", np.arange(trials), n)
    values.setflags(write=False)
    return values


def chosen(weights: FloatArray, n: int, trials: Trials = FIXED) -> IntArray:
    """Patients of trials, shape [cohort, trial, patient of the trial], as columns of ``weights`` [cohort, patient]."""
    # Most cohorts have the same weights, and so the same patients.
    cumulative, which = np.unique(np.cumsum(weights, axis=-1), axis=0, return_inverse=True)
    draws = trials.uniforms("patients", n).ravel()
    picked = np.stack([np.searchsorted(row, draws * row[-1], side="right") for row in cumulative])[which.reshape(-1)]
    patients: IntArray = np.minimum(picked, weights.shape[1] - 1).reshape(len(weights), trials.count, n)
    return patients


def of_chosen(values: FloatArray, patients: IntArray) -> FloatArray:
    """Values of the patients of trials, shape [cohort, trial, patient of the trial]."""
    flat = patients.reshape(len(patients), -1)
    if len(flat) and (flat == flat[0]).all():
        alike: FloatArray = np.take(values, flat[0], axis=1).reshape(patients.shape)
        return alike
    return np.take_along_axis(values, flat, axis=1).reshape(patients.shape)


def readings_of_trials(marginal: Marginal, n: int, trials: Trials = FIXED) -> FloatArray:
    """Readings of ``n`` patients in each trial, shape [cohort, trial, patient of the trial]."""
    patients = chosen(np.exp(marginal.log_weights), n, trials)
    spread = of_chosen(np.ascontiguousarray(marginal.scale), patients)
    return np.exp(of_chosen(marginal.location, patients) + spread * trials.normals("reading", n))


def log_share_between(values: FloatArray, low: float, high: float) -> FloatArray:
    """Logarithm of the probability that a statistic lies between two limits, from its values [cohort, trial].

    Each value counts as a normal distribution around it of the width that suits the number of trials (Silverman's
    rule), so that the result is smooth and never zero.
    """
    width = np.maximum(values.std(axis=-1, keepdims=True), 1e-6) * (0.9 * values.shape[-1] ** -0.2)
    mass = log_mass((low - values) / width, (high - values) / width)
    shares: FloatArray = logsumexp(mass, axis=-1) - float(np.log(values.shape[-1]))
    return shares


def correlation(first: FloatArray, second: FloatArray) -> FloatArray:
    """Pearson's coefficient along the last axis; 0 where one of the two does not vary."""
    x = first - first.mean(axis=-1, keepdims=True)
    y = second - second.mean(axis=-1, keepdims=True)
    # Sums of products without arrays of products: this is where likelihoods of correlations spend their time.
    xx, xy, yy = (np.einsum("...n,...n->...", a, b) for a, b in ((x, x), (x, y), (y, y)))
    size = np.sqrt(xx * yy)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = xy / size
    return np.where(size > 0.0, np.clip(r, -1.0, 1.0), 0.0)


def rank_sum_of_falls(changes: FloatArray) -> FloatArray:
    """Sum of the ranks of the negative changes along the last axis: the statistic of the signed-rank test."""
    ranks = np.abs(changes).argsort(axis=-1).argsort(axis=-1) + 1.0
    sums: FloatArray = np.where(changes < 0.0, ranks, 0.0).sum(axis=-1)
    return sums


def binomial_interval(events: int, of: int, share: float = 0.95) -> tuple[float, float]:
    """Interval of a probability by Clopper and Pearson: where nothing happened, resampling would know no error."""
    tail = 0.5 * (1.0 - share)
    low = float(betaincinv(events, of - events + 1, tail)) if events else 0.0
    high = float(betaincinv(events + 1, of - events, 1.0 - tail)) if events < of else 1.0
    return low, high
