"""Conditions, piecewise expressions and whole parts: the expressions whose value jumps.

A condition is an expression that is 1 where it holds and 0 where it does not. SymPy's own relations and pieces ask many
questions about their arguments and change their form; these are functions with none of that, and have one form only:
``a < b`` is ``b > a``, ``a != b`` is ``not a == b``, and of several pieces each is a choice between two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy
from sympy import Expr

_HALF = sympy.Rational(1, 2)


class _Flat(sympy.Function):  # type: ignore[misc]
    """A function whose derivative is nothing wherever it has one."""

    def _eval_derivative(self, symbol: Any) -> Expr:
        return sympy.S.Zero


class above(_Flat):
    """``a > b``."""

    nargs = 2

    @classmethod
    def eval(cls, a: Expr, b: Expr) -> Expr | None:
        """Value where both are numbers."""
        return sympy.Integer(int(bool(a > b))) if a.is_Rational and b.is_Rational else None


class at_least(_Flat):
    """``a >= b``."""

    nargs = 2

    @classmethod
    def eval(cls, a: Expr, b: Expr) -> Expr | None:
        """Value where both are numbers."""
        return sympy.Integer(int(bool(a >= b))) if a.is_Rational and b.is_Rational else None


class same(_Flat):
    """``a == b``."""

    nargs = 2

    @classmethod
    def eval(cls, a: Expr, b: Expr) -> Expr | None:
        """Value where both are numbers or the same expression."""
        if a.is_Rational and b.is_Rational:
            return sympy.Integer(int(a == b))
        return sympy.S.One if a == b else None


class both(_Flat):
    """All of several conditions."""

    @classmethod
    def eval(cls, *conditions: Expr) -> Expr | None:
        """Without what is certain, and without repetition."""
        return _joined(cls, conditions, certain=sympy.S.One, decisive=sympy.S.Zero)


class either(_Flat):
    """One or more of several conditions."""

    @classmethod
    def eval(cls, *conditions: Expr) -> Expr | None:
        """Without what is impossible, and without repetition."""
        return _joined(cls, conditions, certain=sympy.S.Zero, decisive=sympy.S.One)


class no(_Flat):
    """The opposite of a condition."""

    nargs = 1

    @classmethod
    def eval(cls, condition: Expr) -> Expr | None:
        """Value where the condition is certain; the opposite of an opposite."""
        if condition.is_Rational:
            return sympy.Integer(int(condition == 0))
        return condition.args[0] if isinstance(condition, no) else None


class floor(_Flat):
    """The largest whole number that is not above the argument."""

    nargs = 1

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """Value of a number."""
        return sympy.Integer(x.p // x.q) if x.is_Rational else None


class choose(sympy.Function):  # type: ignore[misc]
    """``value`` where ``condition`` holds, else ``otherwise``."""

    nargs = 3

    @classmethod
    def eval(cls, condition: Expr, value: Expr, otherwise: Expr) -> Expr | None:
        """One of the two where the condition is certain or they are the same."""
        if condition.is_Rational:
            return value if condition > _HALF else otherwise
        return value if value == otherwise else None

    def _eval_derivative(self, symbol: Any) -> Expr:
        condition, value, otherwise = self.args
        return choose(condition, value.diff(symbol), otherwise.diff(symbol))


CONDITIONS = (above, at_least, same, both, either, no)
SWITCHING = (*CONDITIONS, floor, choose)
"""All functions of this module."""


def is_condition(expr: Expr) -> bool:
    """Whether an expression is a condition, or one that has become certain."""
    return isinstance(expr, CONDITIONS) or expr in (0, 1)


def piecewise(*parts: Expr) -> Expr:
    """Of ``value, condition, value, condition, …, otherwise`` the value of the first condition that holds."""
    *pairs, result = parts
    for value, condition in zip(reversed(pairs[::2]), reversed(pairs[1::2]), strict=True):
        result = choose(condition, value, result)
    return result


def pieces(expr: Expr) -> tuple[Expr, ...]:
    """The arguments of `piecewise`, from its result."""
    found: list[Expr] = []
    while isinstance(expr, choose):
        condition, value, expr = expr.args
        found += [value, condition]
    return (*found, expr)


def compare(sign: str, a: Expr, b: Expr) -> Expr:
    """Condition ``a sign b`` for one of ``> >= < <= == !=``."""
    if sign in ("<", "<="):
        a, b = b, a
    condition: Expr = {">": above, "<": above, ">=": at_least, "<=": at_least}.get(sign, same)(a, b)
    return no(condition) if sign == "!=" else condition


def ceil(x: Expr) -> Expr:
    """The smallest whole number that is not below the argument."""
    return -floor(-x)


def from_sympy(expr: Any) -> Any:
    """Expression in which SymPy's own pieces, relations, conditions and whole parts are those of this module."""
    if not getattr(expr, "args", ()):
        return sympy.Integer(int(bool(expr))) if expr in (sympy.true, sympy.false) else expr
    if isinstance(expr, sympy.Piecewise):
        parts = [part for pair in expr.args for part in map(from_sympy, pair.args)]
        if parts[-1] != 1:
            return expr
        return piecewise(*parts[:-1])
    arguments = [from_sympy(argument) for argument in expr.args]
    if isinstance(expr, sympy.core.relational.Relational):
        return compare(expr.rel_op, *arguments)
    for kind, function in ((sympy.And, both), (sympy.Or, either), (sympy.Not, no), (sympy.floor, floor)):
        if isinstance(expr, kind):
            return function(*arguments)
    if isinstance(expr, sympy.ceiling):
        return ceil(*arguments)
    same_as_before = all(new is old for new, old in zip(arguments, expr.args, strict=True))
    return expr if same_as_before else expr.func(*arguments)


def _joined(kind: Any, conditions: Sequence[Expr], *, certain: Expr, decisive: Expr) -> Expr | None:
    flat = list(_flattened(kind, conditions))
    kept = list(dict.fromkeys(condition for condition in flat if condition != certain))
    if decisive in kept:
        return decisive
    if len(kept) < 2:
        return kept[0] if kept else certain
    return None if kept == list(conditions) else kind(*kept)


def _flattened(kind: Any, conditions: Iterable[Expr]) -> Iterable[Expr]:
    for condition in conditions:
        yield from condition.args if isinstance(condition, kind) else (condition,)
