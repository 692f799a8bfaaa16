from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError, Where
from simulate.regimen.doses import Course, Interruption, Plan, course
from simulate.regimen.stops import realize
from simulate.regimen.timetable import route_index
from simulate.regimen.words import parse_regimen
from simulate.regimen.writing import print_regimen
from tests.helpers.tabled import SC

DAY = Fraction(1)


def error_of(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_regimen(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        ("none", Plan()),
        (" NONE ", Plan()),
        ("100 mg sc", Plan((course(100, "mg", "sc"),))),
        ("100 mg sc at 3 d", Plan((course(100, "mg", "sc", start=3),))),
        ("100 mg sc every 24 h until 180 d", Plan((course(100, "mg", "sc", every=1, until=180),))),
        ("100 mg sc EVERY 24 h", Plan((course(100, "mg", "sc", every=1),))),
        ("100mg sc once daily for 4wk", Plan((course(100, "mg", "sc", every=1, until=28),))),
        ("100 mg sc daily lag 30 min", Plan((course(100, "mg", "sc", every=1, lag=Fraction(1, 48)),))),
        (
            "100 mg sc and reset at day 90 then 50 mg sc daily for 1 wk",
            Plan((course(100, "mg", "sc"), course(50, "mg", "sc", start=90, every=1, until=97)), (Fraction(90),)),
        ),
        ("Reset 90 d and reset at 90 d", Plan((), (Fraction(90),))),
        ("100 mg sc twice daily", Plan((course(100, "mg", "sc", every=0.5),))),
        ("1 mg sc once weekly from day 7 x 2", Plan((course(1, "mg", "sc", start=7, every=7, until=21),))),
        ("100 mg sc every day", Plan((course(100, "mg", "sc", every=1),))),
        ("100 mg sc every other day", Plan((course(100, "mg", "sc", every=2),))),
        ("100 mg sc every second day", Plan((course(100, "mg", "sc", every=2),))),
        ("100 mg sc every THIRD day", Plan((course(100, "mg", "sc", every=3),))),
        (
            "100 mg s.c. every second week and 5 mg I.V.",
            Plan((course(100, "mg", "sc", every=14), course(5, "mg", "IV"))),
        ),
        ("100 mg sc every other week x 2", Plan((course(100, "mg", "sc", every=14, until=28),))),
        ("100 mg sc every wk", Plan((course(100, "mg", "sc", every=7),))),
        (
            "100 mg sc pause day 10 to 20 bid",
            Plan((course(100, "mg", "sc", every=0.5, interruptions=(Interruption(10 * DAY, 20 * DAY),)),)),
        ),
        ("100 mg sc twice a day", Plan((course(100, "mg", "sc", every=0.5),))),
        ("100 mg sc thrice daily", Plan((course(100, "mg", "sc", every=DAY / 3),))),
        ("100 mg sc 4 times per week", Plan((course(100, "mg", "sc", every=7 * DAY / 4),))),
        ("100 mg sc once every 3 d", Plan((course(100, "mg", "sc", every=3),))),
        ("100 mg sc q12h", Plan((course(100, "mg", "sc", every=0.5),))),
        ("100 mg sc Q48H until day 10", Plan((course(100, "mg", "sc", every=2, until=10),))),
        ("100 mg sc q2w", Plan((course(100, "mg", "sc", every=14),))),
        ("100 mg sc bid", Plan((course(100, "mg", "sc", every=0.5),))),
        ("100 mg sc qod", Plan((course(100, "mg", "sc", every=2),))),
        (
            "loading dose 200 mg sc, then 100 mg sc every 12 h",
            Plan((course(200, "mg", "sc"), course(100, "mg", "sc", start=0.5, every=0.5))),
        ),
        (
            "loading 200 mg iv over 2 h at 3 d then 100 mg sc daily until 9 d then 50 mg sc qod",
            Plan(
                (
                    course(200, "mg", "iv", start=3, duration=DAY / 12),
                    course(100, "mg", "sc", start=4, every=1, until=9),
                    course(50, "mg", "sc", start=9, every=2),
                )
            ),
        ),
        (
            "100 mg sc daily, pause 2 wk after 60 d, skipping for 1 d after day 90",
            Plan(
                (
                    course(
                        100,
                        "mg",
                        "sc",
                        every=1,
                        interruptions=(Interruption(60 * DAY, 74 * DAY), Interruption(90 * DAY, 91 * DAY)),
                    ),
                )
            ),
        ),
        ("1 mg sc once", Plan((course(1, "mg", "sc"),))),
        ("100 mg sc every 1/3 d x 3", Plan((course(100, "mg", "sc", every=DAY / 3, until=1),))),
        ("100 mg sc every 8 h for 1 d", Plan((course(100, "mg", "sc", every=DAY / 3, until=1),))),
        ("1e2 mg iv over 2 h", Plan((course(100, "mg", "iv", duration=DAY / 12),))),
        ("100 mg sc daily, missing 10%", Plan((course(100, "mg", "sc", every=1, missing=0.1),))),
        (
            "100 mg sc daily; skipping day 10 to 20; pause from 30 d to 5 wk",
            Plan(
                (
                    course(
                        100,
                        "mg",
                        "sc",
                        every=1,
                        interruptions=(Interruption(10 * DAY, 20 * DAY), Interruption(30 * DAY, 35 * DAY)),
                    ),
                )
            ),
        ),
        (
            "100 mg sc daily; stop at 90 d; restart at 120 d; stop at 200 d",
            Plan(
                (
                    course(
                        100,
                        "mg",
                        "sc",
                        every=1,
                        interruptions=(
                            Interruption(90 * DAY, 120 * DAY, restart=True),
                            Interruption(200 * DAY, None),
                        ),
                    ),
                )
            ),
        ),
        (
            "2 mg iv and 1 mg sc daily for 4 wk then 1 mg sc every 48 h for 8 wk then 3 mg sc daily from 100 d",
            Plan(
                (
                    course(2, "mg", "iv"),
                    course(1, "mg", "sc", every=1, until=28),
                    course(1, "mg", "sc", start=28, every=2, until=84),
                    course(3, "mg", "sc", start=100, every=1),
                )
            ),
        ),
    ],
)
def test_words_mean_a_plan(words: str, plan: Plan) -> None:
    assert parse_regimen(words) == plan


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("100 mg sc daily for 4 wk", "100 mg sc until 28 d every 24 h"),
        ("100 mg sc every 8 h x 3", "100 mg sc every 480 min until 24 h from 0 h"),
        ("100 mg sc daily for 12 w", "100 mg sc daily for 12 weeks"),
        ("1 mg sc daily; from 7 d; x 14", "1 mg sc from 1 wk, daily, for 2 wk"),
        (
            "1 mg sc daily pause from 2 d to 3 d pause from 1 d to 2 d",
            "1 mg sc daily skipping day 1 to 2 pause 48 h to 3 d",
        ),
    ],
)
def test_two_spellings_of_a_regimen_are_one_plan(one: str, other: str) -> None:
    assert parse_regimen(one) == parse_regimen(other)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "  ",
            "error[regimen.empty]: the regimen is empty\n  --> <regimen>:1:1\n"
            "  try:      write `none`, or doses such as `100 mg sc every 24 h until 180 d`",
        ),
        (
            "none 3",
            "error[regimen.syntax]: something follows `none`\n  --> <regimen>:1:6, term `none 3`\n  found:    `3`",
        ),
        (
            "100 mg",
            "error[regimen.syntax]: the route of the dose is missing\n  --> <regimen>:1:7, term `100 mg`\n"
            "  found:    the end of the regimen\n  expected: such as `100 mg sc every 24 h until 180 d`",
        ),
        (
            "100 mg every 24 h",
            "error[regimen.syntax]: the route of the dose is missing\n  --> <regimen>:1:8, term `100 mg every 24 h`\n"
            "  found:    `every`\n  expected: a route of the model after the unit, such as `sc`",
        ),
        (
            "200 mg loading dose, then 100 mg sc daily",
            "error[regimen.syntax]: the route of the dose is missing\n"
            "  --> <regimen>:1:8, term `200 mg loading dose, then 100 mg sc daily`\n"
            "  found:    `loading`\n  expected: a route of the model after the unit, such as `sc`\n"
            "  try:      `loading` goes before: `loading dose 200 mg sc, then 100 mg sc daily`",
        ),
        (
            "-5 mg sc",
            "error[regimen.value]: the amount of a dose is negative\n  --> <regimen>:1:1, term `-5 mg sc`\n"
            "  found:    `-5`\n  expected: a number that is not below 0\n  try:      leave the sign out: `5`",
        ),
        (
            "5 mg sc until −3 d",
            "error[regimen.value]: the end of the course is negative\n"
            "  --> <regimen>:1:15, term `5 mg sc until −3 d`\n"
            "  found:    `−3`\n  expected: a number that is not below 0\n  try:      leave the sign out: `3`",
        ),
        (
            "5 mg sc every second 3 d",
            "error[regimen.syntax]: the interval between doses is missing\n"
            "  --> <regimen>:1:22, term `5 mg sc every second 3 d`\n"
            "  expected: `every second hour`, `every second day` or `every second week`",
        ),
        (
            "100 mg sc evry 24 h",
            "error[regimen.syntax]: `evry` is not a word of regimens\n"
            "  --> <regimen>:1:11, term `100 mg sc evry 24 h`\n"
            "  expected: every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
            "pause, skipping, stop, restart, steady, and, then\n  try:      did you mean `every`?",
        ),
        (
            "100 mg sc every 24 mg",
            "error[regimen.unit]: the interval between doses is not in a unit of time\n"
            "  --> <regimen>:1:20, term `100 mg sc every 24 mg`\n  found:    `mg`\n  expected: such as h, d or wk",
        ),
        (
            "100 mg sc every 24 h until 5 d x 3",
            "error[regimen.conflict]: `x` says again what `until` in column 22 has said\n"
            "  --> <regimen>:1:32, term `100 mg sc every 24 h until 5 d x 3`\n"
            "  try:      keep one of them, or join two courses by `and`",
        ),
        (
            "1,5 mg sc",
            "error[regimen.number]: the comma inside a number is ambiguous\n  --> <regimen>:1:1, term `1,5 mg sc`\n"
            "  found:    `1,5`\n  try:      write a decimal point, as in 1.5, and no separator of thousands",
        ),
        (
            "100 mg sc every 1/0 d",
            "error[regimen.number]: the number is divided by zero\n  --> <regimen>:1:17, term `100 mg sc every 1/0 d`\n"
            "  found:    `1/0`",
        ),
        (
            "100 mg sc x 3",
            "error[regimen.conflict]: doses are counted, but not how often they are given\n"
            "  --> <regimen>:1:11, term `100 mg sc x 3`\n  try:      add a rhythm, such as `every 24 h`",
        ),
        (
            "100 mg sc daily x 2.5",
            "error[regimen.number]: the number of doses is not a whole number of at least 1\n"
            "  --> <regimen>:1:19, term `100 mg sc daily x 2.5`\n  found:    `2.5`",
        ),
        (
            "100 mg sc until 3 d",
            "error[regimen.conflict]: a single dose has no end\n  --> <regimen>:1:11, term `100 mg sc until 3 d`\n"
            "  try:      say how often, such as `every 24 h`, or leave the end out",
        ),
        (
            "1 mg sc daily then 2 mg sc",
            "error[regimen.conflict]: the course before `then` has no end, so this one has no beginning\n"
            "  --> <regimen>:1:15, term `1 mg sc daily then 2 mg sc`\n"
            "  try:      end the one before, as in `daily for 4 wk`; give this one a `from`; or "
            "begin the one before with `loading dose`",
        ),
        (
            "1 mg sc daily missing 10",
            "error[regimen.unit]: the share of missed doses is not in percent\n"
            "  --> <regimen>:1:15, term `1 mg sc daily missing 10`\n  expected: such as `missing 10 %`",
        ),
        (
            "1 mg sc daily missing 110 %",
            "error[regimen.value]: the probability of missing a dose is 1.1\n"
            "  --> <regimen>:1:1, term `1 mg sc daily missing 110 %`\n"
            "  expected: a share from 0 to 1, in words `missing 0 %` to `missing 100 %`",
        ),
        (
            "1 mg sc every 0 h",
            "error[regimen.value]: the interval between doses is zero\n  --> <regimen>:1:1, term `1 mg sc every 0 h`\n"
            "  try:      try `every 24 h`",
        ),
        (
            "1 mg sc daily from 9 d until 3 d",
            "error[regimen.value]: the course ends at 3 d, not after its start at 9 d\n"
            "  --> <regimen>:1:24, term `1 mg sc daily from 9 d until 3 d`\n"
            "  try:      the end is a time since the start of the simulation; for a length, write `for 28 d`",
        ),
        (
            "1 mg sc daily pause 3 d",
            "error[regimen.syntax]: the end of the pause is missing\n"
            "  --> <regimen>:1:15, term `1 mg sc daily pause 3 d`\n  expected: such as `pause from 60 d to 90 d` or "
            "`pause 2 wk after 60 d`",
        ),
        (
            "1 mg sc daily pause for 3 d",
            "error[regimen.syntax]: the start of the pause is missing\n"
            "  --> <regimen>:1:15, term `1 mg sc daily pause for 3 d`\n"
            "  expected: such as `pause from 60 d to 90 d` or `pause 2 wk after 60 d`",
        ),
        (
            "1 mg sc every other 3 d",
            "error[regimen.syntax]: the interval between doses is missing\n"
            "  --> <regimen>:1:21, term `1 mg sc every other 3 d`\n"
            "  expected: `every other hour`, `every other day` or `every other week`",
        ),
        (
            "1 mg sc 28",
            "error[regimen.syntax]: a number says nothing by itself\n"
            "  --> <regimen>:1:9, term `1 mg sc 28`\n  found:    `28`\n"
            "  expected: such as `3 times a day`, `x 28` for a number of doses, or `for 28 d`",
        ),
        (
            "1 mg sc 1.5 times a day",
            "error[regimen.number]: doses are not given a whole number of times\n"
            "  --> <regimen>:1:9, term `1 mg sc 1.5 times a day`\n  found:    `1.5`",
        ),
        (
            "1 mg sc q12h daily",
            "error[regimen.conflict]: `daily` says again what `q12h` in column 9 has said\n"
            "  --> <regimen>:1:14, term `1 mg sc q12h daily`\n"
            "  try:      keep one of them, or join two courses by `and`",
        ),
        (
            "1 mg sc daily pause from 2 wk after day 60",
            "error[regimen.syntax]: the end of the pause is missing\n"
            "  --> <regimen>:1:15, term `1 mg sc daily pause from 2 wk after day 60`\n"
            "  expected: such as `pause from 60 d to 90 d` or `pause 2 wk after 60 d`",
        ),
        (
            "loading dose 2 mg sc then 1 mg sc",
            "error[regimen.conflict]: how often doses follow the loading dose is not said, so they have no beginning\n"
            "  --> <regimen>:1:22, term `loading dose 2 mg sc then 1 mg sc`\n"
            "  try:      add a rhythm, such as `every 24 h`, or a `from`",
        ),
        (
            "loading dose 2 mg sc for 3 d",
            "error[regimen.conflict]: a loading dose is given once\n"
            "  --> <regimen>:1:22, term `loading dose 2 mg sc for 3 d`\n"
            "  try:      `loading dose 200 mg sc, then 100 mg sc daily`",
        ),
        (
            "loading dose 2 mg sc daily",
            "error[regimen.conflict]: a loading dose is given once\n"
            "  --> <regimen>:1:22, term `loading dose 2 mg sc daily`\n"
            "  try:      `loading dose 200 mg sc, then 100 mg sc daily`",
        ),
        (
            "1 mg sc daily pause 3 d to 2 d",
            "error[regimen.value]: the interruption ends at 2 d, not after its start at 3 d\n"
            "  --> <regimen>:1:15, term `1 mg sc daily pause 3 d to 2 d`\n"
            "  try:      the start comes first: `pause from 60 d to 90 d`",
        ),
        (
            "1 mg sc daily restart at 2 d",
            "error[regimen.conflict]: the course is restarted before it is stopped\n"
            "  --> <regimen>:1:15, term `1 mg sc daily restart at 2 d`\n"
            "  try:      give the stop first: `stop at 90 d restart at 120 d`",
        ),
        (
            "1 mg sc daily stop 2 d stop 3 d",
            "error[regimen.conflict]: the course is stopped twice\n"
            "  --> <regimen>:1:24, term `1 mg sc daily stop 2 d stop 3 d`",
        ),
        (
            "1 mg sc daily stop 2 d restart 9 d stop 8 d",
            "error[regimen.conflict]: the course is stopped at 8 d, when it is not running\n"
            "  --> <regimen>:1:1, term `1 mg sc daily stop 2 d restart 9 d stop 8 d`\n"
            "  try:      give stops and restarts in turn, in the order of time",
        ),
        (
            "1 mg iv over 0 h",
            "error[regimen.value]: an infusion takes time\n  --> <regimen>:1:9, term `1 mg iv over 0 h`\n"
            "  found:    a duration of zero\n  try:      leave `over` out for a dose given at once",
        ),
        (
            "1 mg sc daily lag 1 h lag 2 h",
            "error[regimen.conflict]: `lag` says again what `lag` in column 15 has said\n"
            "  --> <regimen>:1:23, term `1 mg sc daily lag 1 h lag 2 h`\n"
            "  try:      keep one of them, or join two courses by `and`",
        ),
        (
            "1 mg sc daily reset at 3 d",
            "error[regimen.syntax]: `reset` is not a word of regimens\n"
            "  --> <regimen>:1:15, term `1 mg sc daily reset at 3 d`\n"
            "  expected: every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
            "pause, skipping, stop, restart, steady, and, then\n"
            "  try:      a reset is a part of its own: `and reset at 90 d`",
        ),
        (
            "100 mg sc daily loading",
            "error[regimen.syntax]: `loading` is not a word of regimens\n"
            "  --> <regimen>:1:17, term `100 mg sc daily loading`\n"
            "  expected: every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
            "pause, skipping, stop, restart, steady, and, then\n"
            "  try:      a loading dose comes first: `loading dose 200 mg sc, then 100 mg sc daily`",
        ),
        (
            "100 mg sc x 3 times a day",
            "error[regimen.syntax]: `times` is not a word of regimens\n"
            "  --> <regimen>:1:15, term `100 mg sc x 3 times a day`\n"
            "  expected: every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
            "pause, skipping, stop, restart, steady, and, then\n"
            "  try:      `x` counts all doses; how often they are given needs none: `100 mg sc 3 times a day`",
        ),
        (
            "100 mg sc q0h",
            "error[regimen.syntax]: `q0h` is not a word of regimens\n"
            "  --> <regimen>:1:11, term `100 mg sc q0h`\n"
            "  expected: every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
            "pause, skipping, stop, restart, steady, and, then\n"
            "  try:      `q` needs a whole number above 0 and `h`, `d` or `wk`: q12h, q2d, q1wk",
        ),
        (
            "1 mg sc and reset at 3 d daily",
            "error[regimen.syntax]: something follows the time of a reset\n"
            "  --> <regimen>:1:26, term `1 mg sc and reset at 3 d daily`\n"
            "  found:    `daily`\n  expected: `and` or `then` before the next course",
        ),
        (
            "reset at 1e9 d",
            "error[regimen.value]: the time of a reset is out of range: 1e+09 d\n"
            "  --> <regimen>:1:1, term `reset at 1e9 d`\n  expected: a time from 0 to 100000 d",
        ),
        (
            "1 mg sc twice 3 d",
            "error[regimen.syntax]: `twice` needs `daily`, `weekly`, `a day`, `a week` or the like\n"
            "  --> <regimen>:1:9, term `1 mg sc twice 3 d`",
        ),
        (
            "1 mg sc daily until 1e30 d",
            "error[regimen.value]: the end of a course is out of range: 1e+30 d\n"
            "  --> <regimen>:1:15, term `1 mg sc daily until 1e30 d`\n  expected: a time from 0 to 100000 d",
        ),
        (
            "1e999 mg sc",
            "error[regimen.value]: the amount of a dose is out of range: more than 1e300 mg\n"
            "  --> <regimen>:1:1, term `1e999 mg sc`\n  expected: a number from 0 to 1e15",
        ),
    ],
)
def test_each_fault_is_explained(words: str, message: str) -> None:
    assert error_of(words) == message


@pytest.mark.parametrize(
    ("words", "number", "column", "word", "what", "advice"),
    [
        ("100 sc daily", "100", 5, "sc", "the dose", "`100 mg`"),
        ("1 mg sc and 100 Subcut.", "100", 17, "Subcut.", "the dose", "`100 mg`"),
        ("100 daily", "100", 5, "daily", "the dose", "`100 mg`"),
        ("100 cavity", "100", 5, "cavity", "the dose", "`100 mg`"),
        ("1 mg sc every 24 x 3", "24", 18, "x", "the interval between doses", "`24 h` or `24 d`"),
        ("1 mg sc for 4 daily", "4", 15, "daily", "the length of the course", "`4 h` or `4 d`"),
        ("5 mg iv rate 50 daily", "50", 17, "daily", "the rate", "`50 mg/h`"),
    ],
)
def test_a_number_without_its_unit_is_told_from_a_unit_that_nobody_knows(
    words: str, number: str, column: int, word: str, what: str, advice: str
) -> None:
    assert error_of(words) == (
        f"error[regimen.unit]: `{number}` has no unit\n  --> <regimen>:1:{column}, term `{words}`\n"
        f"  found:    `{word}` in the place of the unit of {what}\n"
        f"  expected: such as `100 mg sc every 24 h until 180 d`\n  try:      {advice}"
    )


@pytest.mark.parametrize("words", ["100 mgg sc", "100 mgg daily", "100 foo sc", "1 mg sc from 3 foo"])
def test_a_unit_that_nobody_knows_is_no_unit_left_out(words: str) -> None:
    assert "` is not a unit\n" in error_of(words)


def test_an_unknown_unit_is_blamed_at_its_column() -> None:
    with pytest.raises(InputError) as caught:
        parse_regimen("100 mgg sc")
    assert caught.value.code == "regimen.unit"
    assert caught.value.where == Where(file="<regimen>", line=1, column=5, term="100 mgg sc")


def test_a_regimen_from_a_file_is_blamed_there() -> None:
    with pytest.raises(InputError) as caught:
        parse_regimen("100 mg sc evry", where=Where(file="s.toml", line=12, key="arms[0].regimen"))
    assert str(caught.value.where) == "s.toml:12:11, key `arms[0].regimen`, term `100 mg sc evry`"


@pytest.mark.parametrize(
    "words", ["١ mg sc", "１ mg sc", "1_0 mg sc", "0x10 mg sc", "nan mg sc", "inf mg sc", "1e mg sc"]
)
def test_only_plain_numbers_are_numbers(words: str) -> None:
    assert error_of(words).startswith("error[regimen.")


def test_bombs_are_refused_at_once() -> None:
    for bomb in ("1" * 9_999, "1 mg sc x 1e999 every 1 d", "and " * 2_000, "1 mg sc " * 2_000, "1" * 401 + " mg sc"):
        assert error_of(bomb).startswith("error[regimen.")


@st.composite
def fractions(draw: st.DrawFn) -> Fraction:
    of = draw(st.integers(1, 10_000))
    return Fraction(draw(st.integers(0, 5000 * of)), of)


# Those that Hypothesis has itself take three times as long to draw.
lengths = fractions() | st.integers(0, 5000 * 10**7).map(lambda parts: Fraction(parts, 10**7))
positive = lengths.filter(lambda days: days > Fraction(1, 1_000_000))


@st.composite
def interruptions(draw: st.DrawFn) -> tuple[Interruption, ...]:
    edges = sorted(draw(st.lists(positive, max_size=6, unique=True)))
    stops = [Interruption(start, end, restart=True) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    if len(edges) % 2:
        stops.append(Interruption(edges[-1], None))
    pauses = draw(st.lists(st.tuples(lengths, positive), max_size=2))
    return (*stops, *(Interruption(start, start + length) for start, length in pauses))


@st.composite
def courses(draw: st.DrawFn) -> Course:
    start = draw(lengths)
    every = draw(st.none() | positive)
    return Course(
        amount=draw(lengths),
        unit=draw(st.sampled_from(["mg", "g", "µg"])),
        route=draw(st.sampled_from(["sc", "IV", "_oral2"])),
        start=start,
        every=every,
        until=None if every is None else draw(st.none() | positive.map(lambda length: start + length)),
        duration=draw(st.just(Fraction(0)) | positive),
        lag=draw(st.just(Fraction(0)) | lengths),
        missing=draw(st.fractions(min_value=0, max_value=1, max_denominator=1000)),
        interruptions=draw(interruptions()),
    )


@given(st.builds(Plan, st.lists(courses(), max_size=3).map(tuple), st.lists(lengths, max_size=3).map(tuple)))
def test_printed_plans_are_read_back(plan: Plan) -> None:
    assert parse_regimen(print_regimen(plan)) == plan


vocabulary = st.sampled_from(
    "100 0.5 1/3 1e3 0 % mg d h wk sc iv every daily once from at until for x over missing pause skipping stop restart "
    "day to and then none lag reset ; , 1,5 -1 1e999".split()
)


@given(st.text() | st.lists(vocabulary, max_size=14).map(" ".join))
def test_any_text_is_a_plan_or_an_error_of_input(text: str) -> None:
    try:
        plan = parse_regimen(text)
    except InputError as error:
        printed = str(error)
    else:
        printed = print_regimen(plan)
    assert "\x1b" not in printed


def test_the_page_of_regimens_has_none_that_cannot_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "regimens.md").read_text(encoding="utf-8")
    said = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert len(said) > 15
    assert [parse_regimen(text) == Plan() for text in said] == [text == "none" for text in said]
    pairs = {
        line.split("`")[1]: line.split("`")[3::2]
        for line in page.splitlines()
        if line.startswith("| `1") and "also" in line
    }
    for text, others in pairs.items():
        tails = {
            parse_regimen(other if other[0].isdigit() else f"100 mg sc {'daily, ' if 'pause' in other else ''}{other}")
            for other in others
        }
        assert tails == {parse_regimen(text)}


@pytest.mark.parametrize(
    ("said", "routes", "index"),
    [
        ("subcutaneously", ("iv", "sc"), 1),
        ("SubCut", ("iv", "sc"), 1),
        ("subq", ("iv", "sc"), 1),
        ("intravenously", ("sc", "iv"), 1),
        ("intramuscularly", ("sc", "im"), 1),
        ("sc", ("iv", "subcutaneous"), 1),
        # A route of that very name goes before one that is called so as well.
        ("subcut", ("sc", "subcut"), 1),
        ("sc", ("SC", "subcut"), 0),
    ],
)
def test_a_route_has_its_usual_names(said: str, routes: tuple[str, ...], index: int) -> None:
    known = [replace(SC, name=name) for name in routes]
    assert route_index(said, known) == index
    (course_of,) = parse_regimen(f"100 mg {said} daily for 2 d").courses
    assert realize(Plan((course_of,)), known).doses[0].route == routes[index]


def test_a_route_that_two_of_the_model_may_be_is_refused() -> None:
    known = [replace(SC, name=name) for name in ("subcut", "subcutaneous")]
    with pytest.raises(InputError) as caught:
        route_index("sc", known)
    assert str(caught.value) == (
        "error[regimen.route]: the model has no route `sc`\n  expected: `subcut`, `subcutaneous`"
    )
