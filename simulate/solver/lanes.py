"""The one loop: lanes are loaded, stepped, stopped, recorded, retired and refilled.

Every lane has its own time, step, stops and outputs; the loop never asks which method or model it runs, and no lane's
numbers depend on another's. A dose is a stop that is known beforehand: a step ends on it exactly, the state changes,
and integration restarts with the step that did well after the previous stop.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate.compiled import apart, compiled, inlined
from simulate.later import types
from simulate.solver.control import LARGEST, RESOLUTION, first_step, needs_attention, take_step
from simulate.solver.events import begin, visit, watches
from simulate.solver.hybrid import switches
from simulate.solver.lane_state import (
    CHANGE,
    DOSED,
    LOADED,
    MEMBER,
    NEXT_STOP,
    NOTHING,
    apply_stops,
    apply_visits,
    clear,
    cut_short,
    is_given,
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
    CARRIES,
    COMMAND,
    DUE,
    ERROR,
    EVENT,
    FACTOR,
    HEAD,
    LANES,
    LIMIT,
    MOVED,
    NEXT,
    NOW,
    RATE,
    RATIO,
    RELATIVE,
    RENEWED,
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
from simulate.solver.loop_values import (
    BATCH_TYPE,
    BLOCK_TYPE,
    KERNEL_TYPE,
    METHOD_TYPE,
    RESULTS_TYPE,
    RULES_TYPE,
    Batch,
    KernelView,
    MethodView,
    Results,
    RulesView,
    ScheduleColumns,
)
from simulate.solver.passing import differentiates, stay
from simulate.solver.scales import (
    at_break,
    blurred,
    fed_later,
    find_scales,
    heed_rounding,
    newborn,
    scales_wanted,
    shorten_where_blind,
)
from simulate.solver.trajectories import Status
from simulate.solver.vectors import any_lane, choose, fence, first_lane, lanes_where, store
from simulate.solver.vectors import load as row_at

_SLOPE = stage(0)
_STRIDE = stage(1) - stage(0)
_OK, _TOO_MANY_STEPS, _STEP_TOO_SMALL, _NOT_FINITE, _INFEASIBLE = (int(status) for status in Status)
_TINY = float(np.finfo(np.float64).tiny)
SIGNATURE = types.int64(BLOCK_TYPE, KERNEL_TYPE, METHOD_TYPE, RULES_TYPE, BATCH_TYPE, RESULTS_TYPE)


@inlined
def _stuck(w: Any, lane: int) -> bool:
    """Whether a rejected step is too small for a smaller one to make sense."""
    return bool(w[ACCEPT + lane] == 0.0 and w[STEP + lane] <= max(RESOLUTION * abs(w[NOW + lane]), _TINY))


@inlined
def _blame(w: Any, n: int, lane: int, series: int) -> int:
    """The first state that is not finite, else the one with the largest error beside what is allowed.

    Of series the last term is what comes nearest to an error.
    """
    worst, largest = 0, 0.0
    error, rate = (ERROR, RATE) if series == 0 else (_SLOPE + (series - 1) * _STRIDE, _SLOPE)
    for state in range(n):
        i = state * LANES + lane
        if not (math.isfinite(w[STATE + i]) and math.isfinite(w[rate + i]) and math.isfinite(w[error + i])):
            return state
        allowed = w[ABSOLUTE + i] + w[RELATIVE + lane] * max(abs(w[START + i]), abs(w[STATE + i]))
        if abs(w[error + i]) > largest * allowed:
            worst, largest = state, abs(w[error + i]) / allowed
    return worst


@inlined
def _happen(w: Any, lane_state: Any, lane: int, now: float, is_start: bool, kernel: Any, rules: Any, batch: Any) -> int:
    """Let happen what is due; return -1 if a rule ends the trajectory, else how many acted: before stops, and after.

    Last come events of the model; where they come to no end the state is undefined.
    """
    acted = 0
    if differentiates(kernel.table):
        if is_start:
            stay(w, kernel.table, lane)
        else:
            kernel.depart(
                w, kernel.table, lane, kernel.states, now, is_given(lane_state, lane, now, batch.schedule), batch.rtol,
                kernel.rhs, kernel.sense, kernel.cross,
            )  # fmt: skip
    for after in range(2):
        if after == 0:
            if watches(rules.watch) and apply_visits(lane_state, lane, now, batch.schedule) > 0:
                visit(rules.watch, lane)
        elif apply_stops(w, lane_state, lane, now, kernel, rules.watch, batch.schedule) == 0:
            break
        if watches(rules.watch):
            found = rules.act(
                w, rules.watch, lane, lane_state[MEMBER, lane], now, kernel.states, kernel.routes, kernel.gain,
                kernel.targets, kernel.observe,
            )  # fmt: skip
            if found < 0:
                return -1
            acted += found
    if switches(kernel.table):
        happened = kernel.settle(w, kernel.table, lane, now, is_start, kernel.sense, kernel.jump)
        if differentiates(kernel.table):
            kernel.arrive(w, kernel.table, lane, kernel.states, now, happened, kernel.rhs)
        if happened < 0:
            w[STATE + lane] = math.nan
        acted += max(happened, 0)
    return acted


@inlined
def _finish(w: Any, lane_state: Any, lane: int, kernel: Any, method: Any, rules: Any, batch: Any, results: Any) -> bool:
    """End a lane's step: record, dose, retire the member if it is at its end or has failed; tell whether it was."""
    member = lane_state[MEMBER, lane]
    now = w[NOW + lane]
    status = -1
    if w[ACCEPT + lane] > 0.0:
        now = w[NEXT + lane]
        if watches(rules.watch) or switches(kernel.table):
            cut_short(w, lane_state, lane, kernel, method, rules, batch, results)
            now = w[NEXT + lane]
        if now >= w[EVENT + lane] or lane_state[CHANGE, lane] == DOSED:
            # An overflow may pass the error test, and a dose may be undefined: neither is recorded as a result.
            if undefined(w, kernel.controlled, lane) >= 0:
                status = _NOT_FINITE
            else:
                record_within(
                    w, lane_state, lane, now, kernel.states, method.interpolate, batch.times, results.recorded
                )
                record_before(w, lane_state, lane, now, kernel.states, batch.times, results.recorded)
                first = lane_state[NEXT_STOP, lane]
                acted = _happen(w, lane_state, lane, now, False, kernel, rules, batch)
                if acted != 0 or lane_state[NEXT_STOP, lane] > first:
                    lane_state[CHANGE, lane] = DOSED
                if undefined(w, kernel.controlled, lane) >= 0:
                    status = _NOT_FINITE
                else:
                    record(w, lane_state, lane, now, kernel.states, batch.times, results.recorded)
                    plan(w, lane_state, lane, kernel.table, batch)
                    status = _OK if now >= batch.end or acted < 0 else status
    elif _stuck(w, lane) and not blurred(w, lane, kernel.controlled):
        status = _STEP_TOO_SMALL if w[RATIO + lane] < math.inf else _NOT_FINITE
    else:
        newborn(w, lane, kernel.controlled)
    late = w[ATTEMPTED + lane] == batch.deadline and w[NOW + lane] < batch.behind
    if status < 0 and (late or w[ATTEMPTED + lane] >= batch.max_steps):
        status = _TOO_MANY_STEPS
    if status < 0:
        return False
    results.outcome[member, 0] = status
    results.outcome[member, 1] = -1 if status == _OK else _blame(w, kernel.controlled, lane, method.series)
    results.reached[member] = now
    retire(w, lane_state, lane, method.stages, results.counters)
    return True


@apart
def _refill(w: Any, lane_state: Any, lane: int, waiting: int, kernel: Any, rules: Any, batch: Any, results: Any) -> int:
    """Give a free lane the next member that can be integrated; return the first that still waits."""
    start, outcome = batch.start, results.outcome
    while waiting < batch.last:
        member = waiting
        waiting += 1
        results.reached[member] = start
        blamed = load(w, lane, member, kernel, batch)
        if blamed >= 0:
            infeasible = blamed < kernel.conditions
            outcome[member, 0] = _INFEASIBLE if infeasible else _NOT_FINITE
            outcome[member, 1] = blamed if infeasible else blamed - kernel.conditions
            continue
        clear(lane_state, lane)
        lane_state[MEMBER, lane] = member
        lane_state[NEXT_STOP, lane] = ScheduleColumns(*batch.schedule).offsets[member]
        begin(rules.watch, lane)
        record_before(w, lane_state, lane, start, kernel.states, batch.times, results.recorded)
        acted = _happen(w, lane_state, lane, start, True, kernel, rules, batch)
        ended = acted < 0
        blamed = undefined(w, kernel.controlled, lane)
        if blamed >= 0:
            outcome[member, 0] = _NOT_FINITE
            outcome[member, 1] = blamed
            lane_state[MEMBER, lane] = -1
            continue
        record(w, lane_state, lane, start, kernel.states, batch.times, results.recorded)
        if batch.end <= start or ended:
            outcome[member, 0] = _OK
            lane_state[MEMBER, lane] = -1
            continue
        plan(w, lane_state, lane, kernel.table, batch)
        w[RUNNING + lane] = 1.0
        # The commit takes the loaded state over, as if a step had led to it.
        w[ACCEPT + lane] = 1.0
        lane_state[CHANGE, lane] = LOADED
        break
    return waiting


@inlined
def _attend(
    w: Any, lane_state: Any, waiting: int, kernel: Any, method: Any, rules: Any, batch: Any, results: Any
) -> int:
    """End the steps of lanes that are due, and refill what is free; return the first member that still waits."""
    lanes = lanes_where(row_at(w, DUE) > 0.0)
    if waiting < batch.last:
        lanes = lanes | lanes_where(row_at(w, RUNNING) <= 0.0)
    while lanes != 0:
        lane = first_lane(lanes)
        lanes = lanes & (lanes - 1)
        free = lane_state[MEMBER, lane] < 0
        if w[DUE + lane] > 0.0:
            free = _finish(w, lane_state, lane, kernel, method, rules, batch, results)
        if free and waiting < batch.last:
            waiting = _refill(w, lane_state, lane, waiting, kernel, rules, batch, results)
    return waiting


@inlined
def _commit(w: Any, n: int, series: bool) -> None:
    """Move accepted lanes to the end of their step, leave the others, and propose the next steps."""
    moved, now = row_at(w, ACCEPT) > 0.0, row_at(w, NOW)
    if not any_lane(row_at(w, ACCEPT) <= 0.0):
        for i in range(0, n * LANES, LANES):
            store(w, START + i, row_at(w, STATE + i))
            if not series:
                store(w, _SLOPE + i, row_at(w, RATE + i))
    else:
        for i in range(0, n * LANES, LANES):
            start, slope = row_at(w, START + i), row_at(w, _SLOPE + i)
            fence(w)
            store(w, START + i, choose(moved, row_at(w, STATE + i), start))
            if not series:
                store(w, _SLOPE + i, choose(moved, row_at(w, RATE + i), slope))
    fence(w)
    store(w, NOW, choose(moved, row_at(w, NEXT), now))
    store(w, STEP, row_at(w, STEP) * row_at(w, FACTOR))


@apart
def _refresh(w: Any, lane_state: Any, n: int, controlled: int, rhs: Any, counters: Any) -> None:
    """Evaluate the derivative at the start of the step anew; scales and first steps for lanes that start or restart.

    Lanes that need no refresh do not change: a method may have found their derivative in another way, with other bits.
    """
    for i in range(n * LANES):
        w[STATE + i] = w[START + i]
    if at_break(w):
        heed_rounding(w, controlled, rhs)
    for lane in range(LANES):
        w[TIME + lane] = w[NOW + lane]
    rhs(w)
    for lane in range(LANES):
        w[RENEWED + lane] = 1.0 if lane_state[CHANGE, lane] != NOTHING else 0.0
    renewed = row_at(w, RENEWED) > 0.0
    for i in range(0, n * LANES, LANES):
        store(w, _SLOPE + i, choose(renewed, row_at(w, RATE + i), row_at(w, _SLOPE + i)))
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


@apart
def _find_scales_of_series(
    w: Any, lane_state: Any, n: int, controlled: int, series: Any, order: int, counters: Any
) -> None:
    """Find the scales of lanes in which they are wanted, at the start, and halfway to the stop of what is fed later."""
    for i in range(n * LANES):
        w[STATE + i] = w[START + i]
    find_scales(w, controlled, START, _SLOPE, series, lane_state[MEMBER], counters)
    for i in range(n * LANES):
        w[START + i] = w[STATE + i]
    shorten_where_blind(w, controlled, order, series)
    if fed_later(w, controlled, order, series):
        find_scales(w, controlled, START, _SLOPE, series, lane_state[MEMBER], counters)
        for i in range(n * LANES):
            w[START + i] = w[STATE + i]
        for lane in range(LANES):
            w[NOW + lane] = w[TIME + lane]
        shorten_where_blind(w, controlled, order, series)
    for lane in range(LANES):
        w[NOW + lane] = w[TIME + lane]
        w[RATIO + lane] = max(w[RATIO + lane], w[RENEWED + lane])


@inlined
def _renew(w: Any, lane_state: Any, kernel: Any, order: int, counters: Any) -> None:
    """Refresh lanes that were loaded or dosed; Taylor series begin anew at each step by themselves."""
    n, controlled = kernel.states, kernel.controlled
    refresh = False
    for lane in range(LANES):
        refresh = refresh or lane_state[CHANGE, lane] != NOTHING
    if not refresh:
        return
    if order == 0:
        _refresh(w, lane_state, n, controlled, kernel.rhs, counters)
        return
    if scales_wanted(w, lane_state[CHANGE], LOADED, controlled):
        _find_scales_of_series(w, lane_state, n, controlled, kernel.jacobian, order, counters)
    for lane in range(LANES):
        if lane_state[CHANGE, lane] != NOTHING:
            w[SINCE + lane] = w[NOW + lane]
            w[STEP + lane] = math.inf if w[LIMIT + lane] > 1.0 else w[STEP + lane]
            w[HEAD + lane] = 0.0 if lane_state[CHANGE, lane] == LOADED else w[HEAD + lane]
            # Where scales were found and not seen, the first step tells of these and not of a singularity.
            w[RESTARTING + lane] = 1.0 - w[RATIO + lane]
            lane_state[CHANGE, lane] = NOTHING


@compiled(SIGNATURE)
def integrate(block: Any, kernel: Any, method: Any, rules: Any, batch: Any, results: Any) -> int:
    """Integrate some members of a batch; returns their number. What it is given: `simulate.solver.loop_values`."""
    w, lane_state = block
    kernel, method = KernelView(*kernel), MethodView(*method)
    rules, batch, results = RulesView(*rules), Batch(*batch), Results(*results)
    open_lanes(w, lane_state, kernel.states, batch.start, batch.rtol, batch.share)
    waiting = batch.first
    attention, passed = True, False
    while results.given_up[0] == 0:
        if attention:
            if method.extends > 0 and (
                outputs_within(w, lane_state, method.dense_stages, batch.times, results.counters) or passed
            ):
                method.extend(w, kernel.states, kernel.rhs, kernel.jacobian)
            waiting = _attend(w, lane_state, waiting, kernel, method, rules, batch, results)
            if not any_lane(row_at(w, RUNNING) > 0.0):
                break
        carried = not attention and w[COMMAND + CARRIES] > 0.0
        _commit(w, kernel.controlled if carried else kernel.states, method.series > 0)
        if carried:
            store(w, MOVED, row_at(w, ACCEPT))
        if attention:
            _renew(w, lane_state, kernel, method.series, results.counters)
        take_step(w, kernel, method, batch)
        attention = needs_attention(w, batch.max_steps, batch.deadline, batch.behind)
        passed = False
        if watches(rules.watch):
            passed = rules.look(w, rules.watch, lane_state, kernel.states, kernel.observe)
        if switches(kernel.table):
            passed = kernel.look_for_switches(w, kernel.table, kernel.sense) or passed
        attention = attention or passed
    return int(batch.last - batch.first)
