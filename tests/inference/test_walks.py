"""Walks along one coordinate end where a closed form, or SciPy, has the profile at the ceiling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from simulate.inference.descent import Slope
from simulate.inference.profiles import THRESHOLD
from simulate.inference.walks import BOUND, CROSSED, LOST, walk
from simulate.streams import FloatArray

WIDE = np.array([[-10.0, 10.0], [-10.0, 10.0]])
HALF = math.sqrt(2.0 * THRESHOLD)


def valley(point: FloatArray) -> float:
    """Half the square of x - 1, and of 10 (y - x²)."""
    return 0.5 * float((point[0] - 1.0) ** 2 + 100.0 * (point[1] - point[0] ** 2) ** 2)


def of_valley(point: FloatArray) -> Slope:
    residuals = np.array([point[0] - 1.0, 10.0 * (point[1] - point[0] ** 2)])
    own = np.array([[1.0, 0.0], [-20.0 * point[0], 10.0]])
    return Slope(valley(point), own.T @ residuals, own.T @ own)


def test_a_curved_valley_is_followed_to_both_ends() -> None:
    found = walk(valley, of_valley, np.array([1.0, 1.0]), 0, WIDE, THRESHOLD)
    assert found.ends == (CROSSED, CROSSED)
    # Along the valley y is x², and what is left is a parabola.
    assert found.interval == pytest.approx((1.0 - HALF, 1.0 + HALF), abs=1e-4)
    np.testing.assert_allclose(found.values, 0.5 * (found.points[:, 0] - 1.0) ** 2, atol=1e-4)
    assert np.all(np.diff(found.points[:, 0]) > 0.0)


def test_a_profile_that_is_no_parabola_ends_where_another_solver_has_it() -> None:
    found = walk(valley, of_valley, np.array([1.0, 1.0]), 1, WIDE, THRESHOLD)

    def risen(y: float) -> float:
        least = minimize_scalar(lambda x: valley(np.array([x, y])), bounds=(0.0, 5.0), method="bounded").fun
        return float(least) - THRESHOLD

    assert found.ends[1] == CROSSED
    assert found.interval[1] == pytest.approx(brentq(risen, 1.0, 10.0), abs=0.01)


def test_a_bound_below_the_ceiling_ends_a_walk_without_a_crossing() -> None:
    bounds = np.array([[0.0, 10.0], [-10.0, 10.0]])
    found = walk(valley, of_valley, np.array([1.0, 1.0]), 0, bounds, THRESHOLD)
    assert found.ends == (BOUND, CROSSED)
    assert found.interval[0] == 0.0
    assert found.values[0] == pytest.approx(0.5, abs=1e-4)


def test_what_nothing_depends_on_ends_at_both_bounds() -> None:
    found = walk(
        lambda point: 0.5 * point[1] ** 2,
        lambda point: Slope(0.5 * point[1] ** 2, np.array([0.0, point[1]]), np.diag([0.0, 1.0])),
        np.array([2.0, 0.0]),
        0,
        WIDE,
        THRESHOLD,
    )
    assert found.ends == (BOUND, BOUND)
    assert found.interval == (-10.0, 10.0)
    np.testing.assert_array_equal(found.values, 0.0)


def test_where_there_is_no_value_a_walk_is_lost_and_not_ended() -> None:
    def with_hole(point: FloatArray) -> float:
        return math.inf if point[0] > 2.0 else valley(point)

    found = walk(with_hole, of_valley, np.array([1.0, 1.0]), 0, WIDE, THRESHOLD)
    assert found.ends == (CROSSED, LOST)
    assert found.interval[1] == pytest.approx(2.0, abs=1e-3)
    assert found.values[-1] < THRESHOLD


def test_an_end_that_lies_where_there_is_no_value_is_lost_and_not_taken_from_a_neighbor() -> None:
    hole = (1.0 + HALF - 0.02, 1.0 + HALF + 0.02)

    def with_hole(point: FloatArray) -> float:
        return math.inf if hole[0] < point[0] < hole[1] else valley(point)

    found = walk(with_hole, of_valley, np.array([1.0, 1.0]), 0, WIDE, THRESHOLD)
    assert found.ends == (CROSSED, LOST)
    assert found.interval[1] <= hole[0]
