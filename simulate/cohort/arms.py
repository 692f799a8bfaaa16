"""Arms of a batch, and their rules, each of which applies to the members of its arm alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.cohort.transform import Distribution
from simulate.regimen.doses import Plan
from simulate.solver.problem import Schedule, StopKind
from simulate.solver.rules import Adaptive, Rule, with_stops

_UNREACHABLE = 1e300
"""Beyond every quantity."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A treatment: who is given what.

    Attributes
    ----------
    name
        What a reader sees.
    plan
        Prescription; where ``plans`` has several, the first of them.
    overrides
        What differs from the model, as (parameter, typical value in its unit), or a `Distribution` in place of the
        value.
    plans
        Prescriptions of patients who are treated each in their own way: member number ``m`` follows number
        ``m % len(plans)``. Empty where all follow ``plan``.
    rules, visits
        What changes a patient's doses when a quantity passes a threshold, which is a number, and days of visits for
        rules that look at these; who is simulated for a shorter time is not seen on later ones. Patients of another arm
        are not seen on them.
    """

    name: str
    plan: Plan
    overrides: tuple[tuple[str, float | Distribution], ...] = ()
    plans: tuple[Plan, ...] = ()
    rules: tuple[Rule, ...] = ()
    visits: tuple[float, ...] = ()

    @property
    def all_plans(self) -> tuple[Plan, ...]:
        """Every prescription of the arm; one where all patients follow the same."""
        return self.plans or (self.plan,)

    def plan_of(self, member: int) -> Plan:
        """Prescription of a member, by number."""
        return self.all_plans[member % len(self.all_plans)]


def rules_of_arms(arms: Sequence[Arm], members: int) -> Adaptive | None:
    """Rules of all arms; one of another arm has a threshold that nothing passes."""
    rules = []
    for index, arm in enumerate(arms):
        for rule in arm.rules:
            thresholds = np.full(len(arms) * members, _UNREACHABLE if rule.rising else -_UNREACHABLE)
            thresholds[index * members : (index + 1) * members] = rule.threshold
            rules.append(replace(rule, threshold=thresholds))
    if not rules:
        return None
    return Adaptive(tuple(rules))


def with_visits_of_arms(schedule: Schedule, arms: Sequence[Arm], members: int, horizon: float) -> Schedule:
    """A schedule with the visits of arms whose rules look at them: nobody else's steps end there."""
    for index, arm in enumerate(arms):
        days = sorted({day for day in arm.visits if day <= horizon})
        if days and any(rule.visits for rule in arm.rules):
            owners = np.repeat(np.arange(index * members, (index + 1) * members), len(days))
            _, schedule = with_stops(Adaptive(()), schedule, owners, np.tile(days, members), StopKind.VISIT)
    return schedule
