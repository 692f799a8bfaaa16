"""What may happen to a member because of its own state: rules, their actions, and when they applied."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulate.errors import InputError, did_you_mean
from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.problem import Schedule, StopKind

REMEMBERED = 64
"""Times remembered of each rule and member; further ones are counted only."""


class Action(enum.IntEnum):
    """What a rule does."""

    END = 0
    """The member's trajectory ends; what would be recorded later stays undefined."""
    LEVEL = 1
    """From now on the doses of a group are given with ``amount`` times what the schedule says: 0 stops them.

    An infusion under way goes on as it began.
    """
    BOLUS = 2
    """``amount`` is given by a route at once, in its administered unit."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An action when a quantity passes a threshold.

    Between visits the time of passing is found on the method's dense output, to the last digits of the time; the step
    ends there. A rule acts when the quantity *passes* the threshold in its direction, also by a dose; it does not act
    because a member starts beyond, and it acts again only after the quantity was back by more than ``margin``. A
    quantity that passes and returns within one step is not seen: where that may happen, add visits or stops.

    Attributes
    ----------
    quantity
        State or observable.
    threshold
        In the unit of the quantity: a number, or one for each member [member].
    rising
        Whether to act on passing upward, or downward.
    action, target, amount
        What to do: the name of a route for BOLUS, the index of a group of stops for LEVEL.
    visits
        Whether to look at visits only (stops of kind VISIT), and to act at each at which the quantity is beyond. A
        visit at the time of a dose sees the state before it, and what it changes holds for that dose.
    once
        Whether to act once at most.
    margin
        In the unit of the quantity, zero or positive.
    """

    quantity: str
    threshold: float | FloatArray
    rising: bool
    action: Action
    target: str | int = 0
    amount: float = 0.0
    visits: bool = False
    once: bool = False
    margin: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Adaptive:
    """Rules, and the groups of doses that they turn up and down.

    Attributes
    ----------
    rules
        Those that apply at one time do so in this order, all judged by the same state.
    groups
        Shape [stop]: the group of each stop of the schedule; all in group 0 if not given.
    levels
        Level of each group at the start.
    visits
        Days on which every member is seen, besides stops of kind VISIT; none after the end.
    """

    rules: tuple[Rule, ...]
    groups: IntArray | None = None
    levels: tuple[float, ...] = (1.0,)
    visits: tuple[float, ...] = ()


def rules_of(adaptive: Adaptive, schedule: Schedule, members: IntArray) -> Adaptive:
    """Rules of some members of a batch, for ``schedule.of(members)``."""
    groups = None if adaptive.groups is None else np.asarray(adaptive.groups)[schedule.stops_of(members)]
    rules = tuple(
        rule if np.ndim(rule.threshold) == 0 else replace(rule, threshold=np.asarray(rule.threshold)[members])
        for rule in adaptive.rules
    )
    return replace(adaptive, rules=rules, groups=groups)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A rule that applied: to whom, which one of the rules, and when."""

    member: int
    rule: int
    time: float


Watch = tuple[Any, ...]
"""What the loop is given of rules: the arrays of `watch`, without the memory that each thread has of its own."""


def watch(adaptive: Adaptive | None, kernel: Kernel, schedule: Schedule, members: int) -> Watch:
    """Rules as the loop reads them.

    Columns of integers and numbers, thresholds, groups, levels, beginnings of infusions, shares, counts, times.

    Raises
    ------
    InputError
        ``solver.rule`` for a rule that names what the model or the schedule does not have.
    """
    adaptive = Adaptive(()) if adaptive is None else adaptive
    rules = adaptive.rules
    stops = len(schedule.times) if rules else 0
    groups = np.zeros(stops, dtype=np.int64) if adaptive.groups is None else np.ascontiguousarray(adaptive.groups)
    levels = np.array(adaptive.levels, dtype=np.float64)
    if rules and (groups.shape != (stops,) or np.any((groups < 0) | (groups >= len(levels)))):
        raise InputError(
            "the groups of the stops do not fit",
            code="solver.rule",
            found=f"shape {groups.shape}, groups up to {groups.max(initial=0)}",
            expected=f"{stops} groups, each below {len(levels)}",
        )
    if not (np.isfinite(levels).all() and np.all(levels >= 0.0)):
        raise InputError("a level is negative or not finite", code="solver.rule", found=str(adaptive.levels))
    columns = [_integers(rule, kernel, len(levels)) for rule in rules]
    thresholds = np.empty((members, len(rules)))
    for index, rule in enumerate(rules):
        values = np.asarray(rule.threshold, dtype=np.float64)
        if values.shape not in {(), (members,)} or not np.isfinite(values).all():
            raise InputError(
                f"the threshold of `{rule.quantity}` is neither a finite number nor one for each member",
                code="solver.rule",
                found=f"shape {values.shape}",
                expected=f"one number or {members}",
            )
        thresholds[:, index] = values
    return (
        np.array(columns, dtype=np.int64).reshape(len(rules), 6),
        np.array([(rule.amount, rule.margin) for rule in rules], dtype=np.float64).reshape(len(rules), 2),
        thresholds,
        groups.astype(np.int64),
        levels,
        _begun(schedule) if rules else np.zeros(0, dtype=np.int64),
        np.zeros(stops),
        np.zeros((members, len(rules)), dtype=np.int64),
        np.full((members, len(rules), REMEMBERED), np.nan),
    )


def _begun(schedule: Schedule) -> IntArray:
    """The stop at which the infusion began that ends at each stop, -1 for stops that end none; shape [stop]."""
    begun = np.full(len(schedule.times), -1, dtype=np.int64)
    owners = np.repeat(np.arange(schedule.members), np.diff(schedule.offsets))
    if schedule.infusions is not None:
        stops = np.flatnonzero(schedule.infusions >= 0)
        stops = stops[np.lexsort((stops, schedule.infusions[stops], owners[stops]))]
        same = (owners[stops[1:]] == owners[stops[:-1]]) & np.equal(*_pairs(schedule.infusions[stops]))
        begun[stops[1:][same]] = stops[:-1][same]
        return begun
    running: dict[tuple[int, float], deque[int]] = {}
    columns = zip(owners.tolist(), schedule.kinds.tolist(), schedule.routes.tolist(), schedule.amounts, strict=True)
    last = -1
    for stop, (owner, kind, route, amount) in enumerate(columns):
        if owner != last or kind == StopKind.RESET:
            running, last = {}, owner
        if kind == StopKind.RATE and amount > 0.0:
            running.setdefault((route, float(amount)), deque()).append(stop)
        elif kind == StopKind.RATE and running.get((route, -float(amount))):
            begun[stop] = running[route, -float(amount)].popleft()
    return begun


def _pairs(column: IntArray) -> tuple[IntArray, IntArray]:
    return column[1:], column[:-1]


def with_visits(adaptive: Adaptive, schedule: Schedule, end: float) -> tuple[Adaptive, Schedule]:
    """Rules and a schedule in which the days of visits have become stops of every member.

    Raises
    ------
    InputError
        ``solver.visit``: a visit after the end.
    """
    late = [day for day in adaptive.visits if day > end]
    if late:
        raise InputError(
            "a visit is after the end of the simulation",
            code="solver.visit",
            found=f"a visit on day {late[0]:g}",
            expected=f"days up to {end:g}",
            advice="leave the visit out, or simulate longer",
        )
    if not adaptive.visits:
        return adaptive, schedule
    owners = np.repeat(np.arange(schedule.members), len(adaptive.visits))
    times = np.tile(np.array(adaptive.visits, dtype=np.float64), schedule.members)
    return with_stops(replace(adaptive, visits=()), schedule, owners, times, StopKind.VISIT)


def with_stops(
    adaptive: Adaptive, schedule: Schedule, owners: IntArray, times: FloatArray, kind: StopKind
) -> tuple[Adaptive, Schedule]:
    """Rules and a schedule with more stops of one kind, without route and amount, at times of some members."""
    members, more = schedule.members, len(times)
    everyone = np.concatenate([np.repeat(np.arange(members), np.diff(schedule.offsets)), owners])
    times = np.concatenate([schedule.times, times])
    kinds = np.concatenate([schedule.kinds, np.full(more, int(kind))])
    order = np.lexsort((kinds, times, everyone))

    def extended(column: FloatArray | IntArray, value: int = 0) -> Any:
        return np.concatenate([column, np.full(more, value, dtype=column.dtype)])[order]

    groups = adaptive.groups
    return (
        replace(adaptive, groups=None if groups is None else extended(np.asarray(groups))),
        Schedule(
            offsets=schedule.offsets + np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=members))]),
            times=times[order],
            kinds=kinds[order],
            routes=extended(schedule.routes),
            amounts=extended(schedule.amounts),
            infusions=None if schedule.infusions is None else extended(schedule.infusions, -1),
        ),
    )


def occurrences(watched: Watch) -> tuple[Occurrence, ...]:
    """When rules applied, member by member in the order of time."""
    counts, log = watched[7], watched[8]
    found = [
        Occurrence(int(member), int(rule), float(log[member, rule, number]))
        for member, rule in np.argwhere(counts > 0)
        for number in range(min(int(counts[member, rule]), REMEMBERED))
    ]
    return tuple(sorted(found, key=lambda one: (one.member, one.time, one.rule)))


def _integers(rule: Rule, kernel: Kernel, groups: int) -> tuple[int, ...]:
    quantities = (*kernel.states, *kernel.observables)
    target = _target(rule, kernel.routes, groups)
    if rule.quantity not in quantities:
        raise InputError(
            f"a rule watches `{rule.quantity}`, which the model does not have",
            code="solver.rule",
            advice=did_you_mean(rule.quantity, quantities),
        )
    numbers = (rule.amount, rule.margin)
    if not np.isfinite(numbers).all() or rule.margin < 0.0 or (rule.action is Action.LEVEL and rule.amount < 0.0):
        raise InputError(
            f"the rule on `{rule.quantity}` has an amount or a margin that is negative or not finite",
            code="solver.rule",
            found=f"amount {rule.amount!r}, margin {rule.margin!r}",
        )
    return (
        quantities.index(rule.quantity),
        1 if rule.rising else -1,
        int(rule.action),
        target,
        int(rule.visits),
        int(rule.once),
    )


def _target(rule: Rule, routes: Sequence[str], groups: int) -> int:
    if rule.action is Action.BOLUS and rule.target in routes:
        return routes.index(str(rule.target))
    if rule.action is Action.LEVEL and isinstance(rule.target, int) and 0 <= rule.target < groups:
        return rule.target
    if rule.action is Action.END:
        return 0
    raise InputError(
        f"the rule on `{rule.quantity}` acts on `{rule.target}`, which does not exist",
        code="solver.rule",
        expected=f"a group below {groups}" if rule.action is Action.LEVEL else ", ".join(routes),
    )
