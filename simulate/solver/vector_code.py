"""What the values and functions of `simulate.solver.vectors` are to Numba.

The width is that of the block whatever the machine has: LLVM splits it where registers are narrower.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.core.typing import templates
from numba.core.typing.templates import ConcreteTemplate
from numba.extending import models

from simulate.emitting import native_width
from simulate.solver.layout import LANES

# What Numba offers for this is not typed.
intrinsic: Any = extending.intrinsic
_register_model: Any = extending.register_model
_lower_builtin: Any = extending.lower_builtin
_infer_global: Any = templates.infer_global
_signature: Any = templates.signature
_inserted: Any = cgutils.get_or_insert_function


class _Lanes(types.Type):
    """Numba's type of a vector of doubles, one a lane."""


class _Mask(types.Type):
    """Numba's type of a vector of truth values, one a lane."""


_LANES, _MASK = _Lanes("lanes"), _Mask("mask")
_DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
_BITS = ir.VectorType(ir.IntType(64), LANES)
_TRUTHS = ir.VectorType(ir.IntType(1), LANES)
_CONTRACT = ("contract",)
_INVERTS = 0x7FDE_6238_22FC_16E6
"""Less the bits of a positive number these are nearly the bits of its inverse."""


def width() -> int:
    """Lanes of one pass: those of a register, so that less has to wait in memory."""
    return LANES if native_width() >= LANES else LANES // 2


@_register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _DOUBLES)  # type: ignore[no-untyped-call]


@_register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _TRUTHS)  # type: ignore[no-untyped-call]


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, place: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _DOUBLES.as_pointer())


@intrinsic
def load(_typing: Any, w: Any, place: Any) -> Any:
    """The row of the workspace at an offset."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        offset = context.cast(builder, arguments[1], signature.args[1], types.intp)
        return builder.load(_pointer(context, builder, signature.args[0], arguments[0], offset), align=8)

    return _LANES(w, place), generate


@intrinsic
def store(_typing: Any, w: Any, place: Any, value: Any) -> Any:
    """Write a row of the workspace."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        offset = context.cast(builder, arguments[1], signature.args[1], types.intp)
        builder.store(arguments[2], _pointer(context, builder, signature.args[0], arguments[0], offset), align=8)
        return context.get_dummy_value()

    return (types.void(w, place, value), generate) if value == _LANES else None


@intrinsic
def fence(_typing: Any, w: Any) -> Any:
    """Let what follows read the workspace anew.

    Else the compiler would share products between both sides, and whether a product is shared decides whether it is
    fused with a sum: what is before the fence would have other bits when something else is after it. And between the
    read of a row and its write LLVM sees no row of which only some lanes are to be written, which takes many machines
    ten times as long.
    """

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], side_effect=True)
        return context.get_dummy_value()

    return types.void(w), generate


def weighted(weights: Mapping[int, float]) -> Any:
    """Return the function ``(w, place)``: the sum of weight times row, at ``place`` beyond each of some offsets.

    Terms are added four at a time, so that not every sum waits for the one before.

    Parameters
    ----------
    weights
        Weight of each row, by its offset in the workspace.
    """
    terms = list(weights.items())
    groups = [terms[first : first + 4] for first in range(0, len(terms), 4)]

    @intrinsic
    def total(_typing: Any, w: Any, place: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start = context.cast(builder, arguments[1], signature.args[1], types.intp)

            def term(offset: int, weight: float) -> Any:
                place = builder.add(start, ir.Constant(start.type, offset))
                row = builder.load(_pointer(context, builder, signature.args[0], arguments[0], place), align=8)
                return builder.fmul(ir.Constant(_DOUBLES, [weight] * LANES), row, flags=_CONTRACT)

            def plus(a: Any, b: Any) -> Any:
                return builder.fadd(a, b, flags=_CONTRACT)

            return reduce(plus, [reduce(plus, [term(*part) for part in group]) for group in groups])

        return _LANES(w, place), generate

    return total


def _wide(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """A vector, whether a vector or one number is given."""
    if kind == _LANES:
        return value
    number = context.cast(builder, value, kind, types.float64)
    one = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_DOUBLES, ir.Undefined), zeros)


@intrinsic
def every(_typing: Any, value: Any) -> Any:
    """The same number in every lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _wide(context, builder, signature.args[0], arguments[0])

    return _LANES(value), generate


def _register(symbol: Any, generate: Callable[[Any, Any, Any], Any], result: Any, operand: Any) -> None:
    """Let an operator act on two vectors, and on a vector and a number."""
    mixed = ((operand, operand), (_LANES, types.float64), (types.float64, _LANES))
    pairs = mixed if operand == _LANES else mixed[:1]

    @_infer_global(symbol)
    class Operator(ConcreteTemplate):
        key = symbol
        cases = [_signature(result, *pair) for pair in pairs]  # noqa: RUF012

    for pair in pairs:

        @_lower_builtin(symbol, *pair)
        def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if operand == _LANES:
                arguments = [
                    _wide(context, builder, kind, value) for kind, value in zip(signature.args, arguments, strict=True)
                ]
            return generate(builder, *arguments)


_register(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=_CONTRACT), _LANES, _LANES)
_register(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=_CONTRACT), _LANES, _LANES)
_register(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=_CONTRACT), _LANES, _LANES)
_register(operator.truediv, lambda builder, a, b: builder.fdiv(a, b), _LANES, _LANES)
_register(operator.lt, lambda builder, a, b: builder.fcmp_ordered("<", a, b), _MASK, _LANES)
_register(operator.le, lambda builder, a, b: builder.fcmp_ordered("<=", a, b), _MASK, _LANES)
_register(operator.gt, lambda builder, a, b: builder.fcmp_ordered(">", a, b), _MASK, _LANES)
_register(operator.ge, lambda builder, a, b: builder.fcmp_ordered(">=", a, b), _MASK, _LANES)
_register(operator.and_, lambda builder, a, b: builder.and_(a, b), _MASK, _MASK)
_register(operator.or_, lambda builder, a, b: builder.or_(a, b), _MASK, _MASK)


@intrinsic
def choose(_typing: Any, mask: Any, yes: Any, no: Any) -> Any:
    """``yes`` where the mask is true, else ``no``."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return _LANES(_MASK, _LANES, _LANES), generate


def function_of(builder: Any, name: str, *operands: Any) -> Any:
    """Call of one of LLVM's own functions, such as ``fabs``, for every lane."""
    kind = operands[0].type
    function = _inserted(builder.module, ir.FunctionType(kind, [kind] * len(operands)), f"llvm.{name}.v{kind.count}f64")
    return builder.call(function, operands)


def _unary(name: str) -> Any:
    @intrinsic
    def operation(_typing: Any, a: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return function_of(builder, name, arguments[0])

        return _LANES(_LANES), generate

    return operation


size = _unary("fabs")
"""Absolute value."""
root = _unary("sqrt")
"""Square root."""


@intrinsic
def any_lane(_typing: Any, mask: Any) -> Any:
    """Whether the mask is true in any lane."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        whole = builder.bitcast(arguments[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", whole, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(_MASK), generate


@intrinsic
def lanes_where(_typing: Any, mask: Any) -> Any:
    """The lanes in which the mask is true, as bits of a whole number."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.bitcast(arguments[0], ir.IntType(LANES)), ir.IntType(64))

    return types.int64(_MASK), generate


@intrinsic
def first_lane(_typing: Any, lanes: Any) -> Any:
    """The first of some lanes, of which there is one at least."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


def near_quotient_of(builder: Any, a: Any, b: Any) -> Any:
    """Instructions for a/b with an error below 1/1000, for a positive b up to 1e300; undefined where a or b is.

    A first guess of the inverse, see `near_inverse_of`, and two steps of Newton: half the time of a division, and exact
    enough for the size of an error.
    """
    scale, b = made_larger(builder, b)
    guess, two = near_inverse_of(builder, b), _in_all(b, 2.0)
    for _ in range(2):
        rest = builder.fsub(two, builder.fmul(b, guess, flags=_CONTRACT), flags=_CONTRACT)
        guess = builder.fmul(guess, rest, flags=_CONTRACT)
    return builder.fmul(builder.fmul(a, scale), guess)


def made_larger(builder: Any, b: Any) -> tuple[Any, Any]:
    """Instructions for a power of two by which a small positive number is made larger, and for their product.

    So its inverse is a number, and its bits are nearly those of its logarithm.
    """
    scale = builder.select(builder.fcmp_ordered("<", b, _in_all(b, 1.0)), _in_all(b, 2.0**200), _in_all(b, 1.0))
    return scale, builder.fmul(b, scale)


def _in_all(b: Any, value: float) -> Any:
    """A number in as many lanes as another has."""
    return ir.Constant(b.type, [value] * b.type.count)


def near_inverse_of(builder: Any, b: Any) -> Any:
    """Instructions for 1/b with an error of at most 6 %, for b from 1e-300 to 1e300, from the bits of the number.

    Enough for a tolerance of series, as steps are an eighth root.
    """
    first = ir.Constant(ir.VectorType(ir.IntType(64), b.type.count), [_INVERTS] * b.type.count)
    return builder.bitcast(builder.sub(first, builder.bitcast(b, first.type)), b.type)


@intrinsic
def near_quotient(_typing: Any, a: Any, b: Any) -> Any:
    """a/b with an error below 1/1000, see `near_quotient_of`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return near_quotient_of(builder, *arguments)

    return _LANES(_LANES, _LANES), generate


@intrinsic
def near_power(_typing: Any, a: Any, exponent: Any) -> Any:
    """``a ** exponent`` with an error below 1/200 for exponents up to 1/2 in size; 0 is taken for the least number.

    Binary logarithm and exponential as polynomials of the mantissa: a step size needs no more.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def number(value: float) -> Any:
            return ir.Constant(_DOUBLES, [value] * LANES)

        def whole(value: int) -> Any:
            return ir.Constant(_BITS, [value] * LANES)

        def times(a: Any, b: Any) -> Any:
            return builder.fmul(a, b, flags=_CONTRACT)

        def plus(a: Any, b: Any) -> Any:
            return builder.fadd(a, b, flags=_CONTRACT)

        # Adding this number leaves a whole number in the lowest bits of the sum: a conversion that every machine has.
        shift = 1.5 * 2.0**52
        bits = builder.bitcast(arguments[0], _BITS)
        raw = builder.or_(builder.lshr(bits, whole(52)), whole(0x4330_0000_0000_0000))
        whole_part = plus(builder.bitcast(raw, _DOUBLES), number(-(2.0**52) - 1023.0))
        fraction = builder.or_(builder.and_(bits, whole(0x000F_FFFF_FFFF_FFFF)), whole(0x3FF0_0000_0000_0000))
        m = builder.bitcast(fraction, _DOUBLES)
        logarithm = plus(whole_part, plus(times(plus(times(number(-1 / 3), m), number(2.0)), m), number(-5 / 3)))
        scaled = times(logarithm, _wide(context, builder, signature.args[1], arguments[1]))
        shifted = builder.fadd(scaled, number(shift))
        rest = builder.fsub(scaled, builder.fsub(shifted, number(shift)))
        near_one = plus(times(plus(times(number(0.0555041), rest), number(0.2402265)), rest), number(0.6931472))
        near_one = plus(times(near_one, rest), number(1.0))
        moved = builder.shl(builder.bitcast(shifted, _BITS), whole(52))
        return builder.bitcast(builder.add(builder.bitcast(near_one, _BITS), moved), _DOUBLES)

    return _LANES(_LANES, exponent), generate
