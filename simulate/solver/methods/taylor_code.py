"""Instructions of Taylor series, for Numba."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from simulate.solver.layout import FACTOR, LANES, RATIO, START, STATE, stage
from simulate.solver.vector_code import intrinsic, width

# What Numba offers for this is not typed.
_room: Any = cgutils.alloca_once
_for_range: Any = cgutils.for_range


def summed_up(order: int) -> Any:
    """Return the function ``(w, n)``: polynomials of an order at ``FACTOR`` → ``STATE``.

    ``RATIO`` is undefined where one is, and not where it overflows. As many lanes at a time as a register has, so that
    the parts of the step stay in registers.
    """

    @intrinsic
    def sum_up(_typing: Any, w: Any, n: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            lanes = width()
            numbers, bits = ir.VectorType(ir.DoubleType(), lanes), ir.VectorType(ir.IntType(64), lanes)

            def at(first: Any, offset: int) -> Any:
                place = builder.gep(data, [builder.add(first, context.get_constant(types.intp, offset))])
                return builder.bitcast(place, numbers.as_pointer())

            undefined = _room(builder, bits)
            stop = context.cast(builder, arguments[1], signature.args[1], types.intp)
            for half in range(0, LANES, lanes):
                first = context.get_constant(types.intp, half)
                step = builder.load(at(first, FACTOR), align=8)
                parts = [builder.fmul(step, ir.Constant(numbers, [1.0 / k] * lanes)) for k in range(1, order + 1)]
                builder.store(ir.Constant(bits, [0] * lanes), undefined)
                with _for_range(builder, stop) as loop:
                    row = builder.add(builder.mul(loop.index, context.get_constant(types.intp, LANES)), first)
                    total = builder.load(at(row, stage(order - 1)), align=8)
                    for k in range(order - 1, -1, -1):
                        lower = builder.load(at(row, stage(k - 1) if k else START), align=8)
                        product = builder.fmul(total, parts[k], flags=("contract",))
                        total = builder.fadd(product, lower, flags=("contract",))
                    builder.store(total, at(row, STATE), align=8)
                    missing = builder.sext(builder.fcmp_unordered("uno", total, total), bits)
                    builder.store(builder.or_(builder.load(undefined), missing), undefined)
                ratio = builder.load(at(first, RATIO), align=8)
                found = builder.icmp_signed("!=", builder.load(undefined), ir.Constant(bits, [0] * lanes))
                ratio = builder.select(found, ir.Constant(numbers, [math.nan] * lanes), ratio)
                builder.store(ratio, at(first, RATIO), align=8)
            return context.get_dummy_value()

        return types.void(w, n), generate

    return sum_up
