"""The arms of a scenario: a regimen in words or a table of doses, and parameters of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from simulate.errors import InputError, Where, did_you_mean
from simulate.files import dotted
from simulate.regimen.doses import Plan
from simulate.regimen.steady import check_steady
from simulate.regimen.tables import DoseTable, read_dose_table
from simulate.regimen.words import parse_regimen
from simulate.studies.arm_rules import ArmRule, RuleTable, rules_of_arm
from simulate.studies.sheets import Sheet, Table, relocated
from simulate.symbolic.model import Model
from simulate.symbolic.units import Unit, convert, parse_quantity

_REGIMEN = 'words such as "100 mg sc every 24 h until 182 d", or "none"'


@dataclass(frozen=True, slots=True)
class Override:
    """A parameter set to ``value``, in ``unit`` or, where that is None, in the unit of the parameter."""

    parameter: str
    value: float
    unit: Unit | None
    where: Where


@dataclass(frozen=True, slots=True)
class Treatment:
    """An arm as written: its name, its regimen in words and as a plan, and what is special about its patients.

    Where the doses are in a table, ``regimen`` is its file and ``plan`` the table and the patient in it: which route a
    number stands for, only the model knows.
    """

    name: str
    regimen: str
    plan: Plan | Tabled
    overrides: tuple[Override, ...]
    where: Where
    rules: tuple[ArmRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Tabled:
    """The doses of one patient of a table, or of each of its patients."""

    table: DoseTable
    patient: str | None

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients of the table who are meant, in its order."""
        return self.table.patients if self.patient is None else (self.patient,)

    def plans(self, model: Model) -> tuple[Plan, ...]:
        """Prescriptions of the patients for the routes of a model.

        Raises
        ------
        InputError
            ``regimen.steady``: a steady state that cannot be known; what `DoseTable.plan` refuses.
        """
        if self.patient is None:
            plans = tuple(self.table.plans(model.routes).values())
        else:
            plans = (self.table.plan(model.routes, patient=self.patient),)
        try:
            for plan in plans:
                check_steady(plan, model)
        except InputError as error:
            error.where = next(record.cells["SS"].where for record in self.table.records if record.steady)
            raise
        return plans


class DosesTable(Table):
    """Where the doses of an arm are tabulated, and in which units."""

    file: str = Field(min_length=1, description='a file such as "doses.csv"')
    time: str = Field(description='the unit of TIME, such as "h"')
    amount: str = Field(description='the unit of AMT, such as "mg"')
    patient: str | None = None
    covariates: list[str] = Field(default_factory=list)
    ignore: list[str] = Field(default_factory=list)
    fixed: Literal["rate", "duration"] = Field(
        default="rate", description='"rate" or "duration": which of an infusion with a RATE bioavailability leaves'
    )


class ArmTable(Table):
    """An arm of a scenario file."""

    name: str = Field(min_length=1, max_length=200, description="a text in quotation marks")
    regimen: str | None = Field(default=None, description=_REGIMEN)
    doses: DosesTable | None = Field(
        default=None, description='such as { file = "doses.csv", time = "h", amount = "mg" }'
    )
    parameters: dict[str, Any] = Field(default_factory=dict)
    rule: list[RuleTable] = Field(default_factory=list)


def treatments_of(arms: Sequence[ArmTable], sheet: Sheet, visits: Sequence[float] = ()) -> tuple[Treatment, ...]:
    """Arms as written, their names checked and their regimens and rules read; ``visits`` are days."""
    found: dict[str, Treatment] = {}
    for index, arm in enumerate(arms):
        if not arm.name.isprintable() or arm.name != arm.name.strip():
            raise InputError(
                "an arm's name has characters that cannot be printed, or blanks at its ends",
                code="scenario.value",
                where=sheet.where("arm", index, "name"),
                found=repr(arm.name),
            )
        if arm.name in found:
            raise InputError(
                f"two arms have the name `{arm.name}`",
                code="scenario.value",
                where=sheet.where("arm", index, "name"),
                advice="give each arm a name of its own",
            )
        overrides = overrides_of(arm.parameters, sheet, "arm", index, "parameters")
        rules = rules_of_arm(arm.rule, sheet, index, visits)
        place = _place(arm, index, sheet)
        found[arm.name] = Treatment(arm.name, *_prescription(arm, index, sheet), overrides, place, rules)
    return tuple(found.values())


def _place(arm: ArmTable, index: int, sheet: Sheet) -> Where:
    return sheet.where("arm", index, "regimen" if arm.doses is None else "doses")


def _prescription(arm: ArmTable, index: int, sheet: Sheet) -> tuple[str, Plan | Tabled]:
    """What an arm is given: as a reader names it, and as a value."""
    place = _place(arm, index, sheet)
    if arm.regimen is not None and arm.doses is not None:
        raise InputError(
            "an arm has a regimen or a table of doses, not both",
            code="scenario.value",
            where=place,
            advice="leave one of the two out",
        )
    if arm.doses is not None:
        doses = arm.doses
        path = folder_of(sheet, "arm", index, "doses", "file") / doses.file
        table = read_dose_table(
            path,
            time=doses.time,
            amount=doses.amount,
            covariates=doses.covariates,
            ignored=doses.ignore,
            rate_stays=doses.fixed == "rate",
            where=place,
        )
        return doses.file, Tabled(table, doses.patient)
    if arm.regimen is None:
        raise InputError(
            f"the key `{dotted('arm', index, 'regimen')}` is missing",
            code="scenario.missing",
            where=place,
            expected=_REGIMEN,
        )
    try:
        return arm.regimen, parse_regimen(arm.regimen)
    except InputError as error:
        raise relocated(error, place, arm.regimen) from None


def overrides_of(values: Mapping[str, Any], sheet: Sheet, *keys: str | int) -> tuple[Override, ...]:
    """Parameters that a table under ``keys`` sets."""
    overrides = []
    for name, value in values.items():
        where = sheet.where(*keys, name)
        number: object = value
        given = None
        if isinstance(value, str):
            number, given = quantity_of(value, sheet, *keys, name)
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise InputError(
                f"the value of the parameter `{name}` cannot be used",
                code="scenario.value",
                where=where,
                found=str(value).lower() if isinstance(value, bool) else repr(value)[:100],
                expected='a finite number, or a text with a unit such as "0.15 ng/mL"',
            )
        overrides.append(Override(name, float(number), given, where))
    return tuple(overrides)


def override_value(row: Override, model: Model, beyond_bounds: bool) -> float:
    """Value of an override in the unit of its parameter, one that the parameter of the model can have.

    Raises
    ------
    InputError
        ``scenario.unknown``, ``scenario.value``, ``scenario.bounds`` (unless ``beyond_bounds``) or ``units.mismatch``.
    """
    parameters = {parameter.name: parameter for parameter in model.parameters}
    parameter = parameters.get(row.parameter)
    if parameter is None:
        raise InputError(
            f"the model has no parameter `{row.parameter}`",
            code="scenario.unknown",
            where=row.where,
            advice=did_you_mean(row.parameter, parameters) or "`simulate show parameters` lists them",
        )
    lowest = -math.inf if parameter.bounds is None else parameter.bounds[0]
    if row.value < 0.0 and (parameter.spread is not None or lowest >= 0.0):
        raise InputError(
            f"the parameter `{row.parameter}` cannot be negative",
            code="scenario.value",
            where=row.where,
            found=f"{row.value:g}",
            expected="a number of at least 0",
        )
    if row.unit is not None and row.unit.dimension != parameter.unit.dimension:
        raise InputError(
            f"the parameter `{row.parameter}` cannot be given in {row.unit.text}",
            code="units.mismatch",
            where=row.where,
            found=row.unit.text,
            expected="a pure number" if parameter.unit.dimension.is_one else f"a unit such as {parameter.unit.text}",
        )
    value = row.value if row.unit is None else convert(row.value, row.unit, parameter.unit)
    if parameter.bounds is not None and not beyond_bounds and not parameter.bounds[0] <= value <= parameter.bounds[1]:
        low, high = parameter.bounds
        unit_text = "" if parameter.unit.text == "1" else f" {parameter.unit.text}"
        raise InputError(
            f"the parameter `{row.parameter}` is out of its bounds",
            code="scenario.bounds",
            where=row.where,
            found=f"{value:g}{unit_text}",
            expected=f"a number from {low:g} to {high:g}{unit_text}",
            advice="to go beyond what is known of it: `--set model.beyond_bounds=true`",
        )
    return value


def quantity_of(text: str, sheet: Sheet, *keys: str | int) -> tuple[float, Unit | None]:
    """A number with or without a unit; a fault is blamed on the key."""
    try:
        return parse_quantity(text)
    except InputError as error:
        raise relocated(error, sheet.where(*keys), text) from None


def folder_of(sheet: Sheet, *keys: str | int) -> Path:
    """What a path is relative to: the file that names it, or the working folder if the command line does."""
    set_here = any(keys[:length] in sheet.origins for length in range(1, len(keys) + 1))
    return Path() if set_here else Path(sheet.document.path).parent
