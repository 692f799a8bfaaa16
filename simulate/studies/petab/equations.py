"""The model of an estimation problem as systems of equations: what conditions set stays open in them.

One system is solved. All its initial values are parameters, and so is each value that an initial assignment gives. So
one kernel serves every condition, every period and a steady state before them. What these parameters are is computed
outside, from the model as it was read and from the conditions.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sympy import Expr, Symbol

from simulate.errors import InputError, Where, did_you_mean
from simulate.exchange.petab.problem import PetabProblem
from simulate.exchange.sbml.reading import Imported, read_sbml
from simulate.kernels.duals import Dual, constant, evaluate
from simulate.kernels.system import System, lower
from simulate.symbolic.parts import Mechanism, Parameter, Species
from simulate.symbolic.symbols import at_baseline

Values = Mapping[str, Dual]
"""Values by identifiers of the model and by names of the tables."""

TIME = "time"
"""What formulas call time."""


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """The model of a problem.

    Attributes
    ----------
    problem, imported
        The problem and its model, as they were read.
    mechanism
        The mechanism of the model, with those observables alone that something asks for.
    original
        The system as the file has it.
    solved
        The system that is solved, with every initial value a parameter.
    starts
        Parameter of ``solved`` for the initial value of each state, by its name.
    givens
        Parameter of ``solved`` for each identifier with an initial assignment.
    parameters
        Identifier of each other parameter of ``solved`` that the file names.
    """

    problem: PetabProblem
    imported: Imported
    mechanism: Mechanism
    original: System
    solved: System
    starts: Mapping[str, str]
    givens: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was not read of the tables and the model; not what the tables alone use of it."""
        used = {self.known(name) for name in (*_names(self.problem), *(part.id for part in self.problem.parameters))}
        unused = {f"the parameter `{name}`, which nothing uses" for name in used}
        return (*self.problem.dropped, *(line for line in self.imported.dropped if line not in unused))

    def known(self, name: str) -> str:
        """Identifier of the model that a name of the tables stands for, or the name itself."""
        return self.problem.aliases.get(name, name)

    def state_of(self, identifier: str) -> str | None:
        """State behind an identifier."""
        name = self.imported.amounts.get(identifier, self.imported.names.get(identifier, ""))
        return name if name in self.starts else None

    @property
    def inside(self) -> frozenset[str]:
        """Identifiers of the model on which its solution depends, with what conditions are computed from."""
        back = _back(self)
        own = {back.get(name, name) for system in (self.solved, self.original) for name in system.parameters}
        changes = [
            change.value
            for experiment in self.problem.experiments
            for period in experiment.periods
            for change in period.changes
            if change.value is not None
        ]
        return frozenset(own | {self.known(symbol.name) for value in changes for symbol in value.free_symbols})

    def is_free(self, identifier: str) -> bool:
        """Whether a value may be given to an identifier that is no state: nothing in the model computes it."""
        name = self.imported.names.get(identifier)
        if name is None or identifier in self.givens:
            return True
        return name not in self.original.observables and f"reactions.{name}" not in self.imported.model.places


def equations_of(problem: PetabProblem) -> Equations:
    """Equations of a problem.

    Raises
    ------
    InputError
        ``sbml.…`` for what the model has and cannot be solved; ``petab.target`` for a condition or parameter that sets
        what a rule computes; ``petab.name`` for a name that nothing declares.
    MissingExtra
        ``extra.sbml``.
    """
    aliases = problem.aliases
    targets = [
        change.target for experiment in problem.experiments for one in experiment.periods for change in one.changes
    ]
    held = {aliases.get(name, name) for name in (*targets, *(part.id for part in problem.parameters))}
    imported = read_sbml(problem.model, time_unit="d", held=held)
    needed = {aliases.get(name, name) for name in _names(problem)}
    mechanism = _lean(imported, needed | held)
    original = lower(replace(imported.model, mechanisms=(mechanism,)).compose())
    taken = {
        *original.states,
        *original.observables,
        *original.parameters,
        *(str(name) for name, _ in original.constants),
    }
    starts = {name: unused_name(f"{name}_start", taken) for name in original.states}
    givens = {name: unused_name(f"{definition}_given", taken) for name, definition in imported.initials.items()}
    opened = _opened(mechanism, starts, {imported.initials[name]: parameter for name, parameter in givens.items()})
    solved = lower(replace(imported.model, mechanisms=(opened,)).compose())
    back = {imported.names[name]: name for name in imported.constants}
    equations = Equations(
        problem,
        imported,
        mechanism,
        original,
        solved,
        starts,
        givens,
        {name: back[name] for name in solved.parameters if name in back},
    )
    _check_targets(equations)
    _check_names(equations)
    return equations


def _names(problem: PetabProblem) -> set[str]:
    """Names in all formulas of a problem."""
    formulas = [formula for one in problem.observables for formula in (one.formula, one.noise)]
    formulas += [
        change.value
        for experiment in problem.experiments
        for period in experiment.periods
        for change in period.changes
        if change.value is not None
    ]
    return {str(symbol) for formula in formulas for symbol in formula.free_symbols}


def _lean(imported: Imported, needed: set[str]) -> Mechanism:
    """The mechanism of a model with those observables alone that something asks for."""
    (mechanism,) = imported.model.mechanisms
    names = {imported.names.get(name, name) for name in needed}
    return replace(mechanism, observables=tuple(one for one in mechanism.observables if one.name in names))


def unused_name(wanted: str, taken: set[str]) -> str:
    """A name that is not taken, and is from now on."""
    while wanted in taken:
        wanted += "_"
    taken.add(wanted)
    return wanted


def _opened(mechanism: Mechanism, starts: Mapping[str, str], givens: Mapping[str, str]) -> Mechanism:
    """A mechanism in which initial values of states, and definitions that are named, are parameters."""
    new = {
        part.name: replace(part, initial=Symbol(starts[part.name])) if part.name in starts else part
        for part in mechanism.species
    }

    def changed(changes: Mapping[Species, Expr | float]) -> dict[Species, Expr | float]:
        return {new[part.name]: value for part, value in changes.items()}

    definitions = tuple(
        replace(part, expression=Symbol(givens[part.name])) if part.name in givens else part
        for part in mechanism.definitions
    )
    parameters = [Parameter(name, name, 1.0) for name in (*starts.values(), *givens.values())]
    opened = replace(
        mechanism,
        species=tuple(new.values()),
        definitions=definitions,
        reactions=tuple(replace(part, change=changed(part.change)) for part in mechanism.reactions),
        events=tuple(replace(part, changes=changed(part.changes)) for part in mechanism.events),
    )
    used = opened.used_names()
    return replace(opened, parameters=tuple(part for part in (*mechanism.parameters, *parameters) if part.name in used))


def _check_targets(equations: Equations) -> None:
    """Refuse changes of what the model computes itself, and formulas of baselines where periods follow one another."""
    imported, problem = equations.imported, equations.problem
    for parameter in problem.parameters:
        name = equations.known(parameter.id)
        if equations.state_of(name) is not None or not equations.is_free(name):
            raise _not_free(parameter.id, "the table of parameters", parameter.where)
    for experiment in problem.experiments:
        for place, period in enumerate(experiment.periods):
            for change in period.changes:
                name = equations.known(change.target)
                if equations.state_of(name) is None and not equations.is_free(name):
                    raise _not_free(change.target, "a condition", change.where)
                is_volume = name in imported.compartments.values()
                if place and is_volume and problem.version == 1:
                    _check_volume(
                        equations, experiment.periods[place - 1].changes, change.target, change.value, change.where
                    )
        if len(experiment.periods) > 1 and (kept := _baselines(equations)):
            raise InputError(
                f"`{kept}` depends on the state at the beginning, and an experiment has several periods",
                code="petab.periods",
                where=Where(file=str(problem.model), key=kept),
            )


def _check_volume(
    equations: Equations, before: Sequence[object], target: str, value: Expr | None, where: Where
) -> None:
    earlier = {getattr(change, "target", ""): getattr(change, "value", None) for change in before}
    if earlier.get(target) != value:
        raise InputError(
            f"a condition changes the size of `{target}` after a steady state, and version 1 of PEtab does not say "
            "what becomes of what is in it",
            code="petab.volume",
            where=where,
            advice="write the problem in version 2 of PEtab",
        )


def _baselines(equations: Equations) -> str | None:
    (mechanism,) = equations.imported.model.mechanisms
    own = set(equations.imported.initials.values())
    for definition in mechanism.definitions:
        if definition.name not in own and definition.expression.has(at_baseline):
            return definition.name
    return None


def _not_free(name: str, what: str, where: Where) -> InputError:
    return InputError(
        f"{what} gives `{name}` a value, and the model computes it",
        code="petab.target",
        where=where,
        expected="a parameter or a compartment that no rule computes, or in conditions a species or other state",
    )


def _check_names(equations: Equations) -> None:
    """Refuse names in formulas and tables that nothing declares."""
    problem, imported = equations.problem, equations.imported
    given = {change.target for one in problem.experiments for period in one.periods for change in period.changes}
    known = {TIME, *imported.names, *given, *problem.aliases, *(part.id for part in problem.parameters)}

    def check(expr: Expr, where: Where, own: set[str]) -> None:
        for name in sorted(str(symbol) for symbol in expr.free_symbols):
            if name not in known and name not in own:
                raise InputError(
                    f"nothing declares `{name}`", code="petab.name", where=where, advice=did_you_mean(name, known)
                )

    for observable in problem.observables:
        row = replace(observable.where, key="observableFormula")
        own = {*observable.placeholders, *observable.noise_placeholders}
        check(observable.formula, row, own)
        check(observable.noise, replace(row, key="noiseFormula"), own | {observable.id})
    for experiment in problem.experiments:
        for period in experiment.periods:
            for change in period.changes:
                if change.value is not None:
                    check(change.value, change.where, set())
    for measurement in problem.measurements:
        for column, values in (
            ("observableParameters", measurement.parameters),
            ("noiseParameters", measurement.noise_parameters),
        ):
            for value in values:
                check(value, replace(measurement.where, key=column), set())


@functools.lru_cache(maxsize=64)
def opened_at(equations: Equations, states: frozenset[str]) -> System:
    """The system as the file has it, but that the initial values of some states are parameters.

    Initial assignments that ask for such a state have what it is given.
    """
    model = equations.imported.model
    starts = {name: equations.starts[name] for name in states}
    return lower(replace(model, mechanisms=(_opened(equations.mechanism, starts, {}),)).compose())


def initial_values(
    equations: Equations, values: Values, chosen: Mapping[str, Dual]
) -> tuple[dict[str, Dual], dict[str, Dual]]:
    """Initial values of all states, of which some are chosen, and of identifiers that have an initial assignment.

    A value that an identifier has takes the place of its initial assignment.
    """
    system = opened_at(equations, frozenset(chosen)) if chosen else equations.original
    definitions = equations.imported.initials
    own = {definitions[name]: values[name] for name in definitions if name in values}
    known = model_parameters(equations, system.parameters, values)
    known |= {equations.starts[name]: value for name, value in chosen.items()}
    for symbol, expression in system.constants:
        known[str(symbol)] = own[str(symbol)] if str(symbol) in own else evaluate(expression, known)
    states = {
        name: chosen[name] if name in chosen else evaluate(initial, known)
        for name, initial in zip(system.states, system.initial, strict=True)
    }
    return states, {name: known[definitions[name]] for name in equations.givens}


def model_parameters(equations: Equations, names: Sequence[str], values: Values) -> dict[str, Dual]:
    """Parameters of a system: what identifiers have, or else the model."""
    back = _back(equations)
    defaults = _defaults(equations)
    return {
        name: values[back[name]] if name in back and back[name] in values else constant(defaults.get(name, np.nan))
        for name in names
    }


@functools.lru_cache(maxsize=32)
def _back(equations: Equations) -> Mapping[str, str]:
    return {name: identifier for identifier, name in equations.imported.names.items()}


@functools.lru_cache(maxsize=32)
def _defaults(equations: Equations) -> Mapping[str, float]:
    (mechanism,) = equations.imported.model.mechanisms
    return {part.name: part.value for part in mechanism.parameters}
