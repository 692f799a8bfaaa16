"""What the loop is given, checked once: it looks at no bounds and no shapes itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError
from simulate.solver.hybrid import NOTHING, look_for_switches, settle, share_of_switching
from simulate.solver.kernel import BlockFunction, FloatArray, IntArray, Kernel
from simulate.solver.loop_values import Batch, KernelView, MethodView, ScheduleColumns
from simulate.solver.methods.method import Method
from simulate.solver.passing import arrive, depart
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.trajectories import Failure, Status, undefined_observable

T = TypeVar("T", bound=np.generic)


def batch_of(
    kernel: Kernel,
    parameters: FloatArray,
    schedule: Schedule,
    times: FloatArray,
    start: float,
    tolerance: Tolerance | None,
    method: Method,
    max_steps: int,
    threads: int | None = None,
    max_step: float | None = None,
) -> Batch:
    """Check what `simulate.solver.solve` was given and arrange it for the loop: all members, without rules.

    Raises
    ------
    InputError
        When shapes do not fit, times do not ascend, an input is not finite, or a number of steps or threads, or
        the longest step, is not positive.
    """
    tolerance = Tolerance() if tolerance is None else tolerance
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    times = np.array(times, dtype=np.float64, order="C")  # a copy: it is part of the result
    _check(kernel, parameters, times, start, max_steps, threads)
    longest = math.inf if max_step is None else float(max_step)
    if not longest > 0.0:
        raise InputError(
            f"max_step is {longest!r}", code="solver.max-step", found=repr(longest), expected="a time above 0, in days"
        )
    return Batch(
        parameters=frozen(parameters),
        schedule=stops_of(kernel, schedule, len(parameters), start),
        times=frozen(times),
        start=float(start),
        rtol=float(tolerance.rtol),
        share=float(tolerance.share),
        exponent=-0.5 / (method.error_order + 1.0),
        longest=longest,
        max_steps=max_steps,
        deadline=0,
        behind=-math.inf,
        end=float(max(times[-1], start)),
        first=0,
        last=len(parameters),
    )


def kernel_view(kernel: Kernel, method: Method) -> KernelView:
    """Functions and numbers of a kernel for a method; only what the method uses is compiled."""
    first = len(kernel.routes) + 1
    prepare, rhs, jacobian, factor, backsolve = functions_of(kernel, method)
    has_switches = kernel.hybrid is not None
    has_derivatives = kernel.hybrid is not None and kernel.hybrid.passing is not None
    return KernelView(
        states=len(kernel.states),
        parameters=len(kernel.parameters),
        conditions=len(kernel.conditions),
        routes=len(kernel.routes),
        controlled=kernel.controlled,
        infusion=kernel.infusion_row,
        gain=kernel.gain_row,
        condition=kernel.condition_row,
        targets=frozen(np.concatenate([kernel.route_offsets + first, kernel.route_targets]).astype(np.int64)),
        table=frozen(NOTHING if kernel.hybrid is None else kernel.hybrid.table()),
        prepare=prepare,
        rhs=rhs,
        jacobian=jacobian,
        factor=factor,
        backsolve=backsolve,
        observe=kernel.observe,
        sense=kernel.sense,
        jump=kernel.jump,
        cross=kernel.cross,
        look_for_switches=look_for_switches if has_switches else prepare,
        share_of_switching=share_of_switching if has_switches else prepare,
        settle=settle if has_switches else prepare,
        depart=depart if has_derivatives else prepare,
        arrive=arrive if has_derivatives else prepare,
    )


def method_view(method: Method) -> MethodView:
    """Functions and numbers of a method."""
    return MethodView(
        attempt=method.attempt,
        interpolate=method.interpolate,
        extend=method.extend,
        propose=method.propose,
        stages=method.stages,
        dense_stages=method.dense_stages,
        series=method.series,
        extends=int(method.extends),
    )


def functions_of(
    kernel: Kernel, method: Method
) -> tuple[BlockFunction, BlockFunction, BlockFunction, BlockFunction, BlockFunction]:
    """What the loop calls of a kernel, in the order in which it takes it; only what the method uses is compiled."""
    if method.stiff:
        return kernel.prepare, kernel.rhs, kernel.jacobian, kernel.factor, kernel.backsolve
    if method.followed is not None:
        steps = kernel.steps(method.followed)
        return kernel.prepare, kernel.rhs, steps, steps, steps
    only = kernel.jets(method.series) if method.series else kernel.rhs
    return kernel.prepare, only, only, only, only


def breaks_of(
    kernel: Kernel, parameters: FloatArray, start: float, times: FloatArray, named: Sequence[float]
) -> tuple[IntArray, FloatArray]:
    """Breaks that are named for every member, and those that the kernel knows of: owners and times, each once.

    Raises
    ------
    InputError
        ``solver.breaks``: a break is no finite number.
    """
    if not np.isfinite(named).all():
        raise InputError(
            "a break is not finite", code="solver.breaks", found=str(list(named)), expected="finite times, in days"
        )
    members, end = len(parameters), float(times[-1])
    inner = np.array([time for time in named if start < time < end], dtype=np.float64)
    owners, found = kernel.breaks(parameters, start, end)
    pairs = (
        np.concatenate([np.repeat(np.arange(members), len(inner)), owners]),
        np.concatenate([np.tile(inner, members), found]),
    )
    order = np.lexsort(pairs[::-1])
    owners, found = pairs[0][order], pairs[1][order]
    fresh = np.ones(len(owners), dtype=bool)
    fresh[1:] = (np.diff(owners) > 0) | (np.diff(found) > 0.0)
    return owners[fresh], found[fresh]


def frozen(array: npt.NDArray[T]) -> npt.NDArray[T]:
    """A read-only view: what every thread may share."""
    view = array.view()
    view.flags.writeable = False
    return view


def failures_of(kernel: Kernel, outcome: IntArray, reached: FloatArray) -> tuple[Failure, ...]:
    """The failures of a batch, spelled out in the order of members."""
    failures = []
    for member in np.flatnonzero(outcome[:, 0] != Status.OK):
        status, blamed = Status(int(outcome[member, 0])), int(outcome[member, 1])
        state, reason = None, status.sentence
        if status is Status.INFEASIBLE:
            reason = f"{status.sentence}: {kernel.conditions[blamed]}"
        elif blamed < len(kernel.states):
            state = kernel.states[blamed]
        else:
            reason = undefined_observable(kernel.observables[blamed - len(kernel.states)])
        failures.append(
            Failure(member=int(member), time=float(reached[member]), state=state, status=status, reason=reason)
        )
    return tuple(failures)


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
    if np.any(times[2:] == times[:-2]):
        raise InputError(
            "a time to record is given three times",
            code="solver.times",
            expected="each time once, or twice for the values before and after the stops at it",
            advice="drop one",
        )
    for name, number in (("max_steps", max_steps), ("threads", 1 if threads is None else threads)):
        if number < 1:
            raise InputError(
                f"{name} is {number}", code=f"solver.{name.replace('_', '-')}", found=str(number), expected="1 or more"
            )


def stops_of(kernel: Kernel, schedule: Schedule, members: int, start: float) -> ScheduleColumns:
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
    for what, count, of in (
        ("route", len(kernel.routes), (StopKind.BOLUS, StopKind.RATE)),
        ("state", len(kernel.states), (StopKind.SET, StopKind.ADD)),
    ):
        chosen = (kinds == of[0]) | (kinds == of[1])
        if np.any(chosen & ((routes < 0) | (routes >= count))):
            raise InputError(
                f"a stop names a {what} that the model does not have",
                code="solver.schedule",
                expected=f"an index below {count}",
            )
    if len(kinds) and (kinds.min() < min(StopKind) or kinds.max() > max(StopKind)):
        raise InputError(
            "a stop is of an unknown kind",
            code="solver.schedule",
            expected=", ".join(f"StopKind.{kind.name}" for kind in StopKind),
        )
    owners = np.repeat(np.arange(members), np.diff(offsets))
    same = np.diff(owners) == 0
    late = (kinds[1:] <= StopKind.ADD) & (kinds[:-1] > kinds[1:]) & (np.diff(times) == 0)
    if np.any(times < start) or np.any(np.diff(times)[same] < 0) or np.any(late & same):
        raise InputError(
            "the stops of a member do not ascend from the start",
            code="solver.schedule",
            expected=f"times from {start} on; at one time, visits first, then resets, then states that are set",
            advice="let Schedule.from_rows arrange the stops",
        )
    _check_infusions(offsets, kinds, routes, amounts)
    return ScheduleColumns(frozen(offsets), frozen(times), frozen(kinds), frozen(routes), frozen(amounts))


def _check_infusions(offsets: IntArray, kinds: IntArray, routes: IntArray, amounts: FloatArray) -> None:
    """Refuse the end of an infusion that a reset has ended already: a negative rate would drain the target."""
    resets = np.flatnonzero(kinds == StopKind.RESET)
    members, first_resets = np.unique(np.searchsorted(offsets, resets, side="right") - 1, return_index=True)
    for member, first in zip(members.tolist(), resets[first_resets].tolist(), strict=True):
        running: dict[int, float] = {}
        is_reset = False
        own = slice(first, int(offsets[member + 1]))
        for kind, route, amount in zip(kinds[own].tolist(), routes[own].tolist(), amounts[own].tolist(), strict=True):
            if kind == StopKind.RESET:
                running, is_reset = {}, True
            elif kind == StopKind.RATE:
                running[route] = running.get(route, 0.0) + amount
                if is_reset and running[route] < -1e-9 * abs(amount):
                    raise InputError(
                        f"an infusion of member {member} ends that a reset has ended before",
                        code="solver.schedule",
                        expected="no end of an infusion that a reset cuts short",
                    )
