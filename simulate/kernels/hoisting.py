"""What does not change in time is computed once per member, not once per stage.

Expressions are split into straight-line programs: a list of assignments and the results in terms of them. Everything
that depends on parameters alone moves to a program of constants.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from simulate.symbolic.functions import rebuild

Assignment = tuple[Symbol, Expr]


@dataclass(frozen=True, slots=True)
class Program:
    """Assignments in order, then results in terms of inputs and assigned symbols."""

    assignments: tuple[Assignment, ...]
    results: tuple[Expr, ...]


def straight_line(expressions: Sequence[Expr], prefix: str) -> Program:
    """Program that computes ``expressions`` with every common subexpression computed once.

    The colon in the names of temporaries keeps them apart from every name that a user can write.
    """
    assignments, results = sympy.cse(
        list(expressions), symbols=(Symbol(f"{prefix}:{index}") for index in range(10**9)), order="canonical"
    )
    return Program(tuple(assignments), tuple(results))


def hoist(program: Program, varying: Iterable[Symbol], prefix: str) -> tuple[tuple[Assignment, ...], Program]:
    """Constants of a program and the program that is left.

    Parameters
    ----------
    program
        A straight-line program.
    varying
        Symbols that change in time: time, states, infusion rates.
    prefix
        Prefix for the names of new constants.

    Returns
    -------
    constants, rest
        Assignments that no varying symbol reaches, and the program in terms of them.
    """
    hoisting = _Hoisting(set(varying), prefix)
    kept: list[Assignment] = []
    for symbol, expression in program.assignments:
        if expression.free_symbols & hoisting.moving:
            kept.append((symbol, hoisting.visit(expression)))
            hoisting.moving.add(symbol)
        else:
            hoisting.constants.append((symbol, expression))
    results = tuple(hoisting.visit(result) for result in program.results)
    return tuple(hoisting.constants), Program(tuple(kept), results)


class _Hoisting:
    """One walk over expressions: what moves stays, what does not is named as a constant."""

    def __init__(self, moving: set[Symbol], prefix: str) -> None:
        self.moving = moving
        self.prefix = prefix
        self.constants: list[Assignment] = []
        self._named: dict[Expr, Symbol] = {}

    def constant(self, expression: Expr) -> Expr:
        if expression.is_Atom:
            return expression
        if expression not in self._named:
            self._named[expression] = Symbol(f"{self.prefix}:{len(self._named)}")
            self.constants.append((self._named[expression], expression))
        return self._named[expression]

    def visit(self, expression: Expr) -> Expr:
        if not expression.free_symbols & self.moving:
            return self.constant(expression)
        if expression.is_Atom:
            return expression
        fixed = [part for part in expression.args if not part.free_symbols & self.moving]
        if fixed and (expression.is_Add or expression.is_Mul):
            rest = [self.visit(part) for part in expression.args if part.free_symbols & self.moving]
            return expression.func(self.constant(expression.func(*fixed)), *rest)
        return rebuild(expression.func, [self.visit(part) for part in expression.args])


def needed(assignments: Sequence[Assignment], results: Iterable[Expr]) -> list[Assignment]:
    """Assignments that results depend on, in their order."""
    symbols = {symbol for result in results for symbol in result.free_symbols}
    found = []
    for symbol, expression in reversed(assignments):
        if symbol in symbols:
            symbols |= expression.free_symbols
            found.append((symbol, expression))
    return found[::-1]


def gradient(program: Program, variables: Sequence[Symbol]) -> tuple[Program, tuple[tuple[int, int], ...]]:
    """Program of the derivatives of the results with respect to ``variables``, by the chain rule along the assignments.

    Returns
    -------
    derivatives, pattern
        Program whose results are the derivatives that are not identically zero, and their (result, variable) indices.
    """
    slopes: dict[Symbol, dict[int, Expr]] = {variable: {index: sympy.S.One} for index, variable in enumerate(variables)}

    def derivatives(expression: Expr) -> dict[int, Expr]:
        total: dict[int, Expr] = {}
        for symbol in sorted(expression.free_symbols & slopes.keys(), key=str):
            outer = derivative(expression, symbol)
            for index, inner in slopes[symbol].items():
                total[index] = total.get(index, sympy.S.Zero) + outer * inner
        return {index: value for index, value in sorted(total.items()) if value != 0}

    assignments: list[Assignment] = []
    for symbol, expression in program.assignments:
        assignments.append((symbol, expression))
        own = derivatives(expression)
        if own:
            slopes[symbol] = {}
            for index, value in own.items():
                name = Symbol(f"{symbol}'{index}")
                assignments.append((name, value))
                slopes[symbol][index] = name
    found = [
        ((row, column), value)
        for row, result in enumerate(program.results)
        for column, value in derivatives(result).items()
    ]
    return Program(tuple(assignments), tuple(value for _, value in found)), tuple(place for place, _ in found)


class power_log(sympy.Function):  # type: ignore[misc]
    """``base**exponent * log(base)``, the derivative of a power in its exponent; 0 for a base of 0."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative in the base (1) or the exponent (2)."""
        base, exponent = self.args
        if argindex == 1:
            return exponent * power_log(base, exponent - 1) + base ** (exponent - 1)
        return power_log(base, exponent) * sympy.log(base)


class Abs(sympy.Function):  # type: ignore[misc]
    """Absolute value of a real number; SymPy's own takes its argument apart, a tanh within it into complex parts."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative."""
        return sign(self.args[0])


class sign(sympy.Function):  # type: ignore[misc]
    """Sign of a real number, whose derivative is taken for 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Derivative."""
        return sympy.S.Zero


def derivative(expression: Expr, symbol: Symbol) -> Expr:
    """Derivative that is defined wherever the expression has one."""
    if _is_algebraic(expression):
        return _algebraic_derivative(expression, symbol)
    slope = _plain_derivative(expression, symbol)
    if expression.has(sympy.Heaviside):
        # The derivative of a step is taken for 0, as that of a sign is.
        slope = slope.replace(sympy.DiracDelta, lambda *_: sympy.S.Zero)
    if any(power.exp.has(symbol) and not power.base.is_number for power in expression.atoms(sympy.Pow)):
        slope = slope.replace(lambda part: part.is_Mul and part.has(sympy.log), _with_power_logs)
    if any(not power.exp.is_Rational and power.base.has(symbol) for power in expression.atoms(sympy.Pow)):
        # SymPy writes the derivative of x**n as n*x**n/x, which at x = 0 is 0/0 instead of 0.
        return sympy.powsimp(slope, deep=True, combine="exp")
    return slope


@functools.lru_cache(maxsize=100_000)
def _is_algebraic(expression: Expr) -> bool:
    """Whether there is nothing in it but sums, products and powers to rational numbers."""
    if expression.is_Symbol or expression.is_Rational:
        return True
    if expression.is_Pow:
        return bool(expression.exp.is_Rational) and _is_algebraic(expression.base)
    return (expression.is_Add or expression.is_Mul) and all(map(_is_algebraic, expression.args))


def _algebraic_derivative(expression: Expr, symbol: Symbol) -> Expr:
    """What SymPy gives, which asks much of every part that has no say in it."""
    if expression.is_Symbol:
        return sympy.S.One if expression == symbol else sympy.S.Zero
    if symbol not in expression.free_symbols:
        return sympy.S.Zero
    if expression.is_Pow:
        return expression * (_algebraic_derivative(expression.base, symbol) * expression.exp / expression.base)
    inner = [_algebraic_derivative(part, symbol) for part in expression.args]
    if expression.is_Add:
        return sympy.Add(*inner)
    parts = expression.args
    return sympy.Add(
        *(
            sympy.Mul(*parts[:index], slope, *parts[index + 1 :])
            for index, slope in enumerate(inner)
            if slope is not sympy.S.Zero
        )
    )


def _with_power_logs(product: Expr) -> Expr:
    """Product in which a power times the logarithm of its base, undefined at 0, is one function."""
    factors = list(product.args)
    for log in [factor for factor in factors if isinstance(factor, sympy.log)]:
        for power in factors:
            if power.is_Pow and power.base == log.args[0] and not power.exp.is_Rational:
                factors.remove(log)
                factors[factors.index(power)] = power_log(power.base, power.exp)
                break
    return sympy.Mul(*factors)


def _plain_derivative(expression: Expr, symbol: Symbol) -> Expr:
    if not expression.has(sympy.Abs, sympy.Min, sympy.Max, sympy.re, sympy.im, sympy.arg):
        return expression.diff(symbol)
    # SymPy takes a plain symbol for complex, which has no derivative of its absolute value.
    expression = expression.replace(sympy.arg, lambda _: sympy.S.Zero)
    real = {plain: Symbol(plain.name, real=True) for plain in expression.free_symbols}
    plain = {value: key for key, value in real.items()}
    return expression.xreplace(real).diff(real[symbol]).xreplace(plain)
