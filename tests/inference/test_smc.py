"""Tempered sequential Monte Carlo on targets that are known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from simulate.errors import InputError, NotConverged, NumericalError
from simulate.inference import checkpoint
from simulate.inference.search import optimum
from simulate.inference.smc import Generation, advance, begin, is_at, sample
from simulate.inference.target import Guess, Scores, Target
from simulate.streams import FloatArray
from tests.inference.targets import DIMENSION, KNOWN, Known, everywhere, gaussian, two_modes


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_the_evidence_is_that_of_the_closed_form(known: Known) -> None:
    runs = [sample(known.target, DIMENSION, particles=500, seed=seed).log_evidence for seed in range(8)]
    # The spread of one run is 0.1 to 0.17; eight of them scatter by less than 0.06.
    assert np.mean(runs) == pytest.approx(known.log_evidence, abs=0.18)
    assert np.std(runs) < 0.3


def test_both_modes_keep_their_share() -> None:
    shares = [
        float((sample(two_modes().target, DIMENSION, particles=500, seed=seed).points[:, 0] > 0).mean())
        for seed in range(8)
    ]
    assert np.mean(shares) == pytest.approx(0.25, abs=0.04)


def test_the_mean_and_spread_are_those_of_the_posterior() -> None:
    found = sample(gaussian().target, DIMENSION, particles=2000, seed=1).points
    covariance = 0.09 * (0.3 * np.eye(DIMENSION) + 0.7)
    gain = np.linalg.inv(np.eye(DIMENSION) + np.linalg.inv(covariance))
    expected = gain @ np.linalg.inv(covariance) @ np.full(DIMENSION, 0.5)
    assert found.mean(axis=0) == pytest.approx(expected, abs=0.05)
    assert np.cov(found.T) == pytest.approx(gain, abs=0.02)


def test_infeasible_points_are_no_part_of_the_prior() -> None:
    def half(points: FloatArray) -> Scores:
        return Scores(np.where(points[:, :1] > 0.0, np.log(0.5), np.nan), points[:, 0] > 0.0)

    found = sample(half, 2, particles=400, seed=3)
    assert found.log_evidence == pytest.approx(np.log(0.5), abs=1e-12)
    assert found.feasible == pytest.approx(0.5, abs=0.05)
    assert (found.points[:, 0] > 0.0).all()


def generations(target: Target, first: Generation) -> list[Generation]:
    """All from one on, as fits have them."""
    found = [first]
    while not is_at(found[-1], 1.0):
        found.append(advance(target, found[-1], 5))
    return found


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    path, target = tmp_path / "fit.npz", gaussian().target
    saved = generations(target, begin(target, DIMENSION, 200, 5))
    whole = saved[-1]
    assert len(saved) == len(whole.stages) + 1
    for generation in saved:
        checkpoint.save(path, generation, "key")
        known = checkpoint.load(path, "key")
        assert known is not None
        resumed = generations(target, known)[-1]
        assert resumed.points.tobytes() == whole.points.tobytes()
        assert resumed.scores.items.tobytes() == whole.scores.items.tobytes()
        assert resumed.log_evidence == whole.log_evidence
        assert resumed.stages == whole.stages


def test_a_checkpoint_of_another_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.npz"
    assert checkpoint.load(path, "a") is None
    checkpoint.save(path, sample(gaussian().target, DIMENSION, particles=50, seed=5), "a")
    with pytest.raises(InputError, match="belongs to another fit") as caught:
        checkpoint.load(path, "b")
    assert "found:    key a\n  expected: key b" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no archive"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fit.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="the checkpoint cannot be read") as caught:
        checkpoint.load(path, "a")
    assert caught.value.code == "inference.checkpoint"
    assert str(path) in str(caught.value)


def test_a_checkpoint_with_any_bit_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.npz"
    checkpoint.save(path, sample(gaussian().target, DIMENSION, particles=20, seed=5), "a")
    content = path.read_bytes()
    assert checkpoint.load(path, "a") is not None
    for place in range(0, len(content), max(1, len(content) // 200)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        with pytest.raises(InputError, match="the checkpoint cannot be read"):
            checkpoint.load(path, "a")


def test_an_undefined_likelihood_stops_the_run() -> None:
    def target(points: FloatArray) -> Scores:
        return everywhere(np.where(points[:, :1] > 2.0, np.nan, -1.0))

    with pytest.raises(NumericalError, match=re.escape("the log-likelihood of item 0 is nan at a feasible point")):
        sample(target, 1, particles=500, seed=1)


def test_data_that_no_particle_can_explain_are_named() -> None:
    with pytest.raises(NotConverged, match="every particle finds the data impossible"):
        sample(lambda points: everywhere(np.full((len(points), 1), -np.inf)), 1, particles=50, seed=1)


def test_a_prior_without_feasible_points_is_named() -> None:
    def nowhere(points: FloatArray) -> Scores:
        return Scores(np.zeros((len(points), 1)), np.zeros(len(points), dtype=bool))

    with pytest.raises(NotConverged, match="50 of 50 prior draws are still infeasible"):
        sample(nowhere, 1, particles=50, seed=1)


def test_data_that_are_possible_for_one_particle_in_ten_are_fitted() -> None:
    def target(points: FloatArray) -> Scores:
        return everywhere(np.where(points[:, :1] > 1.2816, 0.0, -np.inf))

    runs = [sample(target, 1, particles=1000, seed=seed).log_evidence for seed in range(6)]
    assert np.mean(runs) == pytest.approx(np.log(0.1), abs=0.15)


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
@pytest.mark.parametrize("error", [0.1, 2.0])
def test_moves_by_a_guess_that_errs_leave_the_evidence_as_it_is(known: Known, error: float) -> None:
    runs = [sample(Learns(known.target, error), DIMENSION, particles=500, seed=seed).log_evidence for seed in range(8)]
    assert np.mean(runs) == pytest.approx(known.log_evidence, abs=0.18)
    assert np.std(runs) < 0.3


@pytest.mark.parametrize("error", [0.1, 2.0])
def test_moves_by_a_guess_that_errs_leave_mean_and_spread_as_they_are(error: float) -> None:
    found = sample(Learns(gaussian().target, error), DIMENSION, particles=2000, seed=1).points
    covariance = 0.09 * (0.3 * np.eye(DIMENSION) + 0.7)
    gain = np.linalg.inv(np.eye(DIMENSION) + np.linalg.inv(covariance))
    expected = gain @ np.linalg.inv(covariance) @ np.full(DIMENSION, 0.5)
    assert found.mean(axis=0) == pytest.approx(expected, abs=0.05)
    assert np.cov(found.T) == pytest.approx(gain, abs=0.02)


def test_a_guess_saves_most_of_what_the_target_is_asked() -> None:
    plain, guided = Learns(gaussian().target, 0.0), Learns(gaussian().target, 0.1)
    sample(lambda points: plain(points), DIMENSION, particles=500, seed=1)
    sample(guided, DIMENSION, particles=500, seed=1)
    assert guided.asked < 0.35 * plain.asked


def test_of_each_particle_the_target_is_asked_once_a_temperature() -> None:
    target = Learns(gaussian().target, 0.1)
    found = sample(target, DIMENSION, particles=500, seed=1)
    assert target.asked == 500 * (len(found.stages) + 1)


def test_a_guess_that_is_far_from_the_target_at_the_end_is_made_anew() -> None:
    class Slow(Learns):
        """What it learns is wrong by a slope as long as points are wider than the posterior."""

        def learned(self, points: FloatArray) -> Guess:
            slope = 6.0 if points.std(axis=0).mean() > 0.265 else 0.0
            return lambda asked: self.target(asked).total + slope * asked[:, 0]

    found = sample(Slow(gaussian().target, 0.0), DIMENSION, particles=1000, seed=5)
    assert [stage.beta for stage in found.stages].count(1.0) > 1
    covariance = 0.09 * (0.3 * np.eye(DIMENSION) + 0.7)
    gain = np.linalg.inv(np.eye(DIMENSION) + np.linalg.inv(covariance))
    expected = gain @ np.linalg.inv(covariance) @ np.full(DIMENSION, 0.5)
    assert found.points.mean(axis=0) == pytest.approx(expected, abs=0.06)


def test_an_interrupted_run_by_a_guess_goes_on_to_the_same_bits() -> None:
    target = Learns(gaussian().target, 0.5)
    saved = generations(target, begin(target, DIMENSION, 200, 5))
    for generation in saved:
        resumed = generations(Learns(gaussian().target, 0.5), generation)[-1]
        assert resumed.points.tobytes() == saved[-1].points.tobytes()
        assert resumed.stages == saved[-1].stages


def test_the_best_point_that_a_guess_leads_to_is_scored_by_the_target() -> None:
    target = Learns(gaussian().target, 0.5)
    start = sample(target, DIMENSION, particles=200, seed=5)
    found = optimum(target, start, 6, starts=48)
    assert found.log_likelihood == gaussian().target(found.point[None]).total[0]
    assert found.log_likelihood > start.scores.total.max()
