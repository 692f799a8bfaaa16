"""Generated functions straight to LLVM, past Numba's front end, whose work grows with every operation.

Numba takes a millisecond or two to type and lower one operation, and LLVM a tenth of that. In a generated function that
is a loop over lanes every name is a number: no types need to be found. So its text is read here and written as the same
instructions, in the same order and with the same licence to contract, and has the same bits. What it calls, Numba
compiles as ever. One thing differs: a choice between two values computes both, where Numba branches if one of them is a
call (`power_log`), and nothing is contracted across a branch; what stands beside one may differ in the last bit.

A function may also do one thing or another on a command, with names that stand for all lanes at once
(`simulate.kernels.sensitivity_blocks`).
"""

from __future__ import annotations

import ast
import builtins
import functools
import math
import operator
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from simulate.compiled import source_of
from simulate.emitted import Writer, native_width
from simulate.kernels import elementary, extremes, following, ratios
from simulate.kernels.lanewise import write_fence
from simulate.kernels.widening import kind_of, widened
from simulate.solver.layout import LANES

_for_range: Any = cgutils.for_range
_OPERATIONS: Mapping[type, str] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_COMPARISONS: Mapping[type, str] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.Eq: "=="}
_FLAGS = ("contract",)
_INTRINSIC: Mapping[Any, str] = {abs: "fabs", math.sqrt: "sqrt"}
"""What a machine does in one operation."""
_SHORT = ("abs", "math.sqrt", "larger", "smaller", "whole")
"""What is written out where it is called."""
_WHOLE: Mapping[type, str] = {ast.Add: "add", ast.Mult: "mul", ast.BitAnd: "and_"}
_NAMES: Mapping[str, Any] = {
    "math": math,
    **vars(builtins),
    **{name: value for module in (elementary, extremes, ratios) for name, value in vars(module).items()},
}
"""What a generated function may call."""


def is_direct(source: str, name: str) -> bool:
    """Whether a function of a generated module is loops over lanes and fences, or does `_pieces` of that on command."""
    definition = _definition(source, name)
    parts = _parts(definition)
    if all(map(_is_plain, parts)):
        return True
    return all(isinstance(part, ast.Assign | ast.If) for part in parts) and all(map(_is_piece, _pieces(definition)))


def is_followed(source: str, name: str) -> bool:
    """Whether a function of a generated module that `is_direct` follows tables."""
    return any(map(_is_follow, _parts(_definition(source, name))))


def text_of(source: str, name: str) -> str:
    """What decides on the instructions of a function of a generated module: its lines, without comments."""
    definition = _definition(source, name)
    lines = source.splitlines()[definition.lineno - 1 : definition.end_lineno]
    tables = [table for part in _parts(definition) if _is_follow(part) for table in _tables(source, part)]
    return "\n".join([*(ast.unparse(table) for table in tables), *(line.split("  # ")[0] for line in lines)])


def writer(source: str, name: str) -> Writer:
    """What writes the instructions of a generated function that `is_direct`."""

    def write(typing: Any, context: Any, builder: Any, data: Any) -> None:
        lane = _Lane(typing, context, builder, data)
        for part in _parts(_definition(source, name)):
            match part:
                case ast.Assign(targets=[ast.Name(id=integer)], value=value):
                    lane.integers[integer] = lane.integer(value)
                case ast.Assign(targets=[ast.Subscript() as place], value=value):
                    builder.store(ir.Constant(ir.DoubleType(), ast.literal_eval(value)), lane.place(place))
                case ast.If(test=ast.BoolOp(op=ast.Or(), values=tests), body=body):
                    chosen, after = builder.append_basic_block(), builder.append_basic_block()
                    for test in tests:
                        otherwise = after if test is tests[-1] else builder.append_basic_block()
                        builder.cbranch(lane.holds(test), chosen, otherwise)
                        builder.position_at_end(otherwise)
                    builder.position_at_end(chosen)
                    _write(body, lane)
                    builder.branch(after)
                    builder.position_at_end(after)
                case ast.Expr() if _is_follow(part):
                    tables = [following.READERS[table.func.id](table.args[0].value) for table in _tables(source, part)]
                    following.write_follow(context, builder, data, tables)
                case _:
                    _write([part], lane)

    return write


def _write(body: list[ast.stmt], lane: _Lane) -> None:
    """Loops over lanes, fences, and statements in which a name stands for all lanes."""
    for run in _runs(body):
        if not run:
            write_fence(lane.builder)
            continue
        given = lane.typing, lane.context, lane.builder, lane.data, lane.integers
        if isinstance(run[0], ast.For):
            _write_loop(run[0], _Lane(*given))
        else:
            _Whole(*given).run(run)


def _write_loop(loop: ast.For, lane: _Lane) -> None:
    lanes = ast.literal_eval(loop.iter.args[0])  # type: ignore[attr-defined]
    # What is called waits for itself, step by step: as much as can is computed side by side.
    width = LANES if native_width() >= LANES or _has_calls(loop) else native_width()
    lane.width = width
    if lanes == width:
        lane.integers["lane"] = lane.context.get_constant(types.intp, 0)
        lane.run(loop.body)
        return
    with _for_range(lane.builder, lane.context.get_constant(types.intp, lanes // width)) as counter:
        lane.integers["lane"] = lane.builder.mul(counter.index, lane.context.get_constant(types.intp, width))
        lane.run(loop.body)


def _has_calls(loop: ast.For) -> bool:
    """Whether a loop calls what is no instruction of a machine."""
    return any(
        isinstance(node, ast.Pow) or (isinstance(node, ast.Call) and ast.unparse(node.func) not in _SHORT)
        for statement in loop.body
        for node in ast.walk(statement)
    )


class _Lane:
    """Instructions for as many lanes as the machine has in a vector; does not leave `writer`."""

    def __init__(
        self, typing: Any, context: Any, builder: Any, data: Any, integers: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.typing, self.context, self.builder, self.data = typing, context, builder, data
        self.integers = dict(integers)
        self.width = LANES
        self.names: Mapping[str, Any] = _NAMES
        self._values: dict[str, Any] = {}

    @property
    def kind(self) -> Any:
        """Type of a number in all lanes."""
        return ir.VectorType(ir.DoubleType(), self.width)

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._values[name] = self.value(value)
                case ast.Assign(targets=[target], value=value):
                    assert isinstance(target, ast.Subscript)
                    self.builder.store(self.value(value), self._row(target.slice), align=8)
                case _:
                    assert isinstance(statement, ast.Pass), ast.dump(statement)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() | float() as value):
                return self._every(value)
            case ast.Name(id=name):
                return self._values[name] if name in self._values else self._every(self.names[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.builder.fneg(self.value(operand), flags=_FLAGS)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._called(operator.pow, [self.value(left), self.value(right)])
            case ast.BinOp():
                return self._chain(node)
            case ast.Subscript(slice=offset):
                return self.builder.load(self._row(offset), align=8)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return self._every(getattr(self.names[module], name))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._called(self.names[name], [self.value(argument) for argument in arguments])
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), args=arguments):
                function = getattr(self.names[module], name)
                return self._called(function, [self.value(argument) for argument in arguments])
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.builder.select(self._truth(test), self.value(body), self.value(other))
        raise AssertionError(ast.dump(node))

    def _every(self, value: float) -> Any:
        return ir.Constant(self.kind, [float(value)] * self.width)

    def _chain(self, node: ast.expr) -> Any:
        """The value of a + b + c …, which is nested as deeply as it is long."""
        pending: list[ast.BinOp] = []
        while isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow):
            pending.append(node)
            node = node.left
        value = self.value(node)
        for outer in reversed(pending):
            value = self._operated(outer.op, value, self.value(outer.right))
        return value

    def _operated(self, operation: ast.operator, left: Any, right: Any) -> Any:
        return getattr(self.builder, _OPERATIONS[type(operation)])(left, right, flags=_FLAGS)

    def _truth(self, node: ast.expr) -> Any:
        match node:
            case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[right]):
                return self.builder.fcmp_unordered("!=", self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[comparison], comparators=[right]):
                sign = _COMPARISONS[type(comparison)]
                return self.builder.fcmp_ordered(sign, self.value(left), self.value(right))
            case ast.BoolOp(op=operation, values=[first, second]):
                join = self.builder.and_ if isinstance(operation, ast.And) else self.builder.or_
                return join(self._truth(first), self._truth(second))
        raise AssertionError(ast.dump(node))

    def _called(self, function: Any, arguments: list[Any]) -> Any:
        if function in _INTRINSIC:
            # What a graphics card has in place of vectors has none of it.
            from simulate.solver.vectors import function_of

            return function_of(self.builder, _INTRINSIC[function], arguments[0])
        if getattr(function, "__module__", None) == extremes.__name__:
            return self._within(function.py_func, arguments)
        return self.builder.call(self._in_all_lanes(function, len(arguments)), arguments)

    def _within(self, function: Any, arguments: list[Any]) -> Any:
        """What a function of a few operations gives, written out."""
        definition = _definition(source_of(function), function.__name__)
        inner = _Lane(self.typing, self.context, self.builder, self.data)
        inner.width, inner.names = self.width, _NAMES | function.__globals__
        inner._values = dict(zip((part.arg for part in definition.args.args), arguments, strict=True))
        *before, last = _parts(definition)
        inner.run(before)
        return inner.value(last.value)

    def _in_all_lanes(self, function: Any, count: int) -> Any:
        """A function that calls another for each lane, to be taken in when all around it has been simplified."""
        module = self.builder.module
        name, code = widened(function, count, self.width)
        self.context.active_code_library.take_in(name, code)
        if name in module.globals:
            return module.globals[name]
        own = ir.Function(module, kind_of(count, self.width), name)
        own.attributes.add("nounwind")
        own.attributes.add("readnone")
        return own

    def holds(self, node: ast.expr) -> Any:
        """Whether an integer is a number."""
        assert isinstance(node, ast.Compare)
        number = ir.Constant(ir.IntType(64), ast.literal_eval(node.comparators[0]))
        return self.builder.icmp_signed("==", self.integer(node.left), number)

    def place(self, node: ast.expr) -> Any:
        """Address of ``w[offset]``."""
        assert isinstance(node, ast.Subscript)
        return self._at(node.slice)

    def _at(self, offset: ast.expr) -> Any:
        return self.builder.gep(self.data, [self.integer(offset)])

    def _row(self, offset: ast.expr) -> Any:
        """Address of as many numbers as there are in a vector."""
        return self.builder.bitcast(self._at(offset), self.kind.as_pointer())

    def integer(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() as value):
                return ir.Constant(ir.IntType(64), value)
            case ast.Name(id=name):
                return self.integers[name]
            case ast.BinOp(left=left, op=operation, right=right):
                return getattr(self.builder, _WHOLE[type(operation)])(self.integer(left), self.integer(right))
            case ast.Call(func=ast.Name(id="int"), args=[number]):
                return self.builder.fptosi(self.builder.load(self.place(number)), ir.IntType(64))
        raise AssertionError(ast.dump(node))


class _Whole(_Lane):
    """Instructions in which a name stands for all lanes at once; does not leave `writer`.

    The same as those of `simulate.solver.vectors`.
    """

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Expr(value=ast.Call(func=ast.Name(id="store"), args=[_, place, value])):
                    self.builder.store(self.value(value), self._row(place), align=8)
                case _:
                    super().run([statement])

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Call(func=ast.Name(id="load"), args=[_, place]):
                return self.builder.load(self._row(place), align=8)
            case ast.Call(func=ast.Name(id="every"), args=[value]):
                return self.value(value)
        return super().value(node)


@functools.lru_cache(maxsize=4)
def _definitions(source: str) -> Mapping[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


@functools.lru_cache(maxsize=4)
def _held(source: str) -> Mapping[str, ast.expr]:
    """What a module keeps under a name."""
    found = (node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    return {node.targets[0].id: node.value for node in found if isinstance(node.targets[0], ast.Name)}


def _definition(source: str, name: str) -> ast.FunctionDef:
    return _definitions(source)[name]


def _parts(definition: Any) -> list[Any]:
    """Statements of a function after its docstring."""
    first, *others = definition.body
    return others if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else [first, *others]


def _is_plain(part: ast.stmt) -> bool:
    return (
        _is_fence(part)
        or _is_follow(part)
        or (isinstance(part, ast.For) and all(isinstance(statement, ast.Assign | ast.Pass) for statement in part.body))
    )


def _is_follow(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and ast.unparse(part).startswith("follow(w")


def _tables(source: str, part: Any) -> list[Any]:
    """Calls that read the tables of a call of `follow`."""
    return [_held(source)[name.id] for name in part.value.args[1:]]


def _is_piece(run: list[Any]) -> bool:
    """Whether nothing stands in it but one loop over lanes, or what `_Whole` knows."""
    return _is_plain(run[0]) or all(
        isinstance(part, ast.Pass)
        or (isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name))
        or (isinstance(part, ast.Expr) and ast.unparse(part).startswith("store("))
        for part in run
    )


def _pieces(definition: Any) -> list[list[Any]]:
    """What is done on each command: loops over lanes, or statements up to a fence, of the branches of a function."""
    return [run for part in _parts(definition) if isinstance(part, ast.If) for run in _runs(part.body) if run]


def _runs(body: list[ast.stmt]) -> list[list[Any]]:
    """Loops, each alone, and statements between them and fences; nothing in the place of a fence."""
    runs: list[list[Any]] = []
    for statement in body:
        if _is_fence(statement):
            runs.append([])
        elif isinstance(statement, ast.For) or not runs or not runs[-1] or isinstance(runs[-1][0], ast.For):
            runs.append([statement])
        else:
            runs[-1].append(statement)
    return runs


def _is_fence(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Call) and ast.unparse(part) == "fence(w)"
