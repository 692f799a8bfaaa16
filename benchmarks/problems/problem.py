"""What a test problem is: equations, doses, and times to compare at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from simulate.kernels.system import System, infusion
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Schedule, StopKind

Stop = tuple[float, StopKind, int, float]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A system without parameters, and how it is to be solved.

    Attributes
    ----------
    name, source
        What it is called, and where it is from.
    system
        Its equations.
    times
        When to compare.
    stiff
        Whether an explicit method would need very many steps.
    start
        Time of the initial state.
    stops
        Doses, as rows of `Schedule.from_rows`.
    gate
        Largest accepted constant: global error in tolerances. More than 100 where the problem itself magnifies errors.
    has_series
        Whether Taylor series can carry the right-hand side.
    """

    name: str
    source: str
    system: System
    times: FloatArray
    stiff: bool
    start: float = 0.0
    stops: tuple[Stop, ...] = ()
    gate: float = 100.0
    has_series: bool = True

    @property
    def parameters(self) -> FloatArray:
        """The one member, which has no parameters, shape [1, 0]."""
        return np.zeros((1, 0))

    @property
    def schedule(self) -> Schedule:
        """The doses of the one member."""
        return Schedule.from_rows([self.stops])


def until(end: float, count: int = 5) -> FloatArray:
    """Times that divide the span from 0 to ``end`` evenly, without 0."""
    return np.linspace(0.0, end, count + 1)[1:]


def with_route(system: System, state: int = 0) -> System:
    """The same system with a route ``in`` that feeds one of its states one for one."""
    rates = [rate + infusion("in") if index == state else rate for index, rate in enumerate(system.rhs)]
    return replace(system, rhs=tuple(rates), routes=("in",), route_targets=(state,), gains=(sympy.S.One,))


def boluses(times: Sequence[float], amount: float) -> tuple[Stop, ...]:
    """The same dose at several times."""
    return tuple((float(time), StopKind.BOLUS, 0, amount) for time in times)


def infusion_of(time: float, amount: float, duration: float) -> tuple[Stop, ...]:
    """A dose that flows in evenly for a while."""
    rate = amount / duration
    return ((time, StopKind.RATE, 0, rate), (time + duration, StopKind.RATE, 0, -rate))
