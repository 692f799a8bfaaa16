"""The entry of the solver: checks once, hands out chunks to threads, collects what they recorded."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from simulate.solver import layout
from simulate.solver.arguments import batch_of, breaks_of, failures_of, frozen, kernel_view, method_view, stops_of
from simulate.solver.events import LEVELS, READ_ONLY, act, look, memory, share_of_passing
from simulate.solver.kernel import FloatArray, Kernel
from simulate.solver.lane_state import LANE_ROWS
from simulate.solver.lanes import integrate
from simulate.solver.loop_values import Results, RulesView, addressed
from simulate.solver.methods import DOPRI5, Method
from simulate.solver.observing import fail_undefined
from simulate.solver.problem import MAX_STEPS, Schedule, StopKind, Tolerance
from simulate.solver.recording import observe_all
from simulate.solver.rules import Adaptive, occurrences, watch, with_stops, with_visits
from simulate.solver.trajectories import Trajectories

_LINE = 64
"""Bytes of a cache line."""
_CHUNK = 256
"""Most members handed to a thread at a time: a larger chunk leaves fewer lanes idle at its end, a smaller one tells
progress more often."""


def solve(
    kernel: Kernel,
    parameters: FloatArray,
    schedule: Schedule,
    times: FloatArray,
    *,
    start: float = 0.0,
    tolerance: Tolerance | None = None,
    method: Method = DOPRI5,
    max_steps: int = MAX_STEPS,
    max_step: float | None = None,
    breaks: Sequence[float] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    adaptive: Adaptive | None = None,
    deadline: tuple[int, float] | None = None,
) -> Trajectories:
    """Integrate a batch of members, each with its own parameters, stops, steps and end.

    A member's numbers are the same bits whatever the batch, its order or the number of threads. A member that fails
    keeps what was recorded before the failure and changes nothing about the others.

    Parameters
    ----------
    kernel
        The compiled model.
    parameters
        Shape [member, parameter], in the order and units of ``kernel.parameters``.
    schedule
        Stops of the same members. An output at the time of a stop is recorded after the stop.
    times
        Shape [time], ascending, days, from ``start`` on: when to record; the last is the end. A time given twice is
        recorded before its stops and after them.
    start
        Time at which every member has its initial state.
    tolerance
        Bound on the local error; `Tolerance()` if not given.
    method
        The method of integration.
    max_steps
        Steps, rejected ones included, after which a member is given up.
    max_step
        The longest step, days; no bound if not given.
    breaks
        Days on which a step of every member ends and the next begins anew, where the right-hand side changes in a time
        so short that a step might pass over it. Those that the kernel knows of are taken in any case.
    threads
        Threads to use; all cores that this process may use if not given.
    progress
        Called with the number of members finished since the last call, from the calling thread.
    adaptive
        Rules by which the state of a member changes what happens to it.
    deadline
        Steps after which a member is looked at, and the time, days, at which it is given up if it has not come so far.

    Raises
    ------
    InputError
        When shapes do not fit, times do not ascend, an input is not finite, or a number of steps or threads, or
        the longest step, is not positive.
    """
    if adaptive is not None:
        adaptive, schedule = with_visits(adaptive, schedule, float(np.max(times, initial=start)))
    given = batch_of(kernel, parameters, schedule, times, start, tolerance, method, max_steps, threads, max_step)
    if deadline is not None:
        given = given._replace(deadline=deadline[0], behind=float(deadline[1]))
    owners, days = breaks_of(kernel, given.parameters, start, given.times, breaks)
    if len(days):
        adaptive, schedule = with_stops(adaptive or Adaptive(()), schedule, owners, days, StopKind.BREAK)
        given = given._replace(schedule=stops_of(kernel, schedule, len(given.parameters), start))
    members, n = len(given.parameters), len(kernel.states)

    values = np.full((members, len(times), n + len(kernel.observables)), np.nan)
    outcome = np.full((members, 2), -1, dtype=np.int64)
    reached = np.full(members, np.nan)
    counters = np.zeros((members, 3), dtype=np.int64)
    results = Results(values, outcome, reached, counters, np.zeros(1, dtype=np.int64))
    functions, steps = addressed(kernel_view(kernel, method)), addressed(method_view(method))
    watched = watch(adaptive, kernel, schedule, members)
    at_work = (look, share_of_passing, act) if len(watched[0]) else (kernel.prepare,) * 3
    count = workers(threads)
    chunk = min(_CHUNK, layout.LANES * -(-members // (layout.LANES * count)))

    def work(first: int) -> int:
        end = min(first + chunk, members)
        workspace = aligned(layout.CONSTANTS + kernel.rows * layout.LANES)
        lane_state = np.empty((LANE_ROWS, layout.LANES), dtype=np.int64)
        shared = map(frozen, watched[:READ_ONLY])
        watching = (*shared, *watched[READ_ONLY:], *memory(len(watched[0]), len(watched[LEVELS]), n))
        rules = addressed(RulesView(watching, *at_work))
        part = given._replace(schedule=tuple(given.schedule), first=first, last=end)
        integrate((workspace, lane_state), functions, steps, rules, tuple(part), tuple(results))
        if not results.given_up[0]:
            is_sound = observe_all(
                workspace, kernel.prepare.address, kernel.observe.address, given.parameters, given.times, n,
                kernel.controlled, values, first, end,
            )  # fmt: skip
            if not is_sound:
                fail_undefined(kernel, values, given.times, outcome, reached, first, end)
        return end - first

    chunks = [_pool(count).submit(work, first) for first in range(0, members, chunk)]
    try:
        for done in as_completed(chunks):
            finished = done.result()
            if progress is not None:
                progress(finished)
    except BaseException:
        # Nobody will see the rest: queued chunks are dropped, and running ones end within a step.
        results.given_up[0] = 1
        for part in chunks:
            part.cancel()
        raise
    return Trajectories(
        times=given.times,
        quantities=(*kernel.states, *kernel.observables),
        units=kernel.units,
        values=values,
        status=np.ascontiguousarray(outcome[:, 0]),
        counters=counters,
        failures=failures_of(kernel, outcome, reached),
        method=method.name,
        occurrences=occurrences(watched),
    )


@functools.cache
def _pool(count: int) -> ThreadPoolExecutor:
    """Threads that stay: to start them takes as long as a small solution."""
    return ThreadPoolExecutor(max_workers=count, thread_name_prefix="solve")


if hasattr(os, "register_at_fork"):
    # A process that is split off has none of the threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def aligned(size: int) -> FloatArray:
    """Zeros that begin at a cache line: a row is as long as one, and would else lie across two."""
    room = np.zeros(size + _LINE // 8)
    first = -room.ctypes.data % _LINE // 8
    return room[first : first + size]


def workers(threads: int | None) -> int:
    """Threads that are used where so many are asked for; all cores that this process may use if no number is given.

    In a container or under a batch system these are fewer than there are.
    """
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
