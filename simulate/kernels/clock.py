"""Kinks and narrow features that a right-hand side has in time by itself, and where they are for each member.

A step looks at a few times within it. A pulse between two of them leaves no trace, nor does a window that opens and
closes there, and the error estimate is nothing. So what depends on time and on nothing that moves is looked at once,
before the first step: where its minima, maxima and absolute values have their kinks, and where its powers, exponentials
and saturating terms have their centers. Around a center the expression itself says on which scale it changes. At these
times steps end and begin anew. Nothing is done for a model that does not depend on time by itself.

All is found from arguments, such as ``(t - t0)/w``, which are wide where what is made of them is narrow: a pulse is
found however narrow it is. What is narrow from the start, such as a feature around a time that is a state, is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy import Expr, Symbol

from simulate.kernels.hoisting import Abs, Assignment, derivative, needed
from simulate.kernels.saturation import logistic, share, softplus
from simulate.kernels.vectorfield import numpy_function
from simulate.solver.kernel import FloatArray, IntArray
from simulate.symbolic.parts import TIME
from simulate.symbolic.switching import above, at_least, same

_CELLS = 4096
"""Parts of the time of a solve, at most, in which the sign of an argument is looked at; at least half as many."""
_TOGETHER = 128
"""Members looked at together."""
_HALVINGS = 64
_BITS = 2.0**40
"""Times are rounded to as many bits, so that nobody sees in which company they were computed."""
_SCALES = 2.0 ** np.arange(-40, 18)
"""Distances from a center, days; what is nearer to the start is at it."""
_SHARE = 0.05
"""Where an expression changes by this share of its largest change, from one distance to twice that, it is watched."""
_MOST_TERMS = 4
_POWERS = (sympy.Pow, sympy.exp, sympy.log, sympy.tanh, logistic, softplus)

_At = Callable[[FloatArray], Callable[[FloatArray], FloatArray]]
"""Parameters [member, parameter] → a function: times [member, point] → values [member, point]."""
_Each = Callable[[FloatArray], Callable[[FloatArray], list[FloatArray]]]


def timed_parts(rates: Sequence[Expr], moving: set[Symbol]) -> tuple[Expr, ...]:
    """The largest parts of expressions that depend on time and on nothing else that moves."""
    found: dict[Expr, None] = {}
    seen: set[Expr] = set()

    def visit(expression: Expr) -> None:
        if expression in seen or TIME not in expression.free_symbols:
            return
        seen.add(expression)
        if not expression.free_symbols & moving:
            found[expression] = None
            return
        alone = [part for part in expression.args if not part.free_symbols & moving]
        if (expression.is_Add or expression.is_Mul) and any(TIME in part.free_symbols for part in alone):
            found[expression.func(*alone)] = None
        elif not (expression.is_Add or expression.is_Mul or _is_polynomial(expression)):
            found[_in_time_alone(expression, moving)] = None
        for part in expression.args:
            if part not in alone or not (expression.is_Add or expression.is_Mul):
                visit(part)

    for rate in rates:
        visit(rate)
    timed = (_without_constants(part) for part in found if TIME in part.free_symbols)
    return tuple(dict.fromkeys(part for part in timed if part != TIME))


def _without_constants(part: Expr) -> Expr:
    """A part without factors and terms that are the same at all times, which move and narrow nothing in it."""
    while part.is_Add or part.is_Mul:
        timed = [one for one in part.args if TIME in one.free_symbols]
        if len(timed) == len(part.args):
            break
        part = part.func(*timed)
    return part


def _in_time_alone(expression: Expr, moving: set[Symbol]) -> Expr:
    """What is left of an expression without the terms, factors and arguments that move and do not depend on time.

    A sum within an exponential, power or maximum is wide where what is made of it is narrow. Of ``exp(a + b)`` it is a
    factor, ``exp(a)``; of others the value where what moves is nothing.
    """
    if not expression.free_symbols & moving:
        return expression
    if expression.is_Mul:
        expression = sympy.expand_mul(expression)
    parts = [part for part in expression.args if TIME in part.free_symbols or not part.free_symbols & moving]
    kept = [_in_time_alone(part, moving) for part in parts]
    if len(kept) == len(expression.args) or expression.is_Add or expression.is_Mul:
        return expression.func(*kept)
    if isinstance(expression, (sympy.Min, sympy.Max)):
        return expression.func(*kept)
    return sympy.exp(kept[0]) if expression.is_Pow and parts[0] == expression.exp else kept[0]


def _is_polynomial(expression: Expr) -> bool:
    return bool(expression.is_Pow and expression.exp.is_Integer and expression.exp > 0)


def pulse_in(parts: Sequence[Expr]) -> Expr | None:
    """The first exponential whose argument is no straight line in time: far from its peak it leaves no trace."""
    for part in parts:
        for node in part.atoms(sympy.exp):
            if TIME in derivative(node.args[0], TIME).free_symbols:
                return node
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    """A function whose zeros are looked for.

    Attributes
    ----------
    before
        Itself, behind all functions whose zeros are looked at first: what decides which of its zeros are found.
    used
        Places of the parameters that decide its values.
    """

    is_kink: bool
    at: _At
    before: tuple[Expr, ...]
    used: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part of a right-hand side, and the functions at whose zeros it has kinks and centers, inner ones first."""

    at: _At
    straight: tuple[tuple[bool, ...], _Each]
    """Which are kinks, and the only zeros, of functions that are straight lines in time."""
    others: tuple[_Watched, ...]


class Clock:
    """What a right-hand side does in time; built once for a model."""

    def __init__(self, parts: Sequence[Expr], constants: Sequence[Assignment], parameters: Sequence[str]) -> None:
        self._names = [Symbol(name) for name in parameters]
        self._constants = constants
        self._parts = tuple(self._read(part) for part in parts)
        self._used = list(self._parameters_of(*parts))

    def breaks(self, parameters: FloatArray, start: float, end: float) -> tuple[IntArray, FloatArray]:
        """Owners and times of what no step must pass, between start and end; members [member, parameter]."""
        if end <= start:
            return np.empty(0, dtype=np.int64), np.empty(0)
        # Members who do not differ in what the parts depend on have the same breaks.
        _, first, like = np.unique(parameters[:, self._used], axis=0, return_index=True, return_inverse=True)
        times = [
            _rounded(row, start, end)
            for begin in range(0, len(first), _TOGETHER)
            for row in self._found(parameters[first[begin : begin + _TOGETHER]], start, end)
        ]
        own = [times[number] for number in like.ravel()]
        owners = np.repeat(np.arange(len(parameters)), [len(row) for row in own])
        return owners, np.concatenate([np.empty(0), *own])

    def _found(self, parameters: FloatArray, start: float, end: float) -> list[FloatArray]:
        found = [np.full((len(parameters), 0), np.nan)]
        # Powers of two: a longer solve looks at the same places, or at every other of them.
        cell = 2.0 ** np.ceil(np.log2(max(end - start, _SCALES[0]) / _CELLS))
        places = np.append(np.arange(start, end, cell), end)
        done: dict[tuple[Expr, ...], FloatArray] = {}
        signs: dict[Expr, npt.NDArray[np.bool_]] = {}
        with np.errstate(all="ignore"):
            for part in self._parts:
                are_kinks, zeros = part.straight
                nothing = np.empty((len(parameters), 0))
                known = np.concatenate([nothing, *zeros(parameters)(np.zeros((len(parameters), 1)))], axis=1)
                are_kink = list(are_kinks)
                for one in part.others:
                    function = one.before[-1]
                    if one.before not in done:
                        if function not in signs:
                            signs[function] = _signs(one, places, parameters)
                        inside = np.where((known > start) & (known < end), known, start)
                        done[one.before] = _zeros(one.at, signs[function], places, inside, parameters)
                    more = done[one.before]
                    known = np.concatenate([known, more], axis=1)
                    are_kink += [one.is_kink] * more.shape[1]
                known = np.where((known > start + _SCALES[0]) & (known < end), known, np.nan)
                kinks = np.array(are_kink, dtype=bool)
                found.append(known[:, kinks])
                found.append(_surroundings(part.at, known[:, ~kinks], parameters))
        return list(np.concatenate(found, axis=1))

    def _read(self, part: Expr) -> _Part:
        straight: list[tuple[bool, Expr]] = []
        others: list[tuple[bool, Expr]] = []
        done: set[Expr] = set()
        for is_kink, function in _functions(part):
            if function in done or TIME not in function.free_symbols:
                continue
            done.add(function)
            slope = derivative(function, TIME)
            zero = -function.xreplace({TIME: sympy.S.Zero}) / slope if TIME not in slope.free_symbols else TIME
            if zero.has(TIME, sympy.zoo, sympy.nan):
                others.append((is_kink, function))
            else:
                straight.append((is_kink, zero))
        are_kinks, at_zero = tuple(is_kink for is_kink, _ in straight), [zero for _, zero in straight]
        before = (*at_zero, *(function for _, function in others))
        watched = tuple(
            _Watched(
                is_kink, self._function(function), before[: len(at_zero) + index + 1], self._parameters_of(function)
            )
            for index, (is_kink, function) in enumerate(others)
        )
        return _Part(self._function(part), (are_kinks, self._each(at_zero)), watched)

    def _parameters_of(self, *expressions: Expr) -> tuple[int, ...]:
        """Places of the parameters on which expressions depend, by themselves or by constants."""
        used = {symbol for one in expressions for symbol in one.free_symbols}
        used |= {symbol for _, value in needed(self._constants, expressions) for symbol in value.free_symbols}
        return tuple(index for index, name in enumerate(self._names) if name in used)

    def _each(self, expressions: Sequence[Expr]) -> _Each:
        function = numpy_function(needed(self._constants, expressions), expressions, [TIME, *self._names])

        def of(parameters: FloatArray) -> Callable[[FloatArray], list[FloatArray]]:
            columns = [np.ascontiguousarray(column)[:, None] for column in parameters.T]

            def at(times: FloatArray) -> list[FloatArray]:
                values = function([times, *columns])
                return [np.broadcast_to(np.asarray(value, dtype=float), times.shape) for value in values]

            return at

        return of

    def _function(self, expression: Expr) -> _At:
        each = self._each([expression])

        def of(parameters: FloatArray) -> Callable[[FloatArray], FloatArray]:
            at = each(parameters)
            return lambda times: at(times)[0]

        return of


def _functions(part: Expr) -> Iterator[tuple[bool, Expr]]:
    """Functions at whose zeros a part of a right-hand side has a kink (true) or a center, inner ones first."""
    for node in sympy.postorder_traversal(part):
        if TIME not in node.free_symbols:
            continue
        if isinstance(node, (sympy.Abs, Abs)):
            yield True, node.args[0]
        elif isinstance(node, (sympy.Min, sympy.Max, above, at_least, same)):
            for one, other in itertools.combinations(node.args, 2):
                yield True, one - other
        elif isinstance(node, share):
            yield False, node.args[0] - 1
        elif isinstance(node, _POWERS):
            inner = node.base if isinstance(node, sympy.Pow) else node.args[0]
            if TIME not in inner.free_symbols:
                inner = node.exp
            slope = derivative(inner, TIME)
            yield False, inner
            if TIME in slope.free_symbols:
                yield False, slope
                # Where two terms of a sum are as large, it turns from the one to the other.
                terms = sympy.Add.make_args(inner)
                if 2 <= len(terms) <= _MOST_TERMS:
                    for one, other in itertools.combinations(terms, 2):
                        yield False, one - other
                        yield False, one + other


def _signs(watched: _Watched, places: FloatArray, parameters: FloatArray) -> npt.NDArray[np.bool_]:
    """Where a function is positive, [member, place]; members alike in what decides that are looked at once."""
    _, first, like = np.unique(parameters[:, list(watched.used)], axis=0, return_index=True, return_inverse=True)
    grid = np.broadcast_to(places, (len(first), len(places)))
    found: npt.NDArray[np.bool_] = (watched.at(parameters[first])(grid) > 0.0)[like.ravel()]
    return found


def _zeros(
    function: _At,
    signs: npt.NDArray[np.bool_],
    places: FloatArray,
    inside: FloatArray,
    parameters: FloatArray,
) -> FloatArray:
    """Zeros of a function between neighbors, of places and points inside, at which its sign differs; or NaN.

    Shape [member, zero]; ``signs`` are those at the ascending places, and ``inside`` is [member, point].
    """
    cells = np.clip(np.searchsorted(places, inside, side="right") - 1, 0, len(places) - 2)
    changes = signs[:, 1:] != signs[:, :-1]
    rows = np.arange(len(parameters))[:, None]
    is_parted = np.zeros(changes.shape, dtype=bool)
    is_parted[rows, cells] = True
    members, at = np.divmod(np.flatnonzero(changes & ~is_parted), changes.shape[1])
    low, high, was = places[at], places[at + 1], signs[members, at]
    if inside.size:
        # A part of the time that has points inside is looked at from its beginning over these to its end.
        points = np.sort(np.concatenate([inside, places[cells], places[cells + 1]], axis=1), axis=1)
        above = function(parameters)(points) > 0.0
        own = np.clip(np.searchsorted(places, points[:, :-1], side="right") - 1, 0, len(places) - 2)
        differ = (above[:, 1:] != above[:, :-1]) & is_parted[rows, own]
        others, column = np.nonzero(differ)
        members = np.concatenate([members, others])
        low = np.concatenate([low, points[others, column]])
        high = np.concatenate([high, points[others, column + 1]])
        was = np.concatenate([was, above[others, column]])
        order = np.lexsort((low, members))
        members, low, high, was = members[order], low[order], high[order], was[order]
    low, high, was = low[:, None], high[:, None], was[:, None]
    at_own = function(parameters[members])
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if np.all((middle == low) | (middle == high)):
            break
        same = (at_own(middle) > 0.0) == was
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return _padded(members, high[:, 0], len(parameters))


def _padded(owners: IntArray, values: FloatArray, members: int) -> FloatArray:
    """Values of each member in a row, with NaN behind them."""
    counts = np.bincount(owners, minlength=members)
    padded = np.full((members, int(counts.max(initial=0))), np.nan)
    firsts = np.cumsum(counts) - counts
    padded[owners, np.arange(len(owners)) - firsts[owners]] = values
    return padded


def _surroundings(at: _At, centers: FloatArray, parameters: FloatArray) -> FloatArray:
    """A center and the distances from it at which a part changes, however wide it is; else NaN.

    How long it is solved has no say, so that what is recorded does not depend on it.
    """
    members = len(centers)
    distances = np.concatenate([-_SCALES[::-1], [0.0], _SCALES])
    times = centers[:, :, None] + distances
    values = at(parameters)(times.reshape(members, -1)).reshape(times.shape)
    changes = np.abs(np.diff(values, axis=2))
    changes = np.where(np.isfinite(changes), changes, 0.0)
    watched = (changes > _SHARE * changes.max(axis=2, initial=0.0, keepdims=True)) & (changes > 0.0)
    kept = np.zeros(times.shape, dtype=bool)
    kept[:, :, 1:] |= watched
    kept[:, :, :-1] |= watched
    kept[:, :, len(_SCALES)] = kept.any(axis=2)
    return np.where(kept, times, np.nan).reshape(members, -1)


def _rounded(times: FloatArray, start: float, end: float) -> FloatArray:
    """Times of one member, ascending, each once."""
    mantissas, exponents = np.frexp(times[~np.isnan(times)])
    rounded = np.unique(np.ldexp(np.round(mantissas * _BITS) / _BITS, exponents))
    return rounded[(rounded > start) & (rounded < end)]


NOTHING: tuple[Any, Any] = (np.empty(0, dtype=np.int64), np.empty(0))
"""Owners and times where nothing is to be watched."""
