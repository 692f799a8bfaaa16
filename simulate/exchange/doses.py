"""Events of a file that are doses, as routes and a regimen in words that a user can change.

An event is a dose where it adds to states, at a time that is a number, what depends on no state; or where it does so
whenever time reaches a counter that it then moves on, as Palmer and others (2014, BIOMD0000000620) give anakinra. Time
may be multiplied by a number, as where a converted file counts days and its model hours. Other events, such as those
that set a state, stay events, and `Imported.events` says why. Whether a trigger counts as false before the beginning
makes no difference to a time after it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import sympy
from sympy import Expr, Symbol

from simulate.exchange.numbers import free_name
from simulate.exchange.sbml.reading import Imported
from simulate.symbolic.parts import Event, Mechanism, Route, Species
from simulate.symbolic.switching import above, at_least, both, same
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import DIMENSIONLESS

UNIT = "dimensionless"
"""Unit of the amounts, which are pure numbers as in the file."""
_UNTIMED = "it is not at a time that is a number"


@dataclass(frozen=True, slots=True)
class _Timing:
    """When an event adds, in the unit of time of the file: from ``start`` on, ``every`` so often, ``count`` times."""

    start: Expr
    every: Expr | None = None
    count: int | None = None
    counter: Species | None = None


@dataclass(frozen=True, slots=True)
class _Addition:
    """What is added to a state: a number, and what it is multiplied by, in which there are parameters."""

    target: Species
    amount: Expr
    gain: Expr


def with_doses(imported: Imported) -> Imported:
    """The same model, whose doses are by routes, and `Imported.regimen` what the file prescribes."""
    (mechanism,) = imported.model.mechanisms
    state_free = _free_of_states(mechanism, set(imported.initials.values()))
    found: list[tuple[Event, _Timing, list[_Addition]]] = []
    reasons: dict[str, str] = {}
    for event in mechanism.events:
        timing = _timing(event, mechanism)
        additions = timing if isinstance(timing, str) else _additions(event, timing, state_free)
        if isinstance(timing, str) or isinstance(additions, str):
            reasons[event.name] = str(additions)
        else:
            found.append((event, timing, additions))
    imported = replace(imported, events=MappingProxyType(reasons))
    if not found:
        return imported
    routes: dict[tuple[Species, Expr], Route] = {}
    taken = _names(mechanism)
    words: list[str] = []
    for _, timing, additions in found:
        for one in additions:
            place = (one.target, one.gain)
            if place not in routes:
                # None that begins so is a word of regimens.
                name = free_name(f"into_{one.target.name}", taken)
                routes[place] = Route(name, one.target.name, one.target, DIMENSIONLESS, one.gain)
            words.append(_words(one.amount, routes[place].name, timing, imported.time_unit))
    counters = {timing.counter for _, timing, _ in found if timing.counter is not None}
    regimen = " and ".join(words)
    names = ", ".join(f"`{route.name}`" for route in routes.values())
    given = {event.name for event, _, _ in found}
    events = ", ".join(f"`{event.name}`" for event, _, _ in found)
    told = f"the events {events}, which are doses: given by the routes {names}, as the regimen says"
    return replace(
        imported,
        model=replace(imported.model, mechanisms=(_without(mechanism, given, counters, tuple(routes.values())),)),
        dropped=(*imported.dropped, told),
        names=MappingProxyType(
            {name: own for name, own in imported.names.items() if own not in {part.name for part in counters}}
        ),
        regimen=regimen,
    )


def _free_of_states(mechanism: Mechanism, initials: set[str]) -> set[Symbol]:
    """Symbols of numbers that are the same for a whole course: neither states nor what is computed of them."""
    moving = {part.symbol for part in mechanism.species} | {TIME}
    rest = {part.symbol: part.expression for part in mechanism.definitions if part.name not in initials}
    # A rule that computes a number of parameters alone gives one number.
    while found := {
        symbol for symbol, value in rest.items() if sympy.sympify(value, strict=True).free_symbols & moving
    }:
        moving |= found
        rest = {symbol: value for symbol, value in rest.items() if symbol not in found}
    symbols: set[Symbol] = set()
    for event in mechanism.events:
        for value in event.changes.values():
            symbols |= sympy.sympify(value, strict=True).free_symbols
    return symbols - moving


def _timing(event: Event, mechanism: Mechanism) -> _Timing | str:
    """When an event adds, or why it is not known."""
    if event.delay != 0 or event.priority is not None:
        return "it has a delay" if event.delay != 0 else "it has a priority"
    when = event.when
    if isinstance(when, at_least | above):
        left, right = when.args
        factor = _factor_of_time(left)
        if factor is None or not right.is_Rational:
            return _UNTIMED
        return _Timing(right / factor) if right > 0 else "it is not after time 0"
    parts = when.args if isinstance(when, both) else (when,)
    equal = [part for part in parts if isinstance(part, same)]
    limits = [part for part in parts if isinstance(part, above)]
    if len(equal) != 1 or len(equal) + len(limits) != len(parts) or len(limits) > 1:
        return _UNTIMED
    counter = next((part for part in mechanism.species if part.symbol in equal[0].args), None)
    if counter is None or not any(_is_time(part) for part in equal[0].args):
        return _UNTIMED
    start = sympy.sympify(counter.initial, strict=True)
    step = sympy.sympify(event.changes.get(counter, 0), strict=True) - counter.symbol
    if not (start.is_Rational and start > 0 and step.is_Rational and step > 0):
        return f"`{counter.name}` counts in steps that are no numbers above 0"
    if _is_used(counter, event, mechanism):
        return f"`{counter.name}` has to do with more than it"
    if not limits:
        return _Timing(start, step, None, counter)
    most, limited = limits[0].args
    if limited != counter.symbol or not most.is_Rational:
        return _UNTIMED
    count = math.ceil((most - start) / step)
    return _Timing(start, step, count, counter) if count > 0 else "it never happens"


def _is_time(expression: Expr) -> bool:
    """Whether an expression is time in the unit of the file: `TIME` by the factor between the units."""
    return _factor_of_time(expression) == 1


def _factor_of_time(expression: Expr) -> Expr | None:
    """The positive number by which time in the unit of the file is multiplied, as in files that count another unit."""
    if not expression.has(TIME):
        return None
    factor, rest = (expression / TIME).as_coeff_Mul()
    return factor if rest.is_Symbol and factor.is_Rational and factor > 0 else None


def _is_used(counter: Species, event: Event, mechanism: Mechanism) -> bool:
    """Whether something but an event and its own standing still has to do with a counter."""
    expressions: list[Expr | float] = [part.expression for part in mechanism.definitions]
    expressions += [part.expression for part in mechanism.observables]
    expressions += [part.initial for part in mechanism.species if part != counter]
    for reaction in mechanism.reactions:
        if counter in reaction.change and reaction.rate != 0:
            return True
        expressions += [reaction.rate, *reaction.change.values()]
    for other in mechanism.events:
        if other.name != event.name:
            if counter in other.changes:
                return True
            expressions += [other.when, other.delay, other.priority or 0, *other.changes.values()]
    expressions += [value for species, value in event.changes.items() if species != counter]
    return any(counter.symbol in sympy.sympify(part, strict=True).free_symbols for part in expressions)


def _additions(event: Event, timing: _Timing, state_free: set[Symbol]) -> list[_Addition] | str:
    """What an event adds, or what else it does."""
    found = []
    for target, value in event.changes.items():
        if target == timing.counter:
            continue
        value = sympy.sympify(value, strict=True)
        if not value.has(target.symbol):
            return f"it sets `{target.name}`"
        added = sympy.expand(value - target.symbol)
        if added == 0 or not added.free_symbols <= state_free:
            return f"what it does to `{target.name}` depends on states"
        # Each term is a route of its own: two drugs that go in at once can be changed one by one.
        for amount, gain in (term.as_coeff_Mul() for term in sympy.Add.make_args(added)):
            if amount.is_Rational is not True or amount <= 0:
                return f"what it adds to `{target.name}` is no number above 0"
            found.append(_Addition(target, amount, gain))
    return found or "it adds to no state"


def _names(mechanism: Mechanism) -> set[str]:
    parts = (mechanism.species, mechanism.definitions, mechanism.observables, mechanism.parameters)
    return {part.name for group in parts for part in group} | {part.name for part in mechanism.reactions}


def _words(amount: Expr, route: str, timing: _Timing, time_unit: str) -> str:
    head, _, tail = time_unit.partition(" ")
    scale, unit_text = (sympy.Rational(head), tail) if tail else (sympy.S.One, time_unit)

    def said(number: Expr) -> str:
        return f"{_number(number * scale)} {unit_text}"

    words = f"{_number(amount)} {UNIT} {route}"
    if timing.every is None:
        return f"{words} at {said(timing.start)}"
    often = f" x {timing.count}" if timing.count is not None else ""
    return f"{words} every {said(timing.every)} from {said(timing.start)}{often}"


def _number(number: Expr) -> str:
    """A number as regimens have it: digits where they end soon, else a fraction."""
    digits = f"{float(number):.15g}"
    return digits if "e" not in digits and sympy.Rational(digits) == number else f"{number.p}/{number.q}"


def _without(
    mechanism: Mechanism,
    doses: Collection[str],
    counters: set[Species],
    routes: Sequence[Route],
) -> Mechanism:
    reactions = [
        part for part in mechanism.reactions if not counters or not set(part.change) <= counters or part.rate != 0
    ]
    return replace(
        mechanism,
        species=tuple(part for part in mechanism.species if part not in counters),
        reactions=tuple(reactions),
        routes=tuple(routes),
        events=tuple(event for event in mechanism.events if event.name not in doses),
    )
