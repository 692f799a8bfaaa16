"""All parts of the chosen mechanisms in one canonical order, with exact expressions and without clashes of names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, did_you_mean, not_among
from simulate.symbolic.expressions import as_expression
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.naming import check_name
from simulate.symbolic.parts import (
    Balance,
    Condition,
    Definition,
    Event,
    Mechanism,
    Observable,
    Parameter,
    Reaction,
    Route,
    Species,
)
from simulate.symbolic.units import Unit


class _Named(Protocol):
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of all chosen mechanisms, ordered by mechanism name, then as declared; every expression a SymPy one."""

    mechanisms: tuple[str, ...]
    species: tuple[Species, ...]
    definitions: tuple[Definition, ...]
    reactions: tuple[Reaction, ...]
    observables: tuple[Observable, ...]
    routes: tuple[Route, ...]
    balances: tuple[Balance, ...]
    conditions: tuple[Condition, ...]
    parameters: tuple[Parameter, ...]
    events: tuple[Event, ...] = ()

    def expressions(self) -> Iterator[tuple[str, str, Expr]]:
        """Every expression with its key and how an error speaks of it."""
        for species in self.species:
            yield f"species.{species.name}.initial", f"the initial value of `{species.name}`", species.initial
        for definition in self.definitions:
            key = f"definitions.{definition.name}.expression"
            yield key, f"the definition of `{definition.name}`", definition.expression
        for reaction in self.reactions:
            yield f"reactions.{reaction.name}.rate", f"the rate of `{reaction.name}`", reaction.rate
            for target, change in reaction.change.items():
                key = f"reactions.{reaction.name}.change.{target.name}"
                yield key, f"the change of `{target.name}` in `{reaction.name}`", change
        for observable in self.observables:
            key = f"observables.{observable.name}.expression"
            yield key, f"the observable `{observable.name}`", observable.expression
        for route in self.routes:
            yield f"routes.{route.name}.gain", f"the gain of route `{route.name}`", route.gain
        for balance in self.balances:
            if not isinstance(balance.zero, Species):
                yield f"balances.{balance.name}.zero", f"the balance of `{balance.name}`", balance.zero
        for condition in self.conditions:
            key = f"conditions.{condition.name}.expression"
            yield key, f"the condition `{condition.name}`", condition.expression
        yield from self._of_events()

    def _of_events(self) -> Iterator[tuple[str, str, Expr]]:
        for event in self.events:
            key = f"events.{event.name}"
            yield f"{key}.when", f"the trigger of event `{event.name}`", event.when
            yield f"{key}.delay", f"the delay of event `{event.name}`", event.delay
            if event.priority is not None:
                yield f"{key}.priority", f"the priority of event `{event.name}`", event.priority
            for target, value in event.changes.items():
                yield (
                    f"{key}.changes.{target.name}",
                    f"the value of `{target.name}` after event `{event.name}`",
                    value,
                )


def select(mechanisms: Sequence[Mechanism], hypothesis: Hypothesis) -> tuple[Mechanism, ...]:
    """Mechanisms of the base model after the changes of the hypothesis, sorted by name.

    Raises
    ------
    InputError
        ``model.clash`` for two mechanisms of one name, ``hypothesis.unknown`` for a change to a mechanism that the
        base model does not have.
    """
    base: dict[str, Mechanism] = {}
    for mechanism in mechanisms:
        if mechanism.name in base:
            raise _two_mechanisms(mechanism.name)
        base[mechanism.name] = mechanism
    replaced = dict(hypothesis.replace)
    for verb, names in (("remove", hypothesis.remove), ("replace", tuple(replaced))):
        for name in names:
            if name not in base:
                raise not_among(
                    f"hypothesis `{hypothesis.name}` cannot {verb} the mechanism `{name}`: the model has none",
                    name,
                    sorted(base),
                    code="hypothesis.unknown",
                )
    chosen: dict[str, Mechanism] = {}
    kept = [replaced.get(name, mechanism) for name, mechanism in base.items() if name not in hypothesis.remove]
    for mechanism in (*kept, *hypothesis.add):
        if chosen.setdefault(mechanism.name, mechanism) != mechanism:
            raise _two_mechanisms(mechanism.name)
    return tuple(chosen[name] for name in sorted(chosen))


def gather(mechanisms: Sequence[Mechanism]) -> Parts:
    """Parts of mechanisms that are sorted by name.

    Raises
    ------
    InputError
        ``model.name`` for a name that cannot be a symbol, ``model.clash`` for two parts of one name,
        ``model.undefined`` for a change of an unknown species, ``expression.…`` for what is no expression.
    """
    species = tuple(part for mechanism in mechanisms for part in mechanism.species)
    raw = Parts(
        mechanisms=tuple(mechanism.name for mechanism in mechanisms),
        species=species,
        definitions=tuple(part for mechanism in mechanisms for part in mechanism.definitions),
        reactions=tuple(part for mechanism in mechanisms for part in mechanism.reactions),
        observables=tuple(part for mechanism in mechanisms for part in mechanism.observables),
        routes=tuple(part for mechanism in mechanisms for part in mechanism.routes),
        balances=tuple(part for mechanism in mechanisms for part in mechanism.balances),
        conditions=tuple(part for mechanism in mechanisms for part in mechanism.conditions),
        parameters=_own_parameters(mechanisms),
        events=tuple(part for mechanism in mechanisms for part in mechanism.events),
    )
    _check_names(raw)
    return _Normal(raw).parts()


class _Normal:
    """Parts with expressions normalized; species are meant by their names."""

    def __init__(self, raw: Parts) -> None:
        self.raw = raw
        triggers = {f"events.{event.name}.when" for event in raw.events}
        self._exact = {
            key: as_expression(value, where=Where(key=key), condition=key in triggers)
            for key, _, value in raw.expressions()
        }
        self._species = {
            part.name: replace(part, initial=_in_base(self._exact[f"species.{part.name}.initial"], part.unit))
            for part in raw.species
        }

    def parts(self) -> Parts:
        raw, exact = self.raw, self._exact
        return replace(
            raw,
            species=tuple(self._species[part.name] for part in raw.species),
            definitions=tuple(
                replace(part, expression=exact[f"definitions.{part.name}.expression"]) for part in raw.definitions
            ),
            reactions=tuple(self._reaction(part) for part in raw.reactions),
            observables=tuple(
                replace(part, expression=exact[f"observables.{part.name}.expression"]) for part in raw.observables
            ),
            routes=tuple(
                replace(
                    part,
                    target=self._known(part.target, f"routes.{part.name}.target", f"the target of route `{part.name}`"),
                    gain=exact[f"routes.{part.name}.gain"],
                )
                for part in raw.routes
            ),
            balances=tuple(self._balance(part) for part in raw.balances),
            conditions=tuple(
                replace(part, expression=exact[f"conditions.{part.name}.expression"]) for part in raw.conditions
            ),
            events=tuple(self._event(part) for part in raw.events),
        )

    def _event(self, event: Event) -> Event:
        key = f"events.{event.name}"
        changes: dict[Species, Expr | float] = {}
        for target in sorted(event.changes, key=lambda part: part.name):
            place = f"{key}.changes.{target.name}"
            species = self._known(target, place, f"changed by event `{event.name}`")
            value = self._exact[place]
            changes[species] = _in_base(value, species.unit)
        return replace(
            event,
            when=self._exact[f"{key}.when"],
            delay=self._exact[f"{key}.delay"],
            priority=None if event.priority is None else self._exact[f"{key}.priority"],
            changes=changes,
        )

    def _reaction(self, reaction: Reaction) -> Reaction:
        change: dict[Species, Expr | float] = {}
        for target in sorted(reaction.change, key=lambda part: part.name):
            key = f"reactions.{reaction.name}.change.{target.name}"
            change[self._known(target, key, f"the change in `{reaction.name}`")] = self._exact[key]
        if len(change) < len(reaction.change):
            raise InputError(
                f"reaction `{reaction.name}` changes a species twice",
                code="model.clash",
                where=Where(key=f"reactions.{reaction.name}.change"),
                found=", ".join(f"`{part.name}`" for part in reaction.change),
            )
        return replace(reaction, rate=self._exact[f"reactions.{reaction.name}.rate"], change=change)

    def _balance(self, balance: Balance) -> Balance:
        key = f"balances.{balance.name}.zero"
        if isinstance(balance.zero, Species):
            return replace(balance, zero=self._known(balance.zero, key, f"the balance of `{balance.name}`"))
        return replace(balance, zero=self._exact[key])

    def _known(self, species: Species, key: str, subject: str) -> Species:
        if species.name not in self._species:
            raise InputError(
                f"no mechanism declares the species `{species.name}`, which is {subject}",
                code="model.undefined",
                where=Where(key=key),
                advice=did_you_mean(species.name, self._species) or "add the mechanism that declares it",
            )
        return self._species[species.name]


def _in_base(initial: Expr, unit: Unit) -> Expr:
    """A bare number is an initial value in the unit of the species; here it becomes one in the coherent base."""
    if initial.free_symbols:
        return initial
    return sympy.Mul(initial, sympy.Rational(unit.factor.numerator, unit.factor.denominator))


def _own_parameters(mechanisms: Sequence[Mechanism]) -> tuple[Parameter, ...]:
    """Parameters that mechanisms bring along; the same one may come with several."""
    found: dict[str, Parameter] = {}
    for mechanism in mechanisms:
        for parameter in mechanism.parameters:
            if found.setdefault(parameter.name, parameter) != parameter:
                raise InputError(
                    f"two mechanisms declare different parameters `{parameter.name}`",
                    code="model.clash",
                    where=Where(key=f"parameters.{parameter.name}"),
                    found=f"{found[parameter.name].value!r} {found[parameter.name].unit}, "
                    f"{parameter.value!r} {parameter.unit}",
                    advice="rename one, or declare it once",
                )
    return tuple(found.values())


def _check_names(parts: Parts) -> None:
    """Symbols share one namespace; reactions and conditions, which no expression can mention, have one each."""
    symbols: dict[str, str] = {}
    kinds: tuple[tuple[str, Sequence[_Named], dict[str, str]], ...] = (
        ("species", parts.species, symbols),
        ("parameters", parts.parameters, symbols),
        ("definitions", parts.definitions, symbols),
        ("observables", parts.observables, symbols),
        ("routes", parts.routes, symbols),
        ("balances", parts.balances, symbols),
        ("reactions", parts.reactions, {}),
        ("conditions", parts.conditions, {}),
        ("events", parts.events, {}),
    )
    for kind, members, owner in kinds:
        for part in members:
            name, where = part.name, Where(key=f"{kind}.{part.name}")
            check_name(name, where)
            if name in owner:
                raise InputError(
                    f"the name `{name}` is given twice",
                    code="model.clash",
                    where=where,
                    found=f"{name} in {owner[name]} and in {kind}" if owner[name] != kind else f"two {kind}",
                    advice="rename one; in a hypothesis, replace the mechanism that has the other",
                )
            owner[name] = kind


def _two_mechanisms(name: str) -> InputError:
    return InputError(
        f"there are two mechanisms `{name}`",
        code="model.clash",
        advice="rename one, or let the hypothesis replace it",
    )
