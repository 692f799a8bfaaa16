"""What a mechanism is made of: species, parameters, definitions, reactions, observables, routes, events, conditions.

All are immutable values. Species, parameters and definitions take part in arithmetic as their SymPy symbols, so that
``k * X`` is an expression; an expression knows its symbols by name and nothing else.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulate.symbolic.deferred import Deferred
from simulate.symbolic.units import DIMENSIONLESS, Unit

if TYPE_CHECKING:
    from sympy import Expr, Symbol


def _expression(value: Any) -> Expr:
    from sympy import sympify

    return sympify(value, strict=True)


class _Symbolic:
    """Arithmetic by name: a part stands for its symbol.

    Conversion is strict: SymPy would otherwise evaluate a text as Python.
    """

    __slots__ = ()
    name: str
    unit: Unit

    @property
    def symbol(self) -> Symbol:
        """The SymPy symbol of this part's name."""
        from sympy import Symbol

        return Symbol(self.name)

    def _sympy_(self) -> Symbol:
        return self.symbol

    def __add__(self, other: Any) -> Expr:
        return self.symbol + _expression(other)

    def __radd__(self, other: Any) -> Expr:
        return _expression(other) + self.symbol

    def __sub__(self, other: Any) -> Expr:
        return self.symbol - _expression(other)

    def __rsub__(self, other: Any) -> Expr:
        return _expression(other) - self.symbol

    def __mul__(self, other: Any) -> Expr:
        return self.symbol * _expression(other)

    def __rmul__(self, other: Any) -> Expr:
        return _expression(other) * self.symbol

    def __truediv__(self, other: Any) -> Expr:
        return self.symbol / _expression(other)

    def __rtruediv__(self, other: Any) -> Expr:
        return _expression(other) / self.symbol

    def __pow__(self, other: Any) -> Expr:
        return self.symbol ** _expression(other)

    def __neg__(self) -> Expr:
        return -self.symbol


CONVERSION = "conversion of units"
"""Source of a parameter that is a factor between units: it is the same in all patients, whatever varies."""


class Grade(enum.Enum):
    """The quality of the support for a number. The value is the explanation that a reader sees."""

    READ = "read in the cited publication"
    CALCULATED = "computed from numbers that were read"
    RECALLED = "recalled from the literature, not checked"
    ASSUMED = "assumed; to be fitted or varied"


@dataclass(frozen=True, slots=True)
class Source:
    """A reference: key, citation, identifier (DOI, PMID, URL) and what of it was read."""

    key: str
    citation: str
    identifier: str
    read: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Log-normal variation between patients: ``sd_log`` is the standard deviation of the natural logarithm."""

    sd_log: float

    @classmethod
    def from_cv(cls, cv: float) -> Spread:
        """Spread of a log-normal variable with coefficient of variation ``cv`` (0.3 means 30 %)."""
        return cls(math.sqrt(math.log1p(cv * cv)))


@dataclass(frozen=True, slots=True)
class Parameter(_Symbolic):
    """A number with a unit, a source and a grade; ``spread`` says how patients differ in it.

    ``value`` is the typical (median) value in ``unit``; ``bounds`` are the plausible limits in the same unit.
    """

    name: str
    meaning: str
    value: float
    unit: Unit = DIMENSIONLESS
    spread: Spread | None = None
    bounds: tuple[float, float] | None = None
    source: str = "user"
    grade: Grade = Grade.ASSUMED


@dataclass(frozen=True, slots=True)
class Species(_Symbolic, Deferred):
    """A quantity with a rate of change; ``initial`` is an expression in parameters and balanced unknowns."""

    EXPRESSIONS = ("initial",)

    name: str
    meaning: str
    unit: Unit
    initial: Expr | float = 0.0


@dataclass(frozen=True, slots=True)
class Definition(_Symbolic, Deferred):
    """A named intermediate expression, usable wherever a symbol is."""

    EXPRESSIONS = ("expression",)

    name: str
    meaning: str
    unit: Unit
    expression: Expr


@dataclass(frozen=True, slots=True)
class Reaction(Deferred):
    """A process: ``d(species)/dt`` is the sum over reactions of ``change[species] * rate``."""

    EXPRESSIONS = ("rate", "change")

    name: str
    rate: Expr
    change: Mapping[Species, Expr | float]


@dataclass(frozen=True, slots=True)
class Observable(_Symbolic, Deferred):
    """A reported quantity: an expression with a name and the unit in which readers know it."""

    EXPRESSIONS = ("expression",)

    name: str
    meaning: str
    unit: Unit
    expression: Expr


@dataclass(frozen=True, slots=True)
class Route(_Symbolic, Deferred):
    """A way in for a drug: an administered amount times ``gain`` is added to ``target``.

    ``unit`` is the unit of the administered amount; ``gain`` carries bioavailability and conversion.
    """

    EXPRESSIONS = ("gain",)

    name: str
    drug: str
    target: Species
    unit: Unit
    gain: Expr


@dataclass(frozen=True, slots=True)
class Balance(_Symbolic):
    """An unknown that the steady baseline determines.

    It is solved from ``zero``: a species, whose rate of change at baseline must vanish, or an expression that must.
    The equation must be linear in the unknown. A negative solution makes the baseline infeasible, for ``reason``.
    """

    name: str
    meaning: str
    unit: Unit
    zero: Species | Expr
    reason: str


@dataclass(frozen=True, slots=True)
class Condition(Deferred):
    """Something that must not be negative at baseline; ``reason`` is the sentence shown when it is."""

    EXPRESSIONS = ("expression",)

    name: str
    expression: Expr
    reason: str


@dataclass(frozen=True, slots=True)
class Event(Deferred):
    """A change of the state at once, when a condition comes to hold.

    Attributes
    ----------
    when
        The condition, a comparison or several joined by and, or, not. The event happens when it comes to hold; with
        ``at_start`` also when it holds at the beginning.
    changes
        New value of each species that is set, all computed before any is set.
    delay
        Time between the trigger and the change.
    priority
        Of several events at one time the one with the largest goes first, and the others are looked at anew. Those
        without one come last, in their order. Of equal ones chance decides, the same in every run.
    persistent
        Whether the event still happens if the condition no longer holds when its turn has come.
    at_trigger
        Whether the new values are computed when the event is triggered, or when it happens.
    """

    EXPRESSIONS = ("when", "changes", "delay", "priority")

    name: str
    when: Expr
    changes: Mapping[Species, Expr | float]
    delay: Expr | float = 0
    priority: Expr | float | None = None
    persistent: bool = True
    at_start: bool = False
    at_trigger: bool = True


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A switchable piece of biology: species, processes and readouts that belong together."""

    name: str
    title: str
    species: tuple[Species, ...] = ()
    definitions: tuple[Definition, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    observables: tuple[Observable, ...] = ()
    routes: tuple[Route, ...] = ()
    balances: tuple[Balance, ...] = ()
    conditions: tuple[Condition, ...] = ()
    parameters: tuple[Parameter, ...] = field(default=())
    events: tuple[Event, ...] = ()

    def expressions(self) -> Iterator[Expr]:
        """Every expression of its parts."""
        found: list[Expr | float | Species] = [part.initial for part in self.species]
        found += [part.expression for part in self.definitions]
        for reaction in self.reactions:
            found += [reaction.rate, *reaction.change.values()]
        found += [part.expression for part in self.observables]
        found += [part.gain for part in self.routes]
        found += [part.zero for part in self.balances]
        found += [part.expression for part in self.conditions]
        for event in self.events:
            found += [event.when, event.delay, event.priority or 0, *event.changes.values()]
        yield from map(_expression, found)

    def used_names(self) -> set[str]:
        """Names that stand in its expressions."""
        return {symbol.name for expression in self.expressions() for symbol in expression.free_symbols}
