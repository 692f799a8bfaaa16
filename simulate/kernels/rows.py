"""Instructions that read and write rows of the workspace, as many lanes at a time as a register has."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from simulate.solver.vectors import width as width


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

    def _pointer(self, offset: int) -> Any:
        place = self.builder.gep(self._data, [ir.Constant(ir.IntType(64), offset)])
        return self.builder.bitcast(place, self.vector.as_pointer())
