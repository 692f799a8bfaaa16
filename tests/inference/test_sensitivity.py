"""Shares of variance and elementary effects of functions whose own are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.errors import InputError, NumericalError
from simulate.inference.sensitivity import effects, morris_points, saltelli_points, shares
from simulate.streams import FloatArray

ONE_BY_ONE = tuple((column,) for column in range(8))
G_FACTORS = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])


def ishigami(uniform: FloatArray) -> FloatArray:
    x = math.pi * (2.0 * uniform - 1.0)
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def sobol_g(uniform: FloatArray) -> FloatArray:
    return np.prod((np.abs(4.0 * uniform - 2.0) + G_FACTORS) / (1.0 + G_FACTORS), axis=1)


def g_shares() -> tuple[FloatArray, FloatArray]:
    """Saltelli and Sobol, Reliab. Eng. Syst. Saf. 50 (1995) 225: partial variances 1/3 (1 + a)^-2."""
    partial = 1.0 / (3.0 * (1.0 + G_FACTORS) ** 2)
    whole = np.prod(1.0 + partial) - 1.0
    total = np.array([partial[i] * np.prod(np.delete(1.0 + partial, i)) for i in range(8)])
    return partial / whole, total / whole


def test_shares_of_the_ishigami_function_are_those_of_its_formula() -> None:
    groups = ONE_BY_ONE[:3]
    # The median of a few scramblings: among some dozens one is far off in the fourth power.
    each = [shares(ishigami(saltelli_points(groups, 3, 2048, seed=s)), 3, 2048, seed=s, resamples=2) for s in range(5)]
    # Partial variances with a = 7 and b = 0.1, whose sum is the variance.
    first = 0.5 * (1.0 + 0.1 * math.pi**4 / 5.0) ** 2
    second = 7.0**2 / 8.0
    with_third = 8.0 * 0.1**2 * math.pi**8 / 225.0
    variance = first + second + with_third
    assert np.median([found.variance for found in each]) == pytest.approx(variance, rel=0.01)
    alone, whole = (np.median([getattr(found, name) for found in each], axis=0) for name in ("first", "total"))
    np.testing.assert_allclose(alone, np.array([first, second, 0.0]) / variance, atol=0.01)
    np.testing.assert_allclose(whole, np.array([first + with_third, second, with_third]) / variance, atol=0.01)


def test_shares_of_the_g_function_are_those_of_its_formula() -> None:
    found = shares(sobol_g(saltelli_points(ONE_BY_ONE, 8, 4096, seed=2)), 8, 4096, seed=2)
    first, total = g_shares()
    np.testing.assert_allclose(found.first, first, atol=0.02)
    np.testing.assert_allclose(found.total, total, atol=0.02)


def test_intervals_hold_the_true_share_about_as_often_as_they_say() -> None:
    _, truth = g_shares()
    held = []
    for seed in range(40):
        found = shares(sobol_g(saltelli_points(ONE_BY_ONE, 8, 256, seed=seed)), 8, 256, seed=seed, resamples=200)
        low, high = found.total_interval[:4].T
        held.append((low <= truth[:4]) & (truth[:4] <= high))
    # A balanced sequence errs less than rows drawn at random, so that the intervals are rather too wide.
    assert np.mean(held) > 0.85


def test_a_group_has_the_share_of_all_that_is_in_it() -> None:
    groups = ((0, 1), (2,))
    found = shares(ishigami(saltelli_points(groups, 3, 4096, seed=3)), 2, 4096, seed=3)
    alone = shares(ishigami(saltelli_points(ONE_BY_ONE[:3], 3, 4096, seed=3)), 3, 4096, seed=3)
    assert found.total[1] == pytest.approx(alone.total[2], abs=0.01)
    assert found.first[0] == pytest.approx(1.0 - alone.total[2], abs=0.03)


def test_a_large_mean_changes_no_share() -> None:
    points = saltelli_points(ONE_BY_ONE[:3], 3, 1024, seed=1)
    small = shares(ishigami(points), 3, 1024, seed=1)
    large = shares(ishigami(points) + 1e5, 3, 1024, seed=1)
    np.testing.assert_allclose(large.first, small.first, atol=1e-6)
    np.testing.assert_allclose(large.total_interval, small.total_interval, atol=1e-6)


def test_a_constant_answer_has_no_shares_and_effects_of_zero() -> None:
    points = saltelli_points(ONE_BY_ONE[:3], 3, 64, seed=1)
    found = shares(np.full(len(points), 7.3), 3, 64, seed=1)
    assert not found.is_defined
    assert np.isnan(found.first).all()
    assert np.isnan(found.total_interval).all()
    moved = effects(np.full(20, 7.3), ONE_BY_ONE[:3], 3, seed=1)
    assert (moved.size == 0.0).all()
    assert (moved.spread == 0.0).all()


def test_effects_of_a_sum_are_its_slopes_over_half_the_range() -> None:
    slopes = np.array([3.0, -2.0, 0.0])
    points = morris_points(ONE_BY_ONE[:3], 3, 10, seed=4)
    found = effects(points @ slopes, ONE_BY_ONE[:3], 3, seed=4)
    np.testing.assert_allclose(found.mean, 0.5 * slopes, atol=1e-12)
    np.testing.assert_allclose(found.size, 0.5 * np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(found.spread, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.size_interval[0], 1.5, atol=1e-12)


def test_effects_of_the_g_function_rank_its_inputs_and_show_that_they_interact() -> None:
    points = morris_points(ONE_BY_ONE, 8, 400, seed=5)
    found = effects(sobol_g(points), ONE_BY_ONE, 8, seed=5)
    assert (np.argsort(-found.size)[:4] == [0, 1, 2, 3]).all()
    # From 1/8 to 5/8 or from 3/8 to 7/8 the factor moves by 1 / (1 + a); the others have factors between 0.5 and 1.5.
    others = np.prod(1.0 + 0.25 / (1.0 + G_FACTORS[1:]) ** 2) ** 0.5
    assert found.size[0] == pytest.approx(1.0, rel=0.1 * others)
    assert found.spread[0] > 0.5 * found.size[0]


def test_each_trajectory_moves_each_group_once_and_whole() -> None:
    groups = ((0, 2), (1,))
    points = morris_points(groups, 3, 25, seed=6).reshape(25, 3, 3)
    moved = np.abs(np.diff(points, axis=1))
    assert set(np.unique(moved.round(12))) == {0.0, 0.5}
    assert (moved.sum(axis=1) == 0.5).all()
    np.testing.assert_array_equal(moved[:, :, 0], moved[:, :, 2])
    assert ((points > 0.0) & (points < 1.0)).all()


def test_a_point_without_an_answer_refuses_the_whole_figure() -> None:
    answers = np.arange(5.0 * 8.0)
    answers[[7, 11]] = np.nan
    for ask in (lambda: shares(answers, 3, 8, seed=1), lambda: effects(answers, ONE_BY_ONE[:3], 3, seed=1)):
        with pytest.raises(NumericalError) as caught:
            ask()
        assert str(caught.value) == (
            "error[sensitivity.failed]: 2 of 40 points of a design have no answer\n"
            "  found:    point 7 and 1 others\n"
            "  expected: an answer at every point: indices from the others would be of other inputs\n"
            "  try:      narrow the inputs, or hold the one at fault"
        )


def test_a_design_that_a_sobol_sequence_cannot_balance_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        saltelli_points(ONE_BY_ONE[:2], 2, 100, seed=1)
    assert str(caught.value) == (
        "error[sensitivity.size]: a design with 100 rows is asked for\n"
        "  expected: a power of two, such as 256\n"
        "  try:      a Sobol sequence is balanced at powers of two only"
    )
