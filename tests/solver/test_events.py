"""Rules that act when a quantity passes a threshold, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver import (
    METHODS,
    Action,
    Adaptive,
    FloatArray,
    Method,
    Rule,
    Schedule,
    Status,
    StopKind,
    Tolerance,
    Trajectories,
    solve,
)
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.systems import with_route

TIGHT = Tolerance(1e-11)
DECAY = build(
    with_route(
        equations(
            {"x": "-k * x", "area": "x"},
            ["a", 0.0],
            parameters=["k", "a"],
            observables={"half": "x / 2", "clock": "t"},
        )
    )
)
K, A = 0.7, 10.0
methods = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def run(
    rules: list[Rule],
    times: FloatArray,
    *,
    stops: list[tuple[float, StopKind, int, float]] | None = None,
    start: float = A,
    groups: list[int] | None = None,
    levels: tuple[float, ...] = (1.0,),
    method: Method = METHODS[0],
) -> Trajectories:
    return solve(
        DECAY,
        np.array([[K, start]]),
        Schedule.from_rows([stops or []]),
        times,
        method=method,
        tolerance=TIGHT,
        adaptive=Adaptive(tuple(rules), None if groups is None else np.array(groups), levels),
    )


@methods
def test_a_trajectory_ends_when_its_quantity_falls_below_the_threshold(method: Method) -> None:
    times = np.linspace(0.0, 5.0, 51)
    found = run([Rule("half", 1.0, rising=False, action=Action.END)], times, method=method)
    (end,) = (occurrence.time for occurrence in found.occurrences)
    assert end == pytest.approx(np.log(5.0) / K, rel=1e-9)
    np.testing.assert_allclose(found.quantity("x")[0], np.where(times < end, A * np.exp(-K * times), np.nan), rtol=1e-9)
    assert found.status.tolist() == [Status.OK]
    assert found.failures == ()


@methods
def test_a_rescue_dose_is_given_each_time_the_level_has_halved(method: Method) -> None:
    period = np.log(2.0) / K
    times = np.array([0.5, 1.5, 2.5, 3.5, 4.5]) * period
    rule = Rule("x", 5.0, rising=False, action=Action.BOLUS, target="in", amount=5.0)
    found = run([rule], times, method=method)
    np.testing.assert_allclose([one.time for one in found.occurrences], period * np.arange(1, 5), rtol=1e-9)
    np.testing.assert_allclose(found.quantity("x")[0], A * np.exp(-K * period / 2), rtol=1e-9)


def test_doses_stop_when_enough_has_been_given() -> None:
    times = np.linspace(0.0, 12.0, 25)
    stops = [(float(day), StopKind.BOLUS, 0, 3.0) for day in range(12)]
    found = run([Rule("area", 15.0, rising=True, action=Action.LEVEL)], times, stops=stops, start=0.0)
    (event,) = (occurrence.time for occurrence in found.occurrences)
    given = [day for day in range(12) if day < event]
    assert 2 < len(given) < 12
    expected = sum(np.where(times >= day, 3.0 * np.exp(-K * (times - day)), 0.0) for day in given)
    np.testing.assert_allclose(found.quantity("x")[0], expected, rtol=1e-9, atol=1e-11)
    area = sum(3.0 / K * (1.0 - np.exp(-K * (event - day))) for day in given)
    assert area == pytest.approx(15.0, rel=1e-9)


def test_an_infusion_under_way_ends_as_it_began_whatever_happens_to_the_level() -> None:
    stops = []
    for day in (0.0, 2.0, 4.0, 6.0):
        stops += [(day, StopKind.RATE, 0, 2.0), (day + 1.0, StopKind.RATE, 0, -2.0)]
    rules = [
        Rule("clock", 2.5, rising=True, action=Action.LEVEL, amount=0.0),
        Rule("clock", 5.5, rising=True, action=Action.LEVEL, amount=3.0),
    ]
    times = np.linspace(0.0, 9.0, 37)
    found = run(rules, times, stops=stops, start=0.0)
    expected = np.zeros_like(times)
    for day, share in ((0.0, 1.0), (2.0, 1.0), (6.0, 3.0)):
        during = np.clip(times - day, 0.0, 1.0)
        expected += share * 2.0 / K * -np.expm1(-K * during) * np.exp(-K * np.maximum(times - day - 1.0, 0.0))
    np.testing.assert_allclose(found.quantity("x")[0], expected, rtol=1e-9, atol=1e-11)


def test_groups_of_doses_have_levels_of_their_own() -> None:
    stops = [(1.0, StopKind.BOLUS, 0, 1.0), (2.0, StopKind.BOLUS, 0, 1.0), (3.0, StopKind.BOLUS, 0, 1.0)]
    rule = Rule("clock", 1.5, rising=True, action=Action.LEVEL, target=1, amount=4.0)
    found = run([rule], np.array([3.0]), stops=stops, start=0.0, groups=[0, 1, 0], levels=(1.0, 0.0))
    expected = np.exp(-2 * K) + 4.0 * np.exp(-K) + 1.0
    assert found.quantity("x")[0, 0] == pytest.approx(expected, rel=1e-9)


def test_visits_are_when_some_rules_look() -> None:
    # Below 6 from day 0.73 on; seen on days 2 and 4, and both times a dose is given.
    stops = [(day, StopKind.VISIT, 0, 0.0) for day in (0.5, 2.0, 4.0)]
    rule = Rule("x", 6.0, rising=False, action=Action.BOLUS, target="in", amount=1.0, visits=True)
    found = run([rule], np.array([0.5, 2.0, 4.0, 5.0]), stops=stops)
    assert [occurrence.time for occurrence in found.occurrences] == [2.0, 4.0]
    at_two = A * np.exp(-2 * K) + 1.0
    at_four = at_two * np.exp(-2 * K) + 1.0
    expected = [A * np.exp(-K / 2), at_two, at_four, at_four * np.exp(-K)]
    np.testing.assert_allclose(found.quantity("x")[0], expected, rtol=1e-9)


def test_visits_of_everybody_are_stops_of_each_schedule() -> None:
    rule = Rule("x", 6.0, rising=False, action=Action.LEVEL, amount=2.0, target=1, visits=True)
    stops = [(1.0, StopKind.BOLUS, 0, 1.0), (3.0, StopKind.BOLUS, 0, 1.0)]
    times = np.array([1.0, 2.0, 3.0])
    by_hand = run([rule], times, stops=[*stops, (2.0, StopKind.VISIT, 0, 0.0)], groups=[1, 0, 1], levels=(1.0, 1.0))
    named = solve(
        DECAY,
        np.array([[K, A], [K, 50.0]]),
        Schedule.from_rows([stops, stops[:1]]),
        times,
        tolerance=TIGHT,
        adaptive=Adaptive((rule,), np.array([1, 1, 1]), (1.0, 1.0), visits=(2.0,)),
    )
    assert [(one.member, one.time) for one in named.occurrences] == [(0, 2.0)]
    assert_same_bits(by_hand, member_of(named, [0]))
    assert named.quantity("x")[0, 2] == pytest.approx(A * np.exp(-3 * K) + np.exp(-2 * K) + 2.0, rel=1e-9)


def test_a_visit_after_the_end_is_refused() -> None:
    rule = Rule("x", 6.0, rising=False, action=Action.END, visits=True)
    with pytest.raises(InputError) as caught:
        solve(
            DECAY,
            np.array([[K, A]]),
            Schedule.empty(1),
            np.array([3.0]),
            adaptive=Adaptive((rule,), visits=(2.0, 9.0)),
        )
    assert str(caught.value) == (
        "error[solver.visit]: a visit is after the end of the simulation\n"
        "  found:    a visit on day 9\n  expected: days up to 3\n"
        "  try:      leave the visit out, or simulate longer"
    )


def test_a_visit_sees_the_state_before_a_dose_and_decides_about_it() -> None:
    stops = [(1.0, StopKind.BOLUS, 0, 20.0), (1.0, StopKind.VISIT, 0, 0.0)]
    unseen = Rule("x", 8.0, rising=True, action=Action.END, visits=True)
    assert run([unseen], np.array([1.0]), stops=stops, start=1.0).occurrences == ()
    halved = Rule("x", 8.0, rising=False, action=Action.LEVEL, amount=0.5, visits=True)
    found = run([halved], np.array([1.0]), stops=stops, start=1.0)
    assert found.quantity("x")[0, 0] == pytest.approx(np.exp(-K) + 10.0, rel=1e-9)


def test_a_dose_at_the_start_that_passes_the_threshold_makes_the_rule_act() -> None:
    rule = Rule("x", 8.0, rising=True, action=Action.LEVEL, amount=0.0)
    stops = [(day, StopKind.BOLUS, 0, 9.0) for day in (0.0, 1.0)]
    found = run([rule], np.array([1.0]), stops=stops, start=0.0)
    assert [occurrence.time for occurrence in found.occurrences] == [0.0]
    assert found.quantity("x")[0, 0] == pytest.approx(9.0 * np.exp(-K), rel=1e-9)


def test_a_dose_at_the_end_is_the_work_of_nobody_else() -> None:
    stops = [(1.0, StopKind.BOLUS, 0, 2.0)]
    times = np.array([0.5, 1.0])
    together = solve(DECAY, np.array([[K, A]] * 11), Schedule.from_rows([stops] * 11), times, threads=1)
    alone = solve(DECAY, np.array([[K, A]]), Schedule.from_rows([stops]), times, threads=1)
    assert together.counters.tolist() == alone.counters.tolist() * 11


def test_states_can_be_set_and_added_to() -> None:
    stops = [(1.0, StopKind.ADD, 1, 4.0), (1.0, StopKind.SET, 0, 7.0), (1.0, StopKind.BOLUS, 0, 1.0)]
    found = solve(DECAY, np.array([[K, A]]), Schedule.from_rows([stops]), np.array([1.0, 2.0]), tolerance=TIGHT)
    np.testing.assert_allclose(found.quantity("x")[0], [8.0, 8.0 * np.exp(-K)], rtol=1e-9)
    assert found.quantity("area")[0, 0] == pytest.approx(4.0 - A / K * np.expm1(-K), rel=1e-9)


def test_a_dose_that_passes_the_threshold_makes_the_rule_act_at_its_time() -> None:
    stops = [(1.0, StopKind.BOLUS, 0, 9.0)]
    rule = Rule("x", 8.0, rising=True, action=Action.END)
    found = run([rule], np.array([0.5, 1.0, 1.5]), stops=stops, start=1.0)
    assert [occurrence.time for occurrence in found.occurrences] == [1.0]
    np.testing.assert_allclose(found.quantity("x")[0], [np.exp(-K / 2), np.exp(-K) + 9.0, np.nan], rtol=1e-9)


def test_a_rule_does_not_act_because_a_member_starts_beyond() -> None:
    assert run([Rule("x", 20.0, rising=False, action=Action.END)], np.array([3.0])).occurrences == ()


WAVE = build(equations({"x": "v", "v": "-x"}, [0.0, 1.0]))


def wave(*rules: Rule) -> list[float]:
    found = solve(
        WAVE,
        np.empty((1, 0)),
        Schedule.empty(1),
        np.array([20.0]),
        tolerance=TIGHT,
        adaptive=Adaptive(rules),
    )
    return [occurrence.time for occurrence in found.occurrences]


def test_direction_margin_and_once_decide_how_often_a_rule_acts() -> None:
    up, turn = np.arcsin(0.5), 2 * np.pi
    idle = {"action": Action.LEVEL, "amount": 1.0}
    np.testing.assert_allclose(wave(Rule("x", 0.5, rising=True, **idle)), up + turn * np.arange(4), rtol=1e-9)
    np.testing.assert_allclose(wave(Rule("x", 0.5, rising=False, **idle)), np.pi - up + turn * np.arange(3), rtol=1e-9)
    assert len(wave(Rule("x", 0.5, rising=True, once=True, **idle))) == 1
    # Back by 1.4 only just, by 1.6 never: the wave falls to -1.
    assert len(wave(Rule("x", 0.5, rising=True, margin=1.4, **idle))) == 3
    assert wave(Rule("x", 0.5, rising=True, margin=1.6, **idle)) == []


def test_two_rules_within_one_step_act_in_the_order_of_time() -> None:
    first, second = 0.999, 1.001
    rules = [
        Rule("clock", second, rising=True, action=Action.BOLUS, target="in", amount=2.0),
        Rule("clock", first, rising=True, action=Action.BOLUS, target="in", amount=1.0),
    ]
    found = run(rules, np.array([first, 1.0, second, 2.0]), start=0.0)
    assert [(one.rule, one.time) for one in found.occurrences] == [
        (1, pytest.approx(first)),
        (0, pytest.approx(second)),
    ]
    expected = np.exp(-K * (2.0 - first)) + 2.0 * np.exp(-K * (2.0 - second))
    assert found.quantity("x")[0, -1] == pytest.approx(expected, rel=1e-9)


def test_members_with_rules_have_the_same_bits_alone_and_together() -> None:
    members = 41
    parameters = np.column_stack([np.geomspace(0.2, 3.0, members), np.full(members, A)])
    thresholds = np.linspace(2.0, 8.0, members)
    rows = [[(float(day), StopKind.BOLUS, 0, 4.0) for day in range(1, 6)] for _ in range(members)]
    times = np.linspace(0.0, 8.0, 17)

    def solved(chosen: list[int], threads: int) -> Trajectories:
        rules = (
            Rule("half", thresholds[chosen] / 2, rising=False, action=Action.BOLUS, target="in", amount=3.0),
            Rule("area", 25.0, rising=True, action=Action.LEVEL, amount=0.5),
        )
        schedule = Schedule.from_rows([rows[member] for member in chosen])
        return solve(DECAY, parameters[chosen], schedule, times, threads=threads, adaptive=Adaptive(rules))

    everyone = list(range(members))
    whole = solved(everyone, 1)
    assert len({occurrence.rule for occurrence in whole.occurrences}) == 2
    assert_same_bits(whole, solved(everyone, 3))
    order = np.random.default_rng(4).permutation(members).tolist()
    assert_same_bits(member_of(whole, order), solved(order, 2))
    for member in (0, 17, 40):
        alone = solved([member], 1)
        assert_same_bits(member_of(whole, [member]), alone)
        assert [one.time for one in alone.occurrences] == [
            one.time for one in whole.occurrences if one.member == member
        ]


def test_without_rules_every_bit_is_that_of_a_plain_solve() -> None:
    arguments = (DECAY, np.array([[K, A]]), Schedule.from_rows([[(1.0, StopKind.BOLUS, 0, 1.0)]]), np.array([0.5, 3.0]))
    assert_same_bits(solve(*arguments), solve(*arguments, adaptive=Adaptive(())))


def test_a_rule_that_never_applies_costs_no_accuracy() -> None:
    times = np.linspace(0.0, 5.0, 11)
    arguments = (DECAY, np.array([[K, A]]), Schedule.from_rows([[(1.0, StopKind.BOLUS, 0, 1.0)]]), times)
    rule = Rule("x", 100.0, rising=True, action=Action.END)
    assert_same_bits(solve(*arguments), solve(*arguments, adaptive=Adaptive((rule,))))


@pytest.mark.parametrize(
    ("adaptive", "message"),
    [
        (
            Adaptive((Rule("y", 1.0, rising=True, action=Action.END),)),
            "a rule watches `y`, which the model does not have",
        ),
        (
            Adaptive((Rule("x", 1.0, rising=True, action=Action.BOLUS, target="iv"),)),
            "the rule on `x` acts on `iv`, which does not exist",
        ),
        (
            Adaptive((Rule("x", 1.0, rising=True, action=Action.LEVEL, target=1),)),
            "the rule on `x` acts on `1`, which does not exist",
        ),
        (
            Adaptive((Rule("x", 1.0, rising=True, action=Action.LEVEL, amount=-1.0),)),
            "the rule on `x` has an amount or a margin that is negative or not finite",
        ),
        (
            Adaptive((Rule("x", np.ones(3), rising=True, action=Action.END),)),
            "the threshold of `x` is neither a finite number nor one for each member",
        ),
        (
            Adaptive((Rule("x", 1.0, rising=True, action=Action.END),), groups=np.array([0, 0])),
            "the groups of the stops do not fit",
        ),
        (Adaptive((), levels=(-1.0,)), "a level is negative or not finite"),
    ],
)
def test_rules_that_do_not_fit_are_refused(adaptive: Adaptive, message: str) -> None:
    with pytest.raises(InputError) as caught:
        solve(DECAY, np.array([[K, A]]), Schedule.empty(1), np.array([1.0]), adaptive=adaptive)
    assert caught.value.what == message
