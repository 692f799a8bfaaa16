"""Forward sensitivities: how every state and observable changes with chosen parameters and initial values.

The sensitivities S = ∂x/∂p obey dS/dt = (∂f/∂x) S + ∂f/∂p along the solution. They are solved beside it, as states that
follow the steps of the solution, in the same lanes. The initial state, the gains of routes and all that is derived from
the steady baseline depend on the parameters too, and are differentiated through.

The steps are those that the solution needs: an error of the sensitivities never makes one shorter. In units of the
quantities (p·S) their error is a few times that of the solution, and falls with the tolerance as that does. Times of
doses are fixed: no derivative is taken with respect to one. Where the right-hand side has a kink (min, max, abs) the
derivative is that of the side the solution is on. What switches, and events, happen at times that move with the
parameters (`simulate.solver.passing`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import sympy
from sympy import Symbol

from simulate.errors import InputError, did_you_mean
from simulate.kernels.blueprint import Blueprint, blueprint
from simulate.kernels.build import assemble
from simulate.kernels.hoisting import Program, hoist
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.passing import Reach, reaches, with_derivatives
from simulate.kernels.sensitivity_blocks import pieces
from simulate.kernels.switches import NONE, symbols_of
from simulate.kernels.system import System, infusion
from simulate.kernels.tangents import Tangents, carried, total, with_named_divisors, with_tangents
from simulate.solver.kernel import FloatArray
from simulate.solver.layout import CAPACITY
from simulate.solver.problem import MAX_STEPS, Schedule, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.symbolic.symbols import TIME

if TYPE_CHECKING:
    from simulate.solver.methods import Method

TOGETHER = 8
"""Directions solved at once: more take longer to compile and do not fit the fast memory, fewer share less work."""


@dataclass(frozen=True, slots=True)
class Direction:
    """What is varied: parameters, each as much as its weight says, or the initial value of a state.

    Attributes
    ----------
    name
        What a reader sees; it holds no quotation mark.
    weights
        Change of each parameter, an expression in parameters: 1 for a plain derivative.
    state
        State whose initial value is varied while everything derived from the baseline stays; None for parameters.
    """

    name: str
    weights: tuple[tuple[str, sympy.Expr], ...] = ()
    state: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivities:
    """A solution and its derivatives.

    Attributes
    ----------
    trajectories
        The solution itself, with the counters of one of the solves.
    directions
        Names of what is varied: a parameter, or ``x(0)`` for the initial value of the state ``x``.
    values
        Derivatives, shape [member, time, quantity, direction], in the unit of the quantity over that of the direction.
        NaN where the solution is, and where a derivative does not exist: behind a switch that is only grazed, or of
        which several at one time would part.
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
    of: Sequence[str | Direction] | None = None,
    initial: Sequence[str] = (),
    together: int = TOGETHER,
    start: float = 0.0,
    tolerance: Tolerance | None = None,
    method: Method | None = None,
    max_steps: int = MAX_STEPS,
    max_step: float | None = None,
    breaks: Sequence[float] = (),
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sensitivities:
    """Integrate a batch of members together with its derivatives.

    Parameters
    ----------
    system
        The system.
    parameters, schedule, times, start, tolerance, max_steps, max_step, breaks, threads, progress
        As for `simulate.solver.solve`; ``progress`` counts a member once for every ``together`` directions.
    of
        Parameters, or directions that join several; all parameters if not given.
    initial
        States whose initial values are varied.
    together
        Directions solved at once. The solution has the same bits whatever it is, derivatives agree to rounding.
    method
        Dormand-Prince 5(4) if not given. Any Runge-Kutta or Rosenbrock method will do; a stiff one is given the exact
        Jacobian of the sensitivities, for which second derivatives must exist, and takes half a minute to compile for
        eight directions of a large system.

    Raises
    ------
    InputError
        ``sensitivities.unknown`` for a name that the system does not have, ``sensitivities.twice``,
        ``sensitivities.none``, ``sensitivities.size`` for a system too large to have one direction beside it,
        ``sensitivities.method`` for a method with Taylor series, and what `solve` raises.
    """
    from simulate.solver.batch import solve
    from simulate.solver.methods import DOPRI5
    from simulate.solver.methods.sensitivity_stages import DOPRI5_FOLLOWERS

    if method is not None and method.series:
        raise InputError(
            "sensitivities cannot be solved with Taylor series",
            code="sensitivities.method",
            found=method.name,
            expected="a method whose steps the sensitivities do not change",
            advice="leave the method out: Dormand-Prince 5(4) is taken",
        )
    directions = _directions(system, system.parameters if of is None else of, initial)
    n, m = len(system.states), len(system.observables)
    room = CAPACITY // max(n, m) - 1
    if room < 1:
        raise InputError(
            f"a system of {n} states and {m} observables is too large for sensitivities",
            code="sensitivities.size",
            expected=f"at most {CAPACITY // 2} of each",
        )
    size = max(1, min(together, room))
    trajectories: Trajectories | None = None
    values = np.empty((len(parameters), len(times), n + m, len(directions)))
    for first in range(0, len(directions), size):
        kernel = sensitivity_kernel(system, directions[first : first + size])
        solution = solve(
            kernel,
            parameters,
            schedule,
            times,
            start=start,
            tolerance=tolerance,
            method=DOPRI5_FOLLOWERS if method is None or method is DOPRI5 else method,
            max_steps=max_steps,
            max_step=max_step,
            breaks=breaks,
            threads=threads,
            progress=progress,
        )
        blocks = len(kernel.states) // n
        states = solution.values[:, :, : n * blocks].reshape(len(parameters), len(times), blocks, n)
        observed = solution.values[:, :, n * blocks :].reshape(len(parameters), len(times), blocks, m)
        values[:, :, :n, first : first + size] = np.moveaxis(states[:, :, 1:], 2, 3)
        values[:, :, n:, first : first + size] = np.moveaxis(observed[:, :, 1:], 2, 3)
        if trajectories is None:
            trajectories = replace(
                solution,
                quantities=(*system.states, *system.observables),
                units=system.units,
                values=np.concatenate([states[:, :, 0], observed[:, :, 0]], axis=2),
            )
    assert trajectories is not None
    return Sensitivities(trajectories, tuple(direction.name for direction in directions), values)


@functools.lru_cache(maxsize=32)
def sensitivity_kernel(system: System, directions: tuple[Direction, ...]) -> CompiledKernel:
    """Kernel of a system with its derivatives in some directions, block by block: the states, then their derivatives.

    The system's own numbers are the same bits whatever the directions.
    """
    return assemble(augmented(blueprint(system, for_derivatives=True), directions))


def augmented(plan: Blueprint, directions: Sequence[Direction]) -> Blueprint:
    """A system together with its derivatives in some directions."""
    suffixes = [direction.name for direction in directions]
    seeds: list[Tangents] = [{Symbol(name): weight for name, weight in direction.weights} for direction in directions]
    constants, fixed = carried(plan.constants, seeds, suffixes)
    states = [Symbol(name) for name in plan.states]
    sensitive = [[Symbol(f"{name}'{suffix}") for name in plan.states] for suffix in suffixes]
    starts = [
        [
            sympy.Integer(name == direction.state) if direction.state is not None else total(value, tangents)
            for name, value in zip(plan.states, plan.initial, strict=True)
        ]
        for direction, tangents in zip(directions, fixed, strict=True)
    ]
    gains, jumps = _jumps(plan, fixed)
    moving: list[Tangents] = []
    ways = reaches(plan.switches, states)
    for block, (tangents, own, start) in enumerate(zip(fixed, sensitive, starts, strict=True), start=1):
        jumped = {place - block * len(states) for targets in jumps for place in targets}
        begun = {states[index] for index, slope in enumerate(start) if slope != 0 or index in jumped}
        reached = _reached(plan.rhs, states, begun | tangents.keys(), ways)
        moving.append(
            {**tangents, **{symbol: slope for symbol, slope in zip(states, own, strict=True) if symbol in reached}}
        )
    switches = plan.switches
    if switches is not NONE:
        switches = with_derivatives(switches, states, fixed, sensitive, suffixes)
    modes = symbols_of(len(switches.watched))
    varying = [TIME, *states, *map(infusion, plan.routes), *modes, *(symbol for own in sensitive for symbol in own)]
    more, rhs = hoist(with_tangents(plan.rhs, moving, suffixes, "rhs"), varying, "tangent")
    yet_more, observe = hoist(with_tangents(plan.observe, moving, suffixes, "observe"), varying, "observed tangent")
    return replace(
        plan,
        states=(*plan.states, *(symbol.name for own in sensitive for symbol in own)),
        observables=(*plan.observables, *(f"{name}'{suffix}" for suffix in suffixes for name in plan.observables)),
        units=(),
        constants=(*constants, *more, *yet_more),
        initial=(*plan.initial, *(slope for start in starts for slope in start)),
        gains=gains,
        rhs=rhs,
        observe=observe,
        jumps=jumps,
        switches=switches,
        pieces=pieces(rhs, {symbol for symbol, _ in with_named_divisors(plan.rhs, "rhs").assignments}, suffixes),
    )


def _reached(program: Program, states: Sequence[Symbol], begun: Set[Symbol], ways: Sequence[Reach] = ()) -> set[Symbol]:
    """What a change of some symbols, states among them, comes to move along a solution."""
    moved = set(begun)
    while True:
        before = len(moved)
        for symbol, expression in program.assignments:
            if not moved.isdisjoint(expression.free_symbols):
                moved.add(symbol)
        for given, changed in ways:
            if not moved.isdisjoint(given):
                moved |= changed
        for state, rate in zip(states, program.results, strict=True):
            if not moved.isdisjoint(rate.free_symbols):
                moved.add(state)
        if len(moved) == before:
            return moved


def _jumps(plan: Blueprint, fixed: Sequence[Tangents]) -> tuple[tuple[sympy.Expr, ...], tuple[tuple[int, ...], ...]]:
    """Gains and targets of routes: a dose also moves the derivatives of its target, where its gain has one."""
    gains: list[sympy.Expr] = []
    jumps = []
    remaining = iter(plan.gains)
    for targets in plan.jumps:
        own = list(zip(targets, remaining, strict=False))
        for block, tangents in enumerate(fixed, start=1):
            slopes = [
                (block * len(plan.states) + target, total(gain, tangents)) for target, gain in own[: len(targets)]
            ]
            own += [(target, slope) for target, slope in slopes if slope != 0]
        jumps.append(tuple(target for target, _ in own))
        gains += [gain for _, gain in own]
    return tuple(gains), tuple(jumps)


def _directions(system: System, of: Sequence[str | Direction], initial: Sequence[str]) -> tuple[Direction, ...]:
    directions = [Direction(given, ((given, sympy.S.One),)) if isinstance(given, str) else given for given in of]
    directions += [Direction(f"{state}(0)", state=state) for state in initial]
    names = [direction.name for direction in directions]
    for direction in directions:
        for name, _ in direction.weights:
            _known(name, system.parameters, "parameter")
        if direction.state is not None:
            _known(direction.state, system.states, "state")
        if names.count(direction.name) > 1:
            raise InputError(f"the sensitivity to `{direction.name}` is asked for twice", code="sensitivities.twice")
    if not directions:
        raise InputError(
            "no parameter or initial value is given to differentiate by",
            code="sensitivities.none",
            advice="name at least one",
        )
    return tuple(directions)


def _known(name: str, names: Sequence[str], kind: str) -> None:
    if name not in names:
        raise InputError(
            f"the system has no {kind} `{name}`", code="sensitivities.unknown", advice=did_you_mean(name, names)
        )
