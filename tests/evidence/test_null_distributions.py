"""Null distributions and p-values against brute force and an independent implementation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from simulate.evidence.correlations import log_density, log_probability, p_value, smallest_with, spearman_exact
from simulate.evidence.kinds.p_value import ranks_below
from simulate.evidence.rounding import half_step, prints_as
from simulate.evidence.signed_rank import SignedRank, sign_patterns, sums_that_print
from simulate.evidence.signed_rank import p_value as signed_rank_p


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_sign_patterns_are_those_that_counting_finds(n: int) -> None:
    sums = [sum(rank for rank, sign in enumerate(signs, 1) if sign) for signs in itertools.product((0, 1), repeat=n)]
    assert sign_patterns(n) == tuple(np.bincount(sums))


@pytest.mark.parametrize("lesser", [0, 1, 5, 12])
def test_signed_rank_p_values_are_those_of_scipy(lesser: int) -> None:
    # Differences of 1 to 10 of which those whose ranks add up to `lesser` are negative.
    negative = {0: (), 1: (1,), 5: (5,), 12: (2, 10)}[lesser]
    differences = [-rank if rank in negative else rank for rank in range(1, 11)]
    assert signed_rank_p(lesser, 10) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=1e-12)
    for way, correction in ((SignedRank.ASYMPTOTIC, False), (SignedRank.CORRECTED, True)):
        expected = stats.wilcoxon(differences, method="asymptotic", correction=correction).pvalue
        assert signed_rank_p(lesser, 10, way) == pytest.approx(expected, rel=1e-12)


def test_of_the_usual_tests_one_alone_prints_0005_at_ten_pairs() -> None:
    found = {way: sums_that_print(0.005, 10, way) for way in SignedRank}
    assert found == {SignedRank.ASYMPTOTIC: (0,), SignedRank.CORRECTED: (), SignedRank.EXACT: ()}
    assert sums_that_print(0.005, 9, SignedRank.ASYMPTOTIC) == ()


@pytest.mark.parametrize(("total", "count"), [(0, 0), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (10, 4)])
def test_the_most_ranks_within_a_sum_are_the_lowest(total: int, count: int) -> None:
    assert ranks_below(total) == count


@pytest.mark.parametrize("n", [4, 6, 8, 15])
@pytest.mark.parametrize("r", [0.0, 0.3, -0.9])
def test_pearson_p_values_are_those_of_the_t_distribution(r: float, n: int) -> None:
    t = r * math.sqrt((n - 2) / (1.0 - r * r))
    assert p_value(r, n) == pytest.approx(2.0 * stats.t.sf(abs(t), n - 2), rel=1e-10)
    assert smallest_with(p_value(r, n), n) == pytest.approx(abs(r), abs=1e-9)


@pytest.mark.parametrize("n", [4, 6])
def test_exact_rank_correlations_are_those_of_a_permutation_test(n: int) -> None:
    coefficients, chances = spearman_exact(n)
    found = np.array([stats.spearmanr(range(n), order).statistic for order in itertools.permutations(range(n))])
    expected = [min(1.0, 2.0 * float(np.mean(found >= value - 1e-9))) for value in coefficients]
    np.testing.assert_allclose(chances, expected, rtol=1e-12)


@pytest.mark.parametrize("n", [4, 6, 8, 20])
@pytest.mark.parametrize("rho", [0.0, -0.5, 0.9, 0.99])
def test_the_density_of_r_integrates_to_one(n: int, rho: float) -> None:
    def at(z: float) -> float:
        r = math.tanh(z)
        return float(np.exp(log_density(r, rho, n))) * (1.0 - r * r)

    center = math.atanh(rho)
    total, _ = integrate.quad(at, center - 15.0, center + 15.0, points=[center], limit=200)
    assert total == pytest.approx(1.0, abs=1e-8)


def test_the_probability_of_printed_r_is_that_of_simulated_samples() -> None:
    rng = np.random.default_rng(5)
    n, rho, samples = 8, 0.9, 200_000
    x = rng.standard_normal((samples, n))
    y = rho * x + math.sqrt(1.0 - rho * rho) * rng.standard_normal((samples, n))
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(x[:20_000], y[:20_000], strict=True)])
    share = float(np.mean((r >= 0.85) & (r < 0.95)))
    exact = float(np.exp(log_probability(0.85, 0.95, np.array([rho]), n))[0])
    assert share == pytest.approx(exact, abs=4.0 * math.sqrt(0.25 / len(r)))
    # What Fisher's z gives is three hundredths off.
    assert exact == pytest.approx(0.512, abs=0.003)


def test_probabilities_of_all_printed_r_add_up_to_one() -> None:
    rho = np.array([-0.99, 0.0, 0.9])
    edges = np.linspace(-1.0, 1.0, 21)
    total = sum(np.exp(log_probability(a, b, rho, 8)) for a, b in itertools.pairwise(edges))
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_an_impossible_correlation_has_no_infinite_or_undefined_probability() -> None:
    found = log_probability(0.85, 0.95, np.array([-1.0, 1.0]), 8)
    assert np.isfinite(found).all()
    assert (found < -10.0).all()


@pytest.mark.parametrize(
    ("printed", "step"), [(1.1, 0.05), (4.96, 0.005), (2559.0, 0.5), (-0.9, 0.05), (0.005, 0.0005), (100.0, 0.5)]
)
def test_a_printed_number_says_how_it_was_rounded(printed: float, step: float) -> None:
    assert half_step(printed) == pytest.approx(step)
    assert prints_as(printed + 0.99 * step, printed)
    assert not prints_as(printed + 1.01 * step, printed)
