"""What a sampler asks: the log-likelihood of many points at once, item by item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from simulate.errors import NumericalError
from simulate.streams import FloatArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Log-likelihoods of a batch of points.

    Attributes
    ----------
    items
        Log-likelihood of each datum, shape [point, item]; minus infinity only where a datum is impossible.
    feasible
        Whether a point belongs to the prior at all, shape [point]; ``items`` is not looked at where it does not.
    """

    items: FloatArray
    feasible: BoolArray

    @property
    def total(self) -> FloatArray:
        """Log-likelihood, shape [point]; minus infinity for infeasible points."""
        return np.where(self.feasible, self.items.sum(axis=1), -np.inf)

    def where(self, chosen: BoolArray, other: Scores) -> Scores:
        """These scores where ``chosen``, the others elsewhere."""
        return Scores(
            np.where(chosen[:, None], self.items, other.items), np.where(chosen, self.feasible, other.feasible)
        )

    def rows(self, chosen: npt.NDArray[np.int64]) -> Scores:
        """Scores of some points."""
        return Scores(self.items[chosen], self.feasible[chosen])


Target = Callable[[FloatArray], Scores]
"""Scores of points, shape [point, dimension], whose prior is standard normal, restricted to feasible points.

It must be a function: the same point has the same scores in every batch.
"""


Guess = Callable[[FloatArray], FloatArray]
"""Approximate log-likelihoods of points, shape [point]; minus infinity for infeasible points and no others."""


@runtime_checkable
class Learning(Protocol):
    """A target that costs so much that it pays to learn what it says from points that it has scored."""

    def __call__(self, points: FloatArray) -> Scores:
        """Scores, as of any target."""

    def learned(self, points: FloatArray) -> Guess:
        """What was learned from some points, shape [point, dimension]: a function of them and of nothing else."""


def guess_of(target: Target, points: FloatArray) -> Guess | None:
    """A guess that a target learns from some points; None for one that does not learn."""
    return target.learned(points) if isinstance(target, Learning) else None


def scores(target: Target, points: FloatArray) -> Scores:
    """Scores that are checked: an undefined one would never be accepted and never be noticed.

    Raises
    ------
    NumericalError
        ``inference.undefined``: a feasible point has a log-likelihood that is no number.
    """
    found = target(points)
    undefined = np.argwhere(found.feasible[:, None] & (np.isnan(found.items) | (found.items == np.inf)))
    if len(undefined):
        point, item = undefined[0]
        raise NumericalError(
            f"the log-likelihood of item {item} is {found.items[point, item]} at a feasible point",
            code="inference.undefined",
            found=f"coordinates {np.array2string(points[point], precision=4)}",
            expected="a finite number, or minus infinity where the datum is impossible",
        )
    return found


def log_prior(points: FloatArray) -> FloatArray:
    """Logarithm of the standard normal density, shape [point]."""
    density: FloatArray = -0.5 * np.square(points).sum(axis=1) - 0.5 * points.shape[1] * np.log(2.0 * np.pi)
    return density
