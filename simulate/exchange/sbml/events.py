"""Events of a file as events of the model; `simulate.exchange.doses` finds those that are doses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from simulate.exchange.sbml.document import all_of
from simulate.exchange.sbml.rates import Rates
from simulate.symbolic.parts import Event, Species


def event_of(rates: Rates, event: Any, dropped: list[str]) -> Event | None:
    """An event; one without a trigger, or that changes nothing, is listed as dropped.

    Raises
    ------
    InputError
        ``sbml.event``: it changes what a rule gives.
    """
    file, formula = rates.file, rates.formula
    identifier = event.getIdAttribute() or ""
    where = file.where(event)
    assignments = [one for one in all_of(event.getListOfEventAssignments()) if one.isSetMath()]
    trigger = event.getTrigger()
    if trigger is None or not trigger.isSetMath() or not assignments:
        dropped.append(f"the event `{identifier or event.getLine()}`, which has no trigger or changes nothing")
        return None
    changes = _changes(rates, event, assignments)
    has_all = file.level > 2
    delay = _formula_of(event.getDelay())
    priority = _formula_of(event.getPriority()) if has_all else None
    return Event(
        name=rates.quantities.taken.new(identifier or "event"),
        when=formula.condition(trigger.getMath(), where),
        changes=changes,
        delay=0 if delay is None else formula.number(delay, where) / rates.per_time,
        priority=None if priority is None else formula.number(priority, where),
        persistent=trigger.getPersistent() if has_all else True,
        at_start=not trigger.getInitialValue() if has_all else False,
        at_trigger=event.getUseValuesFromTriggerTime() if event.isSetUseValuesFromTriggerTime() else True,
    )


def _formula_of(part: Any) -> Any:
    return part.getMath() if part is not None and part.isSetMath() else None


def _changes(rates: Rates, event: Any, assignments: list[Any]) -> dict[Species, Expr]:
    """New value of each state that an event sets, or that keeps an amount in a size that it sets."""
    values: dict[str, Expr] = {}
    for one in assignments:
        name = one.getVariable()
        values[name] = rates.formula.number(one.getMath(), rates.file.where(one, name))
    changes: dict[Species, Expr] = {}
    for name, value in values.items():
        variable = rates.quantities.variables[name]
        if variable.state is None:
            raise rates.file.refuse(f"the event changes `{name}`, which a rule gives", "event", event)
        if variable.from_amount:
            assert variable.compartment is not None
            # The amount is what the concentration makes in the size before the event, which may change that too.
            value = value * variable.compartment.symbol
        changes[variable.state] = value
    return changes | _kept_amounts(rates, values)


def _kept_amounts(rates: Rates, values: Mapping[str, Expr]) -> dict[Species, Expr]:
    """Concentrations that are states themselves, in a compartment that an event makes larger or smaller."""
    found: dict[Species, Expr] = {}
    for variable in rates.quantities.variables.values():
        compartment = variable.compartment
        if compartment is None or compartment.id not in values or variable.state is None:
            continue
        if not variable.is_amount and not variable.from_amount:
            before = values.get(variable.id, variable.symbol)
            found[variable.state] = before * compartment.symbol / values[compartment.id]
    return found
