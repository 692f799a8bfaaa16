"""p-values of many studies are those that SciPy gives to each alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulate.evidence.signed_rank import SignedRank
from simulate.evidence.significance import fisher, paired_t, pearson, rank_sum, signed_rank, spearman, welch


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    first = generator.standard_normal((25, 7))
    return first + 0.6, 0.5 * first + generator.standard_normal((25, 7))


def test_tests_of_changes_are_those_of_scipy(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    changes = pairs[0]
    asymptotic = [stats.wilcoxon(row, method="approx", correction=False).pvalue for row in changes]
    np.testing.assert_allclose(signed_rank(changes), asymptotic, rtol=1e-9)
    exact = [stats.wilcoxon(row, method="exact").pvalue for row in changes]
    np.testing.assert_allclose(signed_rank(changes, SignedRank.EXACT), exact, rtol=1e-9)
    np.testing.assert_allclose(paired_t(changes), stats.ttest_1samp(changes, 0.0, axis=1).pvalue, rtol=1e-9)


def test_tests_of_correlation_are_those_of_scipy(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    rows = list(zip(*pairs, strict=True))
    np.testing.assert_allclose(pearson(*pairs), [stats.pearsonr(a, b).pvalue for a, b in rows], rtol=1e-7)
    np.testing.assert_allclose(spearman(*pairs), [stats.spearmanr(a, b).pvalue for a, b in rows], rtol=1e-7)


def test_tests_of_two_groups_are_those_of_scipy(pairs: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pairs[0], pairs[1][:, :5]
    np.testing.assert_allclose(
        rank_sum(first, second),
        stats.mannwhitneyu(first, second, axis=1, method="asymptotic", use_continuity=False).pvalue,
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        welch(first, second), stats.ttest_ind(first, second, axis=1, equal_var=False).pvalue, rtol=1e-9
    )


def test_fishers_test_is_that_of_scipy_in_any_shape() -> None:
    first = np.array([[7.0, 3.0], [0.0, 7.0]])
    second = np.array([[3.0, 3.0], [8.0, 3.0]])
    expected = [
        [stats.fisher_exact([[a, 7 - a], [b, 8 - b]]).pvalue for a, b in zip(*rows, strict=True)]
        for rows in zip(first.astype(int).tolist(), second.astype(int).tolist(), strict=True)
    ]
    np.testing.assert_allclose(fisher(first, 7, second, 8), expected, rtol=1e-12)


def test_a_study_in_which_nothing_varies_is_not_significant() -> None:
    nothing = np.zeros((1, 6))
    assert paired_t(nothing).tolist() == [1.0]
    assert pearson(nothing, np.arange(6.0)[np.newaxis]).tolist() == [1.0]
    assert welch(nothing, nothing).tolist() == [1.0]
