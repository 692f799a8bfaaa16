"""Patients that a sign test needs, by hand and against SciPy's own test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from simulate.evidence.sign_test import LEVEL, MOST, POWER, fewest_significant, patients_needed, power


def by_enumeration(n: int, share: float, other: float) -> float:
    """Probability that SciPy's test is significant and more go the way, summed over all outcomes."""
    total = 0.0
    for way in range(n + 1):
        for against in range(n + 1 - way):
            chance = math.comb(n, way) * math.comb(n - way, against) * share**way * other**against
            chance *= (1.0 - share - other) ** (n - way - against)
            if way > against and binomtest(way, way + against).pvalue <= LEVEL:
                total += chance
    return total


@pytest.mark.parametrize("n", [0, 1, 5, 6, 9, 20, 37])
def test_significance_begins_where_the_test_of_scipy_does(n: int) -> None:
    counts = [count for count in range(n + 1) if 2 * count > n and binomtest(count, n).pvalue <= LEVEL]
    assert fewest_significant(n) == (counts[0] if counts else n + 1)


@pytest.mark.parametrize(("share", "other"), [(0.8, 0.2), (0.6, 0.1), (0.3, 0.0), (0.5, 0.5)])
def test_power_is_that_of_all_outcomes_counted(share: float, other: float) -> None:
    for n in (4, 7, 12):
        assert power(n, share, other) == pytest.approx(by_enumeration(n, share, other), abs=1e-12)


def test_six_patients_who_all_go_one_way_show_it() -> None:
    # Two-sided, six of six have a p-value of 2/64, and five of five of 2/32.
    assert patients_needed(1.0) == 6


@pytest.mark.parametrize("share", [0.95, 0.75, 0.6])
def test_power_is_kept_from_the_number_on(share: float) -> None:
    needed = patients_needed(share, 1.0 - share)
    assert needed is not None
    powers = [power(n, share, 1.0 - share) for n in range(needed, needed + 60)]
    assert min(powers) >= POWER
    assert power(needed - 1, share, 1.0 - share) < POWER
    # The normal approximation, with z of 1.96 and 0.84.
    rough = (1.96 * 0.5 + 0.84 * np.sqrt(share * (1.0 - share))) ** 2 / (share - 0.5) ** 2
    assert needed == pytest.approx(rough, rel=0.15, abs=7)


def test_who_does_not_move_makes_more_patients_needed() -> None:
    # Half of the patients move, all the same way: at least six of n must.
    needed = patients_needed(0.5)
    assert needed is not None
    assert binom.sf(5, needed, 0.5) >= POWER > binom.sf(5, needed - 1, 0.5)


@pytest.mark.parametrize(("share", "other"), [(0.5, 0.5), (0.4, 0.6), (0.0, 0.0), (0.51, 0.49)])
def test_what_no_thousand_patients_show_needs_no_number(share: float, other: float) -> None:
    assert MOST == 1000
    assert patients_needed(share, other) is None
