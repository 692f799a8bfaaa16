"""Experiments of an estimation problem, solved: each period from where the one before it ended.

A period begins with changes, all computed before any is made. It ends where the next begins; one that is to become
steady is solved until its states stay the same to a share of `STILL` while time grows tenfold. Derivatives by the
sought parameters are solved beside (`simulate.kernels.sensitivities`) and carried from period to period.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulate.errors import InputError, NumericalError
from simulate.kernels.build import CompiledKernel, build
from simulate.kernels.duals import Dual, constant
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import System
from simulate.solver.automatic import Automatic, solve_automatically
from simulate.solver.kernel import FloatArray
from simulate.solver.methods import DOPRI5, RODAS5P
from simulate.solver.problem import Schedule, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.studies.petab.equations import TIME, Equations, Values
from simulate.studies.petab.periods import ExperimentCourse, begin_period, beginning, holding, own_parameters, starting

STILL = 1e-8
"""Share of its size by which a state may differ, between a time and ten times it, and be steady."""
FIRST_HORIZON, LAST_HORIZON = 10.0, 1e10
_SIZE = 1e-4
"""Share of its largest value that a state counts at least, when it is asked whether it is steady."""
RTOL = 1e-8
"""Relative tolerance of the solver."""
_MAX_STEPS = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Solver:
    """How the equations are solved: relative tolerance, and threads (all cores if None)."""

    rtol: float = RTOL
    threads: int | None = None


def solve_experiments(equations: Equations, values: Values, directions: int, solver: Solver) -> list[ExperimentCourse]:
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
        courses.append(ExperimentCourse(experiment, tuple(times), dict(base)))
    for stage in range(max(len(course.experiment.periods) for course in courses)):
        present = [course for course in courses if stage < len(course.experiment.periods)]
        events = []
        for course in present:
            was = holding(equations, course) if stage else None
            begin_period(equations, course, stage, base)
            events.append(starting(equations, course, was))
        begins = [beginning(course.experiment, stage) for course in present]
        for begin, pattern in dict.fromkeys(zip(begins, events, strict=True)):
            group = [
                course
                for course, own, other in zip(present, begins, events, strict=True)
                if own == begin and other == pattern
            ]
            _advance(equations, group, stage, begin, pattern, directions, solver)
    return courses


def _advance(
    equations: Equations,
    group: Sequence[ExperimentCourse],
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
    members = [own_parameters(equations, course) for course in group]
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


def _by_identifier(equations: Equations, course: ExperimentCourse, recorded: Mapping[str, Dual]) -> dict[str, Dual]:
    imported = equations.imported
    found = {f"state {name}": recorded[name] for name in equations.starts}
    for identifier, name in imported.names.items():
        if name in recorded and identifier not in equations.givens:
            found[identifier] = recorded[name]
    return found


def _wanted(course: ExperimentCourse, stage: int) -> list[float]:
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
        # What does not move here is left out: its derivative may be no number, and nothing times that is none either.
        moves = np.any(chain != 0.0, axis=1)
        slopes.append(np.einsum("tqd,dk->tqk", derivatives[place][:, :, moves], chain[moves]))
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


def formula_values(equations: Equations, course: ExperimentCourse, period: int, rows: Sequence[int]) -> dict[str, Dual]:
    """Values of identifiers and names of the tables at some of the times that were recorded in a period."""
    times, recorded = course.recorded[period]
    found = dict(course.constants) | course.initials
    chosen = list(rows)
    for name, value in recorded.items():
        found[name] = Dual(value.value[chosen], None if value.slope is None else value.slope[chosen])
    found[TIME] = Dual(times[chosen])
    return found | {alias: found[name] for alias, name in equations.problem.aliases.items() if name in found}
