"""Rodas5P: an L-stable, stiffly accurate Rosenbrock method 5(4) with dense output of order 4.

Coefficients: G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia
Differential Equations package, BIT Numer. Math. 63 (2023) 27, in the transformed form without matrix-vector products:

    (1/(γh) − J) u_i = f(t + c_i h, y + Σ_j a_ij u_j) + Σ_j (C_ij/h) u_j + h d_i ∂f/∂t .

Where J or ∂f/∂t is not finite, as that of a root at 0, or where something grows so fast that 1/(γh) − J has lost its
sign, the solution u would hardly move, with an error estimate of nothing. There the derivatives are those one Euler
step ahead, or to the other side. What is not finite there either is taken for 0. With any matrix for J the method is of
order 1 at least, and the error estimate sees the loss. A step that stays too long for what grows is rejected.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate.compiled import compiled, inlined
from simulate.solver.layout import (
    ABSOLUTE,
    ERROR,
    LANES,
    NOT_FINITE,
    NOW,
    RATE,
    RELATIVE,
    RESULT,
    RUNNING,
    SHIFT,
    SOLUTION,
    SOUND,
    START,
    STATE,
    STEP,
    TIME,
    stage,
)
from simulate.solver.methods.method import ATTEMPT, EXTEND, INTERPOLATE, Method, to_node
from simulate.solver.vectors import load, store, weighted

_STAGES = 8
GAMMA = 0.21193756319429014
NODES = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0])
SLOPES = np.array(
    [
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ]
)
_ROW_6 = [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946]
A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [2.849394379747939, 0.45842242204463923, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-6.954028509809101, 2.489845061869568, -10.358996098473584, 0.0, 0.0, 0.0, 0.0, 0.0],
        [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0.0, 0.0, 0.0, 0.0],
        [*_ROW_6, 0.0, 0.0, 0.0],
        [*_ROW_6, 1.0, 0.0, 0.0],
        [*_ROW_6, 1.0, 1.0, 0.0],
    ]
)
COUPLING = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-14.155112264123755, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-17.97296035885952, -2.859693295451294, 0.0, 0.0, 0.0, 0.0, 0.0],
        [147.12150275711716, -1.41221402718213, 71.68940251302358, 0.0, 0.0, 0.0, 0.0],
        [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0.0, 0.0, 0.0],
        [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471, 0.0, 0.0],
        [
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
            0.0,
        ],
        [
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ],
    ]
)
DENSE = np.array(
    [
        [
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ],
        [
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ],
        [
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ],
    ]
)
# stage(0) holds the derivative at the start, stages 1 to 8 the solutions u_i, stage 9 the partial derivative in time;
# three more have what the dense output makes of the u_i.
_FIRST = stage(0)
_U = tuple(stage(1 + index) for index in range(_STAGES))
_IN_TIME = stage(9)
_BENDS = stage(10), stage(11), stage(12)
_LAST, _FIRST_SLOPE = _U[-1], float(SLOPES[0])


def _weights(row: Any) -> dict[int, float]:
    """Weights that are not zero, by the offset of their stage solution."""
    return {offset: float(weight) for offset, weight in zip(_U, row, strict=False) if weight}


def _advanced(index: int) -> Any:
    """Return the compiled function ``(w, size)``: what is known of the stage ``index`` before its derivative is.

    One pass over memory keeps the solution of the stage before, and finds where the derivative is wanted (``STATE``)
    and the part of the right-hand side that does not depend on it (``SOLUTION``).
    """
    coupled, slope, kept = weighted(_weights(COUPLING[index])), float(SLOPES[index]), _U[index - 1]
    if np.array_equal(A[index], A[index - 1] + np.eye(_STAGES)[index - 1]):

        @inlined
        def add(w: Any, size: int) -> None:
            per_h = load(w, SHIFT) * GAMMA
            for i in range(0, size, LANES):
                last = load(w, SOLUTION + i)
                store(w, kept + i, last)
                store(w, STATE + i, load(w, STATE + i) + last)
                store(w, SOLUTION + i, per_h * coupled(w, i))

        return add
    ahead = weighted(_weights(A[index]))

    @inlined
    def advance(w: Any, size: int) -> None:
        h = load(w, STEP)
        per_h, in_time = load(w, SHIFT) * GAMMA, slope * h
        for i in range(0, size, LANES):
            store(w, kept + i, load(w, SOLUTION + i))
            store(w, STATE + i, load(w, START + i) + ahead(w, i))
            store(w, SOLUTION + i, per_h * coupled(w, i) + in_time * load(w, _IN_TIME + i))

    return advance


def _from(index: int) -> Any:
    """Return the compiled function ``(w, size, rhs, backsolve)``: the stages from ``index`` on; u_8 in ``SOLUTION``."""
    advance, node = _advanced(index), float(NODES[index])
    others = _from(index + 1) if index + 1 < _STAGES else None

    @inlined
    def one(w: Any, size: int, rhs: Any, backsolve: Any) -> None:
        advance(w, size)
        to_node(w, node)
        rhs(w)
        for i in range(0, size, LANES):
            store(w, SOLUTION + i, load(w, RATE + i) + load(w, SOLUTION + i))
        backsolve(w)

    if others is None:
        return one

    @inlined
    def take(w: Any, size: int, rhs: Any, backsolve: Any) -> None:
        one(w, size, rhs, backsolve)
        others(w, size, rhs, backsolve)

    return take


_take_stages = _from(1)
_first_bend, _second_bend, _third_bend = (weighted(_weights(row)) for row in DENSE)


@inlined
def _any_unsound(w: Any) -> bool:
    """Whether the derivatives of any lane cannot be used as they are."""
    for lane in range(LANES):
        if w[SOUND + lane] < 1.0 and w[RUNNING + lane] > 0.0:
            return True
    return False


@inlined
def _look_ahead(w: Any, n: int, jacobian: Any, factor: Any) -> None:
    """Take the derivatives of unsound lanes from a place that the solution is about to reach; others stay as they are.

    The same functions of the same state give the same bits, so lanes that are sound do not change.
    """
    for side in (1.0, -1.0):
        if not _any_unsound(w):
            break
        for lane in range(LANES):
            if w[SOUND + lane] < 1.0:
                w[TIME + lane] = w[NOW + lane] + w[STEP + lane]
                for state in range(n):
                    i = state * LANES + lane
                    change = w[STEP + lane] * w[_FIRST + i]
                    least = w[ABSOLUTE + i] + w[RELATIVE + lane] * abs(w[START + i])
                    way = side if change == 0.0 else math.copysign(1.0, change)
                    w[STATE + i] = w[START + i] + change + way * least
        jacobian(w)
        factor(w)
    to_node(w, 0.0)
    for i in range(n * LANES):
        w[STATE + i] = w[START + i]


@inlined
def _differentiate(w: Any, n: int, jacobian: Any, factor: Any) -> None:
    """Factors of 1/(γh) − J, and ∂f/∂t in ``_IN_TIME``."""
    to_node(w, 0.0)
    for lane in range(LANES):
        w[SHIFT + lane] = 1.0 / (GAMMA * w[STEP + lane])
    jacobian(w)
    factor(w)
    if _any_unsound(w):
        _look_ahead(w, n, jacobian, factor)
    for i in range(n * LANES):
        w[_IN_TIME + i] = w[SOLUTION + i] if abs(w[SOLUTION + i]) < math.inf else 0.0


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    size = n * LANES
    for i in range(0, size, LANES):
        store(w, STATE + i, load(w, START + i))
    _differentiate(w, n, jacobian, factor)
    in_time = load(w, STEP) * _FIRST_SLOPE
    for i in range(0, size, LANES):
        store(w, SOLUTION + i, load(w, _FIRST + i) + in_time * load(w, _IN_TIME + i))
    backsolve(w)
    _take_stages(w, size, rhs, backsolve)
    for i in range(0, size, LANES):
        store(w, STATE + i, load(w, STATE + i) + load(w, SOLUTION + i))
        store(w, _LAST + i, load(w, SOLUTION + i))
    rhs(w)
    for i in range(0, size, LANES):
        # A state with an undefined derivative must not be accepted: no smaller step could leave it again.
        store(w, ERROR + i, load(w, _LAST + i) + load(w, RATE + i) * 0.0)
    for lane in range(LANES):
        if not w[SOUND + lane] >= NOT_FINITE:
            w[ERROR + lane] = math.nan


@compiled(EXTEND)
def _extend(w: Any, n: int, rhs: Any, jacobian: Any) -> None:
    for i in range(0, n * LANES, LANES):
        store(w, _BENDS[0] + i, _first_bend(w, i))
        store(w, _BENDS[1] + i, _second_bend(w, i))
        store(w, _BENDS[2] + i, _third_bend(w, i))


@compiled(INTERPOLATE)
def _interpolate(w: Any, n: int, lane: int, theta: float) -> None:
    rest = 1.0 - theta
    for i in range(lane, n * LANES, LANES):
        bend = w[_BENDS[0] + i] + theta * (w[_BENDS[1] + i] + theta * w[_BENDS[2] + i])
        w[RESULT + i] = rest * w[START + i] + theta * (w[STATE + i] + rest * bend)


RODAS5P = Method(
    name="Rodas5P",
    order=5,
    error_order=4,
    stages=8,
    stiff=True,
    attempt=_attempt,
    interpolate=_interpolate,
    extend=_extend,
)
