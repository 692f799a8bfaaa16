"""What goes into a solve: tolerances and the schedule of stops."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError
from simulate.solver.kernel import FloatArray, IntArray

SMALLEST = 1e-13
"""Least relative tolerance: below it the rounding of single steps is as large as their error."""
RTOL, MAX_STEPS = 1e-6, 100_000
"""Relative tolerance, and attempts at steps before a member is given up, where nothing else is said."""
_SHARE = 1e-6
_RESOLVED = 4.0 * float(np.finfo(np.float64).eps)
_NOTHING = 1e-30


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Bound on the local error of a step: ``rtol * |state| + atol * scale``, in the root mean square over the states.

    The scale of a state is the largest that it has been so far in its own member; where it is zero and about to be fed,
    what it is about to become (`simulate.solver.scales`). So no result depends on the unit that a state is declared in.

    Attributes
    ----------
    rtol
        Share of a state's value, `SMALLEST` to 0.1.
    atol
        Share of a state's scale, from zero to ``rtol``; if not given, a millionth of ``rtol``, or what double precision
        resolves if that is more.
    """

    rtol: float = RTOL
    atol: float | None = None

    def __post_init__(self) -> None:
        if not SMALLEST <= self.rtol <= 0.1:
            raise InputError(
                f"the relative tolerance {self.rtol!r} is out of range",
                code="solver.tolerance",
                found=repr(self.rtol),
                expected=f"a number from {SMALLEST:g}, below which rounding decides, to 0.1",
            )
        if self.atol is not None and not 0.0 <= self.atol <= self.rtol:
            raise InputError(
                "the absolute tolerance, a share of each state's scale, is out of range",
                code="solver.tolerance",
                found=repr(self.atol),
                expected=f"a number from 0 to the relative tolerance, {self.rtol:g}",
                advice="leave it out: it then follows the relative tolerance",
            )

    @property
    def share(self) -> float:
        """Share of a state's scale: ``atol``, given or not, and never quite nothing."""
        return max(_SHARE * self.rtol, _RESOLVED) if self.atol is None else max(self.atol, _NOTHING)

    def allowed(self, values: FloatArray, scales: FloatArray) -> FloatArray:
        """Errors of values that are one tolerance, for states of such scales."""
        found: FloatArray = np.maximum(self.rtol * np.abs(values) + self.share * scales, np.finfo(np.float64).tiny)
        return found


class StopKind(enum.IntEnum):
    """What happens at a stop; stops at one time take effect in the order of these values."""

    VISIT = -4
    """The member is seen, before anything else happens at the time: rules that look at visits are judged by the state
    then, and what they change holds for the doses of that time. Route and amount mean nothing."""
    RESET = -3
    """Every state returns to the member's own initial value, and its infusions end; route and amount mean nothing.

    An infusion that a reset ends must have no end of its own later: the rate would fall below zero.
    """
    SET = -2
    """The state with the index in ``routes`` becomes the amount, in the unit of the state. Infusions go on."""
    ADD = -1
    """The amount, in the unit of the state, is added to the state with the index in ``routes``, as a dose is given."""
    BOLUS = 0
    """Amount times the gain of the route is added to the target at once."""
    RATE = 1
    """Amount, an administered quantity a day, is added to the infusion rate of the route; negative ends an infusion."""
    BREAK = 2
    """Nothing happens but that a step ends and the next begins anew. Route and amount mean nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The stops of all members in compressed rows: member ``m`` has stops ``offsets[m]`` to ``offsets[m + 1]``.

    Attributes
    ----------
    offsets
        Shape [member + 1], starting at 0.
    times
        Shape [stop], days; ascending within a member. Stops at one time take effect together, in the order of
        `StopKind`.
    kinds
        Shape [stop], values of `StopKind`.
    routes
        Shape [stop], index of the kernel's route; of its state for SET and ADD.
    amounts
        Shape [stop], in the administered unit of the route (BOLUS) or that unit a day (RATE).
    infusions
        Shape [stop]: a number that the beginning and the end of one infusion share, and no other infusion of the
        member; -1 for other stops. If not given, infusions with one rate by one route end in the order in which they
        began.
    """

    offsets: IntArray
    times: FloatArray
    kinds: IntArray
    routes: IntArray
    amounts: FloatArray
    infusions: IntArray | None = None

    @property
    def members(self) -> int:
        """Number of members."""
        return len(self.offsets) - 1

    def of(self, members: IntArray) -> Schedule:
        """Stops of some members, shape [member], in that order."""
        counts = np.diff(self.offsets)[members]
        stops = self.stops_of(members)
        return Schedule(
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            times=self.times[stops],
            kinds=self.kinds[stops],
            routes=self.routes[stops],
            amounts=self.amounts[stops],
            infusions=None if self.infusions is None else self.infusions[stops],
        )

    def stops_of(self, members: IntArray) -> IntArray:
        """Places of the stops of some members, one member after the other."""
        counts = np.diff(self.offsets)[members]
        ends = np.cumsum(counts)
        places: IntArray = np.arange(counts.sum()) + np.repeat(self.offsets[members] - (ends - counts), counts)
        return places

    @classmethod
    def empty(cls, members: int) -> Schedule:
        """No stops for any of ``members`` members."""
        return cls.from_rows([[] for _ in range(members)])

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[tuple[float, StopKind, int, float]]]) -> Schedule:
        """Schedule from one list of (time, kind, route, amount) per member; the order within a list is free."""
        ordered = [sorted(row) for row in rows]
        stops = [stop for row in ordered for stop in row]
        return cls(
            offsets=np.cumsum([0, *(len(row) for row in ordered)], dtype=np.int64),
            times=np.array([stop[0] for stop in stops], dtype=np.float64),
            kinds=np.array([int(stop[1]) for stop in stops], dtype=np.int64),
            routes=np.array([stop[2] for stop in stops], dtype=np.int64),
            amounts=np.array([stop[3] for stop in stops], dtype=np.float64),
        )
