"""A model as a system of ordinary differential equations in pure numbers: ordered states, right-hand side, observables.

`lower` turns a composed model into such a system. Every symbol then stands for a number in its declared unit; the
conversion factors, exact fractions, are part of the expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.functions import substitute
from simulate.symbolic.model import Model
from simulate.symbolic.symbols import TIME


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in pure numbers, as `simulate.symbolic.parts.Event`: ``values`` is what states become, by index."""

    name: str
    when: Expr
    targets: tuple[int, ...]
    values: tuple[Expr, ...]
    delay: Expr = sympy.S.Zero
    priority: Expr | None = None
    persistent: bool = True
    at_start: bool = False
    at_trigger: bool = True


@dataclass(frozen=True, slots=True)
class System:
    """Ordinary differential equations with their baseline, observables and ways in.

    Attributes
    ----------
    states, parameters, observables, routes
        Names, in order.
    units
        Units of states, then of observables.
    constants
        Named expressions in parameters and earlier constants, in an order in which they can be computed.
    initial
        Initial state, expressions in parameters and constants.
    rhs
        Derivatives, expressions in time, states, parameters, constants and `infusion` symbols.
    observed
        Values of the observables, expressions like those of ``rhs``.
    route_targets
        Index of the state that each route feeds.
    gains
        Change of the target for one administered unit.
    conditions, reasons
        What must not be negative in parameters and constants, and the sentence for when it is.
    events
        What sets states when a condition comes to hold.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    units: tuple[str, ...]
    constants: tuple[tuple[Symbol, Expr], ...]
    initial: tuple[Expr, ...]
    rhs: tuple[Expr, ...]
    observed: tuple[Expr, ...]
    routes: tuple[str, ...] = ()
    route_targets: tuple[int, ...] = ()
    gains: tuple[Expr, ...] = ()
    conditions: tuple[Expr, ...] = ()
    reasons: tuple[str, ...] = ()
    events: tuple[Happening, ...] = ()


def infusion(route: str) -> Symbol:
    """Symbol of the rate at which a route is being fed, in administered units a day; no user can write this name."""
    return Symbol(f"infusion:{route}")


def lower(model: Model) -> System:
    """System of a composed model.

    Definitions are written out; those that do not change in time become constants. The numbers of a state, parameter or
    observable are in its declared unit, and time is in days.
    """
    declared = {part.symbol: part.unit for part in (*model.species, *model.parameters)}
    coherent: dict[Symbol, Expr] = {
        symbol: _rational(unit.factor) * symbol for symbol, unit in declared.items() if unit.factor != 1
    }
    varying = {TIME, *(species.symbol for species in model.species)}
    constants: list[tuple[Symbol, Expr]] = []

    def written_out(expression: Expr) -> Expr:
        return substitute(sympy.sympify(expression, strict=True), coherent)

    for solved in model.balance:
        constants.append((Symbol(solved.name), written_out(solved.expression)))
    for definition in model.definitions:
        expression = written_out(definition.expression)
        if expression.free_symbols & varying:
            coherent[definition.symbol] = expression
        else:
            constants.append((definition.symbol, expression))

    factors = [_rational(species.unit.factor) for species in model.species]
    gains = [written_out(route.gain) * _rational(route.unit.factor) for route in model.routes]
    names = [species.name for species in model.species]
    targets = [names.index(route.target.name) for route in model.routes]
    rates = [written_out(rate) for rate in model.rates()]
    for route, target, gain in zip(model.routes, targets, gains, strict=True):
        rates[target] += gain * infusion(route.name)
    return System(
        states=tuple(species.name for species in model.species),
        parameters=tuple(parameter.name for parameter in model.parameters),
        observables=tuple(observable.name for observable in model.observables),
        units=tuple(part.unit.text for part in (*model.species, *model.observables)),
        constants=_in_order(constants),
        initial=tuple(written_out(value) / factor for value, factor in zip(model.initial, factors, strict=True)),
        rhs=tuple(rate / factor for rate, factor in zip(rates, factors, strict=True)),
        observed=tuple(written_out(part.expression) / _rational(part.unit.factor) for part in model.observables),
        routes=tuple(route.name for route in model.routes),
        route_targets=tuple(targets),
        gains=tuple(gain / factors[target] for gain, target in zip(gains, targets, strict=True)),
        conditions=tuple(written_out(condition.expression) for condition in model.conditions),
        reasons=tuple(condition.reason for condition in model.conditions),
        events=tuple(
            Happening(
                name=event.name,
                when=written_out(event.when),
                targets=tuple(names.index(target.name) for target in event.changes),
                values=tuple(
                    written_out(value) / factors[names.index(target.name)] for target, value in event.changes.items()
                ),
                delay=written_out(event.delay),
                priority=None if event.priority is None else written_out(event.priority),
                persistent=event.persistent,
                at_start=event.at_start,
                at_trigger=event.at_trigger,
            )
            for event in model.events
        ),
    )


def equations(
    rates: Mapping[str, str | Expr],
    initial: Sequence[str | float | Expr],
    *,
    parameters: Sequence[str] = (),
    observables: Mapping[str, str | Expr] | None = None,
) -> System:
    """System from bare equations without units, such as the standard test problems.

    Parameters
    ----------
    rates
        Derivative of each state, by name; text is read by the expression grammar.
    initial
        Initial values in the same order, numbers or expressions in the parameters.
    parameters, observables
        Names of parameters; observables by name.
    """
    observed = observables or {}
    return System(
        states=tuple(rates),
        parameters=tuple(parameters),
        observables=tuple(observed),
        units=("",) * (len(rates) + len(observed)),
        constants=(),
        initial=tuple(_expression(value) for value in initial),
        rhs=tuple(_expression(rate) for rate in rates.values()),
        observed=tuple(_expression(value) for value in observed.values()),
    )


def _expression(value: str | float | Expr) -> Expr:
    return parse_expression(value) if isinstance(value, str) else sympy.sympify(value, strict=True)


def _rational(factor: object) -> sympy.Rational:
    return sympy.Rational(factor)


def _in_order(constants: list[tuple[Symbol, Expr]]) -> tuple[tuple[Symbol, Expr], ...]:
    """Constants such that each needs only earlier ones; the composed model has already excluded circles."""
    names = {symbol for symbol, _ in constants}
    ordered: list[tuple[Symbol, Expr]] = []
    placed: set[Symbol] = set()
    waiting = constants
    while waiting:
        ready = [(symbol, value) for symbol, value in waiting if not (value.free_symbols & names) - placed]
        ordered += ready
        placed |= {symbol for symbol, _ in ready}
        waiting = [pair for pair in waiting if pair[0] not in placed]
        if not ready:
            raise AssertionError(f"circular constants: {sorted(str(symbol) for symbol, _ in waiting)}")
    return tuple(ordered)
