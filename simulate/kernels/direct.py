"""Generated functions straight to LLVM, past Numba's front end, whose work grows with every operation.

Numba takes a millisecond or two to type and lower one operation, and LLVM a tenth of that. In a generated function that
is a loop over lanes every name is a number: no types need to be found. So its text is read here and written as the same
instructions, in the same order and with the same licence to contract, and has the same bits. What it calls, Numba
compiles as ever. One thing differs: a choice between two values computes both, where Numba branches if one of them is a
call (`power_log`), and nothing is contracted across a branch; what stands beside one may differ in the last bit.
"""

from __future__ import annotations

import ast
import builtins
import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from simulate.compiled import source_of
from simulate.kernels.emission import HEADER
from simulate.kernels.lanewise import write_fence

_intrinsic: Any = intrinsic
_for_range: Any = cgutils.for_range
_OPERATIONS: Mapping[type, str] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_COMPARISONS: Mapping[type, str] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.Eq: "=="}
_FLAGS = ("contract",)


def is_direct(source: str, name: str) -> bool:
    """Whether a function of a generated module is nothing but assignments in loops over lanes, and fences."""
    return all(
        _is_fence(part)
        or (isinstance(part, ast.For) and all(isinstance(statement, ast.Assign) for statement in part.body))
        for part in _parts(_definition(source, name))
    )


def direct_source(source: str, name: str) -> str:
    """Module in which a function that `is_direct` is written as it was generated, and compiled from that text."""
    definition = _definition(source, name)
    # By lines, for the sake of the comment on the last.
    text = "\n".join(source.splitlines()[definition.lineno - 1 : definition.end_lineno])
    return f'''{HEADER}from simulate.kernels.direct import direct


{text}


_direct = direct({name})


def compiled(w):
    """The same, past Numba's front end."""
    _direct(w)
'''


def direct(function: Callable[..., Any]) -> Any:
    """Numba intrinsic with the instructions of a generated function that `is_direct`."""

    @_intrinsic
    def written(typing: Any, w: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            definition = _definition(source_of(function), function.__name__)
            for loop in _parts(definition):
                if _is_fence(loop):
                    write_fence(builder)
                    continue
                lanes = context.get_constant(types.intp, ast.literal_eval(loop.iter.args[0]))
                accesses = _Distinct(builder.module)
                with _for_range(builder, lanes) as counter:
                    names = vars(builtins) | function.__globals__
                    _Lane(typing, context, builder, names, data, counter.index, accesses).run(loop.body)
                _, latch = counter.index.incomings[-1]
                latch.terminator.set_metadata("llvm.loop", _independent(builder.module, accesses))
            return context.get_dummy_value()

        return types.void(w), generate

    return written


class _Distinct(ir.MDValue):  # type: ignore[misc]
    """A node of metadata that is equal to no other."""

    def __init__(self, module: Any, *operands: Any) -> None:
        super().__init__(module, operands, name=str(len(module.metadata)))

    def descr(self, buf: list[str]) -> None:
        buf.append(f"distinct !{{ {', '.join(operand.get_reference() for operand in self.operands)} }}\n")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _independent(module: Any, accesses: _Distinct) -> _Distinct:
    """Says of a loop that no round of it touches what another does, which LLVM would else find out pair by pair."""
    parallel = module.add_metadata(["llvm.loop.parallel_accesses", accesses])
    loop = _Distinct(module, parallel)
    # A loop is named by a node that begins with itself.
    loop.operands = (loop, parallel)
    return loop


class _Lane:
    """Instructions for one lane; does not leave `direct`."""

    def __init__(
        self, typing: Any, context: Any, builder: Any, names: Mapping[str, Any], data: Any, lane: Any, accesses: Any
    ) -> None:
        self._typing, self._context, self._builder = typing, context, builder
        self._names, self._data, self._lane, self._accesses = names, data, lane, accesses
        self._values: dict[str, Any] = {}

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            assert isinstance(statement, ast.Assign)
            (target,) = statement.targets
            value = self._value(statement.value)
            if isinstance(target, ast.Name):
                self._values[target.id] = value
            else:
                stored = self._builder.store(value, self._place(target))
                stored.set_metadata("llvm.access.group", self._accesses)

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() | float() as value):
                return ir.Constant(ir.DoubleType(), float(value))
            case ast.Name(id=name):
                return self._values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._builder.fneg(self._value(operand), flags=_FLAGS)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._called(operator.pow, [left, right])
            case ast.BinOp():
                return self._chain(node)
            case ast.Subscript():
                loaded = self._builder.load(self._place(node))
                loaded.set_metadata("llvm.access.group", self._accesses)
                return loaded
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return ir.Constant(ir.DoubleType(), getattr(self._names[module], name))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._called(self._names[name], arguments)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), args=arguments):
                return self._called(getattr(self._names[module], name), arguments)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self._builder.select(self._truth(test), self._value(body), self._value(other))
        raise AssertionError(ast.dump(node))

    def _chain(self, node: ast.expr) -> Any:
        """The value of a + b + c …, which is nested as deeply as it is long."""
        pending: list[ast.BinOp] = []
        while isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow):
            pending.append(node)
            node = node.left
        value = self._value(node)
        for outer in reversed(pending):
            instruction = getattr(self._builder, _OPERATIONS[type(outer.op)])
            value = instruction(value, self._value(outer.right), flags=_FLAGS)
        return value

    def _truth(self, node: ast.expr) -> Any:
        match node:
            case ast.Compare(left=left, ops=[comparison], comparators=[right]):
                sign = _COMPARISONS[type(comparison)]
                return self._builder.fcmp_ordered(sign, self._value(left), self._value(right))
            case ast.BoolOp(op=ast.And(), values=[first, second]):
                return self._builder.and_(self._truth(first), self._truth(second))
        raise AssertionError(ast.dump(node))

    def _called(self, function: Callable[..., Any], arguments: list[ast.expr]) -> Any:
        """What Numba makes of a call."""
        kind = self._typing.resolve_value_type(function)
        signature = self._typing.resolve_function_type(kind, (types.float64,) * len(arguments), {})
        implementation = self._context.get_function(kind, signature)
        for library in getattr(implementation, "libs", ()):
            self._context.active_code_library.add_linking_library(library)
        return implementation(self._builder, [self._value(argument) for argument in arguments])

    def _place(self, node: ast.expr) -> Any:
        """Address of ``w[offset + lane]``."""
        assert isinstance(node, ast.Subscript)
        assert isinstance(node.slice, ast.BinOp)
        offset = ir.Constant(ir.IntType(64), ast.literal_eval(node.slice.left))
        return self._builder.gep(self._data, [self._builder.add(offset, self._lane)])


@functools.lru_cache(maxsize=4)
def _definitions(source: str) -> Mapping[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def _definition(source: str, name: str) -> ast.FunctionDef:
    return _definitions(source)[name]


def _parts(definition: Any) -> list[Any]:
    """Statements of a function after its docstring."""
    first, *others = definition.body
    return others if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else [first, *others]


def _is_fence(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Call) and ast.unparse(part) == "fence(w)"
