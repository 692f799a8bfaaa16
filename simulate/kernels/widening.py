"""Functions of numbers, which Numba compiles, as functions of vectors, which LLVM makes of them once.

What a generated function calls is made vectors, and simplified, apart from it and only once in a process: LLVM takes
more than four times as long for a loop that calls a function twice as often.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from simulate.emitting import optimized

_for_range: Any = cgutils.for_range


@functools.cache
def widened(function: Callable[..., Any], count: int, width: int) -> tuple[str, bytes]:
    """Name and LLVM's code of a function of so many vectors, for which a function of numbers stands."""
    name = f"{function.__module__}.{function.__name__} of {count} in {width} lanes"

    def write(typing: Any, context: Any, module: Any) -> None:
        own = ir.Function(module, kind_of(count, width), name)
        builder = ir.IRBuilder(own.append_basic_block())
        rows = [builder.alloca(argument.type) for argument in own.args]
        for row, argument in zip(rows, own.args, strict=True):
            builder.store(argument, row)
        result = builder.alloca(own.function_type.return_type)
        firsts = [builder.bitcast(row, ir.DoubleType().as_pointer()) for row in (*rows, result)]
        one, numbers = _of_numbers(typing, context, module, function, count), (types.float64,) * count
        with _for_range(builder, ir.Constant(ir.IntType(64), width)) as lane:
            *given, found = (builder.gep(first, [lane.index]) for first in firsts)
            values = [builder.load(place) for place in given]
            _, value = context.call_conv.call_function(builder, one, types.float64, numbers, values)
            builder.store(value, found)
        builder.ret(builder.load(result))

    return name, optimized(name, write)


def kind_of(count: int, width: int) -> Any:
    """Type of a function of so many vectors."""
    vector = ir.VectorType(ir.DoubleType(), width)
    return ir.FunctionType(vector, [vector] * count)


def _of_numbers(typing: Any, context: Any, module: Any, function: Callable[..., Any], count: int) -> Any:
    """What Numba makes of a call, in a function by its own convention, the only one that it knows to return from."""
    convention, numbers = context.call_conv, (types.float64,) * count
    own = ir.Function(module, convention.get_function_type(types.float64, numbers), "one")
    own.linkage = "internal"
    own.attributes.add("alwaysinline")
    kind = typing.resolve_value_type(function)
    signature = typing.resolve_function_type(kind, numbers, {})
    implementation = context.get_function(kind, signature)
    for library in getattr(implementation, "libs", ()):
        context.active_code_library.add_linking_library(library)
    builder = ir.IRBuilder(own.append_basic_block())
    convention.return_value(builder, implementation(builder, list(convention.get_arguments(own))))
    return own
