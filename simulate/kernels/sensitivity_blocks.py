"""The right-hand side of a system with its derivatives, written so that it can be evaluated piece by piece.

What every direction shares is remembered in the kernel's region, block by block; a direction reads it there. So a
method may take a step of the system, remember what each of its stages needs, and then let one direction after
another take the step, with all that it touches in the fast memory of the core.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol
from sympy.utilities.iterables import strongly_connected_components

from simulate.kernels.form import (
    Asked,
    Block,
    Body,
    Fence,
    KernelFunction,
    OfStage,
    Place,
    Reply,
    StageRows,
    fused,
    is_arithmetic,
)
from simulate.kernels.hoisting import Assignment, Program
from simulate.kernels.lowering import lowered
from simulate.solver.layout import AT_ONCE, COMMAND, EVERYTHING, EXTENT, LANES, RATE, SHARED

STAGES = 12
"""Stages that can be remembered."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of a program with tangents.

    Attributes
    ----------
    values
        What the system itself computes: its results are its derivative. It depends on no direction.
    shared
        What the directions share, from the values.
    directions
        For each direction: its derivative, from the values and what is shared.
    """

    values: Program
    shared: tuple[Assignment, ...]
    directions: tuple[Program, ...]


def pieces(program: Program, values: set[Symbol], suffixes: Sequence[str]) -> Pieces:
    """Parts of a program of `with_tangents`, told apart by the names of what is assigned."""
    n = len(program.results) // (1 + len(suffixes))
    own: list[list[Assignment]] = [[] for _ in suffixes]
    plain, shared = [], []
    for symbol, expression in program.assignments:
        ending = symbol.name.rpartition("'")
        if symbol in values:
            plain.append((symbol, expression))
        elif ending[1]:
            own[suffixes.index(ending[2])].append((symbol, expression))
        else:
            shared.append((symbol, expression))
    return Pieces(
        Program(tuple(plain), program.results[:n]),
        tuple(shared),
        tuple(
            Program(tuple(assignments), program.results[index * n : (index + 1) * n])
            for index, assignments in enumerate(own, start=1)
        ),
    )


def remembered(parts: Pieces, states: Sequence[Symbol]) -> tuple[Symbol, ...]:
    """What is kept of a stage: the states, all values, and those of the shared symbols that directions read."""
    needed = _needed(parts)
    values = [symbol for symbol, _ in parts.values.assignments]
    return (*states, *values, *(symbol for symbol, _ in parts.shared if symbol in needed))


def _needed(parts: Pieces) -> set[Symbol]:
    """What directions read."""
    needed: set[Symbol] = set()
    for program in parts.directions:
        for expression in (*(value for _, value in program.assignments), *program.results):
            needed |= expression.free_symbols
    return needed


@dataclass(frozen=True, slots=True)
class StepPart:
    """A part of a step: states that depend on one another, of which all stages are taken before the next part begins.

    Attributes
    ----------
    states
        Names of the states.
    moves
        Whether any of them ever changes.
    body
        A stage, from the states and from what is known of it already, all by name, to temporaries by name and to rates
        by `rate_of` their states.
    """

    states: tuple[str, ...]
    moves: bool
    body: Body


@dataclass(frozen=True, slots=True)
class Followers:
    """What a step of the derivatives needs, in places that are known (`simulate.kernels.sensitivity_steps`).

    Attributes
    ----------
    solution, shared
        The solution's own stages, and what the directions share. None if it takes its stages before, by `rhs`.
    directions
        The parts of each direction, each after those that it needs.
    rows
        How far each state is from the first one.
    fixed
        Offset of what is constant during a step.
    slots
        Offset of what a stage leaves behind, and how far the same is from there for the next stage.
    """

    solution: StepPart | None
    shared: Body
    directions: tuple[tuple[StepPart, ...], ...]
    rows: Mapping[str, int]
    fixed: Mapping[str, int]
    slots: Mapping[str, int]
    stride: int


def rate_of(state: str) -> str:
    """Name of the rate of a state."""
    return f"rate of {state}"


def followers(
    parts: Pieces, states: Sequence[Symbol], block: int, fixed: Mapping[Symbol, int], first: int
) -> Followers:
    """What a step needs of all blocks of states after the first; ``first`` as for `rhs`."""
    kept: Sequence[Symbol] = remembered(parts, states[:block])
    solution = _stage(parts.values.assignments, list(zip(states, parts.values.results, strict=False)))
    at_once = is_arithmetic(solution.body)
    if at_once:
        needed = _needed(parts)
        kept = [symbol for symbol in kept if symbol in needed]
    return Followers(
        solution if at_once else None,
        _stage(parts.shared, ()).body,
        tuple(
            tuple(_direction(program, states[number * block : (number + 1) * block]))
            for number, program in enumerate(parts.directions, start=1)
        ),
        {symbol.name: index * LANES for index, symbol in enumerate(states)},
        {symbol.name: offset for symbol, offset in fixed.items()},
        {symbol.name: first + index * LANES for index, symbol in enumerate(kept)},
        len(kept) * LANES,
    )


def _direction(program: Program, states: Sequence[Symbol]) -> Iterable[StepPart]:
    """Parts of a direction."""
    rates = dict(zip(states, program.results, strict=True))
    expressions = {**dict(program.assignments), **rates}
    vertices = list(expressions)
    edges = [
        (symbol, other)
        for symbol, expression in expressions.items()
        for other in vertices
        if other in expression.free_symbols
    ]
    for found in strongly_connected_components((vertices, edges)):
        temporaries = [(symbol, value) for symbol, value in program.assignments if symbol in found]
        own = [(symbol, rate) for symbol, rate in rates.items() if symbol in found]
        yield _stage(temporaries, own)


def _stage(temporaries: Sequence[Assignment], rates: Sequence[Assignment]) -> StepPart:
    symbols = {symbol for _, value in (*temporaries, *rates) for symbol in value.free_symbols}
    inputs: dict[Symbol, Place] = {symbol: symbol.name for symbol in symbols}
    outputs: list[tuple[Place, Expr]] = [(symbol.name, symbol) for symbol, _ in temporaries]
    outputs += [(rate_of(symbol.name), rate) for symbol, rate in rates]
    moves = any(rate != 0 for _, rate in rates)
    return StepPart(tuple(symbol.name for symbol, _ in rates), moves, fused(lowered(inputs, temporaries, outputs)))


def rhs(
    parts: Pieces, states: Sequence[Symbol], inputs: Mapping[Symbol, Place], first: int, labels: Mapping[Place, str]
) -> KernelFunction:
    """``rhs(w)``.

    Parameters
    ----------
    parts
        What is to be computed.
    states
        Symbols of the states of the system itself.
    inputs
        Offset of time, states, constants, infusion rates.
    first
        Offset of the first row in which stages are remembered.
    labels
        What lies at a place, for readers.
    """
    kept = remembered(parts, states)
    places: dict[Symbol, Place] = {symbol: OfStage(index * LANES) for index, symbol in enumerate(kept)}
    known = [*states, *(symbol for symbol, _ in parts.values.assignments)]
    values = lowered(
        inputs,
        parts.values.assignments,
        [*_rows(RATE, parts.values.results), *((places[symbol], symbol) for symbol in known)],
    )
    reads = {**inputs, **places}
    shared = lowered(reads, parts.shared, [(places[symbol], symbol) for symbol in kept[len(known) :]])
    blocks: list[Block] = [
        StageRows(first, len(kept) * LANES),
        Reply(COMMAND + EXTENT, float(len(states))),
        Reply(COMMAND + AT_ONCE, 1.0 if is_arithmetic(values) else 0.0),
        Asked((EVERYTHING, SHARED), (values, Fence(), shared)),
    ]
    for number, program in enumerate(parts.directions, start=1):
        results = _rows(RATE + number * len(states) * LANES, program.results)
        blocks.append(Asked((EVERYTHING, number), (lowered(reads, program.assignments, results),)))
    meaning = "Time, state, constants → derivative, of the system or of one direction or of all."
    return KernelFunction("rhs", meaning, tuple(blocks), labels)


def _rows(first: int, results: Iterable[Expr]) -> list[tuple[Place, Expr]]:
    return [(first + index * LANES, result) for index, result in enumerate(results)]
