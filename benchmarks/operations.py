"""What operations on vectors a step of derivatives adds, counted, and what each takes here, measured."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE
from simulate.emitted import emitted
from simulate.kernels.form import Body
from simulate.kernels.rows import write_fence
from simulate.kernels.sensitivity_blocks import Followers
from simulate.solver.layout import LANES
from simulate.solver.methods.dopri5 import TABLEAU
from simulate.solver.vector_code import function_of

Counts = Counter[str]
"""Numbers of operations: ``multiply``, ``add``, both in one (``fused``), ``divide``, ``read`` and ``write``."""

STAGES = TABLEAU.stages - 1
_WEIGHTS = sum(weight != 0 for row in TABLEAU.a[1:] for weight in row)
_TIMES = 200
_MANY = 512
_ROWS = 64


_NAMES = {
    "times": "multiply", "minus_times": "multiply", "plus": "add", "difference": "add", "over": "divide",
    "fused": "fused", "fused_minus": "fused", "read": "read",
}  # fmt: skip


def operations(body: Body) -> Counts:
    """Arithmetic of a body, and what it reads: a product that is added to something is one operation with its sum."""
    return Counter(_NAMES[kind] for kind, *_ in body.operations if kind in _NAMES)


def added(followers: Followers) -> Counts:
    """What one step of all directions adds to a step of the solution."""
    total: Counts = Counter({name: STAGES * count for name, count in operations(followers.shared).items()})
    # The solution has in registers what the directions share; what they read of each stage is written once.
    total["read"] = 0
    total += Counter(write=STAGES * len(followers.slots))
    for parts in followers.directions:
        known = {name for part in parts for name in (*part.states, *(place for place, _ in part.body.writes))}
        found = {operation[1] for part in parts for operation in part.body.operations if operation[0] == "read"}
        moving = sum(len(part.states) for part in parts if part.moves)
        slots = sum(name in followers.slots for name in found)
        each: Counts = sum((operations(part.body) for part in parts), Counter())
        total += Counter({name: STAGES * count for name, count in each.items() if name != "read"})
        # State and rate at the beginning are read, and those at the end written and taken over.
        total += Counter(
            fused=_WEIGHTS * moving,
            read=STAGES * slots + len(found - known) - slots + 4 * moving,
            write=4 * moving,
        )
    return total


def nanoseconds(counts: Counts, costs: dict[str, float]) -> float:
    """The least time for all lanes of a block: arithmetic and memory may overlap altogether, at best."""
    memory = sum(counts[name] * costs[name] for name in ("read", "write"))
    return max(memory, sum(counts[name] * costs[name] for name in ("multiply", "add", "fused", "divide")))


def costs() -> dict[str, float]:
    """Nanoseconds of an operation on all lanes, many of them without one having to wait for another."""
    vector = ir.VectorType(ir.DoubleType(), LANES)
    chains = 12

    def writer(name: str) -> Callable[[Any, Any, Any, Any], None]:
        def write(_typing: Any, _context: Any, builder: Any, data: Any) -> None:
            def place(index: int) -> Any:
                offset = ir.Constant(ir.IntType(64), index % _ROWS * LANES)
                return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())

            values = [builder.load(place(index), align=8) for index in range(chains)]
            by = builder.load(place(chains), align=8)
            for index in range(_MANY):
                own = index % chains
                if name == "fused":
                    values[own] = function_of(builder, "fma", values[own], by, by)
                elif name == "read":
                    values[own] = builder.fadd(values[own], builder.load(place(index), align=8))
                elif name == "write":
                    builder.store(values[own], place(index), align=8)
                else:
                    values[own] = getattr(builder, _INSTRUCTIONS[name])(values[own], by)
                if index % _ROWS == _ROWS - 1:
                    write_fence(builder)
            for index, value in enumerate(values):
                builder.store(value, place(index), align=8)

        return write

    room = np.ones(LANES * 80)
    first = -room.ctypes.data % (8 * LANES) // 8
    w = room[first : first + LANES * 65]
    found = {}
    for name in (*_INSTRUCTIONS, "fused", "read", "write"):
        function = emitted(f"cost_{name}", f"{name} {_MANY} {_ROWS} {chains}", functools.partial(writer, name))
        best = float("inf")
        for _ in range(50):
            w[:] = 1.0
            begun = time.perf_counter_ns()
            _repeat(w, function.address, _TIMES)
            best = min(best, (time.perf_counter_ns() - begun) / _TIMES / _MANY)
        found[name] = best
    return found


_INSTRUCTIONS = {"multiply": "fmul", "add": "fadd", "divide": "fdiv"}


@numba.njit(numba.void(WORKSPACE.made, BLOCK_FUNCTION.made, numba.int64))  # type: ignore[untyped-decorator]
def _repeat(w: Any, function: Any, times: int) -> None:
    for _ in range(times):
        function(w)
