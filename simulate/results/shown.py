"""Tables of a run as a reader sees them: the same lines on a console and in a report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from simulate.results.changes import ChangeRow, banded, between_draws, judged, signed
from simulate.results.tables import SummaryRow, rounded
from simulate.studies.paired import ALL, OTHERS, RESPONDERS, percent_of


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Lines of texts, of which a cell may have several lines of its own."""

    what: str  #: What the first column has
    headings: tuple[str, ...]  #: Of the other columns
    #: A label, indented below what it belongs to, and a cell for each heading: empty where others stand below it.
    lines: tuple[tuple[str, ...], ...]


def changes_shown(
    rows: Sequence[ChangeRow],
    *,
    has_room: bool,
    are_alike: bool,
    bracketed: Collection[str],
    named: Callable[[ChangeRow], str] = lambda row: row.quantity,
) -> list[ShownTable]:
    """Paired changes at the visit that was reported and, in a table of its own or a column, at the last after it.

    A line for each quantity and arm and, where a direction was reported, for who responds.

    Parameters
    ----------
    rows
        All of a run, of one visit or more.
    has_room
        Whether medians of another visit fit beside.
    are_alike
        Whether all patients have the same numbers, of which there are no ranges and no shares.
    bracketed
        Quantities with the range between draws of a fit.
    named
        What a quantity is called.
    """
    visits = list(dict.fromkeys(row.visit for row in rows))
    reported = [row.visit for row in rows if row.reported]
    main = max(reported, key=visits.index) if reported else visits[-1]
    other = next((visit for visit in reversed(visits) if visit != main), "") if has_room else ""
    tables = [_changes(rows, main, other, are_alike, bracketed, named)]
    if visits[-1] not in (main, other if has_room else main):
        last = [row for row in rows if row.visit == visits[-1]]
        tables.append(_changes(last, visits[-1], "", are_alike, bracketed, named))
    return tables


def _changes(
    rows: Sequence[ChangeRow],
    main: str,
    other: str,
    are_alike: bool,
    bracketed: Collection[str],
    named: Callable[[ChangeRow], str],
) -> ShownTable:
    several = len({row.arm for row in rows}) > 1
    reported = [row.quantity for row in rows if row.reported]
    days = {row.visit: row.day for row in rows}
    beside = [other] if other else []
    earlier, later = ([], beside) if other and days[other] > days[main] else (beside, [])
    headings = [
        *earlier,
        *((main,) if are_alike else (f"{main} (5 to 95 %)", "up/down")),
        *later,
        *(["reported"] if reported else []),
    ]
    lines: list[tuple[str, ...]] = []
    by_place = {(row.quantity, row.arm, row.less, row.group, row.visit): row for row in rows}

    def line(label: str, quantity: str, arm: str, less: str, group: str) -> None:
        row = by_place.get((quantity, arm, less, group, main))
        if row is None:
            return
        before = by_place.get((quantity, arm, less, group, other))
        median = [signed(before.median, before.unit) if before else ""]
        own = (
            *(median if earlier else []),
            "\n".join(filter(None, (banded(row), between_draws(row)))) if quantity in bracketed else banded(row),
            *([] if are_alike else ["–" if row.up is None else f"{percent_of(row.up)}/{percent_of(row.down)}"]),
            *(median if later else []),
            *([judged(row)] if reported else []),
        )
        lines.append((label, *own))

    for quantity in dict.fromkeys((*reported, *(row.quantity for row in rows))):
        own = next(row for row in rows if row.quantity == quantity)
        unit = "" if own.unit == "%" else f", difference{'' if own.unit == '1' else f' in {own.unit}'}"
        name = f"{named(own)}{unit}"
        if not several:
            line(name, quantity, own.arm, "", ALL)
            for group in (RESPONDERS, OTHERS) if quantity in reported and not are_alike else ():
                line(f"  {group}", quantity, own.arm, "", group)
            continue
        lines.append((name, *([""] * len(headings))))
        for arm, less in dict.fromkeys((row.arm, row.less) for row in rows if row.quantity == quantity):
            # What does not change untreated needs no second row.
            if not less or any(by_place[quantity, less, "", ALL, main].shares):
                line(f"    less {less}" if less else f"  {arm}", quantity, arm, less, ALL)
    return ShownTable(
        "change in %" if any(row.unit == "%" for row in rows) else "change", tuple(headings), tuple(lines)
    )


def levels_shown(
    rows: Sequence[SummaryRow],
    *,
    is_counted: bool = False,
    named: Callable[[SummaryRow], str] = lambda row: row.quantity,
) -> ShownTable:
    """Levels: a line for each quantity and arm, with trough and peak below what follows the dose; a column a visit.

    ``is_counted`` puts the number of patients below a visit though all are there; it stands there where some are not.
    """
    arms = list(dict.fromkeys(row.arm for row in rows))
    visits = list(dict.fromkeys(row.visit for row in rows))
    by_place = {(row.quantity, row.arm, row.visit): row for row in rows}
    several = len(arms) > 1
    lines: list[tuple[str, ...]] = []
    for quantity in dict.fromkeys(row.quantity for row in rows):
        own = next(row for row in rows if row.quantity == quantity)
        name = f"{named(own)}, {own.unit}" if own.unit else named(own)
        if several:
            lines.append((name, *([""] * len(visits))))
        for arm in arms:
            cells = [by_place[quantity, arm, visit] for visit in visits]
            lines.append((f"  {arm}" if several else name, *map(_level, cells)))
            if any(row.trough is not None for row in cells):
                lines.append(("    trough to peak" if several else "  trough to peak", *map(_swing, cells)))
    headings = list(visits)
    if is_counted or any(row.n_ok < rows[0].n_ok for row in rows):
        for column, visit in enumerate(visits):
            present = sorted({row.n_ok for row in rows if row.visit == visit})
            headings[column] = f"{visit}\nn = {' to '.join(map(str, present))}"
    return ShownTable("level", tuple(headings), tuple(lines))


def same_in_all(rows: Sequence[SummaryRow]) -> bool:
    """Whether one patient was asked for, or all of several who reached the end have the same levels at each visit."""
    are_several = any(row.n_ok > 1 for row in rows) or all(row.n == 1 for row in rows)
    return are_several and all(row.p5 == row.p95 for row in rows)


def named(row: ChangeRow | SummaryRow) -> str:
    """The meaning of the quantity of a row, before its name in files."""
    return with_meaning(row.quantity, row.meaning)


def with_meaning(name: str, meaning: str) -> str:
    """The meaning of a quantity, before its name in files; the name alone where it has no other."""
    return name if meaning in ("", name) else f"{meaning} ({name})"


def _level(row: SummaryRow) -> str:
    if row.median is None:
        return rounded(None)
    if row.p5 == row.p95:
        return rounded(row.median)
    return f"{rounded(row.median)} ({rounded(row.p5)} to {rounded(row.p95)})"


def _swing(row: SummaryRow) -> str:
    return "" if row.trough is None else f"{rounded(row.trough)} to {rounded(row.peak)}"
