"""Formulas of PEtab, in the grammar of expressions with the words that PEtab has.

Names stay as they are in the file: what they mean is decided where the formula is evaluated. ``log`` is the natural
logarithm; ``^`` is a power, as ``**`` is; ``&&``, ``||`` and ``!`` join conditions.
"""

from __future__ import annotations

import re

import sympy
from sympy import Expr

from simulate.errors import InputError, Where
from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.functions import FUNCTIONS, MAX_PIECES, Function, rebuild
from simulate.symbolic.printing import print_expression
from simulate.symbolic.switching import above, at_least, choose, compare, floor, no

_WORDS = re.compile(r"\^|&&|\|\||!(?!=)|\btrue\b|\bfalse\b")
_WORD = {"^": "**", "&&": " and ", "||": " or ", "!": " not ", "true": "(1==1)", "false": "(1==0)"}

_exp, _log, _sqrt = (FUNCTIONS[name].build for name in ("exp", "log", "sqrt"))
_sin, _cos, _atan, _asin, _acos = (FUNCTIONS[name].build for name in ("sin", "cos", "atan", "asin", "acos"))


def _logarithm(x: Expr, base: Expr | None = None) -> Expr:
    return _log(x) if base is None else _log(x) / _log(base)


def _sign(x: Expr) -> Expr:
    return choose(compare(">", x, sympy.S.Zero), sympy.S.One, choose(compare("<", x, sympy.S.Zero), -1, sympy.S.Zero))


_OWN = {
    "log2": lambda x: _log(x) / _log(sympy.Integer(2)),
    "log10": lambda x: _log(x) / _log(sympy.Integer(10)),
    "sec": lambda x: 1 / _cos(x),
    "csc": lambda x: 1 / _sin(x),
    "cot": lambda x: _cos(x) / _sin(x),
    "arcsin": _asin,
    "arccos": _acos,
    "arctan": _atan,
    "arcsec": lambda x: _acos(1 / x),
    "arccsc": lambda x: _asin(1 / x),
    "arccot": lambda x: _atan(1 / x),
    "sinh": lambda x: (_exp(x) - _exp(-x)) / 2,
    "cosh": lambda x: (_exp(x) + _exp(-x)) / 2,
    "sech": lambda x: 2 / (_exp(x) + _exp(-x)),
    "csch": lambda x: 2 / (_exp(x) - _exp(-x)),
    "coth": lambda x: (_exp(x) + _exp(-x)) / (_exp(x) - _exp(-x)),
    "arcsinh": lambda x: _log(x + _sqrt(x**2 + 1)),
    "arccosh": lambda x: _log(x + _sqrt(x**2 - 1)),
    "arctanh": lambda x: _log((1 + x) / (1 - x)) / 2,
    "sign": _sign,
}

PETAB_FUNCTIONS = {
    **{name: FUNCTIONS[name] for name in ("exp", "sqrt", "sin", "cos", "tan", "tanh", "abs", "min", "max")},
    "ln": Function(_log, 1, 1),
    "log": Function(_logarithm, 1, 2),
    "pow": Function(lambda x, n: rebuild(sympy.Pow, [x, n]), 2, 2),
    "piecewise": Function(FUNCTIONS["piecewise"].build, 3, 2 * MAX_PIECES + 1),
    **{name: Function(build, 1, 1, copies=4) for name, build in _OWN.items()},
}
"""Functions of PEtab's formulas."""


def parse_formula(text: str, where: Where) -> Expr:
    """Expression of a formula, its names as they are in the file.

    Raises
    ------
    InputError
        ``expression.…``, as `simulate.symbolic.expressions.parse_expression`.
    """
    written = _WORDS.sub(lambda match: _WORD[match[0]], text)
    return parse_expression(written, where=where, functions=PETAB_FUNCTIONS)


_WRITTEN = re.compile(r"\*\*| and | or |\bnot ")
_PETAB_WORD = {"**": "^", " and ": " && ", " or ": " || ", "not ": "!"}
_PETAB_NAME = {sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan"}


def formula_text(expression: Expr) -> str:
    """Text of an expression as a formula of PEtab, which `parse_formula` reads back as the same expression.

    Raises
    ------
    InputError
        ``petab.formula``: PEtab has no word for a part of it.
    """
    if expression.has(floor):
        raise InputError(
            "a formula has `floor`, for which PEtab has no word",
            code="petab.formula",
            found=print_expression(expression)[:100],
        )
    return _WRITTEN.sub(lambda match: _PETAB_WORD[match[0]], print_expression(_in_petab(expression)))


def _in_petab(expression: Expr) -> Expr:
    """The same with functions by the names and with the numbers of arguments that PEtab has."""
    if not expression.args:
        return expression
    parts = [_in_petab(part) for part in expression.args]
    if isinstance(expression, no) and isinstance(expression.args[0], above | at_least):
        # The word for not binds more strongly there than a comparison.
        a, b = parts[0].args
        return at_least(b, a) if isinstance(parts[0], above) else above(b, a)
    if expression.func in _PETAB_NAME:
        return sympy.Function(_PETAB_NAME[expression.func])(*parts)
    if isinstance(expression, sympy.Min | sympy.Max) and len(parts) > 2:
        first, *rest = sorted(parts, key=str)
        return sympy.Function("min" if isinstance(expression, sympy.Min) else "max")(
            first, _in_petab(expression.func(*rest))
        )
    return _common_logarithm(parts) if expression.is_Mul else rebuild(expression.func, parts)


def _common_logarithm(factors: list[Expr]) -> Expr:
    """A product, with ``log10`` and ``log2`` where it has a logarithm over that of 10 or 2."""
    for base, name in ((10, "log10"), (2, "log2")):
        below = 1 / _log(sympy.Integer(base))
        own = [factor for factor in factors if isinstance(factor, sympy.log)]
        if below in factors and len(own) == 1:
            rest = [factor for factor in factors if factor not in (below, own[0])]
            return rebuild(sympy.Mul, [sympy.Function(name)(*own[0].args), *rest])
    return rebuild(sympy.Mul, factors)
