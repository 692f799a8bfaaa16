"""The choice of a method, member by member, by the work that each has been seen to take.

A member begins with the explicit method. One that is not at its end after a number of attempts, counted by its own
doses, may be stiff: it begins anew with the stiff method, which is given as much work as the explicit method would
take at the pace that it has shown. If that does not suffice either, the member was not stiff but long, and the explicit
method goes all the way. No estimate of eigenvalues decides but counted steps, and only those of the member: its choice
and its numbers are the same in any batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.solver.arguments import arguments_of
from simulate.solver.batch import solve
from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.methods import DOPRI5, RODAS5P, Method
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.rules import Adaptive, Occurrence, rules_of, with_visits
from simulate.solver.trajectories import Failure, Status, Trajectories

_LEAST_TRIAL = 64
"""Attempts that the stiff method has at least."""

_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Automatic:
    """A choice between two methods.

    Attributes
    ----------
    explicit, stiff
        What every member begins with, and what is tried where that takes long.
    patience
        Attempts of the explicit method for each stop of a member, and one more, before the other is tried.
    cost
        Attempts of the explicit method that take as long as one of the stiff method.
    """

    explicit: Method = DOPRI5
    stiff: Method = RODAS5P
    patience: int = 256
    cost: float = 8.0

    @property
    def name(self) -> str:
        """Name for readers."""
        return f"{self.explicit.name}, or {self.stiff.name} where a member is stiff"


def solve_automatically(
    kernel: Kernel,
    parameters: FloatArray,
    schedule: Schedule,
    times: FloatArray,
    *,
    start: float = 0.0,
    tolerance: Tolerance | None = None,
    choice: Automatic | None = None,
    max_steps: int = 100_000,
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
    given = arguments_of(kernel, parameters, schedule, times, start, tolerance, chosen.explicit, max_steps, threads)

    def batch(members: IntArray, method: Method, limit: int, told: Callable[[int], None] | None) -> Trajectories:
        return solve(
            kernel,
            given.parameters[members],
            schedule.of(members),
            times,
            start=start,
            tolerance=tolerance,
            method=method,
            max_steps=limit,
            threads=threads,
            progress=told,
            adaptive=None if adaptive is None else rules_of(adaptive, schedule, members),
        )

    every = np.arange(len(given.parameters))
    patience = chosen.patience * _rounded(1.0 + np.diff(schedule.offsets))
    parts = [
        (members, batch(members, chosen.explicit, limit, progress))
        for members, limit in _groups(every, patience, max_steps)
    ]
    slow, reached = _unfinished(parts)
    horizon = max(float(times[-1]) - start, 0.0)
    whole = np.minimum(patience[slow], max_steps) * horizon / np.maximum(reached - start, _TINY)
    # Beyond a thousand times its patience nobody would wait for the explicit method.
    trial = np.clip(whole / chosen.cost, _LEAST_TRIAL, 1e3 * patience[slow])
    tried = [
        (members, batch(members, chosen.stiff, limit, None))
        for members, limit in _groups(slow, _rounded(trial), max_steps)
    ]
    again, _ = _unfinished(tried)
    again = again[patience[again] < max_steps]
    if len(again):
        tried.append((again, batch(again, chosen.explicit, max_steps, None)))
    return _joined(len(every), [*parts, *tried], chosen)


def _rounded(numbers: FloatArray) -> IntArray:
    """The next powers of two: few batches, and a number that depends on the member alone."""
    rounded: IntArray = np.exp2(np.ceil(np.log2(numbers))).astype(np.int64)
    return rounded


def _groups(members: IntArray, limits: IntArray, most: int) -> list[tuple[IntArray, int]]:
    """Members with the same limit of steps, and that limit."""
    bounded = np.minimum(limits, most)
    return [(members[bounded == limit], int(limit)) for limit in np.unique(bounded)]


def _unfinished(parts: Sequence[tuple[IntArray, Trajectories]]) -> tuple[IntArray, FloatArray]:
    """Members whose steps ran out, and the times that they had reached."""
    found = sorted(
        (int(members[failure.member]), failure.time)
        for members, trajectories in parts
        for failure in trajectories.failures
        if failure.status is Status.TOO_MANY_STEPS
    )
    return np.array([member for member, _ in found], dtype=np.int64), np.array([time for _, time in found])


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
    values = np.empty((count, *model.values.shape[1:]))
    status, chosen = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    counters = np.empty((count, model.counters.shape[1]), dtype=np.int64)
    last = np.empty(count, dtype=np.int64)
    for number, (members, found) in enumerate(parts):
        values[members], status[members], counters[members] = found.values, found.status, found.counters
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
