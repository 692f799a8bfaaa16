"""The arms of a scenario: a regimen in words or a table of doses, and parameters of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from simulate.cohort.population import Population
from simulate.cohort.transform import Distribution, check_overrides
from simulate.errors import InputError, Where, did_you_mean, relocated
from simulate.files import dotted
from simulate.regimen.doses import Plan, exact
from simulate.regimen.steady import check_steady
from simulate.regimen.tables import DoseTable, read_dose_table
from simulate.regimen.words import parse_regimen
from simulate.studies.arm_rules import ArmRule, RuleTable, rules_of_arm
from simulate.studies.sheets import Sheet, Table
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Parameter, Spread
from simulate.symbolic.units import Unit, convert, parse_quantity, unit

MAX_DAYS = 100_000

_REGIMEN = 'words such as "100 mg sc every 24 h until 182 d", or "none"'


@dataclass(frozen=True, slots=True)
class Override:
    """What a scenario says of a parameter.

    Attributes
    ----------
    parameter
        Its name.
    value, unit
        Typical value, in ``unit`` or, where that is None, in the unit of the parameter; None where it stays.
    where
        Where it is written.
    sd_log
        Standard deviation of the logarithm between patients; 0 for the same value in all, None where it stays.
    """

    parameter: str
    value: float | None
    unit: Unit | None
    where: Where
    sd_log: float | None = None


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
        path = (*keys, name)
        where = sheet.where(*path)
        if not isinstance(value, Mapping):
            overrides.append(Override(name, *_value_of(value, name, sheet, *path), where))
            continue
        unknown = sorted({*value} - {"value", "spread"})
        if unknown or not value:
            raise InputError(
                f"there is no key `{unknown[0]}` here" if unknown else f"nothing is said of the parameter `{name}`",
                code="scenario.key",
                where=sheet.where(*path, *unknown[:1]),
                expected="`value`, `spread`",
                advice=did_you_mean(unknown[0], ("value", "spread")) if unknown else None,
            )
        number, given = None, None
        if "value" in value:
            number, given = _value_of(value["value"], name, sheet, *path, "value")
        spread = _spread_of(value["spread"], sheet, *path, "spread") if "spread" in value else None
        overrides.append(Override(name, number, given, where, spread))
    return tuple(overrides)


def _value_of(value: object, name: str, sheet: Sheet, *keys: str | int) -> tuple[float, Unit | None]:
    number: object = value
    given = None
    if isinstance(value, str):
        number, given = quantity_of(value, sheet, *keys)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise InputError(
            f"the value of the parameter `{name}` cannot be used",
            code="scenario.value",
            where=sheet.where(*keys),
            found=str(value).lower() if isinstance(value, bool) else repr(value)[:100],
            expected='a finite number, or a text with a unit such as "0.15 ng/mL"',
        )
    return float(number), given


def _spread_of(value: object, sheet: Sheet, *keys: str | int) -> float:
    """Standard deviation of the logarithm."""
    kind, size = next(iter(value.items())) if isinstance(value, Mapping) and len(value) == 1 else ("", None)
    is_number = isinstance(size, int | float) and not isinstance(size, bool) and 0.0 <= size < math.inf
    if kind not in ("cv", "sd_log") or not is_number:
        raise InputError(
            "the spread cannot be used",
            code="scenario.value",
            where=sheet.where(*keys),
            found=repr(value)[:100],
            expected="{ cv = 0.3 } or { sd_log = 0.3 }, a number of at least 0; with 0 all patients have the value",
        )
    assert isinstance(size, int | float)
    return Spread.from_cv(size).sd_log if kind == "cv" else float(size)


def overridden(
    rows: Sequence[Override], model: Model, population: Population, beyond_bounds: bool
) -> dict[str, float | Distribution]:
    """What an arm overrides, by parameter: what a later row says takes the place of what an earlier one did.

    Raises
    ------
    InputError
        ``scenario.unknown``, ``scenario.value``, ``scenario.bounds`` (unless ``beyond_bounds``), ``units.mismatch``, or
        ``cohort.bounds``: nobody would be within the bounds; blamed on the row.
    """
    found: dict[str, float | Distribution] = {}
    for row in rows:
        parameter = _parameter_of(row, model)
        value = None if row.value is None else _value_in_unit(row, row.value, parameter, beyond_bounds)
        before = found.get(row.parameter, Distribution())
        before = before if isinstance(before, Distribution) else Distribution(before)
        value = before.value if value is None else value
        sd_log = before.sd_log if row.sd_log is None else row.sd_log
        low, high = (-math.inf, math.inf) if parameter.bounds is None else parameter.bounds
        is_beyond = value is not None and not low <= value <= high
        drawn = Distribution(value, sd_log, is_beyond)
        # A value within the bounds has people about it; of another spread there may be none.
        if sd_log is not None:
            try:
                check_overrides(population, {row.parameter: drawn})
            except InputError as error:
                raise relocated(error, row.where, row.parameter) from None
        found[row.parameter] = value if value is not None and sd_log is None and not is_beyond else drawn
    return found


def _parameter_of(row: Override, model: Model) -> Parameter:
    parameters = {parameter.name: parameter for parameter in model.parameters}
    if row.parameter not in parameters:
        raise InputError(
            f"the model has no parameter `{row.parameter}`",
            code="scenario.unknown",
            where=row.where,
            advice=did_you_mean(row.parameter, parameters) or "`simulate show parameters` lists them",
        )
    return parameters[row.parameter]


def _value_in_unit(row: Override, number: float, parameter: Parameter, beyond_bounds: bool) -> float:
    """Value of an override in the unit of its parameter, one that the parameter can have."""
    lowest = -math.inf if parameter.bounds is None else parameter.bounds[0]
    if number < 0.0 and (parameter.spread is not None or lowest >= 0.0):
        raise InputError(
            f"the parameter `{row.parameter}` cannot be negative",
            code="scenario.value",
            where=row.where,
            found=f"{number:g}",
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
    value = number if row.unit is None else convert(number, row.unit, parameter.unit)
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


def days_of(text: str, sheet: Sheet, *keys: str | int) -> Fraction:
    """Days of a text with a unit of time, more than none."""
    value, given = quantity_of(text, sheet, *keys)
    if given is None or given.dimension != unit("d").dimension:
        raise InputError(
            f"`{text}` is not a time",
            code="units.mismatch",
            where=sheet.where(*keys),
            expected='a number with a unit of time, such as "182 d" or "12 h"',
        )
    days = exact(value) * given.factor
    if not 0 < days <= MAX_DAYS:
        raise InputError(
            f"the time `{dotted(*keys)}` is out of range",
            code="scenario.value",
            where=sheet.where(*keys),
            found=text,
            expected=f"more than 0 d, at most {MAX_DAYS} d",
        )
    return days
