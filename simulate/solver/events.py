"""Rules at work: watching what passes a threshold, finding when, acting.

The loop looks once a step, at the end of it, at all lanes together. Only where a rule's quantity has passed does a lane
get attention: the time is then searched on the dense output, the step ends there, and the rule acts as a dose does.
The loop calls `look`, `share_of_passing` and `act` by their addresses: they are compiled when the first rule comes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE, Code, compiled, inlined
from simulate.later import types
from simulate.solver.layout import ACCEPT, CONSTANTS, DUE, LANES, NEXT, NOW, RESULT, STATE, STEP, TIME
from simulate.solver.methods.method import INTERPOLATE
from simulate.solver.problem import StopKind
from simulate.solver.rules import REMEMBERED, Action

# Places in the tuple that the loop is given.
RULES, NUMBERS, THRESHOLDS, GROUPS, LEVELS, BEGUN, SHARES, COUNTS, LOG, MEMORY, SCRATCH = range(11)
READ_ONLY = 6
"""How many of these are only read, and shared by all threads."""
_QUANTITY, _SIGN, _ACTION, _TARGET, _VISITS, _ONCE = range(6)
_AMOUNT, _MARGIN = range(2)
_MEMBER = 0
"""First row of the loop's state of lanes, which is written above this module."""
_VISITED = 0
"""First row of a thread's memory; then whether each rule is armed, what each sees, and the level of each group."""
_END, _LEVEL, _BOLUS = (int(action) for action in Action)
_SET = int(StopKind.SET)
_HALVINGS = 60

_FLOATS = types.Array(types.float64, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C", readonly=True)
WATCH = types.Tuple(
    (
        types.Array(types.int64, 2, "C", readonly=True),  # rules [rule, column]
        types.Array(types.float64, 2, "C", readonly=True),  # numbers [rule, column]
        types.Array(types.float64, 2, "C", readonly=True),  # thresholds [member, rule]
        _INTS,  # groups [stop]
        _FLOATS,  # levels at the start [group]
        _INTS,  # stop at which the infusion began that ends at each stop, or -1 [stop]
        types.float64[::1],  # share with which each stop was given [stop]
        types.int64[:, ::1],  # how often each rule has acted [member, rule]
        types.float64[:, :, ::1],  # when [member, rule, number]
        types.float64[:, ::1],  # memory of the thread [row, lane]
        types.float64[::1],  # one state [state]
    )
)
LOOK = types.boolean(WORKSPACE, WATCH, types.int64[:, ::1], types.int64, BLOCK_FUNCTION)
SHARE_OF_PASSING = types.float64(
    WORKSPACE, WATCH, types.int64, types.int64, types.int64, BLOCK_FUNCTION, Code(INTERPOLATE)
)
ACT = types.int64(WORKSPACE, WATCH, *[types.int64] * 2, types.float64, *[types.int64] * 3, _INTS, BLOCK_FUNCTION)


def memory(rules: int, groups: int, states: int) -> tuple[Any, Any]:
    """Arrays of one thread: the last two of what the loop is given."""
    return np.zeros((1 + 2 * rules + groups, LANES)), np.zeros(states)


@inlined
def watches(watch: Any) -> bool:
    """Whether there is any rule."""
    return bool(watch[RULES].shape[0] > 0)


@inlined
def _see(w: Any, watch: Any, lane: int, member: int, n: int) -> None:
    """How far each quantity of a lane is beyond its threshold, from ``STATE`` and the observables in ``RESULT``."""
    rules, memory = watch[RULES], watch[MEMORY]
    for rule in range(rules.shape[0]):
        quantity = rules[rule, _QUANTITY]
        value = w[STATE + quantity * LANES + lane] if quantity < n else w[RESULT + (quantity - n) * LANES + lane]
        memory[1 + rules.shape[0] + rule, lane] = rules[rule, _SIGN] * (value - watch[THRESHOLDS][member, rule])


@compiled(LOOK)
def look(w: Any, watch: Any, lane_state: Any, n: int, observe: Any) -> bool:
    """Look at the ends of accepted steps; arm rules whose quantity is back, and tell whether any has passed."""
    rules, memory = watch[RULES], watch[MEMORY]
    count = rules.shape[0]
    for lane in range(LANES):
        w[TIME + lane] = w[NEXT + lane]
    observe(w)
    passed = False
    for lane in range(LANES):
        if lane_state[_MEMBER, lane] >= 0 and w[ACCEPT + lane] > 0.0:
            _see(w, watch, lane, lane_state[_MEMBER, lane], n)
            for rule in range(count):
                seen = memory[1 + count + rule, lane]
                if seen < -watch[NUMBERS][rule, _MARGIN]:
                    memory[1 + rule, lane] = 1.0
                if _passes(watch, rule, lane):
                    w[DUE + lane] = 1.0
                    passed = True
    return passed


@inlined
def _passes(watch: Any, rule: int, lane: int) -> bool:
    rules, memory = watch[RULES], watch[MEMORY]
    count = rules.shape[0]
    armed = memory[1 + rule, lane] > 0.0 and rules[rule, _VISITS] == 0
    return bool(armed and memory[1 + count + rule, lane] >= 0.0)


@compiled(SHARE_OF_PASSING)
def share_of_passing(w: Any, watch: Any, lane: int, member: int, n: int, observe: Any, interpolate: Any) -> float:
    """Share of the lane's step after which the first rule has passed; 2 if none has. ``STATE`` is left as it was.

    Interval halving on the dense output: of the last two points the one beyond the threshold.
    """
    rules, memory, end = watch[RULES], watch[MEMORY], watch[SCRATCH]
    count = rules.shape[0]
    first = 2.0
    for rule in range(count):
        if not _passes(watch, rule, lane):
            continue
        before, after = 0.0, min(first, 1.0)
        seen_at_end = memory[1 + count + rule, lane]
        for state in range(n):
            end[state] = w[STATE + state * LANES + lane]
        beyond = True
        if first <= 1.0:
            beyond = _beyond(w, watch, rule, lane, member, n, after, observe, interpolate)
        if beyond:
            for _ in range(_HALVINGS):
                middle = 0.5 * (before + after)
                if not before < middle < after:
                    break
                if w[NOW + lane] + middle * w[STEP + lane] >= w[NOW + lane] + after * w[STEP + lane]:
                    break
                if _beyond(w, watch, rule, lane, member, n, middle, observe, interpolate):
                    after = middle
                else:
                    before = middle
            first = after
        memory[1 + count + rule, lane] = seen_at_end
    return first


@inlined
def _beyond(
    w: Any, watch: Any, rule: int, lane: int, member: int, n: int, share: float, observe: Any, interpolate: Any
) -> bool:
    """Whether a rule's quantity is beyond its threshold within the step; ``STATE`` holds the end of it."""
    end = watch[SCRATCH]
    interpolate(w, n, lane, share)
    for state in range(n):
        w[STATE + state * LANES + lane] = w[RESULT + state * LANES + lane]
    w[TIME + lane] = w[NOW + lane] + share * w[STEP + lane]
    observe(w)
    rules = watch[RULES]
    quantity = rules[rule, _QUANTITY]
    value = w[STATE + quantity * LANES + lane] if quantity < n else w[RESULT + (quantity - n) * LANES + lane]
    for state in range(n):
        w[STATE + state * LANES + lane] = end[state]
    return bool(rules[rule, _SIGN] * (value - watch[THRESHOLDS][member, rule]) >= 0.0)


@inlined
def cut(w: Any, lane: int, n: int, share: float, interpolate: Any) -> None:
    """End the lane's step early, at a share of it."""
    interpolate(w, n, lane, share)
    for state in range(n):
        w[STATE + state * LANES + lane] = w[RESULT + state * LANES + lane]
    w[NEXT + lane] = w[NOW + lane] + share * w[STEP + lane]


@inlined
def begin(watch: Any, lane: int) -> None:
    """Forget the member that was in the lane before."""
    if not watches(watch):
        return
    count = watch[RULES].shape[0]
    memory = watch[MEMORY]
    for row in range(1 + 2 * count):
        memory[row, lane] = 0.0
    for group in range(watch[LEVELS].shape[0]):
        memory[1 + 2 * count + group, lane] = watch[LEVELS][group]


@inlined
def visit(watch: Any, lane: int) -> None:
    """Note that the member is being seen."""
    watch[MEMORY][_VISITED, lane] = 1.0


@inlined
def given(watch: Any, lane: int, stop: int, kind: int, amount: float) -> float:
    """What is given at a stop of the amount in the schedule: the level of its group, of an infusion that at its start.

    A state that is set is not given.
    """
    level = watch[MEMORY][1 + 2 * watch[RULES].shape[0] + watch[GROUPS][stop], lane]
    begun = watch[BEGUN][stop]
    if begun >= 0:
        level = watch[SHARES][begun]
    elif kind == _SET:
        level = 1.0
    watch[SHARES][stop] = level
    return float(level * amount)


@compiled(ACT)
def act(
    w: Any, watch: Any, lane: int, member: int, now: float, n: int, routes: int, gain: int, targets: Any, observe: Any
) -> int:
    """Let the rules act that apply to the state in ``STATE``; return their number, or -1 if one ends the trajectory."""
    rules, numbers, memory = watch[RULES], watch[NUMBERS], watch[MEMORY]
    count = rules.shape[0]
    w[TIME + lane] = now
    observe(w)
    _see(w, watch, lane, member, n)
    visited = memory[_VISITED, lane] > 0.0
    memory[_VISITED, lane] = 0.0
    acted = 0
    ended = False
    for rule in range(count):
        seen = memory[1 + count + rule, lane]
        applies = _passes(watch, rule, lane) or (rules[rule, _VISITS] == 1 and visited and seen >= 0.0)
        if seen >= 0.0:
            memory[1 + rule, lane] = 0.0
        elif seen < -numbers[rule, _MARGIN]:
            memory[1 + rule, lane] = 1.0
        done = watch[COUNTS][member, rule]
        if not applies or (rules[rule, _ONCE] == 1 and done > 0):
            continue
        acted += 1
        if done < REMEMBERED:
            watch[LOG][member, rule, done] = now
        watch[COUNTS][member, rule] = done + 1
        if rules[rule, _ACTION] == _END:
            ended = True
        elif rules[rule, _ACTION] == _LEVEL:
            memory[1 + 2 * count + rules[rule, _TARGET], lane] = numbers[rule, _AMOUNT]
        else:
            route = rules[rule, _TARGET]
            for target in range(targets[route], targets[route + 1]):
                own_gain = w[CONSTANTS + (gain + target - routes - 1) * LANES + lane]
                w[STATE + targets[target] * LANES + lane] += numbers[rule, _AMOUNT] * own_gain
    return -1 if ended else acted
