"""Dormand-Prince 8(5,3) with dense output of order 7, for tolerances of 1e-8 and below.

Twelve evaluations a step, and three more in a step that has an output inside. Among pairs of order 8 and 9 it was
taken because its interpolant costs the least, and because its two estimates, of order 5 and 3, tell a step that is far
too long from one that is a little too long. Coefficients and source: `dop853_table`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulate.compiled import compiled, inlined
from simulate.solver.layout import ERROR, LANES, RATE, RESULT, SOLUTION, START, STATE, STEP, stage
from simulate.solver.methods.dop853_table import DENSE, EMBEDDED_3, ERROR_5, A, C
from simulate.solver.methods.method import ATTEMPT, EXTEND, INTERPOLATE, Method, to_node
from simulate.solver.vectors import choose, every, load, root, store
from simulate.solver.vectors import size as magnitude

(_A2_1,) = A[1].values()
_A3_1, _A3_2 = A[2].values()
_A4_1, _A4_3 = A[3].values()
_A5_1, _A5_3, _A5_4 = A[4].values()
_A6_1, _A6_4, _A6_5 = A[5].values()
_A7_1, _A7_4, _A7_5, _A7_6 = A[6].values()
_A8_1, _A8_4, _A8_5, _A8_6, _A8_7 = A[7].values()
_A9_1, _A9_4, _A9_5, _A9_6, _A9_7, _A9_8 = A[8].values()
_A10_1, _A10_4, _A10_5, _A10_6, _A10_7, _A10_8, _A10_9 = A[9].values()
_A11_1, _A11_4, _A11_5, _A11_6, _A11_7, _A11_8, _A11_9, _A11_10 = A[10].values()
_A12_1, _A12_4, _A12_5, _A12_6, _A12_7, _A12_8, _A12_9, _A12_10, _A12_11 = A[11].values()
_B1, _B6, _B7, _B8, _B9, _B10, _B11, _B12 = A[12].values()
_A14_1, _A14_7, _A14_8, _A14_9, _A14_10, _A14_11, _A14_12, _A14_13 = A[13].values()
_A15_1, _A15_6, _A15_7, _A15_8, _A15_11, _A15_12, _A15_13, _A15_14 = A[14].values()
_A16_1, _A16_6, _A16_7, _A16_8, _A16_9, _A16_13, _A16_14, _A16_15 = A[15].values()
_E1, _E6, _E7, _E8, _E9, _E10, _E11, _E12 = ERROR_5.values()
_T1, _T9, _T12 = (A[12][key] - weight for key, weight in EMBEDDED_3.items())
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11 = C[1:11]
_C14, _C15, _C16 = C[13:16]
_K1, _K2, _K3, _K4, _K5, _K6, _K7, _K8, _K9, _K10, _K11, _K12 = (stage(index) for index in range(12))
_K14, _K15, _K16 = (stage(index) for index in range(12, 15))
# Where state and derivative at the end of the step are while the stages of the dense output are evaluated.
_STATE_KEPT, _K13 = stage(15), SOLUTION
_SHARE = 0.1
_TINY = float(np.finfo(np.float64).tiny)
_DENSE = np.array([list(weights.values()) for weights in DENSE])
_DENSE_STAGES = np.array([_K1, _K6, _K7, _K8, _K9, _K10, _K11, _K12, RATE, _K14, _K15, _K16])


@inlined
def _first_stages(w: Any, size: int, rhs: Any) -> None:
    """Stages 2 to 6, and the state at which stage 7 is evaluated."""
    h = load(w, STEP)
    for i in range(0, size, LANES):
        total = _A2_1 * load(w, _K1 + i)
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C2)
    rhs(w)
    for i in range(0, size, LANES):
        k2 = load(w, RATE + i)
        store(w, _K2 + i, k2)
        total = _A3_1 * load(w, _K1 + i) + _A3_2 * k2
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C3)
    rhs(w)
    for i in range(0, size, LANES):
        k3 = load(w, RATE + i)
        store(w, _K3 + i, k3)
        total = _A4_1 * load(w, _K1 + i) + _A4_3 * k3
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C4)
    rhs(w)
    for i in range(0, size, LANES):
        k4 = load(w, RATE + i)
        store(w, _K4 + i, k4)
        total = _A5_1 * load(w, _K1 + i) + _A5_3 * load(w, _K3 + i) + _A5_4 * k4
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C5)
    rhs(w)
    for i in range(0, size, LANES):
        k5 = load(w, RATE + i)
        store(w, _K5 + i, k5)
        total = _A6_1 * load(w, _K1 + i) + _A6_4 * load(w, _K4 + i) + _A6_5 * k5
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C6)
    rhs(w)
    for i in range(0, size, LANES):
        k6 = load(w, RATE + i)
        store(w, _K6 + i, k6)
        total = _A7_1 * load(w, _K1 + i) + _A7_4 * load(w, _K4 + i) + _A7_5 * load(w, _K5 + i) + _A7_6 * k6
        store(w, STATE + i, load(w, START + i) + h * total)


@inlined
def _estimate(w: Any, size: int) -> None:
    """Error estimate of the attempt."""
    h = load(w, STEP)
    for i in range(0, size, LANES):
        fifth = _E1 * load(w, _K1 + i) + _E6 * load(w, _K6 + i) + _E7 * load(w, _K7 + i) + _E8 * load(w, _K8 + i)
        fifth = fifth + (
            _E9 * load(w, _K9 + i) + _E10 * load(w, _K10 + i) + _E11 * load(w, _K11 + i) + _E12 * load(w, _K12 + i)
        )
        third = _T1 * load(w, _K1 + i) + _B6 * load(w, _K6 + i) + _B7 * load(w, _K7 + i) + _B8 * load(w, _K8 + i)
        third = third + (
            _T9 * load(w, _K9 + i) + _B10 * load(w, _K10 + i) + _B11 * load(w, _K11 + i) + _T12 * load(w, _K12 + i)
        )
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
    size, h = n * LANES, load(w, STEP)
    _first_stages(w, size, rhs)
    to_node(w, _C7)
    rhs(w)
    for i in range(0, size, LANES):
        k7 = load(w, RATE + i)
        store(w, _K7 + i, k7)
        total = (
            _A8_1 * load(w, _K1 + i) + _A8_4 * load(w, _K4 + i) + _A8_5 * load(w, _K5 + i) + _A8_6 * load(w, _K6 + i)
        )
        total = total + (_A8_7 * k7)
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C8)
    rhs(w)
    for i in range(0, size, LANES):
        k8 = load(w, RATE + i)
        store(w, _K8 + i, k8)
        total = (
            _A9_1 * load(w, _K1 + i) + _A9_4 * load(w, _K4 + i) + _A9_5 * load(w, _K5 + i) + _A9_6 * load(w, _K6 + i)
        )
        total = total + (_A9_7 * load(w, _K7 + i) + _A9_8 * k8)
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C9)
    rhs(w)
    for i in range(0, size, LANES):
        k9 = load(w, RATE + i)
        store(w, _K9 + i, k9)
        total = (
            _A10_1 * load(w, _K1 + i)
            + _A10_4 * load(w, _K4 + i)
            + _A10_5 * load(w, _K5 + i)
            + _A10_6 * load(w, _K6 + i)
        )
        total = total + (_A10_7 * load(w, _K7 + i) + _A10_8 * load(w, _K8 + i) + _A10_9 * k9)
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C10)
    rhs(w)
    for i in range(0, size, LANES):
        k10 = load(w, RATE + i)
        store(w, _K10 + i, k10)
        total = (
            _A11_1 * load(w, _K1 + i)
            + _A11_4 * load(w, _K4 + i)
            + _A11_5 * load(w, _K5 + i)
            + _A11_6 * load(w, _K6 + i)
        )
        total = total + (
            _A11_7 * load(w, _K7 + i) + _A11_8 * load(w, _K8 + i) + _A11_9 * load(w, _K9 + i) + _A11_10 * k10
        )
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C11)
    rhs(w)
    for i in range(0, size, LANES):
        k11 = load(w, RATE + i)
        store(w, _K11 + i, k11)
        total = (
            _A12_1 * load(w, _K1 + i)
            + _A12_4 * load(w, _K4 + i)
            + _A12_5 * load(w, _K5 + i)
            + _A12_6 * load(w, _K6 + i)
        )
        total = total + (
            _A12_7 * load(w, _K7 + i)
            + _A12_8 * load(w, _K8 + i)
            + _A12_9 * load(w, _K9 + i)
            + _A12_10 * load(w, _K10 + i)
        )
        total = total + (_A12_11 * k11)
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, 1.0)
    rhs(w)
    for i in range(0, size, LANES):
        k12 = load(w, RATE + i)
        store(w, _K12 + i, k12)
        total = _B1 * load(w, _K1 + i) + _B6 * load(w, _K6 + i) + _B7 * load(w, _K7 + i) + _B8 * load(w, _K8 + i)
        total = total + (_B9 * load(w, _K9 + i) + _B10 * load(w, _K10 + i) + _B11 * load(w, _K11 + i) + _B12 * k12)
        store(w, STATE + i, load(w, START + i) + h * total)
    rhs(w)
    _estimate(w, size)


@compiled(EXTEND)
def _extend(w: Any, n: int, rhs: Any) -> None:
    size, h = n * LANES, load(w, STEP)
    for i in range(0, size, LANES):
        store(w, _STATE_KEPT + i, load(w, STATE + i))
        store(w, _K13 + i, load(w, RATE + i))
    for i in range(0, size, LANES):
        total = (
            _A14_1 * load(w, _K1 + i)
            + _A14_7 * load(w, _K7 + i)
            + _A14_8 * load(w, _K8 + i)
            + _A14_9 * load(w, _K9 + i)
        )
        total = total + (
            _A14_10 * load(w, _K10 + i)
            + _A14_11 * load(w, _K11 + i)
            + _A14_12 * load(w, _K12 + i)
            + _A14_13 * load(w, _K13 + i)
        )
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C14)
    rhs(w)
    for i in range(0, size, LANES):
        k14 = load(w, RATE + i)
        store(w, _K14 + i, k14)
        total = (
            _A15_1 * load(w, _K1 + i)
            + _A15_6 * load(w, _K6 + i)
            + _A15_7 * load(w, _K7 + i)
            + _A15_8 * load(w, _K8 + i)
        )
        total = total + (
            _A15_11 * load(w, _K11 + i) + _A15_12 * load(w, _K12 + i) + _A15_13 * load(w, _K13 + i) + _A15_14 * k14
        )
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C15)
    rhs(w)
    for i in range(0, size, LANES):
        k15 = load(w, RATE + i)
        store(w, _K15 + i, k15)
        total = (
            _A16_1 * load(w, _K1 + i)
            + _A16_6 * load(w, _K6 + i)
            + _A16_7 * load(w, _K7 + i)
            + _A16_8 * load(w, _K8 + i)
        )
        total = total + (
            _A16_9 * load(w, _K9 + i) + _A16_13 * load(w, _K13 + i) + _A16_14 * load(w, _K14 + i) + _A16_15 * k15
        )
        store(w, STATE + i, load(w, START + i) + h * total)
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
