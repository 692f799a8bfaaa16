"""The arms of a scenario: a regimen in words or a table of doses, and parameters of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from simulate.cohort.population import Population
from simulate.cohort.transform import Distribution, check_overrides
from simulate.errors import InputError, Where, did_you_mean, relocated
from simulate.regimen.doses import Plan, exact
from simulate.regimen.steady import check_steady
from simulate.regimen.words import parse_regimen
from simulate.studies.arm_rules import ArmRule, rules_of_arm
from simulate.studies.models import PARAMETERS
from simulate.symbolic.model import Model
from simulate.symbolic.parameterfile import spread_of
from simulate.symbolic.parts import Parameter
from simulate.symbolic.units import Unit, convert, parse_quantity, unit
from simulate.toml import TomlTable, shown_value

if TYPE_CHECKING:
    # Few arms have a table of doses.
    from simulate.regimen.observed import ObservedRow
    from simulate.regimen.tables import DoseTable
    from simulate.trials.individual import ReadingOf

MAX_DAYS = 100_000

ARM_KEYS = ("name", "regimen", "doses", "parameters", "rule")
DOSES_KEYS = ("file", "time", "amount", "patient", "covariates", "ignore", "fixed", "observed")
OBSERVED_KEYS = ("dvid", "unit")
_REGIMEN = 'words such as "100 mg sc every 24 h until 182 d", or "none"'


@dataclass(frozen=True, slots=True)
class Override:
    """A value, a spread, or both that a scenario gives a parameter."""

    parameter: str  #: Its name
    #: Typical value, in ``unit`` or, where that is None, in the unit of the parameter; None where it stays.
    value: float | None
    unit: Unit | None
    where: Where  #: Where it is written
    #: Standard deviation of the logarithm between patients; 0 for the same value in all, None where it stays.
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
    """The doses of one patient of a table, or of each of its patients, and what was observed in them.

    ``readings`` say what DVIDs stand for; None where their names are those of quantities.
    """

    table: DoseTable
    patient: str | None
    observed: tuple[ObservedRow, ...] = ()
    readings: tuple[ReadingOf, ...] | None = None

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients of the table who are meant, in its order."""
        return self.table.patients if self.patient is None else (self.patient,)

    def plans(self, model: Model) -> tuple[Plan, ...]:
        """Prescriptions of the patients for the routes of a model."""
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


def treatments_of(top: TomlTable, visits: Sequence[float] = ()) -> tuple[Treatment, ...]:
    """Arms of a scenario file, their names checked and their regimens and rules read; ``visits`` are days."""
    found: dict[str, Treatment] = {}
    for arm in top.tables("arm", allowed=ARM_KEYS):
        name = arm.text("name", most=200)
        if name != name.strip():
            raise InputError(
                "an arm's name has blanks at its ends",
                code="scenario.value",
                where=arm.where("name"),
                found=repr(name),
            )
        if name in found:
            raise InputError(
                f"two arms have the name `{name}`",
                code="scenario.value",
                where=arm.where("name"),
                advice="give each arm a name of its own",
            )
        overrides = overrides_of(arm.table("parameters"))
        rules = rules_of_arm(arm, visits)
        place = arm.where("doses" if "doses" in arm else "regimen")
        found[name] = Treatment(name, *_prescription(arm, place), overrides, place, rules)
    return tuple(found.values())


def _prescription(arm: TomlTable, place: Where) -> tuple[str, Plan | Tabled]:
    """What an arm is given: as a reader names it, and as a value."""
    if "regimen" in arm and "doses" in arm:
        raise InputError(
            "an arm has a regimen or a table of doses, not both",
            code="scenario.value",
            where=place,
            advice="leave one of the two out",
        )
    if "doses" in arm:
        from simulate.regimen.csvtable import read_sheet
        from simulate.regimen.observed import observations_beside
        from simulate.regimen.tables import dose_table_of

        doses = arm.table("doses", allowed=DOSES_KEYS)
        file = doses.text("file", expected='a file such as "doses.csv"')
        sheet = read_sheet(doses.document.folder(*doses.keys, "file") / file)
        time = doses.parsed("time", str, expected='the unit of TIME, such as "h"')
        covariates, ignored = doses.texts("covariates"), doses.texts("ignore")
        table = dose_table_of(
            sheet,
            time=time,
            amount=doses.parsed("amount", str, expected='the unit of AMT, such as "mg"'),
            covariates=covariates,
            ignored=ignored,
            rate_stays=doses.choice("fixed", ("rate", "duration"), "rate") == "rate",
            where=place,
        )
        readings = _readings(doses) if "observed" in doses else None
        observed = observations_beside(
            sheet,
            time=time,
            covariates=covariates,
            ignored=ignored,
            is_meant=lambda what: reading_of(what, readings) is not None,
            where=place,
        )
        _check_told(observed, readings or ())
        return file, Tabled(table, doses.text("patient", None), observed, readings)
    plan = arm.parsed("regimen", parse_regimen, expected=_REGIMEN)
    return arm["regimen"], plan


def _readings(doses: TomlTable) -> tuple[ReadingOf, ...]:
    """What DVIDs stand for, as the scenario says."""
    from simulate.trials.individual import ReadingOf

    found: dict[str | None, ReadingOf] = {}
    for quantity, row in doses.named("observed", allowed=OBSERVED_KEYS):
        part = ReadingOf(quantity, row.text("dvid", None), row.parsed("unit", unit, None), (), row.where())
        if part.dvid in found or (found and None in (part.dvid, *found)):
            raise InputError(
                f"it is not told which readings are of `{quantity}`",
                code="scenario.value",
                where=part.where,
                expected="a `dvid` of its own for each quantity, as the column DVID has it",
            )
        found[part.dvid] = part
    return tuple(found.values())


def reading_of(what: str, readings: Sequence[ReadingOf] | None) -> ReadingOf | str | None:
    """What a DVID stands for: a reading that was declared, or the name of a quantity where none was; else None."""
    if readings is None:
        from simulate.regimen.observed import is_name

        return what if is_name(what) else None
    return next((part for part in readings if part.dvid in (None, what)), None)


def _check_told(observed: Sequence[ObservedRow], readings: Sequence[ReadingOf]) -> None:
    seen = sorted({row.what for row in observed if row.what})
    for part in readings:
        if not observed or (part.dvid is not None and part.dvid not in seen):
            raise InputError(
                f"no row of the table has a reading of `{part.quantity}`",
                code="scenario.value",
                where=part.where,
                found="none with DV" if part.dvid is None else f"none with DV and DVID `{part.dvid}`",
                expected="a row that is no dose, with DV" + "".join(f", DVID `{what}`" for what in seen[:5]),
                advice="leave the quantity out of `observed`",
            )


def overrides_of(table: TomlTable) -> tuple[Override, ...]:
    """Parameters that a table sets."""
    overrides = []
    for name in table:
        where = table.where(name)
        if not isinstance(table[name], Mapping):
            overrides.append(Override(name, *_value_of(table, name, name), where))
            continue
        row = table.table(name, allowed=("value", "spread"))
        if not row:
            raise InputError(
                f"nothing is said of the parameter `{name}`",
                code="key.missing",
                where=where,
                expected="`value`, `spread`",
            )
        number, given = _value_of(row, "value", name) if "value" in row else (None, None)
        spread = spread_of(row)
        if spread is not None and number is None:
            deeper = row.where("spread", *row["spread"])
            where = where if deeper.file == where.file else replace(deeper, key=where.key)
        overrides.append(Override(name, number, given, where, None if spread is None else spread.sd_log))
    return tuple(overrides)


def _value_of(table: TomlTable, key: str, name: str) -> tuple[float, Unit | None]:
    value = table[key]
    if isinstance(value, str):
        return table.parsed(key, parse_quantity)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(
            f"the value of the parameter `{name}` cannot be used",
            code="key.value",
            where=table.where(key),
            found=shown_value(value),
            expected='a finite number, or a text with a unit such as "0.15 ng/mL"',
        )
    return float(value), None


def overridden(
    rows: Sequence[Override], model: Model, population: Population, beyond_bounds: bool
) -> dict[str, float | Distribution]:
    """What an arm overrides, by parameter: what a later row says takes the place of what an earlier one did."""
    found: dict[str, float | Distribution] = {}
    for row in rows:
        parameter = _parameter_of(row, model)
        value = None if row.value is None else _value_in_unit(row, row.value, parameter, beyond_bounds)
        before = found.get(row.parameter, Distribution())
        before = before if isinstance(before, Distribution) else Distribution(before)
        value = before.value if value is None else value
        sd_log = before.sd_log if row.sd_log is None else row.sd_log
        typical = parameter.value if value is None else value
        if row.sd_log and typical <= 0.0:
            # Everybody would have a value that has no logarithm, in silence.
            raise InputError(
                f"the parameter `{row.parameter}` cannot vary log-normally",
                code="scenario.spread",
                where=row.where,
                found=f"a typical value of {typical:g}",
                expected="a value above 0",
                advice="leave its spread out, or give it another value",
            )
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
            advice=did_you_mean(row.parameter, parameters) or PARAMETERS,
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
        found, expected = f"{value:g}{unit_text}", f"from {low:g} to {high:g}{unit_text}"
        if row.unit is not None and row.unit != parameter.unit:
            own = [convert(bound, parameter.unit, row.unit) for bound in parameter.bounds]
            found = f"{number:g} {row.unit.text}, which is {found}"
            expected = f"from {own[0]:.4g} to {own[1]:.4g} {row.unit.text}, which is {expected}"
        raise InputError(
            f"the parameter `{row.parameter}` is out of its bounds",
            code="scenario.bounds",
            where=row.where,
            found=found,
            expected=f"a number {expected}",
            advice="to go beyond what is known of it: `--set model.beyond_bounds=true`",
        )
    return value


def days_of(text: str, *, or_none: bool = False) -> Fraction:
    """Days of a text with a unit of time, more than none, or from none where ``or_none`` says so."""
    value, given = parse_quantity(text)
    if given.dimension != unit("d").dimension:
        raise InputError(
            f"`{text}` is not a time",
            code="units.mismatch",
            expected='a number with a unit of time, such as "182 d" or "12 h"',
        )
    days = exact(value) * given.factor
    if not 0 <= days <= MAX_DAYS or (days == 0 and not or_none):
        least = "0 d or more" if or_none else "more than 0 d"
        raise InputError(
            f"the time `{text}` is out of range", code="key.value", expected=f"{least}, at most {MAX_DAYS} d"
        )
    return days


def times_of(table: TomlTable, key: str, what: str, end: float) -> tuple[float, ...]:
    """Days of a list of times, none after the end of the scenario, which nobody would see."""
    found = []
    for index, text in enumerate(table.texts(key)):
        where = table.where(key, index)
        try:
            days = float(days_of(text))
        except InputError as error:
            raise relocated(error, where, text) from None
        if days > end:
            raise InputError(
                f"a {what} is after the end of the simulation",
                code="scenario.value",
                where=where,
                found=text,
                expected=f"at most {end:g} d, the end",
                advice=f"leave the {what} out, or simulate longer: `time.end`",
            )
        found.append(days)
    return tuple(found)
