"""The choice of a method, member by member, by the work that each has been seen to take.

A member begins with the explicit method. One that is not at its end after a number of attempts, counted by its own
doses, or hardly on its way after a quarter of them, may be stiff: it begins anew with the stiff method, which is given
as much work as the explicit method would take at the pace that it has shown. If that does not suffice either, the
member was not stiff but long, and the explicit method goes all the way. No estimate of eigenvalues decides but counted
steps, and only those of the member: its choice and its numbers are the same in any batch.

A member that the explicit method gives up is tried with the stiff method in any case. Without patience nobody else is:
all others have the numbers, and take the time, of the explicit method alone. That is what is done by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.solver.arguments import batch_of
from simulate.solver.batch import solve
from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.methods import DOPRI5, RODAS5P, Method
from simulate.solver.problem import MAX_STEPS, Schedule, Tolerance
from simulate.solver.rules import Adaptive, Occurrence, rules_of, with_visits
from simulate.solver.trajectories import Failure, Status, Trajectories

_LEAST_TRIAL = 64
"""Attempts that the stiff method has at least."""

_EARLY, _HARDLY = 4, 32
"""A member is looked at after this share of its patience, and hardly on its way before this share of its time."""

_STUCK = 1e-20
"""The stiff method is given up where it has not come to this share of the time by then: a singularity holds it."""

_NUMERICAL = (Status.TOO_MANY_STEPS, Status.STEP_TOO_SMALL, Status.NOT_FINITE)
"""How a method gives a member up that another may solve."""

_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Automatic:
    """A choice between two methods.

    Attributes
    ----------
    explicit, stiff
        What every member begins with, and what is tried where that takes long.
    patience
        Attempts of the explicit method for each stop of a member, and one more, before the other is tried, or a quarter
        of them where it has come to a 32nd of the time at most; None for all that a member may take.
    cost
        Attempts of the explicit method that take as long as one of the stiff method.
    """

    explicit: Method = DOPRI5
    stiff: Method = RODAS5P
    patience: int | None = 256
    cost: float = 8.0

    @property
    def name(self) -> str:
        """Name for readers."""
        return f"{self.explicit.name}, or {self.stiff.name} where a member is stiff"


UNLESS_STIFF = Automatic(patience=None)
"""Dormand-Prince 5(4), and Rodas5P for members that it gives up."""


def solve_automatically(
    kernel: Kernel,
    parameters: FloatArray,
    schedule: Schedule,
    times: FloatArray,
    *,
    start: float = 0.0,
    tolerance: Tolerance | None = None,
    choice: Automatic | None = None,
    max_steps: int = MAX_STEPS,
    max_step: float | None = None,
    breaks: Sequence[float] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    adaptive: Adaptive | None = None,
) -> Trajectories:
    """Integrate a batch, each member with the method that suits it; the rest is as for `solve`.

    The counters of a member are those of the method that gave its numbers, without what was tried before.

    Raises
    ------
    InputError
        As `solve`.
    """
    chosen = Automatic() if choice is None else choice
    if adaptive is not None:
        adaptive, schedule = with_visits(adaptive, schedule, float(np.max(times, initial=start)))
    given = batch_of(
        kernel, parameters, schedule, times, start, tolerance, chosen.explicit, max_steps, threads, max_step
    )

    horizon = max(float(times[-1]) - start, 0.0)

    def batch(
        members: IntArray,
        method: Method,
        limit: int,
        told: Callable[[int], None] | None,
        deadline: tuple[int, float] | None = None,
    ) -> Trajectories:
        return solve(
            kernel,
            given.parameters[members],
            schedule.of(members),
            times,
            start=start,
            tolerance=tolerance,
            method=method,
            max_steps=limit,
            max_step=max_step,
            breaks=breaks,
            threads=threads,
            progress=told,
            adaptive=None if adaptive is None else rules_of(adaptive, schedule, members),
            deadline=deadline,
        )

    every = np.arange(len(given.parameters))
    patience = _patience(chosen, schedule, max_steps)
    parts = [
        (
            members,
            batch(
                members,
                chosen.explicit,
                limit,
                progress,
                (limit // _EARLY, start + horizon / _HARDLY) if limit < max_steps else None,
            ),
        )
        for members, limit in _groups(every, patience, max_steps)
    ]
    slow, reached = _given_up(parts, Status.TOO_MANY_STEPS)
    slow, reached = slow[patience[slow] < max_steps], reached[patience[slow] < max_steps]
    taken = np.empty(len(every), dtype=np.int64)
    for members, found in parts:
        taken[members] = found.counters[:, :2].sum(axis=1)
    whole = taken[slow] * horizon / np.maximum(reached - start, _TINY)
    # Beyond a thousand times its patience nobody would wait for the explicit method.
    trial = np.clip(whole / chosen.cost, _LEAST_TRIAL, 1e3 * patience[slow])
    tried = [
        (members, batch(members, chosen.stiff, limit, None, (_LEAST_TRIAL, start + horizon * _STUCK)))
        for members, limit in _groups(slow, _rounded(trial), max_steps)
    ]
    again, _ = _given_up(tried, Status.TOO_MANY_STEPS)
    if len(again):
        tried.append((again, batch(again, chosen.explicit, max_steps, None)))
    parts += tried
    lost, _ = _given_up(parts, *_NUMERICAL, by=chosen.explicit.name)
    if len(lost):
        rescued = _those_who_finished(lost, batch(lost, chosen.stiff, max_steps, None))
        parts = [*parts, rescued] if len(rescued[0]) else parts
    joined = _joined(len(every), parts, chosen)
    return replace(joined, failures=tuple(_told(one, chosen, lost) for one in joined.failures))


def _told(failure: Failure, choice: Automatic, lost: IntArray) -> Failure:
    """A failure that says so where the other method was of no help."""
    if failure.member not in lost:
        return failure
    return replace(failure, reason=f"{failure.reason}; {choice.stiff.name} did not reach the end either")


def _patience(choice: Automatic, schedule: Schedule, max_steps: int) -> IntArray:
    """Attempts of the explicit method before a member is tried with the other."""
    if choice.patience is None:
        return np.full(schedule.members, max_steps, dtype=np.int64)
    return np.minimum(choice.patience * _rounded(1.0 + np.diff(schedule.offsets)), max_steps)


def _rounded(numbers: FloatArray) -> IntArray:
    """The next powers of two: few batches, and a number that depends on the member alone."""
    rounded: IntArray = np.exp2(np.ceil(np.log2(numbers))).astype(np.int64)
    return rounded


def _groups(members: IntArray, limits: IntArray, most: int) -> list[tuple[IntArray, int]]:
    """Members with the same limit of steps, and that limit."""
    bounded = np.minimum(limits, most)
    return [(members[bounded == limit], int(limit)) for limit in np.unique(bounded)]


def _given_up(
    parts: Sequence[tuple[IntArray, Trajectories]], *reasons: Status, by: str | None = None
) -> tuple[IntArray, FloatArray]:
    """Members whose last attempt, by the method named if one is, ended for one of these reasons; and when."""
    found: dict[int, float] = {}
    for members, trajectories in parts:
        for member in members.tolist():
            found.pop(member, None)
        if by in (None, trajectories.method):
            found |= {
                int(members[failure.member]): failure.time
                for failure in trajectories.failures
                if failure.status in reasons and failure.state is not None
            }
    order = sorted(found)
    return np.array(order, dtype=np.int64), np.array([found[member] for member in order])


def _those_who_finished(members: IntArray, found: Trajectories) -> tuple[IntArray, Trajectories]:
    """Members who reached the end, and their part of a result."""
    places = np.flatnonzero(found.status == Status.OK)
    number = {int(place): index for index, place in enumerate(places)}
    return members[places], replace(
        found,
        values=found.values[places],
        status=found.status[places],
        counters=found.counters[places],
        failures=(),
        occurrences=tuple(replace(one, member=number[one.member]) for one in found.occurrences if one.member in number),
    )


def _joined(count: int, parts: Sequence[tuple[IntArray, Trajectories]], choice: Automatic) -> Trajectories:
    """One result of parts of a batch; of a member that is in several, the last."""
    if len(parts) == 1:
        return replace(
            parts[0][1],
            method=choice.name,
            methods=(choice.explicit.name, choice.stiff.name),
            chosen=np.zeros(count, dtype=np.int64),
        )
    model = parts[0][1]
    # Most have their numbers from the first part, or all begin there.
    values = model.values if len(parts[0][0]) == count else np.empty((count, *model.values.shape[1:]))
    status, chosen = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    counters = np.empty((count, model.counters.shape[1]), dtype=np.int64)
    last = np.empty(count, dtype=np.int64)
    for number, (members, found) in enumerate(parts):
        if found.values is not values:
            values[members] = found.values
        status[members], counters[members] = found.status, found.counters
        chosen[members] = int(found.method == choice.stiff.name)
        last[members] = number
    failures: list[Failure] = []
    occurrences: list[Occurrence] = []
    for number, (members, found) in enumerate(parts):
        failures += (
            replace(one, member=int(members[one.member]))
            for one in found.failures
            if last[members[one.member]] == number
        )
        occurrences += (
            replace(one, member=int(members[one.member]))
            for one in found.occurrences
            if last[members[one.member]] == number
        )
    return replace(
        model,
        values=values,
        status=status,
        counters=counters,
        failures=tuple(sorted(failures, key=lambda one: one.member)),
        method=choice.name,
        methods=(choice.explicit.name, choice.stiff.name),
        chosen=chosen,
        occurrences=tuple(sorted(occurrences, key=lambda one: (one.member, one.time, one.rule))),
    )
