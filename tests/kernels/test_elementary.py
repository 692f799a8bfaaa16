"""Exponential, logarithm and power against mpmath over their whole range, and the C standard where nothing is left."""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit

from simulate.kernels import elementary
from simulate.solver import FloatArray

mpmath.mp.prec = 110
COUNT = 10_000
RANDOM = np.random.default_rng(20261124)


@njit(error_model="numpy")
def exp_of(x: Any, result: Any) -> None:
    for i in range(len(x)):
        result[i] = elementary.exp(x[i])


@njit(error_model="numpy")
def log_of(x: Any, result: Any) -> None:
    for i in range(len(x)):
        result[i] = elementary.log(x[i])


@njit(error_model="numpy")
def power_of(x: Any, y: Any, result: Any) -> None:
    for i in range(len(x)):
        result[i] = elementary.power(x[i], y[i])


def values(function: Callable[..., None], *arguments: Any) -> FloatArray:
    columns = [np.array(argument, dtype=np.float64) for argument in arguments]
    result = np.empty(len(columns[0]))
    function(*columns, result)
    return result


def worst(found: FloatArray, exact: list[Any]) -> float:
    """Largest error in units in the last place of the true value, subnormal ones included."""
    largest = 0.0
    for value, truth in zip(found.tolist(), exact, strict=True):
        if math.isinf(float(truth)):
            assert value == float(truth)
            continue
        largest = max(largest, abs(float((mpmath.mpf(value) - truth) / math.ulp(float(truth)))))
    return largest


def positive(count: int) -> FloatArray:
    """Positive numbers of every size, subnormal ones included: random bits."""
    return RANDOM.integers(1, 0x7FEFFFFFFFFFFFFF, count, endpoint=True).view(np.float64)


def subnormal(count: int) -> FloatArray:
    return RANDOM.integers(1, 0x000FFFFFFFFFFFFF, count, endpoint=True).view(np.float64)


def near_one(count: int) -> FloatArray:
    return 1.0 + RANDOM.uniform(-1.0, 1.0, count) * 10.0 ** RANDOM.uniform(-15, -1, count)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("all", RANDOM.uniform(-708.0, 709.78, 2 * COUNT)),
        ("around zero", RANDOM.choice([-1.0, 1.0], COUNT) * 10.0 ** RANDOM.uniform(-20, 0, COUNT)),
        ("subnormal results", RANDOM.uniform(-745.13, -708.0, COUNT)),
        ("tiny", subnormal(100)),
    ],
)
def test_the_exponential_is_within_eight_tenths_of_a_unit(name: str, points: FloatArray) -> None:
    assert worst(values(exp_of, points), [mpmath.exp(x) for x in points.tolist()]) < (
        1.0 if name == "subnormal results" else 0.8
    )


@pytest.mark.parametrize(
    "points",
    [
        *(positive(2 * COUNT), near_one(COUNT), subnormal(COUNT), RANDOM.uniform(0.5, 2.0, COUNT)),
        RANDOM.uniform(1.38, math.sqrt(2.0), COUNT),
    ],
    ids=["all", "around one", "subnormal", "between a half and two", "where it errs most"],
)
def test_the_logarithm_is_within_nine_tenths_of_a_unit(points: FloatArray) -> None:
    assert worst(values(log_of, points), [mpmath.log(x) for x in points.tolist()]) < 0.9


def _pairs(bases: FloatArray, low: float = -744.0) -> tuple[FloatArray, FloatArray]:
    """Bases, and exponents that spread the results over the whole range."""
    return bases, RANDOM.uniform(low, 709.0, len(bases)) / np.where(bases == 1.0, 1.0, np.log(bases))


@pytest.mark.parametrize(
    ("base", "exponent"),
    [
        (10.0 ** RANDOM.uniform(-6, 6, 2 * COUNT), RANDOM.uniform(-8, 8, 2 * COUNT)),
        _pairs(positive(COUNT), -708.0),
        _pairs(near_one(COUNT), -708.0),
        _pairs(subnormal(COUNT), -708.0),
    ],
    ids=["Hill functions", "all", "around one", "subnormal bases"],
)
def test_the_power_is_within_eight_tenths_of_a_unit(base: FloatArray, exponent: FloatArray) -> None:
    exact = [mpmath.power(x, mpmath.mpf(y)) for x, y in zip(base.tolist(), exponent.tolist(), strict=True)]
    assert worst(values(power_of, base, exponent), exact) < 0.8


def test_a_subnormal_power_is_within_one_unit() -> None:
    base = positive(COUNT)
    exponent = RANDOM.uniform(-744.0, -708.0, COUNT) / np.log(base)
    exact = [mpmath.power(x, mpmath.mpf(y)) for x, y in zip(base.tolist(), exponent.tolist(), strict=True)]
    assert worst(values(power_of, base, exponent), exact) < 1.01


SPECIAL = [
    0.0,
    1.0,
    2.0,
    0.5,
    3.0,
    2.5,
    math.inf,
    5e-324,
    1e-308,
    1.7e308,
    2.0**52 + 1,
    2.0**53 - 1,
    2.0**53 + 2,
    1e300,
]
SIGNED = [sign * value for value in SPECIAL for sign in (1.0, -1.0)] + [math.nan]


def same(found: float, expected: float) -> bool:
    """Both undefined, or equal with the same sign, zero included, but for the last bits."""
    if math.isnan(expected):
        return math.isnan(found)
    return math.copysign(1.0, found) == math.copysign(1.0, expected) and found == pytest.approx(expected, rel=1e-15)


def in_c(function: Callable[..., float], *arguments: float) -> float:
    """What the C standard says: Python's `math` with its exceptions taken back."""
    try:
        return function(*arguments)
    except OverflowError:
        # Only powers of numbers below zero to odd integers overflow below zero.
        odd = len(arguments) == 2 and abs(arguments[1]) < 2.0**53 and arguments[1] % 2.0 == 1.0
        return -math.inf if odd and arguments[0] < 0.0 else math.inf
    except ValueError:
        if function is math.log:
            return -math.inf if arguments[0] == 0.0 else math.nan
        if arguments[0] == 0.0:
            return math.copysign(math.inf, arguments[0]) if arguments[1] % 2.0 == 1.0 else math.inf
        return math.nan


@pytest.mark.parametrize("x", SIGNED)
def test_special_powers_are_those_of_the_standard(x: float) -> None:
    for y in SIGNED:
        assert same(float(values(power_of, [x], [y])[0]), in_c(math.pow, x, y)), y


@pytest.mark.parametrize(("function", "oracle"), [(exp_of, math.exp), (log_of, math.log)], ids=["exp", "log"])
def test_special_exponentials_and_logarithms_are_those_of_the_standard(
    function: Callable[..., None], oracle: Callable[[float], float]
) -> None:
    for x in [*SIGNED, 709.8, -745.2, 1e5, -1e5]:
        assert same(float(values(function, [x])[0]), in_c(oracle, x)), x


def test_powers_without_rounding_are_exact() -> None:
    bases = np.repeat(np.arange(1.0, 12.0), 12)
    exponents = np.tile(np.arange(0.0, 12.0), 11)
    assert values(power_of, bases, exponents).tolist() == [
        float(int(x) ** int(y)) for x, y in zip(bases.tolist(), exponents.tolist(), strict=True)
    ]


def test_a_number_has_the_same_bits_wherever_it_stands_in_a_vector() -> None:
    x, y = 10.0 ** RANDOM.uniform(-3, 3, 203), RANDOM.uniform(-5, 5, 203)
    together = values(power_of, x, y)
    alone = np.concatenate([values(power_of, x[i : i + 1], y[i : i + 1]) for i in range(203)])
    assert together.tolist() == alone.tolist()


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="the names of instructions are those of x86")
@pytest.mark.parametrize("function", [exp_of, log_of, power_of], ids=["exp", "log", "power"])
def test_loops_over_the_functions_are_vectorized(function: Any) -> None:
    columns = [np.ones(16)] * (3 if function is power_of else 2)
    function(*columns)
    (assembly,) = function.inspect_asm().values()
    assert re.search(r"\bv?mulpd\b", assembly)
    assert not re.search(r"\bcallq?\b.*\b(exp|log|pow)\b", assembly)
