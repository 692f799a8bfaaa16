"""What is narrow in time around a time that a state says: it is watched along the solution, and steps end there.

`simulate.kernels.clock` finds before the first step what parameters place in time. Where a state does, as in
``exp(-((t - T)/w)**2)`` or ``max(0, 1 - abs(t - T)/w)``, nobody knows the place beforehand. So kinks become switches,
and of what is steep a *center* is watched, such as ``t - T``, whose sign differs behind the feature however narrow
that is, and an *edge*, which the feature has about it. A step that has passed a center is looked at there once more,
ends at the edge, and the next begins with a fraction of the way to the center (`simulate.solver.hybrid`).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence, Set

import sympy
from sympy import Expr, Symbol

from simulate.kernels.hoisting import Abs, derivative
from simulate.kernels.saturation import logistic, share, softplus
from simulate.symbolic.functions import rebuild
from simulate.symbolic.switching import CONDITIONS, above, choose
from simulate.symbolic.symbols import TIME

_FAR = sympy.Integer(32)
"""Argument of an exponential at whose negative it is nothing (1e-14)."""
_TAIL = sympy.Rational(198, 100)
"""The edge of ``1/(eps + x**2)`` is where ``x**2`` is 99 times ``eps``: the solution of this for that function."""
_KINKS = (sympy.Abs, Abs, sympy.Min, sympy.Max)
_EXPONENTIALS = (sympy.exp, sympy.tanh, logistic, softplus)
_LIMIT = 48
"""Symbols, numbers and operations of an expression whose features are looked for: derivatives of long ones explode."""


def kinks_as_switches(rates: Sequence[Expr], moving: Set[Symbol], everywhere: bool = False) -> tuple[Expr, ...]:
    """Rates in which a minimum, maximum or absolute value is a choice where states place its kink in time.

    Parameters
    ----------
    moving
        Symbols that change along a solution: time and states.
    everywhere
        Whether it is one wherever its arguments move, as derivatives need it: they jump at a kink.
    """
    done: dict[Expr, Expr] = {}

    def walk(expression: Expr) -> Expr:
        # Beyond a kink a choice goes on as it was, which an exponential or a pole would not stand.
        if (
            not expression.args
            or _is_steep(expression)
            or not (
                expression.has(*_KINKS) and expression.free_symbols & moving
                if everywhere
                else _meets(expression, moving)
            )
        ):
            return expression
        if expression not in done:
            arguments = [walk(argument) for argument in expression.args]
            done[expression] = _chosen(expression, arguments, moving, everywhere) or rebuild(expression.func, arguments)
        return done[expression]

    return tuple(walk(rate) for rate in rates)


def centers_and_edges(rates: Sequence[Expr], moving: Set[Symbol]) -> tuple[Expr, ...]:
    """Expressions whose signs change at centers and edges of what states place in time, a center before its edges."""
    found: dict[Expr, None] = {}
    seen: set[Expr] = set()
    for rate in rates:
        for node in sympy.postorder_traversal(rate):
            if node in seen:
                continue
            seen.add(node)
            if not _is_short(node) or not _meets(node, moving):
                continue
            centers, edges = _around(node)
            if any(_is_placed_by_states(center, moving) for center in centers):
                found |= dict.fromkeys([*centers, *edges])
    return tuple(found)


def _is_short(expression: Expr) -> bool:
    return sum(1 for _ in itertools.islice(sympy.preorder_traversal(expression), _LIMIT + 1)) <= _LIMIT


def _slope(expression: Expr) -> Expr:
    """Derivative by time, of a jump 0."""
    return derivative(expression, TIME)


def _meets(expression: Expr, moving: Set[Symbol]) -> bool:
    """Whether time and a state meet in an expression."""
    free = expression.free_symbols
    return TIME in free and bool((free & moving) - {TIME})


def _is_placed_by_states(function: Expr, moving: Set[Symbol]) -> bool:
    """Whether states say at which time a function is zero."""
    if not _meets(function, moving):
        return False
    slope = _slope(function)
    if TIME in slope.free_symbols:
        # Where time and states are in factors of their own, each has zeros of its own.
        return any(_meets(factor, moving) for factor in sympy.Mul.make_args(sympy.factor_terms(function)))
    return bool(sympy.cancel(function.xreplace({TIME: sympy.S.Zero}) / slope).free_symbols & moving)


def _chosen(expression: Expr, arguments: Sequence[Expr], moving: Set[Symbol], everywhere: bool) -> Expr | None:
    if isinstance(expression, (sympy.Abs, Abs)):
        if everywhere or _is_placed_by_states(expression.args[0], moving):
            return choose(above(arguments[0], sympy.S.Zero), arguments[0], -arguments[0])
    elif isinstance(expression, (sympy.Min, sympy.Max)):
        differences = (one - other for one, other in itertools.combinations(expression.args, 2))
        if everywhere or any(_is_placed_by_states(difference, moving) for difference in differences):
            largest = isinstance(expression, sympy.Max)
            return functools.reduce(
                lambda one, other: choose(above(*((one, other) if largest else (other, one))), one, other), arguments
            )
    return None


def _around(node: Expr) -> tuple[list[Expr], list[Expr]]:
    """Functions at whose zeros an expression has centers, and edges."""
    if isinstance(node, (*_KINKS, *CONDITIONS)):
        sides = (node.args[0], sympy.S.Zero) if isinstance(node, (sympy.Abs, Abs)) else node.args
        slopes = (_slope(one - other) for one, other in itertools.combinations(sides, 2))
        return [slope for slope in slopes if TIME in slope.free_symbols], []
    if isinstance(node, share):
        ratio, power = node.args
        far = sympy.exp(_FAR / power)
        return list(_turns(ratio, ratio - 1)), [ratio - 1 / far, ratio - far]
    if isinstance(node, _EXPONENTIALS) or (isinstance(node, sympy.Pow) and TIME in node.exp.free_symbols):
        inner = node.exp * sympy.log(node.base) if isinstance(node, sympy.Pow) else node.args[0]
        return list(_turns(inner, inner)), [inner + _FAR, inner - _FAR]
    if isinstance(node, sympy.log) or (isinstance(node, sympy.Pow) and not _is_whole(node.exp)):
        inner = node.base if isinstance(node, sympy.Pow) else node.args[0]
        slope = _slope(inner)
        if TIME not in slope.free_symbols:
            return [inner], []
        return [slope], [slope**2 - _TAIL * inner * _slope(slope)]
    return [], []


def _turns(argument: Expr, zero: Expr) -> Iterator[Expr]:
    """The slope of an argument, where it turns, else what is zero at its middle."""
    slope = _slope(argument)
    yield slope if TIME in slope.free_symbols else zero


def _is_steep(expression: Expr) -> bool:
    return isinstance(expression, (share, sympy.log, *_EXPONENTIALS)) or (
        expression.is_Pow and not _is_whole(expression.exp)
    )


def _is_whole(exponent: Expr) -> bool:
    return bool(exponent.is_Integer and exponent > 0)
