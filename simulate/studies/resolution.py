"""Numerical resolution: a difference no larger than the errors of solver and rounding is shown as 0.

A number of a trajectory is no more exact than the tolerances that it was solved with. So a change, a slope, a share, a
rank, a curve or a sign means something only where the numbers that it is the difference of are further apart than
their errors, whatever the size of the difference itself. Everything that is made of differences asks here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.solver.kernel import FloatArray
from simulate.solver.problem import RTOL

TOLERANCES = 10.0
"""Tolerances that the error of a simulated number may amount to; the bound is one of a step, and steps add up."""

NOTHING = 1e-24
"""Share of the largest number in the same unit that a number is nothing below: a molecule is more of a mole."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The numerical resolution of simulated numbers."""

    rtol: float = RTOL  #: Relative tolerance of the simulation
    #: Absolute tolerance, as a share of the largest value of a course: what is left of it after it has faded.
    atol: float = 1e-12

    def error(self, levels: npt.ArrayLike, peaks: npt.ArrayLike = 0.0, terms: npt.ArrayLike = 0.0) -> FloatArray:
        """The largest error of numbers, in their unit.

        ``peaks`` are the largest values of their courses; ``terms`` the sizes of what they are added up from where
        terms cancel: a difference of large numbers is as wrong as these are.
        """
        sizes = np.abs(levels)
        if np.any(terms):
            sizes = np.maximum(sizes, terms)
        return TOLERANCES * (self.rtol * sizes + self.atol * np.abs(peaks))

    def percent(
        self, after: FloatArray, before: FloatArray, peaks: npt.ArrayLike = 0.0, terms: npt.ArrayLike = 0.0
    ) -> FloatArray:
        """Changes in percent of the numbers before, 0 where they are no signal; NaN where there is nothing before."""
        return self.percent_beyond(after, before, self.percent_error(after, before, peaks, terms))

    @staticmethod
    def percent_beyond(after: FloatArray, before: FloatArray, errors: FloatArray) -> FloatArray:
        """As `percent`, where `percent_error` is known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = 100.0 * (after / before - 1.0)
        change[~np.isfinite(change)] = np.nan
        return signal(change, errors)

    def percent_error(
        self, after: FloatArray, before: FloatArray, peaks: npt.ArrayLike = 0.0, terms: npt.ArrayLike = 0.0
    ) -> FloatArray:
        """The largest error of such changes, in percent."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(after / before)
            found: FloatArray = 100.0 * (
                self.error(after, peaks, terms) / np.abs(before)
                + self.error(ratio, terms=ratio * terms / np.abs(before))
            )
        return found


def signal(differences: npt.ArrayLike, errors: npt.ArrayLike) -> FloatArray:
    """Differences, 0 where they are not larger than the errors of what they are the difference of; NaN stays NaN."""
    return np.where(np.abs(differences) <= errors, 0.0, differences)


def varies(values: FloatArray, errors: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether series of numbers, shape [..., place], are anywhere further apart than their errors."""
    highest, lowest = values.argmax(axis=-1)[..., np.newaxis], values.argmin(axis=-1)[..., np.newaxis]

    def of(array: FloatArray, places: npt.NDArray[np.int64]) -> FloatArray:
        return np.take_along_axis(array, places, axis=-1)[..., 0]

    return of(values, highest) - of(values, lowest) > of(errors, highest) + of(errors, lowest)
