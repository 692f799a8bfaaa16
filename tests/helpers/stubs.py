"""A kernel and a method without numerics: the state is a clock, and a parameter decides which steps are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate.compiled import WORKSPACE, compiled
from simulate.later import types
from simulate.solver import FloatArray, IntArray, Method
from simulate.solver.layout import CONSTANTS, ERROR, LANES, RATE, RESULT, START, STATE, STEP
from simulate.solver.methods.method import ATTEMPT, INTERPOLATE

_BLOCK = types.void(WORKSPACE)
_GAIN = 3
_CONDITION = 4


@compiled(_BLOCK)
def _prepare(w: Any) -> None:
    for lane in range(LANES):
        w[RESULT + lane] = w[CONSTANTS + 1 * LANES + lane]
        w[CONSTANTS + _GAIN * LANES + lane] = 1.0
        w[CONSTANTS + _CONDITION * LANES + lane] = w[CONSTANTS + lane]


@compiled(_BLOCK)
def _rhs(w: Any) -> None:
    for lane in range(LANES):
        w[RATE + lane] = 1.0


@compiled(_BLOCK)
def _observe(w: Any) -> None:
    for lane in range(LANES):
        w[RESULT + lane] = 2.0 * w[STATE + lane]


@dataclass(frozen=True)
class ClockKernel:
    """One state that counts days. Parameters: the largest step the stub method accepts, and the value at the start."""

    key: str = "clock"
    states: tuple[str, ...] = ("clock",)
    parameters: tuple[str, ...] = ("largest_step", "first_value")
    observables: tuple[str, ...] = ("twice",)
    units: tuple[str, ...] = ("d", "d")
    routes: tuple[str, ...] = ("jump",)
    conditions: tuple[str, ...] = ("the largest step must not be negative",)
    infusion_row: int = 2
    gain_row: int = _GAIN
    condition_row: int = _CONDITION
    rows: int = 5
    prepare: Any = _prepare
    rhs: Any = _rhs
    observe: Any = _observe
    jacobian: Any = _rhs
    factor: Any = _rhs
    backsolve: Any = _rhs
    sense: Any = _rhs
    jump: Any = _rhs
    cross: Any = _rhs
    hybrid: Any = None

    @property
    def controlled(self) -> int:
        """The only state decides on the steps."""
        return 1

    def breaks(self, parameters: FloatArray, start: float, end: float) -> tuple[IntArray, FloatArray]:
        """The clock runs evenly."""
        return np.empty(0, dtype=np.int64), np.empty(0)

    @property
    def judged(self) -> int:
        """All observables must be defined."""
        return len(self.observables)

    @property
    def route_offsets(self) -> IntArray:
        """One target for the only route."""
        return np.array([0, 1])

    @property
    def route_targets(self) -> IntArray:
        """The only route feeds the only state."""
        return np.zeros(1, dtype=np.int64)


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    rhs(w)
    for lane in range(LANES):
        w[STATE + lane] = w[START + lane] + w[STEP + lane]
        refused = w[STEP + lane] > w[CONSTANTS + lane]
        w[ERROR + lane] = 1e300 if refused else 0.0


@compiled(INTERPOLATE)
def _interpolate(w: Any, n: int, lane: int, theta: float) -> None:
    w[RESULT + lane] = w[START + lane] + theta * w[STEP + lane]


SCRIPTED = Method(
    name="scripted",
    order=1,
    error_order=1,
    stages=1,
    stiff=False,
    attempt=_attempt,
    interpolate=_interpolate,
)
