"""Whether what a trial reported is about visits, quantities and arms that it had."""

from __future__ import annotations

from collections.abc import Iterator

from simulate.errors import InputError, did_you_mean, listed, not_among
from simulate.evidence.items import Evidence, Item, Reading
from simulate.trials.design import TrialDesign


def check_reported(evidence: Evidence, design: TrialDesign) -> None:
    """Refuse evidence to be fitted that speaks of what the trial did not see.

    Raises
    ------
    InputError
        ``evidence.quantity``, ``evidence.visit`` or ``evidence.arm``, with the line of the item.
    """
    arms = [arm.name for arm in design.arms]
    for item in evidence.data:
        for reading in item.readings:
            for quantity in _quantities(reading):
                known = (*design.quantities, *([] if design.response is None else [design.response.event]))
                if quantity not in known:
                    raise InputError(
                        f"the item `{item.name}` is of `{quantity}`, which the trial `{design.name}` does not read",
                        code="evidence.quantity",
                        where=item.where,
                        expected=listed(known),
                        advice=did_you_mean(quantity, known) or "let the trial's file read it",
                    )
            for day in _days(reading):
                if day not in design.days:
                    raise InputError(
                        f"the item `{item.name}` is of day {day:g}, on which the trial `{design.name}` had no visit",
                        code="evidence.visit",
                        where=item.where,
                        expected=", ".join(f"{visit.day:g} ({visit.name})" for visit in design.visits),
                    )
        _check_arm(item, design, arms)


def _check_arm(item: Item, design: TrialDesign, arms: list[str]) -> None:
    if item.arm is not None and item.arm not in arms:
        raise not_among(
            f"the trial `{design.name}` has no arm `{item.arm}`", item.arm, arms, code="evidence.arm", where=item.where
        )
    latest = max(day for reading in item.readings for day in _days(reading))
    if item.arm is None and len(arms) > 1 and latest > 0.0:
        raise InputError(
            f"the item `{item.name}` does not say of which arm it is",
            code="evidence.arm",
            where=item.where,
            expected="`arm`: " + listed(arms),
            advice="only what was seen on day 0, before treatment, may be of all arms together",
        )


def _quantities(reading: Reading) -> Iterator[str]:
    yield reading.subject.quantity
    partner = getattr(reading.statement, "partner", None)
    if partner is not None:
        yield partner


def _days(reading: Reading) -> tuple[float, ...]:
    since = reading.subject.since
    return reading.subject.days if since is None else (since, *reading.subject.days)
