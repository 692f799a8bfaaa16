"""Functions of the form as instructions: the bits of their text through Numba, and the values of their expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
import pytest
import sympy
from sympy import Expr, Symbol, sympify

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import parameter_table
from simulate.compiled import WORKSPACE
from simulate.compiling import OPTIONS
from simulate.emitted import emitted
from simulate.kernels.build import build
from simulate.kernels.form import Fence, KernelFunction
from simulate.kernels.hoisting import power_log
from simulate.kernels.kernel import CompiledKernel, machine_code
from simulate.kernels.lowering import FUNCTIONS, function
from simulate.kernels.print_llvm import writer
from simulate.kernels.print_text import module_text
from simulate.kernels.saturation import share, weight, weight_log
from simulate.kernels.sensitivities import Direction, sensitivity_kernel
from simulate.kernels.system import equations, lower
from simulate.solver import FloatArray
from simulate.solver.layout import AT_ONCE, COMMAND, CONSTANTS, DIRECTION, EVERYTHING, LANES, SHARED, STAGE
from simulate.symbolic.switching import above, at_least, both, choose, either, floor, no, same
from tests.helpers.models import reference_model

X, Y = Symbol("x", real=True), Symbol("y", real=True)
EXPRESSIONS: tuple[Expr, ...] = (
    X - Y,
    -X * Y / (1 + X**2) + sympy.Rational(1, 3),
    (X + Y) ** 3 - X / (Y * (X - 2)),
    sympy.exp(X) - sympy.log(Y),
    X**Y + sympy.sqrt(X) - Y ** sympy.Rational(-3, 2),
    sympy.tanh(X) + sympy.sin(X) * sympy.cos(Y),
    sympy.Abs(X) - sympy.sign(Y) + sympy.Heaviside(X),
    sympy.Min(X, Y, 1) + sympy.Max(X * Y, 0),
    power_log(X, Y),
    sympify(2),
    floor(3 * X) - either(above(X, Y), no(at_least(Y, 1))),
)
SPECIAL = (0.0, -0.0, 1.0, -1.5, 0.3, 2.0, 5e-324, 1e300, np.inf, -np.inf, np.nan)


def of(*expressions: Expr) -> KernelFunction:
    """Function of x and y, each result in a row behind them."""
    outputs = [((2 + index) * LANES, expression) for index, expression in enumerate(expressions)]
    return function("f", "All.", {X: 0, Y: LANES}, (), outputs, labels={})


def through_numba(given: KernelFunction) -> Callable[[FloatArray], None]:
    """A function compiled from its text."""
    module: dict[str, Any] = {"__name__": "through"}
    exec(module_text([given]), module)
    compiled: Callable[[FloatArray], None] = numba.njit(numba.void(WORKSPACE.made), **OPTIONS)(module[given.name])
    return compiled


def after(run: Callable[[FloatArray], None], workspace: FloatArray) -> FloatArray:
    found = workspace.copy()
    run(found)
    return found


def assert_same(a: FloatArray, b: FloatArray) -> None:
    """Equal bits, but for the sign and payload of what is undefined."""
    assert np.array_equal(np.isnan(a), np.isnan(b))
    assert np.array_equal(np.nan_to_num(a).view(np.int64), np.nan_to_num(b).view(np.int64))


def workspaces(rows: int) -> list[FloatArray]:
    """Workspaces with x and y of all kinds."""
    pairs = [(x, y) for x in SPECIAL for y in SPECIAL]
    pairs += [(x, y) for x, y in np.random.default_rng(3).normal(size=(87, 2))]
    found = []
    for first in range(0, len(pairs) - LANES + 1, LANES):
        found.append(np.zeros((2 + rows) * LANES))
        found[-1][: 2 * LANES] = np.array(pairs[first : first + LANES]).T.ravel()
    return found


def test_all_that_is_lowered_has_the_bits_of_its_text() -> None:
    given = of(*EXPRESSIONS)
    straight, through = machine_code(given), through_numba(given)
    for workspace in workspaces(len(EXPRESSIONS)):
        found, text = (after(run, workspace).reshape(-1, LANES) for run in (straight, through))
        # A compiler of text may join the last product of exp, which is exact, to the difference: on some processors it
        # then does not overflow, and less an infinite logarithm it is no longer undefined.
        infinite = (found[0] >= 1e300) & (found[1] == np.inf)
        row = 2 + EXPRESSIONS.index(sympy.exp(X) - sympy.log(Y))
        assert np.isnan(found[row, infinite]).all()
        text[row, infinite] = np.nan
        assert_same(found, text)


def test_all_that_is_lowered_has_the_value_of_its_expression() -> None:
    straight = machine_code(of(*EXPRESSIONS))
    given = np.random.default_rng(3).uniform(0.1, 3.0, (2, LANES))
    found = after(straight, np.concatenate([given.ravel(), np.zeros(len(EXPRESSIONS) * LANES)]))
    for lane, (x, y) in enumerate(given.T):
        expected = [
            x - y,
            -x * y / (1 + x**2) + 1 / 3,
            (x + y) ** 3 - x / (y * (x - 2)),
            np.exp(x) - np.log(y),
            x**y + np.sqrt(x) - y**-1.5,
            np.tanh(x) + np.sin(x) * np.cos(y),
            abs(x) - np.sign(y) + np.heaviside(x, 0.0),
            min(x, y, 1) + max(x * y, 0),
            x**y * np.log(x),
            2.0,
            np.floor(3 * x) - (1.0 if x > y or not y >= 1.0 else 0.0),
        ]
        results = found.reshape(-1, LANES)[2:, lane]
        np.testing.assert_allclose(results, expected, rtol=1e-13)


def test_every_function_has_instructions_that_compute_what_its_text_says() -> None:
    calls = [
        kind(*[X, Y, X / 3 + Y / 4][: 3 if kind in OF_THREE else 2 if kind in OF_TWO else 1]) for kind in FUNCTIONS
    ]
    given = of(*calls)
    module: dict[str, Any] = {}
    exec(module_text([given]), module)
    values = np.random.default_rng(2).uniform(0.1, 0.9, 2 * LANES)
    workspace = np.concatenate([values, np.full(len(calls) * LANES, np.nan)])
    found, expected = after(machine_code(given), workspace), after(module["f"], workspace)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert len(set(found.reshape(-1, LANES)[2:, 0])) >= 20


OF_TWO = {above, at_least, same, both, either, power_log, share, sympy.Min, sympy.Max}
OF_THREE = {choose, weight, weight_log}


@cache
def optional() -> CompiledKernel:
    """The reference model with an option."""
    return build(lower(reference_model(hypothesis_named("renewal"))))


@pytest.mark.parametrize("name", ["prepare", "rhs", "observe", "jacobian", "factor", "backsolve"])
def test_functions_of_a_model_have_the_bits_of_their_text(name: str) -> None:
    kernel, table = optional(), parameter_table()
    workspace = np.exp(np.random.default_rng(5).normal(size=CONSTANTS + kernel.rows * LANES))
    for index, parameter in enumerate(kernel.parameters):
        workspace[CONSTANTS + index * LANES :][:LANES] = table[parameter].value * np.linspace(0.9, 1.1, LANES)
    given = {**kernel.functions, **kernel.stiff_functions()}[name]
    straight, through = after(machine_code(given), workspace), after(through_numba(given), workspace)
    assert_same(straight, through)
    assert not np.array_equal(straight, workspace)


@cache
def with_derivatives(loss: str) -> tuple[CompiledKernel, Callable[[FloatArray], None]]:
    """A system with derivatives, and its rates compiled from their text."""
    system = equations({"x": f"y - {loss}", "y": f"1 / 3 - 2 * y + {loss}"}, [1.0, 0.5], parameters=["a", "b"])
    directions = (Direction("a", (("a", sympy.Integer(1)),)), Direction("b", (("b", sympy.Integer(1)),)))
    kernel = sensitivity_kernel(system, directions)
    return kernel, through_numba(kernel.functions["rhs"])


@pytest.mark.parametrize("loss", ["a * x / (b + x)", "a * exp(-b * x)"], ids=["arithmetic", "calls"])
@pytest.mark.parametrize("command", [EVERYTHING, SHARED, 1, 2])
def test_each_piece_of_a_system_with_derivatives_has_the_bits_of_its_text(loss: str, command: int) -> None:
    kernel, through = with_derivatives(loss)
    workspace = np.exp(np.random.default_rng(5).normal(size=CONSTANTS + kernel.rows * LANES))
    workspace[COMMAND + DIRECTION], workspace[COMMAND + STAGE] = command, 1
    straight = after(machine_code(kernel.functions["rhs"]), workspace)
    assert_same(straight, after(through, workspace))
    assert straight[COMMAND + AT_ONCE] == ("exp" not in loss)
    assert not np.array_equal(straight, workspace)


def test_machines_with_shorter_vectors_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    given = of(X * Y + X / (X + Y), sympy.sqrt(X) - 1 / Y, sympy.Max(X, Y, 1) - sympy.Abs(Y))
    workspace = np.random.default_rng(6).uniform(0.1, 3.0, 5 * LANES)
    monkeypatch.setattr("simulate.kernels.print_llvm.native_width", lambda: 4)
    narrow = emitted("f", f"narrow {given.blocks}", lambda: writer(given))
    assert_same(after(narrow, workspace), after(through_numba(given), workspace))


@pytest.mark.parametrize("most", [0, 256])
def test_functions_that_are_taken_in_or_called_have_the_same_bits(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = of(X**Y + Y**X, sympy.log(X) * X**Y, sympy.tanh(X))
    workspace = np.random.default_rng(7).uniform(0.1, 3.0, 5 * LANES)
    monkeypatch.setattr("simulate.emitting._MOST_INLINED", most)
    own = emitted("f", f"{most} {given.blocks}", lambda: writer(given))
    assert_same(after(own, workspace), after(through_numba(given), workspace))


def test_functions_that_differ_in_names_alone_are_one() -> None:
    named, other = (
        function("f", "Sum.", {X: 0}, (), [(LANES, X + 1)], labels={0: label, LANES: "more"})
        for label in ("dose", "amount")
    )
    assert "        r0 = w[0 + lane]  # dose\n        w[8 + lane] = r0 + 1.0  # more\n" in module_text([named])
    assert machine_code(named) is machine_code(other)
    assert machine_code(named) is not machine_code(function("f", "Sum.", {X: 0}, (), [(LANES, X + 2)], labels={}))


@pytest.mark.parametrize(
    "given", [np.zeros(2 * LANES, dtype=np.float32), np.zeros(4 * LANES)[::2], np.zeros((2, LANES))]
)
def test_what_is_no_workspace_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="an array"):
        machine_code(of(X + 1))(given)


def test_a_sum_of_a_thousand_terms_is_compiled() -> None:
    terms = sympy.Add(*(X * Symbol(f"p{index}", real=True) for index in range(1200)))
    inputs = {X: 0} | {Symbol(f"p{index}", real=True): (1 + index) * LANES for index in range(1200)}
    given = function("f", "Sum.", inputs, (), [(1201 * LANES, terms)], labels={})
    assert after(machine_code(given), np.ones(1202 * LANES))[-1] == 1200.0
    assert max(map(len, module_text([given]).splitlines())) < 200


def test_what_is_wanted_first_has_the_same_bits_whatever_else_is_wanted() -> None:
    terms = [(2 * LANES, X * Y + Y), (3 * LANES, X * Y - X)]
    inputs = {X: 0, Y: LANES}
    alone = function("f", "One.", inputs, (), terms[:1], labels={}, own=1, scratch=4 * LANES)
    both = function("f", "Both.", inputs, (), terms, labels={}, own=1, scratch=4 * LANES)
    assert sum(isinstance(block, Fence) for block in both.blocks) == 1
    workspace = np.random.default_rng(4).uniform(0.1, 3.0, 5 * LANES)
    one, other = (after(machine_code(given), workspace) for given in (alone, both))
    np.testing.assert_array_equal(one[2 * LANES : 3 * LANES], other[2 * LANES : 3 * LANES])
