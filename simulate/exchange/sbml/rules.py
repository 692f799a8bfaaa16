"""Assignment rules and initial assignments: initial values of states, and values that are computed at all times."""

from __future__ import annotations

import sympy
from sympy import Expr

from simulate.errors import InputError
from simulate.exchange.sbml.quantities import exact, without_value
from simulate.exchange.sbml.rates import Rates
from simulate.exchange.sbml.variables import Variable
from simulate.symbolic.expressions import substitute


def initial_value(rates: Rates, variable: Variable) -> Expr:
    """Initial value of a variable, as an expression in the quantity of the state behind it.

    Raises
    ------
    InputError
        ``sbml.value``: it has none.
    """
    quantities, file = rates.quantities, rates.file
    where = file.where(variable.element)
    compartment = variable.compartment
    if variable.initial is not None:
        value = rates.formula.number(variable.initial.getMath(), file.where(variable.initial, variable.id))
        return value * quantities.volume(compartment, where) if variable.from_amount else value
    if variable.kind != "species":
        if variable.value is None:
            raise without_value(file, variable, "initial value")
        return sympy.Rational(repr(variable.value))
    element = variable.element
    as_amount = variable.is_amount or variable.from_amount
    if element.isSetInitialAmount():
        value = exact(element.getInitialAmount(), where)
        return value if as_amount else value / quantities.volume(compartment, where)
    if element.isSetInitialConcentration():
        value = exact(element.getInitialConcentration(), where)
        return value * quantities.volume(compartment, where) if as_amount else value
    raise without_value(file, variable, "initial value")


def assigned_value(rates: Rates, variable: Variable) -> Expr:
    """What an assignment rule, or an algebraic one solved for the variable, gives.

    Raises
    ------
    InputError
        ``sbml.algebraic``: the rule is not linear in the variable.
    """
    value = rates.by_rule(variable)
    if not variable.is_solved:
        return value
    slope = value.diff(variable.symbol)
    if slope == 0 or variable.symbol in slope.free_symbols:
        raise InputError(
            f"an algebraic rule is not linear in `{variable.id}`",
            code="sbml.algebraic",
            where=rates.file.where(variable.rule, variable.id),
            expected="a rule that can be solved for the one variable that nothing else gives",
        )
    return -substitute(value, {variable.symbol: sympy.S.Zero}) / slope
