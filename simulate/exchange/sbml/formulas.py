"""Formulas of a model as MathML, in which every number has its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from xml.sax.saxutils import escape

import sympy
from sympy import Expr, Symbol

from simulate.exchange.sbml.declared import DeclaredUnits, base_unit
from simulate.symbolic.dimensions import infer
from simulate.symbolic.expressions import substitute
from simulate.symbolic.model import Model
from simulate.symbolic.parts import CONVERSION, Definition, Observable, Parameter
from simulate.symbolic.switching import above, at_least, both, choose, either, floor, no, pieces, same
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import DIMENSIONLESS, TIME_DIMENSION, Dimension, Unit

_SYMBOLS = "http://www.sbml.org/sbml/symbols/"
_OPERATIONS: Mapping[Any, str] = {
    sympy.exp: "exp", sympy.log: "ln", sympy.tanh: "tanh", sympy.Abs: "abs", sympy.Min: "min", sympy.Max: "max",
    sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.asin: "arcsin", sympy.acos: "arccos",
    sympy.atan: "arctan", floor: "floor", above: "gt", at_least: "geq", same: "eq", both: "and", either: "or",
    no: "not", sympy.Add: "plus", sympy.Mul: "times",
}  # fmt: skip
_ALIKE = (sympy.Min, sympy.Max, above, at_least, same)
"""Functions whose arguments have one unit, so that a number among them has that of the others."""


def is_conversion(part: Parameter) -> bool:
    """Whether a parameter is no number of the model, but what a file of another program was read by."""
    return part.source == CONVERSION


def shown_alike(model: Model) -> dict[Definition, Observable]:
    """Definitions that are one with an observable, as `ID_now` with `ID` in a model that was read: written as that."""
    definitions = {part.symbol: part for part in model.definitions}
    found: dict[Definition, Observable] = {}
    for observable in model.observables:
        definition = definitions.get(observable.expression)
        if (
            definition is not None
            and definition not in found
            and definition.name.startswith(f"{observable.name}_")
            and (observable.unit.dimension, observable.unit.factor) == (definition.unit.dimension, Fraction(1))
        ):
            found[definition] = observable
    return found


class Formulas:
    """Formulas of one model, whose expressions are in the base of units, of numbers in their declared units."""

    def __init__(self, model: Model, units: DeclaredUnits) -> None:
        self._units = units
        parts = (model.species, model.parameters, model.balance, model.definitions, model.observables)
        self._dimensions = {TIME.name: TIME_DIMENSION} | {
            part.name: part.unit.dimension for group in parts for part in group
        }
        conversions = [part for part in model.parameters if is_conversion(part)]
        declared = [part for part in (*model.species, *model.parameters) if part not in conversions]
        self._numbers = {
            part.symbol: units.factor(part.unit) * part.symbol for part in declared if part.unit.factor != 1
        }
        self._units_of_numbers = {}
        for part in conversions:
            number = Fraction(repr(float(part.value))) * part.unit.factor
            self._numbers[part.symbol] = units.number(number, base_unit(part.unit.dimension))
            self._units_of_numbers[str(self._numbers[part.symbol])] = part.unit.dimension
        self._numbers |= {definition.symbol: observable.symbol for definition, observable in shown_alike(model).items()}

    def math(self, expression: Expr | float, of: Unit = DIMENSIONLESS) -> str:
        """MathML of an expression, as a number in a unit."""
        found = sympy.sympify(expression, strict=True)
        if found.is_Rational:
            # What depends on nothing has no unit here, though it is a number in the base of units.
            inner = self._number(found / sympy.Rational(of.factor), self._units.of(of))
        else:
            found = substitute(found, self._numbers)
            inner = self._node(found if of.factor == 1 else found / self._units.factor(of))
        return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inner}</math>'

    def _node(self, expr: Expr, unit: str = "dimensionless") -> str:
        if expr == TIME:
            return f'<csymbol encoding="text" definitionURL="{_SYMBOLS}time">time</csymbol>'
        if expr in self._units.factors:
            number, own = self._units.factors[expr]
            return self._number(sympy.Rational(number), own)
        if isinstance(expr, Symbol):
            return f"<ci>{escape(str(expr))}</ci>"
        if expr.is_Rational:
            return self._number(expr, unit)
        if expr is sympy.E:
            return "<exponentiale/>"
        if expr.is_Pow:
            if expr.exp == -1:
                return f"<apply><divide/>{self._number(sympy.S.One)}{self._node(expr.base)}</apply>"
            return f"<apply><power/>{self._node(expr.base)}{self._node(expr.exp)}</apply>"
        if isinstance(expr, choose):
            *pairs, otherwise = pieces(expr)
            unit = self._shared([*pairs[::2], otherwise])
            inner = "".join(
                f"<piece>{self._node(value, unit)}{self._node(condition)}</piece>"
                for value, condition in zip(pairs[::2], pairs[1::2], strict=True)
            )
            return f"<piecewise>{inner}<otherwise>{self._node(otherwise, unit)}</otherwise></piecewise>"
        unit = self._shared(expr.args) if expr.func in _ALIKE else "dimensionless"
        arguments = "".join(self._node(argument, unit) for argument in expr.args)
        return f"<apply><{_OPERATIONS[expr.func]}/>{arguments}</apply>"

    def _shared(self, parts: Sequence[Expr]) -> str:
        """Unit of parts that have the same, of which some may be numbers."""
        for part in parts:
            if not part.is_Rational:
                return self._units.base(self._dimension(part))
        return "dimensionless"

    def _dimension(self, expression: Expr) -> Dimension:
        factors = {str(symbol): DIMENSIONLESS.dimension for symbol in self._units.factors} | self._units_of_numbers
        found = infer(expression, {**self._dimensions, **factors})
        return found if all(isinstance(power, int) for _, power in found.exponents) else DIMENSIONLESS.dimension

    def _number(self, value: Expr, unit: str = "dimensionless") -> str:
        number = float(value)
        if value.q != 1 and sympy.Rational(repr(number)) != value:
            above, below = self._number(sympy.Integer(value.p), unit), self._number(sympy.Integer(value.q))
            return f"<apply><divide/>{above}{below}</apply>"
        mantissa, _, exponent = repr(number).partition("e")
        kind, text = (' type="e-notation"', f"{mantissa}<sep/>{int(exponent)}") if exponent else ("", mantissa)
        return f'<cn{kind} sbml:units="{unit}">{text}</cn>'
