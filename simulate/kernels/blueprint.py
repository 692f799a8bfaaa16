"""What a kernel is built from: a system taken apart into programs."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol

from simulate.kernels.hoisting import Assignment, Program, hoist, straight_line
from simulate.kernels.saturation import without_overflow
from simulate.kernels.sensitivity_blocks import Pieces
from simulate.kernels.switches import NONE, Switches, symbols_of, with_modes
from simulate.kernels.system import System, infusion
from simulate.kernels.timed import timed_parts
from simulate.symbolic.symbols import TIME
from simulate.uncollected import uncollected


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A system taken apart into what is computed once, what in every stage and what at every output.

    Attributes
    ----------
    states, parameters, observables, units, routes, reasons
        As of a `System`.
    constants
        Assignments from parameters, each after those that it uses.
    initial, gains, conditions
        In parameters and constants; a gain for each target of each route.
    rhs, observe
        Programs in time, states, infusion rates, parameters and constants.
    jumps
        Indices of the states that each route feeds.
    controlled
        Number of leading states whose errors decide on the steps.
    block
        Number of states in a block: the Jacobian of the first block stands again on the diagonal of the others, which
        depend on the first besides and on nothing else.
    pieces
        The program of ``rhs`` in parts, if there is more than one block.
    switches
        What the modes stand for that the right-hand side has in the place of what switches, and events.
    timed
        Parts of the right-hand side and of triggers that depend on time and on nothing else that moves.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    units: tuple[str, ...]
    routes: tuple[str, ...]
    reasons: tuple[str, ...]
    constants: tuple[Assignment, ...]
    initial: tuple[Expr, ...]
    gains: tuple[Expr, ...]
    conditions: tuple[Expr, ...]
    rhs: Program
    observe: Program
    jumps: tuple[tuple[int, ...], ...]
    controlled: int
    block: int
    pieces: Pieces | None = None
    timed: tuple[Expr, ...] = ()
    switches: Switches = NONE


@uncollected()
def blueprint(system: System, *, with_switches: bool = True, for_derivatives: bool = False) -> Blueprint:
    """What the kernel of a system is built from.

    Parameters
    ----------
    system
        Equations.
    with_switches
        Whether what switches is a mode that a solver keeps within each step; otherwise it stays where it is among the
        rates, and there are no events.
    for_derivatives
        Whether what derivatives need is watched too: what switches within a side of a comparison, and every kink.
    """
    system = without_overflow(system)
    varying = [TIME, *(Symbol(name) for name in system.states), *(infusion(route) for route in system.routes)]
    moving = {TIME, *(Symbol(name) for name in system.states)}
    # A constant that switches, such as a condition on parameters, does so never.
    rates, switches = (
        with_modes(system.rhs, system.events, moving, for_derivatives) if with_switches else (system.rhs, NONE)
    )
    modes = list(symbols_of(len(switches.watched)))
    constants, rhs = hoist(straight_line(rates, "rhs"), [*varying, *modes], "constant")
    more_constants, observe = hoist(straight_line(system.observed, "observe"), varying, "observed")
    return Blueprint(
        states=system.states,
        parameters=system.parameters,
        observables=system.observables,
        units=system.units,
        routes=system.routes,
        reasons=system.reasons,
        constants=(*system.constants, *constants, *more_constants),
        initial=system.initial,
        gains=system.gains,
        conditions=system.conditions,
        rhs=rhs,
        observe=observe,
        jumps=tuple((target,) for target in system.route_targets),
        controlled=len(system.states),
        block=len(system.states),
        timed=timed_parts((*system.rhs, *(event.when for event in system.events)), set(varying[1:])),
        switches=switches,
    )
