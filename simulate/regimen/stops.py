"""Prescriptions → explicit doses → stops of the solver.

Missed doses belong to a member: the scheduled doses of a plan are numbered in the order of time, and dose ``k`` of a
member is missed if number ``k`` of the member's own random stream is below the probability. Member 7 therefore misses
the same doses in any cohort and in every arm with the same timetable, and whoever misses a dose at 10 % misses it
at 20 % too.

How much of a dose arrives may vary from dose to dose: dose ``k`` of a member is multiplied by exp(σ η), where η is
standard normal number ``k`` of another stream of the member, with the same consequences. A missed dose keeps its
number, so missing it changes no other dose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError, did_you_mean
from simulate.regimen.doses import Course, Dose, Plan, Regimen, exact
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Schedule, StopKind
from simulate.streams import normals, stream
from simulate.symbolic.parts import Route
from simulate.symbolic.units import unit

MAX_DOSES = 100_000
"""Largest number of doses of one plan; one a minute for two months."""


class _Scheduled(NamedTuple):
    """A dose before it is known whether it is missed; sorts by time first."""

    time: Fraction
    route: int
    amount: Fraction
    duration: Fraction
    lag: Fraction
    missing: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class _Timetable:
    """Stops of a plan if no dose were missed, in order, and the doses they belong to: -1 for a reset."""

    doses: tuple[_Scheduled, ...]
    resets: tuple[float, ...]
    missing: npt.NDArray[np.float64]
    dose_of_stop: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.int64]
    routes: npt.NDArray[np.int64]
    amounts: npt.NDArray[np.float64]

    def given(self, seed: int, member: int) -> npt.NDArray[np.bool_]:
        """Which doses a member does not miss, shape [dose]."""
        if not self.missing.any():
            return np.ones(len(self.doses), dtype=np.bool_)
        return stream(seed, "missed doses", member).random(len(self.doses)) >= self.missing

    def taking_place(self, seed: int, member: int) -> npt.NDArray[np.bool_] | slice:
        """Which stops take place for a member: an index into the stops."""
        if not self.missing.any():
            return slice(None)
        # A reset, dose -1, takes place whoever misses what.
        return np.append(self.given(seed, member), True)[self.dose_of_stop]

    def arriving(self, spreads: FloatArray, seed: int, members: Sequence[int]) -> FloatArray | None:
        """What arrives of each dose over what usually does, shape [member, dose]; None where that never varies.

        ``spreads`` has a standard deviation of the logarithm for each route.
        """
        of_doses = spreads[[dose.route for dose in self.doses]]
        if not of_doses.any():
            return None
        logs = of_doses * normals(seed, "between doses", members, len(self.doses))
        # One by one: a vector exponential may differ in the last bit between the middle and the end of an array.
        return np.array([math.exp(value) for value in logs.ravel().tolist()]).reshape(logs.shape)


def realize(
    plan: Plan,
    routes: Sequence[Route],
    *,
    horizon: float | None = None,
    seed: int = 0,
    member: int = 0,
    between_doses: Mapping[str, float] | None = None,
) -> Regimen:
    """Explicit doses of one member, in the units of the routes.

    Parameters
    ----------
    plan
        Prescription.
    routes
        Routes of the model.
    horizon
        End of the simulation, days, exclusive; None if every course of the plan has an end of its own.
    seed, member
        Key of the missed doses and of what arrives of each dose.
    between_doses
        As for `compile_schedule`.

    Raises
    ------
    InputError
        ``regimen.route``, ``regimen.unit``, ``regimen.endless`` or ``regimen.too-many``.
    """
    timetable = _timetable(plan, routes, horizon)
    given = timetable.given(seed, member)
    factors = timetable.arriving(_spreads(between_doses, routes), seed, [member])
    arriving = [1.0] * len(given) if factors is None else factors[0].tolist()
    return Regimen(
        tuple(
            Dose(
                time=float(dose.time),
                route=routes[dose.route].name,
                amount=float(dose.amount) * factor,
                duration=float(dose.duration),
                lag=float(dose.lag),
            )
            for dose, is_given, factor in zip(timetable.doses, given, arriving, strict=True)
            if is_given
        ),
        timetable.resets,
    )


def compile_schedule(
    plans: Sequence[Plan | Regimen],
    routes: Sequence[Route],
    *,
    members: Sequence[int] | None = None,
    seed: int = 0,
    horizon: float | None = None,
    between_doses: Mapping[str, float] | None = None,
) -> Schedule:
    """Stops of all members; the order of courses and doses is irrelevant, and so are the units they are written in.

    Parameters
    ----------
    plans
        One prescription, or one list of explicit doses, per member.
    routes
        Routes of the model, in its order.
    members
        Numbers of the members, which key the missed doses and what arrives of each; 0, 1, 2 ... if not given.
    seed
        Seed of both.
    horizon
        End of the simulation, days; doses at or after it are left out. None if every course has an end of its own.
    between_doses
        By route, the standard deviation of the logarithm of how much of a dose arrives, from dose to dose of a
        patient; 0 for a route that is not there. The median dose arrives as it is.

    Raises
    ------
    InputError
        ``regimen.route``, ``regimen.unit``, ``regimen.endless`` or ``regimen.too-many``.
    """
    numbers = range(len(plans)) if members is None else members
    spreads = _spreads(between_doses, routes)
    timetables: dict[Plan | Regimen, tuple[_Timetable, list[int]]] = {}
    per_member: list[_Timetable] = []
    kept: list[npt.NDArray[np.bool_] | slice] = []
    known: Plan | Regimen | None = None
    for row, (plan, member) in enumerate(zip(plans, numbers, strict=True)):
        # Neighbors mostly share one plan, and to hash a plan takes longer than all else that is done for a member.
        if plan is not known:
            if plan not in timetables:
                timetables[plan] = (_timetable(plan, routes, horizon), [])
            timetable, rows = timetables[plan]
            known = plan
        per_member.append(timetable)
        rows.append(row)
        kept.append(timetable.taking_place(seed, member))
    if not per_member:
        return Schedule.empty(0)
    amounts = [table.amounts for table in per_member]
    for table, rows in timetables.values():
        arriving = table.arriving(spreads, seed, [numbers[row] for row in rows])
        if arriving is not None:
            for row, factors in zip(rows, arriving, strict=True):
                amounts[row] = amounts[row] * np.append(factors, 1.0)[table.dose_of_stop]
    stops = [own[keep] for own, keep in zip(amounts, kept, strict=True)]
    return Schedule(
        offsets=np.cumsum([0, *map(len, stops)], dtype=np.int64),
        times=np.concatenate([table.times[keep] for table, keep in zip(per_member, kept, strict=True)]),
        kinds=np.concatenate([table.kinds[keep] for table, keep in zip(per_member, kept, strict=True)]),
        routes=np.concatenate([table.routes[keep] for table, keep in zip(per_member, kept, strict=True)]),
        amounts=np.concatenate(stops),
    )


def _spreads(between_doses: Mapping[str, float] | None, routes: Sequence[Route]) -> FloatArray:
    """Standard deviation of the logarithm of what arrives, shape [route]."""
    spreads = np.zeros(len(routes))
    for name, spread in (between_doses or {}).items():
        if not (math.isfinite(spread) and spread >= 0.0):
            raise InputError(
                f"the spread between doses of route `{name}` is {spread!r}",
                code="regimen.value",
                expected="a finite number, not negative",
            )
        spreads[_route_index(name, routes)] = spread
    return spreads


def _timetable(plan: Plan | Regimen, routes: Sequence[Route], horizon: float | None) -> _Timetable:
    end = None if horizon is None else exact(horizon)
    if isinstance(plan, Regimen):
        doses = [_explicit(dose, routes) for dose in plan.doses]
    else:
        doses = [dose for course in plan.courses for dose in _scheduled(course, routes, end)]
    # A dose of nothing is no stop: stopping alone would change the steps, and with them the last bits of the result.
    doses = sorted(dose for dose in doses if dose.amount and (end is None or dose.time < end))
    if len(doses) > MAX_DOSES:
        raise _too_many(len(doses))
    resets = [exact(time) for time in plan.resets if end is None or exact(time) < end]
    stops = [(float(time), StopKind.RESET, 0, 0.0, -1) for time in resets]
    for index, dose in enumerate(doses):
        stops += _stops(index, dose, next((time for time in resets if time > dose.time), None))
    stops.sort()
    return _Timetable(
        doses=tuple(doses),
        resets=tuple(float(time) for time in resets),
        missing=np.array([float(dose.missing) for dose in doses], dtype=np.float64),
        dose_of_stop=np.array([stop[4] for stop in stops], dtype=np.int64),
        times=np.array([stop[0] for stop in stops], dtype=np.float64),
        kinds=np.array([int(stop[1]) for stop in stops], dtype=np.int64),
        routes=np.array([stop[2] for stop in stops], dtype=np.int64),
        amounts=np.array([stop[3] for stop in stops], dtype=np.float64),
    )


def _stops(index: int, dose: _Scheduled, reset: Fraction | None) -> list[tuple[float, StopKind, int, float, int]]:
    """Stops of a dose, given the first reset after it was given: what has not entered by then never will."""
    begin = dose.time + dose.lag
    end = begin + dose.duration
    if reset is not None and reset <= begin:
        return []
    if not dose.duration:
        return [(float(begin), StopKind.BOLUS, dose.route, float(dose.amount), index)]
    rate = float(dose.amount / dose.duration)
    stops = [(float(begin), StopKind.RATE, dose.route, rate, index)]
    if reset is None or end < reset:
        stops.append((float(end), StopKind.RATE, dose.route, -rate, index))
    return stops


def _explicit(dose: Dose, routes: Sequence[Route]) -> _Scheduled:
    route = _route_index(dose.route, routes)
    return _Scheduled(exact(dose.time), route, exact(dose.amount), exact(dose.duration), exact(dose.lag), Fraction(0))


def _scheduled(course: Course, routes: Sequence[Route], horizon: Fraction | None) -> list[_Scheduled]:
    """Doses of a course, none of them missed yet."""
    index = _route_index(course.route, routes)
    source = unit(course.unit)
    target = routes[index].unit
    if source.dimension != target.dimension:
        raise InputError(
            f"a dose by route `{routes[index].name}` cannot be given in {course.unit}",
            code="regimen.unit",
            found=f"{course.unit}, which is {source.dimension}",
            expected=f"{target.text}, which is {target.dimension}",
        )
    amount = course.amount * source.factor / target.factor
    times = _times(course, horizon)
    return [_Scheduled(time, index, amount, course.duration, course.lag, course.missing) for time in times]


def _times(course: Course, horizon: Fraction | None) -> list[Fraction]:
    """Times of the doses of a course, interruptions observed."""
    pauses = [(pause.start, pause.end) for pause in course.interruptions if not pause.restart]
    if course.every is None:
        pauses += [(stop.start, stop.end) for stop in course.interruptions if stop.restart]
        return [course.start] if _is_given(course.start, pauses) else []
    ends = [end for end in (course.until, horizon) if end is not None]
    if not ends and not any(pause.end is None for pause in course.interruptions):
        raise InputError(
            f"the course of {course.route} doses has no end",
            code="regimen.endless",
            advice="add an end such as `until 180 d`, `for 4 wk` or `x 28`, or simulate up to a horizon",
        )
    restarts = [(stop.start, stop.end) for stop in course.interruptions if stop.restart and stop.end is not None]
    last = min([*ends, *(pause.start for pause in course.interruptions if pause.end is None)])
    times: list[Fraction] = []
    begin = course.start
    for stop, restart in (*restarts, (last, last)):
        times += _every(course.every, begin, min(stop, last), len(times))
        # A course that is to begin after its restart has nothing to begin anew.
        begin = max(restart, begin)
    return [time for time in times if _is_given(time, pauses)]


def _every(every: Fraction, begin: Fraction, end: Fraction, already: int) -> list[Fraction]:
    count = max(math.ceil((end - begin) / every), 0)
    if already + count > MAX_DOSES:
        raise _too_many(already + count)
    return [begin + index * every for index in range(count)]


def _is_given(time: Fraction, pauses: Sequence[tuple[Fraction, Fraction | None]]) -> bool:
    return not any(start <= time and (end is None or time < end) for start, end in pauses)


def _route_index(name: str, routes: Sequence[Route]) -> int:
    """Index of a route; capitals matter only if two routes differ by nothing else."""
    names = [route.name for route in routes]
    if name in names:
        return names.index(name)
    folded = [index for index, known in enumerate(names) if known.casefold() == name.casefold()]
    if len(folded) == 1:
        return folded[0]
    raise InputError(
        f"the model has no route `{name}`",
        code="regimen.route",
        expected=", ".join(f"`{known}`" for known in names) or "no doses: the model has no route",
        advice=did_you_mean(name, names),
    )


def _too_many(count: int) -> InputError:
    return InputError(
        f"the regimen has {count} doses",
        code="regimen.too-many",
        expected=f"at most {MAX_DOSES}",
        advice="check the unit of the interval, or infuse: `over 2 h`",
    )
