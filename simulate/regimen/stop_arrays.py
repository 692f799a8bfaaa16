"""Doses, resets and steady states as arrays of stops of the solver, for patients who are given the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from simulate.regimen.timetable import Doses, Steady, Timetable
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.problem import StopKind


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Stops in order, each column of shape [stop]; ``dose`` is the dose of each, -1 for none."""

    time: FloatArray
    kind: IntArray
    route: IntArray
    amount: FloatArray
    dose: IntArray

    def of(self, chosen: npt.NDArray[np.bool_] | IntArray) -> Stops:
        """Some of the stops."""
        return Stops(*(getattr(self, column.name)[chosen] for column in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Stops]) -> Stops:
        """Stops of several kinds, in the order in which they take effect."""
        whole = Stops(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))
        return whole.of(np.lexsort((whole.dose, whole.amount, whole.route, whole.kind, whole.time)))


def stops_of(table: Timetable, doses: Doses) -> Stops:
    """Stops of doses, given the first cut after each was given: what has not entered by then never will."""
    cut, is_reset = _next_cuts(table, doses.time)
    enters = doses.begin < cut
    number = np.arange(len(doses))
    infused = doses.end > doses.begin
    at_once = enters & ~infused
    begun = enters & infused
    ended = begun & ((doses.end < cut) | ~is_reset)
    return Stops.joined(
        [
            _stops(table.resets, StopKind.RESET),
            _stops(doses.begin[at_once], StopKind.BOLUS, doses.route[at_once], doses.amount[at_once], number[at_once]),
            _stops(doses.begin[begun], StopKind.RATE, doses.route[begun], doses.rate[begun], number[begun]),
            _stops(
                np.minimum(doses.end, cut)[ended], StopKind.RATE, doses.route[ended], -doses.rate[ended], number[ended]
            ),
        ]
    )


def under_way(table: Timetable, steady: Steady, share: float, rate: float) -> Doses:
    """Doses of a train that end after its next is due, as doses; at a rate, in the unit of the route a day."""
    rows = steady.under_way(share)
    given, begin, end = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 3
    size = len(rows)
    return Doses(
        time=np.maximum(given, float(steady.time)),
        route=np.full(size, steady.route),
        amount=np.full(size, float(steady.amount)),
        duration=end - begin,
        lag=np.zeros(size),
        missing=np.zeros(size),
        begin=begin,
        end=end,
        rate=np.full(size, rate),
        rated=np.zeros(size, dtype=np.bool_),
    )


def _stops(
    times: FloatArray,
    kind: StopKind,
    routes: IntArray | None = None,
    amounts: FloatArray | None = None,
    doses: IntArray | None = None,
) -> Stops:
    size = len(times)
    return Stops(
        time=np.asarray(times, dtype=np.float64),
        kind=np.full(size, int(kind)),
        route=np.zeros(size, dtype=np.int64) if routes is None else np.asarray(routes, dtype=np.int64),
        amount=np.zeros(size) if amounts is None else np.asarray(amounts, dtype=np.float64),
        dose=np.full(size, -1) if doses is None else np.asarray(doses, dtype=np.int64),
    )


def state_stops(time: float, kind: StopKind, values: Sequence[tuple[int, float]]) -> Stops:
    """Stops at which states are set or added to."""
    return _stops(
        np.full(len(values), time),
        kind,
        np.array([state for state, _ in values], dtype=np.int64),
        np.array([value for _, value in values]),
    )


def _next_cuts(table: Timetable, times: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """The first cut after each time, infinite where there is none, and whether it is a reset."""
    place = np.searchsorted(table.cuts, times, side="right")
    return np.append(table.cuts, np.inf)[place], np.append(table.is_reset, False)[place]
