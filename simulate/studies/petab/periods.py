"""Where a period of an experiment begins: the values of constants and states, and the events that happen at once.

A period begins with changes, all computed before any is made. The first has the initial values of the model but for
what its conditions set; a later one the states in which the one before it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulate.errors import InputError
from simulate.exchange.petab.problem import ConditionChange, Experiment, Period
from simulate.kernels.duals import Dual, constant, evaluate
from simulate.solver.kernel import FloatArray
from simulate.studies.petab.equations import TIME, Equations, Values, initial_values, model_parameters


@dataclass(slots=True)
class ExperimentCourse:
    """One experiment while it is solved, and what was recorded of it.

    ``constants`` are values of identifiers in the present period; ``states`` those of states at its beginning.
    ``recorded`` has for each period its times and the values of identifiers then. The last axis of values is the point.
    """

    experiment: Experiment
    times: tuple[float, ...]
    constants: dict[str, Dual]
    states: dict[str, Dual] = field(default_factory=dict)
    initials: dict[str, Dual] = field(default_factory=dict)
    recorded: list[tuple[FloatArray, dict[str, Dual]]] = field(default_factory=list)


def beginning(experiment: Experiment, stage: int) -> float:
    """Time at which a period is begun; a steady one counts its own, from 0."""
    period = experiment.periods[stage]
    return 0.0 if period.is_steady else period.time


def begin_period(equations: Equations, course: ExperimentCourse, stage: int, base: Values) -> None:
    """Put an experiment at the beginning of a period; ``base`` is what identifiers have without conditions."""
    period = course.experiment.periods[stage]
    if stage == 0:
        _begin_first(equations, course, period)
    else:
        _begin_next(equations, course, stage, base)


def _begin_first(equations: Equations, course: ExperimentCourse, period: Period) -> None:
    """Initial values as the model has them, but for what the conditions set."""
    before, givens = initial_values(equations, course.constants, {})
    time = constant(beginning(course.experiment, 0))
    known = {**_identified(equations, before), **givens, **course.constants, TIME: time}
    changes = {equations.known(change.target): change for change in period.changes if change.value is not None}
    found = {name: _changed(equations, change, known) for name, change in changes.items()}
    course.constants |= {name: value for name, value in found.items() if equations.state_of(name) is None}
    chosen = {name: value for name, value in found.items() if equations.state_of(name) is not None}
    course.states, course.initials = initial_values(equations, course.constants, {})
    if chosen:
        chosen = _as_states(equations, chosen, course.constants, course.states)
        course.states, course.initials = initial_values(equations, course.constants, chosen)


def _begin_next(equations: Equations, course: ExperimentCourse, stage: int, base: Values) -> None:
    """States as they are, but for what the conditions set."""
    period = course.experiment.periods[stage]
    _, last = course.recorded[-1]
    now = {
        name: Dual(value.value[-1], None if value.slope is None else value.slope[-1]) for name, value in last.items()
    }
    now[TIME] = constant(beginning(course.experiment, stage))
    states = {name: now[f"state {name}"] for name in equations.starts}
    found: dict[str, Dual] = {}
    for change in period.changes:
        name = equations.known(change.target)
        if change.value is not None:
            found[name] = _changed(equations, change, {**course.constants, **now})
        elif equations.state_of(name) is None and name in base:
            found[name] = base[name]
        elif equations.state_of(name) is None:
            course.constants.pop(name, None)
    constants = {name: value for name, value in found.items() if equations.state_of(name) is None}
    course.constants |= constants
    set_states = {name: value for name, value in found.items() if equations.state_of(name) is not None}
    kept = _kept_concentrations(equations, set_states, states)
    course.states = states | kept | _as_states(equations, set_states, course.constants, states)
    course.initials |= {name: value for name, value in constants.items() if name in equations.givens}
    _check_initials(equations, course)


def _check_initials(equations: Equations, course: ExperimentCourse) -> None:
    """Refuse initial assignments that a condition would change after a steady state, where PEtab does not say how."""
    if equations.problem.version > 1 or not equations.givens:
        return
    _, again = initial_values(equations, course.constants, {})
    for name, value in again.items():
        before, now = np.broadcast_arrays(course.initials[name].value, value.value)
        changed = np.flatnonzero(~np.isclose(now, before, rtol=1e-12, atol=0.0, equal_nan=True))
        if len(changed):
            raise InputError(
                f"the initial assignment of `{name}` has another value under the condition after a steady state",
                code="petab.initial",
                found=f"{before.flat[changed[0]]:g}, then {now.flat[changed[0]]:g}",
                advice="write the problem in version 2 of PEtab",
            )


def _changed(equations: Equations, change: ConditionChange, known: Values) -> Dual:
    assert change.value is not None
    named = {**known, **{alias: known[name] for alias, name in equations.problem.aliases.items() if name in known}}
    try:
        return evaluate(change.value, named)
    except KeyError as error:
        raise InputError(
            f"nothing gives `{error.args[0]}` a value here", code="petab.name", where=change.where
        ) from None


def _as_states(equations: Equations, found: Mapping[str, Dual], constants: Values, states: Values) -> dict[str, Dual]:
    """States behind identifiers that are set: of a concentration in a volume that changes, the amount."""
    imported = equations.imported
    direct = {name: value for name, value in found.items() if name not in imported.amounts}
    now = {**states, **{str(equations.state_of(name)): value for name, value in direct.items()}}
    chosen = {str(equations.state_of(name)): value for name, value in direct.items()}
    for name, value in found.items():
        if name in direct:
            continue
        compartment = imported.compartments[name]
        state = equations.state_of(compartment)
        volume = now[state] if state is not None else constants.get(compartment)
        if volume is None or f"{imported.names[compartment]}" in equations.original.observables:
            raise InputError(
                f"a condition sets `{name}`, whose volume a rule computes",
                code="petab.volume",
                advice="set the amount of a species that has only units of substance",
            )
        chosen[imported.amounts[name]] = value * volume
    return chosen


def _kept_concentrations(equations: Equations, found: Values, states: Values) -> dict[str, Dual]:
    """Amounts behind concentrations in a compartment that is set and is a state: the concentrations stay."""
    imported = equations.imported
    kept = {}
    for name, state in imported.amounts.items():
        compartment = imported.compartments[name]
        volume = equations.state_of(compartment)
        if compartment in found and volume is not None:
            kept[state] = states[state] * found[compartment] / states[volume]
    return kept


def _identified(equations: Equations, states: Values) -> dict[str, Dual]:
    """Values of states by identifiers of the file, where an identifier is the state itself."""
    imported = equations.imported
    own = {name for name in imported.names if name not in imported.amounts}
    return {name: states[imported.names[name]] for name in own if imported.names[name] in states}


def holding(equations: Equations, course: ExperimentCourse, points: int) -> list[tuple[bool, ...]]:
    """Which triggers of events hold at the end of a period, at each point."""
    system = equations.solved
    times, last = course.recorded[-1]
    states = {name: Dual(last[f"state {name}"].value[-1]) for name in equations.starts}
    known = _solved_values(equations, course, states) if system.events else {}
    known["t"] = constant(float(times[-1]))
    held = [np.broadcast_to(evaluate(event.when, known).value > 0.5, (points,)) for event in system.events]
    return [tuple(bool(own[point]) for own in held) for point in range(points)]


def _solved_values(equations: Equations, course: ExperimentCourse, states: Values) -> dict[str, Dual]:
    """Values of all symbols of the solved system but time."""
    system = equations.solved
    known = own_parameters(equations, course)
    for symbol, expression in system.constants:
        known[str(symbol)] = evaluate(expression, known)
    return {**known, **states}


def own_parameters(equations: Equations, course: ExperimentCourse) -> dict[str, Dual]:
    """Parameters of the solved system in the present period."""
    own = {equations.starts[name]: value for name, value in course.states.items()}
    own |= {equations.givens[name]: value for name, value in course.initials.items()}
    found = model_parameters(equations, equations.solved.parameters, course.constants)
    return found | {name: value for name, value in own.items() if name in found}


def starting(equations: Equations, points: int, were: Sequence[tuple[bool, ...]] | None) -> list[tuple[bool, ...]]:
    """Events that happen where a period begins at each point, should their triggers hold: those that did not before."""
    if were is None:
        return [tuple(event.at_start for event in equations.solved.events)] * points
    return [tuple(not held for held in was) for was in were]
