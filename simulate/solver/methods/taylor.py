"""Taylor series: the solution as a polynomial whose derivatives follow from the equations one after another.

The step is chosen from the size of the last two terms before it is taken, so hardly a step is ever rejected,
there are no stages to combine, and the polynomial itself is the dense output. Only for models whose right-hand side has
derivatives of every order (`simulate.kernels.jets`).

After a dose a saturating response is singular shortly before the time of the dose, and steps in time could only grow
in proportion to the distance from there. So the series are in a bent time s: with t = s + s²/(4τ) at the distance τ, a
square root of the distance, steps grow with the square of that proportion, at the cost of one more term a derivative.
With no stop before, bent time is time.

Later a fast decay to what moves slowly would hold steps up: its terms grow with the step until they are as large as the
tolerance, however little is left of it. In bent time they grow less, and what moves slowly needs few terms. So where
the last terms hardly fall, time goes on being bent, in proportion to the step.

Source: À. Jorba, M. Zou, A software package for the numerical integration of ODEs by means of high-order Taylor
methods, Exp. Math. 14 (2005) 99-117, section 3.2.
"""

from __future__ import annotations

import math
from typing import Any

from simulate.compiled import compiled
from simulate.later import Later
from simulate.solver.layout import (
    BEND,
    FACTOR,
    HEAD,
    LANES,
    LAST_TERM,
    LEAST_BEND,
    LIMIT,
    NOW,
    RATIO,
    RESTARTING,
    RESULT,
    SINCE,
    START,
    STEP,
    TERM_BEFORE,
    stage,
)
from simulate.solver.methods.method import ATTEMPT, INTERPOLATE, PROPOSE, Method
from simulate.solver.vectors import choose, every, load, near_power, root, store

ORDER = 8
"""Least work at relative tolerances from 1e-4 to 1e-8: two series meet at a cost that grows with the square."""

_SAFETY, _LEANING, _LEAST = 0.94, 1.04, 0.5
"""Step in units of those at which the last two terms are the tolerance: where both are the same; how much of the last,
less the rest of the one before, as the next term is foreseen, and the most in units of the one before; and the least in
units of the last."""
_AHEAD = 3.0
"""Distance of the singularity before a stop in units of the first step after it; less costs a few members accuracy."""
_FALLING, _MOST_BENT = 1.6, 0.25
"""Bend times step: in units of the square of the last term as a share of the one before; and at most."""
_SENSELESS = 1e200
"""A first step that a term of this size makes is due to a state of nothing without tolerance, not to a singularity."""
_GROWTH = 10.0
"""Longest step in units of the one before, as two last terms may be small by chance; after a stop any will do."""
_LEEWAY = 1.00001
"""A step that almost reaches a stop is lengthened a little to end on it."""
_FIRST = stage(0)
_STRIDE = stage(1) - stage(0)
_AT_LAST, _AT_BEFORE = -0.5 / ORDER, -0.5 / (ORDER - 1)


def _made() -> Any:
    from simulate.solver.methods.taylor_code import summed_up

    return summed_up(ORDER)


_sum_up: Any = Later(_made)
"""``_sum_up(w, n)``: polynomials at ``FACTOR`` → ``STATE``; ``RATIO`` is undefined where one is, and not where it
overflows."""


@compiled(PROPOSE)
def _propose(w: Any, n: int, jets: Any) -> None:
    head = load(w, HEAD)
    distance = load(w, NOW) - load(w, SINCE) + head
    bend, least = every(0.5) / distance, load(w, LEAST_BEND)
    bend = choose(bend > least, bend, least)
    bend = choose(head > 0.0, bend, every(0.0))
    store(w, BEND, bend)
    jets(w)
    last_term, term_before = load(w, LAST_TERM), load(w, TERM_BEFORE)
    last, before = near_power(last_term, _AT_LAST), near_power(term_before, _AT_BEFORE)
    s, least, most = last * _LEANING - before * (_LEANING - _SAFETY), last * _LEAST, before * _LEANING
    s = choose(s > least, s, least)
    s = choose(s < most, s, most)
    h = s + 0.5 * bend * s * s
    ahead = choose(last_term < _SENSELESS, h * _AHEAD, every(0.0))
    store(w, HEAD, choose(load(w, RESTARTING) > 0.0, ahead, head))
    store(w, FACTOR, h)
    share = last_term / term_before * s * s * _FALLING
    store(w, LEAST_BEND, choose(share < _MOST_BENT, share, every(_MOST_BENT)) / h)
    step = load(w, STEP)
    # After a rejection the loop has made the step smaller, and smaller it stays.
    longest = choose(load(w, LIMIT) <= 1.0, step, step * _GROWTH)
    store(w, STEP, choose(longest < h, longest, h))


@compiled(ATTEMPT)
def _attempt(w: Any, n: int, rhs: Any, jacobian: Any, factor: Any, backsolve: Any) -> None:
    h = load(w, STEP)
    # Where time cannot resolve the step that the series allows, the loop has lengthened it: that is a rejection.
    ratio = choose(h > load(w, FACTOR) * _LEEWAY, every(2.0), every(0.0))
    store(w, RATIO, ratio)
    store(w, FACTOR, 2.0 * h / (root(1.0 + 2.0 * load(w, BEND) * h) + 1.0))
    _sum_up(w, n)


@compiled(INTERPOLATE)
def _interpolate(w: Any, n: int, lane: int, theta: float) -> None:
    h = theta * w[STEP + lane]
    h = 2.0 * h / (math.sqrt(1.0 + 2.0 * w[BEND + lane] * h) + 1.0)
    for state in range(n):
        i = state * LANES + lane
        total = w[_FIRST + (ORDER - 1) * _STRIDE + i]
        for order in range(ORDER - 1, 0, -1):
            total = total * (h * (1.0 / (order + 1))) + w[_FIRST + (order - 1) * _STRIDE + i]
        w[RESULT + i] = total * h + w[START + i]


TAYLOR = Method(
    name=f"Taylor {ORDER}",
    order=ORDER,
    error_order=ORDER - 1,
    stages=ORDER,
    stiff=False,
    attempt=_attempt,
    interpolate=_interpolate,
    dense_order=ORDER,
    series=ORDER,
    propose=_propose,
)
