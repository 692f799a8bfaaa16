"""The functions that an expression may contain, how they are built, and replacement that keeps them plain.

All quantities are real; SymPy is not told so, for its assumptions cost seconds. So ``abs``, ``tanh``, ``min`` and
``max`` are built without the questions that SymPy would ask about the phase of their arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr

from simulate.errors import InputError
from simulate.symbolic.constants import bits
from simulate.symbolic.switching import ceil, floor, piecewise
from simulate.symbolic.symbols import at_baseline

_MAX_POWER_BITS = 100_000
MAX_PIECES = 100
"""Conditions of a ``piecewise``."""
PLAIN = (sympy.Abs, sympy.tanh, sympy.sin, sympy.cos, sympy.tan, sympy.asin, sympy.acos, sympy.atan)
"""Functions of one argument that are built without SymPy's questions about it."""
MAX_ROOTED = 64
"""Largest whole power in a sum of which a power, or one over it, has a root or a power that is not whole."""


def hill(x: Any, half: Any, n: Any) -> Expr:
    """Hill term ``x**n / (half**n + x**n)``, dimensionless, from 0 to 1."""
    x, half, n = (sympy.sympify(value, strict=True) for value in (x, half, n))
    above = power(x, n)
    return above / (power(half, n) + above)


def power(base: Expr, exponent: Expr) -> Expr:
    """Power in one form: SymPy has two for ``0.1**n`` and ``10**(-n)``, and products turn the first into the second."""
    if base.is_Rational and base.p == 1 and base.q != 1 and not exponent.is_Rational:
        base, exponent = sympy.Integer(base.q), -exponent
    return base**exponent


@dataclass(frozen=True, slots=True)
class Function:
    """What the grammar knows of a function: how many arguments, how it is built, how often it repeats them."""

    build: Callable[..., Expr]
    least: int
    most: int
    copies: int = 1


FUNCTIONS: Mapping[str, Function] = {
    "exp": Function(lambda x: sympy.exp(x), 1, 1),
    "log": Function(lambda x: sympy.log(x), 1, 1),
    "sqrt": Function(lambda x: sympy.sqrt(x), 1, 1),
    "tanh": Function(lambda x: _plain(sympy.tanh, x), 1, 1),
    "abs": Function(lambda x: _plain(sympy.Abs, x), 1, 1),
    "min": Function(lambda *xs: _extreme(sympy.Min, xs), 2, 16),
    "max": Function(lambda *xs: _extreme(sympy.Max, xs), 2, 16),
    "hill": Function(hill, 3, 3, copies=3),
    "at_baseline": Function(lambda x: at_baseline(x), 1, 1),
    "sin": Function(lambda x: _plain(sympy.sin, x), 1, 1),
    "cos": Function(lambda x: _plain(sympy.cos, x), 1, 1),
    "tan": Function(lambda x: _plain(sympy.tan, x), 1, 1),
    "asin": Function(lambda x: _plain(sympy.asin, x), 1, 1),
    "acos": Function(lambda x: _plain(sympy.acos, x), 1, 1),
    "atan": Function(lambda x: _plain(sympy.atan, x), 1, 1),
    "floor": Function(floor, 1, 1),
    "ceil": Function(ceil, 1, 1),
    "piecewise": Function(piecewise, 3, 2 * MAX_PIECES + 1),
}
"""The functions of the grammar, in the order of `simulate.symbolic.naming.FUNCTION_NAMES`."""


def parts_of(expr: Expr, *kinds: type) -> set[Any]:
    """The parts of some kinds in an expression: SymPy's ``atoms`` walks through a part as often as it stands there."""
    seen = {expr}
    waiting = [expr]
    while waiting:
        new = set(waiting.pop().args) - seen
        seen |= new
        waiting += new
    return {part for part in seen if isinstance(part, kinds)}


def substitute(expr: Expr, mapping: Mapping[Expr, Expr], *, baseline: Callable[[Expr], Expr] = at_baseline) -> Expr:
    """Expression with symbols replaced; ``abs``, ``tanh``, ``min`` and ``max`` keep their plain form.

    SymPy's own replacement asks their arguments for signs and phases, in time exponential in their nesting.
    ``baseline`` is what becomes of the argument of an ``at_baseline``, after replacement.
    """
    done: dict[Any, Any] = dict(mapping)

    def walk(node: Any) -> Any:
        if node in done:
            return done[node]
        new = node
        if node.args:
            arguments = [walk(argument) for argument in node.args]
            if any(argument is not old for argument, old in zip(arguments, node.args, strict=True)):
                new = rebuild(node.func, arguments)
            if node.func == at_baseline:
                new = baseline(arguments[0])
        done[node] = new
        return new

    return walk(expr)


def rebuild(func: Any, arguments: list[Expr]) -> Expr:
    """A node of an expression with other arguments, without the questions that SymPy would ask."""
    if func in PLAIN:
        return _plain(func, arguments[0])
    if func in (sympy.Min, sympy.Max):
        return _extreme(func, arguments)
    if func == sympy.Mul and any(argument.is_zero for argument in arguments if argument.is_Rational):
        # SymPy would ask each factor whether it is finite, in time exponential in its nesting.
        if not any(argument.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I) for argument in arguments):
            return sympy.S.Zero
    if func == sympy.Pow:
        _check_power(*arguments)
    elif func == sympy.exp and not arguments[0].free_symbols and arguments[0].has(sympy.log):
        # SymPy would turn exp(n*log(2)) into 2**n, however large n is.
        return func(arguments[0], evaluate=False)
    return func(*arguments)


def rooted(base: Expr, exponent: Expr) -> int:
    """Largest whole power for which SymPy would ask for the real part of a sum, in time that grows with its square.

    It does so for ``sqrt(1/(1 + x**n))``, to see whether the root and the power may be joined.
    """
    if exponent.is_Integer:
        return 0
    parts = [part for part in sympy.Mul.make_args(base) if part.is_Pow and part.exp.is_Rational]
    inside = [inner.exp for part in parts if abs(part.exp) >= 1 for inner in parts_of(part.base, sympy.Pow)]
    return max((abs(int(exp)) for exp in inside if exp.is_Integer), default=0)


def _check_power(base: Expr, exponent: Expr) -> None:
    """Refuse a power that would fill memory or take hours, before SymPy computes it."""
    if (found := rooted(base, exponent)) > MAX_ROOTED:
        raise InputError(
            "a root or a power that is not whole has too large a whole power inside it",
            code="model.limit",
            found=f"the power {found}",
            expected=f"at most {MAX_ROOTED}",
            advice="make a state or a parameter of one of them, or use a smaller power",
        )
    factor = base.as_coeff_Mul()[0]
    if exponent.is_Rational and abs(exponent) > 1 and (bits(factor) - 1) * abs(exponent) > _MAX_POWER_BITS:
        raise InputError(
            "a power of numbers is too large",
            code="model.limit",
            found=f"a number to the power {float(exponent):.3g}",
            advice="do the numbers that stand for its base and exponent have the right units?",
        )


def _plain(func: Any, x: Expr) -> Expr:
    """A function without SymPy's complex analysis of the argument, which makes ``abs(exp(x))`` a real part."""
    known = x == 0 or (x.is_Rational and func in (sympy.Abs, sympy.tanh))
    return func(x) if known and func is not sympy.acos else func(x, evaluate=False)


def _extreme(func: Any, values: Iterable[Expr]) -> Expr:
    """``min`` or ``max`` in a normal form: nested ones flat, numbers merged, no argument twice."""
    flat: list[Expr] = []
    for value in values:
        flat.extend(value.args if isinstance(value, func) else (value,))
    numbers = [value for value in flat if value.is_Rational]
    others = list(dict.fromkeys(value for value in flat if not value.is_Rational))
    if numbers:
        others.append(func(*numbers))
    if len(others) == 1:
        return others[0]
    return func(*others, evaluate=False)
