"""Rows of a dose table as doses; the rules of the columns are at the top of `simulate.regimen.tables`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from simulate.regimen.csvtable import Cell, CsvTable
from simulate.regimen.doses import route_is_free

COLUMNS = ("ID", "TIME", "EVID", "AMT", "RATE", "DUR", "TINF", "ALAG", "CMT", "II", "ADDL", "TOTAL", "UNTIL", "SS")
_OF_DOSES = ("AMT", "RATE", "DUR", "TINF", "ALAG", "II", "ADDL", "TOTAL", "UNTIL", "SS")
OBSERVATIONS = ("DV", "MDV", "DVID", "UNIT", "LLOQ", "CENS", "LIMIT")
_WORDS = ("DVID", "UNIT")

ONLY = "1"
"""The patient of a table without ID."""


@dataclass(frozen=True, slots=True)
class Record:
    """One dose, or several an interval apart, as a row of a table states them; times in days."""

    patient: str
    time: Fraction
    amount: Fraction
    duration: Fraction
    lag: Fraction
    every: Fraction
    until: Fraction
    steady: int
    route: str | int
    place: Cell
    cells: Mapping[str, Cell]
    rated: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """A return of a patient to the untreated state of the beginning, at a time in days."""

    patient: str
    time: Fraction
    place: Cell


class RecordReader:
    """Reads rows; knows the unit of time, and whether bioavailability leaves a RATE as it is."""

    def __init__(self, days: Fraction, *, rate_stays: bool = True) -> None:
        self.days = days
        self.rate_stays = rate_stays

    def rows(self, sheet: CsvTable, columns: Mapping[str, int]) -> Iterator[tuple[str, Cell, Mapping[str, Cell]]]:
        """Patient, first cell and cells by column of the rows of a table; those of a patient stand together."""
        seen: dict[str, None] = {}
        for row in sheet.rows:
            cells = {name: row[index] for name, index in columns.items()}
            patient = self._patient(cells, seen)
            seen[patient] = None
            yield patient, row[0], cells

    def _patient(self, cells: Mapping[str, Cell], seen: dict[str, None]) -> str:
        """ID of a row; 1 and 1.0 are one patient, as NONMEM has it."""
        cell = cells.get("ID")
        if cell is None:
            return ONLY
        if cell.is_absent:
            raise cell.error("the record has no ID")
        name = cell.text
        if cell.text.replace(".", "", 1).isascii() and cell.text.replace(".", "", 1).isdigit():
            number = cell.number()
            name = str(number.numerator) if number.denominator == 1 else name
        if name in seen and name != next(reversed(seen)):
            raise cell.error(
                f"the records of ID `{name}` do not stand together",
                expected="one block of rows for each ID",
                advice="NONMEM would take the second block for another patient; sort the table by ID",
            )
        return name

    def record(self, patient: str, place: Cell, cells: Mapping[str, Cell]) -> Record | None:
        """The dose of a row, None for an observation or another event."""
        for name in OBSERVATIONS:
            # What was read, and in which unit, is told by a name.
            if name in cells and name not in _WORDS:
                cells[name].number()
        time = self.time(cells)
        amount = self._not_negative(cells, "AMT")
        steady = self._steady(cells)
        rate, duration = self._rate(cells)
        every = self._not_negative(cells, "II") * self.days
        if not self._is_dose(cells, amount, steady):
            for name in _OF_DOSES:
                if name in cells and cells[name].number():
                    raise cells[name].error(
                        f"a record that is no dose has {name}",
                        expected="0 or `.`",
                        advice="EVID 4 resets and doses" if self.event(cells) == 3 else "EVID 1 makes it a dose",
                    )
            return None
        told = cells.get("UNIT")
        if told is not None and not told.is_absent:
            raise told.error(
                "a dose has a UNIT, which is that of readings",
                expected="`.`: all amounts are in one unit, which is said beside the table",
                advice='`amount = "mg"` says it in a scenario or a data file',
            )
        if steady and not amount:
            return self._endless(patient, place, cells, time, rate, duration, every, steady)
        if not amount:
            raise cells["AMT"].error("a dose has no amount", expected="a number above 0")
        if rate:
            duration = amount / rate
        if steady and not every:
            raise cells["SS"].error("a steady state of doses has no interval", expected="II above 0")
        until = self._until(cells, time, every, steady)
        route = self._route(cells)
        lag = self._not_negative(cells, "ALAG") * self.days
        return Record(
            patient,
            time,
            amount,
            duration * self.days,
            lag,
            every,
            until,
            steady,
            route,
            cells.get("SS", place),
            cells,
            rated=bool(rate) and self.rate_stays,
        )

    def reset(self, patient: str, place: Cell, cells: Mapping[str, Cell]) -> Reset | None:
        """The reset of a row, with or without a dose after it; None if it has none."""
        return Reset(patient, self.time(cells), cells.get("EVID", place)) if self.event(cells) in (3, 4) else None

    def time(self, cells: Mapping[str, Cell]) -> Fraction:
        """Time of a row, days."""
        return self._not_negative(cells, "TIME", required=True) * self.days

    def event(self, cells: Mapping[str, Cell]) -> int:
        """EVID of a row; 0 where the table has no such column."""
        if "EVID" not in cells:
            return 0
        cell = cells["EVID"]
        event = cell.count()
        if event not in (0, 1, 2, 3, 4):
            raise cell.error(
                f"EVID {event} is not supported",
                "table.unsupported",
                expected="0 observation, 1 dose, 2 other event, 3 reset or 4 reset and dose",
            )
        return event

    def observes(self, cells: Mapping[str, Cell]) -> bool:
        """Whether a row is an observation: no dose and no other event, and not marked as without a value by MDV."""
        if self.event(cells) != 0 or self._is_dose(cells, self._not_negative(cells, "AMT"), self._steady(cells)):
            return False
        return not self._one_of(cells, "MDV", (0, 1), "0, or 1 for a row without a value")

    def _steady(self, cells: Mapping[str, Cell]) -> int:
        return self._one_of(cells, "SS", (0, 1, 2), "0, 1 (replaces) or 2 (adds), as in NONMEM")

    def _is_dose(self, cells: Mapping[str, Cell], amount: Fraction, steady: int) -> bool:
        if "EVID" not in cells:
            return bool(amount or steady)
        return self.event(cells) in (1, 4)

    def _not_negative(self, cells: Mapping[str, Cell], name: str, *, required: bool = False) -> Fraction:
        cell = cells.get(name)
        if cell is None:
            return Fraction(0)
        if required and cell.is_absent:
            raise cell.error(f"the record has no {name}")
        number = cell.number()
        if number < 0:
            raise cell.error(f"{name} is negative", expected="a number that is not negative")
        return number

    def _one_of(self, cells: Mapping[str, Cell], name: str, known: Sequence[int], expected: str) -> int:
        cell = cells.get(name)
        number = 0 if cell is None else cell.count()
        if cell is not None and number not in known:
            raise cell.error(f"{name} {number} has no meaning", expected=expected)
        return number

    def _rate(self, cells: Mapping[str, Cell]) -> tuple[Fraction, Fraction]:
        """Rate (amount per unit of time of the table) and duration (in that unit), of which one at most is not 0."""
        rate = cells["RATE"].number() if "RATE" in cells else Fraction(0)
        if rate < 0:
            modeled = {-1: "rate", -2: "duration"}.get(int(rate)) if rate.denominator == 1 else None
            raise cells["RATE"].error(
                f"RATE {rate} asks for a modeled {modeled}, which is not supported" if modeled else "RATE is negative",
                "table.unsupported" if modeled else "table.value",
                expected="0 for a dose given at once, or the rate of the infusion",
                advice="give the duration in a column DUR" if modeled else None,
            )
        name = next((name for name in ("DUR", "TINF") if name in cells), None)
        if name is None:
            return rate, Fraction(0)
        duration = self._not_negative(cells, name)
        if rate and duration:
            raise cells[name].error(f"the infusion has both RATE and {name}", advice="keep one of them")
        return rate, duration

    def _endless(
        self,
        patient: str,
        place: Cell,
        cells: Mapping[str, Cell],
        time: Fraction,
        rate: Fraction,
        duration: Fraction,
        every: Fraction,
        steady: int,
    ) -> Record | None:
        """AMT 0 and SS: an infusion at a constant RATE that ends at TIME; without RATE, the state without drug."""
        if every or duration or ("ADDL" in cells and cells["ADDL"].number()):
            raise cells["AMT"].error("a dose has no amount", expected="a number above 0")
        if rate:
            # An infusion without end is infusions of a day, one after the other; none begins at TIME.
            day = Fraction(1)
            lag = self._not_negative(cells, "ALAG")
            if lag:
                raise cells["ALAG"].error("an infusion that was always given has no lag", expected="0 or `.`")
            amount = rate * day / self.days
            route, rated = self._route(cells), self.rate_stays
            found = cells.get("SS", place)
            return Record(patient, time, amount, day, lag, day, time, steady, route, found, cells, rated)
        if time:
            raise cells["SS"].error(
                "the steady state without drug is where a simulation begins, not what a patient can be set to",
                "table.unsupported",
                expected="TIME 0",
                advice="a reset (EVID 3) sets the patient to it at a later time",
            )
        return None

    def _until(self, cells: Mapping[str, Cell], time: Fraction, every: Fraction, steady: int) -> Fraction:
        """Exclusive end of the doses of a record, days."""
        name = next((name for name in ("ADDL", "TOTAL", "UNTIL") if name in cells), None)
        cell = None if name is None else cells[name]
        if name is None or cell is None or cell.is_absent or (name == "ADDL" and cell.number() == 0):
            if every and not steady:
                raise cells["II"].error(
                    "II has no effect without additional doses",
                    expected="ADDL above 0, or II 0",
                    advice="100 mg once a day for 28 days is II 24 h and ADDL 27",
                )
            return time + every
        if not every:
            raise cell.error(f"{name} has no interval", expected="II above 0")
        if name == "UNTIL":
            end = self._not_negative(cells, name) * self.days
            if end <= time:
                raise cell.error("UNTIL is not after TIME", advice="the end is exclusive and counts from time 0")
            return end
        count = cell.count() + (1 if name == "ADDL" else 0)
        if count < 1:
            raise cell.error(f"{name} is too small", expected="at least 0" if name == "ADDL" else "at least 1")
        return time + count * every

    def _route(self, cells: Mapping[str, Cell]) -> str | int:
        cell = cells.get("CMT")
        if cell is None or cell.text in ("", ".", "0"):
            return 0
        if route_is_free(cell.text):
            return cell.text
        number = cell.count()
        if number < 0:
            raise cell.error(
                "a negative CMT switches a compartment off, which is not supported",
                "table.unsupported",
                expected="a route of the model, or its number from 1",
            )
        return number
