"""The loop without numerics: a scripted method accepts steps up to a limit, and the state is a clock."""

import numpy as np
import pytest

from simulate.solver import Schedule, Status, StopKind, Trajectories, solve
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.stubs import SCRIPTED, ClockKernel

CLOCK = ClockKernel()


def run(
    limits: list[float],
    times: list[float],
    rows: list[list[tuple[float, StopKind, int, float]]] | None = None,
    **options: int,
) -> Trajectories:
    parameters = np.array([[limit, 0.0] for limit in limits])
    schedule = Schedule.empty(len(limits)) if rows is None else Schedule.from_rows(rows)
    return solve(CLOCK, parameters, schedule, np.array(times), method=SCRIPTED, **options)


def test_every_output_is_recorded_at_its_time_even_several_in_one_step() -> None:
    result = run([100.0], [0.0, 1.0, 1.5, 7.0, 1000.0])
    np.testing.assert_allclose(result.quantity("clock")[0], result.times, rtol=1e-14)
    np.testing.assert_allclose(result.quantity("twice")[0], 2 * result.times, rtol=1e-14)


def test_steps_grow_by_the_largest_factor_and_end_exactly_at_the_end() -> None:
    # Both states begin at 0: their scales are thought to be a hundredth of what rates bring in a day, and the first
    # step a hundredth of the time which that takes, 1e-4; then 5e-4, 2.5e-3, … until half of the rest remains.
    result = run([100.0], [1.0])
    steps = []
    now, step = 0.0, 1e-4
    while now < 1.0:
        rest = 1.0 - now
        taken = rest if step >= 0.999999 * rest else min(step, rest / 2)
        steps.append(taken)
        now, step = now + taken, 5 * taken
    assert result.counters[0].tolist()[:2] == [len(steps), 0]
    assert result.quantity("clock")[0, 0] == pytest.approx(1.0, rel=1e-15)


def test_a_refused_step_is_tried_again_from_the_same_place_and_does_not_grow_at_once() -> None:
    result = run([0.01], [0.1])
    accepted, rejected, _ = result.counters[0]
    assert result.quantity("clock")[0, 0] == pytest.approx(0.1, rel=1e-13)
    assert rejected > 0
    assert accepted >= 10


def test_members_step_independently() -> None:
    alone = [run([limit], [3.0, 4.0]) for limit in (0.05, 100.0, 0.5)]
    together = run([0.05, 100.0, 0.5], [3.0, 4.0])
    for index, single in enumerate(alone):
        assert_same_bits(single, member_of(together, [index]))
    assert len({tuple(row) for row in together.counters.tolist()}) == 3


@pytest.mark.parametrize("time", [0.0, 2.0, 5.0], ids=["at the start", "at an output", "at the end"])
def test_an_output_at_the_time_of_a_stop_shows_the_state_after_it(time: float) -> None:
    result = run([100.0], [0.0, 2.0, 5.0], [[(time, StopKind.BOLUS, 0, 10.0)]])
    expected = result.times + np.where(result.times >= time, 10.0, 0.0)
    np.testing.assert_allclose(result.quantity("clock")[0], expected, rtol=1e-14)


def test_two_stops_at_one_time_add_up_whatever_their_order() -> None:
    one_way = run([100.0], [4.0], [[(1.0, StopKind.BOLUS, 0, 10.0), (1.0, StopKind.BOLUS, 0, 3.0)]])
    other_way = run([100.0], [4.0], [[(1.0, StopKind.BOLUS, 0, 3.0), (1.0, StopKind.BOLUS, 0, 10.0)]])
    assert one_way.quantity("clock")[0, 0] == pytest.approx(17.0, rel=1e-14)
    assert_same_bits(one_way, other_way)


def test_stops_closer_than_any_step_are_all_taken() -> None:
    row = [(1.0 + index * 1e-12, StopKind.BOLUS, 0, 1.0) for index in range(5)]
    assert run([100.0], [2.0], [row]).quantity("clock")[0, 0] == pytest.approx(7.0, rel=1e-12)


def test_a_stop_after_the_end_changes_nothing() -> None:
    assert_same_bits(run([100.0], [4.0]), run([100.0], [4.0], [[(4.0 + 1e-9, StopKind.BOLUS, 0, 10.0)]]))


def test_a_member_that_can_take_no_step_is_retired_and_its_neighbors_do_not_notice() -> None:
    limits = [100.0, 0.0, 0.5, *[1.0] * 20]
    together = run(limits, [1.0, 2.0])
    without = run([limit for limit in limits if limit > 0.0], [1.0, 2.0])
    assert [failure.member for failure in together.failures] == [1]
    assert_same_bits(without, member_of(together, [index for index, limit in enumerate(limits) if limit > 0.0]))
    assert np.isnan(together.values[1]).all()


def test_the_limit_of_steps_gives_up_one_member_and_says_when() -> None:
    result = run([100.0, 1e-3], [0.01, 5.0], max_steps=100)
    assert result.status.tolist() == [Status.OK, Status.TOO_MANY_STEPS]
    (failure,) = result.failures
    assert failure.member == 1
    assert failure.state == "clock"
    assert 0.01 < failure.time < 0.2
    assert failure.reason == Status.TOO_MANY_STEPS.sentence
    assert np.isfinite(result.values[1, 0]).all()
    assert np.isnan(result.values[1, 1]).all()


def test_a_member_with_an_infeasible_baseline_is_refused_with_the_reason() -> None:
    result = run([-1.0, 100.0], [1.0])
    assert result.status.tolist() == [Status.INFEASIBLE, Status.OK]
    assert result.failures[0].reason == (
        "the parameters admit no steady baseline: the largest step must not be negative"
    )
    assert result.failures[0].state is None


def test_progress_counts_every_member_once() -> None:
    told: list[int] = []
    solve(CLOCK, np.full((150, 2), 1.0), Schedule.empty(150), np.array([1.0]), method=SCRIPTED, progress=told.append)
    assert sum(told) == 150


def test_recording_at_the_start_alone_needs_no_step() -> None:
    result = run([100.0], [0.0])
    assert result.counters.tolist() == [[0, 0, 0]]
    assert result.values[0, 0].tolist() == [0.0, 0.0]
