"""What generated code needs whose names stand for all lanes at once."""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import extending
from numba.core.typing import templates
from numba.core.typing.templates import ConcreteTemplate

from simulate.solver import vectors
from simulate.solver.vectors import every, fence, load, store

# What Numba offers for this is not typed.
_lower_builtin: Any = extending.lower_builtin
_infer_global: Any = templates.infer_global
_signature: Any = templates.signature
_LANES: Any = vectors._LANES


@_infer_global(operator.neg)
class _Negative(ConcreteTemplate):
    cases = [_signature(_LANES, _LANES)]  # noqa: RUF012


@_lower_builtin(operator.neg, _LANES)
def _negative(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    return builder.fneg(arguments[0])


def write_fence(builder: Any) -> None:
    """The instruction of a `fence`."""
    builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], side_effect=True)


__all__ = ["every", "fence", "load", "store", "write_fence"]
