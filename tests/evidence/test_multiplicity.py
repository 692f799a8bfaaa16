"""Adjusted p-values are those that the definitions give by hand, and hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.evidence.multiplicity import CORRECTIONS, adjusted

FOUR = (0.01, 0.04, 0.03, 0.005)

BY_HAND = {
    "none": (0.01, 0.04, 0.03, 0.005),
    "bonferroni": (0.04, 0.16, 0.12, 0.02),
    # Ascending 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04; never less than one before.
    "holm": (0.03, 0.06, 0.06, 0.02),
    # The same products, never more than one behind.
    "hochberg": (0.03, 0.04, 0.04, 0.02),
}


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_adjusted_p_values_are_those_computed_by_hand(correction: str) -> None:
    np.testing.assert_allclose(adjusted(np.array(FOUR), correction), BY_HAND[correction], rtol=1e-12)


@pytest.mark.parametrize("correction", ["bonferroni", "holm", "hochberg"])
def test_nothing_is_beyond_one_and_what_is_not_defined_counts_as_one(correction: str) -> None:
    np.testing.assert_allclose(adjusted(np.array([0.9, np.nan, 0.001]), correction)[[1, 2]], [1.0, 0.003])
    assert adjusted(np.array([0.9, 0.8, 0.7]), correction).max() <= 1.0
    assert adjusted(np.array([0.03]), correction).tolist() == [0.03]


def test_steps_of_the_sequential_procedure_are_those_of_adjusted_p_values() -> None:
    """Holm rejects from the smallest on while it is below alpha / (endpoints left), Hochberg from the largest back."""
    alpha = 0.05
    studies = np.random.default_rng(3).beta(0.3, 2.0, size=(500, 3))
    holm, hochberg = (adjusted(studies, name) < alpha for name in ("holm", "hochberg"))
    for row, by_holm, by_hochberg in zip(studies, holm, hochberg, strict=True):
        order = np.argsort(row)
        passed = [row[place] < alpha / (3 - step) for step, place in enumerate(order)]
        down = passed.index(False) if False in passed else 3
        up = max((step + 1 for step in range(3) if passed[step]), default=0)
        assert set(np.flatnonzero(by_holm)) == set(order[:down])
        assert set(np.flatnonzero(by_hochberg)) == set(order[:up])
    assert (hochberg >= holm).all()
    assert (hochberg != holm).any()


def test_the_family_errs_no_more_often_than_alpha_where_nothing_is_true() -> None:
    studies = np.random.default_rng(4).random((40_000, 5))
    for correction in ("bonferroni", "holm", "hochberg"):
        assert (adjusted(studies, correction) < 0.05).any(axis=-1).mean() == pytest.approx(0.05, abs=0.004)
    assert (adjusted(studies, "none") < 0.05).any(axis=-1).mean() == pytest.approx(1.0 - 0.95**5, abs=0.01)
