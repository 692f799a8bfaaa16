"""What a method is: coefficients, one attempt and a dense output. It never loops over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba import types

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, compiled, inlined
from simulate.solver.layout import LANES, NOW, STEP, TIME

ATTEMPT = types.void(WORKSPACE, types.int64, *[BLOCK_FUNCTION] * 4)
"""``attempt(w, n, rhs, jacobian, factor, backsolve)``: advance every lane of the block by its own step.

Reads ``NOW``, ``STEP``, ``SIZE``, ``START`` and the derivative there in ``stage(0)``; leaves the new state in
``STATE``, the derivative there in ``RATE`` and the error estimate in ``ERROR``, which is undefined where that
derivative is.
"""

INTERPOLATE = types.void(WORKSPACE, types.int64, types.int64, types.float64)
"""``interpolate(w, n, lane, theta)``: one lane's state at the share ``theta`` of the step → ``RESULT``."""

EXTEND = types.void(WORKSPACE, types.int64, BLOCK_FUNCTION)
"""``extend(w, n, rhs)``: evaluate what `interpolate` needs beyond the attempt, for the whole block.

Called once after an attempt if an output of any lane lies inside its step; leaves ``STATE`` and ``RATE`` as they were.
"""


@inlined
def to_node(w: Any, node: float) -> None:
    """Set the time of evaluation to the share ``node`` of every lane's step."""
    for lane in range(LANES):
        w[TIME + lane] = w[NOW + lane] + node * w[STEP + lane]


@compiled(EXTEND)
def no_extension(w: Any, n: int, rhs: Any) -> None:
    """The extension of a method whose attempt has all that its dense output needs."""


@dataclass(frozen=True, slots=True)
class Method:
    """A one-step method.

    Attributes
    ----------
    name
        Name for readers.
    order, error_order
        Order of the solution that is carried on, and of the error estimate that steers the step.
    stages
        Evaluations of the right-hand side in one attempt.
    stiff
        Whether `attempt` uses Jacobian, factor and backsolve.
    attempt, interpolate, extend
        Compiled functions, see `ATTEMPT`, `INTERPOLATE` and `EXTEND`.
    dense_order
        Order of the dense output: its error within one step falls with this power of the step, and one more.
    dense_stages
        Evaluations of the right-hand side in `extend`.
    """

    name: str
    order: int
    error_order: int
    stages: int
    stiff: bool
    attempt: Callable[..., Any]
    interpolate: Callable[..., Any]
    dense_order: int = 4
    dense_stages: int = 0
    extend: Callable[..., Any] = no_extension
