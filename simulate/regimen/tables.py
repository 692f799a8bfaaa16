"""Prescriptions as dose tables in the columns of NONMEM.

::

    ID, TIME, AMT, II, ADDL
    1, 0, 100, 24, 181
    2, 0, 100, 24, 89

Columns are found by name, capitals do not matter; ``.`` or nothing in a cell means zero or absent.

========  ==============================================================================================================
TIME      time of the record in the unit of time that the reader is told, not negative
AMT       amount of a dose in the unit that the reader is told; 0 in records that are no doses
EVID      0 observation, 1 dose, 2 other event, 3 reset, 4 reset and dose; without the column, records with an amount
          are doses
II, ADDL  interval and number of additional doses; one asks for the other. TOTAL = ADDL + 1, UNTIL = end, exclusive
RATE      0 at once, above 0 infused at this rate; DUR or TINF give the duration instead
ALAG      time from giving a dose to when it begins to enter the body
SS        1 steady state in place of what was given before, 2 steady state added to it; needs II, or RATE without AMT
CMT       route by name, or its number in the model from 1; without the column, the first route of the only drug
ID        patient; the records of a patient stand together
DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT  belong to observations (`simulate.regimen.observed`) and are read past
========  ==============================================================================================================

Any other column is an error unless it was declared: as a covariate, which has one value for each patient, or as one to
be ignored. A record means the same wherever it stands among those of its patient: TIME decides, so the records need no
order. A table becomes a `Plan`, the same value that words come to, exactly: 8 h is a third of a day.

A reset (EVID 3) returns the patient to the untreated state of the beginning and cancels what is still to come of the
records before it: infusions, doses whose lag is not over, additional doses. EVID 4 gives a dose after it. Time goes on:
where NONMEM would begin a new occasion, because TIME falls at or after a reset, and where a dose stands before a reset
at the same TIME, the table is refused. Only there does the order of records matter.

A record with SS finds the drug as it would be if its doses had always been given, an interval apart, with the
kinetics that each patient has; the train itself is not simulated, and treats nothing but the drug
(`simulate.regimen.steady`). SS = 1 replaces what was given before by any route, whatever is still on its way, and
additional doses; SS = 2 adds to it. That follows the manual of NONMEM; pages of other programs give the two the other
way round. AMT 0 with RATE and SS is an infusion that was always given and ends at TIME. Bioavailability changes how
long an infusion at a RATE takes, and the rate of one whose duration is given. Refused with advice are modeled rates and
durations (RATE -1 and -2), events above 4, and compartments switched off (CMT below 0).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from simulate.errors import InputError, Where, counted, did_you_mean, listed
from simulate.regimen.csvtable import CsvTable
from simulate.regimen.doses import Course, Plan
from simulate.regimen.records import COLUMNS, OBSERVATIONS, ONLY, Record, RecordReader, Reset
from simulate.regimen.rows import Covariates, TableEvent, check_replacing, check_sequence
from simulate.symbolic.parts import Route
from simulate.symbolic.units import Unit, unit


@dataclass(frozen=True, slots=True)
class DoseTable:
    """The doses of one or several patients.

    Attributes
    ----------
    file
        Where they were read.
    amount_unit
        Unit of the amounts, as text.
    patients
        Every ID, in the order of the table; those who have observations only are among them.
    records, resets
        Records that are doses, and resets.
    covariates
        Declared columns in capitals, with the values of the patients who have one.
    """

    file: str
    amount_unit: str
    patients: tuple[str, ...]
    records: tuple[Record, ...]
    resets: tuple[Reset, ...] = ()
    covariates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def plan(self, routes: Sequence[Route], *, patient: str | None = None) -> Plan:
        """Prescription of one patient.

        Parameters
        ----------
        routes
            Routes of the model, in its order.
        patient
            ID; not needed if the table has one.

        Raises
        ------
        InputError
            ``table.patient`` or ``table.route``, or what `Course` refuses, with row and column.
        """
        if patient is None and len(self.patients) > 1:
            raise InputError(
                f"the table has the doses of {counted(len(self.patients), 'patient')}",
                code="table.patient",
                where=Where(file=self.file),
                expected="the ID of one, such as `" + self.patients[0] + "`",
            )
        name = self.patients[0] if patient is None else patient
        if name not in self.patients:
            raise InputError(
                f"the table has no patient `{name}`",
                code="table.patient",
                where=Where(file=self.file),
                expected=listed(self.patients[:10]),
                advice=did_you_mean(name, self.patients),
            )
        records = [record for record in self.records if record.patient == name]
        return _plan(records, [reset for reset in self.resets if reset.patient == name], self.amount_unit, routes)

    def plans(self, routes: Sequence[Route]) -> dict[str, Plan]:
        """Prescriptions of all patients, by ID."""
        records: dict[str, list[Record]] = {name: [] for name in self.patients}
        resets: dict[str, list[Reset]] = {name: [] for name in self.patients}
        for record in self.records:
            records[record.patient].append(record)
        for reset in self.resets:
            resets[reset.patient].append(reset)
        return {name: _plan(records[name], resets[name], self.amount_unit, routes) for name in self.patients}


def dose_table_of(
    sheet: CsvTable,
    *,
    time: str,
    amount: str,
    covariates: Iterable[str] = (),
    ignored: Iterable[str] = (),
    rate_stays: bool = True,
    where: Where | None = None,
    needed: Sequence[str] = ("TIME", "AMT"),
) -> DoseTable:
    """Doses of a table whose cells were read.

    Parameters
    ----------
    sheet
        Cells, with a header.
    time, amount
        Units of TIME, II, DUR, UNTIL, ALAG and of AMT; RATE is in amount per time.
    covariates
        Further columns that may stand in the table: numbers, one for each patient.
    ignored
        Columns that may stand in the table and are not looked at, those of NONMEM among them.
    rate_stays
        Whether bioavailability changes how long an infusion at a RATE takes, as in NONMEM, and not its rate.
    where
        Place of the units, for errors.
    needed
        Columns that must be there.

    Raises
    ------
    InputError
        ``table.*`` with row and column, ``units.*``.
    """
    reader = RecordReader(time_unit(time, where), rate_stays=rate_stays)
    _unit(amount, where)
    declared, unread = ([name.upper() for name in names] for names in (covariates, ignored))
    columns = columns_of(sheet, declared, unread, needed)
    properties = Covariates([name for name in columns if name in declared])
    patients: dict[str, None] = {}
    records: list[Record] = []
    resets: list[Reset] = []
    events: list[TableEvent] = []
    for patient, place, cells in reader.rows(sheet, columns):
        patients[patient] = None
        properties.add(patient, cells)
        record = reader.record(patient, place, cells)
        reset = reader.reset(patient, place, cells)
        records += [] if record is None else [record]
        resets += [] if reset is None else [reset]
        events.append(TableEvent(patient, reader.time(cells), cells["TIME"], record is not None))
    check_sequence(events, resets)
    check_replacing(records)
    return DoseTable(sheet.file, amount, tuple(patients) or (ONLY,), tuple(records), tuple(resets), properties.values)


def time_unit(text: str, where: Where | None = None) -> Fraction:
    """Days of a unit of time by its text.

    Raises
    ------
    InputError
        ``units.*``: it is none.
    """
    found = _unit(text, where)
    if found.dimension != unit("d").dimension:
        raise InputError(
            f"`{text}` is not a unit of time", code="units.mismatch", where=where, expected="such as h or d"
        )
    return found.factor


def _unit(text: str, where: Where | None) -> Unit:
    try:
        return unit(text)
    except InputError as error:
        error.where = error.where or where
        raise


def columns_of(
    sheet: CsvTable, covariates: Sequence[str], ignored: Sequence[str], needed: Sequence[str]
) -> dict[str, int]:
    """Index of each column that is looked at, by its name in capitals.

    Raises
    ------
    InputError
        ``table.column``: a column that is not known, occurs twice, or is missing.
    """
    declared = (*covariates, *ignored)
    columns: dict[str, int] = {}
    for index, cell in enumerate(sheet.header):
        name = cell.text.upper()
        if not name:
            raise cell.error("a column has no name", "table.column")
        if name in columns:
            raise cell.error(f"the column `{name}` occurs twice", "table.column")
        if name not in (*COLUMNS, *OBSERVATIONS) and name not in declared:
            separated = len(sheet.header) == 1 and any(mark in cell.text for mark in ";\t")
            raise cell.error(
                f"there is no column `{cell.text[:60]}`",
                "table.column",
                expected=", ".join((*COLUMNS, *OBSERVATIONS, *declared)),
                advice="separate columns by commas"
                if separated
                else did_you_mean(cell.text, (*COLUMNS, *OBSERVATIONS))
                or "declare it as a covariate or as ignored: `covariates = [...]`, `ignore = [...]`",
            )
        columns[name] = index
    columns = {name: index for name, index in columns.items() if name not in ignored}
    for name in needed:
        if name not in columns:
            raise sheet.header[0].error(
                f"the column {name} is missing",
                "table.column",
                found=", ".join(cell.text[:60] for cell in sheet.header[:30]),
                expected=f"at least {' and '.join(needed)}",
            )
    for one, other in (("DUR", "TINF"), ("ADDL", "TOTAL"), ("ADDL", "UNTIL"), ("TOTAL", "UNTIL")):
        if one in columns and other in columns:
            raise sheet.header[columns[other]].error(
                f"the columns {one} and {other} say the same thing", "table.column", advice="keep one of them"
            )
    return columns


def _plan(records: Sequence[Record], resets: Sequence[Reset], amount_unit: str, routes: Sequence[Route]) -> Plan:
    """Prescription of a patient."""
    days = sorted({reset.time for reset in resets})
    # Both end what was given before, additional doses among it.
    cuts = sorted({*days, *(record.time for record in records if record.steady == 1)})
    courses = [_course(record, cuts, amount_unit, routes) for record in records]
    return Plan(tuple(sorted(courses, key=_sorting)), tuple(days))


def _course(record: Record, cuts: Sequence[Fraction], amount_unit: str, routes: Sequence[Route]) -> Course:
    until = min([record.until, *cuts[bisect.bisect_right(cuts, record.time) :][:1]])
    several = until - record.time > record.every > 0 or record.steady > 0
    try:
        return Course(
            amount=record.amount,
            unit=amount_unit,
            route=_route_of(record, routes),
            start=record.time,
            every=record.every if several else None,
            until=until if several else None,
            duration=record.duration,
            lag=record.lag,
            rated=record.rated,
            steady=record.steady,
        )
    except InputError as error:
        error.where = error.where or record.cells["TIME"].where
        raise


def _route_of(record: Record, routes: Sequence[Route]) -> str:
    """Name of a record's route; whether the model has a route of a name is for the schedule to say."""
    if isinstance(record.route, str):
        return record.route
    is_clear = len(routes) == 1 or ("CMT" not in record.cells and len({route.drug for route in routes}) == 1)
    if record.route == 0 and is_clear:
        # As in NONMEM: where no column tells, a dose enters the first compartment that takes doses.
        return routes[0].name
    cell = record.cells.get("CMT", record.place)
    listed = ", ".join(f"{number} or `{route.name}`" for number, route in enumerate(routes, start=1))
    if record.route == 0:
        raise cell.error("the record does not say by which route", "table.route", expected=listed or "no dose")
    if record.route > len(routes):
        raise cell.error(f"the model has no route number {record.route}", "table.route", expected=listed or "no dose")
    return routes[record.route - 1].name


def _sorting(course: Course) -> tuple[Fraction | str | int, ...]:
    rhythm = course.every or Fraction(0), course.until or Fraction(0), course.steady, course.rated
    return course.start, course.route, course.amount, course.duration, course.lag, *rhythm
