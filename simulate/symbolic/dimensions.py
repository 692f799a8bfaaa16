"""The dimension of an expression, found term by term; the smallest inconsistent term is reported.

Numbers are pure; zero fits any dimension. An exponent may be a symbol, so that a Hill term has a dimension.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, did_you_mean
from simulate.symbolic.printing import print_expression
from simulate.symbolic.switching import CONDITIONS, above, at_least, choose, floor, is_condition, pieces, same
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, Dimension

_PURE = DIMENSIONLESS.dimension


def infer(
    expr: Expr,
    dimensions: Mapping[str, Dimension],
    *,
    where: Where | None = None,
    subject: str = "the expression",
) -> Dimension:
    """Dimension of an expression whose symbols have the given dimensions; that of 0 is a pure number.

    Parameters
    ----------
    subject
        What the expression is, for the first line of an error, such as ``the rate of `loss```.

    Raises
    ------
    InputError
        ``units.mismatch`` with the smallest wrong term; ``model.undefined`` for a symbol without a dimension.
    """
    return _Inference(dimensions, where, subject).of(expr) or _PURE


def require(
    expr: Expr,
    expected: Dimension,
    dimensions: Mapping[str, Dimension],
    *,
    where: Where | None = None,
    subject: str = "the expression",
) -> None:
    """Check that an expression has the expected dimension; zero has every dimension.

    Raises
    ------
    InputError
        As `infer`; of a sum with a right and a wrong term, the wrong one is blamed.
    """
    inference = _Inference(dimensions, where, subject)
    found = inference.of(expr, hint=expected)
    if found is not None and found != expected:
        raise inference.mismatch(f"{subject} has the wrong unit", expr, found, expected)


def require_condition(
    expr: Expr,
    dimensions: Mapping[str, Dimension],
    *,
    where: Where | None = None,
    subject: str = "the expression",
) -> None:
    """Check that an expression is a condition whose comparisons are between what has one dimension.

    Raises
    ------
    InputError
        ``expression.condition`` for what is no condition; otherwise as `infer`.
    """
    _Inference(dimensions, where, subject).condition(expr)


class _Inference:
    """One inference: the known dimensions, and how to speak of the expression."""

    def __init__(self, dimensions: Mapping[str, Dimension], where: Where | None, subject: str) -> None:
        self.dimensions = dimensions
        self.where = where
        self.subject = subject

    def of(self, expr: Expr, hint: Dimension | None = None) -> Dimension | None:
        """Dimension, or None for zero; ``hint`` is what the surroundings expect."""
        if expr == 0:
            return None
        if expr.is_Symbol:
            return self._symbol(expr)
        if expr.is_Rational or expr is sympy.E:
            return _PURE
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow:
            return self._power(expr)
        if expr.is_Add or expr.func in (sympy.Min, sympy.Max):
            return self._agreement(expr, hint)
        if expr.func in (sympy.Abs, at_baseline):
            return self.of(expr.args[0], hint)
        if isinstance(expr, choose):
            for condition in pieces(expr)[1::2]:
                self.condition(condition)
            return self._agreement(expr, hint, [*pieces(expr)[:-1:2], pieces(expr)[-1]])
        if isinstance(expr, CONDITIONS):
            raise InputError(
                f"{self.subject} has a condition where a number is expected",
                code="expression.condition",
                where=replace(self.where or Where(), term=print_expression(expr)),
                expected="a number",
                advice="write `piecewise(1, condition, 0)` for 1 where a condition holds, else 0",
            )
        if isinstance(expr, floor):
            self._pure(expr.args[0], f"the argument of `floor` or `ceil` in {self.subject} is not a pure number")
            return _PURE
        self._pure(expr.args[0], f"the argument of `{_function_name(expr)}` in {self.subject} is not a pure number")
        return _PURE

    def condition(self, expr: Expr) -> None:
        """Check a condition: the two sides of each comparison have one dimension."""
        if isinstance(expr, (above, at_least, same)):
            self._agreement(expr, None, list(expr.args))
        elif isinstance(expr, CONDITIONS):
            for part in expr.args:
                self.condition(part)
        elif not is_condition(expr):
            raise InputError(
                f"{self.subject} has a number where a condition is expected",
                code="expression.condition",
                where=replace(self.where or Where(), term=print_expression(expr)),
                expected="a comparison, such as `x > y`, or several with `and`, `or` and `not`",
            )

    def mismatch(self, what: str, term: Expr, found: Dimension, expected: Dimension) -> InputError:
        return InputError(
            what,
            code="units.mismatch",
            where=replace(self.where or Where(), term=print_expression(term)),
            found=found.in_units(),
            expected=expected.in_units(),
            advice=_advice(expected / found),
        )

    def _symbol(self, symbol: Expr) -> Dimension:
        name = symbol.name
        if name not in self.dimensions:
            raise InputError(
                f"nothing defines `{name}`, which stands in {self.subject}",
                code="model.undefined",
                where=self.where,
                advice=did_you_mean(name, self.dimensions),
            )
        return self.dimensions[name]

    def _product(self, expr: Expr) -> Dimension | None:
        product = _PURE
        for factor in expr.args:
            dimension = self.of(factor)
            if dimension is None:
                return None
            if not dimension.is_one:
                product = product * dimension
        return product

    def _power(self, expr: Expr) -> Dimension | None:
        base = self.of(expr.base)
        self._pure(expr.exp, f"an exponent in {self.subject} is not a pure number")
        return base if base is None or base.is_one else base**expr.exp

    def _pure(self, expr: Expr, what: str) -> None:
        found = self.of(expr, hint=_PURE)
        if found is not None and not found.is_one:
            raise self.mismatch(what, expr, found, _PURE)

    def _agreement(self, expr: Expr, hint: Dimension | None, parts: Sequence[Expr] | None = None) -> Dimension | None:
        """Common dimension of the terms of a sum; a term is wrong when it fits neither the hint nor the majority."""
        terms = sorted(expr.args if parts is None else parts, key=print_expression)
        found = [(term, dimension) for term in terms if (dimension := self.of(term, hint)) is not None]
        counts = Counter(dimension for _, dimension in found)
        if len(counts) <= 1:
            return next(iter(counts), None)
        expected = hint if hint is not None and hint in counts else counts.most_common(1)[0][0]
        term, dimension = next((term, dimension) for term, dimension in found if dimension != expected)
        kind = "the terms of a sum" if expr.is_Add else f"the arguments of `{_function_name(expr)}`"
        kind = "the values of `piecewise`" if isinstance(expr, choose) else kind
        kind = "the two sides of a comparison" if isinstance(expr, CONDITIONS) else kind
        raise self.mismatch(f"{kind} in {self.subject} differ in unit", term, dimension, expected)


def _function_name(expr: Expr) -> str:
    return print_expression(expr).partition("(")[0]


def _advice(missing: Dimension) -> str:
    inverse = (missing**-1).in_units()
    fits = missing.in_units()
    cure = f"divide by something in {inverse}" if fits.startswith("1 /") else f"multiply with something in {fits}"
    return f"{cure}, or correct the unit of a parameter in it"
