"""The sign test: how many patients show that more of them go one way than the other."""

from __future__ import annotations

import functools

import numpy as np

from simulate.streams import FloatArray, IntArray

LEVEL, POWER = 0.05, 0.8
"""Two-sided level of the test, and how often it must be significant."""

MOST = 1000
"""Patients beyond which nobody is counted."""


@functools.cache
def fewest_significant(n: int) -> int:
    """How many of n who moved must go one way for a two-sided p-value of at most the level; n + 1 where none do."""
    from scipy.stats import binom  # takes long to import

    counts = np.arange(n + 2)
    upper = binom.sf(counts - 1, n, 0.5)
    return int(counts[2.0 * upper <= LEVEL][0])


def power(n: int, share: float, other: float = 0.0) -> float:
    """How often the test is significant for the way that a ``share`` goes, where ``other`` go the other way."""
    return float(_powers(np.array([n]), share, other)[0])


def patients_needed(share: float, other: float = 0.0) -> int | None:
    """Fewest patients from which on the test has its power, by the exact binomial distribution.

    Power goes up and down with the number of patients, as the test is of whole numbers; it is reached where it is kept
    for every larger number up to `MOST`.

    None where no more go this way than the other, or where `MOST` patients are not enough.
    """
    if share <= other:
        return None
    numbers = np.arange(1, MOST + 1)
    short = np.flatnonzero(_powers(numbers, share, other) < POWER)
    needed = 1 if not len(short) else int(numbers[short[-1]]) + 1
    return needed if needed <= MOST else None


def _powers(numbers: IntArray, share: float, other: float) -> FloatArray:
    """Power for each number of patients: over how many of them move, how often enough of these go the way."""
    from scipy.stats import binom

    moved = share + other
    if moved <= 0.0:
        return np.zeros(len(numbers))
    movers = np.arange(int(numbers.max()) + 1)
    needed = np.array([fewest_significant(int(n)) for n in movers])
    # Sums of shares of weighted patients may pass 1 by rounding.
    found = np.asarray(binom.sf(needed - 1, movers, min(1.0, share / moved)), dtype=np.float64)
    if moved >= 1.0 - 1e-12:
        return found[numbers]
    chances = np.asarray(binom.pmf(movers[np.newaxis], numbers[:, np.newaxis], moved), dtype=np.float64)
    powers = chances @ found
    return powers
