"""What cannot be counted or measured: background, methods, conclusions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from simulate.evidence.items import Remark
from simulate.evidence.resampling import Trials
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the study was done; ``mean`` and ``n`` are a dose or a number of people, where there is one."""

    KIND: ClassVar[str] = "protocol"
    KEYS: ClassVar[tuple[str, ...]] = ("mean", "n")

    mean: float | None
    n: int | None

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        return cls(row.number("mean", None), row.integer("n", None, least=1))

    def remarks(self) -> Iterator[Remark]:
        return iter(())

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        """Nothing is learned from it: 0."""
        return np.zeros(seen.cohorts)

    @property
    def figures(self) -> tuple[str, ...]:
        return ()

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        """Nothing is printed."""
        return np.empty((seen.cohorts, trials.count, 0))

    def printed(self, numbers: Mapping[str, float]) -> None:
        """Nothing is printed."""

    def enlarged(self, factor: int) -> Self:
        return self

    def log_floor(self) -> float:
        return -math.inf


@dataclass(frozen=True, slots=True)
class Text(Protocol):
    """Background, aims and conclusions."""

    KIND: ClassVar[str] = "text"
    KEYS: ClassVar[tuple[str, ...]] = ()
