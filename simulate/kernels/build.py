"""Systems to kernels: functions of the form, compiled when they are asked for and cached by content."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.compiled import fingerprint
from simulate.emitted import emitted
from simulate.errors import InputError
from simulate.kernels.blueprint import Blueprint, blueprint
from simulate.kernels.clock import NOTHING, Clock, pulse_in
from simulate.kernels.elimination import MOST_WRITTEN, backsolve, factor
from simulate.kernels.elimination import plan as order
from simulate.kernels.form import Block, KernelFunction, Place
from simulate.kernels.hoisting import Program, gradient, needed, straight_line
from simulate.kernels.lowering import function, lowered
from simulate.kernels.passing import blur, moved, rate
from simulate.kernels.print_table import tabled
from simulate.kernels.print_text import module_text
from simulate.kernels.sensitivity_blocks import STAGES, Followers, followers, remembered
from simulate.kernels.sensitivity_blocks import rhs as rhs_in_pieces
from simulate.kernels.switches import Switches, met, symbols_of
from simulate.kernels.system import System, infusion
from simulate.kernels.tape import Tape, tape
from simulate.solver.hybrid import FEW_SLOTS, SLOTS, Hybrid, Passing
from simulate.solver.kernel import BlockFunction, FloatArray, IntArray
from simulate.solver.layout import CAPACITY, CONSTANTS, LANES, RATE, RESULT, SOLUTION, STATE, TIME
from simulate.solver.tableau import ButcherTableau
from simulate.symbolic.parts import TIME as TIME_SYMBOL
from simulate.uncollected import uncollected


@dataclass(frozen=True)
class CompiledKernel:
    """A kernel whose functions are compiled, or loaded from the cache, when first asked for.

    ``functions`` are those that every method needs, ``stiff_functions`` those of methods for stiff systems. The other
    attributes are those of `simulate.solver.Kernel`.
    """

    key: str
    functions: Mapping[str, KernelFunction]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    units: tuple[str, ...]
    routes: tuple[str, ...]
    conditions: tuple[str, ...]
    controlled: int
    judged: int
    jumps: tuple[tuple[int, ...], ...]
    infusion_row: int
    gain_row: int
    condition_row: int
    rows: int
    stiff_functions: Callable[[], Mapping[str, KernelFunction]]
    series: Callable[[], Tape]
    clock: Callable[[], Clock] | None = None
    hybrid: Hybrid | None = None
    followers: Followers | None = None

    @property
    def route_offsets(self) -> IntArray:
        """Where the targets of each route begin, shape [route + 1]."""
        return np.cumsum([0, *(len(targets) for targets in self.jumps)], dtype=np.int64)

    @property
    def route_targets(self) -> IntArray:
        """Indices of the states that routes feed, shape [target]."""
        return np.array([target for targets in self.jumps for target in targets], dtype=np.int64)

    @property
    def source(self) -> str:
        """The functions as text, for readers."""
        return module_text(self.functions.values())

    def stiff_source(self) -> str:
        """The functions of methods for stiff systems as text, for readers."""
        return module_text(self.stiff_functions().values())

    @functools.cached_property
    def prepare(self) -> BlockFunction:
        """Parameters → constants, gains, conditions and initial state."""
        return self._compiled(self.functions["prepare"])

    @functools.cached_property
    def rhs(self) -> BlockFunction:
        """Time, state, constants → derivative."""
        return self._compiled(self.functions["rhs"])

    @functools.cached_property
    def observe(self) -> BlockFunction:
        """Time, state, constants → observables."""
        return self._compiled(self.functions["observe"])

    @functools.cached_property
    def sense(self) -> BlockFunction:
        """Time, state, constants → what is watched, and triggers of events."""
        return self._if_needed("sense")

    @functools.cached_property
    def jump(self) -> BlockFunction:
        """Time, state, constants → delays, priorities and new values of events."""
        return self._if_needed("jump")

    @functools.cached_property
    def cross(self) -> BlockFunction:
        """Time, state, derivative, constants → how what is watched passes."""
        return self._if_needed("cross")

    def _if_needed(self, name: str) -> BlockFunction:
        """A function that without switches is never called: then any will do."""
        return self._compiled(self.functions[name]) if name in self.functions else self.prepare

    @functools.cached_property
    def jacobian(self) -> BlockFunction:
        """Time, state, constants → Jacobian and partial derivative in time."""
        return self._compiled(self.stiff_functions()["jacobian"])

    @functools.cached_property
    def factor(self) -> BlockFunction:
        """Jacobian and shift → factors."""
        return self._compiled(self.stiff_functions()["factor"])

    @functools.cached_property
    def backsolve(self) -> BlockFunction:
        """Factors and right-hand side → solution."""
        return self._compiled(self.stiff_functions()["backsolve"])

    def breaks(self, parameters: FloatArray, start: float, end: float) -> tuple[IntArray, FloatArray]:
        """Kinks and narrow features in time of members [member, parameter]: owners and times."""
        return NOTHING if self.clock is None else self.clock().breaks(parameters, start, end)

    def jets(self, order: int) -> BlockFunction:
        """Time, state, constants → Taylor coefficients of the solution up to an order.

        Raises
        ------
        InputError
            When the model has no Taylor series everywhere.
        """
        # An engine of single numbers has no vectors to write them with.
        from simulate.kernels import jets

        if order not in self._jets:
            program = self.series()
            self._jets[order] = emitted("jets", f"{order} {program}", jets.writer(program, order))
        return self._jets[order]

    def steps(self, tableau: ButcherTableau) -> BlockFunction:
        """What the solution's own stages left behind → a step of the derivatives."""
        from simulate.kernels import sensitivity_steps

        assert self.followers is not None
        if tableau not in self._steps:
            given = (self.followers, tableau)
            self._steps[tableau] = emitted("steps", repr(given), sensitivity_steps.writer(*given))
        return self._steps[tableau]

    @functools.cached_property
    def _jets(self) -> dict[int, BlockFunction]:
        return {}

    @functools.cached_property
    def _steps(self) -> dict[ButcherTableau, BlockFunction]:
        return {}

    def _compiled(self, function: KernelFunction) -> BlockFunction:
        return machine_code(function)


@uncollected()
def machine_code(function: KernelFunction) -> BlockFunction:
    """A generated function for the processor."""
    # An engine of single numbers has no vectors to write it with.
    from simulate.kernels import print_llvm

    return print_llvm.machine_code(function)


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
        clock=functools.cache(lambda: Clock(plan.timed, plan.constants, plan.parameters)) if plan.timed else None,
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
