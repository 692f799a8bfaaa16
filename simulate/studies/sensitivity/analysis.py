"""Derivatives, elementary effects and shares of variance of the endpoints of a scenario.

All points of all designs are one batch. A patient without a trajectory refuses the result, and is named with the
reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from simulate.cohort.ensemble import Ensemble, member_parameters, simulate_cohort
from simulate.errors import NumericalError
from simulate.inference.sensitivity import Effects, Shares, effects, morris_points, saltelli_points, shares
from simulate.solver.automatic import Automatic
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.endpoints import Endpoint, course_of, times_of
from simulate.studies.resolution import Resolution, signal
from simulate.studies.sensitivity.question import SensitivityQuestion, cohort_at
from simulate.studies.windows import Window

FINE = Tolerance(1e-8)
"""Tolerance of derivatives."""

SWING = 0.95
"""Quantile to which an input is moved alone, and 1 less it."""

_BYTES = 1_000_000_000
"""What is recorded at once."""

_STEP = 1e-4
"""Step, in standard deviations, by which what depends on an input is found."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """Sensitivities of one endpoint; arrays have the shape [input] unless said otherwise."""

    endpoint: Endpoint  #: What was asked for
    middle: float  #: Its value for the typical patient with every number at its median
    #: Its values with one input at its 5 or 95 % quantile and all others in the middle; NaN for groups. The middle
    #: itself where the solver does not resolve a difference.
    low: FloatArray
    high: FloatArray
    #: Derivative by one standard deviation of the input, in the unit of the endpoint; NaN for groups, 0 where it is not
    #: resolved.
    slope: FloatArray
    shares: Shares | None  #: Shares of variance; None if they were not asked for
    effects: Effects | None  #: Elementary effects; None if they were not asked for

    @property
    def scaled_slope(self) -> FloatArray:
        """Slope over the standard deviation of the endpoint; NaN where that is not known or nothing varies."""
        if self.shares is None or not self.shares.is_defined:
            return np.full_like(self.slope, np.nan)
        return self.slope / math.sqrt(self.shares.variance)


def workload(question: SensitivityQuestion, n: int, trajectories: int) -> int:
    """Patients that `sensitivity` simulates and tells of."""
    return n * (len(question.inputs) + 2) + trajectories * (len(question.inputs) + 1)


def sensitivity(
    question: SensitivityQuestion,
    *,
    n: int = 512,
    trajectories: int = 32,
    local: bool = True,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Sensitivity, ...]:
    """Sensitivities of each endpoint to each input.

    ``n`` is the number of rows of the design for shares of variance, a power of two; ``trajectories`` that of the
    design for elementary effects; 0 for none. Derivatives are ``local``.
    """
    columns = [column for part in question.inputs for column in part.columns]
    place = {column: index for index, column in enumerate(sorted(columns))}
    # Designs have the columns that are varied and no others: what stays in the middle changes no number.
    groups = tuple(tuple(place[column] for column in part.columns) for part in question.inputs)
    middle = np.full((1, question.dimension), 0.5)
    one_at_a_time = _moved_alone(question, tuple(part.columns for part in question.inputs))
    designs = [np.concatenate([middle, one_at_a_time])]
    if n:
        designs.append(_among(question, saltelli_points(groups, len(columns), n, seed=seed)))
    if trajectories:
        designs.append(_among(question, morris_points(groups, len(columns), trajectories, seed=seed)))
    ends = np.cumsum([len(design) for design in designs])[:-1]
    tolerance = question.study.scenario.tolerance
    resolution = Resolution(tolerance.rtol, tolerance.share)
    slopes = _slopes(question, threads) if local else np.full((len(question.endpoints), len(groups)), np.nan)
    answered = _answers(question, np.concatenate(designs), resolution, threads=threads, progress=progress)
    found = []
    for endpoint, slope, of_endpoint in zip(question.endpoints, slopes, answered, strict=True):
        answers, errors = (np.split(part, ends) for part in of_endpoint)
        middle_value = answers[0][0]
        away = signal(answers[0][1:] - middle_value, errors[0][1:] + errors[0][0])
        single = len(one_at_a_time) > 0
        swings = (middle_value + away).reshape(2, -1) if single else np.full((2, len(groups)), np.nan)
        found.append(
            Sensitivity(
                endpoint=endpoint,
                middle=float(middle_value),
                low=swings[0],
                high=swings[1],
                slope=slope,
                shares=shares(answers[1], len(groups), n, seed=seed, errors=errors[1]) if n else None,
                effects=effects(answers[-1], groups, len(columns), seed=seed, errors=errors[-1])
                if trajectories
                else None,
            )
        )
    return tuple(found)


def _among(question: SensitivityQuestion, varied: FloatArray) -> FloatArray:
    """Points of a design, with what is not varied in the middle."""
    points = np.full((len(varied), question.dimension), 0.5)
    points[:, sorted(column for part in question.inputs for column in part.columns)] = varied
    return points


def _moved_alone(question: SensitivityQuestion, groups: Sequence[Sequence[int]]) -> FloatArray:
    """The middle with one input at its lower quantile, for each, and then with one at its upper; none for groups."""
    if any(len(columns) != 1 for columns in groups):
        return np.empty((0, question.dimension))
    points = np.full((2, len(groups), question.dimension), 0.5)
    for row, (column,) in enumerate(groups):
        points[0, row, column], points[1, row, column] = 1.0 - SWING, SWING
    return points.reshape(-1, question.dimension)


def _answers(
    question: SensitivityQuestion,
    points: FloatArray,
    resolution: Resolution,
    *,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> FloatArray:
    """Values of the endpoints and what they may be wrong by, shape [endpoint, 2, point]."""
    courses = courses_of(question)
    numbers = len(question.problem.model.species) + len(question.problem.model.observables)
    together = max(1, _BYTES // (8 * numbers * len(times_of(question.endpoints, courses))))
    found = []
    for first in range(0, len(points), together):
        ensemble = _simulated(question, points[first : first + together], first, threads=threads, progress=progress)
        asked = zip(question.endpoints, courses, strict=True)
        found.append([[one.of(ensemble, resolution, at), one.error(ensemble, resolution, at)] for one, at in asked])
    return np.concatenate(found, axis=2)


def courses_of(question: SensitivityQuestion) -> tuple[Window | None, ...]:
    """When to look for each endpoint."""
    model, arm, end = question.problem.model, question.study.arms[question.arm], float(question.study.times[-1])
    middle = cohort_at(question, np.full((1, question.dimension), 0.5))
    (patient,) = member_parameters(model, question.treatment, middle)
    return tuple(course_of(endpoint, model, arm, end, patient) for endpoint in question.endpoints)


def _simulated(
    question: SensitivityQuestion,
    points: FloatArray,
    first: int = 0,
    *,
    tolerance: Tolerance | None = None,
    derivatives: Sequence[str] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ensemble:
    model = question.problem.model
    how = replace(question.study, model=model).solving | ({} if tolerance is None else {"tolerance": tolerance})
    if derivatives and isinstance(how["method"], Automatic):
        how["method"] = None
    cohort, days = cohort_at(question, points), times_of(question.endpoints, courses_of(question))
    ensemble = simulate_cohort(
        model, (question.treatment,), cohort, days, **how, threads=threads, progress=progress, sensitivities=derivatives
    )
    if ensemble.failures:
        raise _failure(question, points, first, ensemble)
    return ensemble


def _failure(question: SensitivityQuestion, points: FloatArray, first: int, ensemble: Ensemble) -> NumericalError:
    failed = ensemble.failures[0]
    point = points[failed.failure.member]
    away = np.abs(point - 0.5)
    far = [f"`{question.names[column]}` at {100.0 * point[column]:.3g} %"
           for column in np.argsort(-away, kind="stable")[:3].tolist() if away[column] > 0.0]  # fmt: skip
    many, who = len(ensemble.failures), first + failed.failure.member
    return NumericalError(
        f"{many} of {len(points)} patients of the design have no trajectory",
        code="sensitivity.failed",
        found=f"patient {who}: {failed.failure.reason}; furthest out: {', '.join(far) or 'nothing'}",
        expected="a trajectory for each: shares from the others would be of other inputs than those asked for",
        advice="leave the input at fault in the middle: `--hold NAME`",
    )


def _slopes(question: SensitivityQuestion, threads: int | None) -> FloatArray:
    """Derivatives of the endpoints by one standard deviation of each input, shape [endpoint, input]."""
    groups = [part.columns for part in question.inputs]
    if any(len(columns) != 1 for columns in groups):
        return np.full((len(question.endpoints), len(groups)), np.nan)
    points = np.full((2, len(groups), question.dimension), 0.5)
    for row, (column,) in enumerate(groups):
        points[0, row, column], points[1, row, column] = ndtr(-_STEP), ndtr(_STEP)
    model, arm = question.problem.model, question.treatment
    cohort = cohort_at(question, points.reshape(-1, question.dimension))
    below, above = member_parameters(model, arm, cohort).reshape(2, len(groups), -1)
    moved = (above - below) / (2.0 * _STEP)
    columns = np.flatnonzero(np.abs(moved).max(axis=0) > 0.0).tolist()
    names = [model.parameters[column].name for column in columns]
    middle = np.full((1, question.dimension), 0.5)
    ensemble = _simulated(question, middle, tolerance=FINE, derivatives=names, threads=threads)
    asked = tuple(zip(question.endpoints, courses_of(question), strict=True))
    by_parameter = np.array(
        [[float(endpoint.derivative(ensemble, name, course)[0]) for name in names] for endpoint, course in asked]
    ).reshape(len(question.endpoints), len(names))
    # A derivative is no more exact than the numbers between which it stands.
    resolution = Resolution(FINE.rtol, FINE.share)
    errors = np.array([endpoint.error(ensemble, resolution, course) for endpoint, course in asked])
    return signal(by_parameter @ moved[:, columns].T, errors)
