"""Taylor coefficients of a solution, written straight into vector instructions.

A right-hand side made of sums, products, quotients and a few smooth functions passes power series on: from the
coefficients of the states up to order k follow those of every subexpression, and from them the coefficient of order
k + 1 of the states. One pass gives as many orders as wanted at a cost that grows with their square only where two
series meet; linear terms cost one multiplication an order.

The recurrences: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 13.1 and 13.2; as an integrator
À. Jorba, M. Zou, Exp. Math. 14 (2005) 99-117.

The code is emitted as LLVM vectors of one element per lane and not as Python source, because some thousand lines of
source would take Numba ten times as long to type as LLVM takes to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.kernels.hoisting import Program
from simulate.solver.layout import ABSOLUTE, LANES, LAST_TERM, NOW, RELATIVE, START, TERM_BEFORE, stage
from simulate.solver.vectors import function_of, near_inverse_of
from simulate.symbolic.parts import TIME

Node = tuple[Any, ...]
"""An operation and its operands: places of earlier nodes, or a number, an offset or a state's index."""

_SMOOTH: Mapping[type, str] = {sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos"}
_LARGEST_POWER = 16


@dataclass(frozen=True, slots=True)
class Tape:
    """A right-hand side as a list of operations; ``results`` are the places of the derivatives."""

    nodes: tuple[Node, ...]
    results: tuple[int, ...]


def tape(program: Program, states: Sequence[Symbol], offsets: Mapping[Symbol, int]) -> Tape:
    """Tape of a right-hand side.

    Parameters
    ----------
    program
        The right-hand side in terms of time, states and what lies at ``offsets``.
    states
        Symbols of the states, in order.
    offsets
        Places in the workspace of everything else that is read.

    Raises
    ------
    InputError
        When a function has no derivatives of every order everywhere, such as the absolute value or a root.
    """
    writer = _Writer()
    for index, state in enumerate(states):
        writer.known[state] = writer.add("state", index)
    writer.known[TIME] = writer.add("time")
    writer.known |= {symbol: writer.add("input", offset) for symbol, offset in offsets.items() if symbol != TIME}
    for symbol, expression in program.assignments:
        writer.known[symbol] = writer.visit(expression)
    results = [writer.visit(result) for result in program.results]
    return writer.needed(results)


@dataclass
class _Writer:
    """Expressions to nodes, equal ones once; does not leave `tape`."""

    known: dict[Expr, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    _places: dict[Node, int] = field(default_factory=dict)

    def add(self, *node: Any) -> int:
        if node not in self._places:
            self._places[node] = len(self.nodes)
            self.nodes.append(node)
        return self._places[node]

    def visit(self, expression: Expr) -> int:
        if expression not in self.known:
            self.known[expression] = self._new(expression)
        return self.known[expression]

    def _new(self, expression: Expr) -> int:
        if expression.is_Number or expression.is_NumberSymbol:
            return self.add("number", float(expression))
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul or expression.is_Pow:
            return self._product(expression)
        name = _SMOOTH.get(type(expression))
        if name is None:
            raise _not_smooth(expression)
        return self.add(name, self.visit(expression.args[0]))

    def _sum(self, expression: Expr) -> int:
        plus = [term for term in expression.as_ordered_terms() if not term.as_coeff_Mul()[0].is_negative]
        minus = [term for term in expression.as_ordered_terms() if term.as_coeff_Mul()[0].is_negative]
        place = self.visit(plus[0]) if plus else self.add("number", 0.0)
        for term in plus[1:]:
            place = self.add("add", place, self.visit(term))
        for term in minus:
            place = self.add("subtract", place, self.visit(-term))
        return place

    def _product(self, expression: Expr) -> int:
        above, below = [], []
        for factor in sympy.Mul.make_args(expression):
            base, exponent = factor.as_base_exp()
            if isinstance(factor, sympy.exp):
                above.append(self.add("exp", self.visit(factor.args[0])))
            elif exponent.is_Integer and abs(int(exponent)) <= _LARGEST_POWER:
                (above if exponent > 0 else below).extend([self.visit(base)] * abs(int(exponent)))
            else:
                raise _not_smooth(factor)
        place = self._multiplied(above) if above else self.add("number", 1.0)
        return self.add("divide", place, self._multiplied(below)) if below else place

    def _multiplied(self, places: list[int]) -> int:
        """Product; what is constant in time comes first, so that series meet as seldom as possible."""
        place, *rest = sorted(places, key=lambda place: self.nodes[place][0] not in {"number", "input"})
        for other in rest:
            place = self.add("multiply", place, other)
        return place

    def needed(self, results: list[int]) -> Tape:
        """The nodes that the results depend on, renumbered."""
        wanted = set(results)
        for place in reversed(range(len(self.nodes))):
            if place in wanted:
                wanted |= set(_operands(self.nodes[place]))
        order = {place: index for index, place in enumerate(sorted(wanted))}
        nodes = [
            (node[0], *(order[operand] for operand in _operands(node))) if _operands(node) else node
            for node in (self.nodes[place] for place in sorted(wanted))
        ]
        return Tape(tuple(nodes), tuple(order[place] for place in results))


def _operands(node: Node) -> tuple[int, ...]:
    return () if node[0] in {"number", "input", "state", "time"} else node[1:]


def _not_smooth(expression: Expr) -> InputError:
    return InputError(
        "the model has no Taylor series everywhere",
        code="kernel.not-smooth",
        found=str(expression),
        expected="sums, products, quotients, whole powers up to 16, exp, log, sin and cos",
        advice="choose a Runge-Kutta method, such as Dormand-Prince",
    )


def tape_source(program: Tape, order: int) -> str:
    """Source of a module with ``jets(w)``: state at the start of the step → coefficients 1 to ``order``."""
    nodes = "\n".join(f"    {node!r}," for node in program.nodes)
    return f'''"""Generated by il1sim; readable, not meant to be edited."""

from simulate.kernels.series import emitter

# Each node: an operation and the places of its operands in this list.
NODES = (
{nodes}
)
RATES = {program.results!r}
_emitted = emitter(NODES, RATES, {order})


def jets(w):
    """State at the start of the step → Taylor coefficients of order 1 to {order}."""
    _emitted(w)
'''


def emitter(nodes: tuple[Node, ...], rates: tuple[int, ...], order: int) -> Any:
    """Numba intrinsic that writes the coefficient of order k of every state to ``stage(k - 1)``."""

    @intrinsic  # type: ignore[untyped-decorator]
    def emitted(_typing: Any, w: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            _Emission(builder, data, nodes).run(rates, order)
            return context.get_dummy_value()

        return types.void(w), generate

    return emitted


Coefficient = Any
"""An LLVM vector, one element a lane; ``None`` where it is zero for every model."""


class _Emission:
    """Vector code for one tape: the coefficients found so far, order by order."""

    def __init__(self, builder: Any, data: Any, nodes: tuple[Node, ...]) -> None:
        self._builder, self._data, self._nodes = builder, data, nodes
        self._vector = ir.VectorType(ir.DoubleType(), LANES)
        self._found: list[list[Coefficient]] = [[] for _ in nodes]
        self._once: dict[int, Coefficient] = {}
        self._states = {node[1]: place for place, node in enumerate(nodes) if node[0] == "state"}

    def run(self, rates: tuple[int, ...], order: int) -> None:
        solution: list[list[Coefficient]] = [[self._load(START + index * LANES)] for index in range(len(rates))]
        for k in range(order):
            for place, (name, *operands) in enumerate(self._nodes):
                if name == "state":
                    self._found[place].append(solution[operands[0]][k])
                else:
                    self._found[place].append(_RULES[name](self, k, place, *operands))
            for index, rate in enumerate(rates):
                value = self._scaled(self._found[rate][k], 1.0 / (k + 1))
                solution[index].append(value)
                self._store(stage(k) + index * LANES, self._number(0.0) if value is None else value)
        self._store(LAST_TERM, self._size(solution, order))
        self._store(TERM_BEFORE, self._size(solution, order - 1))

    def _size(self, solution: list[list[Coefficient]], order: int) -> Coefficient:
        """Sum of the squares of the coefficients of one order, each in units of the tolerance of its state."""
        relative, total = self._kept(-1, lambda: self._load(RELATIVE)), None
        for index, coefficients in enumerate(solution):
            allowed = self._plus(
                self._load(ABSOLUTE + index * LANES),
                self._times(relative, self._function("fabs", coefficients[0])),
            )
            share = self._times(coefficients[order], near_inverse_of(self._builder, allowed))
            total = self._plus(total, self._times(share, share))
        return self._number(0.0) if total is None else total

    # Arithmetic on coefficients that may be known to be zero.
    def _load(self, offset: int) -> Coefficient:
        return self._builder.load(self._pointer(offset), align=8)

    def _store(self, offset: int, value: Coefficient) -> None:
        self._builder.store(value, self._pointer(offset), align=8)

    def _pointer(self, offset: int) -> Any:
        place = cgutils.gep_inbounds(self._builder, self._data, offset)
        return self._builder.bitcast(place, self._vector.as_pointer())

    def _number(self, value: float) -> Coefficient:
        return ir.Constant(self._vector, [value] * LANES)

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

    def _kept(self, place: int, make: Callable[[], Coefficient]) -> Coefficient:
        """What a node computes once, at order 0."""
        if place not in self._once:
            self._once[place] = make()
        return self._once[place]

    # One rule for each operation: the coefficient of order k.
    def _rule_number(self, k: int, _place: int, value: float) -> Coefficient:
        return self._number(value) if k == 0 and value != 0.0 else None

    def _rule_input(self, k: int, _place: int, offset: int) -> Coefficient:
        return self._load(offset) if k == 0 else None

    def _rule_time(self, k: int, _place: int) -> Coefficient:
        return self._load(NOW) if k == 0 else (self._number(1.0) if k == 1 else None)

    def _rule_add(self, k: int, _place: int, a: int, b: int) -> Coefficient:
        return self._plus(self._found[a][k], self._found[b][k])

    def _rule_subtract(self, k: int, _place: int, a: int, b: int) -> Coefficient:
        return self._minus(self._found[a][k], self._found[b][k])

    def _rule_multiply(self, k: int, _place: int, a: int, b: int) -> Coefficient:
        # What was found last comes last, so that the sum need not wait for it.
        left, right, total = self._found[a], self._found[b], None
        for j in [*range(1, k), *([0, k] if k else [0])]:
            total = self._plus(total, self._times(left[j], right[k - j]))
        return total

    def _rule_divide(self, k: int, place: int, a: int, b: int) -> Coefficient:
        own, below = self._found[place], self._found[b]
        inverse = self._kept(place, lambda: self._builder.fdiv(self._number(1.0), below[0]))
        total = self._found[a][k]
        for j in range(k, 0, -1):
            total = self._minus(total, self._times(below[j], own[k - j]))
        return self._times(total, inverse)

    def _rule_exp(self, k: int, place: int, x: int) -> Coefficient:
        inner, own = self._found[x], self._found[place]
        return self._function("exp", inner[0]) if k == 0 else self._scaled(self._weighted(inner, own, k), 1.0 / k)

    def _rule_log(self, k: int, place: int, x: int) -> Coefficient:
        inner, own = self._found[x], self._found[place]
        if k == 0:
            return self._function("log", inner[0])
        inverse = self._kept(place, lambda: self._builder.fdiv(self._number(1.0), inner[0]))
        total = inner[k]
        for j in range(1, k):
            total = self._minus(total, self._scaled(self._times(own[j], inner[k - j]), j / k))
        return self._times(total, inverse)

    def _rule_sin(self, k: int, place: int, x: int) -> Coefficient:
        return self._circular(k, place, x)[0]

    def _rule_cos(self, k: int, place: int, x: int) -> Coefficient:
        return self._circular(k, place, x)[1]

    def _circular(self, k: int, place: int, x: int) -> tuple[Coefficient, Coefficient]:
        """Sine and cosine need each other."""
        inner = self._found[x]
        sines, cosines = self._kept(place, lambda: ([], []))
        if k == 0:
            sines.append(self._function("sin", inner[0]))
            cosines.append(self._function("cos", inner[0]))
        else:
            sine = self._scaled(self._weighted(inner, cosines, k), 1.0 / k)
            cosines.append(self._scaled(self._weighted(inner, sines, k), -1.0 / k))
            sines.append(sine)
        return sines[k], cosines[k]

    def _weighted(self, inner: list[Coefficient], outer: list[Coefficient], k: int) -> Coefficient:
        """Σ j · inner[j] · outer[k − j] for j from 1 to k."""
        total = None
        for j in range(k, 0, -1):
            total = self._plus(total, self._scaled(self._times(inner[j], outer[k - j]), float(j)))
        return total


_RULES: Mapping[str, Callable[..., Coefficient]] = {
    name.removeprefix("_rule_"): rule for name, rule in vars(_Emission).items() if name.startswith("_rule_")
}
