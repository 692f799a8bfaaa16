"""Fits of estimation problems: the greatest likelihood times prior, from many starting points.

Each start goes down by damped Newton steps (`simulate.inference.descent`), all of them side by side, so that the model
is solved for many points at once. What is minimized, with its gradient and curvature, is in
`simulate.studies.petab.slopes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from simulate.errors import InputError, NotConverged, NumericalError, counted
from simulate.exchange.petab.problem import EstimatedParameter
from simulate.inference.descent import Descent, Slope, descending, together
from simulate.solver.kernel import FloatArray
from simulate.streams import uniforms
from simulate.studies.petab.objective import Objective, scaled, unscaled
from simulate.studies.petab.outcomes import ProblemPosterior, ProblemProfiles
from simulate.studies.petab.slopes import slopes_of, values_of

NEAR = 0.1
"""Log-likelihood within which a start has reached the best point."""
_APART = 0.01
"""Share of the distance of the bounds by which points are told apart in a parameter without a standard error."""
CANDIDATES = 60
"""Points that are drawn for each start."""
_FIRST_AND_BEST = 5
"""How many of them go down for a short way: the first, whatever they are worth, and as many of the others, the best."""
_FIRST_STEPS, _SHORT, _ROUGH = 30, 40, 1e-2
"""Steps of descents in what the solution does not depend on, and of short ones, and their tolerance."""
_MAX_STEPS = 10_000
"""Steps after which a solution is given up: a search comes upon points that would take a hundred thousand."""
_EDGE = 1e-6
"""Share of the distance of the bounds at which a value is at one."""
_SINGULAR = 1e-10
"""Least eigenvalue of the scaled information, over the greatest, with which standard errors exist."""
_NOWHERE = Descent(np.empty(0), math.inf, Slope(math.inf, np.empty(0), np.empty(0)), 0, CANDIDATES, "undefined")


@dataclass(frozen=True, slots=True)
class FittedParameter:
    """The estimate of a parameter.

    Attributes
    ----------
    name, scale
        Its name, and the scale on which it was sought.
    value, lower, upper, nominal
        Estimate, bounds and nominal value; None where there is none.
    error
        Standard error on the scale, by Fisher's information; None where the data do not determine the parameters, and
        of a value at a bound.
    at
        ``lower`` or ``upper`` where the estimate is at a bound, else empty.
    """

    name: str
    scale: str
    value: float
    lower: float
    upper: float
    nominal: float | None
    error: float | None
    at: str


@dataclass(frozen=True, slots=True)
class FitStart:
    """One start: where it ended.

    ``log_posterior`` is None, and there are no ``values`` of parameters, where no point was found that can be solved.
    """

    start: int
    log_posterior: float | None
    steps: int
    evaluations: int
    ended: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class PetabFit:
    """A fit of an estimation problem.

    Attributes
    ----------
    log_likelihood, log_prior, chi2
        At the best point.
    nominal_log_likelihood
        At the nominal values; None where there are none, or they cannot be solved.
    measurements
        Number of measurements.
    reached
        How many starts ended within `NEAR` of the best.
    elsewhere
        How many of these lie elsewhere: in a parameter by more than its error, or by a hundredth of its range where it
        has none. If there are any, the estimates are not unique.
    differences
        At how many points of the search derivatives that do not exist were replaced by central differences.
    parameters, starts
        Estimates, and all starts, the best first.
    point
        The best point on the scales of the parameters.
    simulated
        Values of the observables there, in the order of the measurements.
    profiles, posterior
        What was asked for beside; None where it was not.
    """

    log_likelihood: float
    log_prior: float
    chi2: float
    nominal_log_likelihood: float | None
    measurements: int
    reached: int
    elsewhere: int
    differences: int
    parameters: tuple[FittedParameter, ...]
    starts: tuple[FitStart, ...]
    point: FloatArray
    simulated: FloatArray
    profiles: ProblemProfiles | None = None
    posterior: ProblemPosterior | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fit as plain values."""
        own = {
            name: getattr(self, name)
            for name in (
                *("log_likelihood", "log_prior", "chi2", "nominal_log_likelihood", "measurements"),
                *("reached", "elsewhere", "differences"),
            )
        }
        return {
            **own,
            "parameters": [asdict(row) for row in self.parameters],
            "starts": [asdict(row) for row in self.starts],
            **({} if self.profiles is None else {"profiles": self.profiles.as_dict()}),
            **({} if self.posterior is None else {"posterior": self.posterior.as_dict()}),
        }


def fit_objective(
    objective: Objective, *, starts: int, seed: int, told: Callable[[FitStart], None] | None = None
) -> PetabFit:
    """Fit a problem from several starting points.

    Parameters
    ----------
    objective
        The objective.
    starts
        Number of starts. Each is the best of a few points that go down for a short way, of more that are uniform
        between the bounds on the scales of the parameters, or drawn from the priors that the problem has for this.
        A start has the same bits whatever their number.
    seed
        Seed of the starts.
    told
        Called with each start when it has ended.

    Raises
    ------
    InputError
        ``petab.nothing``: no parameter is sought.
    NotConverged
        ``petab.starts``: no start can be solved.
    """
    problem = objective.problem
    if not problem.estimated:
        raise InputError("no parameter of the problem is to be estimated", code="petab.nothing")
    bounds = objective.bounds()
    quick = replace(objective, solver=replace(objective.solver, max_steps=_MAX_STEPS, known={}))
    differences: list[int] = []
    begun = _beginnings(quick, seed, starts, differences.append)
    descents = {number: descending(one.point, bounds) for number, one in begun.items()}
    found: list[tuple[FitStart, Descent]] = []

    def tell(number: int, descent: Descent) -> None:
        found.append((_row(objective, number, descent), descent))
        if told is not None:
            told(found[-1][0])

    for number in range(starts):
        if number not in begun:
            tell(number, _NOWHERE)
    for number, descent in together(descents, values_of(quick), slopes_of(quick, told=differences.append)):
        tell(number, replace(descent, evaluations=descent.evaluations + begun[number].evaluations))
    found.sort(key=lambda one: one[0].start)
    ended = [(row, descent) for row, descent in found if row.log_posterior is not None]
    if not ended:
        raise NotConverged(
            "the model could be solved at none of the starting points",
            code="petab.starts",
            found=f"{counted(starts, 'start')}, {CANDIDATES} points each, {_MAX_STEPS:,} steps of the solver at most",
            advice="narrow the bounds, or give priors for the starting points",
        )
    _, best = max(ended, key=lambda one: -one[1].value)
    score = objective(best.point)
    parameters = tuple(_parameters(objective, best))
    reached = [descent.point for _, descent in ended if descent.value <= best.value + NEAR]
    widths = _APART * (bounds[:, 1] - bounds[:, 0])
    apart = [width if one.error is None else one.error for one, width in zip(parameters, widths, strict=True)]
    return PetabFit(
        log_likelihood=score.log_likelihood,
        log_prior=score.log_prior,
        chi2=score.chi2,
        nominal_log_likelihood=_nominal(objective),
        measurements=len(problem.measurements),
        reached=len(reached),
        differences=sum(differences),
        elsewhere=sum(bool(np.any(np.abs(point - best.point) > apart)) for point in reached),
        parameters=parameters,
        starts=tuple(sorted((row for row, _ in found), key=lambda one: (-_rank(one), one.start))),
        point=best.point,
        simulated=score.simulated,
    )


def _rank(row: FitStart) -> float:
    return -math.inf if row.log_posterior is None else row.log_posterior


def _nominal(objective: Objective) -> float | None:
    try:
        found = objective(objective.nominal()).log_likelihood
    except (InputError, NumericalError):
        return None
    return found if math.isfinite(found) else None


def _beginnings(objective: Objective, seed: int, starts: int, told: Callable[[int], None]) -> dict[int, Descent]:
    """Where starts begin: the lowest end of a few short descents each. A start that cannot be solved has none.

    The short ones begin at the first points that are drawn for a start, and at the best of all, with the parameters
    of which the solution is independent (factors, offsets, widths of the noise) fitted first. Without that the others
    would be driven off to make up for them, and points could not be told apart.
    """
    bounds = objective.bounds()
    inside = objective.inside()
    drawn = [_drawn_points(objective, bounds, seed, number) for number in range(starts)]
    lowest: dict[tuple[int, int], Descent] = {}
    descents = {}
    for number, points in enumerate(drawn):
        for place, point in enumerate(points):
            own = bounds.copy()
            own[inside] = point[inside, np.newaxis]
            descents[number, place] = descending(point, own, most_steps=_FIRST_STEPS, tolerance=_ROUGH)
    values = values_of(objective)
    spent = dict.fromkeys(range(starts), 0)
    for key, found in together(descents, values, slopes_of(objective, ~inside, told)):
        spent[key[0]] += found.evaluations
        if found.ended != "undefined":
            lowest[key] = found
    chosen = [key for number in range(starts) for key in _chosen(lowest, number)]
    short = {key: descending(lowest[key].point, bounds, most_steps=_SHORT, tolerance=_ROUGH) for key in chosen}
    ends: dict[int, Descent] = {}
    for (number, _), found in together(short, values, slopes_of(objective, told=told)):
        spent[number] += found.evaluations
        if found.ended != "undefined" and (number not in ends or found.value < ends[number].value):
            ends[number] = found
    return {number: replace(found, evaluations=spent[number]) for number, found in ends.items()}


def _chosen(lowest: Mapping[tuple[int, int], Descent], number: int) -> list[tuple[int, int]]:
    """Of the points of a start that can be solved the first ones, and the best of the others."""
    own = sorted(key for key in lowest if key[0] == number)
    others = sorted(own[_FIRST_AND_BEST:], key=lambda key: (lowest[key].value, key))
    return [*own[:_FIRST_AND_BEST], *others[:_FIRST_AND_BEST]]


def _drawn_points(objective: Objective, bounds: FloatArray, seed: int, number: int) -> FloatArray:
    estimated = objective.problem.estimated
    shares = [uniforms(seed, f"petab start {place}", [number], len(estimated))[0] for place in range(CANDIDATES)]
    return np.array(
        [
            [_drawn(one, float(share), own) for one, share, own in zip(estimated, row, bounds, strict=True)]
            for row in shares
        ]
    )


def _row(objective: Objective, number: int, descent: Descent) -> FitStart:
    if not math.isfinite(descent.value):
        return FitStart(number, None, 0, descent.evaluations, "not solved", {})
    values = {
        one.id: unscaled(float(value), one.scale)
        for one, value in zip(objective.problem.estimated, descent.point, strict=True)
    }
    return FitStart(number, -descent.value, descent.steps, descent.evaluations, descent.ended, values)


def _drawn(parameter: EstimatedParameter, share: float, bounds: FloatArray) -> float:
    """Quantile of where a parameter is begun, on its scale and between its bounds."""
    prior = parameter.start
    low, high = float(bounds[0]), float(bounds[1])
    if prior is None:
        return low + share * (high - low)
    if prior.kind == "uniform":
        place = prior.first + share * (prior.second - prior.first)
    elif prior.kind == "normal":
        from scipy.special import ndtri

        place = prior.first + prior.second * float(ndtri(share))
    else:
        tail = math.log(2.0 * min(share, 1.0 - share))
        place = prior.first + (prior.second * tail if share < 0.5 else -prior.second * tail)
    return min(max(scaled(unscaled(place, prior.scale), parameter.scale), low), high)


def _parameters(objective: Objective, best: Descent) -> list[FittedParameter]:
    bounds = objective.bounds()
    edge = _EDGE * (bounds[:, 1] - bounds[:, 0])
    at = [
        "lower" if value <= low + near else "upper" if value >= high - near else ""
        for value, (low, high), near in zip(best.point, bounds, edge, strict=True)
    ]
    errors = _errors(best.slope.curvature, np.array([not one for one in at]))
    return [
        FittedParameter(
            name=parameter.id,
            scale=parameter.scale,
            value=unscaled(float(value), parameter.scale),
            lower=parameter.lower,
            upper=parameter.upper,
            nominal=None if math.isnan(parameter.nominal) else parameter.nominal,
            error=error,
            at=where,
        )
        for parameter, value, error, where in zip(objective.problem.estimated, best.point, errors, at, strict=True)
    ]


def _errors(information: FloatArray, free: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[float | None]:
    """Standard errors of the coordinates that are free; None for others, and for all if they are not determined."""
    found: list[float | None] = [None] * len(free)
    own = information[np.ix_(free, free)]
    if not free.any() or np.any(np.diag(own) <= 0.0):
        return found
    root = np.sqrt(np.diag(own))
    values, vectors = np.linalg.eigh(own / np.outer(root, root))
    if values[0] <= _SINGULAR * values[-1]:
        return found
    variances = np.square(vectors / np.sqrt(values)).sum(axis=1) / root**2
    for place, variance in zip(np.flatnonzero(free), variances, strict=True):
        found[int(place)] = float(math.sqrt(variance))
    return found
