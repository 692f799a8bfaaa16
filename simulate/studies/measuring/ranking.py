"""What each measurement of a catalogue is expected to tell, alone and together, and how many patients it needs."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.evidence.resampling import binomial_interval
from simulate.inference.information import (
    FEWEST,
    Gain,
    Likelihoods,
    Statistic,
    classifier_bound,
    difference,
    effective_draws,
    gain,
    likelihoods,
    measured,
    posterior_probabilities,
    ranks,
)
from simulate.streams import FloatArray
from simulate.studies.measuring.catalogue import Measurement
from simulate.studies.measuring.pool import MeasurementPool, statistic_of
from simulate.studies.models import assumed_together
from simulate.watching import Advance

GAP = 0.05
"""Distance between two estimates of a gain, nats, from which it is told."""

ODDS = 10.0
ENOUGH = 0.8
"""Share of measurements that must give the true hypothesis odds of `ODDS`."""

SIZES = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Numbers of patients that are tried."""

MOST_TOGETHER = 4

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The expected information of one measurement, in nats."""

    measurement: Measurement  #: What is measured
    gain: Gain  #: Expected information
    bound: float  #: Lower bound of what it tells between hypotheses, by a classifier
    rank: int  #: Among the measurements; those that cannot be told apart share one
    #: Probability that the true hypothesis gets odds of `ODDS`, and 95 % interval of the simulation.
    decided: float
    decided_interval: Interval
    #: Probability that a wrong one gets odds of 3 or of 10, and intervals.
    misled_3: float
    misled_3_interval: Interval
    misled_10: float
    misled_10_interval: Interval
    #: Patients with whom the true hypothesis gets its odds often enough; None if not with the most that are tried.
    n_needed: int | None
    n_is_sparse: bool  #: Whether the draws are too far apart for what so many patients would tell

    @property
    def gap(self) -> float:
        """Distance between the smallest and the largest estimate of the information between hypotheses."""
        estimates = (self.gain.between, self.gain.with_own, self.bound)
        return max(estimates) - min(estimates)

    @property
    def per_cost(self) -> float:
        return self.gain.between / self.measurement.cost


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One more measurement beside those before it."""

    measurement: Measurement  #: What is added
    gain: Gain  #: Expected information of all so far
    #: How much this one adds, and the standard error of that.
    added: float
    error: float
    cost: float  #: Of all so far


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Result of `rank_measurements`; the rows in the order of their information, the steps in the order of choice."""

    pools: tuple[MeasurementPool, ...]
    patients: int
    measurements: int
    prior: FloatArray
    rows: tuple[Ranked, ...]
    steps: tuple[Step, ...]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions about the routes by which something is given, in sentences."""
        return assumed_together(pool.draws.problem.assumptions for pool in self.pools)

    @property
    def entropy(self) -> float:
        """Most that any measurement could tell between the hypotheses."""
        return -float(self.prior @ np.log(self.prior))


def rank_measurements(
    pools: Sequence[MeasurementPool],
    catalogue: Sequence[Measurement],
    *,
    patients: int,
    measurements: int = 256,
    seed: int = 1,
    progress: Advance = lambda done: None,
) -> Ranking:
    """Rank the measurements of a catalogue by what they tell between equally likely hypotheses."""
    prior = np.full(len(pools), 1.0 / len(pools))
    draws = pools[0].weights.shape[0]
    found: list[Likelihoods] = []
    rows: list[Ranked] = []
    gains: list[Gain] = []
    for measurement in catalogue:
        statistics = [statistic_of(measurement, sample, pools) for sample in measurement.samples]
        values = [measured(one, measurements, seed=seed) for one in statistics]
        joint = _joint(statistics, values)
        one = gain(joint, prior)
        bound = classifier_bound(np.concatenate(values, axis=2), draws, prior)
        after = posterior_probabilities(joint, prior)
        needed, is_sparse, _ = n_needed(measurement, pools, prior, measurements, seed)
        decided = _decided(after)
        (misled_3, interval_3), (misled_10, interval_10) = (_misled(after, odds) for odds in (3.0, ODDS))
        rows.append(
            Ranked(
                measurement=measurement,
                gain=one,
                bound=bound,
                rank=0,
                decided=float(decided.mean()),
                decided_interval=binomial_interval(int(decided.sum()), decided.size),
                misled_3=misled_3,
                misled_3_interval=interval_3,
                misled_10=misled_10,
                misled_10_interval=interval_10,
                n_needed=needed,
                n_is_sparse=is_sparse,
            )
        )
        found.append(joint)
        gains.append(one)
        progress(1)
    places = ranks(gains, prior)
    order = sorted(range(len(rows)), key=lambda index: -gains[index].between)
    ranked = tuple(dataclasses.replace(rows[index], rank=places[index]) for index in order)
    steps = _greedy(catalogue, found, gains, prior)
    return Ranking(tuple(pools), patients, measurements, prior, ranked, steps)


def _joint(statistics: Sequence[Statistic], values: Sequence[FloatArray]) -> Likelihoods:
    return functools.reduce(operator.add, map(likelihoods, statistics, values))


def n_needed(
    measurement: Measurement, pools: Sequence[MeasurementPool], prior: FloatArray, measurements: int, seed: int
) -> tuple[int | None, bool, float]:
    """Fewest patients with whom the true hypothesis gets its odds often enough, by halving the list of sizes.

    One of `SIZES`, None if none is enough; whether the draws are too far apart for what so many would tell; and the
    share of measurements of the most patients in which it gets them.
    """

    def at(n: int) -> tuple[float, bool]:
        return decided_with(n, measurement, pools, prior, measurements, seed)

    most, is_sparse = at(SIZES[-1])
    if most < ENOUGH:
        return None, is_sparse, most
    low, high = -1, len(SIZES) - 1
    while high - low > 1:
        middle = (low + high) // 2
        share, sparse_here = at(SIZES[middle])
        if share >= ENOUGH:
            high, is_sparse = middle, sparse_here
        else:
            low = middle
    return SIZES[high], is_sparse, most


def decided_with(
    n: int, measurement: Measurement, pools: Sequence[MeasurementPool], prior: FloatArray, measurements: int, seed: int
) -> tuple[float, bool]:
    """Share of measurements of so many patients that give the true hypothesis its odds; arguments as for `n_needed`.

    The second value tells whether the draws are too far apart for it.
    """
    scale = n / measurement.n
    statistics = [statistic_of(measurement, sample, pools, scale=scale) for sample in measurement.samples]
    joint = _joint(statistics, [measured(one, measurements, seed=seed) for one in statistics])
    return float(_decided(posterior_probabilities(joint, prior)).mean()), effective_draws(joint) < FEWEST


def _greedy(
    catalogue: Sequence[Measurement], found: Sequence[Likelihoods], gains: Sequence[Gain], prior: FloatArray
) -> tuple[Step, ...]:
    """Measurements chosen one after the other, each the one that adds most to those before, while it adds anything."""
    first = max(range(len(catalogue)), key=lambda index: gains[index].between)
    steps = [Step(catalogue[first], gains[first], gains[first].between, gains[first].error, catalogue[first].cost)]
    so_far, chosen = found[first], {first}
    while len(steps) < min(MOST_TOGETHER, len(catalogue)):
        joint = {index: gain(so_far + found[index], prior) for index in range(len(catalogue)) if index not in chosen}
        best = max(joint, key=lambda index: joint[index].between)
        added, error = difference(joint[best], steps[-1].gain, prior)
        if added <= 2.0 * error:
            break
        steps.append(Step(catalogue[best], joint[best], added, error, steps[-1].cost + catalogue[best].cost))
        so_far = so_far + found[best]
        chosen.add(best)
    return tuple(steps)


def _decided(after: FloatArray) -> FloatArray:
    """Which measurements give the true hypothesis odds of `ODDS`, shape [true hypothesis, measurement]."""
    found: FloatArray = (np.einsum("hrh->hr", after) >= ODDS / (1.0 + ODDS)).astype(np.float64)
    return found


def _misled(after: FloatArray, odds: float) -> tuple[float, Interval]:
    """Probability that a wrong hypothesis gets some odds against all others."""
    wrong = after.copy()
    np.einsum("hrh->hr", wrong)[...] = 0.0
    events = (wrong.max(axis=2) >= odds / (1.0 + odds)).astype(np.float64)
    return float(events.mean()), binomial_interval(int(events.sum()), events.size)
