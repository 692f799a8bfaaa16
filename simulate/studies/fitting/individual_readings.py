"""Readings of virtual patients at the times of a real patient, solved for many points at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.cohort.draws import cohort_of
from simulate.cohort.ensemble import from_before, outputs_of, schedule_of
from simulate.cohort.transform import coordinates, transform
from simulate.kernels.of_model import kernel_of, unless_stiff
from simulate.regimen.steady import needs_kinetics
from simulate.regimen.stops import compile_schedule
from simulate.solver.automatic import solve_automatically
from simulate.solver.kernel import IntArray
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import FloatArray
from simulate.studies.fitting.individual import IndividualProblem, RealPatient

BoolArray = npt.NDArray[np.bool_]

FINE = Tolerance(1e-6)
"""Tolerance of fits to individual data, whose readings may err by a few percent."""

_EDGE = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class VirtualReadings:
    """The quantities that were read in a real patient, in virtual patients."""

    values: FloatArray  #: Shape [point, place, observation]; NaN for those who do not exist or could not be solved
    #: Who has a steady baseline; and who has one but could not be solved; shape [point, place].
    exists: BoolArray
    unsolved: BoolArray


def names_of(problem: IndividualProblem, patient: RealPatient) -> tuple[str, ...]:
    """Names of the numbers in which virtual patients of a real one differ; known covariates are not among them."""
    return tuple(name for name in coordinates(problem.population) if name not in patient.given)


def predict(
    problem: IndividualProblem,
    patient: RealPatient,
    points: FloatArray,
    uniforms: Mapping[str, FloatArray],
    kinds: IntArray,
    *,
    tolerance: Tolerance = FINE,
    threads: int | None = None,
) -> VirtualReadings:
    """The quantities of virtual patients on the days of a real one, treated as that one."""
    shape = kinds.shape
    schedule, values = _members(problem, patient, points, uniforms, kinds)
    trajectories = from_before(
        solve_automatically(
            kernel_of(problem.model),
            values,
            schedule,
            outputs_of(patient.times),
            tolerance=tolerance,
            choice=unless_stiff(problem.model),
            threads=threads,
        )
    )
    found = np.empty((len(values), len(patient.values)))
    for number, part in enumerate(problem.readings):
        mine = np.flatnonzero(patient.readings == number)
        if len(mine):
            found[:, mine] = trajectories.quantity(part.quantity)[:, patient.columns[mine]]
    status = trajectories.status.reshape(shape)
    exists = status != Status.INFEASIBLE
    return VirtualReadings(found.reshape(*shape, -1), exists, exists & (status != Status.OK))


def _members(
    problem: IndividualProblem,
    patient: RealPatient,
    points: FloatArray,
    uniforms: Mapping[str, FloatArray],
    kinds: IntArray,
) -> tuple[Schedule, FloatArray]:
    """Stops and parameters of virtual patients, point by point."""
    population, model = problem.population, problem.model
    size, each = kinds.size, kinds.shape[1]
    at = {name: np.clip(column.ravel(), _EDGE, 1.0 - _EDGE) for name, column in uniforms.items()}
    # The place of what is known is not looked at.
    at |= {name: np.full(size, 0.5) for name in patient.given}
    given = {name: np.full(size, value) for name, value in patient.given.items()}
    changes = problem.changes(np.repeat(points, each, axis=0))
    made = transform(population, at, kinds.ravel(), changes=changes, given=given, names=population.names)
    columns = [made.get(part.name, part.value) for part in model.parameters]
    values = np.stack([np.broadcast_to(np.asarray(column, dtype=np.float64), size) for column in columns], axis=1)
    end = float(patient.times[-1])
    if needs_kinetics(patient.arm.plan, model.routes):
        people = np.stack([made[name] for name in population.names], axis=1)
        cohort = cohort_of(population, people, kinds.ravel(), seed=0)
        return schedule_of(model, [patient.arm], cohort, end), values
    one = compile_schedule([patient.arm.plan], model.routes, horizon=end)
    return one.of(np.zeros(size, dtype=np.int64)), values
