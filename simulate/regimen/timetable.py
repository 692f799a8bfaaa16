"""A plan as arrays of scheduled doses, in the units of the routes, before any patient misses one.

Times are sums of exact fractions, rounded once: 8 h is a third of a day, and three times a day and once a day meet at
the same number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError, counted, not_among
from simulate.regimen.doses import LATEST, Course, Plan, Regimen, exact, usual_route
from simulate.solver.kernel import FloatArray, IntArray
from simulate.symbolic.parts import Route
from simulate.symbolic.units import unit

MAX_DOSES = 100_000
"""Largest number of doses of one plan; one a minute for two months."""

_EXACT = 2**53
"""Whole numbers below are doubles, and the quotient of two of them is rounded correctly."""


@dataclass(frozen=True, slots=True, eq=False)
class Doses:
    """Doses in order of time, each column of shape [dose]; days, and the units of the routes.

    ``begin`` and ``end`` are when a dose enters the body, the same for one given at once; ``rate`` is its amount over
    that time, infinite for one given at once. ``rated`` tells whether bioavailability changes the time, not the rate.
    """

    time: FloatArray
    route: IntArray
    amount: FloatArray
    duration: FloatArray
    lag: FloatArray
    missing: FloatArray
    begin: FloatArray
    end: FloatArray
    rate: FloatArray
    rated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time)

    def of(self, chosen: npt.NDArray[np.bool_] | IntArray) -> Doses:
        """Some of the doses."""
        return Doses(*(getattr(self, column.name)[chosen] for column in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Doses]) -> Doses:
        """Doses of several courses, in order."""
        parts = parts or [_columns(*(Fraction(0),) * 2, np.zeros(0, dtype=np.int64), 0, *(Fraction(0),) * 4)]
        whole = Doses(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))
        keys = (whole.missing, whole.lag, whole.duration, whole.amount, whole.route, whole.time)
        return whole.of(np.lexsort(keys))


@dataclass(frozen=True, slots=True)
class Steady:
    """Doses that were always given, when the next is due; days, exactly, and the unit of the route.

    ``endless`` marks one infusion at a set rate that ends then.
    """

    time: Fraction
    replaces: bool
    route: int
    amount: Fraction
    every: Fraction
    duration: Fraction
    lag: Fraction
    rated: bool
    endless: bool

    def under_way(self, share: float) -> list[tuple[float, float, float]]:
        """Doses of the train that have not ended: when each was given, begins and ends, in the order of time.

        ``share`` is what the duration is multiplied by.
        """
        duration = self.duration if share == 1.0 else exact(float(self.duration) * share)
        count = -((self.lag + duration) // -self.every)
        found = []
        for number in range(int(count), 0, -1):
            given = self.time - number * self.every
            begin, end = given + self.lag, given + self.lag + duration
            # What ends by less than rounding later has ended: as a dose of no length it would be given again.
            if begin >= self.time or float(end) > float(self.time):
                found.append((float(given), float(max(begin, self.time)), float(end)))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """A plan up to a horizon, at which there may be something: its doses, steady states, and resets (days).

    ``cuts`` are when what was given before and has not entered never will, ascending; each is a reset, which ends
    infusions by itself, or a steady state that replaces them.
    """

    doses: Doses
    steady: tuple[Steady, ...]
    resets: FloatArray
    cuts: FloatArray
    is_reset: npt.NDArray[np.bool_]


def timetable_of(plan: Plan | Regimen, routes: Sequence[Route], horizon: float | None) -> Timetable:
    """Doses of a plan, none of them missed yet.

    Raises
    ------
    InputError
        ``regimen.route``, ``regimen.unit``, ``regimen.endless``, ``regimen.too-many`` or ``regimen.conflict``.
    """
    end = None if horizon is None else exact(horizon)
    steady: list[Steady] = []
    if isinstance(plan, Regimen):
        parts = [_explicit(plan, routes)]
    else:
        parts = [_scheduled(course, routes, end) for course in plan.courses]
        steady = [_steady(course, routes) for course in plan.courses if course.steady]
    doses = Doses.joined(parts)
    # A dose of nothing is no stop: stopping alone would change the steps, and with them the last bits of the result.
    doses = doses.of((doses.amount > 0.0) & (doses.time <= (math.inf if end is None else float(end))))
    if len(doses) > MAX_DOSES:
        raise too_many(len(doses))
    steady = [one for one in steady if one.amount and (end is None or one.time <= end)]
    replaced = [float(one.time) for one in steady if one.replaces]
    if len(set(replaced)) < len(replaced):
        raise InputError(
            "two steady states replace what was given before at one time",
            code="regimen.conflict",
            found=f"day {next(time for time in replaced if replaced.count(time) > 1):g}",
            expected="one that replaces, and others that are added to it",
            advice="SS 2 in a table, `steady added` in words",
        )
    resets = sorted({float(exact(time)) for time in plan.resets if end is None or exact(time) <= end})
    cuts = np.array(sorted({*resets, *replaced}))
    return Timetable(doses, tuple(steady), np.array(resets), cuts, np.isin(cuts, resets))


def _explicit(regimen: Regimen, routes: Sequence[Route]) -> Doses:
    parts = []
    for dose in regimen.doses:
        spans = exact(dose.duration), exact(dose.lag), Fraction(0)
        index = route_index(dose.route, routes)
        parts.append(
            _columns(exact(dose.time), Fraction(0), np.zeros(1, dtype=np.int64), index, exact(dose.amount), *spans)
        )
    return Doses.joined(parts)


def _steady(course: Course, routes: Sequence[Route]) -> Steady:
    assert course.every is not None
    index = route_index(course.route, routes)
    count = (course.lag + course.duration) / course.every
    if count > MAX_DOSES:
        raise too_many(math.ceil(count))
    return Steady(
        time=course.start,
        replaces=course.steady == 1,
        route=index,
        amount=_amount(course, routes[index]),
        every=course.every,
        duration=course.duration,
        lag=course.lag,
        rated=course.rated,
        endless=course.rated and course.duration == course.every and course.until == course.start,
    )


def _amount(course: Course, route: Route) -> Fraction:
    """Amount of a dose in the unit of its route."""
    source, target = unit(course.unit), route.unit
    if source.dimension != target.dimension:
        raise InputError(
            f"a dose by route `{route.name}` cannot be given in {course.unit}",
            code="regimen.unit",
            found=f"{course.unit}, which is {source.dimension.in_words()}",
            expected=f"{target.text}, which is {target.dimension.in_words()}",
        )
    return course.amount * source.factor / target.factor


def _scheduled(course: Course, routes: Sequence[Route], horizon: Fraction | None) -> Doses:
    """Doses of a course, none of them missed yet."""
    index = route_index(course.route, routes)
    amount = _amount(course, routes[index])
    parts = []
    for begin, count in _stretches(course, horizon):
        numbers = np.arange(count)
        times = _sums(begin, course.every or Fraction(0), numbers)
        kept = numbers[_given(times, course)]
        parts.append(
            _columns(
                begin,
                course.every or Fraction(0),
                kept,
                index,
                amount,
                course.duration,
                course.lag,
                course.missing,
                rated=course.rated,
            )
        )
    return Doses.joined(parts)


def _columns(
    start: Fraction,
    every: Fraction,
    numbers: IntArray,
    route: int,
    amount: Fraction,
    duration: Fraction,
    lag: Fraction,
    missing: Fraction,
    *,
    rated: bool = False,
) -> Doses:
    """Doses at ``start + number * every`` that are alike."""
    size = len(numbers)

    def same(value: Fraction) -> FloatArray:
        return np.full(size, float(value))

    return Doses(
        time=_sums(start, every, numbers),
        route=np.full(size, route, dtype=np.int64),
        amount=same(amount),
        duration=same(duration),
        lag=same(lag),
        missing=same(missing),
        begin=_sums(start + lag, every, numbers),
        end=_sums(start + lag + duration, every, numbers),
        rate=same(amount / duration) if duration else np.full(size, np.inf),
        rated=np.full(size, rated),
    )


def _sums(first: Fraction, step: Fraction, numbers: IntArray) -> FloatArray:
    """``first + number * step``, exact and then rounded, shape [number]."""
    below = math.lcm(first.denominator, step.denominator)
    begin, width = int(first * below), int(step * below)
    if not len(numbers) or (below < _EXACT and begin + width * int(numbers[-1]) < _EXACT):
        return np.asarray((begin + width * np.asarray(numbers, dtype=np.int64)) / below, dtype=np.float64)
    return np.array([float(first + int(number) * step) for number in numbers])


def _stretches(course: Course, horizon: Fraction | None) -> list[tuple[Fraction, int]]:
    """Where the timetable of a course begins, and how many places it has until it stops, restarts observed."""
    if course.every is None:
        return [(course.start, 1)]
    ends = [course.until] if course.until is not None else []
    if not ends and horizon is None and not any(pause.end is None for pause in course.interruptions):
        raise InputError(
            f"the course of {course.route} doses has no end",
            code="regimen.endless",
            advice="add an end such as `until 180 d`, `for 4 wk` or `x 28`, or simulate up to a horizon",
        )
    restarts = [(stop.start, stop.end) for stop in course.interruptions if stop.restart and stop.end is not None]
    ends += [pause.start for pause in course.interruptions if pause.end is None]
    last = min(ends, default=Fraction(2 * LATEST))
    found: list[tuple[Fraction, int]] = []
    begin = course.start
    for stop, restart in (*restarts, (last, last)):
        count = math.ceil((min(stop, last) - begin) / course.every)
        if horizon is not None:
            count = min(count, (horizon - begin) // course.every + 1)
        found.append((begin, max(count, 0)))
        if sum(count for _, count in found) > MAX_DOSES:
            raise too_many(sum(count for _, count in found))
        # A course that is to begin after its restart has nothing to begin anew.
        begin = max(restart, begin)
    return found


def _given(times: FloatArray, course: Course) -> npt.NDArray[np.bool_]:
    """Which times fall into no pause; the dose of a course without a rhythm is given anew at no restart."""
    given = np.ones(len(times), dtype=np.bool_)
    for pause in course.interruptions:
        if not pause.restart or course.every is None:
            given &= (times < float(pause.start)) | (times >= (math.inf if pause.end is None else float(pause.end)))
    return given


def route_index(name: str, routes: Sequence[Route]) -> int:
    """Index of a route; capitals, and other words for it, matter only if two routes differ by nothing else."""
    names = [route.name for route in routes]
    if name in names:
        return names.index(name)
    for alike in (str.casefold, usual_route):
        found = [index for index, known in enumerate(names) if alike(known) == alike(name)]
        if len(found) == 1:
            return found[0]
    what, none = f"the model has no route `{name}`", "no doses: the model has no route"
    raise not_among(what, name, names, code="regimen.route", none=none)


def routes_given(plans: Sequence[Plan], routes: Sequence[Route]) -> tuple[Route, ...]:
    """Routes by which some prescriptions give something, in the order of the model."""
    given = {route_index(course.route, routes) for plan in plans for course in plan.courses}
    return tuple(routes[index] for index in sorted(given))


def too_many(count: int) -> InputError:
    """The error of a plan with too many doses."""
    return InputError(
        f"the regimen has {counted(count, 'dose')}",
        code="regimen.too-many",
        expected=f"at most {MAX_DOSES}",
        advice="check the unit of the interval, or infuse: `over 2 h`",
    )
