"""Members and schedules at the edge of what makes sense: what docs/verification.md specifies for them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.problems import ENZYME, SATURABLE, TARGET_MEDIATED, Problem
from benchmarks.problems.judgment import pairs
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import equations
from simulate.solver import METHODS, Method, Schedule, Status, StopKind, Tolerance, Trajectories, solve
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.systems import with_route

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
Row = list[tuple[float, StopKind, int, float]]


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    """A drug that is lost and what it makes; the first value is a parameter."""
    return build(
        with_route(equations({"x": "-k * x", "y": "k * x - y / 3"}, ["first", 0.0], parameters=["k", "first"]))
    )


def run(kernel: CompiledKernel, row: Row, times: list[float], method: Method, **options: object) -> Trajectories:
    return solve(kernel, np.array([[0.8, 1.0]]), Schedule.from_rows([row]), np.array(times), method=method, **options)


def bolus(when: float, amount: float) -> tuple[float, StopKind, int, float]:
    return (when, StopKind.BOLUS, 0, amount)


@every_method
def test_repeated_and_reordered_members_have_the_bits_of_the_first(kernel: CompiledKernel, method: Method) -> None:
    generator = np.random.default_rng(2)
    parameters = np.column_stack([generator.uniform(0.1, 9.0, 12), generator.uniform(0.0, 2.0, 12)])
    rows = [[bolus(float(when), 1.0)] for when in generator.uniform(0.0, 4.0, 12)]
    times = np.array([0.0, 1.0, 5.0])
    once = solve(kernel, parameters, Schedule.from_rows(rows), times, method=method)
    order = [*range(12), *range(11, -1, -1), 3, 3, 3]
    again = solve(kernel, parameters[order], Schedule.from_rows([rows[index] for index in order]), times, method=method)
    assert_same_bits(member_of(once, order), again)


@every_method
def test_a_member_without_rates_or_amounts_stays_where_it_is(kernel: CompiledKernel, method: Method) -> None:
    result = solve(
        kernel, np.array([[0.0, 0.0], [0.0, 5.0]]), Schedule.empty(2), np.array([0.0, 1.0, 1e6]), method=method
    )
    assert result.status.tolist() == [Status.OK, Status.OK]
    assert result.quantity("x").tolist() == [[0.0] * 3, [5.0] * 3]
    assert result.quantity("y").tolist() == [[0.0] * 3] * 2


@every_method
@pytest.mark.parametrize("first", [5e-324, 1e-310, 1e-300, 1e300, 1e306])
def test_denormal_and_huge_amounts_are_lost_like_any_other(
    kernel: CompiledKernel, first: float, method: Method
) -> None:
    result = solve(
        kernel,
        np.array([[0.8, first]]),
        Schedule.empty(1),
        np.array([1.0, 5.0]),
        tolerance=Tolerance(1e-8, 0.0),
        method=method,
    )
    assert result.status.tolist() == [Status.OK]
    exact = first * np.exp(-0.8 * result.times)
    # Each term of a step's sum may be off by half the least number that there is.
    np.testing.assert_allclose(result.quantity("x")[0], exact, rtol=1e-7, atol=max(2, method.stages / 2) * 5e-324)


@every_method
def test_an_amount_next_to_overflow_is_a_failure_or_right(kernel: CompiledKernel, method: Method) -> None:
    parameters = np.array([[0.8, 1.7e308], [0.8, 1.0]])
    result = solve(kernel, parameters, Schedule.empty(2), np.array([1.0]), method=method)
    if result.status[0] == Status.OK:
        np.testing.assert_allclose(result.quantity("x")[0], 1.7e308 * np.exp(-0.8), rtol=1e-5)
    else:
        assert not method.series, "no series of this model leaves what doubles can hold"
        assert np.isnan(result.values[0]).all()
    assert result.status[1] == Status.OK


@every_method
@pytest.mark.parametrize("rate", [5e-324, 1e-310, 1e-300])
def test_a_rate_too_small_to_matter_does_not_matter(kernel: CompiledKernel, rate: float, method: Method) -> None:
    parameters = np.array([[rate, 1.0], [0.0, 1.0]])
    result = solve(kernel, parameters, Schedule.empty(2), np.array([10.0]), method=method)
    assert result.status.tolist() == [Status.OK, Status.OK]
    assert result.quantity("x").tolist() == [[1.0], [1.0]]
    assert result.quantity("y")[0, 0] == pytest.approx(0.0, abs=1e-299)


@every_method
@pytest.mark.parametrize("rate", [1e150, 1e300, 1.7e308])
def test_a_rate_beyond_reason_ends_with_a_status_and_soon(kernel: CompiledKernel, rate: float, method: Method) -> None:
    began = time.process_time()
    parameters = np.array([[0.8, 1.0], [rate, 1.0], [0.8, 1.0]])
    result = solve(kernel, parameters, Schedule.empty(3), np.array([1.0]), method=method, max_steps=10_000)
    assert time.process_time() - began < 10.0
    assert result.status[0] == result.status[2] == Status.OK
    if result.status[1] == Status.OK:
        # The stiff method can: what is lost at once is gone.
        assert abs(result.quantity("x")[1, 0]) < 1e-9
    else:
        assert len(result.failures) == 1
        assert np.isnan(result.values[1]).all()


@every_method
def test_a_negative_zero_is_a_zero(kernel: CompiledKernel, method: Method) -> None:
    parameters = np.array([[-0.0, -0.0], [0.0, 0.0]])
    result = solve(kernel, parameters, Schedule.empty(2), np.array([0.0, 2.0]), method=method)
    assert (result.values[0] == result.values[1]).all()


@every_method
def test_a_horizon_of_nothing_records_the_start_after_its_doses_without_a_step(
    kernel: CompiledKernel, method: Method
) -> None:
    result = run(kernel, [bolus(0.0, 2.0), bolus(0.0, 3.0), bolus(1.0, 7.0)], [0.0], method)
    assert result.quantity("x").tolist() == [[6.0]]
    assert result.counters.tolist() == [[0, 0, 0]]
    assert result.status.tolist() == [Status.OK]


@every_method
def test_a_dose_at_the_end_is_in_the_last_value_and_one_after_it_is_not(kernel: CompiledKernel, method: Method) -> None:
    without = run(kernel, [], [1.0, 2.0], method)
    result = run(kernel, [bolus(2.0, 5.0), bolus(2.5, 7.0)], [1.0, 2.0], method)
    assert result.quantity("x")[0].tolist() == [without.quantity("x")[0, 0], without.quantity("x")[0, 1] + 5.0]
    assert result.quantity("y")[0].tolist() == without.quantity("y")[0].tolist()


@every_method
def test_two_doses_at_one_time_are_one_of_their_sum_in_any_order(kernel: CompiledKernel, method: Method) -> None:
    times = [0.5, 1.0, 4.0]
    # At the start there is 1, to which these add up without rounding.
    one = run(kernel, [bolus(0.0, 3.5)], times, method)
    assert_same_bits(one, run(kernel, [bolus(0.0, 3.0), bolus(0.0, 0.5)], times, method))
    assert_same_bits(one, run(kernel, [bolus(0.0, 0.5), bolus(0.0, 3.0)], times, method))
    one = run(kernel, [bolus(1.0, 3.5)], times, method)
    two = run(kernel, [bolus(1.0, 0.5), bolus(1.0, 3.0)], times, method)
    np.testing.assert_allclose(two.values, one.values, rtol=1e-13)


@every_method
def test_the_value_before_a_dose_is_that_of_an_output_just_before_it(kernel: CompiledKernel, method: Method) -> None:
    before = float(np.nextafter(2.0, 0.0))
    result = run(kernel, [bolus(2.0, 5.0)], [1.0, before, 2.0, 3.0], method)
    without = run(kernel, [], [1.0, 2.0, 3.0], method)
    x = result.quantity("x")[0]
    assert x[1] == pytest.approx(without.quantity("x")[0, 1], rel=1e-5)
    assert x[2] - x[1] == pytest.approx(5.0, rel=1e-9)
    # Looking just before it changes no bit of what comes after.
    assert x[2:].tolist() == run(kernel, [bolus(2.0, 5.0)], [1.0, 2.0, 3.0], method).quantity("x")[0, 1:].tolist()


@every_method
def test_an_infusion_that_ends_when_it_begins_gives_nothing(kernel: CompiledKernel, method: Method) -> None:
    nothing = [(1.0, StopKind.RATE, 0, 50.0), (1.0, StopKind.RATE, 0, -50.0)]
    result = run(kernel, nothing, [1.0, 3.0], method, tolerance=Tolerance(1e-10))
    plain = run(kernel, [], [1.0, 3.0], method, tolerance=Tolerance(1e-10))
    np.testing.assert_allclose(result.values, plain.values, rtol=1e-8)


@every_method
def test_powers_of_zero_follow_ieee_and_undefined_ones_are_failures(method: Method) -> None:
    system = equations({"x": "0 * x"}, [0.0], parameters=["n"], observables={"power": "x ** n"})
    result = solve(build(system), np.array([[0.0], [2.0], [-1.0]]), Schedule.empty(3), np.array([1.0]), method=method)
    assert result.quantity("power")[:2, 0].tolist() == [1.0, 0.0]
    assert result.status.tolist() == [Status.OK, Status.OK, Status.NOT_FINITE]


@pytest.mark.parametrize(
    ("problem", "method"),
    [row for row in pairs() if row[0] in (TARGET_MEDIATED, SATURABLE, ENZYME)],
    ids=lambda value: value.name,
)
def test_no_member_dies_of_a_state_that_tolerance_leaves_below_zero(problem: Problem, method: Method) -> None:
    for rtol in (1e-2, 1e-4, 1e-7, 1e-10):
        result = solve(
            build(problem.system),
            problem.parameters,
            problem.schedule,
            problem.times,
            tolerance=Tolerance(rtol),
            method=method,
        )
        assert result.status.tolist() == [Status.OK]


def test_a_member_that_would_take_for_ever_is_retired_and_keeps_nobody_waiting() -> None:
    # One stiff member among a thousand for an explicit method, with the step limit as it comes.
    kernel = build(equations({"x": "k * (tanh(t) - x)"}, [0.0], parameters=["k"]))
    parameters = np.full((1000, 1), 0.7)
    parameters[500] = 1e9
    began = time.process_time()
    result = solve(kernel, parameters, Schedule.empty(1000), np.array([10.0]), threads=1)
    assert time.process_time() - began < 5.0
    assert [failure.member for failure in result.failures] == [500]
    assert result.failures[0].status is Status.TOO_MANY_STEPS
    others = [member for member in range(1000) if member != 500]
    alone = solve(kernel, parameters[others], Schedule.empty(999), np.array([10.0]), threads=2)
    assert_same_bits(member_of(result, others), alone)
