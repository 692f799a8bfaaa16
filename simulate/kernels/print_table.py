"""The form as tables that one function follows (`simulate.kernels.following`), and loops that call between them.

Operations whose operands are there are put together in runs of one kind, the longest first, so that there are few of
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from simulate.kernels import following
from simulate.kernels.form import TRUTHS, Body, Draft, Follow, Place, fused, operands


def tabled(body: Body, scratch: range) -> tuple[Body | Follow, ...] | None:
    """What gives the same as a body, in the places of which nothing is read that is written.

    Parameters
    ----------
    body
        What is to be computed.
    scratch
        Offsets of rows that may be overwritten; None is the answer where these are too few.
    """
    try:
        return _placed(fused(body, first_too=True), scratch)
    except IndexError:
        return None


def _placed(body: Body, scratch: range) -> tuple[Body | Follow, ...]:
    """An IndexError if there are too few rows."""
    free = list(reversed(scratch))
    # A truth has no row: it is found anew where something is chosen by it.
    steps = {
        value: operation
        for value, operation in enumerate(body.operations)
        if operation[0] not in ("number", "read", *TRUTHS)
    }
    places: Mapping[int, Sequence[int]] = {value: _rows_of(body, value) for value in steps}
    rows: dict[int, int] = {value: offset for offset, value in reversed(body.writes) if value in steps}  # type: ignore[misc]
    copies = [(offset, value) for offset, value in body.writes if rows.get(value) != offset]
    used = {value: None for inner in places.values() for value in inner} | {value: None for _, value in copies}
    numbers = [value for value in used if body.operations[value][0] == "number"]
    rows |= {value: body.operations[value][1] for value in used if body.operations[value][0] == "read"}
    rows |= {value: free.pop() for value in numbers}
    needs = {value: {*inner} & steps.keys() for value, inner in places.items()}
    # How many are still to read what is in no row for good.
    readers = Counter(value for inner in needs.values() for value in inner if value not in rows)
    blocks: list[Body | Follow] = []
    runs: list[following.Run] = []
    held = tuple(body.operations[value][1] for value in numbers)

    def add(kind: str, operations: Sequence[Sequence[object]]) -> None:
        if operations:
            runs.append(following.run(kind, operations))  # type: ignore[arg-type]

    def finish() -> None:
        nonlocal held
        if runs:
            blocks.append(Follow(tuple(runs), held))
            runs.clear()
            held = ()

    add("number", [(rows[value], index) for index, value in enumerate(numbers)])
    kinds = {value: kind if kind in following.KINDS else "" for value, (kind, *_) in steps.items()}
    for kind, chosen in following.scheduled(kinds, needs):
        for value in chosen:
            for operand in needs[value] & readers.keys():
                readers[operand] -= 1
                if not readers[operand]:
                    free.append(rows[operand])
            if value not in rows:
                rows[value] = free.pop()
        if kind:
            add(kind, [[rows[value], *(rows[operand] for operand in places[value])] for value in chosen])
        else:
            finish()
            blocks.append(_loop(body, chosen, rows))
    add("copy", [(offset, rows[value]) for offset, value in copies])
    finish()
    return tuple(blocks)


def _rows_of(body: Body, value: int) -> list[int]:
    """Numbers that an operation needs, those by which it chooses too."""
    found: list[int] = []
    for operand in operands(body.operations[value]):
        found += _rows_of(body, operand) if body.operations[operand][0] in TRUTHS else [operand]
    return found


def _loop(body: Body, chosen: Sequence[int], rows: Mapping[int, int]) -> Body:
    """Operations that are no steps of a table."""
    draft, known = Draft(), dict[int, int]()

    def value_of(value: int) -> int:
        kind, *given = body.operations[value]
        if kind in TRUTHS:
            return draft.add(kind, *map(value_of, given))
        return known[value] if value in known else draft.add("read", rows[value])

    writes: list[tuple[Place, int]] = []
    for value in chosen:
        kind, *given = body.operations[value]
        known[value] = draft.add(kind, *map(value_of, given))
        writes.append((rows[value], known[value]))
    return draft.body(writes)
