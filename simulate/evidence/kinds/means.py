"""A mean without a usable range, and values that reached the ceiling of an assay."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from simulate.evidence.items import Remark
from simulate.evidence.kinds.mean_range import log_broad
from simulate.evidence.order_statistics import log_mean
from simulate.evidence.resampling import Trials, readings_of_trials
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of ``n`` values."""

    KIND: ClassVar[str] = "mean"
    KEYS: ClassVar[tuple[str, ...]] = ("mean", "n")

    mean: float
    n: int

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        return cls(row.number("mean", above=0.0), row.integer("n", least=1))

    def remarks(self) -> Iterator[Remark]:
        return iter(())

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        factor = seen.scale(subject)
        return log_mean(seen.marginal(subject), self.n, self.mean * factor) + math.log(factor)

    @property
    def figures(self) -> tuple[str, ...]:
        return ("mean",)

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        values = readings_of_trials(seen.marginal(subject), self.n, trials)
        means: FloatArray = values.mean(axis=-1)[..., np.newaxis] / seen.scale(subject)
        return means

    def printed(self, numbers: Mapping[str, float]) -> Self:
        return replace(self, mean=numbers["mean"])

    def enlarged(self, factor: int) -> Self:
        return replace(self, n=self.n * factor)

    def log_floor(self) -> float:
        return log_broad(self.mean)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """All ``n`` values were at least ``ceiling``, the most that the assay could read."""

    KIND: ClassVar[str] = "ceiling"
    KEYS: ClassVar[tuple[str, ...]] = ("ceiling", "n")

    ceiling: float
    n: int

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        return cls(row.number("ceiling", above=0.0), row.integer("n", least=1))

    def remarks(self) -> Iterator[Remark]:
        return iter(())

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        # A probability among the densities of other readings of a mean: the mean of such an assay is its ceiling,
        # known to half a decade or so, which is the unit that a broad density has.
        probability = self.n * seen.marginal(subject).log_above(self.ceiling * seen.scale(subject))
        return probability + log_broad(self.ceiling)

    @property
    def figures(self) -> tuple[str, ...]:
        return ("least",)

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        values = readings_of_trials(seen.marginal(subject), self.n, trials)
        least: FloatArray = values.min(axis=-1)[..., np.newaxis] / seen.scale(subject)
        return least

    def printed(self, numbers: Mapping[str, float]) -> None:
        """No trial would print a least value."""

    def enlarged(self, factor: int) -> Self:
        return self

    def log_floor(self) -> float:
        return log_broad(self.ceiling)
