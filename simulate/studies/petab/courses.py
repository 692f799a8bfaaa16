"""Experiments of an estimation problem, solved: each period from where the one before it ended.

A period begins with changes, all computed before any is made. It ends where the next begins; one that is to become
steady is solved until its states stay the same to a share of `STILL` while time grows tenfold. Derivatives by the
sought parameters are solved beside (`simulate.kernels.sensitivities`) and carried from period to period.

Several points are solved at once, each the lane of a batch; the last axis of values is the point.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np

from simulate.errors import InputError, NumericalError
from simulate.kernels.build import build
from simulate.kernels.duals import Dual, constant
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.kernels.system import System
from simulate.solver.automatic import Automatic, solve_automatically
from simulate.solver.kernel import FloatArray
from simulate.solver.methods import DOPRI5, RODAS5P
from simulate.solver.problem import Schedule, Tolerance
from simulate.studies.petab.equations import TIME, Equations, Values
from simulate.studies.petab.periods import ExperimentCourse, begin_period, beginning, holding, own_parameters, starting

STILL = 1e-8
"""Share of its size by which a state may differ, between a time and ten times it, and be steady."""
FIRST_HORIZON, LAST_HORIZON = 10.0, 1e10
_SIZE = 1e-4
"""Share of its largest value that a state counts at least, when it is asked whether it is steady."""
RTOL = 1e-8
"""Relative tolerance of the solver."""
_REMEMBERED = 64_000_000
"""Bytes of solutions that are kept."""

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, eq=False)
class Solver:
    """How the equations are solved: relative tolerance, threads (all cores if None), and steps of a solution at most.

    ``known`` has the last solutions: of points that differ in what is observed alone, or at which derivatives are
    asked for later, the equations are solved once.
    """

    rtol: float = RTOL
    threads: int | None = None
    max_steps: int = 200_000
    known: dict[tuple[object, ...], tuple[FloatArray, int]] = field(default_factory=dict)


def solve_experiments(
    equations: Equations, values: Values, points: int, directions: int, solver: Solver
) -> tuple[list[ExperimentCourse], dict[int, NumericalError]]:
    """Solve all experiments of a problem at several points; the bits of a point depend on no other.

    Parameters
    ----------
    equations
        The model.
    values
        Values of all parameters of the problem by their names, of shape [point] or one for all points, with slopes if
        derivatives are wanted.
    points
        Number of points.
    directions
        Number of directions of the slopes; 0 if there are none.
    solver
        How.

    Returns
    -------
    tuple
        The experiments, and by points that cannot be solved why: ``petab.solve``, an experiment has no finite values,
        or ``petab.steady``, a period does not become steady. What was recorded of such a point is no number.

    Raises
    ------
    InputError
        ``petab.event``: an event with a delay, in an experiment of several periods.
    """
    problem = equations.problem
    base = {name: constant(value) for name, value in equations.imported.constants.items()}
    base |= {equations.known(name): value for name, value in values.items()}
    courses = []
    for place, experiment in enumerate(problem.experiments):
        times = sorted({one.time for one in problem.measurements if one.experiment == place})
        courses.append(ExperimentCourse(experiment, tuple(times), dict(base)))
    failures: dict[int, NumericalError] = {}
    for stage in range(max(len(course.experiment.periods) for course in courses)):
        present = [course for course in courses if stage < len(course.experiment.periods)]
        events = []
        for course in present:
            was = holding(equations, course, points) if stage else None
            begin_period(equations, course, stage, base)
            events.append(starting(equations, points, was))
        begins = [beginning(course.experiment, stage) for course in present]
        for begin in dict.fromkeys(begins):
            group = [place for place, own in enumerate(begins) if own == begin]
            _advance(
                equations, [present[place] for place in group], [events[place] for place in group],
                stage, begin, points, directions, solver, failures,
            )  # fmt: skip
    return courses, failures


@dataclass(slots=True)
class _Member:
    """A period of one experiment at one point.

    ``parameters`` are those of the solved system, ``chain`` their slopes [parameter, direction]; ``times`` are those
    that are wanted, infinity among them until it is known when nothing moves any more.
    """

    place: int
    point: int
    events: tuple[bool, ...]
    parameters: FloatArray
    chain: FloatArray
    times: list[float]

    @property
    def key(self) -> tuple[bytes, bytes]:
        """Everything that decides the numbers of a solution."""
        return self.parameters.tobytes(), self.chain.tobytes()


class _Batch(NamedTuple):
    """What members have in common that are solved together: events, times, and parameters that move."""

    events: tuple[bool, ...]
    times: tuple[float, ...]
    moving: tuple[int, ...]


def _advance(
    equations: Equations,
    group: Sequence[ExperimentCourse],
    events: Sequence[Sequence[tuple[bool, ...]]],
    stage: int,
    begin: float,
    points: int,
    directions: int,
    solver: Solver,
    failures: dict[int, NumericalError],
) -> None:
    """Solve a period of experiments that begin together, where no point among them has failed yet."""
    system = equations.solved
    wanted = [_wanted(course, stage) for course in group]
    members = _members(equations, group, events, wanted, points, directions, failures)
    for pattern, mine in _sorted_by(members, lambda one: one.events).items():
        _set_horizons(_starting_with(equations, pattern), mine, wanted, begin, solver, group, failures)
    batches = _batches([one for one in members if one.point not in failures], begin)
    count = len(system.states) + len(system.observables)
    found = [np.full((len(own), points, count), np.nan) for own in wanted]
    slopes = [np.full((len(own), points, count, directions), np.nan) for own in wanted] if directions else None
    for batch, mine in batches.items():
        alike = list(_sorted_by(mine, lambda one: one.key).values())
        times = np.array(batch.times)
        own_values, own_slopes = _solved(
            _starting_with(equations, batch.events), [same[0] for same in alike], times, begin, batch.moving, solver,
            directions,
        )  # fmt: skip
        for place, same in enumerate(alike):
            for one in same:
                rows = np.searchsorted(times, np.array(one.times))
                found[one.place][:, one.point] = own_values[place, rows]
                if slopes is not None and own_slopes is not None:
                    slopes[one.place][:, one.point] = own_slopes[place][rows]
                if one.point not in failures and not np.isfinite(own_values[place, rows]).all():
                    last = times[np.argmin(np.isfinite(own_values[place]).all(axis=1))]
                    failures[one.point] = NumericalError(
                        f"the experiment `{group[one.place].experiment.id}` cannot be solved",
                        code="petab.solve",
                        found=f"no finite values from time {last:g} on",
                    )
    for place, course in enumerate(group):
        recorded = {
            name: Dual(found[place][:, :, index], None if slopes is None else slopes[place][:, :, index])
            for index, name in enumerate((*system.states, *system.observables))
        }
        # Times that were asked for at infinity are those at which nothing moved any more.
        course.recorded.append((np.array(wanted[place]), _by_identifier(equations, course, recorded)))


def _sorted_by(members: Sequence[_Member], key: Callable[[_Member], Key]) -> dict[Key, list[_Member]]:
    """Members by something that several may have in common, in the order in which it is first met."""
    found: dict[Key, list[_Member]] = {}
    for one in members:
        found.setdefault(key(one), []).append(one)
    return found


def _members(
    equations: Equations,
    group: Sequence[ExperimentCourse],
    events: Sequence[Sequence[tuple[bool, ...]]],
    wanted: Sequence[Sequence[float]],
    points: int,
    directions: int,
    failures: dict[int, NumericalError],
) -> list[_Member]:
    """A period of several experiments at all points where it has a beginning."""
    found = []
    for place, course in enumerate(group):
        parameters, chains = _own_numbers(equations, course, points, directions)
        for point in range(points):
            if point not in failures and (undefined := _undefined(equations.solved, parameters[point])) is not None:
                failures[point] = undefined
            if point not in failures:
                own = events[place][point]
                found.append(_Member(place, point, own, parameters[point], chains[point], list(wanted[place])))
    return found


def _batches(members: Sequence[_Member], begin: float) -> dict[_Batch, list[_Member]]:
    """Members that are solved together: at the same times, with the same events, by the same derivatives.

    Which these are depends on the experiments of a point, and on no other point.
    """
    found: dict[_Batch, list[_Member]] = {}
    for (_, pattern), mine in _sorted_by(members, lambda one: (one.point, one.events)).items():
        times = tuple(sorted({begin, *(time for one in mine for time in one.times)}))
        moving = np.flatnonzero(np.any([(one.chain != 0.0).any(axis=1) for one in mine], axis=0))
        found.setdefault(_Batch(pattern, times, tuple(moving.tolist())), []).extend(mine)
    return found


def _own_numbers(
    equations: Equations, course: ExperimentCourse, points: int, directions: int
) -> tuple[FloatArray, FloatArray]:
    """Parameters of the solved system [point, parameter], and their slopes [point, parameter, direction]."""
    own = own_parameters(equations, course)
    names = equations.solved.parameters
    parameters = np.empty((points, len(names)))
    chains = np.zeros((points, len(names), directions))
    for index, name in enumerate(names):
        parameters[:, index] = own[name].value
        if (slope := own[name].slope) is not None:
            chains[:, index] = slope
    return parameters, chains


def _undefined(system: System, parameters: FloatArray) -> NumericalError | None:
    undefined = np.flatnonzero(~np.isfinite(parameters))
    if not len(undefined):
        return None
    name = system.parameters[undefined[0]]
    return NumericalError(f"`{name}` is infinite or undefined where a period begins", code="petab.solve")


def _starting_with(equations: Equations, pattern: tuple[bool, ...]) -> System:
    """The system, with the events that happen where a period begins should their triggers hold."""
    system = equations.solved
    if pattern == tuple(event.at_start for event in system.events):
        return system
    _refuse_waiting(equations)
    events = tuple(replace(event, at_start=at) for event, at in zip(system.events, pattern, strict=True))
    return replace(system, events=events)


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


def _set_horizons(
    system: System,
    members: Sequence[_Member],
    wanted: Sequence[Sequence[float]],
    begin: float,
    solver: Solver,
    group: Sequence[ExperimentCourse],
    failures: dict[int, NumericalError],
) -> None:
    """Put a time at which nothing moves any more in place of infinity."""
    waiting = list(_sorted_by([one for one in members if math.inf in one.times], lambda one: one.key).values())
    known = [abs(time - begin) for own in wanted for time in own if time != math.inf]
    horizon = max(FIRST_HORIZON, 2.0 * max(known, default=0.0))
    while waiting and horizon <= LAST_HORIZON:
        times = begin + np.array([0.0, horizon / 10.0, horizon])
        parameters = np.array([alike[0].parameters for alike in waiting])
        states = _plain(_kernel_of(system), parameters, times, begin, solver)[0][:, :, : len(system.states)]
        size = np.abs(states[:, 2]) + _SIZE * np.abs(states).max(axis=1)
        still = (np.abs(states[:, 2] - states[:, 1]) <= STILL * size).all(axis=1)
        moving = []
        for place, alike in enumerate(waiting):
            if still[place]:
                for one in alike:
                    one.times = [time if time != math.inf else begin + horizon for time in one.times]
            elif np.isfinite(states[place]).all():
                moving.append(alike)
            else:
                _not_steady(alike, horizon, group, failures)
        waiting = moving
        horizon *= 10.0
    for alike in waiting:
        _not_steady(alike, LAST_HORIZON, group, failures)


def _not_steady(
    alike: Sequence[_Member], horizon: float, group: Sequence[ExperimentCourse], failures: dict[int, NumericalError]
) -> None:
    for one in alike:
        failures.setdefault(
            one.point,
            NumericalError(
                f"the experiment `{group[one.place].experiment.id}` does not become steady",
                code="petab.steady",
                found=f"states that still move after {horizon:g} units of time",
            ),
        )


@functools.lru_cache(maxsize=32)
def _kernel_of(system: System) -> CompiledKernel:
    """Kernel of a system, kept: a fit asks for the same one again and again."""
    return build(system)


def _plain(
    kernel: CompiledKernel, parameters: FloatArray, times: FloatArray, begin: float, solver: Solver
) -> tuple[FloatArray, FloatArray]:
    """Values [member, time, quantity], and which method each member was solved by."""
    keys = [(kernel.key, begin, times.tobytes(), row.tobytes()) for row in parameters]
    new = [place for place, key in enumerate(keys) if key not in solver.known]
    if new:
        found = solve_automatically(
            kernel, parameters[new], Schedule.empty(len(new)), times, start=begin, tolerance=Tolerance(solver.rtol),
            choice=Automatic(), max_steps=solver.max_steps, threads=solver.threads,
        )  # fmt: skip
        assert found.chosen is not None
        for place, values, chosen in zip(new, found.values, found.chosen.tolist(), strict=True):
            solver.known[keys[place]] = (values.copy(), chosen)
    own = [solver.known[key] for key in keys]
    most = max(len(keys), _REMEMBERED // max(1, own[0][0].nbytes))
    while len(solver.known) > most:
        solver.known.pop(next(iter(solver.known)))
    return np.array([values for values, _ in own]), np.array([chosen for _, chosen in own])


def _solved(
    system: System,
    members: Sequence[_Member],
    times: FloatArray,
    begin: float,
    moving: Sequence[int],
    solver: Solver,
    directions: int,
) -> tuple[FloatArray, list[FloatArray] | None]:
    """Values [member, time, quantity], and of each member slopes [time, quantity, direction]."""
    parameters = np.array([one.parameters for one in members])
    if not directions:
        return _plain(_kernel_of(system), parameters, times, begin, solver)[0], None
    if not moving:
        values, _ = _plain(_kernel_of(system), parameters, times, begin, solver)
        return values, [np.zeros((*own.shape, directions)) for own in values]
    names = [system.parameters[place] for place in moving]
    values, derivatives = _with_derivatives(system, parameters, times, begin, names, solver)
    slopes = []
    for place, member in enumerate(members):
        chain = member.chain[list(moving)]
        # What does not move here is left out: its derivative may be no number, and nothing times that is none either.
        moves = np.any(chain != 0.0, axis=1)
        slopes.append(np.einsum("tqd,dk->tqk", derivatives[place][:, :, moves], chain[moves]))
    return values, slopes


def _with_derivatives(
    system: System, parameters: FloatArray, times: FloatArray, begin: float, of: Sequence[str], solver: Solver
) -> tuple[FloatArray, FloatArray]:
    """Values, and derivatives by some parameters: each member by the method that a plain solve has chosen for it."""
    values, stiff = _plain(_kernel_of(system), parameters, times, begin, solver)
    derivatives = np.full((*values.shape, len(of)), np.nan)
    for choice, method in enumerate((DOPRI5, RODAS5P)):
        mine = np.flatnonzero(stiff == choice)
        if not len(mine):
            continue
        found = solve_sensitivities(
            system, parameters[mine], Schedule.empty(len(mine)), times, of=of, start=begin, method=method,
            tolerance=Tolerance(solver.rtol), max_steps=solver.max_steps, threads=solver.threads,
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
    found[TIME] = Dual(times[chosen, np.newaxis])
    return found | {alias: found[name] for alias, name in equations.problem.aliases.items() if name in found}
