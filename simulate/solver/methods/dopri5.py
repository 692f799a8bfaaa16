"""Dormand-Prince 5(4) with dense output of order 4.

Coefficients: J. R. Dormand, P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19-26, table 2; the interpolant is that of
E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., section II.6.
"""

from __future__ import annotations

from fractions import Fraction as Q
from typing import Any

from simulate.compiled import compiled
from simulate.solver.layout import ERROR, LANES, RATE, RESULT, SIZE, START, STATE, STEP, stage
from simulate.solver.methods.method import ATTEMPT, INTERPOLATE, Method, to_node
from simulate.solver.tableau import ButcherTableau

TABLEAU = ButcherTableau(
    c=(Q(0), Q(1, 5), Q(3, 10), Q(4, 5), Q(8, 9), Q(1), Q(1)),
    a=(
        (),
        (Q(1, 5),),
        (Q(3, 40), Q(9, 40)),
        (Q(44, 45), Q(-56, 15), Q(32, 9)),
        (Q(19372, 6561), Q(-25360, 2187), Q(64448, 6561), Q(-212, 729)),
        (Q(9017, 3168), Q(-355, 33), Q(46732, 5247), Q(49, 176), Q(-5103, 18656)),
        (Q(35, 384), Q(0), Q(500, 1113), Q(125, 192), Q(-2187, 6784), Q(11, 84)),
    ),
    b=(Q(35, 384), Q(0), Q(500, 1113), Q(125, 192), Q(-2187, 6784), Q(11, 84), Q(0)),
    b_error=(Q(71, 57600), Q(0), Q(-71, 16695), Q(71, 1920), Q(-17253, 339200), Q(22, 525), Q(-1, 40)),
)

_DENSE = tuple(
    float(weight)
    for weight in (
        Q(-12715105075, 11282082432),
        Q(87487479700, 32700410799),
        Q(-10690763975, 1880347072),
        Q(701980252875, 199316789632),
        Q(-1453857185, 822651844),
        Q(69997945, 29380423),
    )
)

_C = tuple(float(node) for node in TABLEAU.c)
(_A21,) = (float(x) for x in TABLEAU.a[1])
_A31, _A32 = (float(x) for x in TABLEAU.a[2])
_A41, _A42, _A43 = (float(x) for x in TABLEAU.a[3])
_A51, _A52, _A53, _A54 = (float(x) for x in TABLEAU.a[4])
_A61, _A62, _A63, _A64, _A65 = (float(x) for x in TABLEAU.a[5])
_B1, _, _B3, _B4, _B5, _B6, _ = (float(x) for x in TABLEAU.b)
_E1, _, _E3, _E4, _E5, _E6, _E7 = (float(x) for x in TABLEAU.b_error)
_C2, _C3, _C4, _C5 = _C[1:5]
_D1, _D3, _D4, _D5, _D6, _D7 = _DENSE
_K1, _K2, _K3, _K4, _K5, _K6 = (stage(index) for index in range(6))


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    size = n * LANES
    for i in range(size):
        w[STATE + i] = w[START + i] + w[SIZE + i] * (_A21 * w[_K1 + i])
    to_node(w, _C2)
    rhs(w)
    # Each sum also puts the derivative just computed into its place: one pass over memory instead of two.
    for i in range(size):
        k2 = w[RATE + i]
        w[_K2 + i] = k2
        w[STATE + i] = w[START + i] + w[SIZE + i] * (_A31 * w[_K1 + i] + _A32 * k2)
    to_node(w, _C3)
    rhs(w)
    for i in range(size):
        k3 = w[RATE + i]
        w[_K3 + i] = k3
        w[STATE + i] = w[START + i] + w[SIZE + i] * (_A41 * w[_K1 + i] + _A42 * w[_K2 + i] + _A43 * k3)
    to_node(w, _C4)
    rhs(w)
    for i in range(size):
        k4 = w[RATE + i]
        w[_K4 + i] = k4
        total = _A51 * w[_K1 + i] + _A52 * w[_K2 + i] + _A53 * w[_K3 + i] + _A54 * k4
        w[STATE + i] = w[START + i] + w[SIZE + i] * total
    to_node(w, _C5)
    rhs(w)
    for i in range(size):
        k5 = w[RATE + i]
        w[_K5 + i] = k5
        total = _A61 * w[_K1 + i] + _A62 * w[_K2 + i] + _A63 * w[_K3 + i] + _A64 * w[_K4 + i] + _A65 * k5
        w[STATE + i] = w[START + i] + w[SIZE + i] * total
    to_node(w, 1.0)
    rhs(w)
    for i in range(size):
        k6 = w[RATE + i]
        w[_K6 + i] = k6
        total = _B1 * w[_K1 + i] + _B3 * w[_K3 + i] + _B4 * w[_K4 + i] + _B5 * w[_K5 + i] + _B6 * k6
        w[STATE + i] = w[START + i] + w[SIZE + i] * total
    rhs(w)
    for i in range(size):
        total = _E1 * w[_K1 + i] + _E3 * w[_K3 + i] + _E4 * w[_K4 + i] + _E5 * w[_K5 + i] + _E6 * w[_K6 + i]
        w[ERROR + i] = w[SIZE + i] * (total + _E7 * w[RATE + i])


@compiled(INTERPOLATE)
def _interpolate(w: Any, n: int, lane: int, theta: float) -> None:
    h = w[STEP + lane]
    rest = 1.0 - theta
    for state in range(n):
        i = state * LANES + lane
        start = w[START + i]
        change = w[STATE + i] - start
        r3 = h * w[_K1 + i] - change
        r4 = change - h * w[RATE + i] - r3
        r5 = h * (
            _D1 * w[_K1 + i]
            + _D3 * w[_K3 + i]
            + _D4 * w[_K4 + i]
            + _D5 * w[_K5 + i]
            + _D6 * w[_K6 + i]
            + _D7 * w[RATE + i]
        )
        w[RESULT + i] = start + theta * (change + rest * (r3 + theta * (r4 + rest * r5)))


DOPRI5 = Method(
    name="Dormand-Prince 5(4)",
    order=5,
    error_order=4,
    stages=6,
    stiff=False,
    attempt=_attempt,
    interpolate=_interpolate,
)
