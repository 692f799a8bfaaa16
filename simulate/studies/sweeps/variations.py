"""Variations: an arm of a scenario with other doses, intervals, regimens or parameters; and values of covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from simulate.cohort.draws import check_given
from simulate.errors import InputError, did_you_mean, relocated
from simulate.regimen.doses import Course, exact
from simulate.regimen.doses import Plan as Prescription
from simulate.regimen.words import parse_regimen
from simulate.regimen.writing import print_regimen
from simulate.studies.models import PARAMETERS
from simulate.studies.runs import Study
from simulate.studies.sweeps.axes import DOSE, INTERVAL, REGIMEN, Axis
from simulate.studies.sweeps.designs import Value
from simulate.studies.treatments import Override, Tabled, Treatment
from simulate.symbolic.parts import Parameter
from simulate.symbolic.units import convert, unit


def kind_of(axis: Axis, study: Study) -> str:
    """The kind of an axis: the regimen by one of its own names, a parameter, or a covariate."""
    if axis.name in (REGIMEN, DOSE, INTERVAL):
        return axis.name
    covariates = [covariate.name for covariate in study.population.covariates]
    if axis.name in covariates:
        return "covariate"
    parameters = [parameter.name for parameter in study.model.parameters]
    if axis.name not in parameters:
        known = (REGIMEN, DOSE, INTERVAL, *parameters, *covariates)
        raise InputError(
            f"there is nothing with the name `{axis.name}` to vary",
            code="sweep.unknown",
            where=axis.where_name or axis.where,
            expected="`dose`, `interval`, `regimen`, a parameter, or a covariate of the population",
            advice=did_you_mean(axis.name, known) or PARAMETERS,
        )
    return "parameter"


def labels_of(axis: Axis, study: Study) -> dict[str, str]:
    """Unit and meaning of what an axis varies, where they are known: attributes of its coordinate."""
    parts = (*study.model.parameters, *study.population.covariates)
    part = next((part for part in parts if part.name == axis.name), None)
    if axis.name == REGIMEN:
        return {}
    if part is not None:
        own, meaning = part.unit.text, part.meaning
    elif axis.name == DOSE:
        units = {course.unit for arm in study.arms for course in arm.plan.courses}
        own, meaning = units.pop() if len(units) == 1 else "", "amount of a dose"
    else:
        own, meaning = "h", "interval between doses"
    return {"units": own if axis.unit is None else axis.unit.text, "long_name": meaning}


def varied(
    treatment: Treatment,
    named: Sequence[tuple[Axis, Value]],
    kinds: Mapping[str, str],
    units: Mapping[str, str],
    *,
    several: bool,
) -> Treatment:
    """An arm of the scenario at a point of the design."""
    overrides = list(treatment.overrides)
    # A regimen first, whatever the order of the axes: a dose is then that of the regimen.
    for axis, value in sorted(named, key=lambda pair: pair[0].name != REGIMEN):
        kind = kinds[axis.name]
        if kind == "parameter":
            overrides.append(Override(axis.name, float(value), axis.unit, axis.where))
        elif kind != "covariate":
            treatment = _prescribed(treatment, axis, value)
    shown = ", ".join(
        value
        if isinstance(value, str)
        else f"{axis.name} {value:.6g} {'' if units[axis.name] == '1' else units[axis.name]}".rstrip()
        for axis, value in named
    )
    return replace(treatment, name=f"{treatment.name}: {shown}" if several else shown, overrides=tuple(overrides))


def _prescribed(treatment: Treatment, axis: Axis, value: Value) -> Treatment:
    """An arm with another regimen, other doses or other intervals."""
    if isinstance(value, str):
        try:
            return replace(treatment, regimen=value, plan=parse_regimen(value), where=axis.where)
        except InputError as error:
            raise relocated(error, axis.where, value) from None
    if isinstance(treatment.plan, Tabled):
        raise InputError(
            f"the doses of the arm `{treatment.name}` are in a table",
            code="sweep.axis",
            where=axis.where,
            advice="vary parameters or covariates, or choose other arms with --arm",
        )
    change = _dosed if axis.name == DOSE else _timed
    try:
        courses = change(treatment, treatment.plan, axis, value)
    except InputError as error:
        if error.code.startswith(("sweep.", "units.")):
            raise
        raise relocated(error, axis.where, treatment.regimen) from None
    plan = replace(treatment.plan, courses=courses)
    return replace(treatment, plan=plan, regimen=print_regimen(plan), where=axis.where)


def _dosed(treatment: Treatment, plan: Prescription, axis: Axis, value: float) -> tuple[Course, ...]:
    """Courses with another amount: all of them, if they are alike."""
    amounts = {(course.amount, course.unit, course.route) for course in plan.courses}
    if len(amounts) != 1:
        raise InputError(
            f"the arm `{treatment.name}` has " + ("no doses" if not amounts else "doses that differ"),
            code="sweep.axis",
            where=axis.where,
            found=treatment.regimen,
            expected="doses of one amount",
            advice="choose other arms with --arm" + (", or list regimens: `regimen=A | B`" if amounts else ""),
        )
    return tuple(_of_amount(treatment, course, axis, value) for course in plan.courses)


def _of_amount(treatment: Treatment, course: Course, axis: Axis, value: float) -> Course:
    """A course with another amount; an infusion whose rate is set keeps it, and takes as long as it must."""
    own = unit(course.unit)
    new = own if axis.unit is None else axis.unit
    found = replace(course, amount=exact(value), unit=course.unit if axis.unit is None else new.text)
    if not course.rated or new.dimension != own.dimension:
        return found
    if not value:
        # Nothing at a rate cannot be written.
        return replace(found, duration=Fraction(0), rated=False)
    if not course.duration:
        raise InputError(
            f"the arm `{treatment.name}` has infusions of nothing, whose rate is not kept",
            code="sweep.axis",
            where=axis.where,
            found=treatment.regimen,
            advice="give the arm an amount above 0",
        )
    return replace(found, duration=course.duration * (found.amount * new.factor) / (course.amount * own.factor))


def _timed(treatment: Treatment, plan: Prescription, axis: Axis, value: float) -> tuple[Course, ...]:
    """Courses with another interval: those that repeat, if they do so alike."""
    intervals = {course.every for course in plan.courses if course.every is not None}
    if len(intervals) != 1:
        raise InputError(
            f"the arm `{treatment.name}` has " + ("no interval" if not intervals else "intervals that differ"),
            code="sweep.axis",
            where=axis.where,
            found=treatment.regimen,
            expected="doses at one interval",
            advice="choose other arms with --arm, or list regimens: `regimen=A | B`",
        )
    given = unit("h") if axis.unit is None else axis.unit
    if given.dimension != unit("h").dimension:
        raise InputError(
            f"an interval cannot be given in {given.text}",
            code="units.mismatch",
            where=axis.where,
            expected="a unit of time such as h",
        )
    every = exact(value) * given.factor
    courses: list[Course] = []
    for course, before in zip(plan.courses, (None, *plan.courses), strict=False):
        # What was written keeps its meaning: a time, a number of doses, a length, a start where the course before ends.
        start = course.start
        if course.follows and before is not None and before.until == course.start and courses[-1].until is not None:
            start = courses[-1].until
        elif course.follows and before is not None and before.every is None and before.until is None:
            start = courses[-1].start + every
        until = course.until
        if until is not None and course.spans:
            until += start - course.start
        if course.every is not None and until is not None and course.counted and course.until is not None:
            until = start + (course.until - course.start) / course.every * every
        courses.append(replace(course, every=None if course.every is None else every, start=start, until=until))
    return tuple(courses)


def covariate_value(axis: Axis, value: Value, study: Study) -> float:
    """Value of a covariate in its unit, one that a patient can have."""
    covariate: Parameter = next(part for part in study.population.covariates if part.name == axis.name)
    number = float(value)
    if axis.unit is not None:
        if axis.unit.dimension != covariate.unit.dimension:
            raise InputError(
                f"the covariate `{axis.name}` cannot be given in {axis.unit.text}",
                code="units.mismatch",
                where=axis.where,
                expected=f"a unit such as {covariate.unit.text}",
            )
        number = convert(number, axis.unit, covariate.unit)
    try:
        check_given(study.population, {axis.name: np.array([number])}, 1)
    except InputError as error:
        error.where = axis.where
        raise
    return number
