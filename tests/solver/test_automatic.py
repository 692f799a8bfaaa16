"""Which method a member is solved by: decided by its own work, shown in the result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.problems.stiff import HIRES, ROBER
from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import equations
from simulate.solver import (
    DOPRI5,
    RODAS5P,
    TAYLOR,
    UNLESS_STIFF,
    Action,
    Adaptive,
    Automatic,
    FloatArray,
    Rule,
    Schedule,
    Status,
    StopKind,
    Tolerance,
    Trajectories,
    automatic,
    solve,
    solve_automatically,
)
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.systems import with_route

FOLLOWER = with_route(equations({"x": "k * (c - x) - x", "c": "s", "s": "-c"}, [1.0, 1.0, 0.0], parameters=["k"]))
"""A state that follows an oscillation, the more stiffly the larger ``k``."""

TIMES = np.linspace(0.0, 6.0, 11)
RATES = np.array([[1.0], [1e5], [3.0], [2e6], [0.1], [40.0]])
TOLERANCE = Tolerance(1e-8)


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    return build(FOLLOWER)


def doses(members: int) -> Schedule:
    return Schedule.from_rows([[(float(day), StopKind.BOLUS, 0, 0.5) for day in range(1, 4)] for _ in range(members)])


def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Attempts of each method from now on."""
    taken: dict[str, int] = {}

    def solve_and_count(*values: Any, **options: Any) -> Trajectories:
        found = solve(*values, **options)
        taken[found.method] = taken.get(found.method, 0) + int(found.counters[:, :2].sum())
        return found

    monkeypatch.setattr(automatic, "solve", solve_and_count)
    return taken


def truth() -> FloatArray:
    """The follower swings with the oscillator, and forgets its beginning and each dose."""
    k, since = RATES, np.maximum(TIMES - np.array([[0.0], [1.0], [2.0], [3.0]])[:, None], 0.0)
    begun = np.array([1.0 - k * (k + 1.0) / ((k + 1.0) ** 2 + 1.0), *[0.5 + 0.0 * k] * 3])
    left = np.where(TIMES >= np.arange(4.0)[:, None, None], begun * np.exp(-(k + 1.0) * since), 0.0).sum(axis=0)
    x = k * ((k + 1.0) * np.cos(TIMES) + np.sin(TIMES)) / ((k + 1.0) ** 2 + 1.0) + left
    return np.stack(np.broadcast_arrays(x, np.cos(TIMES), -np.sin(TIMES)), axis=-1)


@pytest.mark.parametrize("explicit", [DOPRI5, TAYLOR], ids=lambda method: method.name)
def test_stiff_members_are_told_from_the_others(kernel: CompiledKernel, explicit: object) -> None:
    choice = Automatic(explicit=explicit)  # type: ignore[arg-type]
    found = solve_automatically(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, choice=choice)
    assert [found.method_of(member) == RODAS5P.name for member in range(6)] == [False, True, False, True, False, False]
    assert found.methods == (choice.explicit.name, RODAS5P.name)
    assert found.method == f"{choice.explicit.name}, or {RODAS5P.name} where a member is stiff"
    np.testing.assert_allclose(found.values, truth(), rtol=1e-5, atol=1e-6)
    assert not found.failures


def test_a_member_has_the_bits_of_the_method_that_was_chosen(kernel: CompiledKernel) -> None:
    found = solve_automatically(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE)
    for method, members in ((DOPRI5, [0, 2, 4, 5]), (RODAS5P, [1, 3])):
        alone = solve(kernel, RATES[members], doses(len(members)), TIMES, tolerance=TOLERANCE, method=method)
        assert_same_bits(member_of(found, members), member_of(alone, list(range(len(members)))))


def test_choice_and_bits_do_not_depend_on_the_batch(kernel: CompiledKernel) -> None:
    together = solve_automatically(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, threads=2)
    order = [3, 0, 1]
    apart = solve_automatically(kernel, RATES[order], doses(3), TIMES, tolerance=TOLERANCE, threads=1)
    assert_same_bits(member_of(together, order), member_of(apart, [0, 1, 2]))
    assert together.chosen is not None
    assert apart.chosen is not None
    assert together.chosen[order].tolist() == apart.chosen.tolist()


def test_who_is_hardly_on_the_way_is_given_up_at_the_look_and_nobody_else_changes(kernel: CompiledKernel) -> None:
    whole = solve(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, max_steps=5000)
    looked = solve(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, max_steps=5000, deadline=(80, 0.5))
    assert [failure.member for failure in looked.failures] == [1, 3]
    assert {failure.status for failure in looked.failures} == {Status.TOO_MANY_STEPS}
    assert all(failure.time < 0.5 for failure in looked.failures)
    assert looked.counters[[1, 3], :2].sum(axis=1).tolist() == [80, 80]
    others = [0, 2, 4, 5]
    assert (looked.counters[others, :2].sum(axis=1) > 80).all()
    assert_same_bits(member_of(looked, others), member_of(whole, others))


@pytest.mark.parametrize("problem", [ROBER, HIRES], ids=lambda problem: problem.name)
def test_problems_of_the_field_that_are_stiff_are_found_so(problem: object) -> None:
    system, times = problem.system, problem.times  # type: ignore[attr-defined]
    found = solve_automatically(
        build(system),
        np.zeros((1, 0)),
        Schedule.empty(1),
        times,
        tolerance=Tolerance(1e-6),  # type: ignore[attr-defined]
    )
    assert found.method_of(0) == RODAS5P.name
    assert not found.failures


def test_a_long_member_that_is_not_stiff_keeps_the_explicit_method() -> None:
    system = equations({"x": "w * y", "y": "-w * x"}, [1.0, 0.0], parameters=["w"])
    parameters, times = np.array([[1.0], [20.0]]), np.array([10.0, 100.0])
    found = solve_automatically(build(system), parameters, Schedule.empty(2), times, tolerance=Tolerance(1e-9))
    assert [found.method_of(member) for member in range(2)] == [DOPRI5.name] * 2
    assert found.counters[1, 0] > Automatic().patience
    exact = np.cos(parameters * times)
    np.testing.assert_allclose(found.quantity("x"), exact, atol=1e-4)


def test_a_member_that_neither_method_can_solve_within_its_steps_says_so(kernel: CompiledKernel) -> None:
    found = solve_automatically(kernel, RATES[:2], doses(2), TIMES, tolerance=TOLERANCE, max_steps=40)
    assert [failure.status for failure in found.failures] == [Status.TOO_MANY_STEPS] * 2
    assert [failure.member for failure in found.failures] == [0, 1]


def test_rules_go_with_their_members(kernel: CompiledKernel) -> None:
    thresholds = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    rules = Adaptive((Rule("x", thresholds, rising=False, action=Action.BOLUS, target="in", amount=0.1, once=True),))
    together = solve_automatically(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, adaptive=rules)
    for member in range(6):
        own = replace(rules, rules=(replace(rules.rules[0], threshold=float(thresholds[member])),))
        alone = solve_automatically(kernel, RATES[[member]], doses(1), TIMES, tolerance=TOLERANCE, adaptive=own)
        assert_same_bits(member_of(together, [member]), member_of(alone, [0]))
        times = [one.time for one in together.occurrences if one.member == member]
        assert times == [one.time for one in alone.occurrences]
    assert len(together.occurrences) >= 3


def test_what_solve_refuses_is_refused_before_anything_is_chosen(kernel: CompiledKernel) -> None:
    with pytest.raises(InputError) as caught:
        solve_automatically(kernel, RATES, doses(5), TIMES)
    with pytest.raises(InputError) as plain:
        solve(kernel, RATES, doses(5), TIMES)
    assert str(caught.value) == str(plain.value)


def test_without_patience_only_members_that_the_explicit_method_gives_up_have_the_stiff_one(
    kernel: CompiledKernel,
) -> None:
    explicit = solve(kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, max_steps=9000)
    assert [failure.member for failure in explicit.failures] == [1, 3]
    found = solve_automatically(
        kernel, RATES, doses(6), TIMES, tolerance=TOLERANCE, choice=UNLESS_STIFF, max_steps=9000, threads=2
    )
    assert [found.method_of(member) for member in (1, 3)] == [RODAS5P.name] * 2
    assert not found.failures
    assert_same_bits(member_of(found, [0, 2, 4, 5]), member_of(explicit, [0, 2, 4, 5]))
    stiff = solve(kernel, RATES[[1, 3]], doses(2), TIMES, tolerance=TOLERANCE, method=RODAS5P)
    assert_same_bits(member_of(found, [1, 3]), member_of(stiff, [0, 1]))


def test_a_member_that_no_method_can_solve_says_so_and_keeps_what_it_has() -> None:
    kernel = build(equations({"x": "x**2"}, ["x0"], parameters=["x0"]))
    members, times = np.array([[1.0], [0.1]]), np.array([0.5, 2.0])
    found = solve_automatically(kernel, members, Schedule.empty(2), times, choice=UNLESS_STIFF)
    (failure,) = found.failures
    explicit = solve(kernel, members, Schedule.empty(2), times).failures[0]
    assert failure.reason == f"{explicit.reason}; Rodas5P did not reach the end either"
    assert (failure.member, failure.status, failure.time) == (0, explicit.status, explicit.time)
    np.testing.assert_allclose(found.quantity("x")[:, 0], [2.0, 1 / 9.5], rtol=1e-5)


def test_a_course_that_is_long_beside_its_beginning_is_left_to_the_stiff_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Robertson's problem: Rodas5P is at less than a billionth of the time after 64 attempts."""
    taken = counted(monkeypatch)
    found = solve_automatically(
        build(ROBER.system), np.zeros((1, 0)), Schedule.empty(1), np.array([1e12]), tolerance=TOLERANCE
    )
    assert found.method_of(0) == RODAS5P.name
    assert taken[DOPRI5.name] <= 256


def test_the_stiff_method_is_given_up_where_a_singularity_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"a": "1 - a", "b": "a**2 - b", "c": "b**2 - c", "d": "c**2 - d", "y": "d**0.004 - y"}
    singular, taken = build(equations(rates, [0.0] * 5)), counted(monkeypatch)
    choice, times = Automatic(patience=64), np.array([0.5, 10.0])
    found = solve_automatically(singular, np.zeros((1, 0)), Schedule.empty(1), times, choice=choice)
    assert found.method_of(0) == DOPRI5.name
    assert taken[RODAS5P.name] <= 64
    np.testing.assert_allclose(found.quantity("a")[0], -np.expm1(-times), rtol=1e-5)
    b = 1 - 2 * times * np.exp(-times) - np.exp(-2 * times)
    np.testing.assert_allclose(found.quantity("b")[0], b, rtol=1e-5)
