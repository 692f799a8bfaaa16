"""Gaussian elimination of a fixed sparse pattern, written out as straight lines, or as a table of steps if it is long.

The matrix is ``shift·1 − J``. The order of elimination is chosen once, from the pattern, by least fill (Markowitz) on
the diagonal. There is no pivoting at run time: for small steps the diagonal dominates, and all pivots are positive.
Where one is not, something grows faster than the step can follow, and a solution would hardly move instead of growing;
the factors say so. They also say where the Jacobian is not finite: its entries that are not are taken for 0.

What is eliminated is ``J − shift·1``, whose pivots are negative; the reciprocals of the pivots put the signs right. So
nothing is subtracted, and every sum takes its product in.

Straight lines are compiled in pieces, between which all numbers are in memory: a longer piece takes longer than in
proportion, and little is gained once there are many more numbers than registers. Beyond a length, or of more than 48
states, the steps are a table that one function follows (`simulate.kernels.following`): that is not compiled for each
model, and has the same bits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulate.kernels import following
from simulate.kernels.form import Body, Draft, Fence, Follow, KernelFunction
from simulate.solver.layout import LANES, NOT_FINITE, SHIFT, SOLUTION, SOUND, UNUSABLE

_MOST_STEPS = 3000
"""Steps that are written out."""

MOST_WRITTEN = 48
"""States of a model whose steps are written out, and compiled: of a larger one that takes longer than a thousand
patients gain by it."""

_PIECE = 128
"""Steps between which numbers stay in registers. A longer piece is no faster, and takes longer to compile than in
proportion."""

_Step = tuple[str, int, int, int]
"""What is done, to the row at which offset, with which others; as `simulate.kernels.following` has it."""

_BEGIN: _Step = ("begin", SOUND, 0, 0)
_JUDGE: _Step = ("judge", SOUND, 0, 0)
_WATCHING = ("watch", "take", "take_on_diagonal")
"""Steps that look whether a number is finite."""


@dataclass(frozen=True, slots=True)
class Elimination:
    """Order of elimination and pattern of the factors.

    Attributes
    ----------
    order
        States in the order in which they are eliminated.
    entries
        Places (row, column) of the factors, fill included, in the order of elimination; their position is their row in
        the kernel's region.
    """

    order: tuple[int, ...]
    entries: tuple[tuple[int, int], ...]


def plan(size: int, pattern: tuple[tuple[int, int], ...]) -> Elimination:
    """Elimination of a matrix with the given non-zero places and a full diagonal."""
    filled = set(pattern) | {(state, state) for state in range(size)}
    # Of the states that are left: which rows stand in a column, which columns in a row, the diagonal aside.
    rows: dict[int, set[int]] = {state: set() for state in range(size)}
    columns: dict[int, set[int]] = {state: set() for state in range(size)}
    for row, column in filled:
        if row != column:
            rows[column].add(row)
            columns[row].add(column)
    order = []
    while rows:
        # Markowitz count: how many places eliminating a state next may fill.
        pivot = min((len(rows[state]) * len(columns[state]), state) for state in rows)[1]
        above, beside = rows.pop(pivot), columns.pop(pivot)
        order.append(pivot)
        filled |= {(row, column) for row in above for column in beside}
        for row in above:
            columns[row] |= beside - {row}
            columns[row].remove(pivot)
        for column in beside:
            rows[column] |= above - {column}
            rows[column].remove(pivot)
    position = {state: index for index, state in enumerate(order)}
    entries = sorted(filled, key=lambda place: (position[place[0]], position[place[1]]))
    return Elimination(tuple(order), tuple(entries))


def factor(
    elimination: Elimination, jacobian: Mapping[tuple[int, int], int], factors: int, in_time: Sequence[int] = ()
) -> KernelFunction:
    """``factor(w)``: Jacobian and shift → factors.

    Parameters
    ----------
    elimination
        Order and pattern.
    jacobian
        Offset of each entry of the Jacobian.
    factors
        Offset of the first entry of the factors. The diagonal keeps the reciprocals of the pivots.
    in_time
        Offsets of partial derivatives in time that must be finite too.
    """
    watched: list[_Step] = [("watch", 0, offset, 0) for offset in in_time]
    place = {entry: factors + index * LANES for index, entry in enumerate(elimination.entries)}
    of_row: dict[int, list[int]] = {}
    for row, column in elimination.entries:
        of_row.setdefault(row, []).append(column)
    taken: list[list[_Step]] = []
    eliminated: list[list[_Step]] = []
    done: set[int] = set()
    for row in elimination.order:
        taken.append([_taken(place[row, column], row == column, jacobian.get((row, column))) for column in of_row[row]])
        steps: list[_Step] = []
        for pivot in of_row[row]:
            if pivot in done:
                steps.append(("scale", place[row, pivot], place[pivot, pivot], 0))
                steps += [
                    ("add", place[row, column], place[row, pivot], place[pivot, column])
                    for column in of_row[pivot][of_row[pivot].index(pivot) + 1 :]
                ]
        steps.append(("invert", place[row, row], SOUND, 0))
        eliminated.append(steps)
        done.add(row)
    meaning = "Jacobian and shift → factors of shift·1 − J, and whether they are sound."
    if _is_long(elimination, sum(map(len, (*taken, *eliminated)))):
        begun = _begun([_BEGIN, *watched, *itertools.chain(*taken), _JUDGE])
        rows = {place[entry]: entry[0] for entry in place}
        runs = [*begun, *_reduced([*itertools.chain(*eliminated)], rows)]
        return KernelFunction("factor", meaning, (Follow(tuple(runs)),), is_simple=True)
    # A row is finished before the next begins: what is at work fits registers.
    return _written(
        "factor", meaning, [_BEGIN, *watched, *itertools.chain(*itertools.chain(*zip(taken, eliminated, strict=True)))]
    )


def _is_long(elimination: Elimination, steps: int) -> bool:
    return len(elimination.order) > MOST_WRITTEN or steps > _MOST_STEPS


def _taken(target: int, is_diagonal: bool, place: int | None) -> _Step:
    """How an entry begins."""
    if place is None:
        return ("shift" if is_diagonal else "fill", target, 0, 0)
    return ("take_on_diagonal" if is_diagonal else "take", target, place, 0)


def backsolve(
    elimination: Elimination, factors: int, blocks: int = 1, couplings: Mapping[tuple[int, int], int] | None = None
) -> KernelFunction:
    """``backsolve(w)``: factors and right-hand side in ``SOLUTION`` → solution in its place.

    Parameters
    ----------
    elimination
        Order and pattern of a block.
    factors
        Offset of the first entry of its factors.
    blocks
        Number of blocks on the diagonal; all have the same factors.
    couplings
        Offset of each entry (row, column) of the Jacobian that joins a later block to the first.
    """
    size = len(elimination.order)
    steps: list[_Step] = []
    for block in range(blocks):
        first = block * size
        joined = [(row - first, column, place) for (row, column), place in (couplings or {}).items()] if block else []
        own = [entry for entry in joined if 0 <= entry[0] < size]
        steps += _block(elimination, factors, SOLUTION + first * LANES, own)
    meaning = "Factors and right-hand side → solution in its place."
    if _is_long(elimination, len(steps)):
        return KernelFunction("backsolve", meaning, (Follow(tuple(_summed(steps))),), is_simple=True)
    return _written("backsolve", meaning, steps)


def _block(elimination: Elimination, factors: int, first: int, joined: Sequence[tuple[int, int, int]]) -> list[_Step]:
    """Steps that solve for the states of a block from ``first`` on, which is ``joined`` to those of the first."""
    place = {entry: factors + index * LANES for index, entry in enumerate(elimination.entries)}
    order = elimination.order
    state = {row: first + row * LANES for row in order}
    steps: list[_Step] = [("add", state[row], offset, SOLUTION + column * LANES) for row, column, offset in joined]
    for position, pivot in enumerate(order):
        steps += [
            ("add", state[row], place[row, pivot], state[pivot])
            for row in order[position + 1 :]
            if (row, pivot) in place
        ]
    # What is known first is added first: else each sum would wait for the last of its terms.
    for position in reversed(range(len(order))):
        pivot = order[position]
        steps.append(("scale", state[pivot], place[pivot, pivot], 0))
        steps += [
            ("add", state[row], place[row, pivot], state[pivot]) for row in order[:position] if (row, pivot) in place
        ]
    return steps


def _written(name: str, meaning: str, steps: Sequence[_Step]) -> KernelFunction:
    """A function that does the steps piece by piece."""
    pieces = [_piece(steps[first : first + _PIECE]) for first in range(0, len(steps), _PIECE)]
    parted = [block for piece in pieces for block in (Fence(), piece)]
    return KernelFunction(name, meaning, tuple(parted[1:]), is_simple=True)


def _piece(steps: Sequence[_Step]) -> Body:
    """Steps between which numbers stay where they are: each is read when it is first needed, and written at the end."""
    draft = Draft()
    add, number = draft.add, draft.number
    values: dict[int, int] = {}
    undefined = number(0.0)

    def value(place: int) -> int:
        return values[place] if place in values else add("read", place)

    watches = any(kind in _WATCHING for kind, *_ in steps)
    for kind, target, by, other in (*steps, _JUDGE) if watches else steps:
        if kind in _WATCHING:
            undefined = add("plus", undefined, add("times", number(0.0), value(by)))
        match kind:
            case "begin" | "fill":
                values[target] = number(1.0 if kind == "begin" else 0.0)
            case "take" | "take_on_diagonal":
                is_finite = add("above", number(math.inf), add("abs", value(by)))
                values[target] = add("choose", is_finite, value(by), number(0.0))
                if kind == "take_on_diagonal":
                    values[target] = add("difference", values[target], value(SHIFT))
            case "shift":
                values[target] = add("difference", number(0.0), value(SHIFT))
            case "judge":
                not_sound = add("above", number(1.0), value(target))
                worst = add("choose", not_sound, value(target), number(NOT_FINITE))
                values[target] = add("choose", add("same", undefined, number(0.0)), value(target), worst)
            case "invert":
                pivot = value(target)
                is_sound = add("both", add("above", number(0.0), pivot), add("above", pivot, number(-math.inf)))
                values[by] = add("choose", is_sound, value(by), number(UNUSABLE))
                values[target] = add("over", number(-1.0), pivot)
            case "scale":
                values[target] = add("times", value(target), value(by))
            case "add":
                values[target] = add("plus", value(target), add("times", value(by), value(other)))
    return draft.body(list(values.items()))


def _begun(steps: Sequence[_Step]) -> list[following.Run]:
    """Steps none of which asks for another, put together."""
    of_kind: dict[str, list[list[int]]] = {}
    for kind, target, other, _ in steps:
        of_kind.setdefault(kind, []).append([target, other])
    return [following.run(kind, operands) for kind, operands in of_kind.items()]


def _reduced(eliminated: Sequence[_Step], row_of: Mapping[int, int]) -> list[following.Run]:
    """Steps of elimination put together: what is done to a row with another, whose entries lie side by side, is one."""
    kinds: list[str] = []
    operands: list[list[int]] = []
    needs: list[list[int]] = []
    # The last step that has changed a row, by the place of an entry of it; of one that is finished, of its diagonal.
    last: dict[int, int] = {}

    def add(kind: str, row: int, own: list[int], other: int = -1) -> None:
        needs.append([last[name] for name in (row, other) if name in last])
        last[row] = len(kinds)
        kinds.append(kind)
        operands.append(own)

    targets: list[int] = []
    for kind, target, by, source in eliminated:
        if kind == "scale":
            targets = [target, by, 0]
            add("", row_of[target], targets, row_of[by])
        elif kind == "add":
            targets[2] = targets[2] or source
            targets.append(target)
        else:
            add(kind, row_of[target], [target, 0])
    named = [kind or f"reduce {len(own) - 3}" for kind, own in zip(kinds, operands, strict=True)]
    return [
        following.run(kind, [operands[index] for index in chosen])
        for kind, chosen in following.scheduled(dict(enumerate(named)), dict(enumerate(needs)))
    ]


def _summed(steps: Sequence[_Step]) -> list[following.Run]:
    """Steps of a solution put together: products that are added to a number, in the order in which they are given.

    They wait until the number is asked for.
    """
    kinds: dict[int, str] = {}
    operands: dict[int, list[int]] = {}
    needs: dict[int, set[int]] = {}
    last: dict[int, int] = {}
    readers: dict[int, set[int]] = {}
    waiting: dict[int, list[int]] = {}

    def finish(target: int, by: int = 0) -> None:
        factors = waiting.pop(target, [])
        if factors or by:
            index = len(kinds)
            kinds[index] = f"{'sum_scaled' if by else 'sum'} {len(factors) // 2}"
            operands[index] = [target, *([by] if by else []), *factors]
            # What reads the number as it is must have done so before it changes.
            needs[index] = {last[name] for name in (target, *factors) if name in last} | readers.pop(target, set())
            last[target] = index
            for name in factors:
                readers.setdefault(name, set()).add(index)

    for kind, target, *others in steps:
        if kind == "add":
            for other in others:
                finish(other)
            waiting.setdefault(target, []).extend(others)
        else:
            finish(target, others[0])
    for target in list(waiting):
        finish(target)
    return [
        following.run(kind, [operands[index] for index in chosen]) for kind, chosen in following.scheduled(kinds, needs)
    ]
