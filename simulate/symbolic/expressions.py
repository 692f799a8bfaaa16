"""Expressions from text, by the grammar, and from Python, by an allow-list; and back to text."""

from __future__ import annotations

import functools
import math
from typing import Any, NoReturn

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.symbolic.functions import FUNCTIONS, PLAIN, hill, substitute
from simulate.symbolic.grammar import parse_expression
from simulate.symbolic.printing import print_expression
from simulate.symbolic.switching import CONDITIONS, SWITCHING, from_sympy
from simulate.symbolic.symbols import at_baseline

__all__ = [
    "FUNCTIONS",
    "as_expression",
    "hill",
    "parse_expression",
    "print_expression",
    "substitute",
]

_ALLOWED = (
    *(sympy.Add, sympy.Mul, sympy.Pow, Symbol, sympy.Rational, sympy.exp, sympy.log, sympy.tanh, sympy.Abs),
    *(sympy.Min, sympy.Max, at_baseline, type(sympy.E)),
    *(*PLAIN, *SWITCHING),
)


def as_expression(value: Any, *, where: Where | None = None, condition: bool = False) -> Expr:
    """Expression from a number, a SymPy expression or a part such as a species; decimal numbers become exact.

    Raises
    ------
    InputError
        ``expression.type``, ``expression.function``, ``expression.condition`` or ``expression.undefined`` for what the
        grammar could not say.
    """
    if isinstance(value, str):
        return parse_expression(value, where=where, condition=condition)
    return _known(value, where, condition) if isinstance(value, Expr) else _checked(value, where, condition)


def _checked(value: Any, where: Where | None, condition: bool) -> Expr:
    try:
        expr = from_sympy(sympy.sympify(value, strict=True))
    except sympy.SympifyError:
        expr = None
    if not isinstance(expr, Expr):
        raise InputError(
            f"a value of type `{type(value).__name__}` is not an expression",
            code="expression.type",
            where=where,
            expected="a number, a SymPy expression, or a part such as a species or a parameter",
        )
    if isinstance(expr, CONDITIONS) and not condition:
        raise InputError(
            "a condition stands where a number is expected",
            code="expression.condition",
            where=where,
            found=f"`{print_expression(expr)}`",
            advice="write `piecewise(1, condition, 0)` for 1 where a condition holds, else 0",
        )
    exact = {number: _exact(number, where) for number in expr.atoms(sympy.Float)}
    if exact:
        expr = expr.xreplace(exact)
    for node in sympy.preorder_traversal(expr):
        if not isinstance(node, _ALLOWED):
            _refuse(expr, node, where)
    return expr


@functools.lru_cache(maxsize=1024)
def _known(value: Expr, where: Where | None, condition: bool) -> Expr:
    """Expressions of a mechanism come again with every hypothesis that it is composed with."""
    return _checked(value, where, condition)


def _exact(number: Any, where: Where | None) -> Expr:
    value = float(number)
    if not math.isfinite(value):
        raise InputError(f"the number {value} is not finite", code="expression.undefined", where=where)
    return sympy.Rational(repr(value))


def _refuse(expr: Expr, node: Any, where: Where | None) -> NoReturn:
    if node.is_number or node in (sympy.nan, sympy.zoo):
        raise InputError(
            f"the value of an expression is undefined: it contains `{node}`",
            code="expression.undefined",
            where=where,
            found=f"`{expr}`",
            expected="real, finite numbers",
        )
    raise InputError(
        f"`{node.func.__name__}` cannot stand in a model",
        code="expression.function",
        where=where,
        found=f"`{expr}`",
        expected="+ - * / ** and " + " ".join(FUNCTIONS),
    )
