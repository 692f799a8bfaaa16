"""Dormand-Prince 5(4) with dense output of order 4.

Coefficients: J. R. Dormand, P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19-26, table 2; the interpolant is that of
E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., section II.6.
"""

from __future__ import annotations

from fractions import Fraction as Q
from typing import Any

from simulate.compiled import compiled, inlined
from simulate.solver.layout import ERROR, LANES, RATE, RESULT, START, STATE, STEP, stage
from simulate.solver.methods.method import ATTEMPT, INTERPOLATE, Method
from simulate.solver.methods.stages import stages
from simulate.solver.tableau import ButcherTableau
from simulate.solver.vectors import load, store, weighted

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

_D1, _D3, _D4, _D5, _D6, _D7 = (
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

_K1, _K2, _K3, _K4, _K5, _K6 = _K = tuple(stage(index) for index in range(6))


def _weights(row: tuple[Q, ...]) -> dict[int, float]:
    """Weights that are not zero, by the offset of their stage."""
    return {offset: float(weight) for offset, weight in zip(_K, row, strict=False) if weight}


take_stages = stages(
    [_weights(row) for row in TABLEAU.a[1:]], [float(node) for node in TABLEAU.c[1:6]], (None, *_K[1:])
)
"""``take_stages(w, first, end, rhs, in_blocks)``, see `stages`."""
_error, _last_error = weighted(_weights(TABLEAU.b_error[:-1])), float(TABLEAU.b_error[-1])


@inlined
def estimate(w: Any, size: int) -> None:
    """Error estimate of the states in the first rows."""
    h = load(w, STEP)
    for i in range(0, size, LANES):
        store(w, ERROR + i, h * (_error(w, i) + _last_error * load(w, RATE + i)))


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
