"""A correlation coefficient, perhaps with its p-value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from simulate.errors import InputError
from simulate.evidence.correlations import log_probability, p_value, smallest_with, spearman_exact
from simulate.evidence.items import Remark, Verdict
from simulate.evidence.resampling import FIXED, Trials, chosen, correlation, log_share_between, of_chosen
from simulate.evidence.rounding import half_step, prints_as, rounding
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.toml import TomlTable

SCALES = ("log", "absolute", "percent")
"""Ways to take a change: difference of logarithms, difference, or difference in percent of the first value."""

SENSES = {"increase": 1.0, "decrease": -1.0}
"""What counts as a positive change → its sign."""

_EXACT_UP_TO = 8


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation between the baseline level of the subject and the change of another quantity.

    ``r``, ``p``, ``n``: coefficient, its p-value and the number of pairs as printed; None where not printed.
    ``partner``: quantity that changes, from the baseline to the visit of the subject. ``scale``, ``change``: how the
    change is taken, one of `SCALES`, and of which sign a positive one is, one of `SENSES`.
    """

    KIND: ClassVar[str] = "correlation"
    KEYS: ClassVar[tuple[str, ...]] = ("r", "p", "n", "with", "scale", "change")
    TAKEN: ClassVar[Mapping[str, str]] = {
        "scale": "`scale` is not given: changes of the logarithm are taken",
        "change": "`change` is not given: an increase is taken to be positive",
    }

    r: float
    p: float | None
    n: int | None
    partner: str
    scale: str = "log"
    change: str = "increase"

    @classmethod
    def read(cls, row: TomlTable) -> Self:
        return cls(
            row.number("r", least=-1.0, most=1.0),
            row.number("p", None, least=0.0, most=1.0),
            row.integer("n", None, least=4),
            row.text("with"),
            row.choice("scale", SCALES, "log"),
            row.choice("change", SENSES, "increase"),
        )

    @property
    def limits(self) -> tuple[float, float]:
        """Coefficients that are printed so."""
        low, high = rounding(self.r)
        return max(low, -1.0), min(high, 1.0)

    def remarks(self) -> Iterator[Remark]:
        if self.p is None:
            return
        numbers = range(4, 31) if self.n is None else (self.n,)
        fitting = [n for n in numbers if self._attains(n, self.p)]
        if self.n is None:
            shown = ", ".join(str(n) for n in fitting) or "no number up to 30"
            yield "r, n and p", Verdict.NOTE, f"R = {self.r:g} and p = {self.p:g} go together at n of {shown}"
            return
        size, at = abs(self.r), p_value(self.r, self.n)
        asymptotic = f"R = {self.r:g} at n = {self.n} gives p = {at:.2g}, {0.5 * at:.2g} one-sided"
        if prints_as(at, self.p):
            yield "r, n and p", Verdict.AGREES, asymptotic
        elif fitting:
            step = half_step(self.p)
            least = max(smallest_with(self.p + step, self.n), size - half_step(self.r))
            most = min(smallest_with(max(self.p - step, 1e-12), self.n), size + half_step(self.r))
            text = f"{asymptotic}, not {self.p:g}: they agree by rounding alone, if |R| is {least:.3f} to {most:.3f}"
            yield "r, n and p", Verdict.NOTE, text
        else:
            elsewhere = [n for n in range(4, 31) if self._attains(n, self.p)]
            other = ", ".join(str(n) for n in elsewhere) or "no number up to 30"
            text = f"{asymptotic}, and not {self.p:g} whatever was rounded; n of {other} would do"
            yield "r, n and p", Verdict.CONTRADICTS, text
        if self.n <= _EXACT_UP_TO:
            yield self._by_ranks(self.n, self.p)

    def _attains(self, n: int, p: float) -> bool:
        """Whether a coefficient that is printed so can have a p-value that is printed so."""
        inner, outer = sorted(abs(edge) for edge in self.limits)
        inner = 0.0 if self.limits[0] < 0.0 < self.limits[1] else inner
        return p_value(outer, n) <= p + half_step(p) and p_value(inner, n) >= p - half_step(p)

    def _by_ranks(self, n: int, p: float) -> Remark:
        coefficients, chances = spearman_exact(n)
        least, most = rounding(abs(self.r))
        printed = (coefficients >= least) & (coefficients <= most)
        values = sorted({float(f"{chance:.2g}") for chance in chances[printed]})
        shown = " or ".join(f"{value:g}" for value in values) or "nothing"
        if any(prints_as(chance, p) for chance in chances[printed]):
            return "rank correlation", Verdict.AGREES, f"Spearman's R of this size at n = {n} has an exact p of {shown}"
        return (
            "rank correlation",
            Verdict.NOTE,
            f"Spearman's R of this size at n = {n} has an exact p of {shown}: the coefficient is hardly his",
        )

    def log_likelihood(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        n = self._pairs()
        sign = SENSES[self.change]
        low, high = self.limits if sign > 0.0 else (-self.limits[1], -self.limits[0])
        if self.scale == "log":
            return log_probability(low, high, self.population(subject, seen), n)
        return log_share_between(
            np.arctanh(np.clip(self._trials(subject, seen, n, FIXED), -0.9999, 0.9999)), _z(low), _z(high)
        )

    def population(self, subject: Subject, seen: TrialObservations) -> FloatArray:
        """Correlation of what is read, in all of a population, with the change of the logarithm; shape [cohort]."""
        weights, change, noise = seen.change(replace(subject, quantity=self.partner, since=subject.before))
        spread = seen.spread(subject.quantity, subject.before)
        level = np.exp(seen.logarithm(subject.quantity, subject.before))
        usable = np.isfinite(level) & (weights > 0.0)
        weights = np.where(usable, weights, 0.0)
        weights = weights / weights.sum(axis=-1, keepdims=True)
        level = np.where(usable, level, 1.0)
        # A reading is the level times a log-normal factor: its mean and its mean square, given the patient.
        level_mean = level * np.exp(0.5 * spread * spread)
        level_square = (weights * level * level).sum(axis=-1) * np.exp(2.0 * np.square(spread[:, 0]))
        mean_x, mean_y = (weights * level_mean).sum(axis=-1), (weights * change).sum(axis=-1)
        covariance = (weights * level_mean * change).sum(axis=-1) - mean_x * mean_y
        variance_x = level_square - mean_x * mean_x
        variance_y = (weights * change * change).sum(axis=-1) - mean_y * mean_y + np.square(noise[:, 0])
        correlations: FloatArray = np.clip(covariance / np.sqrt(variance_x * variance_y), -1.0, 1.0)
        return correlations

    def _trials(self, subject: Subject, seen: TrialObservations, n: int, trials: Trials) -> FloatArray:
        """Coefficients in simulated trials, shape [cohort, trial]."""
        since, day = subject.before, subject.days[-1]
        logs = [
            seen.logarithm(subject.quantity, since),
            seen.logarithm(self.partner, since),
            seen.logarithm(self.partner, day),
        ]
        usable = np.isfinite(logs[0]) & np.isfinite(logs[1]) & np.isfinite(logs[2])
        patients = chosen(np.where(usable, seen.share(subject.group, since, day), 0.0), n, trials)
        noises = [
            seen.spread(subject.quantity, since),
            seen.spread(self.partner, since),
            seen.spread(self.partner, day),
        ]
        x, before, after = (
            of_chosen(np.exp(np.nan_to_num(log)), patients)
            * np.exp(noise[..., np.newaxis] * trials.normals(f"correlation {index}", n))
            for index, (log, noise) in enumerate(zip(logs, noises, strict=True))
        )
        if self.scale == "log":
            return correlation(x, np.log(after / before))
        return correlation(x, after - before if self.scale == "absolute" else after / before)

    @property
    def figures(self) -> tuple[str, ...]:
        return ("r",)

    def imitate(self, subject: Subject, seen: TrialObservations, trials: Trials) -> FloatArray:
        coefficients = self._trials(subject, seen, self._pairs(), trials)
        return SENSES[self.change] * coefficients[..., np.newaxis]

    def _pairs(self) -> int:
        if self.n is None:
            raise InputError(
                f"R = {self.r:g} without a number of pairs has no likelihood", code="evidence.n", advice="give `n`"
            )
        return self.n

    def printed(self, numbers: Mapping[str, float]) -> Self:
        return replace(self, r=round(numbers["r"], 2), p=None)

    def enlarged(self, factor: int) -> Self:
        return self if self.n is None else replace(self, n=self.n * factor)

    def log_floor(self) -> float:
        low, high = self.limits
        return float(np.log(0.5 * (high - low)))


def _z(edge: float) -> float:
    # Clipped as the coefficients are, but farther out: the last interval reaches to 1.
    return math.atanh(min(max(edge, -1.0 + 1e-12), 1.0 - 1e-12))
