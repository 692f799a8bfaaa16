"""One emitter: straight-line programs to readable Python source that Numba compiles for blocks of lanes.

Identifiers are made here and never taken from a model; a model's names appear in comments only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels.hoisting import Assignment
from simulate.solver.layout import LANES

_LARGEST_UNROLLED_POWER = 16

_FUNCTIONS: Mapping[type, Callable[..., str]] = {
    sympy.exp: lambda x: f"math.exp({x})",
    sympy.log: lambda x: f"math.log({x})",
    sympy.tanh: lambda x: f"math.tanh({x})",
    sympy.sin: lambda x: f"math.sin({x})",
    sympy.cos: lambda x: f"math.cos({x})",
    sympy.Abs: lambda x: f"abs({x})",
    sympy.sign: lambda x: f"(1.0 if {x} > 0.0 else (-1.0 if {x} < 0.0 else 0.0))",
    sympy.Heaviside: lambda x, *_: f"(1.0 if {x} > 0.0 else 0.0)",
    sympy.Min: lambda *parts: _nested("min", parts),
    sympy.Max: lambda *parts: _nested("max", parts),
}


def _nested(name: str, parts: Sequence[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text = f"{name}({text}, {part})"
    return text


def number(value: sympy.Number) -> str:
    """Decimal text of the double nearest to an exact number."""
    if value.is_Rational:
        return repr(float(Fraction(int(value.p), int(value.q))))
    return repr(float(value))


def source(expression: Expr, names: Mapping[Symbol, str]) -> str:
    """Python source of an expression.

    Raises
    ------
    InputError
        When the expression has a function that no target knows.
    """
    return _sum(expression, names)


def _sum(expression: Expr, names: Mapping[Symbol, str]) -> str:
    if not expression.is_Add:
        return _product(expression, names)
    text = ""
    for term in expression.as_ordered_terms():
        coefficient, _ = term.as_coeff_Mul()
        if coefficient.is_negative and text:
            text += f" - {_product(-term, names)}"
        else:
            text += (" + " if text else "") + _product(term, names)
    return text


def _product(expression: Expr, names: Mapping[Symbol, str]) -> str:
    if not expression.is_Mul:
        return _factor(expression, names)
    coefficient, rest = expression.as_coeff_Mul()
    sign = ""
    if coefficient.is_negative:
        sign, coefficient = "-", -coefficient
    above: list[str] = [] if coefficient == 1 else [number(coefficient)]
    below: list[str] = []
    for factor in sympy.Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        if exponent.is_Rational and exponent.is_negative:
            below.append(_factor(sympy.Pow(base, -exponent), names))
        else:
            above.append(_factor(factor, names))
    text = " * ".join(above) if above else "1.0"
    if below:
        divisor = " * ".join(below)
        text += f" / ({divisor})" if len(below) > 1 else f" / {divisor}"
    return sign + text


def _factor(expression: Expr, names: Mapping[Symbol, str]) -> str:
    if expression.is_Symbol:
        return names[expression]
    if expression.is_Number:
        return f"({number(expression)})" if expression.is_negative else number(expression)
    if expression.is_Pow or isinstance(expression, sympy.exp):
        return _power(expression, names)
    if expression.is_Add or expression.is_Mul:
        return f"({_sum(expression, names)})"
    if expression.is_NumberSymbol:
        return repr(float(expression))
    function = _FUNCTIONS.get(type(expression))
    if function is None:
        known = ", ".join(sorted(kind.__name__ for kind in _FUNCTIONS))
        raise InputError(
            f"the function `{type(expression).__name__}` cannot be compiled",
            code="kernel.function",
            found=str(expression),
            expected=f"one of {known}",
        )
    return function(*(_sum(argument, names) for argument in expression.args))


def _power(expression: Expr, names: Mapping[Symbol, str]) -> str:
    if isinstance(expression, sympy.exp):
        return _FUNCTIONS[sympy.exp](_sum(expression.args[0], names))
    base, exponent = expression.as_base_exp()
    if exponent.is_Rational and exponent.is_negative:
        return f"(1.0 / {_factor(sympy.Pow(base, -exponent), names)})"
    text = _factor(base, names)
    if exponent == sympy.Rational(1, 2):
        return f"math.sqrt({_sum(base, names)})"
    if exponent.is_Integer and 1 <= int(exponent) <= _LARGEST_UNROLLED_POWER and text.isidentifier():
        return "(" + " * ".join([text] * int(exponent)) + ")"
    return f"({text} ** {_factor(exponent, names)})"


def with_named_bases(assignments: Iterable[Assignment], results: Sequence[Expr]) -> tuple[list[Assignment], list[Expr]]:
    """Give a name to every sum that is raised to an integer power, so that the power becomes multiplications."""
    named: dict[Expr, Symbol] = {}
    ordered: list[Assignment] = []

    def rewritten(expression: Expr) -> Expr:
        powers = {
            part
            for part in expression.atoms(sympy.Pow)
            if part.exp.is_Integer and abs(int(part.exp)) > 1 and not part.base.is_Symbol
        }
        replacements: dict[Expr, Expr] = {}
        for power in sorted(powers, key=sympy.default_sort_key):
            if power.base not in named:
                named[power.base] = Symbol(f"base:{len(named)}")
                ordered.append((named[power.base], power.base))
            replacements[power] = named[power.base] ** power.exp
        return expression.xreplace(replacements)

    for symbol, expression in assignments:
        ordered.append((symbol, rewritten(expression)))
    finished = [rewritten(result) for result in results]
    return ordered, finished


def function(
    name: str,
    meaning: str,
    inputs: Mapping[Symbol, int],
    assignments: Iterable[Assignment],
    outputs: Sequence[tuple[int, Expr]],
    *,
    labels: Mapping[int, str],
) -> str:
    """Source of a function of the flat workspace.

    Parameters
    ----------
    name, meaning
        Name and docstring of the function.
    inputs
        Offset in the workspace of every symbol that may be read; only those that are used are loaded.
    assignments
        Temporaries in order.
    outputs
        Offset and expression of everything that is written, in terms of inputs and temporaries.
    labels
        What lies at an offset, for comments.
    """
    ordered, results = with_named_bases(assignments, [expression for _, expression in outputs])
    temporaries = {symbol for symbol, _ in ordered}
    used: set[Symbol] = set()
    for expression in (*(value for _, value in ordered), *results):
        used |= expression.free_symbols
    names: dict[Symbol, str] = {}
    lines = [f"def {name}(w):", f'    """{meaning}"""', f"    for lane in range({LANES}):"]
    reads = sorted((inputs[symbol], symbol) for symbol in used - temporaries)
    for index, (offset, symbol) in enumerate(reads):
        names[symbol] = f"r{index}"
        lines.append(f"        r{index} = w[{offset} + lane]{_comment(labels, offset)}")
    for index, (symbol, expression) in enumerate(ordered):
        lines.append(f"        x{index} = {source(expression, names)}")
        names[symbol] = f"x{index}"
    for (offset, _), result in zip(outputs, results, strict=True):
        lines.append(f"        w[{offset} + lane] = {source(result, names)}{_comment(labels, offset)}")
    if not outputs:
        lines.append("        pass")
    return "\n".join(lines) + "\n"


def _comment(labels: Mapping[int, str], offset: int) -> str:
    label = labels.get(offset, "")
    printable = "".join(character if character.isprintable() else "?" for character in label)
    return f"  # {printable}" if printable else ""
