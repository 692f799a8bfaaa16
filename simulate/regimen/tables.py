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
SS        1 steady state in place of what was given before, 2 steady state added to it; needs II
CMT       route by name, or its number in the model from 1; absent where the model has one route
ID        patient; the records of a patient stand together
DV, MDV, DVID, LLOQ, CENS, LIMIT  belong to observations and are read past
========  ==============================================================================================================

Any other column is an error unless it was declared: as a covariate, which has one value for each patient, or as one to
be ignored. A record means the same wherever it stands among those of its patient: TIME decides, so the records need no
order. A table becomes a `Plan`, the same value that words come to, exactly: 8 h is a third of a day.

A reset (EVID 3) returns the patient to the untreated state of the beginning and cancels what is still to come of the
records before it: infusions, doses whose lag is not over, additional doses. EVID 4 gives a dose after it. Time goes on:
where NONMEM would begin a new occasion, because TIME falls at or after a reset, and where a dose stands before a reset
at the same TIME, the table is refused. Only there does the order of records matter.

A record with SS is written out as `RUN_IN` doses before it, an interval apart, and these really treat the patient. It
is refused where the drug is not at its steady state by then (its slowest half-life exceeds II), where there is no room
for them after time 0 and, for SS = 1, where other doses fall among them. SS follows the manual of NONMEM: 1 replaces,
2 adds; pages of other programs give the two the other way round. Refused with advice are modeled rates and durations
(RATE -1 and -2), events above 4, compartments switched off (CMT below 0) and infusions without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError, Where, did_you_mean
from simulate.regimen.cells import Sheet, parse_sheet, read_sheet
from simulate.regimen.doses import Course, Plan
from simulate.regimen.records import COLUMNS, OBSERVATIONS, ONLY, RUN_IN, Record, RecordReader, Reset
from simulate.regimen.rows import Covariates, Event, check_sequence
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

    def plan(
        self,
        routes: Sequence[Route],
        *,
        patient: str | None = None,
        half_lives: Mapping[str, float | None] | None = None,
    ) -> Plan:
        """Prescription of one patient.

        Parameters
        ----------
        routes
            Routes of the model, in its order.
        patient
            ID; not needed if the table has one.
        half_lives
            Slowest half-life of what each route gives, days (`simulate.regimen.steady`); needed for SS only.

        Raises
        ------
        InputError
            ``table.patient``, ``table.route`` or ``table.steady``, or what `Course` refuses, with row and column.
        """
        if patient is None and len(self.patients) > 1:
            raise InputError(
                f"the table has the doses of {len(self.patients)} patients",
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
                expected=", ".join(f"`{known}`" for known in self.patients[:10]),
                advice=did_you_mean(name, self.patients),
            )
        records = [record for record in self.records if record.patient == name]
        resets = tuple(sorted(reset.time for reset in self.resets if reset.patient == name))
        for record in records:
            if record.steady:
                _check_steady(record, records, resets, routes, half_lives or {})
        courses = [_course(record, resets, self.amount_unit, routes) for record in records]
        return Plan(tuple(sorted(courses, key=_sorting)), resets)

    def plans(
        self, routes: Sequence[Route], *, half_lives: Mapping[str, float | None] | None = None
    ) -> dict[str, Plan]:
        """Prescriptions of all patients, by ID."""
        return {name: self.plan(routes, patient=name, half_lives=half_lives) for name in self.patients}


def read_dose_table(
    path: Path | str,
    *,
    time: str,
    amount: str,
    covariates: Iterable[str] = (),
    ignored: Iterable[str] = (),
    where: Where | None = None,
) -> DoseTable:
    """Read a dose table.

    Parameters
    ----------
    path
        File of comma-separated values with a header.
    time, amount
        Units of TIME, II, DUR, UNTIL, ALAG and of AMT; RATE is in amount per time.
    covariates
        Further columns that may stand in the table: numbers, one for each patient.
    ignored
        Columns that may stand in the table and are not looked at.
    where
        Place of the units, for errors.

    Raises
    ------
    InputError
        ``file.*``, ``table.*`` with row and column, ``units.*``.
    """
    units = _time_unit(time, where), _amount_unit(amount, where)
    return _read(read_sheet(path), *units, _folded(covariates), _folded(ignored))


def parse_dose_table(
    text: str,
    *,
    time: str,
    amount: str,
    covariates: Iterable[str] = (),
    ignored: Iterable[str] = (),
    file: str = "<table>",
) -> DoseTable:
    """As `read_dose_table`, from text."""
    units = _time_unit(time, None), _amount_unit(amount, None)
    return _read(parse_sheet(text, file), *units, _folded(covariates), _folded(ignored))


def _folded(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.upper() for name in names)


def _time_unit(text: str, where: Where | None) -> Fraction:
    found = _unit(text, where)
    if found.dimension != unit("d").dimension:
        raise InputError(
            f"`{text}` is not a unit of time", code="units.mismatch", where=where, expected="such as h or d"
        )
    return found.factor


def _amount_unit(text: str, where: Where | None) -> str:
    _unit(text, where)
    return text


def _unit(text: str, where: Where | None) -> Unit:
    try:
        return unit(text)
    except InputError as error:
        error.where = error.where or where
        raise


def _read(
    sheet: Sheet, days: Fraction, amount_unit: str, covariates: Sequence[str], ignored: Sequence[str]
) -> DoseTable:
    columns = _columns(sheet, (*covariates, *ignored))
    reader = RecordReader(days)
    properties = Covariates([name for name in columns if name in covariates])
    patients: dict[str, None] = {}
    records: list[Record] = []
    resets: list[Reset] = []
    events: list[Event] = []
    for row in sheet.rows:
        cells = {name: row[index] for name, index in columns.items()}
        patient = reader.patient(cells, patients)
        patients[patient] = None
        properties.add(patient, cells)
        record = reader.record(patient, row[0], cells)
        reset = reader.reset(patient, row[0], cells)
        records += [] if record is None else [record]
        resets += [] if reset is None else [reset]
        events.append(Event(patient, reader.time(cells), cells["TIME"], record is not None))
    check_sequence(events, resets)
    return DoseTable(
        sheet.file, amount_unit, tuple(patients) or (ONLY,), tuple(records), tuple(resets), properties.values
    )


def _columns(sheet: Sheet, declared: Sequence[str]) -> dict[str, int]:
    """Index of each column by its name in capitals."""
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
                expected=", ".join((*COLUMNS, *declared)),
                advice="separate columns by commas"
                if separated
                else did_you_mean(cell.text, COLUMNS)
                or "declare it as a covariate or as ignored: `covariates = [...]`, `ignore = [...]`",
            )
        columns[name] = index
    for needed in ("TIME", "AMT"):
        if needed not in columns:
            raise sheet.header[0].error(
                f"the column {needed} is missing", "table.column", expected="at least TIME and AMT"
            )
    for one, other in (("DUR", "TINF"), ("ADDL", "TOTAL"), ("ADDL", "UNTIL"), ("TOTAL", "UNTIL")):
        if one in columns and other in columns:
            raise sheet.header[columns[other]].error(
                f"the columns {one} and {other} say the same thing", "table.column", advice="keep one of them"
            )
    return columns


def _course(record: Record, resets: Sequence[Fraction], amount_unit: str, routes: Sequence[Route]) -> Course:
    until = min([record.until, *(time for time in resets if time > record.time)])
    several = until - record.lead > record.every > 0
    try:
        return Course(
            amount=record.amount,
            unit=amount_unit,
            route=_route_of(record, routes),
            start=record.lead,
            every=record.every if several else None,
            until=until if several else None,
            duration=record.duration,
            lag=record.lag,
        )
    except InputError as error:
        error.where = error.where or record.cells["TIME"].where
        raise


def _route_of(record: Record, routes: Sequence[Route]) -> str:
    """Name of a record's route; whether the model has a route of a name is for the schedule to say."""
    if isinstance(record.route, str):
        return record.route
    if record.route == 0 and len(routes) == 1:
        return routes[0].name
    cell = record.cells.get("CMT", record.place)
    listed = ", ".join(f"{number} or `{route.name}`" for number, route in enumerate(routes, start=1))
    if record.route == 0:
        raise cell.error("the record does not say by which route", "table.route", expected=listed or "no dose")
    if record.route > len(routes):
        raise cell.error(f"the model has no route number {record.route}", "table.route", expected=listed or "no dose")
    return routes[record.route - 1].name


def _check_steady(
    record: Record,
    others: Sequence[Record],
    resets: Sequence[Fraction],
    routes: Sequence[Route],
    half_lives: Mapping[str, float | None],
) -> None:
    """Refuse a steady state that doses before the record cannot stand for."""
    cell = record.cells["SS"]
    folded = {name.casefold(): half_life for name, half_life in half_lives.items()}
    half_life = folded.get(_route_of(record, routes).casefold())
    if half_life is None or half_life > record.every:
        raise cell.error(
            f"{RUN_IN} doses do not bring the drug to its steady state",
            "table.steady",
            found="no half-life" if half_life is None else f"a half-life of {half_life:.3g} d",
            expected=f"a half-life of at most II, {float(record.every):.3g} d",
            advice="write out the doses that came before",
        )
    if record.lead < 0:
        raise cell.error(
            f"there is no room for the {RUN_IN} doses that stand for the steady state",
            "table.steady",
            found=f"TIME {float(record.time):.6g} d",
            expected=f"TIME of at least {RUN_IN} II, {float(RUN_IN * record.every):.6g} d",
            advice="begin the simulation earlier, or write out the doses that came before",
        )
    if any(record.lead < time <= record.time for time in resets):
        raise cell.error(
            f"a reset falls among the {RUN_IN} doses that stand for the steady state",
            "table.steady",
            advice="write out the doses that came before",
        )
    for other in others:
        reaches = other.until > record.lead if other.every else other.time >= record.lead
        if record.steady == 1 and other is not record and reaches and other.lead <= record.time:
            raise cell.error(
                "SS 1 replaces what was given before, but other doses fall among those that stand for it",
                "table.steady",
                found=f"the record of line {other.place.line}",
                advice="SS 2 adds to what was given before (some programs number the two the other way round)",
            )


def _sorting(course: Course) -> tuple[Fraction | str, ...]:
    rhythm = course.every or Fraction(0), course.until or Fraction(0)
    return course.start, course.route, course.amount, course.duration, course.lag, *rhythm
