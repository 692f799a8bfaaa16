"""The engine on a graphics card: the same generated source and the same loop, one thread a trajectory.

Needs the extra ``gpu`` (numba-cuda); importing this module without it raises `MissingExtra`. Without a card,
``NUMBA_ENABLE_CUDASIM=1`` runs the kernels in Numba's simulator, which is slow and meant for tests.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate.errors import InputError, MissingExtra
from simulate.kernels.edition import Edition, decorated_by
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import System
from simulate.solver import methods
from simulate.solver.arguments import batch_of, breaks_of, failures_of, kernel_view, method_view, stops_of
from simulate.solver.kernel import FloatArray
from simulate.solver.observing import fail_undefined
from simulate.solver.problem import MAX_STEPS, Schedule, StopKind, Tolerance
from simulate.solver.rules import Adaptive, with_stops
from simulate.solver.trajectories import Trajectories

if importlib.util.find_spec("numba_cuda") is None:
    raise MissingExtra(
        "the engine for graphics cards needs the package numba-cuda",
        code="extra.gpu",
        expected="numba-cuda with a CUDA driver, or its simulator",
        advice='pip install "il1sim[gpu]"',
    )

from numba import cuda as _numba_cuda

cuda: Any = _numba_cuda
_BLOCK = 64
"""Threads in a block: few, because each keeps its whole workspace, and warps of one block end at different times."""


@dataclass(frozen=True, eq=False)
class CudaEngine:
    """A system and a method, compiled for threads of a graphics card.

    ``kernel`` is the edition's kernel: its functions run on the card, its names and rows are those of the system.
    """

    kernel: CompiledKernel
    method: Any
    launch: Any
    observe: Any

    def solve(
        self,
        parameters: FloatArray,
        schedule: Schedule,
        times: FloatArray,
        *,
        start: float = 0.0,
        tolerance: Tolerance | None = None,
        max_steps: int = MAX_STEPS,
        max_step: float | None = None,
        breaks: Sequence[float] = (),
    ) -> Trajectories:
        """Integrate a batch; arguments and result as for `simulate.solver.solve`."""
        given = batch_of(
            self.kernel, parameters, schedule, times, start, tolerance, self.method, max_steps, max_step=max_step
        )
        owners, days = breaks_of(self.kernel, given.parameters, start, given.times, breaks)
        if len(days):
            _, schedule = with_stops(Adaptive(()), schedule, owners, days, StopKind.BREAK)
            given = given._replace(schedule=stops_of(self.kernel, schedule, len(given.parameters), start))
        members, n = len(given.parameters), len(self.kernel.states)
        values = np.full((members, len(given.times), n + len(self.kernel.observables)), np.nan)
        outcome = np.full((members, 2), -1, dtype=np.int64)
        reached = np.full(members, np.nan)
        counters = np.zeros((members, 3), dtype=np.int64)
        results = [cuda.to_device(array) for array in (values, outcome, reached, counters)]
        columns = tuple(map(cuda.to_device, given.schedule))
        matrix, recorded_at = cuda.to_device(given.parameters), cuda.to_device(given.times)
        numbers = (given.start, given.rtol, given.share, given.exponent, given.longest, given.max_steps, given.end)
        grid = -(-members // _BLOCK)
        view = kernel_view(self.kernel, self.method)
        tables = (cuda.to_device(view.targets), cuda.to_device(view.table))
        given_up = cuda.to_device(np.zeros(1, dtype=np.int64))
        self.launch[grid, _BLOCK](*tables, matrix, *columns, recorded_at, *numbers, *results, given_up)
        self.observe[grid, _BLOCK](matrix, recorded_at, n, self.kernel.controlled, results[0])
        values, outcome, reached, counters = (array.copy_to_host() for array in results)
        fail_undefined(self.kernel, values, given.times, outcome, reached, 0, members)
        return Trajectories(
            times=given.times,
            quantities=(*self.kernel.states, *self.kernel.observables),
            units=self.kernel.units,
            values=values,
            status=np.ascontiguousarray(outcome[:, 0]),
            counters=counters,
            failures=failures_of(self.kernel, outcome, reached),
            method=self.method.name,
        )


def compile_for_cuda(system: System, method: str = "DOPRI5") -> CudaEngine:
    """Engine for a system on a graphics card, compiled at the first solve.

    Parameters
    ----------
    system
        Equations, as for `simulate.kernels.build.build`.
    method
        Name of a method in `simulate.solver`, other than those with Taylor series.

    Raises
    ------
    InputError
        When the method works with Taylor series, which are written in vector instructions of the processor.
    """
    if getattr(methods, method).series:
        raise InputError(
            "the engine for graphics cards has no Taylor series",
            code="cuda.method",
            found=method,
            expected="`DOP853`, `DOPRI5`, `RODAS5P`",
        )
    decorate = functools.partial(cuda.jit, device=True)()
    edition = Edition(
        capacity=max(len(system.states), len(system.observables)),
        door=decorated_by(decorate),
    )
    # Instructions of the processor are of no use here: functions are compiled from their text by Numba.
    kernel = edition.builder(decorate).build(system)
    if kernel.hybrid is not None:
        raise InputError(
            "the engine for graphics cards has no events, and nothing in it may switch",
            code="cuda.switches",
            expected="a model without events, `piecewise`, `floor` and `ceil`, or kinks that states place in time",
            advice="solve it on the processor",
        )
    chosen = getattr(edition.module("simulate.solver.methods"), method)
    launch, observe = _entry_points(edition, kernel, chosen)
    return CudaEngine(kernel, chosen, launch, observe)


def _entry_points(edition: Edition, kernel: Any, method: Any) -> tuple[Any, Any]:
    """The two functions that the host calls: integrate, and observe what was recorded."""
    integrate = edition.module("simulate.solver.lanes").integrate
    observe_all = edition.module("simulate.solver.recording").observe_all
    layout = edition.module("simulate.solver.layout")
    events, hybrid, passing = (edition.module(f"simulate.solver.{name}") for name in ("events", "hybrid", "passing"))
    look, share_of_passing, act = events.look, events.share_of_passing, events.act
    look_for_switches, share_of_switching, settle = hybrid.look_for_switches, hybrid.share_of_switching, hybrid.settle
    depart, arrive = passing.depart, passing.arrive
    book_rows = edition.module("simulate.solver.lane_state").LANE_ROWS
    room = layout.CONSTANTS + kernel.rows
    view = kernel_view(kernel, method)
    n, columns, conditions, routes, controlled, infusion, gain, condition = view[:8]
    prepare, rhs, jacobian, factor, backsolve, observe = view[10:16]
    stages, dense_stages, series, extends, attempt, interpolate, extend, propose = method_view(method)

    @cuda.jit
    def launch(
        targets: Any, table: Any,
        parameters: Any, offsets: Any, stops: Any, kinds: Any, chosen: Any, amounts: Any, times: Any,
        start: float, rtol: float, share: float, exponent: float, longest: float, max_steps: int, end: float,
        values: Any, outcome: Any, reached: Any, counters: Any, given_up: Any,
    ) -> None:  # fmt: skip
        member = cuda.grid(1)
        if member < parameters.shape[0]:
            w = cuda.local.array(room, np.float64)
            lane_state = cuda.local.array((book_rows, 1), np.int64)
            integrate(
                (w, lane_state),
                (n, columns, conditions, routes, controlled, infusion, gain, condition, targets, table,
                 prepare, rhs, jacobian, factor, backsolve, observe, prepare, prepare, prepare,
                 look_for_switches, share_of_switching, settle, depart, arrive),
                (stages, dense_stages, series, extends, attempt, interpolate, extend, propose),
                (0, look, share_of_passing, act),
                (parameters, (offsets, stops, kinds, chosen, amounts), times,
                 start, rtol, share, exponent, longest, max_steps, 0, start, end, member, member + 1),
                (values, outcome, reached, counters, given_up),
            )  # fmt: skip

    @cuda.jit
    def observe_members(parameters: Any, times: Any, n: int, controlled: int, values: Any) -> None:
        member = cuda.grid(1)
        if member < parameters.shape[0]:
            w = cuda.local.array(room, np.float64)
            observe_all(w, prepare, observe, parameters, times, n, controlled, values, member, member + 1)

    return launch, observe_members
