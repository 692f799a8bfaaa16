"""Plausible patients: one person at each point of a cube, with what would be read of that person.

A patient of a virtual population has parameters that are unlike those of the others in two ways, and one cube has both:
what a fit leaves free of the population, and where in that population the patient stands. Spread evenly in the cube,
patients are those of the priors. The last coordinates are the luck of the readings, since what was printed is readings.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from simulate.cohort.placed import Places, placed_singly
from simulate.cohort.population import blocks
from simulate.evidence.protocol import observe
from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray, normals
from simulate.studies.fitting.trial import (
    AFTER,
    BEFORE,
    Problem,
    levels_of,
    places_for,
    populations_at,
    protocol,
    simulate_people,
)

_BATCH = 8192
"""Trajectories at a time: memory stays bounded."""

_HOUR = "sample hour"

CHANGES = ("il17a", "ifng", "ck")
"""Quantities whose change is carried along, in this order, after the probability of a response."""

CARRIED = 1 + len(CHANGES)
"""Outputs that follow those of the statistics."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """Logarithm of a reading, or its change.

    Attributes
    ----------
    quantity, day
        What is read, and when.
    since
        Visit from which the change counts; None for the reading itself.
    """

    quantity: str
    day: float
    since: float | None = None

    @property
    def name(self) -> str:
        """As a reader sees it."""
        return self.quantity if self.since is None else f"change of {self.quantity}"


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """From points of the cube to what is read of the people there.

    Attributes
    ----------
    problem
        The model under a hypothesis, and what is free in it.
    statistics
        The first outputs.
    threads
        As for `simulate.solver.solve`; no result depends on it.
    """

    problem: Problem
    statistics: tuple[Statistic, ...]
    threads: int | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """What differs between the patients of one population, in the order of the places of a fit."""
        varying = {name for block in blocks(self.problem.population) for name in block} | {_HOUR}
        return tuple(name for name in places_for(self.problem, 64, 0).names if name in varying)

    @property
    def dimension(self) -> int:
        """Number of coordinates of the cube."""
        # One more for the kind of patient.
        return self.problem.dimension + len(self.places) + 1 + len(self.statistics)

    def __call__(self, cube: FloatArray) -> FloatArray:
        """Outputs of people, shape [person, coordinate] → [person, statistic and carried].

        A row is NaN where the baseline cannot be a steady state, or a reading has no logarithm.
        """
        parts = [self._outputs(cube[first : first + _BATCH]) for first in range(0, len(cube), _BATCH)]
        return np.concatenate(parts)

    def _outputs(self, cube: FloatArray) -> FloatArray:
        of_kind = self.kinds(cube)
        ensemble = simulate_people(self.problem, self.parameters(cube), of_kind, seed=0, threads=self.threads)
        # Strata have here the shares of the cube, and no others.
        looked = dataclasses.replace(protocol(self.problem), sizes={})
        seen = observe(ensemble, looked, levels=levels_of(self.problem, ensemble, self._at(cube).of(_HOUR)))
        luck = ndtri(_inside(cube[:, -len(self.statistics) :]))
        found = np.empty((len(cube), len(self.statistics) + CARRIED))
        for column, statistic in enumerate(self.statistics):
            logs = seen.logarithm(statistic.quantity, statistic.day)[0]
            noise = seen.spread(statistic.quantity, statistic.day)
            if statistic.since is not None:
                logs = logs - seen.logarithm(statistic.quantity, statistic.since)[0]
                noise = math.hypot(noise, seen.spread(statistic.quantity, statistic.since))
            found[:, column] = logs + noise * luck[:, column]
        first = len(self.statistics)
        found[:, first] = seen.groups["responders"][0]
        for column, quantity in enumerate(CHANGES, start=first + 1):
            found[:, column] = seen.logarithm(quantity, AFTER)[0] - seen.logarithm(quantity, BEFORE)[0]
        found[~np.isfinite(found).all(axis=1)] = np.nan
        return found

    def parameters(self, cube: FloatArray) -> FloatArray:
        """Parameters of people in the order and units of the population, shape [person, parameter]."""
        populations = populations_at(self.problem, ndtri(_inside(cube[:, : self.problem.dimension])))
        return placed_singly(populations, self._at(cube), self.kinds(cube))

    def _at(self, cube: FloatArray) -> Places:
        names, first = self.places, self.problem.dimension
        return Places(names, _inside(cube[:, first : first + len(names)]))

    def kinds(self, cube: FloatArray) -> IntArray:
        """Stratum of each person, shape [person]."""
        counts = np.array([stratum.count for stratum in self.problem.population.strata] or [1.0])
        at = cube[:, self.problem.dimension + len(self.places)]
        found = np.searchsorted(np.cumsum(counts) / counts.sum(), at, side="right")
        return np.minimum(found, len(counts) - 1).astype(np.int64)

    def noise(self, quantity: str) -> float:
        """Standard deviation of the logarithm of the change of a reading that comes from reading alone."""
        spread = protocol(self.problem).noise
        at = [spread.get((quantity, day), spread.get(quantity)) for day in (BEFORE, AFTER)]
        return math.hypot(*(0.0 if value is None else value for value in at))


def _inside(uniform: FloatArray) -> FloatArray:
    """Numbers that are neither 0 nor 1."""
    return np.clip(uniform, 2.0**-53, 1.0 - 2.0**-53)


def evenly(dimension: int, patients: int, seed: int) -> FloatArray:
    """Points spread at random in the cube, shape [patient, coordinate]; a patient has the same in any number."""
    uniform: FloatArray = ndtr(normals(seed, "plausible patients", np.arange(patients), dimension))
    return uniform
