"""Systems to kernels."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels.blueprint import Blueprint, blueprint
from simulate.kernels.elimination import MOST_WRITTEN, backsolve, factor
from simulate.kernels.elimination import plan as order
from simulate.kernels.form import Block, KernelFunction, Place
from simulate.kernels.hoisting import Program, gradient, needed, straight_line
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.lowering import function, lowered
from simulate.kernels.passing import blur, moved, rate
from simulate.kernels.print_table import tabled
from simulate.kernels.sensitivity_blocks import STAGES, followers, remembered
from simulate.kernels.sensitivity_blocks import rhs as rhs_in_pieces
from simulate.kernels.switches import Switches, met, symbols_of
from simulate.kernels.system import System, infusion
from simulate.kernels.taping import tape
from simulate.kernels.timed import clock_of, pulse_in
from simulate.native import fingerprint
from simulate.solver.hybrid import FEW_SLOTS, SLOTS, Hybrid, Passing
from simulate.solver.layout import CAPACITY, CONSTANTS, LANES, RATE, RESULT, SOLUTION, STATE, TIME
from simulate.symbolic.symbols import TIME as TIME_SYMBOL
from simulate.uncollected import uncollected


def build(system: System) -> CompiledKernel:
    """Kernel of a system.

    Raises
    ------
    InputError
        When the system is larger than the workspace admits, or uses a function that cannot be compiled.
    """
    return assemble(blueprint(system))


@uncollected()
def assemble(plan: Blueprint) -> CompiledKernel:
    """Kernel from its parts; errors as `build`."""
    largest = max(len(plan.states), len(plan.observables))
    if largest > CAPACITY or not plan.states:
        raise InputError(
            f"the model has {len(plan.states)} states and {len(plan.observables)} observables",
            code="kernel.size",
            expected=f"1 to {CAPACITY} states and at most {CAPACITY} observables",
        )
    states = [Symbol(name) for name in plan.states]
    rhs, observe = plan.rhs, plan.observe

    # Rows of the kernel's region: parameters, the constants that are used, infusion rates, gains, conditions, factors.
    switches = plan.switches
    needed = _symbols(rhs) | _symbols(observe)
    needed |= _symbols(switches.sense) | _symbols(switches.jump) | _symbols(switches.cross)
    kept = [symbol for symbol, _ in plan.constants if symbol in needed]
    region = _Region([Symbol(name) for name in plan.parameters])
    region.add(kept)
    infusion_row = region.add(infusion(route) for route in plan.routes)
    gain_row = region.skip(len(plan.gains))
    condition_row = region.skip(len(plan.conditions))
    hybrid = _hybrid(region, switches, states, plan.block)

    remembered_at = CONSTANTS + region.size * LANES
    if plan.pieces is not None:
        region.skip(STAGES * len(remembered(plan.pieces, states[: plan.block])))

    state_offsets = {symbol: STATE + index * LANES for index, symbol in enumerate(states)}
    inputs = {TIME_SYMBOL: TIME, **state_offsets, **region.offsets}
    labels: dict[Place, str] = {offset: str(symbol) for symbol, offset in inputs.items()}
    labels |= {RATE + index * LANES: f"d {name} / dt" for index, name in enumerate(plan.states)}
    own_constants = kept if plan.pieces is None else _own(plan)
    prepared: list[tuple[Place, Expr, bool]] = [
        *((region.offsets[symbol], symbol, symbol in own_constants) for symbol in kept),
        *(
            (CONSTANTS + (gain_row + index) * LANES, gain, target < plan.block)
            for index, (gain, target) in enumerate(zip(plan.gains, itertools.chain(*plan.jumps), strict=True))
        ),
        *((CONSTANTS + (condition_row + index) * LANES, value, True) for index, value in enumerate(plan.conditions)),
        *((RESULT + index * LANES, value, index < plan.block) for index, value in enumerate(plan.initial)),
    ]
    prepared.sort(key=lambda output: not output[2])
    judged = len(plan.observables) * plan.block // len(plan.states)
    scratch = CONSTANTS + region.size * LANES
    if plan.pieces is not None:
        region.skip(max(len(plan.constants), len(observe.assignments)))

    parameters = {Symbol(name): region.offsets[Symbol(name)] for name in plan.parameters}
    observed_labels = labels | {RESULT + index * LANES: name for index, name in enumerate(plan.observables)}
    initial_labels = labels | {RESULT + index * LANES: f"{name} at the start" for index, name in enumerate(plan.states)}
    functions = [
        function(
            "prepare",
            "Parameters → constants, gains, conditions, initial state.",
            parameters,
            plan.constants,
            [(place, value) for place, value, _ in prepared],
            labels=initial_labels,
            own=None if plan.pieces is None else sum(is_own for _, _, is_own in prepared),
            scratch=scratch,
        ),
        function(
            "rhs",
            "Time, state, constants → derivative.",
            inputs,
            rhs.assignments,
            _placed(RATE, rhs.results),
            labels=labels,
        )
        if plan.pieces is None
        else rhs_in_pieces(plan.pieces, states[: plan.block], inputs, remembered_at, labels),
        function(
            "observe",
            "Time, state, constants → observables.",
            inputs,
            observe.assignments,
            _placed(RESULT, observe.results),
            labels=observed_labels,
            own=None if plan.pieces is None else judged,
            scratch=scratch,
        ),
    ]
    if hybrid is not None:
        jump_scratch = CONSTANTS + region.skip(len(switches.jump.assignments) if switches.directions else 0) * LANES
        rates = {rate(symbol): RATE + index * LANES for index, symbol in enumerate(states[: plan.block])}
        functions += _switching(switches, hybrid, {**inputs, **rates}, labels, jump_scratch)
    # The pattern of the Jacobian is known only when it is asked for; full blocks and their factors always have room.
    stiff_row = region.skip((1 + len(states) // plan.block) * plan.block**2)
    stiff = functools.cache(lambda: _named(_stiff(rhs, states[: plan.block], inputs, labels, stiff_row)))
    inputs_of_series = {symbol: offset for symbol, offset in inputs.items() if symbol not in {*states, TIME_SYMBOL}}
    series = functools.cache(lambda: tape(rhs, states, inputs_of_series, pulse_in(plan.timed)))
    return CompiledKernel(
        key=_key(functions, hybrid, plan),
        functions=_named(functions),
        states=plan.states,
        parameters=plan.parameters,
        observables=plan.observables,
        units=plan.units,
        routes=plan.routes,
        conditions=plan.reasons,
        controlled=plan.controlled,
        judged=judged,
        jumps=plan.jumps,
        infusion_row=infusion_row,
        gain_row=gain_row,
        condition_row=condition_row,
        rows=region.size,
        stiff_functions=stiff,
        series=series,
        hybrid=hybrid,
        followers=None
        if plan.pieces is None
        else followers(plan.pieces, states, plan.block, region.offsets, remembered_at),
        clock=functools.cache(lambda: clock_of(plan.timed, plan.constants, plan.parameters)) if plan.timed else None,
    )


class _Region:
    """Rows handed out one after another; the only mutable thing here, and it does not leave `build`."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self.size = 0
        self.offsets: dict[Symbol, int] = {}
        self.add(symbols)

    def add(self, symbols: Iterable[Symbol]) -> int:
        first = self.size
        for symbol in symbols:
            self.offsets[symbol] = CONSTANTS + self.size * LANES
            self.size += 1
        return first

    def skip(self, rows: int) -> int:
        first = self.size
        self.size += rows
        return first


def _hybrid(region: _Region, switches: Switches, states: Sequence[Symbol], block: int) -> Hybrid | None:
    """Room for what switches and for events, and a table of the events; None where nothing does."""
    count, events = len(switches.watched), switches.events
    if not count and not events:
        return None
    mode_row = region.add(symbols_of(count))
    met_row = region.add(met(index) for index in range(count))
    seen_row = region.skip(count + len(events))
    before_row = region.skip(len(events))
    turn_row = region.skip(1)
    end_row = region.skip(len(states))
    values = [len(event.targets) for event in events]
    directions = switches.directions
    jump_row = region.skip((1 + directions) * sum(2 + number for number in values))
    slots = [SLOTS if event.delay != 0 else FEW_SLOTS for event in events]
    widths = [2 + number + directions * (1 + number) for number in values]
    queue_row = region.skip(sum(room * width for room, width in zip(slots, widths, strict=True)))
    return Hybrid(
        watched=count,
        mode_row=mode_row,
        met_row=met_row,
        seen_row=seen_row,
        before_row=before_row,
        turn_row=turn_row,
        end_row=end_row,
        jump_row=jump_row,
        queue_row=queue_row,
        events=tuple(
            (int(event.persistent), int(event.at_start), int(event.at_trigger), room, event.targets)
            for event, room in zip(events, slots, strict=True)
        ),
        passing=_passing(region, switches, states, block) if directions else None,
    )


def _passing(region: _Region, switches: Switches, states: Sequence[Symbol], block: int) -> Passing:
    """Room for derivatives where something switches."""
    directions, deciding = switches.directions, switches.deciding
    return Passing(
        directions=directions,
        block=block,
        deciding=deciding,
        flow_row=region.skip(len(states)),
        moved_row=region.add(moved(direction) for direction in range(directions)),
        mixed_row=region.skip(directions),
        cross_row=region.skip(deciding * (3 + directions)),
        blur_row=region.add(map(blur, states[:block])),
        verdict_row=region.skip(deciding),
        sum_row=region.skip(block),
        was_row=region.skip(deciding),
        away_row=region.skip(len(states)),
    )


def _switching(
    switches: Switches,
    hybrid: Hybrid,
    inputs: Mapping[Symbol, Place],
    labels: Mapping[Place, str],
    jump_scratch: int,
) -> Iterator[KernelFunction]:
    seen, jumps = CONSTANTS + hybrid.seen_row * LANES, CONSTANTS + hybrid.jump_row * LANES
    passing = hybrid.passing
    if passing is not None:
        yield function(
            "cross",
            "Time, state, derivative, constants → how fast what is watched passes, and its changes.",
            inputs,
            switches.cross.assignments,
            _placed(CONSTANTS + passing.cross_row * LANES, switches.cross.results),
            labels=labels,
        )
    yield function(
        "sense",
        "Time, state, constants → what is watched, and triggers of events.",
        inputs,
        switches.sense.assignments,
        _placed(seen, switches.sense.results),
        labels=labels,
    )
    yield function(
        "jump",
        "Time, state, constants → delays, priorities and new values of events.",
        inputs,
        switches.jump.assignments,
        _placed(jumps, switches.jump.results),
        labels=labels,
        own=None if passing is None else len(switches.jump.results) // (1 + passing.directions),
        scratch=jump_scratch,
    )


def _named(functions: Iterable[KernelFunction]) -> dict[str, KernelFunction]:
    return {function.name: function for function in functions}


def _own(plan: Blueprint) -> set[Symbol]:
    """What a system of several blocks needs of constants for its first block and what is observed of that."""
    assert plan.pieces is not None
    judged = len(plan.observables) * plan.block // len(plan.states)
    results = plan.observe.results[:judged]
    observe = Program(tuple(needed(plan.observe.assignments, results)), results)
    return _symbols(plan.pieces.values) | _symbols(observe)


def _symbols(program: Program) -> set[Symbol]:
    found: set[Symbol] = set()
    for expression in (*(value for _, value in program.assignments), *program.results):
        found |= expression.free_symbols
    return found


def _placed(first: int, results: Iterable[Expr]) -> list[tuple[Place, Expr]]:
    return [(first + index * LANES, result) for index, result in enumerate(results)]


@uncollected()
def _stiff(
    rhs: Program, block: list[Symbol], inputs: Mapping[Symbol, Place], labels: Mapping[Place, str], first_row: int
) -> Iterable[KernelFunction]:
    size = len(block)
    derivatives, places = gradient(rhs, [*block, TIME_SYMBOL])
    entries = dict(zip(places, derivatives.results, strict=True))
    pattern = [place for place in places if place[1] < size]
    offsets = {place: CONSTANTS + (first_row + index) * LANES for index, place in enumerate(pattern)}
    outputs: list[tuple[Place, Expr]] = [(offsets[place], entries[place]) for place in pattern]
    outputs += _placed(SOLUTION, [entries.get((state, size), sympy.S.Zero) for state in range(len(rhs.results))])
    named = dict(labels)
    named.update((offsets[row, column], f"d rate {row} / d state {column}") for row, column in pattern)
    elimination = order(size, tuple(place for place in pattern if place[0] < size))
    factors = CONSTANTS + (first_row + len(pattern)) * LANES
    blocks: tuple[Block, ...] | None = None
    if size > MOST_WRITTEN:
        # Before there are factors their rows are free.
        scratch = range(factors, CONSTANTS + (first_row + (1 + len(rhs.results) // size) * size**2) * LANES, LANES)
        blocks = tabled(lowered(inputs, derivatives.assignments, outputs, in_order=False), scratch)
    is_table = blocks is not None
    if blocks is None:
        program = straight_line([value for _, value in outputs], "jacobian")
        placed = list(zip([offset for offset, _ in outputs], program.results, strict=True))
        blocks = (lowered(inputs, (*derivatives.assignments, *program.assignments), placed),)
    meaning = "Time, state, constants → Jacobian and partial derivative in time."
    in_time = [SOLUTION + state * LANES for state in range(size) if (state, size) in entries]
    couplings = {place: offset for place, offset in offsets.items() if place[0] >= size}
    return (
        KernelFunction("jacobian", meaning, blocks, named, is_table),
        factor(elimination, offsets, factors, in_time),
        backsolve(elimination, factors, len(rhs.results) // size, couplings),
    )


def _key(functions: Iterable[KernelFunction], hybrid: Hybrid | None, plan: Blueprint) -> str:
    digest = hashlib.blake2b(digest_size=16)
    own = [f"{function.name} {function.blocks}" for function in functions]
    for part in (fingerprint(), *own, repr(hybrid), *plan.states, *plan.parameters, *plan.observables, *plan.units):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
