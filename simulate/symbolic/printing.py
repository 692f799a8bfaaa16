"""Expressions as text that the grammar reads back to the same expression.

Terms and factors stand in an order of their own: SymPy's depends on its version, and equations are also hashed.
Lower-case names come first, so that constants precede the species they act on.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Expr

from simulate.symbolic.switching import CONDITIONS, above, at_least, both, choose, no, pieces, same

_EITHER, _BOTH, _NOT, _COMPARED, _SUM, _PRODUCT, _POWER, _ATOM = range(8)

_NAMES: dict[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.Abs: "abs",
    sympy.Min: "min",
    sympy.Max: "max",
    choose: "piecewise",
}
_SIGNS: dict[Any, str] = {above: ">", at_least: ">=", same: "=="}


def print_expression(expr: Expr) -> str:
    """Text of an expression in the grammar of `parse_expression`, the same in every process."""
    return _print(expr)[0]


def print_number(value: Expr) -> str:
    """Rational number as a decimal number where that is exact and short, otherwise as a fraction."""
    decimal = _decimal(int(value.p), int(value.q))
    return f"{value.p}/{value.q}" if decimal is None else decimal


@functools.lru_cache(maxsize=50_000)
def _print(expr: Expr) -> tuple[str, int]:
    """Text and how strongly its outermost operation binds."""
    if expr.is_Symbol:
        return expr.name, _ATOM
    if expr.is_Rational:
        text = print_number(expr)
        return text, _SUM if expr < 0 else _PRODUCT if "/" in text else _ATOM
    if expr is sympy.E:
        return "exp(1)", _ATOM
    if expr.is_Add:
        return _print_sum(expr.args), _SUM
    if expr.is_Mul or _is_inverse(expr):
        return _print_product(expr)
    if expr.is_Pow:
        return _print_power(expr.base, expr.exp)
    if isinstance(expr, CONDITIONS):
        return _print_condition(expr)
    name = _NAMES.get(expr.func, expr.func.__name__)
    arguments = [_print(argument)[0] for argument in (pieces(expr) if isinstance(expr, choose) else expr.args)]
    if expr.func in (sympy.Min, sympy.Max):
        arguments.sort(key=_rank)
    return f"{name}({', '.join(arguments)})", _ATOM


def _print_condition(expr: Expr) -> tuple[str, int]:
    if expr.func in _SIGNS:
        left, right = (_within(*_print(argument), _SUM) for argument in expr.args)
        return f"{left} {_SIGNS[expr.func]} {right}", _COMPARED
    if isinstance(expr, no):
        (inner,) = expr.args
        if isinstance(inner, same):
            return _print(inner)[0].replace(" == ", " != ", 1), _COMPARED
        return f"not {_within(*_print(inner), _NOT)}", _NOT
    word, binding = ("and", _BOTH) if isinstance(expr, both) else ("or", _EITHER)
    return f" {word} ".join(_within(*_print(part), binding + 1) for part in expr.args), binding


def _print_sum(terms: Sequence[Expr]) -> str:
    texts = [_print(term)[0] for term in terms]
    texts.sort(key=lambda text: (text.startswith("-"), *_rank(text)))
    return texts[0] + "".join(f" - {text[1:]}" if text.startswith("-") else f" + {text}" for text in texts[1:])


def _print_product(expr: Expr) -> tuple[str, int]:
    """A product as numerator / denominator; a number stays outside a denominator, where SymPy would multiply it out."""
    number, rest = expr.as_coeff_Mul()
    above: list[str] = []
    below: list[str] = []
    for factor in sympy.Mul.make_args(rest):
        if _is_inverse(factor):
            inverse = (factor.base, -factor.exp)
            below.append(_within(*(_print(factor.base) if inverse[1] == 1 else _print_power(*inverse)), _POWER))
        elif factor != 1:
            above.append(_within(*_print(factor), _POWER))
    above.sort(key=_rank)
    below.sort(key=_rank)
    sign = "-" if number < 0 else ""
    p, q = abs(int(number.p)), int(number.q)
    decimal = _decimal(p, q)
    shown, q = (str(p), q) if decimal is None else (decimal, 1)
    text = "*".join(([shown] if shown != "1" or not above else []) + above)
    if q != 1:
        text += f"/{q}"
    if below:
        text += f"/{below[0]}" if len(below) == 1 else f"/({'*'.join(below)})"
    return sign + text, _SUM if sign else _PRODUCT


def _is_inverse(expr: Expr) -> bool:
    """Whether an expression belongs below a stroke; the inverse of ``0.1**n`` would come back as ``10**n``."""
    return bool(expr.is_Pow and not expr.base.is_number and expr.exp.could_extract_minus_sign())


def _print_power(base: Expr, exponent: Expr) -> tuple[str, int]:
    if exponent == 1:
        return _print(base)
    if exponent == sympy.Rational(1, 2):
        return f"sqrt({_print(base)[0]})", _ATOM
    return f"{_within(*_print(base), _ATOM)}**{_within(*_print(exponent), _ATOM)}", _POWER


def _within(text: str, binding: int, needed: int) -> str:
    return text if binding >= needed else f"({text})"


def _decimal(p: int, q: int) -> str | None:
    """Decimal text of p/q when that is exact and not much longer than a double."""
    twos = (q & -q).bit_length() - 1
    fives, rest = 0, q >> twos
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    if rest != 1:
        return None
    places = max(twos, fives)
    digits = str(abs(p) * 10**places // q)
    significant = digits.rstrip("0") or "0"
    if len(significant) > 20:
        return str(p) if q == 1 else None
    power = len(digits) - len(significant) - places
    point = len(significant) + power
    sign = "-" if p < 0 else ""
    if point > 15 or point < -4:
        return f"{sign}{significant}e{power}"
    if power >= 0:
        return f"{sign}{significant}{'0' * power}"
    padded = significant.rjust(1 - power, "0")
    return f"{sign}{padded[:power]}.{padded[power:]}"


def _rank(text: str) -> tuple[bool, str]:
    return text.startswith("("), text.swapcase()
