"""A number of people of whom something is true."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from simulate.evidence.items import Remark, Verdict
from simulate.evidence.resampling import Trials, chosen, of_chosen
from simulate.evidence.rounding import prints_as
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import EVERYONE, TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable


@dataclass(frozen=True, slots=True)
class Count:
    """``count`` of ``n`` people, perhaps with the numbers in parts of them and the percentage that was printed."""

    KIND: ClassVar[str] = "count"
    KEYS: ClassVar[tuple[str, ...]] = ("count", "n", "parts", "percent")

    count: int
    n: int
    parts: tuple[int, ...] = ()
    percent: float | None = None

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        percent = row.number("percent", None, least=0.0, most=100.0)
        return cls(row.integer("count", least=0), row.integer("n", least=1), row.integers("parts"), percent)

    def remarks(self) -> Iterator[Remark]:
        yield count_remark(self.count, self.n)
        if self.parts:
            total = sum(self.parts)
            shown = " + ".join(str(part) for part in self.parts)
            if total == self.count:
                yield "sum", Verdict.AGREES, f"{shown} is {self.count}"
            else:
                yield "sum", Verdict.CONTRADICTS, f"{shown} is {total}, not {self.count}"
        if self.percent is not None:
            yield self._percentage(self.percent)

    def _percentage(self, percent: float) -> Remark:
        true = 100.0 * self.count / self.n
        if prints_as(true, percent):
            return "percentage", Verdict.AGREES, f"{self.count} of {self.n} is {percent:g} %"
        fitting = [count for count in range(self.n + 1) if prints_as(100.0 * count / self.n, percent)]
        which = f"{fitting[0]} of {self.n} would be" if fitting else f"no count of {self.n} is"
        text = f"{self.count} of {self.n} is {true:.4g} %, not {percent:g} %; {which}"
        return "percentage", Verdict.CONTRADICTS, text

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        probability = seen.event(subject)
        weights = seen.share(subject.group)
        if self._is_of_all(subject, seen) and seen.strata is not None:
            kinds, sizes = seen.strata
            parts = [mean_of(np.where(kinds == kind, weights, 0.0), probability) for kind in range(len(sizes))]
            return log_count_in_parts(self.count, np.stack(parts, axis=-1), sizes)
        return log_binomial(self.count, self.n, mean_of(weights, probability))

    @property
    def figures(self) -> tuple[str, ...]:
        return ("count",)

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        probability, weights = seen.event(subject), seen.share(subject.group)
        parts = [(weights, self.n)]
        if self._is_of_all(subject, seen) and seen.strata is not None:
            kinds, sizes = seen.strata
            parts = [(np.where(kinds == kind, weights, 0.0), size) for kind, size in enumerate(sizes)]
        total = np.zeros((seen.cohorts, trials.count))
        for kind, (shares, size) in enumerate(parts):
            of_patients = of_chosen(probability, chosen(shares, size, trials))
            total += (trials.uniforms(f"event {kind}", size) < of_patients).sum(axis=-1)
        return total[..., np.newaxis]

    def _is_of_all(self, subject: Subject, seen: TrialObservations) -> bool:
        """Whether the numbers of patients of each kind are those of the trial, and no accident."""
        return subject.group == EVERYONE and seen.strata is not None and sum(seen.strata[1]) == self.n

    def printed(self, numbers: Mapping[str, float]) -> Self:
        return replace(self, count=round(numbers["count"]))

    def enlarged(self, factor: int) -> Self:
        return replace(self, n=self.n * factor, count=self.count * factor)

    def log_floor(self) -> float:
        return -math.log(self.n + 1)


def count_remark(count: int, n: int) -> Remark:
    """Whether a count can be."""
    if count <= n:
        return "count", Verdict.AGREES, f"{count} of {n} is possible"
    return "count", Verdict.CONTRADICTS, f"{count} of {n} is more than all"


def mean_of(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Weighted mean over patients, shape [cohort]; weights need not add up to 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: FloatArray = (weights * values).sum(axis=-1) / weights.sum(axis=-1)
    return np.clip(mean, 0.0, 1.0)


def log_binomial(count: int, n: int, probability: FloatArray) -> FloatArray:
    """Logarithm of the probability of ``count`` of ``n``, shape of ``probability``; minus infinity if count > n."""
    if count > n:
        return np.full(np.shape(probability), -np.inf)
    ways = float(gammaln(n + 1) - gammaln(count + 1) - gammaln(n - count + 1))
    return ways + xlogy(count, probability) + xlog1py(n - count, -probability)


def log_count_in_parts(count: int, probabilities: FloatArray, sizes: Sequence[int]) -> FloatArray:
    """Logarithm of the probability of ``count`` in all, in a trial with fixed numbers of patients of each kind."""
    total = np.ones((len(probabilities), 1))
    for kind, size in enumerate(sizes):
        of_kind = np.exp(np.stack([log_binomial(k, size, probabilities[:, kind]) for k in range(size + 1)], axis=-1))
        summed = np.zeros((len(total), total.shape[1] + size))
        for k in range(size + 1):
            summed[:, k : k + total.shape[1]] += of_kind[:, k : k + 1] * total
        total = summed
    with np.errstate(divide="ignore"):
        return np.log(total[:, count]) if count < total.shape[1] else np.full(len(total), -np.inf)
