"""Rules of the arms of a scenario: what changes a patient's doses when a quantity passes a threshold.

In a scenario file::

    [time]
    visits = ["28 d", "56 d", "84 d"]  # when rules with `at_visits` look

    [[arm.rule]]
    quantity = "serum_il1ra"  # a state or an observable
    above = "30 ng/mL"  # or below
    dose = 0.5  # from then on half of what the regimen says; 0 stops it
    at_visits = true  # and not at any moment
    once = true
    margin = "1 ng/mL"  # how far back the quantity must be before the rule applies again

In place of ``dose`` there may be ``give = "100 mg sc"``, a dose at once, or ``end = true``, the end of the trajectory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from simulate.errors import InputError, Where, did_you_mean, relocated
from simulate.regimen.doses import Plan
from simulate.regimen.stops import realize
from simulate.regimen.words import parse_regimen
from simulate.solver.rules import Action, Rule
from simulate.studies.sheets import Sheet, Table
from simulate.symbolic.model import Model
from simulate.symbolic.units import Unit, convert, parse_quantity

_THRESHOLD = 'a number with its unit, such as "30 ng/mL"'


class RuleTable(Table):
    """A rule of a scenario file."""

    quantity: str = Field(min_length=1, description="a state or an observable")
    above: str | None = Field(default=None, description=_THRESHOLD)
    below: str | None = Field(default=None, description=_THRESHOLD)
    dose: float | None = None
    give: str | None = Field(default=None, description='a dose such as "100 mg sc"')
    end: bool = False
    at_visits: bool = False
    once: bool = False
    margin: str | None = Field(default=None, description=_THRESHOLD)


@dataclass(frozen=True, slots=True)
class ArmRule:
    """A rule as written; which unit and which route it means, only the model knows.

    Attributes
    ----------
    quantity, threshold, rising
        What is watched, the value to pass with its unit or None, and whether upward.
    action, factor, given
        What is done: `Action`, the share of the doses for LEVEL, the dose for BOLUS.
    at_visits, once, margin
        As for `simulate.solver.Rule`.
    text
        The rule in one line, for results.
    where
        Place of the table.
    """

    quantity: str
    threshold: tuple[float, Unit | None]
    rising: bool
    action: Action
    factor: float
    given: Plan | None
    at_visits: bool
    once: bool
    margin: tuple[float, Unit | None]
    text: str
    where: Where


def check_within(what: str, days: Sequence[float], end: float, texts: Sequence[str], sheet: Sheet, *keys: str) -> None:
    """Refuse a time after the end of a scenario, which nobody would see.

    Raises
    ------
    InputError
        ``scenario.value``.
    """
    for place, day in enumerate(days):
        if day > end:
            raise InputError(
                f"a {what} is after the end of the simulation",
                code="scenario.value",
                where=sheet.where(*keys, place),
                found=texts[place],
                expected=f"at most {end:g} d, the end",
                advice=f"leave the {what} out, or simulate longer: `time.end`",
            )


def rules_of_arm(tables: Sequence[RuleTable], sheet: Sheet, arm: int, visits: Sequence[float]) -> tuple[ArmRule, ...]:
    """Rules as written.

    Raises
    ------
    InputError
        ``scenario.rule``: a rule with no or two thresholds or actions, or one that looks at visits and there are none.
    """
    return tuple(_rule(table, sheet, ("arm", arm, "rule", index), visits) for index, table in enumerate(tables))


def _rule(table: RuleTable, sheet: Sheet, place: tuple[str | int, ...], visits: Sequence[float]) -> ArmRule:
    where = sheet.where(*place)
    sides = [side for side in ("above", "below") if getattr(table, side) is not None]
    actions = [name for name, is_there in _actions(table) if is_there]
    for found, known in ((sides, "`above`, `below`"), (actions, "`dose`, `give`, `end`")):
        if len(found) != 1:
            raise InputError(
                f"the rule on `{table.quantity}` is not clear",
                code="scenario.rule",
                where=where,
                found=" and ".join(f"`{name}`" for name in found) or "none",
                expected=f"one of {known}",
            )
    if table.at_visits and not visits:
        raise InputError(
            f"the rule on `{table.quantity}` looks at visits, and there are none",
            code="scenario.rule",
            where=where,
            expected='days of visits: `visits = ["28 d", "56 d"]` under `[time]`',
        )
    (side,), (action,) = sides, actions
    limit = str(getattr(table, side))
    if table.dose is not None and not 0.0 <= table.dose < math.inf:
        raise InputError(
            "the share of the doses is out of range",
            code="scenario.rule",
            where=sheet.where(*place, "dose"),
            found=repr(table.dose),
            expected="a number of at least 0; 1 is what the regimen says",
        )
    done = {"dose": f"{table.dose} of the doses", "give": f"give {table.give}", "end": "end"}[action]
    often = f"{' at visits' if table.at_visits else ''}{', once' if table.once else ''}"
    return ArmRule(
        quantity=table.quantity,
        threshold=_number(limit, sheet, (*place, side)),
        rising=side == "above",
        action={"dose": Action.LEVEL, "give": Action.BOLUS, "end": Action.END}[action],
        factor=1.0 if table.dose is None else table.dose,
        given=None if table.give is None else _dose(table.give, sheet, (*place, "give")),
        at_visits=table.at_visits,
        once=table.once,
        margin=(0.0, None) if table.margin is None else _number(table.margin, sheet, (*place, "margin")),
        text=f"{table.quantity} {side} {limit}{often}: {done}"
        + ("" if table.margin is None else f" (margin {table.margin})"),
        where=where,
    )


def _actions(table: RuleTable) -> tuple[tuple[str, bool], ...]:
    return ("dose", table.dose is not None), ("give", table.give is not None), ("end", table.end)


def _number(text: str, sheet: Sheet, place: tuple[str | int, ...]) -> tuple[float, Unit | None]:
    try:
        return parse_quantity(text)
    except InputError as error:
        raise relocated(error, sheet.where(*place), text) from None


def _dose(text: str, sheet: Sheet, place: tuple[str | int, ...]) -> Plan:
    where = sheet.where(*place)
    try:
        plan = parse_regimen(text)
    except InputError as error:
        raise relocated(error, where, text) from None
    plain = all(
        course.every is None and not (course.start or course.duration or course.missing or course.lag)
        for course in plan.courses
    )
    if len(plan.courses) != 1 or not plain or plan.resets:
        raise InputError(
            "a rule gives a single dose, at once",
            code="scenario.rule",
            where=where,
            found=text,
            expected='words such as "100 mg sc"',
        )
    return plan


def solver_rules(rules: Sequence[ArmRule], model: Model) -> tuple[Rule, ...]:
    """Rules in the units and routes of a model.

    Raises
    ------
    InputError
        ``scenario.unknown``, ``units.mismatch``, ``regimen.*``: blamed on the rule.
    """
    return tuple(_solver_rule(rule, model) for rule in rules)


def _solver_rule(rule: ArmRule, model: Model) -> Rule:
    units = {part.name: part.unit for part in (*model.observables, *model.species)}
    if rule.quantity not in units:
        raise InputError(
            f"a rule watches `{rule.quantity}`, which the model does not have",
            code="scenario.unknown",
            where=rule.where,
            expected="a state or an observable",
            advice=did_you_mean(rule.quantity, units) or "`simulate show model` lists them",
        )
    threshold, margin = (_converted(value, rule, units[rule.quantity]) for value in (rule.threshold, rule.margin))
    target: str | int = 0
    amount = rule.factor
    if rule.given is not None:
        try:
            dose = realize(rule.given, model.routes).doses[0]
        except InputError as error:
            raise relocated(error, rule.where, rule.text) from None
        target, amount = dose.route, dose.amount
    return Rule(rule.quantity, threshold, rule.rising, rule.action, target, amount, rule.at_visits, rule.once, margin)


def _converted(value: tuple[float, Unit | None], rule: ArmRule, unit: Unit) -> float:
    number, given = value
    if given is None:
        return number
    if given.dimension != unit.dimension:
        raise InputError(
            f"`{rule.quantity}` cannot be compared with a number in {given.text}",
            code="units.mismatch",
            where=rule.where,
            found=given.text,
            expected="a pure number" if unit.dimension.is_one else f"a unit such as {unit.text}",
        )
    return convert(number, given, unit)
