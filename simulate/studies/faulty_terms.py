"""The term of a model at which a patient's trajectory failed.

It is found at the last state that was sound: the summand of the state's rate that is not a number there, or a little
further on, and otherwise the largest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.cohort.draws import members_at
from simulate.cohort.ensemble import Ensemble, PatientFailure, simulate_cohort
from simulate.kernels.system import System, lower
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.runs import Study
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Observable
from simulate.symbolic.printing import print_expression
from simulate.symbolic.symbols import TIME

_BACK = (0.0, 1e-12, 1e-9, 1e-6, 1e-3, 1e-2)
_AHEAD = (0.0, *(10.0**power for power in range(-12, 1)))


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a failure: the state where it was sound, the term, its value and the parameters in it."""

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


def term_at_fault(study: Study, ensemble: Ensemble, row: PatientFailure) -> Found:
    """The term at which a patient of a simulated study failed."""
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
        return Found(
            None,
            "initial value",
            print_expression(study.model.initial[index]),
            _number(initial, numbers),
            _parameters(terms.system, initial),
        )
    for route, target, gain in zip(study.model.routes, terms.system.route_targets, terms.system.gains, strict=True):
        if target == index and _number(gain, numbers) is None:
            written = print_expression(route.gain)
            return Found(float(state[index]), f"dose by `{route.name}`", written, None, _parameters(terms.system, gain))
    return _summand(terms, numbers, time, state, index)


def _summand(terms: _Terms, numbers: dict[Symbol, Expr], time: float, state: FloatArray, index: int) -> Found:
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
        return Found(float(state[index]))
    for ahead in _AHEAD:
        step = ahead * max(1.0, abs(time))
        there = _at(terms, numbers, time + step, state + step * rate, own)
        if None in there:
            worst, value = own[there.index(None)], None
            break
    parameters = _parameters(terms.system, terms.system.observed[worst])
    return Found(float(state[index]), terms.names[worst], terms.written[worst], value, parameters)


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


def _violated(model: Model, system: System, numbers: dict[Symbol, Expr]) -> Found:
    for part, condition in zip(model.conditions, system.conditions, strict=True):
        value = _number(condition, numbers)
        if value is None or value < 0.0:
            written = print_expression(part.expression)
            return Found(None, part.name, written, value, _parameters(system, condition))
    return Found()


def _undefined_observable(study: Study, ensemble: Ensemble, arm: int, place: int) -> Found:
    one, times = members_at(ensemble.cohort, [place]), ensemble.trajectories.times
    again = simulate_cohort(study.model, (ensemble.arms[arm],), one, times, **study.solving, threads=1)
    states = len(study.model.species)
    _, observable = np.argwhere(~np.isfinite(again.trajectories.values[0, :, states:]))[0]
    part = study.model.observables[observable]
    system = lower(study.model)
    parameters = _parameters(system, system.observed[observable])
    return Found(None, part.name, print_expression(part.expression), None, parameters)


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
