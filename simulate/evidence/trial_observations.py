"""What a trial would observe of virtual patients: levels at visits, dropout, response, and errors of reading.

Thousands of cohorts are one value: arrays have the shape [cohort, patient]. A cohort stands for a population (one set
of parameters of a fit), from which the few patients of the trial were drawn; the number of its virtual patients decides
only how exactly that population is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError, did_you_mean, listed, not_among
from simulate.evidence.marginals import Marginal
from simulate.evidence.subject import Subject
from simulate.streams import FloatArray
from simulate.symbolic.units import Unit, convert

EVERYONE = "all"
"""Group of all patients."""

Key = tuple[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class TrialObservations:
    """Observations that a trial would make of virtual patients."""

    weights: FloatArray  #: Shares of the virtual patients in their cohort, shape [cohort, patient]; rows add up to 1
    #: (quantity, day) → value without noise, above 0, shape [cohort, patient]. NaN for a patient who failed, and who
    #: then has no weight.
    levels: Mapping[Key, FloatArray]
    units: Mapping[str, Unit]  #: Units of the levels by quantity
    #: Standard deviation of the logarithm of a reading around the level: assay and whatever varies within a patient
    #: from one day to the next. By quantity, or by (quantity, day) where a visit has its own; of shape [cohort, 1]
    #: where cohorts are read unlike.
    noise: Mapping[str | Key, float | FloatArray]
    #: Detection limits by quantity, in its unit; none where a quantity is absent.
    limits: Mapping[str, float] = field(default_factory=dict)
    #: What stands for an undetectable value in a printed mean, as a share of the limit, by quantity; 1 if absent.
    substitutes: Mapping[str, float] = field(default_factory=dict)
    #: Name of a part of the patients → probability of belonging to it, shape [cohort, patient].
    groups: Mapping[str, FloatArray] = field(default_factory=dict)
    #: Day → probability of still being seen then, shape [cohort, patient]; a day that is absent is one on which all
    #: are.
    present: Mapping[float, FloatArray] = field(default_factory=dict)
    #: (quantity, day) → probability of what is counted, such as a response, shape [cohort, patient].
    events: Mapping[Key, FloatArray] = field(default_factory=dict)
    #: Number of each patient's kind, shape [patient], and how many patients of each kind the trial had; None if
    #: patients are of one kind.
    strata: tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[int, ...]] | None = None
    #: What is seen of each arm by its name, where there are several; the rest is then of the first of them.
    arms: Mapping[str, TrialObservations] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.weights.shape
        for kind in (self.levels, self.groups, self.present, self.events):
            for name, values in kind.items():
                if values.shape != shape:
                    raise InputError(
                        f"`{name}` has not one value for each virtual patient",
                        code="evidence.shape",
                        found=str(values.shape),
                        expected=str(shape),
                    )
        for name, spread in self.noise.items():
            if not np.all((np.asarray(spread) > 0.0) & (np.asarray(spread) < np.inf)):
                raise InputError(
                    f"the noise of `{name}` is not above 0",
                    code="evidence.noise",
                    found=f"{spread!r}",
                    expected="a standard deviation of the logarithm, such as 0.15",
                    advice="a reading without noise has no density where two patients differ",
                )

    @property
    def cohorts(self) -> int:
        return len(self.weights)

    def part(self, first: int, last: int) -> TrialObservations:
        """The cohorts from ``first`` up to, and without, ``last``."""
        return self.rows(slice(first, last))

    def rows(self, chosen: slice | npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> TrialObservations:
        return replace(
            self,
            weights=self.weights[chosen],
            levels={key: values[chosen] for key, values in self.levels.items()},
            noise={
                key: spread[chosen] if isinstance(spread, np.ndarray) else spread for key, spread in self.noise.items()
            },
            groups={name: values[chosen] for name, values in self.groups.items()},
            present={day: values[chosen] for day, values in self.present.items()},
            events={key: values[chosen] for key, values in self.events.items()},
            arms={name: arm.rows(chosen) for name, arm in self.arms.items()},
        )

    def of_arm(self, name: str | None) -> TrialObservations:
        """Observations of an arm; of the first if none is named, and of the only one whatever its name."""
        if name is None or not self.arms:
            return self
        if name not in self.arms:
            raise not_among(f"there is no arm `{name}`", name, self.arms, code="evidence.arm")
        return self.arms[name]

    def scale(self, subject: Subject) -> float:
        """Factor from the unit of a subject to that of its quantity here."""
        return convert(1.0, subject.unit, self.units[self.known(subject.quantity)])

    def known(self, quantity: str) -> str:
        if quantity not in self.units:
            raise not_among(
                f"nothing is seen of the quantity `{quantity}`", quantity, self.units, code="evidence.quantity"
            )
        return quantity

    def logarithm(self, quantity: str, day: float) -> FloatArray:
        """Logarithm of the levels of a quantity at a visit, shape [cohort, patient]."""
        self.known(quantity)
        if (quantity, day) not in self.levels:
            days = [f"{seen:g}" for name, seen in self.levels if name == quantity]
            raise InputError(
                f"`{quantity}` is not seen on day {day:g}",
                code="evidence.visit",
                expected=f"one of the days {', '.join(days)}",
            )
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(self.levels[quantity, day])

    def share(self, group: str, *days: float) -> FloatArray:
        """Weights of those who belong to a group and are seen on all of some days, shape [cohort, patient].

        They do not add up to 1.
        """
        if group != EVERYONE and group not in self.groups:
            raise InputError(
                f"there is no group `{group}` of patients",
                code="evidence.group",
                expected=listed((EVERYONE, *self.groups)),
                advice=did_you_mean(group, self.groups),
            )
        weights = self.weights if group == EVERYONE else self.weights * self.groups[group]
        # Who is seen on the last day was seen on those before.
        last = max(days, default=0.0)
        return weights * self.present[last] if last in self.present else weights

    def spread(self, quantity: str, day: float) -> FloatArray:
        """Standard deviation of the logarithm of a reading at a visit, shape [cohort, 1]."""
        for key in ((quantity, day), quantity):
            if key in self.noise:
                return np.broadcast_to(np.asarray(self.noise[key], dtype=np.float64), (self.cohorts, 1))
        raise InputError(
            f"nothing says how well `{quantity}` is read",
            code="evidence.noise",
            expected="a standard deviation of the logarithm for each quantity",
        )

    def lost(self) -> FloatArray:
        """Largest share of a cohort, over quantities, visits and arms, that has no level, shape [cohort]."""
        largest = np.zeros(self.cohorts)
        for values in self.levels.values():
            # A level that is not above 0 has no logarithm, and is lost as one that failed.
            is_level = np.isfinite(values) & (values > 0.0)
            largest = np.maximum(largest, np.where(is_level, 0.0, self.weights).sum(axis=-1))
        for arm in self.arms.values():
            largest = np.maximum(largest, arm.lost())
        return largest

    def marginal(self, subject: Subject) -> Marginal:
        """Distribution of a reading of the subject in one patient; the visits of a subject with several are pooled."""
        name = subject.quantity
        parts = [
            Marginal.of(self.share(subject.group, day), self.logarithm(name, day), self.spread(name, day))
            for day in subject.days
        ]
        return parts[0] if len(parts) == 1 else Marginal.pooled(*parts)

    def change(self, subject: Subject) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Change of the logarithm in each patient between two visits.

        Weights that add up to 1, change without noise (shape [cohort, patient] both), and the standard deviation of the
        noise of a change (shape [cohort, 1]). A patient who failed has no weight and no change.
        """
        since, day = subject.before, subject.days[-1]
        change = self.logarithm(subject.quantity, day) - self.logarithm(subject.quantity, since)
        weights = np.where(np.isfinite(change), self.share(subject.group, since, day), 0.0)
        total = weights.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = weights / total
        noise = np.hypot(self.spread(subject.quantity, since), self.spread(subject.quantity, day))
        return weights, np.where(np.isfinite(change), change, 0.0), noise

    def event(self, subject: Subject) -> FloatArray:
        """Probability of what is counted, shape [cohort, patient]."""
        key = (subject.quantity, subject.days[-1])
        if key not in self.events:
            raise InputError(
                f"nothing says how likely `{subject.quantity}` is on day {key[1]:g}",
                code="evidence.quantity",
                expected=", ".join(f"`{name}` on day {day:g}" for name, day in self.events) or None,
            )
        return self.events[key]
