"""Power series in time of a system's solution modulo a prime, order by order, with derivatives.

Each expression becomes a step, which gives the coefficient of one order from lower ones of its own and from those of
its arguments up to that order (R. E. Moore, Interval Analysis, 1966, chapter 11). Exponentials, logarithms and powers
follow from the differential equations that they satisfy. Only their values at the beginning are no rational numbers;
each stands for a new one, independent of all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.kernels.modular import PRIME, convolved, inverse, powers, residue, times
from simulate.kernels.system import System
from simulate.streams import IntArray, stream
from simulate.symbolic.printing import print_expression
from simulate.symbolic.symbols import TIME

_SEED = 2002
_TRIES = 1000

Coefficient = Callable[[int, IntArray, Sequence[IntArray]], IntArray]
"""Coefficient [point, 1 + variable] of an order, from the step's own series and those of its arguments."""


@dataclass(frozen=True, slots=True)
class _Step:
    coefficient: Coefficient
    arguments: tuple[int, ...]
    steady: bool
    expression: Expr


class _Rootless(Exception):
    """Some points have no root that an expression needs."""

    def __init__(self, points: npt.NDArray[np.bool_]) -> None:
        super().__init__()
        self.points = points


class Series:
    """Coefficients of the observables of a system at random points, one order after another.

    Parameters
    ----------
    system
        A system without ``abs``, ``min`` and ``max``, which have no power series where they bend.
    variables
        Names of the parameters to differentiate with respect to. All parameters have random values.
    points
        Numbers of the random points. Those at which a root is missing are replaced, see the attribute ``points``.
    start
        Time at which the series begins, an expression in parameters; the state there is the initial one.
    dose
        Route and number of one dose at the start: each number is another random amount that is known. None if absent.
    orders
        Number of coefficients that there is room for.

    Raises
    ------
    InputError
        ``identifiability.function``: an expression has no power series at the start.
    """

    def __init__(
        self,
        system: System,
        variables: Sequence[str],
        points: IntArray,
        *,
        start: Expr = sympy.S.Zero,
        dose: tuple[str, int] | None = None,
        orders: int,
    ) -> None:
        self._width = 1 + len(variables)
        self._orders = orders
        self._steps: list[_Step] = []
        self._known: dict[Expr, int] = {}
        self.points = points
        self.order = -1
        amount = Symbol(f"dose:{dose[1]}" if dose else "dose:")
        for name in (*system.parameters, str(amount)):
            column = 1 + variables.index(name) if name in variables else None
            self._enter(Symbol(name), self._parameter(name, column), steady=True)
        for symbol, value in system.constants:
            self._known[symbol] = self._add(value)
        begin = self._add(start)
        self._enter(TIME, _time, begin)
        initial = list(system.initial)
        if dose is not None:
            place = system.routes.index(dose[0])
            initial[system.route_targets[place]] += amount * system.gains[place]
        self._states = [
            self._enter(Symbol(name), _state, self._add(value))
            for name, value in zip(system.states, initial, strict=True)
        ]
        self._rates = [self._add(rate) for rate in system.rhs]
        self._observed = [self._add(value) for value in system.observed]
        self._begin()

    def advance(self) -> IntArray:
        """Coefficients [point, observable, 1 + variable] of the next order."""
        self.order += 1
        k = self.order
        if k > 0:
            for state, rate in zip(self._states, self._rates, strict=True):
                if k == 1 or not self._steps[rate].steady:
                    self._values[state][:, k] = self._values[rate][:, k - 1] * residue(1, k) % PRIME
            self._evaluate(k)
        found = np.zeros((len(self.points), len(self._observed), self._width), dtype=np.int64)
        for index, step in enumerate(self._observed):
            if k == 0 or not self._steps[step].steady:
                found[:, index] = self._values[step][:, k]
        return found

    def parameters(self, names: Sequence[str]) -> IntArray:
        """Values [point, name] of parameters."""
        return np.stack([self._values[self._known[Symbol(name)]][:, 0, 0] for name in names], axis=1)

    def _begin(self) -> None:
        """Coefficients of order zero; points at which a root is missing are replaced by others."""
        for _ in range(_TRIES):
            shape = (len(self.points), self._orders, self._width)
            self._values = [
                np.zeros((shape[0], 1, shape[2]) if step.steady else shape, dtype=np.int64) for step in self._steps
            ]
            try:
                self._evaluate(0)
            except _Rootless as missing:
                fresh = self.points.max() + 1 + np.arange(int(missing.points.sum()))
                self.points = self.points.copy()
                self.points[missing.points] = fresh
                continue
            return
        raise AssertionError("no random point has all the roots that the model needs")

    def _evaluate(self, k: int) -> None:
        for index, step in enumerate(self._steps):
            if k and (step.steady or step.coefficient is _state):
                continue
            own = self._values[index]
            try:
                own[:, k] = step.coefficient(k, own, [self._values[place] for place in step.arguments])
            except ZeroDivisionError:
                raise InputError(
                    "an expression has no power series at the beginning, where it would divide by zero",
                    code="identifiability.function",
                    where=Where(term=print_expression(step.expression)),
                    advice="take an equivalent form, or observables that do not need it",
                ) from None

    def _enter(self, expression: Expr, coefficient: Coefficient, *arguments: int, steady: bool = False) -> int:
        self._steps.append(_Step(coefficient, arguments, steady, expression))
        self._known[expression] = len(self._steps) - 1
        return self._known[expression]

    def _apply(self, expression: Expr, coefficient: Coefficient, *arguments: int) -> int:
        steady = all(self._steps[place].steady for place in arguments)
        return self._enter(expression, coefficient, *arguments, steady=steady)

    def _add(self, expression: Expr) -> int:
        """Step of an expression; the same expression is computed once."""
        if expression in self._known:
            return self._known[expression]
        if expression.is_Float:
            return self._add(sympy.Rational(repr(float(expression))))
        if expression.is_Rational:
            value = residue(int(expression.p), int(expression.q))
            return self._enter(expression, self._constant(value), steady=True)
        if expression is sympy.E:
            return self._apply(expression, self._exponential, self._add(sympy.S.One))
        if expression.is_Add:
            return self._apply(expression, self._sum, *(self._add(part) for part in expression.args))
        if expression.is_Mul:
            return self._product(expression)
        if expression.is_Pow:
            return self._power(expression)
        if expression.func == sympy.exp:
            return self._apply(expression, self._exponential, self._add(expression.args[0]))
        if expression.func == sympy.log:
            return self._apply(expression, self._logarithm, self._add(expression.args[0]))
        if expression.func == sympy.tanh:
            twice = sympy.exp(2 * expression.args[0])
            return self._add((twice - 1) / (twice + 1))
        raise InputError(
            "identifiability cannot be decided with this function, which has no power series",
            code="identifiability.function",
            where=Where(term=print_expression(expression)),
            advice="leave the mechanism out for this question, or choose observables that do not need it",
        )

    def _product(self, expression: Expr) -> int:
        places = [self._add(part) for part in expression.args]
        # What does not change in time first: it is multiplied once, not once per order.
        places.sort(key=lambda place: not self._steps[place].steady)
        result = places[0]
        for place in places[1:]:
            result = self._times(result, place)
        self._known[expression] = result
        return result

    def _times(self, first: int, second: int) -> int:
        pair = sympy.Mul(self._steps[first].expression, self._steps[second].expression, evaluate=False)
        if pair in self._known:
            return self._known[pair]
        return self._apply(pair, _scaled if self._steps[first].steady else _product, first, second)

    def _power(self, expression: Expr) -> int:
        base, exponent = expression.base, expression.exp
        if exponent.is_Integer and exponent < 0:
            place = self._add(base ** (-exponent))
            return self._apply(expression, self._reciprocal, place)
        if exponent.is_Integer:
            half = self._add(base ** (exponent // 2))
            place = self._times(half, half)
            if exponent % 2:
                place = self._times(*sorted((place, self._add(base)), key=lambda one: not self._steps[one].steady))
            self._known[expression] = place
            return place
        if exponent.is_Rational:
            return self._apply(expression, self._root(int(exponent.p), int(exponent.q)), self._add(base))
        logarithm = self._add(sympy.log(base, evaluate=False))
        product = self._times(*sorted((self._add(exponent), logarithm), key=lambda one: not self._steps[one].steady))
        return self._apply(expression, self._exponential, product)

    def _constant(self, value: int) -> Coefficient:
        def coefficient(k: int, own: IntArray, _: Sequence[IntArray]) -> IntArray:
            result = np.zeros_like(own[:, 0])
            result[:, 0] = value
            return result

        return coefficient

    def _parameter(self, name: str, column: int | None) -> Coefficient:
        def coefficient(k: int, own: IntArray, _: Sequence[IntArray]) -> IntArray:
            result = np.zeros_like(own[:, 0])
            result[:, 0] = self._random(f"parameter {name}", self.points)
            if column is not None:
                result[:, column] = 1
            return result

        return coefficient

    def _random(self, purpose: str, points: IntArray) -> IntArray:
        return np.array([stream(_SEED, purpose, int(point)).integers(1, PRIME) for point in points], dtype=np.int64)

    def _new_number(self, function: str, arguments: IntArray) -> IntArray:
        """Values [point] of a function of numbers: random, and the same for the same number."""
        return np.array(
            [
                self._random(f"{function} {argument}", self.points[place : place + 1])[0]
                for place, argument in enumerate(arguments.tolist())
            ],
            dtype=np.int64,
        )

    def _sum(self, k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
        total: IntArray = sum((a[:, k] for a in arguments if k < a.shape[1]), start=np.zeros_like(own[:, 0])) % PRIME
        return total

    def _reciprocal(self, k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
        (a,) = arguments
        if k == 0:
            return inverse(a[:, 0])
        result: IntArray = -times(own[:, 0], convolved(a[:, 1 : k + 1], own[:, :k])) % PRIME
        return result

    def _exponential(self, k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
        (a,) = arguments
        if k == 0:
            value = np.where(a[:, 0, 0] == 0, 1, self._new_number("exp", a[:, 0, 0]))
            result = a[:, 0] * value[:, None] % PRIME
            result[:, 0] = value
            return result
        # e' = a' e
        weighted = a[:, 1 : k + 1] * np.arange(1, k + 1)[:, None] % PRIME
        return convolved(weighted, own[:, :k]) * residue(1, k) % PRIME

    def _logarithm(self, k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
        (a,) = arguments
        if k == 0:
            result = inverse(a[:, 0])[:, :1] * a[:, 0] % PRIME
            result[:, 0] = np.where(a[:, 0, 0] == 1, 0, self._new_number("log", a[:, 0, 0]))
            return result
        # a l' = a'
        rest = a[:, k]
        if k > 1:
            weighted = own[:, 1:k] * np.arange(1, k)[:, None] % PRIME
            rest = rest - convolved(weighted, a[:, 1:k]) * residue(1, k)
        return times(rest % PRIME, inverse(a[:, 0]))

    def _root(self, numerator: int, denominator: int) -> Coefficient:
        exponent = residue(numerator, denominator)

        def coefficient(k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
            (a,) = arguments
            reciprocal = inverse(a[:, 0])
            if k == 0:
                value = _rooted(a[:, 0, 0], numerator, denominator)
                result = a[:, 0] * (reciprocal[:, 0] * value % PRIME * exponent % PRIME)[:, None] % PRIME
                result[:, 0] = value
                return result
            # a w' = r a' w
            counts = np.arange(1, k + 1)
            weights = (counts * exponent - (k - counts)) % PRIME * residue(1, k) % PRIME
            return times(reciprocal, convolved(a[:, 1 : k + 1] * weights[:, None] % PRIME, own[:, :k]))

        return coefficient


def _time(k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
    result = np.zeros_like(own[:, 0])
    if k < 2:
        # The clock does not depend on parameters, even where the series begins when one of them says.
        result[:, 0] = arguments[0][:, 0, 0] if k == 0 else 1
    return result


def _state(k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
    return arguments[0][:, 0]


def _scaled(k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
    factor, a = arguments
    return times(factor[:, 0], a[:, k])


def _product(k: int, own: IntArray, arguments: Sequence[IntArray]) -> IntArray:
    a, b = arguments
    return convolved(a[:, : k + 1], b[:, : k + 1])


def _rooted(values: IntArray, numerator: int, denominator: int) -> IntArray:
    """Values to a fraction: within the squares, of which there are an odd prime number, every root is unique."""
    squares = (PRIME - 1) // 2
    if denominator % 2 == 0:
        missing = powers(values, squares) != 1
        if np.any(missing):
            raise _Rootless(missing)
        return powers(values, numerator * pow(denominator, -1, squares) % squares)
    # The odd roots of all numbers are unique too, unless the denominator divides the order of the group.
    return powers(values, numerator * pow(denominator, -1, 2 * squares) % (2 * squares))
