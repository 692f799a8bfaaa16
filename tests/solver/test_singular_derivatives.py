"""Derivatives of the right-hand side that are infinite or undefined: no method stands still there."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import equations
from simulate.solver import DOP853, DOPRI5, RODAS5P, FloatArray, Method, Schedule, Status, Tolerance, solve
from tests.helpers.bits import assert_same_bits, member_of

SYSTEM = equations(
    {
        "root": "k*(sqrt(root) + 1 - root)",
        "power": "power**n + 1/100 - power/2",
        "share": "1 + (share/2)**n/(1 + (share/2)**n + 1/1000) - share",
        "clock": "sqrt(t - s) - clock",
        "full": "-full/10",
        "room": "sqrt(1 - full)*sqrt(power) - room",
        "early": "90*early*(1 - early)",
    },
    ["x0", "x0", "x0", 0.0, 1.0, 0.0, "e0"],
    parameters=["k", "n", "s", "x0", "e0"],
)
MEMBERS = np.array(
    [
        [1.0, 0.5, 0.0, 0.0, 0.0],
        [1.0, 1 / 3, 0.0, 0.0, 1e-14],
        [1.0, 0.5, 0.0, 1e-30, 1e-14],
        [900.0, 0.7, 0.0, 0.0, 0.0],
    ]
)
LATER = np.array([0.0, 1e-3, 0.1, 0.6, 1.0])
METHODS = [RODAS5P, DOPRI5, DOP853]


@pytest.fixture(scope="module")
def kernel() -> CompiledKernel:
    return build(SYSTEM)


@functools.cache
def true(number: int) -> FloatArray:
    """A member's states by SciPy, which begins at time 0."""
    k, n, _, x0, e0 = MEMBERS[number].tolist()

    def rates(t: float, y: Any) -> list[float]:
        root, power, share, clock, full, room, early = y
        above = max(share / 2, 0.0) ** n
        return [
            k * (np.sqrt(max(root, 0.0)) + 1 - root),
            max(power, 0.0) ** n + 0.01 - power / 2,
            1 + above / (1 + above + 1e-3) - share,
            np.sqrt(max(t, 0.0)) - clock,
            -full / 10,
            np.sqrt(max(1 - full, 0.0) * max(power, 0.0)) - room,
            90 * early * (1 - early),
        ]

    found = solve_ivp(
        rates,
        (0.0, float(LATER[-1])),
        [x0, x0, x0, 0.0, 1.0, 0.0, e0],
        method="Radau" if k > 1 else "DOP853",
        rtol=1e-10,
        atol=1e-13,
        t_eval=LATER,
    )
    values: FloatArray = found.y.T
    return values


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("start", [0.0, 5.0])
def test_a_solution_leaves_a_place_where_derivatives_are_infinite(
    kernel: CompiledKernel, method: Method, start: float
) -> None:
    members = MEMBERS + np.array([0.0, 0.0, start, 0.0, 0.0])
    found = solve(
        kernel, members, Schedule.empty(4), start + LATER, start=start, tolerance=Tolerance(1e-8, 1e-10), method=method
    )
    assert (found.status == Status.OK).all()
    for number, values in enumerate(found.values):
        np.testing.assert_allclose(values, true(number), rtol=3e-6, atol=3e-8)


def test_the_stiff_method_is_spared_the_small_steps_that_others_need(kernel: CompiledKernel) -> None:
    stiff, explicit = (
        solve(kernel, MEMBERS[3:], Schedule.empty(1), LATER, tolerance=Tolerance(1e-8, 1e-10), method=method)
        for method in (RODAS5P, DOPRI5)
    )
    assert stiff.counters[0, 0] < 0.5 * explicit.counters[0, 0]


def test_bits_of_a_member_do_not_depend_on_neighbors_whose_derivatives_are_infinite(kernel: CompiledKernel) -> None:
    tolerance = Tolerance(1e-6, 1e-9)
    together = solve(kernel, MEMBERS, Schedule.empty(4), LATER, tolerance=tolerance, method=RODAS5P)
    for member in range(4):
        alone = solve(kernel, MEMBERS[[member]], Schedule.empty(1), LATER, tolerance=tolerance, method=RODAS5P)
        assert_same_bits(member_of(together, [member]), member_of(alone, [0]))


def test_a_rate_that_is_undefined_is_reported_and_never_a_step() -> None:
    kernel = build(equations({"x": "sqrt(x - c)", "y": "-y"}, [0.0, 1.0], parameters=["c"]))
    for method in METHODS:
        found = solve(kernel, np.array([[1.0], [-1.0]]), Schedule.empty(2), np.array([0.0, 1.0]), method=method)
        assert found.status.tolist() == [Status.NOT_FINITE, Status.OK]
        np.testing.assert_allclose(found.quantity("x")[1, -1], 1.25, rtol=1e-5)
