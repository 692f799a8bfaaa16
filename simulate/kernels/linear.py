"""Where a system is linear in what a route feeds, and what doses that were always given have left there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels.system import System, infusion
from simulate.kernels.vectorfield import of_parameters
from simulate.solver.kernel import FloatArray

_FORGOTTEN = 1e-13
"""A rate that is this small a share of the fastest is what rounding left of zero."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearPart:
    """States that a route feeds, the target first, with their rates and the gain as functions of the parameters."""

    route: str
    states: tuple[int, ...]
    function: Callable[[FloatArray], list[float]]

    def left(
        self, parameters: FloatArray, *, every: Fraction, lag: Fraction, duration: float
    ) -> tuple[tuple[int, float], ...]:
        """What a train of doses of one administered unit has left when the next is given, as (state, value).

        Doses were given ``every``, ``2 * every`` ... days ago for ever; each entered ``lag`` days after that, over
        ``duration`` days.

        Raises
        ------
        InputError
            ``regimen.steady``: what is given is never lost.
        """
        numbers = np.array(self.function(parameters))
        size = len(self.states)
        matrix, fed = numbers[:-1].reshape(size, size), np.zeros(size)
        fed[0] = numbers[-1]
        if not np.isfinite(numbers).all() or not _forgets(matrix):
            raise InputError(
                f"a patient never loses what is given by route `{self.route}`, and has no steady state",
                code="regimen.steady",
                expected="a drug that is lost, at rates that are finite",
                advice="write out the doses that came before",
            )
        return tuple(zip(self.states, _train(matrix, fed, every, lag, duration).tolist(), strict=True))


def linear_part(system: System, route: int) -> LinearPart:
    """The linear part of a system that a route feeds.

    Raises
    ------
    InputError
        ``regimen.steady``: the part is not linear, or not empty before treatment.
    """
    states = reached(system, route)
    fixed = _fixed(system)
    constants = {Symbol(name) for name in system.parameters} | {symbol for symbol, _ in system.constants}
    if system.initial[states[0]] != 0:
        raise _unknown(system.routes[route], f"`{system.states[states[0]]}` is not empty before treatment")
    slopes: list[Expr] = []
    for row in states:
        for column in states:
            slope = sympy.diff(system.rhs[row], Symbol(system.states[column])).xreplace(fixed)
            if slope.free_symbols - constants:
                raise _unknown(system.routes[route], f"the rate of `{system.states[row]}` is not linear in the drug")
            slopes.append(slope)
    return LinearPart(system.routes[route], tuple(states), of_parameters(system, [*slopes, system.gains[route]]))


def _unknown(route: str, found: str) -> InputError:
    return InputError(
        f"the steady state of doses by route `{route}` cannot be known",
        code="regimen.steady",
        found=found,
        expected="a drug that is absent before treatment, and kinetics that are linear in it",
        advice="write out the doses that came before",
    )


def reached(system: System, route: int) -> list[int]:
    """States that a route feeds: its target, and those empty before treatment that it reaches, in the order found.

    What only accumulates, such as an area under the curve, is none of them: it does not forget, and need not.
    """
    accumulating = _accumulating(system)
    found = [system.route_targets[route]]
    for state in found:
        symbol = Symbol(system.states[state])
        found += [
            other
            for other, rate in enumerate(system.rhs)
            if other not in found
            and other not in accumulating
            and system.initial[other] == 0
            and symbol in rate.free_symbols
        ]
    return found


def _accumulating(system: System) -> set[int]:
    """States in which no rate depends but those of such states, and that no route feeds."""
    others = set(range(len(system.states)))
    while True:
        read = {symbol for state in others for symbol in system.rhs[state].free_symbols}
        idle = {state for state in others if Symbol(system.states[state]) not in read} - {*system.route_targets}
        if not idle:
            return set(range(len(system.states))) - others
        others -= idle


def emptied(system: System) -> tuple[tuple[int, ...], Callable[[FloatArray], list[float]]]:
    """States that a drug by any route can have reached, and a function of the parameters: what they were before.

    What is there before treatment is no drug's, though a route may add to it.
    """
    fixed = _fixed(system)
    states = sorted(
        {
            state
            for route, target in enumerate(system.route_targets)
            if system.initial[target] == 0
            for state in reached(system, route)
            if Symbol(system.states[state]) not in fixed
        }
    )
    return tuple(states), of_parameters(system, [system.initial[state] for state in states])


def _fixed(system: System) -> dict[Expr, Expr]:
    """What only stops change, such as a factor of the occasion, as it usually is; and no infusion runs."""
    fed: dict[Expr, Expr] = {symbol: sympy.S.Zero for symbol in map(infusion, system.routes)}
    rates = [rate.xreplace(fed) for rate in system.rhs]
    names = [Symbol(name) for name in system.states]
    return fed | {name: start for name, rate, start in zip(names, rates, system.initial, strict=True) if rate == 0}


def _forgets(matrix: FloatArray) -> bool:
    rates = np.linalg.eigvals(matrix)
    return bool(rates.real.max() < -_FORGOTTEN * np.abs(rates).max())


def _train(matrix: FloatArray, fed: FloatArray, every: Fraction, lag: Fraction, duration: float) -> FloatArray:
    """Sum over the doses of an endless train of what each has left, for a dose of one unit."""
    first = lag // every + 1
    elapsed = float(first * every - lag)
    forgotten, filled = _course(matrix, float(every))

    def summed(left: FloatArray) -> FloatArray:
        # What is left of one dose, of the one before it, and so on: of I - exp(M τ), without cancellation.
        return np.asarray(np.linalg.solve(-matrix @ filled, left), dtype=np.float64)

    if not duration:
        at_once: FloatArray = _course(matrix, elapsed)[0] @ summed(fed)
        return at_once
    running = max(math.ceil((duration - elapsed) / float(every)), 0)
    rest = max(elapsed + running * float(every) - duration, 0.0)
    total: FloatArray = _course(matrix, rest)[0] @ summed(_course(matrix, duration)[1] @ fed)
    level = _course(matrix, elapsed)[1] @ fed
    for _ in range(running):
        total += level
        level = forgotten @ level + filled @ fed
    return total / duration


def _course(matrix: FloatArray, days: float) -> tuple[FloatArray, FloatArray]:
    """exp(M t), and its integral from 0 to t."""
    from scipy.linalg import expm

    size = len(matrix)
    block = np.zeros((2 * size, 2 * size))
    block[:size, :size], block[:size, size:] = matrix, np.eye(size)
    found = np.asarray(expm(block * days), dtype=np.float64)
    return found[:size, :size], found[:size, size:]
