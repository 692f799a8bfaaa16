"""Prescriptions in words: their grammar, and how they are read.

Examples::

    none
    100 mg sc
    100 mg sc every 24 h until 180 d
    100 mg sc every other day; pause 2 wk after 60 d
    loading dose 200 mg sc, then 100 mg sc q12h
    100 mg sc daily from 7 d for 4 wk missing 10 %
    100 mg sc every 8 h x 28; pause from 3 d to 5 d
    100 mg sc daily; stop at 90 d; restart at 120 d; until 360 d
    200 mg iv over 2 h and 100 mg sc every 24 h from 1 d until 14 d
    100 mg sc daily lag 30 min until 90 d and reset at 180 d then 50 mg sc daily for 4 wk
    100 mg sc daily for 4 wk then 100 mg sc every 48 h for 8 wk
    100 mg sc daily from 14 d steady

Grammar; capitals do not matter except in units, and ``,`` or ``;`` may stand between clauses::

    prescription = "none" | part { ("and" | "then") part }
    part         = course | "reset" ["at"] time
    course       = ["loading" ["dose"] ["of"]] number unit route { clause }
    clause       = rhythm                                     without one, one dose
                 | "from" time | "at" time                    first dose, 0 d if not given
                 | "until" time | "for" length | "x" count    end, exclusive: 24 h until 3 d are three doses
                 | "over" length | "rate" number unit         infusion, or absorption of order zero; see below
                 | "lag" length                               from giving a dose to when it begins to enter the body
                 | "missing" number "%"                       each dose is missed with this probability
                 | ("pause" | "skipping") ["from"] time "to" time   no doses from the first time to before the second
                 | ("pause" | "skipping") ["for"] length "after" time   the same, by its length
                 | "stop" ["at"] time                         no doses from then on ...
                 | "restart" ["at"] time                      ... and the timetable begins anew
                 | "steady" ["added"]                         the doses were always given before the first
    rhythm       = "every" period | "daily" | "weekly" | "qd" | "bid" | "tid" | "qid" | "qod" | "qw" | such as "q12h"
                 | ("once" | "twice" | "thrice" | count "times") ("daily" | "weekly" | ("a" | "per" | "every") period)
    period       = length | ["other" | "second" | "third"] ("hour" | "day" | "week")
    time         = length | "day" number                      days since the start of the simulation
    length       = number unit
    number       = digits with a decimal point and exponent, or a fraction such as 1/3

A route is called as the model calls it; "subcutaneously", "subcut" and "s.c." are "sc" as well, "intravenously" and
"i.v." are "iv", "intramuscularly" and "i.m." are "im", unless the model has a route of that very name.

"and" puts courses side by side; "then" begins a course where the one before it ends, or one interval after a loading
dose, unless it has a "from" of its own. "x" counts the places of the timetable, so a dose that falls into a pause is
not made up for. "reset" returns the patient to the untreated state of the beginning: what was given before is gone,
even if its lag is not over, and what is given at the same time is given after it. Courses go on.

Bioavailability changes how much an infusion "over 2 h" brings an hour, and how long one at a "rate 50 mg/h" takes.
"steady" lets the first dose find the drug as if its doses had always been given, in place of all that was given before
by any route, or "added" to it (`simulate.regimen.steady`); the end may then be the start, so that none is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from simulate.errors import Where, did_you_mean
from simulate.regimen.doses import JOINTS, Course, Interruption, Plan, prescribed, route_is_free
from simulate.regimen.tokens import EXAMPLE, Token, Tokens, quoted
from simulate.symbolic.units import Unit, unit


def parse_regimen(text: str, *, where: Where | None = None) -> Plan:
    """Read a prescription; the grammar is at the top of this module.

    Parameters
    ----------
    text
        Such as ``100 mg sc every 24 h until 180 d``.
    where
        Place of the text, for errors; the column counts from the beginning of the text.

    Raises
    ------
    InputError
        ``regimen.empty``, ``regimen.syntax``, ``regimen.number``, ``regimen.unit``, ``regimen.value`` or
        ``regimen.conflict``.
    """
    return _read_plan(Tokens(text, where or Where()))


def _read_plan(tokens: Tokens) -> Plan:
    first = tokens.peek()
    if first is None:
        raise tokens.error("the regimen is empty", None, "regimen.empty", advice=f"write `none`, or doses {EXAMPLE}")
    if first.folded == "none":
        tokens.at += 1
        rest = tokens.peek()
        if rest is not None:
            raise tokens.error("something follows `none`", rest, found=quoted(rest.text))
        return Plan()
    courses: list[Course] = []
    resets: list[Fraction] = []
    begin: Fraction | None = Fraction(0)
    loaded: Fraction | None = None
    joint: Token | None = None
    follows = False
    while True:
        following = tokens.peek()
        load: Fraction | None = None
        if following is not None and tokens.maybe("reset"):
            resets.append(_read_reset(tokens, following))
            ended: Fraction | None = resets[-1]
        else:
            reader = _CourseReader(tokens, begin, joint, loaded, follows=follows)
            courses.append(reader.read())
            ended = courses[-1].until
            load = courses[-1].start if reader.is_loading else None
        joint = tokens.peek()
        if joint is None:
            return Plan(tuple(courses), tuple(resets))
        tokens.at += 1
        is_next = joint.folded == "then"
        follows = is_next and following is not None and following.folded != "reset"
        begin, loaded = (ended, load) if is_next else (Fraction(0), None)


def _read_reset(tokens: Tokens, reset: Token) -> Fraction:
    tokens.maybe("at")
    time, _ = tokens.time("the time of the reset")
    tokens.blame(lambda: Plan(resets=(time,)), reset)
    following = tokens.peek()
    if following is not None and following.folded not in JOINTS:
        raise tokens.error(
            "something follows the time of a reset",
            following,
            found=quoted(following.text),
            expected="`and` or `then` before the next course",
        )
    return time


class _CourseReader:
    """Reads one course: the dose, then clauses in any order."""

    def __init__(
        self,
        tokens: Tokens,
        begin: Fraction | None,
        joint: Token | None = None,
        loaded: Fraction | None = None,
        *,
        follows: bool = False,
    ) -> None:
        self.follows = follows
        self.tokens = tokens
        self.begin = begin
        self.joint = joint
        self.loaded = loaded
        self.is_loading = False
        self.given: dict[str, Token] = {}
        self.start: Fraction | None = None
        self.every: Fraction | None = None
        self.until: Fraction | None = None
        self.length: Fraction | None = None
        self.count: int | None = None
        self.duration = Fraction(0)
        self.lag = Fraction(0)
        self.missing = Fraction(0)
        self.rate: tuple[Fraction, Unit, Token] | None = None
        self.steady = 0
        self.interruptions: list[Interruption] = []
        self.stopped: tuple[Fraction, Token] | None = None

    def read(self) -> Course:
        loading = self.tokens.peek()
        if loading is not None and self.tokens.maybe("loading"):
            self.is_loading = True
            self.tokens.maybe("dose")
            self.tokens.maybe("of")
        amount, first = self.tokens.number("the amount of a dose")
        _, unit_token = self.tokens.unit("the unit of the dose", "dose")
        route = self.tokens.take("the route of the dose", "word")
        name = _DOTTED.sub(r"\1", route.text) if _DOTTED.match(route.text) else route.text
        if not route_is_free(name):
            raise self.tokens.error(
                "the route of the dose is missing",
                route,
                found=quoted(route.text),
                expected="a route of the model after the unit, such as `sc`",
                advice="`loading` goes before: `loading dose 200 mg sc, then 100 mg sc daily`"
                if route.folded == "loading"
                else None,
            )
        while (token := self.tokens.peek()) is not None and token.folded not in JOINTS:
            self.clause(token)
        repeats = [self.given[kind] for kind in ("rhythm", "end", "steady") if kind in self.given]
        if self.is_loading and repeats:
            raise self.tokens.error(
                "a loading dose is given once",
                repeats[0],
                "regimen.conflict",
                advice="`loading dose 200 mg sc, then 100 mg sc daily`",
            )
        if self.stopped is not None:
            self.interruptions.append(Interruption(self.stopped[0], None))
        return self.finish(amount, unit_token.text, name, first)

    def finish(self, amount: Fraction, unit_text: str, route: str, first: Token) -> Course:
        start = self.start if self.start is not None else self.begin
        if start is None and self.loaded is not None and self.every is not None:
            start = self.loaded + self.every
        if start is None and self.loaded is not None:
            raise self.tokens.error(
                "how often doses follow the loading dose is not said, so they have no beginning",
                self.joint,
                "regimen.conflict",
                advice="add a rhythm, such as `every 24 h`, or a `from`",
            )
        if start is None:
            raise self.tokens.error(
                "the course before `then` has no end, so this one has no beginning",
                self.joint,
                "regimen.conflict",
                advice="end the one before, as in `daily for 4 wk`; give this one a `from`; or begin the one before "
                "with `loading dose`",
            )
        until = self.until
        if self.length is not None:
            until = start + self.length
        if self.count is not None:
            if self.every is None:
                raise self.tokens.error(
                    "doses are counted, but not how often they are given",
                    self.given["end"],
                    "regimen.conflict",
                    advice="add a rhythm, such as `every 24 h`",
                )
            until = start + self.count * self.every
        duration = self.duration if self.rate is None else self.length_at(self.rate, amount, unit_text)
        return self.tokens.blame(
            lambda: Course(
                amount=amount,
                unit=unit_text,
                route=route,
                start=start,
                every=self.every,
                until=until,
                duration=duration,
                missing=self.missing,
                interruptions=tuple(self.interruptions),
                lag=self.lag,
                rated=self.rate is not None,
                steady=self.steady,
                counted=self.count is not None,
                spans=self.length is not None,
                follows=self.follows and self.start is None,
            ),
            self.given.get("end", first),
        )

    def clause(self, token: Token) -> None:
        rule = _CLAUSES.get(token.folded)
        if rule is None and (prescribed(token.folded) is not None or token.kind == "number"):
            rule = _CourseReader.read_rhythm
        if rule is None:
            raise self.tokens.error(
                f"{quoted(token.text)} is not a word of regimens",
                token,
                expected="every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
                "pause, skipping, stop, restart, steady, and, then",
                advice=_ADVICE.get(token.folded) or _every_what(token.text),
            )
        self.tokens.at += 1
        rule(self, token)

    def once(self, kind: str, token: Token) -> None:
        """Refuse two clauses that say the same thing."""
        earlier = self.given.setdefault(kind, token)
        if earlier is not token:
            raise self.tokens.error(
                f"`{token.folded}` says again what `{earlier.folded}` in column {earlier.column} has said",
                token,
                "regimen.conflict",
                advice="keep one of them, or join two courses by `and`",
            )

    def read_rhythm(self, token: Token) -> None:
        self.once("rhythm", token)
        if token.folded == "every":
            self.every = self.period()
        elif token.folded in _PERIODS:
            self.every = _PERIODS[token.folded]
        elif (interval := prescribed(token.folded)) is not None:
            self.every = interval
        else:
            self.every = self.repeated(token)

    def repeated(self, token: Token) -> Fraction | None:
        """Days between doses that are given so many times in a period; None for a single dose."""
        times = Fraction(_TIMES.get(token.folded, 0))
        if token.kind == "number":
            self.tokens.at -= 1
            times, _ = self.tokens.number("how often doses are given")
            if not self.tokens.maybe("times"):
                raise self.tokens.error(
                    "a number says nothing by itself",
                    token,
                    found=quoted(token.text),
                    expected="such as `3 times a day`, `x 28` for a number of doses, or `for 28 d`",
                )
            if times.denominator != 1 or times < 1:
                raise self.tokens.error(
                    "doses are not given a whole number of times", token, "regimen.number", found=quoted(token.text)
                )
        period = next((days for word, days in _PERIODS.items() if self.tokens.maybe(word)), None)
        if period is None and self.tokens.maybe("a", "per", "every"):
            period = self.period()
        if period is None and token.folded != "once":
            said = token.text if token.kind == "word" else f"{token.text} times"
            raise self.tokens.error(f"`{said}` needs `daily`, `weekly`, `a day`, `a week` or the like", token)
        return None if period is None else period / times

    def period(self) -> Fraction:
        """A length of time, or a word for one."""
        every = self.tokens.peek()
        step = next((number for word, number in _EVERY_OTHER.items() if self.tokens.maybe(word)), 1)
        for word, days in _WORDS_OF_TIME.items():
            if self.tokens.maybe(word):
                return step * days
        if step > 1 and every is not None:
            said = every.text
            raise self.tokens.error(
                "the interval between doses is missing",
                self.tokens.peek(),
                expected=f"`every {said} hour`, `every {said} day` or `every {said} week`",
            )
        return self.tokens.length("the interval between doses")

    def read_start(self, token: Token) -> None:
        self.once("start", token)
        self.start, _ = self.tokens.time("the time of the first dose")

    def read_until(self, token: Token) -> None:
        self.once("end", token)
        self.until, _ = self.tokens.time("the end of the course")

    def read_length(self, token: Token) -> None:
        self.once("end", token)
        self.length = self.tokens.length("the length of the course")

    def read_count(self, token: Token) -> None:
        self.once("end", token)
        count, number = self.tokens.number("the number of doses")
        if count.denominator != 1 or count < 1:
            raise self.tokens.error(
                "the number of doses is not a whole number of at least 1",
                number,
                "regimen.number",
                found=quoted(number.text),
            )
        self.count = count.numerator

    def read_duration(self, token: Token) -> None:
        self.once("infusion", token)
        self.duration = self.tokens.length("the duration of the infusion")
        if self.duration == 0:
            raise self.tokens.error(
                "an infusion takes time",
                token,
                "regimen.value",
                found="a duration of zero",
                advice="leave `over` out for a dose given at once",
            )

    def read_rate(self, token: Token) -> None:
        self.once("infusion", token)
        rate, number = self.tokens.number("the rate of the infusion")
        found, _ = self.tokens.unit("the unit of the rate", "rate")
        if not rate:
            raise self.tokens.error("the rate of the infusion is zero", number, "regimen.value")
        self.rate = rate, found, number

    def length_at(self, rate: tuple[Fraction, Unit, Token], amount: Fraction, unit_text: str) -> Fraction:
        """Days that an amount takes at a rate."""
        value, of_rate, token = rate
        of_dose = unit(unit_text)
        if of_rate.dimension != of_dose.dimension / unit("d").dimension:
            raise self.tokens.error(
                "the unit of the rate is not that of the dose over a unit of time",
                token,
                "regimen.unit",
                found=f"{of_rate.text} for a dose in {unit_text}",
                expected=f"such as {unit_text}/h",
            )
        return amount * of_dose.factor / (value * of_rate.factor)

    def read_steady(self, token: Token) -> None:
        self.once("steady", token)
        self.steady = 2 if self.tokens.maybe("added") else 1

    def read_lag(self, token: Token) -> None:
        self.once("lag", token)
        self.lag = self.tokens.length("the lag of the doses")

    def read_missing(self, token: Token) -> None:
        self.once("missing", token)
        number, _ = self.tokens.number("the share of missed doses")
        if not self.tokens.maybe("%", "percent"):
            raise self.tokens.error(
                "the share of missed doses is not in percent",
                token,
                "regimen.unit",
                expected="such as `missing 10 %`",
            )
        self.missing = number / 100

    def read_pause(self, token: Token) -> None:
        if self.tokens.maybe("for"):
            length, counted, is_length, is_day = self.tokens.length("the length of the pause"), False, True, False
        else:
            counted = self.tokens.maybe("from")
            length, is_day = self.tokens.time("the start of the pause")
            counted, is_length = counted or is_day, False
        if not counted and self.tokens.maybe("after"):
            start, _ = self.tokens.time("the start of the pause")
            end = start + length
        elif not is_length and self.tokens.maybe("to", "until"):
            start = length
            end, _ = self.tokens.time("the end of the pause", after_day=is_day)
        else:
            raise self.tokens.error(
                "the start of the pause is missing" if is_length else "the end of the pause is missing",
                token,
                expected="such as `pause from 60 d to 90 d` or `pause 2 wk after 60 d`",
            )
        self.interruptions.append(self.tokens.blame(lambda: Interruption(start, end), token))

    def read_stop(self, token: Token) -> None:
        self.tokens.maybe("at")
        if self.stopped is not None:
            raise self.tokens.error("the course is stopped twice", token, "regimen.conflict")
        self.stopped = self.tokens.time("the time of the stop")[0], token

    def read_restart(self, token: Token) -> None:
        self.tokens.maybe("at")
        if self.stopped is None:
            raise self.tokens.error(
                "the course is restarted before it is stopped",
                token,
                "regimen.conflict",
                advice="give the stop first: `stop at 90 d restart at 120 d`",
            )
        stop = self.stopped[0]
        restart = self.tokens.time("the time of the restart")[0]
        self.interruptions.append(self.tokens.blame(lambda: Interruption(stop, restart, restart=True), token))
        self.stopped = None


_ADVICE = {
    "reset": "a reset is a part of its own: `and reset at 90 d`",
    "loading": "a loading dose comes first: `loading dose 200 mg sc, then 100 mg sc daily`",
    "times": "`x` counts all doses; how often they are given needs none: `100 mg sc 3 times a day`",
}
"""What to do about words that stand where they cannot."""


def _every_what(text: str) -> str | None:
    if text[:1].casefold() == "q" and text[1:2].isdigit():
        return "`q` needs a whole number above 0 and `h`, `d` or `wk`: q12h, q2d, q1wk"
    return did_you_mean(text, (*_CLAUSES, *JOINTS))


_EVERY_OTHER = {"other": 2, "second": 2, "third": 3}
_DOTTED = re.compile(r"([A-Za-z])\.")
_PERIODS = {"daily": Fraction(1), "weekly": Fraction(7)}
_WORDS_OF_TIME = {"hour": Fraction(1, 24), "day": Fraction(1), "week": Fraction(7), "wk": Fraction(7)}
_TIMES = {"once": 1, "twice": 2, "thrice": 3}

_CLAUSES: dict[str, Callable[[_CourseReader, Token], None]] = {
    "every": _CourseReader.read_rhythm,
    "daily": _CourseReader.read_rhythm,
    "weekly": _CourseReader.read_rhythm,
    "once": _CourseReader.read_rhythm,
    "twice": _CourseReader.read_rhythm,
    "thrice": _CourseReader.read_rhythm,
    "from": _CourseReader.read_start,
    "at": _CourseReader.read_start,
    "until": _CourseReader.read_until,
    "for": _CourseReader.read_length,
    "x": _CourseReader.read_count,
    "×": _CourseReader.read_count,
    "over": _CourseReader.read_duration,
    "rate": _CourseReader.read_rate,
    "steady": _CourseReader.read_steady,
    "lag": _CourseReader.read_lag,
    "missing": _CourseReader.read_missing,
    "pause": _CourseReader.read_pause,
    "skipping": _CourseReader.read_pause,
    "stop": _CourseReader.read_stop,
    "restart": _CourseReader.read_restart,
}
