"""Descents end where a closed form, or SciPy, has the minimum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares, lsq_linear

from simulate.inference.descent import Slope, descend, descending, together
from simulate.streams import FloatArray

WIDE = np.array([[-10.0, 10.0], [-10.0, 10.0]])


def residuals(point: FloatArray) -> FloatArray:
    """Those of Rosenbrock's function, with its minimum at (1, 1)."""
    return np.array([10.0 * (point[1] - point[0] ** 2), 1.0 - point[0]])


def jacobian(point: FloatArray) -> FloatArray:
    return np.array([[-20.0 * point[0], 10.0], [-1.0, 0.0]])


def value(point: FloatArray) -> float:
    return 0.5 * float(np.square(residuals(point)).sum())


def slope(point: FloatArray) -> Slope:
    own = jacobian(point)
    return Slope(value(point), own.T @ residuals(point), own.T @ own)


def test_a_curved_valley_is_followed_to_its_end() -> None:
    found = descend(value, slope, np.array([-1.2, 1.0]), WIDE, tolerance=1e-18)
    np.testing.assert_allclose(found.point, [1.0, 1.0], rtol=1e-7)
    assert found.converged
    assert found.value == pytest.approx(0.0, abs=1e-14)


def test_a_bound_holds_the_point_where_another_solver_has_it() -> None:
    bounds = np.array([[-10.0, 0.5], [-10.0, 10.0]])
    found = descend(value, slope, np.array([-1.2, 1.0]), bounds, tolerance=1e-18)
    other = least_squares(residuals, [-1.2, 1.0], jacobian, bounds=([-10.0, -10.0], [0.5, 10.0]), xtol=1e-14)
    assert found.point[0] == 0.5
    np.testing.assert_allclose(found.point, other.x, atol=1e-6)
    np.testing.assert_allclose(found.point[1], 0.25, atol=1e-6)
    # What is left of the function may be the tolerance, 1e-9; with a curvature of 200 that is 3e-6 of the coordinate.
    usual = descend(value, slope, np.array([-1.2, 1.0]), bounds)
    assert usual.point[0] == 0.5
    np.testing.assert_allclose(usual.point, other.x, atol=4e-6)


def test_a_region_without_a_value_is_stepped_around() -> None:
    def with_hole(point: FloatArray) -> float:
        return np.nan if point[0] > 1.5 else value(point)

    found = descend(with_hole, slope, np.array([1.4, -3.0]), WIDE, tolerance=1e-18)
    np.testing.assert_allclose(found.point, [1.0, 1.0], rtol=1e-6)


def test_a_step_to_where_there_is_no_gradient_is_not_taken() -> None:
    def with_hole(point: FloatArray) -> Slope:
        own = slope(point)
        return own if point[1] > -2.9 or point[0] > 1.3 else own._replace(gradient=np.full(2, np.nan))

    found = descend(value, with_hole, np.array([1.4, -3.0]), WIDE, tolerance=1e-18)
    np.testing.assert_allclose(found.point, [1.0, 1.0], rtol=1e-6)


def test_a_coordinate_without_influence_stays_where_it_began() -> None:
    def half(point: FloatArray) -> Slope:
        return Slope(0.5 * (point[0] - 3.0) ** 2, np.array([point[0] - 3.0, 0.0]), np.diag([1.0, 0.0]))

    found = descend(lambda point: half(point).value, half, np.array([0.0, 2.0]), WIDE)
    np.testing.assert_allclose(found.point, [3.0, 2.0], atol=1e-4)
    assert found.converged


def test_the_limit_of_steps_is_kept_and_told() -> None:
    found = descend(value, slope, np.array([-1.2, 1.0]), WIDE, most_steps=2)
    assert (found.steps, found.ended, found.converged) == (2, "steps", False)


def test_descents_side_by_side_end_at_the_bits_of_each_alone() -> None:
    starts = np.random.default_rng(1).uniform(-3.0, 3.0, (7, 2))
    starts[3] = np.nan
    sizes = []

    def values(points: FloatArray) -> list[float]:
        sizes.append(len(points))
        return [value(point) for point in points]

    ended = dict(
        together(
            {number: descending(start, WIDE) for number, start in enumerate(starts)},
            values,
            lambda points: [slope(point) for point in points],
        )
    )
    assert max(sizes) == 6
    assert ended.pop(3).ended == "undefined"
    for number, found in ended.items():
        alone = descend(value, slope, starts[number], WIDE)
        assert found.point.tobytes() == alone.point.tobytes()
        assert (found.value, found.steps, found.evaluations) == (alone.value, alone.steps, alone.evaluations)


def test_a_step_that_ends_at_a_bound_is_the_least_of_the_parabola_between_the_bounds() -> None:
    generator = np.random.default_rng(2)
    for _ in range(20):
        root = generator.normal(size=(5, 5))
        center = generator.normal(size=5) * 2.0
        target = root @ center

        def parabola(point: FloatArray, root: FloatArray = root, target: FloatArray = target) -> Slope:
            left = root @ point - target
            return Slope(0.5 * float(left @ left), root.T @ left, root.T @ root)

        bounds = np.array([[-1.0, 1.0]] * 5)
        found = descend(lambda point, of=parabola: of(point).value, parabola, np.zeros(5), bounds)
        other = lsq_linear(root, target, bounds=(-1.0, 1.0), tol=1e-14)
        assert found.value == pytest.approx(other.cost, rel=1e-6, abs=1e-8)


def test_fifty_steps_that_gain_next_to_nothing_end_it_and_are_no_minimum() -> None:
    # A curvature that is a hundred thousand times too large: each step goes that part of the way.
    def slope(x: FloatArray) -> Slope:
        return Slope(0.5 * float(x @ x), x, np.array([[1e5]]))

    found = descend(lambda x: 0.5 * float(x @ x), slope, np.array([1.0]), np.array([[-2.0, 2.0]]))
    assert (found.steps, found.ended, found.converged) == (50, "slow", False)
    assert found.value > 0.49
