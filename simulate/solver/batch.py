"""The door of the solver: checks once, hands out chunks to threads, collects what they recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from simulate.errors import InputError
from simulate.solver import layout
from simulate.solver.control import exponent_bits
from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.lanes import integrate
from simulate.solver.methods import DOPRI5, Method
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.recording import observe_all
from simulate.solver.trajectories import Failure, Status, Trajectories

_CHUNK = 64
"""Members handed to a thread at a time; it decides only how often progress is told."""


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
        Threads to use; all cores if not given.
    progress
        Called with the number of members finished since the last call, from the calling thread.

    Raises
    ------
    InputError
        When shapes do not fit, times do not ascend, or an input is not finite.
    """
    tolerance = Tolerance() if tolerance is None else tolerance
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    times = np.ascontiguousarray(times, dtype=np.float64)
    _check(kernel, parameters, schedule, times, start, max_steps)
    members, n = len(parameters), len(kernel.states)
    atol = np.ascontiguousarray(np.broadcast_to(np.asarray(tolerance.atol, dtype=np.float64), (n,)))

    states = np.full((members, len(times), n), np.nan)
    values = np.full((members, len(times), n + len(kernel.observables)), np.nan)
    outcome = np.full((members, 2), -1, dtype=np.int64)
    reached = np.full(members, np.nan)
    counters = np.zeros((members, 3), dtype=np.int64)
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
        _frozen(np.array([method.leaves_rate, method.stages, exponent_bits(method.error_order)], dtype=np.int64)),
        _frozen(np.array([*sizes, len(kernel.conditions), len(kernel.routes)], dtype=np.int64)),
        _frozen(np.ascontiguousarray(kernel.route_targets, dtype=np.int64)),
        _frozen(parameters),
        tuple(_frozen(np.ascontiguousarray(getattr(schedule, name))) for name in Schedule.__slots__),
        _frozen(times),
        _frozen(np.array([start, tolerance.rtol])),
        _frozen(atol),
        max_steps,
    )

    def work(first: int) -> int:
        end = min(first + _CHUNK, members)
        workspace = np.zeros(layout.CONSTANTS + kernel.rows * layout.LANES)
        integrate(workspace, *arguments, first, end, states, outcome, reached, counters)
        observe_all(
            workspace, kernel.prepare, kernel.observe, _frozen(parameters), _frozen(times), states, values, first, end
        )
        return end - first

    firsts = range(0, members, _CHUNK)
    with ThreadPoolExecutor(max_workers=threads or os.cpu_count()) as pool:
        for done in as_completed([pool.submit(work, first) for first in firsts]):
            if progress is not None:
                progress(done.result())
            done.result()
    return Trajectories(
        times=times,
        quantities=(*kernel.states, *kernel.observables),
        units=kernel.units,
        values=values,
        status=np.ascontiguousarray(outcome[:, 0]),
        counters=counters,
        failures=_failures(kernel, outcome, reached),
        method=method.name,
    )


def _frozen(array: FloatArray | IntArray) -> FloatArray | IntArray:
    """A read-only view: what every thread may share."""
    view = array.view()
    view.flags.writeable = False
    return view


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


def _check(
    kernel: Kernel, parameters: FloatArray, schedule: Schedule, times: FloatArray, start: float, max_steps: int
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
    if max_steps < 1:
        raise InputError(
            f"max_steps is {max_steps}", code="solver.max-steps", found=str(max_steps), expected="a positive number"
        )
    _check_schedule(kernel, schedule, len(parameters), start)


def _check_schedule(kernel: Kernel, schedule: Schedule, members: int, start: float) -> None:
    if schedule.members != members or schedule.offsets[0] != 0 or schedule.offsets[-1] != len(schedule.times):
        raise InputError(
            "the schedule does not fit the parameter matrix",
            code="solver.schedule",
            found=f"{schedule.members} members",
            expected=f"{members} members",
        )
    if not (np.isfinite(schedule.times).all() and np.isfinite(schedule.amounts).all()):
        raise InputError("a stop has a time or an amount that is not finite", code="solver.schedule")
    if np.any((schedule.routes < 0) | (schedule.routes >= len(kernel.routes))):
        raise InputError(
            "a stop names a route that the model does not have",
            code="solver.schedule",
            expected=f"an index below {len(kernel.routes)}",
        )
    owners = np.repeat(np.arange(members), np.diff(schedule.offsets))
    same = np.diff(owners) == 0
    if np.any(schedule.times < start) or np.any(np.diff(schedule.times)[same] < 0):
        raise InputError(
            "the stops of a member do not ascend from the start",
            code="solver.schedule",
            expected=f"times from {start} on",
        )
