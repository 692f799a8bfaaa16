"""Rules of several arms as those of one batch, each for the members of its arm alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulate.solver.problem import Schedule, StopKind
from simulate.solver.rules import Adaptive, with_stops

if TYPE_CHECKING:
    from simulate.cohort.ensemble import Arm

_UNREACHABLE = 1e300
"""Beyond every quantity."""


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
