"""What a right-hand side has in time by itself: the parts that `simulate.kernels.clock` looks at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import sympy
from sympy import Expr, Symbol

from simulate.kernels.clock import Clock, TimedPart, Watched
from simulate.kernels.hoisting import Abs, Assignment, derivative, needed
from simulate.kernels.in_numpy import NumpyFunction
from simulate.kernels.saturation import logistic, share, softplus
from simulate.kernels.vectorfield import numpy_function
from simulate.symbolic.switching import above, at_least, same
from simulate.symbolic.symbols import TIME

_MOST_TERMS = 4
_POWERS = (sympy.Pow, sympy.exp, sympy.log, sympy.tanh, logistic, softplus)


def timed_parts(rates: Sequence[Expr], moving: set[Symbol]) -> tuple[Expr, ...]:
    """The largest parts of expressions that depend on time and on nothing else that moves."""
    found: dict[Expr, None] = {}
    seen: set[Expr] = set()

    def visit(expression: Expr) -> None:
        if expression in seen or TIME not in expression.free_symbols:
            return
        seen.add(expression)
        if not expression.free_symbols & moving:
            found[expression] = None
            return
        alone = [part for part in expression.args if not part.free_symbols & moving]
        if (expression.is_Add or expression.is_Mul) and any(TIME in part.free_symbols for part in alone):
            found[expression.func(*alone)] = None
        elif not (expression.is_Add or expression.is_Mul or _is_polynomial(expression)):
            found[_in_time_alone(expression, moving)] = None
        for part in expression.args:
            if part not in alone or not (expression.is_Add or expression.is_Mul):
                visit(part)

    for rate in rates:
        visit(rate)
    timed = (_without_constants(part) for part in found if TIME in part.free_symbols)
    return tuple(dict.fromkeys(part for part in timed if part != TIME))


def _without_constants(part: Expr) -> Expr:
    """A part without factors and terms that are the same at all times, which move and narrow nothing in it."""
    while part.is_Add or part.is_Mul:
        timed = [one for one in part.args if TIME in one.free_symbols]
        if len(timed) == len(part.args):
            break
        part = part.func(*timed)
    return part


def _in_time_alone(expression: Expr, moving: set[Symbol]) -> Expr:
    """What is left of an expression without the terms, factors and arguments that move and do not depend on time.

    A sum within an exponential, power or maximum is wide where what is made of it is narrow. Of ``exp(a + b)`` it is a
    factor, ``exp(a)``; of others the value where what moves is nothing.
    """
    if not expression.free_symbols & moving:
        return expression
    if expression.is_Mul:
        expression = sympy.expand_mul(expression)
    parts = [part for part in expression.args if TIME in part.free_symbols or not part.free_symbols & moving]
    kept = [_in_time_alone(part, moving) for part in parts]
    if len(kept) == len(expression.args) or expression.is_Add or expression.is_Mul:
        return expression.func(*kept)
    if isinstance(expression, (sympy.Min, sympy.Max)):
        return expression.func(*kept)
    return sympy.exp(kept[0]) if expression.is_Pow and parts[0] == expression.exp else kept[0]


def _is_polynomial(expression: Expr) -> bool:
    return bool(expression.is_Pow and expression.exp.is_Integer and expression.exp > 0)


def pulse_in(parts: Sequence[Expr]) -> Expr | None:
    """The first exponential whose argument is no straight line in time: far from its peak it leaves no trace."""
    for part in parts:
        for node in part.atoms(sympy.exp):
            if TIME in derivative(node.args[0], TIME).free_symbols:
                return node
    return None


def clock_of(parts: Sequence[Expr], constants: Sequence[Assignment], parameters: Sequence[str]) -> Clock:
    """Clock of `timed_parts`, which depend on time, parameters and constants; built once for a model."""
    symbols = [Symbol(name) for name in parameters]
    numbers: dict[Expr, int] = {}

    def used_by(*expressions: Expr) -> tuple[int, ...]:
        """Places of the parameters on which expressions depend, by themselves or by constants."""
        used = {symbol for one in expressions for symbol in one.free_symbols}
        used |= {symbol for _, value in needed(constants, expressions) for symbol in value.free_symbols}
        return tuple(index for index, symbol in enumerate(symbols) if symbol in used)

    def function_of(*expressions: Expr) -> NumpyFunction:
        return numpy_function(needed(constants, expressions), expressions, [TIME, *symbols])

    def part_of(part: Expr) -> TimedPart:
        straight: list[tuple[bool, Expr]] = []
        others: list[tuple[bool, Expr]] = []
        done: set[Expr] = set()
        for is_kink, function in _functions(part):
            if function in done or TIME not in function.free_symbols:
                continue
            done.add(function)
            slope = derivative(function, TIME)
            zero = -function.xreplace({TIME: sympy.S.Zero}) / slope if TIME not in slope.free_symbols else TIME
            if zero.has(TIME, sympy.zoo, sympy.nan):
                others.append((is_kink, function))
            else:
                straight.append((is_kink, zero))
        at_zero = [zero for _, zero in straight]
        looked_at = (*at_zero, *(function for _, function in others))
        before = [numbers.setdefault(one, len(numbers)) for one in looked_at]
        watched = tuple(
            Watched(is_kink, function_of(function), tuple(before[: len(at_zero) + index + 1]), used_by(function))
            for index, (is_kink, function) in enumerate(others)
        )
        return TimedPart(function_of(part), tuple(is_kink for is_kink, _ in straight), function_of(*at_zero), watched)

    return Clock(tuple(map(part_of, parts)), used_by(*parts))


def _functions(part: Expr) -> Iterator[tuple[bool, Expr]]:
    """Functions at whose zeros a part of a right-hand side has a kink (true) or a center, inner ones first."""
    for node in sympy.postorder_traversal(part):
        if TIME not in node.free_symbols:
            continue
        if isinstance(node, (sympy.Abs, Abs)):
            yield True, node.args[0]
        elif isinstance(node, (sympy.Min, sympy.Max, above, at_least, same)):
            for one, other in itertools.combinations(node.args, 2):
                yield True, one - other
        elif isinstance(node, share):
            yield False, node.args[0] - 1
        elif isinstance(node, _POWERS):
            inner = node.base if isinstance(node, sympy.Pow) else node.args[0]
            if TIME not in inner.free_symbols:
                inner = node.exp
            slope = derivative(inner, TIME)
            yield False, inner
            if TIME in slope.free_symbols:
                yield False, slope
                # Where two terms of a sum are as large, it turns from the one to the other.
                terms = sympy.Add.make_args(inner)
                if 2 <= len(terms) <= _MOST_TERMS:
                    for one, other in itertools.combinations(terms, 2):
                        yield False, one - other
                        yield False, one + other
