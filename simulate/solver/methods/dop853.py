"""Dormand-Prince 8(5,3) with dense output of order 7, for tolerances of 1e-8 and below.

Twelve evaluations a step, and three more in a step that has an output inside. Among pairs of order 8 and 9 it was
taken because its interpolant costs the least, and because its two estimates, of order 5 and 3, tell a step that is far
too long from one that is a little too long. Coefficients and source: `dop853_table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulate.compiled import compiled, inlined
from simulate.solver.layout import ERROR, LANES, RATE, RESULT, SOLUTION, START, STATE, STEP, stage
from simulate.solver.methods.dop853_table import DENSE, EMBEDDED_3, ERROR_5, A, C
from simulate.solver.methods.method import ATTEMPT, EXTEND, INTERPOLATE, Method, to_node
from simulate.solver.methods.stages import advanced, stages
from simulate.solver.vectors import choose, every, load, root, store, weighted
from simulate.solver.vectors import size as magnitude

_C14, _C15, _C16 = C[13:16]
_K = {number: stage(number - 1) for number in range(1, 13)} | {number: stage(number - 2) for number in (14, 15, 16)}
"""Offsets of the stages, by their numbers; that of stage 13 is ``RATE``, and ``_K13`` while `_extend` is at work."""
_K1, _K16 = _K[1], _K[16]
# Where state and derivative at the end of the step are while the stages of the dense output are evaluated.
_STATE_KEPT, _K13 = stage(15), SOLUTION
_SHARE = 0.1
_TINY = float(np.finfo(np.float64).tiny)
_DENSE = np.array([list(weights.values()) for weights in DENSE])
_DENSE_STAGES = np.array([(_K | {13: RATE})[number] for number in DENSE[0]])


def _weights(row: Mapping[int, float]) -> dict[int, float]:
    """Weights by the offset of their stage."""
    return {(_K | {13: _K13})[number]: weight for number, weight in row.items()}


_take_stages = stages([_weights(row) for row in A[1:13]], C[1:12], (None, *(_K[number] for number in range(2, 13))))
_to_14, _to_15, _to_16 = (
    advanced(_weights(row), kept) for row, kept in zip(A[13:16], (None, _K[14], _K[15]), strict=True)
)
_fifth = weighted(_weights(ERROR_5))
_third = weighted(_weights({number: weight - EMBEDDED_3.get(number, 0.0) for number, weight in A[12].items()}))


@inlined
def _estimate(w: Any, size: int) -> None:
    """Error estimate of the attempt."""
    h = load(w, STEP)
    for i in range(0, size, LANES):
        fifth, third = _fifth(w, i), _third(w, i)
        # The two estimates in one, e5² / √(e5² + e3²/100) for every state, written so that no square overflows.
        fifth = magnitude(fifth)
        third = _SHARE * magnitude(third)
        larger = choose(fifth > third, fifth, third)
        larger = choose(larger > 0.0, larger, every(1.0))
        share = fifth / larger
        rest = third / larger
        # A state with an undefined derivative must not be accepted: no smaller step could leave it again.
        estimate = fifth * share / root(share * share + rest * rest + _TINY)
        store(w, ERROR + i, h * estimate + 0.0 * load(w, RATE + i))


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    _take_stages(w, 0, n * LANES, rhs, False)
    rhs(w)
    _estimate(w, n * LANES)


@compiled(EXTEND)
def _extend(w: Any, n: int, rhs: Any, jacobian: Any) -> None:
    size = n * LANES
    for i in range(0, size, LANES):
        store(w, _STATE_KEPT + i, load(w, STATE + i))
        store(w, _K13 + i, load(w, RATE + i))
    _to_14(w, 0, size)
    to_node(w, _C14)
    rhs(w)
    _to_15(w, 0, size)
    to_node(w, _C15)
    rhs(w)
    _to_16(w, 0, size)
    to_node(w, _C16)
    rhs(w)
    for i in range(0, size, LANES):
        store(w, _K16 + i, load(w, RATE + i))
        store(w, STATE + i, load(w, _STATE_KEPT + i))
        store(w, RATE + i, load(w, _K13 + i))


@compiled(INTERPOLATE)
def _interpolate(w: Any, n: int, lane: int, theta: float) -> None:
    h = w[STEP + lane]
    rest = 1.0 - theta
    for state in range(n):
        i = state * LANES + lane
        start = w[START + i]
        change = w[STATE + i] - start
        r2 = h * w[_K1 + i] - change
        r3 = 2.0 * change - h * (w[RATE + i] + w[_K1 + i])
        r4 = r5 = r6 = r7 = 0.0
        for index in range(len(_DENSE_STAGES)):
            k = h * w[_DENSE_STAGES[index] + i]
            r4 += _DENSE[0, index] * k
            r5 += _DENSE[1, index] * k
            r6 += _DENSE[2, index] * k
            r7 += _DENSE[3, index] * k
        highest = r4 + theta * (r5 + rest * (r6 + theta * r7))
        w[RESULT + i] = start + theta * (change + rest * (r2 + theta * (r3 + rest * highest)))


DOP853 = Method(
    name="Dormand-Prince 8(5,3)",
    order=8,
    error_order=7,
    stages=12,
    stiff=False,
    attempt=_attempt,
    interpolate=_interpolate,
    dense_order=7,
    dense_stages=3,
    extend=_extend,
)
