"""The objective of an estimation problem: log-likelihood, priors, residuals, and their derivatives.

Everything is compared on the scale of its observable; the likelihood is that of what was measured, so a measurement on
a logarithmic scale has the derivative of the logarithm in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sympy import Expr

from simulate.elementwise import log
from simulate.errors import InputError, NumericalError
from simulate.exchange.petab.problem import EstimatedParameter, Measured, MeasuredValue, PetabProblem
from simulate.kernels.duals import Dual, constant, evaluate, stacked
from simulate.solver.kernel import FloatArray
from simulate.studies.petab.courses import RTOL, Solver, formula_values, solve_experiments
from simulate.studies.petab.equations import Equations, equations_of
from simulate.studies.petab.periods import ExperimentCourse
from simulate.studies.petab.priors import log_density

BoolArray = np.ndarray[tuple[int], np.dtype[np.bool_]]
_LOG_10 = math.log(10.0)
_TOGETHER = 64
"""Points that are solved at once, so that what is kept of them fits the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """The objective at one point.

    Attributes
    ----------
    log_likelihood
        Of all measurements.
    log_prior
        Of the priors that the problem has; 0 without any.
    chi2
        Sum of squared residuals.
    simulated
        Value of the observable of each measurement, in their order.
    residuals, deviations
        Difference from what was measured over the standard deviation (or scale) of the noise, on the scale of the
        observable, and the latter; of each measurement, with slopes where they were asked for.
    gradient
        Derivative of log-likelihood and log-prior by each sought parameter on its scale; None if not asked for.
    prior_gradient
        The part of it that priors have.
    """

    log_likelihood: float
    log_prior: float
    chi2: float
    simulated: FloatArray
    residuals: Dual
    deviations: Dual
    gradient: FloatArray | None
    prior_gradient: FloatArray | None

    @property
    def total(self) -> float:
        """Logarithm of likelihood times prior."""
        return self.log_likelihood + self.log_prior


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """The objective of a problem, a function of the sought parameters on their scales."""

    equations: Equations
    solver: Solver

    @property
    def problem(self) -> PetabProblem:
        """The problem."""
        return self.equations.problem

    @property
    def is_laplace(self) -> BoolArray:
        """Which measurements have noise of Laplace's distribution."""
        known = {one.id: one.distribution == "laplace" for one in self.problem.observables}
        return np.array([known[one.observable] for one in self.problem.measurements])

    def nominal(self) -> FloatArray:
        """Nominal values of the sought parameters, on their scales, shape [parameter].

        Raises
        ------
        InputError
            ``petab.nominal``: one has none.
        """
        for parameter in self.problem.estimated:
            if math.isnan(parameter.nominal):
                raise InputError(
                    f"the parameter `{parameter.id}` has no nominal value",
                    code="petab.nominal",
                    where=parameter.where,
                )
        return np.array([scaled(one.nominal, one.scale) for one in self.problem.estimated])

    def bounds(self) -> FloatArray:
        """Bounds of the sought parameters on their scales, shape [parameter, 2]."""
        return np.array(
            [[scaled(one.lower, one.scale), scaled(one.upper, one.scale)] for one in self.problem.estimated]
        ).reshape(-1, 2)

    def __call__(self, point: FloatArray, *, gradient: bool = False) -> Score:
        """Score of a point on the scales of the parameters, shape [parameter].

        Raises
        ------
        InputError, NumericalError
            As `simulate.studies.petab.courses.solve_experiments`, of the latter what it has for the point.
        """
        (found,) = self.many(np.asarray(point)[np.newaxis], gradient=gradient)
        if isinstance(found, NumericalError):
            raise found
        return found

    def inside(self) -> BoolArray:
        """Which of the sought parameters the solution depends on; of others only what is observed, or its noise."""
        inside = self.equations.inside
        return np.array([self.equations.known(one.id) in inside for one in self.problem.estimated], dtype=np.bool_)

    def many(
        self, points: FloatArray, *, gradient: bool = False, by: BoolArray | None = None
    ) -> list[Score | NumericalError]:
        """Scores of several points, shape [point, parameter], and why where there is none.

        They are solved together. A score has the same bits whatever the other points.

        Parameters
        ----------
        points
            The points, on the scales of the parameters.
        gradient
            Whether with derivatives.
        by
            Parameters by which derivatives are taken; all if not given. Those by others are 0.

        Raises
        ------
        InputError
            As `simulate.studies.petab.courses.solve_experiments`.
        """
        chosen = np.full(points.shape[1], True) if by is None else by
        parts = [points[first : first + _TOGETHER] for first in range(0, len(points), _TOGETHER)]
        with np.errstate(all="ignore"):
            return [one for part in parts for one in self._many(part, gradient, chosen)]

    def _many(self, points: FloatArray, gradient: bool, by: BoolArray) -> list[Score | NumericalError]:
        problem = self.problem
        directions = len(problem.estimated) if gradient else 0
        values = _values(problem, points, by & gradient)
        courses, failures = solve_experiments(self.equations, values, len(points), directions, self.solver)
        simulated, residuals, deviations = np.empty((3, len(points), len(problem.measurements)))
        slopes = np.zeros((len(points), 2, len(problem.measurements), directions))
        jacobian = np.zeros(len(problem.measurements))
        known = {observable.id: observable for observable in problem.observables}
        for (experiment, period, name), rows in self._groups().items():
            observable = known[name]
            measured = [problem.measurements[row] for row in rows]
            course = courses[experiment]
            prediction, noise = _predicted(
                self.equations, course, period, observable, measured, len(points), directions
            )
            value = np.array([one.value for one in measured])
            difference = Dual(_on_scale(Dual(value), observable.scale).value[:, np.newaxis])
            residual = (difference - _on_scale(prediction, observable.scale)) / noise
            simulated[:, rows], residuals[:, rows], deviations[:, rows] = (
                part.value.T for part in (prediction, residual, noise)
            )
            jacobian[rows] = _log_slope(value, observable.scale)
            for place, part in enumerate((residual, noise)):
                if part.slope is not None:
                    slopes[:, place, rows] = np.moveaxis(part.slope, 1, 0)
        found: list[Score | NumericalError] = []
        for place, point in enumerate(points):
            if place in failures:
                found.append(failures[place])
                continue
            own = slopes[place] if gradient else None
            log_likelihood, slope = _log_likelihood(residuals[place], deviations[place], jacobian, self.is_laplace, own)
            log_prior, prior_gradient = _prior(problem, point, by)
            found.append(
                Score(
                    log_likelihood=log_likelihood,
                    log_prior=log_prior,
                    chi2=float(np.square(residuals[place]).sum()),
                    simulated=simulated[place],
                    residuals=Dual(residuals[place], None if own is None else own[0]),
                    deviations=Dual(deviations[place], None if own is None else own[1]),
                    gradient=None if slope is None else slope + prior_gradient,
                    prior_gradient=prior_gradient if gradient else None,
                )
            )
        return found

    def _groups(self) -> dict[tuple[int, int, str], list[int]]:
        """Measurements by experiment, period and observable."""
        found: dict[tuple[int, int, str], list[int]] = {}
        for row, one in enumerate(self.problem.measurements):
            periods = self.problem.experiments[one.experiment].periods
            period = max(place for place, own in enumerate(periods) if not own.is_steady and own.time <= one.time)
            found.setdefault((one.experiment, period, one.observable), []).append(row)
        return found


def objective_of(problem: PetabProblem, *, rtol: float = RTOL, threads: int | None = None) -> Objective:
    """Objective of a problem; raises what `equations_of` does."""
    return Objective(equations_of(problem), Solver(rtol, threads))


def scaled(value: float, scale: str) -> float:
    """A value on a scale."""
    if scale == "lin":
        return value
    if value <= 0.0:
        return -math.inf
    return math.log(value) if scale == "log" else math.log10(value)


def unscaled(value: float, scale: str) -> float:
    """A value from a scale."""
    if scale == "lin":
        return value
    return math.exp(value) if scale == "log" else 10.0**value


def unscaled_slope(value: float, scale: str) -> float:
    """Derivative of a value by what it is on its scale."""
    own = unscaled(value, scale)
    return {"lin": 1.0, "log": own, "log10": own * _LOG_10}[scale]


def _values(problem: PetabProblem, points: FloatArray, by: BoolArray) -> dict[str, Dual]:
    found = {one.id: constant(one.nominal) for one in problem.parameters if not one.is_estimated}
    for place, (parameter, column) in enumerate(zip(problem.estimated, points.T, strict=True)):
        slope = None
        if by[place]:
            slope = np.zeros(points.shape)
            slope[:, place] = [unscaled_slope(float(value), parameter.scale) for value in column]
        found[parameter.id] = Dual(np.array([unscaled(float(value), parameter.scale) for value in column]), slope)
    return found


def _on_scale(values: Dual, scale: str) -> Dual:
    with np.errstate(all="ignore"):
        if scale == "lin":
            return values
        return values.log() if scale == "log" else values.log() * constant(1.0 / _LOG_10)


def _log_slope(values: FloatArray, scale: str) -> FloatArray:
    """Logarithm of the derivative of what is on a scale, up to its sign: of log 1/x, of log10 1/(x log 10)."""
    if scale == "lin":
        return np.zeros(len(values))
    return -log(values) - (0.0 if scale == "log" else math.log(_LOG_10))


def _predicted(
    equations: Equations,
    course: ExperimentCourse,
    period: int,
    observable: Measured,
    measured: list[MeasuredValue],
    points: int,
    count: int,
) -> tuple[Dual, Dual]:
    """Observable and noise of measurements."""
    times = course.recorded[period][0]
    rows = [int(np.flatnonzero(times == one.time)[0]) for one in measured]
    known = formula_values(equations, course, period, rows)
    for place, name in enumerate(observable.placeholders):
        known[name] = stacked([_given(one.parameters[place], known, one) for one in measured], count)
    for place, name in enumerate(observable.noise_placeholders):
        known[name] = stacked([_given(one.noise_parameters[place], known, one) for one in measured], count)
    shape = (len(measured), points)
    prediction = _wide(_formula(observable.formula, known, observable, "observableFormula"), shape)
    known[observable.id] = prediction
    return prediction, _wide(_formula(observable.noise, known, observable, "noiseFormula"), shape)


def _given(value: Expr, known: Mapping[str, Dual], measurement: MeasuredValue) -> Dual:
    if value.is_Rational:
        return constant(float(value))
    name = value.name
    if name not in known or np.ndim(known[name].value) > 1:
        raise InputError(
            f"`{name}` has no one value that a measurement could be given",
            code="petab.name",
            where=measurement.where,
            expected="a number or a parameter",
        )
    return known[name]


def _formula(formula: Expr, known: Mapping[str, Dual], observable: Measured, column: str) -> Dual:
    try:
        return evaluate(formula, known)
    except KeyError as error:
        raise InputError(
            f"nothing gives `{error.args[0]}` a value", code="petab.name", where=observable.where, found=column
        ) from None


def _wide(values: Dual, shape: tuple[int, ...]) -> Dual:
    """One number for each measurement and point."""
    slope = values.slope
    return Dual(
        np.broadcast_to(values.value, shape),
        None if slope is None else np.broadcast_to(slope, (*shape, slope.shape[-1])),
    )


def _log_likelihood(
    residuals: FloatArray,
    deviations: FloatArray,
    jacobian: FloatArray,
    is_laplace: BoolArray,
    slopes: FloatArray | None,
) -> tuple[float, FloatArray | None]:
    """Log-likelihood, and its derivative if there are slopes; minus infinity where it is undefined."""
    with np.errstate(all="ignore"):
        width = np.where(is_laplace, math.log(2.0), 0.5 * math.log(2.0 * math.pi)) + np.log(deviations)
        distance = np.where(is_laplace, np.abs(residuals), 0.5 * residuals**2)
        total = float((jacobian - width - distance).sum())
    if not math.isfinite(total):
        return -math.inf, None if slopes is None else np.full(slopes.shape[-1], np.nan)
    if slopes is None:
        return total, None
    by_residual = np.where(is_laplace, np.sign(residuals), residuals)
    return total, -(by_residual @ slopes[0]) - (1.0 / deviations) @ slopes[1]


def _prior(problem: PetabProblem, point: FloatArray, by: BoolArray) -> tuple[float, FloatArray]:
    total, gradient = 0.0, np.zeros(len(point))
    for place, (parameter, value) in enumerate(zip(problem.estimated, point, strict=True)):
        own, slope = _prior_of(parameter, float(value))
        total += own
        gradient[place] = slope if by[place] else 0.0
    return total, gradient


def _prior_of(parameter: EstimatedParameter, value: float) -> tuple[float, float]:
    """Logarithm of a prior, and its derivative by the parameter on its scale."""
    if parameter.prior is None:
        return 0.0, 0.0
    own = unscaled(value, parameter.scale)
    density, slope = log_density(parameter.prior, own, (parameter.lower, parameter.upper))
    return density, slope * unscaled_slope(value, parameter.scale)
