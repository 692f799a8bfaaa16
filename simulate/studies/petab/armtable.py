"""Readings of the arms of a scenario, from a table of comma-separated values.

=====  ===============================================================================================================
TIME   when, in the unit of time that is named
DV     what was read, a mean say, in the unit of the quantity
DVID   name of the quantity, a state or an observable of the model
ARM    name of the arm; may be absent where there is one
SD     standard deviation of DV; where it is absent the logarithm of DV is normal, with a noise that is free
=====  ===============================================================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError, Where, did_you_mean
from simulate.regimen.csvtable import Cell, CsvTable, read_sheet
from simulate.regimen.tables import time_unit
from simulate.studies.petab.stating import Case, CaseReading
from simulate.studies.runs import Study
from simulate.symbolic.parts import Parameter
from simulate.trials.individual import USUAL

NEEDED = ("TIME", "DV", "DVID")
KNOWN = (*NEEDED, "ARM", "SD")


@dataclass(frozen=True, slots=True)
class ArmTable:
    """Readings of arms, and the noise of each quantity, none where each reading has its own."""

    cases: tuple[Case, ...]
    noises: Mapping[str, tuple[tuple[str, Parameter], ...]]


def read_arm_table(path: Path | str, study: Study, arm: str | None, time: str) -> ArmTable:
    """Readings of arms of a study.

    Parameters
    ----------
    path
        The table.
    study
        Its arms, and its model, of which something was read.
    arm
        The only arm; None for those of the table, or the only one of the study.
    time
        Unit of TIME.

    Raises
    ------
    InputError
        ``table.*`` and ``units.*`` with the line at fault; ``exchange.arm``: it is not told which arm.
    """
    sheet = read_sheet(path)
    columns = _columns(sheet)
    days = time_unit(time)
    quantities = {part.name for part in (*study.model.observables, *study.model.species)}
    arms = {one.name: one for one in study.arms}
    found: dict[str, list[CaseReading]] = {}
    known: dict[str, bool] = {}
    for row in sheet.rows:
        cells = {name: row[place] for name, place in columns.items()}
        name = _arm_of(cells, study, arm)
        if name is None:
            continue
        quantity = _named(cells["DVID"], quantities, "the model has no quantity", "a state or an observable")
        reading = _reading(cells, quantity, days)
        if known.setdefault(quantity, reading.deviation is not None) != (reading.deviation is not None):
            raise cells["SD"].error(
                f"some readings of `{quantity}` have a standard deviation and others none",
                expected="one for each of them, or for none",
            )
        found.setdefault(name, []).append(reading)
    if not found:
        raise InputError(
            "nothing was read of the arm" if arm is not None else "the table has no readings",
            code="table.observations",
            where=Where(file=sheet.file),
            found=None if arm is None else f"no row of `{arm}`",
            expected="rows with TIME, DV and DVID",
        )
    cases = tuple(Case(arms[name], tuple(readings)) for name, readings in found.items())
    return ArmTable(cases, {name: () if has_own else (("log", USUAL),) for name, has_own in known.items()})


def last_time(path: Path | str) -> Fraction:
    """The last TIME of a table, in its unit; 0 of one without rows; errors as `read_arm_table`."""
    sheet = read_sheet(path)
    place = _columns(sheet)["TIME"]
    return max((row[place].number() for row in sheet.rows), default=Fraction(0))


def _columns(sheet: CsvTable) -> dict[str, int]:
    columns: dict[str, int] = {}
    for place, cell in enumerate(sheet.header):
        name = cell.text.upper()
        if name not in KNOWN or name in columns:
            raise cell.error(
                f"the column `{name}` occurs twice" if name in columns else f"there is no column `{cell.text[:60]}`",
                "table.column",
                expected=", ".join(KNOWN),
                advice=did_you_mean(name, KNOWN),
            )
        columns[name] = place
    for name in NEEDED:
        if name not in columns:
            raise sheet.header[0].error(
                f"the column {name} is missing", "table.column", expected=f"at least {', '.join(NEEDED)}"
            )
    return columns


def _arm_of(cells: Mapping[str, Cell], study: Study, arm: str | None) -> str | None:
    """Arm of a row; None for one that is not asked for."""
    names = [one.name for one in study.arms]
    if arm is not None and arm not in names:
        raise InputError(
            f"the scenario has no arm `{arm}`",
            code="exchange.arm",
            where=Where(study.scenario.document.path),
            found=", ".join(names),
            expected="--arm and one of them",
            advice=did_you_mean(arm, names),
        )
    if "ARM" in cells:
        name = _named(cells["ARM"], names, "the scenario has no arm", "the name of an arm")
        return name if arm in (None, name) else None
    if arm is None and len(names) > 1:
        raise InputError(
            "the table does not say of which arm it is",
            code="exchange.arm",
            where=Where(cells["TIME"].file, 1),
            found=", ".join(names),
            expected="a column ARM, or --arm and one of them",
        )
    return arm or names[0]


def _named(cell: Cell, known: Collection[str], wrong: str, expected: str) -> str:
    if cell.text not in known:
        raise cell.error(
            f"{wrong} `{cell.text}`",
            "data.quantity" if cell.key == "DVID" else "exchange.arm",
            expected=expected,
            advice=did_you_mean(cell.text, known),
        )
    return cell.text


def _reading(cells: Mapping[str, Cell], quantity: str, days: Fraction) -> CaseReading:
    day, value = float(cells["TIME"].number() * days), float(cells["DV"].number())
    has_own = "SD" in cells and not cells["SD"].is_absent
    deviation = float(cells["SD"].number()) if has_own else None
    for name, cell in cells.items():
        if cell.is_absent and name != "SD":
            raise cell.error(f"the reading has no {name}")
    if day < 0.0:
        raise cells["TIME"].error("the reading is before the beginning", expected="a time of 0 or later")
    if deviation is not None and not deviation > 0.0:
        raise cells["SD"].error("the standard deviation is not above 0")
    if deviation is None and not value > 0.0:
        raise cells["DV"].error(
            f"a reading of `{quantity}` with log-normal noise is not above 0",
            "data.value",
            expected="a number above 0",
            advice="give it a standard deviation, in a column SD",
        )
    return CaseReading(quantity, day, value, deviation, cells["DV"].where)
