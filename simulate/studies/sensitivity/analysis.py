"""Derivatives, elementary effects and shares of variance of the endpoints of a scenario.

All points of all designs are one batch. A patient without a trajectory refuses the result, and is named with the
reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from simulate.cohort.ensemble import Ensemble, member_parameters, simulate_cohort
from simulate.errors import NumericalError
from simulate.inference.sensitivity import Effects, Shares, effects, morris_points, saltelli_points, shares
from simulate.solver.problem import Tolerance
from simulate.streams import FloatArray
from simulate.studies.endpoints import Endpoint, days_of
from simulate.studies.sensitivity.question import Question, cohort_at

FINE = Tolerance(1e-8)
"""Tolerance of derivatives."""

SWING = 0.95
"""Quantile to which an input is moved alone, and 1 less it."""

_STEP = 1e-4
"""Step, in standard deviations, by which what depends on an input is found."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """What one endpoint depends on; arrays have the shape [input] unless said otherwise.

    Attributes
    ----------
    endpoint
        What was asked for.
    middle
        Its value for the typical patient with every number at its median.
    low, high
        Its values with one input at its 5 or 95 % quantile and all others in the middle; NaN for groups.
    slope
        Derivative by one standard deviation of the input, in the unit of the endpoint; NaN for groups.
    shares
        Shares of variance; None if they were not asked for.
    effects
        Elementary effects; None if they were not asked for.
    """

    endpoint: Endpoint
    middle: float
    low: FloatArray
    high: FloatArray
    slope: FloatArray
    shares: Shares | None
    effects: Effects | None

    @property
    def scaled_slope(self) -> FloatArray:
        """Slope over the standard deviation of the endpoint; NaN where that is not known or nothing varies."""
        if self.shares is None or not self.shares.is_defined:
            return np.full_like(self.slope, np.nan)
        return self.slope / math.sqrt(self.shares.variance)


def workload(question: Question, n: int, trajectories: int) -> int:
    """Patients that `sensitivity` simulates and tells of."""
    return n * (len(question.inputs) + 2) + trajectories * (len(question.inputs) + 1)


def sensitivity(
    question: Question,
    *,
    n: int = 512,
    trajectories: int = 32,
    local: bool = True,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Sensitivity, ...]:
    """What each endpoint depends on.

    Parameters
    ----------
    question
        Inputs and endpoints.
    n
        Rows of the design for shares of variance, a power of two; 0 for none.
    trajectories
        Trajectories of the design for elementary effects; 0 for none.
    local
        Whether derivatives are asked for.
    seed
        Key of both designs.
    threads, progress
        As for `simulate.solver.solve`.

    Raises
    ------
    InputError
        ``sensitivity.size``.
    NumericalError
        ``sensitivity.failed``: a patient has no trajectory; the message has the reason and the inputs furthest out.
    """
    groups = tuple(part.columns for part in question.inputs)
    middle = np.full((1, question.dimension), 0.5)
    one_at_a_time = _moved_alone(question, groups)
    designs = [np.concatenate([middle, one_at_a_time])]
    if n:
        designs.append(_among(question, saltelli_points(groups, question.dimension, n, seed=seed)))
    if trajectories:
        designs.append(_among(question, morris_points(groups, question.dimension, trajectories, seed=seed)))
    ends = np.cumsum([len(design) for design in designs])[:-1]
    ensemble = _simulated(question, np.concatenate(designs), threads=threads, progress=progress)
    slopes = _slopes(question, threads) if local else np.full((len(question.endpoints), len(groups)), np.nan)
    found = []
    for endpoint, slope in zip(question.endpoints, slopes, strict=True):
        answers = np.split(endpoint.of(ensemble), ends)
        single = len(one_at_a_time) > 0
        swings = answers[0][1:].reshape(2, -1) if single else np.full((2, len(groups)), np.nan)
        found.append(
            Sensitivity(
                endpoint=endpoint,
                middle=float(answers[0][0]),
                low=swings[0],
                high=swings[1],
                slope=slope,
                shares=shares(answers[1], len(groups), n, seed=seed) if n else None,
                effects=effects(answers[-1], groups, question.dimension, seed=seed) if trajectories else None,
            )
        )
    return tuple(found)


def _among(question: Question, points: FloatArray) -> FloatArray:
    """Points with what is not varied in the middle."""
    varied = {column for part in question.inputs for column in part.columns}
    held = [column for column in range(question.dimension) if column not in varied]
    points[:, held] = 0.5
    return points


def _moved_alone(question: Question, groups: Sequence[Sequence[int]]) -> FloatArray:
    """The middle with one input at its lower quantile, for each, and then with one at its upper; none for groups."""
    if any(len(columns) != 1 for columns in groups):
        return np.empty((0, question.dimension))
    points = np.full((2, len(groups), question.dimension), 0.5)
    for row, (column,) in enumerate(groups):
        points[0, row, column], points[1, row, column] = 1.0 - SWING, SWING
    return points.reshape(-1, question.dimension)


def _simulated(
    question: Question,
    points: FloatArray,
    *,
    tolerance: Tolerance | None = None,
    derivatives: Sequence[str] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ensemble:
    scenario = question.study.scenario
    arm = question.study.arms[question.arm]
    ensemble = simulate_cohort(
        question.problem.model,
        (arm,),
        cohort_at(question, points),
        days_of(question.endpoints, question.study.times),
        tolerance=tolerance or scenario.tolerance,
        threads=threads,
        progress=progress,
        sensitivities=derivatives,
    )
    if ensemble.failures:
        raise _failure(question, points, ensemble)
    return ensemble


def _failure(question: Question, points: FloatArray, ensemble: Ensemble) -> NumericalError:
    first = ensemble.failures[0]
    away = np.abs(points[first.patient] - 0.5)
    far = [f"`{question.names[column]}` at {100.0 * points[first.patient, column]:.3g} %"
           for column in np.argsort(-away, kind="stable")[:3].tolist() if away[column] > 0.0]  # fmt: skip
    many = len(ensemble.failures)
    return NumericalError(
        f"{many} of {len(points)} patients of the design have no trajectory",
        code="sensitivity.failed",
        found=f"patient {first.patient}: {first.failure.reason}; furthest out: {', '.join(far) or 'nothing'}",
        expected="a trajectory for each: shares from the others would be of other inputs than those asked for",
        advice="leave the input at fault in the middle: `--hold NAME`",
    )


def _slopes(question: Question, threads: int | None) -> FloatArray:
    """Derivatives of the endpoints by one standard deviation of each input, shape [endpoint, input]."""
    groups = [part.columns for part in question.inputs]
    if any(len(columns) != 1 for columns in groups):
        return np.full((len(question.endpoints), len(groups)), np.nan)
    points = np.full((2, len(groups), question.dimension), 0.5)
    for row, (column,) in enumerate(groups):
        points[0, row, column], points[1, row, column] = ndtr(-_STEP), ndtr(_STEP)
    model, arm = question.problem.model, question.study.arms[question.arm]
    cohort = cohort_at(question, points.reshape(-1, question.dimension))
    below, above = member_parameters(model, arm, cohort).reshape(2, len(groups), -1)
    moved = (above - below) / (2.0 * _STEP)
    columns = np.flatnonzero(np.abs(moved).max(axis=0) > 0.0).tolist()
    names = [model.parameters[column].name for column in columns]
    middle = np.full((1, question.dimension), 0.5)
    ensemble = _simulated(question, middle, tolerance=FINE, derivatives=names, threads=threads)
    by_parameter = np.array(
        [[float(endpoint.derivative(ensemble, name)[0]) for name in names] for endpoint in question.endpoints]
    ).reshape(len(question.endpoints), len(names))
    return by_parameter @ moved[:, columns].T
