"""Forward sensitivities: how every state and observable changes with chosen parameters and initial values.

The sensitivities S = ∂x/∂p obey dS/dt = (∂f/∂x) S + ∂f/∂p along the solution. They are solved beside it, as states that
follow the steps of the solution, in the same lanes. The initial state, the gains of routes and all that is derived from
the steady baseline depend on the parameters too, and are differentiated through.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import sympy
from sympy import Symbol

from simulate.kernels.blueprint import Blueprint, blueprint
from simulate.kernels.build import CompiledKernel, assemble
from simulate.kernels.followers import pieces
from simulate.kernels.hoisting import hoist
from simulate.kernels.system import System, infusion
from simulate.kernels.tangents import Tangents, carried, total, with_named_divisors, with_tangents
from simulate.solver.kernel import FloatArray
from simulate.solver.layout import CAPACITY
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.symbolic.parts import TIME

if TYPE_CHECKING:
    from simulate.solver.methods import Method

TOGETHER = 8
"""Directions solved at once: more would no longer fit the fast memory of a core, fewer would solve the model again."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivities:
    """A solution and its derivatives.

    Attributes
    ----------
    trajectories
        The solution itself.
    directions
        Names of what is varied: a parameter, or ``x(0)`` for the initial value of the state ``x``.
    values
        Derivatives, shape [member, time, quantity, direction], in the unit of the quantity over that of the direction.
        NaN where the solution is, and where a derivative does not exist.
    """

    trajectories: Trajectories
    directions: tuple[str, ...]
    values: FloatArray

    def derivative(self, quantity: str, direction: str) -> FloatArray:
        """Derivative of one quantity in one direction, shape [member, time]."""
        return self.values[:, :, self.trajectories.quantities.index(quantity), self.directions.index(direction)]


def solve_sensitivities(
    system: System,
    parameters: FloatArray,
    schedule: Schedule,
    times: FloatArray,
    *,
    of: Sequence[str] | None = None,
    initial: Sequence[str] = (),
    together: int = TOGETHER,
    start: float = 0.0,
    tolerance: Tolerance | None = None,
    method: Method | None = None,
    max_steps: int = 100_000,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sensitivities:
    from simulate.solver.batch import solve
    from simulate.solver.methods import DOPRI5
    from simulate.solver.methods.followers import DOPRI5_FOLLOWERS

    names = tuple(system.parameters if of is None else of)
    directions = (*names, *(f"{state}(0)" for state in initial))
    kernels = sensitivity_kernels(system, names, tuple(initial), together)
    parts = []
    for kernel in kernels:
        solution = solve(
            kernel,
            parameters,
            schedule,
            times,
            start=start,
            tolerance=tolerance,
            method=DOPRI5_FOLLOWERS if method is None or method is DOPRI5 else method,
            max_steps=max_steps,
            threads=threads,
            progress=progress,
        )
        n, m = kernel.controlled, len(system.observables)
        count = len(kernel.states) // n
        states = solution.values[:, :, : n * count].reshape(*solution.values.shape[:2], count, n)
        observed = solution.values[:, :, n * count :].reshape(*solution.values.shape[:2], count, m)
        parts.append((solution, np.concatenate([states, observed], axis=3)))
    first, both = parts[0]
    trajectories = replace(
        first,
        quantities=(*system.states, *system.observables),
        units=system.units,
        values=np.ascontiguousarray(both[:, :, 0]),
    )
    values = np.concatenate([part[:, :, 1:] for _, part in parts], axis=2)
    return Sensitivities(trajectories, directions, np.ascontiguousarray(np.moveaxis(values, 2, 3)))


@functools.lru_cache(maxsize=4)
def sensitivity_kernels(
    system: System, parameters: tuple[str, ...], initial: tuple[str, ...], together: int
) -> tuple[CompiledKernel, ...]:
    directions = [*((name, None) for name in parameters), *((None, state) for state in initial)]
    together = min(together, CAPACITY // len(system.states) - 1, CAPACITY // max(1, len(system.observables)) - 1)
    base = blueprint(system)
    return tuple(
        assemble(augmented(base, directions[index : index + together]))
        for index in range(0, max(1, len(directions)), together)
    )


def augmented(plan: Blueprint, directions: Sequence[tuple[str | None, str | None]]) -> Blueprint:
    """The system with its derivatives in some directions, each a parameter or the initial value of a state."""
    n = len(plan.states)
    suffixes = [parameter if parameter is not None else f"{state}(0)" for parameter, state in directions]
    seeds: list[Tangents] = [
        {Symbol(parameter): sympy.S.One} if parameter is not None else {} for parameter, _ in directions
    ]
    constants, tangents = carried(plan.constants, seeds, suffixes)
    sensitive = [[Symbol(f"{state}'{suffix}") for state in plan.states] for suffix in suffixes]
    moving: list[Tangents] = [
        {**fixed, **dict(zip(map(Symbol, plan.states), own, strict=True))}
        for fixed, own in zip(tangents, sensitive, strict=True)
    ]
    varying = [TIME, *map(Symbol, plan.states), *map(infusion, plan.routes), *(s for own in sensitive for s in own)]
    more, rhs = hoist(with_tangents(plan.rhs, moving, suffixes, "rhs"), varying, "tangent")
    yet_more, observe = hoist(with_tangents(plan.observe, moving, suffixes, "observe"), varying, "observed tangent")

    initial = list(plan.initial)
    for fixed, (_, varied) in zip(tangents, directions, strict=True):
        initial += [
            sympy.Integer(state == varied) if varied is not None else total(value, fixed)
            for state, value in zip(plan.states, plan.initial, strict=True)
        ]
    jumps, gains, position = [], [], 0
    for targets in plan.jumps:
        jump = list(targets)
        own = list(plan.gains[position : position + len(targets)])
        position += len(targets)
        for index, fixed in enumerate(tangents, start=1):
            for target, gain in zip(targets, own[: len(targets)], strict=True):
                slope = total(gain, fixed)
                if slope != 0:
                    jump.append(index * n + target)
                    own.append(slope)
        jumps.append(tuple(jump))
        gains += own
    return replace(
        plan,
        states=(*plan.states, *(f"{state}'{suffix}" for suffix in suffixes for state in plan.states)),
        observables=(*plan.observables, *(f"{name}'{suffix}" for suffix in suffixes for name in plan.observables)),
        units=(),
        constants=(*constants, *more, *yet_more),
        initial=tuple(initial),
        gains=tuple(gains),
        rhs=rhs,
        observe=observe,
        pieces=pieces(rhs, {symbol for symbol, _ in with_named_divisors(plan.rhs, "rhs").assignments}, suffixes),
        jumps=tuple(jumps),
    )
