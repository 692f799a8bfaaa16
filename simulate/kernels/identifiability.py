"""Which parameters could be learned from some observables at all, and which combinations of the others: exactly.

Local structural identifiability after A. Sedoglavic (J. Symbolic Computation 33 (2002) 735): a parameter can be learned
if no change of the parameters, however small, leaves all observables as they are at all times. That is a rank, of the
derivatives of the Taylor coefficients of the observables with respect to the parameters, at a random point modulo a
prime. Numbers of a point modulo a prime are not rounded, so ranks are not a matter of judgment.

**What a yes means.** One patient is observed without noise, without pause, from the baseline on; the other parameters
are known. A yes is necessary, not sufficient: data as few and as noisy as a trial's may still say nothing. It is also
local: finitely many other values may explain the same data, as fast absorption with slow elimination and slow
absorption with fast elimination do.

**How sure it is.** A rank can only fall at an unlucky point, modulo an unlucky prime, or when too few coefficients are
looked at. So what is called learnable is, for a minor that is not zero somewhere is not the zero polynomial. What is
called not learnable is so unless all points were roots of a minor that is not zero, for each with a probability of at
most its degree, some millions at worst, over 2³¹. The number of coefficients suffices when the baseline is no special
state of the system (then n states and p parameters need n + p); a baseline is special, so this is no proof, and
`Structural` says where the rank grew last and how far was looked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import sympy
from sympy import Expr

from simulate.errors import InputError, did_you_mean
from simulate.kernels.modular import PRIME, fraction, inverse, null_space, reduced
from simulate.kernels.series import Series
from simulate.kernels.stretches import needed, stretches, with_numbers
from simulate.kernels.system import System, lower
from simulate.streams import IntArray
from simulate.symbolic.model import Model

_POINTS = 3
_LEAST_ORDERS = 16


@dataclass(frozen=True, slots=True)
class Together:
    """Parameters of which none can be learned alone.

    Attributes
    ----------
    parameters
        Names. Each of several could be learned if the others were known; one alone leaves no trace at all.
    functions
        Combinations that can be learned: products of powers of parameters, of 1 minus and of 1 plus a parameter, or
        sums.
    others
        How many more independent functions of them can be learned, which have no such form that was found; what can
        be learned by itself may occur in them.
    """

    parameters: tuple[str, ...]
    functions: tuple[str, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Structural:
    """What could be learned of free parameters from observables without noise.

    Attributes
    ----------
    free, observables
        Names, as asked.
    identifiable
        Parameters that can be learned by themselves, locally.
    together
        Parameters that cannot, in groups that hang together.
    rank
        How many independent functions of the parameters can be learned.
    order
        Order of the Taylor coefficients at which the rank grew last.
    searched
        Highest order that was looked at.
    """

    free: tuple[str, ...]
    observables: tuple[str, ...]
    identifiable: tuple[str, ...]
    together: tuple[Together, ...]
    rank: int
    order: int
    searched: int

    def lines(self) -> tuple[str, ...]:
        """Sentences for a reader, one line each."""
        of = f"{len(self.identifiable)} of {len(self.free)} parameters"
        head = f"{of} could be learned by themselves from noise-free {', '.join(self.observables)}"
        found = [head + (f": {', '.join(self.identifiable)}" if self.identifiable else "")]
        for group in self.together:
            if not group.functions and not group.others:
                found.append(f"{_listed(group.parameters)}: no trace in these observables")
                continue
            functions = list(group.functions)
            if group.others:
                more = "further " if functions else ""
                noun = "function" if group.others == 1 else "functions"
                functions.append(f"{group.others} {more}{noun} of {_listed(group.parameters)}")
            found.append(f"{_listed(group.parameters)}: only {_listed(functions)}")
        return tuple(found)


def structural(
    model: Model | System,
    free: Sequence[str],
    observables: Sequence[str],
    *,
    doses: Sequence[str] | None = None,
) -> Structural:
    """What could be learned of the free parameters from the observables of one patient without noise.

    Parameters
    ----------
    model
        A model, or a bare system. Parameters that are not free are known. They have generic values, except those of a
        model that are 0 or 1, which may switch something off, and whole numbers in exponents.
    free, observables
        Names.
    doses
        Route of each experiment: one dose of a known amount, at baseline. A route that is named twice is tried with two
        amounts. By default each route once; a system without routes is watched as it is. What is seen before any dose
        always counts.

        Where an expression bends at a time of its own (``max(t - taper_start, 0)``), the experiment is done twice, from
        the beginning and from that time on.

    Raises
    ------
    InputError
        ``identifiability.name``: there is no such parameter, observable or route; ``identifiability.function``: an
        expression has no power series at the beginning; ``identifiability.bend``: one bends where the state is.
    """
    system = lower(model) if isinstance(model, Model) else model
    free, observables = tuple(dict.fromkeys(free)), tuple(dict.fromkeys(observables))
    _check(system, free, observables, system.routes if doses is None else doses)
    parameters = model.parameters if isinstance(model, Model) else ()
    values = {part.symbol: sympy.Rational(repr(float(part.value))) for part in parameters}
    known = {symbol: value for symbol, value in values.items() if str(symbol) not in free}
    system = needed(with_numbers(system, known), observables)
    asked = system.routes if doses is None else doses
    given: list[tuple[str, int] | None] = [
        (route, number) for number, route in enumerate(asked) if route in system.routes
    ] or [None]  # fmt: skip
    experiments = [(*stretch, dose) for stretch in stretches(system, values) for dose in given]

    reach = max(len(system.states) + len(free), _LEAST_ORDERS)
    spaces = [np.zeros((0, len(free)), dtype=np.int64)] * _POINTS
    rank, last, order = 0, 0, 0
    for order, (_, rows) in enumerate(_coefficients(experiments, free, _POINTS, 2 * reach + 1)):
        spaces = [reduced(np.vstack([space, own]))[0] for space, own in zip(spaces, rows, strict=True)]
        if max(map(len, spaces)) > rank:
            rank, last = max(map(len, spaces)), order
        if rank == len(free) or order >= max(reach, 2 * last):
            break
    best = max(spaces, key=len)
    groups = _groups(null_space(best))
    together: list[Together] = []
    if groups:
        together = _explained(experiments, free, groups, rank, last + 1)
    dependent = {name for group in together for name in group.parameters}
    return Structural(
        free=free,
        observables=observables,
        identifiable=tuple(name for name in free if name not in dependent),
        together=tuple(together),
        rank=rank,
        order=last,
        searched=order,
    )


_Experiment = tuple[Expr, System, tuple[str, int] | None]


def _coefficients(
    experiments: Sequence[_Experiment], free: Sequence[str], points: int, orders: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """For each order, values of the parameters [point, parameter] and derivatives [point, row, parameter]."""
    numbers = np.arange(points, dtype=np.int64)
    while True:
        series: list[Series] = []
        for start, system, dose in experiments:
            last = series[-1].points if series else numbers
            series.append(Series(system, free, last, start=start, dose=dose, orders=orders))
        # What is seen without any dose: the baseline.
        series.append(Series(experiments[0][1], free, series[-1].points, orders=1))
        if all(np.array_equal(one.points, numbers) for one in series):
            break
        # An experiment needed other points, at which all must then be done.
        numbers = series[-1].points
    for order in range(orders):
        looked_at = series if order == 0 else series[:-1]
        yield (
            series[0].parameters(free),
            np.concatenate([one.advance()[:, :, 1:] for one in looked_at], axis=1),
        )


def _check(system: System, free: Sequence[str], observables: Sequence[str], doses: Sequence[str]) -> None:
    for noun, names, known in (
        ("parameter", free, system.parameters),
        ("observable", observables, system.observables),
        ("route", doses, system.routes),
    ):
        for name in names:
            if name not in known:
                raise InputError(
                    f"the model has no {noun} `{name}`",
                    code="identifiability.name",
                    expected=f"one of {', '.join(sorted(known))}" if known else f"no {noun}: the model has none",
                    advice=did_you_mean(name, known),
                )


def _groups(null: IntArray) -> list[list[int]]:
    """Columns that hang together: no vector of a reduced basis reaches from one group into another."""
    groups: list[set[int]] = []
    for row in null:
        own = set(np.flatnonzero(row).tolist())
        for other in [group for group in groups if group & own]:
            own |= other
            groups.remove(other)
        groups.append(own)
    return sorted(sorted(group) for group in groups)


def _explained(
    experiments: Sequence[_Experiment], free: Sequence[str], groups: Sequence[Sequence[int]], rank: int, orders: int
) -> list[Together]:
    """What can be learned of each group, from as many points as tell a law from a coincidence."""
    points = 1 + max(map(len, groups))
    found_at = list(_coefficients(experiments, free, points, orders))
    values = found_at[0][0]
    spaces = [reduced(rows)[0] for rows in np.concatenate([rows for _, rows in found_at], axis=1)]
    lucky = [point for point, space in enumerate(spaces) if len(space) == rank]
    found = []
    for group in groups:
        null = [reduced(null_space(spaces[point])[:, group])[0] for point in lucky]
        names = [free[column] for column in group]
        functions = _functions(names, values[lucky][:, group], null)
        found.append(Together(tuple(names), functions, len(group) - len(null[0]) - len(functions)))
    return found


def _functions(names: Sequence[str], values: IntArray, null: Sequence[IntArray]) -> tuple[str, ...]:
    """Independent combinations, in words, that no vector of the null spaces [point][vector, parameter] changes.

    A sum does not change if the same small multiples of the changes of its terms cancel at every point; a product, if
    those of the logarithms of its factors do.
    """
    wanted = len(names) - len(null[0])
    space = np.zeros((0, len(names)), dtype=np.int64)
    found: list[str] = []
    for form in _forms(len(names)):
        if len(found) == wanted:
            break
        slopes = np.stack([_slopes(factors, values[:, column]) for column, factors in enumerate(form)], axis=1)
        changes = np.vstack([own * slope % PRIME for own, slope in zip(null, slopes, strict=True)])
        for vector in _simple(null_space(changes)):
            direction = np.array([part % PRIME for part in vector]) * slopes[0] % PRIME
            grown = reduced(np.vstack([space, direction]))[0]
            if len(grown) > len(space):
                space = grown
                found.append(_text(names, form, vector))
    return tuple(found)


_Factors = tuple[int, int, int]
"""Powers of a parameter, of 1 minus it and of 1 plus it; all zero for the parameter as the term of a sum."""

_PLAIN: _Factors = (1, 0, 0)
_OTHERS: tuple[_Factors, ...] = ((0, 1, 0), (0, 0, 1), (1, -1, 0), (1, 0, -1))
_TERM: _Factors = (0, 0, 0)


def _forms(count: int) -> Iterator[tuple[_Factors, ...]]:
    """How parameters may enter a combination, the simplest first: up to two of them otherwise than by themselves."""
    yield (_PLAIN,) * count
    yield (_TERM,) * count
    for several in (1, 2):
        for columns in itertools.combinations(range(count), several):
            for others in itertools.product(_OTHERS, repeat=several):
                place = dict(zip(columns, others, strict=True))
                yield tuple(place.get(column, _PLAIN) for column in range(count))


def _slopes(factors: _Factors, values: IntArray) -> IntArray:
    """Derivative [point] of the logarithm of a parameter's factors, or of the parameter as a term."""
    if factors == _TERM:
        return np.ones_like(values)
    own, minus, plus = (inverse(base[:, None])[:, 0] for base in (values, values - 1, values + 1))
    slopes: IntArray = (factors[0] * own + factors[1] * minus + factors[2] * plus) % PRIME
    return slopes


def _simple(basis: IntArray) -> list[tuple[int, ...]]:
    """Vectors of a space with small whole entries, those with fewest entries first."""
    found = set()
    for shift in range(basis.shape[1]):
        order = np.roll(np.arange(basis.shape[1]), shift)
        for row in reduced(basis[:, order])[0]:
            entries = [fraction(int(value)) for value in row[np.argsort(order)]]
            parts = [entry for entry in entries if entry is not None]
            if len(parts) == len(entries):
                found.add(_whole(parts))
    return sorted(found, key=_plainness)


def _plainness(vector: tuple[int, ...]) -> tuple[int, int, list[int]]:
    places = [place for place, part in enumerate(vector) if part]
    return len(places), sum(map(abs, vector)), places


def _whole(entries: Sequence[Fraction]) -> tuple[int, ...]:
    """Entries times what makes them whole, with more above the line than below it, or else the first above."""
    scale = lcm(*(entry.denominator for entry in entries))
    vector = [int(entry * scale) for entry in entries]
    above = sum(part > 0 for part in vector) - sum(part < 0 for part in vector)
    first = next(part for part in vector if part)
    return tuple(-part if above < 0 or (above == 0 and first < 0) else part for part in vector)


def _text(names: Sequence[str], form: Sequence[_Factors], vector: Sequence[int]) -> str:
    if form[0] == _TERM:
        return _sum(names, vector)
    above: list[str] = []
    below: list[str] = []
    for name, factors, power in zip(names, form, vector, strict=True):
        for base, factor in zip((name, f"(1 - {name})", f"(1 + {name})"), factors, strict=True):
            side = above if power * factor > 0 else below
            side += [base if abs(power) == 1 else f"{base}^{abs(power)}"] * abs(factor) if power else []
    text = "·".join(above) or "1"
    if below:
        text += f"/{below[0]}" if len(below) == 1 else f"/({'·'.join(below)})"
    return text


def _sum(names: Sequence[str], vector: Sequence[int]) -> str:
    text = ""
    for name, factor in zip(names, vector, strict=True):
        if factor:
            sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
            text += sign + (name if abs(factor) == 1 else f"{abs(factor)}·{name}")
    return text


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
