"""Gaussian elimination of a fixed sparse pattern, written out as straight lines, or as a table of steps if it is long.

The matrix is ``shift·1 − J``. The order of elimination is chosen once, from the pattern, by least fill (Markowitz) on
the diagonal. There is no pivoting at run time: for small steps the diagonal dominates, and all pivots are positive.
Where one is not, something grows faster than the step can follow, and a solution would hardly move instead of growing;
the factors say so. They also say where the Jacobian is not finite: its entries that are not are taken for 0.

Compiling straight lines takes longer than in proportion to their number, and little is gained once there are many more
numbers than registers. So beyond a length the steps are a table that a loop follows (`simulate.kernels.following`):
that takes no time to compile and has the same bits.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulate.kernels import following
from simulate.solver.layout import LANES, NOT_FINITE, SHIFT, SOLUTION, SOUND, UNUSABLE

_MOST_WRITTEN = 3000
"""Steps that are written out."""

_Step = tuple[str, str, str, str]
"""What is done, to which name, with which others; as `simulate.kernels.following` has it."""

_TEXTS: Mapping[str, Sequence[str]] = {
    "begin": ("undefined = 0.0", "sound = 1.0"),
    "watch": ("undefined = undefined + 0.0 * {1}",),
    "take": (
        "entry = {1}",
        "undefined = undefined + 0.0 * entry",
        "entry = entry if abs(entry) < math.inf else 0.0",
        "{0} = -entry",
    ),
    "take_on_diagonal": (
        "entry = {1}",
        "undefined = undefined + 0.0 * entry",
        "entry = entry if abs(entry) < math.inf else 0.0",
        f"{{0}} = w[{SHIFT} + lane] - entry",
    ),
    "fill": ("{0} = 0.0",),
    "shift": (f"{{0}} = w[{SHIFT} + lane]",),
    "judge": (f"sound = sound if undefined == 0.0 else (sound if sound < 1.0 else {NOT_FINITE})",),
    "invert": (f"sound = sound if {{0}} > 0.0 and {{0}} < math.inf else {UNUSABLE}", "{0} = 1.0 / {0}"),
    "scale": ("{0} = {0} * {1}",),
    "subtract": ("{0} = {0} - {1} * {2}",),
    "add": ("{0} = {0} + {1} * {2}",),
    "keep": ("{1} = {0}",),
}
"""Lines of each step."""


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


def factor_source(
    elimination: Elimination, jacobian: dict[tuple[int, int], int], factors: int, in_time: Sequence[int] = ()
) -> str:
    """Source of ``factor(w)``: Jacobian and shift → factors.

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
    begin: list[_Step] = [("begin", "", "", ""), *(("watch", "", _row(offset), "") for offset in in_time)]
    judge: _Step = ("judge", "", "", "")
    of_row: dict[int, list[int]] = {}
    for row, column in elimination.entries:
        of_row.setdefault(row, []).append(column)
    taken: list[list[_Step]] = []
    eliminated: list[list[_Step]] = []
    done: set[int] = set()
    for row in elimination.order:
        taken.append([_taken(row, column, jacobian.get((row, column))) for column in of_row[row]])
        steps: list[_Step] = []
        for pivot in of_row[row]:
            if pivot in done:
                steps.append(("scale", f"m{row}_{pivot}", f"m{pivot}_{pivot}", ""))
                steps += [
                    ("subtract", f"m{row}_{column}", f"m{row}_{pivot}", f"m{pivot}_{column}")
                    for column in of_row[pivot][of_row[pivot].index(pivot) + 1 :]
                ]
        steps.append(("invert", f"m{row}_{row}", "", ""))
        eliminated.append(steps)
        done.add(row)
    places = {f"m{row}_{column}": factors + index * LANES for index, (row, column) in enumerate(elimination.entries)}
    places |= {_row(offset): offset for offset in (*jacobian.values(), *in_time)}
    meaning = "Jacobian and shift → factors of shift·1 − J, and whether they are sound."
    if sum(map(len, (*taken, *eliminated))) > _MOST_WRITTEN:
        followed = [*begin, *itertools.chain(*taken), judge, *itertools.chain(*eliminated)]
        return _followed("factor", meaning, followed, places)
    # A row is finished before the next begins: what is at work fits registers.
    written = [*begin, *itertools.chain(*itertools.chain(*zip(taken, eliminated, strict=True))), judge]
    written += [
        ("keep", name, _row(places[name]), "") for name in (f"m{row}_{column}" for row, column in elimination.entries)
    ]
    written.append(("keep", "sound", _row(SOUND), ""))
    return _written("factor", meaning, _texts(written))


def _taken(row: int, column: int, place: int | None) -> _Step:
    """How an entry begins."""
    name, diagonal = f"m{row}_{column}", row == column
    if place is None:
        return ("shift" if diagonal else "fill", name, "", "")
    return ("take_on_diagonal" if diagonal else "take", name, _row(place), "")


def backsolve_source(
    elimination: Elimination, factors: int, blocks: int = 1, couplings: Mapping[tuple[int, int], int] | None = None
) -> str:
    """Source of ``backsolve(w)``: factors and right-hand side in ``SOLUTION`` → solution in its place.

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
    order = elimination.order
    meaning = "Factors and right-hand side → solution in its place."
    lines: list[str] = []
    every: list[_Step] = []
    places = {_row(factors + index * LANES): factors + index * LANES for index in range(len(elimination.entries))}
    places |= {_row(place): place for place in (couplings or {}).values()}
    for block in range(blocks):
        first = block * len(order)
        joined = [(row - first, column, place) for (row, column), place in (couplings or {}).items()] if block else []
        own = [entry for entry in joined if 0 <= entry[0] < len(order)]
        names = {state: f"s{block}_{state}" for state in order}
        steps = _block(elimination, factors, names, first, own)
        offsets = {names[state]: SOLUTION + (first + state) * LANES for state in order}
        lines += [f"{name} = {_row(offset)}" for name, offset in offsets.items()]
        lines += _texts(steps)
        every += steps
        places |= offsets
    if len(every) > _MOST_WRITTEN:
        return _followed("backsolve", meaning, every, places)
    return _written("backsolve", meaning, lines)


def _block(
    elimination: Elimination, factors: int, names: Mapping[int, str], first: int, joined: Sequence[tuple[int, int, int]]
) -> list[_Step]:
    """Steps that solve for the named states of a block, which begins at ``first``; ``joined`` to those of the first."""
    place = {entry: _row(factors + index * LANES) for index, entry in enumerate(elimination.entries)}
    order = elimination.order
    steps: list[_Step] = [("add", names[row], _row(offset), f"s0_{column}") for row, column, offset in joined]
    for position, pivot in enumerate(order):
        steps += [
            ("subtract", names[row], place[row, pivot], names[pivot])
            for row in order[position + 1 :]
            if (row, pivot) in place
        ]
    # What is known first is subtracted first: else each sum would wait for the last of its terms.
    for position in reversed(range(len(order))):
        pivot = order[position]
        steps.append(("scale", names[pivot], place[pivot, pivot], ""))
        steps.append(("keep", names[pivot], _row(SOLUTION + (first + pivot) * LANES), ""))
        steps += [
            ("subtract", names[row], place[row, pivot], names[pivot])
            for row in order[:position]
            if (row, pivot) in place
        ]
    return steps


def _row(offset: int) -> str:
    return f"w[{offset} + lane]"


def _texts(steps: Sequence[_Step]) -> list[str]:
    return [line.format(*names) for kind, *names in steps for line in _TEXTS[kind]]


def _written(name: str, meaning: str, lines: Sequence[str]) -> str:
    """Source of a function whose lines stand in a loop over lanes."""
    head = [f"def {name}(w):", f'    """{meaning}"""', f"    for lane in range({LANES}):"]
    return "\n".join([*head, *(f"        {line}" for line in lines)]) + "\n"


def _followed(name: str, meaning: str, steps: Sequence[_Step], places: Mapping[str, int]) -> str:
    """Source of a function that follows a table of steps; whatever has a name has its own place in the workspace."""
    rows: list[tuple[int, ...]] = [
        (following.KINDS.index(kind), *(places[name] if name else 0 for name in names))
        for kind, *names in steps
        if kind != "keep"
    ]
    return following.source(name, meaning, rows)
