"""A model of this program as SBML, Level 3 Version 2, that other programs solve to the same numbers.

Every quantity is a number in its declared unit; factors between units stand in the formulas. States have rate rules,
for one rate here may change several states in different units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import sympy
from sympy import Expr, Symbol

from simulate.symbolic.expressions import substitute
from simulate.symbolic.model import Model
from simulate.symbolic.parts import TIME, Event
from simulate.symbolic.switching import above, at_least, both, choose, either, floor, no, pieces, same
from simulate.symbolic.units import DIMENSIONLESS, Unit

_COMPARTMENT = "everything"
_SYMBOLS = "http://www.sbml.org/sbml/symbols/"
_OPERATIONS: Mapping[Any, str] = {
    sympy.exp: "exp", sympy.log: "ln", sympy.tanh: "tanh", sympy.Abs: "abs", sympy.Min: "min", sympy.Max: "max",
    sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.asin: "arcsin", sympy.acos: "arccos",
    sympy.atan: "arctan", floor: "floor", above: "gt", at_least: "geq", same: "eq", both: "and", either: "or",
    no: "not", sympy.Add: "plus", sympy.Mul: "times",
}  # fmt: skip


def sbml_text(model: Model) -> str:
    """SBML of a composed model: parameters at their typical values, time in days."""
    return "\n".join(_Writer(model).lines()) + "\n"


def numbers_of(model: Model) -> dict[Symbol, Expr]:
    """What states and parameters are in the base of units, of the numbers in their own units that are written."""
    declared = (*model.species, *model.parameters)
    return {part.symbol: _rational(part.unit.factor) * part.symbol for part in declared if part.unit.factor != 1}


def written(expression: Expr | float, numbers: Mapping[Symbol, Expr], of: Unit = DIMENSIONLESS) -> Expr:
    """An expression in the base of units as a number in a unit, of the numbers of `numbers_of`."""
    return substitute(sympy.sympify(expression, strict=True), numbers) / _rational(of.factor)


class _Writer:
    """One writing of one model."""

    def __init__(self, model: Model) -> None:
        self.model, self.numbers = model, numbers_of(model)
        taken = {part.name for part in (*model.species, *model.parameters, *model.definitions, *model.observables)}
        taken |= {solved.name for solved in model.balance}
        self.compartment = _COMPARTMENT if _COMPARTMENT not in taken else f"{_COMPARTMENT}_"

    def lines(self) -> Iterator[str]:
        model = self.model
        yield '<?xml version="1.0" encoding="UTF-8"?>'
        yield '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">'
        yield f"<model id={quoteattr(_identifier(model.name))} name={quoteattr(model.title or model.name)}"
        yield ' timeUnits="day">'
        yield '<listOfUnitDefinitions><unitDefinition id="day"><listOfUnits>'
        yield '<unit kind="second" exponent="1" scale="0" multiplier="86400"/>'
        yield "</listOfUnits></unitDefinition></listOfUnitDefinitions>"
        yield f'<listOfCompartments><compartment id="{self.compartment}" size="1" spatialDimensions="3"'
        yield ' constant="true"/></listOfCompartments>'
        yield from _list("Species", self._species())
        yield from _list("Parameters", self._parameters())
        yield from _list("InitialAssignments", self._initial())
        yield from _list("Rules", self._rules())
        yield from _list("Events", (self._event(event) for event in model.events))
        yield "</model>"
        yield "</sbml>"

    def _species(self) -> Iterator[str]:
        for species in self.model.species:
            meaning = f"{species.meaning} [{species.unit.text}]"
            yield (
                f'<species id="{species.name}" name={quoteattr(meaning)} compartment="{self.compartment}" '
                'initialAmount="0" hasOnlySubstanceUnits="true" boundaryCondition="true" constant="false"/>'
            )

    def _parameters(self) -> Iterator[str]:
        for parameter in self.model.parameters:
            meaning = f"{parameter.meaning} [{parameter.unit.text}]"
            yield (
                f'<parameter id="{parameter.name}" name={quoteattr(meaning)} value="{float(parameter.value)!r}" '
                'constant="true"/>'
            )
        model = self.model
        named = [(part.name, part.meaning) for part in model.balance]
        named += [(part.name, part.meaning) for part in model.definitions]
        named += [(part.name, part.meaning) for part in model.observables]
        for name, meaning in named:
            yield f'<parameter id="{name}" name={quoteattr(meaning)} constant="false"/>'

    def _initial(self) -> Iterator[str]:
        for species, initial in zip(self.model.species, self.model.initial, strict=True):
            value = self._written(initial, species.unit)
            yield f'<initialAssignment symbol="{species.name}">{_math(value)}</initialAssignment>'

    def _rules(self) -> Iterator[str]:
        # These numbers are in the coherent base, as formulas are.
        given = [(solved.name, solved.expression) for solved in self.model.balance]
        given += [(part.name, part.expression) for part in self.model.definitions]
        for name, expression in given:
            yield f'<assignmentRule variable="{name}">{_math(self._written(expression))}</assignmentRule>'
        for observable in self.model.observables:
            value = self._written(observable.expression, observable.unit)
            yield f'<assignmentRule variable="{observable.name}">{_math(value)}</assignmentRule>'
        for species, rate in zip(self.model.species, self.model.rates(), strict=True):
            value = self._written(rate, species.unit)
            yield f'<rateRule variable="{species.name}">{_math(value)}</rateRule>'

    def _event(self, event: Event) -> str:
        inner = f'<trigger initialValue="{_truth(not event.at_start)}" persistent="{_truth(event.persistent)}">'
        inner += f"{_math(self._written(event.when))}</trigger>"
        for name, value in (("delay", event.delay), ("priority", event.priority)):
            if value is not None and value != 0:
                inner += f"<{name}>{_math(self._written(value))}</{name}>"
        inner += "<listOfEventAssignments>"
        for species, value in event.changes.items():
            new = self._written(value, species.unit)
            inner += f'<eventAssignment variable="{species.name}">{_math(new)}</eventAssignment>'
        inner += "</listOfEventAssignments>"
        return f'<event id="{event.name}" useValuesFromTriggerTime="{_truth(event.at_trigger)}">{inner}</event>'

    def _written(self, expression: Expr | float, of: Unit = DIMENSIONLESS) -> Expr:
        return written(expression, self.numbers, of)


def _list(name: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from (f"<listOf{name}>", *found, f"</listOf{name}>")


def _math(expression: Expr) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_node(expression)}</math>'


def _node(expr: Expr) -> str:
    if expr == TIME:
        return f'<csymbol encoding="text" definitionURL="{_SYMBOLS}time">time</csymbol>'
    if isinstance(expr, Symbol):
        return f"<ci>{escape(str(expr))}</ci>"
    if expr.is_Rational:
        return _number(expr)
    if expr is sympy.E:
        return "<exponentiale/>"
    if expr.is_Pow:
        if expr.exp == -1:
            return f"<apply><divide/><cn>1</cn>{_node(expr.base)}</apply>"
        return f"<apply><power/>{_node(expr.base)}{_node(expr.exp)}</apply>"
    if isinstance(expr, choose):
        *pairs, otherwise = pieces(expr)
        inner = "".join(
            f"<piece>{_node(value)}{_node(condition)}</piece>"
            for value, condition in zip(pairs[::2], pairs[1::2], strict=True)
        )
        return f"<piecewise>{inner}<otherwise>{_node(otherwise)}</otherwise></piecewise>"
    return f"<apply><{_OPERATIONS[expr.func]}/>{''.join(map(_node, expr.args))}</apply>"


def _number(value: Expr) -> str:
    number = float(value)
    if value.q != 1 and sympy.Rational(repr(number)) != value:
        return f"<apply><divide/>{_number(sympy.Integer(value.p))}{_number(sympy.Integer(value.q))}</apply>"
    mantissa, _, exponent = repr(number).partition("e")
    return f'<cn type="e-notation">{mantissa}<sep/>{int(exponent)}</cn>' if exponent else f"<cn>{mantissa}</cn>"


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _rational(factor: object) -> sympy.Rational:
    return sympy.Rational(factor)


def _identifier(name: str) -> str:
    text = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in name)
    return text if text[:1].isalpha() else f"_{text}"
