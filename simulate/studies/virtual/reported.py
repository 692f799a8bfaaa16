"""The target of a virtual population: reported values as a normal distribution of logarithms.

The published ways want the joint distribution of patients' logarithms, which their authors estimate from patients. The
abstract has none. Here a printed mean with its range becomes the log-normal distribution under which it is likeliest, a
printed correlation becomes that of two logarithms, and all else (other correlations, the level and spread of what has
none printed) is left as in the pool: the target is the normal distribution that changes the pool's least, in relative
entropy, for the printed marginals. So it is a model, and not an observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from simulate.errors import InputError
from simulate.evidence.items import Evidence, Reading
from simulate.evidence.kinds.correlation import SENSES, Correlation
from simulate.evidence.kinds.mean_range import MeanRange
from simulate.evidence.protocol import TrialProtocol
from simulate.evidence.trial_observations import EVERYONE, TrialObservations
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray
from simulate.studies.virtual.patients import PatientStatistic
from simulate.symbolic.units import Unit, convert

_ROUNDS = 1000
_SETTLED = 1e-12


@dataclass(frozen=True, slots=True)
class ReportedMean:
    """A printed mean and range: mean and standard deviation of logarithms at ``n``, and the item and its reading."""

    statistic: PatientStatistic
    mean: float
    sd: float
    n: int
    item: str
    reading: str


@dataclass(frozen=True, slots=True)
class ReportedCorrelation:
    """A printed correlation between two statistics at ``n``, and the item and its reading."""

    a: PatientStatistic
    b: PatientStatistic
    rho: float
    n: int
    item: str
    reading: str


@dataclass(frozen=True, slots=True)
class Printed:
    """The levels and correlations in the evidence of which a target is made."""

    levels: tuple[ReportedMean, ...]
    ties: tuple[ReportedCorrelation, ...]

    @property
    def statistics(self) -> tuple[PatientStatistic, ...]:
        """Everything that levels and correlations speak of, each once."""
        found = [level.statistic for level in self.levels] + [part for tie in self.ties for part in (tie.a, tie.b)]
        return tuple(dict.fromkeys(found))


def printed(evidence: Evidence, protocol: TrialProtocol, units: Mapping[str, Unit]) -> Printed:
    """Baseline levels and correlations among the data of the evidence, each in the reading that is believed most."""
    levels, ties = [], []
    for item in evidence.data:
        reading = item.most
        subject, statement = reading.subject, reading.statement
        which = reading.name if len(item.readings) > 1 else ""
        if subject.group != EVERYONE or subject.quantity not in protocol.quantities:
            continue
        if isinstance(statement, MeanRange) and subject.days == (protocol.days[0],) and statement.n is not None:
            levels.append(_level(item.name, which, reading, statement.n, protocol, units[subject.quantity]))
        elif isinstance(statement, Correlation) and statement.scale == "log" and statement.n is not None:
            since = protocol.days[0] if subject.since is None else subject.since
            ties.append(
                ReportedCorrelation(
                    PatientStatistic(subject.quantity, since),
                    PatientStatistic(statement.partner, subject.days[-1], since),
                    statement.r * SENSES[statement.change],
                    statement.n,
                    item.name,
                    which,
                )
            )
    if not levels:
        raise InputError(
            "the evidence has no mean with range at the baseline, which a virtual population could match",
            code="vpop.evidence",
            found=f"{len(evidence.data)} data",
            advice='give such an item the use `datum`, kind = "mean_range" and visit_day = 0',
        )
    return Printed(tuple(levels), tuple(ties))


def _level(item: str, which: str, reading: Reading, n: int, protocol: TrialProtocol, own: Unit) -> ReportedMean:
    """Log-normal distribution of readings under which a printed mean and range is likeliest."""
    subject = reading.subject

    def cost(at: FloatArray) -> float:
        seen = TrialObservations(
            weights=np.ones((1, 1)),
            levels={(subject.quantity, protocol.days[0]): np.array([[np.exp(at[0])]])},
            units={subject.quantity: own},
            noise={subject.quantity: float(np.exp(at[1]))},
            limits=protocol.limits,
        )
        return -float(reading.statement.log_likelihood(subject, seen)[0])

    assert isinstance(reading.statement, MeanRange)
    start = np.array([np.log(reading.statement.mean * convert(1.0, subject.unit, own)), 0.0])
    found = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 2000})
    statistic = PatientStatistic(subject.quantity, protocol.days[0])
    return ReportedMean(statistic, float(found.x[0]), float(np.exp(found.x[1])), n, item, which)


def target_for(found: Printed, outputs: FloatArray) -> Target:
    """Normal distribution with the printed marginals that is nearest to that of a pool.

    Marginals are put in by turns, each with the rest following as it depends on them (W. Deming, F. Stephan, Ann. Math.
    Stat. 11 (1940) 427, for normal distributions), until nothing moves.
    """
    names = found.statistics
    mean = outputs.mean(axis=0)
    apart = outputs - mean
    covariance = np.einsum("ij,ik->jk", apart, apart) / len(outputs)
    own_mean, own_sd = mean.copy(), np.sqrt(np.diag(covariance))
    wanted: list[tuple[list[int], FloatArray, FloatArray]] = []
    for level in found.levels:
        at = names.index(level.statistic)
        own_mean[at], own_sd[at] = level.mean, level.sd
        wanted.append(([at], np.array([level.mean]), np.array([[level.sd**2]])))
    for tie in found.ties:
        both = [names.index(tie.a), names.index(tie.b)]
        sd = own_sd[both]
        wanted.append((both, own_mean[both], np.outer(sd, sd) * np.array([[1.0, tie.rho], [tie.rho, 1.0]])))
    for _ in range(_ROUNDS):
        before = covariance
        for columns, block_mean, block in wanted:
            mean, covariance = _imposed(mean, covariance, columns, block_mean, block)
        if np.abs(covariance - before).max() <= _SETTLED * np.abs(covariance).max():
            break
    return Target(tuple(part.name for part in names), mean, 0.5 * (covariance + covariance.T))


def _imposed(
    mean: FloatArray, covariance: FloatArray, at: list[int], block_mean: FloatArray, block: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """A normal distribution with another marginal, and the same distribution of the rest given that."""
    slope = np.linalg.solve(covariance[np.ix_(at, at)], covariance[at]).T
    moved = mean + np.einsum("ij,j->i", slope, block_mean - mean[at])
    changed = covariance + np.einsum("ij,jk,lk->il", slope, block - covariance[np.ix_(at, at)], slope)
    return moved, changed
