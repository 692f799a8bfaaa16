"""The symbol and the first value of each variable of a file, and the volumes that its formulas refer to."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.exchange.sbml.document import SbmlModel, all_of
from simulate.exchange.sbml.names import Names
from simulate.exchange.sbml.variables import Variable, Variables, initial_number, meaning_of
from simulate.symbolic.parts import Parameter
from simulate.symbolic.units import DIMENSIONLESS

SOURCE = "the SBML file"
"""Source of parameters."""


class Quantities:
    """The variables and reactions of a file under their names in the model.

    Attributes
    ----------
    file, variables, held
        The file, its variables, and identifiers whose values someone else will give.
    reactions
        The reactions of the file by their identifiers.
    taken
        All names of the model so far.
    names
        Name of each identifier in the model.
    rates
        Symbol of the rate of each reaction.
    parameters
        Those that a formula has asked for.
    """

    def __init__(self, file: SbmlModel, variables: Variables, taken: Names, held: Collection[str]) -> None:
        self.file, self.variables, self.taken, self.held = file, variables, taken, held
        self.reactions: dict[str, Any] = {one.getId(): one for one in all_of(file.model.getListOfReactions())}
        self.names: dict[str, str] = {}
        self.rates: dict[str, Symbol] = {}
        self.parameters: dict[str, Parameter] = {}
        for variable in variables.values():
            self.names[variable.id] = name = taken.new(variable.id)
            if variable.from_amount or variable.how == "assigned":
                name = taken.new(f"{name}_now")
            elif variable.how == "initial":
                name = taken.new(f"{name}_initial")
            variable.symbol = Symbol(name)
        for identifier in self.reactions:
            self.names[identifier] = name = taken.new(identifier)
            self.rates[identifier] = Symbol(taken.new(f"{name}_rate"))

    def symbol(self, identifier: str, where: Where) -> Expr:
        """What an identifier of a variable, or of a reaction, stands for.

        Raises
        ------
        InputError
            ``sbml.name``: nothing declares it; ``sbml.value``, ``sbml.number``: it has no finite value.
        """
        if identifier in self.variables:
            variable = self.variables[identifier]
            if variable.how == "constant" and not variable.from_amount:
                self._declare(variable)
            return variable.symbol
        if identifier in self.rates:
            return self.rates[identifier]
        raise InputError(f"a formula has `{identifier}`, which nothing declares", code="sbml.name", where=where)

    def _declare(self, variable: Variable) -> None:
        """Declare a parameter with the value of what does not change."""
        name = str(variable.symbol)
        if name in self.parameters:
            return
        value = initial_number(variable, self.held)
        if value is None and variable.id in self.held:
            value = 1.0
        if value is not None and not math.isfinite(value):
            raise InputError(
                f"`{variable.id}` has the value {value} and stands in a formula",
                code="sbml.number",
                where=self.file.where(variable.element),
                expected="a finite number",
            )
        if value is None:
            raise without_value(self.file, variable, "value")
        self.parameters[name] = Parameter(name, meaning_of(variable), value, DIMENSIONLESS, source=SOURCE)

    def is_parameter(self, identifier: str) -> bool:
        """Whether a variable is a parameter that a formula has asked for."""
        return str(self.variables[identifier].symbol) in self.parameters

    def volume(self, compartment: Variable | None, where: Where) -> Expr:
        """Size of a compartment."""
        assert compartment is not None
        if compartment.how == "constant" and compartment.value == 1.0 and compartment.id not in self.held:
            # Most have this size: equations without it are easier to read.
            return sympy.S.One
        return self.symbol(compartment.id, where)


def without_value(file: SbmlModel, variable: Variable, what: str) -> InputError:
    """The error for a variable that needs a value, or an initial one, and has none."""
    return InputError(
        f"`{variable.id}` has no {what}",
        code="sbml.value",
        where=file.where(variable.element),
        advice="give it one, or an initial assignment",
    )


def exact(value: float, where: Where) -> Expr:
    """A number of the file, exact; refused where it is not finite."""
    if not math.isfinite(value):
        raise InputError(f"a number is {value}", code="sbml.number", where=where)
    return sympy.Rational(repr(float(value)))
