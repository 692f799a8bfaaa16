"""An estimation problem: measurements, the conditions under which they were taken, and the parameters to estimate.

Both versions of PEtab are read into these values. A condition is a set of changes; an experiment has periods, each of
which begins with changes; a period that begins at minus infinity goes on until nothing moves any more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sympy import Expr

from simulate.errors import Where

SCALES = ("lin", "log", "log10")
"""Scales of parameters, and of observables where they are compared with what was measured."""
DISTRIBUTIONS = ("normal", "laplace")
"""Distributions of measurement noise, on the scale of the observable."""


@dataclass(frozen=True, slots=True)
class Prior:
    """A prior that is part of the objective, or of which starting points are drawn.

    Attributes
    ----------
    kind
        ``uniform``, ``normal`` or ``laplace``.
    scale
        Scale on which it is one: ``lin``, ``log`` or ``log10``.
    first, second
        Limits of a uniform one; location and scale of others; on that scale.
    is_density_of_value
        Whether the density is that of the value itself, and not of the value on the scale.
    truncated
        Whether the density is normalized between the bounds of the parameter.
    """

    kind: str
    scale: str
    first: float
    second: float
    is_density_of_value: bool = True
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class EstimatedParameter:
    """A row of the table of parameters; ``nominal`` is NaN where none is given, ``name`` what a reader is told."""

    id: str
    scale: str
    lower: float
    upper: float
    nominal: float
    is_estimated: bool
    prior: Prior | None
    start: Prior | None
    where: Where
    name: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table of observables; ``name`` is what a reader is told.

    ``placeholders`` and ``noise_placeholders`` are names in the formulas for which each measurement gives something.
    """

    id: str
    formula: Expr
    noise: Expr
    scale: str
    distribution: str
    placeholders: tuple[str, ...]
    noise_placeholders: tuple[str, ...]
    where: Where
    name: str = ""


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """What a condition does: ``target`` becomes ``value``; None gives it back what the model says."""

    target: str
    value: Expr | None
    where: Where


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of an experiment, from ``time`` on; minus infinity is a steady state before the experiment."""

    time: float
    changes: tuple[ConditionChange, ...]

    @property
    def is_steady(self) -> bool:
        """Whether the period goes on until nothing moves any more."""
        return self.time == -math.inf


@dataclass(frozen=True, slots=True)
class Experiment:
    """Periods in the order of time. The last goes on as long as something is measured."""

    id: str
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class MeasuredValue:
    """A row of the table of measurements; ``experiment`` counts from 0; at infinity a steady state is measured."""

    observable: str
    experiment: int
    time: float
    value: float
    parameters: tuple[Expr, ...]
    noise_parameters: tuple[Expr, ...]
    where: Where


@dataclass(frozen=True, slots=True)
class PetabProblem:
    """An estimation problem.

    Attributes
    ----------
    path, version
        The file, and the major version of PEtab.
    model
        File of the model, in SBML.
    parameters, observables, experiments, measurements
        Rows of the tables.
    aliases
        Names of the tables for identifiers of the model.
    dropped
        What was not read, in words, without influence on any number.
    """

    path: Path
    version: int
    model: Path
    parameters: tuple[EstimatedParameter, ...]
    observables: tuple[Measured, ...]
    experiments: tuple[Experiment, ...]
    measurements: tuple[MeasuredValue, ...]
    aliases: Mapping[str, str]
    dropped: tuple[str, ...]

    @property
    def estimated(self) -> tuple[EstimatedParameter, ...]:
        """Parameters that are sought."""
        return tuple(parameter for parameter in self.parameters if parameter.is_estimated)
