"""The p-value of a test for a change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit, xlogy

from simulate.evidence.items import Remark, Verdict
from simulate.evidence.kinds.counts import mean_of
from simulate.evidence.kinds.directions import WAYS
from simulate.evidence.resampling import FIXED, Trials, chosen, log_share_between, of_chosen, rank_sum_of_falls
from simulate.evidence.rounding import half_step
from simulate.evidence.signed_rank import SignedRank, p_value, sums_that_print
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable

T_TEST = "paired t"
TESTS = (*(way.value for way in SignedRank), T_TEST)
"""Tests that a p-value may be of: the signed-rank test in three ways, and the t test of differences."""


@dataclass(frozen=True, slots=True)
class PValue:
    """Two-sided p-value of a change of ``n`` people in a direction; ``test`` is one of `TESTS`."""

    KIND: ClassVar[str] = "p_value"
    KEYS: ClassVar[tuple[str, ...]] = ("p", "direction", "n", "test")
    TAKEN: ClassVar[Mapping[str, str]] = {"test": "`test` is not given: the asymptotic signed-rank test is taken"}

    p: float
    way: str
    n: int
    test: str = SignedRank.ASYMPTOTIC.value

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        return cls(
            row.number("p", least=0.0, most=1.0),
            row.choice("direction", WAYS),
            row.integer("n", least=2),
            row.choice("test", TESTS, SignedRank.ASYMPTOTIC.value),
        )

    def remarks(self) -> Iterator[Remark]:
        sums = {way: sums_that_print(self.p, self.n, way) for way in SignedRank}
        for way in (way for way in SignedRank if sums[way]):
            yield "signed ranks", *self._outcome(sums[way], f"the signed-rank test ({way.value})")
        missing = [way.value for way in SignedRank if not sums[way]]
        if missing:
            names = " and ".join(missing)
            text = f"the signed-rank test ({names}) cannot give p = {self.p:g} at n = {self.n}"
            is_no_way_left = len(missing) == len(SignedRank)
            yield "signed ranks", Verdict.NOTE, text + (": it was another test, or another n" if is_no_way_left else "")
        low, high = self._t_limits()
        text = f"p = {self.p:g} at n = {self.n} in a t test of differences is a t of {low:.2f} to {high:.2f}"
        yield "paired t", Verdict.NOTE, text

    def _outcome(self, sums: tuple[int, ...], test: str) -> tuple[Verdict, str]:
        moved, other = ("rose", "fell") if self.way == "up" else ("fell", "rose")
        start = f"by {test}, p = {self.p:g} at n = {self.n} means "
        if sums == (0,):
            return Verdict.NOTE, start + f"that all {self.n} of {self.n} {moved}"
        most = max(ranks_below(total) for total in sums)
        shown = str(sums[0]) if len(sums) == 1 else f"{sums[0]} to {sums[-1]}"
        return Verdict.NOTE, start + f"that the ranks of those who {other} add up to {shown}: at most {most} of them"

    def _t_limits(self) -> tuple[float, float]:
        step = half_step(self.p)
        least, most = self.p - step, min(self.p + step, 1.0)
        low = float(-stdtrit(self.n - 1, 0.5 * most))
        return low, float(-stdtrit(self.n - 1, 0.5 * least)) if least > 0.0 else math.inf

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        if self.test == T_TEST:
            low, high = self._t_limits()
            return log_share_between(self._t_values(subject, seen, FIXED), low, high)
        sums = sums_that_print(self.p, self.n, SignedRank(self.test))
        if sums == (0,):
            # All moved the same way: no ranks are needed, and patients are independent.
            weights, change, noise = seen.change(subject)
            return xlogy(self.n, mean_of(weights, ndtr(WAYS[self.way] * change / noise)))
        if not sums:
            return np.full(seen.cohorts, -np.inf)
        falls = rank_sum_of_falls(self._log_changes(subject, seen, FIXED))
        share = np.isin(falls, sums).mean(axis=-1)
        # Half a trial more than was seen: no number of trials shows that something is impossible.
        trials = falls.shape[-1]
        result: FloatArray = np.log((share * trials + 0.5) / (trials + 1.0))
        return result

    def _log_changes(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        """Changes of the logarithm in simulated trials, positive in the printed direction."""
        weights, change, noise = seen.change(subject)
        patients = chosen(weights, self.n, trials)
        return WAYS[self.way] * (
            of_chosen(change, patients) + noise[..., np.newaxis] * trials.normals("change", self.n)
        )

    def _t_values(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        """Values of t of the differences in simulated trials, shape [cohort, trial]."""
        weights, _, _ = seen.change(subject)
        patients = chosen(weights, self.n, trials)
        before, after = (
            of_chosen(np.exp(np.nan_to_num(seen.logarithm(subject.quantity, day))), patients)
            * np.exp(
                seen.spread(subject.quantity, day)[..., np.newaxis] * trials.normals(f"difference {index}", self.n)
            )
            for index, day in enumerate((subject.before, subject.days[-1]))
        )
        difference = WAYS[self.way] * (after - before)
        spread = difference.std(axis=-1, ddof=1)
        values: FloatArray = difference.mean(axis=-1) / np.maximum(spread, 1e-300) * math.sqrt(self.n)
        return np.clip(values, -1e6, 1e6)

    @property
    def figures(self) -> tuple[str, ...]:
        return ("p",)

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        """Two-sided p-values, whatever the direction; the tests of the direction are `Direction`'s."""
        if self.test == T_TEST:
            values = self._t_values(subject, seen, trials)
            return 2.0 * stdtr(self.n - 1, -np.abs(values))[..., np.newaxis]
        falls = rank_sum_of_falls(self._log_changes(subject, seen, trials))
        total = self.n * (self.n + 1) // 2
        way = SignedRank(self.test)
        chances = np.array([p_value(min(fallen, total - fallen), self.n, way) for fallen in range(total + 1)])
        return chances[falls.astype(np.int64)][..., np.newaxis]

    def printed(self, numbers: Mapping[str, float]) -> Self:
        return replace(self, p=float(f"{numbers['p']:.1g}"))

    def enlarged(self, factor: int) -> Self:
        return self

    def log_floor(self) -> float:
        return math.log(2.0 * half_step(self.p))


def ranks_below(total: int) -> int:
    """Largest number of different ranks, from 1 on, whose sum is at most a total."""
    count = 0
    while (count + 1) * (count + 2) // 2 <= total:
        count += 1
    return count
