"""What switches within a model, and its events: a step ends where something switches, and events set states.

Within a step the right-hand side goes by *modes*, whole values that were seen at its beginning. At the end of each step
they are looked at anew; where one has another value, the time at which it became so is searched on the dense output, as
for a rule (`simulate.solver.events`), and the step ends there. What passes and returns within one step is not seen; in
time alone it is (`simulate.kernels.clock`).

An event is triggered when its condition comes to hold. It waits for its delay, then for its turn: of all that are due
at one time the one with the highest priority sets its states, and the conditions of all are looked at anew. The rules
are those of SBML (Hucka et al., J. Integr. Bioinform. 16 (2019) 20190021, 4.11). What waits is kept in rows of the
kernel's own region, lane by lane.

The loop calls what is here by its address: it is compiled when the first model comes in which something switches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, Code, compiled, inlined
from simulate.later import types
from simulate.solver.layout import ACCEPT, CONSTANTS, DUE, KNOWN, LANES, NEXT, NOW, RESTART, RESULT, STATE, STEP, TIME
from simulate.solver.methods.method import INTERPOLATE
from simulate.streams import IntArray

SLOTS, FEW_SLOTS = 32, 8
"""How often an event may wait at one time: one with a delay, and one without."""
_MOST_ROUNDS = 1000
"""Events of one time after which a member is given up: they call each other up for ever."""
_HALVINGS = 64
_LOOKS = 4
"""How often what has switched before is looked for from where the first thing has."""
_FRACTION = 0.125
"""The step after one that passed something narrow, as a share of the way to it."""
_ALIKE = 1e-6
"""Share by which derivatives of one time may differ that were found in different ways."""
WITHOUT = -1e300
"""Priority of an event without one."""

# Places in the table, the first of what the loop is given; the rows of the events stand behind them.
(
    WATCHED, EVENTS, MODE, MET, SEEN, BEFORE, TURN, END, JUMP, QUEUE, JUMPS,
    DIRECTIONS, BLOCK, DECIDING, FLOW, MOVED, MIXED, CROSS, BLUR, VERDICT, SUM, WAS, AWAY, TABLE,
) = range(24)  # fmt: skip
TABLE_TYPE = types.Array(types.int64, 1, "C", readonly=True)
LOOK_FOR_SWITCHES = types.boolean(WORKSPACE, TABLE_TYPE, BLOCK_FUNCTION)
SHARE_OF_SWITCHING = types.float64(WORKSPACE, TABLE_TYPE, types.int64, types.int64, BLOCK_FUNCTION, Code(INTERPOLATE))
SETTLE = types.int64(WORKSPACE, TABLE_TYPE, types.int64, types.float64, types.boolean, BLOCK_FUNCTION, BLOCK_FUNCTION)
# Columns of an event in the table.
_PERSISTENT, _AT_START, _AT_TRIGGER, _SLOTS, _COUNT, _FIRST, _OWN_JUMP, _OWN_QUEUE, _WIDTH = range(9)
_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Passing:
    """Rows of the kernel's region for derivatives of what switches, and of events (`simulate.solver.passing`).

    Attributes
    ----------
    directions, block
        Number of directions, and of states in a block: the first block of states, then their derivatives in each.
    deciding
        How many of the watched values, the first ones, have a say in rates or triggers.
    flow_row
        The derivative of all states before the switch.
    moved_row
        How a time moves in each direction.
    mixed_row
        In which directions several things happen at one time that would part.
    cross_row
        What `cross` writes for each value that decides: how fast it passes, how far the tolerance leaves it open, how
        far it is from passing, and how it changes in each direction.
    blur_row
        How far the tolerance leaves each state open.
    verdict_row
        Whether each value that decides passes too slowly, or jumps.
    sum_row
        Room for a block.
    was_row
        Modes before the switch.
    away_row
        Derivatives at a time that moves, as they were before anything happened.
    """

    directions: int
    block: int
    deciding: int
    flow_row: int
    moved_row: int
    mixed_row: int
    cross_row: int
    blur_row: int
    verdict_row: int
    sum_row: int
    was_row: int
    away_row: int


_WITHOUT_DERIVATIVES = Passing(*[0] * 12)


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Rows of the kernel's region for what switches, and its events.

    Attributes
    ----------
    watched
        Number of whole values that are watched.
    mode_row, met_row
        What they are within the step; and whether the sides of a comparison have just met.
    seen_row
        What `sense` writes: what they are now, then whether each event's condition holds.
    before_row
        Whether it held before.
    turn_row
        How many events have happened, from which follows which of those with one priority goes first.
    end_row
        Room for a state.
    jump_row
        What `jump` writes: delay, priority and new values of each event.
    queue_row
        Room for what waits.
    events
        For each event whether it is persistent, may happen at the start, has values from its trigger; how many times it
        may wait; and the indices of the states it sets.
    passing
        Rows for derivatives; None where there are none.
    """

    watched: int
    mode_row: int
    met_row: int
    seen_row: int
    before_row: int
    turn_row: int
    end_row: int
    jump_row: int
    queue_row: int
    events: tuple[tuple[int, int, int, int, tuple[int, ...]], ...]
    passing: Passing | None = None

    def table(self) -> IntArray:
        """All this as the loop reads it."""
        jumps = sum(2 + len(own) for *_, own in self.events)
        passing = self.passing or _WITHOUT_DERIVATIVES
        head = (
            self.watched, len(self.events), self.mode_row, self.met_row, self.seen_row, self.before_row, self.turn_row,
            self.end_row, self.jump_row, self.queue_row, jumps,
            passing.directions, passing.block, passing.deciding, passing.flow_row, passing.moved_row, passing.mixed_row,
            passing.cross_row, passing.blur_row, passing.verdict_row, passing.sum_row, passing.was_row,
            passing.away_row,
        )  # fmt: skip
        first = len(head) + _COLUMNS * len(self.events)
        rows: list[int] = []
        targets: list[int] = []
        jump, queue = self.jump_row, self.queue_row
        for persistent, at_start, at_trigger, slots, own in self.events:
            width = (2 + len(own)) + passing.directions * (1 + len(own))
            rows += [persistent, at_start, at_trigger, slots, len(own), first + len(targets), jump, queue, width]
            targets += own
            jump += 2 + len(own)
            queue += slots * width
        return np.array([*head, *rows, *targets], dtype=np.int64)


NOTHING: IntArray = np.zeros(TABLE, dtype=np.int64)
"""The table of a model in which nothing switches."""


@inlined
def switches(table: Any) -> bool:
    """Whether anything switches, or there are events."""
    return bool(table[WATCHED] + table[EVENTS] > 0)


@inlined
def at(row: int, lane: int) -> int:
    """Place of a row of the kernel's region."""
    return CONSTANTS + row * LANES + lane


@compiled(LOOK_FOR_SWITCHES)
def look_for_switches(w: Any, table: Any, sense: Any) -> bool:
    """Look at the ends of accepted steps; tell whether anything has switched in one."""
    for lane in range(LANES):
        w[TIME + lane] = w[NEXT + lane]
    sense(w)
    found = False
    for lane in range(LANES):
        if w[ACCEPT + lane] > 0.0 and _has_switched(w, table, lane):
            w[DUE + lane] = 1.0
            found = True
    return found


@inlined
def _has_switched(w: Any, table: Any, lane: int) -> bool:
    for index in range(table[WATCHED]):
        if w[at(table[SEEN] + index, lane)] != w[at(table[MODE] + index, lane)]:
            return True
    return False


@compiled(SHARE_OF_SWITCHING)
def share_of_switching(w: Any, table: Any, lane: int, n: int, sense: Any, interpolate: Any) -> float:
    """Share of the lane's step after which the first thing has switched; 2 if none has. ``STATE`` is left as it was.

    Interval halving on the dense output: of the last two points the one beyond.
    """
    w[TIME + lane] = w[NEXT + lane]
    sense(w)
    first = 2.0
    for index in range(table[WATCHED]):
        # Searching looks elsewhere: what has switched at the end is noted first.
        differs = w[at(table[SEEN] + index, lane)] != w[at(table[MODE] + index, lane)]
        w[at(table[MET] + index, lane)] = 1.0 if differs else 0.0
    for state in range(n):
        w[at(table[END] + state, lane)] = w[STATE + state * LANES + lane]
    passed = 2.0
    for look in range(_LOOKS):
        # What has passed and returned is seen from where the first has switched, not from the end of the step.
        latest = first
        for index in range(table[WATCHED]):
            if look == 0 and w[at(table[MET] + index, lane)] == 0.0:
                continue
            after = min(first, 1.0)
            if (look > 0 or first <= 1.0) and not _beyond(w, table, index, lane, n, after, sense, interpolate):
                continue
            earlier = _first_beyond(w, table, index, lane, n, after, sense, interpolate)
            if look == 0 or earlier < first:
                first = earlier
        passed = first if look == 0 else passed
        if first > 1.0 or first == latest:
            break
    if first < passed <= 1.0:
        # What lies between is narrower than the step.
        w[RESTART + lane] = _FRACTION * (passed - first) * w[STEP + lane]
    for index in range(table[WATCHED]):
        w[at(table[MET] + index, lane)] = 0.0
    for state in range(n):
        w[STATE + state * LANES + lane] = w[at(table[END] + state, lane)]
    return first


@inlined
def _first_beyond(
    w: Any, table: Any, index: int, lane: int, n: int, after: float, sense: Any, interpolate: Any
) -> float:
    """Share of the step after which a watched value is another, at most ``after``, at which it is."""
    before = 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (before + after)
        if not before < middle < after:
            break
        if w[NOW + lane] + middle * w[STEP + lane] >= w[NOW + lane] + after * w[STEP + lane]:
            break
        if _beyond(w, table, index, lane, n, middle, sense, interpolate):
            after = middle
        else:
            before = middle
    return after


@inlined
def _beyond(w: Any, table: Any, index: int, lane: int, n: int, share: float, sense: Any, interpolate: Any) -> bool:
    """Whether a watched value is another than in the step, within the step."""
    # The dense output of some methods needs the end of the step.
    for state in range(n):
        w[STATE + state * LANES + lane] = w[at(table[END] + state, lane)]
    interpolate(w, n, lane, share)
    for state in range(n):
        w[STATE + state * LANES + lane] = w[RESULT + state * LANES + lane]
    w[TIME + lane] = w[NOW + lane] + share * w[STEP + lane]
    sense(w)
    return bool(w[at(table[SEEN] + index, lane)] != w[at(table[MODE] + index, lane)])


@inlined
def earliest_due(w: Any, table: Any, lane: int) -> float:
    """Time of the first event that waits; infinite if none does."""
    earliest = math.inf
    for event in range(table[EVENTS]):
        own = TABLE + event * _COLUMNS
        width = table[own + _WIDTH]
        for slot in range(table[own + _SLOTS]):
            earliest = min(earliest, w[at(table[own + _OWN_QUEUE] + slot * width, lane)])
    return earliest


@inlined
def moves_alike(w: Any, table: Any, lane: int, now: float, direction: int, moved: float, is_first: bool) -> float:
    """How the time moves of all that waits and is due; infinite if not as ``moved``, unless that is of nothing yet."""
    for event in range(table[EVENTS]):
        own = TABLE + event * _COLUMNS
        for slot in range(table[own + _SLOTS]):
            row = table[own + _OWN_QUEUE] + slot * table[own + _WIDTH]
            if w[at(row, lane)] <= now:
                one = w[at(row + 2 + table[own + _COUNT] + direction * (1 + table[own + _COUNT]), lane)]
                if is_first:
                    moved, is_first = one, False
                elif not are_alike(moved, one):
                    return math.inf
    return moved


@inlined
def are_alike(one: float, other: float) -> bool:
    """Whether two derivatives of a time are the same but for the error of a solution."""
    return bool(abs(one - other) <= _ALIKE * max(abs(one), abs(other)))


@compiled(SETTLE)
def settle(w: Any, table: Any, lane: int, now: float, is_start: bool, sense: Any, jump: Any) -> int:
    """Let events happen at a time, on ``STATE``, and take the modes of what comes; return how many events happened.

    -1 if they call each other up for ever, or more of one wait than there is room for.
    """
    w[TIME + lane] = now
    sense(w)
    for index in range(table[WATCHED]):
        was, seen = w[at(table[MODE] + index, lane)], w[at(table[SEEN] + index, lane)]
        w[at(table[MET] + index, lane)] = 1.0 if not is_start and was != 0.0 and seen != was else 0.0
    if is_start:
        _forget(w, table, lane)
    happened = 0
    serial = 0.0
    while happened <= _MOST_ROUNDS:
        sense(w)
        if _triggered(w, table, lane):
            jump(w)
            serial = _enqueue(w, table, lane, now, serial)
            if serial < 0.0:
                return -1
        best = _next(w, table, lane, now, jump)
        if best < 0:
            break
        _execute(w, table, lane, best)
        happened += 1
    changed = happened > 0
    for index in range(table[WATCHED]):
        w[at(table[MET] + index, lane)] = 0.0
    sense(w)
    for index in range(table[WATCHED]):
        seen = w[at(table[SEEN] + index, lane)]
        changed = changed or seen != w[at(table[MODE] + index, lane)]
        w[at(table[MODE] + index, lane)] = seen
    for event in range(table[EVENTS]):
        # Two sides that have met are not equal any more, and what waits for its turn by now waits on.
        w[at(table[BEFORE] + event, lane)] = w[at(table[SEEN] + table[WATCHED] + event, lane)]
    if changed:
        w[KNOWN + lane] = -1.0
    return -1 if happened > _MOST_ROUNDS else happened


@inlined
def _forget(w: Any, table: Any, lane: int) -> None:
    """Nothing waits; conditions held before the start unless events may happen at it."""
    w[at(table[TURN], lane)] = 0.0
    for event in range(table[EVENTS]):
        own = TABLE + event * _COLUMNS
        w[at(table[BEFORE] + event, lane)] = 0.0 if table[own + _AT_START] == 1 else 1.0
        width = table[own + _WIDTH]
        for slot in range(table[own + _SLOTS]):
            w[at(table[own + _OWN_QUEUE] + slot * width, lane)] = math.inf


@inlined
def _triggered(w: Any, table: Any, lane: int) -> bool:
    """Mark with 2 the events whose conditions have come to hold; drop what waits in vain."""
    found = False
    for event in range(table[EVENTS]):
        own = TABLE + event * _COLUMNS
        before = w[at(table[BEFORE] + event, lane)]
        if w[at(table[SEEN] + table[WATCHED] + event, lane)] > 0.5:
            if before < 0.5:
                w[at(table[BEFORE] + event, lane)] = 2.0
                found = True
        else:
            if before > 0.5 and table[own + _PERSISTENT] == 0:
                width = table[own + _WIDTH]
                for slot in range(table[own + _SLOTS]):
                    w[at(table[own + _OWN_QUEUE] + slot * width, lane)] = math.inf
            w[at(table[BEFORE] + event, lane)] = 0.0
    return found


@inlined
def _enqueue(w: Any, table: Any, lane: int, now: float, serial: float) -> float:
    """Let the marked events wait for their delays, with their values; return the next serial number, or -1."""
    for event in range(table[EVENTS]):
        if w[at(table[BEFORE] + event, lane)] < 1.5:
            continue
        own = TABLE + event * _COLUMNS
        count = table[own + _COUNT]
        w[at(table[BEFORE] + event, lane)] = 1.0
        place = -1
        for slot in range(table[own + _SLOTS]):
            row = table[own + _OWN_QUEUE] + slot * table[own + _WIDTH]
            if w[at(row, lane)] == math.inf:
                place = row
                break
        delay = w[at(table[own + _OWN_JUMP], lane)]
        if place < 0 or not delay >= 0.0:
            return -1.0
        w[at(place, lane)] = now + delay
        w[at(place + 1, lane)] = serial
        for value in range(count):
            w[at(place + 2 + value, lane)] = w[at(table[own + _OWN_JUMP] + 2 + value, lane)]
        for direction in range(table[DIRECTIONS]):
            slope = table[own + _OWN_JUMP] + (1 + direction) * table[JUMPS]
            kept = place + 2 + count + direction * (1 + count)
            w[at(kept, lane)] = w[at(table[MOVED] + direction, lane)] + w[at(slope, lane)]
            for value in range(count):
                w[at(kept + 1 + value, lane)] = w[at(slope + 2 + value, lane)]
        serial += 1.0
    return serial


@inlined
def _next(w: Any, table: Any, lane: int, now: float, jump: Any) -> int:
    """Row of what is next of all that is due, times the number of events, plus the number of its event; or -1."""
    if not earliest_due(w, table, lane) <= now:
        return -1
    jump(w)
    best, priority, luck = -1, -math.inf, 0
    for event in range(table[EVENTS]):
        own = TABLE + event * _COLUMNS
        width = table[own + _WIDTH]
        urgent = w[at(table[own + _OWN_JUMP] + 1, lane)]
        found, earliest = -1, math.inf
        for slot in range(table[own + _SLOTS]):
            row = table[own + _OWN_QUEUE] + slot * width
            due = w[at(row, lane)]
            if due <= now and due < earliest:
                found, earliest = row, due
        own_luck = _luck(int(w[at(table[TURN], lane)]), event) if urgent > WITHOUT else 0
        if found >= 0 and (best < 0 or urgent > priority or (urgent == priority and own_luck > luck)):
            best, priority, luck = found * table[EVENTS] + event, urgent, own_luck
    return best


@inlined
def _luck(turn: int, event: int) -> int:
    """A whole number from 0 to 2³¹ that looks like chance, the same in every run: shifts and Lehmer's multiplier."""
    x = (turn * 40692 + (event + 1) * 1664525) % 2147483399 + 1
    for _ in range(6):
        x = ((x ^ (x >> 13) ^ (x >> 7)) * 48271 + 12345) % 2147483647
    return x


@inlined
def _execute(w: Any, table: Any, lane: int, best: int) -> None:
    """Set the states of an event, which `jump` has just looked at."""
    event, row = best % table[EVENTS], best // table[EVENTS]
    own = TABLE + event * _COLUMNS
    count = table[own + _COUNT]
    for value in range(count):
        source = row + 2 + value if table[own + _AT_TRIGGER] == 1 else table[own + _OWN_JUMP] + 2 + value
        target = table[table[own + _FIRST] + value]
        w[STATE + target * LANES + lane] = w[at(source, lane)]
        for direction in range(table[DIRECTIONS]):
            source = row + 2 + count + direction * (1 + count) + 1 + value
            if table[own + _AT_TRIGGER] == 0:
                source = table[own + _OWN_JUMP] + (1 + direction) * table[JUMPS] + 2 + value
            target += table[BLOCK]
            w[STATE + target * LANES + lane] = w[at(source, lane)]
    w[at(row, lane)] = math.inf
    w[at(table[TURN], lane)] += 1.0
