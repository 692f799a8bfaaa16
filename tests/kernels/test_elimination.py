"""Generated elimination against dense linear algebra, and Jacobians against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.problems import FORCED, PROBLEMS, Problem
from simulate.kernels import elimination as eliminations
from simulate.kernels.build import build
from simulate.kernels.elimination import plan
from simulate.kernels.following import KINDS
from simulate.kernels.form import Follow
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import equations
from simulate.solver.layout import (
    CONSTANTS,
    LANES,
    NOT_FINITE,
    RATE,
    RESULT,
    SHIFT,
    SOLUTION,
    SOUND,
    STATE,
    TIME,
    UNUSABLE,
)


def numeric_jacobian(problem: Problem, state: np.ndarray, time: float) -> np.ndarray:
    """Central differences of the compiled right-hand side, shape [rate, state], the last column in time."""
    kernel = build(problem.system)
    n = len(state)
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)

    def rate(values: np.ndarray, at: float) -> np.ndarray:
        w[TIME : TIME + LANES] = at
        w[STATE : STATE + n * LANES] = np.repeat(values, LANES)
        kernel.rhs(w)
        return w[RATE : RATE + n * LANES : LANES].copy()

    columns = []
    for index in range(n):
        h = 1e-6 * max(abs(state[index]), 1e-3)
        up, down = state.copy(), state.copy()
        up[index] += h
        down[index] -= h
        columns.append((rate(up, time) - rate(down, time)) / (up[index] - down[index]))
    columns.append((rate(state, time + 1e-6) - rate(state, time - 1e-6)) / 2e-6)
    return np.array(columns).T


SMALL = [problem for problem in PROBLEMS if len(problem.system.states) <= 20]


@pytest.mark.parametrize("problem", SMALL, ids=lambda problem: problem.name)
def test_factor_and_backsolve_solve_the_shifted_system(problem: Problem) -> None:
    kernel = build(problem.system)
    n = len(kernel.states)
    generator = np.random.default_rng(n)
    state, right, shift, time = generator.uniform(0.1, 1.0, n), generator.normal(size=n), 50.0, 0.7
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)
    w[TIME : TIME + LANES] = time
    w[SHIFT : SHIFT + LANES] = shift
    w[STATE : STATE + n * LANES] = np.repeat(state, LANES)
    kernel.jacobian(w)
    in_time = w[SOLUTION : SOLUTION + n * LANES : LANES].copy()
    kernel.factor(w)
    w[SOLUTION : SOLUTION + n * LANES] = np.repeat(right, LANES)
    kernel.backsolve(w)
    solution = w[SOLUTION : SOLUTION + n * LANES].reshape(n, LANES)
    assert (solution == solution[:, :1]).all()
    jacobian = numeric_jacobian(problem, state, time)
    scale = np.abs(jacobian).max()
    np.testing.assert_allclose(
        shift * solution[:, 0] - jacobian[:, :n] @ solution[:, 0], right, rtol=1e-5, atol=1e-7 * scale
    )
    np.testing.assert_allclose(in_time, jacobian[:, n], rtol=1e-5, atol=1e-9 * scale)


def test_time_enters_the_partial_derivative() -> None:
    assert abs(numeric_jacobian(FORCED, np.array([1.0, 0.0]), 0.7)[1, 2]) > 0.1


def test_a_star_is_eliminated_from_its_rays_without_fill() -> None:
    star = tuple((0, ray) for ray in range(1, 9)) + tuple((ray, 0) for ray in range(1, 9))
    elimination = plan(9, star)
    assert elimination.order[-2:].count(0) == 1
    assert len(elimination.entries) == 9 + len(star)


def follows(kernel: CompiledKernel) -> bool:
    """Whether the steps of elimination are tables."""
    return any(isinstance(block, Follow) for block in kernel.stiff_functions()["factor"].blocks)


@pytest.mark.parametrize("damage", ["none", "pivot", "entry"])
def test_steps_that_are_followed_have_the_bits_of_those_written_out(
    damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = equations(
        {"x": "a*y - x*z", "y": "x - b*y*z", "z": "x*y - z + sin(3*t)"}, ["1", "2", "0.5"], parameters=["a", "b"]
    )
    kernel, followed = build(system), build(system)
    assert not follows(kernel)
    monkeypatch.setattr(eliminations, "_MOST_STEPS", 0)
    assert follows(followed)
    values = np.random.default_rng(3).uniform(0.2, 2.0, (5, LANES))
    found = []
    for one in (kernel, followed):
        w = np.zeros(CONSTANTS + one.rows * LANES)
        w[CONSTANTS : CONSTANTS + 2 * LANES] = values[:2].ravel()
        w[STATE : STATE + 3 * LANES] = values[2:].ravel()
        w[TIME : TIME + LANES] = np.nan if damage == "entry" else 0.4
        w[SHIFT : SHIFT + LANES] = -1.0 if damage == "pivot" else 20.0
        one.jacobian(w)
        one.factor(w)
        w[SOLUTION : SOLUTION + 3 * LANES] = values[2:].ravel()
        one.backsolve(w)
        found.append(w)
    np.testing.assert_array_equal(found[0], found[1])
    assert set(found[0][SOUND : SOUND + LANES]) == {{"none": 1.0, "pivot": UNUSABLE, "entry": NOT_FINITE}[damage]}


def test_a_dense_system_is_followed_in_runs_and_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 9
    names = [f"x{index}" for index in range(size)]
    rates = {name: f"-{number + 2}*{name} + {' * '.join(names)}" for number, name in enumerate(names)}
    systems = [build(equations(rates, ["1"] * size)) for _ in range(2)]
    assert not follows(systems[0])
    monkeypatch.setattr(eliminations, "_MOST_STEPS", 0)
    (followed,) = systems[1].stiff_functions()["factor"].blocks
    assert isinstance(followed, Follow)
    assert max(others for kind, _, others, *_ in followed.runs if KINDS[kind] == "reduce") == size - 1
    values, right = np.random.default_rng(5).uniform(0.5, 1.5, (size, LANES)), np.arange(1.0, size + 1.0)
    found = []
    for kernel in systems:
        w = np.zeros(CONSTANTS + kernel.rows * LANES)
        w[STATE : STATE + size * LANES] = values.ravel()
        w[SHIFT : SHIFT + LANES] = 30.0
        kernel.jacobian(w)
        kernel.factor(w)
        w[SOLUTION : SOLUTION + size * LANES] = np.repeat(right, LANES)
        kernel.backsolve(w)
        found.append(w[SOLUTION : SOLUTION + size * LANES].reshape(size, LANES))
    np.testing.assert_array_equal(found[0], found[1])
    for lane in range(LANES):
        product = np.prod(values[:, lane])
        jacobian = np.tile(product / values[:, lane], (size, 1)) - np.diag(np.arange(2.0, size + 2.0))
        exact = np.linalg.solve(30.0 * np.eye(size) - jacobian, right)
        np.testing.assert_allclose(found[0][:, lane], exact, rtol=1e-12)


def test_smooth_and_kinked_functions_are_compiled_as_they_are_written() -> None:
    system = equations(
        {"x": "-x"},
        ["3 / 4"],
        parameters=["k", "n"],
        observables={
            "exp": "exp(-x)",
            "log": "log(x + k)",
            "sqrt": "sqrt(x)",
            "tanh": "tanh(x - k)",
            "abs": "abs(x - 1)",
            "min": "min(x, k, n)",
            "max": "max(x, k)",
            "hill": "hill(x, k, n)",
            "power": "(x + k)**3 / x**2",
            "root": "x**(1 / 3)",
        },
    )
    kernel = build(system)
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    k, n, x = 0.3, 2.5, 0.75
    w[CONSTANTS : CONSTANTS + LANES] = k
    w[CONSTANTS + LANES : CONSTANTS + 2 * LANES] = n
    kernel.prepare(w)
    w[STATE : STATE + LANES] = w[RESULT : RESULT + LANES]
    kernel.observe(w)
    hill = x**n / (k**n + x**n)
    smooth = [np.exp(-x), np.log(x + k), np.sqrt(x), np.tanh(x - k)]
    expected = [*smooth, 0.25, min(x, k, n), x, hill, (x + k) ** 3 / x**2, x ** (1 / 3)]
    np.testing.assert_allclose(w[RESULT : RESULT + 10 * LANES : LANES], expected, rtol=1e-14)
    from simulate.solver import Schedule

    oracle = solve_reference(system, np.array([[k, n]]), Schedule.empty(1), np.array([0.0]))
    np.testing.assert_allclose(oracle.values[0, 0, 1:], expected, rtol=1e-14)
