"""Printed values of the trial that may stand beside the arms of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from simulate.cohort.arms import Arm
from simulate.evidence.observations import Observation, Standing, comparable, read_observations
from simulate.regimen.doses import Course, Plan
from simulate.studies.runs import Study
from simulate.studies.visits import VISIT_WINDOW
from simulate.symbolic.units import unit
from simulate.trials.reading import shipped_trial


def observations_for(study: Study) -> Mapping[str, tuple[Observation, ...]]:
    """Reported values that may stand beside each arm of a study, by the name of the arm.

    Figures of the baseline stand beside all patients of the study's population; those of a later day beside arms that
    were treated as those of the source until then, within the window of a visit; and none beyond the end of the run.
    """
    if study.scenario.model is not None:
        return {arm.name: () for arm in study.arms}
    printed = comparable(read_observations(), population=study.scenario.population)
    end = float(study.times[-1]) + VISIT_WINDOW
    return {
        arm.name: tuple(
            item
            for item in printed
            if item.day <= end
            and (item.standing is Standing.HEALTHY or item.day == 0.0 or is_treated_so(arm, item.day))
        )
        for arm in study.arms
    }


def is_treated_so(arm: Arm, day: float) -> bool:
    """Whether all patients of an arm are treated until a day as those of the source were."""
    until = day - VISIT_WINDOW
    own = _given(shipped_trial().arms[0].plan, until)
    return not arm.rules and all(_given(plan, until) == own for plan in arm.all_plans)


def _given(plan: Plan, day: float) -> Plan:
    """What of a plan is given before a day, in one unit of doses."""
    found = plan.ended(day)
    return Plan(tuple(_plain(course, day) for course in found.courses), found.resets)


def _plain(course: Course, day: float) -> Course:
    own, mg = unit(course.unit), unit("mg")
    is_mass = own.dimension == mg.dimension
    return replace(
        course,
        amount=course.amount * own.factor / mg.factor if is_mass else course.amount,
        unit="mg" if is_mass else course.unit,
        interruptions=tuple(part for part in course.interruptions if part.start < day),
    )
