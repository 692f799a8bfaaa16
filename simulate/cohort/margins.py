"""Log-normal distributions that are cut at their bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.elementwise import exp, log
from simulate.errors import InputError
from simulate.streams import FloatArray
from simulate.symbolic.parts import Parameter

LEAST = 1e-6
"""Share of a distribution that must lie within the bounds: fewer than one in a million is nobody."""

_EDGE = 2.0**-53


def shown(value: float, part: Parameter) -> str:
    """A value with the unit of its parameter, for a reader."""
    return f"{value:g}" if part.unit.text == "1" else f"{value:g} {part.unit.text}"


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """Distribution of a parameter or covariate in each patient: typical value, spread and bounds, of any shape."""

    part: Parameter
    typical: npt.NDArray[np.float64]
    sd_log: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @property
    def varies(self) -> npt.NDArray[np.bool_]:
        """Where patients differ; a log-normal variable whose typical value is 0 is 0."""
        return (self.sd_log > 0.0) & (self.typical > 0.0)

    def edges(self) -> tuple[FloatArray, FloatArray]:
        """Normal scores of the bounds."""
        with np.errstate(divide="ignore", invalid="ignore"):
            least, most = (log(bound / self.typical) / self.sd_log for bound in (self.low, self.high))
        return np.where(self.varies, least, -np.inf), np.where(self.varies, most, np.inf)

    def at(self, probability: FloatArray) -> FloatArray:
        """Quantiles within the bounds."""
        from scipy.special import ndtr, ndtri

        least, most = self.edges()
        # In the upper tail probabilities are told apart only from the other side.
        flipped = least > 0.0
        low, high = np.where(flipped, -most, least), np.where(flipped, -least, most)
        below, mass = ndtr(low), ndtr(high) - ndtr(low)
        nobody = np.asarray(mass < LEAST)
        if nobody.any():
            raise self.nobody(nobody)
        score = ndtri(below + np.where(flipped, 1.0 - probability, probability) * mass)
        score = np.where(self.varies, np.where(flipped, -score, score), 0.0)
        values = self.typical * exp(self.sd_log * score)
        return np.where(self.varies, np.clip(values, self.low, self.high), values)

    def probability(self, values: FloatArray) -> FloatArray:
        """Probabilities whose quantiles are ``values``, which are within the bounds; a half where nothing varies."""
        from scipy.special import ndtr

        least, most = self.edges()
        with np.errstate(divide="ignore", invalid="ignore"):
            score = log(values / self.typical) / self.sd_log
            found = (ndtr(score) - ndtr(least)) / (ndtr(most) - ndtr(least))
        return np.where(self.varies, np.clip(found, _EDGE, 1.0 - _EDGE), 0.5)

    def nobody(self, where: npt.NDArray[np.bool_]) -> InputError:
        """Nobody has a value within the bounds, ``where`` it is so."""
        rows = np.broadcast_arrays(where, self.typical, self.sd_log, self.low, self.high)
        index = int(np.argmax(rows[0].ravel()))
        typical, sd_log, low, high = (float(row.ravel()[index]) for row in rows[1:])
        return InputError(
            f"nobody can be drawn within the bounds of `{self.part.name}`",
            code="cohort.bounds",
            found=f"typical value {shown(typical, self.part)}, standard deviation {sd_log:.3g} of the logarithm, "
            f"bounds {low:g} to {shown(high, self.part)}",
            expected="a typical value, of each stratum and with its covariates, that is within the bounds or near them",
            advice="widen the bounds, or move the typical value or the bounds of the covariates",
        )
