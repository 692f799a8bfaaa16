"""What operations on vectors a step of derivatives adds, counted, and what each takes here, measured."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from sympy import Expr

from simulate.compiled import BLOCK_FUNCTION, WORKSPACE
from simulate.emitted import emitted
from simulate.kernels.lanewise import write_fence
from simulate.kernels.sensitivity_blocks import Followers
from simulate.solver.layout import LANES
from simulate.solver.methods.dopri5 import TABLEAU
from simulate.solver.vectors import function_of

Counts = Counter[str]
"""Numbers of operations: ``multiply``, ``add``, both in one (``fused``), ``divide``, ``read`` and ``write``."""

STAGES = TABLEAU.stages - 1
_WEIGHTS = sum(weight != 0 for row in TABLEAU.a[1:] for weight in row)
_TIMES = 200
_MANY = 512
_ROWS = 64


def operations(expressions: Iterable[Expr]) -> Counts:
    """Arithmetic of expressions: a product that is added to something is one operation with its sum."""
    found: Counts = Counter()
    for expression in expressions:
        if expression.is_Add:
            for term in expression.args:
                found += operations([term])
            products = sum(term.is_Mul and term.as_coeff_Mul()[1].is_Mul for term in expression.args)
            fused = min(products, len(expression.args) - 1)
            found += Counter(fused=fused, add=len(expression.args) - 1 - fused)
            found.subtract(multiply=fused)
        elif expression.is_Mul:
            _, rest = expression.as_coeff_Mul()
            factors = rest.args if rest.is_Mul else (rest,)
            found += operations(factors) + Counter(multiply=len(factors) - 1)
        elif expression.is_Pow:
            power = abs(int(expression.exp))
            found += operations([expression.base]) + Counter(multiply=power - 1, divide=int(bool(expression.exp < 0)))
    return found


def added(followers: Followers) -> Counts:
    """What one step of all directions adds to a step of the solution."""
    shared = operations(dict.fromkeys(value for _, value in followers.shared))
    # What the directions read of each stage is written once.
    total = Counter({name: STAGES * count for name, count in shared.items()})
    total += Counter(write=STAGES * len(followers.slots))
    for program, own in zip(followers.directions, followers.own[1:], strict=True):
        moving = sum(rate != 0 for rate in program.results)
        expressions = [*(value for _, value in program.assignments), *program.results]
        known = {symbol for symbol, _ in program.assignments} | set(own)
        read = {symbol for expression in expressions for symbol in expression.free_symbols} - known
        slots = sum(symbol in followers.slots for symbol in read)
        each = operations(expressions)
        total += Counter({name: STAGES * count for name, count in each.items()})
        # State and rate at the beginning are read, and those at the end written and taken over.
        total += Counter(
            fused=_WEIGHTS * moving, read=STAGES * slots + len(read) - slots + 4 * moving, write=4 * moving
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
        function = emitted(f"cost_{name}", f"{name} {_MANY} {_ROWS} {chains}", writer(name))
        best = float("inf")
        for _ in range(50):
            w[:] = 1.0
            begun = time.perf_counter_ns()
            _repeat(w, function.address, _TIMES)
            best = min(best, (time.perf_counter_ns() - begun) / _TIMES / _MANY)
        found[name] = best
    return found


_INSTRUCTIONS = {"multiply": "fmul", "add": "fadd", "divide": "fdiv"}


@numba.njit(numba.void(WORKSPACE, BLOCK_FUNCTION, numba.int64))  # type: ignore[untyped-decorator]
def _repeat(w: Any, function: Any, times: int) -> None:
    for _ in range(times):
        function(w)
