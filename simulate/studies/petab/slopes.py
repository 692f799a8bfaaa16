"""What fits and profiles of estimation problems minimize: minus log-posterior, with gradient and curvature.

The curvature is Fisher's information: of the residuals, and of the widths of the noise where these are sought too; for
Laplace noise it is that of a parabola above the absolute value. Gradients are forward sensitivities. In a direction in
which there is no derivative, because a switch is only grazed or two things happen at one time, they are central
differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulate.errors import NumericalError
from simulate.inference.descent import Slope
from simulate.kernels.duals import Dual
from simulate.solver.kernel import FloatArray, IntArray
from simulate.studies.petab.objective import BoolArray, Objective, Score

_DIFFERENCE = 1e-5
"""Half the step of a central difference, as a share of the distance of the bounds."""

_LEAST_RESIDUAL = 1e-6


def values_of(objective: Objective) -> Callable[[FloatArray], list[float]]:
    """What is to be minimized, at several points: minus log-posterior; infinite where the model cannot be solved."""

    def at(points: FloatArray) -> list[float]:
        return [math.inf if isinstance(one, NumericalError) else -one.total for one in objective.many(points)]

    return at


def slopes_of(
    objective: Objective, by: BoolArray | None = None, told: Callable[[int], None] | None = None
) -> Callable[[FloatArray], list[Slope]]:
    """The same with gradient and curvature; not a number where the model cannot be solved.

    Derivatives are taken by the parameters that are named, or all; others are 0. One that does not exist is a central
    difference, and ``told`` is called with the number of points that have such.
    """
    is_laplace = objective.is_laplace
    prior = _prior_curvature(objective)
    count = len(objective.problem.estimated)
    nowhere = Slope(math.inf, np.full(count, np.nan), np.full((count, count), np.nan))

    def of(score: Score, residuals: FloatArray, deviations: FloatArray, slope: FloatArray) -> Slope:
        return Slope(-score.total, -slope, _curvature(score, residuals, deviations, is_laplace, prior))

    def at(points: FloatArray) -> list[Slope]:
        scores = objective.many(points, gradient=True, by=by)
        missing = [_missing(score) for score in scores]
        if any(len(own) for own in missing):
            scores = _with_differences(objective, points, scores, missing)
            if told is not None:
                told(sum(len(own) > 0 for own in missing))
        return [
            nowhere
            if isinstance(score, NumericalError)
            else of(score, _slope(score.residuals), _slope(score.deviations), _known(score.gradient))
            for score in scores
        ]

    return at


def _missing(score: Score | NumericalError) -> IntArray:
    """Coordinates by which a score that exists has no derivative."""
    if isinstance(score, NumericalError) or not math.isfinite(score.total):
        return np.empty(0, dtype=np.int64)
    own = np.vstack([_slope(score.residuals), _slope(score.deviations), _known(score.gradient)])
    return np.flatnonzero(~np.isfinite(own).all(axis=0))


def _with_differences(
    objective: Objective, points: FloatArray, scores: list[Score | NumericalError], missing: list[IntArray]
) -> list[Score | NumericalError]:
    """Scores with central differences for derivatives that are missing; one-sided at a bound or an edge.

    One stays missing where the model can be solved to neither side.
    """
    bounds = objective.bounds()
    step = _DIFFERENCE * (bounds[:, 1] - bounds[:, 0])
    asked = [(number, int(place)) for number, own in enumerate(missing) for place in own]
    moved = np.array([points[number] for number, _ in asked for _ in range(2)])
    for row, (_, place) in enumerate(asked):
        ends = moved[2 * row : 2 * row + 2, place] + step[place] * np.array([-1.0, 1.0])
        moved[2 * row : 2 * row + 2, place] = np.clip(ends, *bounds[place])
    beside = objective.many(moved)
    found = list(scores)
    for row, (number, place) in enumerate(asked):
        here = found[number]
        assert not isinstance(here, NumericalError)
        (left, first), (right, second) = (
            (points[number, place], here)
            if isinstance(score, NumericalError) or not math.isfinite(score.total)
            else (moved[end, place], score)
            for end, score in zip((2 * row, 2 * row + 1), beside[2 * row : 2 * row + 2], strict=True)
        )
        if right > left:
            found[number] = _with_difference(here, place, first, second, float(right - left))
    return found


def _with_difference(here: Score, place: int, first: Score, second: Score, width: float) -> Score:
    def of(own: Dual, low: Dual, high: Dual) -> Dual:
        slope = _slope(own).copy()
        slope[:, place] = (high.value - low.value) / width
        return Dual(own.value, slope)

    gradient = _known(here.gradient).copy()
    gradient[place] = (second.total - first.total) / width
    return replace(
        here,
        residuals=of(here.residuals, first.residuals, second.residuals),
        deviations=of(here.deviations, first.deviations, second.deviations),
        gradient=gradient,
    )


def _slope(of: Dual) -> FloatArray:
    return _known(of.slope)


def _known(found: FloatArray | None) -> FloatArray:
    assert found is not None
    return found


def _curvature(
    score: Score,
    residuals: FloatArray,
    deviations: FloatArray,
    is_laplace: np.ndarray[tuple[int], np.dtype[np.bool_]],
    prior: FloatArray,
) -> FloatArray:
    """Curvature of the negative logarithm, never negative.

    Of normal noise with a width σ that is sought it is Fisher's information: of what is expected, over σ², and twice
    that of log σ. So the part of a residual that the width has is taken out of its slope.
    """
    width = deviations / score.deviations.value[:, np.newaxis]
    own = residuals + score.residuals.value[:, np.newaxis] * width
    weight = np.where(is_laplace, 1.0 / np.maximum(np.abs(score.residuals.value), _LEAST_RESIDUAL), 1.0)
    of_width = np.where(is_laplace, 1.0, 2.0)
    found: FloatArray = np.diag(prior)
    for part, by in ((own, weight), (width, of_width)):
        found = found + np.einsum("mi,m,mj->ij", part, by, part)
    return found


def _prior_curvature(objective: Objective) -> FloatArray:
    """Curvature of priors that are normal on the scale on which the parameter is sought; of others none."""
    found = np.zeros(len(objective.problem.estimated))
    for place, parameter in enumerate(objective.problem.estimated):
        prior = parameter.prior
        if prior is not None and prior.kind == "normal" and prior.scale == parameter.scale:
            found[place] = 1.0 / prior.second**2
    return found
