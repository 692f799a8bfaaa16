"""The scale of each state: what absolute tolerances and first steps are measured by, so that no unit decides.

A state's scale is the largest that it has been since its member was loaded or reset. That tells nothing of a state that
is zero and about to be fed by others, such as those after a depot: what such a state is about to become is found from
the equations, before any step. The right-hand side is evaluated near the scales that are known, the fastest of those
states sets a time, and what a rate brings in that time is the scale of what it feeds; then of what that feeds. What is
fed by little at first, and by more once that is fed, has the scale of the more. What only time feeds, and not yet, is
looked for halfway to the next stop where a series would tell nothing of it. A state whose value is but the rounding
of others, as an integral of a difference that is zero, is such a state too.

Rates of all known states are looked at a little beside the scales, each by a share of its own, so that neither balance
nor symmetry hides what a state depends on. A scale that is found too small grows as the state does, at the cost of some
steps; one too large would loosen control, so what is found counts only by a share. All this is a lane's own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate.compiled import apart, inlined
from simulate.solver.layout import (
    ABSOLUTE,
    BEND,
    BROKE,
    DUE,
    ERROR,
    FACTOR,
    KNOWN,
    LANES,
    LIMIT,
    NOW,
    RATE,
    RATIO,
    RENEWED,
    SHARE,
    START,
    STATE,
    STEP,
    STOP,
    TIME,
    UNSEEN,
    stage,
)
from simulate.solver.vectors import any_lane
from simulate.solver.vectors import load as row_at

LEAST, MOST = float(np.finfo(np.float64).smallest_subnormal), 1e300
"""Bounds of absolute tolerances: the least belongs to a state that was never more than 0, so that 0 has the error 0."""
BROKEN = -2.0
"""What ``KNOWN`` is at a break."""
_TRUSTED = 0.01
"""Share by which a scale that was found and not seen counts."""
_LONGEST = 1.0
"""Days in which a rate is thought to act where no known state changes faster and no stop comes before."""
_ROUNDING = 1e13
"""A state that changes so many times faster than half of the others is the rounding of what it is made of."""
_ROUNDED = 4.0 * float(np.finfo(np.float64).eps)
_NEAR = 1e-6
"""Share of the time by which a stop may be ahead for all until then to count as narrow."""
_GOLDEN = 0.6180339887498949
_MORE_PASSES = 16
_FIRST, _STRIDE = stage(0), stage(1) - stage(0)
_BLIND = 0.01
"""First step of series that tell nothing of a state, in the time in which the fastest known state changes."""
_RAISES = 2
"""How often a scale that was found may be found again, and larger: more often would follow what feeds itself."""


@inlined
def at_break(w: Any) -> bool:
    """Whether a lane is at a break, where something of its right-hand side in time begins, peaks or ends."""
    found = False
    for lane in range(LANES):
        found = found or w[KNOWN + lane] == BROKEN
    return found


@inlined
def heed_rounding(w: Any, n: int, rhs: Any) -> None:
    """Let no state at a break be followed further than the rounding of time allows, by its rate halfway to the stop.

    What is narrow is blurred by as much as times are rounded by: a state that begins at zero would else be followed to
    a share of next to nothing. Reads ``STATE``, and leaves ``TIME`` and ``RATE`` of other times behind.
    """
    for lane in range(LANES):
        w[TIME + lane] = 0.5 * (w[NOW + lane] + w[STOP + lane])
    rhs(w)
    for lane in range(LANES):
        if w[KNOWN + lane] == BROKEN:
            for i in range(lane, n * LANES, LANES):
                blurred = _ROUNDED * abs(w[NOW + lane]) * abs(w[RATE + i])
                w[ABSOLUTE + i] = blurred if w[ABSOLUTE + i] < blurred < MOST else w[ABSOLUTE + i]


@inlined
def scales_wanted(w: Any, changed: Any, loaded: int, n: int) -> bool:
    """Whether to look for scales: in lanes that were loaded, or where states without one may come to be fed.

    ``changed`` is the row of the state of lanes that tells what happened to each. ``RATIO`` becomes 1 in these lanes,
    else 0.
    """
    wanted = False
    for lane in range(LANES):
        w[RATIO + lane] = 0.0
        # Where every state has a scale, steps let it grow.
        if changed[lane] != 0 and w[KNOWN + lane] < n:
            for i in range(lane, n * LANES, LANES):
                w[ABSOLUTE + i] = max(w[ABSOLUTE + i], min(w[SHARE + lane] * abs(w[START + i]), MOST))
            known = _known(w, lane, n)
            if known != w[KNOWN + lane] and (known < n or changed[lane] == loaded):
                w[RATIO + lane] = 1.0
                wanted = True
            w[KNOWN + lane] = known
    return wanted


@inlined
def _known(w: Any, lane: int, n: int) -> int:
    """Number of a lane's states that have a scale."""
    known = 0
    for i in range(lane, n * LANES, LANES):
        known += w[ABSOLUTE + i] > LEAST
    return known


@apart
def find_scales(w: Any, n: int, at: int, rate: int, rhs: Any, member: Any, counters: Any) -> None:
    """Find the scales of the lanes in which they are wanted, from the states in ``START``.

    Evaluations read the state at ``at``, of other lanes as it is, and leave the derivative at ``rate``; ``member`` is a
    row of the state of lanes. ``ERROR`` holds scales, ``UNSEEN`` whether one was found and not seen, ``FACTOR`` the
    time, ``RATIO`` whether a lane is still looking, ``DUE`` whether it was: these are written anew by the next step.
    """
    for lane in range(LANES):
        w[DUE + lane] = w[RATIO + lane]
        w[FACTOR + lane] = min(_LONGEST, w[STOP + lane] - w[NOW + lane])
        for i in range(lane, n * LANES, LANES):
            known = w[ABSOLUTE + i] > LEAST
            w[ERROR + i] = math.copysign(w[ABSOLUTE + i] / w[SHARE + lane], w[START + i]) if known else w[START + i]
            w[UNSEEN + i] = 0.0 if w[ERROR + i] != 0.0 else 1.0
    for turn in range(n + _MORE_PASSES):
        if not any_lane(row_at(w, RATIO) > 0.0):
            break
        for lane in range(LANES):
            if w[RATIO + lane] > 0.0:
                counters[member[lane], 2] += 1
                for state in range(n):
                    i = state * LANES + lane
                    w[at + i] = w[ERROR + i] * (0.6 + 0.8 * ((state * _GOLDEN) % 1.0))
        rhs(w)
        for lane in range(LANES):
            if w[RATIO + lane] > 0.0 and not (turn == 0 and _doubt(w, lane, n, rate)):
                _look(w, lane, n, rate)
    for lane in range(LANES):
        if w[DUE + lane] > 0.0:
            _settle(w, lane, n)


@inlined
def _settle(w: Any, lane: int, n: int) -> None:
    """Let what was found take effect: it counts by a share. ``RATIO`` becomes 1 if anything was."""
    w[RATIO + lane] = 0.0
    for i in range(lane, n * LANES, LANES):
        if w[UNSEEN + i] > 0.0 and w[ERROR + i] != 0.0:
            w[RATIO + lane] = 1.0
            found = w[SHARE + lane] * _TRUSTED * abs(w[ERROR + i])
            w[ABSOLUTE + i] = min(max(found, w[ABSOLUTE + i], LEAST), MOST)
    w[KNOWN + lane] = _known(w, lane, n)


@inlined
def _pace(w: Any, i: int, rate: int) -> float:
    """Share of its scale by which a state changes in a day; 0 where there is no scale, or none can be told."""
    scale, change = abs(w[ERROR + i]), abs(w[rate + i])
    return float(change / scale) if scale > 0.0 and change < math.inf else 0.0


@inlined
def _doubt(w: Any, lane: int, n: int, rate: int) -> bool:
    """Give up scales that are those of this very moment and are but rounding; tell whether there are any."""
    found = False
    for i in range(lane, n * LANES, LANES):
        pace = _pace(w, i, rate)
        if pace > 0.0 and w[ABSOLUTE + i] <= w[SHARE + lane] * abs(w[START + i]):
            slower, moving = 0, 0
            for j in range(lane, n * LANES, LANES):
                other = _pace(w, j, rate)
                moving += j != i and other > 0.0
                slower += 0.0 < other * _ROUNDING < pace
            if moving > 0 and 2 * slower >= moving:
                w[UNSEEN + i] = 1.0
                found = True
    if found:
        for i in range(lane, n * LANES, LANES):
            w[ERROR + i] = 0.0 if w[UNSEEN + i] > 0.0 else w[ERROR + i]
    return found


@inlined
def _fed(w: Any, i: int, lane: int, rate: int) -> bool:
    """Whether a scale that was found is too small for what feeds the state by now."""
    found = 0.0 < w[UNSEEN + i] <= _RAISES
    return bool(found and (w[rate + i] > 0.0) == (w[ERROR + i] > 0.0) and _pace(w, i, rate) * w[FACTOR + lane] > 2.0)


@inlined
def _look(w: Any, lane: int, n: int, rate: int) -> None:
    """Give a scale to what the known states feed; begin anew if one of them changes faster than was thought."""
    fastest = 0.0
    for i in range(lane, n * LANES, LANES):
        fastest = max(fastest, 0.0 if _fed(w, i, lane, rate) else _pace(w, i, rate))
    anew = fastest * w[FACTOR + lane] > 2.0
    if anew:
        w[FACTOR + lane] = 1.0 / fastest
    w[RATIO + lane] = 1.0 if anew else 0.0
    for i in range(lane, n * LANES, LANES):
        if w[UNSEEN + i] > 0.0:
            if anew:
                w[ERROR + i] = 0.0
                w[UNSEEN + i] = 1.0
            elif w[ERROR + i] == 0.0:
                if 0.0 < abs(w[rate + i]) < math.inf:
                    w[ERROR + i] = w[rate + i] * w[FACTOR + lane]
                    w[RATIO + lane] = 1.0
            elif _fed(w, i, lane, rate):
                w[ERROR + i] = w[rate + i] * w[FACTOR + lane]
                w[UNSEEN + i] += 1.0
                w[RATIO + lane] = 1.0


@apart
def shorten_where_blind(w: Any, n: int, order: int, jets: Any) -> None:
    """Shorten the first step of lanes in which the last two coefficients of a state's series are zero.

    So is the error that is estimated from them, as for x' = 1, y' = x^8 or y' = 1/(1 + x^4) at x = 0. Reads what
    `find_scales` leaves in ``FACTOR`` and ``DUE``; ``BEND`` and the coefficients are written anew by the next step.
    """
    last, before = _FIRST + (order - 1) * _STRIDE, _FIRST + (order - 2) * _STRIDE
    for lane in range(LANES):
        w[BEND + lane] = 0.0
    jets(w)
    for lane in range(LANES):
        for i in range(lane, n * LANES, LANES):
            if w[DUE + lane] > 0.0 and w[ABSOLUTE + i] > LEAST and w[last + i] == 0.0 and w[before + i] == 0.0:
                w[STEP + lane] = _BLIND * w[FACTOR + lane]
                w[LIMIT + lane] = 1.0


@apart
def fed_later(w: Any, n: int, order: int, jets: Any) -> bool:
    """Tell whether time alone is about to feed a state whose series says nothing of it, as for y' = t^8 at t = 0.

    Reads what `find_scales` leaves in ``DUE``, and the coefficients that `shorten_where_blind` leaves. ``RATIO``, kept
    in ``RENEWED``, becomes 1 in lanes with such a state, else 0; ``NOW``, kept in ``TIME``, moves halfway to the stop.
    """
    found = False
    for lane in range(LANES):
        w[RENEWED + lane], w[RATIO + lane], w[TIME + lane] = w[RATIO + lane], 0.0, w[NOW + lane]
        for i in range(lane, n * LANES, LANES):
            blind = w[DUE + lane] > 0.0 and w[START + i] == 0.0 and w[ABSOLUTE + i] <= LEAST
            for k in range(order):
                blind = blind and w[_FIRST + k * _STRIDE + i] == 0.0
            w[UNSEEN + i] = 1.0 if blind else 0.0
            found = found or blind
        w[NOW + lane] = 0.5 * (w[NOW + lane] + w[STOP + lane])
    if not found:
        return False
    jets(w)
    found = False
    for lane in range(LANES):
        for i in range(lane, n * LANES, LANES):
            if w[UNSEEN + i] > 0.0 and 0.0 < abs(w[_FIRST + i]) < math.inf:
                w[RATIO + lane] = 1.0
                found = True
    return found


@inlined
def newborn(w: Any, lane: int, n: int) -> None:
    """Give a scale to what was zero and known to nobody, and came out of a rejected step: a window that opens."""
    for i in range(lane, n * LANES, LANES):
        if w[ABSOLUTE + i] <= LEAST and w[START + i] == 0.0 and 0.0 < abs(w[STATE + i]) < math.inf:
            w[ABSOLUTE + i] = max(w[SHARE + lane] * _TRUSTED * abs(w[STATE + i]), LEAST)


@inlined
def blurred(w: Any, lane: int, n: int) -> bool:
    """Give a scale to what is zero, or about to come to the next break, where time can hardly resolve a step.

    Its rate at the end of the step times what times are rounded by, as nothing of it can be told more exactly. Tells
    whether there was any.
    """
    found = False
    near = w[BROKE + lane] > 0.0 and w[STOP + lane] - w[NOW + lane] <= _NEAR * abs(w[NOW + lane])
    for i in range(lane, n * LANES, LANES):
        least = _ROUNDED * abs(w[NOW + lane]) * abs(w[RATE + i])
        if (near or w[START + i] == 0.0) and w[ABSOLUTE + i] < least < MOST:
            w[ABSOLUTE + i] = least
            found = True
    return found
