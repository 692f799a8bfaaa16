"""Generated functions past Numba's front end: the same bits as through it."""

from __future__ import annotations

import ctypes
import functools
import zlib
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
import sympy
from sympy import Expr, Symbol, sympify

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.compiled import OPTIONS, WORKSPACE
from simulate.emitted import emitted
from simulate.kernels.build import build, load_source
from simulate.kernels.direct import is_direct, text_of, writer
from simulate.kernels.emission import HEADER, function
from simulate.kernels.hoisting import power_log
from simulate.kernels.sensitivities import Direction, sensitivity_kernel
from simulate.kernels.system import equations, lower
from simulate.solver import FloatArray
from simulate.solver.layout import COMMAND, CONSTANTS, DIRECTION, EVERYTHING, LANES, SHARED, STAGE

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
)
SPECIAL = (0.0, -0.0, 1.0, -1.5, 0.3, 2.0, 5e-324, 1e300, np.inf, -np.inf, np.nan)


def direct(source: str, name: str) -> Callable[[FloatArray], None]:
    return emitted(name, text_of(source, name), writer(source, name))


@functools.cache
def both(source: str, name: str) -> tuple[Callable[[FloatArray], None], Callable[[FloatArray], None]]:
    """A generated function compiled past the front end and through it."""
    number = zlib.crc32(source.encode())
    through = getattr(load_source(f"test_through_{number:x}", source), name)
    return direct(source, name), numba.njit(numba.void(WORKSPACE), **OPTIONS)(through)


def after(run: Callable[[FloatArray], None], workspace: FloatArray) -> FloatArray:
    found = workspace.copy()
    run(found)
    return found


def assert_same(a: FloatArray, b: FloatArray) -> None:
    """Equal bits, but for the sign and payload of what is undefined."""
    assert np.array_equal(np.isnan(a), np.isnan(b))
    assert np.array_equal(np.nan_to_num(a).view(np.int64), np.nan_to_num(b).view(np.int64))


def test_all_that_the_emitter_writes_has_the_same_bits() -> None:
    outputs = [((2 + index) * LANES, expression) for index, expression in enumerate(EXPRESSIONS)]
    source = HEADER + "\n\n" + function("f", "All.", {X: 0, Y: LANES}, (), outputs, labels={})
    assert is_direct(source, "f")
    straight, through = both(source, "f")
    pairs = [(x, y) for x in SPECIAL for y in SPECIAL]
    pairs += [(x, y) for x, y in np.random.default_rng(3).normal(size=(87, 2))]
    for first in range(0, len(pairs) - LANES + 1, LANES):
        workspace = np.zeros((2 + len(EXPRESSIONS)) * LANES)
        workspace[: 2 * LANES] = np.array(pairs[first : first + LANES]).T.ravel()
        assert_same(after(straight, workspace), after(through, workspace))


@pytest.mark.parametrize("name", ["prepare", "rhs", "observe", "jacobian", "factor", "backsolve"])
def test_functions_of_a_model_have_the_same_bits(name: str) -> None:
    model = reference_model(hypothesis_named("H5+renewal"))
    kernel = build(lower(model))
    workspace = np.exp(np.random.default_rng(5).normal(size=CONSTANTS + kernel.rows * LANES))
    for index, parameter in enumerate(model.parameters):
        workspace[CONSTANTS + index * LANES :][:LANES] = parameter.value * np.linspace(0.9, 1.1, LANES)
    source = kernel.source if name in {"prepare", "rhs", "observe"} else kernel.stiff_source()
    assert is_direct(source, name)
    straight, through = both(source, name)
    assert_same(after(straight, workspace), after(through, workspace))
    assert not np.array_equal(after(straight, workspace), workspace)


@pytest.mark.parametrize("loss", ["a * x / (b + x)", "a * exp(-b * x)"], ids=["whole rows", "lanes"])
@pytest.mark.parametrize("command", [EVERYTHING, SHARED, 1, 2])
def test_each_piece_of_a_system_with_derivatives_has_the_same_bits(loss: str, command: int) -> None:
    system = equations({"x": f"y - {loss}", "y": f"1 / 3 - 2 * y + {loss}"}, [1.0, 0.5], parameters=["a", "b"])
    directions = (Direction("a", (("a", sympy.Integer(1)),)), Direction("b", (("b", sympy.Integer(1)),)))
    kernel = sensitivity_kernel(system, directions)
    assert ("load(w" in kernel.source) == ("exp" not in loss)
    workspace = np.exp(np.random.default_rng(5).normal(size=CONSTANTS + kernel.rows * LANES))
    workspace[COMMAND + DIRECTION], workspace[COMMAND + STAGE] = command, 1
    assert is_direct(kernel.source, "rhs")
    straight, through = both(kernel.source, "rhs")
    assert_same(after(straight, workspace), after(through, workspace))
    assert not np.array_equal(after(straight, workspace), workspace)


def test_what_branches_between_lanes_is_left_to_numba() -> None:
    source = "def f(w):\n    if w[0] > 0.0:\n        w[1] = 1.0\n"
    assert not is_direct(source, "f")


def test_machines_with_shorter_vectors_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = [X * Y + X / (X + Y), sympy.sqrt(X) - 1 / Y, sympy.Max(X, Y, 1) - sympy.Abs(Y)]
    outputs = [((2 + index) * LANES, term) for index, term in enumerate(terms)]
    source = HEADER + "\n\n" + function("f", "All.", {X: 0, Y: LANES}, (), outputs, labels={})
    workspace = np.random.default_rng(6).uniform(0.1, 3.0, (2 + len(terms)) * LANES)
    _, through = both(source, "f")
    monkeypatch.setattr("simulate.kernels.direct.native_width", lambda: 4)
    narrow = emitted("f", f"narrow {text_of(source, 'f')}", writer(source, "f"))
    assert_same(after(narrow, workspace), after(through, workspace))


@pytest.mark.parametrize("most", [0, 256])
def test_functions_that_are_taken_in_or_called_have_the_same_bits(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = [X**Y + Y**X, sympy.log(X) * X**Y, sympy.tanh(X)]
    outputs = [((2 + index) * LANES, term) for index, term in enumerate(terms)]
    source = HEADER + "\n\n" + function("f", "All.", {X: 0, Y: LANES}, (), outputs, labels={})
    workspace = np.random.default_rng(7).uniform(0.1, 3.0, (2 + len(terms)) * LANES)
    _, through = both(source, "f")
    monkeypatch.setattr("simulate.emitted._MOST_INLINED", most)
    own = emitted("f", f"{most} {text_of(source, 'f')}", writer(source, "f"))
    assert_same(after(own, workspace), after(through, workspace))


def test_functions_that_differ_in_names_alone_are_one() -> None:
    named, other = (
        HEADER + "\n\n" + function("f", "Sum.", {X: 0}, (), [(LANES, X + 1)], labels={0: label, LANES: "more"})
        for label in ("dose", "amount")
    )
    assert "        r0 = w[0 + lane]  # dose\n        w[8 + lane] = r0 + 1.0  # more\n" in named
    assert direct(named, "f") is direct(other, "f")
    assert direct(named, "f") is not direct(named.replace("1.0", "2.0"), "f")


@pytest.mark.parametrize(
    "given", [np.zeros(2 * LANES, dtype=np.float32), np.zeros(4 * LANES)[::2], np.zeros((2, LANES))]
)
def test_what_is_no_workspace_is_refused(given: Any) -> None:
    source = HEADER + "\n\n" + function("f", "Sum.", {X: 0}, (), [(LANES, X + 1)], labels={})
    with pytest.raises(ctypes.ArgumentError):
        direct(source, "f")(given)


def test_a_sum_of_a_thousand_terms_is_compiled() -> None:
    terms = sympy.Add(*(X * Symbol(f"p{index}", real=True) for index in range(1200)))
    inputs = {X: 0} | {Symbol(f"p{index}", real=True): (1 + index) * LANES for index in range(1200)}
    source = HEADER + "\n\n" + function("f", "Sum.", inputs, (), [(1201 * LANES, terms)], labels={})
    assert after(direct(source, "f"), np.ones(1202 * LANES))[-1] == 1200.0


def test_beside_a_branch_that_numba_keeps_the_last_bit_may_differ() -> None:
    outputs = [(2 * LANES, X * Y + power_log(X, Y) + Y), (3 * LANES, X - Y * power_log(Y, X))]
    source = HEADER + "\n\n" + function("f", "Both.", {X: 0, Y: LANES}, (), outputs, labels={})
    straight, through = both(source, "f")
    workspace = np.random.default_rng(4).uniform(0.1, 3.0, 4 * LANES)
    assert after(straight, workspace) == pytest.approx(after(through, workspace), rel=1e-14)
