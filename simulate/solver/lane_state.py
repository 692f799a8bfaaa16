"""What the loop keeps of every lane, and what happens to one lane at a time: loading, stops, outputs, retirement."""

from __future__ import annotations

import math
from typing import Any

from simulate.compiled import apart, inlined
from simulate.solver.control import LARGEST
from simulate.solver.events import cut, given, watches
from simulate.solver.hybrid import EVENTS, earliest_due, switches
from simulate.solver.layout import (
    ABSOLUTE,
    ACCEPT,
    ACCEPTED,
    ATTEMPTED,
    BROKE,
    CONSTANTS,
    DUE,
    EVENT,
    KNOWN,
    LANES,
    LIMIT,
    NEXT,
    NOW,
    RELATIVE,
    RESTART,
    RESTARTING,
    RESULT,
    RUNNING,
    SHARE,
    STATE,
    STEP,
    STOP,
)
from simulate.solver.loop_values import ScheduleColumns
from simulate.solver.problem import StopKind
from simulate.solver.scales import BROKEN, LEAST

_VISIT, _RESET, _SET = int(StopKind.VISIT), int(StopKind.RESET), int(StopKind.SET)
_ADD, _BOLUS, _RATE, _BREAK = (int(k) for k in (StopKind.ADD, StopKind.BOLUS, StopKind.RATE, StopKind.BREAK))
_SLACK = 1e-12
"""A condition may be this much below zero, which rounding can do to one that is zero."""
_RESIDUE = 1e-12
"""An infusion rate that is this small a share of the rate just ended is what rounding left of zero."""

# Rows of the state that the loop keeps for every lane.
MEMBER, OUTPUT, NEXT_STOP, CHANGE = range(4)
LANE_ROWS = 4
# What happened to a lane since its last step.
NOTHING, DOSED, LOADED = 0, 1, 2


@inlined
def open_lanes(w: Any, lane_state: Any, n: int, start: float, rtol: float, share: float) -> None:
    """Prepare a workspace and the state that the loop keeps of its lanes: every lane is free."""
    for lane in range(LANES):
        clear(lane_state, lane)
        lane_state[MEMBER, lane] = -1
    for i in range(n * LANES):
        w[ABSOLUTE + i] = LEAST
    for lane in range(LANES):
        w[RUNNING + lane] = w[ACCEPT + lane] = w[STEP + lane] = w[DUE + lane] = 0.0
        w[NEXT + lane] = w[STOP + lane] = start
        w[RELATIVE + lane] = rtol
        w[SHARE + lane] = share


@inlined
def clear(lane_state: Any, lane: int) -> None:
    """Begin a lane's column anew."""
    for entry in range(LANE_ROWS):
        lane_state[entry, lane] = 0


@inlined
def plan(w: Any, lane_state: Any, lane: int, table: Any, batch: Any) -> None:
    """Set the lane's next stop, and the time from which it needs attention: that stop, or an output before it."""
    schedule, times = ScheduleColumns(*batch.schedule), batch.times
    stop = lane_state[NEXT_STOP, lane]
    last = schedule.offsets[lane_state[MEMBER, lane] + 1]
    w[STOP + lane] = batch.end
    if stop < last and schedule.times[stop] < batch.end:
        w[STOP + lane] = schedule.times[stop]
    if table[EVENTS] > 0:
        w[STOP + lane] = min(w[STOP + lane], earliest_due(w, table, lane))
    output = lane_state[OUTPUT, lane]
    w[EVENT + lane] = w[STOP + lane]
    if output < len(times) and times[output] < w[STOP + lane]:
        w[EVENT + lane] = times[output]


@inlined
def is_given(lane_state: Any, lane: int, now: float, columns: Any) -> bool:
    """Whether a stop of the lane is due that changes something."""
    schedule = ScheduleColumns(*columns)
    for stop in range(lane_state[NEXT_STOP, lane], schedule.offsets[lane_state[MEMBER, lane] + 1]):
        if schedule.times[stop] > now:
            break
        if schedule.kinds[stop] != _VISIT and schedule.kinds[stop] != _BREAK:
            return True
    return False


@inlined
def apply_visits(lane_state: Any, lane: int, now: float, columns: Any) -> int:
    """Take the lane's visits that are due, which stand before all else at the time; return their number."""
    schedule = ScheduleColumns(*columns)
    first = lane_state[NEXT_STOP, lane]
    stop = first
    last = schedule.offsets[lane_state[MEMBER, lane] + 1]
    while stop < last and schedule.times[stop] <= now and schedule.kinds[stop] == _VISIT:
        stop += 1
    lane_state[NEXT_STOP, lane] = stop
    return int(stop - first)


@inlined
def apply_stops(w: Any, lane_state: Any, lane: int, now: float, kernel: Any, watch: Any, columns: Any) -> int:
    """Apply the lane's stops that are due to the state in ``STATE``; return their number."""
    schedule, targets = ScheduleColumns(*columns), kernel.targets
    first = lane_state[NEXT_STOP, lane]
    last = schedule.offsets[lane_state[MEMBER, lane] + 1]
    stop = first
    while stop < last and schedule.times[stop] <= now:
        route, kind, amount = schedule.routes[stop], schedule.kinds[stop], schedule.amounts[stop]
        if watches(watch):
            amount = given(watch, lane, stop, kind, amount)
        if kind == _RESET:
            to_baseline(w, lane, kernel)
        elif kind == _SET:
            w[STATE + route * LANES + lane] = amount
        elif kind == _ADD:
            w[STATE + route * LANES + lane] += amount
        elif kind == _BOLUS:
            # One array for both: where the targets of each route begin in it, then the targets themselves.
            for target in range(targets[route], targets[route + 1]):
                gain = w[CONSTANTS + (kernel.gain + target - kernel.routes - 1) * LANES + lane]
                w[STATE + targets[target] * LANES + lane] += amount * gain
        elif kind == _RATE:
            i = CONSTANTS + (kernel.infusion + route) * LANES + lane
            w[i] += amount
            w[KNOWN + lane] = -1.0
            # Rounding must not leave an infusion on, still less a negative one, when the last of several has ended.
            w[i] = w[i] if abs(w[i]) > _RESIDUE * abs(amount) else 0.0
        elif kind == _BREAK:
            w[KNOWN + lane] = BROKEN
            w[BROKE + lane] = 1.0
        stop += 1
    lane_state[NEXT_STOP, lane] = stop
    return int(stop - first)


@inlined
def to_baseline(w: Any, lane: int, kernel: Any) -> None:
    """Put the initial state of the lane's member into ``STATE``, with no infusion running and no scales known.

    ``prepare`` works on the whole block; what it computes again for the other lanes are the same bits.
    """
    for route in range(kernel.routes):
        w[CONSTANTS + (kernel.infusion + route) * LANES + lane] = 0.0
    w[KNOWN + lane] = -1.0
    w[BROKE + lane] = 0.0
    kernel.prepare(w)
    for state in range(kernel.states):
        w[STATE + state * LANES + lane] = w[RESULT + state * LANES + lane]
        w[ABSOLUTE + state * LANES + lane] = LEAST


@inlined
def undefined(w: Any, n: int, lane: int) -> int:
    """Index of the first state in ``STATE`` that is not finite, or -1."""
    # Where a sum is finite all of it is: one question in place of one a state. One that is not may have overflowed.
    total = 0.0
    for i in range(lane, n * LANES, LANES):
        total += w[STATE + i]
    if math.isfinite(total):
        return -1
    for state in range(n):
        if not math.isfinite(w[STATE + state * LANES + lane]):
            return int(state)
    return -1


@inlined
def record(w: Any, lane_state: Any, lane: int, now: float, n: int, times: Any, recorded: Any) -> None:
    """Record the state in ``STATE`` for the outputs that are due by ``now``."""
    output = lane_state[OUTPUT, lane]
    while output < len(times) and times[output] <= now:
        _keep(w, STATE, lane_state, lane, output, n, recorded)
        output += 1
    lane_state[OUTPUT, lane] = output


@inlined
def _keep(w: Any, at: int, lane_state: Any, lane: int, output: int, n: int, recorded: Any) -> None:
    for state in range(n):
        recorded[lane_state[MEMBER, lane], output, state] = w[at + state * LANES + lane]


@inlined
def record_before(w: Any, lane_state: Any, lane: int, now: float, n: int, times: Any, recorded: Any) -> None:
    """Record the state in ``STATE`` for the first of two outputs at this time, before stops change it."""
    output = lane_state[OUTPUT, lane]
    if output + 1 < len(times) and times[output] == now and times[output + 1] == now:
        _keep(w, STATE, lane_state, lane, output, n, recorded)
        lane_state[OUTPUT, lane] = output + 1


@inlined
def outputs_within(w: Any, lane_state: Any, dense_stages: int, times: Any, counters: Any) -> bool:
    """Whether an output lies inside the step of any lane; lanes for which one does are charged for its evaluations."""
    found = False
    for lane in range(LANES):
        output = lane_state[OUTPUT, lane]
        if lane_state[MEMBER, lane] >= 0 and w[ACCEPT + lane] > 0.0 and output < len(times):
            within = times[output] < w[NEXT + lane]
            found = found or within
            counters[lane_state[MEMBER, lane], 2] += dense_stages if within else 0
    return found


@inlined
def record_within(
    w: Any, lane_state: Any, lane: int, now: float, n: int, interpolate: Any, times: Any, recorded: Any
) -> None:
    """Record the outputs that lie within the step, from the method's dense output."""
    output = lane_state[OUTPUT, lane]
    while output < len(times) and times[output] < now:
        interpolate(w, n, lane, (times[output] - w[NOW + lane]) / w[STEP + lane])
        _keep(w, RESULT, lane_state, lane, output, n, recorded)
        output += 1
    lane_state[OUTPUT, lane] = output


@apart
def cut_short(
    w: Any, lane_state: Any, lane: int, kernel: Any, method: Any, rules: Any, batch: Any, results: Any
) -> None:
    """End a lane's step where the first of its rules applies or something switches; outputs before are recorded."""
    share, n = 2.0, kernel.states
    if watches(rules.watch):
        member = lane_state[MEMBER, lane]
        share = rules.share_of_passing(w, rules.watch, lane, member, n, kernel.observe, method.interpolate)
    if switches(kernel.table):
        share = min(
            share, kernel.share_of_switching(w, kernel.table, lane, kernel.controlled, kernel.sense, method.interpolate)
        )
    if share < 1.0:
        passing = w[NOW + lane] + share * w[STEP + lane]
        record_within(w, lane_state, lane, passing, n, method.interpolate, batch.times, results.recorded)
        cut(w, lane, n, share, method.interpolate)
    if share <= 1.0:
        lane_state[CHANGE, lane] = DOSED


@inlined
def retire(w: Any, lane_state: Any, lane: int, stages: int, counters: Any) -> None:
    """Count the member's work and free its lane."""
    member, accepted, attempted = lane_state[MEMBER, lane], int(w[ACCEPTED + lane]), int(w[ATTEMPTED + lane])
    counters[member, 0] = accepted
    counters[member, 1] = attempted - accepted
    counters[member, 2] += attempted * stages
    lane_state[MEMBER, lane] = -1
    # A dose at the end leaves nothing to begin anew, and the work of nobody else grows by it.
    lane_state[CHANGE, lane] = NOTHING
    w[RUNNING + lane] = 0.0
    w[ACCEPT + lane] = 0.0


@inlined
def load(w: Any, lane: int, member: int, kernel: Any, batch: Any) -> int:
    """Put a member into a lane; return -1, or the index of what makes its baseline unusable."""
    for parameter in range(kernel.parameters):
        w[CONSTANTS + parameter * LANES + lane] = batch.parameters[member, parameter]
    to_baseline(w, lane, kernel)
    w[NEXT + lane] = batch.start
    w[RESTART + lane] = w[RESTARTING + lane] = w[ACCEPTED + lane] = w[ATTEMPTED + lane] = 0.0
    w[LIMIT + lane] = LARGEST
    for condition in range(kernel.conditions):
        if not w[CONSTANTS + (kernel.condition + condition) * LANES + lane] >= -_SLACK:
            return condition
    state = undefined(w, kernel.controlled, lane)
    return -1 if state < 0 else int(kernel.conditions + state)
