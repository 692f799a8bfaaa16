"""What was observed in the patients of dose tables, beside what is simulated of the same patients at the same times.

Each member of a cohort stands for a patient of the table (`simulate.studies.table_patients`), in every draw of a fit. A
reading at the time of a dose is of the state before it.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulate.cohort.ensemble import Ensemble
from simulate.errors import counted, did_you_mean
from simulate.regimen.doses import Plan
from simulate.regimen.stops import realize
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.trajectories import Status
from simulate.studies.models import QUANTITIES, quantity_units
from simulate.studies.treatments import Tabled, Treatment, reading_of
from simulate.symbolic.model import Model
from simulate.symbolic.units import Unit

if TYPE_CHECKING:
    from simulate.regimen.observed import ObservedRow


@dataclass(frozen=True, slots=True)
class PatientReading:
    """What was read of a patient: the place of the arm, the day, and the value in the unit of the quantity.

    ``is_below`` says that what was to be read is below the value.
    """

    arm: int
    patient: str
    day: float
    quantity: str
    value: float
    is_below: bool


@dataclass(frozen=True, slots=True)
class PatientReadings:
    """What was read of the patients of a scenario, and how many values were left out for which reason.

    ``units`` has the unit in which readings of each quantity are compared, and whether those of all of them are told.
    """

    compared: tuple[PatientReading, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    units: tuple[tuple[str, str, bool], ...] = ()

    @property
    def quantities(self) -> tuple[str, ...]:
        """What was read, in the order of the tables."""
        return tuple(dict.fromkeys(reading.quantity for reading in self.compared))

    @property
    def sentences(self) -> tuple[str, ...]:
        """How many values are compared, of how many patients, and how many are left out and why."""
        patients = len({(reading.arm, reading.patient) for reading in self.compared})
        people = counted(patients, "patient")
        quantities = ", ".join(
            f"{name} in {text}" if is_told else f"{name}, taken to be in {text}" for name, text, is_told in self.units
        )
        compared = f"{_values(len(self.compared))} of {people} ({quantities})"
        return (
            *([f"{compared} beside what is simulated of them"] if self.compared else []),
            *(f"{_values(count)} left out: {reason}" for reason, count in self.left_out),
        )


@dataclass(frozen=True, slots=True)
class ObservedValue:
    """A reading beside what was simulated of the same patient at the same time."""

    #: Who, under which treatment, when, and what.
    patient_id: str
    arm: str
    day: float
    quantity: str
    unit: str
    #: The reading, and whether what was to be read is below it.
    observed: float
    below: bool
    #: Median and range of the members who stand for the patient, those of all draws; the range is None for one member.
    simulated: float | None
    p5: float | None
    p95: float | None
    #: Observed over simulated, and less it; None where nothing can be said.
    ratio: float | None
    difference: float | None


def readings_of(
    treatments: Sequence[Treatment], model: Model, *, end: float, members: Sequence[int]
) -> PatientReadings:
    """Readings of the tables of some arms that can be compared with a simulation."""
    units = quantity_units(model)
    compared: list[PatientReading] = []
    untold: set[str] = set()
    left_out: Counter[str] = Counter()
    for place, treatment in enumerate(treatments):
        if not isinstance(treatment.plan, Tabled):
            continue
        patients = treatment.plan.patients
        present = {patients[member % len(patients)] for member in members[: len(patients)]}
        for row in treatment.plan.observed:
            reading = _compared(row, treatment.plan, model, units)
            if reading is None:
                what = f"what DVID `{row.what}` is" if row.what else "of what quantity"
                left_out[f"nothing says {what}"] += 1
            elif row.patient not in patients:
                left_out[f"of other patients than `{treatment.plan.patient}`"] += 1
            elif row.patient not in present:
                left_out["of patients who are not simulated"] += 1
            elif float(row.time) > end:
                left_out[f"after day {end:g}, the end of the simulation"] += 1
            else:
                quantity, value, is_told = reading
                untold |= set() if is_told else {quantity}
                compared.append(PatientReading(place, row.patient, float(row.time), quantity, value, row.is_below))
    names = dict.fromkeys(reading.quantity for reading in compared)
    told = tuple((name, units[name].text, name not in untold) for name in names)
    return PatientReadings(tuple(compared), tuple(left_out.items()), told)


def _compared(row: ObservedRow, tabled: Tabled, model: Model, units: dict[str, Unit]) -> tuple[str, float, bool] | None:
    """Quantity that was read, the value in its unit, whether that was told; None if nothing says what was read."""
    part = reading_of(row.what, tabled.readings)
    if part is None:
        return None
    name = part if isinstance(part, str) else part.quantity
    if name not in units:
        fault = row.what_cell.error(
            f"the model has no quantity `{name}`",
            "table.quantity",
            found=f"hypothesis {model.hypothesis}",
            expected="a state or an observable",
            advice=did_you_mean(name, units)
            or "say in the scenario which DVIDs are quantities, and the others are left out: "
            '`observed = { ck = { dvid = "CK" } }`',
        )
        if not isinstance(part, str):
            fault.where = part.where
            fault.advice = did_you_mean(name, units) or QUANTITIES
        raise fault
    told, where = (None, None) if isinstance(part, str) else (part.unit, part.where)
    return name, row.in_unit(name, units[name], told, where), (told or row.unit) is not None


def times_of_readings(readings: Sequence[PatientReading], treatments: Sequence[Treatment], model: Model) -> FloatArray:
    """Days of readings, ascending, those on which a dose begins or a reset happens twice: before it and after it."""
    days = sorted({reading.day for reading in readings})
    if not days:
        return np.empty(0)
    begins: set[float] = set()
    for treatment in treatments:
        if isinstance(treatment.plan, Tabled) and treatment.plan.observed:
            for plan in dict.fromkeys(treatment.plan.plans(model)):
                begins |= begins_of(plan, model, days[-1])
    return times_before(np.array(days), begins)[0]


def begins_of(plan: Plan, model: Model, end: float) -> set[float]:
    """When doses begin to enter and patients are reset, days."""
    regimen = realize(plan, model.routes, horizon=end)
    return {float(dose.time + dose.lag) for dose in regimen.doses} | {float(day) for day in regimen.resets}


def times_before(days: FloatArray, begins: set[float]) -> tuple[FloatArray, IntArray]:
    """Times to be recorded, and the place of each day: before what happens on it."""
    times: list[float] = []
    place: dict[float, int] = {}
    for day in np.unique(days).tolist():
        place[day] = len(times)
        times += [day, day] if day > 0.0 and day in begins else [day]
    return np.array(times), np.array([place[day] for day in days.tolist()], dtype=np.int64)


def observed_values(
    readings: Sequence[PatientReading], treatments: Sequence[Treatment], model: Model, ensemble: Ensemble
) -> tuple[ObservedValue, ...]:
    """PatientReadings beside what was simulated; the ensemble was recorded at their times."""
    units = quantity_units(model)
    times = ensemble.trajectories.times
    courses = {name: ensemble.quantity(name) for name in dict.fromkeys(reading.quantity for reading in readings)}
    found = []
    for reading in readings:
        treatment = treatments[reading.arm]
        assert isinstance(treatment.plan, Tabled)
        patients = treatment.plan.patients
        own = np.asarray(ensemble.cohort.ids) % len(patients) == patients.index(reading.patient)
        own &= ensemble.status[reading.arm] == Status.OK
        values = courses[reading.quantity][reading.arm, own, int(np.searchsorted(times, reading.day))]
        values = values[np.isfinite(values)]
        low, middle, high = (
            (float(value) for value in np.quantile(values, (0.05, 0.5, 0.95))) if len(values) else (None,) * 3
        )
        is_one = len(values) < 2
        found.append(
            ObservedValue(
                patient_id=reading.patient,
                arm=treatment.name,
                day=reading.day,
                quantity=reading.quantity,
                unit=units[reading.quantity].text,
                observed=reading.value,
                below=reading.is_below,
                simulated=middle,
                p5=None if is_one else low,
                p95=None if is_one else high,
                ratio=None if not middle else reading.value / middle,
                difference=None if middle is None else reading.value - middle,
            )
        )
    return tuple(found)


FAR = 30.0
"""Ratio of observed and simulated values, as a median, beyond which another unit is the likeliest reason."""


def far_apart(rows: Sequence[ObservedValue]) -> tuple[str, ...]:
    """What is said of quantities whose observed values are beyond all that the model may be wrong by."""
    found = []
    for quantity in dict.fromkeys(row.quantity for row in rows):
        own = [row for row in rows if row.quantity == quantity and row.ratio is not None and not row.below]
        middle = statistics.median(row.ratio for row in own if row.ratio is not None) if own else 1.0
        if 1.0 / FAR <= middle <= FAR:
            continue
        unit = own[0].unit
        how = f"{middle:.2g} times" if middle > 0.0 else "not above zero, and not"
        found.append(
            f"observed values of {quantity} are {how} what is simulated (median of {len(own)}): are they in {unit}? A "
            f'column UNIT says in which unit readings are, or `observed = {{ {quantity} = {{ unit = "..." }} }}` in '
            "the scenario"
        )
    return tuple(found)


def patient_ids(treatments: Sequence[Treatment], members: Sequence[int]) -> tuple[str, ...]:
    """IDs of members in the tables of doses; none where no table has several patients, or tables differ in theirs."""
    tables = {treatment.plan.patients for treatment in treatments if isinstance(treatment.plan, Tabled)}
    if len(tables) != 1:
        return ()
    (patients,) = tables
    return tuple(patients[member % len(patients)] for member in members)


def _values(count: int) -> str:
    return counted(count, "observed value")
