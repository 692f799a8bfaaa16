"""Experiments of an estimation problem, solved: each period from where the one before it ended.

A period begins with changes, all computed before any is made. It ends where the next begins; one that is to become
steady is solved until its states stay the same to a share of `STILL` while time grows tenfold. Derivatives by the
sought parameters are solved beside (`simulate.kernels.sensitivities`) and carried from period to period.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simulate.errors import InputError, NumericalError
from simulate.exchange.petab.problem import ConditionChange, Experiment, Period
from simulate.kernels.build import CompiledKernel, build
from simulate.kernels.duals import Dual, constant, evaluate
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import System
from simulate.solver.automatic import Automatic, solve_automatically
from simulate.solver.kernel import FloatArray
from simulate.solver.methods import DOPRI5, RODAS5P
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.studies.petab.equations import TIME, Equations, Values, initial_values, model_parameters

STILL = 1e-8
"""Share of its size by which a state may differ, between a time and ten times it, and be steady."""
FIRST_HORIZON, LAST_HORIZON = 10.0, 1e10
_SIZE = 1e-4
"""Share of its largest value that a state counts at least, when it is asked whether it is steady."""
RTOL = 1e-8
"""Relative tolerance of the solver."""
_MAX_STEPS = 200_000


@dataclass(slots=True)
class Course:
    """One experiment while it is solved, and what was recorded of it.

    ``constants`` are values of identifiers in the present period; ``states`` those of states at its beginning.
    ``recorded`` has for each period its times and the values of identifiers then.
    """

    experiment: Experiment
    times: tuple[float, ...]
    constants: dict[str, Dual]
    states: dict[str, Dual] = field(default_factory=dict)
    initials: dict[str, Dual] = field(default_factory=dict)
    recorded: list[tuple[FloatArray, dict[str, Dual]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Solver:
    """How the equations are solved: relative tolerance, and threads (all cores if None)."""

    rtol: float = RTOL
    threads: int | None = None


def solve_experiments(equations: Equations, values: Values, directions: int, solver: Solver) -> list[Course]:
    """Solve all experiments of a problem.

    Parameters
    ----------
    equations
        The model.
    values
        Values of all parameters of the problem by their names, with slopes if derivatives are wanted.
    directions
        Number of directions of the slopes; 0 if there are none.
    solver
        How.

    Raises
    ------
    InputError
        ``sensitivities.switches``: derivatives are wanted of a model that switches or has events. ``petab.event``.
    NumericalError
        ``petab.solve``: an experiment cannot be solved. ``petab.steady``: a period does not become steady.
    """
    problem = equations.problem
    base = {name: constant(value) for name, value in equations.imported.constants.items()}
    base |= {equations.known(name): value for name, value in values.items()}
    courses = []
    for place, experiment in enumerate(problem.experiments):
        times = sorted({one.time for one in problem.measurements if one.experiment == place})
        courses.append(Course(experiment, tuple(times), dict(base)))
    for stage in range(max(len(course.experiment.periods) for course in courses)):
        present = [course for course in courses if stage < len(course.experiment.periods)]
        events = []
        for course in present:
            was = _holding(equations, course) if stage else None
            _begin(equations, course, stage, base)
            events.append(_starting(equations, course, was))
        begins = [_beginning(course.experiment, stage) for course in present]
        for begin, pattern in dict.fromkeys(zip(begins, events, strict=True)):
            group = [
                course
                for course, own, other in zip(present, begins, events, strict=True)
                if own == begin and other == pattern
            ]
            _advance(equations, group, stage, begin, pattern, directions, solver)
    return courses


def _beginning(experiment: Experiment, stage: int) -> float:
    """Time at which a period is begun; a steady one counts its own, from 0."""
    period = experiment.periods[stage]
    return 0.0 if period.is_steady else period.time


# What happens at the beginning of a period.
def _begin(equations: Equations, course: Course, stage: int, base: Values) -> None:
    period = course.experiment.periods[stage]
    if stage == 0:
        _begin_first(equations, course, period)
    else:
        _begin_next(equations, course, stage, base)


def _begin_first(equations: Equations, course: Course, period: Period) -> None:
    """Initial values as the model has them, but for what the conditions set."""
    before, givens = initial_values(equations, course.constants, {})
    time = constant(_beginning(course.experiment, 0))
    known = {**_identified(equations, before), **givens, **course.constants, TIME: time}
    changes = {equations.known(change.target): change for change in period.changes if change.value is not None}
    found = {name: _changed(equations, change, known) for name, change in changes.items()}
    course.constants |= {name: value for name, value in found.items() if equations.state_of(name) is None}
    chosen = {name: value for name, value in found.items() if equations.state_of(name) is not None}
    unset, _ = initial_values(equations, course.constants, {})
    chosen = _as_states(equations, chosen, course.constants, unset)
    course.states, course.initials = initial_values(equations, course.constants, chosen)


def _begin_next(equations: Equations, course: Course, stage: int, base: Values) -> None:
    """States as they are, but for what the conditions set."""
    period = course.experiment.periods[stage]
    _, last = course.recorded[-1]
    now = {
        name: Dual(value.value[-1], None if value.slope is None else value.slope[-1]) for name, value in last.items()
    }
    now[TIME] = constant(_beginning(course.experiment, stage))
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
    imported = equations.imported
    for name, compartment in imported.compartments.items():
        state = equations.state_of(name)
        if state is not None and name not in imported.amounts and name in imported.concentrations:
            if compartment in constants and equations.problem.version > 1:
                # What is in a compartment stays in it when its size is set.
                states[state] = states[state] * course.constants[compartment] / constants[compartment]
    course.constants |= constants
    set_states = {name: value for name, value in found.items() if equations.state_of(name) is not None}
    states |= _as_states(equations, set_states, course.constants, states)
    course.states = states
    course.initials |= {name: value for name, value in constants.items() if name in equations.givens}
    _check_initials(equations, course)


def _check_initials(equations: Equations, course: Course) -> None:
    """Refuse initial assignments that a condition would change after a steady state, where PEtab does not say how."""
    if equations.problem.version > 1 or not equations.givens:
        return
    _, again = initial_values(equations, course.constants, {})
    for name, value in again.items():
        if not np.isclose(float(value.value), float(course.initials[name].value), rtol=1e-12, atol=0.0):
            raise InputError(
                f"the initial assignment of `{name}` has another value under the condition after a steady state",
                code="petab.initial",
                found=f"{float(course.initials[name].value):g}, then {float(value.value):g}",
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


def _identified(equations: Equations, states: Values) -> dict[str, Dual]:
    """Values of states by identifiers of the file, where an identifier is the state itself."""
    imported = equations.imported
    own = {name for name in imported.names if name not in imported.amounts}
    return {name: states[imported.names[name]] for name in own if imported.names[name] in states}


# Events at the beginning of a period.
def _holding(equations: Equations, course: Course) -> tuple[bool, ...]:
    """Which triggers of events hold at the end of a period."""
    _, last = course.recorded[-1]
    states = {name: Dual(last[f"state {name}"].value[-1]) for name in equations.starts}
    return _triggers(equations, course, states, float(course.recorded[-1][0][-1]))


def _triggers(equations: Equations, course: Course, states: Values, time: float) -> tuple[bool, ...]:
    system = equations.solved
    if not system.events:
        return ()
    known = _solved_values(equations, course, states)
    known["t"] = constant(time)
    return tuple(bool(evaluate(event.when, known).value > 0.5) for event in system.events)


def _solved_values(equations: Equations, course: Course, states: Values) -> dict[str, Dual]:
    """Values of all symbols of the solved system but time."""
    system = equations.solved
    known = _own_parameters(equations, course)
    for symbol, expression in system.constants:
        known[str(symbol)] = evaluate(expression, known)
    return {**known, **states}


def _own_parameters(equations: Equations, course: Course) -> dict[str, Dual]:
    own = {equations.starts[name]: value for name, value in course.states.items()}
    own |= {equations.givens[name]: value for name, value in course.initials.items()}
    found = model_parameters(equations, equations.solved.parameters, course.constants)
    return found | {name: value for name, value in own.items() if name in found}


def _starting(equations: Equations, course: Course, was: tuple[bool, ...] | None) -> tuple[bool, ...]:
    """Which events happen at the beginning of a period, should their triggers hold: those that did not hold before."""
    if was is None:
        return tuple(event.at_start for event in equations.solved.events)
    return tuple(not held for held in was)


# Solving.
def _advance(
    equations: Equations,
    group: Sequence[Course],
    stage: int,
    begin: float,
    pattern: tuple[bool, ...],
    directions: int,
    solver: Solver,
) -> None:
    """Solve a period of experiments that begin together."""
    system = equations.solved
    if pattern != tuple(event.at_start for event in system.events):
        _refuse_waiting(equations)
        events = tuple(replace(event, at_start=at) for event, at in zip(system.events, pattern, strict=True))
        system = replace(system, events=events)
    members = [_own_parameters(equations, course) for course in group]
    wanted = [_wanted(course, stage) for course in group]
    # Experiments of which this period is the same are solved once.
    keys = [_key(member, own) for member, own in zip(members, wanted, strict=True)]
    first = [keys.index(key) for key in keys]
    chosen = sorted(set(first))
    horizons = _horizons(
        system, [members[place] for place in chosen], [wanted[place] for place in chosen], begin, solver,
        [group[place].experiment.id for place in chosen],
    )  # fmt: skip
    times = np.array(sorted({begin, *(time for own in horizons for time in own)}))
    values, slopes = _solved(system, [members[place] for place in chosen], times, begin, directions, solver)
    quantities = (*system.states, *system.observables)
    for course, asked, place in zip(group, wanted, map(chosen.index, first), strict=True):
        rows = np.searchsorted(times, np.array(horizons[place]))
        if not np.isfinite(values[place, rows]).all():
            raise NumericalError(
                f"the experiment `{course.experiment.id}` cannot be solved",
                code="petab.solve",
                found=f"no finite values from time {times[np.argmin(np.isfinite(values[place]).all(axis=1))]:g} on",
            )
        recorded = {
            name: Dual(values[place, rows, index], None if slopes is None else slopes[place][rows, index])
            for index, name in enumerate(quantities)
        }
        # Times that were asked for at infinity are those at which nothing moved any more.
        course.recorded.append((np.array(asked), _by_identifier(equations, course, recorded)))


def _key(member: Mapping[str, Dual], wanted: Sequence[float]) -> tuple[object, ...]:
    """Everything that decides the numbers of a member."""
    parts = [(part.value.tobytes(), None if part.slope is None else part.slope.tobytes()) for part in member.values()]
    return (*parts, *wanted)


def _by_identifier(equations: Equations, course: Course, recorded: Mapping[str, Dual]) -> dict[str, Dual]:
    imported = equations.imported
    found = {f"state {name}": recorded[name] for name in equations.starts}
    for identifier, name in imported.names.items():
        if name in recorded and identifier not in equations.givens:
            found[identifier] = recorded[name]
    return found


def _wanted(course: Course, stage: int) -> list[float]:
    """Times of a period at which something is measured, and its end; infinity where it is to become steady."""
    periods = course.experiment.periods
    if periods[stage].is_steady:
        return [math.inf]
    begin = periods[stage].time
    is_last = stage == len(periods) - 1
    end = math.inf if is_last else periods[stage + 1].time
    own = [time for time in course.times if begin <= time and (is_last or time < end)]
    return own if is_last else [*own, end]


def _horizons(
    system: System,
    members: Sequence[Mapping[str, Dual]],
    wanted: Sequence[Sequence[float]],
    begin: float,
    solver: Solver,
    names: Sequence[str],
) -> list[list[float]]:
    """The times that are wanted, with a time at which nothing moves any more in place of infinity."""
    found = [list(own) for own in wanted]
    waiting = [place for place, own in enumerate(wanted) if math.inf in own]
    known = [abs(time - begin) for own in wanted for time in own if time != math.inf]
    horizon = max(FIRST_HORIZON, 2.0 * max(known, default=0.0))
    while waiting and horizon <= LAST_HORIZON:
        parameters = _parameters(system, [members[place] for place in waiting])
        times = begin + np.array([0.0, horizon / 10.0, horizon])
        states = _plain(_kernel_of(system), parameters, times, begin, solver)[:, :, : len(system.states)]
        size = np.abs(states[:, 2]) + _SIZE * np.abs(states).max(axis=1)
        still = (np.abs(states[:, 2] - states[:, 1]) <= STILL * size).all(axis=1)
        for place in np.array(waiting)[still].tolist():
            found[place] = [time if time != math.inf else begin + horizon for time in wanted[place]]
        if not np.isfinite(states).all():
            break
        waiting = np.array(waiting)[~still].tolist()
        horizon *= 10.0
    if waiting:
        raise NumericalError(
            f"the experiment `{names[waiting[0]]}` does not become steady",
            code="petab.steady",
            found=f"states that still move after {min(horizon, LAST_HORIZON):g} units of time",
        )
    return found


def _parameters(system: System, members: Sequence[Mapping[str, Dual]]) -> FloatArray:
    found = np.array([[float(member[name].value) for name in system.parameters] for member in members])
    if not np.isfinite(found).all():
        place = int(np.argwhere(~np.isfinite(found))[0, 1])
        raise NumericalError(
            f"`{system.parameters[place]}` is infinite or undefined where a period begins", code="petab.solve"
        )
    return found


@functools.lru_cache(maxsize=32)
def _kernel_of(system: System) -> CompiledKernel:
    """Kernel of a system, kept: a fit asks for the same one again and again."""
    return build(system)


def _plain(
    kernel: CompiledKernel, parameters: FloatArray, times: FloatArray, begin: float, solver: Solver
) -> FloatArray:
    return _automatically(kernel, parameters, times, begin, solver).values


def _automatically(
    kernel: CompiledKernel, parameters: FloatArray, times: FloatArray, begin: float, solver: Solver
) -> Trajectories:
    return solve_automatically(
        kernel, parameters, Schedule.empty(len(parameters)), times, start=begin, tolerance=Tolerance(solver.rtol),
        choice=Automatic(), max_steps=_MAX_STEPS, threads=solver.threads,
    )  # fmt: skip


def _solved(
    system: System,
    members: Sequence[Mapping[str, Dual]],
    times: FloatArray,
    begin: float,
    directions: int,
    solver: Solver,
) -> tuple[FloatArray, list[FloatArray] | None]:
    """Values [member, time, quantity], and of each member slopes [time, quantity, direction]."""
    parameters = _parameters(system, members)
    moving = [
        name
        for name in system.parameters
        if any((slope := member[name].slope) is not None and np.any(slope != 0.0) for member in members)
    ]
    if not directions:
        return _plain(_kernel_of(system), parameters, times, begin, solver), None
    if not moving:
        values = _plain(_kernel_of(system), parameters, times, begin, solver)
        return values, [np.zeros((*own.shape, directions)) for own in values]
    values, derivatives = _with_derivatives(system, parameters, times, begin, moving, solver)
    slopes = []
    for place, member in enumerate(members):
        zero = np.zeros(directions)
        chain = np.array([zero if (slope := member[name].slope) is None else slope for name in moving])
        slopes.append(np.einsum("tqd,dk->tqk", derivatives[place], chain))
    return values, slopes


def _with_derivatives(
    system: System, parameters: FloatArray, times: FloatArray, begin: float, of: Sequence[str], solver: Solver
) -> tuple[FloatArray, FloatArray]:
    """Values, and derivatives by some parameters: each member by the method that a plain solve has chosen for it."""
    plain = _automatically(_kernel_of(system), parameters, times, begin, solver)
    values, derivatives = plain.values.copy(), np.full((*plain.values.shape, len(of)), np.nan)
    stiff = np.zeros(len(parameters), dtype=np.int64) if plain.chosen is None else plain.chosen
    for choice, method in enumerate((DOPRI5, RODAS5P)):
        mine = np.flatnonzero(stiff == choice)
        if not len(mine):
            continue
        found = solve_sensitivities(
            system, parameters[mine], Schedule.empty(len(mine)), times, of=of, start=begin, method=method,
            tolerance=Tolerance(solver.rtol), max_steps=_MAX_STEPS, threads=solver.threads,
        )  # fmt: skip
        values[mine], derivatives[mine] = found.trajectories.values, found.values
    return values, derivatives


def _refuse_waiting(equations: Equations) -> None:
    """Refuse events that may be under way when a period begins."""
    for event in equations.solved.events:
        if event.delay != 0:
            raise InputError(
                f"the event `{event.name}` has a delay, and an experiment has several periods",
                code="petab.event",
                expected="events that happen at once",
            )


def formula_values(equations: Equations, course: Course, period: int, rows: Sequence[int]) -> dict[str, Dual]:
    """Values of identifiers and names of the tables at some of the times that were recorded in a period."""
    times, recorded = course.recorded[period]
    found = dict(course.constants) | course.initials
    chosen = list(rows)
    for name, value in recorded.items():
        found[name] = Dual(value.value[chosen], None if value.slope is None else value.slope[chosen])
    found[TIME] = Dual(times[chosen])
    return found | {alias: found[name] for alias, name in equations.problem.aliases.items() if name in found}
