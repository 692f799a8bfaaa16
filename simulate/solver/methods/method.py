"""What a method is: coefficients, one attempt and a dense output. It never loops over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, compiled, inlined
from simulate.later import types
from simulate.solver.layout import LANES, NOW, STEP, TIME
from simulate.solver.tableau import ButcherTableau

ATTEMPT = types.void(WORKSPACE, types.int64, *[BLOCK_FUNCTION] * 4)
"""``attempt(w, n, rhs, jacobian, factor, backsolve)``: advance every lane of the block by its own step.

Reads ``NOW``, ``STEP``, ``START`` and the derivative there in ``stage(0)``; leaves the new state in
``STATE``, the derivative there in ``RATE`` and the error estimate in ``ERROR``, which is undefined where that
derivative is.
"""

INTERPOLATE = types.void(WORKSPACE, types.int64, types.int64, types.float64)
"""``interpolate(w, n, lane, theta)``: one lane's state at the share ``theta`` of the step → ``RESULT``."""

EXTEND = types.void(WORKSPACE, types.int64, *[BLOCK_FUNCTION] * 2)
"""``extend(w, n, rhs, jacobian)``: evaluate what `interpolate` needs beyond the attempt, for the whole block.

Called once after an attempt if an output of any lane lies inside its step; leaves ``STATE`` and ``RATE`` as they were.
"""

PROPOSE = types.void(WORKSPACE, types.int64, BLOCK_FUNCTION)
"""``propose(w, n, jets)``: find the derivatives at the start of the step and the steps that they allow.

Only for methods that work with Taylor series. Reads ``NOW``, ``START``, ``LIMIT`` and the tolerances; leaves the
derivatives of order k in ``stage(k - 1)`` and the step in ``STEP``, which `attempt` need not doubt.
"""


@inlined
def to_node(w: Any, node: float) -> None:
    """Set the time of evaluation to the share ``node`` of every lane's step."""
    for lane in range(LANES):
        w[TIME + lane] = w[NOW + lane] + node * w[STEP + lane]


@compiled(EXTEND)
def no_extension(w: Any, n: int, rhs: Any, jacobian: Any) -> None:
    """The extension of a method whose attempt has all that its dense output needs."""


@compiled(PROPOSE)
def no_proposal(w: Any, n: int, jets: Any) -> None:
    """The proposal of a method whose steps follow from its error estimates."""


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
    series
        Order of the Taylor series that the method works with; 0 for none. Such a method chooses its steps itself.
    propose
        Compiled function of a method with series, see `PROPOSE`.
    followed
        Coefficients of a method whose `attempt` is given the kernel's `steps` in the place of a Jacobian; None if not.
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
    series: int = 0
    propose: Callable[..., Any] = no_proposal
    followed: ButcherTableau | None = None

    @property
    def extends(self) -> bool:
        """Whether `extend` does anything."""
        return self.extend is not no_extension
