"""The composed model: validated, in normal form, and identified by a hash of everything that decides its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulate.files import content_hash
from simulate.symbolic.deferred import Deferred
from simulate.symbolic.parts import Condition, Definition, Event, Observable, Parameter, Reaction, Route, Species
from simulate.symbolic.units import Unit

if TYPE_CHECKING:
    from sympy import Expr, Symbol


@dataclass(frozen=True, slots=True)
class Solved(Deferred):
    """An unknown that the steady baseline determined: ``expression`` is in parameters and earlier unknowns."""

    EXPRESSIONS = ("expression",)

    name: str
    meaning: str
    unit: Unit
    expression: Expr
    reason: str

    @property
    def symbol(self) -> Symbol:
        """The SymPy symbol of this unknown."""
        from sympy import Symbol

        return Symbol(self.name)


@dataclass(frozen=True, slots=True)
class Model(Deferred):
    """A composed model; nothing in it refers to anything that it does not hold.

    Attributes
    ----------
    parameters
        Those that some expression uses, sorted by name.
    definitions
        Ordered so that each uses earlier ones only; ``at_baseline`` no longer occurs in any expression.
    initial
        One expression per species, in parameters and balanced unknowns; that of 0 is exact.
    balance
        Unknowns in the order in which they can be computed from the parameters.
    routes, conditions
        Gains and conditions are in parameters and balanced unknowns too. Each unknown brings the condition that it is
        not negative.
    key
        Hash of everything that decides numbers, the same in every process: titles, meanings and sources have no part.
    """

    EXPRESSIONS = ("initial",)

    name: str
    title: str
    hypothesis: str
    mechanisms: tuple[str, ...]
    species: tuple[Species, ...]
    parameters: tuple[Parameter, ...]
    definitions: tuple[Definition, ...]
    reactions: tuple[Reaction, ...]
    observables: tuple[Observable, ...]
    routes: tuple[Route, ...]
    initial: tuple[Expr, ...]
    balance: tuple[Solved, ...]
    conditions: tuple[Condition, ...]
    events: tuple[Event, ...] = ()
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", content_hash("model 1", *_deciding(self)))

    def __hash__(self) -> int:
        return hash(self.key)

    def rates(self) -> tuple[Expr, ...]:
        """Rate of change of each species a day: the sum of change times rate, definitions not written out."""
        from sympy import Add, Mul

        terms: dict[str, list[Expr]] = {species.name: [] for species in self.species}
        for reaction in self.reactions:
            for species, change in reaction.change.items():
                terms[species.name].append(Mul(change, reaction.rate))
        return tuple(Add(*terms[species.name]) for species in self.species)


def _deciding(model: Model) -> Iterator[str]:
    """Texts that together decide every number that the model can give."""
    from simulate.symbolic.printing import print_expression

    for species, initial in zip(model.species, model.initial, strict=True):
        yield from ("species", species.name, *_of_unit(species.unit), print_expression(initial))
    for parameter in model.parameters:
        spread = parameter.spread.sd_log if parameter.spread is not None else 0.0
        bounds = "" if parameter.bounds is None else f"{float(parameter.bounds[0])!r} {float(parameter.bounds[1])!r}"
        yield from ("parameter", parameter.name, *_of_unit(parameter.unit))
        yield from (repr(float(parameter.value)), repr(float(spread)), bounds)
    for definition in model.definitions:
        yield from ("definition", definition.name, print_expression(definition.expression))
    for reaction in model.reactions:
        yield from ("reaction", print_expression(reaction.rate))
        for target, change in reaction.change.items():
            yield from ("change", target.name, _text(change))
    for observable in model.observables:
        yield from ("observable", observable.name, *_of_unit(observable.unit), print_expression(observable.expression))
    for route in model.routes:
        yield from ("route", route.name, route.drug, route.target.name, *_of_unit(route.unit))
        yield print_expression(route.gain)
    for solved in model.balance:
        yield from ("balance", solved.name, print_expression(solved.expression))
    for condition in model.conditions:
        yield from ("condition", print_expression(condition.expression))
    for event in model.events:
        yield from ("event", event.name, print_expression(event.when), _text(event.delay))
        yield from ("" if event.priority is None else _text(event.priority), repr(bool(event.persistent)))
        yield from (repr(bool(event.at_start)), repr(bool(event.at_trigger)))
        for target, value in event.changes.items():
            yield from ("set", target.name, _text(value))


def _text(value: Expr | float) -> str:
    from sympy import sympify

    from simulate.symbolic.printing import print_expression

    return print_expression(sympify(value, strict=True))


def _of_unit(unit: Unit) -> tuple[str, str]:
    return str(unit.dimension), str(unit.factor)
