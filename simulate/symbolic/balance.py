"""Unknown rates, solved in closed form from the steady state that was measured before treatment.

The baseline is a steady state by construction: what is measured is given, and production rates, influxes and bursts
follow from it, one linear equation after another. A baseline that would need a negative flow is refused by a
condition, never clamped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where, did_you_mean
from simulate.symbolic.baseline import defined, describe, unknowns_in
from simulate.symbolic.expressions import substitute
from simulate.symbolic.model import Model, Solved
from simulate.symbolic.parts import Balance, Condition
from simulate.symbolic.switching import above, at_least, both, choose, either, floor, no, same

_Number = Fraction | Decimal


def solve_balances(balances: Sequence[Balance], equations: Mapping[str, Expr]) -> tuple[Solved, ...]:
    """Closed form of each unknown, in an order in which each needs parameters and earlier ones only.

    Parameters
    ----------
    balances
        The unknowns.
    equations
        For each unknown the expression that vanishes at baseline, in parameters and unknowns.

    Raises
    ------
    InputError
        ``balance.absent``, ``balance.nonlinear``, ``balance.circular``, ``baseline.undefined``.
    """
    by_name = {balance.name: balance for balance in balances}
    solved: dict[str, Solved] = {}
    path: list[str] = []

    def solve(name: str) -> None:
        if name in solved:
            return
        if name in path:
            raise _circular([*path[path.index(name) :], name])
        path.append(name)
        for other in unknowns_in(equations[name], by_name):
            if other != name:
                solve(other)
        path.pop()
        balance = by_name[name]
        expression = _solve_linear(equations[name], balance)
        solved[name] = Solved(name, balance.meaning, balance.unit, expression, balance.reason)

    for name in by_name:
        solve(name)
    return tuple(solved.values())


def residual(model: Model, values: Mapping[str, float | Fraction | Expr] | None = None) -> dict[str, Expr]:
    """Rate of change of each species at baseline, without drug, at t = 0.

    Arithmetic is exact as long as the model is rational at these values, and has sixty digits otherwise (exponentials,
    roots); there a residual below 10⁻⁴⁰ of the terms that cancel counts as zero.

    Parameters
    ----------
    values
        Parameters by name in their own units; those left out have their typical value. Decimal numbers are taken
        as written: 0.1 is one tenth.

    Returns
    -------
    dict
        Species name → SymPy rational number, in the coherent unit of the species a day.

    Raises
    ------
    InputError
        ``model.undefined`` for a value of an unknown parameter, ``balance.singular`` when the equations of the
        baseline cannot be evaluated, as in a division by zero.
    """
    with localcontext(prec=60):
        state = _evaluate_model(model, values or {})
        with _refusing():
            return {
                species.name: _vanishing([_evaluate(term, state) for term in sympy.Add.make_args(rate)])
                for species, rate in zip(model.species, model.rates(), strict=True)
            }


def violated(model: Model, values: Mapping[str, float | Fraction | Expr] | None = None) -> tuple[Condition, ...]:
    """Conditions that fail at baseline: empty when these parameters admit one. Arguments and errors as `residual`."""
    with localcontext(prec=60):
        state = _evaluate_model(model, values or {})
        with _refusing():
            return tuple(condition for condition in model.conditions if _evaluate(condition.expression, state) < 0)


def _solve_linear(equation: Expr, balance: Balance) -> Expr:
    key = f"balances.{balance.name}.zero"
    unknown = Symbol(balance.name)
    if unknown not in equation.free_symbols:
        raise InputError(
            f"the balance of `{balance.name}` does not contain it",
            code="balance.absent",
            where=Where(key=key),
            found=describe(equation) + " = 0",
            advice=f"let `{balance.name}` act on what is balanced, or balance something else",
        )
    slope = sympy.diff(equation, unknown)
    if unknown in slope.free_symbols:
        slope = sympy.expand(slope)
    if unknown in slope.free_symbols or slope == 0:
        raise InputError(
            f"the balance of `{balance.name}` is not linear in it",
            code="balance.nonlinear",
            where=Where(key=key),
            found=describe(equation) + " = 0",
            expected=f"`{balance.name}` times something, plus something",
            advice="make the quantity that enters linearly the unknown",
        )
    rest = substitute(equation, {unknown: sympy.Integer(0)})
    # Term by term, so that a common factor such as a rate constant cancels without the cost of simplification.
    terms = [rest] if slope.is_Add else sympy.Add.make_args(rest)
    solution = sympy.Add(*(sympy.Mul(-1, term, sympy.Pow(slope, -1)) for term in terms))
    return defined(solution, key, f"the balance of `{balance.name}`")


def _circular(names: Sequence[str]) -> InputError:
    return InputError(
        f"the balances of `{names[0]}` and `{names[-2]}` need each other",
        code="balance.circular",
        where=Where(key=f"balances.{names[0]}.zero"),
        found=" → ".join(f"`{name}`" for name in names),
        expected="unknowns that can be solved one after another",
    )


def _evaluate_model(model: Model, values: Mapping[str, float | Fraction | Expr]) -> dict[str, _Number]:
    """Value of every symbol at baseline in the coherent base."""
    known = {parameter.name: parameter for parameter in model.parameters}
    for name in values:
        if name not in known:
            raise InputError(
                f"`{name}` is not a parameter of the model",
                code="model.undefined",
                advice=did_you_mean(name, known),
            )
    state: dict[str, _Number] = {"t": Fraction(0)}
    for name, parameter in known.items():
        state[name] = _exact(values.get(name, parameter.value)) * parameter.unit.factor
    with _refusing():
        for solved in model.balance:
            state[solved.name] = _evaluate(solved.expression, state)
        for species, initial in zip(model.species, model.initial, strict=True):
            state[species.name] = _evaluate(initial, state)
        for definition in model.definitions:
            state[definition.name] = _evaluate(definition.expression, state)
    return state


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (ArithmeticError, ValueError) as error:
        raise InputError(
            "the baseline cannot be computed: a division by zero, or a root or logarithm of a negative number",
            code="balance.singular",
            advice="a parameter may be zero where the model divides by it",
        ) from error


def _exact(value: float | Fraction | Expr) -> Fraction:
    if isinstance(value, Expr):
        return Fraction(int(value.p), int(value.q))
    return Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)


def _evaluate(expr: Expr, state: Mapping[str, _Number]) -> _Number:
    if expr.is_Symbol:
        return state[expr.name]
    if expr.is_Rational:
        return Fraction(int(expr.p), int(expr.q))
    if expr is sympy.E:
        return Decimal(1).exp()
    if isinstance(expr, choose):
        # What is not chosen may have no value.
        condition, value, otherwise = expr.args
        return _evaluate(value if _evaluate(condition, state) else otherwise, state)
    return _OPERATIONS[expr.func]([_evaluate(argument, state) for argument in expr.args])


def _decimal(value: _Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)


def _alike(values: Sequence[_Number]) -> Sequence[Any]:
    """All exact, or all decimal: the two do not mix."""
    return values if all(isinstance(value, Fraction) for value in values) else [_decimal(value) for value in values]


def _sum(values: Sequence[_Number]) -> _Number:
    return _fold(values, lambda a, b: a + b)


def _fold(values: Sequence[_Number], operation: Callable[[Any, Any], Any]) -> _Number:
    alike = _alike(values)
    result = alike[0]
    for value in alike[1:]:
        result = operation(result, value)
    folded: _Number = result
    return folded


def _power(values: Sequence[_Number]) -> _Number:
    base, exponent = values
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and abs(exponent) <= 1000:
        return base ** int(exponent)
    return _decimal(base) ** _decimal(exponent)


def _tanh(value: _Number) -> _Number:
    squared = (2 * _decimal(value)).exp()
    return (squared - 1) / (squared + 1)


def _absolute(value: _Number) -> _Number:
    return -value if value < 0 else value


_OPERATIONS: Mapping[Any, Callable[[Sequence[_Number]], _Number]] = {
    sympy.Add: _sum,
    sympy.Mul: lambda values: _fold(values, lambda a, b: a * b),
    sympy.Pow: _power,
    sympy.exp: lambda values: _decimal(values[0]).exp(),
    sympy.log: lambda values: _decimal(values[0]).ln(),
    sympy.tanh: lambda values: _tanh(values[0]),
    sympy.Abs: lambda values: _absolute(values[0]),
    sympy.Min: lambda values: _fold(values, lambda a, b: min(a, b)),
    sympy.Max: lambda values: _fold(values, lambda a, b: max(a, b)),
    floor: lambda values: Fraction(math.floor(values[0])),
    above: lambda values: Fraction(_decimal(values[0]) > _decimal(values[1])),
    at_least: lambda values: Fraction(_decimal(values[0]) >= _decimal(values[1])),
    same: lambda values: Fraction(_decimal(values[0]) == _decimal(values[1])),
    no: lambda values: Fraction(values[0] == 0),
    both: min,
    either: max,
    sympy.sin: lambda values: Decimal(math.sin(values[0])),
    sympy.cos: lambda values: Decimal(math.cos(values[0])),
    sympy.tan: lambda values: Decimal(math.tan(values[0])),
    sympy.asin: lambda values: Decimal(math.asin(values[0])),
    sympy.acos: lambda values: Decimal(math.acos(values[0])),
    sympy.atan: lambda values: Decimal(math.atan(values[0])),
}


def _vanishing(terms: Sequence[_Number]) -> Expr:
    """Sum of terms; a decimal sum that is nothing but rounding is zero."""
    total = _sum(terms)
    if isinstance(total, Fraction):
        return sympy.Rational(total.numerator, total.denominator)
    scale = max(abs(_decimal(term)) for term in terms)
    if abs(total) <= scale * Decimal("1e-40"):
        return sympy.Integer(0)
    return sympy.Rational(str(total))
