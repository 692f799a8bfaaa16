"""Steps in which one block of states after another follows the first.

A kernel may have states in blocks of one size: the first is a system of its own, and each of the others depends on
itself and on the first. Its `rhs` is told by ``COMMAND`` what to compute: everything (0, as in a fresh workspace); the
derivative of the first block, remembering for stage ``STAGE`` what the others need (-1); or the derivative of one of
the others from what was remembered for that stage (its number). It answers with the size of a block.

A method that lets the first block take all its stages, and then one block after another, has all that it works on in
the fast memory of a core. The numbers are those of the method itself, but for rounding.
"""

from __future__ import annotations

from typing import Any

from simulate.compiled import compiled
from simulate.solver.layout import (
    AT_ONCE,
    CARRIES,
    COMMAND,
    DENSE,
    DIRECTION,
    EVERYTHING,
    EXTENT,
    LANES,
    MOVED,
    SHARED,
    STAGE,
)
from simulate.solver.methods.dopri5 import DOPRI5, TABLEAU, estimate, take_stages
from simulate.solver.methods.method import ATTEMPT, EXTEND, Method
from simulate.solver.vectors import every, store

_END = TABLEAU.stages - 2


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    if w[COMMAND + AT_ONCE] == 0.0:
        size = int(w[COMMAND + EXTENT]) * LANES
        w[COMMAND + DIRECTION] = SHARED
        take_stages(w, 0, size, rhs, True)
        w[COMMAND + STAGE] = _END
        rhs(w)
        w[COMMAND + DIRECTION] = EVERYTHING
        w[COMMAND + STAGE] = 0.0
        estimate(w, size)
    jacobian(w)
    store(w, MOVED, every(0.0))
    w[COMMAND + CARRIES] = 1.0


@compiled(EXTEND)
def _extend(w: Any, n: int, rhs: Any, jacobian: Any) -> None:
    w[COMMAND + DENSE] = 1.0
    jacobian(w)
    w[COMMAND + DENSE] = 0.0


DOPRI5_FOLLOWERS = Method(
    name=DOPRI5.name,
    order=DOPRI5.order,
    error_order=DOPRI5.error_order,
    stages=DOPRI5.stages,
    stiff=False,
    attempt=_attempt,
    interpolate=DOPRI5.interpolate,
    dense_stages=DOPRI5.stages,
    extend=_extend,
    followed=TABLEAU,
)
"""Dormand-Prince 5(4) for a kernel with blocks; the blocks after the first have no say in the steps."""
