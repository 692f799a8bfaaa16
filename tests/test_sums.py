"""Sums of exponentials, which SciPy finds too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from simulate.sums import logsumexp

INFINITE = [[-np.inf, -np.inf, -np.inf], [0.0, -np.inf, 1.0], [np.inf, 0.0, 2.0], [np.nan, 0.0, -np.inf]]


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    "logs",
    [
        np.random.default_rng(1).normal(scale=30.0, size=(7, 300)),
        np.random.default_rng(2).normal(scale=0.1, size=(300, 7)).T,
        np.random.default_rng(3).integers(-3, 3, size=(5, 40)).astype(float),
        np.random.default_rng(4).normal(scale=800.0, size=(40, 6))[::2],
        np.array(INFINITE),
    ],
    ids=["spread", "near", "ties", "beyond", "infinite"],
)
def test_the_bits_are_those_of_scipy(logs: Any, axis: int | None, keepdims: bool) -> None:
    before = logs.copy()
    found = logsumexp(logs, axis=axis, keepdims=keepdims)
    expected = special.logsumexp(logs, axis=axis, keepdims=keepdims)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_array_equal(logs, before)


def test_of_more_than_two_axes_and_of_lists_they_are_the_same() -> None:
    logs = np.random.default_rng(5).normal(scale=9.0, size=(4, 5, 6)).transpose(2, 0, 1)
    for axis in (None, 0, 1, 2):
        np.testing.assert_array_equal(logsumexp(logs, axis=axis), special.logsumexp(logs, axis=axis), strict=True)
    assert logsumexp([1.0, 2.0, 3.0]) == special.logsumexp([1.0, 2.0, 3.0])


def test_of_nothing_it_is_the_logarithm_of_nothing() -> None:
    assert logsumexp([]) == -np.inf
    np.testing.assert_array_equal(logsumexp(np.zeros((3, 0)), axis=1), np.full(3, -np.inf), strict=True)
