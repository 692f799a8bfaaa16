from __future__ import annotations

import math
from fractions import Fraction

import pytest
from sympy import Integer

from simulate.errors import InputError
from simulate.regimen.doses import Course, Dose, Interruption, Plan, Regimen, course, exact
from simulate.regimen.timetable import timetable_of
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit


def test_a_regimen_orders_its_doses() -> None:
    doses = (Dose(2.0, "sc", 1.0), Dose(1.0, "sc", 5.0), Dose(1.0, "iv", 9.0))
    assert Regimen(doses).doses == (doses[2], doses[1], doses[0])


def test_regimens_and_plans_can_be_added() -> None:
    one, other = Dose(2.0, "sc", 1.0), Dose(1.0, "sc", 1.0)
    assert (Regimen((one,)) + Regimen((other,))).doses == (other, one)
    assert (Plan((course(1, "mg", "sc"),)) + Plan((course(2, "mg", "sc"),))).courses[1].amount == 2


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0])
def test_a_dose_is_finite_and_not_negative(number: float) -> None:
    with pytest.raises(InputError) as caught:
        Dose(0.0, "sc", number)
    assert str(caught.value) == (
        f"error[regimen.value]: the amount of a dose is {number!r}\n  expected: a finite number, not negative"
    )


def test_a_decimal_is_taken_as_it_is_read() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(10**400) == 10**400
    with pytest.raises(InputError, match="nan is not a finite number"):
        exact(math.nan)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: course(-1, "mg", "sc"), "regimen.value"),
        (lambda: course(10**400, "mg", "sc"), "regimen.value"),
        (lambda: course(1, "m g", "sc"), "regimen.unit"),
        (lambda: course(1, "mg", "every"), "regimen.route"),
        (lambda: course(1, "mg", "x2"), "regimen.route"),
        (lambda: course(1, "mg", "s-c"), "regimen.route"),
        (lambda: course(1, "mg", "sc", start=-1), "regimen.value"),
        (lambda: course(1, "mg", "sc", duration=1e-9), "regimen.value"),
        (lambda: course(1, "mg", "sc", until=2), "regimen.conflict"),
        (lambda: Interruption(Fraction(1), None, restart=True), "regimen.value"),
        (lambda: Interruption(Fraction(1), Fraction(1)), "regimen.value"),
    ],
)
def test_an_impossible_course_cannot_be_made(make, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.code == code


def test_the_order_of_interruptions_is_irrelevant() -> None:
    pauses = (Interruption(Fraction(5), Fraction(6)), Interruption(Fraction(1), Fraction(2)))
    made = [Course(Fraction(1), "mg", "sc", every=Fraction(1), interruptions=given) for given in (pauses, pauses[::-1])]
    assert made[0] == made[1]


@pytest.mark.parametrize("until", [None, 21.0])
@pytest.mark.parametrize("every", [None, 0.1, 7.0])
def test_the_next_dose_is_the_first_of_all_that_is_later(every: float | None, until: float | None) -> None:
    given = course(1, "mg", "sc", start=3.0, every=every, until=None if every is None else until)
    steps = range(1 if every is None else 400)
    doses = [Fraction(3) + step * exact(every or 0.0) for step in steps]
    doses = [day for day in doses if given.until is None or day < given.until]
    for day in (0.0, 2.9, 3.0, 3.1, 10.0, 20.9, 21.0, 24.0):
        assert given.due_after(day) == float(min((due for due in doses if due > exact(day)), default=math.inf))


def test_a_prescription_that_is_ended_has_the_doses_before_and_no_other() -> None:
    plan = Plan(
        (
            course(100, "mg", "sc", every=1.0, until=21.0),
            course(50, "mg", "sc", start=21.0, every=7.0),
            course(1, "mg", "sc", start=40.0),
        )
    )
    depot = Species("depot", "amount", unit("mg"))

    def days(given: Plan) -> list[tuple[float, float]]:
        doses = timetable_of(given, [Route("sc", "drug", depot, unit("mg"), Integer(1))], 100.0).doses
        return list(zip(doses.time.tolist(), doses.amount.tolist(), strict=True))

    for day in (0.0, 0.5, 1.0, 21.0, 28.0, 40.0, 41.0, 400.0):
        assert days(plan.ended(day)) == [dose for dose in days(plan) if dose[0] < day]
