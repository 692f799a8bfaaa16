"""Large models: what follows tables beside what is written out, and beside plain Python."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import sympy
from sympy import Expr

from benchmarks.large import ring
from simulate.exchange.sbml import read_sbml
from simulate.kernels import build as building
from simulate.kernels import elimination, following
from simulate.kernels.build import build
from simulate.kernels.form import Follow, KernelFunction
from simulate.kernels.kernel import CompiledKernel, machine_code
from simulate.kernels.lowering import lowered
from simulate.kernels.print_table import tabled
from simulate.kernels.saturation import share
from simulate.kernels.system import System, equations, lower
from simulate.solver import RODAS5P, Schedule, solve
from simulate.solver.kernel import FloatArray
from simulate.solver.layout import CONSTANTS, LANES, SHIFT, SOLUTION, SOUND, STATE, TIME
from simulate.symbolic.switching import above, choose
from tests.helpers.plain import plain_edition

X, Y, Z = sympy.symbols("x y z")
INPUTS = {X: 0, Y: LANES, Z: 2 * LANES}


def values_of(outputs: list[Expr], values: FloatArray, room: int = 40) -> FloatArray | None:
    """What a table gives for values [input, lane]; None where there is too little room for it."""
    first = len(INPUTS)
    scratch = range((first + len(outputs)) * LANES, (first + len(outputs) + room) * LANES, LANES)
    placed = [((first + index) * LANES, output) for index, output in enumerate(outputs)]
    body = lowered(INPUTS, (), placed, in_order=False)
    blocks = tabled(body, scratch)
    if blocks is None:
        return None
    w = np.full((first + len(outputs) + room) * LANES, np.nan)
    w[: first * LANES] = values.ravel()
    plain = w.copy()
    machine_code(KernelFunction("f", "All.", blocks))(w)
    machine_code(KernelFunction("f", "All.", (body,)))(plain)
    found, written = (one[first * LANES : (first + len(outputs)) * LANES].reshape(-1, LANES) for one in (w, plain))
    # Where a product is part of a sum, and where not, differs; large terms may cancel.
    np.testing.assert_allclose(found, written, rtol=1e-11)
    return found


def grown(generator: np.random.Generator, size: int) -> list[Expr]:
    """Expressions made at random of those before them."""
    parts: list[Expr] = [X, Y, Z, sympy.Integer(2), sympy.Rational(1, 3)]
    for _ in range(size):
        a, b, c = (parts[index] for index in generator.integers(len(parts), size=3))
        parts.append(
            [
                a + b * c,
                a * b + c,
                a * b * c,
                a / (b + 1),
                -a * b - c,
                (a + b) ** 2,
                1 / (a * a + 1),
                sympy.sqrt(a * a + 1),
            ][generator.integers(8)]
        )
    return parts[5:]


@pytest.mark.parametrize("seed", range(12))
def test_tables_of_random_programs_give_what_python_gives(seed: int) -> None:
    generator = np.random.default_rng(seed)
    outputs = grown(generator, 12)
    values = generator.uniform(0.5, 1.5, (3, LANES))
    found = values_of(outputs, values)
    assert found is not None
    for lane in range(LANES):
        exact = {symbol: sympy.Float(float(values[index, lane]), 40) for index, symbol in enumerate(INPUTS)}
        expected = [float(output.evalf(40, subs=exact)) for output in outputs]
        # Sums of both signs lose digits against the largest that is in them.
        np.testing.assert_allclose(found[:, lane], expected, rtol=1e-11)


def test_functions_and_numbers_stand_between_steps() -> None:
    outputs = [
        sympy.exp(-X * Y) + X,
        share(X, Y) * Z - sympy.exp(-X * Y),
        choose(above(X, Y), X * Z, sympy.log(Y)),
        sympy.Max(X, Y, Z) - sympy.Min(X, Y),
        X**Y / 3,
        sympy.Integer(0),
        sympy.Rational(3, 4),
        X,
        -X,
        -X * Y,
        X * Y,
        sympy.tanh(Y) ** 2,
    ]
    values = np.random.default_rng(4).uniform(0.2, 2.0, (3, LANES))
    found = values_of(outputs, values)
    assert found is not None
    for lane, (x, y, z) in enumerate(values.T):
        expected = [
            math.exp(-x * y) + x,
            x**y / (1 + x**y) * z - math.exp(-x * y),
            x * z if x > y else math.log(y),
            max(x, y, z) - min(x, y),
            x**y / 3,
            0.0,
            0.75,
            x,
            -x,
            -x * y,
            x * y,
            math.tanh(y) ** 2,
        ]
        np.testing.assert_allclose(found[:, lane], expected, rtol=4e-15, atol=1e-15)


def test_what_is_undefined_stays_with_its_patient() -> None:
    values = np.full((3, LANES), 0.5)
    values[0, 2] = np.nan
    found = values_of([X * Y + Z, Y * Z, sympy.Max(X, Y)], values)
    assert found is not None
    assert np.isnan(found).nonzero()[1].tolist() == [2, 2]


def test_too_few_rows_are_told() -> None:
    sums = [sum((X * k + Y) ** 2 for k in range(2, 9)) * sympy.exp(Z), X * Y]
    assert values_of(sums, np.ones((3, LANES)), room=3) is None
    found = values_of(sums, np.ones((3, LANES)), room=20)
    assert found is not None
    assert found[0, 0] == pytest.approx(sum((k + 1) ** 2 for k in range(2, 9)) * math.e, rel=1e-15)


def test_the_kind_of_which_the_most_can_be_done_comes_next_and_calls_last() -> None:
    kinds = {0: "plus", 1: "", 2: "times", 3: "times", 4: "plus"}
    needs: dict[int, list[int]] = {0: [], 1: [], 2: [0], 3: [], 4: [1, 3]}
    runs = list(following.scheduled(kinds, needs))
    assert runs == [("times", [3]), ("plus", [0]), ("times", [2]), ("", [1]), ("plus", [4])]


def sparse(seed: int, size: int, share_of_places: float) -> System:
    """Linear equations with places at random, in no way the same across the diagonal."""
    generator = np.random.default_rng(seed)
    names = [f"x{index}" for index in range(size)]
    rates = {}
    for row, name in enumerate(names):
        columns = np.flatnonzero(generator.random(size) < share_of_places)
        terms = [f"{generator.normal():.6f}*{names[column]}*{names[row]}" for column in columns]
        rates[name] = " + ".join([f"-{1 + row % 3}*{name}", *terms])
    return equations(rates, ["1"] * size)


def workspace_of(kernel: CompiledKernel, shift: float) -> FloatArray:
    """A workspace after the Jacobian, its factors and a solution."""
    size = len(kernel.states)
    generator = np.random.default_rng(7)
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    w[CONSTANTS : CONSTANTS + len(kernel.parameters) * LANES] = 1.0 + generator.random(len(kernel.parameters) * LANES)
    kernel.prepare(w)
    w[STATE : STATE + size * LANES] = generator.uniform(0.2, 2.0, size * LANES)
    w[TIME : TIME + LANES], w[SHIFT : SHIFT + LANES] = 0.4, shift
    kernel.jacobian(w)
    return w


def tables(kernel: CompiledKernel) -> int:
    """How many functions for stiff systems follow tables."""
    functions = kernel.stiff_functions().values()
    return sum(any(isinstance(block, Follow) for block in function.blocks) for function in functions)


@pytest.mark.parametrize(
    ("seed", "size", "places", "most"), [(1, 49, 0.02, 48), (2, 60, 0.03, 48), (3, 60, 0.05, 48), (4, 30, 0.2, 20)]
)
def test_large_models_have_the_factors_and_solutions_of_what_is_written_to_the_last_bit(
    seed: int, size: int, places: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = sparse(seed, size, places)
    for module in (building, elimination):
        monkeypatch.setattr(module, "MOST_WRITTEN", most)
    large = build(system)
    assert tables(large) == 3
    monkeypatch.setattr(elimination, "MOST_WRITTEN", 256)
    monkeypatch.setattr(elimination, "_MOST_STEPS", 10**9)
    written = build(system)
    assert tables(written) == 1
    first, second = workspace_of(large, 30.0), workspace_of(written, 30.0)
    np.testing.assert_array_equal(first[SOLUTION : SOLUTION + size * LANES], second[SOLUTION : SOLUTION + size * LANES])
    found = []
    for kernel in (large, written):
        # The Jacobian is that of the one for both.
        w = first.copy()
        kernel.factor(w)
        w[SOLUTION : SOLUTION + size * LANES] = np.random.default_rng(8).normal(size=size * LANES)
        kernel.backsolve(w)
        found.append(w)
    np.testing.assert_array_equal(*found)
    assert set(found[0][SOUND : SOUND + LANES]) == {1.0}


@pytest.mark.parametrize("states", [49, 80])
def test_the_jacobian_of_a_large_model_is_that_which_is_written(
    states: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ring.xml"
    path.write_text(ring(states))
    system = lower(read_sbml(path, time_unit="d").model.compose())
    table = workspace_of(build(system), 1.0)
    monkeypatch.setattr(building, "MOST_WRITTEN", 256)
    kernel = build(system)
    written = workspace_of(kernel, 1.0)
    assert "d rate 0 / d state 0" in kernel.stiff_source()
    labels = kernel.stiff_functions()["jacobian"].labels
    entries = [place for place, label in labels.items() if label.startswith("d rate ")]
    assert len(entries) >= 3 * states
    rows = np.array(entries)[:, None] + np.arange(LANES)
    scale = np.abs(written[rows]).max()
    np.testing.assert_allclose(table[rows], written[rows], rtol=1e-15, atol=1e-15 * scale)


def test_models_of_48_states_are_written_and_one_more_follows_tables(tmp_path: Path) -> None:
    path = tmp_path / "ring.xml"
    for states, count in ((48, 0), (49, 3)):
        path.write_text(ring(states))
        assert tables(build(lower(read_sbml(path, time_unit="d").model.compose()))) == count


def test_patients_of_a_large_stiff_model_have_the_same_bits_in_any_company(tmp_path: Path) -> None:
    path = tmp_path / "ring.xml"
    path.write_text(ring(49))
    model = read_sbml(path, time_unit="d").model.compose()
    kernel, times = build(lower(model)), np.linspace(0.0, 5.0, 4)
    typical = {part.name: part.value for part in model.parameters}
    row = np.array([typical[name] for name in kernel.parameters])
    rows = row * np.random.default_rng(2).lognormal(0.0, 0.3, (11, len(row)))
    together = solve(kernel, rows, Schedule.empty(11), times, method=RODAS5P, threads=2)
    for chosen in (slice(None, None, -1), slice(4, 5), slice(3, 10)):
        found = solve(kernel, rows[chosen], Schedule.empty(len(rows[chosen])), times, method=RODAS5P, threads=1)
        np.testing.assert_array_equal(found.values, together.values[chosen])
    assert not together.failures


def test_without_room_the_jacobian_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "tabled", lambda *_: None)
    kernel = build(sparse(1, 49, 0.02))
    assert tables(kernel) == 2
    assert "d rate 0 / d state 0" in kernel.stiff_source()


def test_one_lane_of_plain_python_follows_the_same_tables() -> None:
    system = sparse(1, 49, 0.02)
    edition, builder = plain_edition(capacity=49)
    layout, one, large = edition.module("simulate.solver.layout"), builder.build(system), build(system)
    w = np.zeros(layout.CONSTANTS + one.rows)
    many = workspace_of(large, 30.0)
    w[layout.STATE : layout.STATE + 49] = many[STATE : STATE + 49 * LANES : LANES]
    w[layout.SHIFT] = 30.0
    for name in ("prepare", "jacobian", "factor"):
        getattr(one, name)(w)
        getattr(large, name)(many)
    w[layout.SOLUTION : layout.SOLUTION + 49] = np.arange(49.0)
    many[SOLUTION : SOLUTION + 49 * LANES] = np.repeat(np.arange(49.0), LANES)
    one.backsolve(w)
    large.backsolve(many)
    # Python rounds a product before it is added.
    np.testing.assert_allclose(
        w[layout.SOLUTION : layout.SOLUTION + 49], many[SOLUTION : SOLUTION + 49 * LANES : LANES], rtol=1e-12
    )
