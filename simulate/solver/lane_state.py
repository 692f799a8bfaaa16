"""What the loop keeps of every lane, and what happens to one lane at a time: loading, stops, outputs, retirement."""

from __future__ import annotations

import math
from typing import Any

from simulate.compiled import inlined
from simulate.solver.control import LARGEST
from simulate.solver.events import cut, given, share_of_passing, visit, watches
from simulate.solver.hybrid import EVENTS, earliest_due, share_of_switching, switches
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
# Entries of the kernel's sizes.
STATES, PARAMETERS, INFUSION, GAIN, CONDITION, CONDITIONS, ROUTES, CONTROLLED = range(8)
# Entries of the method's settings.
STAGES, DENSE_STAGES, SERIES = range(3)


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
def plan(w: Any, lane_state: Any, lane: int, times: Any, schedule: Any, end: float, table: Any) -> None:
    """Set the lane's next stop, and the time from which it needs attention: that stop, or an output before it."""
    stop = lane_state[NEXT_STOP, lane]
    last = schedule[0][lane_state[MEMBER, lane] + 1]
    w[STOP + lane] = end
    if stop < last and schedule[1][stop] < end:
        w[STOP + lane] = schedule[1][stop]
    if table[EVENTS] > 0:
        w[STOP + lane] = min(w[STOP + lane], earliest_due(w, table, lane))
    output = lane_state[OUTPUT, lane]
    w[EVENT + lane] = w[STOP + lane]
    if output < len(times) and times[output] < w[STOP + lane]:
        w[EVENT + lane] = times[output]


@inlined
def apply_visits(lane_state: Any, lane: int, now: float, schedule: Any, watch: Any) -> None:
    """Take the lane's visits that are due, which stand before whatever else happens at the time."""
    stop = lane_state[NEXT_STOP, lane]
    last = schedule[0][lane_state[MEMBER, lane] + 1]
    while stop < last and schedule[1][stop] <= now and schedule[2][stop] == _VISIT:
        if watches(watch):
            visit(watch, lane)
        stop += 1
    lane_state[NEXT_STOP, lane] = stop


@inlined
def apply_stops(
    w: Any, lane_state: Any, lane: int, now: float, schedule: Any, prepare: Any, kernel: Any, targets: Any, watch: Any
) -> int:
    """Apply the lane's stops that are due to the state in ``STATE``; return their number."""
    offsets, times, kinds, routes, amounts = schedule
    first = lane_state[NEXT_STOP, lane]
    last = offsets[lane_state[MEMBER, lane] + 1]
    stop = first
    while stop < last and times[stop] <= now:
        route = routes[stop]
        amount = given(watch, lane, stop, schedule) if watches(watch) else amounts[stop]
        if kinds[stop] == _RESET:
            to_baseline(w, lane, prepare, kernel)
        elif kinds[stop] == _SET:
            w[STATE + route * LANES + lane] = amount
        elif kinds[stop] == _ADD:
            w[STATE + route * LANES + lane] += amount
        elif kinds[stop] == _BOLUS:
            # One array for both: where the targets of each route begin in it, then the targets themselves.
            for target in range(targets[route], targets[route + 1]):
                gain = w[CONSTANTS + (kernel[GAIN] + target - kernel[ROUTES] - 1) * LANES + lane]
                w[STATE + targets[target] * LANES + lane] += amount * gain
        elif kinds[stop] == _RATE:
            i = CONSTANTS + (kernel[INFUSION] + route) * LANES + lane
            w[i] += amount
            w[KNOWN + lane] = -1.0
            # Rounding must not leave an infusion on, still less a negative one, when the last of several has ended.
            w[i] = w[i] if abs(w[i]) > _RESIDUE * abs(amount) else 0.0
        elif kinds[stop] == _BREAK:
            w[KNOWN + lane] = BROKEN
            w[BROKE + lane] = 1.0
        stop += 1
    lane_state[NEXT_STOP, lane] = stop
    return int(stop - first)


@inlined
def to_baseline(w: Any, lane: int, prepare: Any, kernel: Any) -> None:
    """Put the initial state of the lane's member into ``STATE``, with no infusion running and no scales known.

    `prepare` works on the whole block; what it computes again for the other lanes are the same bits.
    """
    for route in range(kernel[ROUTES]):
        w[CONSTANTS + (kernel[INFUSION] + route) * LANES + lane] = 0.0
    w[KNOWN + lane] = -1.0
    w[BROKE + lane] = 0.0
    prepare(w)
    for state in range(kernel[STATES]):
        w[STATE + state * LANES + lane] = w[RESULT + state * LANES + lane]
        w[ABSOLUTE + state * LANES + lane] = LEAST


@inlined
def undefined(w: Any, n: int, lane: int) -> int:
    """Index of the first state in ``STATE`` that is not finite, or -1."""
    for state in range(n):
        if not math.isfinite(w[STATE + state * LANES + lane]):
            return int(state)
    return -1


@inlined
def record(w: Any, lane_state: Any, lane: int, n: int, now: float, times: Any, recorded: Any) -> None:
    """Record the state in ``STATE`` for the outputs that are due by ``now``."""
    output = lane_state[OUTPUT, lane]
    while output < len(times) and times[output] <= now:
        for state in range(n):
            recorded[lane_state[MEMBER, lane], output, state] = w[STATE + state * LANES + lane]
        output += 1
    lane_state[OUTPUT, lane] = output


@inlined
def record_before(w: Any, lane_state: Any, lane: int, n: int, now: float, times: Any, recorded: Any) -> None:
    """Record the state in ``STATE`` for the first of two outputs at this time, before stops change it."""
    output = lane_state[OUTPUT, lane]
    if output + 1 < len(times) and times[output] == now and times[output + 1] == now:
        for state in range(n):
            recorded[lane_state[MEMBER, lane], output, state] = w[STATE + state * LANES + lane]
        lane_state[OUTPUT, lane] = output + 1


@inlined
def outputs_within(w: Any, lane_state: Any, times: Any, method: Any, counters: Any) -> bool:
    """Whether an output lies inside the step of any lane; lanes for which one does are charged for its evaluations."""
    found = False
    for lane in range(LANES):
        output = lane_state[OUTPUT, lane]
        if lane_state[MEMBER, lane] >= 0 and w[ACCEPT + lane] > 0.0 and output < len(times):
            within = times[output] < w[NEXT + lane]
            found = found or within
            counters[lane_state[MEMBER, lane], 2] += method[DENSE_STAGES] if within else 0
    return found


@inlined
def record_within(
    w: Any, lane_state: Any, lane: int, n: int, now: float, times: Any, recorded: Any, interpolate: Any
) -> None:
    """Record the outputs that lie within the step, from the method's dense output."""
    output = lane_state[OUTPUT, lane]
    while output < len(times) and times[output] < now:
        interpolate(w, n, lane, (times[output] - w[NOW + lane]) / w[STEP + lane])
        for state in range(n):
            recorded[lane_state[MEMBER, lane], output, state] = w[RESULT + state * LANES + lane]
        output += 1
    lane_state[OUTPUT, lane] = output


@inlined
def cut_short(
    w: Any,
    lane_state: Any,
    lane: int,
    n: int,
    times: Any,
    recorded: Any,
    interpolate: Any,
    observe: Any,
    sense: Any,
    table: Any,
    watch: Any,
) -> None:
    """End a lane's step where the first of its rules applies or something switches; outputs before are recorded."""
    share = 2.0
    if watches(watch):
        share = share_of_passing(w, watch, lane, lane_state[MEMBER, lane], n, observe, interpolate)
    if switches(table):
        share = min(share, share_of_switching(w, table, lane, n, sense, interpolate))
    if share < 1.0:
        passing = w[NOW + lane] + share * w[STEP + lane]
        record_within(w, lane_state, lane, n, passing, times, recorded, interpolate)
        cut(w, lane, n, share, interpolate)
    if share <= 1.0:
        lane_state[CHANGE, lane] = DOSED


@inlined
def retire(w: Any, lane_state: Any, lane: int, method: Any, counters: Any) -> None:
    """Count the member's work and free its lane."""
    member, accepted, attempted = lane_state[MEMBER, lane], int(w[ACCEPTED + lane]), int(w[ATTEMPTED + lane])
    counters[member, 0] = accepted
    counters[member, 1] = attempted - accepted
    counters[member, 2] += attempted * method[STAGES]
    lane_state[MEMBER, lane] = -1
    # A dose at the end leaves nothing to begin anew, and the work of nobody else grows by it.
    lane_state[CHANGE, lane] = NOTHING
    w[RUNNING + lane] = 0.0
    w[ACCEPT + lane] = 0.0


@inlined
def load(w: Any, lane: int, member: int, prepare: Any, kernel: Any, parameters: Any, start: float) -> int:
    """Put a member into a lane; return -1, or the index of what makes its baseline unusable."""
    for parameter in range(kernel[PARAMETERS]):
        w[CONSTANTS + parameter * LANES + lane] = parameters[member, parameter]
    to_baseline(w, lane, prepare, kernel)
    w[NEXT + lane] = start
    w[RESTART + lane] = w[RESTARTING + lane] = w[ACCEPTED + lane] = w[ATTEMPTED + lane] = 0.0
    w[LIMIT + lane] = LARGEST
    for condition in range(kernel[CONDITIONS]):
        if not w[CONSTANTS + (kernel[CONDITION] + condition) * LANES + lane] >= -_SLACK:
            return condition
    state = undefined(w, kernel[CONTROLLED], lane)
    return -1 if state < 0 else int(kernel[CONDITIONS] + state)
