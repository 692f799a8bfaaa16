"""Targets whose evidence is known in closed form or by quadrature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from simulate.inference.target import Scores, Target
from simulate.streams import FloatArray

DIMENSION = 8


@dataclass(frozen=True)
class Known:
    name: str
    target: Target
    log_evidence: float


def everywhere(items: FloatArray) -> Scores:
    return Scores(items, np.ones(len(items), dtype=bool))


def gaussian(dimension: int = DIMENSION) -> Known:
    """A correlated Gaussian likelihood, split into two items."""
    covariance = 0.09 * (0.3 * np.eye(dimension) + 0.7)
    center = np.full(dimension, 0.5)
    inverse = np.linalg.inv(covariance)
    constant = -0.5 * np.linalg.slogdet(2.0 * np.pi * covariance)[1]

    def target(points: FloatArray) -> Scores:
        apart = points - center
        total = constant - 0.5 * np.einsum("ij,jk,ik->i", apart, inverse, apart)
        return everywhere(np.stack([0.25 * total, 0.75 * total], axis=1))

    wide = covariance + np.eye(dimension)
    evidence = -0.5 * np.linalg.slogdet(2.0 * np.pi * wide)[1] - 0.5 * center @ np.linalg.solve(wide, center)
    return Known("gaussian", target, float(evidence))


def two_modes() -> Known:
    """A quarter of the mass at +1.2, three quarters at -1.2, in every coordinate."""
    variance, place = 0.04, 1.2

    def target(points: FloatArray) -> Scores:
        right = np.log(0.25) - 0.5 * np.square(points - place).sum(axis=1) / variance
        left = np.log(0.75) - 0.5 * np.square(points + place).sum(axis=1) / variance
        return everywhere((np.logaddexp(right, left) - 0.5 * DIMENSION * np.log(2 * np.pi * variance))[:, None])

    evidence = -0.5 * DIMENSION * (np.log(2.0 * np.pi * (1.0 + variance)) + place**2 / (1.0 + variance))
    return Known("two modes", target, float(evidence))


def bananas() -> Known:
    """Four independent pairs, each bent: y is known to follow x squared."""

    def target(points: FloatArray) -> Scores:
        x, y = points[:, ::2], points[:, 1::2]
        return everywhere(norm.logpdf(x, 0.5, 0.5) + norm.logpdf(y, x**2 - 1.0, 0.3))

    width = np.sqrt(1.0 + 0.3**2)
    one, _ = quad(lambda x: norm.pdf(x) * norm.pdf(x, 0.5, 0.5) * norm.pdf(x**2 - 1.0, 0.0, width), -8.0, 8.0)
    return Known("bananas", target, 4.0 * float(np.log(one)))


KNOWN = (gaussian(), two_modes(), bananas())
