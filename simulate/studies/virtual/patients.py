"""Plausible patients: one at each point of a cube, with what would be read of that patient.

The coordinates of the cube are, in this order, the numbers that a fit leaves free of the population, the uniform
numbers of a patient in that population, and the uniform numbers of the errors of the readings: a virtual population is
matched to readings, which have errors. Points that are uniform in the cube are patients of the prior.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simulate.cohort.draws import cohort_of
from simulate.cohort.transform import KIND, coordinates, kinds_of
from simulate.evidence.protocol import observe
from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray, uniforms
from simulate.studies.fitting.problem import Problem
from simulate.studies.fitting.simulated_trial import (
    changes_at,
    levels_of,
    parameters_of,
    protocol,
    sample_hours,
    simulate_people,
)
from simulate.trials.design import Outcome

_BATCH = 8192
"""Trajectories at a time: memory stays bounded."""


@dataclass(frozen=True, slots=True)
class PatientStatistic:
    """Logarithm of a reading, or its change."""

    #: What is read, and when.
    quantity: str
    day: float
    since: float | None = None  #: Visit from which the change counts; None for the reading itself

    @property
    def name(self) -> str:
        return self.quantity if self.since is None else f"change of {self.quantity}"


@dataclass(frozen=True, slots=True, eq=False)
class PlausiblePatients:
    """Plausible patients of a hypothesis: from points of the cube to what is read of the patients there."""

    problem: Problem  #: The model under a hypothesis, and what is free in it
    statistics: tuple[PatientStatistic, ...]  #: The first outputs
    threads: int | None = None  #: As for `simulate.solver.solve`; no result depends on it

    @property
    def patient(self) -> tuple[str, ...]:
        """Coordinates of a patient in a population, by name."""
        return (*coordinates(self.problem.population), *sample_hours(self.problem.trial), KIND)

    @property
    def changes(self) -> tuple[Outcome, ...]:
        """Changes that are carried along, after the statistics and the probability of a response."""
        return self.problem.trial.changes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates of the cube: of the population, of the patient in it, and of the readings."""
        free = (f"population: {part.name}" for part in self.problem.free)
        patient = (f"patient: {name}" for name in self.patient)
        return (*free, *patient, *(f"reading: {row.name} {row.day:g}" for row in self.statistics))

    @property
    def dimension(self) -> int:
        return len(self.names)

    def __call__(self, cube: FloatArray) -> FloatArray:
        """Outputs of patients, shape [patient, coordinate] → [patient, statistic and carried].

        A row is NaN where the baseline cannot be a steady state, or a reading has no logarithm.
        """
        parts = [self._outputs(cube[first : first + _BATCH]) for first in range(0, len(cube), _BATCH)]
        return np.concatenate(parts)

    def _outputs(self, cube: FloatArray) -> FloatArray:
        cohort = cohort_of(self.problem.population, self.parameters(cube), self.kinds(cube), seed=0)
        ensemble = simulate_people(self.problem, cohort, threads=self.threads)
        # Strata have here the shares of the cube, and no others.
        looked = dataclasses.replace(protocol(self.problem), sizes={})
        seen = observe(ensemble, looked, levels=levels_of(self.problem, ensemble, self._at(cube)))
        errors = ndtri(_inside(cube[:, -len(self.statistics) :]))
        found = np.empty((len(cube), len(self.statistics) + 1 + len(self.changes)))
        for column, statistic in enumerate(self.statistics):
            logs = seen.logarithm(statistic.quantity, statistic.day)[0]
            noise = float(seen.spread(statistic.quantity, statistic.day)[0, 0])
            if statistic.since is not None:
                logs = logs - seen.logarithm(statistic.quantity, statistic.since)[0]
                noise = math.hypot(noise, float(seen.spread(statistic.quantity, statistic.since)[0, 0]))
            found[:, column] = logs + noise * errors[:, column]
        first = len(self.statistics)
        found[:, first] = seen.groups["responders"][0]
        for column, change in enumerate(self.changes, start=first + 1):
            last, before = (seen.logarithm(change.quantity, day)[0] for day in (change.last, change.first))
            found[:, column] = last - before
        found[~np.isfinite(found).all(axis=1)] = np.nan
        return found

    def parameters(self, cube: FloatArray) -> FloatArray:
        """Parameters of patients in the order and units of the population, shape [patient, parameter]."""
        changes = changes_at(self.problem, ndtri(_inside(cube[:, : self.problem.dimension])))
        return parameters_of(self.problem, self._at(cube), self.kinds(cube), changes)

    def _at(self, cube: FloatArray) -> dict[str, FloatArray]:
        first = self.problem.dimension
        return {name: _inside(cube[:, first + column]) for column, name in enumerate(self.patient)}

    def kinds(self, cube: FloatArray) -> IntArray:
        return kinds_of(self.problem.population, self._at(cube)[KIND])

    def noise(self, change: Outcome) -> float:
        """Standard deviation of the logarithm of the change of a reading that comes from reading alone."""
        spread, quantity = protocol(self.problem).noise, change.quantity
        at = [spread.get((quantity, day), spread.get(quantity)) for day in (change.first, change.last)]
        return math.hypot(*(0.0 if value is None else float(value) for value in at))


def _inside(uniform: FloatArray) -> FloatArray:
    """Numbers that are neither 0 nor 1."""
    return np.clip(uniform, 2.0**-53, 1.0 - 2.0**-53)


def evenly(names: Sequence[str], patients: int, seed: int) -> FloatArray:
    """Points spread at random in the cube, shape [patient, coordinate].

    A number depends on the seed, the patient and the name of the coordinate, and on nothing else.
    """
    members = np.arange(patients)
    return np.concatenate([uniforms(seed, f"plausible patients: {name}", members, 1) for name in names], axis=1)
