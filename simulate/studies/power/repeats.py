"""Many studies of one design, drawn from patients that were simulated once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulate.evidence.resampling import binomial_interval, correlation
from simulate.evidence.signed_rank import SignedRank
from simulate.evidence.significance import fisher, paired_t, pearson, rank_sum, signed_rank, spearman, welch
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray, IntArray, stream
from simulate.studies.power.designs import Sizes, StudyDesign
from simulate.trials.design import Outcome, TrialDesign

LEVEL = 0.95
RESAMPLES = 400

Interval = tuple[float, float]

NO_CHANGE = 0.005
"""Change of a logarithm, or difference of changes or of shares, below which a population counts as without an effect.

The simulation is not more exact."""

NO_CORRELATION = 0.02

LOGARITHM = "change of the logarithm"
"""Scale of changes, and of their differences between arms."""

SHARE = "share"
"""Scale of differences of shares."""


Effect = tuple[str, tuple[str, ...]]
"""Name of what a study asks, and the tests by which it judges that."""

OF_CHANGES = ("signed rank", "signed rank, exact", "t")
OF_CORRELATIONS = ("Pearson", "Spearman")
OF_DIFFERENCES = ("rank sum", "t (Welch)")
OF_SHARES = ("Fisher",)


def effects_of(design: StudyDesign) -> tuple[Effect, ...]:
    """Effects that studies of a design estimate, in the order of `repeated`, before anything is simulated."""
    trial = design.trial
    if design.controls:
        own: list[Effect] = [(_named(trial, asked, "difference"), OF_DIFFERENCES) for asked in trial.changes]
        own += [] if trial.response is None else [("response-difference", OF_SHARES)]
    else:
        own = [
            (_named(trial, asked, "change"), OF_CHANGES)
            if asked.partner is None
            else (trial.name_of(asked), OF_CORRELATIONS)
            for asked in trial.outcomes
        ]
    if not design.others:
        return tuple(own)
    return tuple((f"{name}: {arm.name}", tests) for arm in design.treated for name, tests in own)


def _named(trial: TrialDesign, asked: Outcome, what: str) -> str:
    """Name of an effect: of its outcome, what is made of it, and the visits if they tell it from another."""
    quantity, at, visits = trial.name_of(asked).partition("@")
    return f"{quantity}-{what}{at}{visits}"


@dataclass(frozen=True, slots=True, eq=False)
class TrialOutcome:
    """One effect in many studies."""

    #: Key, words, and what the effect is measured in.
    name: str
    title: str
    scale: str
    n: int  #: Patients of a study whom it is seen in, of both arms where there are two
    truth: FloatArray  #: The effect in the population, without noise, shape [population]
    least: float  #: Size of the truth below which a population has no effect
    estimates: FloatArray  #: What each study estimates, shape [population, study]
    p_values: Mapping[str, FloatArray]  #: By the name of the test, each of the same shape


@dataclass(frozen=True, slots=True, eq=False)
class _Arm:
    """Patients of many studies in one arm; `picks` has the shape [population, study, patient of the study]."""

    role: str
    seen: TrialObservations
    sizes: Sizes
    picks: IntArray
    seed: int

    def logs(self, quantity: str, day: float, n: int) -> FloatArray:
        """Logarithms of readings of the first n patients of each study, not below the limit of detection."""
        levels = self.seen.logarithm(quantity, day)
        found = np.empty((*self.picks.shape[:2], n))
        for population, picked in enumerate(self.picks[:, :, :n]):
            random = stream(self.seed, f"trial: {self.role}: {quantity} {day:g}", population)
            noise = self.seen.spread(quantity, day)[population] * random.standard_normal(self.picks.shape[1:])[:, :n]
            found[population] = levels[population][picked] + noise
        limit = self.seen.limits.get(quantity)
        return found if limit is None else np.maximum(found, math.log(limit))

    def change(self, quantity: str, asked: Outcome, n: int) -> FloatArray:
        """Change of the logarithm in each of the first n patients, between the visits of an outcome."""
        return self.logs(quantity, asked.last, n) - self.logs(quantity, asked.first, n)

    def true_change(self, quantity: str, asked: Outcome) -> FloatArray:
        """Change of the logarithm in every patient, without noise, shape [population, patient]."""
        return self.seen.logarithm(quantity, asked.last) - self.seen.logarithm(quantity, asked.first)

    def events(self) -> FloatArray:
        """Number of responders of each study."""
        found = np.empty(self.picks.shape[:2])
        for population, picked in enumerate(self.picks):
            chance = stream(self.seed, f"trial: {self.role}: response", population).random(picked.shape)
            found[population] = (chance < self.seen.groups["responders"][population][picked]).sum(axis=-1)
        return found


def repeated(
    design: StudyDesign,
    seen: Sequence[TrialObservations],
    controls: TrialObservations | None,
    *,
    studies: int,
    seed: int,
) -> tuple[TrialOutcome, ...]:
    """Outcomes of so many studies of each population, of which is seen each treated arm, and the controls."""
    other = None
    if controls is not None:
        other = _arm("control", controls, design.sizes(design.controls), studies, seed)
    found: list[TrialOutcome] = []
    for index, (part, treated) in enumerate(zip(seen, design.treated, strict=True)):
        arm = _arm(f"treated {index}" if index else "treated", part, design.sizes(treated.n), studies, seed)
        if other is None:
            own = [
                _changed(arm, asked, design.trial)
                if asked.partner is None
                else _tied(arm, asked, asked.partner, design.trial)
                for asked in design.trial.outcomes
            ]
        else:
            own = [_different(arm, other, asked, design.trial) for asked in design.trial.changes]
            own += [] if design.trial.response is None else [_responded(arm, other)]
        if design.others:
            name = treated.name
            own = [replace(one, name=f"{one.name}: {name}", title=f"{name}: {one.title}") for one in own]
        found += own
    return tuple(found)


def _changed(arm: _Arm, asked: Outcome, trial: TrialDesign) -> TrialOutcome:
    quantity, name, title = asked.quantity, _named(trial, asked, "change"), f"change of {trial.title_of(asked)}"
    n = arm.sizes.both[quantity]
    change = arm.change(quantity, asked, n)
    p_values = (signed_rank(change), signed_rank(change, SignedRank.EXACT), paired_t(change))
    tests = dict(zip(OF_CHANGES, p_values, strict=True))
    scale = LOGARITHM
    truth = _mean(arm.seen.weights, arm.true_change(quantity, asked))
    return TrialOutcome(name, title, scale, n, truth, NO_CHANGE, change.mean(-1), tests)


def _tied(arm: _Arm, asked: Outcome, partner: str, trial: TrialDesign) -> TrialOutcome:
    """Correlation of a level at the first visit with the fall of another quantity, in patients with both."""
    n = min(arm.sizes.first[asked.quantity], arm.sizes.both[partner])
    level, fall = arm.logs(asked.quantity, asked.first, n), -arm.change(partner, asked, n)
    true_fall = -arm.true_change(partner, asked)
    truth = _correlation(arm.seen.weights, arm.seen.logarithm(asked.quantity, asked.first), true_fall)
    tests = dict(zip(OF_CORRELATIONS, (pearson(level, fall), spearman(level, fall)), strict=True))
    title = f"correlation of {trial.title_of(asked)} with the fall of {asked.partner_title}"
    return TrialOutcome(trial.name_of(asked), title, "R", n, truth, NO_CORRELATION, correlation(level, fall), tests)


def _different(arm: _Arm, other: _Arm, asked: Outcome, trial: TrialDesign) -> TrialOutcome:
    quantity = asked.quantity
    n, m = arm.sizes.both[quantity], other.sizes.both[quantity]
    first, second = arm.change(quantity, asked, n), other.change(quantity, asked, m)
    tests = dict(zip(OF_DIFFERENCES, (rank_sum(first, second), welch(first, second)), strict=True))
    truth = _mean(arm.seen.weights, arm.true_change(quantity, asked)) - _mean(
        other.seen.weights, other.true_change(quantity, asked)
    )
    estimates = first.mean(-1) - second.mean(-1)
    name, words = _named(trial, asked, "difference"), f"change of {trial.title_of(asked)}, minus controls"
    return TrialOutcome(name, words, LOGARITHM, n + m, truth, NO_CHANGE, estimates, tests)


def _responded(arm: _Arm, other: _Arm) -> TrialOutcome:
    n, m = arm.sizes.enrolled, other.sizes.enrolled
    first, second = arm.events(), other.events()
    truth = _mean(arm.seen.weights, arm.seen.groups["responders"]) - _mean(
        other.seen.weights, other.seen.groups["responders"]
    )
    tests = dict(zip(OF_SHARES, (fisher(first, n, second, m),), strict=True))
    title = "share of responders, minus controls"
    return TrialOutcome("response-difference", title, SHARE, n + m, truth, NO_CHANGE, first / n - second / m, tests)


def _arm(role: str, seen: TrialObservations, sizes: Sizes, studies: int, seed: int) -> _Arm:
    kinds, counts = seen.strata if seen.strata is not None else (np.zeros(seen.weights.shape[1], np.int64), (1,))
    pattern = _kinds_of_study(counts, sizes.enrolled)
    picks = np.empty((seen.cohorts, studies, sizes.enrolled), dtype=np.int64)
    for population, weights in enumerate(seen.weights):
        generator = stream(seed, f"trial: {role}: patients", population)
        # Who has cells and who stays is a matter of the place in the row, and of nothing else.
        rows = generator.permuted(np.tile(pattern, (studies, 1)), axis=1)
        uniform = generator.random(rows.shape)
        for kind in range(len(counts)):
            of_kind = np.where(kinds == kind, weights, 0.0)
            cumulative = np.cumsum(of_kind if of_kind.sum() > 0.0 else weights)
            found = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
            picks[population] = np.where(rows == kind, np.minimum(found, len(weights) - 1), picks[population])
    return _Arm(role, seen, sizes, picks, seed)


def _kinds_of_study(counts: tuple[int, ...], n: int) -> IntArray:
    """Kinds of the patients of a study of n, in the proportions of the trial, largest remainders first."""
    exact = np.array(counts) * (n / sum(counts))
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: n - int(whole.sum())]] += 1
    return np.repeat(np.arange(len(counts)), whole)


def _mean(weights: FloatArray, values: FloatArray) -> FloatArray:
    found: FloatArray = (weights * np.where(weights > 0.0, values, 0.0)).sum(axis=-1)
    return found


def _correlation(weights: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    x = first - _mean(weights, first)[:, np.newaxis]
    y = second - _mean(weights, second)[:, np.newaxis]
    with np.errstate(invalid="ignore", divide="ignore"):
        found: FloatArray = _mean(weights, x * y) / np.sqrt(_mean(weights, x * x) * _mean(weights, y * y))
    return np.nan_to_num(found)


def populations_again(populations: int, seed: int) -> IntArray:
    """Which populations are drawn when they are drawn again, shape [resample, population]."""
    return stream(seed, "trial: populations", populations).integers(populations, size=(RESAMPLES, populations))


def share_of(happened: npt.NDArray[np.bool_], again: IntArray) -> tuple[float, Interval]:
    """Share of studies, shape [population, study], in which something happened, and its interval."""
    spread = happened.mean(axis=1)[again].mean(axis=1)
    return float(happened.mean()), share_interval(spread, int(happened.sum()), happened.size)


def share_interval(resampled: FloatArray, events: int, of: int) -> Interval:
    """From populations drawn again, and no narrower than a binomial interval."""
    tail, (exact_low, exact_high) = 0.5 * (1.0 - LEVEL), binomial_interval(events, of, LEVEL)
    known = resampled[np.isfinite(resampled)]
    low, high = np.quantile(known, (tail, 1.0 - tail)).tolist() if len(known) else (exact_low, exact_high)
    return min(low, exact_low), max(high, exact_high)
