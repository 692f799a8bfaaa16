"""A regimen as events of the model, for formats that have no routes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy
from sympy import Expr

from simulate.errors import InputError
from simulate.exchange.numbers import free_name
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Event, Parameter, Reaction, Route, Species
from simulate.symbolic.switching import at_least
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import unit

_FIRST = 1_000_000
"""Priority of doses: they come before what a model does by itself at the same time."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is given at one time, in days.

    Attributes
    ----------
    doses
        Amount by name of a route, in its unit.
    rates
        Rate at which a route is fed from then on, by its name, in its unit a day.
    """

    time: float
    doses: Mapping[str, float]
    rates: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Said:
    """A model in the text of another program.

    Attributes
    ----------
    text
        The model.
    doses
        Text of a table of what is given, for a file of its own; empty where the model says it, or nothing is given.
    renamed
        Name in the text by name in the model, of those that the language does not allow.
    left_out
        What the model has and this text has not, though another may.
    """

    text: str
    doses: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def with_given(model: Model, given: Sequence[Given]) -> Model:
    """A composed model without routes, in which events give what is given.

    A route that is fed at a rate has a state for it, ``ROUTE_rate``; each amount is a parameter, ``ROUTE_amount``.

    Raises
    ------
    InputError
        ``exchange.name``: the name of such a state is taken.
    """
    fed = with_rates(model, given)
    amounts = _amounts(fed, given)
    events = []
    for number, one in enumerate(given, start=1):
        named = {name: amounts[name, amount].symbol for name, amount in one.doses.items()}
        events.append(_event(number, one, _changes(model, one, named)))
    return replace(fed, routes=(), parameters=(*fed.parameters, *amounts.values()), events=(*fed.events, *events))


def with_rates(model: Model, given: Sequence[Given]) -> Model:
    """A composed model with a state ``ROUTE_rate`` for each of its routes that is fed at a rate.

    Raises
    ------
    InputError
        ``exchange.name``: the name of such a state is taken.
    """
    routes = {route.name: route for route in model.routes}
    fed = [routes[name] for name in dict.fromkeys(name for one in given for name in one.rates)]
    taken = {part.name for part in (*model.species, *model.parameters, *model.definitions, *model.observables)}
    rates = {route.name: _rate(route) for route in fed}
    for state in rates.values():
        if state.name in taken:
            raise InputError(
                f"the name `{state.name}` is taken, which the rate of an infusion would have", code="exchange.name"
            )
    reactions = tuple(
        Reaction(f"{route.name}_fed", rates[route.name].symbol * _gain(route), {route.target: 1}) for route in fed
    )
    return replace(
        model,
        species=(*model.species, *rates.values()),
        initial=(*model.initial, *(sympy.Integer(0) for _ in rates)),
        reactions=(*model.reactions, *reactions),
    )


def changes_of(model: Model, given: Given) -> dict[Species, Expr]:
    """What states of `with_rates` become when something is given to a model with routes, in the base of units."""
    routes = {route.name: route for route in model.routes}
    return _changes(model, given, {name: _quantity(amount, routes[name]) for name, amount in given.doses.items()})


def _changes(model: Model, given: Given, amounts: Mapping[str, Expr]) -> dict[Species, Expr]:
    routes = {route.name: route for route in model.routes}
    changes: dict[Species, Expr] = {}
    for name, amount in amounts.items():
        route = routes[name]
        changes[route.target] = changes.get(route.target, route.target.symbol) + _gain(route) * amount
    return changes | {_rate(routes[name]): _quantity(rate, routes[name]) for name, rate in given.rates.items()}


def _amounts(model: Model, given: Sequence[Given]) -> dict[tuple[str, float], Parameter]:
    """A parameter for each amount that a route gives."""
    routes = {route.name: route for route in model.routes}
    parts = (model.species, model.parameters, model.balance, model.definitions, model.observables)
    taken = {part.name for group in parts for part in group}
    found: dict[tuple[str, float], Parameter] = {}
    for name, amount in dict.fromkeys(dose for one in given for dose in one.doses.items()):
        own = free_name(f"{name}_amount", taken)
        meaning = f"amount of {routes[name].drug} that is given by `{name}`"
        found[name, amount] = Parameter(own, meaning, amount, routes[name].unit, source="the regimen")
    return found


def _event(number: int, given: Given, changes: Mapping[Species, Expr]) -> Event:
    return Event(
        name=f"given_{number}",
        when=at_least(TIME, _exact(given.time)),
        changes=changes,
        priority=_FIRST,
        at_start=given.time <= 0.0,
        at_trigger=False,
    )


def _rate(route: Route) -> Species:
    return Species(
        f"{route.name}_rate", f"rate at which {route.drug} is given by `{route.name}`", unit(f"{route.unit.text}/d")
    )


def _gain(route: Route) -> Expr:
    return sympy.sympify(route.gain, strict=True)


def _quantity(number: float, route: Route) -> Expr:
    """A number in the unit of a route, in the coherent base."""
    return _exact(number) * sympy.Rational(route.unit.factor)


def _exact(number: float) -> Expr:
    if not math.isfinite(number):
        raise AssertionError
    return sympy.Rational(repr(float(number)))
