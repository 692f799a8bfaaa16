"""A system as JavaScript, from the same programs as its compiled kernel: what a page computes without a server.

The source is an expression whose value is an object with ``prepare``, ``rhs``, ``observe`` and ``jacobian``, functions
of arrays of doubles that allocate nothing. What switches is decided at every evaluation; there are no events.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels import saturation
from simulate.kernels.blueprint import blueprint
from simulate.kernels.emission import Offset, lines_of, needed
from simulate.kernels.hoisting import Abs, Assignment, gradient, power_log, sign, straight_line
from simulate.kernels.system import System, infusion
from simulate.symbolic import switching
from simulate.symbolic.languages import Language
from simulate.symbolic.parts import TIME


def _called(name: str, *kinds: type) -> dict[type, str]:
    return dict.fromkeys(kinds, name)


_NAMES = {
    **_called("Math.exp", sympy.exp),
    **_called("Math.log", sympy.log),
    **_called("Math.tanh", sympy.tanh),
    **_called("Math.sin", sympy.sin),
    **_called("Math.cos", sympy.cos),
    **_called("Math.tan", sympy.tan),
    **_called("Math.asin", sympy.asin),
    **_called("Math.acos", sympy.acos),
    **_called("Math.atan", sympy.atan),
    **_called("Math.abs", sympy.Abs, Abs),
    **_called("Math.sign", sympy.sign, sign),
    **_called("Math.floor", switching.floor),
    # Both give NaN where an argument is.
    **_called("Math.min", sympy.Min, switching.both),
    **_called("Math.max", sympy.Max, switching.either),
    **_called("power_log", power_log),
    **_called("share", saturation.share),
    **_called("weight", saturation.weight),
    **_called("weight_log", saturation.weight_log),
    **_called("logistic", saturation.logistic),
    **_called("softplus", saturation.softplus),
}

_OTHERS = {
    switching.above: "({} > {} ? 1.0 : 0.0)",
    switching.at_least: "({} >= {} ? 1.0 : 0.0)",
    switching.same: "({} === {} ? 1.0 : 0.0)",
    switching.no: "({} < 0.5 ? 1.0 : 0.0)",
    switching.choose: "({} > 0.5 ? ({}) : ({}))",
    sympy.Heaviside: "({} > 0.0 ? 1.0 : 0.0)",
    sympy.re: "({})",
    sympy.im: "(0.0 * ({}))",
    sympy.arg: "(0.0 * Math.sqrt({}))",
}

JAVASCRIPT = Language(
    functions={
        **{kind: lambda *parts, name=name: f"{name}({', '.join(parts)})" for kind, name in _NAMES.items()},
        # Heaviside may have a second argument, its value at 0, as in Python it has none.
        **{kind: lambda *parts, form=form: form.format(*parts) for kind, form in _OTHERS.items()},
    },
    root="Math.sqrt({})",
    assignment="const {} = {};",
    comment="  // {}",
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

_ACCESS = ("{}", "{} = {};", "{}")


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
        ``explore.events``: the system has events; as `simulate.symbolic.languages.source`.
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
    used = [expression for program in (plan.rhs, plan.observe) for expression in _expressions(program.assignments)]
    used += [*plan.rhs.results, *plan.observe.results]
    symbols = {symbol for expression in used for symbol in expression.free_symbols}
    kept = [symbol for symbol, _ in plan.constants if symbol in symbols]
    states = [Symbol(name) for name in plan.states]
    parameters = _numbered("p", [Symbol(name) for name in plan.parameters])
    inputs: dict[Symbol, Offset] = {
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


def _expressions(assignments: Iterable[Assignment]) -> list[Expr]:
    return [expression for _, expression in assignments]


def _places(array: str, items: Sequence[object]) -> list[str]:
    return [f"{array}[{index}]" for index in range(len(items))]


def _numbered(array: str, symbols: Sequence[Symbol]) -> dict[Symbol, Offset]:
    return dict(zip(symbols, _places(array, symbols), strict=True))


def _filled(array: str, results: Sequence[Expr]) -> list[tuple[str, Expr]]:
    return list(zip(_places(array, results), results, strict=True))


def _function(
    name: str,
    arguments: str,
    inputs: Mapping[Symbol, Offset],
    assignments: Sequence[Assignment],
    outputs: Sequence[tuple[str, Expr]],
    labels: Mapping[Offset, str],
    *,
    first: str = "",
    asked: str = "",
) -> str:
    """A function that fills arrays; whatever it reads is read before anything is written.

    What calls functions is computed where the array ``asked`` says so.
    """
    program = needed(assignments, [expression for _, expression in outputs])
    body = lines_of(inputs, program, list(outputs), labels, "  ", _ACCESS, JAVASCRIPT) if outputs else []
    if asked:
        body[-len(outputs) :] = [
            f"  if ({asked}[{place}]) {line.strip()}" if re.search(r"\w\(", line) else line
            for place, line in enumerate(body[len(body) - len(outputs) :])
        ]
    return "\n".join(
        itertools.chain([f"function {name}({arguments}) {{"], [f"  {first}"] if first else [], body, ["}"])
    )
