"""The door of the solver: checks once, hands out chunks to threads, collects what they recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from simulate.errors import InputError
from simulate.solver import layout
from simulate.solver.control import exponent_bits
from simulate.solver.events import memory
from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.lanes import integrate
from simulate.solver.methods import DOPRI5, Method
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.recording import observe_all
from simulate.solver.rules import Adaptive, occurrences, watch
from simulate.solver.trajectories import Failure, Status, Trajectories

_CHUNK = 64
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
    max_steps: int = 100_000,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    adaptive: Adaptive | None = None,
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
        Shape [time], ascending, days, from ``start`` on: when to record; the last is the end.
    start
        Time at which every member has its initial state.
    tolerance
        Bound on the local error; `Tolerance()` if not given.
    method
        The method of integration.
    max_steps
        Steps, rejected ones included, after which a member is given up.
    threads
        Threads to use; all cores that this process may use if not given.
    progress
        Called with the number of members finished since the last call, from the calling thread.
    adaptive
        Rules by which the state of a member changes what happens to it.

    Raises
    ------
    InputError
        When shapes do not fit, times do not ascend, an input is not finite, or a number of steps or threads is not
        positive.
    """
    tolerance = Tolerance() if tolerance is None else tolerance
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    times = np.array(times, dtype=np.float64, order="C")  # a copy: it is part of the result
    _check(kernel, parameters, times, start, max_steps, threads)
    stops = _stops(kernel, schedule, len(parameters), start)
    atol = _absolute(kernel, tolerance)
    members, n = len(parameters), len(kernel.states)

    values = np.full((members, len(times), n + len(kernel.observables)), np.nan)
    outcome = np.full((members, 2), -1, dtype=np.int64)
    reached = np.full(members, np.nan)
    counters = np.zeros((members, 3), dtype=np.int64)
    given_up = np.zeros(1, dtype=np.int64)
    functions = (
        kernel.prepare,
        kernel.rhs,
        *((kernel.jacobian, kernel.factor, kernel.backsolve) if method.stiff else (kernel.rhs,) * 3),
    )
    sizes = (n, len(kernel.parameters), kernel.infusion_row, kernel.gain_row, kernel.condition_row)
    arguments = (
        *functions,
        method.attempt,
        method.interpolate,
        _frozen(np.array([method.stages, exponent_bits(method.error_order)], dtype=np.int64)),
        _frozen(np.array([*sizes, len(kernel.conditions), len(kernel.routes), kernel.controlled], dtype=np.int64)),
        _frozen(_routes(kernel)),
        _frozen(parameters),
        stops,
        _frozen(times),
        _frozen(np.array([start, tolerance.rtol])),
        _frozen(atol),
        max_steps,
    )

    watched = watch(adaptive, kernel, schedule, members)
    workers = _cores() if threads is None else threads
    chunk = min(_CHUNK, layout.LANES * -(-members // (layout.LANES * workers)))

    def work(first: int) -> int:
        end = min(first + chunk, members)
        workspace = np.zeros(layout.CONSTANTS + kernel.rows * layout.LANES)
        integrate(
            workspace, *arguments, first, end, values, outcome, reached, counters, given_up,
            kernel.observe, (*map(_frozen, watched[:5]), *watched[5:], *memory(len(watched[0]), len(watched[4]), n)),
        )  # fmt: skip
        if not given_up[0]:
            observe_all(
                workspace, kernel.prepare, kernel.observe, _frozen(parameters), _frozen(times), n, kernel.controlled,
                values, first, end,
            )  # fmt: skip
        return end - first

    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for done in as_completed([pool.submit(work, first) for first in range(0, members, chunk)]):
                finished = done.result()
                if progress is not None:
                    progress(finished)
        except BaseException:
            # Nobody will see the rest: queued chunks are dropped, and running ones end within a step.
            given_up[0] = 1
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Trajectories(
        times=times,
        quantities=(*kernel.states, *kernel.observables),
        units=kernel.units,
        values=values,
        status=np.ascontiguousarray(outcome[:, 0]),
        counters=counters,
        failures=_failures(kernel, outcome, reached),
        method=method.name,
        occurrences=occurrences(watched),
    )


def _frozen(array: FloatArray | IntArray) -> FloatArray | IntArray:
    """A read-only view: what every thread may share."""
    view = array.view()
    view.flags.writeable = False
    return view


def _routes(kernel: Kernel) -> IntArray:
    """Targets of routes as the loop reads them: where those of each route begin in this array, then all of them."""
    first = len(kernel.routes) + 1
    return np.concatenate([kernel.route_offsets + first, kernel.route_targets]).astype(np.int64)


def _failures(kernel: Kernel, outcome: IntArray, reached: FloatArray) -> tuple[Failure, ...]:
    failures = []
    for member in np.flatnonzero(outcome[:, 0] != Status.OK):
        status, blamed = Status(int(outcome[member, 0])), int(outcome[member, 1])
        infeasible = status is Status.INFEASIBLE
        failures.append(
            Failure(
                member=int(member),
                time=float(reached[member]),
                state=None if infeasible else kernel.states[blamed],
                status=status,
                reason=f"{status.sentence}: {kernel.conditions[blamed]}" if infeasible else status.sentence,
            )
        )
    return tuple(failures)


def _cores() -> int:
    """Cores that this process may use, which in a container or under a batch system are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(
    kernel: Kernel, parameters: FloatArray, times: FloatArray, start: float, max_steps: int, threads: int | None
) -> None:
    if parameters.ndim != 2 or parameters.shape[1] != len(kernel.parameters) or len(parameters) == 0:
        raise InputError(
            "the parameter matrix does not fit the model",
            code="solver.shape",
            found=f"shape {parameters.shape}",
            expected=f"(members, {len(kernel.parameters)}) with at least one member",
        )
    if not np.isfinite(parameters).all():
        member, column = np.argwhere(~np.isfinite(parameters))[0]
        raise InputError(
            f"parameter `{kernel.parameters[column]}` of member {member} is not a finite number",
            code="solver.not-finite",
            found=repr(float(parameters[member, column])),
            expected="a finite number",
        )
    if (
        times.ndim != 1
        or len(times) == 0
        or not np.isfinite([*times, start]).all()
        or np.any(np.diff([start, *times]) < 0)
    ):
        raise InputError(
            "the times to record do not ascend from the start",
            code="solver.times",
            found=np.array2string(times, threshold=6),
            expected=f"finite times, ascending, none before {start}",
        )
    if len(times) > 1 and np.any(np.diff(times) <= 0):
        raise InputError(
            "a time to record is given twice",
            code="solver.times",
            expected="strictly ascending times",
            advice="drop one",
        )
    for name, number in (("max_steps", max_steps), ("threads", 1 if threads is None else threads)):
        if number < 1:
            raise InputError(
                f"{name} is {number}", code=f"solver.{name.replace('_', '-')}", found=str(number), expected="1 or more"
            )


def _absolute(kernel: Kernel, tolerance: Tolerance) -> FloatArray:
    """Absolute tolerance of every state."""
    n = len(kernel.states)
    atol = np.asarray(tolerance.atol, dtype=np.float64)
    if atol.shape not in {(), (n,)}:
        raise InputError(
            "the absolute tolerances do not fit the model",
            code="solver.tolerance",
            found=f"shape {atol.shape}",
            expected=f"one number, or one for each of {n} states",
        )
    return np.ascontiguousarray(np.broadcast_to(atol, (n,)))


def _stops(kernel: Kernel, schedule: Schedule, members: int, start: float) -> tuple[FloatArray | IntArray, ...]:
    """Columns of a schedule, checked: the loop that reads them looks at no bounds."""
    offsets, kinds, routes = (
        np.ascontiguousarray(column, dtype=np.int64) for column in (schedule.offsets, schedule.kinds, schedule.routes)
    )
    times, amounts = (np.ascontiguousarray(column, dtype=np.float64) for column in (schedule.times, schedule.amounts))
    if offsets.ndim != 1 or len(offsets) != members + 1:
        raise InputError(
            "the schedule does not fit the parameter matrix",
            code="solver.schedule",
            found=f"{len(offsets) - 1} members",
            expected=f"{members} members",
        )
    lengths = {column.shape for column in (times, kinds, routes, amounts)}
    if offsets[0] != 0 or np.any(np.diff(offsets) < 0) or lengths != {(int(offsets[-1]),)}:
        raise InputError(
            "the columns of the schedule do not fit each other",
            code="solver.schedule",
            found=f"offsets from {offsets[0]} to {offsets[-1]}, columns of shapes {sorted(lengths)}",
            expected="ascending offsets from 0, and as many times, kinds, routes and amounts as the last of them",
            advice="let Schedule.from_rows arrange the stops",
        )
    if not (np.isfinite(times).all() and np.isfinite(amounts).all()):
        raise InputError("a stop has a time or an amount that is not finite", code="solver.schedule")
    if np.any((routes < 0) | (routes >= len(kernel.routes))):
        raise InputError(
            "a stop names a route that the model does not have",
            code="solver.schedule",
            expected=f"an index below {len(kernel.routes)}",
        )
    if not np.isin(kinds, list(StopKind)).all():
        raise InputError(
            "a stop is of an unknown kind",
            code="solver.schedule",
            expected="StopKind.BOLUS or StopKind.RATE",
        )
    owners = np.repeat(np.arange(members), np.diff(offsets))
    same = np.diff(owners) == 0
    if np.any(times < start) or np.any(np.diff(times)[same] < 0):
        raise InputError(
            "the stops of a member do not ascend from the start",
            code="solver.schedule",
            expected=f"times from {start} on",
            advice="let Schedule.from_rows arrange the stops",
        )
    return tuple(_frozen(column) for column in (offsets, times, kinds, routes, amounts))
