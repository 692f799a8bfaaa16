"""Exponential and logarithm of arrays in which the bits of an element depend on that element alone.

NumPy computes some functions several numbers at a time, and may round the last ones of an array in another way than
those in its middle. Here each number goes through the C library one by one, inside a compiled loop. SciPy's ``ndtr``
and ``ndtri`` are of this kind too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def exp(values: npt.ArrayLike) -> FloatArray:
    """Exponential, of the shape of ``values``; infinite where it would overflow."""
    from scipy.special import inv_boxcox

    with np.errstate(over="ignore"):
        # The inverse of the transform of Box and Cox with exponent 0 is the exponential.
        return np.asarray(inv_boxcox(np.asarray(values, dtype=np.float64), 0.0), dtype=np.float64)


def log(values: npt.ArrayLike) -> FloatArray:
    """Natural logarithm, of the shape of ``values``; minus infinity at 0, NaN below."""
    from scipy.special import xlogy

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(xlogy(1.0, np.asarray(values, dtype=np.float64)), dtype=np.float64)
