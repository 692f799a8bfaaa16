"""What switches along a solution, and events: a right-hand side that is smooth within each step.

A comparison, or a whole part, that depends on time or states takes one of a few values. Within a step the right-hand
side goes by the value at its beginning, a *mode*, and stays smooth; the loop looks at the end of the step whether the
value is another, finds the time at which it became so, ends the step there and takes the new value
(`simulate.solver.hybrid`). Comparisons of the same two sides have one mode: the sign of their difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from simulate.kernels.features import centers_and_edges, kinks_as_switches
from simulate.kernels.hoisting import Program, sign, straight_line
from simulate.kernels.system import Happening
from simulate.solver.hybrid import WITHOUT
from simulate.symbolic.functions import rebuild
from simulate.symbolic.switching import above, at_least, floor, same

_EMPTY = Program((), ())
LAST = sympy.Float(WITHOUT)
"""Priority of an event without one."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What switches in a system.

    Attributes
    ----------
    watched
        Expressions that take whole values, in the order of `mode`: signs of differences, and whole parts.
    sense
        Program of the watched expressions, then of the triggers of events.
    jump
        Program of delay, priority and new values of each event.
    events
        The events.
    deciding
        How many of the watched expressions, the first ones, have a say in rates or triggers; of the others only where
        they change is looked for.
    directions
        Number of directions in which derivatives are solved. With any, ``jump`` has the derivatives of its results
        behind them, direction by direction.
    cross
        For each watched expression that decides how fast it passes, how far the tolerance leaves it open, how far
        it is from passing, and its change in each direction.
    """

    watched: tuple[Expr, ...]
    sense: Program
    jump: Program
    events: tuple[Happening, ...]
    deciding: int = 0
    directions: int = 0
    cross: Program = _EMPTY


NONE = Switches((), _EMPTY, _EMPTY, ())
"""Nothing switches."""


def mode(index: int) -> Symbol:
    """Symbol of the value that a watched expression has within a step; no user can write this name."""
    return Symbol(f"mode:{index}")


def met(index: int) -> Symbol:
    """Symbol that is 1 where the two sides of a watched comparison have just met."""
    return Symbol(f"met:{index}")


def with_modes(
    rates: Sequence[Expr], events: Sequence[Happening], moving: Set[Symbol], for_derivatives: bool = False
) -> tuple[tuple[Expr, ...], Switches]:
    """Rates in which what switches is a mode, and what is to be watched for them and for events.

    Parameters
    ----------
    rates, events
        Expressions in ``moving`` symbols and in others that stay as they are.
    moving
        Symbols that change along a solution: time and states.
    for_derivatives
        Whether what derivatives need is watched too: what switches within a side of a comparison, and every kink.
    """
    atoms = _Atoms(moving, for_derivatives)
    smooth = tuple(atoms.smooth(rate) for rate in kinks_as_switches(rates, moving, for_derivatives))
    triggers = [atoms.trigger(event.when) for event in events]
    deciding = len(atoms.watched)
    for function in centers_and_edges(rates, moving):
        atoms.watch(function)
    if not atoms.watched and not events:
        return tuple(rates), NONE
    watched = tuple(atoms.watched)
    jumps = [
        part
        for event in events
        for part in (event.delay, LAST if event.priority is None else event.priority, *event.values)
    ]
    return smooth, Switches(
        watched,
        straight_line([*watched, *triggers], "sense"),
        straight_line([sympy.sympify(part, strict=True) for part in jumps], "jump"),
        tuple(events),
        deciding,
    )


class _Atoms:
    """Comparisons and whole parts that move, each with its place among the watched; does not leave `with_modes`."""

    def __init__(self, moving: Set[Symbol], for_derivatives: bool) -> None:
        self._moving = moving
        self._for_derivatives = for_derivatives
        self.watched: dict[Expr, int] = {}
        self._done: dict[Expr, Expr] = {}
        self._triggers: dict[Expr, Expr] = {}
        self._inner: dict[Expr, Expr] = {}

    def smooth(self, expression: Expr) -> Expr:
        """Expression with modes in the place of all that switches."""
        return self._walk(expression, self._done, self._by_mode)

    def trigger(self, expression: Expr) -> Expr:
        """Condition by the watched signs, in which sides are equal also where they have just met between two steps."""
        return self._walk(expression, self._triggers, self._as_it_is)

    def watch(self, function: Expr) -> None:
        """End steps where the sign of a function changes."""
        self._place(sign(function))

    def _walk(self, expression: Expr, done: dict[Expr, Expr], change: object) -> Expr:
        if not expression.args or not expression.has(above, at_least, same, floor):
            return expression
        if expression not in done:
            if isinstance(expression, (above, at_least, same, floor)) and expression.free_symbols & self._moving:
                if self._for_derivatives:
                    for argument in expression.args:
                        self._walk(argument, self._inner, self._by_mode)
                done[expression] = change(expression)  # type: ignore[operator]
            else:
                arguments = [self._walk(argument, done, change) for argument in expression.args]
                done[expression] = rebuild(expression.func, arguments)
        return done[expression]

    def _by_mode(self, atom: Expr) -> Expr:
        if isinstance(atom, floor):
            return mode(self._place(atom))
        place, swapped = self._side(atom)
        return _against_zero(atom, mode(place), swapped)

    def _as_it_is(self, atom: Expr) -> Expr:
        if isinstance(atom, floor):
            self._place(atom)
            return atom
        place, swapped = self._side(atom)
        # By the sign that is watched: the sides themselves may be rounded to another order where they have just passed.
        condition = _against_zero(atom, list(self.watched)[place], swapped)
        return condition if not isinstance(atom, same) else sympy.Max(condition, met(place), evaluate=False)

    def _side(self, atom: Expr) -> tuple[int, bool]:
        """Place of a comparison, and whether its sides are in the other order there."""
        difference = atom.args[0] - atom.args[1]
        swapped = bool(difference.could_extract_minus_sign())
        return self._place(sign(-difference if swapped else difference)), swapped

    def _place(self, watched: Expr) -> int:
        return self.watched.setdefault(watched, len(self.watched))


def _against_zero(atom: Expr, difference: Expr, swapped: bool) -> Expr:
    """A comparison by the difference of its sides."""
    sides = (sympy.S.Zero, difference) if swapped else (difference, sympy.S.Zero)
    result: Expr = atom.func(*sides)
    return result


def symbols_of(count: int) -> Iterable[Symbol]:
    """Modes of watched expressions, in order."""
    return (mode(index) for index in range(count))
