"""Instructions on rows of the workspace, as many lanes at a time as a register has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import ir

from simulate.emitting import has_feature
from simulate.kernels.form import Body, Place, reads
from simulate.solver.vector_code import function_of
from simulate.solver.vector_code import width as width


def write_fence(builder: Any) -> None:
    """The instruction of a `simulate.solver.vectors.fence`."""
    builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], side_effect=True)


class Rows:
    """Rows of a block from some lane on; does not leave what writes a function."""

    def __init__(self, builder: Any, data: Any, lanes: int) -> None:
        self.builder, self._data = builder, data
        self.vector = ir.VectorType(ir.DoubleType(), lanes)

    def load(self, offset: int) -> Any:
        """The row at an offset."""
        return self.builder.load(self._pointer(offset), align=8)

    def store(self, offset: int, value: Any) -> None:
        """Write a row."""
        self.builder.store(value, self._pointer(offset), align=8)

    def number(self, value: float) -> Any:
        """The same number in every lane."""
        return ir.Constant(self.vector, [value] * self.vector.count)

    def product_added(self, total: Any, a: Any, b: Any) -> Any:
        """A sum and a product, in one operation where the machine has one."""
        if has_feature("fma"):
            return function_of(self.builder, "fma", a, b, total)
        return self.builder.fadd(total, self.builder.fmul(a, b))

    def _pointer(self, offset: int) -> Any:
        place = self.builder.gep(self._data, [ir.Constant(ir.IntType(64), offset)])
        return self.builder.bitcast(place, self.vector.as_pointer())


_ARITHMETIC: Mapping[str, str] = {"plus": "fadd", "difference": "fsub", "times": "fmul", "over": "fdiv"}
_COMPARISONS: Mapping[str, str] = {"above": ">", "at_least": ">=", "same": "=="}
_INTRINSIC: Mapping[str, str] = {"abs": "fabs", "sqrt": "sqrt"}


def values_of(
    body: Body,
    rows: Rows,
    read: Callable[[Place], Any],
    call: Callable[[str, list[Any]], Any],
    flags: Sequence[str] = ("contract",),
) -> dict[int, Any]:
    """Instructions for each value of a body.

    Parameters
    ----------
    body
        What is to be computed.
    rows
        Where instructions are written.
    read, call
        Write what reads a place, and what calls a function.
    flags
        What LLVM may do to sums and products.
    """
    builder = rows.builder
    values = {value: read(place) for place, value in reads(body)}
    for value, (kind, *given) in enumerate(body.operations):
        if kind == "number":
            values[value] = rows.number(given[0])
        elif kind != "read":
            values[value] = _value(builder, rows, kind, [values[operand] for operand in given], call, flags)
    return values


def _value(
    builder: Any, rows: Rows, kind: str, given: list[Any], call: Callable[[str, list[Any]], Any], flags: Sequence[str]
) -> Any:
    if kind in _ARITHMETIC:
        return getattr(builder, _ARITHMETIC[kind])(*given, flags=flags)
    if kind in _COMPARISONS:
        return builder.fcmp_ordered(_COMPARISONS[kind], *given)
    match kind, given:
        case "minus", [x]:
            return builder.fneg(x, flags=flags)
        case "fused", [x, y, z]:
            return rows.product_added(z, x, y)
        case "fused_minus", [x, y, z]:
            return rows.product_added(z, builder.fneg(x), y)
        case "minus_times", [x, y]:
            return builder.fneg(builder.fmul(x, y))
        case "differs", [a, b]:
            return builder.fcmp_unordered("!=", a, b)
        case "both", [a, b]:
            return builder.and_(a, b)
        case "either", [a, b]:
            return builder.or_(a, b)
        case "choose", [truth, a, b]:
            return builder.select(truth, a, b)
    return function_of(builder, _INTRINSIC[kind], *given) if kind in _INTRINSIC else call(kind, given)
