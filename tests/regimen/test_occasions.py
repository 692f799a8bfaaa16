"""How much of a dose arrives, from dose to dose of a patient."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.regimen.doses import Plan
from simulate.regimen.stops import compile_schedule, realize
from simulate.regimen.words import parse_regimen
from simulate.solver.problem import Schedule, StopKind
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit

X = Species("x", "amount", unit("mg"))
ROUTES = tuple(Route(name, "drug", X, unit("mg"), X.symbol**0) for name in ("sc", "iv"))
DAILY = parse_regimen("100 mg sc daily until 30 d")


def amounts(plan: Plan, spread: float = 0.3, *, seed: int = 5, members: list[int] | None = None) -> list[list[float]]:
    numbers = [7] if members is None else members
    schedule: Schedule = compile_schedule(
        [plan] * len(numbers), ROUTES, seed=seed, members=numbers, between_doses={"sc": spread}
    )
    ends = schedule.offsets.tolist()
    return [schedule.amounts[first:last].tolist() for first, last in itertools.pairwise(ends)]


def test_without_a_spread_every_dose_is_the_same() -> None:
    (own,) = amounts(DAILY, 0.0)
    assert own == [100.0] * 30
    plain = compile_schedule([DAILY], ROUTES, seed=5, members=[7])
    assert plain.amounts.tolist() == own


def test_doses_are_log_normal_about_what_was_prescribed() -> None:
    drawn = np.log(np.array(amounts(DAILY, 0.3, members=list(range(400)))) / 100.0)
    n = drawn.size
    assert abs(drawn.mean()) < 4 * 0.3 / math.sqrt(n)
    assert drawn.std() == pytest.approx(0.3, abs=4 * 0.3 / math.sqrt(2 * n))
    # Occasions of a patient, and patients on an occasion, have nothing to do with each other.
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 4 / math.sqrt(400)
    assert drawn.mean(axis=1).std() == pytest.approx(0.3 / math.sqrt(30), rel=0.2)


def test_a_member_has_the_same_occasions_in_any_cohort_order_and_arm() -> None:
    together = amounts(DAILY, members=list(range(40)))
    assert amounts(DAILY, members=[31, 7, 3]) == [together[31], together[7], together[3]]
    other_arm = compile_schedule(
        [parse_regimen("none"), DAILY], ROUTES, seed=5, members=[7, 7], between_doses={"SC": 0.3}
    )
    assert other_arm.amounts.tolist() == together[7]
    assert together[7] != together[8]
    assert amounts(DAILY, seed=6) != [together[7]]


def test_a_longer_course_begins_as_the_shorter_and_twice_the_dose_is_twice_as_much() -> None:
    (own,) = amounts(DAILY)
    (longer,) = amounts(parse_regimen("200 mg sc daily until 60 d"))
    assert [2 * amount for amount in own] == longer[:30]


def test_a_missed_dose_changes_no_other() -> None:
    (own,) = amounts(DAILY)
    (missed,) = amounts(parse_regimen("100 mg sc daily until 30 d missing 30 %"))
    given = [
        dose.time
        for dose in realize(parse_regimen("100 mg sc daily until 30 d missing 30 %"), ROUTES, seed=5, member=7).doses
    ]
    assert 10 < len(missed) < 30
    assert missed == [own[int(day)] for day in given]


def test_an_infusion_ends_at_the_rate_at_which_it_began() -> None:
    plan = parse_regimen("10 mg sc over 6 h daily until 9 d")
    schedule = compile_schedule([plan] * 3, ROUTES, seed=2, between_doses={"sc": 0.5})
    assert set(schedule.kinds.tolist()) == {StopKind.RATE}
    rates = schedule.amounts.reshape(-1, 2)
    assert (rates[:, 0] == -rates[:, 1]).all()
    assert len(set(rates[:, 0].tolist())) == 27


def test_routes_vary_on_their_own_and_resets_not_at_all() -> None:
    plan = parse_regimen("1 mg sc daily until 5 d and 2 mg iv daily until 5 d and reset at 3 d")
    schedule = compile_schedule([plan], ROUTES, between_doses={"sc": 0.4})
    bolus = schedule.kinds == StopKind.BOLUS
    assert schedule.amounts[bolus & (schedule.routes == 1)].tolist() == [2.0] * 5
    assert len(set(schedule.amounts[bolus & (schedule.routes == 0)].tolist())) == 5
    assert schedule.amounts[~bolus].tolist() == [0.0]


def test_explicit_doses_have_what_arrives() -> None:
    doses = realize(DAILY, ROUTES, seed=5, member=7, between_doses={"sc": 0.3}).doses
    assert [[dose.amount for dose in doses]] == amounts(DAILY)


def test_a_spread_that_cannot_be_and_one_of_no_route_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        amounts(DAILY, -0.1)
    assert str(caught.value) == (
        "error[regimen.value]: the spread between doses of route `sc` is -0.1\n"
        "  expected: a finite number, not negative"
    )
    with pytest.raises(InputError, match="the model has no route `po`"):
        compile_schedule([DAILY], ROUTES, between_doses={"po": 0.1})
