"""A right-hand side on a tape: few series meet, and what has no series is refused."""

from __future__ import annotations

import pytest
from sympy import Symbol

from simulate.errors import InputError
from simulate.kernels.hoisting import straight_line
from simulate.kernels.system import equations
from simulate.kernels.tape import Tape
from simulate.kernels.taping import tape
from simulate.symbolic.expressions import parse_expression

CONSTANTS = {Symbol(name): 8 * index for index, name in enumerate("abcde")}


def taped(**rates: str) -> Tape:
    program = straight_line([parse_expression(rate) for rate in rates.values()], "rhs")
    return tape(program, [Symbol(name) for name in rates], CONSTANTS)


def meetings(program: Tape) -> list[str]:
    return sorted(core[0] for core in program.cores if core[0] not in {"state", "time", "sum"})


def test_linear_equations_have_no_series_that_meet() -> None:
    assert meetings(taped(x="a * (b * y - c * x) + d", y="x / (a + b) - y * e")) == []


def test_a_product_that_several_states_share_is_formed_once() -> None:
    assert meetings(taped(x="a * x * (b * y + c)", y="d * x * (e - y)")) == ["product"]


def test_a_saturating_response_to_a_competitive_occupancy_is_one_quotient() -> None:
    occupancy = "(a / (b + c * x))"
    assert meetings(taped(x=f"d * {occupancy} / (e + {occupancy})")) == ["quotient"]
    share = "(y / (y + c * x + 1))"
    assert meetings(taped(x=f"d * {share} / (e + {share})", y="x")) == ["quotient"]


def test_two_sums_meet_once() -> None:
    assert meetings(taped(x="(x + y) * (x + 2 * y)", y="a")) == ["product"]


def test_what_multiplies_an_inverse_that_nothing_else_needs_is_divided() -> None:
    inhibited = {"x": "x * (1 - a / (b + z))", "y": "y * (1 - c / (b + z))"}
    assert meetings(taped(**inhibited, z="-z")) == ["quotient"] * 2
    assert meetings(taped(**inhibited, z="-1 / (b + z)")) == ["product", "product", "quotient"]


@pytest.mark.parametrize("rate", ["abs(x)", "sqrt(x)", "x ** a", "min(x, 1)", "tanh(x)", "x ** 17"])
def test_what_has_no_series_everywhere_is_refused_with_advice(rate: str) -> None:
    system = equations({"x": rate}, [1.0], parameters=["a"])
    with pytest.raises(InputError) as caught:
        tape(straight_line(system.rhs, "rhs"), [Symbol("x")], CONSTANTS)
    assert caught.value.code == "kernel.not-smooth"
    assert "Runge-Kutta" in str(caught.value.advice)
