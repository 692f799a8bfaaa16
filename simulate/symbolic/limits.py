"""Limits on the size of a model, checked before SymPy writes out its definitions.

SymPy's own work grows with the size of an expression, and exponentially with how often functions stand inside one
another. What is refused here would be refused by no other part, but it would take hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, counted
from simulate.limits import CAPACITY
from simulate.symbolic.constants import MAX_BITS, bits
from simulate.symbolic.functions import PLAIN, parts_of

if TYPE_CHECKING:
    from simulate.symbolic.model import Model

MAX_SIZE = 50_000
"""Symbols, numbers and operations, with definitions written out: of an expression at baseline, and of all rates and
observables together."""
MAX_NESTED = 8
"""Functions, roots and powers inside one another, with definitions written out; the most costly count twice."""
MAX_NESTED_NUMBERS = 3
"""The same where nothing but numbers is left in them."""

_COSTLY = (sympy.tanh, sympy.Min, sympy.Max)
_FUNCTIONS = (sympy.exp, sympy.log, sympy.Min, sympy.Max, *PLAIN)


@dataclass(frozen=True, slots=True)
class Extent:
    """How large an expression is: its operations, symbols and numbers, and functions inside one another."""

    size: int
    nested: int


ATOM = Extent(1, 0)
"""A symbol or a number."""


def extent(expr: Expr, known: Mapping[str, Extent]) -> Extent:
    """Extent of an expression in which names that are known have been written out."""
    done: dict[Expr, Extent] = {}

    def walk(node: Expr) -> Extent:
        if node.is_Symbol:
            return known.get(node.name, ATOM)
        if not node.args:
            return ATOM
        if node not in done:
            parts = [walk(argument) for argument in node.args]
            own = isinstance(node, _FUNCTIONS) or (node.is_Pow and not node.exp.is_Integer)
            own += isinstance(node, _COSTLY)
            done[node] = Extent(1 + sum(part.size for part in parts), own + max(part.nested for part in parts))
        return done[node]

    return walk(expr)


def check_extent(found: Extent, subject: str, where: Where, *, numbers: bool = False) -> None:
    """Refuse what is too large.

    Raises
    ------
    InputError
        ``model.limit``.
    """
    if found.size > MAX_SIZE:
        raise InputError(
            f"{subject} is too large when definitions are written out",
            code="model.limit",
            where=where,
            found=str(found.size),
            expected=f"at most {MAX_SIZE} symbols, numbers and operations",
            advice="use a definition that uses others only once, or make a state of it",
        )
    limit = MAX_NESTED_NUMBERS if numbers else MAX_NESTED
    if found.nested > limit:
        left = " and nothing but numbers is left in it" if numbers else ""
        raise InputError(
            f"{subject} has too many functions inside one another when definitions are written out{left}",
            code="model.limit",
            where=where,
            found=str(found.nested),
            expected=f"at most {limit} functions, roots and powers; tanh, min and max count twice",
            advice="make a state or a parameter of one of them",
        )


def check_numbers(value: Expr, subject: str, where: Where) -> None:
    """Refuse numbers that have grown beyond what a double can hold: exact ones grow with every product.

    Raises
    ------
    InputError
        ``model.limit``.
    """
    if any(bits(number) > MAX_BITS for number in parts_of(value, sympy.Rational)):
        raise InputError(
            f"{subject} has a number of too many digits",
            code="model.limit",
            where=where,
            expected=f"numerators and denominators below 2**{MAX_BITS}",
        )


def check_states(states: int, observables: int, where: Where | None = None) -> None:
    """Refuse a model for which there is no room.

    Raises
    ------
    InputError
        ``model.size``.
    """
    if max(states, observables) > CAPACITY:
        raise InputError(
            f"the model has {counted(states, 'state')} and {counted(observables, 'observable')}",
            code="model.size",
            where=where,
            expected=f"at most {CAPACITY} of each",
        )


def check_extents(model: Model, constant: Callable[[Expr], bool]) -> None:
    """Refuse a model that is too large with its definitions written out, as they are for solving.

    Parameters
    ----------
    model
        Its definitions in an order in which each needs earlier ones only.
    constant
        Whether an expression has one value during a whole trajectory; such a definition is computed once, by its name.

    Raises
    ------
    InputError
        ``model.limit``.
    """
    known: dict[str, Extent] = {}
    for part in model.definitions:
        found = extent(part.expression, known)
        where = Where(key=f"definitions.{part.name}.expression")
        check_extent(found, f"the definition of `{part.name}`", where)
        if not constant(part.symbol):
            known[part.name] = found
    together = 0
    for reaction in model.reactions:
        where = Where(key=f"reactions.{reaction.name}.rate")
        for change in reaction.change.values():
            found = extent(sympy.Mul(change, reaction.rate, evaluate=False), known)
            check_extent(found, f"the rate of `{reaction.name}`", where)
            together += found.size
    for observable in model.observables:
        where = Where(key=f"observables.{observable.name}.expression")
        found = extent(observable.expression, known)
        check_extent(found, f"the observable `{observable.name}`", where)
        together += found.size
    check_extent(Extent(together, 0), "what is computed at each time, all rates and observables,", Where())
