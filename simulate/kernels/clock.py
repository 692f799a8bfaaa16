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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.kernels.in_numpy import NumpyFunction
from simulate.solver.kernel import FloatArray, IntArray

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


@dataclass(frozen=True, slots=True)
class Watched:
    """A function, of time and parameters, whose zeros are looked for.

    Attributes
    ----------
    before
        Its number, behind those of all functions whose zeros are looked at first: what decides which of its zeros are
        found.
    used
        Places of the parameters that decide its values.
    """

    is_kink: bool
    value: NumpyFunction
    before: tuple[int, ...]
    used: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TimedPart:
    """A part of a right-hand side, and the functions at whose zeros it has kinks and centers, inner ones first.

    Attributes
    ----------
    value
        The part, of time and parameters.
    are_kinks, zeros
        Of the functions that are straight lines in time: which are kinks, and their only zeros.
    """

    value: NumpyFunction
    are_kinks: tuple[bool, ...]
    zeros: NumpyFunction
    others: tuple[Watched, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """What a right-hand side does in time (`simulate.kernels.timed.clock_of`); ``used`` are places of parameters."""

    parts: tuple[TimedPart, ...]
    used: tuple[int, ...]

    def breaks(self, parameters: FloatArray, start: float, end: float) -> tuple[IntArray, FloatArray]:
        """Owners and times of what no step must pass, between start and end; members [member, parameter]."""
        if end <= start:
            return np.empty(0, dtype=np.int64), np.empty(0)
        # Members who do not differ in what the parts depend on have the same breaks.
        _, first, like = np.unique(parameters[:, list(self.used)], axis=0, return_index=True, return_inverse=True)
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
        done: dict[tuple[int, ...], FloatArray] = {}
        signs: dict[int, npt.NDArray[np.bool_]] = {}
        with np.errstate(all="ignore"):
            for part in self.parts:
                nothing = np.empty((len(parameters), 0))
                known = np.concatenate([nothing, *_all(part.zeros, parameters)(np.zeros((len(parameters), 1)))], axis=1)
                are_kink = list(part.are_kinks)
                for one in part.others:
                    function = one.before[-1]
                    if one.before not in done:
                        if function not in signs:
                            signs[function] = _signs(one, places, parameters)
                        inside = np.where((known > start) & (known < end), known, start)
                        done[one.before] = _zeros(one.value, signs[function], places, inside, parameters)
                    more = done[one.before]
                    known = np.concatenate([known, more], axis=1)
                    are_kink += [one.is_kink] * more.shape[1]
                known = np.where((known > start + _SCALES[0]) & (known < end), known, np.nan)
                kinks = np.array(are_kink, dtype=bool)
                found.append(known[:, kinks])
                found.append(_surroundings(part.value, known[:, ~kinks], parameters))
        return list(np.concatenate(found, axis=1))


def _all(function: NumpyFunction, parameters: FloatArray) -> Callable[[FloatArray], list[FloatArray]]:
    """Results of a function for members [member, parameter]: times [member, point] → values [member, point] of each."""
    columns = [np.ascontiguousarray(column)[:, None] for column in parameters.T]

    def at(times: FloatArray) -> list[FloatArray]:
        values = function([times, *columns])
        return [np.broadcast_to(np.asarray(value, dtype=float), times.shape) for value in values]

    return at


def _only(function: NumpyFunction, parameters: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """The same of a function that has one result."""
    results = _all(function, parameters)
    return lambda times: results(times)[0]


def _signs(watched: Watched, places: FloatArray, parameters: FloatArray) -> npt.NDArray[np.bool_]:
    """Where a function is positive, [member, place]; members alike in what decides that are looked at once."""
    _, first, like = np.unique(parameters[:, list(watched.used)], axis=0, return_index=True, return_inverse=True)
    grid = np.broadcast_to(places, (len(first), len(places)))
    found: npt.NDArray[np.bool_] = (_only(watched.value, parameters[first])(grid) > 0.0)[like.ravel()]
    return found


def _zeros(
    function: NumpyFunction,
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
        above = _only(function, parameters)(points) > 0.0
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
    at_own = _only(function, parameters[members])
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


def _surroundings(function: NumpyFunction, centers: FloatArray, parameters: FloatArray) -> FloatArray:
    """A center and the distances from it at which a part changes, however wide it is; else NaN.

    How long it is solved has no say, so that what is recorded does not depend on it.
    """
    members = len(centers)
    distances = np.concatenate([-_SCALES[::-1], [0.0], _SCALES])
    times = centers[:, :, None] + distances
    values = _only(function, parameters)(times.reshape(members, -1)).reshape(times.shape)
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
