"""Dormand-Prince 5(4) with dense output of order 4.

Coefficients: J. R. Dormand, P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19-26, table 2; the interpolant is that of
E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., section II.6.
"""

from __future__ import annotations

from fractions import Fraction as Q
from typing import Any

from simulate.compiled import compiled, inlined
from simulate.solver.layout import COMMAND, ERROR, LANES, RATE, RESULT, STAGE, START, STATE, STEP, stage
from simulate.solver.methods.method import ATTEMPT, INTERPOLATE, Method, to_node
from simulate.solver.tableau import ButcherTableau
from simulate.solver.vectors import load, store

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


@inlined
def take_stages(w: Any, first: int, end: int, rhs: Any, in_blocks: bool) -> None:
    """All stages of the states whose rows are from ``first`` up to ``end``, and their new values.

    Where states come ``in_blocks``, which stage it is stands in ``COMMAND``.
    """
    h = load(w, STEP)
    for i in range(first, end, LANES):
        store(w, STATE + i, load(w, START + i) + h * (_A21 * load(w, _K1 + i)))
    to_node(w, _C2)
    if in_blocks:
        w[COMMAND + STAGE] = 0.0
    rhs(w)
    # Each sum also puts the derivative just computed into its place: one pass over memory instead of two.
    for i in range(first, end, LANES):
        k2 = load(w, RATE + i)
        store(w, _K2 + i, k2)
        store(w, STATE + i, load(w, START + i) + h * (_A31 * load(w, _K1 + i) + _A32 * k2))
    to_node(w, _C3)
    if in_blocks:
        w[COMMAND + STAGE] = 1.0
    rhs(w)
    for i in range(first, end, LANES):
        k3 = load(w, RATE + i)
        store(w, _K3 + i, k3)
        total = _A41 * load(w, _K1 + i) + _A42 * load(w, _K2 + i) + _A43 * k3
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C4)
    if in_blocks:
        w[COMMAND + STAGE] = 2.0
    rhs(w)
    for i in range(first, end, LANES):
        k4 = load(w, RATE + i)
        store(w, _K4 + i, k4)
        total = _A51 * load(w, _K1 + i) + _A52 * load(w, _K2 + i) + _A53 * load(w, _K3 + i) + _A54 * k4
        store(w, STATE + i, load(w, START + i) + h * total)
    to_node(w, _C5)
    if in_blocks:
        w[COMMAND + STAGE] = 3.0
    rhs(w)
    for i in range(first, end, LANES):
        k5 = load(w, RATE + i)
        store(w, _K5 + i, k5)
        total = _A61 * load(w, _K1 + i) + _A62 * load(w, _K2 + i) + _A63 * load(w, _K3 + i) + _A64 * load(w, _K4 + i)
        store(w, STATE + i, load(w, START + i) + h * (total + _A65 * k5))
    to_node(w, 1.0)
    if in_blocks:
        w[COMMAND + STAGE] = 4.0
    rhs(w)
    for i in range(first, end, LANES):
        k6 = load(w, RATE + i)
        store(w, _K6 + i, k6)
        total = _B1 * load(w, _K1 + i) + _B3 * load(w, _K3 + i) + _B4 * load(w, _K4 + i) + _B5 * load(w, _K5 + i)
        store(w, STATE + i, load(w, START + i) + h * (total + _B6 * k6))


@inlined
def estimate(w: Any, size: int) -> None:
    """Error estimate of the states in the first rows."""
    h = load(w, STEP)
    for i in range(0, size, LANES):
        total = _E1 * load(w, _K1 + i) + _E3 * load(w, _K3 + i) + _E4 * load(w, _K4 + i) + _E5 * load(w, _K5 + i)
        store(w, ERROR + i, h * (total + _E6 * load(w, _K6 + i) + _E7 * load(w, RATE + i)))


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    take_stages(w, 0, n * LANES, rhs, False)
    rhs(w)
    estimate(w, n * LANES)


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
