"""Wilcoxon's signed-rank test of n pairs without ties: its null distribution and the p-values that it can give."""

from __future__ import annotations

import enum
import functools
import math

from simulate.evidence.rounding import prints_as


class SignedRank(enum.Enum):
    """Ways to the two-sided p-value that programs use; the value is the word of the file."""

    ASYMPTOTIC = "asymptotic"
    CORRECTED = "asymptotic with continuity correction"
    EXACT = "exact"


@functools.cache
def sign_patterns(n: int) -> tuple[int, ...]:
    """Number of the 2**n patterns of signs for each sum of the ranks of one sign, from 0 to n (n + 1)/2."""
    counts = [1]
    for rank in range(1, n + 1):
        counts = [
            (counts[total] if total < len(counts) else 0) + (counts[total - rank] if total >= rank else 0)
            for total in range(len(counts) + rank)
        ]
    return tuple(counts)


def p_value(lesser_sum: int, n: int, way: SignedRank = SignedRank.EXACT) -> float:
    """Two-sided p-value when the ranks of the rarer sign add up to ``lesser_sum``, at most n (n + 1)/4."""
    if way is SignedRank.EXACT:
        return min(1.0, 2.0 * sum(sign_patterns(n)[: lesser_sum + 1]) / float(2**n))
    center, variance = n * (n + 1) / 4.0, n * (n + 1) * (2 * n + 1) / 24.0
    distance = center - lesser_sum - (0.5 if way is SignedRank.CORRECTED else 0.0)
    return math.erfc(max(distance, 0.0) / math.sqrt(2.0 * variance))


def sums_that_print(printed: float, n: int, way: SignedRank) -> tuple[int, ...]:
    """Sums of the ranks of the rarer sign whose p-value is printed so; empty if there is none."""
    return tuple(total for total in range(n * (n + 1) // 4 + 1) if prints_as(p_value(total, n, way), printed))
