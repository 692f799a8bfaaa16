"""Distribution of what is read in one patient: a mixture of log-normals, one for each virtual patient.

A virtual patient has a value without noise; assay and short-term variation make a log-normal of it. The mixture over a
cohort of virtual patients is the distribution from which the patients of a trial were drawn. Sums are over patients in
fixed order, and in logarithms: the tails, which decide on ranges, neither underflow nor become the product of zero and
infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from simulate.streams import FloatArray
from simulate.sums import logsumexp

_LOG_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """Mixture of log-normals."""

    log_weights: FloatArray  #: Logarithms of the shares of the patients, shape [cohort, patient]; each row adds up to 1
    location: FloatArray  #: Logarithms of the values without noise, shape [cohort, patient]
    scale: FloatArray  #: Standard deviation of the logarithm of what is read, above 0, shape [cohort, patient]

    @classmethod
    def of(cls, weights: FloatArray, location: FloatArray, scale: FloatArray | float) -> Marginal:
        """Mixture with weights that need not add up to 1; a patient whose location is not a number has no weight."""
        with np.errstate(divide="ignore"):
            log_weights = np.log(np.where(np.isfinite(location), weights, 0.0))
        total = logsumexp(log_weights, axis=-1, keepdims=True)
        shape = np.broadcast_shapes(log_weights.shape, np.shape(scale))
        finite = np.where(np.isfinite(location), location, 0.0)
        return cls(log_weights - total, finite, np.broadcast_to(np.asarray(scale, dtype=np.float64), shape))

    @staticmethod
    def pooled(*parts: Marginal) -> Marginal:
        """Mixture of mixtures with equal shares, as when the values of two visits are thrown together."""
        return Marginal(
            np.concatenate([part.log_weights for part in parts], axis=-1) - float(np.log(len(parts))),
            np.concatenate([part.location for part in parts], axis=-1),
            np.concatenate([part.scale for part in parts], axis=-1),
        )

    def log_density(self, value: float) -> FloatArray:
        """Logarithm of the density at a value above 0, shape [cohort]."""
        z = self._standardized(value)
        return self._over_patients(-0.5 * z * z - _LOG_ROOT_2PI - np.log(self.scale)) - float(np.log(value))

    def log_below(self, value: float) -> FloatArray:
        """Logarithm of the probability of at most a value, shape [cohort]."""
        return self._over_patients(log_ndtr(self._standardized(value)))

    def log_above(self, value: float) -> FloatArray:
        """Logarithm of the probability of at least a value, shape [cohort]."""
        return self._over_patients(log_ndtr(-self._standardized(value)))

    def log_moment(self, order: int, low: float, high: float) -> FloatArray:
        """Logarithm of the integral of ``y**order`` times the density from ``low`` to ``high``, shape [cohort].

        Of a log-normal it is exp(jμ + j²s²/2) [Φ(b − js) − Φ(a − js)] with a and b the standardized limits. ``low`` may
        be 0 and ``high`` infinite.
        """
        shift = order * self.scale
        mass = log_mass(self._standardized(low) - shift, self._standardized(high) - shift)
        return self._over_patients(order * self.location + 0.5 * shift * shift + mass)

    def _standardized(self, value: float) -> FloatArray:
        with np.errstate(divide="ignore"):
            logarithm = np.log(value)
        standardized: FloatArray = (logarithm - self.location) / self.scale
        return standardized

    def _over_patients(self, terms: FloatArray) -> FloatArray:
        summed: FloatArray = logsumexp(self.log_weights + terms, axis=-1)
        return summed


def log_mass(low: FloatArray, high: FloatArray) -> FloatArray:
    """Logarithm of Φ(high) − Φ(low), exact in both tails; minus infinity where they are the same."""
    # Above 0 both are near 1 and their difference is lost: the mirror image has it.
    is_upper = low > 0.0
    above = log_ndtr(np.where(is_upper, -low, high))
    below = log_ndtr(np.where(is_upper, -high, low))
    return log_difference(above, below)


def log_difference(greater: FloatArray, lesser: FloatArray) -> FloatArray:
    """Logarithm of exp(greater) − exp(lesser); minus infinity where there is no difference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(np.isneginf(lesser), -np.inf, lesser - greater)
        result = greater + np.where(gap > -0.6, np.log(-np.expm1(np.minimum(gap, 0.0))), np.log1p(-np.exp(gap)))
    return np.where(np.isneginf(greater), -np.inf, result)
