"""MathML of a file as expressions of the grammar, node by node; what has no counterpart is refused."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from simulate.errors import InputError, Where
from simulate.symbolic.constants import MAX_BITS, approximate, bits
from simulate.symbolic.functions import FUNCTIONS, rebuild
from simulate.symbolic.switching import both, choose, compare, either, floor, is_condition, no, piecewise

_MAX_DEPTH = 150
_AVOGADRO = "6.02214179e23"
"""The value that SBML Level 3 fixes."""


@dataclass(frozen=True, slots=True)
class Formula:
    """How the names in formulas are understood.

    Attributes
    ----------
    symbol
        Expression that an identifier stands for.
    time
        Time, a pure number in units of the model.
    rate_of
        Rate of change of an identifier, in units of the model.
    functions
        Function definitions: names of the arguments, and the body.
    unit
        What stands for the unit that a number in a formula has; None for pure numbers.
    """

    symbol: Callable[[str, Where], Expr]
    time: Expr
    rate_of: Callable[[str, Where], Expr]
    functions: Mapping[str, tuple[tuple[str, ...], Any]]
    unit: Callable[[str, Where], Expr] | None = None

    def number(self, node: Any, where: Where, local: Mapping[str, Expr] | None = None) -> Expr:
        """Expression of a node that stands where a number is expected; a condition is 1 or 0 there."""
        found = _Walk(self, where).of(node, local or {}, 0)
        return _as_number(found)

    def condition(self, node: Any, where: Where) -> Expr:
        """Condition of a node; a number holds where it is not 0."""
        return _as_condition(_Walk(self, where).of(node, {}, 0))


def functions_of(model: Any) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Function definitions of a model, for `Formula`; those without a body are left out."""
    found = {}
    for index in range(model.getNumFunctionDefinitions()):
        function = model.getFunctionDefinition(index)
        if function.isSetMath() and function.getBody() is not None:
            names = tuple(function.getArgument(place).getName() for place in range(function.getNumArguments()))
            found[function.getId()] = (names, function.getBody())
    return found


class _Walk:
    def __init__(self, formula: Formula, where: Where) -> None:
        import libsbml

        self._lib, self._formula, self._where = libsbml, formula, where
        self._kinds = _kinds(libsbml)

    def refuse(self, what: str, code: str = "sbml.function", advice: str | None = None) -> InputError:
        return InputError(what, code=code, where=self._where, advice=advice)

    def of(self, node: Any, local: Mapping[str, Expr], depth: int) -> Expr:
        if node is None or depth > _MAX_DEPTH:
            raise self.refuse("a formula is empty" if node is None else "a formula is nested too deeply", "sbml.math")
        lib, kind = self._lib, node.getType()
        if kind == lib.AST_NAME:
            name = node.getName()
            return local[name] if name in local else self._formula.symbol(name, self._where)
        if (constant := self._constant(node, kind)) is not None:
            if self._formula.unit is not None and node.isNumber() and node.isSetUnits():
                return constant * self._formula.unit(node.getUnits(), self._where)
            return constant
        if kind == lib.AST_FUNCTION_DELAY:
            raise self.refuse(
                "a formula has a delay, and differential equations with delays are not solved here", "sbml.delay"
            )
        if kind == lib.AST_FUNCTION_RATE_OF:
            return self._formula.rate_of(node.getChild(0).getName(), self._where)
        if kind == lib.AST_FUNCTION:
            return self._call(node, local, depth)
        parts = [self.of(node.getChild(index), local, depth + 1) for index in range(node.getNumChildren())]
        name = self._kinds.get(kind)
        if name is None:
            raise self.refuse(f"a formula has `{node.getName() or node.getOperatorName() or kind}`, which is not known")
        return self._operation(name, parts)

    def _constant(self, node: Any, kind: int) -> Expr | None:
        """What a node is that has no parts and no name of the model."""
        lib = self._lib
        if kind == lib.AST_INTEGER:
            return self._sized(sympy.Integer(node.getInteger()))
        if kind in (lib.AST_REAL, lib.AST_REAL_E):
            return self._real(node.getReal())
        known: dict[int, Expr] = {
            lib.AST_NAME_TIME: self._formula.time,
            lib.AST_NAME_AVOGADRO: sympy.Rational(_AVOGADRO),
            lib.AST_CONSTANT_PI: sympy.Rational(repr(math.pi)),
            lib.AST_CONSTANT_E: sympy.Rational(repr(math.e)),
            lib.AST_CONSTANT_TRUE: sympy.S.One,
            lib.AST_CONSTANT_FALSE: sympy.S.Zero,
        }
        if kind == lib.AST_RATIONAL:
            return sympy.Rational(node.getNumerator(), node.getDenominator())
        return known.get(kind)

    def _operation(self, name: str, parts: list[Expr]) -> Expr:
        fewest, most = _ARGUMENTS.get(name, (0, len(parts)))
        if not fewest <= len(parts) <= most:
            raise self.refuse(f"`{name}` has {len(parts)} arguments in a formula", "sbml.math")
        if name == "piecewise":
            return self._pieces(parts)
        if name in _LOGIC:
            return _LOGIC[name]([_as_condition(part) for part in parts])
        numbers = [_as_number(part) for part in parts]
        if name in _COMPARED:
            return _all([compare(_COMPARED[name], a, b) for a, b in itertools.pairwise(numbers)])
        return self._folded(_NUMBERS[name](numbers))

    def _call(self, node: Any, local: Mapping[str, Expr], depth: int) -> Expr:
        known = self._formula.functions.get(node.getName())
        if known is None:
            raise self.refuse(f"a formula calls `{node.getName()}`, which nothing defines")
        names, body = known
        parts = [self.of(node.getChild(index), local, depth + 1) for index in range(node.getNumChildren())]
        if len(parts) != len(names):
            raise self.refuse(f"`{node.getName()}` is called with {len(parts)} arguments, not {len(names)}")
        return self.of(body, dict(zip(names, parts, strict=True)), depth + 1)

    def _pieces(self, parts: list[Expr]) -> Expr:
        if len(parts) % 2 == 0:
            # Without a value otherwise the result is undefined where no condition holds.
            if not parts:
                raise self.refuse("a `piecewise` is empty", "sbml.math")
            if parts[-1] != 1:
                raise self.refuse(
                    "a `piecewise` has no value for when none of its conditions holds",
                    "sbml.piecewise",
                    "add the value otherwise",
                )
            parts = parts[:-1]
        if any(is_condition(part) and part not in (0, 1) for part in parts[::2]):
            parts = [_as_number(part) if index % 2 == 0 else part for index, part in enumerate(parts)]
        parts = [_as_condition(part) if index % 2 else part for index, part in enumerate(parts)]
        return parts[0] if len(parts) == 1 else piecewise(*parts)

    def _real(self, value: float) -> Expr:
        if not math.isfinite(value):
            raise self.refuse(f"a formula has the number {value}", "sbml.number")
        return self._sized(sympy.Rational(repr(value)))

    def _sized(self, number: Expr) -> Expr:
        if bits(number) > MAX_BITS:
            raise self.refuse(f"a formula has the number {float(number):g}, which is out of range", "sbml.number")
        return number

    def _folded(self, expr: Expr) -> Expr:
        """An expression of numbers alone as its value, of which SymPy would else keep and ask everything."""
        if expr.is_Rational:
            return self._sized(expr)
        if expr.is_Symbol or expr.free_symbols:
            return expr
        try:
            return sympy.Rational(repr(float(approximate(expr))))
        except (ArithmeticError, ValueError, TypeError, KeyError):
            raise self.refuse("a formula has a part without a finite real value", "sbml.number") from None


def _as_number(expr: Expr) -> Expr:
    return choose(expr, sympy.S.One, sympy.S.Zero) if is_condition(expr) and not expr.is_Rational else expr


def _as_condition(expr: Expr) -> Expr:
    if expr.is_Rational:
        return sympy.Integer(int(expr != 0))
    return expr if is_condition(expr) else compare("!=", expr, sympy.S.Zero)


def _all(conditions: list[Expr]) -> Expr:
    return both(*conditions) if len(conditions) > 1 else conditions[0] if conditions else sympy.S.One


def _any(conditions: list[Expr]) -> Expr:
    return either(*conditions) if len(conditions) > 1 else conditions[0] if conditions else sympy.S.Zero


def _odd(conditions: list[Expr]) -> Expr:
    total: Expr = sympy.S.Zero
    for condition in conditions:
        total = either(both(total, no(condition)), both(no(total), condition))
    return total


_LOGIC: Mapping[str, Callable[[list[Expr]], Expr]] = {
    "and": _all,
    "or": _any,
    "not": lambda parts: no(parts[0]),
    "xor": _odd,
    "implies": lambda parts: either(no(parts[0]), parts[1]),
}
_COMPARED = {"eq": "==", "neq": "!=", "gt": ">", "geq": ">=", "lt": "<", "leq": "<="}


def _power(base: Expr, exponent: Expr) -> Expr:
    if base.is_Rational and exponent.is_Rational and not (exponent.is_Integer and abs(exponent) <= 64):
        value = float(base) ** float(exponent)
        if isinstance(value, complex) or not math.isfinite(value):
            raise InputError("a power of numbers has no finite real value", code="sbml.number")
        return sympy.Rational(repr(value))
    return rebuild(sympy.Pow, [base, exponent])


def _minus(parts: list[Expr]) -> Expr:
    return -parts[0] if len(parts) == 1 else parts[0] - parts[1]


def _function(name: str) -> Callable[[list[Expr]], Expr]:
    return lambda parts: FUNCTIONS[name].build(parts[0])


def _factorial(parts: list[Expr]) -> Expr:
    (x,) = parts
    if not x.is_Integer or not 0 <= x <= 170:
        raise InputError("the factorial is taken of what is not a constant whole number", code="sbml.function")
    return sympy.Integer(math.factorial(int(x)))


def _whole_part(x: Expr) -> Expr:
    return choose(compare("<", x, sympy.S.Zero), -floor(-x), floor(x))


_exp = FUNCTIONS["exp"].build
_log = FUNCTIONS["log"].build
_sqrt = FUNCTIONS["sqrt"].build
_atan = FUNCTIONS["atan"].build
_asin = FUNCTIONS["asin"].build
_acos = FUNCTIONS["acos"].build
_sin, _cos, _tan = (FUNCTIONS[name].build for name in ("sin", "cos", "tan"))


def _extreme(name: str) -> Callable[[list[Expr]], Expr]:
    return lambda parts: FUNCTIONS[name].build(*parts) if len(parts) > 1 else parts[0]


_NUMBERS: Mapping[str, Callable[[list[Expr]], Expr]] = {
    "plus": lambda parts: sympy.Add(*parts),
    "times": lambda parts: rebuild(sympy.Mul, parts) if parts else sympy.S.One,
    "minus": _minus,
    "divide": lambda parts: rebuild(sympy.Mul, [parts[0], _power(parts[1], sympy.Integer(-1))]),
    "power": lambda parts: _power(parts[0], parts[1]),
    **{name: _function(name) for name in ("abs", "exp", "sin", "cos", "tan", "asin", "acos", "atan", "tanh")},
    **{name: _function(name) for name in ("floor", "ceil")},
    "ln": _function("log"),
    "log": lambda parts: _log(parts[-1]) / _log(parts[0] if len(parts) > 1 else sympy.Integer(10)),
    "root": lambda parts: _power(parts[-1], 1 / parts[0]) if len(parts) > 1 else _sqrt(parts[0]),
    "factorial": _factorial,
    "sec": lambda parts: 1 / _cos(parts[0]),
    "csc": lambda parts: 1 / _sin(parts[0]),
    "cot": lambda parts: _cos(parts[0]) / _sin(parts[0]),
    "sinh": lambda parts: (_exp(parts[0]) - _exp(-parts[0])) / 2,
    "cosh": lambda parts: (_exp(parts[0]) + _exp(-parts[0])) / 2,
    "sech": lambda parts: 2 / (_exp(parts[0]) + _exp(-parts[0])),
    "csch": lambda parts: 2 / (_exp(parts[0]) - _exp(-parts[0])),
    "coth": lambda parts: 1 / FUNCTIONS["tanh"].build(parts[0]),
    "asec": lambda parts: _acos(1 / parts[0]),
    "acsc": lambda parts: _asin(1 / parts[0]),
    "acot": lambda parts: _atan(1 / parts[0]),
    "asinh": lambda parts: _log(parts[0] + _sqrt(parts[0] ** 2 + 1)),
    "acosh": lambda parts: _log(parts[0] + _sqrt(parts[0] ** 2 - 1)),
    "atanh": lambda parts: _log((1 + parts[0]) / (1 - parts[0])) / 2,
    "asech": lambda parts: _log(1 / parts[0] + _sqrt(1 / parts[0] ** 2 - 1)),
    "acsch": lambda parts: _log(1 / parts[0] + _sqrt(1 / parts[0] ** 2 + 1)),
    "acoth": lambda parts: _log((parts[0] + 1) / (parts[0] - 1)) / 2,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "quotient": lambda parts: _whole_part(parts[0] / parts[1]),
    "rem": lambda parts: parts[0] - parts[1] * _whole_part(parts[0] / parts[1]),
}


_ARGUMENTS: Mapping[str, tuple[int, float]] = {
    **{name: (1, 1) for name in _NUMBERS if name not in ("plus", "times")},
    **{name: (1, math.inf) for name in ("min", "max")},
    **{name: (1, 2) for name in ("minus", "log", "root")},
    **{name: (2, 2) for name in ("divide", "power", "quotient", "rem", "implies")},
    "not": (1, 1),
}
"""Fewest and most arguments of operations; of others any number."""


def _kinds(lib: Any) -> dict[int, str]:
    """Names of operations by libSBML's numbers."""
    names = {
        "AST_PLUS": "plus", "AST_MINUS": "minus", "AST_TIMES": "times", "AST_DIVIDE": "divide", "AST_POWER": "power",
        "AST_FUNCTION_POWER": "power", "AST_FUNCTION_ABS": "abs", "AST_FUNCTION_EXP": "exp", "AST_FUNCTION_LN": "ln",
        "AST_FUNCTION_LOG": "log", "AST_FUNCTION_ROOT": "root", "AST_FUNCTION_FLOOR": "floor",
        "AST_FUNCTION_CEILING": "ceil", "AST_FUNCTION_FACTORIAL": "factorial", "AST_FUNCTION_SIN": "sin",
        "AST_FUNCTION_COS": "cos", "AST_FUNCTION_TAN": "tan", "AST_FUNCTION_SEC": "sec", "AST_FUNCTION_CSC": "csc",
        "AST_FUNCTION_COT": "cot", "AST_FUNCTION_SINH": "sinh", "AST_FUNCTION_COSH": "cosh",
        "AST_FUNCTION_TANH": "tanh", "AST_FUNCTION_SECH": "sech", "AST_FUNCTION_CSCH": "csch",
        "AST_FUNCTION_COTH": "coth", "AST_FUNCTION_ARCSIN": "asin", "AST_FUNCTION_ARCCOS": "acos",
        "AST_FUNCTION_ARCTAN": "atan", "AST_FUNCTION_ARCSEC": "asec", "AST_FUNCTION_ARCCSC": "acsc",
        "AST_FUNCTION_ARCCOT": "acot", "AST_FUNCTION_ARCSINH": "asinh", "AST_FUNCTION_ARCCOSH": "acosh",
        "AST_FUNCTION_ARCTANH": "atanh", "AST_FUNCTION_ARCSECH": "asech", "AST_FUNCTION_ARCCSCH": "acsch",
        "AST_FUNCTION_ARCCOTH": "acoth", "AST_FUNCTION_PIECEWISE": "piecewise", "AST_FUNCTION_MIN": "min",
        "AST_FUNCTION_MAX": "max", "AST_FUNCTION_QUOTIENT": "quotient", "AST_FUNCTION_REM": "rem",
        "AST_LOGICAL_IMPLIES": "implies", "AST_LOGICAL_AND": "and", "AST_LOGICAL_OR": "or", "AST_LOGICAL_NOT": "not",
        "AST_LOGICAL_XOR": "xor", "AST_RELATIONAL_EQ": "eq", "AST_RELATIONAL_NEQ": "neq", "AST_RELATIONAL_GT": "gt",
        "AST_RELATIONAL_GEQ": "geq", "AST_RELATIONAL_LT": "lt", "AST_RELATIONAL_LEQ": "leq",
    }  # fmt: skip
    return {getattr(lib, number): name for number, name in names.items() if hasattr(lib, number)}
