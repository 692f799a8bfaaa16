"""Straight-line programs as tables that one function follows (`simulate.kernels.following`), and calls between them.

What is equal is computed once. Steps whose operands are there are put together in runs of one kind, the longest first,
so that there are few of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sympy
from sympy import Expr, Symbol

from simulate.kernels import following
from simulate.kernels.emission import PYTHON
from simulate.kernels.hoisting import Assignment
from simulate.solver.layout import LANES
from simulate.symbolic.languages import LARGEST_UNROLLED_POWER
from simulate.symbolic.languages import source as text_of

_Node = tuple[Any, ...]
"""A kind of step, or a text with a place for each operand, and the places of the operands; ``row`` and an offset;
``number`` and a value."""
_Operations = Mapping[int, _Node]
_LEAVES = ("row", "number")


def table_source(
    name: str,
    meaning: str,
    inputs: Mapping[Symbol, int],
    assignments: Iterable[Assignment],
    outputs: Sequence[tuple[int, Expr]],
    scratch: range,
) -> str | None:
    """Source of a function that follows tables; None where ``scratch`` has too few rows.

    Parameters
    ----------
    name, meaning
        Name and docstring.
    inputs
        Offset in the workspace of every symbol that may be read.
    assignments, outputs
        As for `simulate.kernels.emission.lane_loop`; nothing is read that is written.
    scratch
        Offsets of rows that may be overwritten.
    """
    graph = _Graph(inputs)
    for symbol, expression in assignments:
        graph.known[symbol] = graph.visit(expression)
    results = [(offset, graph.visit(expression)) for offset, expression in outputs]
    operations = _needed(graph.nodes, [place for _, place in results])
    try:
        runs, numbers = _placed(graph.nodes, operations, results, scratch)
    except IndexError:
        return None
    tables: list[str] = []
    lines: list[str] = []
    for run in runs:
        if isinstance(run, str):
            lines.append(run)
        else:
            table, line = following.table(f"_{name}_{len(tables)}", run, numbers if not tables else ())
            tables.append(table)
            lines.append(f"    {line}")
    return "\n\n".join(tables) + f'\n\ndef {name}(w):\n    """{meaning}"""\n' + "\n".join(lines) + "\n"


class _Graph:
    """Expressions as operations, each of which is there once; does not leave `table_source`."""

    def __init__(self, inputs: Mapping[Symbol, int]) -> None:
        self.nodes: list[_Node] = []
        self._places: dict[_Node, int] = {}
        self.known: dict[Expr, int] = {symbol: self._node("row", offset) for symbol, offset in inputs.items()}

    def _node(self, *node: Any) -> int:
        place = self._places.setdefault(node, len(self.nodes))
        if place == len(self.nodes):
            self.nodes.append(node)
        return place

    def visit(self, expression: Expr) -> int:
        """Place of the value of an expression."""
        if expression not in self.known:
            self.known[expression] = self._new(expression)
        return self.known[expression]

    def _new(self, expression: Expr) -> int:
        if expression.is_Add:
            return self._sum(expression.args)
        if expression.is_Mul:
            is_negative, product = self._product(expression)
            return self._node("minus", product) if is_negative else product
        if expression.is_Number or expression.is_NumberSymbol:
            return self._node("number", float(expression))
        if expression.is_Pow:
            return self._power(expression.base, expression.exp)
        return self._call(expression.func, expression.args)

    def _sum(self, terms: Iterable[Expr]) -> int:
        signed = [self._product(term) for term in terms]
        first = next((index for index, (is_negative, _) in enumerate(signed) if not is_negative), 0)
        is_negative, total = signed.pop(first)
        total = self._node("minus", total) if is_negative else total
        for is_negative, term in signed:
            total = self._node("difference" if is_negative else "plus", total, term)
        return total

    def _product(self, term: Expr) -> tuple[bool, int]:
        """Whether a term is to be subtracted, and its size."""
        above: list[int] = []
        below: list[int] = []
        is_negative = False
        for factor in sympy.Mul.make_args(term):
            exponent = factor.exp if factor.is_Pow else None
            if factor.is_Number:
                is_negative = bool(factor.is_negative)
                if abs(factor) != 1:
                    above.append(self.visit(abs(factor)))
            elif exponent is not None and exponent.is_Rational and exponent.is_negative:
                below.append(self._power(factor.base, -exponent))
            else:
                above.append(self.visit(factor))
        product = self._chain(above) if above else self._node("number", 1.0)
        return is_negative, self._node("over", product, self._chain(below)) if below else product

    def _chain(self, factors: Sequence[int]) -> int:
        product = factors[0]
        for factor in factors[1:]:
            product = self._node("times", product, factor)
        return product

    def _power(self, base: Expr, exponent: Expr) -> int:
        if exponent.is_Rational and exponent.is_negative:
            return self._node("over", self._node("number", 1.0), self._power(base, -exponent))
        if exponent.is_Integer and 1 <= int(exponent) <= LARGEST_UNROLLED_POWER:
            return self._chain([self.visit(base)] * int(exponent))
        if exponent == sympy.Rational(1, 2):
            return self._call(sympy.sqrt, (base,))
        return self._call(sympy.Pow, (base, exponent))

    def _call(self, function: Any, arguments: Sequence[Expr]) -> int:
        """A function, in the words of generated code; where that has none, an error says so."""
        names = [Symbol(f"operand:{index}") for index in range(len(arguments))]
        text = text_of(function(*names), {name: f"{{{index}}}" for index, name in enumerate(names)}, PYTHON)
        return self._node(text, *map(self.visit, arguments))


def _needed(nodes: Sequence[_Node], results: Iterable[int]) -> _Operations:
    """What results need, in order; a product that only one sum needs is a part of it."""
    # Twice for each result: that has a row of its own.
    times: dict[int, int] = {}
    for place in results:
        times[place] = times.get(place, 0) + 2
    pending = list(times)
    for place in pending:
        for operand in () if nodes[place][0] in _LEAVES else nodes[place][1:]:
            if operand not in times:
                pending.append(operand)
            times[operand] = times.get(operand, 0) + 1

    def is_own(place: int) -> bool:
        return times[place] == 1 and nodes[place][0] == "times"

    found: dict[int, _Node] = {}
    merged: set[int] = set()
    for place in sorted(times, reverse=True):
        node = nodes[place]
        if node[0] in _LEAVES or place in merged:
            continue
        if node[0] in ("plus", "difference", "minus"):
            others, last = node[1:-1], node[-1]
            if node[0] == "plus" and not is_own(last):
                others, last = (last,), others[0]
            if is_own(last):
                merged.add(last)
                kind = {"plus": "fused", "difference": "fused_minus", "minus": "minus_times"}[node[0]]
                node = (kind, *nodes[last][1:], *others)
        found[place] = node
    return found


def _placed(
    nodes: Sequence[_Node], operations: _Operations, results: Sequence[tuple[int, int]], scratch: range
) -> tuple[list[list[following.Run] | str], list[float]]:
    """Tables and lines of loops in order, and numbers for the first table; an IndexError if there are too few rows."""
    free = list(reversed(scratch))
    rows = {place: offset for offset, place in reversed(results) if place in operations}
    copies = [(offset, place) for offset, place in results if rows.get(place) != offset]
    used = {place: None for node in operations.values() for place in node[1:]}
    used |= {place: None for _, place in copies}
    numbers = [place for place in used if nodes[place][0] == "number"]
    rows |= {place: nodes[place][1] for place in used if nodes[place][0] == "row"}
    rows |= {place: free.pop() for place in numbers}
    needs = {place: {*node[1:]} & operations.keys() for place, node in operations.items()}
    # How many are still to read what is in no row for good.
    readers = Counter(place for operands in needs.values() for place in operands - rows.keys())
    found: list[list[following.Run] | str] = []

    def add(kind: str, steps: Sequence[Sequence[int]]) -> None:
        if steps:
            if not found or isinstance(found[-1], str):
                found.append([])
            found[-1].append(following.run(kind, steps))  # type: ignore[union-attr]

    add("number", [(rows[place], index) for index, place in enumerate(numbers)])
    kinds = {place: node[0] if node[0] in following.KINDS else "" for place, node in operations.items()}
    for kind, places in following.scheduled(kinds, needs):
        steps = []
        for place in places:
            for operand in needs[place] & readers.keys():
                readers[operand] -= 1
                if not readers[operand]:
                    free.append(rows[operand])
            if place not in rows:
                rows[place] = free.pop()
            steps.append([rows[place], *(rows[operand] for operand in operations[place][1:])])
        if kind:
            add(kind, steps)
        else:
            found += _loop([operations[place][0] for place in places], steps)
    add("copy", [(offset, rows[place]) for offset, place in copies])
    return found, [nodes[place][1] for place in numbers]


def _loop(texts: Iterable[str], steps: Iterable[Sequence[int]]) -> Iterator[str]:
    """Lines of a loop over lanes that calls functions."""
    yield f"    for lane in range({LANES}):"
    for text, (row, *operands) in zip(texts, steps, strict=True):
        yield f"        w[{row} + lane] = " + text.format(*(f"w[{operand} + lane]" for operand in operands))
