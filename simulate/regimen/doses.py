"""Prescriptions and the doses that they come to, as immutable values.

A `Plan` is what a physician writes; a `Regimen` is its normal form, explicit doses. Amounts and times of a plan are
exact fractions, because 8 h is a third of a day: three times a day and once a day must meet at the same instant, and
a dose at 179.99999999999997 d would slip in before an exclusive end at 180 d.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from simulate.errors import InputError

LATEST = 100_000
"""Latest time of a plan, days."""

JOINTS = ("and", "then")
"""Words between courses."""

RESERVED = frozenset(
    "and then none every once twice daily weekly from at to until for x over missing percent pause skipping "
    "stop restart day lag reset rate steady added other thrice times after loading".split()
)
"""Words of the language of regimens, which cannot be the names of routes; nor can what is written on prescriptions."""

PRESCRIBED = {
    "qd": Fraction(1),
    "bid": Fraction(1, 2),
    "tid": Fraction(1, 3),
    "qid": Fraction(1, 4),
    "qod": Fraction(2),
    "qw": Fraction(7),
}
"""Days between doses, as prescriptions have them."""

_SYNONYMS = {
    **dict.fromkeys(("subcutaneously", "subcutaneous", "subcut", "subq", "sq"), "sc"),
    **dict.fromkeys(("intravenously", "intravenous"), "iv"),
    **dict.fromkeys(("intramuscularly", "intramuscular"), "im"),
}
"""What routes are called besides their usual names."""

USUAL_ROUTES = frozenset({*_SYNONYMS.values(), "po"})
"""Names of routes that everybody knows, whatever routes a model has."""

_EVERY = re.compile(r"q([1-9][0-9]{0,3})(h|d|w|wk)")

_SHORTEST = Fraction(1, 1_000_000)
_ROUTE_NAME = re.compile(r"(?![xX][0-9])[A-Za-z_][A-Za-z0-9_]*")
_UNIT_TEXT = re.compile(r"[^\s;,0-9.][^\s;,]*")


def route_is_free(name: str) -> bool:
    """Whether a text can be the name of a route: an ASCII identifier that is no word of the language."""
    return _ROUTE_NAME.fullmatch(name) is not None and name.casefold() not in RESERVED and prescribed(name) is None


def usual_route(name: str) -> str:
    """The usual name of a route that has others, such as ``sc`` for ``subcutaneously``, in small letters."""
    folded = name.casefold()
    return _SYNONYMS.get(folded, folded)


def prescribed(word: str) -> Fraction | None:
    """Days between doses that a word such as ``bid`` or ``q48h`` of a prescription says; None for another word."""
    found = _EVERY.fullmatch(word.casefold())
    if found is None:
        return PRESCRIBED.get(word.casefold())
    return int(found[1]) * {"h": Fraction(1, 24), "d": Fraction(1)}.get(found[2], Fraction(7))


@dataclass(frozen=True, slots=True, order=True)
class Dose:
    """One administration: ``amount`` by ``route`` at ``time`` (days), over ``duration`` days (0: at once).

    The amount is in the unit of the route; it begins to enter the body ``lag`` days after ``time``.
    """

    time: float
    route: str
    amount: float
    duration: float = 0.0
    lag: float = 0.0

    def __post_init__(self) -> None:
        numbers = (("time", self.time), ("amount", self.amount), ("duration", self.duration), ("lag", self.lag))
        for what, number in numbers:
            check_not_negative(f"the {what} of a dose", number)


@dataclass(frozen=True, slots=True)
class Regimen:
    """Explicit doses and resets (days) in order of time, whatever the order in which they were given."""

    doses: tuple[Dose, ...] = ()
    resets: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "doses", tuple(sorted(self.doses)))
        for time in self.resets:
            check_not_negative("the time of a reset", time)
        object.__setattr__(self, "resets", tuple(sorted(set(self.resets))))

    def __add__(self, other: Regimen) -> Regimen:
        """The doses and resets of both."""
        return Regimen(self.doses + other.doses, self.resets + other.resets)


@dataclass(frozen=True, slots=True)
class Interruption:
    """No doses from ``start`` up to but not including ``end`` (days; None: for good).

    The timetable is kept, or begins anew at ``end`` where ``restart`` is set.
    """

    start: Fraction
    end: Fraction | None
    restart: bool = False

    def __post_init__(self) -> None:
        if self.end is None:
            _check("time of a stop", self.start)
            if self.restart:
                raise InputError("a restart has no time", code="regimen.value")
            return
        _check("start of an interruption", self.start)
        _check("end of an interruption", self.end)
        if self.end <= self.start:
            raise InputError(
                f"the interruption ends at {shown(self.end)} d, not after its start at {shown(self.start)} d",
                code="regimen.value",
                advice="the start comes first: `pause from 60 d to 90 d`",
            )


@dataclass(frozen=True, slots=True)
class Course:
    """One line of a prescription.

    Attributes
    ----------
    amount, unit, route
        What a dose is; the unit as text, the route by its name in the model.
    start, every, until
        Days. Doses are scheduled at ``start + k * every`` before ``until``, which is exclusive. Without ``every`` there
        is one dose; without ``until`` the course goes on as long as the simulation.
    duration
        Days over which a dose is infused; 0 for a dose given at once. Once begun, an infusion is finished.
    missing
        Probability with which each dose is missed, independently of the others.
    interruptions
        When no doses are given.
    lag
        Days from giving a dose to when it begins to enter the body.
    rated
        Whether bioavailability changes how long an infusion takes, as its rate is what is set, and not its rate.
    steady
        1 if the doses find the drug as it would be if they had always been given, in place of whatever was given
        before; 2 if that is added to it; 0 if there is no such past. The end may then be the start: no dose is given.
    counted, spans, follows
        Whether the end was written as a number of doses, or as a length, and the start as the end of the course before,
        or as one interval after a loading dose: what they are at another interval.
    """

    amount: Fraction
    unit: str
    route: str
    start: Fraction = Fraction(0)
    every: Fraction | None = None
    until: Fraction | None = None
    duration: Fraction = Fraction(0)
    missing: Fraction = Fraction(0)
    interruptions: tuple[Interruption, ...] = ()
    lag: Fraction = Fraction(0)
    rated: bool = False
    steady: int = 0
    counted: bool = field(default=False, compare=False)
    spans: bool = field(default=False, compare=False)
    follows: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "interruptions", tuple(sorted(self.interruptions, key=_place)))
        if not 0 <= self.amount <= 10**15:
            raise InputError(
                f"the amount of a dose is out of range: {shown(self.amount)} {self.unit}",
                code="regimen.value",
                expected="a number from 0 to 1e15",
            )
        if not _UNIT_TEXT.fullmatch(self.unit):
            raise InputError(f"{self.unit!r} cannot be the unit of a dose", code="regimen.unit", expected="such as mg")
        if not route_is_free(self.route):
            raise InputError(
                f"{self.route!r} cannot be the name of a route", code="regimen.route", expected="such as sc"
            )
        _check("start of a course", self.start)
        _check("duration of an infusion", self.duration)
        _check("lag of a dose", self.lag)
        if 0 < self.duration < _SHORTEST:
            raise InputError(
                f"the infusion is too short: {shown(self.duration)} d",
                code="regimen.value",
                expected="at least 1e-6 d, about 0.1 s",
                advice="give the dose at once",
            )
        if not 0 <= self.missing <= 1:
            raise InputError(
                f"the probability of missing a dose is {shown(self.missing)}",
                code="regimen.value",
                expected="a share from 0 to 1, in words `missing 0 %` to `missing 100 %`",
            )
        if self.steady not in (0, 1, 2):
            raise InputError(f"a steady state cannot be {self.steady}", code="regimen.value", expected="0, 1 or 2")
        self._check_rhythm()

    def _check_rhythm(self) -> None:
        if self.steady and self.every is None:
            raise InputError(
                "a steady state of doses has no interval",
                code="regimen.conflict",
                advice="say how often they were given, such as `every 24 h`",
            )
        if self.every is not None:
            _check("interval between doses", self.every)
            if self.every == 0:
                raise InputError("the interval between doses is zero", code="regimen.value", advice="try `every 24 h`")
        if self.until is not None:
            _check("end of a course", self.until)
            if self.every is None:
                raise InputError(
                    "a single dose has no end",
                    code="regimen.conflict",
                    advice="say how often, such as `every 24 h`, or leave the end out",
                )
            if self.until < self.start or (self.until == self.start and not self.steady):
                raise InputError(
                    f"the course ends at {shown(self.until)} d, not after its start at {shown(self.start)} d",
                    code="regimen.value",
                    advice="the end is a time since the start of the simulation; for a length, write `for 28 d`",
                )
        stops = [pause for pause in self.interruptions if pause.restart or pause.end is None]
        for earlier, later in itertools.pairwise(stops):
            if earlier.end is None or later.start < earlier.end:
                raise InputError(
                    f"the course is stopped at {shown(later.start)} d, when it is not running",
                    code="regimen.conflict",
                    advice="give stops and restarts in turn, in the order of time",
                )

    def due_after(self, day: float | Fraction) -> float:
        """Day of the first scheduled dose after a day; infinite if there is none."""
        last = exact(day)
        if self.start > last:
            return float(self.start)
        if self.every is None:
            return math.inf
        due = self.start + ((last - self.start) // self.every + 1) * self.every
        return math.inf if self.until is not None and due >= self.until else float(due)


@dataclass(frozen=True, slots=True)
class Plan:
    """A prescription: courses side by side. No course means no doses.

    ``resets`` are days at which the patient returns to the untreated state of the beginning; what was given before and
    has not entered the body by then never will. A dose at the time of a reset is given after it.
    """

    courses: tuple[Course, ...] = ()
    resets: tuple[Fraction, ...] = ()

    def __post_init__(self) -> None:
        for time in self.resets:
            _check("time of a reset", time)
        object.__setattr__(self, "resets", tuple(sorted(set(self.resets))))

    def __add__(self, other: Plan) -> Plan:
        """Both prescriptions together."""
        return Plan(self.courses + other.courses, self.resets + other.resets)

    def ended(self, day: float | Fraction) -> Plan:
        """The prescription of which nothing is given from a day on."""
        end, kept = exact(day), []
        for course in self.courses:
            if course.start < end:
                until = end if course.until is None else min(course.until, end)
                kept.append(course if course.every is None else replace(course, until=until))
        return Plan(tuple(kept), self.resets)


def exact(number: float | Fraction) -> Fraction:
    """The fraction that a reader sees: 0.1 is a tenth, not the nearest binary number.

    Raises
    ------
    InputError
        ``regimen.value``: not a finite number.
    """
    if isinstance(number, Fraction):
        return number
    if isinstance(number, int):
        return Fraction(number)
    if not math.isfinite(number):
        raise InputError(f"{number!r} is not a finite number", code="regimen.value")
    return Fraction(repr(float(number)))


def shown(number: Fraction) -> str:
    """A number for a message: short, and never an overflow."""
    return f"{float(number):g}" if abs(number) < 10**300 else "more than 1e300"


def course(
    amount: float | Fraction,
    unit: str,
    route: str,
    *,
    start: float | Fraction = 0,
    every: float | Fraction | None = None,
    until: float | Fraction | None = None,
    duration: float | Fraction = 0,
    missing: float | Fraction = 0,
    interruptions: tuple[Interruption, ...] = (),
    lag: float | Fraction = 0,
    rated: bool = False,
    steady: int = 0,
) -> Course:
    """`Course` from plain numbers, times in days.

    Raises
    ------
    InputError
        ``regimen.value``, ``regimen.unit``, ``regimen.route`` or ``regimen.conflict``.
    """
    return Course(
        amount=exact(amount),
        unit=unit,
        route=route,
        start=exact(start),
        every=None if every is None else exact(every),
        until=None if until is None else exact(until),
        duration=exact(duration),
        missing=exact(missing),
        interruptions=interruptions,
        lag=exact(lag),
        rated=rated,
        steady=steady,
    )


def _place(interruption: Interruption) -> tuple[Fraction, bool, Fraction, bool]:
    end = interruption.end
    return interruption.start, end is None, end or Fraction(0), interruption.restart


def check_not_negative(what: str, number: float) -> None:
    """Refuse what is no finite number, or negative."""
    if not (math.isfinite(number) and number >= 0.0):
        raise InputError(f"{what} is {number!r}", code="regimen.value", expected="a finite number, not negative")


def _check(what: str, days: Fraction) -> None:
    if not 0 <= days <= LATEST:
        raise InputError(
            f"the {what} is out of range: {shown(days)} d",
            code="regimen.value",
            expected=f"a time from 0 to {LATEST} d",
        )
