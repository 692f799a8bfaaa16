"""Profiles that are known in closed form or by plain optimization."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from simulate.errors import InputError
from simulate.inference.profiles import THRESHOLD, Profiles, profiles
from simulate.inference.target import Scores, Target
from simulate.streams import FloatArray
from tests.inference.targets import DIMENSION, KNOWN, everywhere
from tests.symbolic.small import output

GRID = np.linspace(-2.0, 2.0, 9)
SLACK = 0.05


def draws(target: Target, dimension: int, count: int = 2000) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draws of the prior with the weights that make them draws of the posterior, tempered so that some count."""
    points = np.random.default_rng(11).standard_normal((count, dimension))
    totals = target(points).total
    weights = np.exp(0.2 * (totals - totals.max()))
    return points, totals, weights / weights.sum()


def profile(target: Target, dimension: int, **more: object) -> Profiles:
    settings: dict[str, object] = {"grid": GRID, "seed": 5} | more
    return profiles(target, *draws(target, dimension), **settings)  # type: ignore[arg-type]


def assert_found(found: FloatArray, exact: FloatArray, slack: float = SLACK) -> None:
    assert np.all(found <= exact + 1e-9)
    np.testing.assert_allclose(found, exact, rtol=0, atol=slack)


def test_the_profile_of_a_gaussian_is_that_of_its_marginal_variance() -> None:
    (known,) = (known for known in KNOWN if known.name == "gaussian")
    found = profile(known.target, DIMENSION, rounds=60)
    top = known.target(np.full((1, DIMENSION), 0.5)).total[0]
    assert_found(found.values, np.tile(top - 0.5 * np.square(GRID - 0.5) / 0.09, (DIMENSION, 1)))
    assert found.verdicts == ("bounded",) * DIMENSION
    # Where parabolas of variance 0.09 have fallen by half the quantile.
    wide = profile(known.target, DIMENSION, grid=np.linspace(-0.5, 1.5, 41), coordinates=[2], rounds=60)
    half = 0.3 * np.sqrt(2 * THRESHOLD)
    np.testing.assert_allclose(wide.intervals, [[0.5 - half, 0.5 + half]], atol=0.02)
    assert known.target(wide.best[None]).total[0] == wide.maximum


def test_a_parabola_between_two_values_of_the_grid_has_its_own_ends() -> None:
    # What is learned best is narrower than the grid.
    grid = np.array([-2.0, -1.0, 1.0, 2.0])
    values = 7.0 - 0.5 * np.square((grid - 0.2) / 0.1)
    found = Profiles((1,), grid, values[None], np.zeros((1, 4, 2)), np.array([-5.0, 0.2]), 7.0, 0)
    half = 0.1 * np.sqrt(2 * THRESHOLD)
    assert found.verdicts == ("bounded",)
    np.testing.assert_allclose(found.intervals, [[0.2 - half, 0.2 + half]], rtol=1e-12)


def test_profiles_of_bananas_are_those_of_plain_optimization() -> None:
    (known,) = (known for known in KNOWN if known.name == "bananas")
    found = profile(known.target, DIMENSION, rounds=60)
    alone = norm.logpdf(0.5, 0.5, 0.5) + norm.logpdf(0.0, 0.0, 0.3)
    straight = norm.logpdf(GRID, 0.5, 0.5) + norm.logpdf(0.0, 0.0, 0.3)
    bent = []
    for value in GRID:

        def loss(x: float, y: float = value) -> float:
            return -float(norm.logpdf(x, 0.5, 0.5) + norm.logpdf(y, x**2 - 1.0, 0.3))

        bent.append(-min(minimize_scalar(loss, bounds=side, method="bounded").fun for side in ((-4, 0), (0, 4))))
    assert_found(found.values[::2], np.tile(straight + 3 * alone, (4, 1)), 0.1)
    assert_found(found.values[1::2], np.tile(np.array(bent) + 3 * alone, (4, 1)), 0.1)


def ridge(points: FloatArray) -> Scores:
    """Only the sum of the first two, sharply, and the third from below are seen; the fourth is not."""
    first = -0.5 * np.square((points[:, 0] + points[:, 1]) / 0.05)
    return everywhere(np.stack([first, norm.logcdf(3.0 * points[:, 2] + 3.0)], axis=1))


def test_ridges_and_plains_are_flat_and_what_is_seen_from_one_side_is_one_sided() -> None:
    found = profile(ridge, 4)
    assert found.verdicts == ("flat", "flat", "one-sided", "flat")
    assert_found(found.values[[0, 1, 3]], np.zeros((3, len(GRID))))
    assert_found(found.values[2], norm.logcdf(3.0 * GRID + 3.0))
    cut = (norm.ppf(np.exp(found.maximum - THRESHOLD)) - 3.0) / 3.0
    np.testing.assert_allclose(found.intervals, [[-np.inf, np.inf]] * 2 + [[cut, np.inf]] + [[-np.inf, np.inf]],
                               atol=0.05)  # fmt: skip


def test_what_is_infeasible_is_never_counted() -> None:
    def target(points: FloatArray) -> Scores:
        # The first two add up to one, which the second alone cannot give where the first is below -1.
        total = -0.5 * np.square((points[:, 0] + points[:, 1] - 1.0) / 0.1)
        total = np.where(points[:, 1] > 2.0, np.nan, total)
        return Scores(total[:, None], points[:, 1] <= 2.0)

    found = profile(target, 3, coordinates=[0])
    exact = -0.5 * np.square(np.maximum(0.0, -1.0 - GRID) / 0.1)
    assert_found(found.values[0], exact, 0.3)
    assert np.all(found.points[0, :, 1] <= 2.0)


def test_nothing_feasible_leaves_nothing_known() -> None:
    def target(points: FloatArray) -> Scores:
        return Scores(np.zeros((len(points), 1)), points[:, 0] < 0.0)

    found = profile(target, 2, coordinates=[0])
    assert found.values[0].tolist() == [0.0] * 4 + [-np.inf] * 5
    assert found.verdicts == ("one-sided",)


def test_each_round_is_one_batch_and_its_points_are_counted() -> None:
    sizes = []

    def counted(points: FloatArray) -> Scores:
        sizes.append(len(points))
        return ridge(points)

    sample = draws(ridge, 4)
    found = profiles(counted, *sample, grid=GRID, seed=5, starts=3, rounds=10)
    assert len(sizes) <= 11
    assert sizes[0] == 4 * len(GRID) * 6
    assert sizes[1] == 4 * len(GRID) * 11
    assert sum(sizes) == found.evaluations
    assert sizes[-1] < sizes[1]


def test_held_coordinates_stay_and_values_are_those_of_the_points() -> None:
    found = profile(ridge, 4, rounds=8)
    for index, coordinate in enumerate(found.coordinates):
        assert found.points[index, :, coordinate].tolist() == GRID.tolist()
        assert ridge(found.points[index]).total.tolist() == found.values[index].tolist()
    assert np.abs(found.points).max() <= 4.0


def test_a_coordinate_has_the_same_bits_asked_alone_and_among_others() -> None:
    (known,) = (known for known in KNOWN if known.name == "bananas")
    together = profile(known.target, DIMENSION, rounds=10)
    alone = profile(known.target, DIMENSION, rounds=10, coordinates=[3])
    assert np.array_equal(together.values[3], alone.values[0])
    assert np.array_equal(together.points[3], alone.points[0])


SHA_OF_A_SEARCH = """
import hashlib
import numpy as np
from simulate.inference.profiles import profiles
from simulate.inference.target import Scores

def target(points):
    total = -0.5 * np.square(points + 0.3 * np.roll(points, 1, axis=1) ** 2).sum(axis=1)
    return Scores(total[:, None], np.ones(len(points), dtype=bool))

points = np.random.default_rng(3).standard_normal((500, 15))
found = profiles(target, points, target(points).total, np.full(500, 0.002), grid=np.array([-1.0, 1.0]), seed=2)
print(hashlib.sha256(found.points.tobytes()).hexdigest())
"""


def test_bits_do_not_depend_on_the_threads_of_linear_algebra() -> None:
    first, second = (
        output(SHA_OF_A_SEARCH, OPENBLAS_NUM_THREADS=count, OMP_NUM_THREADS=count, MKL_NUM_THREADS=count)
        for count in ("1", "4")
    )
    assert first == second


def test_a_single_coordinate_has_nothing_to_search() -> None:
    found = profile(lambda points: everywhere(norm.logpdf(points)), 1)
    assert found.values[0].tolist() == norm.logpdf(GRID).tolist()


def verdict(*values: float) -> str:
    grid = np.arange(float(len(values)))
    return Profiles((0,), grid, np.array([values]), np.zeros((1, len(values), 1)), np.zeros(1), 0.0, 0).verdicts[0]


def test_verdicts_follow_the_ends_of_the_grid() -> None:
    assert verdict(-5.0, 0.0, -5.0) == "bounded"
    assert verdict(-1.0, 0.0, -5.0) == "one-sided"
    assert verdict(-5.0, 0.0, -1.9) == "one-sided"
    assert verdict(-1.9, 0.0, -1.9) == "flat"
    assert verdict(0.0, -5.0, -1.0) == "split"
    assert verdict(-5.0, -5.0, -5.0) == "bounded"


@pytest.mark.parametrize("grid", [[0.0], [0.0, 0.0], [1.0, 0.0]])
def test_grids_that_do_not_ascend_are_refused(grid: list[float]) -> None:
    with pytest.raises(InputError) as caught:
        profile(ridge, 4, grid=np.array(grid))
    shown = np.array2string(np.array(grid), precision=4)
    assert str(caught.value) == "\n".join(
        [
            "error[profiles.grid]: the grid of a profile must ascend",
            f"  found:    {shown}",
            "  expected: two values or more, each greater than the one before",
        ]
    )
