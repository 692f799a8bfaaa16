"""Points of the patients of fits: spread evenly, and each column by its name."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from simulate.cohort.points import latin, leading_columns

NAMES = [f"name {number}" for number in range(20)]


@pytest.mark.parametrize("patients", [16, 64, 100])
def test_another_name_at_the_end_changes_no_column(patients: int) -> None:
    few, many = leading_columns(NAMES[:12], patients, seed=3), leading_columns(NAMES, patients, seed=3)
    assert all(few[name].tobytes() == many[name].tobytes() for name in NAMES[:12])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_two_leading_columns_are_correlated_by_chance(seed: int) -> None:
    columns = leading_columns(NAMES, 32, seed=seed)
    scores = np.stack([ndtri(columns[name]) for name in NAMES[1:16]])
    np.testing.assert_allclose(np.cov(scores, bias=True), np.eye(15), atol=1e-10)
    np.testing.assert_allclose(scores.mean(axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("patients", [16, 64, 128])
def test_the_first_column_and_a_latin_one_have_one_number_in_each_cell(patients: int) -> None:
    for column in (leading_columns(NAMES, patients, seed=1)[NAMES[0]], latin("mine", patients, seed=1)):
        assert sorted(np.floor(column * patients).astype(int).tolist()) == list(range(patients))


def test_pairs_of_leading_columns_fill_the_square_evenly() -> None:
    """Of 64 points of the first two columns of a Sobol set, one lies in each cell of 8 by 8, scrambled or not."""
    columns = leading_columns(NAMES, 64, seed=5)
    first = np.floor(columns[NAMES[0]] * 8).astype(int)
    # Later columns are moved a little when their correlations are taken out.
    second = np.argsort(np.argsort(columns[NAMES[1]])) // 8
    assert np.bincount(8 * first + second, minlength=64).max() <= 2


def test_another_seed_or_name_has_other_numbers() -> None:
    columns = [latin("a", 64, seed=1), latin("b", 64, seed=1), latin("a", 64, seed=2)]
    columns += [leading_columns(NAMES, 64, seed=seed)[NAMES[0]] for seed in (1, 2)]
    assert len({column.tobytes() for column in columns}) == 5
