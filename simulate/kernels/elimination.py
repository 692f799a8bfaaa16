"""Gaussian elimination of a fixed sparse pattern, written out as straight lines.

The matrix is ``shift·1 − J``. The order of elimination is chosen once, from the pattern, by least fill (Markowitz) on
the diagonal. There is no pivoting at run time: for small steps the diagonal dominates, and all pivots are positive.
Where one is not, something grows faster than the step can follow, and a solution would hardly move instead of growing;
the factors say so. They also say where the Jacobian is not finite: its entries that are not are taken for 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulate.solver.layout import LANES, NOT_FINITE, SHIFT, SOLUTION, SOUND, UNUSABLE


@dataclass(frozen=True, slots=True)
class Elimination:
    """Order of elimination and pattern of the factors.

    Attributes
    ----------
    order
        States in the order in which they are eliminated.
    entries
        Places (row, column) of the factors, fill included; their position is their row in the kernel's region.
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
    return Elimination(tuple(order), tuple(sorted(filled)))


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
    lines = [
        "def factor(w):",
        '    """Jacobian and shift → factors of shift·1 − J, and whether they are sound."""',
        f"    for lane in range({LANES}):",
        "        undefined = 0.0",
        *(f"        undefined = undefined + 0.0 * w[{offset} + lane]" for offset in in_time),
    ]
    for row, column in elimination.entries:
        entry = ""
        if (row, column) in jacobian:
            entry = f"j{row}_{column}"
            lines += [
                f"        {entry} = w[{jacobian[row, column]} + lane]",
                f"        undefined = undefined + 0.0 * {entry}",
                f"        {entry} = {entry} if abs({entry}) < math.inf else 0.0",
            ]
        shift = f"w[{SHIFT} + lane]" if row == column else ""
        value = f"{shift} - {entry}" if shift and entry else shift or (f"-{entry}" if entry else "0.0")
        lines.append(f"        m{row}_{column} = {value}")
    present = set(elimination.entries)
    lines.append(f"        sound = 1.0 if undefined == 0.0 else {NOT_FINITE}")
    for position, pivot in enumerate(elimination.order):
        later = elimination.order[position + 1 :]
        lines.append(f"        sound = sound if m{pivot}_{pivot} > 0.0 and m{pivot}_{pivot} < math.inf else {UNUSABLE}")
        lines.append(f"        m{pivot}_{pivot} = 1.0 / m{pivot}_{pivot}")
        for row in later:
            if (row, pivot) in present:
                lines.append(f"        m{row}_{pivot} = m{row}_{pivot} * m{pivot}_{pivot}")
                lines += [
                    f"        m{row}_{column} = m{row}_{column} - m{row}_{pivot} * m{pivot}_{column}"
                    for column in later
                    if (pivot, column) in present
                ]
    for index, (row, column) in enumerate(elimination.entries):
        lines.append(f"        w[{factors + index * LANES} + lane] = m{row}_{column}")
    lines.append(f"        w[{SOUND} + lane] = sound")
    return "\n".join(lines) + "\n"


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
    lines = [
        "def backsolve(w):",
        '    """Factors and right-hand side → solution in its place."""',
        f"    for lane in range({LANES}):",
    ]
    lines += _block(elimination, factors, "s", 0, [])
    for block in range(1, blocks):
        first = block * len(elimination.order)
        joined = [(row - first, column, place) for (row, column), place in (couplings or {}).items()]
        own = [entry for entry in joined if 0 <= entry[0] < len(elimination.order)]
        lines += _block(elimination, factors, f"s{block}_", first, own)
    return "\n".join(lines) + "\n"


def _block(
    elimination: Elimination, factors: int, name: str, first: int, joined: Sequence[tuple[int, int, int]]
) -> list[str]:
    """Lines that solve for one block, whose states begin at ``first``; ``joined`` to that of the first."""
    place = {entry: factors + index * LANES for index, entry in enumerate(elimination.entries)}
    order = elimination.order
    lines = [f"        {name}{state} = w[{SOLUTION + (first + state) * LANES} + lane]" for state in order]
    lines += [f"        {name}{row} = {name}{row} + w[{offset} + lane] * s{column}" for row, column, offset in joined]
    for position, pivot in enumerate(order):
        lines += [
            f"        {name}{row} = {name}{row} - w[{place[row, pivot]} + lane] * {name}{pivot}"
            for row in order[position + 1 :]
            if (row, pivot) in place
        ]
    for position in reversed(range(len(order))):
        pivot = order[position]
        lines += [
            f"        {name}{pivot} = {name}{pivot} - w[{place[pivot, column]} + lane] * {name}{column}"
            for column in order[position + 1 :]
            if (pivot, column) in place
        ]
        lines.append(f"        {name}{pivot} = {name}{pivot} * w[{place[pivot, pivot]} + lane]")
        lines.append(f"        w[{SOLUTION + (first + pivot) * LANES} + lane] = {name}{pivot}")
    return lines
