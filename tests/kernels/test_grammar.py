"""What the grammar accepts, a kernel computes: random expressions against an evaluator of their text."""

from __future__ import annotations

import ast
import random

import mpmath
import numpy as np
import pytest

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver import RODAS5P, Schedule, Status, solve
from simulate.symbolic.expressions import parse_expression

CASES = ("abs(exp(tanh(x/y)))", "abs(tanh(x)**n)", "abs(log(abs(x) + 1))", "abs(x - y)**n", "max(abs(exp(x)), abs(-y))")
POINTS = np.array([(0.3, 1.7, 2.5), (2.0, 0.2, 1.0), (1.1, 1.1, 3.0), (5.0, 0.01, 0.5)])


def random_text(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.1:
        return draw.choice(["x", "y", "n", "2", "0.5", "3"])

    def part() -> str:
        return random_text(draw, depth - 1)

    return draw.choice(
        [
            lambda: f"({part()} + {part()})",
            lambda: f"({part()} - {part()})",
            lambda: f"{part()}*{part()}",
            lambda: f"{part()}/({part()})",
            lambda: f"-({part()})",
            lambda: f"({part()})**{draw.choice(['2', '3', 'n', '0.5', '(-1)'])}",
            lambda: f"exp({part()})",
            lambda: f"log({part()})",
            lambda: f"sqrt({part()})",
            lambda: f"tanh({part()})",
            lambda: f"abs({part()})",
            lambda: f"min({part()}, {part()})",
            lambda: f"max({part()}, {part()}, {part()})",
            lambda: f"hill({part()}, {part()}, {draw.choice(['n', '2', '30', '400'])})",
        ]
    )()


OPERATIONS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
FUNCTIONS = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "tanh": mpmath.tanh,
    "abs": abs,
    "min": min,
    "max": max,
    "hill": lambda x, half, n: 1 / (1 + (half / x) ** n),
}


def value_of(node: ast.expr, names: dict[str, object]) -> object:
    """A real number; ValueError, ArithmeticError or TypeError where there is none of ordinary size."""
    match node:
        case ast.Constant(value=value):
            found: object = mpmath.mpf(str(value))
        case ast.Name(id=name):
            found = names[name]
        case ast.UnaryOp(operand=operand):
            found = -value_of(operand, names)  # type: ignore[operator]
        case ast.BinOp(left=left, op=operation, right=right):
            found = OPERATIONS[type(operation)](value_of(left, names), value_of(right, names))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            found = FUNCTIONS[name](*(value_of(argument, names) for argument in arguments))
    if not isinstance(found, mpmath.mpf) or not 1e-100 < abs(found) < 1e100:
        raise ValueError
    return found


def expected(text: str, point: list[float]) -> float:
    """Value of a text at a point; NaN where there is none, or it is too sensitive to be compared."""
    tree = ast.parse(text, mode="eval").body
    values = []
    for factor in (1, 1 + mpmath.mpf(10) ** -16):
        try:
            values.append(value_of(tree, {n: mpmath.mpf(v) * factor for n, v in zip("xyn", point, strict=True)}))
        except (ValueError, ArithmeticError, TypeError):
            return float("nan")
    one, other = values
    return float(one) if abs(one - other) < 1e-13 * abs(one) else float("nan")  # type: ignore[operator, arg-type]


def accepted(count: int, seed: int) -> list[str]:
    draw, texts = random.Random(seed), list(CASES)
    while len(texts) < count:
        text = random_text(draw, 3)
        try:
            parse_expression(text)
        except InputError:
            continue
        texts.append(text)
    return texts


@pytest.mark.parametrize("seed", [1])
def test_whatever_is_accepted_is_computed_to_its_value_and_has_a_jacobian(seed: int) -> None:
    texts = accepted(30, seed)
    system = equations(
        {"x": "0", "y": "0", **{f"s{index}": text for index, text in enumerate(texts)}},
        ["x0", "y0", *([0.0] * len(texts))],
        parameters=["x0", "y0", "n"],
        observables={f"o{index}": text for index, text in enumerate(texts)},
    )
    kernel = build(system)
    assert "def jacobian" in kernel.stiff_source()
    found = solve(kernel, POINTS, Schedule.empty(len(POINTS)), np.array([0.0]))
    compared = 0
    with mpmath.workdps(40):
        for index, text in enumerate(texts):
            for place, point in enumerate(POINTS.tolist()):
                wanted = expected(text, point)
                if np.isfinite(wanted):
                    assert found.quantity(f"o{index}")[place, 0] == pytest.approx(wanted, rel=1e-9), (text, point)
                    compared += 1
    assert compared > 40


def test_an_absolute_value_of_anything_can_be_solved_stiffly() -> None:
    kernel = build(equations({"x": "1 - abs(exp(tanh(x/m)))*x + abs(x - 3)"}, [0.0], parameters=["m"]))
    found = solve(kernel, np.array([[1.0]]), Schedule.empty(1), np.array([50.0]), method=RODAS5P)
    assert found.status[0] == Status.OK
    x = found.values[0, 0, 0]
    assert 1 - np.exp(np.tanh(x)) * x + abs(x - 3) == pytest.approx(0.0, abs=1e-5)
