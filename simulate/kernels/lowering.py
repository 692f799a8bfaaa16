"""Programs of expressions to the form: the one place that decides in which order operations are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels import saturation
from simulate.kernels.form import Block, Body, Draft, Fence, KernelFunction, Place
from simulate.kernels.hoisting import Abs, Assignment, needed, power_log, sign
from simulate.solver.layout import LANES
from simulate.symbolic import switching
from simulate.symbolic.languages import LARGEST_UNROLLED_POWER

_WHOLE_FROM = 2.0**51
"""Every number beyond it is whole or half, and the shift below rounds up to here exactly."""
_SHIFT = 1.5 * 2.0**52
"""Adding it rounds a number to a whole one."""

Outputs = Sequence[tuple[Place, Expr]]
"""Place and expression of everything that is written, in terms of inputs and temporaries."""


def function(
    name: str,
    meaning: str,
    inputs: Mapping[Symbol, Place],
    assignments: Sequence[Assignment],
    outputs: Outputs,
    *,
    labels: Mapping[Place, str],
    own: int | None = None,
    scratch: int = 0,
) -> KernelFunction:
    """A function of the flat workspace.

    Parameters
    ----------
    name, meaning, labels
        As of the function.
    inputs, assignments, outputs
        As for `lowered`.
    own
        Number of the first outputs that are to have the same bits whatever the others are. All that they need is
        computed and stored before a fence; what is behind it reads it from there, so that the compiler shares no
        product between both sides. None if there is nothing to part.
    scratch
        Offset of the first of as many rows as there are assignments, if there is.
    """
    if own is None:
        return KernelFunction(name, meaning, (lowered(inputs, assignments, outputs),), labels)
    first = needed(assignments, [expression for _, expression in outputs[:own]])
    places = {symbol: scratch + index * LANES for index, (symbol, _) in enumerate(first)}
    stored: Outputs = [(place, symbol) for symbol, place in places.items()]
    rest = [(symbol, expression) for symbol, expression in assignments if symbol not in places]
    blocks: tuple[Block, ...] = (
        lowered(inputs, first, [*outputs[:own], *stored]),
        Fence(),
        lowered({**inputs, **places}, rest, outputs[own:]),
    )
    return KernelFunction(name, meaning, blocks, labels)


def lowered(
    inputs: Mapping[Symbol, Place], assignments: Iterable[Assignment], outputs: Outputs, *, in_order: bool = True
) -> Body:
    """Operations of a program.

    Parameters
    ----------
    inputs
        Place of every symbol that may be read; only those that are used are.
    assignments
        Temporaries in order.
    outputs
        What is written.
    in_order
        Whether the terms of a sum are added in the order in which SymPy shows them. That takes long to find: large
        Jacobians have their terms as SymPy keeps them, a positive one first.

    Raises
    ------
    InputError
        When an expression has a function that no target knows.
    """
    lowering = _Lowering(inputs, Expr.as_ordered_terms if in_order else _positive_first)
    prepared = lowering.with_named_bases if in_order else lambda expression: expression
    for symbol, expression in assignments:
        lowering.known[symbol] = lowering.value(prepared(expression))
    return lowering.draft.body([(place, lowering.value(prepared(expression))) for place, expression in outputs])


def _positive_first(total: Expr) -> list[Expr]:
    terms = list(total.args)
    first = next((index for index, term in enumerate(terms) if not term.as_coeff_Mul()[0].is_negative), 0)
    return [terms.pop(first), *terms]


class _Lowering:
    """Expressions as operations; does not leave `lowered`."""

    def __init__(self, inputs: Mapping[Symbol, Place], terms: Callable[[Expr], Sequence[Expr]]) -> None:
        self.draft = Draft()
        self.known: dict[Expr, int] = {}
        self._inputs, self._terms = inputs, terms
        self._bases: dict[Expr, Symbol] = {}

    def with_named_bases(self, expression: Expr) -> Expr:
        """Name every sum that is raised to a whole power: SymPy sorts terms by that name, and not by the sum."""
        powers = {
            part
            for part in expression.atoms(sympy.Pow)
            if part.exp.is_Integer and abs(int(part.exp)) > 1 and not part.base.is_Symbol
        }
        for power in sorted(powers, key=sympy.default_sort_key):
            if power.base not in self._bases:
                symbol = self._bases[power.base] = Symbol(f"base:{len(self._bases)}")
                self.known[symbol] = self.value(power.base)
        return expression.xreplace({power: self._bases[power.base] ** power.exp for power in powers})

    def value(self, expression: Expr) -> int:
        """Number of the operation whose value an expression has."""
        found = self.known.get(expression)
        if found is None:
            found = self.known[expression] = self._new(expression)
        return found

    def _new(self, expression: Expr) -> int:
        if expression.is_Symbol:
            return self.draft.add("read", self._inputs[expression])
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            is_negative, above, below = self._factors(expression)
            return self._quotient(is_negative, above, below)
        if expression.is_Number or expression.is_NumberSymbol:
            return self.draft.number(_double(expression))
        if expression.is_Pow:
            return self._power(*expression.as_base_exp())
        return self._function(expression)

    def _minus(self, value: int) -> int:
        kind, *rest = self.draft.operations[value]
        return self.draft.number(-rest[0]) if kind == "number" else self.draft.add("minus", value)

    def _sum(self, expression: Expr) -> int:
        total = None
        for term in self._terms(expression):
            is_negative, above, below = self._factors(term)
            if total is None:
                total = self._quotient(is_negative, above, below)
            else:
                value = self._quotient(False, above, below)
                total = self.draft.add("difference" if is_negative else "plus", total, value)
        assert total is not None
        return total

    def _factors(self, term: Expr) -> tuple[bool, list[int], list[int]]:
        """Whether a term is negative, and factors of its size above and below the line."""
        above: list[int] = []
        below: list[int] = []
        is_negative = False
        for factor in sympy.Mul.make_args(term):
            if factor.is_Number:
                size = _double(factor)
                is_negative = size < 0.0
                if abs(size) != 1.0 or factor is term:
                    above.append(self.draft.number(abs(size)))
                continue
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent.is_negative:
                below.append(self.value(sympy.Pow(base, -exponent)))
            else:
                above.append(self.value(factor))
        return is_negative, above or [self.draft.number(1.0)], below

    def _quotient(self, is_negative: bool, above: list[int], below: list[int]) -> int:
        if is_negative:
            above[0] = self._minus(above[0])
        product = self._times(above)
        return self.draft.add("over", product, self._times(below)) if below else product

    def _times(self, factors: Sequence[int]) -> int:
        product = factors[0]
        for factor in factors[1:]:
            product = self.draft.add("times", product, factor)
        return product

    def _power(self, base: Expr, exponent: Expr) -> int:
        if exponent.is_Rational and exponent.is_negative:
            return self.draft.add("over", self.draft.number(1.0), self._power(base, -exponent))
        if exponent.is_Integer and 1 <= int(exponent) <= LARGEST_UNROLLED_POWER:
            return self._times([self.value(base)] * int(exponent))
        if exponent == sympy.Rational(1, 2):
            return self.draft.add("sqrt", self.value(base))
        return self.draft.add("power", self.value(base), self.value(exponent))

    def _function(self, expression: Expr) -> int:
        kind = type(expression)
        if kind not in FUNCTIONS:
            raise InputError(
                f"the function `{kind.__name__}` cannot be compiled",
                code="kernel.function",
                found=str(expression),
                expected=f"one of {', '.join(sorted(known.__name__ for known in FUNCTIONS))}",
            )
        made = FUNCTIONS[kind]
        values = [self.value(argument) for argument in expression.args]
        return self.draft.add(made, *values) if isinstance(made, str) else made(self.draft, *values)


def _double(value: Expr) -> float:
    """The double nearest to an exact number."""
    return float(Fraction(int(value.p), int(value.q))) if value.is_Rational else float(value)


def _smaller(draft: Draft, first: int, *others: int) -> int:
    """The smallest of some numbers, undefined where one of them is."""
    for other in others:
        is_kept = draft.add("either", draft.add("above", other, first), draft.add("differs", first, first))
        first = draft.add("choose", is_kept, first, other)
    return first


def _larger(draft: Draft, first: int, *others: int) -> int:
    """The largest of some numbers, undefined where one of them is."""
    for other in others:
        is_kept = draft.add("either", draft.add("above", first, other), draft.add("differs", first, first))
        first = draft.add("choose", is_kept, first, other)
    return first


def _whole(draft: Draft, x: int) -> int:
    """The largest whole number that is not above a number, undefined where that is; up to 2⁵¹."""
    nearest = draft.add("difference", draft.add("plus", x, draft.number(_SHIFT)), draft.number(_SHIFT))
    below = draft.add("difference", nearest, draft.number(1.0))
    nearest = draft.add("choose", draft.add("above", nearest, x), below, nearest)
    is_small = draft.add("above", draft.number(_WHOLE_FROM), draft.add("abs", x))
    return draft.add("choose", is_small, nearest, x)


def _sign(draft: Draft, x: int) -> int:
    zero = draft.number(0.0)
    below = draft.add("choose", draft.add("above", zero, x), draft.number(-1.0), zero)
    return draft.add("choose", draft.add("above", x, zero), draft.number(1.0), below)


def _nothing(draft: Draft, x: int) -> int:
    return draft.add("times", draft.number(0.0), x)


FUNCTIONS: Mapping[type, str | Callable[..., int]] = {
    **{kind: kind.__name__ for kind in (sympy.exp, sympy.log, sympy.tanh, sympy.sin, sympy.cos, sympy.tan)},
    **{kind: kind.__name__ for kind in (sympy.asin, sympy.acos, sympy.atan, power_log, saturation.share)},
    **{kind: kind.__name__ for kind in (saturation.weight, saturation.weight_log)},
    **{kind: kind.__name__ for kind in (saturation.logistic, saturation.softplus)},
    sympy.Abs: "abs",
    Abs: "abs",
    switching.floor: _whole,
    switching.above: lambda draft, a, b: draft.indicator("above", a, b),
    switching.at_least: lambda draft, a, b: draft.indicator("at_least", a, b),
    switching.same: lambda draft, a, b: draft.indicator("same", a, b),
    switching.no: lambda draft, condition: draft.indicator("above", draft.number(0.5), condition),
    switching.both: _smaller,
    switching.either: _larger,
    switching.choose: lambda draft, condition, a, b: draft.add(
        "choose", draft.add("above", condition, draft.number(0.5)), a, b
    ),
    # SymPy takes symbols for complex numbers and takes some absolute values apart, abs(exp(x)) to exp(re(x)). All
    # numbers here are real; what has an argument came from a power or logarithm, which is undefined below zero.
    sympy.re: lambda _, x: x,
    sympy.im: _nothing,
    sympy.arg: lambda draft, x: _nothing(draft, draft.add("sqrt", x)),
    sympy.sign: _sign,
    sign: _sign,
    # Heaviside may have a second argument, its value at 0.
    sympy.Heaviside: lambda draft, x, *_: draft.indicator("above", x, draft.number(0.0)),
    sympy.Min: _smaller,
    sympy.Max: _larger,
}
"""Functions that can be compiled: a name that every printer knows, or what writes the operations."""
