"""Generated code: what it may contain, that it is kept, and that a broken cache is mended."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sympy

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.hoisting import derivative, gradient, hoist, straight_line
from simulate.kernels.lowering import lowered
from simulate.kernels.system import equations
from simulate.solver import Schedule, solve
from simulate.solver.layout import CAPACITY

PROGRAM = """
import json
import numpy as np
from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver.layout import CONSTANTS, LANES, RATE, RESULT, STATE
kernel = build(equations({"a": "-a * k", "b": "a * k - b**2 / (1 + b)"}, [1.0, 0.5], parameters=["k"]))
w = np.zeros(CONSTANTS + kernel.rows * LANES)
w[CONSTANTS : CONSTANTS + LANES] = np.linspace(0.1, 2.0, LANES)
kernel.prepare(w)
w[STATE : STATE + 2 * LANES] = w[RESULT : RESULT + 2 * LANES]
kernel.rhs(w)
print(json.dumps({"rates": [value.hex() for value in w[RATE : RATE + 2 * LANES].tolist()], "key": kernel.key}))
"""


def run_program(cache: Path | str, **environment: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "IL1SIM_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_names_of_a_model_appear_in_comments_only() -> None:
    kernel = build(equations({"class_": "-lane * class_", "w": "class_ - w"}, [1.0, 0.0], parameters=["lane"]))
    names = {node.id for node in ast.walk(ast.parse(kernel.source)) if isinstance(node, ast.Name)}
    assert not names & {"class_"}
    assert {name for name in names if name not in {"w", "lane", "range"}} <= {
        f"{letter}{index}" for letter in "rx" for index in range(40)
    }
    assert "# class_" in kernel.source
    result = solve(kernel, np.array([[0.7]]), Schedule.empty(1), np.array([2.0]))
    assert result.values[0, 0, 0] == pytest.approx(np.exp(-1.4), rel=1e-6)


def test_states_named_like_constants_of_sympy_are_states() -> None:
    odd = equations({"S": "-E * S", "I": "E * S - I"}, [1.0, 0.0], parameters=["E"])
    plain = equations({"s1": "-k * s1", "s2": "k * s1 - s2"}, [1.0, 0.0], parameters=["k"])
    odd_values, plain_values = (
        solve(build(system), np.array([[0.7]]), Schedule.empty(1), np.array([1.0, 3.0])).values
        for system in (odd, plain)
    )
    np.testing.assert_allclose(odd_values, plain_values, rtol=1e-12)


def test_a_function_that_no_target_knows_is_refused() -> None:
    x = sympy.Symbol("x")
    with pytest.raises(InputError, match="the function `gamma` cannot be compiled"):
        lowered({x: 0}, (), [(0, sympy.gamma(x))])


def test_a_model_larger_than_the_workspace_is_refused() -> None:
    with pytest.raises(InputError, match=f"the model has {CAPACITY + 1} states and 0 observables"):
        build(equations({f"x{index}": f"-x{index}" for index in range(CAPACITY + 1)}, [1.0] * (CAPACITY + 1)))


def test_what_does_not_change_in_time_is_computed_once() -> None:
    x, a, b = sympy.symbols("x a b")
    constants, rest = hoist(straight_line([x * a * b / (a + b), (a + b) * x**2 + a * b], "rhs"), [x], "constant")
    for expression in (*(value for _, value in rest.assignments), *rest.results):
        operations = [part for part in sympy.preorder_traversal(expression) if part.args]
        assert all(part.has(x) or part.free_symbols & {name for name, _ in rest.assignments} for part in operations)
    values = {a: 2.0, b: 3.0, x: 5.0}
    for name, value in (*constants, *rest.assignments):
        values[name] = value.subs(values)
    np.testing.assert_allclose([float(result.subs(values)) for result in rest.results], [6.0, 131.0], rtol=1e-14)


def test_gradients_follow_the_chain_rule_through_temporaries() -> None:
    x, y = sympy.symbols("x y")
    expressions = [sympy.exp(x * y) / (1 + sympy.exp(x * y)), sympy.Max(x, y) * sympy.exp(x * y)]
    program, places = gradient(straight_line(expressions, "rhs"), [x, y])
    point = {x: sympy.Float(0.4), y: sympy.Float(0.9)}
    values = dict(point)
    for name, value in program.assignments:
        values[name] = value.subs(values)
    found = {place: float(result.subs(values)) for place, result in zip(places, program.results, strict=True)}
    real = {x: sympy.Symbol("x", real=True), y: sympy.Symbol("y", real=True)}
    for (row, column), value in found.items():
        variable = real[(x, y)[column]]
        exact = expressions[row].xreplace(real).diff(variable).subs({real[x]: 0.4, real[y]: 0.9})
        assert value == pytest.approx(float(exact), rel=1e-12)
    assert set(found) == {(0, 0), (0, 1), (1, 0), (1, 1)}


Filled = tuple[Path, list[dict[str, object]]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A cache that was empty before processes of several hash seeds ran together, and their answers."""
    cache = tmp_path_factory.mktemp("cache")
    with ThreadPoolExecutor() as pool:
        return cache, list(pool.map(lambda seed: run_program(cache, PYTHONHASHSEED=seed), ["1", "2"]))


def test_a_damaged_cache_is_mended(filled: Filled, tmp_path: Path) -> None:
    cache, (first, _) = filled
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    damaged = list(tmp_path.rglob("*.bin"))
    assert damaged
    whole = {path: path.read_bytes() for path in damaged}
    for path in damaged:
        path.write_bytes(path.read_bytes()[:10])
    assert run_program(tmp_path) == first
    # Mended, not only done without: every cut file is whole again.
    assert all(len(path.read_bytes()) == pytest.approx(len(content), rel=0.01) for path, content in whole.items())


def test_processes_of_any_hash_seed_that_fill_an_empty_cache_together_agree(filled: Filled) -> None:
    cache, (one, other) = filled
    assert one == other
    assert not list(cache.rglob("*.tmp"))


def test_a_cache_that_cannot_be_written_is_done_without(filled: Filled, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert run_program(tmp_path / "file") == filled[1][0]


def test_a_changed_constant_is_another_kernel() -> None:
    kernels = [build(equations({"x": f"-{rate} * x"}, [1.0])) for rate in ("0.25", "0.75")]
    assert kernels[0].key != kernels[1].key
    ends = [solve(kernel, np.zeros((1, 0)), Schedule.empty(1), np.array([1.0])).values[0, 0, 0] for kernel in kernels]
    assert ends == pytest.approx([np.exp(-0.25), np.exp(-0.75)], rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "a", "b", "7", "x*y/(a + x)", "3*x**2*(x + y)**(-3)/2", "(x + 1)**(1/2)*y - a*x/(b*x + y*(a + x)**2)",
        "-x/(2*(x + y + 1)) + 2*(x + y)", "(x*y)**3 + x**(-1/3)",
    ],
)  # fmt: skip
def test_derivatives_of_algebraic_expressions_are_those_of_sympy(text: str) -> None:
    expression = sympy.sympify(text)
    for name in ("x", "y"):
        assert derivative(expression, sympy.Symbol(name)) == expression.diff(sympy.Symbol(name))
