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

from simulate.compiled import compiled, inlined
from simulate.solver.layout import (
    COMMAND,
    DIRECTION,
    ERROR,
    EVERYTHING,
    EXTENT,
    LANES,
    RATE,
    SHARED,
    STAGE,
    START,
    STATE,
    STEP,
    stage,
)
from simulate.solver.methods.dopri5 import DOPRI5, TABLEAU
from simulate.solver.methods.method import ATTEMPT, Method, to_node
from simulate.solver.vectors import load, store

_C2, _C3, _C4, _C5 = (float(node) for node in TABLEAU.c[1:5])
(_A21,) = (float(x) for x in TABLEAU.a[1])
_A31, _A32 = (float(x) for x in TABLEAU.a[2])
_A41, _A42, _A43 = (float(x) for x in TABLEAU.a[3])
_A51, _A52, _A53, _A54 = (float(x) for x in TABLEAU.a[4])
_A61, _A62, _A63, _A64, _A65 = (float(x) for x in TABLEAU.a[5])
_B1, _, _B3, _B4, _B5, _B6, _ = (float(x) for x in TABLEAU.b)
_E1, _, _E3, _E4, _E5, _E6, _E7 = (float(x) for x in TABLEAU.b_error)
_K1, _K2, _K3, _K4, _K5, _K6 = (stage(index) for index in range(6))


@inlined
def _stages(w: Any, first: int, end: int, rhs: Any) -> None:
    """All stages of one block, whose rows are from ``first`` up to ``end``, and its new state."""
    h = load(w, STEP)
    for i in range(first, end, LANES):
        store(w, STATE + i, load(w, START + i) + h * (_A21 * load(w, _K1 + i)))
    to_node(w, _C2)
    w[COMMAND + STAGE] = 0.0
    rhs(w)
    for i in range(first, end, LANES):
        k2 = load(w, RATE + i)
        store(w, _K2 + i, k2)
        store(w, STATE + i, load(w, START + i) + h * (_A31 * load(w, _K1 + i) + _A32 * k2))
    to_node(w, _C3)
    w[COMMAND + STAGE] = 1.0
    rhs(w)
    for i in range(first, end, LANES):
        k3 = load(w, RATE + i)
        store(w, _K3 + i, k3)
        total = _A41 * load(w, _K1 + i) + _A42 * load(w, _K2 + i) + _A43 * k3
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C4)
    w[COMMAND + STAGE] = 2.0
    rhs(w)
    for i in range(first, end, LANES):
        k4 = load(w, RATE + i)
        store(w, _K4 + i, k4)
        total = _A51 * load(w, _K1 + i) + _A52 * load(w, _K2 + i) + _A53 * load(w, _K3 + i) + _A54 * k4
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C5)
    w[COMMAND + STAGE] = 3.0
    rhs(w)
    for i in range(first, end, LANES):
        k5 = load(w, RATE + i)
        store(w, _K5 + i, k5)
        total = _A61 * load(w, _K1 + i) + _A62 * load(w, _K2 + i) + _A63 * load(w, _K3 + i) + _A64 * load(w, _K4 + i)
        store(w, STATE + i, load(w, START + i) + h * (total + _A65 * k5))
    to_node(w, 1.0)
    w[COMMAND + STAGE] = 4.0
    rhs(w)
    for i in range(first, end, LANES):
        k6 = load(w, RATE + i)
        store(w, _K6 + i, k6)
        total = _B1 * load(w, _K1 + i) + _B3 * load(w, _K3 + i) + _B4 * load(w, _K4 + i) + _B5 * load(w, _K5 + i)
        store(w, STATE + i, load(w, START + i) + h * (total + _B6 * k6))


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    size = int(w[COMMAND + EXTENT]) * LANES
    w[COMMAND + DIRECTION] = SHARED
    _stages(w, 0, size, rhs)
    for block in range(1, n * LANES // size):
        w[COMMAND + DIRECTION] = block
        _stages(w, block * size, (block + 1) * size, rhs)
    w[COMMAND + DIRECTION] = EVERYTHING
    w[COMMAND + STAGE] = 0.0
    rhs(w)
    h = load(w, STEP)
    for i in range(0, size, LANES):
        total = _E1 * load(w, _K1 + i) + _E3 * load(w, _K3 + i) + _E4 * load(w, _K4 + i) + _E5 * load(w, _K5 + i)
        store(w, ERROR + i, h * (total + _E6 * load(w, _K6 + i) + _E7 * load(w, RATE + i)))


DOPRI5_FOLLOWERS = Method(
    name=DOPRI5.name,
    order=DOPRI5.order,
    error_order=DOPRI5.error_order,
    stages=DOPRI5.stages,
    stiff=False,
    attempt=_attempt,
    interpolate=DOPRI5.interpolate,
)
"""Dormand-Prince 5(4) for a kernel with blocks; the blocks after the first have no say in the steps."""
