"""What is printed as JavaScript computes what NumPy does with the same expressions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import sympy

from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.javascript import javascript
from simulate.kernels.lowering import FUNCTIONS
from simulate.kernels.system import Happening, System, equations
from simulate.kernels.vectorfield import initial_states, inputs_of, vector_field
from simulate.solver import Schedule, solve
from simulate.symbolic.grammar import parse_expression

CALL = """
const model = MODEL;
function call(p, t, y) {
  const c = new Float64Array(model.constants), y0 = new Float64Array(model.states), g = new Float64Array(model.gains);
  const q = new Float64Array(model.conditions), f = new Float64Array(model.states);
  const o = new Float64Array(model.observables), u = new Float64Array(model.routes);
  const j = new Float64Array(model.states ** 2), d = new Float64Array(model.states);
  model.prepare(p, c, y0, g, q);
  model.rhs(t, y, u, p, c, f);
  model.observe(t, y, u, p, c, o, new Uint8Array(model.observables).fill(1));
  model.jacobian(t, y, u, p, c, j, d);
  return JSON.stringify([y0, f, o, j].map((array) => Array.from(array)));
}
"""


def called(system: System, parameters: list[float], states: list[float]) -> Any:
    """Initial states, derivatives, observables and Jacobian, in an engine of JavaScript."""
    engine = pytest.importorskip("py_mini_racer", reason="mini-racer, an engine of JavaScript, is not installed")
    context = engine.MiniRacer()
    context.eval(CALL.replace("MODEL", javascript(system)))
    return json.loads(context.eval(f"call({json.dumps(parameters)}, 0.0, {json.dumps(states)})"))


@pytest.mark.parametrize(
    "rate",
    [
        "a*x - b*x*y + 3",
        "exp(-a*x) + log(1 + y) + sqrt(x + b)",
        "x**7/(b**7 + x**7) + x**a/(b**a + x**a)",
        "1/(1 + exp(-a*(x - b))) + log(1 + exp(40*a*x))",
        "max(x - b, 0)*min(y, a) + abs(x - y) + tanh(x - b)",
        "-x**2*y/(a + x)**3 - 1e-5*y**2.5",
        "sin(a*x) + cos(y) + tan(b) + asin(x/9) + acos(y/9) + atan(x*y)",
    ],
)
def test_printed_functions_agree_with_numpy(rate: str) -> None:
    system = equations(
        {"x": rate, "y": "a - b*y"}, ["a + b", "2*a"], parameters=["a", "b"], observables={"z": f"1 + ({rate})/a"}
    )
    parameters, states = [1.7, 0.6], [0.8, 1.9]
    field, inputs = vector_field(system), inputs_of(system, np.array([parameters]))
    first, rates, observed, slopes = called(system, parameters, states)
    at = np.array([states])
    np.testing.assert_allclose(first, initial_states(system, np.array([parameters]))[0], rtol=1e-14)
    np.testing.assert_allclose(rates, field.rates(at, inputs)[0], rtol=1e-13)
    np.testing.assert_allclose(observed, field.observed(at, inputs)[0], rtol=1e-13)
    np.testing.assert_allclose(np.reshape(slopes, (2, 2)), field.slopes(at, inputs)[0], rtol=1e-12, atol=1e-14)


def test_every_function_of_the_processor_is_one_of_javascript() -> None:
    x, y = sympy.symbols("x y")
    kinds = [kind for kind, name in FUNCTIONS.items() if isinstance(name, str)]
    count = {"power_log": 2, "share": 2, "weight": 3, "weight_log": 3}
    values = {f"o{index}": kind(*[x, y, x / 3][: count.get(kind.__name__, 1)]) for index, kind in enumerate(kinds)}
    system = equations({"x": "-x", "y": "-y"}, ["0.7", "0.4"], observables={**values, "switch": sympy.sign(x - y)})
    compiled = solve(build(system), np.zeros((1, 0)), Schedule.empty(1), np.array([0.0]))
    _, _, observed, _ = called(system, [], [0.7, 0.4])
    np.testing.assert_allclose(observed, compiled.values[0, 0, 2:], rtol=1e-13)


@pytest.mark.parametrize(("x", "expected"), [(0.5, 2.0), (1.0, 3.0), (1.5, 3.0)])
def test_what_switches_is_decided_at_every_evaluation(x: float, expected: float) -> None:
    rate = parse_expression("piecewise(2, x < 1, 3)")
    _, rates, _, _ = called(equations({"x": rate}, [0.0]), [], [x])
    assert rates == [expected]


def test_a_model_with_events_is_refused() -> None:
    plain = equations({"x": "-x"}, [1.0])
    event = Happening("refill", sympy.Symbol("x") < 1, (0,), (sympy.Integer(1),))
    with pytest.raises(InputError) as caught:
        javascript(System(**{name: getattr(plain, name) for name in plain.__slots__} | {"events": (event,)}))
    assert str(caught.value) == (
        "error[explore.events]: a model with events cannot be explored in a page\n"
        "  found:    refill\n"
        "  expected: a model without events\n"
        "  try:      leave the events out of the model; `simulate run` has them"
    )
