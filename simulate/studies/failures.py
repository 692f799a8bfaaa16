"""Causes of failures: for every patient who did not reach the end, when, at which term of the model, and who it is.

The term is found by `simulate.studies.faulty_terms`. The patient is found by the parameters of that term: the one whose
value is the most extreme among patients drawn from the same population.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulate.cohort.draws import Cohort, draw
from simulate.cohort.ensemble import Ensemble, PatientFailure
from simulate.cohort.population import Population
from simulate.studies.replay import replay_command
from simulate.studies.runs import Study
from simulate.studies.visits import time_words

EXAMINED = 50
"""Failures whose term and patient are looked for; of further ones an entry has time, reason and replay."""
COMPARED = 1000
"""Patients among whom a patient's parameters are placed."""


@dataclass(frozen=True, slots=True)
class PopulationRank:
    """A parameter of a patient among patients of the same population."""

    #: What it is.
    parameter: str
    value: float
    unit: str
    quantile: float  #: Share of patients with a smaller value; ties count half
    z: float  #: Distance of its logarithm from the mean in standard deviations


@dataclass(frozen=True, slots=True)
class FailureEntry:
    """A failure with its cause."""

    #: Who, in which draw of a fit, where, when and why, as the solver says.
    arm: str
    patient: int
    draw: int | None
    day: float
    state: str | None
    status: str
    reason: str
    state_value: float | None  #: Value of the state at the last sound time; None where it never had one
    #: Name and expression of the term at fault and its value there, in units of the state a day (None: not a number).
    term: str | None
    expression: str | None
    term_value: float | None
    place: (
        PopulationRank | None
    )  #: The most extreme parameter of the term, or of all parameters if none of the term's varies
    replay: str  #: Command that repeats this patient alone, with the same bits

    def told(self, time_unit: str) -> str:
        """What is known in one line, with times in a unit."""
        of_draw = "" if self.draw is None else f" of draw {self.draw}"
        text = f"patient {self.patient}{of_draw}, arm `{self.arm}`, {time_words(self.day, time_unit)}"
        if self.term is not None:
            shown = "not a number" if self.term_value is None else f"{self.term_value:.3g}"
            text += f": `{self.term}` is {shown}" + (f" in the rate of `{self.state}`" if self.state else "")
        if self.place is not None:
            text += (
                f"; {self.place.parameter} = {self.place.value:.4g} {self.place.unit} is above that of "
                f"{100 * self.place.quantile:.3g} % of people"
            )
        return text


def failure_entries(study: Study, ensemble: Ensemble) -> tuple[FailureEntry, ...]:
    """Entries of all failures of a simulated study, in their order."""
    return tuple(
        _entry(study, ensemble, failure, is_examined=index < EXAMINED)
        for index, failure in enumerate(ensemble.failures)
    )


def _entry(study: Study, ensemble: Ensemble, row: PatientFailure, *, is_examined: bool) -> FailureEntry:
    from simulate.studies.faulty_terms import Found, term_at_fault

    failure = row.failure
    found = Found()
    place = None
    if is_examined:
        found = term_at_fault(study, ensemble, row)
        place = _most_extreme(study, ensemble.cohort, row.place, found.parameters)
    return FailureEntry(
        arm=row.arm,
        patient=row.patient,
        draw=None if ensemble.cohort.draws is None else int(ensemble.cohort.draws[row.place]),
        day=failure.time,
        state=failure.state,
        status=failure.status.name.lower(),
        reason=failure.reason,
        state_value=found.state_value,
        term=found.term,
        expression=found.expression,
        term_value=found.term_value,
        place=place,
        replay=replay_command(study, row.patient),
    )


def _most_extreme(study: Study, cohort: Cohort, row: int, names: frozenset[str]) -> PopulationRank | None:
    """The parameter, of those named if one of them varies, that is farthest from the middle of the population."""
    places = list(_places(study, cohort, row))
    own = [place for place in places if place.parameter in names] or places
    return max(own, key=lambda place: abs(place.z), default=None)


def _places(study: Study, cohort: Cohort, row: int) -> Iterator[PopulationRank]:
    people = _people(study.population)
    units = {part.name: part.unit.text for part in study.population.parameters}
    for column, name in enumerate(cohort.names):
        others, value = people.values[:, column], float(cohort.values[row, column])
        if value > 0.0 and (others > 0.0).all() and (spread := float(np.std(np.log(others)))) > 1e-12:
            quantile = float((others < value).mean() + 0.5 * (others == value).mean())
            z = (math.log(value) - float(np.mean(np.log(others)))) / spread
            yield PopulationRank(name, value, units[name], quantile, z)


@lru_cache(maxsize=4)
def _people(population: Population) -> Cohort:
    """Patients of a population; the same for every failure."""
    return draw(population, COMPARED, seed=0)
