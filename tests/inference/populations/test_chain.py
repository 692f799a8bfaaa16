"""Chains whose stationary law is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm

from simulate.errors import InputError, NotConverged
from simulate.inference.populations.chain import HONEST, PUBLISHED, walk
from simulate.inference.populations.density import PoolDensity
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray, stream
from tests.inference.populations.pools import gaussian_pool, gaussian_target, normal_outputs

COORDINATES = 6


def beginnings(chains: int) -> FloatArray:
    return stream(5, "beginnings of test chains", 0).random((64, COORDINATES))[:chains]


def pool() -> PoolDensity:
    return PoolDensity(gaussian_pool(8000, 2), 20)


def test_the_outputs_of_the_chains_follow_the_target() -> None:
    target = gaussian_target(2)
    found = walk(normal_outputs, beginnings(64), target, pool(), steps=800, burn_in=200, seed=1)
    assert found.r_hat < 1.02
    assert found.effective > 2000
    assert found.version == HONEST
    own = found.outputs[:, :2]
    assert own.mean(axis=0) == pytest.approx(target.mean, abs=0.04)
    assert np.cov(own.T) == pytest.approx(target.covariance, abs=0.03)
    assert (target.distances(own, np.ones(len(own))) < 0.04).all()


def test_what_the_target_says_nothing_of_stays_as_it_was() -> None:
    found = walk(normal_outputs, beginnings(64), gaussian_target(2), pool(), steps=800, burn_in=200, seed=1)
    # The third output is the first plus half a standard normal of its own.
    rest = found.outputs[:, 2] - found.outputs[:, 0]
    assert rest.mean() == pytest.approx(0.0, abs=0.03)
    assert rest.std() == pytest.approx(0.5, abs=0.02)
    assert found.points[:, 5].mean() == pytest.approx(0.5, abs=0.02)
    assert found.points[:, 5].var() == pytest.approx(1.0 / 12.0, abs=0.004)


def test_the_published_version_has_the_law_of_its_jumps_and_not_the_target() -> None:
    target = gaussian_target(1)

    def output(points: FloatArray) -> FloatArray:
        return ndtri(np.clip(points, 1e-12, 1.0 - 1e-12))

    start = stream(5, "beginnings of test chains", 1).random((200, 1))
    found = walk(
        output, start, target, PoolDensity(gaussian_pool(50, 1)), steps=2500, burn_in=0, seed=1, as_published=True
    )
    # The chain of accepted moves on a fine grid; what a step would leave the cube by is moved to its ends.
    grid = np.concatenate([[0.0], (np.arange(800) + 0.5) / 800, [1.0]])
    density = norm.pdf(output(grid), 0.5, 0.6)
    edges = np.concatenate([[-1.0, 0.0], np.arange(1, 801) / 800, [2.0]])
    below, above = np.maximum(edges[:-1], grid[:, None] - 0.1), np.minimum(edges[1:], grid[:, None] + 0.1)
    jumps = np.maximum(above - below, 0.0) * np.minimum(1.0, density / np.maximum(density[:, None], 1e-300))
    np.fill_diagonal(jumps, 0.0)
    jumps /= jumps.sum(axis=1, keepdims=True)
    law = np.linalg.matrix_power(jumps, 4096)[400]
    mean = float(law @ output(grid))
    sd = float(law @ (output(grid) - mean) ** 2) ** 0.5
    assert found.outputs.mean() == pytest.approx(mean, abs=0.02)
    assert found.outputs.std() == pytest.approx(sd, abs=0.02)
    assert abs(mean - 0.5) > 0.1
    assert abs(found.outputs.mean() - 0.5) > 0.1


def test_the_published_version_stores_accepted_moves_only_and_clips() -> None:
    found = walk(
        normal_outputs, beginnings(64), gaussian_target(2), pool(), steps=200, burn_in=0, seed=1, as_published=True
    )
    assert found.version == PUBLISHED
    assert np.isnan(found.r_hat)
    assert np.isnan(found.effective)
    assert len(found.points) == round(found.acceptance * 64 * 200)
    for chain in (0, 17):
        own = found.points[found.chains == chain]
        assert (np.diff(own, axis=0) != 0.0).any(axis=1).all()
        assert np.abs(np.diff(own, axis=0)).max() <= 0.1 + 1e-12
    assert ((found.points == 0.0) | (found.points == 1.0)).any()


def test_the_honest_version_repeats_what_was_not_left_and_stays_inside() -> None:
    found = walk(normal_outputs, beginnings(64), gaussian_target(2), pool(), steps=200, burn_in=50, seed=1)
    assert len(found.points) == 64 * 150
    own = found.points[found.chains == 3]
    stayed = (np.diff(own, axis=0) == 0.0).all(axis=1)
    assert 0.2 < stayed.mean() < 0.9
    assert ((found.points > 0.0) & (found.points < 1.0)).all()


def test_chains_that_have_not_met_are_told_by_r_hat() -> None:
    def walled(points: FloatArray) -> FloatArray:
        # No patient lies between two parts that no move of these few steps can leave together.
        outputs = normal_outputs(points)
        outputs[(points[:, 0] > 0.001) & (points[:, 0] < 0.999)] = np.nan
        return outputs

    start = beginnings(64)
    start[:, 0] = np.where(np.arange(64) % 2, 0.0005, 0.9995)
    wide = Target(("a", "b"), np.zeros(2), 25.0 * np.eye(2))
    found = walk(walled, start, wide, pool(), steps=60, burn_in=20, seed=1)
    assert found.r_hat > 1.05
    assert found.effective < 400


def test_a_chain_has_the_same_bits_whatever_chains_are_beside_it() -> None:
    target = gaussian_target(2)
    many = walk(normal_outputs, beginnings(64), target, pool(), steps=40, burn_in=0, seed=1)
    few = walk(normal_outputs, beginnings(5), target, pool(), steps=40, burn_in=0, seed=1)
    for chain in range(5):
        assert (few.points[few.chains == chain] == many.points[many.chains == chain]).all()
    again = walk(normal_outputs, beginnings(64), target, pool(), steps=40, burn_in=0, seed=1)
    assert (again.points == many.points).all()


def test_a_chain_must_begin_at_a_patient() -> None:
    start = beginnings(4)
    start[2] = 2.0
    with pytest.raises(InputError) as fault:
        walk(normal_outputs, start, gaussian_target(2), pool(), steps=10, burn_in=2, seed=1)
    assert str(fault.value) == (
        "error[populations.start]: 0 of 4 chains cannot begin where they are to\n"
        "  expected: points of the unit cube at which there is a patient whose outputs the target does not exclude\n"
        "  try:      begin at patients of the pool"
    )

    def nobody(points: FloatArray) -> FloatArray:
        return np.where(points[:, :1] < 2.0, np.nan, normal_outputs(points))

    with pytest.raises(InputError, match="4 of 4 chains cannot begin"):
        walk(nobody, beginnings(4), gaussian_target(2), pool(), steps=10, burn_in=2, seed=1)


def test_chains_that_never_move_are_no_population() -> None:
    start = beginnings(4)

    def only_there(points: FloatArray) -> FloatArray:
        return np.where((points == start[: len(points)]).all(axis=1, keepdims=True), normal_outputs(points), np.nan)

    with pytest.raises(NotConverged) as fault:
        walk(only_there, start, gaussian_target(2), pool(), steps=10, burn_in=2, seed=1)
    assert str(fault.value) == (
        "error[populations.stuck]: none of 40 moves was taken\n"
        "  try:      look at the target: do any patients of the pool come near it?"
    )


def test_not_all_steps_can_be_left_out() -> None:
    with pytest.raises(InputError) as fault:
        walk(normal_outputs, beginnings(4), gaussian_target(2), pool(), steps=10, burn_in=10, seed=1)
    assert str(fault.value) == (
        "error[populations.steps]: of 10 steps 10 cannot be left out\n  expected: fewer, and not less than none"
    )
