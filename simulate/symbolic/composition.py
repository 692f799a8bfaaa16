"""Composition of mechanisms and a hypothesis into one model; here alone a model is validated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, did_you_mean
from simulate.symbolic.balance import solve_balances
from simulate.symbolic.baseline import Baseline, defined
from simulate.symbolic.dimensions import infer, require, require_condition
from simulate.symbolic.gathering import Parts, gather, select
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.limits import check_extents, check_states
from simulate.symbolic.model import Model, Solved
from simulate.symbolic.parts import Condition, Event, Mechanism, Parameter, Reaction, Species
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import DIMENSIONLESS, PER_DAY, TIME_DIMENSION, Dimension
from simulate.uncollected import uncollected

ParameterTable = Mapping[str, Parameter]
"""Parameters by name, of which a model takes those that it uses."""

Places = Mapping[str, Where]
"""Where the keys of a model file stand, such as ``reactions.loss.rate``."""

_EMPTY: ParameterTable = MappingProxyType({})
_NOWHERE: Places = MappingProxyType({})


@uncollected()
def compose(
    mechanisms: Sequence[Mechanism],
    hypothesis: Hypothesis = NONE,
    *,
    values: ParameterTable = _EMPTY,
    name: str = "model",
    title: str = "",
    places: Places = _NOWHERE,
) -> Model:
    """Model of a set of mechanisms, changed by a hypothesis.

    The order of the mechanisms has no influence on the result. Everything that a model can be checked for without
    numbers is checked here: names, missing and unused symbols, circles, the dimension of every term, the baseline.

    Parameters
    ----------
    mechanisms
        The base model.
    hypothesis
        Changes to it.
    values
        Parameters by name. They take precedence over parameters that a mechanism declares itself.
    name, title
        How reports call the model.
    places
        Keys of a model file, with file and line, for errors.

    Raises
    ------
    InputError
        ``model.…``: ``name``, ``clash``, ``undefined``, ``unused``, ``circular``, ``no-rate``, ``gain``, ``empty``,
        ``value``, ``limit``; ``units.mismatch``, ``hypothesis.unknown``, ``balance.…``, ``baseline.undefined``,
        ``expression.…``.
    """
    try:
        return _compose(mechanisms, hypothesis, values, name, title)
    except InputError as error:
        error.where = _located(error.where, places)
        raise
    except RecursionError:
        raise InputError(
            "the definitions of the model build on one another too deeply",
            code="model.limit",
            expected="chains of at most some hundred definitions",
        ) from None


def _compose(
    mechanisms: Sequence[Mechanism], hypothesis: Hypothesis, values: ParameterTable, name: str, title: str
) -> Model:
    chosen = select(mechanisms, hypothesis)
    check_states(sum(len(part.species) for part in chosen), sum(len(part.observables) for part in chosen))
    parts = gather(chosen)
    parameters = _parameters(parts, hypothesis, values)
    _check_rates(parts)
    dimensions = _dimensions(parts, parameters)
    _check_dimensions(parts, dimensions)
    silent = [part.name for part in (*parts.observables, *parts.routes)]  # no expression may mention them
    baseline = Baseline(parts.species, parts.definitions, {*dimensions, *silent})
    balance = _balance(parts, baseline)
    initial = {part.name: _constant(baseline, part.initial, f"species.{part.name}.initial") for part in parts.species}
    species = {part.name: replace(part, initial=initial[part.name]) for part in parts.species}
    reactions = tuple(_reaction(baseline, reaction, species) for reaction in parts.reactions)
    observables = tuple(
        replace(part, expression=_running(baseline, part.expression, f"observables.{part.name}.expression"))
        for part in parts.observables
    )
    events = tuple(_event(baseline, event, species) for event in parts.events)
    model = Model(
        name=name,
        title=title,
        hypothesis=hypothesis.name,
        mechanisms=parts.mechanisms,
        species=tuple(species.values()),
        parameters=parameters,
        definitions=baseline.ordered(),
        reactions=reactions,
        observables=observables,
        routes=tuple(
            replace(
                route,
                target=species[route.target.name],
                gain=_gain(baseline, route.gain, route.name),
            )
            for route in parts.routes
        ),
        initial=tuple(initial.values()),
        balance=balance,
        conditions=_conditions(parts, baseline, balance),
        events=events,
    )
    check_extents(model, baseline.constant)
    return model


def _located(where: Where | None, places: Places) -> Where | None:
    """Place of a fault with the file and line of its key, or of the nearest table around it."""
    if where is None or where.key is None or where.file is not None:
        return where
    key = where.key
    while key and key not in places:
        key = key.rpartition(".")[0]
    return replace(places[key], key=where.key, term=where.term) if key else where


def _parameters(parts: Parts, hypothesis: Hypothesis, values: ParameterTable) -> tuple[Parameter, ...]:
    """The parameters that the model uses, sorted by name, those under a constraint fixed."""
    own = {parameter.name: parameter for parameter in parts.parameters}
    used = _used(parts, own, values)
    fixed = {constraint.parameter: constraint.value for constraint in hypothesis.constraints}
    for name in fixed:
        if name not in used:
            raise InputError(
                f"hypothesis `{hypothesis.name}` fixes `{name}`, which is no parameter of the model",
                code="hypothesis.unknown",
                advice=did_you_mean(name, used),
            )
    found = []
    for name in sorted(used):
        parameter = _sound(parts, name, values[name] if name in values else own[name])
        if name in own and parameter.unit.dimension != own[name].unit.dimension:
            raise InputError(
                f"the value given for `{name}` has another dimension than its declaration",
                code="units.mismatch",
                where=Where(key=f"parameters.{name}"),
                found=str(parameter.unit),
                expected=str(own[name].unit),
            )
        if name in fixed:
            source = f"hypothesis {hypothesis.name}"
            parameter = replace(parameter, value=fixed[name], spread=None, bounds=None, source=source)
        found.append(parameter)
    return tuple(found)


def _used(parts: Parts, own: ParameterTable, values: ParameterTable) -> set[str]:
    """Names of the parameters that expressions use, after a check that nothing is undefined, unused or ambiguous."""
    others = _owners(parts)
    for name in sorted(values):
        if name in others:
            raise InputError(
                f"`{name}` is both a parameter and one of the {others[name]}",
                code="model.clash",
                where=Where(key=f"{others[name]}.{name}"),
                advice="rename one",
            )
    used: set[str] = set()
    for key, subject, expr in parts.expressions():
        for symbol in sorted(symbol.name for symbol in expr.free_symbols):
            if symbol in own or symbol in values:
                used.add(symbol)
            elif symbol != TIME.name and others.get(symbol) not in ("species", "definitions", "balances"):
                raise _undefined(parts, key, subject, symbol, {*own, *values, *others, TIME.name})
    for name in own:
        if name not in used:
            raise InputError(
                f"the parameter `{name}` is declared but nothing uses it",
                code="model.unused",
                where=Where(key=f"parameters.{name}"),
                advice="remove it, or use it in a rate or a definition",
            )
    return used


def _sound(parts: Parts, name: str, parameter: Parameter) -> Parameter:
    where = Where(key=f"parameters.{name}")
    if parameter.name != name:
        raise InputError(
            f"the table gives the parameter `{parameter.name}` under the name `{name}`", code="model.value", where=where
        )
    if not math.isfinite(parameter.value):
        raise InputError(
            f"the value of `{name}` is not a finite number",
            code="model.value",
            where=where,
            found=repr(parameter.value),
        )
    # Computed in the coherent base, where products of a few such numbers must be finite too.
    if parameter.value and not 1e-305 <= abs(Fraction(parameter.value) * parameter.unit.factor) <= 1e150:
        raise InputError(
            f"the value of `{name}` is out of range",
            code="model.value",
            where=where,
            found=f"{parameter.value:g} {parameter.unit}",
            expected="a number from 1e-305 to 1e150 in nM, µg, L, cells and days, or 0",
        )
    return parameter


def _owners(parts: Parts) -> dict[str, str]:
    """Kind of every name that is no parameter."""
    return {
        part.name: kind
        for kind, members in (
            ("species", parts.species),
            ("definitions", parts.definitions),
            ("balances", parts.balances),
            ("observables", parts.observables),
            ("routes", parts.routes),
        )
        for part in members
    }


def _undefined(parts: Parts, key: str, subject: str, name: str, known: Iterable[str]) -> InputError:
    kind = _owners(parts).get(name)
    if kind is not None:
        return InputError(
            f"`{name}` stands in {subject}, but {kind} cannot stand in expressions",
            code="model.undefined",
            where=Where(key=key),
            advice="give the expression a name as a definition, and use that in both places",
        )
    return InputError(
        f"nothing defines `{name}`, which stands in {subject}",
        code="model.undefined",
        where=Where(key=key),
        advice=did_you_mean(name, known) or "declare it as a parameter or a definition",
    )


def _check_rates(parts: Parts) -> None:
    if not parts.species:
        raise InputError("the model has no species", code="model.empty", advice="add a mechanism that declares some")
    changed = {target.name for reaction in parts.reactions for target in reaction.change}
    changed |= {target.name for event in parts.events for target in event.changes}
    for species in parts.species:
        if species.name not in changed:
            raise InputError(
                f"no reaction and no event changes the species `{species.name}`",
                code="model.no-rate",
                where=Where(key=f"species.{species.name}"),
                advice="add a reaction, or make it a parameter or a definition",
            )


def _dimensions(parts: Parts, parameters: Iterable[Parameter]) -> dict[str, Dimension]:
    found = {TIME.name: TIME_DIMENSION}
    for part in (*parts.species, *parts.definitions, *parts.balances, *parameters):
        found[part.name] = part.unit.dimension
    return found


def _demands(parts: Parts) -> dict[str, Dimension]:
    """Dimension that each place demands, by its key."""
    demands: dict[str, Dimension] = {}
    for species in parts.species:
        if sympy.sympify(species.initial, strict=True).free_symbols:  # a bare number is in the unit of the species
            demands[f"species.{species.name}.initial"] = species.unit.dimension
    for definition in parts.definitions:
        demands[f"definitions.{definition.name}.expression"] = definition.unit.dimension
    for observable in parts.observables:
        demands[f"observables.{observable.name}.expression"] = observable.unit.dimension
    for route in parts.routes:
        demands[f"routes.{route.name}.gain"] = route.target.unit.dimension / route.unit.dimension
    for event in parts.events:
        demands[f"events.{event.name}.delay"] = TIME_DIMENSION
        demands[f"events.{event.name}.priority"] = DIMENSIONLESS.dimension
        for target, value in event.changes.items():
            if sympy.sympify(value, strict=True).free_symbols:
                demands[f"events.{event.name}.changes.{target.name}"] = target.unit.dimension
    return demands


def _check_dimensions(parts: Parts, dimensions: Mapping[str, Dimension]) -> None:
    """Every expression has the dimension that its place demands."""
    demands = _demands(parts)
    triggers = {f"events.{event.name}.when" for event in parts.events}
    for key, subject, expr in parts.expressions():
        where = Where(key=key)
        if key in triggers:
            require_condition(expr, dimensions, where=where, subject=subject)
        elif key in demands:
            require(expr, demands[key], dimensions, where=where, subject=subject)
        else:
            infer(expr, dimensions, where=where, subject=subject)
    for reaction in parts.reactions:
        _check_reaction(parts, reaction, dimensions)


def _check_reaction(parts: Parts, reaction: Reaction, dimensions: Mapping[str, Dimension]) -> None:
    key = f"reactions.{reaction.name}.rate"
    for target, change in reaction.change.items():
        flux = target.unit.dimension * PER_DAY / infer(change, dimensions)
        subject = f"the rate of `{reaction.name}`, which changes `{target.name}`,"
        require(reaction.rate, flux, dimensions, where=Where(key=key), subject=subject)


def _balance(parts: Parts, baseline: Baseline) -> tuple[Solved, ...]:
    equations = {}
    for balance in parts.balances:
        if isinstance(balance.zero, Species):
            equations[balance.name] = sympy.Add(*_fluxes(parts, baseline, balance.zero))
        else:
            equations[balance.name] = baseline.value(balance.zero)
        defined(equations[balance.name], f"balances.{balance.name}.zero", f"the balance of `{balance.name}`")
    # The equations were checked with the unknowns in their declared units; being linear, so are the solutions.
    return solve_balances(parts.balances, equations)


def _fluxes(parts: Parts, baseline: Baseline, species: Species) -> list[Expr]:
    """Terms of the rate of change of a species at baseline."""
    return [
        sympy.Mul(baseline.value(change), baseline.value(reaction.rate))
        for reaction in parts.reactions
        for target, change in reaction.change.items()
        if target.name == species.name
    ]


def _constant(baseline: Baseline, expr: Expr, key: str) -> Expr:
    """Expression at baseline, in parameters and balanced unknowns."""
    return defined(baseline.value(expr), key, f"`{key}`")


def _running(baseline: Baseline, expr: Expr, key: str) -> Expr:
    """Expression as it holds at any time, without ``at_baseline``."""
    return defined(baseline.resolve(expr), key, f"`{key}`")


def _reaction(baseline: Baseline, reaction: Reaction, species: Mapping[str, Species]) -> Reaction:
    key = f"reactions.{reaction.name}"
    return replace(
        reaction,
        rate=_running(baseline, reaction.rate, f"{key}.rate"),
        change={
            species[target.name]: _running(baseline, change, f"{key}.change.{target.name}")
            for target, change in reaction.change.items()
        },
    )


def _event(baseline: Baseline, event: Event, species: Mapping[str, Species]) -> Event:
    key = f"events.{event.name}"
    return replace(
        event,
        when=_running(baseline, event.when, f"{key}.when"),
        delay=_running(baseline, event.delay, f"{key}.delay"),
        priority=None if event.priority is None else _running(baseline, event.priority, f"{key}.priority"),
        changes={
            species[target.name]: _running(baseline, value, f"{key}.changes.{target.name}")
            for target, value in event.changes.items()
        },
    )


def _gain(baseline: Baseline, gain: Expr, route: str) -> Expr:
    key = f"routes.{route}.gain"
    if not baseline.constant(gain):
        raise InputError(
            f"the gain of route `{route}` changes in time",
            code="model.gain",
            where=Where(key=key),
            found=f"`{gain}`",
            expected="parameters, balanced unknowns, and definitions that are made of them",
        )
    return _constant(baseline, gain, key)


def _conditions(parts: Parts, baseline: Baseline, balance: Sequence[Solved]) -> tuple[Condition, ...]:
    """Conditions at baseline: those of the mechanisms, and that no balanced unknown is negative."""
    own = tuple(
        replace(part, expression=_constant(baseline, part.expression, f"conditions.{part.name}.expression"))
        for part in parts.conditions
    )
    names = {part.name for part in own}
    for unknown in balance:
        if unknown.name in names:
            raise InputError(
                f"the condition `{unknown.name}` has the name of a balanced unknown, which brings its own",
                code="model.clash",
                where=Where(key=f"conditions.{unknown.name}"),
                advice="remove or rename it",
            )
    return own + tuple(Condition(unknown.name, unknown.symbol, unknown.reason) for unknown in balance)
