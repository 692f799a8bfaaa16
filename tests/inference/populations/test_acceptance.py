"""Acceptance on Gaussian pools, where the share taken and the law of those taken are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from simulate.errors import InputError, NotConverged
from simulate.inference.populations.acceptance import accept
from simulate.inference.populations.density import PoolDensity, distinct
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray
from tests.inference.populations.pools import gaussian_pool, gaussian_target


def closed(first: Target, outputs: FloatArray) -> FloatArray:
    """The same density by another formula."""
    apart = outputs - first.mean
    exponent = -0.5 * np.einsum("ij,jk,ik->i", apart, np.linalg.inv(first.covariance), apart)
    return exponent - 0.5 * np.linalg.slogdet(2.0 * np.pi * first.covariance)[1]


def test_the_density_of_the_target_is_the_multivariate_normal() -> None:
    target, outputs = gaussian_target(3), gaussian_pool(50, 3)
    assert target.log_density(outputs) == pytest.approx(closed(target, outputs), rel=1e-12)


def test_distances_are_those_of_kolmogorov_and_smirnov() -> None:
    target, outputs = gaussian_target(2), gaussian_pool(300, 2)
    chosen = outputs[:, 0] > 0.1
    found = target.distances(outputs, np.stack([np.ones(300), chosen.astype(float)]))
    for column in range(2):
        assert found[0, column] == pytest.approx(kstest(outputs[:, column], "norm", args=(0.5, 0.6)).statistic)
        assert found[1, column] == pytest.approx(kstest(outputs[chosen, column], "norm", args=(0.5, 0.6)).statistic)


@pytest.mark.parametrize("observables", [1, 2])
def test_the_density_of_a_pool_is_near_the_one_it_was_drawn_from(observables: int) -> None:
    outputs = gaussian_pool(8000, observables)
    standard = Target(("a", "b")[:observables], np.zeros(observables), np.eye(observables))
    middle = np.linalg.norm(outputs, axis=1) < 1.5
    excess = (PoolDensity(outputs, 20).log_of_pool() - standard.log_density(outputs))[middle]
    # The logarithm of the estimate from 20 neighbors has a standard deviation near 1/sqrt(20).
    assert excess.mean() == pytest.approx(0.0, abs=0.05)
    assert excess.std() == pytest.approx(20.0**-0.5, rel=0.15)


def test_a_patient_is_not_its_own_neighbor() -> None:
    outputs = np.array([[0.0], [1.0], [3.0]])
    scale = outputs.std()
    # From 1 the nearest other patient is 1 away: one neighbor of two, in a ball of length 2.
    assert np.exp(PoolDensity(outputs, 1).log_of_pool())[1] == pytest.approx(1.0 / (2.0 * 2.0))
    assert np.exp(PoolDensity(outputs, 1).log_at(np.array([[1.5]])))[0] == pytest.approx(1.0 / (3.0 * 1.0))
    assert scale > 0.0


@pytest.mark.parametrize("observables", [1, 2])
def test_those_accepted_have_the_moments_of_the_target(observables: int) -> None:
    outputs, target = gaussian_pool(6000, observables), gaussian_target(observables)
    found = accept(outputs, target, seed=1, selections=40)
    members = outputs[found.members]
    error = 0.6 / np.sqrt(len(members))
    # Probabilities that are cut at 1 pull towards the pool a little: 10 % of those taken here.
    assert members.mean(axis=0) == pytest.approx(target.mean, abs=4 * error + 0.05)
    assert members.std(axis=0) == pytest.approx(target.sd, rel=0.1)
    assert found.distances.mean() < 0.05
    assert found.effective == len(found.members) == found.sizes[0]


def test_the_share_taken_is_beta_where_no_probability_is_cut() -> None:
    outputs, target = gaussian_pool(20_000, 1), gaussian_target(1)
    found = accept(outputs, target, seed=1, fewest=200, selections=4)
    ratio = found.inclusion / found.beta
    uncut = np.minimum(1.0, 1e-3 * ratio).mean()
    # Mean of p/ρ over the pool is 1; the ladder of β begins well below the cut.
    assert uncut == pytest.approx(1e-3, rel=0.1)


def test_the_spread_over_selections_is_reported_and_not_the_best_of_them() -> None:
    found = accept(gaussian_pool(3000, 2), gaussian_target(2), seed=4)
    assert found.distances.shape == (100, 2)
    assert found.sizes.shape == (100,)
    totals = found.distances.sum(axis=1)
    assert totals.std() > 0.0
    assert totals[0] > totals.min()


def test_beta_has_the_least_mean_distance_of_its_ladder() -> None:
    outputs, target = gaussian_pool(2000, 1), gaussian_target(1)
    found = accept(outputs, target, seed=2, fewest=50, selections=20)
    best = found.distances.sum(axis=1).mean()
    for fewest in (int(found.sizes.mean() * 1.3), int(found.sizes.mean() * 1.8)):
        other = accept(outputs, target, seed=2, fewest=fewest, selections=20)
        assert other.sizes.mean() >= 0.95 * fewest
        assert other.distances.sum(axis=1).mean() >= best


def test_the_luck_of_a_patient_is_its_own() -> None:
    outputs, target = gaussian_pool(2000, 1), gaussian_target(1)
    order = np.random.default_rng(3).permutation(2000)
    straight = accept(outputs, target, seed=9, selections=10)
    mixed = accept(outputs[order], target, seed=9, selections=10, ids=order)
    assert np.sort(order[mixed.members]).tolist() == straight.members.tolist()
    assert (accept(outputs, target, seed=9, selections=10).members == straight.members).all()
    other = accept(outputs, target, seed=10, selections=10)
    assert other.members.tolist() != straight.members.tolist()


def test_equal_patients_are_refused_and_can_be_left_out() -> None:
    outputs = gaussian_pool(400, 2)
    doubled = np.concatenate([outputs, outputs[[7, 3]]])
    with pytest.raises(InputError) as fault:
        accept(doubled, gaussian_target(2), seed=1, fewest=20)
    assert str(fault.value) == (
        "error[populations.duplicates]: 2 of 402 patients have the outputs of another\n"
        "  found:    the first of them is patient 400\n"
        "  expected: patients who differ: between equal ones the density of the pool is infinite\n"
        "  try:      keep one of each, as `distinct` does"
    )
    assert distinct(doubled).tolist() == list(range(400))


def test_an_output_that_does_not_vary_is_refused() -> None:
    outputs = gaussian_pool(400, 2)
    outputs[:, 1] = 0.25
    with pytest.raises(InputError) as fault:
        PoolDensity(outputs)
    assert str(fault.value) == (
        "error[populations.constant]: output 1 is the same in all patients of the pool\n"
        "  found:    0.25\n"
        "  try:      a pool cannot be fitted to what does not vary in it: vary more parameters, or drop the output"
    )


def test_a_pool_that_is_nowhere_like_the_target_is_no_population() -> None:
    far = Target(("a",), np.array([30.0]), np.array([[0.01]]))
    with pytest.raises(NotConverged) as fault:
        accept(gaussian_pool(400, 1), far, seed=1)
    assert str(fault.value) == (
        "error[populations.few]: only 1 of 400 plausible patients are like the target\n"
        "  expected: at least 200\n"
        "  try:      make the pool wider or larger; where its patients cannot be like the target, "
        "model and statistics disagree"
    )


def test_more_patients_than_the_pool_has_cannot_be_asked_for() -> None:
    with pytest.raises(InputError) as fault:
        accept(gaussian_pool(100, 1), gaussian_target(1), seed=1, fewest=100)
    assert str(fault.value) == (
        "error[populations.size]: 100 patients cannot be chosen from a pool of 100\n"
        "  expected: at least 1, and fewer than the pool has"
    )


def test_patients_without_outputs_are_refused() -> None:
    outputs = gaussian_pool(400, 2)
    outputs[5, 1] = np.nan
    with pytest.raises(InputError) as fault:
        accept(outputs, gaussian_target(2), seed=1)
    assert str(fault.value) == (
        "error[populations.outputs]: output 1 of patient 5 is nan\n"
        "  expected: logarithms of values above 0\n"
        "  try:      leave patients out who failed or do not exist"
    )
    with pytest.raises(InputError) as fault:
        accept(gaussian_pool(400, 1), gaussian_target(2), seed=1)
    assert str(fault.value) == (
        "error[populations.shape]: the outputs are not those of a pool of patients\n"
        "  found:    shape (400, 1)\n"
        "  expected: (patients, 2), with at least 6 patients"
    )


def test_a_target_needs_a_covariance_that_can_be() -> None:
    with pytest.raises(InputError) as fault:
        Target(("a", "b"), np.zeros(2), np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert str(fault.value).startswith(
        "error[populations.covariance]: the covariance of the target is not one of independent directions\n"
    )
    assert fault.value.advice == "look at the correlations: they may contradict each other, or be 1 or -1"
    with pytest.raises(InputError) as fault:
        Target(("a", "b"), np.zeros(2), np.array([[1.0, 0.5], [0.2, 1.0]]))
    assert fault.value.found == "a matrix that is not symmetric, or not finite"
    with pytest.raises(InputError) as fault:
        Target(("a", "b"), np.zeros(3), np.eye(2))
    assert str(fault.value) == (
        "error[populations.shape]: mean and covariance of the target are not those of its observables\n"
        "  found:    (3,) and (2, 2)\n"
        "  expected: (2,) and (2, 2), of at least one observable"
    )
    with pytest.raises(InputError) as fault:
        Target(("a",), np.array([np.nan]), np.eye(1))
    assert fault.value.what == "the mean of the target is not finite"
