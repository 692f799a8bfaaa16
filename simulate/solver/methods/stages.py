"""The stages of explicit Runge-Kutta methods, made of the rows of their tableaus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulate.compiled import inlined
from simulate.solver.layout import COMMAND, LANES, RATE, STAGE, START, STATE, STEP
from simulate.solver.methods.method import to_node
from simulate.solver.vectors import load, store, weighted


def advanced(weights: Mapping[int, float], kept: int | None) -> Any:
    """Return the compiled function ``(w, first, end)``: STATE = START + STEP · Σ weight · vector.

    Parameters
    ----------
    weights
        Weight of each vector, by its offset in the workspace.
    kept
        Offset of the vector to which the derivative just computed is copied before, in the same pass over memory.
    """
    total = weighted(weights)
    if kept is None:

        @inlined
        def advance(w: Any, first: int, end: int) -> None:
            h = load(w, STEP)
            for i in range(first, end, LANES):
                store(w, STATE + i, load(w, START + i) + h * total(w, i))

        return advance

    @inlined
    def keep_and_advance(w: Any, first: int, end: int) -> None:
        h = load(w, STEP)
        for i in range(first, end, LANES):
            store(w, kept + i, load(w, RATE + i))
            store(w, STATE + i, load(w, START + i) + h * total(w, i))

    return keep_and_advance


def stages(
    rows: Sequence[Mapping[int, float]], nodes: Sequence[float], kept: Sequence[int | None], number: int = 0
) -> Any:
    """Return the compiled function ``(w, first, end, rhs, in_blocks)``: the stages one after the other.

    It acts on the rows of the state from ``first`` up to ``end``, and leaves the state that the last row gives; the
    derivative there is not evaluated. Where states come ``in_blocks``, which stage it is stands in ``COMMAND``.

    Parameters
    ----------
    rows
        Weights of each stage, by the offset of the vector in the workspace; the last are those of the solution.
    nodes
        Where in the step each stage but the last is evaluated.
    kept
        Offset of the vector that keeps the derivative evaluated before each stage, as for `advanced`.
    number
        Of the first stage.
    """
    advance = advanced(rows[0], kept[0])
    if len(rows) == 1:

        @inlined
        def finish(w: Any, first: int, end: int, rhs: Any, in_blocks: bool) -> None:
            advance(w, first, end)

        return finish
    node, others = nodes[0], stages(rows[1:], nodes[1:], kept[1:], number + 1)

    @inlined
    def take(w: Any, first: int, end: int, rhs: Any, in_blocks: bool) -> None:
        advance(w, first, end)
        to_node(w, node)
        if in_blocks:
            w[COMMAND + STAGE] = number
        rhs(w)
        others(w, first, end, rhs, in_blocks)

    return take
