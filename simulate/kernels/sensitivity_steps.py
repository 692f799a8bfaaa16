"""Steps of an explicit method for a system and its derivatives, written as one straight line of vector instructions.

A derivative is linear in itself, with coefficients that the solution's own stages leave behind
(`simulate.kernels.sensitivity_blocks`). So a whole step of it is sums of products, and what one part of the system
asks of another goes one way but within a loop of mutual influence. Part after part takes all stages of the step:
between them its states and rates stay in registers, where stage after stage would write and read all of them each time.
The solution itself takes its stages before, where it has nothing but sums, products and quotients.

A product and a sum are one operation where it says so, and never else: no number depends on what stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from sympy import Expr, Symbol
from sympy.utilities.iterables import strongly_connected_components

from simulate.emitted import Writer, has_feature
from simulate.kernels.hoisting import Assignment, Program
from simulate.kernels.lanewise import write_fence
from simulate.kernels.rows import Rows, width
from simulate.kernels.sensitivity_blocks import Followers
from simulate.solver.layout import COMMAND, DENSE, ERROR, LANES, MOVED, NOW, RATE, START, STATE, STEP, stage
from simulate.solver.tableau import ButcherTableau
from simulate.solver.vectors import function_of
from simulate.symbolic.parts import TIME

_for_range: Any = cgutils.for_range


def writer(given: Followers, tableau: ButcherTableau) -> Writer:
    """What writes a step: STATE and RATE at its end, ERROR of the solution, and on demand the rates of its stages.

    The last stage of the method is the first of the next step.
    """

    def write(_typing: Any, context: Any, builder: Any, data: Any) -> None:
        lanes = width()
        dense = builder.load(builder.gep(data, [ir.Constant(ir.IntType(64), COMMAND + DENSE)]))
        wanted = builder.fcmp_ordered(">", dense, ir.Constant(ir.DoubleType(), 0.0))
        with _for_range(builder, context.get_constant(types.intp, LANES // lanes)) as loop:
            first = builder.mul(loop.index, context.get_constant(types.intp, lanes))
            place = builder.gep(data, [first])
            weights = _Weights(Rows(builder, place, lanes), tableau)
            if given.values is not None:
                _Solution(weights, given).run(given.values, given.shared, wanted)
            for number, (program, symbols) in enumerate(zip(given.directions, given.own[1:], strict=True), start=1):
                step = _Step(weights, given)
                step.run(program, symbols, number * len(symbols) * LANES, wanted)

    return write


class _Weights:
    """Products and sums, and a method's weights times the step; does not leave `writer`."""

    def __init__(self, rows: Rows, tableau: ButcherTableau) -> None:
        self.rows, self.builder, self.tableau = rows, rows.builder, tableau
        self._fuses = has_feature("fma")
        self._made: dict[Any, Any] = {}

    def weight(self, weight: Any) -> Any:
        """The step times a weight."""
        if weight not in self._made:
            self._made[weight] = self.times(self.rows.load(STEP), self.rows.number(float(weight)))
        return self._made[weight]

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def plus_product(self, total: Any, a: Any, b: Any) -> Any:
        if total is None:
            return self.times(a, b)
        if self._fuses:
            return function_of(self.builder, "fma", a, b, total)
        return self.builder.fadd(total, self.times(a, b))


class _Step:
    """One direction's step; does not leave `writer`."""

    def __init__(self, vectors: _Weights, given: Followers) -> None:
        self._vectors, self._given = vectors, given
        self._builder, self._tableau = vectors.builder, vectors.tableau
        self._store, self._number = vectors.rows.store, vectors.rows.number
        self._times, self._plus_product = vectors.times, vectors.plus_product
        self._last = self._tableau.stages - 2
        self._loaded: dict[int, Any] = {}
        self._found: list[dict[Symbol, Any]] = [{} for _ in self._tableau.a[1:]]
        self._rates: dict[Symbol, list[Any]] = {}
        self._starts: dict[Symbol, Any] = {}

    def run(self, program: Program, symbols: Sequence[Symbol], row: int, wanted: Any) -> None:
        """Write the step of states, which lie in the rows from ``row`` on."""
        rates = dict(zip(symbols, program.results, strict=True))
        places = {symbol: row + index * LANES for index, symbol in enumerate(symbols)}
        for part in _parts(program.assignments, rates):
            if all(rates.get(symbol) == 0 for symbol in part):
                for symbol in part:
                    for found in self._found:
                        found[symbol] = self._load(START + places[symbol])
                continue
            temporaries = [(symbol, expression) for symbol, expression in program.assignments if symbol in part]
            states = [symbol for symbol in rates if symbol in part]
            for index in range(self._last + 1):
                self._take(index, states, temporaries, rates, places)
            self._keep({symbol: places[symbol] for symbol in states}, wanted)
            self._forget()

    def _take(
        self,
        index: int,
        states: Iterable[Symbol],
        temporaries: Iterable[Assignment],
        rates: Mapping[Symbol, Expr],
        places: Mapping[Symbol, int],
    ) -> None:
        """One stage after the first."""
        for symbol in states:
            self._found[index][symbol] = self._state(index, symbol, places[symbol])
        for symbol, expression in temporaries:
            self._found[index][symbol] = self._value(index, expression)
        for symbol in states:
            rate = self._value(index, rates[symbol])
            self._rates[symbol].append(rate)
            if index == self._last:
                self._store(STATE + places[symbol], self._found[index][symbol])
                self._store(RATE + places[symbol], rate)

    def _state(self, index: int, symbol: Symbol, place: int) -> Any:
        """Where a state starts, and what the rates found so far add."""
        if not index:
            self._starts[symbol], first = self._begun(place)
            self._rates[symbol] = [first]
        return self._weighted(self._tableau.a[index + 1], self._rates[symbol], self._starts[symbol])

    def _begun(self, place: int) -> tuple[Any, Any]:
        """State and rate at the start of the step, which are those that an accepted step before led to."""
        begun = []
        moved = self._builder.fcmp_ordered(">", self._load(MOVED), self._number(0.0))
        for start, end in ((START + place, STATE + place), (stage(0) + place, RATE + place)):
            begun.append(self._builder.select(moved, self._load(end), self._load(start)))
            self._store(start, begun[-1])
        return begun[0], begun[1]

    def _weighted(self, weights: Sequence[Any], vectors: Sequence[Any], total: Any = None) -> Any:
        for weight, vector in zip(weights, vectors, strict=True):
            if weight:
                total = self._plus_product(total, vector, self._vectors.weight(weight))
        return total

    def _keep(self, places: Mapping[Symbol, int], wanted: Any) -> None:
        """Write the rates of the stages that a value within the step needs, where one is wanted."""
        with self._builder.if_then(wanted, likely=False):
            for symbol, place in places.items():
                for index, rate in enumerate(self._rates[symbol][1:-1], start=1):
                    if self._tableau.b[index]:
                        self._store(stage(index) + place, rate)

    def _forget(self) -> None:
        """Read anew what is read after this: what is kept aside instead would be written first."""
        write_fence(self._builder)
        self._loaded.clear()

    # Expressions.
    def _value(self, index: int, expression: Expr) -> Any:
        if expression.is_Add:
            total = None
            for term in expression.as_ordered_terms():
                total = self._added(index, total, term)
            return total
        if expression.is_Mul:
            coefficient, rest = expression.as_coeff_Mul()
            if coefficient == -1:
                return self._builder.fneg(self._value(index, rest))
            first, *others = self._factors(index, expression)
            for factor in others:
                first = self._times(first, factor)
            return first
        if expression.is_Pow and expression.exp.is_Integer:
            base = product = self._value(index, expression.base)
            for _ in range(abs(int(expression.exp)) - 1):
                product = self._times(product, base)
            return product if expression.exp > 0 else self._builder.fdiv(self._number(1.0), product)
        return self._number(float(expression)) if expression.is_Number else self._symbol(index, expression)

    def _added(self, index: int, total: Any, term: Expr) -> Any:
        """A sum and one more term."""
        if total is None:
            return self._value(index, term)
        if not term.is_Mul:
            return self._builder.fadd(total, self._value(index, term))
        coefficient, rest = term.as_coeff_Mul()
        if coefficient == -1 and not rest.is_Mul:
            return self._builder.fsub(total, self._value(index, rest))
        *factors, last = self._factors(index, rest if coefficient == -1 else term)
        product = factors[0]
        for factor in factors[1:]:
            product = self._times(product, factor)
        return self._plus_product(total, self._builder.fneg(product) if coefficient == -1 else product, last)

    def _factors(self, index: int, product: Expr) -> list[Any]:
        return [self._value(index, factor) for factor in product.as_ordered_factors()]

    def _symbol(self, index: int, symbol: Symbol) -> Any:
        if symbol in self._found[index]:
            return self._found[index][symbol]
        if symbol == TIME:
            return self._plus_product(
                self._load(NOW), self._load(STEP), self._number(float(self._tableau.c[index + 1]))
            )
        if symbol in self._given.slots:
            return self._load(self._slot(index, symbol))
        return self._load(self._given.fixed[symbol])

    def _slot(self, index: int, symbol: Symbol) -> int:
        return self._given.slots[symbol] + index * self._given.stride

    def _load(self, offset: int) -> Any:
        if offset not in self._loaded:
            self._loaded[offset] = self._vectors.rows.load(offset)
        return self._loaded[offset]


class _Solution(_Step):
    """The solution's step, which leaves behind what directions need; does not leave `writer`."""

    def _begun(self, place: int) -> tuple[Any, Any]:
        return self._load(START + place), self._load(stage(0) + place)

    def run(self, program: Program, shared: Sequence[Assignment], wanted: Any) -> None:  # type: ignore[override]
        """Write the step of the first block."""
        symbols = self._given.own[0]
        rates = dict(zip(symbols, program.results, strict=True))
        places = {symbol: index * LANES for index, symbol in enumerate(symbols)}
        for index in range(self._last + 1):
            self._take(index, symbols, program.assignments, rates, places)
            for symbol, expression in shared:
                self._found[index][symbol] = self._value(index, expression)
            for symbol in self._given.slots:
                self._store(self._slot(index, symbol), self._found[index][symbol])
            self._forget()
        for symbol, place in places.items():
            self._store(ERROR + place, self._weighted(self._tableau.b_error, self._rates[symbol]))
        self._keep(places, wanted)

    def _symbol(self, index: int, symbol: Symbol) -> Any:
        if symbol in self._found[index]:
            return self._found[index][symbol]
        if symbol == TIME:
            return super()._symbol(index, symbol)
        return self._load(self._given.fixed[symbol])


def _parts(assignments: Sequence[Assignment], rates: Mapping[Symbol, Expr]) -> list[set[Symbol]]:
    """Symbols that depend on one another, each part after those that it needs."""
    expressions = {**dict(assignments), **rates}
    vertices = list(expressions)
    edges = [
        (symbol, other)
        for symbol, expression in expressions.items()
        for other in vertices
        if other in expression.free_symbols
    ]
    return [set(part) for part in strongly_connected_components((vertices, edges))]
