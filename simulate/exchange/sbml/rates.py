"""Rates of reactions, and the rates of change that they and rate rules give to variables."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.exchange.sbml.document import all_of, local_parameters
from simulate.exchange.sbml.mathml import Formula, functions_of
from simulate.exchange.sbml.quantities import SOURCE, Quantities, exact
from simulate.exchange.sbml.variables import Variable
from simulate.symbolic.parts import Parameter
from simulate.symbolic.symbols import TIME


class Rates:
    """The rates of one file.

    Attributes
    ----------
    quantities
        What identifiers stand for.
    per_time
        One per unit of time, by which time becomes a number.
    formula
        How formulas are understood.
    """

    def __init__(self, quantities: Quantities, per_time: Symbol) -> None:
        self.quantities, self.file, self.per_time = quantities, quantities.file, per_time
        self.formula = Formula(
            symbol=self._symbol,
            time=TIME * per_time,
            rate_of=self._rate_of,
            functions=functions_of(self.file.model),
        )
        self._local: Mapping[str, Expr] = {}
        self._known: dict[str, Expr] = {}
        self._walking: list[str] = []

    def _symbol(self, identifier: str, where: Where) -> Expr:
        if identifier in self._local:
            return self._local[identifier]
        if identifier not in self.quantities.variables and identifier in self.quantities.rates:
            self.flux(identifier)
        return self.quantities.symbol(identifier, where)

    def by_rule(self, variable: Variable) -> Expr:
        """What the rule of a variable gives."""
        return self.formula.number(variable.rule.getMath(), self.file.where(variable.rule, variable.id))

    def flux(self, identifier: str) -> Expr:
        """Rate of a reaction, in units of time of the file.

        Raises
        ------
        InputError
            ``sbml.circular``, ``sbml.rate``, and what formulas have that cannot be solved.
        """
        if identifier in self._known:
            return self._known[identifier]
        reaction = self.quantities.reactions[identifier]
        if identifier in self._walking:
            raise self.file.refuse("the rate of the reaction depends on itself", "circular", reaction)
        law = reaction.getKineticLaw()
        if law is None or not law.isSetMath():
            raise self.file.refuse("the reaction has no rate", "rate", reaction, advice="give it a kinetic law")
        outer = self._local
        self._walking.append(identifier)
        self._local = self._own_parameters(identifier, law)
        found = self.formula.number(law.getMath(), self.file.where(reaction))
        self._local = outer
        self._walking.pop()
        self._known[identifier] = found
        return found

    def _own_parameters(self, identifier: str, law: Any) -> dict[str, Expr]:
        """Parameters that the rate of a reaction has for itself."""
        own: dict[str, Expr] = {}
        for parameter in local_parameters(law):
            name = self.quantities.taken.new(f"{self.quantities.names[identifier]}_{parameter.getId()}")
            if parameter.isSetValue():
                self.quantities.parameters[name] = Parameter(
                    name, parameter.getName() or parameter.getId(), parameter.getValue(), source=SOURCE
                )
            own[parameter.getId()] = Symbol(name)
        return own

    def _rate_of(self, identifier: str, where: Where) -> Expr:
        """Rate of change of an identifier, for formulas that ask for it."""
        if identifier in self._local:
            return sympy.S.Zero
        variable = self.quantities.variables.get(identifier)
        if variable is None or identifier in self._walking:
            raise InputError(f"the rate of change of `{identifier}` cannot be told", code="sbml.rate-of", where=where)
        if variable.how in ("constant", "initial"):
            return sympy.S.Zero
        self._walking.append(identifier)
        try:
            return self._change(variable, where)
        finally:
            self._walking.pop()

    def _change(self, variable: Variable, where: Where) -> Expr:
        if variable.how == "assigned":
            raise InputError(
                f"the rate of change of `{variable.id}` is asked for, which an assignment rule gives",
                code="sbml.rate-of",
                where=where,
            )
        if variable.rule is not None:
            return self.by_rule(variable)
        total = sympy.Add(*(factor * self.flux(name) for name, factor in self.factors(variable).items()))
        if not variable.from_amount:
            return total
        volume = self.quantities.volume(variable.compartment, where)
        assert variable.compartment is not None
        return (total - variable.symbol * self._rate_of(variable.compartment.id, where)) / volume

    def factors(self, variable: Variable) -> dict[str, Expr]:
        """Change of the state of a variable for one unit of each reaction that changes it."""
        found: dict[str, Expr] = {}
        if variable.kind != "species" or variable.boundary or variable.constant or variable.rule is not None:
            return found
        for name, sign, reference in self._references.get(variable.id, ()):
            change = sign * self._stoichiometry(reference, self.quantities.reactions[name])
            found[name] = found.get(name, sympy.S.Zero) + change
        factor = self._conversion(variable)
        if not variable.is_amount and not variable.from_amount:
            factor = factor / self.quantities.volume(variable.compartment, self.file.where(variable.element))
        return {name: change * factor for name, change in found.items() if change != 0}

    @functools.cached_property
    def _references(self) -> Mapping[str, list[tuple[str, int, Any]]]:
        """Where species stand in reactions, by species: reaction, sign and reference."""
        found: dict[str, list[tuple[str, int, Any]]] = {}
        for name, reaction in self.quantities.reactions.items():
            for sign, references in ((-1, reaction.getListOfReactants()), (1, reaction.getListOfProducts())):
                for reference in all_of(references):
                    found.setdefault(reference.getSpecies(), []).append((name, sign, reference))
        return found

    def _conversion(self, variable: Variable) -> Expr:
        if self.file.level < 3:
            return sympy.S.One
        named = variable.element.getConversionFactor() or self.file.model.getConversionFactor()
        return self._symbol(named, self.file.where(variable.element)) if named else sympy.S.One

    def _stoichiometry(self, reference: Any, reaction: Any) -> Expr:
        where, level = self.file.where(reaction), self.file.level
        identifier = reference.getIdAttribute()
        if identifier and identifier in self.quantities.variables:
            variable = self.quantities.variables[identifier]
            is_fixed = not self.quantities.is_parameter(identifier) and identifier not in self.quantities.held
            if variable.how == "constant" and variable.value is not None and is_fixed:
                return exact(variable.value, where)
            return self._symbol(identifier, where)
        if level < 3 and reference.isSetStoichiometryMath():
            return self.formula.number(reference.getStoichiometryMath().getMath(), where)
        if level < 3 or reference.isSetStoichiometry():
            denominator = reference.getDenominator() if level < 3 else 1
            return exact(reference.getStoichiometry(), where) / denominator
        raise self.file.refuse(f"the stoichiometry of `{reference.getSpecies()}` has no value", "value", reaction)
