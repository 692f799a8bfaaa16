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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulate.kernels import following
from simulate.solver.layout import LANES, NOT_FINITE, SHIFT, SOLUTION, SOUND, UNUSABLE

_MOST_STEPS = 3000
"""Steps that are written out."""

MOST_WRITTEN = 48
"""States of a model whose steps are written out, and compiled: of a larger one that takes longer than a thousand
patients gain by it."""

_PIECE = 128
"""Steps between which numbers stay in registers. A longer piece is no faster, and takes longer to compile than in
proportion."""

_Step = tuple[str, str, str, str]
"""What is done, to which name, with which others; as `simulate.kernels.following` has it."""

_BEGIN: _Step = ("begin", "sound", "", "")
_JUDGE: _Step = ("judge", "sound", "", "")

_TEXTS: Mapping[str, Sequence[str]] = {
    "begin": ("sound = 1.0",),
    "watch": ("undefined = undefined + 0.0 * {1}",),
    "take": (
        "entry = {1}",
        "undefined = undefined + 0.0 * entry",
        "entry = entry if abs(entry) < math.inf else 0.0",
        "{0} = entry",
    ),
    "take_on_diagonal": (
        "entry = {1}",
        "undefined = undefined + 0.0 * entry",
        "entry = entry if abs(entry) < math.inf else 0.0",
        f"{{0}} = entry - w[{SHIFT} + lane]",
    ),
    "fill": ("{0} = 0.0",),
    "shift": (f"{{0}} = 0.0 - w[{SHIFT} + lane]",),
    "judge": (f"{{0}} = {{0}} if undefined == 0.0 else ({{0}} if {{0}} < 1.0 else {NOT_FINITE})",),
    "invert": (f"{{1}} = {{1}} if {{0}} < 0.0 and {{0}} > -math.inf else {UNUSABLE}", "{0} = -1.0 / {0}"),
    "scale": ("{0} = {0} * {1}",),
    "add": ("{0} = {0} + {1} * {2}",),
}
"""Lines of each step."""

_WATCHING = ("watch", "take", "take_on_diagonal")
"""Steps that look whether a number is finite."""
_BEGINNING = ("begin", "take", "take_on_diagonal", "fill", "shift")
"""Steps that do not ask what was in their place."""


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
    watched: list[_Step] = [("watch", "", _row(offset), "") for offset in in_time]
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
                    ("add", f"m{row}_{column}", f"m{row}_{pivot}", f"m{pivot}_{column}")
                    for column in of_row[pivot][of_row[pivot].index(pivot) + 1 :]
                ]
        steps.append(("invert", f"m{row}_{row}", "sound", ""))
        eliminated.append(steps)
        done.add(row)
    places = {f"m{row}_{column}": factors + index * LANES for index, (row, column) in enumerate(elimination.entries)}
    places |= {"sound": SOUND} | {_row(offset): offset for offset in (*jacobian.values(), *in_time)}
    meaning = "Jacobian and shift → factors of shift·1 − J, and whether they are sound."
    if _is_long(elimination, sum(map(len, (*taken, *eliminated)))):
        begun = _begun([_BEGIN, *watched, *itertools.chain(*taken), _JUDGE], places)
        return _followed("factor", meaning, [*begun, *_reduced([*itertools.chain(*eliminated)], places)])
    # A row is finished before the next begins: what is at work fits registers.
    written = [_BEGIN, *watched, *itertools.chain(*itertools.chain(*zip(taken, eliminated, strict=True)))]
    return _written("factor", meaning, written, places)


def _is_long(elimination: Elimination, steps: int) -> bool:
    return len(elimination.order) > MOST_WRITTEN or steps > _MOST_STEPS


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
    steps: list[_Step] = []
    places = {_row(factors + index * LANES): factors + index * LANES for index in range(len(elimination.entries))}
    places |= {_row(place): place for place in (couplings or {}).values()}
    for block in range(blocks):
        first = block * len(order)
        joined = [(row - first, column, place) for (row, column), place in (couplings or {}).items()] if block else []
        own = [entry for entry in joined if 0 <= entry[0] < len(order)]
        names = {state: f"s{block}_{state}" for state in order}
        steps += _block(elimination, factors, names, own)
        places |= {names[state]: SOLUTION + (first + state) * LANES for state in order}
    if _is_long(elimination, len(steps)):
        return _followed("backsolve", meaning, _summed(steps, places))
    return _written("backsolve", meaning, steps, places)


def _block(
    elimination: Elimination, factors: int, names: Mapping[int, str], joined: Sequence[tuple[int, int, int]]
) -> list[_Step]:
    """Steps that solve for the named states of a block, which is ``joined`` to those of the first."""
    place = {entry: _row(factors + index * LANES) for index, entry in enumerate(elimination.entries)}
    order = elimination.order
    steps: list[_Step] = [("add", names[row], _row(offset), f"s0_{column}") for row, column, offset in joined]
    for position, pivot in enumerate(order):
        steps += [
            ("add", names[row], place[row, pivot], names[pivot])
            for row in order[position + 1 :]
            if (row, pivot) in place
        ]
    # What is known first is added first: else each sum would wait for the last of its terms.
    for position in reversed(range(len(order))):
        pivot = order[position]
        steps.append(("scale", names[pivot], place[pivot, pivot], ""))
        steps += [
            ("add", names[row], place[row, pivot], names[pivot]) for row in order[:position] if (row, pivot) in place
        ]
    return steps


def _row(offset: int) -> str:
    return f"w[{offset} + lane]"


def _written(name: str, meaning: str, steps: Sequence[_Step], places: Mapping[str, int]) -> str:
    """Source of a function that does the steps piece by piece, each in a loop over lanes."""
    lines = [f"def {name}(w):", f'    """{meaning}"""']
    for first in range(0, len(steps), _PIECE):
        if first:
            lines.append("    fence(w)")
        lines.append(f"    for lane in range({LANES}):")
        lines += [f"        {line}" for line in _piece(steps[first : first + _PIECE], places)]
    return "\n".join(lines) + "\n"


def _piece(steps: Sequence[_Step], places: Mapping[str, int]) -> list[str]:
    """Lines that read a number from its place when it is first needed, and keep what was computed."""
    watches = any(kind in _WATCHING for kind, *_ in steps)
    lines = ["undefined = 0.0"] if watches else []
    known: set[str] = set()
    kept: dict[str, None] = {}
    for kind, target, *others in (*steps, _JUDGE) if watches else steps:
        for name in others if kind in _BEGINNING else (target, *others):
            if name in places and name.isidentifier() and name not in known:
                lines.append(f"{name} = {_row(places[name])}")
                known.add(name)
        changed = [name for name in (target, "sound" if kind == "invert" else "") if name]
        known.update(changed)
        kept |= dict.fromkeys(changed)
        lines += [line.format(target, *others) for line in _TEXTS[kind]]
    return [*lines, *(f"{_row(places[name])} = {name}" for name in kept)]


def _followed(name: str, meaning: str, runs: Sequence[following.Run]) -> str:
    """Source of a function that follows a table; whatever has a name has its own place in the workspace."""
    table, line = following.table(f"_{name}", runs)
    return f'{table}\n\ndef {name}(w):\n    """{meaning}"""\n    {line}\n'


def _begun(steps: Sequence[_Step], places: Mapping[str, int]) -> list[following.Run]:
    """Steps none of which asks for another, put together."""
    of_kind: dict[str, list[list[int]]] = {}
    for kind, target, other, _ in steps:
        of_kind.setdefault(kind, []).append([places.get(target, 0), places.get(other, 0)])
    return [following.run(kind, operands) for kind, operands in of_kind.items()]


def _reduced(eliminated: Sequence[_Step], places: Mapping[str, int]) -> list[following.Run]:
    """Steps of elimination put together: what is done to a row with another, whose entries lie side by side, is one."""
    kinds: list[str] = []
    operands: list[list[int]] = []
    needs: list[list[int]] = []
    # The last step that has changed a row, by the place of an entry of it; of one that is finished, of its diagonal.
    last: dict[str, int] = {}

    def add(kind: str, row: str, own: list[int], other: str = "") -> None:
        needs.append([last[name] for name in (row, other) if name in last])
        last[row] = len(kinds)
        kinds.append(kind)
        operands.append(own)

    targets: list[int] = []
    for kind, target, factor, source in eliminated:
        row = target[: target.index("_")]
        if kind == "scale":
            targets = [places[target], places[factor], 0]
            add("", row, targets, factor[: factor.index("_")])
        elif kind == "add":
            targets[2] = targets[2] or places[source]
            targets.append(places[target])
        else:
            add(kind, row, [places[target], 0])
    named = [kind or f"reduce {len(own) - 3}" for kind, own in zip(kinds, operands, strict=True)]
    return [
        following.run(kind, [operands[index] for index in chosen])
        for kind, chosen in following.scheduled(dict(enumerate(named)), dict(enumerate(needs)))
    ]


def _summed(steps: Sequence[_Step], places: Mapping[str, int]) -> list[following.Run]:
    """Steps of a solution put together: products that are added to a number, in the order in which they are given.

    They wait until the number is asked for.
    """
    kinds: dict[int, str] = {}
    operands: dict[int, list[int]] = {}
    needs: dict[int, set[int]] = {}
    last: dict[str, int] = {}
    readers: dict[str, set[int]] = {}
    waiting: dict[str, list[str]] = {}

    def finish(target: str, by: str = "") -> None:
        factors = waiting.pop(target, [])
        if factors or by:
            index = len(kinds)
            kinds[index] = f"{'sum_scaled' if by else 'sum'} {len(factors) // 2}"
            operands[index] = [places[name] for name in (target, *([by] if by else []), *factors)]
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
