"""A smooth right-hand side as linear combinations of the few series that are not linear in the states.

Where two power series meet, the work of order k is k multiplications; a linear term is one. So every expression is
kept as a linear combination, with coefficients constant in time, of *cores*: states, products of two cores, quotients,
and exp, log, sine or cosine of a combination. Products are multiplied out where that makes no product more, and a
quotient of quotients, such as a saturating response to a competitive occupancy, becomes one quotient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels.hoisting import Program
from simulate.kernels.saturation import plain
from simulate.kernels.tape import Linear, Node, Tape
from simulate.symbolic.switching import CONDITIONS, above, at_least, choose, either, no, same
from simulate.symbolic.symbols import TIME

_SMOOTH: Mapping[type, str] = {sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos"}
_LARGEST_POWER = 16
_ZERO, _ONE, _MINUS_ONE = 0, 1, 2


def tape(program: Program, states: Sequence[Symbol], offsets: Mapping[Symbol, int], pulse: Expr | None = None) -> Tape:
    """Tape of a right-hand side.

    Parameters
    ----------
    program
        The right-hand side in terms of time, states and what lies at ``offsets``.
    states
        Symbols of the states, in order.
    offsets
        Places in the workspace of everything else that is read, which is constant during a step.
    pulse
        A part that is a pulse in time: from afar its series is nothing.

    Raises
    ------
    InputError
        When a function has no derivatives of every order everywhere, such as the absolute value or a root, or there is
        a pulse.
    """
    if pulse is not None:
        raise _not_smooth(pulse, "a pulse in time, whose Taylor series is nothing from afar")
    writer = _Writer()
    for index, state in enumerate(states):
        writer.known[state] = writer.core("state", index)
    writer.known[TIME] = writer.core("time")
    for symbol, offset in offsets.items():
        writer.known[symbol] = (writer.constant("input", offset), ())
    for symbol, expression in program.assignments:
        writer.known[symbol] = writer.visit(expression)
    return writer.finished([writer.visit(result) for result in program.results])


@dataclass
class _Writer:
    """Expressions to linear combinations; equal things are written once. Does not leave `tape`."""

    known: dict[Expr, Linear] = field(default_factory=dict)
    constants: list[Node] = field(default_factory=lambda: [("number", 0.0), ("number", 1.0), ("number", -1.0)])
    cores: list[Node] = field(default_factory=list)

    # What is constant in time.
    def constant(self, *node: Any) -> int:
        return _placed(self.constants, node)

    def _number(self, place: int) -> float | None:
        kind, *rest = self.constants[place]
        return rest[0] if kind == "number" else None

    def _plus(self, a: int, b: int) -> int:
        if _ZERO in (a, b):
            return b if a == _ZERO else a
        x, y = self._number(a), self._number(b)
        if x is not None and y is not None:
            return self.constant("number", x + y)
        return self.constant("add", *sorted((a, b)))

    def _times(self, a: int, b: int) -> int:
        if _ZERO in (a, b):
            return _ZERO
        if _ONE in (a, b):
            return b if a == _ONE else a
        x, y = self._number(a), self._number(b)
        if x is not None and y is not None:
            return self.constant("number", x * y)
        return self.constant("multiply", *sorted((a, b)))

    def _inverse(self, a: int) -> int:
        return _ONE if a == _ONE else self.constant("divide", _ONE, a)

    # Linear combinations.
    def core(self, *node: Any) -> Linear:
        return (_ZERO, ((_placed(self.cores, node), _ONE),))

    def _sum(self, a: Linear, b: Linear) -> Linear:
        terms = dict(a[1])
        for core, coefficient in b[1]:
            terms[core] = self._plus(terms[core], coefficient) if core in terms else coefficient
        return (self._plus(a[0], b[0]), tuple(sorted(pair for pair in terms.items() if pair[1] != _ZERO)))

    def _scaled(self, a: Linear, factor: int) -> Linear:
        if factor == _ZERO:
            return (_ZERO, ())
        terms = tuple((core, self._times(coefficient, factor)) for core, coefficient in a[1])
        return (self._times(a[0], factor), terms)

    def _single(self, a: Linear) -> tuple[int, int]:
        """The moving part as one core and its coefficient; several cores become a core of their own."""
        if len(a[1]) == 1:
            return a[1][0]
        return _placed(self.cores, ("sum", (_ZERO, a[1]))), _ONE

    def _product(self, a: Linear, b: Linear) -> Linear:
        if not a[1] or not b[1]:
            return self._scaled(a, b[0]) if not b[1] else self._scaled(b, a[0])
        (left, by), (right, times) = self._single(a), self._single(b)
        meeting = self._scaled(self.core("product", *sorted((left, right))), self._times(by, times))
        rest = self._sum(self._scaled((_ZERO, a[1]), b[0]), self._scaled(b, a[0]))
        return self._sum(meeting, rest)

    def _quotient(self, a: Linear, b: Linear) -> Linear:
        if not b[1]:
            return self._scaled(a, self._inverse(b[0]))
        below = self._of_one_quotient(a, b)
        if below is not None:
            # (α q + β) / (γ q + δ) with q = n / d is (α n + β d) / (γ n + δ d).
            n, d = below
            coefficient = a[1][0][1] if a[1] else _ZERO
            above = self._sum(self._scaled(n, coefficient), self._scaled(d, a[0]))
            return self._quotient(above, self._sum(self._scaled(n, b[1][0][1]), self._scaled(d, b[0])))
        if not a[1]:
            return self._scaled(self.core("quotient", (_ONE, ()), b), a[0])
        if len(a[1]) == 1 and a[0] == _ZERO:
            core, coefficient = a[1][0]
            return self._scaled(self.core("quotient", (_ZERO, ((core, _ONE),)), b), coefficient)
        return self.core("quotient", a, b)

    def _of_one_quotient(self, a: Linear, b: Linear) -> tuple[Linear, Linear] | None:
        """Numerator and denominator of the only core of b, where it is a quotient and a has no other."""
        node = self.cores[b[1][0][0]]
        is_one = len(b[1]) == 1 and node[0] == "quotient" and {core for core, _ in a[1]} <= {b[1][0][0]}
        return (node[1], node[2]) if is_one else None

    # Expressions.
    def visit(self, expression: Expr) -> Linear:
        if expression not in self.known:
            self.known[expression] = self._new(expression)
        return self.known[expression]

    def _new(self, expression: Expr) -> Linear:
        if expression.is_Number or expression.is_NumberSymbol:
            return (self.constant("number", float(expression)), ())
        if expression.is_Add:
            total: Linear = (_ZERO, ())
            for term in expression.as_ordered_terms():
                total = self._sum(total, self.visit(term))
            return total
        if expression.is_Mul or expression.is_Pow:
            return self._factors(expression)
        known = plain(expression)
        if known is not None:
            return self.visit(known)
        if isinstance(expression, (*CONDITIONS, choose)):
            return self._switch(expression)
        name = _SMOOTH.get(type(expression))
        if name is None:
            raise _not_smooth(expression)
        return self._function(name, self.visit(expression.args[0]))

    def _switch(self, expression: Expr) -> Linear:
        """A condition, or a choice by one, that does not change within a step: those that do end it."""
        operands = [self.visit(argument) for argument in expression.args]
        deciding = operands[:1] if isinstance(expression, choose) else operands
        if any(terms for _, terms in deciding):
            raise _not_smooth(expression)
        places = [place for place, _ in operands]
        if isinstance(expression, choose):
            if operands[1][1] or operands[2][1]:
                return self.core("choose", *operands)
            return (self.constant("choose", *places), ())
        if isinstance(expression, (above, at_least, same)):
            return (self.constant(type(expression).__name__, *places), ())
        opposites = isinstance(expression, either)
        total = _ONE
        for place in places:
            total = self._times(total, self._opposite(place) if opposites else place)
        return (self._opposite(total) if opposites or isinstance(expression, no) else total, ())

    def _opposite(self, place: int) -> int:
        return self._plus(_ONE, self._times(_MINUS_ONE, place))

    def _function(self, name: str, inner: Linear) -> Linear:
        return self.core(name, inner) if inner[1] else (self.constant(name, inner[0]), ())

    def _factors(self, expression: Expr) -> Linear:
        above: list[Linear] = []
        below: Linear = (_ONE, ())
        for factor in sympy.Mul.make_args(expression):
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sympy.exp):
                above.append(self._function("exp", self.visit(factor.args[0])))
            elif exponent.is_Integer and abs(int(exponent)) <= _LARGEST_POWER:
                for _ in range(abs(int(exponent))):
                    if exponent > 0:
                        above.append(self.visit(base))
                    else:
                        below = self._product(below, self.visit(base))
            else:
                above.append(self._power(factor, base, exponent))
        for place, factor in enumerate(above):
            # A product with another factor would hide that both are of one quotient.
            if below[1] and factor[1] and self._of_one_quotient(factor, below) is not None:
                above[place], below = self._quotient(factor, below), (_ONE, ())
        total: Linear = (_ONE, ())
        for factor in above:
            total = self._product(total, factor)
        return self._quotient(total, below)

    def _power(self, factor: Expr, base: Expr, exponent: Expr) -> Linear:
        """A power of what is constant within a step, whatever the exponent."""
        inner = self.visit(base)
        if inner[1]:
            raise _not_smooth(factor)
        return self._function("exp", self._product(self.visit(exponent), self._function("log", inner)))

    def finished(self, rates: list[Linear]) -> Tape:
        """What the derivatives depend on, renumbered."""
        self._divide_by_what_inverts(rates)
        cores = self._needed(rates)
        core_order = {place: index for index, place in enumerate(sorted(cores))}
        constants: set[int] = set()
        for linear in (*rates, *(part for place in cores for part in _linears_of(self.cores[place]))):
            constants |= {linear[0], *(coefficient for _, coefficient in linear[1])}
        for place in reversed(range(len(self.constants))):
            if place in constants and self.constants[place][0] not in {"number", "input"}:
                constants |= set(self.constants[place][1:])
        order = {place: index for index, place in enumerate(sorted(constants | {_ZERO, _ONE, _MINUS_ONE}))}

        def moved(linear: Linear) -> Linear:
            terms = tuple((core_order[core], order[coefficient]) for core, coefficient in linear[1])
            return (order[linear[0]], terms)

        def moved_core(node: Node) -> Node:
            if node[0] == "product":
                return (node[0], *(core_order[core] for core in node[1:]))
            return (node[0], *(moved(part) if isinstance(part, tuple) else part for part in node[1:]))

        return Tape(
            constants=tuple(
                node if node[0] in {"number", "input"} else (node[0], *(order[operand] for operand in node[1:]))
                for node in (self.constants[place] for place in order)
            ),
            cores=tuple(moved_core(self.cores[place]) for place in core_order),
            rates=tuple(moved(rate) for rate in rates),
        )

    def _needed(self, rates: list[Linear]) -> set[int]:
        """Cores that the derivatives depend on."""
        cores = {core for rate in rates for core, _ in rate[1]}
        for place in reversed(range(len(self.cores))):
            if place in cores:
                cores |= _cores_of(self.cores[place])
        return cores

    def _divide_by_what_inverts(self, rates: list[Linear]) -> None:
        """Let a·(1/b) be a/b, which costs as much, where nothing but such products needs 1/b."""
        users: dict[int, list[int]] = {place: [] for place in self._needed(rates)}
        for place in users:
            for core in _cores_of(self.cores[place]):
                users[core].append(place)
        in_rates = {core for rate in rates for core, _ in rate[1]}
        for inverse, products in users.items():
            name, *operands = self.cores[inverse]
            if name == "quotient" and operands[0] == (_ONE, ()) and inverse not in in_rates:
                nodes = [self.cores[place] for place in products]
                if all(node[0] == "product" and node[1] != node[2] for node in nodes):
                    for place, (_, *factors) in zip(products, nodes, strict=True):
                        (factor,) = {*factors} - {inverse}
                        self.cores[place] = ("quotient", (_ZERO, ((factor, _ONE),)), operands[1])


def _placed(nodes: list[Node], node: Node) -> int:
    """Place of a node, which is added where it is new."""
    try:
        return nodes.index(node)
    except ValueError:
        nodes.append(node)
        return len(nodes) - 1


def _linears_of(node: Node) -> tuple[Linear, ...]:
    return tuple(part for part in node[1:] if isinstance(part, tuple))


def _cores_of(node: Node) -> set[int]:
    if node[0] == "product":
        return set(node[1:])
    return {core for linear in _linears_of(node) for core, _ in linear[1]}


def _not_smooth(expression: Expr, what: str = "no Taylor series everywhere") -> InputError:
    return InputError(
        f"the model has {what}",
        code="kernel.not-smooth",
        found=str(expression),
        expected="sums, products, quotients, whole powers up to 16, exp, log, sin and cos",
        advice="choose a Runge-Kutta method, such as Dormand-Prince",
    )
