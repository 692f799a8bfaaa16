"""Derivatives of a straight-line program in chosen directions, by the chain rule along its assignments.

What the directions share, the partial derivatives, is computed once; a direction costs a product for each edge of the
graph that is left after assignments with one way in or one way out have been bridged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from simulate.kernels.hoisting import Assignment, Program, derivative

Tangents = Mapping[Symbol, Expr]
"""Derivative of each symbol in one direction; those that are left out do not change in it."""


def carried(
    assignments: Iterable[Assignment], seeds: Sequence[Tangents], suffixes: Sequence[str]
) -> tuple[tuple[Assignment, ...], tuple[Tangents, ...]]:
    """Assignments with the derivatives of their symbols after each, and these derivatives.

    Parameters
    ----------
    assignments
        In an order in which they can be computed.
    seeds
        Derivatives of the symbols that the assignments start from, one mapping for each direction.
    suffixes
        What the names of derivatives end with, one text for each direction.
    """
    known: list[dict[Symbol, Expr]] = [dict(seed) for seed in seeds]
    extended: list[Assignment] = []
    for symbol, expression in assignments:
        extended.append((symbol, expression))
        for tangents, suffix in zip(known, suffixes, strict=True):
            value = total(expression, tangents)
            if value != 0:
                name = Symbol(f"{symbol}'{suffix}")
                extended.append((name, value))
                tangents[symbol] = name
    return tuple(extended), tuple(known)


def total(expression: Expr, tangents: Tangents) -> Expr:
    """Derivative of an expression in one direction."""
    return sympy.Add(
        *(
            derivative(expression, symbol) * tangents[symbol]
            for symbol in sorted(expression.free_symbols & tangents.keys(), key=str)
        )
    )


def with_tangents(program: Program, seeds: Sequence[Tangents], suffixes: Sequence[str], prefix: str) -> Program:
    """Program whose results are those of ``program``, then their derivatives in each direction.

    What the program itself computes, and in which order, depends on no direction. Arguments as for `carried`;
    ``prefix`` begins the names of temporaries.
    """
    plain = with_named_divisors(program, prefix)
    sources = {symbol for seed in seeds for symbol in seed}
    graph = _Graph(plain, sources, prefix)
    graph.bridge()
    assignments = [*plain.assignments, *graph.partials]
    results = list(plain.results)
    for seed, suffix in zip(seeds, suffixes, strict=True):
        tangents = dict(seed)
        for symbol in graph.kept:
            value = _combined(graph.edges[symbol], tangents)
            if value != 0:
                tangents[symbol] = Symbol(f"{symbol}'{suffix}")
                assignments.append((tangents[symbol], value))
        results += [_combined(edges, tangents) for edges in graph.ends]
    return Program(tuple(assignments), tuple(results))


def _combined(edges: Mapping[Symbol, Expr], tangents: Tangents) -> Expr:
    return sympy.Add(*(partial * tangents[symbol] for symbol, partial in edges.items() if symbol in tangents))


def with_named_divisors(program: Program, prefix: str) -> Program:
    """The same program in which every reciprocal of a sum has a name, so that derivatives divide no second time."""
    named: dict[Expr, Symbol] = {}
    ordered: list[Assignment] = []

    def rewritten(expression: Expr) -> Expr:
        divisors = {
            power.base
            for power in expression.atoms(sympy.Pow)
            if power.exp.is_Integer and power.exp.is_negative and not power.base.is_Number
        }
        replacements: dict[Expr, Expr] = {}
        for base in sorted(divisors, key=sympy.default_sort_key):
            inner = rewritten(base)
            if inner not in named:
                named[inner] = Symbol(f"{prefix} reciprocal:{len(named)}")
                ordered.append((named[inner], 1 / inner))
            for power in expression.atoms(sympy.Pow):
                if power.base == base and power.exp.is_Integer and power.exp.is_negative:
                    replacements[power] = named[inner] ** -power.exp
        return expression.xreplace(replacements)

    for symbol, expression in program.assignments:
        if expression.is_Pow and expression.exp == -1:
            named[expression.base] = symbol
            ordered.append((symbol, expression))
        else:
            value = rewritten(expression)
            ordered.append((symbol, value))
    results = tuple(rewritten(result) for result in program.results)
    return Program(tuple(ordered), results)


class _Graph:
    """Which assignments and results depend on which symbols, and how steeply; it does not leave `with_tangents`.

    ``kept`` are the assigned symbols that get a derivative of their own, ``edges`` and ``ends`` the partial derivatives
    of these and of the results with respect to sources and kept symbols, ``partials`` the assignments for them.
    """

    def __init__(self, program: Program, sources: set[Symbol], prefix: str) -> None:
        self._prefix = prefix
        self.partials: list[Assignment] = []
        self.kept: list[Symbol] = []
        self.edges: dict[Symbol, dict[Symbol, Expr]] = {}
        moving = set(sources)
        for symbol, expression in program.assignments:
            edges = self._slopes(symbol, expression, moving)
            if edges:
                moving.add(symbol)
                self.kept.append(symbol)
                self.edges[symbol] = edges
        self.ends = [self._slopes(None, result, moving) for result in program.results]

    def bridge(self) -> None:
        """Let every assignment with one way in or one way out be passed over: that never makes edges more."""
        pending = list(self.kept)
        while pending:
            symbol = pending.pop(0)
            ways_in = self.edges[symbol]
            users = [edges for edges in (*self.edges.values(), *self.ends) if symbol in edges]
            if min(len(ways_in), len(users)) > 1:
                continue
            for edges in users:
                outer = edges.pop(symbol)
                for source, inner in ways_in.items():
                    edges[source] = self._named(edges.get(source, sympy.S.Zero) + outer * inner)
            del self.edges[symbol]
            self.kept.remove(symbol)
            pending = list(self.kept)

    def _slopes(self, symbol: Symbol | None, expression: Expr, moving: set[Symbol]) -> dict[Symbol, Expr]:
        slopes = {}
        for other in sorted(expression.free_symbols & moving, key=str):
            if symbol is not None and expression == 1 / other:
                slope = -(symbol**2)
            elif symbol is not None and expression.is_Pow and expression.exp == -1:
                slope = -(symbol**2) * derivative(expression.base, other)
            else:
                slope = derivative(expression, other)
            if slope != 0:
                slopes[other] = self._named(slope)
        return slopes

    def _named(self, slope: Expr) -> Expr:
        if slope.is_Atom or (-slope).is_Atom:
            return slope
        name = Symbol(f"{self._prefix} partial:{len(self.partials)}")
        self.partials.append((name, slope))
        return name
