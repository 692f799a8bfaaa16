"""How patients differ: spreads of parameters, covariates that act on them, correlations, and strata.

All of it is data; the shipped population is `parameters/cohort.toml`, read by `simulate.cohort.reading`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from simulate.elementwise import exp, log
from simulate.errors import InputError, did_you_mean, listed
from simulate.streams import FloatArray
from simulate.symbolic.parts import Grade, Parameter


@dataclass(frozen=True, slots=True)
class Correlation:
    """Correlation ``rho`` between the logarithms of two parameters or covariates."""

    a: str
    b: str
    rho: float
    source: str = "user"
    grade: Grade = Grade.ASSUMED


@dataclass(frozen=True, slots=True)
class PowerEffect:
    """A parameter is proportional to (covariate / its typical value) ** ``exponent``."""

    covariate: str
    parameter: str
    exponent: float
    source: str = "user"
    grade: Grade = Grade.ASSUMED

    def factor(self, values: FloatArray, typical: float) -> FloatArray:
        """Factor on the parameter at some values of the covariate, of their shape."""
        return exp(self.exponent * log(values / typical))


@dataclass(frozen=True, slots=True)
class SlopeEffect:
    """The decimal logarithm of a parameter rises by ``log10_slope`` for each unit of the covariate."""

    covariate: str
    parameter: str
    log10_slope: float
    source: str = "user"
    grade: Grade = Grade.ASSUMED

    def factor(self, values: FloatArray, typical: float) -> FloatArray:
        """Factor on the parameter at some values of the covariate, of their shape."""
        return exp(self.log10_slope * math.log(10.0) * (values - typical))


Effect = PowerEffect | SlopeEffect


@dataclass(frozen=True, slots=True)
class Stratum:
    """A kind of patient: ``count`` of them in the population, who differ in the typical value of ``parameters``."""

    name: str
    count: float
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """How much of a dose by a route arrives differs from dose to dose of a patient, log-normally about the usual."""

    route: str
    sd_log: float
    source: str = "user"
    grade: Grade = Grade.ASSUMED


@dataclass(frozen=True, slots=True)
class Retained:
    """The ``share`` of those who entered a study that was still in it at ``day``."""

    day: float
    share: float
    source: str = "user"
    grade: Grade = Grade.ASSUMED


def staying(retention: Sequence[Retained], day: float) -> float:
    """Share of those who entered a study that is expected in it on a day: as members of a cohort leave.

    Between figures the hazard is constant; after the last one, of which nothing is known, nobody leaves.
    """
    before = Retained(0.0, 1.0)
    for after in retention:
        if day < after.day:
            passed = (day - before.day) / (after.day - before.day)
            return float(before.share * (after.share / before.share) ** passed)
        before = after
    return before.share


@dataclass(frozen=True, slots=True)
class Population:
    """The distribution that a cohort is drawn from.

    A parameter of a member is its typical value, in the member's stratum, times the factors of the covariates, times
    a log-normal deviate, within its bounds: the log-normal distribution is cut there. Parameters are correlated by a
    Gaussian copula. The spread of a parameter is what the covariates leave unexplained. How patients are made of it is
    in `simulate.cohort.transform`.

    Attributes
    ----------
    parameters
        Every parameter that a cohort is to have, with or without spread, in its order.
    covariates
        Properties of a patient that act on parameters, with typical value, spread and bounds.
    correlations, effects, strata
        Name parameters and covariates of this population only. Without strata, all patients are of one kind.
    retention
        How many stay in the study, in the order of time; all do if it is empty.
    occasions
        How doses differ from one to the next, by route; a route that is not there has none.

    Raises
    ------
    InputError
        ``cohort.parameter``, ``cohort.correlation``, ``cohort.stratum``, ``cohort.retention`` or ``cohort.occasion``.
    """

    parameters: tuple[Parameter, ...]
    covariates: tuple[Parameter, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    effects: tuple[Effect, ...] = ()
    strata: tuple[Stratum, ...] = ()
    retention: tuple[Retained, ...] = ()
    occasions: tuple[Occasion, ...] = ()

    def __post_init__(self) -> None:
        names = [part.name for part in (*self.parameters, *self.covariates)]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"the population has two parts with the name `{twice}`", code="cohort.parameter")
        for part in (*self.parameters, *self.covariates, *(row for kind in self.strata for row in kind.parameters)):
            _check_part(part)
        for effect in self.effects:
            _check_known(effect.covariate, "covariate", [part.name for part in self.covariates])
            _check_known(effect.parameter, "parameter", [part.name for part in self.parameters])
        for stratum in self.strata:
            if not (math.isfinite(stratum.count) and stratum.count > 0.0):
                raise InputError(
                    f"the stratum `{stratum.name}` has {stratum.count!r} patients",
                    code="cohort.stratum",
                    expected="a number above 0; only the proportions count",
                )
            for row in stratum.parameters:
                _check_known(row.name, "parameter", [part.name for part in self.parameters])
        self._check_correlations()
        for before, after in itertools.pairwise((Retained(0.0, 1.0), *self.retention)):
            if not (before.day < after.day < math.inf and 0.0 < after.share <= before.share):
                raise InputError(
                    f"{after.share!r} cannot be in the study at day {after.day!r}",
                    code="cohort.retention",
                    found=f"{before.share!r} at day {before.day!r}",
                    expected="days that ascend from 0, and shares above 0 that never rise",
                )

        routes = [occasion.route for occasion in self.occasions]
        for occasion in self.occasions:
            if routes.count(occasion.route) > 1 or not (math.isfinite(occasion.sd_log) and occasion.sd_log >= 0.0):
                raise InputError(
                    f"the spread between doses of route `{occasion.route}` is {occasion.sd_log!r}",
                    code="cohort.occasion",
                    expected="one finite number for each route, not negative",
                )

    def _check_correlations(self) -> None:
        spread = [part.name for part in (*self.parameters, *self.covariates) if part.spread is not None]
        for correlation in self.correlations:
            _check_known(correlation.a, "parameter with a spread", spread)
            _check_known(correlation.b, "parameter with a spread", spread)
            if correlation.a == correlation.b or not -1.0 < correlation.rho < 1.0:
                raise InputError(
                    f"the correlation of `{correlation.a}` and `{correlation.b}` cannot be {correlation.rho!r}",
                    code="cohort.correlation",
                    expected="two different names and a number between -1 and 1",
                )
        for block in correlated(self):
            cholesky(block, self.correlations)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of a cohort's columns."""
        return tuple(parameter.name for parameter in self.parameters)


def correlated(population: Population) -> tuple[tuple[str, ...], ...]:
    """Sets of parameters and covariates that are correlated, each in alphabetical order; sets are independent."""
    block_of: dict[str, set[str]] = {}
    for pair in population.correlations:
        joined = block_of.get(pair.a, {pair.a}) | block_of.get(pair.b, {pair.b})
        for name in joined:
            block_of[name] = joined
    return tuple(sorted({tuple(sorted(block)) for block in block_of.values()}))


def cholesky(
    block: Sequence[str],
    correlations: Sequence[Correlation],
    rho: Mapping[tuple[str, str], FloatArray] = MappingProxyType({}),
) -> FloatArray:
    """Lower triangular factor of the matrix of correlations of a block.

    Parameters
    ----------
    block
        Names of the rows and columns.
    correlations
        Those that are not there are 0.
    rho
        Numbers in place of those of ``correlations``, by their pairs, all of one shape.

    Returns
    -------
    ndarray
        Shape [..., name, name]; what comes first is the shape of ``rho``.

    Raises
    ------
    InputError
        ``cohort.correlation``: no distribution has these correlations.
    """
    position = {name: index for index, name in enumerate(block)}
    shape = np.broadcast_shapes(*(values.shape for values in rho.values()))
    matrix = np.zeros((*shape, len(block), len(block)))
    for correlation in correlations:
        if correlation.a in position:
            a, b = position[correlation.a], position[correlation.b]
            matrix[..., a, b] = matrix[..., b, a] = rho.get((correlation.a, correlation.b), correlation.rho)
    # Plain loops: the bits of a draw must not depend on a linear algebra library and its threads.
    factor = np.zeros_like(matrix)
    for row in range(len(block)):
        for column in range(row + 1):
            rest = np.ones(shape) if row == column else matrix[..., row, column].copy()
            for inner in range(column):
                rest = rest - factor[..., row, inner] * factor[..., column, inner]
            if row != column:
                factor[..., row, column] = rest / factor[..., column, column]
            elif np.any(rest <= 0.0):
                raise InputError(
                    "the correlations contradict each other",
                    code="cohort.correlation",
                    found="among " + listed(block),
                    advice="if a goes with b and b with c, then a and c cannot go against each other",
                )
            else:
                factor[..., row, row] = np.sqrt(rest)
    return factor


def _check_known(name: str, what: str, known: Sequence[str]) -> None:
    if name not in known:
        raise InputError(
            f"the population has no {what} `{name}`", code="cohort.parameter", advice=did_you_mean(name, known)
        )


def _check_part(part: Parameter) -> None:
    if part.spread is not None and not (math.isfinite(part.value) and part.value > 0.0):
        raise InputError(
            f"`{part.name}` varies log-normally, but its typical value is {part.value!r}",
            code="cohort.parameter",
            expected="a number above 0, or no spread",
        )
    if part.spread is not None and not (math.isfinite(part.spread.sd_log) and part.spread.sd_log >= 0.0):
        raise InputError(
            f"the spread of `{part.name}` is {part.spread.sd_log!r}",
            code="cohort.parameter",
            expected="a finite number, not negative",
        )
    if part.bounds is not None and not part.bounds[0] < part.bounds[1]:
        raise InputError(
            f"the bounds of `{part.name}` are not in order", code="cohort.parameter", found=repr(part.bounds)
        )
