"""What studies of a design find, how often they are wrong, and where the reported values stand among theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.errors import InputError
from simulate.evidence.items import Evidence
from simulate.evidence.resampling import Trials as Resampled
from simulate.evidence.rounding import half_step
from simulate.evidence.trial_observations import TrialObservations
from simulate.regimen.words import parse_regimen
from simulate.streams import FloatArray, IntArray
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.predictive import direction_of, figures_of, prediction, reported_figure
from simulate.studies.fitting.simulated_trial import Solving, simulated_trial, treated
from simulate.studies.models import assumed_of_routes
from simulate.studies.power.designs import StudyDesign
from simulate.studies.power.families import EndpointPower, power_together
from simulate.studies.power.repeats import (
    LEVEL,
    Interval,
    TrialOutcome,
    populations_again,
    repeated,
    share_interval,
    share_of,
)
from simulate.trials.design import AS_USUAL, SIGNIFICANT, Analysis

_RANKED = Resampled(count=1024, seed=3)
"""Studies of each population among which reported values are ranked."""


@dataclass(frozen=True, slots=True)
class Power:
    """How often a test of an effect is significant, and how wrong it then is; intervals are 95 % and of simulation."""

    #: As in `TrialOutcome`.
    effect: str
    title: str
    scale: str
    n: int
    test: str
    #: Median and central 90 % of the effect in the populations, in what `scale` says; 0 in those that have none.
    truth: float
    truth_interval: Interval
    with_effect: float  #: Share of the populations that have one
    #: Probability of a p-value below alpha.
    power: float
    power_interval: Interval
    found: int  #: Number of significant studies among populations with an effect
    #: Share of those that have the wrong sign (type S); None if there are none.
    wrong_sign: float | None
    wrong_sign_interval: Interval | None
    #: Median of their estimate over the truth, both without sign (type M); None if there are none.
    exaggeration: float | None
    exaggeration_interval: Interval | None


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a reported value stands among those of repeated studies."""

    #: What was printed.
    item: str
    figure: str
    unit: str
    reported: float
    #: Middle and central 90 % of the repeated studies.
    low: float
    median: float
    high: float
    #: Share of the studies whose figure is smaller, those that are equal counted half, and its standard error.
    rank: float
    error: float
    tail: float  #: Two-sided probability of a figure at least as far out


@dataclass(frozen=True, slots=True)
class AtSize:
    """Power of studies of another size."""

    #: Patients who are treated in the first arm, and controls; other arms have as many in proportion.
    n: int
    controls: int
    #: The endpoints with ``any`` and ``all``; where none are named, every effect by its first test.
    endpoints: tuple[EndpointPower, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTrials:
    """Result of `trials`."""

    #: How the studies were done, and of which populations.
    design: StudyDesign
    draws: Draws
    #: Virtual patients of each population, and studies of all populations together.
    patients: int
    studies: int
    refused: float  #: Mean share of patients without a steady baseline
    powers: tuple[Power, ...]  #: One row for each effect and test
    ranks: tuple[Rank, ...]  #: Of the reported values; empty if the patients are not treated as those of the study were
    analysis: Analysis = AS_USUAL  #: How studies are judged
    together: tuple[EndpointPower, ...] = ()  #: Its endpoints, with ``any`` and ``all``; empty where none are named
    curves: tuple[AtSize, ...] = ()  #: The same at other sizes; empty where none are asked for

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions about the routes by which something is given, and about who stays, in sentences."""
        regimens = [
            *(arm.regimen for arm in self.design.treated),
            *([self.design.control] * bool(self.design.controls)),
        ]
        last = self.design.trial.visits[-1].last_known
        unknown = last is not None and not self.design.complete
        stays = (f"drop-out: who leaves after day {last:g} is not known; nobody is taken to",) if unknown else ()
        return (*assumed_of_routes([parse_regimen(text) for text in regimens], self.draws.problem.model), *stays)


def workload(design: StudyDesign, draws: Draws, patients: int) -> int:
    """Patients that `trials` simulates and tells of."""
    return len(draws.points) * patients * (len(design.treated) + (1 if design.controls else 0))


def trials(
    design: StudyDesign,
    draws: Draws,
    *,
    patients: int = 64,
    studies: int = 4096,
    analysis: Analysis | None = None,
    sizes: Sequence[int] = (),
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> SimulatedTrials:
    """Repeat a study of a design, at least so many ``studies`` of all populations together.

    They are judged as the trial's file says if no analysis is given. ``sizes`` are the patients of the first arm of
    further studies, of the same virtual patients: for curves of power.
    """
    problem = draws.problem
    judged = design.trial.analysis if analysis is None else analysis

    def seen_under(regimen: str) -> tuple[TrialObservations, float]:
        how = Solving(threads=threads, progress=progress, arm=treated(regimen, problem.trial))
        trial = simulated_trial(problem, draws.points, patients=patients, seed=draws.places, **how)
        return trial.seen, float(trial.refused.mean())

    looked = [seen_under(arm.regimen) for arm in design.treated]
    refused = looked[0][1]
    controls = seen_under(design.control)[0] if design.controls else None
    under = {arm.regimen: part for arm, (part, _) in zip(design.treated, looked, strict=True)}
    under |= {} if controls is None else {design.control: controls}
    # Beside what is reported of an arm stands what is seen of that arm, with the doses of the trial.
    of_arms = {arm.name: under[arm.regimen] for arm in problem.trial.arms if arm.regimen in under}
    each = -(-studies // len(draws.points))
    treated_seen = [part for part, _ in looked]
    outcomes = repeated(design, treated_seen, controls, studies=each, seed=seed)
    curves = []
    for size in sizes:
        other = design.of_size(size)
        asked = repeated(other, treated_seen, controls, studies=each, seed=seed)
        if judged.endpoints:
            rows = power_together(asked, judged, seed=seed)
        else:
            own = ((one, replace(judged, endpoints=(one.name,))) for one in asked)
            rows = tuple(row for one, alone in own for row in power_together((one,), alone, seed=seed))
        curves.append(AtSize(size, other.controls, rows))
    return SimulatedTrials(
        design,
        draws,
        patients,
        each * len(draws.points),
        refused,
        powers=tuple(
            power_of(outcome, test, seed=seed, alpha=judged.alpha) for outcome in outcomes for test in outcome.p_values
        ),
        ranks=ranks_of(problem.evidence, of_arms, problem.trial.arms[0].name),
        analysis=judged,
        together=power_together(outcomes, judged, seed=seed),
        curves=tuple(curves),
    )


def power_of(outcome: TrialOutcome, test: str, *, seed: int, alpha: float = SIGNIFICANT) -> Power:
    """Power and errors of a test; intervals from populations drawn again, and no narrower than binomial ones."""
    significant = outcome.p_values[test] < alpha
    size = np.abs(outcome.truth)
    real = size > outcome.least
    found = significant & real[:, np.newaxis]
    wrong = found & (np.sign(outcome.estimates) != np.sign(outcome.truth)[:, np.newaxis])
    again, count = populations_again(len(significant), seed), int(found.sum())
    power, power_interval = share_of(significant, again)
    sign, sign_interval, much, much_interval = None, None, None, None
    if count:
        sign = float(wrong.sum()) / count
        with np.errstate(invalid="ignore"):
            shares = wrong.sum(axis=1)[again].sum(axis=1) / found.sum(axis=1)[again].sum(axis=1)
        sign_interval = share_interval(shares, int(wrong.sum()), count)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = np.where(found, np.abs(outcome.estimates) / size[:, np.newaxis], np.nan)
        much = float(np.nanmedian(ratios))
        much_interval = _median_interval(ratios, again[:100])
    low, middle, high = np.quantile(np.where(real, outcome.truth, 0.0), (0.05, 0.5, 0.95)).tolist()
    return Power(
        effect=outcome.name,
        title=outcome.title,
        scale=outcome.scale,
        n=outcome.n,
        test=test,
        truth=middle,
        truth_interval=(low, high),
        with_effect=float(real.mean()),
        power=power,
        power_interval=power_interval,
        found=count,
        wrong_sign=sign,
        wrong_sign_interval=sign_interval,
        exaggeration=much,
        exaggeration_interval=much_interval,
    )


def _median_interval(ratios: FloatArray, again: IntArray) -> Interval:
    tail = 0.5 * (1.0 - LEVEL)
    medians = [np.median(part[np.isfinite(part)]) for rows in again if np.isfinite(part := ratios[rows]).any()]
    low, high = np.quantile(medians, (tail, 1.0 - tail)).tolist()
    return low, high


def ranks_of(evidence: Evidence, arms: Mapping[str, TrialObservations], first: str) -> tuple[Rank, ...]:
    """Where each reported value that is a datum stands, under the reading believed most.

    ``arms`` are seen by their names; what is reported of none is of the ``first``, and of others nothing is said.
    """
    found = []
    for item in evidence.data:
        reading, seen = item.most, arms.get(item.arm or first)
        if seen is None:
            continue
        try:
            numbers = figures_of(reading, seen, _RANKED).reshape(seen.cohorts, -1, len(reading.statement.figures))
        except InputError:
            continue
        for index, figure in enumerate(reading.statement.figures):
            reported = reported_figure(reading.statement, figure)
            predicted = prediction(numbers[..., index].ravel(), reported, direction_of(reading.statement, reported))
            if reported is None or predicted is None or predicted.tail_probability is None:
                continue
            values = numbers[..., index]
            # What would be printed the same is equal.
            is_equal = np.abs(values - reported) <= half_step(reported)
            below = np.where(np.isfinite(values), np.where(is_equal, 0.5, values < reported), np.nan)
            unit = "" if figure in ("count", "r", "p", "mean change") else reading.subject.unit.text
            found.append(
                Rank(
                    item=item.name,
                    figure=figure,
                    unit=unit,
                    reported=reported,
                    low=predicted.low,
                    median=predicted.median,
                    high=predicted.high,
                    rank=float(np.nanmean(below)),
                    error=_two_way_error(below),
                    tail=predicted.tail_probability,
                )
            )
    return tuple(found)


def _two_way_error(values: FloatArray) -> float:
    """Standard error of a mean over populations and over studies whose random numbers all populations share."""
    parts: Sequence[FloatArray] = [np.nanmean(values, axis=axis) for axis in (0, 1)]
    return float(np.sqrt(sum(float(np.nanvar(part)) / len(part) for part in parts)))
