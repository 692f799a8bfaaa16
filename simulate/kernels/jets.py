"""Derivatives of a solution in time, written straight into vector instructions.

From the derivatives of the states up to order k follow those of every subexpression, and from them the derivative of
order k + 1 of the states. One pass gives as many orders as wanted, at a cost that grows with their square only where
two series meet: in products and quotients by the rule of Leibniz, whose binomial coefficients two terms share, and in
functions by the rules of Taylor coefficients, which are derivatives over factorials. All that is linear is a product
less for each state and order with derivatives.

A processor finds many numbers at once, but each only after those that it needs, and through a quotient that feeds back
these are a long row. So sums begin with what is found first, and what can be done before the last term is known is.

The recurrences: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), tables 13.1 and 13.2; as an integrator
À. Jorba, M. Zou, Exp. Math. 14 (2005) 99-117.

The code is emitted as LLVM vectors of one element a lane and not as Python source, because some thousand lines of
source would take Numba ten times as long to type as LLVM takes to compile.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from numba import types
from numba.core import cgutils

from simulate.emitting import Writer
from simulate.kernels.rows import Rows, width, write_fence
from simulate.kernels.tape import Linear, Tape
from simulate.solver.layout import ABSOLUTE, BEND, LANES, LAST_TERM, NOW, RELATIVE, SHARE, START, TERM_BEFORE, stage
from simulate.solver.vector_code import function_of, near_inverse_of

_for_range: Any = cgutils.for_range


def writer(program: Tape, order: int) -> Writer:
    """What writes the derivative of order k of every state to ``stage(k - 1)``."""

    def write(_typing: Any, context: Any, builder: Any, data: Any) -> None:
        lanes = width()
        with _for_range(builder, context.get_constant(types.intp, LANES // lanes)) as loop:
            first = builder.mul(loop.index, context.get_constant(types.intp, lanes))
            _Emission(Rows(builder, builder.gep(data, [first]), lanes), program).run(order)

    return write


_AT_ONCE, _ALONE = 6, 3
"""States of small parts whose series are found together: the time of series hardly differs from 4 to 8; and of the last
part, which with fewer is found with the one before."""
_LARGER, _MOST_ALLOWED = 2.0**60, 2.0**960
"""What tolerances are made larger by, and the largest; where one is larger steps are shorter than they need be."""
_COMPARISONS = {"above": ">", "at_least": ">=", "same": "=="}

Value = Any
"""A derivative, Taylor coefficient or constant: an LLVM vector, one element a lane; ``None`` where it is zero."""


class _Stored:
    """Derivatives of a state that are read from where they have been stored; does not leave `writer`."""

    def __init__(self, emission: _Emission, index: int, found: list[Value]) -> None:
        self._emission, self._index, self._found = emission, index, found

    def __getitem__(self, k: int) -> Value:
        return None if self._found[k] is None else self._emission.read(self._index, k)


class _Emission:
    """Vector code for one tape: the derivatives found so far, order by order."""

    def __init__(self, rows: Rows, program: Tape) -> None:
        self._builder, self._program = rows.builder, program
        self._load, self._store, self._number = rows.load, rows.store, rows.number
        self._found: list[Any] = [[] for _ in program.cores]
        self._inner: dict[Linear, list[Value]] = {}
        self._coefficients: dict[int | Linear, list[Value]] = {}
        self._bends: list[Value] = []
        self._once: dict[object, Any] = {}
        self._constants: dict[int, Value] = {}
        self._waits: dict[int, int] = {}
        self._quotients = Counter(node[2] for node in program.cores if node[0] == "quotient")

    def run(self, order: int) -> None:
        last = before = None
        bend = self._load(BEND)
        self._bends = [self._scaled(bend, float(k)) for k in range(order)]
        for cores, states in _parts(self._program):
            self._forget()
            self._take(order, cores, states)
        # After all series, so that no derivative has to wait for it in a register.
        self._forget()
        for index in range(len(self._program.rates)):
            inverse = near_inverse_of(self._builder, self._larger(self._allowed(index, self.read(index, 0))))
            last = self._with_square(last, self.read(index, order), inverse)
            before = self._with_square(before, self.read(index, order - 1), inverse)
        self._store(LAST_TERM, self._or_zero(self._scaled(last, (_LARGER / math.factorial(order)) ** 2)))
        self._store(TERM_BEFORE, self._or_zero(self._scaled(before, (_LARGER / math.factorial(order - 1)) ** 2)))

    def _take(self, order: int, cores: list[int], states: list[int]) -> None:
        """All orders of a part, which depends on what is found already and on itself."""
        solution: dict[int, list[Value]] = {index: [self.read(index, 0)] for index in states}
        rates: dict[int, list[Value]] = {index: [] for index in solution}
        for k in range(order):
            for place in cores:
                name, *operands = self._program.cores[place]
                if name != "state":
                    self._found[place].append(_RULES[name](self, k, place, *operands))
                elif operands[0] in solution:
                    self._found[place].append(solution[operands[0]][k])
                else:
                    self._found[place].append(self.read(operands[0], k))
            for index, found in solution.items():
                rates[index].append(self._linear(self._program.rates[index], k))
                value = rates[index][k]
                if k > 0:
                    value = self._plus(value, self._times(self._bends[k], rates[index][k - 1]))
                found.append(value)
                self._store(stage(k) + index * LANES, self._or_zero(value))
        for place in cores:
            name, *operands = self._program.cores[place]
            if name == "state":
                self._found[place] = _Stored(self, operands[0], self._found[place])

    def _constant(self, place: int) -> Value:
        """What is constant in time, computed when it is first needed: less has to wait for its turn."""
        if place not in self._constants:
            self._constants[place] = self._new_constant(*self._program.constants[place])
        return self._constants[place]

    def _new_constant(self, name: str, *operands: Any) -> Value:
        if name == "number":
            return None if operands[0] == 0.0 else self._number(operands[0])
        if name == "input":
            return self._load(operands[0])
        values = [self._constant(operand) for operand in operands]
        if name == "add":
            return self._plus(*values)
        if name == "multiply":
            return self._times(*values)
        if name == "divide":
            return self._builder.fdiv(*(self._number(0.0) if value is None else value for value in values))
        values = [self._or_zero(value) for value in values]
        if name == "choose":
            return self._chosen(*values)
        if name in _COMPARISONS:
            holds = self._builder.fcmp_ordered(_COMPARISONS[name], *values)
            return self._builder.select(holds, self._number(1.0), self._number(0.0))
        return self._function(name, values[0])

    def _chosen(self, condition: Value, value: Value, otherwise: Value) -> Value:
        holds = self._builder.fcmp_ordered(">", condition, self._number(0.5))
        return self._builder.select(holds, value, otherwise)

    def _linear(self, linear: Linear, k: int) -> Value:
        total = self._constant(linear[0]) if k == 0 else None
        terms = [(coefficient, self._found[core][k]) for core, coefficient in linear[1]]
        for coefficient, value in sorted(terms, key=lambda term: self._wait(term[1])):
            total = self._multiplied_in(total, coefficient, value)
        return total

    def _multiplied_in(self, total: Value, place: int, value: Value) -> Value:
        """A sum and a value times the constant at a place."""
        if self._program.constants[place] == ("number", 1.0):
            return self._plus(total, value)
        if self._program.constants[place] == ("number", -1.0):
            return self._minus(total, value)
        return self._plus(total, self._times(self._constant(place), value))

    def _series(self, linear: Linear, k: int) -> list[Value]:
        """Derivatives of an operand up to order k, each computed once, however many need it."""
        found = self._inner.setdefault(linear, [])
        if len(found) == k:
            found.append(self._linear(linear, k))
        return found

    def _of(self, what: int | Linear, derivatives: Any, k: int) -> list[Value]:
        """Taylor coefficients of a core or an operand up to order k: derivatives over factorials."""
        found = self._coefficients.setdefault(what, [])
        while len(found) <= k:
            found.append(self._scaled(derivatives[len(found)], 1.0 / math.factorial(len(found))))
        return found

    def _over_factorials(self, derivatives: list[Value]) -> list[Value]:
        return [self._scaled(value, 1.0 / math.factorial(j)) for j, value in enumerate(derivatives)]

    def _convolved(self, left: list[Value], right: list[Value], k: int) -> Value:
        """Σ (k over j) · left[j] · right[k − j] for j from 1 to k − 1; the two of one number are added first."""
        parts: list[tuple[Value, float]] = []
        for j in range(1, k // 2 + 1):
            pairs = [(left[i], right[k - i]) for i in dict.fromkeys((j, k - j))]
            parts.append((self._sum_of(*pairs), float(math.comb(k, j))))
        return self._sum_of(*((part, self._number(number)) for part, number in parts))

    def _sum_of(self, *pairs: tuple[Value, Value], total: Value = None) -> Value:
        """A sum and products, of which that is added last whose factors are found last."""
        for a, b in sorted(pairs, key=lambda pair: max(map(self._wait, pair))):
            total = self._plus(total, self._times(a, b))
        return total

    def read(self, index: int, k: int) -> Value:
        """A state's derivative that has been stored."""
        return self._load(stage(k - 1) + index * LANES if k else START + index * LANES)

    def _forget(self) -> None:
        """Read anew what is read after this: what is kept aside instead would be written first."""
        write_fence(self._builder)
        for place, (name, *_) in enumerate(self._program.constants):
            if name == "input":
                self._constants.pop(place, None)

    def _with_square(self, total: Value, value: Value, inverse: Value) -> Value:
        """A sum and the square of a derivative in units of the tolerance of its state, whose inverse is given."""
        share = self._times(value, inverse)
        return self._plus(total, self._times(share, share))

    def _allowed(self, index: int, state: Value) -> Value:
        """Tolerance of a state, whose absolute part grows where the state is larger than ever before."""
        size, row = self._function("fabs", state), ABSOLUTE + index * LANES
        absolute, share_of_size = self._load(row), self._times(self._load(SHARE), size)
        # Else LLVM writes where it is larger alone, which takes many machines ten times as long.
        write_fence(self._builder)
        larger = self._builder.fcmp_ordered(">", absolute, share_of_size)
        absolute = self._builder.select(larger, absolute, share_of_size)
        self._store(row, absolute)
        return self._plus(absolute, self._times(self._load(RELATIVE), size))

    def _larger(self, allowed: Value) -> Value:
        """A tolerance times a power of two, so that the least of all has an inverse."""
        most = self._number(_MOST_ALLOWED)
        smaller = self._builder.fcmp_ordered("<", allowed, most)
        return self._scaled(self._builder.select(smaller, allowed, most), _LARGER)

    # Arithmetic on values that may be known to be zero.
    def _plus(self, a: Value, b: Value) -> Value:
        if a is None or b is None:
            return b if a is None else a
        return self._after(self._builder.fadd(a, b, flags=("contract",)), a, b)

    def _minus(self, a: Value, b: Value) -> Value:
        if b is None:
            return a
        if a is None:
            return self._builder.fneg(b)
        return self._after(self._builder.fsub(a, b, flags=("contract",)), a, b)

    def _times(self, a: Value, b: Value) -> Value:
        if a is None or b is None:
            return None
        return self._after(self._builder.fmul(a, b, flags=("contract",)), a, b)

    def _after(self, result: Value, *operands: Value) -> Value:
        """The result of an operation, of which is noted after how many others it is found."""
        self._waits[id(result)] = 1 + max(map(self._wait, operands))
        return result

    def _wait(self, value: Value) -> int:
        """How many operations have to follow one another before a value is found."""
        return self._waits.get(id(value), 0)

    def _scaled(self, a: Value, factor: float) -> Value:
        return a if factor == 1.0 else self._times(a, self._number(factor))

    def _function(self, name: str, x: Value) -> Value:
        return function_of(self._builder, name, x)

    def _kept(self, what: object, make: Callable[[], Value]) -> Value:
        """What a node, or all with an operand, compute once, at order 0."""
        if what not in self._once:
            self._once[what] = make()
        return self._once[what]

    def _inverse(self, linear: Linear, first: Value) -> Value:
        """Inverse of the value of an operand."""
        return self._kept(linear, lambda: self._builder.fdiv(self._number(1.0), first))

    # One rule for each kind of core: the derivative of order k.
    def _rule_time(self, k: int, _place: int) -> Value:
        if k == 0:
            return self._load(NOW)
        return self._number(1.0) if k == 1 else (self._load(BEND) if k == 2 else None)

    def _rule_sum(self, k: int, _place: int, linear: Linear) -> Value:
        return self._linear(linear, k)

    def _rule_product(self, k: int, _place: int, a: int, b: int) -> Value:
        left, right = self._found[a], self._found[b]
        if k == 0:
            return self._times(left[0], right[0])
        return self._sum_of((left[0], right[k]), (right[0], left[k]), total=self._convolved(left, right, k))

    def _rule_quotient(self, k: int, place: int, a: Linear, b: Linear) -> Value:
        own, above, below = self._found[place], self._series(a, k), self._series(b, k)
        inverse = self._inverse(b, below[0])
        if k == 0:
            return self._times(above[0], inverse)
        # Each term is divided by itself: what is found last has the least to wait for.
        share = self._kept(place, lambda: self._minus(None, self._times(own[0], inverse)))
        opposite = self._kept((b, "opposite"), lambda: self._minus(None, inverse))
        if self._quotients[b] > 1:
            rest = [(self._share(b, self._times(opposite, below[j]), j, k), own[k - j]) for j in range(1, k)]
        else:
            rest = [(self._convolved(below, own, k), opposite)]
        return self._sum_of(*rest, (above[k], inverse), (below[k], share))

    def _share(self, linear: Linear, part: Value, j: int, k: int) -> Value:
        """(k over j) times a part of a denominator, which all quotients that have it multiply by."""
        return self._kept((linear, j, k), lambda: self._scaled(part, float(math.comb(k, j))))

    def _rule_exp(self, k: int, place: int, x: Linear) -> Value:
        inner, own = self._series(x, k), self._found[place]
        if k == 0:
            return self._function("exp", self._or_zero(inner[0]))
        return self._weighted(self._of(x, inner, k), self._of(place, own, k - 1), k)

    def _rule_log(self, k: int, place: int, x: Linear) -> Value:
        inner, own = self._series(x, k), self._found[place]
        if k == 0:
            return self._function("log", self._or_zero(inner[0]))
        inverse = self._inverse(x, inner[0])
        total = inner[k]
        if k > 1:
            below, outer = self._of(x, inner, k - 1), self._of(place, own, k - 1)
            for j in range(1, k):
                part = self._times(outer[j], below[k - j])
                total = self._minus(total, self._scaled(part, float(j * math.factorial(k - 1))))
        return self._times(total, inverse)

    def _rule_choose(self, k: int, place: int, condition: Linear, a: Linear, b: Linear) -> Value:
        values = [self._series(linear, k)[k] for linear in (a, b)]
        if values[0] is None and values[1] is None:
            return None
        decides = self._kept(place, lambda: self._or_zero(self._linear(condition, 0)))
        return self._chosen(decides, *map(self._or_zero, values))

    def _rule_sin(self, k: int, place: int, x: Linear) -> Value:
        return self._circular(k, place, x)[0]

    def _rule_cos(self, k: int, place: int, x: Linear) -> Value:
        return self._circular(k, place, x)[1]

    def _circular(self, k: int, place: int, x: Linear) -> tuple[Value, Value]:
        """Sine and cosine need each other."""
        inner = self._series(x, k)
        sines, cosines = self._kept(place, lambda: ([], []))
        if k == 0:
            sines.append(self._function("sin", self._or_zero(inner[0])))
            cosines.append(self._function("cos", self._or_zero(inner[0])))
        else:
            argument = self._of(x, inner, k)
            sine = self._weighted(argument, self._over_factorials(cosines), k)
            cosine = self._weighted(argument, self._over_factorials(sines), k)
            sines.append(sine)
            cosines.append(self._scaled(cosine, -1.0))
        return sines[k], cosines[k]

    def _weighted(self, inner: list[Value], outer: list[Value], k: int) -> Value:
        """Σ j/k · inner[j] · outer[k − j] for j from 1 to k, as a derivative."""
        total = None
        for j in range(k, 0, -1):
            part = self._times(inner[j], outer[k - j])
            total = self._plus(total, self._scaled(part, float(j * math.factorial(k - 1))))
        return total

    def _or_zero(self, value: Value) -> Value:
        return self._number(0.0) if value is None else value


_RULES: Mapping[str, Callable[..., Value]] = {
    name.removeprefix("_rule_"): rule for name, rule in vars(_Emission).items() if name.startswith("_rule_")
}


def _parts(program: Tape) -> list[tuple[list[int], list[int]]]:
    """Cores, and states whose derivatives depend on them and on each other, each part after those that it needs.

    Within a part everything is needed at each order. The series of one part after the other take fewer registers than
    one order of all series after the other; some small parts are taken at once, so that one does not wait for itself.
    """
    cores = {place: ("core", place) for place in range(len(program.cores))}
    states = {index: ("state", index) for index in range(len(program.rates))}
    edges = [(states[index], cores[core]) for index, rate in enumerate(program.rates) for core, _ in rate[1]]
    for place, (name, *operands) in enumerate(program.cores):
        if name == "state":
            edges.append((cores[place], states[operands[0]]))
        elif name == "product":
            edges += [(cores[place], cores[core]) for core in operands]
        else:
            edges += [(cores[place], cores[core]) for linear in operands for core, _ in linear[1]]
    from sympy.utilities.iterables import strongly_connected_components

    merged: list[list[tuple[str, int]]] = []
    room = 0
    for part in strongly_connected_components(([*cores.values(), *states.values()], edges)):
        size = sum(kind == "state" for kind, _ in part)
        if not merged or size > room:
            merged.append([])
            room = _AT_ONCE
        merged[-1] += part
        room -= size
    if len(merged) > 1 and sum(kind == "state" for kind, _ in merged[-1]) < _ALONE:
        merged[-2:] = [merged[-2] + merged[-1]]
    return [
        (
            sorted(place for kind, place in part if kind == "core"),
            sorted(index for kind, index in part if kind == "state"),
        )
        for part in merged
    ]
