"""Variables of a file, and what determines each: nothing, a rule, or reactions and events.

No formula is understood here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from simulate.errors import listed
from simulate.exchange.sbml.document import SbmlModel, all_of, references_of
from simulate.symbolic.parts import Species


@dataclass
class Variable:
    """An identifier of a file; does not leave the reading of it.

    Attributes
    ----------
    id, element
        The identifier, and the part of libSBML that declares it.
    kind
        ``compartment``, ``species``, ``parameter`` or ``stoichiometry``.
    constant
        Whether the file says that it does not change.
    value
        The number that it has in the file; of a species see `initial_number`.
    how
        ``constant``: by a number; ``initial``: once, by an initial assignment; ``assigned``: always, by a rule;
        ``state``: it is solved for.
    rule, initial
        The rule and the initial assignment that give it.
    is_solved
        Whether the rule is an algebraic one that is solved for it.
    compartment
        Of a species, where it is.
    is_amount
        Of a species, whether its number is an amount, and no concentration.
    from_amount
        Whether it is a concentration in a volume that changes: the state behind it is the amount.
    boundary
        Of a species, whether reactions leave it alone.
    symbol
        What it is in formulas.
    state
        The state behind it.
    """

    id: str
    kind: str
    element: Any
    constant: bool
    value: float | None = None
    how: str = "constant"
    rule: Any = None
    initial: Any = None
    is_solved: bool = False
    compartment: Variable | None = None
    is_amount: bool = False
    from_amount: bool = False
    boundary: bool = False
    symbol: Expr = sympy.S.Zero
    state: Species | None = None


Variables = dict[str, Variable]
"""Variables by their identifiers, in the order of the file."""


def variables_of(file: SbmlModel, held: Collection[str], dropped: list[str]) -> Variables:
    """All variables of a file, with what gives them; rules without a formula are listed as dropped.

    Raises
    ------
    InputError
        ``sbml.name`` for what is declared twice or not at all; ``sbml.algebraic``.
    """
    found: Variables = {}
    for variable in _declared(file, found):
        if not variable.id:
            raise file.refuse("a part of the model has no id", "name", variable.element)
        if variable.id in found:
            raise file.refuse(f"the id `{variable.id}` is given twice", "name", variable.element)
        if variable.value is not None and math.isnan(variable.value):
            variable.value = None
        found[variable.id] = variable
    _take_rules(file, found, dropped)
    _take_initial_assignments(file, found, dropped)
    _take_reactions(file, found)
    _take_events(file, found)
    _take_algebraic_rules(file, found)
    _take_volumes(found, held)
    return found


def _declared(file: SbmlModel, found: Variables) -> Iterator[Variable]:
    for part in all_of(file.model.getListOfCompartments()):
        size = part.getSize() if part.isSetSize() else (1.0 if file.level == 1 else None)
        yield Variable(part.getId(), "compartment", part, part.getConstant(), size)
    for part in all_of(file.model.getListOfParameters()):
        value = part.getValue() if part.isSetValue() else None
        yield Variable(part.getId(), "parameter", part, part.getConstant(), value)
    for part in all_of(file.model.getListOfSpecies()):
        yield _species(file, part, found)
    for reaction in all_of(file.model.getListOfReactions()):
        for part in references_of(reaction):
            if part.isSetIdAttribute() and part.getIdAttribute():
                value = part.getStoichiometry() if part.isSetStoichiometry() else None
                if file.level < 3 and value is None:
                    value = 1.0
                yield Variable(part.getIdAttribute(), "stoichiometry", part, False, value)


def _species(file: SbmlModel, species: Any, found: Variables) -> Variable:
    compartment = found.get(species.getCompartment())
    if compartment is None:
        raise file.refuse(f"the compartment `{species.getCompartment()}` of the species is missing", "name", species)
    flat = compartment.element.isSetSpatialDimensions() and compartment.element.getSpatialDimensionsAsDouble() == 0
    return Variable(
        species.getId(),
        "species",
        species,
        species.getConstant(),
        compartment=compartment,
        is_amount=species.getHasOnlySubstanceUnits() or flat,
        boundary=species.getBoundaryCondition(),
    )


def _take_rules(file: SbmlModel, variables: Variables, dropped: list[str]) -> None:
    for rule in all_of(file.model.getListOfRules()):
        if rule.isAlgebraic():
            continue
        name = rule.getVariable()
        if not rule.isSetMath():
            dropped.append(f"the rule of `{name}`, which has no formula")
            continue
        if name not in variables:
            raise file.refuse(f"a rule is for `{name}`, which nothing declares", "name", rule)
        variables[name].how = "assigned" if rule.isAssignment() else "state"
        variables[name].rule = rule


def _take_initial_assignments(file: SbmlModel, variables: Variables, dropped: list[str]) -> None:
    for assignment in all_of(file.model.getListOfInitialAssignments()):
        name = assignment.getSymbol()
        if not assignment.isSetMath():
            dropped.append(f"the initial assignment of `{name}`, which has no formula")
            continue
        if name not in variables:
            raise file.refuse(f"an initial assignment is for `{name}`, which nothing declares", "name", assignment)
        variable = variables[name]
        if variable.how == "constant" and (value := _not_finite(file.lib, assignment.getMath())) is not None:
            variable.value = value
            continue
        variable.initial = assignment
        if variable.how == "constant":
            variable.how = "initial"


def _take_reactions(file: SbmlModel, variables: Variables) -> None:
    """Species that reactions change are states."""
    for reaction in all_of(file.model.getListOfReactions()):
        for reference in references_of(reaction):
            variable = variables.get(reference.getSpecies())
            if variable is None:
                raise file.refuse(
                    f"the species `{reference.getSpecies()}` of the reaction is missing", "name", reaction
                )
            if reference.isSetStoichiometryMath() if hasattr(reference, "isSetStoichiometryMath") else False:
                identifier = reference.getIdAttribute()
                if identifier and identifier in variables:
                    variables[identifier].how = "assigned"
                    variables[identifier].rule = reference.getStoichiometryMath()
            if variable.how in ("constant", "initial") and not variable.boundary and not variable.constant:
                variable.how = "state"


def _take_events(file: SbmlModel, variables: Variables) -> None:
    """Variables that events change are states."""
    for event in all_of(file.model.getListOfEvents()):
        for assignment in all_of(event.getListOfEventAssignments()):
            variable = variables.get(assignment.getVariable())
            if variable is None:
                raise file.refuse(
                    f"an event changes `{assignment.getVariable()}`, which nothing declares", "name", assignment
                )
            if assignment.isSetMath() and variable.how in ("constant", "initial"):
                variable.how = "state"


def _take_algebraic_rules(file: SbmlModel, variables: Variables) -> None:
    """Find for each algebraic rule the variable that nothing else gives: the rule is solved for it."""
    waiting = [rule for rule in all_of(file.model.getListOfRules()) if rule.isAlgebraic() and rule.isSetMath()]
    while waiting:
        open_ones = {rule.getLine(): _undetermined(file, variables, rule.getMath()) for rule in waiting}
        rule = min(waiting, key=lambda one: len(open_ones[one.getLine()]))
        found = open_ones[rule.getLine()]
        if len(found) != 1:
            several = listed(found)
            raise file.refuse(
                "an algebraic rule cannot be solved",
                "algebraic",
                rule,
                found=f"{several}, which nothing else gives" if found else "no variable that nothing else gives",
                expected="one variable that no other rule, reaction or event changes",
            )
        variable = variables[found[0]]
        variable.how, variable.rule, variable.is_solved = "assigned", rule, True
        waiting.remove(rule)


def _undetermined(file: SbmlModel, variables: Variables, formula: Any) -> list[str]:
    """Variables in a formula, function bodies apart, that may change and that nothing gives."""
    return [
        name
        for name in dict.fromkeys(_names_in(file.lib, formula))
        if name in variables
        and not variables[name].constant
        and variables[name].how in ("constant", "initial")
        and not (variables[name].kind == "stoichiometry" and file.level < 3)
    ]


def _take_volumes(variables: Variables, held: Collection[str]) -> None:
    """Concentrations in a volume that changes come of amounts; those whose volume is computed have no number."""
    for variable in variables.values():
        if variable.kind == "species" and not variable.is_amount and variable.rule is None:
            assert variable.compartment is not None
            variable.from_amount = variable.compartment.how in ("assigned", "state")
    for variable in variables.values():
        given = variable.kind == "species" and (
            variable.element.isSetInitialAmount() or variable.element.isSetInitialConcentration()
        )
        if given and variable.how == "constant" and initial_number(variable, held) is None:
            variable.how = "initial"


def initial_number(variable: Variable, held: Collection[str]) -> float | None:
    """Initial value as a number in the meaning of the identifier; of a species where its compartment has one.

    ``held`` are identifiers whose values someone else will give.
    """
    if variable.kind != "species":
        return variable.value
    element = variable.element
    if not element.isSetInitialAmount() and not element.isSetInitialConcentration():
        return None
    is_amount = element.isSetInitialAmount()
    value: float = element.getInitialAmount() if is_amount else element.getInitialConcentration()
    if is_amount == variable.is_amount:
        return value
    compartment = variable.compartment
    assert compartment is not None
    if compartment.how not in ("constant", "state") or compartment.initial is not None or compartment.id in held:
        return None
    if compartment.value is None or (compartment.value == 0 and is_amount):
        return None
    return value / compartment.value if is_amount else value * compartment.value


def meaning_of(variable: Variable) -> str:
    """What the file calls a variable, in one line."""
    text = " ".join((variable.element.getName() or "").split())
    text = "".join(letter for letter in text if letter.isprintable())
    return text or variable.id


def meanings_of(variables: Sequence[Variable]) -> dict[str, str]:
    """What the file calls each variable, by identifier; of species with one name also where they are."""
    found = {variable.id: meaning_of(variable) for variable in variables}
    species = [variable for variable in variables if variable.compartment is not None]
    often = Counter(found[variable.id] for variable in species)
    for variable in species:
        if often[found[variable.id]] > 1 and variable.compartment is not None:
            found[variable.id] += f" in {meaning_of(variable.compartment)}"
    return found


def _not_finite(lib: Any, node: Any) -> float | None:
    """Value of a formula that is nothing but an infinite or undefined number."""
    if node.getType() == lib.AST_MINUS and node.getNumChildren() == 1:
        inner = _not_finite(lib, node.getChild(0))
        return None if inner is None else -inner
    if node.getType() in (lib.AST_REAL, lib.AST_REAL_E) and not math.isfinite(node.getReal()):
        return float(node.getReal())
    return None


def _names_in(lib: Any, node: Any) -> Iterator[str]:
    if node.getType() == lib.AST_NAME:
        yield node.getName()
    for index in range(node.getNumChildren()):
        yield from _names_in(lib, node.getChild(index))
