"""The form as LLVM's instructions, past Numba's front end, whose work grows with every operation.

Numba takes a millisecond or two to type and lower one operation of text, and LLVM a tenth of that. Here each operation
is an instruction for as many lanes as the machine has in a vector, in the same order as in the text and with the same
licence to contract, and has the same bits. What is called, Numba compiles as ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from simulate.emitting import Writer, native_width
from simulate.kernels import elementary, form, ratios
from simulate.kernels.following import write_follow
from simulate.kernels.form import Body, KernelFunction
from simulate.kernels.rows import Rows, values_of, write_fence
from simulate.kernels.widening import kind_of, widened
from simulate.solver.layout import COMMAND, DIRECTION, LANES, STAGE

_for_range: Any = cgutils.for_range
_INTEGER = ir.IntType(64)


def writer(function: KernelFunction) -> Writer:
    """What writes the instructions of a function."""

    def write(typing: Any, context: Any, builder: Any, data: Any) -> None:
        _Instructions(typing, context, builder, data).write(function.blocks)

    return write


class _Instructions:
    """Blocks as instructions; does not leave `writer`."""

    def __init__(self, typing: Any, context: Any, builder: Any, data: Any) -> None:
        self._typing, self._context, self._builder, self._data = typing, context, builder, data
        self._stage = data

    def write(self, blocks: Sequence[form.Block]) -> None:
        for block in blocks:
            match block:
                case Body():
                    self._loop(block)
                case form.Fence():
                    write_fence(self._builder)
                case form.Follow(runs, numbers):
                    write_follow(self._context, self._builder, self._data, runs, numbers)
                case form.Reply(offset, value):
                    place = self._builder.gep(self._data, [ir.Constant(_INTEGER, offset)])
                    self._builder.store(ir.Constant(ir.DoubleType(), value), place)
                case form.StageRows(first, stride):
                    number = self._builder.and_(self._command(STAGE), ir.Constant(_INTEGER, 15))
                    beyond = self._builder.mul(number, ir.Constant(_INTEGER, stride))
                    place = self._builder.add(ir.Constant(_INTEGER, first), beyond)
                    self._stage = self._builder.gep(self._data, [place])
                case form.Asked(commands, inner):
                    self._asked(commands, inner)

    def _command(self, row: int) -> Any:
        place = self._builder.gep(self._data, [ir.Constant(_INTEGER, COMMAND + row)])
        return self._builder.fptosi(self._builder.load(place), _INTEGER)

    def _asked(self, commands: Sequence[int], blocks: Sequence[form.Block]) -> None:
        command = self._command(DIRECTION)
        chosen, after = self._builder.append_basic_block(), self._builder.append_basic_block()
        for number in commands:
            otherwise = after if number == commands[-1] else self._builder.append_basic_block()
            is_asked = self._builder.icmp_signed("==", command, ir.Constant(_INTEGER, number))
            self._builder.cbranch(is_asked, chosen, otherwise)
            self._builder.position_at_end(otherwise)
        self._builder.position_at_end(chosen)
        self.write(blocks)
        self._builder.branch(after)
        self._builder.position_at_end(after)

    def _loop(self, body: Body) -> None:
        calls = any(operation[0] not in (*form.KINDS, *form.IN_ONE) for operation in body.operations)
        # What is called waits for itself, step by step: as much as can is computed side by side.
        width = LANES if calls else min(native_width(), LANES)
        if width == LANES:
            self._lanes(body, ir.Constant(_INTEGER, 0), width)
            return
        with _for_range(self._builder, ir.Constant(_INTEGER, LANES // width)) as counter:
            self._lanes(body, self._builder.mul(counter.index, ir.Constant(_INTEGER, width)), width)

    def _lanes(self, body: Body, first: Any, width: int) -> None:
        fixed, of_stage = (
            Rows(self._builder, self._builder.gep(data, [first]), width) for data in (self._data, self._stage)
        )

        def row(place: Any) -> tuple[Rows, int]:
            return (of_stage, place.offset) if isinstance(place, form.OfStage) else (fixed, place)

        def read(place: Any) -> Any:
            rows, offset = row(place)
            return rows.load(offset)

        values = values_of(body, fixed, read, self._called(width))
        for place, value in body.writes:
            rows, offset = row(place)
            rows.store(offset, values[value])

    def _called(self, width: int) -> Callable[[str, list[Any]], Any]:
        """A function that calls another for each lane, to be taken in when all around it has been simplified."""

        def call(name: str, arguments: list[Any]) -> Any:
            function = next(getattr(place, name) for place in (elementary, ratios, math) if hasattr(place, name))
            symbol, code = widened(function, len(arguments), width)
            self._context.active_code_library.take_in(symbol, code)
            module = self._builder.module
            if symbol not in module.globals:
                own = ir.Function(module, kind_of(len(arguments), width), symbol)
                own.attributes.add("nounwind")
                own.attributes.add("readnone")
            return self._builder.call(module.globals[symbol], arguments)

        return call
