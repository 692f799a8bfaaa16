"""What must hold between the rows of a table: one value of a covariate for each patient, resets in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from simulate.regimen.cells import Cell
from simulate.regimen.records import Reset


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
class Event:
    """Where a row stands in time (days): ``cell`` is its TIME."""

    patient: str
    time: Fraction
    cell: Cell
    is_dose: bool


def check_sequence(events: Sequence[Event], resets: Sequence[Reset]) -> None:
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
    rows: dict[str, list[Event]] = {reset.patient: [] for reset in resets}
    for event in events:
        if event.patient in rows:
            rows[event.patient].append(event)
    for reset in resets:
        line = reset.place.line
        for row in rows[reset.patient]:
            if row.time > reset.time if row.cell.line < line else row.time < reset.time:
                raise row.cell.error(
                    f"TIME falls across the reset in line {line}",
                    "table.order",
                    expected="rows before a reset at its TIME or earlier, rows after it at its TIME or later",
                    advice="let TIME go on across the reset; an occasion that begins at 0 again has an ID of its own",
                )
            if row.is_dose and row.time == reset.time and row.cell.line < line:
                raise row.cell.error(
                    f"a dose stands before the reset in line {line}, at the same TIME",
                    "table.order",
                    advice="place it after the reset, where it is given, or leave it out, as the reset would undo it",
                )
