"""Saturating terms that overflow on the way: ``x**n/(K**n + x**n)`` is 1 for 50, 1 and 200, not infinity over itself.

A quotient whose numerator is a term of its denominator depends on the ratio of the terms alone. Where a term is a power
that may be high, or an exponential, the quotient is written as a function of that ratio, which is evaluated from the
smaller side; so are its derivatives. Terms with exponents up to 4 stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.kernels.hoisting import Abs
from simulate.kernels.system import Happening, System
from simulate.symbolic.functions import parts_of
from simulate.symbolic.symbols import TIME

_HARMLESS = 4
"""Largest size of the exponent of a power that is left alone."""


class share(sympy.Function):  # type: ignore[misc]
    """``s**n/(1 + s**n)``."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative in the ratio (1) or the exponent (2)."""
        s, n = self.args
        return n * weight(s, n, sympy.Integer(1)) if argindex == 1 else weight_log(s, n, sympy.Integer(0))


class weight(sympy.Function):  # type: ignore[misc]
    """``s**(n - j)/(1 + s**n)**2``."""

    nargs = 3

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative in the ratio (1) or the exponent (2)."""
        s, n, j = self.args
        if argindex == 1:
            return weight(s, n, j + 1) * (n - j - 2 * n * share(s, n))
        return weight_log(s, n, j) * (1 - 2 * share(s, n))


class weight_log(sympy.Function):  # type: ignore[misc]
    """The same times ``log(s)``; 0 where the first factor is."""

    nargs = 3

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative in the ratio (1) or the exponent (2)."""
        s, n, j = self.args
        if argindex == 1:
            return weight_log(s, n, j + 1) * (n - j - 2 * n * share(s, n)) + weight(s, n, j + 1)
        return weight_log(s, n, j) * sympy.log(s) * (1 - 2 * share(s, n))


class logistic(sympy.Function):  # type: ignore[misc]
    """``exp(u)/(1 + exp(u))``."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative."""
        (u,) = self.args
        return logistic(u) * logistic(-u)


class softplus(sympy.Function):  # type: ignore[misc]
    """``log(1 + exp(u))``."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative."""
        return logistic(self.args[0])


def without_overflow(system: System) -> System:
    """The same system, whose saturating terms cannot overflow and whose absolute values are of real numbers."""
    moving = {Symbol(name) for name in system.states} | {TIME}
    names = [symbol for symbol, _ in system.constants]
    return replace(
        system,
        events=tuple(_event_in_ratios(event, moving) for event in system.events),
        constants=tuple(zip(names, in_ratios((value for _, value in system.constants), moving), strict=True)),
        **{
            field: in_ratios(getattr(system, field), moving)
            for field in ("initial", "rhs", "observed", "gains", "conditions")
        },
    )


def _event_in_ratios(event: Happening, moving: set[Symbol]) -> Happening:
    (when, delay), values = in_ratios((event.when, event.delay), moving), in_ratios(event.values, moving)
    priority = None if event.priority is None else in_ratios((event.priority,), moving)[0]
    return replace(event, when=when, delay=delay, priority=priority, values=values)


def in_ratios(expressions: Iterable[Expr], moving: set[Symbol]) -> tuple[Expr, ...]:
    """Expressions whose saturating terms cannot overflow; ``moving`` may become 0 and stays above in a ratio."""
    done: dict[Expr, Expr] = {}

    def walk(node: Expr) -> Expr:
        if not node.args or not (_at_risk(node) or node.has(sympy.Abs)):
            return node
        if node not in done:
            whole = inside(node)
            term = _term(whole, moving)
            if term is whole and whole.is_Mul:
                # A factor that is a quotient by itself; above, it belongs to the whole product.
                term = sympy.Mul(*(_term(factor, moving) for factor in whole.args))
            done[node] = term
        return done[node]

    def inside(node: Expr) -> Expr:
        arguments = [
            inside(argument) if node.is_Mul and argument.is_Pow and argument.args[0].is_Add else walk(argument)
            for argument in node.args
        ]
        same = all(new is old for new, old in zip(arguments, node.args, strict=True))
        return node if same else _rebuilt(node, arguments)

    return tuple(walk(sympy.sympify(expression, strict=True)) for expression in expressions)


def _rebuilt(node: Expr, arguments: list[Expr]) -> Expr:
    if isinstance(node, (sympy.Abs, sympy.tanh, sympy.Min, sympy.Max)):
        return node.func(*arguments, evaluate=False)
    return node.func(*arguments)


def plain(node: Expr) -> Expr | None:
    """What one of these functions is in powers and exponentials; None for anything else."""
    if isinstance(node, share):
        s, n = node.args
        return s**n / (1 + s**n)
    if isinstance(node, logistic):
        return 1 / (1 + sympy.exp(-node.args[0]))
    return sympy.log(1 + sympy.exp(node.args[0])) if isinstance(node, softplus) else None


def _at_risk(expression: Expr) -> bool:
    return any(
        isinstance(part, sympy.exp) or not (part.exp.is_Rational and abs(part.exp) <= _HARMLESS)
        for part in parts_of(expression, sympy.Pow, sympy.exp)
    )


def _term(node: Expr, moving: set[Symbol]) -> Expr:
    if isinstance(node, sympy.Abs):
        return Abs(node.args[0])
    if isinstance(node, sympy.log) and node.args[0].is_Add and len(node.args[0].args) == 2:
        one, other = node.args[0].args
        one, other = (one, other) if isinstance(other, sympy.exp) else (other, one)
        if isinstance(other, sympy.exp) and one == 1:
            return softplus(other.args[0])
    factors = [one for factor in sympy.Mul.make_args(node) for one in _one_by_one(factor)]
    quotients = [
        (factor, above)
        for factor in dict.fromkeys(factors)
        if factor.is_Pow and factor.exp == -1 and factor.base.is_Add and _at_risk(factor.base)
        for above in factor.base.args
    ]
    # A numerator of 1 is everywhere, and the last to be looked for.
    for below, above in sorted(quotients, key=lambda pair: pair[1] == 1):
        others = list(factors)
        others.remove(below)
        rest = _divided(others, above)
        ratio = None if rest is None else _ratio(above, below.base - above, moving)
        if rest is not None and ratio is not None:
            return _term(sympy.Mul(ratio, *rest), moving)
    return node


def _one_by_one(factor: Expr) -> list[Expr]:
    """The factors of a quotient's power, such as ``(1 + x**n)**-2``; anything else is one factor."""
    if factor.is_Pow and factor.exp.is_Integer and -_HARMLESS <= factor.exp < -1:
        return [1 / factor.base] * -int(factor.exp)
    return [factor]


def _divided(factors: Sequence[Expr], above: Expr) -> list[Expr] | None:
    """Factors without those of a numerator; None where it is not among them."""
    left = list(factors)
    for own in sympy.Mul.make_args(above):
        if own == 1:
            continue
        base, exponent = (sympy.E, own.args[0]) if isinstance(own, sympy.exp) else own.as_base_exp()
        for place, factor in enumerate(left):
            there, power = (sympy.E, factor.args[0]) if isinstance(factor, sympy.exp) else factor.as_base_exp()
            if factor == own or (there == base and _at_risk(own) and _is_positive_integer(power / exponent)):
                left[place] = base ** (power - exponent)
                break
        else:
            return None
    return left


def _is_positive_integer(number: Expr) -> bool:
    return bool(number.is_Integer and number > 0)


def _ratio(above: Expr, rest: Expr, moving: set[Symbol]) -> Expr | None:
    """``above/(above + rest)``; None where it is as well as it stands."""
    if all(isinstance(term, sympy.exp) or term == 1 for term in (above, rest)):
        one, other = (sympy.S.Zero if term == 1 else term.args[0] for term in (above, rest))
        return logistic(one - other)
    (x, n), (half, m) = _power(above), _power(rest)
    if n is not None and n == m:
        if half.free_symbols & moving and not x.free_symbols & moving:
            return share(half / x, -n)
        return share(x / half, n)
    if rest == 1 and n is not None:
        return share(x, n)
    if above == 1 and m is not None:
        return share(half, -m)
    return share(above / rest, sympy.S.One) if _at_risk(above) else None


def _power(term: Expr) -> tuple[Expr, Expr | None]:
    """Base and exponent of a term, if that is at risk."""
    if term.is_Pow and not (term.exp.is_Rational and abs(term.exp) <= _HARMLESS):
        return term.base, term.exp
    return term, None


IN_PYTHON: dict[str, Callable[..., Any]] = {
    "above": lambda a, b: float(a > b),
    "at_least": lambda a, b: float(a >= b),
    "same": lambda a, b: float(a == b),
    "no": lambda condition: 1.0 - condition,
    "both": min,
    "either": max,
    "choose": lambda condition, value, otherwise: value if condition > 0.5 else otherwise,
}
"""What switches, for plain numbers."""
