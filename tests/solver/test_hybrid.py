"""What switches, and events: each is found where it is, whatever the method, and in whatever company."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import Happening, System, equations
from simulate.kernels.vectorfield import vector_field
from simulate.solver import DOP853, DOPRI5, RODAS5P, TAYLOR, Schedule, Tolerance, solve
from simulate.solver.methods import Method
from simulate.solver.trajectories import Status
from simulate.symbolic.expressions import parse_expression

G, E = 9.81, 0.9
METHODS = [DOPRI5, DOP853, RODAS5P, TAYLOR]


def condition(text: str) -> object:
    return parse_expression(text, condition=True)


def happening(name: str, when: str, targets: dict[int, str], delay: str = "0", **more: object) -> Happening:
    values = tuple(parse_expression(value) for value in targets.values())
    return Happening(name, condition(when), tuple(targets), values, delay=parse_expression(delay), **more)


SWITCHING = equations(
    {"x": "piecewise(a, x < 2, -b)", "y": "piecewise(1, t > 3 and t < 3.01, 0)", "z": "floor(t)"},
    [0, 0, 0],
    parameters=["a", "b"],
)
BALL = replace(
    equations({"h": "v", "v": "-g"}, [1, 0], parameters=["g", "e"]),
    events=(happening("bounce", "h <= 0 and v < 0", {1: "-e*v"}),),
)
CLOCKED = replace(
    equations({"x": "0", "y": "0", "z": "0", "w": "0", "q": "0"}, [0, 0, 0, 0, 0]),
    events=(
        happening("exactly", "t == 1.1", {0: "x + 1"}),
        happening("first", "t >= 1.1", {1: "10*x + 1"}, priority=parse_expression("5")),
        happening("later", "t >= 2", {0: "x + t"}, "0.5"),
        happening("later with values of then", "t >= 2", {2: "t"}, "0.5", at_trigger=False),
        happening("in vain", "t >= 2 and t < 2.2", {3: "1"}, "0.5", persistent=False),
        happening("at once", "t < 1", {4: "7"}, at_start=True),
    ),
)


@pytest.fixture(scope="module")
def switching() -> CompiledKernel:
    return build(SWITCHING)


@pytest.fixture(scope="module")
def ball() -> CompiledKernel:
    return build(BALL)


def height(time: np.ndarray) -> np.ndarray:
    """Height of a ball that falls from 1 and bounces, by the laws of Newton."""
    heights = []
    for now in time:
        start, speed, fallen = np.sqrt(2.0 / G), E * np.sqrt(2.0 * G), now < np.sqrt(2.0 / G)
        while not fallen and now >= start + 2.0 * speed / G:
            start, speed = start + 2.0 * speed / G, E * speed
        since = now - start
        heights.append(1.0 - G * now**2 / 2 if fallen else speed * since - G * since**2 / 2)
    return np.array(heights)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_switch_is_found_on_the_state_and_in_time_by_each_method(method: Method, switching: CompiledKernel) -> None:
    parameters = np.array([[1.0, 0.0], [2.0, 0.0], [0.25, 0.0]])
    times = np.linspace(0.0, 5.0, 11)
    found = solve(switching, parameters, Schedule.empty(3), times, method=method, tolerance=Tolerance(1e-9))
    x = np.minimum(parameters[:, :1] * times, 2.0)
    y = np.clip(times - 3.0, 0.0, 0.01)
    whole = np.floor(times)
    z = whole * (whole - 1.0) / 2.0 + whole * (times - whole)
    np.testing.assert_allclose(found.values[:, :, 0], x, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.values[:, :, 1], np.broadcast_to(y, x.shape), atol=1e-11)
    np.testing.assert_allclose(found.values[:, :, 2], np.broadcast_to(z, x.shape), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_ball_bounces_as_newton_says(method: Method, ball: CompiledKernel) -> None:
    times = np.linspace(0.0, 4.0, 41)
    found = solve(ball, np.array([[G, E]]), Schedule.empty(1), times, method=method, tolerance=Tolerance(1e-10))
    np.testing.assert_allclose(found.values[0, :, 0], height(times), atol=1e-8)


def test_events_keep_time_order_and_values() -> None:
    times = np.array([0.0, 1.0, 1.1, 2.0, 2.4, 2.5, 3.0])
    found = solve(build(CLOCKED), np.zeros((1, 0)), Schedule.empty(1), times).values[0]
    np.testing.assert_array_equal(found[:, 0], [0, 0, 1, 1, 1, 3, 3])
    # Of two at one time the one with a priority goes first: it still sees x = 0.
    np.testing.assert_array_equal(found[:, 1], [0, 0, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(found[:, 2], [0, 0, 0, 0, 0, 2.5, 2.5])
    np.testing.assert_array_equal(found[:, 3], np.zeros(7))
    np.testing.assert_array_equal(found[:, 4], np.full(7, 7.0))


def test_an_event_happens_when_it_should_whatever_the_last_digit_of_what_is_compared() -> None:
    # The difference of two sums is not rounded as the sums are: what has passed must be one thing for both.
    system = replace(
        equations({"x": "-x", "y": "-y/2", "n": "0"}, [2, 1, 0], parameters=["d"]),
        events=(happening("low", "x + y < 1 + d", {2: "n + t"}),),
    )
    thresholds = np.random.default_rng(3).uniform(0.1, 1.5, (200, 1))
    times = np.array([0.0, 5.0])
    found = solve(build(system), thresholds, Schedule.empty(200), times, tolerance=Tolerance(1e-9))
    root = (np.sqrt(1.0 + 8.0 * (1.0 + thresholds[:, 0])) - 1.0) / 4.0
    np.testing.assert_allclose(found.values[:, -1, 2], -2.0 * np.log(root), rtol=1e-6)


def test_the_bits_of_a_member_depend_on_no_company(ball: CompiledKernel) -> None:
    drawn = np.random.default_rng(1)
    parameters = np.column_stack([drawn.uniform(5.0, 15.0, 21), drawn.uniform(0.5, 0.95, 21)])
    times = np.linspace(0.0, 2.0, 9)
    together = solve(ball, parameters, Schedule.empty(21), times, threads=2).values
    backward = solve(ball, parameters[::-1], Schedule.empty(21), times, threads=1).values[::-1]
    alone = solve(ball, parameters[7:8], Schedule.empty(1), times).values
    assert together.tobytes() == np.ascontiguousarray(backward).tobytes()
    assert together[7:8].tobytes() == alone.tobytes()


def test_an_event_waits_as_often_as_it_was_triggered() -> None:
    switched = tuple(
        happening(f"{turn}", "t >= 1", {0: "2" if turn % 2 == 0 else "0"}, priority=parse_expression(f"{9 - turn}"))
        for turn in range(9)
    )
    counted = happening("counted", "x > 1", {1: "y + 1"}, at_trigger=False)
    fleeting = happening("fleeting", "x > 1", {2: "z + 1"}, persistent=False)
    system = replace(equations({"x": "0", "y": "0", "z": "0"}, [0, 0, 0]), events=(*switched, counted, fleeting))
    found = solve(build(system), np.zeros((1, 0)), Schedule.empty(1), np.array([0.0, 2.0])).values[0, -1]
    # Five times up, and four times down again before anything but what has a priority happens.
    np.testing.assert_array_equal(found, [2.0, 5.0, 1.0])


def test_events_that_call_each_other_up_for_ever_are_a_failure() -> None:
    endless = replace(
        equations({"x": "1"}, [0]),
        events=(happening("up", "x > 1", {0: "0"}), happening("down", "x <= 1 and t > 0.5", {0: "2"})),
    )
    found = solve(build(endless), np.zeros((1, 0)), Schedule.empty(1), np.array([0.0, 2.0]))
    assert found.status[0] == Status.NOT_FINITE


@pytest.mark.parametrize(
    ("use", "code"),
    [
        (lambda: solve_reference(BALL, np.array([[G, E]]), Schedule.empty(1), np.ones(1)), "kernel.events"),
        (lambda: vector_field(BALL), "equilibria.events"),
    ],
)
def test_what_knows_no_events_says_so(use: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        use()  # type: ignore[operator]
    assert caught.value.code == code
    assert isinstance(BALL, System)
