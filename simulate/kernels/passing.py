"""What derivatives need of switches and events: how fast something passes, and how that and new values change.

`simulate.solver.passing` makes of these how the time moves at which something switches, and with it the states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy
from sympy import Expr, Symbol

from simulate.kernels.hoisting import Abs, derivative, straight_line
from simulate.kernels.switches import Switches, mode
from simulate.kernels.tangents import Tangents, total, with_tangents
from simulate.symbolic.switching import floor
from simulate.symbolic.symbols import TIME

_HALF = sympy.Rational(1, 2)
Reach = tuple[frozenset[Symbol], frozenset[Symbol]]
"""What, when any of it changes, changes what else."""


def rate(state: Symbol) -> Symbol:
    """Symbol of the derivative of a state in time; no user can write this name."""
    return Symbol(f"rate:{state}")


def blur(state: Symbol) -> Symbol:
    """Symbol of how far the tolerance leaves a state open."""
    return Symbol(f"blur:{state}")


def moved(direction: int) -> Symbol:
    """Symbol of how the time moves in a direction at which something happens."""
    return Symbol(f"moved:{direction}")


def with_derivatives(
    switches: Switches,
    states: Sequence[Symbol],
    fixed: Sequence[Tangents],
    sensitive: Sequence[Sequence[Symbol]],
    suffixes: Sequence[str],
) -> Switches:
    """Switches and events of a system that has its derivatives beside it.

    Parameters
    ----------
    switches, states
        Of the system itself.
    fixed
        Derivatives of what does not move, in each direction.
    sensitive
        Symbols of the derivatives of the states in each direction.
    suffixes
        Names of the directions.
    """
    seeds: list[Tangents] = [
        {**tangents, **dict(zip(states, own, strict=True))} for tangents, own in zip(fixed, sensitive, strict=True)
    ]
    crossed: list[Expr] = []
    for watched in switches.watched[: switches.deciding]:
        passing = watched.args[0]
        slopes = {state: derivative(passing, state) for state in states if state in passing.free_symbols}
        pace = sympy.Add(*(slope * rate(state) for state, slope in slopes.items()))
        crossed.append(pace + derivative(passing, TIME))
        crossed.append(sympy.Add(*(Abs(slope) * blur(state) for state, slope in slopes.items())))
        crossed.append(passing - floor(passing + _HALF) if isinstance(watched, floor) else passing)
        crossed += [total(passing, tangents) for tangents in seeds]
    at_jumps = [{**tangents, TIME: moved(direction)} for direction, tangents in enumerate(seeds)]
    return replace(
        switches,
        cross=straight_line(crossed, "cross"),
        jump=with_tangents(switches.jump, at_jumps, suffixes, "jump"),
        directions=len(suffixes),
    )


def reaches(switches: Switches, states: Sequence[Symbol]) -> tuple[Reach, ...]:
    """What a change of symbols changes by way of switches and events."""
    found = [
        (frozenset(watched.free_symbols), frozenset({mode(index)}))
        for index, watched in enumerate(switches.watched[: switches.deciding])
    ]
    for event in switches.events:
        targets = frozenset(states[target] for target in event.targets)
        found.append((frozenset(event.when.free_symbols | event.delay.free_symbols), targets))
        found += [
            (frozenset(value.free_symbols), frozenset({states[target]}))
            for target, value in zip(event.targets, event.values, strict=True)
        ]
    return tuple(found)
