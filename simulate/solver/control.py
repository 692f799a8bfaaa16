"""Step-size control for a block of lanes: error ratio, acceptance, next step. No branches: every lane at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate.compiled import inlined
from simulate.solver.layout import (
    ABSOLUTE,
    ACCEPT,
    ACCEPTED,
    ATTEMPTED,
    DUE,
    ERROR,
    EVENT,
    FACTOR,
    LANES,
    LIMIT,
    NEXT,
    NOW,
    RATIO,
    RELATIVE,
    RESTART,
    RESTARTING,
    RUNNING,
    SHARE,
    START,
    STATE,
    STEP,
    STOP,
    stage,
)
from simulate.solver.vectors import any_lane, choose, every, fence, load, near_power, near_quotient, size, store

SAFETY = 0.9
LARGEST = 5.0
SMALLEST = 0.2
RESOLUTION = 4.0 * float(np.finfo(np.float64).eps)
"""Share of the time below which a step would hardly move it."""
_SLOPE = stage(0)
_TINY = float(np.finfo(np.float64).tiny)
_HUGE = 1e300
_WILD = 1e-6
_AT_REST, _CAUTIOUS = 1e-11, 1e-6
"""Change by a share of the scale in a day that counts as none, and the first step in days where nothing tells more."""


@inlined
def first_step(w: Any, n: int, lane: int) -> float:
    """Share 1/100 of the time in which the states would change by their scales (Hairer, Nørsett, Wanner, II.4)."""
    slope = 0.0
    for state in range(n):
        i = state * LANES + lane
        slope += (w[_SLOPE + i] * (w[SHARE + lane] / w[ABSOLUTE + i])) ** 2
    pace = math.sqrt(slope / n)
    return 0.01 / pace if _AT_REST < pace < math.inf else _CAUTIOUS


@inlined
def choose_step(w: Any, longest: float) -> None:
    """Shorten the proposed steps so that none is too long, no stop is passed and no sliver is left before one.

    No step but the last before a stop is so short that the state would move and the time would not.
    """
    now, stop, h = load(w, NOW), load(w, STOP), load(w, STEP)
    shortest = size(now) * RESOLUTION
    h = choose(h > shortest, h, shortest)
    h = choose(h > longest, every(longest), h)
    rest = stop - now
    reaches = h >= rest * 0.999999
    half = rest * 0.5
    h = choose(h > half, half, h)
    h = choose(reaches, rest, h)
    store(w, STEP, h)
    store(w, NEXT, choose(reaches, stop, now + h))


@inlined
def judge(w: Any, n: int, rtol: float, exponent: float) -> None:
    """Error estimate → squared error ratio, acceptance and step factor. An undefined estimate is a rejection.

    ``exponent`` is -1/(2(q + 1)) for an error estimate of order q, as the ratio is squared. Only the error test has to
    be exact to some digits; the factor may be slightly off. The absolute tolerance of a state grows where the state is
    larger than ever before.
    """
    total = every(0.0)
    share = load(w, SHARE)
    for i in range(0, n * LANES, LANES):
        a, b = size(load(w, START + i)), size(load(w, STATE + i))
        absolute, share_of_size = load(w, ABSOLUTE + i), a * share
        fence(w)
        absolute = choose(absolute > share_of_size, absolute, share_of_size)
        store(w, ABSOLUTE + i, absolute)
        allowed = absolute + choose(a > b, a, b) * rtol
        # A state that overflows may pass here; it is found where states are looked at one by one.
        scaled = near_quotient(load(w, ERROR + i), choose(allowed > _HUGE, every(_HUGE), allowed))
        total = total + scaled * scaled
    ratio = total * (1.0 / n)
    limit = load(w, LIMIT)
    factor = near_power(ratio, exponent) * SAFETY
    factor = choose(factor < limit, factor, limit)
    # Written so that an undefined ratio ends in the smallest factor.
    factor = choose((factor > SMALLEST) & (ratio < math.inf), factor, every(SMALLEST))
    accepted = (ratio <= 1.0) & (load(w, RUNNING) > 0.0)
    store(w, RATIO, ratio)
    store(w, FACTOR, factor)
    store(w, ACCEPT, choose(accepted, every(1.0), every(0.0)))
    store(w, LIMIT, choose(accepted, every(LARGEST), every(1.0)))


@inlined
def trust(w: Any) -> None:
    """Accept what a method found that chose its steps itself; ``RATIO`` is 0, more than 1 or undefined."""
    sound = load(w, RATIO) <= 1.0
    accepted = sound & (load(w, RUNNING) > 0.0)
    store(w, FACTOR, choose(sound, every(1.0), every(SMALLEST)))
    store(w, ACCEPT, choose(accepted, every(1.0), every(0.0)))
    store(w, LIMIT, choose(accepted, every(LARGEST), every(1.0)))


@inlined
def needs_attention(w: Any, max_steps: int, deadline: int, behind: float) -> bool:
    """Count the attempt, keep the step for restarts, and tell whether a lane has an event or is to be given up."""
    running, accept, restart, restarting = load(w, RUNNING), load(w, ACCEPT), load(w, RESTART), load(w, RESTARTING)
    fence(w)
    attempted = load(w, ATTEMPTED) + running
    store(w, ATTEMPTED, attempted)
    store(w, ACCEPTED, load(w, ACCEPTED) + accept)
    accepted = accept > 0.0
    step = load(w, STEP)
    first = accepted & (restarting > 0.0)
    store(w, RESTART, choose(first, step * load(w, FACTOR), restart))
    store(w, RESTARTING, choose(accepted, every(0.0), restarting))
    shortest = size(load(w, NOW)) * RESOLUTION
    stuck = (accept <= 0.0) & (step <= choose(shortest > _TINY, shortest, every(_TINY)))
    late = (attempted >= float(deadline)) & (attempted <= float(deadline)) & (load(w, NOW) < behind)
    given_up = (running > 0.0) & (stuck | late | (attempted >= float(max_steps)))
    # A state that is off by more than a share of itself may be one that was zero before, and without a scale.
    wild = (accept <= 0.0) & (load(w, RATIO) * load(w, RELATIVE) * load(w, RELATIVE) > _WILD)
    due = (accepted & (load(w, NEXT) >= load(w, EVENT))) | given_up | ((running > 0.0) & wild)
    store(w, DUE, choose(due, every(1.0), every(0.0)))
    return bool(any_lane(due))


@inlined
def take_step(w: Any, kernel: Any, method: Any, batch: Any) -> None:
    """One attempt of every lane, judged by its error estimate unless the method chose the step itself."""
    n = kernel.states
    if method.series > 0:
        method.propose(w, n, kernel.jacobian)
    choose_step(w, batch.longest)
    method.attempt(w, n, kernel.rhs, kernel.jacobian, kernel.factor, kernel.backsolve)
    if method.series > 0:
        trust(w)
    else:
        judge(w, kernel.controlled, batch.rtol, batch.exponent)
