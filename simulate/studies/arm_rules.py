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

from collections.abc import Sequence
from dataclasses import dataclass

from simulate.errors import InputError, Where, relocated
from simulate.regimen.doses import Plan
from simulate.regimen.stops import realize
from simulate.regimen.words import parse_regimen
from simulate.solver.rules import Action, Rule
from simulate.studies.models import no_quantity, quantity_units
from simulate.symbolic.model import Model
from simulate.symbolic.units import Unit, convert, parse_quantity
from simulate.toml import TomlTable

RULE_KEYS = ("quantity", "above", "below", "dose", "give", "end", "at_visits", "once", "margin")
_THRESHOLD = 'a number with its unit, such as "30 ng/mL"'


@dataclass(frozen=True, slots=True)
class ArmRule:
    """A rule as written; which unit and which route it means, only the model knows."""

    #: What is watched, the value to pass with its unit or None, and whether upward.
    quantity: str
    threshold: tuple[float, Unit | None]
    rising: bool
    #: What is done: `Action`, the share of the doses for LEVEL, the dose for BOLUS.
    action: Action
    factor: float
    given: Plan | None
    #: As for `simulate.solver.Rule`.
    at_visits: bool
    once: bool
    margin: tuple[float, Unit | None]
    text: str  #: The rule in one line, for results
    where: Where  #: Place of the table


def rules_of_arm(arm: TomlTable, visits: Sequence[float]) -> tuple[ArmRule, ...]:
    """Rules as written."""
    return tuple(_rule(row, visits) for row in arm.tables("rule", allowed=RULE_KEYS))


def _rule(row: TomlTable, visits: Sequence[float]) -> ArmRule:
    quantity = row.text("quantity", expected="a state or an observable")
    at_visits, once, is_end = (row.boolean(key, False) for key in ("at_visits", "once", "end"))
    sides = [side for side in ("above", "below") if side in row]
    actions = [name for name in ("dose", "give", "end") if name in row and (name != "end" or is_end)]
    for found, known in ((sides, "`above`, `below`"), (actions, "`dose`, `give`, `end`")):
        if len(found) != 1:
            raise InputError(
                f"the rule on `{quantity}` is not clear",
                code="scenario.rule",
                where=row.where(),
                found=" and ".join(f"`{name}`" for name in found) or "none",
                expected=f"one of {known}",
            )
    if at_visits and not visits:
        raise InputError(
            f"the rule on `{quantity}` looks at visits, and there are none",
            code="scenario.rule",
            where=row.where(),
            expected='days of visits: `visits = ["28 d", "56 d"]` under `[time]`',
        )
    (side,), (action,) = sides, actions
    threshold = row.parsed(side, parse_quantity, expected=_THRESHOLD)
    margin = row.parsed("margin", parse_quantity, None, expected=_THRESHOLD)
    share = row.number("dose", 1.0, least=0)
    given = row.parsed("give", _single_dose, None, expected='a dose such as "100 mg sc"')
    done = {"dose": f"{share} of the doses", "give": f"give {row['give']}" if given else "", "end": "end"}[action]
    often = f"{' at visits' if at_visits else ''}{', once' if once else ''}"
    return ArmRule(
        quantity=quantity,
        threshold=threshold,
        rising=side == "above",
        action={"dose": Action.LEVEL, "give": Action.BOLUS, "end": Action.END}[action],
        factor=share,
        given=given,
        at_visits=at_visits,
        once=once,
        margin=(0.0, None) if margin is None else margin,
        text=f"{quantity} {side} {row[side]}{often}: {done}" + ("" if margin is None else f" (margin {row['margin']})"),
        where=row.where(),
    )


def _single_dose(text: str) -> Plan:
    plan = parse_regimen(text)
    plain = all(
        course.every is None and not (course.start or course.duration or course.missing or course.lag)
        for course in plan.courses
    )
    if len(plan.courses) != 1 or not plain or plan.resets:
        raise InputError(
            "a rule gives a single dose, at once",
            code="scenario.rule",
            found=text,
            expected='words such as "100 mg sc"',
        )
    return plan


def solver_rules(rules: Sequence[ArmRule], model: Model) -> tuple[Rule, ...]:
    """Rules in the units and routes of a model."""
    return tuple(_solver_rule(rule, model) for rule in rules)


def _solver_rule(rule: ArmRule, model: Model) -> Rule:
    units = quantity_units(model)
    if rule.quantity not in units:
        what = f"a rule watches `{rule.quantity}`, which the model does not have"
        raise no_quantity(what, rule.quantity, units, code="scenario.unknown", where=rule.where)
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
