"""Taylor coefficients of a solution, written straight into vector instructions.

From the coefficients of the states up to order k follow those of every subexpression, and from them the coefficient of
order k + 1 of the states. One pass gives as many orders as wanted, at a cost that grows with their square only where
two series meet.

The recurrences: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), tables 13.1 and 13.2; as an integrator
À. Jorba, M. Zou, Exp. Math. 14 (2005) 99-117.

The code is emitted as LLVM vectors of one element a lane and not as Python source, because some thousand lines of
source would take Numba ten times as long to type as LLVM takes to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numba import types
from numba.core import cgutils
from sympy.utilities.iterables import strongly_connected_components

from simulate.emitted import Writer
from simulate.kernels.lanewise import write_fence
from simulate.kernels.rows import Rows, width
from simulate.kernels.tape import Linear, Tape
from simulate.solver.layout import ABSOLUTE, BEND, LANES, LAST_TERM, NOW, RELATIVE, SHARE, START, TERM_BEFORE, stage
from simulate.solver.vectors import function_of, made_larger, near_inverse_of

_for_range: Any = cgutils.for_range


def writer(program: Tape, order: int) -> Writer:
    """What writes the coefficient of order k of every state to ``stage(k - 1)``."""

    def write(_typing: Any, context: Any, builder: Any, data: Any) -> None:
        lanes = width()
        with _for_range(builder, context.get_constant(types.intp, LANES // lanes)) as loop:
            first = builder.mul(loop.index, context.get_constant(types.intp, lanes))
            _Emission(Rows(builder, builder.gep(data, [first]), lanes), program).run(order)

    return write


_AT_ONCE = 6
"""States of small parts whose series are found together; the time of a step hardly differs from 5 to 8."""
_COMPARISONS = {"above": ">", "at_least": ">=", "same": "=="}

Coefficient = Any
"""An LLVM vector, one element a lane; ``None`` where it is zero for every model."""


class _Stored:
    """Coefficients of a state that are read from where they have been stored; does not leave `writer`."""

    def __init__(self, emission: _Emission, index: int, found: list[Coefficient]) -> None:
        self._emission, self._index, self._found = emission, index, found

    def __getitem__(self, k: int) -> Coefficient:
        return None if self._found[k] is None else self._emission.read(self._index, k)


class _Emission:
    """Vector code for one tape: the coefficients found so far, order by order."""

    def __init__(self, rows: Rows, program: Tape) -> None:
        self._builder, self._program = rows.builder, program
        self._load, self._store, self._number = rows.load, rows.store, rows.number
        self._found: list[Any] = [[] for _ in program.cores]
        self._inner: dict[Linear, list[Coefficient]] = {}
        self._once: dict[int | Linear, Any] = {}
        self._constants: dict[int, Coefficient] = {}

    def run(self, order: int) -> None:
        last = before = None
        for cores, states in _parts(self._program):
            self._forget()
            self._take(order, cores, states)
        # After all series, so that no coefficient has to wait for it in a register.
        self._forget()
        for index in range(len(self._program.rates)):
            scale, allowed = made_larger(self._builder, self._allowed(index, self.read(index, 0)))
            inverse = near_inverse_of(self._builder, allowed)
            last = self._with_square(last, self._times(self.read(index, order), scale), inverse)
            before = self._with_square(before, self._times(self.read(index, order - 1), scale), inverse)
        self._store(LAST_TERM, self._or_zero(last))
        self._store(TERM_BEFORE, self._or_zero(before))

    def _take(self, order: int, cores: list[int], states: list[int]) -> None:
        """All orders of a part, which depends on what is found already and on itself."""
        solution: dict[int, list[Coefficient]] = {index: [self.read(index, 0)] for index in states}
        derivatives: dict[int, list[Coefficient]] = {index: [] for index in solution}
        bend = self._load(BEND)
        for k in range(order):
            for place in cores:
                name, *operands = self._program.cores[place]
                if name != "state":
                    self._found[place].append(_RULES[name](self, k, place, *operands))
                elif operands[0] in solution:
                    self._found[place].append(solution[operands[0]][k])
                else:
                    self._found[place].append(self.read(operands[0], k))
            for index, coefficients in solution.items():
                derivatives[index].append(self._linear(self._program.rates[index], k))
                total = derivatives[index][k]
                if k > 0:
                    total = self._plus(total, self._times(bend, derivatives[index][k - 1]))
                value = self._scaled(total, 1.0 / (k + 1))
                coefficients.append(value)
                self._store(stage(k) + index * LANES, self._number(0.0) if value is None else value)
        for place in cores:
            name, *operands = self._program.cores[place]
            if name == "state":
                self._found[place] = _Stored(self, operands[0], self._found[place])

    def _constant(self, place: int) -> Coefficient:
        """What is constant in time, computed when it is first needed: less has to wait for its turn."""
        if place not in self._constants:
            self._constants[place] = self._new_constant(*self._program.constants[place])
        return self._constants[place]

    def _new_constant(self, name: str, *operands: Any) -> Coefficient:
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

    def _chosen(self, condition: Coefficient, value: Coefficient, otherwise: Coefficient) -> Coefficient:
        holds = self._builder.fcmp_ordered(">", condition, self._number(0.5))
        return self._builder.select(holds, value, otherwise)

    def _linear(self, linear: Linear, k: int) -> Coefficient:
        total = self._constant(linear[0]) if k == 0 else None
        for core, coefficient in linear[1]:
            total = self._multiplied_in(total, coefficient, self._found[core][k])
        return total

    def _multiplied_in(self, total: Coefficient, place: int, value: Coefficient) -> Coefficient:
        """A sum and a value times the constant at a place."""
        if self._program.constants[place] == ("number", 1.0):
            return self._plus(total, value)
        if self._program.constants[place] == ("number", -1.0):
            return self._minus(total, value)
        return self._plus(total, self._times(self._constant(place), value))

    def _series(self, linear: Linear, k: int) -> list[Coefficient]:
        """Coefficients of an operand up to order k, each computed once, however many need it."""
        found = self._inner.setdefault(linear, [])
        if len(found) == k:
            found.append(self._linear(linear, k))
        return found

    def read(self, index: int, k: int) -> Coefficient:
        """A state's coefficient that has been stored."""
        return self._load(stage(k - 1) + index * LANES if k else START + index * LANES)

    def _forget(self) -> None:
        """Read anew what is read after this: what is kept aside instead would be written first."""
        write_fence(self._builder)
        for place, (name, *_) in enumerate(self._program.constants):
            if name == "input":
                self._constants.pop(place, None)

    def _with_square(self, total: Coefficient, value: Coefficient, inverse: Coefficient) -> Coefficient:
        """A sum and the square of a coefficient in units of the tolerance of its state, whose inverse is given."""
        share = self._times(value, inverse)
        return self._plus(total, self._times(share, share))

    def _allowed(self, index: int, state: Coefficient) -> Coefficient:
        """Tolerance of a state, whose absolute part grows where the state is larger than ever before."""
        size, row = self._function("fabs", state), ABSOLUTE + index * LANES
        absolute, share_of_size = self._load(row), self._times(self._load(SHARE), size)
        # Else LLVM writes where it is larger alone, which takes many machines ten times as long.
        write_fence(self._builder)
        larger = self._builder.fcmp_ordered(">", absolute, share_of_size)
        absolute = self._builder.select(larger, absolute, share_of_size)
        self._store(row, absolute)
        return self._plus(absolute, self._times(self._load(RELATIVE), size))

    # Arithmetic on coefficients that may be known to be zero.
    def _plus(self, a: Coefficient, b: Coefficient) -> Coefficient:
        if a is None or b is None:
            return b if a is None else a
        return self._builder.fadd(a, b, flags=("contract",))

    def _minus(self, a: Coefficient, b: Coefficient) -> Coefficient:
        if b is None:
            return a
        if a is None:
            return self._builder.fneg(b)
        return self._builder.fsub(a, b, flags=("contract",))

    def _times(self, a: Coefficient, b: Coefficient) -> Coefficient:
        return None if a is None or b is None else self._builder.fmul(a, b, flags=("contract",))

    def _scaled(self, a: Coefficient, factor: float) -> Coefficient:
        return a if factor == 1.0 else self._times(a, self._number(factor))

    def _function(self, name: str, x: Coefficient) -> Coefficient:
        return function_of(self._builder, name, x)

    def _kept(self, place: int | Linear, make: Callable[[], Coefficient]) -> Coefficient:
        """What a node, or all with an operand, compute once, at order 0."""
        if place not in self._once:
            self._once[place] = make()
        return self._once[place]

    def _inverse(self, linear: Linear, first: Coefficient) -> Coefficient:
        """Inverse of the first coefficient of an operand."""
        return self._kept(linear, lambda: self._builder.fdiv(self._number(1.0), first))

    # One rule for each kind of core: the coefficient of order k. In sums, what was found last comes last.
    def _rule_time(self, k: int, _place: int) -> Coefficient:
        if k == 0:
            return self._load(NOW)
        return self._number(1.0) if k == 1 else (self._scaled(self._load(BEND), 0.5) if k == 2 else None)

    def _rule_sum(self, k: int, _place: int, linear: Linear) -> Coefficient:
        return self._linear(linear, k)

    def _rule_product(self, k: int, _place: int, a: int, b: int) -> Coefficient:
        left, right, total = self._found[a], self._found[b], None
        for j in [*range(1, k), *([0, k] if k else [0])]:
            total = self._plus(total, self._times(left[j], right[k - j]))
        return total

    def _rule_quotient(self, k: int, place: int, a: Linear, b: Linear) -> Coefficient:
        own, above, below = self._found[place], self._series(a, k), self._series(b, k)
        inverse = self._inverse(b, below[0])
        total = None
        for j in [*range(k - 1, 0, -1), *([k] if k else [])]:
            total = self._plus(total, self._times(below[j], own[k - j]))
        return self._times(self._minus(above[k], total), inverse)

    def _rule_exp(self, k: int, place: int, x: Linear) -> Coefficient:
        inner, own = self._series(x, k), self._found[place]
        return self._function("exp", self._or_zero(inner[0])) if k == 0 else self._weighted(inner, own, k)

    def _rule_log(self, k: int, place: int, x: Linear) -> Coefficient:
        inner, own = self._series(x, k), self._found[place]
        if k == 0:
            return self._function("log", self._or_zero(inner[0]))
        inverse = self._inverse(x, inner[0])
        total = inner[k]
        for j in range(1, k):
            total = self._minus(total, self._scaled(self._times(own[j], inner[k - j]), j / k))
        return self._times(total, inverse)

    def _rule_choose(self, k: int, place: int, condition: Linear, a: Linear, b: Linear) -> Coefficient:
        values = [self._series(linear, k)[k] for linear in (a, b)]
        if values[0] is None and values[1] is None:
            return None
        decides = self._kept(place, lambda: self._or_zero(self._linear(condition, 0)))
        return self._chosen(decides, *map(self._or_zero, values))

    def _rule_sin(self, k: int, place: int, x: Linear) -> Coefficient:
        return self._circular(k, place, x)[0]

    def _rule_cos(self, k: int, place: int, x: Linear) -> Coefficient:
        return self._circular(k, place, x)[1]

    def _circular(self, k: int, place: int, x: Linear) -> tuple[Coefficient, Coefficient]:
        """Sine and cosine need each other."""
        inner = self._series(x, k)
        sines, cosines = self._kept(place, lambda: ([], []))
        if k == 0:
            sines.append(self._function("sin", self._or_zero(inner[0])))
            cosines.append(self._function("cos", self._or_zero(inner[0])))
        else:
            sine, cosine = self._weighted(inner, cosines, k), self._weighted(inner, sines, k)
            sines.append(sine)
            cosines.append(self._scaled(cosine, -1.0))
        return sines[k], cosines[k]

    def _weighted(self, inner: list[Coefficient], outer: list[Coefficient], k: int) -> Coefficient:
        """Σ j/k · inner[j] · outer[k − j] for j from 1 to k."""
        total = None
        for j in range(k, 0, -1):
            total = self._plus(total, self._scaled(self._times(inner[j], outer[k - j]), j / k))
        return total

    def _or_zero(self, value: Coefficient) -> Coefficient:
        return self._number(0.0) if value is None else value


_RULES: Mapping[str, Callable[..., Coefficient]] = {
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
    merged: list[list[tuple[str, int]]] = []
    room = 0
    for part in strongly_connected_components(([*cores.values(), *states.values()], edges)):
        size = sum(kind == "state" for kind, _ in part)
        if not merged or size > room:
            merged.append([])
            room = _AT_ONCE
        merged[-1] += part
        room -= size
    return [
        (
            sorted(place for kind, place in part if kind == "core"),
            sorted(index for kind, index in part if kind == "state"),
        )
        for part in merged
    ]
