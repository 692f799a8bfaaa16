"""That something rose or fell, in some or in all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy.special import log_ndtr, ndtr

from simulate.errors import InputError
from simulate.evidence.items import Remark, Verdict
from simulate.evidence.kinds.counts import count_remark, log_binomial, mean_of
from simulate.evidence.resampling import Trials, chosen, of_chosen
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable

WAYS = {"up": 1.0, "down": -1.0}
"""Word of the file → sign."""

SENSES = ("count", "each", "mean", "significant")
"""What a direction may be said of: a count of patients, each of them, their mean, their mean with p below 0.05."""

_SIGNIFICANT = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Direction:
    """A change of ``n`` people in one direction.

    ``way``: ``up`` or ``down``. ``sense``: one of `SENSES`. ``count``: in how many of ``n``; None unless the sense is
    ``count``. ``partner``, ``partner_way``: quantity that moves in the same patients as well, and its direction; None
    if only one is meant.
    """

    KIND: ClassVar[str] = "direction"
    KEYS: ClassVar[tuple[str, ...]] = ("direction", "sense", "count", "n", "with", "with_direction")

    way: str
    n: int
    sense: str = "each"
    count: int | None = None
    partner: str | None = None
    partner_way: str | None = None

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        own = {*row}
        # A count of a reading's own is one, whatever its item says.
        is_counted = "count" in own and "sense" not in own
        sense = "count" if is_counted else row.choice("sense", SENSES, "count" if "count" in row else "")
        n = row.integer("n", least=1)
        # What is printed may leave open of whom, if readings say it.
        if not sense and ("reading" not in row or "share" in row):
            raise InputError(
                "a direction does not say of whom it is",
                code="evidence.sense",
                where=row.where("direction" if "direction" in own else "name"),
                found=f"n = {n}, and neither `count` nor `sense`",
                expected='`count`, of how many of the n; or `sense`: "each" if of all n, "mean" if of their mean, '
                '"significant" if of a mean with p below 0.05',
                advice="an item of which the source does not say it is `ambiguous`, with a [[item.reading]] for each "
                "way to read it",
            )
        if sense != "count" and {"count", "sense"} <= own:
            raise InputError(
                "a direction says of whom it is in two ways",
                code="evidence.sense",
                where=row.where("sense"),
                found=f'`count` and `sense = "{sense}"`',
                advice="leave one of them out",
            )
        partner = row.text("with", None)
        return cls(
            row.choice("direction", WAYS),
            n,
            sense or "each",
            row.integer("count", least=0) if sense == "count" else None,
            partner,
            None if partner is None else row.choice("with_direction", WAYS),
        )

    def remarks(self) -> Iterator[Remark]:
        if self.count is not None:
            yield count_remark(self.count, self.n)
            if self.count <= self.n:
                at_least = sum(math.comb(self.n, k) for k in range(self.count, self.n + 1)) / 2**self.n
                text = f"at least {self.count} of {self.n} has the probability {at_least:.3g} if nothing changes"
                yield "chance", Verdict.NOTE, text

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        weights, change, noise = seen.change(subject)
        change = WAYS[self.way] * change
        if self.sense in ("mean", "significant"):
            # The spread of one change: between patients, and that of its two readings.
            mean = (weights * change).sum(axis=-1)
            variance = (weights * (change - mean[:, np.newaxis]) ** 2).sum(axis=-1) + np.square(noise[:, 0])
            threshold = _SIGNIFICANT if self.sense == "significant" else 0.0
            result: FloatArray = log_ndtr(mean * np.sqrt(self.n / variance) - threshold)
            return result
        probability = ndtr(change / noise)
        if self.partner is not None and self.partner_way is not None:
            _, change_of_other, noise_of_other = seen.change(replace(subject, quantity=self.partner))
            probability = probability * ndtr(WAYS[self.partner_way] * change_of_other / noise_of_other)
        of_all = mean_of(weights, probability)
        return log_binomial(self.n if self.count is None else self.count, self.n, of_all)

    @property
    def figures(self) -> tuple[str, ...]:
        return ("mean change",) if self.sense in ("mean", "significant") else ("count",)

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        weights, change, noise = seen.change(subject)
        patients = chosen(weights, self.n, trials)
        read = of_chosen(change, patients) + noise[..., np.newaxis] * trials.normals("change", self.n)
        if self.sense in ("mean", "significant"):
            means: FloatArray = read.mean(axis=-1)[..., np.newaxis]
            return means
        moved = WAYS[self.way] * read > 0.0
        if self.partner is not None and self.partner_way is not None:
            _, other, noise = seen.change(replace(subject, quantity=self.partner))
            read = of_chosen(other, patients) + noise[..., np.newaxis] * trials.normals("change of the other", self.n)
            moved &= WAYS[self.partner_way] * read > 0.0
        counts: FloatArray = moved.sum(axis=-1)[..., np.newaxis].astype(np.float64)
        return counts

    def printed(self, numbers: Mapping[str, float]) -> Self:
        if "count" in numbers:
            return replace(self, sense="count", count=round(numbers["count"]))
        return replace(self, way="up" if numbers["mean change"] > 0.0 else "down")

    def enlarged(self, factor: int) -> Self:
        return replace(self, n=self.n * factor, count=None if self.count is None else self.count * factor)

    def log_floor(self) -> float:
        return -math.log(2.0) if self.count is None else -math.log(self.n + 1)
