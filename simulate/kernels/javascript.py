"""A system as JavaScript, from the same programs as its compiled kernel: what a page computes without a server.

The source is an expression whose value is an object with ``prepare``, ``rhs``, ``observe`` and ``jacobian``, functions
of arrays of doubles that allocate nothing. What switches is decided at every evaluation; there are no events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels.blueprint import blueprint
from simulate.kernels.form import Place
from simulate.kernels.hoisting import Assignment, gradient, straight_line
from simulate.kernels.lowering import lowered
from simulate.kernels.print_text import Dialect, comment, dialect, statements
from simulate.kernels.system import System, infusion
from simulate.symbolic.symbols import TIME

_PLAIN = dialect("Math", "({0} ? {1} : {2})", "{} || {}", "{} && {}", "{} === {}", "{} !== {}", "  // {}")
JAVASCRIPT = Dialect(
    kinds={**_PLAIN.kinds, **{name: f"Math.{name}({{}})" for name in ("exp", "log", "abs")}},
    infinity="Infinity",
    comment=_PLAIN.comment,
    # What nobody asks for is left out where it is written.
    longest=10**6,
)
"""JavaScript has the functions of the other targets, and no others."""

_LIBRARY = """\
// Where the logarithm exists this takes half the time of Math.pow, to 15 digits. Many bases stay as they are.
const kept = Float64Array.of(1.0, 0.0);
function power(base, exponent) {
  if (!(base > 0.0 && base < Infinity)) return Math.pow(base, exponent);
  if (base === 1.0) return 1.0;
  if (base !== kept[0]) {
    kept[0] = base;
    kept[1] = Math.log(base);
  }
  return Math.exp(exponent * kept[1]);
}
function share(s, n) {
  const large = Math.abs(s) > 1.0;
  const p = power(large ? 1.0 / s : s, Math.abs(n));
  return (large === (n >= 0.0) ? 1.0 : p) / (1.0 + p);
}
function weight(s, n, j) {
  const large = Math.abs(s) > 1.0;
  const r = large ? 1.0 / s : s;
  const m = Math.abs(n);
  const below = 1.0 + power(r, m);
  return power(r, large ? m + j : m - j) / (below * below);
}
function weight_log(s, n, j) {
  const factor = weight(s, n, j);
  return factor === 0.0 ? 0.0 : factor * Math.log(s);
}
function power_log(base, exponent) {
  return base === 0.0 && exponent > 0.0 ? 0.0 : power(base, exponent) * Math.log(base);
}
function logistic(u) {
  const e = Math.exp(-Math.abs(u));
  return (u >= 0.0 ? 1.0 : e) / (1.0 + e);
}
function softplus(u) {
  return (u > 0.0 ? u : 0.0) + Math.log1p(Math.exp(-Math.abs(u)));
}"""


def javascript(system: System) -> str:
    """Source of an object with the functions of a system.

    Its functions take a time ``t`` in days, states ``y``, rates of infusion by route ``u``, parameters ``p`` and
    constants ``c``, and fill an array:

    ``prepare(p, c, y, g, q)``
        constants, initial states, gains (one for each target of each route, as ``targets`` lists them) and conditions,
        of which none may be negative;
    ``rhs(t, y, u, p, c, f)``
        derivatives in time;
    ``observe(t, y, u, p, c, o, w)``
        observables; one that takes long may be left out where the array ``w`` has a 0;
    ``jacobian(t, y, u, p, c, j, d)``
        derivatives of the derivatives in the states, row by row, and in time.

    Raises
    ------
    InputError
        ``explore.events``: the system has events; as `simulate.kernels.lowering.lowered`.
    """
    if system.events:
        raise InputError(
            "a model with events cannot be explored in a page",
            code="explore.events",
            found=", ".join(event.name for event in system.events),
            expected="a model without events",
            advice="leave the events out of the model; `simulate run` has them",
        )
    plan = blueprint(system, with_switches=False)
    rhs, observe = ((*program.results, *dict(program.assignments).values()) for program in (plan.rhs, plan.observe))
    symbols = {symbol for expression in (*rhs, *observe) for symbol in expression.free_symbols}
    kept = [symbol for symbol, _ in plan.constants if symbol in symbols]
    states = [Symbol(name) for name in plan.states]
    parameters = _numbered("p", [Symbol(name) for name in plan.parameters])
    inputs: dict[Symbol, Place] = {
        TIME: "t",
        **_numbered("y", states),
        **_numbered("u", [infusion(route) for route in plan.routes]),
        **_numbered("c", kept),
        # A parameter hides nothing: its name is none of a constant.
        **parameters,
    }
    labels = {place: str(symbol) for symbol, place in inputs.items() if ":" not in str(symbol)}
    prepared = [
        *zip(_places("c", kept), kept, strict=True),
        *zip(_places("y", states), plan.initial, strict=True),
        *zip(_places("g", plan.gains), plan.gains, strict=True),
        *zip(_places("q", plan.conditions), plan.conditions, strict=True),
    ]
    slopes, places = gradient(plan.rhs, [*states, TIME])
    slope_program = straight_line(slopes.results, "slope")
    size = len(states)
    slope_places = [f"d[{row}]" if column == size else f"j[{row * size + column}]" for row, column in places]
    of_all = "t, y, u, p, c"
    functions = (
        _function("prepare", "p, c, y, g, q", parameters, plan.constants, prepared, labels),
        _function("rhs", f"{of_all}, f", inputs, plan.rhs.assignments, _filled("f", plan.rhs.results), labels),
        _function(
            "observe",
            f"{of_all}, o, w",
            inputs,
            plan.observe.assignments,
            _filled("o", plan.observe.results),
            labels,
            asked="w",
        ),
        _function(
            "jacobian",
            f"{of_all}, j, d",
            inputs,
            (*slopes.assignments, *slope_program.assignments),
            list(zip(slope_places, slope_program.results, strict=True)),
            labels,
            first="j.fill(0.0);\n  d.fill(0.0);",
        ),
    )
    targets = "[" + ", ".join(str(list(route)) for route in plan.jumps) + "]"
    sizes = {
        "states": size,
        "parameters": len(plan.parameters),
        "observables": len(plan.observables),
        "routes": len(plan.routes),
        "constants": len(kept),
        "gains": len(plan.gains),
        "conditions": len(plan.conditions),
    }
    counts = ", ".join(f"{name}: {count}" for name, count in sizes.items())
    return "\n".join(
        (
            "(function () {",
            '"use strict";',
            _LIBRARY,
            *functions,
            f"return {{ prepare, rhs, observe, jacobian, targets: {targets}, {counts} }};",
            "})()",
        )
    )


def _places(array: str, items: Sequence[object]) -> list[str]:
    return [f"{array}[{index}]" for index in range(len(items))]


def _numbered(array: str, symbols: Sequence[Symbol]) -> dict[Symbol, Place]:
    return dict(zip(symbols, _places(array, symbols), strict=True))


def _filled(array: str, results: Sequence[Expr]) -> list[tuple[Place, Expr]]:
    return list(zip(_places(array, results), results, strict=True))


def _function(
    name: str,
    arguments: str,
    inputs: Mapping[Symbol, Place],
    assignments: Sequence[Assignment],
    outputs: Sequence[tuple[Place, Expr]],
    labels: Mapping[Place, str],
    *,
    first: str = "",
    asked: str = "",
) -> str:
    """A function that fills arrays; whatever it reads is read before anything is written.

    What calls functions is computed where the array ``asked`` says so.
    """
    written = statements(lowered(inputs, assignments, outputs), JAVASCRIPT)
    lines = [f"function {name}({arguments}) {{", *([f"  {first}"] if first else [])]
    for row, place in written.reads:
        lines.append(f"  const {row} = {place};{comment(labels, place, JAVASCRIPT)}")
    lines += [f"  const {value} = {text};" for value, text in written.steps]
    for index, (place, text, calls) in enumerate(written.results):
        condition = f"if ({asked}[{index}]) " if asked and calls else ""
        lines.append(f"  {condition}{place} = {text};{comment(labels, place, JAVASCRIPT)}")
    return "\n".join([*lines, "}"])
