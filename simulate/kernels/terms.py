"""How large the terms are that an observable is added up from: where they cancel, their errors stay."""

from __future__ import annotations

from collections.abc import Set

import sympy
from sympy import Dummy, Expr, Symbol

from simulate.kernels.hoisting import derivative, needed
from simulate.kernels.system import System
from simulate.kernels.term_sizes import TermSizes
from simulate.kernels.vectorfield import numpy_function
from simulate.symbolic.functions import rebuild
from simulate.symbolic.symbols import TIME


def cancels(expression: Expr, moving: Set[Symbol]) -> bool:
    """Whether there is a sum with moving terms and terms of both signs anywhere in an expression.

    Parameters
    ----------
    moving
        Symbols whose values are solved and have errors; parameters and time have none.
    """
    if not expression.free_symbols & moving:
        return False
    signs = {argument.as_coeff_Mul()[0].is_negative for argument in expression.args} if expression.is_Add else set()
    return len(signs) > 1 or any(cancels(argument, moving) for argument in expression.args)


def added_sizes(expression: Expr, moving: Set[Symbol]) -> Expr:
    """Number that is as wrong, relative to itself, as a moving symbol is, as far as terms cancel in an expression.

    A sum has the sizes of its terms: ``k*(a - b)`` gives ``|k|*(|a| + |b|)``. The error of a sum reaches what is made
    of it by the derivative: ``1/(a - b)`` gives ``(|a| + |b|)/(a - b)**2``, or its own size if that is larger.
    """
    if not cancels(expression, moving):
        return sympy.Abs(expression, evaluate=False) if expression.free_symbols else abs(expression)
    if expression.is_Add:
        return sympy.Add(*(added_sizes(argument, moving) for argument in expression.args))
    sums: dict[Expr, Dummy] = {}
    made = _of_sums(expression, moving, sums)
    back = {place: one for one, place in sums.items()}
    by_sum = (
        sympy.Abs(derivative(made, place).xreplace(back), evaluate=False) * added_sizes(one, moving)
        for one, place in sums.items()
    )
    return sympy.Max(sympy.Abs(expression, evaluate=False), sympy.Add(*by_sum), evaluate=False)


def _of_sums(expression: Expr, moving: Set[Symbol], sums: dict[Expr, Dummy]) -> Expr:
    """Expression with a symbol for each outermost sum in which terms cancel."""
    if not cancels(expression, moving):
        return expression
    if expression.is_Add:
        return sums.setdefault(expression, Dummy())
    return rebuild(expression.func, [_of_sums(argument, moving, sums) for argument in expression.args])


def term_sizes(system: System) -> dict[str, TermSizes]:
    """What adds up the sizes of terms, for each observable in which terms of both signs are added up."""
    symbols = [TIME, *map(Symbol, system.states), *map(Symbol, system.parameters)]
    moving = {Symbol(name) for name in system.states}
    found: dict[str, TermSizes] = {}
    for observable, expression in zip(system.observables, system.observed, strict=True):
        if cancels(expression, moving):
            sizes = added_sizes(expression, moving)
            found[observable] = TermSizes(numpy_function(needed(system.constants, [sizes]), [sizes], symbols))
    return found
