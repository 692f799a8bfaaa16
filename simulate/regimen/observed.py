"""What was observed in single patients, from the same table as their doses.

In a table of doses (`simulate.regimen.tables`) a row is an observation if it is no dose and no other event:

========  ==============================================================================================================
DV        what was read; every observation has one
DVID      what was read, as a name or a number that the reader of the table is told; may be absent where all is one
UNIT      unit of DV in this row; without it, that which the reader of the table is told, or that of what was read
MDV       1 marks a row without a reading
CENS      1: what was to be read is below DV, the limit of the assay
========  ==============================================================================================================

LLOQ and LIMIT, which programs read in different ways, and CENS -1 are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError, Where
from simulate.regimen.csvtable import Cell, CsvTable, read_sheet
from simulate.regimen.records import RecordReader
from simulate.regimen.tables import DoseTable, columns_of, dose_table_of, time_unit
from simulate.symbolic.units import Unit, convert, unit

NEEDED = ("ID", "TIME", "DV")
"""Columns of a table of individual data that must be there; without AMT nobody has a dose."""


@dataclass(frozen=True, slots=True)
class ObservedRow:
    """A reading of a patient: when (days), of what (DVID; empty without the column), and what was read.

    ``is_below`` says that what was to be read is below ``value``; ``unit`` is None where the row has none. The cell is
    that of DV.
    """

    patient: str
    time: Fraction
    what: str
    value: float
    is_below: bool
    cell: Cell
    what_cell: Cell
    unit: Unit | None = None
    unit_cell: Cell | None = None

    def in_unit(self, quantity: str, own: Unit, told: Unit | None, where: Where | None) -> float:
        """The reading in the unit of a quantity.

        Parameters
        ----------
        quantity, own
            What was read, and its unit.
        told, where
            Unit of readings without one of their own, if another, and where that is said.

        Raises
        ------
        InputError
            ``units.mismatch``: a unit of something else.
        """
        given = told if self.unit is None else self.unit
        if given is None or given == own:
            return self.value
        if given.dimension != own.dimension:
            raise InputError(
                f"readings of `{quantity}` cannot be in `{given.text}`",
                code="units.mismatch",
                where=where if self.unit_cell is None else self.unit_cell.where,
                expected=f"{own.text}, the unit of `{quantity}`, or another of the same kind",
            )
        return convert(self.value, given, own)


@dataclass(frozen=True, slots=True)
class ObservedTable:
    """Doses and observations of patients, each of whom has observations."""

    doses: DoseTable
    observations: tuple[ObservedRow, ...]


def read_observed(
    path: Path | str,
    *,
    time: str,
    amount: str,
    covariates: Iterable[str] = (),
    ignored: Iterable[str] = (),
    where: Where | None = None,
) -> ObservedTable:
    """Read a table of doses and observations; arguments as for `dose_table_of`.

    Raises
    ------
    InputError
        ``file.*``, and as `dose_table_of`; ``table.value``: an observation without DV, a dose with one;
        ``table.unsupported``; ``table.observations``: a patient has none.
    """
    sheet = read_sheet(path)
    declared, unread = ([name.upper() for name in names] for names in (covariates, ignored))
    columns = columns_of(sheet, declared, unread, NEEDED)
    needed = ("TIME", "AMT") if columns.keys() & {"EVID", "SS", "RATE", "II"} else ("TIME",)
    doses = dose_table_of(
        sheet, time=time, amount=amount, covariates=declared, ignored=unread, where=where, needed=needed
    )
    reader = RecordReader(time_unit(time, where))
    found: list[ObservedRow] = []
    first: dict[str, Cell] = {}
    for patient, _, cells in reader.rows(sheet, columns):
        first.setdefault(patient, cells["ID"])
        if reader.observes(cells):
            found.append(_observation(reader, patient, cells))
        elif cells["DV"].number():
            raise cells["DV"].error(
                "a row that is no observation has a reading",
                expected="0 or `.` in the row of a dose or another event",
                advice="give the reading a row of its own, without an amount",
            )
    _check_everybody(doses.patients, found, first)
    return ObservedTable(doses, tuple(found))


def observations_beside(
    sheet: CsvTable,
    *,
    time: str,
    covariates: Iterable[str] = (),
    ignored: Iterable[str] = (),
    is_meant: Callable[[str], bool],
    where: Where | None = None,
) -> tuple[ObservedRow, ...]:
    """Readings in a table of doses that was read; none in one without DV.

    Parameters
    ----------
    sheet, time, covariates, ignored, where
        As for `dose_table_of`.
    is_meant
        Of a DVID, the empty one in a row without it, whether its readings must be ones that can be compared.

    Raises
    ------
    InputError
        ``table.value``, ``table.unsupported``: of a reading that is meant, as `read_observed`.
    """
    declared, unread = ([name.upper() for name in names] for names in (covariates, ignored))
    columns = columns_of(sheet, declared, unread, ("TIME",))
    if "DV" not in columns:
        return ()
    reader = RecordReader(time_unit(time, where))
    found: list[ObservedRow] = []
    for patient, _, cells in reader.rows(sheet, columns):
        if cells["DV"].is_absent or not reader.observes(cells):
            continue
        cell = cells.get("DVID", cells["DV"])
        what = "" if "DVID" not in cells or cell.is_absent else cell.text
        if is_meant(what):
            found.append(_observation(reader, patient, cells))
        else:
            found.append(
                ObservedRow(patient, reader.time(cells), what, float(cells["DV"].number()), False, cells["DV"], cell)
            )
    return tuple(found)


def is_name(what: str) -> bool:
    """Whether a DVID is a name, which can be that of a quantity, and not a number."""
    return what[:1].isalpha() or what[:1] == "_"


def _observation(reader: RecordReader, patient: str, cells: Mapping[str, Cell]) -> ObservedRow:
    cell = cells["DV"]
    if cell.is_absent:
        raise cell.error("the observation has no DV", advice="MDV 1 marks a row without a reading")
    for name in ("LLOQ", "LIMIT"):
        if name in cells and not cells[name].is_absent:
            raise cells[name].error(
                f"{name} is not supported",
                "table.unsupported",
                expected="a reading below the limit of the assay as CENS 1, with the limit in DV",
                advice=f'leave the column unread: `ignore = ["{name}"]`',
            )
    below = cells["CENS"].count() if "CENS" in cells else 0
    if below not in (0, 1):
        raise cells["CENS"].error(
            f"CENS {below} is not supported", "table.unsupported", expected="0, or 1 for a reading below DV"
        )
    what = cells.get("DVID", cell)
    if "DVID" in cells and what.text in ("", "."):
        raise what.error("the observation does not say what was read", expected="a DVID in each observation")
    text = what.text if "DVID" in cells else ""
    own = cells.get("UNIT")
    own = None if own is None or own.text in ("", ".") else own
    return ObservedRow(
        patient,
        reader.time(cells),
        text,
        float(cell.number()),
        bool(below),
        cell,
        what,
        None if own is None else _unit(own),
        own,
    )


def _unit(cell: Cell) -> Unit:
    try:
        return unit(cell.text)
    except InputError as error:
        error.where = cell.where
        raise


def _check_everybody(patients: Sequence[str], found: Sequence[ObservedRow], first: Mapping[str, Cell]) -> None:
    observed = {row.patient for row in found}
    for patient in patients:
        if patient not in observed and patient in first:
            raise first[patient].error(
                f"the patient `{patient}` has no observation",
                "table.observations",
                expected="at least one reading of each patient",
                advice="leave out the rows of the patient",
            )
