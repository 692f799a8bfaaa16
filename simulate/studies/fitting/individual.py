"""Individual data as something to be fitted: a model, a population, what is free, and who was observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from simulate.cohort.arms import Arm
from simulate.cohort.draws import check_given
from simulate.cohort.points import POINTS
from simulate.cohort.population import Population
from simulate.cohort.transform import SCHEME, Changes, coordinates
from simulate.errors import InputError, Where, did_you_mean, listed
from simulate.files import content_hash
from simulate.regimen.observed import ObservedRow
from simulate.regimen.timetable import routes_given
from simulate.shipped import DEFAULT_HYPOTHESIS
from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray
from simulate.studies.fitting.priors import Free, Role, free_numbers, of_populations
from simulate.studies.fitting.problem import study_patients
from simulate.studies.fitting.simulated_trial import changes_of
from simulate.studies.models import (
    assumed_of,
    find_model,
    hypothesis_label,
    hypothesis_parts,
    key_with,
    listing,
    no_quantity,
    population_for,
    quantity_units,
)
from simulate.studies.observed import begins_of, times_before
from simulate.studies.table_patients import columns_of
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Parameter, Route
from simulate.symbolic.units import Unit, convert
from simulate.trials.individual import MODE, PRIOR, FreeParameter, IndividualData, ReadingOf

MOST_PLACES = 8
"""Numbers in which patients differ up to which virtual patients stand about the mode of a patient, if nothing is said:
to find it takes a solution more for each of them, several times."""


@dataclass(frozen=True, slots=True, eq=False)
class RealPatient:
    """A patient who was observed."""

    name: str  #: ID
    arm: Arm  #: Own doses
    #: Days that are recorded, ascending; one at which a dose is given stands there twice, before and after it.
    times: FloatArray
    #: Of each observation: its place in ``times``, which of the problem's readings it is, the value in the unit of the
    #: quantity, and whether what was to be read is below it; shape [observation].
    columns: IntArray
    readings: IntArray
    values: FloatArray
    below: npt.NDArray[np.bool_]
    given: Mapping[str, float]  #: Covariates
    rows: tuple[ObservedRow, ...]  #: Observations as the table has them


@dataclass(frozen=True, slots=True, eq=False)
class IndividualProblem:
    """A model and the patients to whose readings it is fitted."""

    hypothesis: str  #: As the user named it
    #: What is simulated, and its patients before anything is changed.
    model: Model
    population: Population
    free: tuple[Free, ...]  #: What a point says, coordinate by coordinate
    name: str  #: Name of the data
    #: What was read, and who was observed; nothing and nobody where only populations are asked for.
    readings: tuple[ReadingOf, ...] = ()
    patients: tuple[RealPatient, ...] = ()
    average: str = PRIOR  #: `PRIOR` or `MODE`
    options: ClassVar[tuple[str, ...]] = ()  #: Options of the reference model that the data need

    @property
    def label(self) -> str:
        """The hypothesis as it is shown: of a file by its name."""
        return hypothesis_label(self.hypothesis, self.model)

    @property
    def dimension(self) -> int:
        return len(self.free)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Routes by which patients are given something."""
        return routes_given([patient.arm.plan for patient in self.patients], self.model.routes)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions about those routes, in sentences."""
        return assumed_of(self.routes)

    @property
    def model_key(self) -> str:
        """Content hash of the model with no other routes than those."""
        return key_with(self.model, self.routes, self.model.observables)

    @property
    def key(self) -> str:
        """Content hash of everything that decides a likelihood, but for the engine."""
        return content_hash(
            "individual 1",
            self.model_key,
            repr(self.population),
            repr(self.free),
            repr([(part.quantity, part.noises) for part in self.readings]),
            repr([_meaning(patient) for patient in self.patients]),
            repr((self.average, POINTS, SCHEME)),
        )

    def changes(self, points: FloatArray) -> Changes:
        """In what the populations of points differ, points of shape [..., coordinate]; arrays of shape [...]."""
        return changes_of(self.population, self.free, points, {})

    def noises(self, points: FloatArray) -> list[dict[str, FloatArray]]:
        """Size of the noise of each reading by kind, in the unit of the quantity, shape [point]."""
        free = {part.targets: column for column, part in enumerate(self.free) if part.role is Role.NOISE}
        found = []
        for part in self.readings:
            own = {}
            for kind, row in part.noises:
                column = free.get((part.quantity, kind))
                size = (
                    np.full(len(points), row.value) if column is None else self.free[column].values(points[:, column])
                )
                own[kind] = size
            found.append(own)
        return found


def _meaning(patient: RealPatient) -> tuple[object, ...]:
    numbers = (patient.times, patient.columns, patient.readings, patient.values, patient.below)
    return (patient.name, patient.arm.plan, *(array.tolist() for array in numbers), sorted(patient.given.items()))


def individual_problem(data: IndividualData, hypothesis: str | None = None) -> IndividualProblem:
    """The problem of fitting a model to individual data."""
    is_own = data.model is not None
    label = hypothesis or data.hypothesis or ("none" if is_own else DEFAULT_HYPOTHESIS)
    model = find_model(data.model, hypothesis_parts(label))
    population = population_for(model, data.population, is_shipped=not is_own)
    if not is_own:
        population = study_patients(population)
    units = quantity_units(model)
    with listing(data.model, hypothesis_parts(label)):
        readings = tuple(_reading(part, model, units) for part in data.readings)
    free = (*_free(data, model, population), *_free_noises(readings, units))
    if not free:
        raise InputError(
            "nothing is free in the fit",
            code="data.free",
            where=Where(file=data.file),
            expected="`[free.PARAMETER]` in the data file, or a noise with bounds",
            advice="such as `[free.CL]` with `typical = [0.5, 10]` and `spread = [0.1, 1]`",
        )
    patients = _patients(data, readings, model, population, units)
    return IndividualProblem(
        label, model, population, free, data.name, readings, patients, _average(data, model, population)
    )


def _reading(part: ReadingOf, model: Model, units: Mapping[str, Unit]) -> ReadingOf:
    """The reading with its noise in the unit of the quantity."""
    if part.quantity not in units:
        found = f"hypothesis {model.hypothesis}"
        what = f"the model has no quantity `{part.quantity}`"
        raise no_quantity(what, part.quantity, units, code="data.quantity", where=part.where, found=found)
    factor = _factor(part, units)
    noises = tuple((kind, _scaled(row, factor) if kind == "additive" else row) for kind, row in part.noises)
    return replace(part, noises=noises)


def _factor(part: ReadingOf, units: Mapping[str, Unit]) -> float:
    """What a reading is multiplied by to be in the unit of its quantity."""
    own = units[part.quantity]
    if part.unit is None or part.unit == own:
        return 1.0
    try:
        return convert(1.0, part.unit, own)
    except InputError as error:
        error.where = error.where or part.where
        raise


def _scaled(row: Parameter, factor: float) -> Parameter:
    bounds = None if row.bounds is None else (row.bounds[0] * factor, row.bounds[1] * factor)
    return replace(row, value=row.value * factor, bounds=bounds)


def _free(data: IndividualData, model: Model, population: Population) -> tuple[Free, ...]:
    """Typical values and spreads that are free."""
    if data.free is None:
        if data.model is not None:
            return ()
        return tuple(of_populations(free_numbers(model, find_model(None, ())), population).values())
    rows = {part.name: part for part in population.parameters}
    return tuple(part for row in data.free for part in _of_parameter(row, rows))


def _of_parameter(row: FreeParameter, rows: Mapping[str, Parameter]) -> list[Free]:
    if row.name not in rows:
        raise InputError(
            f"the model has no parameter `{row.name}`",
            code="data.free",
            where=row.where,
            advice=did_you_mean(row.name, rows),
        )
    own, found = rows[row.name], []
    if row.typical is not None:
        _check_middle(own.value, row.typical, "value", row)
        found.append(
            Free(row.name, own.meaning, own.unit.text, Role.TYPICAL, (row.name,), own.value, *row.typical, 1.0)
        )
    if row.spread is not None:
        if own.spread is None or own.spread.sd_log == 0.0:
            raise InputError(
                f"patients do not differ in `{row.name}`",
                code="data.free",
                where=row.where,
                expected="a parameter with a spread in the model",
                advice="give its row one, `spread = { sd_log = 0.3 }`, where the fit begins",
            )
        _check_middle(own.spread.sd_log, row.spread, "spread", row)
        meaning = f"spread of {row.name} between patients, standard deviation of the logarithm"
        found.append(
            Free(f"spread_{row.name}", meaning, "1", Role.SD, (row.name,), own.spread.sd_log, *row.spread, 1.0)
        )
    return found


def _check_middle(value: float, limits: tuple[float, float], what: str, row: FreeParameter) -> None:
    if not limits[0] < value < limits[1]:
        raise InputError(
            f"the {what} of `{row.name}` in the model is not within what is believed of it",
            code="data.free",
            where=row.where,
            found=f"{value:g}",
            expected=f"a number between {limits[0]:g} and {limits[1]:g}: it is the median of the prior",
        )


def _free_noises(readings: Sequence[ReadingOf], units: Mapping[str, Unit]) -> list[Free]:
    meanings = {
        "additive": "standard deviation of a reading",
        "proportional": "standard deviation of a reading as a share of it",
        "log": "standard deviation of the logarithm of a reading",
    }
    return [
        Free(
            f"{kind}_{part.quantity}", f"noise of {part.quantity}: {meanings[kind]}",
            units[part.quantity].text if kind == "additive" else "1", Role.NOISE,
            (part.quantity, kind), row.value, *row.bounds, 1.0,
        )
        for part in readings
        for kind, row in part.noises
        if row.bounds is not None
    ]  # fmt: skip


def _average(data: IndividualData, model: Model, population: Population) -> str:
    """Where virtual patients stand."""
    reason = None
    if len(population.strata) > 1:
        reason = "the population has several kinds of patients"
    elif model.conditions:
        reason = "some patients of the model have no steady baseline"
    elif not coordinates(population):
        reason = "patients do not differ"
    if data.average == MODE and reason is not None:
        raise InputError(
            "virtual patients cannot stand about the mode of a patient",
            code="data.average",
            where=Where(file=data.file),
            found=reason,
            expected=f'`average = "{PRIOR}"`',
        )
    if data.average is not None:
        return data.average
    return MODE if reason is None and len(coordinates(population)) <= MOST_PLACES else PRIOR


def _patients(
    data: IndividualData,
    readings: Sequence[ReadingOf],
    model: Model,
    population: Population,
    units: Mapping[str, Unit],
) -> tuple[RealPatient, ...]:
    plans = data.table.doses.plans(model.routes)
    covariates = _covariates(data, population)
    by_dvid = {part.dvid: number for number, part in enumerate(readings)}
    rows: dict[str, list[ObservedRow]] = {name: [] for name in plans}
    for row in data.table.observations:
        rows[row.patient].append(row)
    found = []
    for name, own in rows.items():
        kinds = np.array([by_dvid[None] if None in by_dvid else by_dvid[row.what] for row in own], dtype=np.int64)
        values = np.array([_value(row, readings[kind], units) for row, kind in zip(own, kinds.tolist(), strict=True)])
        days = np.array([float(row.time) for row in own])
        times, columns = times_before(days, begins_of(plans[name], model, float(days.max())))
        given = {covariate: column[name] for covariate, column in covariates.items() if name in column}
        found.append(
            RealPatient(
                name=name,
                arm=Arm(name, plans[name]),
                times=times,
                columns=columns,
                readings=kinds,
                values=values,
                below=np.array([row.is_below for row in own]),
                given=given,
                rows=tuple(own),
            )
        )
    return tuple(found)


def _value(row: ObservedRow, part: ReadingOf, units: Mapping[str, Unit]) -> float:
    value = row.in_unit(part.quantity, units[part.quantity], part.unit, part.where)
    if part.is_log and not value > 0.0:
        raise row.cell.error(
            f"a reading of `{part.quantity}` with log-normal noise is not above 0",
            "data.value",
            expected="a number above 0",
            advice="CENS 1 with the limit of the assay in DV says that it is below that; or another kind of noise",
        )
    return value


def _covariates(data: IndividualData, population: Population) -> dict[str, Mapping[str, float]]:
    """Covariates of patients, by name and ID."""
    names = {column: part.name for part in population.covariates for column in columns_of(part)}
    found = {}
    for column, values in data.table.doses.covariates.items():
        if column not in names:
            raise InputError(
                f"the population has no covariate for the column `{column}`",
                code="data.covariate",
                where=Where(data.table.doses.file, 1),
                expected=listed(names) or "none: the population has no covariates",
                advice=f'a `population` with covariates under `[model]`, or `ignore = ["{column}"]`',
            )
        check_given(population, {names[column]: np.array([*values.values()])}, len(values))
        found[names[column]] = values
    return found
