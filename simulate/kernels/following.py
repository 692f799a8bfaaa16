"""Arithmetic on rows of the workspace that one function reads from a table, for programs too long to be compiled.

The function is compiled once on a machine. A table costs no more than to be written, and its steps come in runs of one
kind, so that little time is lost with finding out what to do next: eight numbers are in a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from simulate.compiled import WORKSPACE, apart, compiled, inlined
from simulate.later import made, types
from simulate.solver.layout import LANES, NOT_FINITE, SHIFT, SOUND, UNUSABLE
from simulate.solver.vectors import choose, every, load, size, store

Run = tuple[int, ...]
"""A kind, how many steps of it, and the operands: offsets of rows."""

KINDS = (
    "reduce", "sum", "sum_scaled", "invert", "take", "take_on_diagonal", "fill", "shift", "begin", "watch",
    "judge", "number", "copy", "minus", "plus", "difference", "times", "minus_times", "fused", "fused_minus", "over",
)  # fmt: skip
"""What a run does, by its number.

``reduce`` multiplies a row by another, and adds the product of it and each of those from some row on to a row of its
own; how many, the run says. ``sum`` adds so many products of two rows to a row, which ``sum_scaled`` multiplies by
another at the end. ``take`` takes an entry of a Jacobian, on the diagonal less the shift, where there is none 0 in
place of it; ``watch`` looks for entries that are not finite, which ``judge`` judges. All from ``number`` on have a
result and operands, ``fused`` and ``fused_minus`` z + x * y and z - x * y."""

(
    _REDUCE, _SUM, _SUM_SCALED, _INVERT, _TAKE, _TAKE_ON_DIAGONAL, _FILL, _SHIFT, _BEGIN, _WATCH,
    _JUDGE, _NUMBER, _COPY, _MINUS, _PLUS, _DIFFERENCE, _TIMES, _MINUS_TIMES, _FUSED, _FUSED_MINUS, _OVER,
) = range(len(KINDS))  # fmt: skip

_STEPS, _NUMBERS = types.CPointer(types.int32), types.CPointer(types.float64)


def run(kind: str, steps: Sequence[Sequence[int]]) -> Run:
    """A run of steps of one kind, with the operands of each; some have a number besides."""
    name, *number = kind.split()
    return KINDS.index(name), len(steps), *map(int, number), *(operand for step in steps for operand in step)


def scheduled(kinds: Mapping[int, str], needs: Mapping[int, Iterable[int]]) -> Iterator[tuple[str, list[int]]]:
    """Runs of steps of one kind in an order in which they can be done: always of that of which the most can be done.

    Parameters
    ----------
    kinds
        Kind of each step; steps of no kind are done when nothing else can be.
    needs
        Steps that must be done before each.
    """
    waiting: dict[int, int] = {}
    users: dict[int, list[int]] = {}
    ready: dict[str, list[int]] = {}
    for step, kind in kinds.items():
        others = set(needs[step])
        waiting[step] = len(others)
        for other in others:
            users.setdefault(other, []).append(step)
        if not others:
            ready.setdefault(kind, []).append(step)
    while ready:
        kind = max(ready, key=lambda kind: (bool(kind), len(ready[kind]), kind))
        own = ready.pop(kind)
        for step in own:
            for user in users.get(step, ()):
                waiting[user] -= 1
                if not waiting[user]:
                    (own if kinds[user] == kind else ready.setdefault(kinds[user], [])).append(user)
        yield kind, own


def steps(runs: Iterable[Run]) -> np.ndarray:
    """The numbers of a table, of which the first is the place of the end."""
    found = [number for run in runs for number in run]
    return np.array([1 + len(found), *found], dtype=np.int32)


def numbers(values: Iterable[float]) -> np.ndarray:
    """The numbers that a table needs; one at least, for there is no array of none on a graphics card."""
    return np.array([*values, 0.0], dtype=np.float64)


def write_follow(context: Any, builder: Any, data: Any, runs: Iterable[Run], values: Iterable[float]) -> None:
    """Instructions that follow a table; it lies beside them."""
    kinds, nothing = made((WORKSPACE, _STEPS, _NUMBERS)), made(types.none)
    workspace = context.make_array(kinds[0])(context, builder)
    workspace.data = data
    places = [
        builder.bitcast(_placed(builder.module, one), context.get_value_type(kind))
        for one, kind in zip((steps(runs), numbers(values)), kinds[1:], strict=True)
    ]
    name, convention = follow.symbol, context.call_conv
    known = builder.module.globals.get(name)
    called = known or ir.Function(builder.module, convention.get_function_type(nothing, kinds), name)
    convention.call_function(builder, called, nothing, kinds, [workspace._getvalue(), *places])


def _placed(module: Any, held: np.ndarray) -> Any:
    content = bytearray(held.tobytes())
    kind = ir.ArrayType(ir.IntType(8), len(content))
    place = ir.GlobalVariable(module, kind, module.get_unique_name("table"))
    place.linkage, place.global_constant, place.align = "internal", True, 64
    place.initializer = ir.Constant(kind, content)
    return place


@compiled(types.void(WORKSPACE, _STEPS, _NUMBERS))
def follow(w: Any, steps: Any, numbers: Any) -> None:
    """Do what the steps say, one after the other."""
    place, end = 1, steps[0]
    while place < end:
        kind, count = steps[place], steps[place + 1]
        place += 2
        if kind < _NUMBER:
            place = _eliminate(w, steps, place, kind, count)
        else:
            place = _compute(w, steps, place, kind, count, numbers)


def _of_two(operation: Any) -> Any:
    """Return the compiled function ``(w, steps, place, count)``: an operation on two rows, so many times."""

    @inlined
    def run(w: Any, steps: Any, place: int, count: int) -> int:
        for _ in range(count):
            store(w, steps[place], operation(load(w, steps[place + 1]), load(w, steps[place + 2])))
            place += 3
        return place

    return run


def _of_three(operation: Any) -> Any:
    """Return the same for an operation on three rows."""

    @inlined
    def run(w: Any, steps: Any, place: int, count: int) -> int:
        for _ in range(count):
            x, y, z = load(w, steps[place + 1]), load(w, steps[place + 2]), load(w, steps[place + 3])
            store(w, steps[place], operation(x, y, z))
            place += 4
        return place

    return run


_plus = _of_two(inlined(lambda x, y: x + y))
_difference = _of_two(inlined(lambda x, y: x - y))
_times = _of_two(inlined(lambda x, y: x * y))
_minus_times = _of_two(inlined(lambda x, y: 0.0 - x * y))
_over = _of_two(inlined(lambda x, y: x / y))
_fused = _of_three(inlined(lambda x, y, z: z + x * y))
_fused_minus = _of_three(inlined(lambda x, y, z: z - x * y))


@inlined
def _compute(w: Any, steps: Any, place: int, kind: int, count: int, numbers: Any) -> int:
    """Do a run of arithmetic, and return where the next begins."""
    if kind == _TIMES:
        return int(_times(w, steps, place, count))
    if kind == _FUSED:
        return int(_fused(w, steps, place, count))
    if kind == _FUSED_MINUS:
        return int(_fused_minus(w, steps, place, count))
    if kind == _MINUS_TIMES:
        return int(_minus_times(w, steps, place, count))
    if kind == _PLUS:
        return int(_plus(w, steps, place, count))
    if kind == _DIFFERENCE:
        return int(_difference(w, steps, place, count))
    if kind == _OVER:
        return int(_over(w, steps, place, count))
    for i in range(place, place + 2 * count, 2):
        a, b = steps[i], steps[i + 1]
        if kind == _NUMBER:
            for lane in range(LANES):
                w[a + lane] = numbers[b]
        else:
            store(w, a, load(w, b) if kind == _COPY else 0.0 - load(w, b))
    return place + 2 * count


@inlined
def _eliminate(w: Any, steps: Any, place: int, kind: int, count: int) -> int:
    """Do a run of elimination, and return where the next begins."""
    if kind == _REDUCE:
        return int(_reduce(w, steps, place, count))
    if kind == _SUM:
        return int(_sum(w, steps, place, count))
    if kind == _SUM_SCALED:
        return int(_sum_scaled(w, steps, place, count))
    if kind == _TAKE:
        return int(_take(w, steps, place, count, 0.0))
    if kind == _TAKE_ON_DIAGONAL:
        return int(_take(w, steps, place, count, 1.0))
    for i in range(place, place + 2 * count, 2):
        a, b = steps[i], steps[i + 1]
        if kind == _FILL:
            store(w, a, every(0.0))
        elif kind == _INVERT:
            _invert(w, a)
        else:
            _do_rarely(w, kind, a, b)
    return place + 2 * count


@inlined
def _reduce(w: Any, steps: Any, place: int, count: int) -> int:
    others = steps[place]
    place += 1
    for _ in range(count):
        target, by, first = steps[place], steps[place + 1], steps[place + 2]
        factor = load(w, target) * load(w, by)
        store(w, target, factor)
        place += 3
        for i in range(others):
            other = steps[place + i]
            store(w, other, load(w, other) + factor * load(w, first + i * LANES))
        place += others
    return place


@inlined
def _sum(w: Any, steps: Any, place: int, count: int) -> int:
    terms = steps[place]
    place += 1
    for _ in range(count):
        target = steps[place]
        total = load(w, target)
        place += 1
        for i in range(place, place + 2 * terms, 2):
            total = total + load(w, steps[i]) * load(w, steps[i + 1])
        place += 2 * terms
        store(w, target, total)
    return place


@inlined
def _sum_scaled(w: Any, steps: Any, place: int, count: int) -> int:
    terms = steps[place]
    place += 1
    for _ in range(count):
        target, by = steps[place], steps[place + 1]
        total = load(w, target)
        place += 2
        for i in range(place, place + 2 * terms, 2):
            total = total + load(w, steps[i]) * load(w, steps[i + 1])
        place += 2 * terms
        store(w, target, total * load(w, by))
    return place


@inlined
def _take(w: Any, steps: Any, place: int, count: int, shifted: float) -> int:
    shift, sound = choose(every(shifted) > 0.5, load(w, SHIFT), every(0.0)), load(w, SOUND)
    for i in range(place, place + 2 * count, 2):
        entry = load(w, steps[i + 1])
        sound = sound + 0.0 * entry
        store(w, steps[i], choose(size(entry) < math.inf, entry, every(0.0)) - shift)
    store(w, SOUND, sound)
    return place + 2 * count


@inlined
def _invert(w: Any, place: int) -> None:
    pivot = load(w, place)
    is_sound = (pivot < 0.0) & (pivot > -math.inf)
    store(w, SOUND, choose(is_sound, load(w, SOUND), every(UNUSABLE)))
    store(w, place, -1.0 / pivot)


@apart
def _do_rarely(w: Any, kind: int, a: int, b: int) -> None:
    for lane in range(LANES):
        if kind == _SHIFT:
            w[a + lane] = 0.0 - w[SHIFT + lane]
        elif kind == _BEGIN:
            w[SOUND + lane] = 0.0
        elif kind == _WATCH:
            w[SOUND + lane] = w[SOUND + lane] + 0.0 * w[b + lane]
        else:
            w[SOUND + lane] = 1.0 if w[SOUND + lane] == 0.0 else NOT_FINITE
