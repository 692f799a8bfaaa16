"""Weights of plausible patients that match statistics and change the pool as little as that allows.

Of all weights with given means of some functions g those of least relative entropy to the pool are proportional to
exp(λ·g) (E. Jaynes, Phys. Rev. 106 (1957) 620); λ minimizes a convex function. Statistics of few people need not be
hit: with their sampling covariance Σ the function gains ½ λᵀΣλ, and a mean gives way by −Σλ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from simulate.errors import InputError, NotConverged
from simulate.inference.populations.target import check_covariance, check_outputs
from simulate.streams import FloatArray
from simulate.sums import logsumexp

_STEPS = 200
_GRADIENT = 1e-10
"""Means are met to so many of their standard deviations in the pool."""

_UNMET = 2.0
"""Standard deviations by which a mean may miss what was wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class Reweighted:
    """Weights of the patients of a pool.

    Attributes
    ----------
    weights
        Shape [patient], adding up to 1.
    multipliers
        λ of each function.
    achieved
        Mean of each function under the weights.
    misses
        Distance of each mean from what was wanted, in standard deviations of its sampling; 0 where it was to be hit.
    unmet
        Names of those that miss by more than 2.
    """

    weights: FloatArray
    multipliers: FloatArray
    achieved: FloatArray
    misses: FloatArray
    unmet: tuple[str, ...]

    @property
    def effective(self) -> float:
        """Effective number of patients, 1 / Σ w²."""
        return 1.0 / float(np.square(self.weights).sum())

    @property
    def largest(self) -> float:
        """Largest weight of a patient."""
        return float(self.weights.max())


def reweight(
    functions: FloatArray, names: Sequence[str], wanted: FloatArray, covariance: FloatArray | None = None
) -> Reweighted:
    """Weights under which the means of functions are as wanted.

    Parameters
    ----------
    functions
        Values of the functions in each patient, shape [patient, function].
    names
        What the functions are, for messages.
    wanted
        Their means, shape [function].
    covariance
        Sampling covariance of the wanted means, shape [function, function]; they are hit exactly if not given.

    Raises
    ------
    InputError
        ``populations.shape``, ``populations.outputs``, ``populations.covariance``; ``populations.hull``: no weights of
        the pool have such means.
    NotConverged
        ``populations.weights``: the minimum was not found.
    """
    number = len(names)
    check_outputs(functions, number, 2)
    if wanted.shape != (number,) or (covariance is not None and covariance.shape != (number, number)):
        raise InputError(
            "wanted means and their covariance are not those of the functions",
            code="populations.shape",
            found=f"{wanted.shape}" + ("" if covariance is None else f" and {covariance.shape}"),
            expected=f"{(number,)} and {(number, number)}",
        )
    if covariance is None:
        _check_hull(functions, names, wanted)
    else:
        check_covariance(covariance, "the wanted means")
    scale = functions.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    apart = (functions - wanted) / scale
    slack = np.zeros((number, number)) if covariance is None else covariance / np.outer(scale, scale)
    multipliers = _minimum(apart, slack)
    logs = np.einsum("ij,j->i", apart, multipliers)
    weights = np.exp(logs - logsumexp(logs))
    weights /= weights.sum()
    achieved = np.einsum("i,ij->j", weights, functions)
    misses = np.zeros(number) if covariance is None else (achieved - wanted) / np.sqrt(np.diag(covariance))
    unmet = tuple(name for name, miss in zip(names, misses, strict=True) if abs(miss) > _UNMET)
    return Reweighted(weights, multipliers / scale, achieved, misses, unmet)


def _minimum(apart: FloatArray, slack: FloatArray) -> FloatArray:
    """Newton's method with halved steps on the logarithm of the mean of exp(λ·g), plus ½ λᵀΣλ."""

    def value(at: FloatArray) -> float:
        half = 0.5 * float(np.einsum("i,ij,j->", at, slack, at))
        return float(logsumexp(np.einsum("ij,j->i", apart, at)) - np.log(len(apart))) + half

    found = np.zeros(apart.shape[1])
    now = value(found)
    for _ in range(_STEPS):
        logs = np.einsum("ij,j->i", apart, found)
        weights = np.exp(logs - logsumexp(logs))
        mean = np.einsum("i,ij->j", weights, apart)
        gradient = mean + np.einsum("ij,j->i", slack, found)
        if float(np.abs(gradient).max()) <= _GRADIENT:
            return found
        centered = apart - mean
        curvature = np.einsum("i,ij,ik->jk", weights, centered, centered) + slack
        # Functions that say the same twice leave a direction flat; the shortest step is right there.
        step = np.linalg.lstsq(curvature, gradient, rcond=1e-13)[0]
        decrease = float(np.einsum("i,i->", gradient, step))
        size = 1.0
        while size > 1e-12 and not value(found - size * step) <= now - 1e-4 * size * decrease + 1e-14:
            size *= 0.5
        found = found - size * step
        now = value(found)
    raise NotConverged(
        "the weights of the patients were not found",
        code="populations.weights",
        found=f"means off by {np.abs(gradient).max():.2g} of their standard deviations after {_STEPS} steps",
        advice="wanted means near the edge of the pool leave next to nobody: allow a covariance, or widen the pool",
    )


def _check_hull(functions: FloatArray, names: Sequence[str], wanted: FloatArray) -> None:
    """Whether some weights, all above zero, have the wanted means."""
    for column, name in enumerate(names):
        low, high = float(functions[:, column].min()), float(functions[:, column].max())
        if not low <= wanted[column] <= high:
            raise InputError(
                f"no patient of the pool reaches the mean that `{name}` is to have",
                code="populations.hull",
                found=f"{wanted[column]:.6g}",
                expected=f"from {low:.6g} to {high:.6g}",
                advice="allow for the sampling of a mean of few people (a covariance), or make the pool wider",
            )
    scale = functions.std(axis=0)
    apart = (functions - wanted) / np.where(scale > 0.0, scale, 1.0)
    # Largest t such that all weights are at least t: the rest of each weight, and t, are not negative.
    equal = np.vstack([np.column_stack([apart.T, apart.sum(axis=0)]), np.append(np.ones(len(apart)), len(apart))])
    aim = np.append(np.zeros(len(apart)), -1.0)
    solved = linprog(aim, A_eq=equal, b_eq=np.append(np.zeros(len(names)), 1.0), bounds=(0.0, None), method="highs")
    if solved.status == 2:
        raise InputError(
            "no weights of the patients have all wanted means together",
            code="populations.hull",
            found=", ".join(f"`{name}` {value:.6g}" for name, value in zip(names, wanted.tolist(), strict=True)),
            expected="means that do not contradict each other; each alone can be had",
            advice="allow for the sampling of means of few people (a covariance), or make the pool wider",
        )
    if solved.x is not None and not float(solved.x[-1]) * len(apart) > 1e-9:
        raise InputError(
            "the wanted means are at the edge of the pool: most patients would have no weight at all",
            code="populations.hull",
            found=", ".join(f"`{name}` {value:.6g}" for name, value in zip(names, wanted.tolist(), strict=True)),
            expected="means that some patients exceed and others do not reach",
            advice="allow for the sampling of means of few people (a covariance), or make the pool wider",
        )
