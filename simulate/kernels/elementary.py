"""Exponential, logarithm and power for generated code, in operations that act on all lanes at once.

A call of the C library inside the loop over lanes is made lane by lane. Here each function reduces the range by the
bits of the number and evaluates a polynomial, without branches or tables, so that LLVM computes full vectors. The
exponential and the power are within 0.8 units in the last place of the true value, the logarithm within 0.9. A machine
that can may contract a product and a sum; where both must be one operation, `fma` says so. Special values are those of
the C standard (ISO/IEC 9899, annex F).

The reductions and the coefficients of the logarithm are those of fdlibm (Sun Microsystems, 1993); the other polynomials
are Taylor's. The power takes its logarithm in twice the working precision (T. J. Dekker, Numer. Math. 18 (1971) 224).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simulate.compiled import verbatim

_SHIFT = 6755399441055744.0
"""1.5 · 2⁵²: adding it rounds a number to an integer, which then stands in the lowest bits."""
_SHIFT_BITS = np.int64(0x4338000000000000)
_SIGN = np.int64(-(2**63))
_ROOT_HALF = np.int64(0x3FE6A09E667F3BCD)
_SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)
_FROM_SUBNORMAL = 2.0**54
_EXACT_INTEGERS = 2.0**52
_PER_LN_2 = 1.4426950408889634
# The high part has 33 bits: its product with an exponent is exact.
_LN_2_HIGH, _LN_2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_THIRD_HIGH, _THIRD_LOW = 1.0 / 3.0, 1.850371707708594e-17
# Beyond these the exponential is infinite or zero, and stays so.
_LARGEST, _LEAST = 710.0, -746.0
_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12, _E13 = (1.0 / math.factorial(k) for k in range(2, 14))
_L1, _L2, _L3, _L4 = 0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784
_L5, _L6, _L7 = 0.1818357216161805, 0.15313837699209373, 0.14798198605116586
_T5, _T7, _T9, _T11, _T13, _T15, _T17, _T19, _T21, _T23, _T25, _T27 = (1.0 / k for k in range(5, 28, 2))


def _fused(_: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


def _as_integer(_: Any, x: Any) -> Any:
    """The bits of a number as an integer."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


def _as_number(_: Any, bits: Any) -> Any:
    """The number that has these bits."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


# Typed by hand: to a type checker an intrinsic has the arguments of its definition, the compiler's context included.
fma: Any = intrinsic(_fused)
_bits: Any = intrinsic(_as_integer)
_number: Any = intrinsic(_as_number)


@verbatim
def exp(x: float) -> float:
    """The exponential; below -745.13 zero, above 709.78 infinite."""
    return float(_exp(x, 0.0))


@verbatim
def _exp(x: float, rest: float) -> float:
    """The exponential of ``x + rest``, where ``rest`` is less than a unit in the last place or so of ``x``."""
    x = _LARGEST if x > _LARGEST else x
    x = _LEAST if x < _LEAST else x
    shifted = x * _PER_LN_2 + _SHIFT
    k = shifted - _SHIFT
    high = fma(-k, _LN_2_HIGH, x)
    low = fma(-k, _LN_2_LOW, rest)
    r = high + low
    r_low = (high - r) + low
    p = fma(_E13, r, _E12)
    p = fma(p, r, _E11)
    p = fma(p, r, _E10)
    p = fma(p, r, _E9)
    p = fma(p, r, _E8)
    p = fma(p, r, _E7)
    p = fma(p, r, _E6)
    p = fma(p, r, _E5)
    p = fma(p, r, _E4)
    p = fma(p, r, _E3)
    p = fma(p, r, _E2)
    first = 1.0 + r
    value = first + (fma(r * r, p, r_low) + ((1.0 - first) + r))
    # Two factors, because 2**1024 is no number, and so that a subnormal result is rounded once more only.
    exponent = _bits(shifted) - _SHIFT_BITS
    half = ((exponent + 4096) >> 1) - 2048
    return float(value * _power_of_two(half) * _power_of_two(exponent - half))


@verbatim
def _power_of_two(k: Any) -> Any:
    """Two to an integer power from -1022 to 1023."""
    return _number((k + 1023) << 52)


@verbatim
def _parts(x: float) -> Any:
    """Exponent, as a float, and mantissa between √½ and √2 of a positive number."""
    subnormal = x < _SMALLEST_NORMAL
    bits = _bits(x * _FROM_SUBNORMAL if subnormal else x)
    k = (bits - _ROOT_HALF) >> 52
    mantissa = _number(bits - (k << 52))
    k -= 54 if subnormal else 0
    return _number(k + _SHIFT_BITS) - _SHIFT, mantissa


@verbatim
def log(x: float) -> float:
    """The natural logarithm; undefined below zero."""
    k, mantissa = _parts(x)
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * fma(w, fma(w, _L6, _L4), _L2)
    odd = z * fma(w, fma(w, fma(w, _L7, _L5), _L3), _L1)
    half_square = 0.5 * f * f
    value = k * _LN_2_HIGH - ((half_square - fma(s, half_square + (odd + even), k * _LN_2_LOW)) - f)
    value = value if x < math.inf else x
    value = -math.inf if x == 0.0 else value
    return math.nan if x < 0.0 else value


@verbatim
def _precise_log(x: float) -> Any:
    """The natural logarithm of a positive number as the sum of two numbers, with about 65 bits."""
    k, mantissa = _parts(x)
    f = mantissa - 1.0
    c = mantissa + 1.0
    c_low = mantissa - (c - 1.0)
    inverse = 1.0 / c
    s = f * inverse
    s_low = (fma(-s, c, f) - s * c_low) * inverse
    # log(mantissa) = 2 s (1 + z (1/3 + z (1/5 + …))) with z = s²; up to the third in two parts, the rest in one.
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * s * s_low
    p = fma(_T27, z, _T25)
    p = fma(p, z, _T23)
    p = fma(p, z, _T21)
    p = fma(p, z, _T19)
    p = fma(p, z, _T17)
    p = fma(p, z, _T15)
    p = fma(p, z, _T13)
    p = fma(p, z, _T11)
    p = fma(p, z, _T9)
    p = fma(p, z, _T7)
    p = fma(p, z, _T5) * z
    u = _THIRD_HIGH + p
    u_low = ((_THIRD_HIGH - u) + p) + _THIRD_LOW
    v = z * u
    v_low = fma(z, u, -v) + (z * u_low + z_low * u)
    y = s * v
    y_low = fma(s, v, -y) + (s * v_low + s_low * v)
    a = s + y
    a_low = ((s - a) + y) + (s_low + y_low)
    scale = k * _LN_2_HIGH
    high = scale + 2.0 * a
    low = ((scale - high) + 2.0 * a) + fma(k, _LN_2_LOW, 2.0 * a_low)
    return high, low


@verbatim
def power(x: float, y: float) -> float:
    """``x`` to the power ``y``; undefined for a power that is no integer of a finite number below zero."""
    size = abs(x)
    high, low = _precise_log(size)
    product = y * high
    rest = fma(y, high, -product) + y * low
    value = _exp(product, rest if abs(product) < 1024.0 else 0.0)
    # What the logarithm does not know.
    infinite = math.inf if y > 0.0 else 0.0
    nothing = 0.0 if y > 0.0 else math.inf
    value = infinite if size == math.inf else value
    value = nothing if size == 0.0 else value
    value = 1.0 if size == 1.0 else value
    # From 2⁵² on every number is an integer, whose last bit is its own; below, adding 2⁵² shows it.
    large = abs(y) >= _EXACT_INTEGERS
    rounded = abs(y) + _EXACT_INTEGERS
    integer = large or rounded - _EXACT_INTEGERS == abs(y)
    last = _bits(abs(y) if large else rounded) & 1
    odd = integer and last == 1 and abs(y) < 2.0 * _EXACT_INTEGERS
    negative = _bits(x) < 0
    value = -value if negative and odd else value
    value = math.nan if x < 0.0 and x > -math.inf and not integer else value
    # An infinite power is an even integer; an undefined argument matters unless the result does not depend on it.
    value = math.nan if x != x or y != y else value
    return 1.0 if y == 0.0 or x == 1.0 else value
