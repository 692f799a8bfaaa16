"""The mechanism of a file: states with their reactions, definitions, observables and events."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from simulate.errors import Where
from simulate.exchange.sbml.document import all_of
from simulate.exchange.sbml.events import event_of
from simulate.exchange.sbml.rates import Rates
from simulate.exchange.sbml.rules import assigned_value, initial_value
from simulate.exchange.sbml.timeunit import conversion_of_time
from simulate.exchange.sbml.variables import Variable, meanings_of
from simulate.symbolic.naming import check_name
from simulate.symbolic.parts import Definition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS

MAX_OBSERVABLES = 256


def mechanism_of(rates: Rates, time_unit: str, dropped: list[str], *, fluxes: bool) -> Mechanism:
    """The mechanism of a file, with those parameters that are used.

    Parameters
    ----------
    rates
        What formulas of the file mean.
    time_unit
        Unit of time of the model.
    dropped
        Takes what is left out, in words.
    fluxes
        Whether rates of reactions are observables.
    """
    return _Maker(rates, time_unit, dropped, fluxes).mechanism()


class _Maker:
    """One making of one mechanism."""

    def __init__(self, rates: Rates, time_unit: str, dropped: list[str], fluxes: bool) -> None:
        self.rates, self.quantities, self.file = rates, rates.quantities, rates.file
        self.time_unit, self.dropped, self.fluxes = time_unit, dropped, fluxes
        self.definitions: list[Definition] = []
        self.observables: list[Observable] = []
        self.meanings = meanings_of(list(self.quantities.variables.values()))

    def mechanism(self) -> Mechanism:
        variables = self.quantities.variables
        for variable in variables.values():
            if variable.how == "state":
                name = self.quantities.names[variable.id]
                own = self.quantities.taken.new(f"{name}_amount") if variable.from_amount else name
                variable.state = Species(own, self.meanings[variable.id], DIMENSIONLESS, 0)
        for variable in variables.values():
            self._define(variable)
        states, reactions = self._states()
        events = [event_of(self.rates, event, self.dropped) for event in all_of(self.file.model.getListOfEvents())]
        found = Mechanism(
            name="sbml",
            title=" ".join((self.file.model.getName() or "").split()),
            species=states,
            definitions=tuple(self.definitions),
            reactions=reactions,
            observables=tuple(self.observables),
            events=tuple(event for event in events if event is not None),
        )
        found = self._with_fluxes(found)
        if not found.species:
            found = self._with_clock(found)
        for part in found.species:
            check_name(part.name, Where(file=str(self.file.path)))
        per_time = conversion_of_time(str(self.rates.per_time), self.time_unit)
        used = found.used_names()
        declared = {**self.quantities.parameters, per_time.name: per_time}
        return replace(found, parameters=tuple(part for name, part in declared.items() if name in used))

    # Definitions and observables.
    def _define(self, variable: Variable) -> None:
        """Definition, and observable, of what is no state itself."""
        if variable.from_amount:
            # Without reactions the amount stays, in a volume that changes.
            state = variable.state
            amount = at_baseline(initial_value(self.rates, variable)) if state is None else state.symbol
            volume = self.quantities.volume(variable.compartment, self.file.where(variable.element))
            self._defined(variable, amount / volume)
        elif variable.how == "assigned":
            self._defined(variable, assigned_value(self.rates, variable))
        elif variable.how == "initial":
            value = initial_value(self.rates, variable)
            self._defined(variable, value if value.is_Rational else at_baseline(value))

    def _defined(self, variable: Variable, expression: Expr) -> None:
        meaning = self.meanings[variable.id]
        self.definitions.append(Definition(str(variable.symbol), meaning, DIMENSIONLESS, expression))
        self._observed(self.quantities.names[variable.id], meaning, variable.symbol)

    def _observed(self, name: str, meaning: str, symbol: Expr) -> None:
        if len(self.observables) < MAX_OBSERVABLES:
            self.observables.append(Observable(name, meaning, DIMENSIONLESS, symbol))
        else:
            self.dropped.append(f"`{name}` as an output: there are more than {MAX_OBSERVABLES}")

    # States and reactions.
    def _states(self) -> tuple[tuple[Species, ...], tuple[Reaction, ...]]:
        """States with their initial values, and what changes them."""
        species: list[Species] = []
        reactions: list[Reaction] = []
        changes: dict[str, dict[Species, Expr]] = {}
        for variable in self.quantities.variables.values():
            if variable.state is None:
                continue
            variable.state = state = replace(variable.state, initial=initial_value(self.rates, variable))
            species.append(state)
            if variable.rule is not None:
                rate = self.rates.per_time * self.rates.by_rule(variable)
                reactions.append(Reaction(f"{state.name}_by_rule", rate, {state: 1}))
            factors = self.rates.factors(variable)
            for name, factor in factors.items():
                changes.setdefault(name, {})[state] = factor
            if variable.rule is None and not factors:
                reactions.append(Reaction(f"{state.name}_stays", sympy.S.Zero, {state: 1}))
        defined: set[Symbol] = {symbol for part in self.definitions for symbol in part.expression.free_symbols}
        for name, by in changes.items():
            flux, symbol = self.rates.flux(name), self.quantities.rates[name]
            rate = symbol if self.fluxes or symbol in defined else flux
            reactions.append(Reaction(self.quantities.names[name], self.rates.per_time * rate, by))
        return tuple(species), tuple(reactions)

    def _with_fluxes(self, mechanism: Mechanism) -> Mechanism:
        """The same, with rates of reactions as observables if they are asked for, and definitions of those named."""
        if self.fluxes:
            for name, reaction in self.quantities.reactions.items():
                law = reaction.getKineticLaw()
                if law is not None and law.isSetMath():
                    self.rates.flux(name)
                    self._observed(self.quantities.names[name], name, self.quantities.rates[name])
        mechanism = replace(mechanism, observables=tuple(self.observables))
        names = {symbol: name for name, symbol in self.quantities.rates.items()}
        used: set[Symbol] = set()
        waiting = list(mechanism.expressions())
        while waiting:
            new = waiting.pop().free_symbols & names.keys() - used
            used |= new
            waiting += [self.rates.flux(names[symbol]) for symbol in new]
        for symbol, name in names.items():
            if symbol in used:
                flux = self.rates.flux(name)
                self.definitions.append(Definition(str(symbol), f"rate of {name}", DIMENSIONLESS, flux))
        return replace(mechanism, definitions=tuple(self.definitions))

    def _with_clock(self, mechanism: Mechanism) -> Mechanism:
        """The same with a state for a model that has none, as one without any cannot be solved."""
        name = self.quantities.taken.new("model_time")
        clock = Species(name, "time, as the model has no other state", DIMENSIONLESS, 0)
        passes = Reaction(f"{name}_passes", self.rates.per_time, {clock: 1})
        return replace(mechanism, species=(clock,), reactions=(*mechanism.reactions, passes))
