from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.errors import InputError
from simulate.regimen.doses import Dose, Plan, Regimen, course
from simulate.regimen.stops import compile_schedule, realize
from simulate.regimen.words import parse_regimen
from simulate.solver.problem import Schedule, StopKind
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit

DEPOT = Species("A_d", "amount in the depot", unit("mg"))
ROUTES = (
    Route("sc", "anakinra", DEPOT, unit("mg"), DEPOT.symbol**0),
    Route("iv", "anakinra", DEPOT, unit("µg"), DEPOT.symbol**0),
)


def times(words: str, **options: float) -> list[float]:
    return [dose.time for dose in realize(parse_regimen(words), ROUTES, **options).doses]  # type: ignore[arg-type]


def same(one: Schedule, other: Schedule) -> bool:
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("offsets", "times", "kinds", "routes", "amounts")
    )


def error_of(words: str, **options: float) -> str:
    with pytest.raises(InputError) as caught:
        realize(parse_regimen(words), ROUTES, **options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1 mg sc", [0]),
        ("1 mg sc daily until 3 d", [0, 1, 2]),
        ("1 mg sc every 0.1 d until 0.3 d", [0, 0.1, 0.2]),
        ("1 mg sc every 8 h from 1 d x 4", [1, 4 / 3, 5 / 3, 2]),
        ("1 mg sc daily until 8 d pause from 2 d to 5 d", [0, 1, 5, 6, 7]),
        ("1 mg sc every 2 d until 9 d pause from 1 d to 3 d", [0, 4, 6, 8]),
        ("1 mg sc every 2 d until 9 d stop at 1 d restart at 3 d", [0, 3, 5, 7]),
        ("1 mg sc every 2 d until 9 d stop at 3 d", [0, 2]),
        ("1 mg sc daily stop at 2 d restart at 5 d stop at 6 d", [0, 1, 5]),
        ("1 mg sc daily from 4 d until 6 d stop at 1 d restart at 2 d", [4, 5]),
        ("1 mg sc daily from 4 d until 8 d stop at 3 d restart at 6 d", [6, 7]),
        ("1 mg sc at 4 d stop at 3 d restart at 6 d", []),
        ("1 mg sc daily until 2 d then 2 mg sc daily for 2 d", [0, 1, 2, 3]),
        ("0 mg sc daily until 2 d", []),
        ("none", []),
    ],
)
def test_words_come_to_doses(words: str, expected: list[float]) -> None:
    assert times(words) == expected


def test_until_is_exclusive_at_any_interval() -> None:
    for hours in range(1, 100):
        assert len(times(f"1 mg sc every {hours} h until {hours * 70} h")) == 70


def test_the_horizon_ends_an_open_course_and_may_have_a_dose() -> None:
    assert times("1 mg sc daily", horizon=3.0) == [0, 1, 2, 3]
    assert times("1 mg sc every 8 h stop at 1 d restart at 2 d", horizon=7 / 3) == [0, 1 / 3, 2 / 3, 2, 7 / 3]
    assert times("1 mg sc daily until 9 d", horizon=0.5) == [0]


def test_units_of_doses_are_those_of_the_routes() -> None:
    regimen = realize(parse_regimen("0.1 g sc and 1 mg IV over 2 h"), ROUTES)
    assert regimen == Regimen((Dose(0.0, "sc", 100.0), Dose(0.0, "iv", 1000.0, 1 / 12)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "1 mg transdermal",
            "error[regimen.route]: the model has no route `transdermal`\n  expected: `sc`, `iv`",
        ),
        (
            "1 mg s",
            "error[regimen.route]: the model has no route `s`\n  expected: `sc`, `iv`\n  try:      did you mean `sc`?",
        ),
        (
            "1 mg sc daily",
            "error[regimen.endless]: the course of sc doses has no end\n"
            "  try:      add an end such as `until 180 d`, `for 4 wk` or `x 28`, or simulate up to a horizon",
        ),
        (
            "1 mg sc every 1 min until 1000 d",
            "error[regimen.too-many]: the regimen has 1440000 doses\n  expected: at most 100000\n"
            "  try:      check the unit of the interval, or infuse: `over 2 h`",
        ),
    ],
)
def test_each_fault_is_explained(words: str, message: str) -> None:
    assert error_of(words) == message


def test_a_dose_needs_the_dimension_of_its_route() -> None:
    error = error_of("1 L sc")
    assert error.startswith("error[regimen.unit]: a dose by route `sc` cannot be given in L\n  found:    L, which is ")
    assert "\n  expected: mg, which is " in error


def test_many_courses_together_have_a_limit_too() -> None:
    assert error_of(" and ".join(["1 mg sc every 1 min until 60 d"] * 2)).startswith(
        "error[regimen.too-many]: the regimen has 172800 doses"
    )


def test_a_schedule_has_boluses_and_rates() -> None:
    schedule = compile_schedule(
        [parse_regimen("100 mg sc at 1 d and 12 mg iv over 6 h"), Plan(), parse_regimen("1 mg sc")], ROUTES
    )
    assert schedule.offsets.tolist() == [0, 3, 3, 4]
    assert schedule.times.tolist() == [0.0, 0.25, 1.0, 0.0]
    assert schedule.kinds.tolist() == [StopKind.RATE, StopKind.RATE, StopKind.BOLUS, StopKind.BOLUS]
    assert schedule.routes.tolist() == [1, 1, 0, 0]
    assert schedule.amounts.tolist() == [48_000.0, -48_000.0, 100.0, 1.0]


def test_no_members_make_an_empty_schedule() -> None:
    assert compile_schedule([], ROUTES).members == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("100 mg sc daily for 4 wk", "0.1 g SC x 28 every 1440 min"),
        (
            "1 mg sc daily until 2 d then 2 mg sc daily for 2 d",
            "2 mg sc daily from 2 d until 4 d and 1000 µg sc every 24 h x 2",
        ),
        ("1 mg sc every 8 h x 9 missing 30 %", "1 mg sc every 1/3 d for 3 d missing 30 percent"),
        ("1 mg iv over 90 min", "0.001 g iv over 1.5 h"),
        ("1 mg sc daily until 3 d", "1 mg sc and 1 mg sc at 1 d and 1 mg sc at 2 d and 0 mg iv"),
    ],
)
def test_two_spellings_of_a_regimen_give_one_schedule(one: str, other: str) -> None:
    made = [compile_schedule([parse_regimen(words)] * 5, ROUTES, seed=3) for words in (one, other)]
    assert same(*made)


@given(
    st.lists(
        st.builds(
            lambda amount, start, every, count, over, missing: course(
                amount,
                "mg",
                "sc",
                start=start,
                every=every,
                until=start + every * count,
                duration=over,
                missing=missing,
            ),
            st.integers(0, 3),
            st.integers(0, 5),
            st.fractions(Fraction(1, 8), 3, max_denominator=8),
            st.integers(1, 5),
            st.sampled_from([Fraction(0), Fraction(1, 3)]),
            st.sampled_from([Fraction(0), Fraction(1, 2)]),
        ),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_courses_is_irrelevant(courses: list, random) -> None:  # type: ignore[no-untyped-def,type-arg]
    shuffled = list(courses)
    random.shuffle(shuffled)
    made = [compile_schedule([Plan(tuple(order))] * 3, ROUTES, seed=1) for order in (courses, shuffled)]
    assert same(*made)
    assert np.all(np.isfinite(made[0].times))
    assert np.all(made[0].times >= 0)
    assert np.all(made[0].amounts[made[0].kinds == StopKind.BOLUS] > 0)
    # Whatever is begun is ended.
    assert abs(made[0].amounts[made[0].kinds == StopKind.RATE].sum()) < 1e-9


@given(
    st.lists(
        st.builds(
            Dose, st.floats(0, 100), st.sampled_from(["sc", "iv"]), st.floats(0.001, 100), st.sampled_from([0.0, 0.25])
        ),
        max_size=5,
    )
)
def test_explicit_doses_are_a_normal_form(doses: list[Dose]) -> None:
    schedule = compile_schedule([Regimen(tuple(doses)), Regimen(tuple(reversed(doses)))], ROUTES)
    half = schedule.offsets[1]
    assert schedule.times[:half].tolist() == schedule.times[half:].tolist()
    assert schedule.amounts[:half].tolist() == schedule.amounts[half:].tolist()
    assert np.all(np.diff(schedule.times[:half]) >= 0)


def test_stops_are_ordered_as_the_solver_orders_them() -> None:
    plan = parse_regimen(
        "1 mg iv over 1 d and 2 mg sc at 1 d and 1 mg sc at 1 d and 5 mg iv at 1 d and 3 mg iv over 1 d at 1 d"
    )
    schedule = compile_schedule([plan], ROUTES)
    rows = list(
        zip(
            schedule.times.tolist(),
            [StopKind(kind) for kind in schedule.kinds],
            schedule.routes.tolist(),
            schedule.amounts.tolist(),
            strict=True,
        )
    )
    assert same(schedule, Schedule.from_rows([rows[::-1]]))


def test_a_share_of_doses_close_to_the_probability_is_missed() -> None:
    plan = parse_regimen("1 mg sc daily until 200 d missing 10 %")
    schedule = compile_schedule([plan] * 500, ROUTES, seed=11)
    missed = 1 - len(schedule.times) / (500 * 200)
    assert missed == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 100_000))
    counts = 200 - np.diff(schedule.offsets)
    # Binomial, not one share for all and not more: variance 200 * 0.1 * 0.9 = 18.
    assert 18 * 0.75 < counts.var() < 18 * 1.25


def test_certain_and_impossible_misses_are_exact() -> None:
    assert times("1 mg sc daily until 50 d missing 100 %") == []
    assert len(times("1 mg sc daily until 50 d missing 0 %")) == 50


def test_a_member_misses_the_same_doses_in_any_cohort() -> None:
    plan = parse_regimen("1 mg sc daily until 30 d missing 30 %")
    large = compile_schedule([plan] * 50, ROUTES, seed=5)
    alone = compile_schedule([plan, plan], ROUTES, seed=5, members=[31, 7])
    of = [large.times[large.offsets[member] : large.offsets[member + 1]].tolist() for member in (31, 7)]
    assert [alone.times[: alone.offsets[1]].tolist(), alone.times[alone.offsets[1] :].tolist()] == of
    assert of[0] != of[1]
    assert [dose.time for dose in realize(plan, ROUTES, seed=5, member=7).doses] == of[1]


def test_misses_are_nested_and_independent_of_amount_and_horizon() -> None:
    some = set(times("1 mg sc daily until 99 d missing 20 %", seed=1, member=2))
    fewer = set(times("50 mg sc daily missing 40 %", seed=1, member=2, horizon=98))
    assert fewer < some
    shorter = set(times("1 mg sc daily until 40 d missing 20 %", seed=1, member=2))
    assert shorter == {time for time in some if time < 40}


def test_another_seed_misses_other_doses() -> None:
    words = "1 mg sc daily until 99 d missing 50 %"
    assert times(words, seed=1) != times(words, seed=2)


def test_a_plan_for_each_member_is_required() -> None:
    with pytest.raises(ValueError, match="1 plans for 2 members"):
        compile_schedule([Plan()], ROUTES, members=[1, 2])
