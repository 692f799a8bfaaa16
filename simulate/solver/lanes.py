"""The one loop: lanes are loaded, stepped, stopped, recorded, retired and refilled.

Every lane has its own time, step, stops and outputs; the loop never asks which method or model it runs, and no lane's
numbers depend on another's. A dose is a stop that is known beforehand: a step ends on it exactly, the state changes,
and integration restarts with the step that did well after the previous stop.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, compiled, inlined
from simulate.solver.control import LARGEST, RESOLUTION, first_step, needs_attention, take_step
from simulate.solver.events import WATCH, act, begin, look, watches
from simulate.solver.hybrid import look_for_switches, settle, switches
from simulate.solver.lane_state import (
    CHANGE,
    CONDITIONS,
    CONTROLLED,
    DENSE_STAGES,
    DOSED,
    GAIN,
    LOADED,
    MEMBER,
    NEXT_STOP,
    NOTHING,
    SERIES,
    STATES,
    apply_stops,
    apply_visits,
    clear,
    cut_short,
    load,
    open_lanes,
    outputs_within,
    plan,
    record,
    record_before,
    record_within,
    retire,
    undefined,
)
from simulate.solver.layout import (
    ABSOLUTE,
    ACCEPT,
    ATTEMPTED,
    DUE,
    ERROR,
    EVENT,
    FACTOR,
    HEAD,
    LANES,
    LIMIT,
    NEXT,
    NOW,
    RATE,
    RATIO,
    RELATIVE,
    RESTART,
    RESTARTING,
    RUNNING,
    SINCE,
    START,
    STATE,
    STEP,
    TIME,
    stage,
)
from simulate.solver.methods.method import ATTEMPT, EXTEND, INTERPOLATE, PROPOSE
from simulate.solver.scales import at_break, blurred, find_scales, heed_rounding, newborn, scales_wanted
from simulate.solver.trajectories import Status
from simulate.solver.vectors import any_lane, choose, store
from simulate.solver.vectors import load as row_at

_SLOPE = stage(0)
_OK, _TOO_MANY_STEPS, _STEP_TOO_SMALL, _NOT_FINITE, _INFEASIBLE = (int(status) for status in Status)
_TINY = float(np.finfo(np.float64).tiny)
_FLOATS = types.Array(types.float64, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C", readonly=True)
_TABLE = types.Array(types.float64, 2, "C", readonly=True)
_SCHEDULE: Any = types.Tuple((_INTS, _FLOATS, _INTS, _INTS, _FLOATS))  # type: ignore[no-untyped-call]
SIGNATURE = types.int64(
    WORKSPACE,
    types.int64[:, ::1],  # lane_state [entry, lane]
    *[BLOCK_FUNCTION] * 5,  # kernel: prepare, rhs, jacobian, factor, backsolve
    types.FunctionType(ATTEMPT),
    types.FunctionType(INTERPOLATE),
    types.FunctionType(EXTEND),
    types.FunctionType(PROPOSE),
    _INTS,  # method: stages, stages of the dense output, order of its Taylor series
    _INTS,  # kernel: states, parameters, infusion row, gain row, condition row, conditions, routes, controlled states
    _INTS,  # routes: where the targets of each begin in this array, then the targets
    _TABLE,  # parameters [member, parameter]
    _SCHEDULE,  # schedule
    _FLOATS,  # times
    _FLOATS,  # start, rtol, exponent of the step factor, longest step, share of a state's scale
    types.int64,  # max_steps
    types.int64,  # first member
    types.int64,  # end of members
    types.float64[:, :, ::1],  # recorded values [member, time, quantity]; states come first
    types.int64[:, ::1],  # status, index to blame [member, 2]
    types.float64[::1],  # time reached [member]
    types.int64[:, ::1],  # counters [member, 3]
    types.int64[::1],  # given up: not 0 once nobody waits for the result
    BLOCK_FUNCTION,  # kernel: observe
    BLOCK_FUNCTION,  # kernel: sense
    BLOCK_FUNCTION,  # kernel: jump
    _INTS,  # what switches, and events: `simulate.solver.hybrid`
    WATCH,  # rules
)


@inlined
def _stuck(w: Any, lane: int) -> bool:
    """Whether a rejected step is too small for a smaller one to make sense."""
    return bool(w[ACCEPT + lane] == 0.0 and w[STEP + lane] <= max(RESOLUTION * abs(w[NOW + lane]), _TINY))


@inlined
def _blame(w: Any, n: int, lane: int) -> int:
    """The first state that is not finite, else the one with the largest error beside what is allowed."""
    worst, largest = 0, 0.0
    for state in range(n):
        i = state * LANES + lane
        if not (math.isfinite(w[STATE + i]) and math.isfinite(w[RATE + i]) and math.isfinite(w[ERROR + i])):
            return state
        allowed = w[ABSOLUTE + i] + w[RELATIVE + lane] * max(abs(w[START + i]), abs(w[STATE + i]))
        if abs(w[ERROR + i]) > largest * allowed:
            worst, largest = state, abs(w[ERROR + i]) / allowed
    return worst


@inlined
def _happen(
    w: Any,
    lane_state: Any,
    lane: int,
    now: float,
    prepare: Any,
    kernel: Any,
    targets: Any,
    schedule: Any,
    observe: Any,
    sense: Any,
    jump: Any,
    table: Any,
    watch: Any,
    is_start: bool,
) -> int:
    """Let happen what is due; return -1 if a rule ends the trajectory, else how many acted: before stops, and after.

    Last come events of the model; where they come to no end the state is undefined.
    """
    acted = 0
    for after in range(2):
        if after == 0 and watches(watch):
            apply_visits(lane_state, lane, now, schedule, watch)
        elif after > 0 and apply_stops(w, lane_state, lane, now, schedule, prepare, kernel, targets, watch) == 0:
            break
        if watches(watch):
            found = act(w, watch, lane, lane_state[MEMBER, lane], kernel[STATES], now, observe, kernel[GAIN], targets)
            if found < 0:
                return -1
            acted += found
    if switches(table):
        happened = settle(w, table, lane, now, is_start, sense, jump)
        if happened < 0:
            w[STATE + lane] = math.nan
        acted += max(happened, 0)
    return acted


@inlined
def _finish(
    w: Any,
    lane_state: Any,
    lane: int,
    method: Any,
    prepare: Any,
    kernel: Any,
    targets: Any,
    schedule: Any,
    times: Any,
    end: float,
    max_steps: int,
    recorded: Any,
    outcome: Any,
    reached: Any,
    counters: Any,
    interpolate: Any,
    observe: Any,
    sense: Any,
    jump: Any,
    table: Any,
    watch: Any,
) -> bool:
    """End a lane's step: record, dose, retire the member if it is at its end or has failed; tell whether it was."""
    n = kernel[STATES]
    member = lane_state[MEMBER, lane]
    now = w[NOW + lane]
    status = -1
    if w[ACCEPT + lane] > 0.0:
        now = w[NEXT + lane]
        if watches(watch) or switches(table):
            cut_short(w, lane_state, lane, n, times, recorded, interpolate, observe, sense, table, watch)
            now = w[NEXT + lane]
        if now >= w[EVENT + lane] or lane_state[CHANGE, lane] == DOSED:
            # An overflow may pass the error test, and a dose may be undefined: neither is recorded as a result.
            if undefined(w, kernel[CONTROLLED], lane) >= 0:
                status = _NOT_FINITE
            else:
                record_within(w, lane_state, lane, n, now, times, recorded, interpolate)
                record_before(w, lane_state, lane, n, now, times, recorded)
                first = lane_state[NEXT_STOP, lane]
                acted = _happen(
                    w,
                    lane_state,
                    lane,
                    now,
                    prepare,
                    kernel,
                    targets,
                    schedule,
                    observe,
                    sense,
                    jump,
                    table,
                    watch,
                    False,
                )
                if acted != 0 or lane_state[NEXT_STOP, lane] > first:
                    lane_state[CHANGE, lane] = DOSED
                if undefined(w, kernel[CONTROLLED], lane) >= 0:
                    status = _NOT_FINITE
                else:
                    record(w, lane_state, lane, n, now, times, recorded)
                    plan(w, lane_state, lane, times, schedule, end, table)
                    status = _OK if now >= end or acted < 0 else status
    elif _stuck(w, lane) and not blurred(w, lane, kernel[CONTROLLED]):
        status = _STEP_TOO_SMALL if w[RATIO + lane] < math.inf else _NOT_FINITE
    else:
        newborn(w, lane, kernel[CONTROLLED])
    if status < 0 and w[ATTEMPTED + lane] >= max_steps:
        status = _TOO_MANY_STEPS
    if status < 0:
        return False
    outcome[member, 0] = status
    outcome[member, 1] = -1 if status == _OK else _blame(w, kernel[CONTROLLED], lane)
    reached[member] = now
    retire(w, lane_state, lane, method, counters)
    return True


@inlined
def _refill(
    w: Any,
    lane_state: Any,
    lane: int,
    waiting: int,
    last: int,
    prepare: Any,
    kernel: Any,
    targets: Any,
    parameters: Any,
    schedule: Any,
    times: Any,
    start: float,
    end: float,
    recorded: Any,
    outcome: Any,
    reached: Any,
    observe: Any,
    sense: Any,
    jump: Any,
    table: Any,
    watch: Any,
) -> int:
    """Give a free lane the next member that can be integrated; return the first that still waits."""
    while waiting < last:
        member = waiting
        waiting += 1
        reached[member] = start
        blamed = load(w, lane, member, prepare, kernel, parameters, start)
        if blamed >= 0:
            infeasible = blamed < kernel[CONDITIONS]
            outcome[member, 0] = _INFEASIBLE if infeasible else _NOT_FINITE
            outcome[member, 1] = blamed if infeasible else blamed - kernel[CONDITIONS]
            continue
        clear(lane_state, lane)
        lane_state[MEMBER, lane] = member
        lane_state[NEXT_STOP, lane] = schedule[0][member]
        begin(watch, lane)
        record_before(w, lane_state, lane, kernel[STATES], start, times, recorded)
        acted = _happen(
            w, lane_state, lane, start, prepare, kernel, targets, schedule, observe, sense, jump, table, watch, True
        )
        ended = acted < 0
        blamed = undefined(w, kernel[CONTROLLED], lane)
        if blamed >= 0:
            outcome[member, 0] = _NOT_FINITE
            outcome[member, 1] = blamed
            lane_state[MEMBER, lane] = -1
            continue
        record(w, lane_state, lane, kernel[STATES], start, times, recorded)
        if end <= start or ended:
            outcome[member, 0] = _OK
            lane_state[MEMBER, lane] = -1
            continue
        plan(w, lane_state, lane, times, schedule, end, table)
        w[RUNNING + lane] = 1.0
        # The commit takes the loaded state over, as if a step had led to it.
        w[ACCEPT + lane] = 1.0
        lane_state[CHANGE, lane] = LOADED
        break
    return waiting


@inlined
def _commit(w: Any, n: int, series: bool) -> None:
    """Move accepted lanes to the end of their step, leave the others, and propose the next steps."""
    moved = row_at(w, ACCEPT) > 0.0
    if not any_lane(row_at(w, ACCEPT) <= 0.0):
        for i in range(0, n * LANES, LANES):
            store(w, START + i, row_at(w, STATE + i))
            if not series:
                store(w, _SLOPE + i, row_at(w, RATE + i))
    else:
        for i in range(0, n * LANES, LANES):
            store(w, START + i, choose(moved, row_at(w, STATE + i), row_at(w, START + i)))
            if not series:
                store(w, _SLOPE + i, choose(moved, row_at(w, RATE + i), row_at(w, _SLOPE + i)))
    store(w, NOW, choose(moved, row_at(w, NEXT), row_at(w, NOW)))
    store(w, STEP, row_at(w, STEP) * row_at(w, FACTOR))


@inlined
def _refresh(w: Any, lane_state: Any, n: int, controlled: int, rhs: Any, counters: Any) -> None:
    """Evaluate the derivative at the start of the step anew; scales and first steps for lanes that start or restart.

    The same function of the same state gives the same bits, so lanes that need no refresh do not change.
    """
    for i in range(n * LANES):
        w[STATE + i] = w[START + i]
    if at_break(w):
        heed_rounding(w, controlled, rhs)
    for lane in range(LANES):
        w[TIME + lane] = w[NOW + lane]
    rhs(w)
    for i in range(n * LANES):
        w[_SLOPE + i] = w[RATE + i]
    if scales_wanted(w, lane_state[CHANGE], LOADED, controlled):
        find_scales(w, controlled, STATE, RATE, rhs, lane_state[MEMBER], counters)
    for lane in range(LANES):
        if lane_state[CHANGE, lane] != NOTHING:
            counters[lane_state[MEMBER, lane], 2] += 1
            fresh = lane_state[CHANGE, lane] == LOADED or w[RESTART + lane] == 0.0
            w[STEP + lane] = first_step(w, controlled, lane) if fresh else w[RESTART + lane]
            w[LIMIT + lane] = LARGEST
            w[RESTARTING + lane] = 1.0
            lane_state[CHANGE, lane] = NOTHING


@inlined
def _renew(w: Any, lane_state: Any, n: int, controlled: int, series: bool, rhs: Any, counters: Any) -> None:
    """Refresh lanes that were loaded or dosed; Taylor series begin anew at each step by themselves."""
    refresh = False
    for lane in range(LANES):
        refresh = refresh or lane_state[CHANGE, lane] != NOTHING
    if refresh and series and scales_wanted(w, lane_state[CHANGE], LOADED, controlled):
        for i in range(n * LANES):
            w[STATE + i] = w[START + i]
        find_scales(w, controlled, START, _SLOPE, rhs, lane_state[MEMBER], counters)
        for i in range(n * LANES):
            w[START + i] = w[STATE + i]
    for lane in range(LANES):
        if series and lane_state[CHANGE, lane] != NOTHING:
            w[SINCE + lane] = w[NOW + lane]
            w[HEAD + lane] = 0.0 if lane_state[CHANGE, lane] == LOADED else w[HEAD + lane]
            # Where scales were found and not seen, the first step tells of these and not of a singularity.
            w[RESTARTING + lane] = 1.0 - w[RATIO + lane]
            lane_state[CHANGE, lane] = NOTHING
    if refresh and not series:
        _refresh(w, lane_state, n, controlled, rhs, counters)


@compiled(SIGNATURE)
def integrate(
    w: Any,
    lane_state: Any,
    prepare: Any,
    rhs: Any,
    jacobian: Any,
    factor: Any,
    backsolve: Any,
    attempt: Any,
    interpolate: Any,
    extend: Any,
    propose: Any,
    method: Any,
    kernel: Any,
    targets: Any,
    parameters: Any,
    schedule: Any,
    times: Any,
    control: Any,
    max_steps: int,
    first: int,
    last: int,
    recorded: Any,
    outcome: Any,
    reached: Any,
    counters: Any,
    given_up: Any,
    observe: Any,
    sense: Any,
    jump: Any,
    table: Any,
    watch: Any,
) -> int:
    """Integrate the members from ``first`` up to ``last`` of a batch; returns their number. Arguments: `SIGNATURE`."""
    n = kernel[STATES]
    series = method[SERIES] > 0
    start, rtol, exponent, longest, share = control[0], control[1], control[2], control[3], control[4]
    end = max(times[-1], start)
    open_lanes(w, lane_state, n, start, rtol, share)
    waiting = first
    attention, passed = True, False
    while given_up[0] == 0:
        if attention:
            if method[DENSE_STAGES] > 0 and (outputs_within(w, lane_state, times, method, counters) or passed):
                extend(w, n, rhs)
            running = 0
            for lane in range(LANES):
                free = lane_state[MEMBER, lane] < 0
                if w[DUE + lane] > 0.0:
                    free = _finish(
                        w, lane_state, lane, method, prepare, kernel, targets, schedule, times, end, max_steps,
                        recorded, outcome, reached, counters, interpolate, observe, sense, jump, table, watch,
                    )  # fmt: skip
                if free and waiting < last:
                    waiting = _refill(
                        w, lane_state, lane, waiting, last, prepare, kernel, targets, parameters, schedule, times,
                        start, end, recorded, outcome, reached, observe, sense, jump, table, watch,
                    )  # fmt: skip
                running += lane_state[MEMBER, lane] >= 0
            if running == 0:
                break
        _commit(w, n, series)
        if attention:
            _renew(w, lane_state, n, kernel[CONTROLLED], series, rhs, counters)
        take_step(
            w, n, kernel[CONTROLLED], series, rhs, jacobian, factor, backsolve, attempt, propose,
            rtol, exponent, longest,
        )  # fmt: skip
        attention = needs_attention(w, max_steps)
        passed = False
        if watches(watch):
            passed = look(w, watch, lane_state, n, observe)
        if switches(table):
            passed = look_for_switches(w, lane_state[MEMBER], table, sense) or passed
        attention = attention or passed
    return last - first
