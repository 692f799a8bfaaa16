"""Steps of derivatives in one line against the same method stage by stage, and what they are counted to add."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import sympy

from benchmarks.operations import added, operations
from simulate.kernels.form import fused
from simulate.kernels.lowering import lowered
from simulate.kernels.sensitivities import Direction, sensitivity_kernel
from simulate.kernels.system import System, equations
from simulate.solver import DOPRI5, Schedule, Tolerance, solve
from simulate.solver.methods.dopri5 import TABLEAU
from simulate.solver.methods.sensitivity_stages import DOPRI5_FOLLOWERS

# One way from prey to carrion; prey and predators depend on each other, and nothing moves what rests.
HUNT = equations(
    {
        "prey": "a * prey - prey * cat / (1 + prey)",
        "cat": "b * prey * cat / (1 + prey) - cat",
        "carrion": "cat - carrion",
    },
    [1.0, "b", 0.0],
    parameters=["a", "b"],
)
# Exponentials have no straight line of vector instructions: the solution takes its stages as without derivatives.
FADING = equations({"x": "exp(-a * t) - x * b", "y": "x**2 - y"}, ["b", 1.0], parameters=["a", "b"])


@pytest.mark.parametrize(("system", "at_once"), [(HUNT, True), (FADING, False)], ids=["hunt", "fading"])
def test_a_step_in_one_line_is_that_of_the_method_stage_by_stage(system: System, at_once: bool) -> None:
    directions = (*(Direction(name, ((name, sympy.S.One),)) for name in "ab"), Direction("0", state=system.states[0]))
    kernel = sensitivity_kernel(system, directions)
    assert kernel.followers is not None
    assert (kernel.followers.solution is not None) == at_once
    parameters = np.array([[0.6, 0.8], [0.9, 1.1], [0.3, 2.0]])
    # Nearly all of these times lie within a step.
    times = np.linspace(0.0, 6.0, 91)
    given = kernel, parameters, Schedule.empty(3), times
    one, other = (solve(*given, tolerance=Tolerance(1e-6), method=method) for method in (DOPRI5_FOLLOWERS, DOPRI5))
    np.testing.assert_array_equal(one.counters[:, :2], other.counters[:, :2])
    scale = np.abs(other.values).max(axis=(0, 1))
    assert (scale > 0.1).sum() > len(system.states)
    np.testing.assert_allclose(one.values / (scale + 1.0), other.values / (scale + 1.0), atol=1e-12, rtol=0.0)


def test_a_product_and_its_sum_are_counted_as_one_operation() -> None:
    a, b, c, d = sympy.symbols("a b c d")
    inputs = {a: "a", b: "b", c: "c", d: "d"}

    def counted(expression: sympy.Expr) -> Counter[str]:
        return operations(fused(lowered(inputs, (), [("result", expression)])))

    assert counted(a * b + c * d) == Counter(multiply=1, fused=1, read=4)
    assert counted(a + b - c) == Counter(add=2, read=3)
    assert counted(1 / (a + b**3)) == Counter(multiply=1, fused=1, divide=1, read=2)


def test_a_direction_that_reaches_one_state_adds_the_work_of_one() -> None:
    decay = equations({"x": "-k * x", "y": "k * x - y"}, [1.0, 0.0], parameters=["k"])
    kernel = sensitivity_kernel(decay, (Direction("y(0)", state="y"),))
    assert kernel.followers is not None
    # Its derivative is -s: stages have 1, 2, 3, 4, 5 and 5 weights that are not zero.
    assert added(kernel.followers)["fused"] == 20
    assert sum(weight != 0 for row in TABLEAU.a for weight in row) == 20
