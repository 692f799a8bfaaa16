"""A Gaussian process surrogate of a log-likelihood that is nearly a parabola: of individual data.

Gaussian process regression over the coordinates of the points with a quadratic mean. It decides which points are worth
solving and nothing else: samplers correct for what it errs by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.streams import FloatArray
from simulate.studies.fitting.surrogate import inverse

_BEND, _REACH, _NOISE = 1.0, 3.0, 1e-3
"""Variance of what is no parabola beside that of what is, the distance over which it varies in standard deviations of
the points, and the variance of what is taken for noise."""

_DEEP = 1e5
"""How far below the best a log-likelihood is told apart from even lower ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """Approximate log-likelihoods; a point's value depends on the known points and on itself alone."""

    known: FloatArray  #: Standardized known points, shape [known point, dimension]
    #: By which points are standardized.
    center: FloatArray
    scale: FloatArray
    #: Of the log-likelihoods, and the weights of the known points.
    mean: float
    weights: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """Log-likelihoods, shape [point]."""
        near = _kernel((points - self.center) / self.scale, self.known)
        found: FloatArray = self.mean + np.einsum("ij,j->i", near, self.weights)
        return found


def smooth(points: FloatArray, totals: FloatArray) -> Smooth:
    """Learn from points, shape [point, dimension], and their log-likelihoods, minus infinity where there is none."""
    center, scale = points.mean(axis=0), points.std(axis=0) + 1e-12
    known = (points - center) / scale
    bounded = np.maximum(totals, totals.max() - _DEEP)
    mean = float(bounded.mean())
    gram = _kernel(known, known) + _NOISE * np.eye(len(known))
    return Smooth(known, center, scale, mean, np.einsum("ij,j->i", inverse(gram), bounded - mean))


def _kernel(first: FloatArray, second: FloatArray) -> FloatArray:
    products = np.einsum("ik,jk->ij", first, second)
    squares = np.square(first).sum(axis=1)[:, np.newaxis] + np.square(second).sum(axis=1) - 2.0 * products
    found: FloatArray = np.square(1.0 + products) + _BEND * np.exp(-0.5 * squares / _REACH**2)
    return found
