"""A mean with the least and the greatest value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from simulate.errors import InputError
from simulate.evidence.items import Remark, Verdict
from simulate.evidence.order_statistics import log_censored_mean_range, log_mean_range
from simulate.evidence.resampling import Trials, readings_of_trials
from simulate.evidence.rounding import half_step, prints_as
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable

BROAD = 2.0
"""Standard deviation of the logarithm of a level of which no model knows anything."""


@dataclass(frozen=True, slots=True)
class MeanRange:
    """A mean with the least and the greatest of ``n`` values, as printed.

    ``step`` is the smallest difference of two single values, if they are whole numbers or the like.
    """

    KIND: ClassVar[str] = "mean_range"
    KEYS: ClassVar[tuple[str, ...]] = ("mean", "low", "high", "n", "step")

    mean: float
    low: float
    high: float
    n: int | None
    step: float | None = None

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        return cls(
            row.number("mean", above=0.0),
            row.number("low", above=0.0),
            row.number("high", above=0.0),
            row.integer("n", None, least=2),
            row.number("step", None, above=0.0),
        )

    def remarks(self) -> Iterator[Remark]:
        low, high = sorted((self.low, self.high))
        if self.low > self.high:
            yield "range", Verdict.CONTRADICTS, f"the range {self.low:g} to {self.high:g} is upside down"
        else:
            yield "range", Verdict.AGREES, f"the range {low:g} to {high:g} is in order"
        slack = half_step(self.mean)
        if not low - half_step(low) - slack <= self.mean <= high + half_step(high) + slack:
            yield "mean", Verdict.CONTRADICTS, f"the mean {self.mean:g} is outside {low:g} to {high:g}"
        if self.n is not None:
            yield self._attainable(self.n, low, high)
            if self.step is not None:
                yield self._on_grid(self.n, self.step)

    def _attainable(self, n: int, low: float, high: float) -> Remark:
        # One value is the least and one the greatest: the mean is extreme when all others are at one of the ends.
        least, most = ((n - 1) * low + high) / n, (low + (n - 1) * high) / n
        slack = half_step(self.mean) + max(half_step(low), half_step(high))
        limits = f"{least:.6g} to {most:.6g}"
        if least - slack <= self.mean <= most + slack:
            return (
                "attainable mean",
                Verdict.AGREES,
                f"{n} values from {low:g} to {high:g} can have a mean of {limits}; {self.mean:g} is one",
            )
        return (
            "attainable mean",
            Verdict.CONTRADICTS,
            f"{n} values from {low:g} to {high:g} can have a mean of {limits}, and not {self.mean:g}",
        )

    def _on_grid(self, n: int, step: float) -> Remark:
        units = self.mean * n / step
        nearest = (math.floor(units) * step / n, math.ceil(units) * step / n)
        if any(prints_as(value, self.mean) for value in nearest):
            return "mean of whole steps", Verdict.AGREES, f"{n} values in steps of {step:g} can have this mean"
        return (
            "mean of whole steps",
            Verdict.CONTRADICTS,
            f"{n} values in steps of {step:g} have a mean of {nearest[0]:.6g} or {nearest[1]:.6g}, never {self.mean:g}",
        )

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        if self.n is None:
            raise _no_number(subject)
        factor = seen.scale(subject)
        low, high, mean = self.low * factor, self.high * factor, self.mean * factor
        # Three densities, each in the printed unit.
        units = 3.0 * math.log(factor)
        limit = seen.limits.get(subject.quantity, 0.0)
        marginal = seen.marginal(subject)
        if low <= limit:
            # Only two numbers have a density; the third is what stands for an undetectable value.
            substitute = limit * seen.substitutes.get(subject.quantity, 1.0)
            return (
                log_censored_mean_range(marginal, self.n, limit, high, mean, substitute=substitute) + units * 2.0 / 3.0
            )
        return log_mean_range(marginal, self.n, low, high, mean) + units

    @property
    def figures(self) -> tuple[str, ...]:
        return "mean", "low", "high"

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        if self.n is None:
            raise _no_number(subject)
        limit = seen.limits.get(subject.quantity, 0.0)
        values = readings_of_trials(seen.marginal(subject), self.n, trials)
        counted = np.where(values > limit, values, limit * seen.substitutes.get(subject.quantity, 1.0))
        least = np.maximum(values.min(axis=-1), limit)
        return np.stack([counted.mean(axis=-1), least, values.max(axis=-1)], axis=-1) / seen.scale(subject)

    def printed(self, numbers: Mapping[str, float]) -> Self:
        return replace(self, mean=numbers["mean"], low=numbers["low"], high=numbers["high"])

    def enlarged(self, factor: int) -> Self:
        return self if self.n is None else replace(self, n=self.n * factor)

    def log_floor(self) -> float:
        return sum(log_broad(value) for value in (self.mean, self.low, self.high))


def _no_number(subject: Subject) -> InputError:
    return InputError(
        f"a mean and range of `{subject.quantity}` without a number of people has no likelihood",
        code="evidence.n",
        advice="give `n`, or use it as a prior",
    )


def log_broad(value: float) -> float:
    """Logarithm of the density of a log-normal distribution around a value, broad enough to know nothing."""
    return -math.log(value) - math.log(BROAD) - 0.5 * math.log(2.0 * math.pi)
