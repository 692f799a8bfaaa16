"""How large the terms are that an observable is added up from: where they cancel, their errors stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy
from sympy import Expr, Symbol

from simulate.kernels.system import System
from simulate.kernels.vectorfield import numpy_function
from simulate.solver.kernel import FloatArray
from simulate.symbolic.parts import TIME


def cancels(expression: Expr) -> bool:
    """Whether a sum with terms of both signs is all of an expression, or a factor or whole power of it."""
    if expression.is_Add:
        signs = {argument.as_coeff_Mul()[0].is_negative for argument in expression.args}
        return len(signs) > 1 or any(map(cancels, expression.args))
    return any(map(cancels, _passed_through(expression)))


def added_sizes(expression: Expr) -> Expr:
    """Expression with sizes for terms: ``k*(a - b)`` gives ``|k|*(|a| + |b|)``; in divisors terms stay as they are."""
    if expression.is_Add or expression.is_Mul:
        return expression.func(*map(added_sizes, expression.args))
    if _passed_through(expression):
        return added_sizes(expression.base) ** expression.exp
    return sympy.Abs(expression, evaluate=False) if expression.free_symbols else abs(expression)


def _passed_through(expression: Expr) -> tuple[Expr, ...]:
    if expression.is_Mul:
        return tuple(expression.args)
    whole = expression.is_Pow and expression.exp.is_Integer and expression.exp.is_positive
    return (expression.base,) if whole else ()


def term_sizes(system: System, observable: str) -> Callable[[FloatArray, FloatArray, FloatArray], FloatArray]:
    """Function that adds up the sizes of the terms of an observable.

    Returns
    -------
    function
        Of states [row, time, state], parameters [row, parameter] and times [time]; gives [row, time], in the unit of
        the observable.
    """
    expression = system.observed[system.observables.index(observable)]
    symbols = [TIME, *map(Symbol, system.states), *map(Symbol, system.parameters)]
    function = numpy_function(system.constants, [added_sizes(expression)], symbols)

    def sizes(states: FloatArray, parameters: FloatArray, times: FloatArray) -> FloatArray:
        columns = (parameters[:, column, np.newaxis] for column in range(parameters.shape[1]))
        with np.errstate(all="ignore"):
            (found,) = function([times, *np.moveaxis(states, 2, 0), *columns])
        return np.array(np.broadcast_to(found, states.shape[:2]), dtype=np.float64)

    return sizes
