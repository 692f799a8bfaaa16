"""Derivatives where something switches or an event happens: when it does depends on what is varied.

At the time t* of a switch x goes on, and with the derivative f of the states before and after it

    s⁺ = s⁻ + (f⁻ − f⁺) dt*/dp ,    dt*/dp = −(∂g/∂x s⁻ + ∂g/∂p) / (∂g/∂x f⁻ + ∂g/∂t) ,

where g is what passes through 0. This is done in two halves, with room between them for events: `depart` goes over to
the derivatives of the states at the time that moves, s⁻ + f⁻ dt*/dp; what sets states sets these as it does any number
that depends on parameters; and `arrive` comes back to a fixed time, less f⁺ dt*/dp. A time that was given, of a dose
or an output, does not move.

A derivative that does not exist is not a number: where g grazes 0, so that its pace is another within the time by which
the tolerance leaves t* open, and where several things happen at one time that would part from each other, unless what
they change adds up. Where g jumps, because something within it switches, the time is that of the latter.
"""

from __future__ import annotations

import math
from typing import Any

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, compiled, inlined
from simulate.later import types
from simulate.solver.hybrid import (
    AWAY,
    BLOCK,
    BLUR,
    CROSS,
    DECIDING,
    DIRECTIONS,
    END,
    FLOW,
    MIXED,
    MODE,
    MOVED,
    SEEN,
    SUM,
    TABLE_TYPE,
    VERDICT,
    WAS,
    are_alike,
    at,
    earliest_due,
    moves_alike,
)
from simulate.solver.layout import ABSOLUTE, LANES, RATE, STATE, STEP, TIME

DEPART = types.void(
    WORKSPACE, TABLE_TYPE, types.int64, types.int64, types.float64, types.boolean, types.float64, *[BLOCK_FUNCTION] * 3
)
ARRIVE = types.void(WORKSPACE, TABLE_TYPE, types.int64, types.int64, types.float64, types.int64, BLOCK_FUNCTION)
_PASSES, _GRAZES, _JUMPS = 0.0, 1.0, 2.0
_BESIDE = 3
"""How many numbers `cross` writes before the changes in each direction."""
_AT_ZERO = 1e-9
"""Share of the time by which something may miss its zero at the time that was found for it."""
_STEADY = 0.01
"""Share by which the pace of what passes may change within the time that the tolerance leaves open."""
_ADDS_UP = 1e-9
"""Share by which changes of a derivative may miss adding up, or nothing."""


@inlined
def differentiates(table: Any) -> bool:
    """Whether derivatives are solved beside what switches."""
    return bool(table[DIRECTIONS] > 0)


@inlined
def stay(w: Any, table: Any, lane: int) -> None:
    """What happens now happens at a time that does not move."""
    for direction in range(table[DIRECTIONS]):
        w[at(table[MOVED] + direction, lane)] = 0.0
        w[at(table[MIXED] + direction, lane)] = 0.0


@compiled(DEPART)
def depart(
    w: Any, table: Any, lane: int, n: int, now: float, is_given: bool, rtol: float, rhs: Any, sense: Any, cross: Any
) -> None:
    """Go over to derivatives of the states at a time that moves, with what passes there or is due.

    ``is_given`` tells whether something happens besides at a time that does not move.
    """
    stay(w, table, lane)
    w[TIME + lane] = now
    sense(w)
    passed = 0
    for index in range(table[DECIDING]):
        passed += _has_passed(w, table, index, lane)
    is_due = earliest_due(w, table, lane) <= now
    if passed == 0 and not is_due:
        return
    _keep_rates(w, table, lane, n)
    rhs(w)
    for state in range(n):
        w[at(table[FLOW] + state, lane)] = w[RATE + state * LANES + lane]
    for state in range(table[BLOCK]):
        i = state * LANES + lane
        w[at(table[BLUR] + state, lane)] = w[ABSOLUTE + i] + rtol * abs(w[STATE + i])
    cross(w)
    _judge(w, table, lane, now, rhs, cross)
    _find_moves(w, table, lane, now, is_given)
    if _is_mixed(w, table, lane):
        if is_given or is_due:
            _forget_mixed(w, table, lane)
        else:
            _add_up(w, table, lane, rhs)
    for state in range(n):
        w[at(table[END] + state, lane)] = w[STATE + state * LANES + lane]
    for direction in range(table[DIRECTIONS]):
        moved = w[at(table[MOVED] + direction, lane)]
        if moved != 0.0 and w[at(table[MIXED] + direction, lane)] == 0.0:
            first = (1 + direction) * table[BLOCK]
            for state in range(table[BLOCK]):
                w[STATE + (first + state) * LANES + lane] += w[at(table[FLOW] + state, lane)] * moved
    for state in range(n):
        w[at(table[AWAY] + state, lane)] = w[STATE + state * LANES + lane]
    _put_rates_back(w, table, lane, n)


@compiled(ARRIVE)
def arrive(w: Any, table: Any, lane: int, n: int, now: float, happened: int, rhs: Any) -> None:
    """Come back to derivatives at a fixed time, after events and with the modes of what comes."""
    if happened != 0:
        _forget_mixed(w, table, lane)
    moves = False
    for direction in range(table[DIRECTIONS]):
        moves = moves or w[at(table[MOVED] + direction, lane)] != 0.0
    if not moves:
        return
    _keep_rates(w, table, lane, n)
    w[TIME + lane] = now
    rhs(w)
    for direction in range(table[DIRECTIONS]):
        moved = w[at(table[MOVED] + direction, lane)]
        if moved == 0.0 or w[at(table[MIXED] + direction, lane)] != 0.0:
            continue
        first = (1 + direction) * table[BLOCK]
        for state in range(table[BLOCK]):
            own = STATE + (first + state) * LANES + lane
            change = w[at(table[FLOW] + state, lane)] - w[RATE + state * LANES + lane]
            if happened != 0 and not moved * 0.0 == 0.0:
                w[own] = math.nan
            elif happened != 0 and w[own] != w[at(table[AWAY] + first + state, lane)]:
                w[own] -= w[RATE + state * LANES + lane] * moved
            else:
                # What nothing has set loses no digit by going there and back.
                w[own] = w[at(table[END] + first + state, lane)]
                # What goes on as it was does so whenever something passes, though nobody knows when that is.
                both = abs(w[at(table[FLOW] + state, lane)]) + abs(w[RATE + state * LANES + lane])
                if moved * 0.0 == 0.0 or not abs(change) <= _ADDS_UP * both:
                    w[own] += change * moved
    _put_rates_back(w, table, lane, n)


@inlined
def _has_passed(w: Any, table: Any, index: int, lane: int) -> bool:
    return bool(w[at(table[SEEN] + index, lane)] != w[at(table[MODE] + index, lane)])


@inlined
def _judge(w: Any, table: Any, lane: int, now: float, rhs: Any, cross: Any) -> None:
    """Find what jumps, and what passes so slowly that nobody knows how fast: a little later its pace is another."""
    for index in range(table[DECIDING]):
        if not _has_passed(w, table, index, lane):
            continue
        row = _row_of(table, index)
        pace, blur, far = w[at(row, lane)], w[at(row + 1, lane)], abs(w[at(row + 2, lane)])
        verdict = _PASSES
        if not far <= blur + _AT_ZERO * abs(pace) * (abs(now) + w[STEP + lane]):
            verdict = _JUMPS
        elif _moves(w, table, row, lane):
            _look_later(w, table, lane, now, blur / abs(pace), rhs, cross)
            if not abs(w[at(row, lane)] - pace) <= _STEADY * abs(pace):
                verdict = _GRAZES
            _come_back(w, table, lane, now, cross)
        w[at(table[VERDICT] + index, lane)] = verdict


@inlined
def _row_of(table: Any, index: int) -> int:
    return int(table[CROSS] + index * (_BESIDE + table[DIRECTIONS]))


@inlined
def _moves(w: Any, table: Any, row: int, lane: int) -> bool:
    """Whether what passes changes in any direction."""
    for direction in range(table[DIRECTIONS]):
        if w[at(row + _BESIDE + direction, lane)] != 0.0:
            return True
    return False


@inlined
def _look_later(w: Any, table: Any, lane: int, now: float, after: float, rhs: Any, cross: Any) -> None:
    """Go along the rates for some time and look how fast what is watched passes there."""
    for state in range(table[BLOCK]):
        i = state * LANES + lane
        w[at(table[END] + state, lane)] = w[STATE + i]
        w[STATE + i] += after * w[at(table[FLOW] + state, lane)]
    w[TIME + lane] = now + after
    rhs(w)
    cross(w)


@inlined
def _come_back(w: Any, table: Any, lane: int, now: float, cross: Any) -> None:
    w[TIME + lane] = now
    for state in range(table[BLOCK]):
        i = state * LANES + lane
        w[STATE + i] = w[at(table[END] + state, lane)]
        w[RATE + i] = w[at(table[FLOW] + state, lane)]
    cross(w)


@inlined
def _moved_by(w: Any, table: Any, index: int, direction: int, lane: int) -> float:
    """How the time moves at which a watched value passes; not a number where it grazes."""
    row = _row_of(table, index)
    change = w[at(row + _BESIDE + direction, lane)]
    if change == 0.0:
        return 0.0
    if w[at(table[VERDICT] + index, lane)] == _GRAZES:
        return math.nan
    return float(-change / w[at(row, lane)])


@inlined
def _find_moves(w: Any, table: Any, lane: int, now: float, is_given: bool) -> None:
    """Find in each direction how the time moves, and whether it is one time for all that happens."""
    for direction in range(table[DIRECTIONS]):
        moved = _moved(w, table, lane, now, direction, is_given)
        w[at(table[MOVED] + direction, lane)] = math.nan if moved == math.inf else moved
        w[at(table[MIXED] + direction, lane)] = 1.0 if moved == math.inf else 0.0


@inlined
def _is_mixed(w: Any, table: Any, lane: int) -> bool:
    for direction in range(table[DIRECTIONS]):
        if w[at(table[MIXED] + direction, lane)] != 0.0:
            return True
    return False


@inlined
def _moved(w: Any, table: Any, lane: int, now: float, direction: int, is_given: bool) -> float:
    """How the time moves of all that happens at it; infinite where it moves in different ways."""
    moved, is_first, jumps = 0.0, True, False
    for index in range(table[DECIDING]):
        if not _has_passed(w, table, index, lane):
            continue
        if w[at(table[VERDICT] + index, lane)] == _JUMPS:
            jumps = True
            continue
        one = _moved_by(w, table, index, direction, lane)
        if is_first:
            moved, is_first = one, False
        elif not are_alike(moved, one):
            return math.inf
    if jumps and is_first:
        moved = math.nan
    moved = moves_alike(w, table, lane, now, direction, moved, is_first)
    return math.inf if is_given and moved != 0.0 else moved


@inlined
def _add_up(w: Any, table: Any, lane: int, rhs: Any) -> None:
    """Let several things switch at one time that moves in different ways for each: what they change must add up."""
    block = table[BLOCK]
    for state in range(block):
        w[at(table[SUM] + state, lane)] = 0.0
    for index in range(table[DECIDING]):
        w[at(table[WAS] + index, lane)] = w[at(table[MODE] + index, lane)]
    for index in range(table[DECIDING]):
        if w[at(table[SEEN] + index, lane)] != w[at(table[WAS] + index, lane)]:
            w[at(table[MODE] + index, lane)] = w[at(table[SEEN] + index, lane)]
            rhs(w)
            w[at(table[MODE] + index, lane)] = w[at(table[WAS] + index, lane)]
            _add(w, table, index, lane)
    for index in range(table[DECIDING]):
        w[at(table[MODE] + index, lane)] = w[at(table[SEEN] + index, lane)]
    rhs(w)
    for index in range(table[DECIDING]):
        w[at(table[MODE] + index, lane)] = w[at(table[WAS] + index, lane)]
    for state in range(block):
        before, after = w[at(table[FLOW] + state, lane)], w[RATE + state * LANES + lane]
        apart = before - after - w[at(table[SUM] + state, lane)]
        if not abs(apart) <= _ADDS_UP * (abs(before) + abs(after)):
            for direction in range(table[DIRECTIONS]):
                if w[at(table[MIXED] + direction, lane)] != 0.0:
                    w[STATE + ((1 + direction) * block + state) * LANES + lane] = math.nan


@inlined
def _add(w: Any, table: Any, index: int, lane: int) -> None:
    """Let one of several things switch."""
    for state in range(table[BLOCK]):
        change = w[at(table[FLOW] + state, lane)] - w[RATE + state * LANES + lane]
        if change != 0.0:
            w[at(table[SUM] + state, lane)] += change
            for direction in range(table[DIRECTIONS]):
                if w[at(table[MIXED] + direction, lane)] != 0.0:
                    moved = _moved_by(w, table, index, direction, lane)
                    if w[at(table[VERDICT] + index, lane)] == _JUMPS:
                        moved = math.nan
                    w[STATE + ((1 + direction) * table[BLOCK] + state) * LANES + lane] += change * moved


@inlined
def _forget_mixed(w: Any, table: Any, lane: int) -> None:
    """No derivative exists in directions in which times part."""
    for direction in range(table[DIRECTIONS]):
        if w[at(table[MIXED] + direction, lane)] != 0.0:
            for state in range(table[BLOCK]):
                w[STATE + ((1 + direction) * table[BLOCK] + state) * LANES + lane] = math.nan


@inlined
def _keep_rates(w: Any, table: Any, lane: int, n: int) -> None:
    """Keep what the dense output of the other lanes may need."""
    for state in range(n):
        for other in range(LANES):
            if other != lane:
                w[at(table[FLOW] + state, other)] = w[RATE + state * LANES + other]


@inlined
def _put_rates_back(w: Any, table: Any, lane: int, n: int) -> None:
    for state in range(n):
        for other in range(LANES):
            if other != lane:
                w[RATE + state * LANES + other] = w[at(table[FLOW] + state, other)]
