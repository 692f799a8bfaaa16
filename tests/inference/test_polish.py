"""Importance sampling and diagnostics on targets that are known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from scipy.stats import genpareto, norm

from simulate.inference import polish as polishing
from simulate.inference.diagnostics import learned, path_shares, rank_normalized_r_hat
from simulate.inference.polish import Weighted, pareto_shape, polish
from simulate.inference.quantiles import quantiles
from simulate.inference.smc import Generation, sample
from simulate.inference.target import Guess, Scores, Target
from simulate.streams import FloatArray
from tests.inference.targets import DIMENSION, KNOWN, Known, gaussian, two_modes


@pytest.fixture(scope="module", autouse=True)
def bent_once() -> Iterator[None]:
    """Let what is fitted to the same coordinate of the same points be fitted once: it is what takes longest here."""
    bends: dict[bytes, FloatArray] = {}
    bend = polishing._bend

    def remembered(column: FloatArray) -> FloatArray:
        if (key := column.tobytes()) not in bends:
            bends[key] = bend(column)
        return bends[key].copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polishing, "_bend", remembered)
        yield


@cache
def sampled(known: Known, seed: int) -> Generation:
    """Particles of a target."""
    return sample(known.target, DIMENSION, particles=400, seed=seed)


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_the_evidence_lies_within_its_error(known: Known) -> None:
    for seed in range(3):
        particles = sampled(known, seed)
        found = polish(known.target, particles.points, particles.feasible, draws=2048, seed=seed)
        assert abs(found.log_evidence - known.log_evidence) < 4.0 * found.error
        assert found.error < 0.1
        # Bent posteriors fit a mixture of ellipsoids badly; the others reach a thousand.
        assert found.effective > 150
        assert found.tail < 0.7


def test_a_truncated_prior_is_normalized() -> None:
    def half(points: FloatArray) -> Scores:
        return Scores(norm.logpdf(points[:, :1], 0.5, 0.3), points[:, 0] > 0.0)

    particles = sample(half, 2, particles=500, seed=2)
    found = polish(half, particles.points, 0.5, draws=2048, seed=2)
    x = np.linspace(0.0, 8.0, 200_001)
    expected = np.log(np.trapezoid(norm.pdf(x) * norm.pdf(x, 0.5, 0.3), x) / 0.5)
    assert found.log_evidence == pytest.approx(expected, abs=0.05)


def test_weights_with_a_heavy_tail_are_found_out() -> None:
    def narrow(points: FloatArray) -> Scores:
        return Scores(norm.logpdf(points, 3.0, 0.05).sum(axis=1, keepdims=True), np.ones(len(points), dtype=bool))

    far = np.random.default_rng(1).normal(-1.0, 0.5, (200, 3))
    assert polish(narrow, far, 1.0, draws=1024, seed=1).effective < 10


@pytest.mark.parametrize("shape", [-0.3, 0.1, 0.5, 0.9])
def test_the_shape_of_a_tail_is_found(shape: float) -> None:
    found = [
        pareto_shape(genpareto.rvs(shape, size=20_000, random_state=np.random.default_rng(seed))) for seed in range(8)
    ]
    assert np.mean(found) == pytest.approx(shape, abs=0.06)


def test_weights_that_are_all_alike_have_no_tail() -> None:
    assert pareto_shape(np.ones(64)) == 0.0


def test_the_shares_of_the_items_add_up_to_the_evidence() -> None:
    particles = sample(gaussian().target, DIMENSION, particles=400, seed=4)
    found = polish(gaussian().target, particles.points, particles.feasible, draws=2048, seed=4)
    shares, errors = path_shares(found)
    assert shares.sum() == pytest.approx(found.log_evidence, abs=0.1)
    # The items of this target are a quarter and three quarters of one log-likelihood.
    assert shares[0] / shares.sum() == pytest.approx(0.25, abs=0.01)
    assert errors[1] == pytest.approx(3.0 * errors[0], rel=0.02)


def test_the_errors_of_the_shares_are_those_of_repeats() -> None:
    repeats, claimed = [], []
    for seed in range(24):
        # Without the order of a Sobol set, which errs less than independent draws do.
        points = np.random.default_rng(seed).standard_normal((512, 2))
        items = norm.logpdf(points, 0.5, 0.8)
        weighted = Weighted(points, Scores(items, np.ones(512, dtype=bool)), np.zeros(512), 1.0)
        shares, errors = path_shares(weighted)
        repeats.append(shares)
        claimed.append(errors)
    ratio = np.mean(claimed, axis=0) / np.std(repeats, axis=0, ddof=1)
    assert ratio == pytest.approx(1.0, abs=0.45)


def test_a_coordinate_that_the_data_do_not_mention_is_called_prior() -> None:
    def first_only(points: FloatArray) -> Scores:
        return Scores(norm.logpdf(points[:, :1], 1.0, 0.2), np.ones(len(points), dtype=bool))

    final = sample(first_only, 2, particles=2000, seed=6)
    prior = np.random.default_rng(1).standard_normal((4000, 2))
    result = learned(final.points, np.full(2000, 1 / 2000), prior)
    assert result.verdict == ("informed", "prior")
    assert result.contraction[0] == pytest.approx(1.0 - 1.0 / (1.0 + 1.0 / 0.04), abs=0.02)
    assert result.overlap[1] > 0.9 > 0.5 > result.overlap[0]


def test_weighted_quantiles_are_those_of_repeated_points() -> None:
    points = np.array([[1.0], [2.0], [3.0]])
    weighted = quantiles(points, np.array([0.2, 0.2, 0.6]), (0.25, 0.5))
    repeated = quantiles(points[[0, 1, 2, 2, 2]], np.full(5, 0.2), (0.25, 0.5))
    assert weighted[0] == pytest.approx(repeated[0], abs=0.2)
    assert weighted[1][0] == pytest.approx(2.5, abs=0.1)


def test_r_hat_is_one_for_equal_and_large_for_different_runs() -> None:
    draws = np.random.default_rng(1).standard_normal((4, 500, 2))
    assert rank_normalized_r_hat(list(draws)) == pytest.approx(np.ones(2), abs=0.01)
    draws[0, :, 1] += 2.0
    assert rank_normalized_r_hat(list(draws))[1] > 1.2


def test_two_modes_become_two_components() -> None:
    particles = sample(two_modes().target, DIMENSION, particles=400, seed=1)
    found = polish(two_modes().target, particles.points, 1.0, draws=2048, seed=1)
    assert found.weights[found.points[:, 0] > 0.0].sum() == pytest.approx(0.25, abs=0.03)


def test_a_skewed_posterior_is_covered_by_bent_coordinates() -> None:
    def skewed(points: FloatArray) -> Scores:
        # Logarithm of the density of a lognormal in every coordinate, over that of the prior.
        inside = points > -1.0
        logs = np.log(np.where(inside, points + 1.0, 1.0))
        items = norm.logpdf(logs, -0.5, 0.7) - logs - norm.logpdf(points)
        return Scores(np.where(inside, items, -np.inf), np.ones(len(points), dtype=bool))

    random = np.random.default_rng(1)
    particles = np.exp(random.normal(-0.5, 0.7, (800, 4))) - 1.0
    found = polish(skewed, particles, 1.0, draws=2048, seed=1)
    assert found.log_evidence == pytest.approx(0.0, abs=4.0 * found.error)
    # Ellipsoids alone, of six degrees of freedom, have 500.
    assert found.effective > 1000


def test_a_few_particles_in_one_place_make_one_component() -> None:
    target = gaussian().target
    found = polish(target, np.full((16, DIMENSION), 0.5), 1.0, draws=64, seed=1)
    assert np.isfinite(found.log_evidence)


class Learns:
    """A target with a guess that errs by a wave, and that counts how often it is asked."""

    def __init__(self, target: Target, error: float) -> None:
        self.target, self.error, self.asked = target, error, 0

    def __call__(self, points: FloatArray) -> Scores:
        self.asked += len(points)
        return self.target(points)

    def learned(self, points: FloatArray) -> Guess:
        return lambda asked: self.target(asked).total + self.error * np.sin(5.0 * asked.sum(axis=1))


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
@pytest.mark.parametrize("error", [0.1, 1.0])
def test_where_a_guess_chooses_what_is_scored_the_evidence_lies_within_its_error(known: Known, error: float) -> None:
    for seed in range(3):
        particles = sampled(known, seed)
        target = Learns(known.target, error)
        found = polish(target, particles.points, particles.feasible, draws=2048, seed=seed)
        assert abs(found.log_evidence - known.log_evidence) < 4.0 * found.error
        assert target.asked == pytest.approx(0.35 * 2048, abs=2)


def test_the_errors_with_a_guess_are_those_of_repeats() -> None:
    found = []
    target = gaussian(3).target
    particles = sample(target, 3, particles=400, seed=1)
    for seed in range(24):
        found.append(polish(Learns(target, 1.0), particles.points, 1.0, draws=512, seed=seed))
    spread = np.std([one.log_evidence for one in found], ddof=1)
    # A Sobol set errs less than the error says; it must not err more.
    assert 0.3 < spread / np.mean([one.error for one in found]) < 1.4


@pytest.mark.parametrize("error", [0.1, 1.0])
def test_draws_that_a_guess_has_chosen_are_those_of_the_posterior(error: float) -> None:
    particles = sample(gaussian().target, DIMENSION, particles=400, seed=1)
    covariance = 0.09 * (0.3 * np.eye(DIMENSION) + 0.7)
    gain = np.linalg.inv(np.eye(DIMENSION) + np.linalg.inv(covariance))
    expected = gain @ np.linalg.inv(covariance) @ np.full(DIMENSION, 0.5)
    means = []
    for seed in range(6):
        found = polish(Learns(gaussian().target, error), particles.points, 1.0, draws=2048, seed=seed)
        means.append(found.weights @ found.points)
    assert np.mean(means, axis=0) == pytest.approx(expected, abs=0.02)


def test_the_shares_of_the_items_add_up_to_the_evidence_with_a_guess() -> None:
    particles = sample(gaussian().target, DIMENSION, particles=400, seed=4)
    found = polish(Learns(gaussian().target, 0.1), particles.points, particles.feasible, draws=2048, seed=4)
    shares, _ = path_shares(found)
    assert shares.sum() == pytest.approx(found.log_evidence, abs=0.2)
    assert shares[0] / shares.sum() == pytest.approx(0.25, abs=0.01)


def test_what_a_guess_excludes_as_infeasible_has_no_part() -> None:
    def half(points: FloatArray) -> Scores:
        return Scores(norm.logpdf(points[:, :1], 0.5, 0.3), points[:, 0] > 0.0)

    particles = sample(half, 2, particles=500, seed=2)
    found = polish(Learns(half, 0.1), particles.points, 0.5, draws=2048, seed=2)
    x = np.linspace(0.0, 8.0, 200_001)
    expected = np.log(np.trapezoid(norm.pdf(x) * norm.pdf(x, 0.5, 0.3), x) / 0.5)
    assert found.log_evidence == pytest.approx(expected, abs=0.05)
