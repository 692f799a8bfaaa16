"""Any expression of the grammar means in generated code what it means in exact arithmetic, and so does its gradient."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sympy import Expr

from simulate.kernels.build import build
from simulate.kernels.hoisting import Assignment, gradient, hoist, straight_line
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.lowering import function
from simulate.kernels.print_text import module_text
from simulate.kernels.system import equations
from simulate.solver import Method, Schedule, Status, solve
from simulate.solver.layout import CONSTANTS, LANES, RESULT, STATE
from tests.helpers.fixed_steps import RUNGE_KUTTA

NAMES = x, y, a, b = sympy.symbols("x y a b")
STATES, PARAMETERS = (x, y), (a, b)
VALUES = {x: 0.7, y: 1.9, a: 0.3, b: 2.6}
POINT = {symbol: sympy.Rational(str(value)) for symbol, value in VALUES.items()}

numbers = st.fractions(-3, 3, max_denominator=7).map(sympy.Rational)
leaves = st.one_of(st.sampled_from(NAMES), numbers)
exponents = st.one_of(st.integers(-4, 5).map(sympy.Integer), st.sampled_from([a, b, a - b, sympy.Rational(-3, 2)]))


def _larger(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    positive = parts.map(lambda part: sympy.Rational(1, 5) + part**2)
    return st.one_of(
        st.tuples(parts, parts).map(lambda pair: pair[0] + pair[1]),
        st.tuples(parts, parts).map(lambda pair: pair[0] - pair[1]),
        st.tuples(parts, parts).map(lambda pair: pair[0] * pair[1]),
        st.tuples(parts, positive).map(lambda pair: pair[0] / pair[1]),
        st.tuples(positive, exponents).map(lambda pair: pair[0] ** pair[1]),
        parts.map(lambda part: -part),
        parts.map(lambda part: sympy.exp(-(part**2))),
        positive.map(sympy.log),
        positive.map(sympy.sqrt),
        parts.map(sympy.tanh),
        parts.map(sympy.Abs),
        st.tuples(parts, parts).map(lambda pair: sympy.Max(*pair)),
        st.tuples(parts, parts, parts).map(lambda pair: sympy.Min(*pair)),
    )


def exact(expression: Expr) -> float:
    """Value with 40 digits."""
    return float(sympy.N(expression.xreplace(POINT), 40))


def ordinary(expression: Expr) -> bool:
    """Whether nothing in it overflows or cancels beyond what doubles hold."""
    compound = [part for part in sympy.preorder_traversal(expression) if part.is_Add or part.is_Pow or part.is_Mul]
    return all(size == 0 or 1e-6 < size < 1e6 for size in (abs(exact(part)) for part in compound))


expressions = st.recursive(leaves, _larger, max_leaves=9).filter(ordinary)


def generated(assignments: list[Assignment], results: list[Expr]) -> list[float]:
    """Values of a program at the point, computed by its generated source as plain Python."""
    made = function(
        "outcome",
        "Values.",
        {symbol: STATE + index * LANES for index, symbol in enumerate(NAMES)},
        assignments,
        [(RESULT + index * LANES, result) for index, result in enumerate(results)],
        labels={},
    )
    module: dict[str, object] = {}
    exec(module_text([made]), module)
    w = np.zeros(CONSTANTS)
    for index, symbol in enumerate(NAMES):
        w[STATE + index * LANES : STATE + (index + 1) * LANES] = VALUES[symbol]
    outcome = module["outcome"]
    assert callable(outcome)
    outcome(w)
    return [float(w[RESULT + index * LANES]) for index in range(len(results))]


@settings(max_examples=100)
@given(expression=expressions)
def test_generated_source_keeps_the_precedence_of_every_operator(expression: Expr) -> None:
    assert generated([], [expression])[0] == pytest.approx(exact(expression), rel=1e-8, abs=1e-10)


@settings(max_examples=60)
@given(pair=st.tuples(expressions, expressions))
def test_hoisting_and_common_subexpressions_change_no_value(pair: tuple[Expr, Expr]) -> None:
    values = [exact(expression) for expression in pair]
    constants, rest = hoist(straight_line(pair, "rhs"), STATES, "constant")
    assert all(not value.free_symbols & set(STATES) for _, value in constants)
    results = generated([*constants, *rest.assignments], list(rest.results))
    assert results == pytest.approx(values, rel=1e-8, abs=1e-10)


@settings(max_examples=60)
@example(pair=(sympy.Abs(sympy.exp(x) - 2 * sympy.exp(y)), sympy.Abs(sympy.exp(-(sympy.log(x**2 + 1) ** 2)))))
@given(pair=st.tuples(expressions, expressions))
def test_gradients_agree_with_finite_differences(pair: tuple[Expr, Expr]) -> None:
    for expression in pair:
        # At a kink no difference quotient means anything.
        for kinked in expression.atoms(sympy.Abs, sympy.Max, sympy.Min):
            sizes = sorted(float(part.xreplace(POINT)) for part in kinked.args)
            assume(min(np.diff(sizes), default=1.0) > 1e-3)
            assume(not isinstance(kinked, sympy.Abs) or abs(sizes[0]) > 1e-3)
    constants, rest = hoist(straight_line(pair, "rhs"), STATES, "constant")
    program, places = gradient(rest, STATES)
    found = dict(zip(places, generated([*constants, *program.assignments], list(program.results)), strict=True))
    h = sympy.Rational(1, 10**8)
    for row, expression in enumerate(pair):
        for column, variable in enumerate(STATES):
            up, down = (expression.xreplace(POINT | {variable: POINT[variable] + step}) for step in (h, -h))
            slope = float(sympy.N((up - down) / (2 * h), 40))
            assert found.get((row, column), 0.0) == pytest.approx(slope, rel=1e-6, abs=1e-7)


def values_of(observables: dict[str, str | Expr]) -> dict[str, float]:
    """Values of observables at the point, by the compiled kernel."""
    kernel = build(
        equations({"x": "-x", "y": "-y"}, [VALUES[x], VALUES[y]], parameters=["a", "b"], observables=observables)
    )
    result = solve(kernel, np.array([[VALUES[a], VALUES[b]]]), Schedule.empty(1), np.array([0.0]))
    return {name: float(result.quantity(name)[0, 0]) for name in observables}


def test_compiled_code_computes_what_its_source_says() -> None:
    samples: list[Expr] = []

    @given(expression=expressions)
    def collect(expression: Expr) -> None:
        samples.append(expression)

    collect()
    observables: dict[str, str | Expr] = {f"o{index}": expression for index, expression in enumerate(samples[:60])}
    found = list(values_of(observables).values())
    assert found == pytest.approx([exact(sample) for sample in samples[:60]], rel=1e-8, abs=1e-10)


def test_undefined_and_infinite_values_follow_the_rules_of_ieee_and_are_never_hidden() -> None:
    undefined = ["(x - y)**a", "sqrt(x - y)", "log(x - y)", "max(x, log(x - y))", "max(0, log(x - y))"]
    undefined += ["min(log(x - y), x)", "min(x, y, log(x - y))"]
    found = values_of({f"u{index}": text for index, text in enumerate(undefined)})
    assert all(np.isnan(value) for value in found.values())
    zero = "(min(x, 0))"
    infinite = values_of({"quotient": f"y / {zero}", "log": f"-log({zero})", "exp": "exp(y * 1000)"})
    assert set(infinite.values()) == {np.inf}
    assert values_of({"power": f"{zero}**min(a, 0)", "root": f"{zero}**a"}) == {"power": 1.0, "root": 0.0}


def hill_kernel() -> CompiledKernel:
    return build(
        equations(
            {"x": "1 - x", "y": "hill(x, k, n) - y", "z": "max(x - 5, 0)**n - z"}, [0.0] * 3, parameters=["k", "n"]
        )
    )


@pytest.mark.parametrize("method", RUNGE_KUTTA, ids=lambda method: method.name)
def test_a_hill_function_of_nothing_has_a_derivative(method: Method) -> None:
    # SymPy writes n * x**n / x, which is undefined at x = 0.
    parameters = np.array([[1.0, 1.0], [1.0, 1.7], [0.5, 2.0]])
    result = solve(hill_kernel(), parameters, Schedule.empty(3), np.array([2.0]), method=method)
    assert result.status.tolist() == [Status.OK] * 3
    assert (result.quantity("y") > 0.1).all()
    np.testing.assert_array_equal(result.quantity("z"), 0.0)
