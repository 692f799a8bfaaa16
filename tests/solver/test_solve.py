"""What the door of the solver refuses, before any work."""

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.solver import Schedule, StopKind, Tolerance, solve
from tests.helpers.stubs import ClockKernel

CLOCK = ClockKernel()
GOOD = np.array([[1.0, 0.0]])


def refused(parameters: object, schedule: Schedule, times: object, **options: float) -> str:
    with pytest.raises(InputError) as caught:
        solve(CLOCK, np.asarray(parameters), schedule, np.asarray(times), **options)
    return str(caught.value)


def test_a_matrix_of_the_wrong_width_is_refused() -> None:
    assert refused([[1.0]], Schedule.empty(1), [1.0]) == (
        "error[solver.shape]: the parameter matrix does not fit the model\n"
        "  found:    shape (1, 1)\n"
        "  expected: (members, 2) with at least one member"
    )


def test_no_member_at_all_is_refused() -> None:
    assert "found:    shape (0, 2)" in refused(np.zeros((0, 2)), Schedule.empty(0), [1.0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_parameter_that_is_not_finite_is_named(value: float) -> None:
    assert refused([[1.0, 0.0], [1.0, value]], Schedule.empty(2), [1.0]) == (
        "error[solver.not-finite]: parameter `first_value` of member 1 is not a finite number\n"
        f"  found:    {value!r}\n"
        "  expected: a finite number"
    )


@pytest.mark.parametrize("times", [[2.0, 1.0], [-1.0, 1.0], [np.nan], [1.0, 1.0, 1.0], []])
def test_times_that_do_not_ascend_are_refused(times: list[float]) -> None:
    assert "error[solver.times]" in refused(GOOD, Schedule.empty(1), times)


def test_a_schedule_for_other_members_is_refused() -> None:
    assert "found:    2 members" in refused(GOOD, Schedule.empty(2), [1.0])


def test_a_stop_before_the_start_is_refused() -> None:
    schedule = Schedule.from_rows([[(-1.0, StopKind.BOLUS, 0, 1.0)]])
    assert "the stops of a member do not ascend from the start" in refused(GOOD, schedule, [1.0])


@pytest.mark.parametrize(("time", "amount"), [(np.inf, 1.0), (1.0, np.nan)])
def test_a_stop_that_is_not_finite_is_refused(time: float, amount: float) -> None:
    schedule = Schedule.from_rows([[(time, StopKind.BOLUS, 0, amount)]])
    assert "a stop has a time or an amount that is not finite" in refused(GOOD, schedule, [1.0])


def test_an_unknown_route_is_refused() -> None:
    schedule = Schedule.from_rows([[(1.0, StopKind.BOLUS, 1, 1.0)]])
    assert "a stop names a route that the model does not have" in refused(GOOD, schedule, [1.0])


@pytest.mark.parametrize("rtol", [0.0, -1e-6, 0.2, np.nan])
def test_a_relative_tolerance_out_of_range_is_refused(rtol: float) -> None:
    with pytest.raises(InputError, match="relative tolerance"):
        Tolerance(rtol=rtol)


def test_a_relative_tolerance_below_what_double_precision_gives_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        Tolerance(1e-14)
    assert str(caught.value) == (
        "error[solver.tolerance]: the relative tolerance 1e-14 is out of range\n"
        "  found:    1e-14\n"
        "  expected: a number from 1e-13, below which rounding decides, to 0.1"
    )


@pytest.mark.parametrize("atol", [-1e-9, 1.1e-6, 1.0, np.nan, np.inf])
def test_an_absolute_tolerance_that_is_no_share_of_a_scale_is_refused(atol: float) -> None:
    with pytest.raises(InputError) as caught:
        Tolerance(atol=atol)
    assert str(caught.value) == (
        "error[solver.tolerance]: the absolute tolerance, a share of each state's scale, is out of range\n"
        f"  found:    {atol!r}\n"
        "  expected: a number from 0 to the relative tolerance, 1e-06\n"
        "  try:      leave it out: it then follows the relative tolerance"
    )


def test_the_absolute_tolerance_follows_the_relative_one_as_far_as_double_precision_does() -> None:
    assert [Tolerance(rtol).share for rtol in (1e-4, 1e-6)] == pytest.approx([1e-10, 1e-12])
    assert Tolerance(1e-13).share == 4 * np.finfo(float).eps
    assert Tolerance(1e-6, 1e-9).share == 1e-9


def test_no_steps_at_all_is_refused() -> None:
    assert "max_steps is 0" in refused(GOOD, Schedule.empty(1), [1.0], max_steps=0)


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_at_all_are_refused(threads: int) -> None:
    assert refused(GOOD, Schedule.empty(1), [1.0], threads=threads) == (
        f"error[solver.threads]: threads is {threads}\n  found:    {threads}\n  expected: 1 or more"
    )


def columns(offsets: list[int], kinds: list[int], amounts: list[float]) -> Schedule:
    return Schedule(
        offsets=np.array(offsets),
        times=np.array([0.5]),
        kinds=np.array(kinds),
        routes=np.array([0]),
        amounts=np.array(amounts),
    )


@pytest.mark.parametrize(
    ("schedule", "offsets"),
    [
        (columns([0, 2], [0], [1.0]), "0 to 2"),
        (columns([0, 1], [0], [1.0, 2.0]), "0 to 1"),
        (columns([1, 1], [0], [1.0]), "1 to 1"),
        (columns([0, -1], [0], [1.0]), "0 to -1"),
    ],
)
def test_columns_of_a_schedule_that_do_not_fit_each_other_are_refused(schedule: Schedule, offsets: str) -> None:
    text = refused(GOOD, schedule, [1.0])
    assert text.startswith("error[solver.schedule]: the columns of the schedule do not fit each other\n")
    assert f"found:    offsets from {offsets}, columns of shapes" in text
    assert text.endswith("try:      let Schedule.from_rows arrange the stops")


def test_a_stop_of_an_unknown_kind_is_refused() -> None:
    assert refused(GOOD, columns([0, 1], [7], [1.0]), [1.0]) == (
        "error[solver.schedule]: a stop is of an unknown kind\n"
        "  expected: StopKind.VISIT, StopKind.RESET, StopKind.SET, StopKind.ADD, StopKind.BOLUS, StopKind.RATE, "
        "StopKind.BREAK"
    )
