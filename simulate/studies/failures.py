"""Causes of failures: for every patient who did not reach the end, when, at which term of the model, and who it is.

The term is found at the last state that was sound: the summand of the state's rate that is not a number there, or a
little further on, and otherwise the largest. The patient is found by the parameters of that term: the one whose value
is the most extreme among patients drawn from the same population.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.cohort.draws import Cohort, draw, members_at
from simulate.cohort.ensemble import Ensemble, PatientFailure, simulate_cohort
from simulate.cohort.population import Population
from simulate.kernels.system import System, lower
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.replay import replay_command
from simulate.studies.runs import Study
from simulate.studies.visits import time_words
from simulate.symbolic.model import Model
from simulate.symbolic.parts import TIME, Observable
from simulate.symbolic.printing import print_expression

EXAMINED = 50
"""Failures whose term and patient are looked for; of further ones an entry has time, reason and replay."""
COMPARED = 1000
"""Patients among whom a patient's parameters are placed."""

_BACK = (0.0, 1e-12, 1e-9, 1e-6, 1e-3, 1e-2)
_AHEAD = (0.0, *(10.0**power for power in range(-12, 1)))


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
    failure = row.failure
    found = _Found()
    place = None
    if is_examined:
        found = _term_at_fault(study, ensemble, row)
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


@dataclass(frozen=True, slots=True)
class _Found:
    state_value: float | None = None
    term: str | None = None
    expression: str | None = None
    term_value: float | None = None
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """A model's rates in pieces: for each piece its state, its name, how it is written, and its number as computed."""

    system: System
    states: tuple[int, ...]
    names: tuple[str, ...]
    written: tuple[str, ...]

    def of(self, state: int) -> list[int]:
        return [index for index, owner in enumerate(self.states) if owner == state]


@lru_cache(maxsize=4)
def _terms(model: Model) -> _Terms:
    pieces = [
        (model.species.index(species), reaction.name, sympy.Mul(change, reaction.rate), species.unit)
        for reaction in model.reactions
        for species, change in reaction.change.items()
    ]
    # Lowering takes care of definitions and units; a term is a value like that of an observable.
    observables = tuple(
        Observable(f"term_{index}", name, unit, term) for index, (_, name, term, unit) in enumerate(pieces)
    )
    return _Terms(
        lower(replace(model, observables=observables)),
        tuple(state for state, *_ in pieces),
        tuple(name for _, name, *_ in pieces),
        tuple(print_expression(term) for *_, term, _ in pieces),
    )


def _term_at_fault(study: Study, ensemble: Ensemble, row: PatientFailure) -> _Found:
    failure = row.failure
    terms = _terms(study.model)
    arm = [arm.name for arm in ensemble.arms].index(row.arm)
    place = row.place
    numbers = _numbers(terms.system, ensemble.parameter_values[arm, place])
    if failure.status is Status.INFEASIBLE:
        return _violated(study.model, terms.system, numbers)
    if failure.state is None:
        return _undefined_observable(study, ensemble, arm, place)
    time, state = _last_sound(study, ensemble, arm, place, failure.time)
    index = terms.system.states.index(failure.state)
    if state is None:
        initial = terms.system.initial[index]
        return _Found(
            None,
            "initial value",
            print_expression(study.model.initial[index]),
            _number(initial, numbers),
            _parameters(terms.system, initial),
        )
    for route, target, gain in zip(study.model.routes, terms.system.route_targets, terms.system.gains, strict=True):
        if target == index and _number(gain, numbers) is None:
            written = print_expression(route.gain)
            return _Found(
                float(state[index]), f"dose by `{route.name}`", written, None, _parameters(terms.system, gain)
            )
    return _summand(terms, numbers, time, state, index)


def _summand(terms: _Terms, numbers: dict[Symbol, Expr], time: float, state: FloatArray, index: int) -> _Found:
    """The term of a state's rate that is not a number at a state or a little ahead of it, else the largest."""
    own = terms.of(index)
    rate = np.zeros(len(state))
    here = _at(terms, numbers, time, state, range(len(terms.states)))
    for piece, value in enumerate(here):
        rate[terms.states[piece]] += 0.0 if value is None else value
    worst, value = max(
        ((piece, here[piece]) for piece in own),
        key=lambda pair: math.inf if pair[1] is None else abs(pair[1]),
        default=(None, None),
    )
    if worst is None:
        return _Found(float(state[index]))
    for ahead in _AHEAD:
        step = ahead * max(1.0, abs(time))
        there = _at(terms, numbers, time + step, state + step * rate, own)
        if None in there:
            worst, value = own[there.index(None)], None
            break
    parameters = _parameters(terms.system, terms.system.observed[worst])
    return _Found(float(state[index]), terms.names[worst], terms.written[worst], value, parameters)


def _at(
    terms: _Terms, numbers: dict[Symbol, Expr], time: float, state: FloatArray, pieces: Sequence[int] | range
) -> list[float | None]:
    known = {**numbers, TIME: sympy.Float(time)}
    known |= {Symbol(name): sympy.Float(float(value)) for name, value in zip(terms.system.states, state, strict=True)}
    return [_number(terms.system.observed[piece], known) for piece in pieces]


def _numbers(system: System, parameters: FloatArray) -> dict[Symbol, Expr]:
    """Values of parameters, and of the constants that follow from them, as numbers of SymPy."""
    known: dict[Symbol, Expr] = {
        Symbol(name): sympy.Float(float(value)) for name, value in zip(system.parameters, parameters, strict=True)
    }
    for symbol, expression in system.constants:
        known[symbol] = expression.xreplace(known)
    return known


def _number(expression: Expr, known: dict[Symbol, Expr]) -> float | None:
    """Value of an expression; None if it is not a finite real number."""
    try:
        value = complex(expression.xreplace(known).evalf())
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return value.real if value.imag == 0.0 and math.isfinite(value.real) else None


def _parameters(system: System, expression: Expr) -> frozenset[str]:
    """Names of the parameters on which an expression depends, by way of constants too."""
    constants = dict(system.constants)
    waiting, seen = list(expression.free_symbols), set[Symbol]()
    while waiting:
        symbol = waiting.pop()
        if symbol not in seen:
            seen.add(symbol)
            waiting += constants[symbol].free_symbols if symbol in constants else ()
    return frozenset({symbol.name for symbol in seen} & set(system.parameters))


def _violated(model: Model, system: System, numbers: dict[Symbol, Expr]) -> _Found:
    for part, condition in zip(model.conditions, system.conditions, strict=True):
        value = _number(condition, numbers)
        if value is None or value < 0.0:
            written = print_expression(part.expression)
            return _Found(None, part.name, written, value, _parameters(system, condition))
    return _Found()


def _undefined_observable(study: Study, ensemble: Ensemble, arm: int, place: int) -> _Found:
    one, times = members_at(ensemble.cohort, [place]), ensemble.trajectories.times
    again = simulate_cohort(study.model, (ensemble.arms[arm],), one, times, **study.solving, threads=1)
    states = len(study.model.species)
    _, observable = np.argwhere(~np.isfinite(again.trajectories.values[0, :, states:]))[0]
    part = study.model.observables[observable]
    system = lower(study.model)
    parameters = _parameters(system, system.observed[observable])
    return _Found(None, part.name, print_expression(part.expression), None, parameters)


def _last_sound(study: Study, ensemble: Ensemble, arm: int, place: int, time: float) -> tuple[float, FloatArray | None]:
    """The patient's state at the time of the failure, or a little before it; None if there never was one."""
    one = members_at(ensemble.cohort, [place])
    how = study.solving | {"max_steps": 2 * study.scenario.max_steps}
    for back in _BACK if time > 0.0 else (0.0,):
        moment = time * (1.0 - back)
        again = simulate_cohort(study.model, (ensemble.arms[arm],), one, np.array([moment]), **how, threads=1)
        state = again.trajectories.values[0, 0, : len(study.model.species)]
        if np.isfinite(state).all():
            return moment, state
    return 0.0, None


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
