"""Functions for generated code: saturating ones are evaluated from the smaller side (`simulate.kernels.saturation`)."""

from __future__ import annotations

import math

from simulate.compiled import verbatim
from simulate.kernels.elementary import exp, log, power


@verbatim
def share(s: float, n: float) -> float:
    """``s**n/(1 + s**n)`` from the smaller of ``s**n`` and its inverse, neither of which overflows."""
    large = abs(s) > 1.0
    p = power(1.0 / s if large else s, abs(n))
    inverse = large == (n >= 0.0)
    return float((1.0 if inverse else p) / (1.0 + p))


@verbatim
def weight(s: float, n: float, j: float) -> float:
    """``s**(n - j)/(1 + s**n)**2``, which is the same for ``n`` and ``-n``."""
    large = abs(s) > 1.0
    r = 1.0 / s if large else s
    m = abs(n)
    below = 1.0 + power(r, m)
    return float(power(r, m + j if large else m - j) / (below * below))


@verbatim
def weight_log(s: float, n: float, j: float) -> float:
    """`weight` times the logarithm of ``s``; 0 where the first factor is."""
    factor = weight(s, n, j)
    return 0.0 if factor == 0.0 else factor * log(s)


@verbatim
def logistic(u: float) -> float:
    """``exp(u)/(1 + exp(u))``."""
    e = exp(-abs(u))
    return float((1.0 if u >= 0.0 else e) / (1.0 + e))


@verbatim
def softplus(u: float) -> float:
    """``log(1 + exp(u))``."""
    e = exp(-abs(u))
    one = 1.0 + e
    rest = one - 1.0
    small = e if rest == 0.0 else log(one) * (e / (1.0 if rest == 0.0 else rest))
    return float((u if u > 0.0 else 0.0) + small)


@verbatim
def power_log(base: float, exponent: float) -> float:
    """``base**exponent * log(base)``; 0 for a base of 0 (`simulate.kernels.hoisting.power_log`)."""
    return 0.0 if base == 0.0 and exponent > 0.0 else base**exponent * math.log(base)
