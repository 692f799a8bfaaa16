"""A system as analytic pieces: what some observables need of it, and one system for each stretch between two bends."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.kernels.system import System, infusion
from simulate.symbolic.constants import approximate
from simulate.symbolic.functions import substitute
from simulate.symbolic.printing import print_expression
from simulate.symbolic.symbols import TIME

_A_MOMENT = sympy.Rational(1, 10**6)
_BENDS = (sympy.Max, sympy.Min, sympy.Abs)


def needed(system: System, observables: Sequence[str]) -> System:
    """The system reduced to some observables, in that order, and to what they depend on; nothing is being infused.

    Raises
    ------
    InputError
        ``identifiability.events``: the system has events.
    """
    if system.events:
        raise InputError(
            "identifiability cannot be decided for a model with events",
            code="identifiability.events",
            found=", ".join(event.name for event in system.events),
            advice="leave the events out of the model",
        )
    idle = {infusion(route): sympy.S.Zero for route in system.routes}
    rates = {
        Symbol(name): substitute(rate, idle) for name, rate in zip(system.states, system.rhs, strict=True)
    }  # fmt: skip
    observed = tuple(system.observed[system.observables.index(name)] for name in observables)
    constants = dict(system.constants)
    initial = dict(zip(rates, system.initial, strict=True))
    gains: dict[Symbol, list[Expr]] = {symbol: [] for symbol in rates}
    for target, gain in zip(system.route_targets, system.gains, strict=True):
        gains[Symbol(system.states[target])].append(gain)
    used: set[Symbol] = set()
    waiting = set[Symbol]().union(*(value.free_symbols for value in observed))
    while waiting:
        symbol = waiting.pop()
        used.add(symbol)
        own = [constants[symbol]] if symbol in constants else []
        own += [rates[symbol], initial[symbol], *gains[symbol]] if symbol in rates else []
        waiting |= set[Symbol]().union(*(value.free_symbols for value in own)) - used
    kept = [index for index, name in enumerate(system.states) if Symbol(name) in used]
    routes = [index for index, target in enumerate(system.route_targets) if target in kept]
    return replace(
        system,
        states=tuple(system.states[index] for index in kept),
        observables=tuple(observables),
        constants=tuple((symbol, value) for symbol, value in system.constants if symbol in used),
        initial=tuple(system.initial[index] for index in kept),
        rhs=tuple(rates[Symbol(system.states[index])] for index in kept),
        observed=observed,
        routes=tuple(system.routes[index] for index in routes),
        route_targets=tuple(kept.index(system.route_targets[index]) for index in routes),
        gains=tuple(system.gains[index] for index in routes),
        conditions=(),
        reasons=(),
    )


def with_numbers(system: System, values: Mapping[Symbol, sympy.Rational]) -> System:
    """The system with those known parameters as numbers that decide its form: 0, 1, and whole exponents."""
    exponents = {
        symbol
        for expression in _expressions(system)
        for power in expression.atoms(sympy.Pow)
        for symbol in power.exp.free_symbols
    }
    numbers = {
        symbol: value
        for symbol, value in values.items()
        if value in (0, 1) or (symbol in exponents and value.is_Integer)
    }
    return _changed(system, numbers) if numbers else system


def stretches(system: System, values: Mapping[Symbol, sympy.Rational]) -> list[tuple[Expr, System]]:
    """Start of each stretch, in parameters, and the system that holds during it.

    A stretch begins at time zero and wherever an expression in time and parameters bends after that, as
    ``max(t - start, 0)`` does. Which side of a bend counts is decided at typical values of the parameters.

    Raises
    ------
    InputError
        ``identifiability.bend``: an expression bends where the state is, or not at one time.
    """
    bends = _bends(system)
    if not bends:
        return [(sympy.S.Zero, system)]
    numbers = dict(values)
    for symbol, value in system.constants:
        numbers[symbol] = _number(value, numbers)
    states = {Symbol(name) for name in system.states}
    starts: dict[sympy.Rational, Expr] = {sympy.S.Zero: sympy.S.Zero}
    for bend in bends:
        if bend.free_symbols & states:
            raise _refusal(bend)
        for difference in _differences(bend):
            slope = sympy.diff(difference, TIME)
            if TIME in slope.free_symbols:
                raise _refusal(bend)
            if slope != 0:
                start = -difference.xreplace({TIME: sympy.S.Zero}) / slope
                starts[_number(start, numbers)] = start
    return [
        (start, _straight(system, numbers | {TIME: time + _A_MOMENT}))
        for time, start in sorted(starts.items())
        if time >= 0
    ]


def _straight(system: System, numbers: Mapping[Symbol, sympy.Rational]) -> System:
    """The system with each bend replaced by the side that holds at these values."""
    while bends := _bends(system):
        # Those within others first.
        sides = {bend: _side(bend, numbers) for bend in bends if not any(part.has(*_BENDS) for part in bend.args)}
        system = _changed(system, sides)
    return system


def _side(bend: Any, numbers: Mapping[Symbol, sympy.Rational]) -> Expr:
    if bend.func == sympy.Abs:
        inside: Expr = bend.args[0]
        return inside if _number(inside, numbers) >= 0 else -inside
    choose = max if bend.func == sympy.Max else min
    # Of two that are equal the plain number.
    arguments = sorted(bend.args, key=lambda part: not part.is_Rational)
    side: Expr = choose(arguments, key=lambda part: _number(part, numbers))
    return side


def _differences(bend: Any) -> list[Expr]:
    if bend.func == sympy.Abs:
        return [bend.args[0]]
    return [first - second for first, second in itertools.combinations(bend.args, 2)]


def _bends(system: System) -> list[Any]:
    return sorted({bend for expression in _expressions(system) for bend in expression.atoms(*_BENDS)}, key=str)


def _expressions(system: System) -> Iterable[Expr]:
    yield from (value for _, value in system.constants)
    for group in (system.initial, system.rhs, system.observed, system.gains):
        yield from (sympy.sympify(expression, strict=True) for expression in group)


def _changed(system: System, mapping: Mapping[Expr, Expr]) -> System:
    def change(expression: Expr) -> Expr:
        return substitute(sympy.sympify(expression, strict=True), mapping)

    return replace(
        system,
        constants=tuple((symbol, change(value)) for symbol, value in system.constants),
        initial=tuple(map(change, system.initial)),
        rhs=tuple(map(change, system.rhs)),
        observed=tuple(map(change, system.observed)),
        gains=tuple(map(change, system.gains)),
    )


def _number(expression: Expr, numbers: Mapping[Symbol, sympy.Rational]) -> sympy.Rational:
    if expression.free_symbols - numbers.keys():
        # A bare system has no typical values.
        raise _refusal(expression)
    return sympy.Rational(repr(float(approximate(substitute(expression, numbers)))))


def _refusal(bend: Expr) -> InputError:
    return InputError(
        "identifiability cannot be decided where an expression bends as the state or time will have it",
        code="identifiability.bend",
        where=Where(term=print_expression(bend)),
        expected="bends at times that parameters set, such as max(t - start, 0), in a model that has their values",
        advice="leave the mechanism out for this question, or choose observables that do not need it",
    )
