"""SBML, the format in which other programs exchange models, as a model of this one.

All quantities are taken as the pure numbers that they are in the file; time alone has a unit, that of the file or one
that is given. What an identifier means in formulas is what is solved for under its name: the concentration of a
species, or its amount where the file says so. What this program cannot solve is refused with its identifier and line;
what has no influence on numbers and is left out is listed.

The language: M. Hucka et al., J. Integr. Bioinform. 16 (2019) 20190021 (Level 3 Version 2) and its predecessors.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.exchange.sbml.document import check_document, flattened, library
from simulate.exchange.sbml.mathml import Formula
from simulate.exchange.sbml.xml import checked
from simulate.symbolic.expressions import is_name, substitute
from simulate.symbolic.gathering import check_name
from simulate.symbolic.modelfile import UserModel
from simulate.symbolic.parts import (
    CONVERSION,
    TIME,
    Definition,
    Event,
    Mechanism,
    Observable,
    Parameter,
    Reaction,
    Species,
    at_baseline,
)
from simulate.symbolic.units import DIMENSIONLESS, unit

SUFFIXES = (".xml", ".sbml")
"""Endings of the names of SBML files."""
MAX_OBSERVABLES = 256


def is_sbml(path: Path | str) -> bool:
    """Whether the name of a file is that of an SBML file."""
    return Path(path).suffix.lower() in SUFFIXES


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that was read from SBML.

    Attributes
    ----------
    model
        The model, as one that was read from a model file.
    dropped
        What was left out, in words, without influence on any number.
    constants
        Values of identifiers that do not change and are no parameters of the model.
    names
        Name of each identifier of the file in the model: of a state, observable or parameter.
    compartments
        For each species the identifier of its compartment.
    concentrations
        Species whose number is a concentration; of others it is an amount.
    time_unit
        Unit of time of the file, or the one that was given.
    initials
        Definition of each identifier that has one value for a whole course, which an initial assignment gives.
    amounts
        State of each species whose number is the ratio of that state to a volume that changes.
    regimen
        What the file prescribes, in words, where doses that it has as events became routes
        (`simulate.exchange.doses`).
    """

    model: UserModel
    dropped: tuple[str, ...]
    constants: Mapping[str, float]
    names: Mapping[str, str]
    compartments: Mapping[str, str]
    concentrations: frozenset[str]
    time_unit: str
    initials: Mapping[str, str]
    amounts: Mapping[str, str]
    regimen: str = "none"


def read_sbml(
    path: Path | str, *, time_unit: str | None = None, fluxes: bool = False, held: Collection[str] = ()
) -> Imported:
    """Read an SBML file.

    Parameters
    ----------
    path
        The file. Nothing else is read, but for submodels in files of the same folder.
    time_unit
        Unit of time of the model; that of the file if not given, or seconds where the file gives none, as SBML has it.
    fluxes
        Whether rates of reactions are observables.
    held
        Identifiers whose values someone else will give: those that do not change stay parameters whatever their value.

    Raises
    ------
    InputError
        ``xml.…`` for what is no harmless XML, ``sbml.…`` for what cannot be solved, with its line.
    MissingExtra
        ``extra.sbml``: python-libsbml is not installed.
    """
    path = Path(path)
    content = checked(path)
    lib = library()
    document = lib.readSBMLFromString(content.decode("utf-8", errors="replace"))
    check_document(lib, document, str(path))
    model = flattened(lib, document, path)
    return _Reader(lib, model, path, time_unit, fluxes, frozenset(held)).read()


def read_sbml_text(text: str, name: str, *, time_unit: str | None = None) -> Imported:
    """Read SBML that was made of another format, of the file ``name``: places have no lines. Else as `read_sbml`."""
    lib = library()
    document = lib.readSBMLFromString(text)
    check_document(lib, document, name)
    return _Reader(lib, document.getModel(), Path(name), time_unit, False, frozenset(), has_lines=False).read()


@dataclass
class _Variable:
    """What an identifier of the file is; does not leave the reading of one file."""

    id: str
    kind: str  # compartment, species, parameter, stoichiometry
    element: Any
    constant: bool
    symbol: Expr = sympy.S.Zero
    value: float | None = None
    how: str = "constant"  # constant, initial, assigned, state
    rule: Any = None
    compartment: _Variable | None = None
    # Of a species: whether its number is an amount; and whether the state behind a concentration is one.
    is_amount: bool = False
    from_amount: bool = False
    boundary: bool = False
    initial: Any = None
    state: Species | None = None
    is_solved: bool = False


class _Reader:
    """One reading of one model."""

    def __init__(
        self,
        lib: Any,
        model: Any,
        path: Path,
        time_unit: str | None,
        fluxes: bool,
        held: frozenset[str],
        *,
        has_lines: bool = True,
    ) -> None:
        self.has_lines = has_lines
        self.lib, self.model, self.path, self.fluxes, self.held = lib, model, path, fluxes, held
        self.level, self.version = model.getLevel(), model.getVersion()
        self.taken: set[str] = set()
        self.dropped: list[str] = []
        self.variables: dict[str, _Variable] = {}
        self.parameters: dict[str, Parameter] = {}
        self.definitions: list[Definition] = []
        self.observables: list[Observable] = []
        self.reactions: dict[str, Any] = {}
        self.flux_symbols: dict[str, Expr] = {}
        self.flux_expressions: dict[str, Expr] = {}
        self.names: dict[str, str] = {}
        self.local: dict[str, Expr] = {}
        self.time_unit = time_unit or self._unit_of_time()
        self._walking: list[str] = []

    # Places and names.
    def where(self, element: Any, key: str | None = None) -> Where:
        named = key or (element.getIdAttribute() if hasattr(element, "getIdAttribute") else element.getId()) or None
        return Where(file=str(self.path), line=self._line(element), key=named)

    def _line(self, element: Any) -> int | None:
        return (element.getLine() or None) if self.has_lines else None

    def refuse(self, what: str, code: str, element: Any, **more: Any) -> InputError:
        return InputError(what, code=f"sbml.{code}", where=self.where(element), **more)

    def name(self, wanted: str) -> str:
        """A name that the grammar allows and nothing has yet."""
        text = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in wanted)
        text = text[:80] or "_"
        candidate = text if is_name(text) and text != TIME.name else f"{text}_"
        number = 2
        while candidate in self.taken or not is_name(candidate):
            candidate, number = f"{text}_{number}" if is_name(f"{text}_{number}") else f"_{text}_{number}", number + 1
        self.taken.add(candidate)
        return candidate

    # Reading.
    def read(self) -> Imported:
        self._refuse_what_cannot_be()
        self.per_time = Symbol(self.name("per_time"))
        self.functions = self._functions()
        self.formula = Formula(
            symbol=self._symbol, time=TIME * self.per_time, rate_of=self._rate_of, functions=self.functions
        )
        self._declare()
        self._rules()
        self._reactions_and_events()
        self._algebraic_rules()
        self._decide()
        mechanism = self._mechanism()
        used = _used(mechanism)
        unused = [name for name, one in self.variables.items() if one.kind == "parameter" and one.how == "constant"]
        for name in unused:
            if self.names[name] not in used:
                self.dropped.append(f"the parameter `{name}`, which nothing uses")
        kept = tuple(part for name, part in self.parameters.items() if name in used)
        constants = {
            variable.id: value
            for variable in self.variables.values()
            if variable.how == "constant" and (value := self._initial_number(variable)) is not None
        }
        title = " ".join((self.model.getName() or "").split())
        name = "".join(letter if letter.isalnum() else "_" for letter in self.model.getId() or self.path.stem)
        mechanism = replace(mechanism, parameters=kept)
        self._list_dropped()
        return Imported(
            model=UserModel(name or "model", title, (mechanism,), MappingProxyType(self._places())),
            dropped=tuple(dict.fromkeys(self.dropped)),
            constants=MappingProxyType(constants),
            names=MappingProxyType(dict(self.names)),
            compartments=MappingProxyType(
                {name: one.compartment.id for name, one in self.variables.items() if one.compartment is not None}
            ),
            concentrations=frozenset(
                name for name, one in self.variables.items() if one.kind == "species" and not one.is_amount
            ),
            time_unit=self.time_unit,
            initials=MappingProxyType(
                {name: str(one.symbol) for name, one in self.variables.items() if one.how == "initial"}
            ),
            amounts=MappingProxyType(
                {
                    name: one.state.name
                    for name, one in self.variables.items()
                    if one.from_amount and one.state is not None
                }
            ),
        )

    def _refuse_what_cannot_be(self) -> None:
        for reaction in _all(self.model.getListOfReactions()):
            if reaction.isSetFast() and reaction.getFast():
                raise self.refuse(
                    "the reaction is fast: it is to be in equilibrium at all times",
                    "fast",
                    reaction,
                    advice="give it a rate that is high",
                )
        plugin = self.model.getPlugin("fbc")
        if plugin is not None and (plugin.getNumObjectives() or plugin.getNumFluxBounds()):
            raise InputError(
                "the model is one of flux balance, which asks for an optimum and has no course in time",
                code="sbml.fbc",
                where=Where(file=str(self.path)),
            )

    def _unit_of_time(self) -> str:
        """Unit of time of the file; where it names none that is a time, what is taken in its place is listed."""
        named = self.model.getTimeUnits() if self.level > 2 else ""
        definition = self.model.getUnitDefinition(named or "time")
        if definition is None:
            if named == "second" or (not named and self.level < 3):
                return "s"
            return self._taken_as("d" if named == "dimensionless" else "s")
        part = definition.getUnit(0)
        kind = self.lib.UnitKind_toString(part.getKind()) if definition.getNumUnits() == 1 else ""
        if kind != "second" or part.getExponentAsDouble() != 1:
            return self._taken_as("d" if kind == "dimensionless" else "s")
        seconds = part.getMultiplier() * 10.0 ** part.getScale()
        known = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "week", 1e-3: "ms", 1e-6: "us"}
        return known.get(seconds, f"{seconds!r} s")

    def _taken_as(self, unit_of_time: str) -> str:
        self.dropped.append(f"the unit of time, which is none: taken as {unit_of_time} (convert --time says otherwise)")
        return unit_of_time

    def _functions(self) -> dict[str, tuple[tuple[str, ...], Any]]:
        found = {}
        for function in _all(self.model.getListOfFunctionDefinitions()):
            if not function.isSetMath() or function.getBody() is None:
                continue
            names = tuple(function.getArgument(index).getName() for index in range(function.getNumArguments()))
            found[function.getId()] = (names, function.getBody())
        return found

    def _declare(self) -> None:
        for compartment in _all(self.model.getListOfCompartments()):
            size = compartment.getSize() if compartment.isSetSize() else (1.0 if self.level == 1 else None)
            self._add(_Variable(compartment.getId(), "compartment", compartment, compartment.getConstant(), value=size))
        for parameter in _all(self.model.getListOfParameters()):
            value = parameter.getValue() if parameter.isSetValue() else None
            self._add(_Variable(parameter.getId(), "parameter", parameter, parameter.getConstant(), value=value))
        for species in _all(self.model.getListOfSpecies()):
            self._species(species)
        for reaction in _all(self.model.getListOfReactions()):
            self.reactions[reaction.getId()] = reaction
            for reference in (*_all(reaction.getListOfReactants()), *_all(reaction.getListOfProducts())):
                if reference.isSetIdAttribute() and reference.getIdAttribute():
                    value = reference.getStoichiometry() if reference.isSetStoichiometry() else None
                    if self.level < 3 and value is None:
                        value = 1.0
                    self._add(_Variable(reference.getIdAttribute(), "stoichiometry", reference, False, value=value))

    def _species(self, species: Any) -> None:
        compartment = self.variables.get(species.getCompartment())
        if compartment is None:
            raise self.refuse(
                f"the compartment `{species.getCompartment()}` of the species is missing", "name", species
            )
        flat = compartment.element.isSetSpatialDimensions() and compartment.element.getSpatialDimensionsAsDouble() == 0
        variable = _Variable(
            species.getId(),
            "species",
            species,
            species.getConstant(),
            compartment=compartment,
            is_amount=species.getHasOnlySubstanceUnits() or flat,
            boundary=species.getBoundaryCondition(),
        )
        self._add(variable)

    def _add(self, variable: _Variable) -> None:
        if not variable.id:
            raise self.refuse("a part of the model has no id", "name", variable.element)
        if variable.id in self.variables:
            raise self.refuse(f"the id `{variable.id}` is given twice", "name", variable.element)
        if variable.value is not None and variable.value != variable.value:
            variable.value = None
        self.variables[variable.id] = variable

    def _rules(self) -> None:
        for rule in _all(self.model.getListOfRules()):
            if rule.isAlgebraic():
                continue
            if not rule.isSetMath():
                self.dropped.append(f"the rule of `{rule.getVariable()}`, which has no formula")
                continue
            variable = self.variables.get(rule.getVariable())
            if variable is None:
                raise self.refuse(f"a rule is for `{rule.getVariable()}`, which nothing declares", "name", rule)
            variable.how = "assigned" if rule.isAssignment() else "state"
            variable.rule = rule
        for assignment in _all(self.model.getListOfInitialAssignments()):
            if not assignment.isSetMath():
                self.dropped.append(f"the initial assignment of `{assignment.getSymbol()}`, which has no formula")
                continue
            variable = self.variables.get(assignment.getSymbol())
            if variable is None:
                raise self.refuse(
                    f"an initial assignment is for `{assignment.getSymbol()}`, which nothing declares",
                    "name",
                    assignment,
                )
            if variable.how == "constant" and (value := _not_finite(self.lib, assignment.getMath())) is not None:
                variable.value = value
                continue
            variable.initial = assignment
            if variable.how == "constant":
                variable.how = "initial"

    def _reactions_and_events(self) -> None:
        """Variables that reactions and events change are states."""
        for reaction in self.reactions.values():
            for reference in (*_all(reaction.getListOfReactants()), *_all(reaction.getListOfProducts())):
                variable = self.variables.get(reference.getSpecies())
                if variable is None:
                    raise self.refuse(
                        f"the species `{reference.getSpecies()}` of the reaction is missing", "name", reaction
                    )
                if reference.isSetStoichiometryMath() if hasattr(reference, "isSetStoichiometryMath") else False:
                    identifier = reference.getIdAttribute()
                    if identifier and identifier in self.variables:
                        self.variables[identifier].how = "assigned"
                        self.variables[identifier].rule = reference.getStoichiometryMath()
                if variable.how in ("constant", "initial") and not variable.boundary and not variable.constant:
                    variable.how = "state"
        for event in _all(self.model.getListOfEvents()):
            for assignment in _all(event.getListOfEventAssignments()):
                variable = self.variables.get(assignment.getVariable())
                if variable is None:
                    raise self.refuse(
                        f"an event changes `{assignment.getVariable()}`, which nothing declares", "name", assignment
                    )
                if assignment.isSetMath() and variable.how in ("constant", "initial"):
                    variable.how = "state"

    def _algebraic_rules(self) -> None:
        """Find for each algebraic rule the variable that nothing else gives: the rule is solved for it."""
        waiting = [rule for rule in _all(self.model.getListOfRules()) if rule.isAlgebraic() and rule.isSetMath()]
        while waiting:
            open_ones = {rule.getLine(): self._undetermined(rule.getMath()) for rule in waiting}
            rule = min(waiting, key=lambda one: len(open_ones[one.getLine()]))
            found = open_ones[rule.getLine()]
            if len(found) != 1:
                several = ", ".join(f"`{name}`" for name in found)
                raise self.refuse(
                    "an algebraic rule cannot be solved",
                    "algebraic",
                    rule,
                    found=f"{several}, which nothing else gives" if found else "no variable that nothing else gives",
                    expected="one variable that no other rule, reaction or event changes",
                )
            variable = self.variables[found[0]]
            variable.how, variable.rule, variable.is_solved = "assigned", rule, True
            waiting.remove(rule)

    def _undetermined(self, formula: Any) -> list[str]:
        """Variables in a formula, function bodies apart, that may change and that nothing gives."""
        return [
            name
            for name in dict.fromkeys(_names_in(self.lib, formula))
            if name in self.variables
            and not self.variables[name].constant
            and self.variables[name].how in ("constant", "initial")
            and not (self.variables[name].kind == "stoichiometry" and self.level < 3)
        ]

    def _assigned_value(self, variable: _Variable) -> Expr:
        """What an assignment rule, or an algebraic one solved for the variable, gives."""
        where = self.where(variable.rule, variable.id)
        if not variable.is_solved:
            return self.formula.number(variable.rule.getMath(), where)
        zero = self.formula.number(variable.rule.getMath(), where)
        slope = zero.diff(variable.symbol)
        if slope == 0 or variable.symbol in slope.free_symbols:
            raise InputError(
                f"an algebraic rule is not linear in `{variable.id}`",
                code="sbml.algebraic",
                where=where,
                expected="a rule that can be solved for the one variable that nothing else gives",
            )
        rest = substitute(zero, {variable.symbol: sympy.S.Zero})
        return -rest / slope

    def _decide(self) -> None:
        """Names, symbols and states of all variables."""
        for variable in self.variables.values():
            if variable.kind != "species" or variable.is_amount or variable.rule is not None:
                continue
            assert variable.compartment is not None
            variable.from_amount = variable.compartment.how in ("assigned", "state")
        for variable in self.variables.values():
            given = variable.kind == "species" and (
                variable.element.isSetInitialAmount() or variable.element.isSetInitialConcentration()
            )
            if given and variable.how == "constant" and self._initial_number(variable) is None:
                # Its value depends on a volume that is computed.
                variable.how = "initial"
        for variable in self.variables.values():
            self.names[variable.id] = name = self.name(variable.id)
            if variable.from_amount or variable.how == "assigned":
                variable.symbol = Symbol(self.name(f"{name}_now"))
            elif variable.how == "initial":
                variable.symbol = Symbol(self.name(f"{name}_initial"))
            else:
                variable.symbol = Symbol(name)
        for reaction in self.reactions.values():
            self.names[reaction.getId()] = name = self.name(reaction.getId())
            self.flux_symbols[reaction.getId()] = Symbol(self.name(f"{name}_rate"))

    # What identifiers stand for.
    def _symbol(self, identifier: str, where: Where) -> Expr:
        if identifier in self.local:
            return self.local[identifier]
        if identifier in self.variables:
            variable = self.variables[identifier]
            if variable.how == "constant" and not variable.from_amount:
                self._constant(variable, where)
            return variable.symbol
        if identifier in self.flux_symbols:
            self._flux(identifier)
            return self.flux_symbols[identifier]
        raise InputError(f"a formula has `{identifier}`, which nothing declares", code="sbml.name", where=where)

    def _constant(self, variable: _Variable, where: Where) -> None:
        """Declare a parameter with the value of what does not change."""
        name = str(variable.symbol)
        if name in self.parameters:
            return
        value = self._initial_number(variable)
        if value is None and variable.id in self.held:
            value = 1.0
        if value is not None and not math.isfinite(value):
            raise InputError(
                f"`{variable.id}` has the value {value} and stands in a formula",
                code="sbml.number",
                where=self.where(variable.element),
                expected="a finite number",
            )
        if value is None:
            raise InputError(
                f"`{variable.id}` has no value",
                code="sbml.value",
                where=self.where(variable.element),
                advice="give it one, or an initial assignment",
            )
        self.parameters[name] = Parameter(name, self._meaning(variable), value, DIMENSIONLESS, source="the SBML file")

    def _initial_number(self, variable: _Variable) -> float | None:
        """Initial value as a number in the meaning of the identifier; of a species where its compartment has one."""
        if variable.kind != "species":
            return variable.value
        element = variable.element
        if element.isSetInitialAmount() or element.isSetInitialConcentration():
            is_amount = element.isSetInitialAmount()
            value: float = element.getInitialAmount() if is_amount else element.getInitialConcentration()
            if is_amount == variable.is_amount:
                return value
            assert variable.compartment is not None
            size = None if variable.compartment.id in self.held else variable.compartment.value
            if variable.compartment.how not in ("constant", "state") or variable.compartment.initial is not None:
                return None
            if size is None or (size == 0 and is_amount):
                return None
            return value / size if is_amount else value * size
        return None

    def _initial(self, variable: _Variable) -> Expr:
        """Initial value of a state, as an expression in the quantity of the state."""
        where = self.where(variable.element)
        compartment = variable.compartment
        if variable.initial is not None:
            value = self.formula.number(variable.initial.getMath(), self.where(variable.initial, variable.id))
            return value * self._volume(compartment, where) if variable.from_amount else value
        if variable.kind != "species":
            if variable.value is None:
                raise self._without_value(variable)
            return sympy.Rational(repr(variable.value))
        element = variable.element
        as_amount = variable.is_amount or variable.from_amount
        if element.isSetInitialAmount():
            value = _number(element.getInitialAmount(), where)
            return value if as_amount else value / self._volume(compartment, where)
        if element.isSetInitialConcentration():
            value = _number(element.getInitialConcentration(), where)
            return value * self._volume(compartment, where) if as_amount else value
        raise self._without_value(variable)

    def _without_value(self, variable: _Variable) -> InputError:
        return InputError(
            f"`{variable.id}` has no initial value",
            code="sbml.value",
            where=self.where(variable.element),
            advice="give it one, or an initial assignment",
        )

    def _volume(self, compartment: _Variable | None, where: Where) -> Expr:
        assert compartment is not None
        if compartment.how == "constant" and compartment.value == 1.0 and compartment.id not in self.held:
            # Most have this size: equations without it are easier to read.
            return sympy.S.One
        return self._symbol(compartment.id, where)

    def _meaning(self, variable: _Variable) -> str:
        text = " ".join((variable.element.getName() or "").split())
        text = "".join(letter for letter in text if letter.isprintable())
        return text or variable.id

    def _flux(self, identifier: str) -> Expr:
        """Rate of a reaction, in units of time of the model."""
        if identifier in self.flux_expressions:
            return self.flux_expressions[identifier]
        reaction = self.reactions[identifier]
        if identifier in self._walking:
            raise self.refuse("the rate of the reaction depends on itself", "circular", reaction)
        law = reaction.getKineticLaw()
        if law is None or not law.isSetMath():
            raise self.refuse("the reaction has no rate", "rate", reaction, advice="give it a kinetic law")
        outer = self.local
        self._walking.append(identifier)
        own: dict[str, Expr] = {}
        locals_of = law.getListOfLocalParameters() if self.level > 2 else law.getListOfParameters()
        for parameter in _all(locals_of):
            name = self.name(f"{self.names[identifier]}_{parameter.getId()}")
            if parameter.isSetValue():
                self.parameters[name] = Parameter(
                    name, parameter.getName() or parameter.getId(), parameter.getValue(), source="the SBML file"
                )
            own[parameter.getId()] = Symbol(name)
        self.local = own
        found = self.formula.number(law.getMath(), self.where(reaction))
        self.local = outer
        self._walking.pop()
        self.flux_expressions[identifier] = found
        return found

    def _rate_of(self, identifier: str, where: Where) -> Expr:
        if identifier in self.local:
            return sympy.S.Zero
        variable = self.variables.get(identifier)
        if variable is None or identifier in self._walking:
            raise InputError(f"the rate of change of `{identifier}` cannot be told", code="sbml.rate-of", where=where)
        if variable.how in ("constant", "initial"):
            return sympy.S.Zero
        self._walking.append(identifier)
        try:
            return self._rate(variable, where)
        finally:
            self._walking.pop()

    def _rate(self, variable: _Variable, where: Where) -> Expr:
        if variable.how == "assigned":
            raise InputError(
                f"the rate of change of `{variable.id}` is asked for, which an assignment rule gives",
                code="sbml.rate-of",
                where=where,
            )
        if variable.rule is not None:
            return self.formula.number(variable.rule.getMath(), self.where(variable.rule, variable.id))
        total = sympy.Add(*(factor * self._flux(name) for name, factor in self._factors(variable).items()))
        if not variable.from_amount:
            return total
        volume = self._volume(variable.compartment, where)
        assert variable.compartment is not None
        return (total - variable.symbol * self._rate_of(variable.compartment.id, where)) / volume

    def _factors(self, variable: _Variable) -> dict[str, Expr]:
        """Change of the state of a species for one unit of each reaction."""
        found: dict[str, Expr] = {}
        if variable.kind != "species" or variable.boundary or variable.constant or variable.rule is not None:
            return found
        for reaction in self.reactions.values():
            for sign, references in ((-1, reaction.getListOfReactants()), (1, reaction.getListOfProducts())):
                for reference in _all(references):
                    if reference.getSpecies() == variable.id:
                        change = sign * self._stoichiometry(reference, reaction)
                        found[reaction.getId()] = found.get(reaction.getId(), sympy.S.Zero) + change
        factor = self._conversion(variable)
        scale = sympy.S.One
        if not variable.is_amount and not variable.from_amount:
            scale = 1 / self._volume(variable.compartment, self.where(variable.element))
        return {name: change * factor * scale for name, change in found.items() if change != 0}

    def _conversion(self, variable: _Variable) -> Expr:
        if self.level < 3:
            return sympy.S.One
        named = variable.element.getConversionFactor() or self.model.getConversionFactor()
        return self._symbol(named, self.where(variable.element)) if named else sympy.S.One

    def _stoichiometry(self, reference: Any, reaction: Any) -> Expr:
        identifier = reference.getIdAttribute()
        if identifier and identifier in self.variables:
            variable = self.variables[identifier]
            is_fixed = not self._is_named(identifier) and identifier not in self.held
            if variable.how == "constant" and variable.value is not None and is_fixed:
                return _number(variable.value, self.where(reaction))
            return self._symbol(identifier, self.where(reaction))
        if self.level < 3 and reference.isSetStoichiometryMath():
            return self.formula.number(reference.getStoichiometryMath().getMath(), self.where(reaction))
        if self.level < 3 or reference.isSetStoichiometry():
            value = reference.getStoichiometry()
            denominator = reference.getDenominator() if self.level == 1 or self.level == 2 else 1
            return _number(value, self.where(reaction)) / denominator
        raise self.refuse(f"the stoichiometry of `{reference.getSpecies()}` has no value", "value", reaction)

    def _is_named(self, identifier: str) -> bool:
        return str(self.variables[identifier].symbol) in self.parameters

    # Parts of the model.
    def _mechanism(self) -> Mechanism:
        species: list[Species] = []
        changes: dict[str, dict[Species, Expr]] = {}
        reactions: list[Reaction] = []
        for variable in self.variables.values():
            if self._is_state(variable):
                name = self.names[variable.id]
                own = self.name(f"{name}_amount") if variable.from_amount else name
                variable.state = Species(own, self._meaning(variable), DIMENSIONLESS, 0)
        for variable in self.variables.values():
            self._define(variable)
        for variable in self.variables.values():
            if variable.state is None:
                continue
            initial = self._initial(variable)
            variable.state = Species(variable.state.name, variable.state.meaning, DIMENSIONLESS, initial)
            species.append(variable.state)
            if variable.rule is not None:
                rate = self.formula.number(variable.rule.getMath(), self.where(variable.rule, variable.id))
                reactions.append(Reaction(f"{variable.state.name}_by_rule", self.per_time * rate, {variable.state: 1}))
            factors = self._factors(variable)
            for name, factor in factors.items():
                changes.setdefault(name, {})[variable.state] = factor
            if variable.rule is None and not factors:
                reactions.append(Reaction(f"{variable.state.name}_stays", sympy.S.Zero, {variable.state: 1}))
        for name, by in changes.items():
            flux = self._flux(name)
            named = self.flux_symbols[name] if self.fluxes or self._flux_is_used(name) else flux
            reactions.append(Reaction(self.names[name], self.per_time * named, by))
        events = [found for event in _all(self.model.getListOfEvents()) if (found := self._event(event)) is not None]
        self._define_fluxes(changes, reactions, events)
        if not species:
            species, reactions = self._clock(species, reactions)
        self._check_sizes(species)
        self.parameters[str(self.per_time)] = Parameter(
            str(self.per_time),
            f"one per unit of time, {self.time_unit}",
            *_inverse(self.time_unit),
            source=CONVERSION,
        )
        return Mechanism(
            name="sbml",
            title=" ".join((self.model.getName() or "").split()),
            species=tuple(species),
            definitions=tuple(self.definitions),
            reactions=tuple(reactions),
            observables=tuple(self.observables),
            parameters=(),
            events=tuple(events),
        )

    def _clock(self, species: list[Species], reactions: list[Reaction]) -> tuple[list[Species], list[Reaction]]:
        """A state for a model that has none, as one without any cannot be solved."""
        clock = Species(self.name("model_time"), "time, as the model has no other state", DIMENSIONLESS, 0)
        return [*species, clock], [*reactions, Reaction(f"{clock.name}_passes", self.per_time, {clock: 1})]

    def _is_state(self, variable: _Variable) -> bool:
        return variable.how == "state"

    def _define(self, variable: _Variable) -> None:
        """Definition, and observable, of what is no state itself."""
        if variable.from_amount:
            # Without reactions the amount stays, in a volume that changes.
            amount = at_baseline(self._initial(variable)) if variable.state is None else variable.state.symbol
            volume = self._volume(variable.compartment, self.where(variable.element))
            self._defined(variable, amount / volume)
        elif variable.how == "assigned":
            self._defined(variable, self._assigned_value(variable))
        elif variable.how == "initial":
            value = self._initial(variable)
            self._defined(variable, value if value.is_Rational else at_baseline(value))

    def _defined(self, variable: _Variable, expression: Expr) -> None:
        meaning = self._meaning(variable)
        self.definitions.append(Definition(str(variable.symbol), meaning, DIMENSIONLESS, expression))
        self._observed(self.names[variable.id], meaning, variable.symbol)

    def _observed(self, name: str, meaning: str, symbol: Expr) -> None:
        if len(self.observables) < MAX_OBSERVABLES:
            self.observables.append(Observable(name, meaning, DIMENSIONLESS, symbol))
        else:
            self.dropped.append(f"`{name}` as an output: there are more than {MAX_OBSERVABLES}")

    def _flux_is_used(self, name: str) -> bool:
        symbol = self.flux_symbols[name]
        return any(symbol in definition.expression.free_symbols for definition in self.definitions)

    def _define_fluxes(
        self, changes: Mapping[str, object], reactions: Sequence[Reaction], events: Sequence[Event]
    ) -> None:
        """Definitions of the rates that something names."""
        if self.fluxes:
            for name, reaction in self.reactions.items():
                law = reaction.getKineticLaw()
                if law is not None and law.isSetMath():
                    self._flux(name)
                    self._observed(self.names[name], name, self.flux_symbols[name])
        used: set[Symbol] = set()
        expressions: list[Any] = [definition.expression for definition in self.definitions]
        expressions += [observable.expression for observable in self.observables]
        expressions += [reaction.rate for reaction in reactions]
        for event in events:
            expressions += [event.when, event.delay, event.priority or 0, *event.changes.values()]
        expressions += [variable.state.initial for variable in self.variables.values() if variable.state is not None]
        expressions += [by for reaction in reactions for by in reaction.change.values()]
        waiting = list(expressions)
        while waiting:
            for symbol in sympy.sympify(waiting.pop(), strict=True).free_symbols - used:
                used.add(symbol)
                for name, own in self.flux_symbols.items():
                    if own == symbol:
                        waiting.append(self._flux(name))
                        self.definitions.append(
                            Definition(str(symbol), f"rate of {name}", DIMENSIONLESS, self._flux(name))
                        )

    def _check_sizes(self, species: Sequence[Species]) -> None:
        for part in species:
            check_name(part.name, Where(file=str(self.path)))

    def _event(self, event: Any) -> Event | None:
        identifier = event.getIdAttribute() or ""
        where = self.where(event)
        assignments = [one for one in _all(event.getListOfEventAssignments()) if one.isSetMath()]
        trigger = event.getTrigger()
        if trigger is None or not trigger.isSetMath() or not assignments:
            self.dropped.append(f"the event `{identifier or event.getLine()}`, which has no trigger or changes nothing")
            return None
        changes: dict[Species, Expr] = {}
        own: dict[str, Expr] = {}
        for assignment in assignments:
            own[assignment.getVariable()] = self.formula.number(
                assignment.getMath(), self.where(assignment, assignment.getVariable())
            )
        for name, value in own.items():
            variable = self.variables[name]
            if variable.state is None:
                raise self.refuse(f"the event changes `{name}`, which a rule gives", "event", event)
            if variable.from_amount:
                assert variable.compartment is not None
                # The amount is what the concentration makes in the size before the event, which may change that too.
                value = value * variable.compartment.symbol
            changes[variable.state] = value
        self._keep_amounts(own, changes, where)
        delay = event.getDelay()
        priority = event.getPriority() if self.level > 2 else None
        return Event(
            name=self._event_name(identifier),
            when=self.formula.condition(trigger.getMath(), where),
            changes=changes,
            delay=(
                self.formula.number(delay.getMath(), where) / self.per_time
                if delay is not None and delay.isSetMath()
                else 0
            ),
            priority=(
                self.formula.number(priority.getMath(), where)
                if priority is not None and priority.isSetMath()
                else None
            ),
            persistent=trigger.getPersistent() if self.level > 2 else True,
            at_start=not trigger.getInitialValue() if self.level > 2 else False,
            at_trigger=event.getUseValuesFromTriggerTime() if event.isSetUseValuesFromTriggerTime() else True,
        )

    def _event_name(self, identifier: str) -> str:
        return self.name(identifier or "event")

    def _keep_amounts(self, own: Mapping[str, Expr], changes: dict[Species, Expr], where: Where) -> None:
        """Concentrations that are states themselves, in a compartment that an event makes larger or smaller."""
        for variable in self.variables.values():
            compartment = variable.compartment
            if compartment is None or compartment.id not in own or variable.state is None or variable.is_amount:
                continue
            if not variable.from_amount:
                before = own.get(variable.id, variable.symbol)
                changes[variable.state] = before * compartment.symbol / own[compartment.id]

    def _places(self) -> dict[str, Where]:
        places = {}
        for variable in self.variables.values():
            where = Where(file=str(self.path), line=self._line(variable.element))
            for kind in ("species", "parameters", "definitions", "observables"):
                places[f"{kind}.{self.names[variable.id]}"] = where
            places[f"definitions.{variable.symbol}"] = where
        for name, reaction in self.reactions.items():
            where = Where(file=str(self.path), line=self._line(reaction))
            places[f"reactions.{self.names[name]}"] = places[f"definitions.{self.flux_symbols[name]}"] = where
        return places

    def _list_dropped(self) -> None:
        if self.model.getNumConstraints():
            self.dropped.append(f"{self.model.getNumConstraints()} constraints, which say when results mean nothing")
        annotated = sum(
            part.isSetAnnotation()
            for group in (
                self.model.getListOfSpecies(),
                self.model.getListOfReactions(),
                self.model.getListOfParameters(),
            )
            for part in _all(group)
        ) + int(self.model.isSetAnnotation())
        if annotated:
            self.dropped.append(f"annotations of {annotated} parts")
        noted = int(self.model.isSetNotes())
        if noted:
            self.dropped.append("the notes of the model")
        if self.model.getNumUnitDefinitions():
            self.dropped.append("units other than that of time: all quantities are pure numbers as in the file")
        for index in range(self.model.getNumPlugins()):
            package = self.model.getPlugin(index).getPackageName()
            if package in ("layout", "render", "groups"):
                self.dropped.append(f"what the package {package} says")


def _all(group: Any) -> list[Any]:
    return [group.get(index) for index in range(group.size())] if group is not None else []


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


def _number(value: float, where: Where) -> Expr:
    if value != value or value in (float("inf"), float("-inf")):
        raise InputError(f"a number is {value}", code="sbml.number", where=where)
    return sympy.Rational(repr(float(value)))


def _inverse(time_unit: str) -> tuple[float, Any]:
    """Value and unit of one per unit of time."""
    head, _, tail = time_unit.partition(" ")
    if tail:
        return 1.0 / float(head), unit(f"1/{tail}")
    return 1.0, unit(f"1/{time_unit}")


def _used(mechanism: Mechanism) -> set[str]:
    """Names in all expressions of a mechanism."""
    expressions: list[Any] = [part.initial for part in mechanism.species]
    expressions += [part.expression for part in mechanism.definitions]
    expressions += [part.expression for part in mechanism.observables]
    for reaction in mechanism.reactions:
        expressions += [reaction.rate, *reaction.change.values()]
    for event in mechanism.events:
        expressions += [event.when, event.delay, event.priority or 0, *event.changes.values()]
    return {str(symbol) for part in expressions for symbol in sympy.sympify(part, strict=True).free_symbols}
