"""The right-hand side of a system with its derivatives, written so that it can be evaluated piece by piece.

What every direction shares is remembered in the kernel's region, block by block; a direction reads it there. So a
method may take a step of the system, remember what each of its stages needs, and then let one direction after
another take the step, with all that it touches in the fast memory of the core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol

from simulate.kernels.emission import Offset, arithmetic, lane_loop, vectors
from simulate.kernels.hoisting import Assignment, Program
from simulate.solver.layout import AT_ONCE, COMMAND, DIRECTION, EVERYTHING, EXTENT, LANES, RATE, SHARED, STAGE

STAGES = 12
"""Stages that can be remembered."""

IMPORTS = "from simulate.kernels.lanewise import every, fence, load, store\n"
"""What a module needs besides for functions whose names stand for all lanes at once, and for fences."""


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


def all_at_once(parts: Pieces) -> bool:
    """Whether a step can be written as one straight line: there is nothing but sums, products and quotients."""
    return arithmetic(parts.values)


@dataclass(frozen=True, slots=True)
class Followers:
    """What a step of the derivatives needs, in places that are known (`simulate.kernels.sensitivity_steps`).

    Attributes
    ----------
    values, shared
        What the solution's own stages compute, and what the directions share. No values if the solution takes its
        stages before, by `rhs`.
    directions
        The program of each direction.
    own
        Symbols of the states, then of their derivatives in each direction.
    fixed
        Offset of what is constant during a step.
    slots
        Offset of what a stage leaves behind, and how far the same is from there for the next stage.
    """

    values: Program | None
    shared: tuple[Assignment, ...]
    directions: tuple[Program, ...]
    own: tuple[tuple[Symbol, ...], ...]
    fixed: Mapping[Symbol, int]
    slots: Mapping[Symbol, int]
    stride: int


def followers(
    parts: Pieces, states: Sequence[Symbol], block: int, fixed: Mapping[Symbol, int], first: int
) -> Followers:
    """What a step needs of all blocks of states after the first; ``first`` as for `rhs_source`."""
    kept: Sequence[Symbol] = remembered(parts, states[:block])
    at_once = all_at_once(parts)
    if at_once:
        needed = _needed(parts)
        kept = [symbol for symbol in kept if symbol in needed]
    return Followers(
        parts.values if at_once else None,
        parts.shared,
        parts.directions,
        tuple(tuple(states[place : place + block]) for place in range(0, len(states), block)),
        fixed,
        {symbol: first + index * LANES for index, symbol in enumerate(kept)},
        len(kept) * LANES,
    )


def rhs_source(
    parts: Pieces, states: Sequence[Symbol], inputs: Mapping[Symbol, int], first: int, labels: Mapping[Offset, str]
) -> str:
    """Source of ``rhs(w)``.

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
        What lies at an offset, for comments.
    """
    kept = remembered(parts, states)
    places: dict[Symbol, Offset] = {symbol: f"p + {index * LANES}" for index, symbol in enumerate(kept)}
    values: list[tuple[Offset, Expr]] = [
        (RATE + index * LANES, rate) for index, rate in enumerate(parts.values.results)
    ]
    known = [*states, *(symbol for symbol, _ in parts.values.assignments)]
    values += [(places[symbol], symbol) for symbol in known]
    shared: list[tuple[Offset, Expr]] = [(places[symbol], symbol) for symbol in kept[len(known) :]]
    whole = Program((*parts.values.assignments, *parts.shared), parts.values.results)
    emitted = vectors if all(map(arithmetic, (whole, *parts.directions))) else lane_loop
    lines = [
        "def rhs(w):",
        '    """Time, state, constants → derivative, of the system or of one direction or of all."""',
        f"    command = int(w[{COMMAND + DIRECTION}])",
        f"    p = {first} + (int(w[{COMMAND + STAGE}]) & 15) * {len(kept) * LANES}",
        f"    w[{COMMAND + EXTENT}] = {len(states)}.0",
        f"    w[{COMMAND + AT_ONCE}] = {1.0 if all_at_once(parts) else 0.0}",
        f"    if command == {EVERYTHING} or command == {SHARED}:",
        *emitted(inputs, parts.values.assignments, values, labels=labels, indent=" " * 8),
    ]
    reads = {**inputs, **places}
    lines.append(f"{' ' * 8}fence(w)")
    if shared:
        lines += emitted(reads, parts.shared, shared, labels=labels, indent=" " * 8)
    for number, program in enumerate(parts.directions, start=1):
        row = RATE + number * len(states) * LANES
        results: list[tuple[Offset, Expr]] = [(row + index * LANES, rate) for index, rate in enumerate(program.results)]
        lines.append(f"    if command == {EVERYTHING} or command == {number}:")
        lines += emitted(reads, program.assignments, results, labels=labels, indent=" " * 8)
    return "\n".join(lines) + "\n"
