"""Predictions of each hypothesis with bands: courses, doses, wash-out, and differences between responders and others.

A band is over populations: draws of a fit, or of the prior where there is none. In each population the
mean change of the logarithm is taken over its patients; how they differ from one another is not in the band.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.biology.hypotheses import DOWN, FLAT, UP
from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.problem import COARSE, MOST_REFUSED, REGRESSED, Problem, only_trial
from simulate.studies.fitting.simulated_trial import cohort_at
from simulate.studies.models import assumed_of_routes
from simulate.studies.prediction.questions import (
    UNTREATED,
    Group,
    PredictedReading,
    PredictionQuestion,
    expected,
    questions,
)
from simulate.studies.resolution import Resolution, signal
from simulate.symbolic.units import convert, unit
from simulate.trials.design import TrialDesign

LITTLE, APART = 1.0, 2.0
"""Change in percent, and difference in points, below which something counts as not moving."""

_ERROR = 2.0 * float(Resolution(COARSE.rtol).error(1.0))
"""What a change of a logarithm may be wrong by."""

_STEP = 14.0
"""Days between those at which courses are recorded."""


@dataclass(frozen=True, slots=True)
class Band:
    """Middle and central 90 % interval over populations."""

    low: float
    median: float
    high: float


def band_of(values: FloatArray) -> Band:
    """Band of a number of each population."""
    return Band(*np.quantile(values, (0.05, 0.5, 0.95)).tolist())


@dataclass(frozen=True, slots=True)
class PredictedAnswer:
    """The answer of one hypothesis to one question."""

    question: PredictionQuestion  #: What is asked
    #: Change since baseline in %, or a difference of two in points; None where the model does not have it.
    band: Band | None
    expected: frozenset[str]  #: Ways that the literature expects; empty if none

    @property
    def signs(self) -> frozenset[str]:
        """Ways in which the band goes, ``up``, ``down`` or ``flat``, from its lower to its upper end."""
        if self.band is None:
            return frozenset()
        return frozenset(self._way(value) for value in (self.band.low, self.band.median, self.band.high))

    @property
    def sign(self) -> str:
        """Which way the middle goes; empty where nothing is predicted."""
        return "" if self.band is None else self._way(self.band.median)

    def _way(self, value: float) -> str:
        little = LITTLE if self.question.less is None else APART
        return FLAT if abs(value) < little else UP if value > 0.0 else DOWN

    @property
    def agrees(self) -> bool | None:
        """Whether the middle goes a way that is expected; None where nothing is expected or predicted."""
        return None if self.band is None or not self.expected else self.sign in self.expected


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The predictions of a hypothesis."""

    hypothesis: str  #: As the user named it
    source: str  #: What its populations are: draws of the ``fit`` or of the ``prior``, or the ``typical`` one
    trial: TrialDesign  #: Of whose patients it is said
    days: FloatArray  #: Recorded days, shape [day]
    #: (quantity, dose) → low, median and high change since baseline in %, shape [3, day].
    courses: dict[tuple[str, float], FloatArray]
    answers: tuple[PredictedAnswer, ...]  #: One for each question
    refused: float  #: Share of the patients without a steady baseline
    weakness: str = ""  #: Why nothing can be concluded from the fit; empty where something can, or where there is none
    assumptions: tuple[str, ...] = ()  #: What is assumed of the routes by which something is given, in sentences


def predict(
    draws: Draws,
    *,
    patients: int = 16,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Prediction:
    """Answers of one hypothesis."""
    problem = draws.problem
    only_trial(problem, "a prediction")
    ensemble, weights, refused = _simulated(problem, draws.points, patients, seed, threads, progress)
    design = problem.trial
    changes = _Changes(ensemble, weights, design)
    asked = questions(design)
    courses = {
        (quantity, dose): np.quantile(changes.course(quantity, dose), (0.05, 0.5, 0.95), axis=0)
        for quantity in design.foreseen.titles
        if changes.has(quantity)
        for dose in _doses(design)
    }
    return Prediction(
        problem.label,
        draws.name,
        design,
        recorded_days(design),
        courses,
        tuple(
            PredictedAnswer(question, _band(question, changes), expected(question.key, problem.hypothesis))
            for question in asked
        ),
        refused,
        draws.weakness,
        assumed_of_routes([design.dosed(dose) for dose in _doses(design)], problem.model),
    )


def workload(draws: Draws, *, patients: int = 16) -> int:
    """Trajectories that `predict` solves."""
    return len(draws.points) * patients * len(_doses(draws.problem.trial))


def recorded_days(design: TrialDesign) -> FloatArray:
    """Days that are recorded: every two weeks, those of questions, the end, and the wash-out and half of it."""
    end, seen = design.end, design.foreseen
    regular = [_STEP * step for step in range(math.ceil(end / _STEP))]
    return np.unique([*regular, *seen.days, *design.ends, end + 0.5 * seen.wash_out, end + seen.wash_out])


def _doses(design: TrialDesign) -> tuple[float, ...]:
    return (*design.foreseen.doses, UNTREATED)


def _simulated(
    problem: Problem,
    points: FloatArray,
    patients: int,
    seed: int,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> tuple[Ensemble, FloatArray, float]:
    """Patients of all populations on all doses, and their weights, shape [population, patient]."""
    cohort, kind = cohort_at(problem, points, patients=patients, seed=seed)
    design = problem.trial
    arms = [Arm(f"{dose:g} {design.dose_unit}", design.dosed(dose)) for dose in _doses(design)]
    days = recorded_days(design)
    ensemble = simulate_cohort(problem.model, arms, cohort, days, tolerance=COARSE, threads=threads, progress=progress)
    exists = (ensemble.status == Status.OK).all(axis=0).reshape(len(points), patients)
    sizes = np.array([stratum.count for stratum in problem.population.strata] or [1.0])
    share = (sizes / sizes.sum() / np.bincount(kind, minlength=len(sizes)))[kind]
    weights = np.where(exists, share, 0.0)
    refused = 1.0 - weights.sum(axis=1)
    kept = refused <= MOST_REFUSED
    weights = np.where(kept[:, np.newaxis], weights, 0.0)
    return ensemble, weights, float(refused.mean())


class _Changes:
    """Mean changes of logarithms of an ensemble, by quantity, dose and group; populations out of the prior left out."""

    def __init__(self, ensemble: Ensemble, weights: FloatArray, design: TrialDesign) -> None:
        self._ensemble = ensemble
        self._weights = weights
        self._design, self._doses, self._days = design, _doses(design), recorded_days(design).tolist()
        self._chance: FloatArray | None = None
        judged = design.response
        if judged is not None:
            names = ensemble.trajectories.quantities
            factor = convert(1.0, unit(ensemble.trajectories.units[names.index(judged.quantity)]), unit("1"))
            at = self._days.index(judged.day)
            self._chance = np.nan_to_num(factor * self._values(judged.quantity, design.dose)[:, :, at])

    def has(self, quantity: str) -> bool:
        return quantity in self._ensemble.trajectories.quantities

    def _values(self, quantity: str, dose: float) -> FloatArray:
        """Shape [population, patient, day]."""
        values: FloatArray = self._ensemble.quantity(quantity)[self._doses.index(dose)]
        return values.reshape(*self._weights.shape, len(self._days))

    def course(self, quantity: str, dose: float, group: Group = Group.ALL) -> FloatArray:
        """Mean change since baseline, %, shape [population, day]."""
        regressed = f"{quantity}{REGRESSED}"
        values = self._values(regressed if self.has(regressed) else quantity, dose)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = signal(np.log(values / values[:, :, :1]), _ERROR)
        weights = self._weights * self._belonging(group)
        kept = weights.sum(axis=1) > 0.0
        weights = weights[kept]
        sums = np.einsum("cp,cpt->ct", weights, np.where(weights[:, :, np.newaxis] > 0.0, logs[kept], 0.0))
        changed: FloatArray = 100.0 * np.expm1(sums / weights.sum(axis=1, keepdims=True))
        return changed

    def _belonging(self, group: Group) -> FloatArray:
        """Probability of belonging to a group, shape [population, patient]."""
        if group is Group.ALL or self._chance is None:
            return np.ones(self._weights.shape)
        return self._chance if group is Group.RESPONDERS else 1.0 - self._chance

    def at(self, reading: PredictedReading) -> FloatArray:
        """Change since baseline, %, shape [population]."""
        dose = self._design.dose if reading.dose is None else reading.dose
        return self.course(reading.quantity, dose, reading.group)[:, self._days.index(reading.day)]


def _band(question: PredictionQuestion, changes: _Changes) -> Band | None:
    if not changes.has(question.reading.quantity):
        return None
    values = changes.at(question.reading)
    if question.less is not None:
        values = signal(values - changes.at(question.less), 2.0 * 100.0 * _ERROR)
    return band_of(values)


def rows(predictions: Sequence[Prediction]) -> list[dict[str, object]]:
    """Answers as plain rows, for JSON and a spreadsheet."""
    found: list[dict[str, object]] = []
    for prediction in predictions:
        for answer in prediction.answers:
            band, asked = answer.band, answer.question.reading
            found.append(
                {
                    "hypothesis": prediction.hypothesis,
                    "draws_of": prediction.source,
                    "question": answer.question.text,
                    "quantity": answer.question.reading.quantity,
                    "day": answer.question.reading.day,
                    "dose": prediction.trial.dose if asked.dose is None else asked.dose,
                    "dose_unit": prediction.trial.dose_unit,
                    "group": answer.question.reading.group.value,
                    "unit": "%" if answer.question.less is None else "points of %",
                    "low": None if band is None else band.low,
                    "median": None if band is None else band.median,
                    "high": None if band is None else band.high,
                    "sign": answer.sign or None,
                    "expected": " or ".join(sorted(answer.expected)),
                    "agrees": answer.agrees,
                }
            )
    return found
