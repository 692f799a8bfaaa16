"""Checks between the rows of a dose table: one value of a covariate for each patient, resets in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from simulate.errors import InputError
from simulate.regimen.csvtable import Cell
from simulate.regimen.records import Record, Reset


class Covariates:
    """Collects declared columns, row by row; ``values`` are those of each column and patient who has one."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.values: dict[str, dict[str, float]] = {name: {} for name in columns}
        self._places: dict[tuple[str, str], Cell] = {}

    def add(self, patient: str, cells: Mapping[str, Cell]) -> None:
        """Take the values of a row; an absent one says nothing.

        Raises
        ------
        InputError
            ``table.number``; ``table.covariate``: the patient has another value in an earlier row.
        """
        for name, of_patients in self.values.items():
            cell = cells[name]
            if cell.is_absent:
                continue
            value = float(cell.number())
            if of_patients.setdefault(patient, value) != value:
                earlier = self._places[name, patient]
                raise cell.error(
                    f"{name} of patient `{patient}` changes",
                    "table.covariate",
                    found=f"{earlier.text} in line {earlier.line}, {cell.text} in line {cell.line}",
                    expected="one value for each patient: covariates that change with time are not supported",
                    advice="leave the value that holds for the whole course, and `.` elsewhere",
                )
            self._places.setdefault((name, patient), cell)


@dataclass(frozen=True, slots=True)
class TableEvent:
    """Where a row stands in time (days): ``cell`` is its TIME."""

    patient: str
    time: Fraction
    cell: Cell
    is_dose: bool


def check_sequence(events: Sequence[TableEvent], resets: Sequence[Reset]) -> None:
    """Refuse rows for which it matters that they stand before or after a reset.

    Parameters
    ----------
    events
        Every row, in the order of the table.
    resets
        Those that are resets.

    Raises
    ------
    InputError
        ``table.order``.
    """
    of_patients: dict[str, list[Reset]] = {reset.patient: [] for reset in resets}
    for reset in resets:
        of_patients[reset.patient].append(reset)
    rows: dict[str, list[TableEvent]] = {patient: [] for patient in of_patients}
    for event in events:
        if event.patient in rows:
            rows[event.patient].append(event)
    for patient, own in of_patients.items():
        _check_sequence(rows[patient], own)


def _check_sequence(rows: Sequence[TableEvent], resets: Sequence[Reset]) -> None:
    """As `check_sequence`, for one patient; resets are in the order of the table, as the rows are."""
    # A row is held against the resets before and after it that leave it the least room, so that each is looked at once.
    latest: Reset | None = None
    coming = iter(resets)
    following = next(coming, None)
    for row in rows:
        while following is not None and following.place.line < row.cell.line:
            latest = following if latest is None or following.time > latest.time else latest
            following = next(coming, None)
        if latest is not None and row.time < latest.time:
            raise _across(row, latest)
    earliest: Reset | None = None
    leaving = iter(reversed(resets))
    preceding = next(leaving, None)
    for row in reversed(rows):
        while preceding is not None and preceding.place.line > row.cell.line:
            earliest = preceding if earliest is None or preceding.time <= earliest.time else earliest
            preceding = next(leaving, None)
        if earliest is None:
            continue
        if row.time > earliest.time:
            raise _across(row, earliest)
        if row.is_dose and row.time == earliest.time:
            raise row.cell.error(
                f"a dose stands before the reset in line {earliest.place.line}, at the same TIME",
                "table.order",
                advice="place it after the reset, where it is given, or leave it out, as the reset would undo it",
            )


def _across(row: TableEvent, reset: Reset) -> InputError:
    return row.cell.error(
        f"TIME falls across the reset in line {reset.place.line}",
        "table.order",
        expected="rows before a reset at its TIME or earlier, rows after it at its TIME or later",
        advice="let TIME go on across the reset; an occasion that begins at 0 again has an ID of its own",
    )


def check_replacing(records: Sequence[Record]) -> None:
    """Refuse doses that stand before a steady state that replaces them at the same TIME.

    Raises
    ------
    InputError
        ``table.order``.
    """
    replacing: dict[tuple[str, Fraction], Record] = {
        (record.patient, record.time): record for record in records if record.steady == 1
    }
    for record in records:
        by = replacing.get((record.patient, record.time), record)
        if record.place.line < by.place.line:
            raise record.cells["TIME"].error(
                f"a dose stands before the steady state in line {by.place.line} that replaces it, at the same TIME",
                "table.order",
                advice="SS 2 adds to it; else place it after, where it is given, or leave it out",
            )
