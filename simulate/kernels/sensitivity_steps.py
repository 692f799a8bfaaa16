"""Steps of an explicit method for a system and its derivatives, written as one straight line of vector instructions.

A derivative is linear in itself, with coefficients that the solution's own stages leave behind
(`simulate.kernels.sensitivity_blocks`). So a whole step of it is sums of products, and what one part of the system
asks of another goes one way but within a loop of mutual influence. Part after part takes all stages of the step:
between them its states and rates stay in registers, where stage after stage would write and read all of them each time.
The solution itself takes its stages before, where it has nothing but sums, products and quotients.

A product and a sum are one operation where it says so, and never else: no number depends on what stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from simulate.emitting import Writer
from simulate.kernels.form import Body, Place
from simulate.kernels.rows import Rows, values_of, width, write_fence
from simulate.kernels.sensitivity_blocks import Followers, StepPart, rate_of
from simulate.solver.layout import COMMAND, DENSE, ERROR, LANES, MOVED, NOW, RATE, START, STATE, STEP, stage
from simulate.solver.tableau import ButcherTableau
from simulate.symbolic.symbols import TIME

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
            rows = Rows(builder, builder.gep(data, [first]), lanes)
            weights: dict[Any, Any] = {}
            if given.solution is not None:
                _Step(rows, given, tableau, weights, wanted).solve(given.solution)
            for parts in given.directions:
                _Step(rows, given, tableau, weights, wanted).follow(parts)

    return write


class _Step:
    """The step of the solution or of one direction; does not leave `writer`."""

    def __init__(
        self, rows: Rows, given: Followers, tableau: ButcherTableau, weights: dict[Any, Any], wanted: Any
    ) -> None:
        self._rows, self._given, self._tableau, self._weights = rows, given, tableau, weights
        self._builder, self._store, self._wanted = rows.builder, rows.store, wanted
        self._last = tableau.stages - 2
        self._loaded: dict[int, Any] = {}
        self._found: list[dict[Place, Any]] = [{} for _ in tableau.a[1:]]
        self._rates: dict[str, list[Any]] = {}
        self._starts: dict[str, Any] = {}

    def follow(self, parts: Sequence[StepPart]) -> None:
        """Write the step of a direction."""
        for part in parts:
            if part.moves or not part.states:
                for index in range(self._last + 1):
                    self._take(index, part)
                self._keep(part)
                self._forget()
            else:
                for state in part.states:
                    for found in self._found:
                        found[state] = self._load(START + self._given.rows[state])

    def solve(self, part: StepPart) -> None:
        """Write the step of the solution, which leaves behind what directions need."""
        for state in part.states:
            row = self._given.rows[state]
            self._starts[state], self._rates[state] = self._load(START + row), [self._load(stage(0) + row)]
        for index, found in enumerate(self._found):
            self._take(index, part)
            self._compute(index, self._given.shared)
            for name, offset in self._given.slots.items():
                self._store(offset + index * self._given.stride, found[name])
            self._forget()
        for state in part.states:
            error = self._weighted(self._tableau.b_error, self._rates[state])
            self._store(ERROR + self._given.rows[state], error)
        self._keep(part)

    def _take(self, index: int, part: StepPart) -> None:
        """One stage after the first."""
        found, rows = self._found[index], self._given.rows
        for state in part.states:
            if state not in self._starts:
                self._begin(state)
            found[state] = self._weighted(self._tableau.a[index + 1], self._rates[state], self._starts[state])
        self._compute(index, part.body)
        for state in part.states:
            self._rates[state].append(found[rate_of(state)])
            if index == self._last:
                self._store(STATE + rows[state], found[state])
                self._store(RATE + rows[state], found[rate_of(state)])

    def _compute(self, index: int, body: Body) -> None:
        values = values_of(body, self._rows, lambda name: self._named(index, name), _none, flags=())
        self._found[index].update((name, values[value]) for name, value in body.writes)

    def _begin(self, state: str) -> None:
        """State and rate at the start of the step, which are those that an accepted step before led to."""
        place = self._given.rows[state]
        begun = []
        moved = self._builder.fcmp_ordered(">", self._load(MOVED), self._rows.number(0.0))
        for start, end in ((START + place, STATE + place), (stage(0) + place, RATE + place)):
            begun.append(self._builder.select(moved, self._load(end), self._load(start)))
            self._store(start, begun[-1])
        self._starts[state], self._rates[state] = begun[0], begun[1:]

    def _weighted(self, weights: Sequence[Any], vectors: Sequence[Any], total: Any = None) -> Any:
        for weight, vector in zip(weights, vectors, strict=True):
            if weight:
                by = self._weight(weight)
                total = self._builder.fmul(vector, by) if total is None else self._rows.product_added(total, vector, by)
        return total

    def _weight(self, weight: Any) -> Any:
        """The step times a weight."""
        if weight not in self._weights:
            number = self._rows.number(float(weight))
            self._weights[weight] = self._builder.fmul(self._rows.load(STEP), number)
        return self._weights[weight]

    def _keep(self, part: StepPart) -> None:
        """Write the rates of the stages that a value within the step needs, where one is wanted."""
        with self._builder.if_then(self._wanted, likely=False):
            for state in part.states:
                for index, rate in enumerate(self._rates[state][1:-1], start=1):
                    if self._tableau.b[index]:
                        self._store(stage(index) + self._given.rows[state], rate)

    def _forget(self) -> None:
        """Read anew what is read after this: what is kept aside instead would be written first."""
        write_fence(self._builder)
        self._loaded.clear()

    def _named(self, index: int, name: Place) -> Any:
        """What is known by a name in a stage."""
        assert isinstance(name, str)
        if name in self._found[index]:
            return self._found[index][name]
        if name == TIME.name:
            share = self._rows.number(float(self._tableau.c[index + 1]))
            return self._rows.product_added(self._load(NOW), self._load(STEP), share)
        if name in self._given.slots:
            return self._load(self._given.slots[name] + index * self._given.stride)
        return self._load(self._given.fixed[name])

    def _load(self, offset: int) -> Any:
        if offset not in self._loaded:
            self._loaded[offset] = self._rows.load(offset)
        return self._loaded[offset]


def _none(name: str, _: list[Any]) -> Any:
    raise AssertionError(name)
