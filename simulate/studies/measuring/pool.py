"""Patients of all hypotheses, simulated once under every arm and on every day of a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.errors import InputError, NumericalError, did_you_mean
from simulate.evidence.trial_observations import EVERYONE
from simulate.inference.information import Statistic
from simulate.regimen.doses import Plan
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.problem import COARSE, REGRESSED
from simulate.studies.fitting.simulated_trial import cohort_at, weights_of_existing
from simulate.studies.measuring.catalogue import UNTREATED, Measurement, PlannedReading, Sample
from simulate.studies.models import quantity_units
from simulate.trials.design import TrialDesign

Key = tuple[str, str, float]
"""Arm, quantity and day."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasurementPool:
    """Simulated patients of one hypothesis."""

    draws: Draws  #: The hypothesis and its populations
    quantities: tuple[str, ...]  #: What its model has
    weights: FloatArray  #: Shares of the patients in their population, shape [draw, patient]
    levels: Mapping[Key, FloatArray]  #: Levels by arm, quantity and day, each of the same shape
    #: Probability of a response by arm, each of the same shape; none if the trial calls nobody a responder.
    responders: Mapping[str, FloatArray]


def needed(measurements: Sequence[Measurement], design: TrialDesign) -> dict[str, tuple[float, ...]]:
    """Days to be recorded by arm, ascending; the first and the last visit of the trial are among them."""
    days: dict[str, set[float]] = {}
    for measurement in measurements:
        for sample in measurement.samples:
            own = days.setdefault(sample.arm, {*design.ends})
            own |= {day for reading in sample.readings for day in reading.days}
    return {arm: tuple(sorted(found)) for arm, found in days.items()}


def pool_of(
    draws: Draws,
    measurements: Sequence[Measurement],
    *,
    patients: int,
    tolerance: Tolerance = COARSE,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> MeasurementPool:
    """Simulate the patients of one hypothesis; the tolerance suffices for means of readings that err by percents."""
    problem = draws.problem
    known = tuple(quantity_units(problem.model))
    wanted = _wanted(measurements, problem.hypothesis, known)
    cohort, of_kind = cohort_at(problem, draws.points, patients=patients, seed=draws.places)
    shape = (len(draws.points), patients)
    exists = np.ones(shape, dtype=np.bool_)
    levels: dict[Key, FloatArray] = {}
    responders: dict[str, FloatArray] = {}
    judged = problem.trial.response
    for name, days in needed(measurements, problem.trial).items():
        arm = Arm(name, _plan(problem.trial, name))
        ensemble = simulate_cohort(
            problem.model, (arm,), cohort, np.array(days), tolerance=tolerance, threads=threads, progress=progress
        )
        exists &= _exist(ensemble, problem.hypothesis).reshape(shape)
        if judged is not None:
            percent = ensemble.quantity(judged.quantity)[0][:, days.index(judged.day)]
            responders[name] = np.nan_to_num(percent / 100.0).reshape(shape)
        for quantity in wanted:
            read = f"{quantity}{REGRESSED}" if f"{quantity}{REGRESSED}" in known else quantity
            course = ensemble.quantity(read)[0]
            levels |= {(name, quantity, day): course[:, row].reshape(shape) for row, day in enumerate(days)}
    counts = np.array([stratum.count for stratum in problem.population.strata])
    shares = (counts / counts.sum() / np.bincount(of_kind, minlength=len(counts)))[of_kind]
    weights = weights_of_existing(exists, np.broadcast_to(shares, shape).copy(), of_kind)
    return MeasurementPool(draws, known, weights, levels, responders)


def _plan(design: TrialDesign, name: str) -> Plan:
    """What is given in an arm of a measurement, up to the end of the trial."""
    return Plan() if name == UNTREATED else design.arm(name).plan.ended(design.end)


def _wanted(measurements: Sequence[Measurement], hypothesis: str, known: Sequence[str]) -> tuple[str, ...]:
    """Quantities that are read and that the model has."""
    found: dict[str, None] = {}
    for measurement in measurements:
        for sample in measurement.samples:
            for reading in sample.readings:
                for quantity in (reading.quantity, *([] if reading.over is None else [reading.over])):
                    if quantity in known:
                        found[quantity] = None
                    elif not (reading.is_optional and quantity == reading.quantity):
                        raise InputError(
                            f"the model under `{hypothesis}` has no quantity `{quantity}`",
                            code="measurement.quantity",
                            where=reading.where,
                            expected='a state or an observable, or `without = "unchanged"`',
                            advice=did_you_mean(quantity, known),
                        )
    return tuple(found)


def _exist(ensemble: Ensemble, hypothesis: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    status = ensemble.status[0]
    for row in ensemble.failures:
        if row.failure.reason and status[row.patient] not in (Status.OK, Status.INFEASIBLE):
            raise NumericalError(
                f"a patient of `{hypothesis}` has no trajectory",
                code="measurement.failed",
                found=f"patient {row.patient}, arm `{row.arm}`: {row.failure.reason}",
                expected="a trajectory of everybody who can exist: what the others tell is of other populations",
                advice="another --seed, or fewer --draws",
            )
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = status == Status.OK
    return found


def statistic_of(
    measurement: Measurement, sample: Sample, pools: Sequence[MeasurementPool], *, scale: float = 1.0
) -> Statistic:
    """Mean readings of a sample, by the central limit of its patients."""
    found = [_moments(sample, pool) for pool in pools]
    n = max(1, round(sample.n * scale))
    number = measurement.samples.index(sample)
    mean, covariance = (np.stack([part[index] for part in found]) for index in (0, 1))
    return Statistic(f"{measurement.name} {number}", mean, covariance / n)


def _moments(sample: Sample, pool: MeasurementPool) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance of the readings of a patient, shapes [draw, reading] and [draw, reading, reading]."""
    weights = pool.weights
    if sample.group != EVERYONE:
        chance = pool.responders[sample.arm]
        weights = weights * (chance if sample.group == "responders" else 1.0 - chance)
    weights = weights / weights.sum(axis=1, keepdims=True)
    values = np.stack([_value(reading, sample.arm, pool) for reading in sample.readings], axis=2)
    values = np.where(weights[..., np.newaxis] > 0.0, values, 0.0)
    mean = np.einsum("kp,kpi->ki", weights, values)
    centered = values - mean[:, np.newaxis]
    covariance = np.einsum("kp,kpi,kpj->kij", weights, centered, centered)
    return mean, covariance + _noise(sample)


def _value(reading: PlannedReading, arm: str, pool: MeasurementPool) -> FloatArray:
    if reading.quantity not in pool.quantities:
        return np.zeros_like(pool.weights)
    value = _log(reading.quantity, reading.day, reading.limit, arm, pool)
    if reading.since is not None:
        value = value - _log(reading.quantity, reading.since, reading.limit, arm, pool)
    if reading.over is not None:
        value = value - _log(reading.over, reading.day, reading.limit, arm, pool)
    return value


def _log(quantity: str, day: float, limit: float, arm: str, pool: MeasurementPool) -> FloatArray:
    # Who cannot exist has no level and no weight.
    levels = np.nan_to_num(pool.levels[arm, quantity, day], nan=1.0)
    return np.log(np.maximum(levels, limit or 1e-9))


def _noise(sample: Sample) -> FloatArray:
    """Covariance of what is read wrongly; readings that share one share its error."""
    parts: dict[tuple[str, float], int] = {}
    rows = []
    for reading in sample.readings:
        row = {(reading.quantity, reading.day): reading.noise}
        if reading.since is not None:
            row[reading.quantity, reading.since] = -reading.noise
        if reading.over is not None:
            row[reading.over, reading.day] = -reading.noise
        for key in row:
            parts.setdefault(key, len(parts))
        rows.append(row)
    mixing = np.zeros((len(rows), len(parts)))
    for index, row in enumerate(rows):
        for key, noise in row.items():
            mixing[index, parts[key]] = noise
    return mixing @ mixing.T
