"""Kinetics that differ between occasions of a patient, made of boluses at which factors change.

Time is cut into occasions of one length, the first of which begins at time 0. On occasion ``j`` a parameter is that of
the patient times exp(σ η), where η is standard normal number ``j`` of a stream of the member and the parameter alone:
a member has the same occasions in any cohort and in every arm, whatever is given or missed. The factor is a state of
the model; a bolus by the route ``occasion_<parameter>`` moves it from one occasion's value to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError, listed, not_among
from simulate.regimen.doses import check_not_negative
from simulate.solver.kernel import FloatArray, IntArray
from simulate.solver.problem import Schedule, StopKind
from simulate.streams import normals
from simulate.symbolic.parts import Route

PREFIX = "occasion_"
"""What the name of a route begins with that changes a parameter between occasions."""

MAX_OCCASIONS = 10_000
"""Most occasions of a member."""


@dataclass(frozen=True, slots=True)
class Occasions:
    """The spread of kinetics between occasions, and how long an occasion is.

    Attributes
    ----------
    spreads
        Parameters, and the standard deviation of the logarithm between occasions of a patient.
    length
        Of an occasion, days.
    """

    spreads: tuple[tuple[str, float], ...]
    length: float = 1.0

    def __post_init__(self) -> None:
        for name, spread in self.spreads:
            check_not_negative(f"the spread of `{name}` between occasions", spread)
        if not (math.isfinite(self.length) and self.length > 0.0):
            raise InputError(
                f"an occasion of {self.length!r} days has no length",
                code="regimen.value",
                expected="a finite number above 0",
            )


def parameters_on_occasions(routes: Sequence[Route]) -> tuple[str, ...]:
    """Parameters that a model lets change between occasions."""
    return tuple(route.name.removeprefix(PREFIX) for route in routes if route.name.startswith(PREFIX))


def factors_on_occasions(occasions: Occasions, parameter: str, seed: int, members: IntArray, count: int) -> FloatArray:
    """The first factors of a parameter, shape [member, occasion].

    Raises
    ------
    InputError
        ``regimen.occasions``: the parameter has no spread between occasions.
    """
    spreads = dict(occasions.spreads)
    if parameter not in spreads:
        raise InputError(
            f"`{parameter}` does not differ between occasions",
            code="regimen.occasions",
            expected=listed(spreads),
        )
    logs = spreads[parameter] * normals(seed, f"occasions of {parameter}", members, count)
    # One by one: a vector exponential may differ in the last bit between the middle and the end of an array.
    return np.array([math.exp(value) for value in logs.ravel().tolist()]).reshape(logs.shape)


def with_occasions(
    schedule: Schedule,
    routes: Sequence[Route],
    occasions: Occasions,
    *,
    members: Sequence[int],
    seed: int,
    horizon: float,
) -> Schedule:
    """A schedule with the changes of kinetics between occasions.

    Parameters
    ----------
    schedule
        Stops of all members.
    routes
        Routes of the model, in its order.
    occasions
        What differs between occasions, and how long these are.
    members
        Numbers of the members, which key their occasions.
    seed
        Seed of the factors.
    horizon
        End of the simulation, days; an occasion may begin at it.

    Raises
    ------
    InputError
        ``regimen.occasions``: the model does not let the parameter change, or there are too many occasions.
    """
    numbers = np.asarray(members, dtype=np.int64)
    count = math.floor(horizon / occasions.length) + 1
    if count > MAX_OCCASIONS:
        raise InputError(
            f"there would be {count} occasions",
            code="regimen.occasions",
            found=f"occasions of {occasions.length:g} d up to day {horizon:g}",
            expected=f"at most {MAX_OCCASIONS}",
            advice="longer occasions",
        )
    starts = occasions.length * np.arange(count)
    rows = np.repeat(np.arange(len(numbers)), np.diff(schedule.offsets))
    is_reset = schedule.kinds == StopKind.RESET
    reset_rows, reset_times = rows[is_reset], schedule.times[is_reset]
    of_stop, times, added, amounts = [rows], [schedule.times], [schedule.routes], [schedule.amounts]
    for name, spread in occasions.spreads:
        route = _route(name, routes)
        if not spread or not count:
            continue
        factors = factors_on_occasions(occasions, name, seed, numbers, count)
        changes = np.diff(factors, axis=1, prepend=1.0)
        # A reset has put the state back to 1: it moves to the factor of the occasion that it falls into.
        at = np.searchsorted(starts, reset_times, side="right") - 1
        again = factors[reset_rows, at] - 1.0
        begins = starts[at] == reset_times
        changes[reset_rows[begins], at[begins]] = again[begins]
        of_stop += [np.repeat(np.arange(len(numbers)), count), reset_rows[~begins]]
        times += [np.tile(starts, len(numbers)), reset_times[~begins]]
        amounts += [changes.ravel(), again[~begins]]
        added.append(np.full(len(numbers) * count + int((~begins).sum()), route))
    member, time = np.concatenate(of_stop), np.concatenate(times)
    kinds = np.concatenate([schedule.kinds, np.full(len(time) - len(rows), StopKind.BOLUS, dtype=np.int64)])
    order = np.lexsort((kinds, time, member))
    return Schedule(
        offsets=np.concatenate([[0], np.cumsum(np.bincount(member, minlength=len(numbers)))]).astype(np.int64),
        times=time[order],
        kinds=kinds[order],
        routes=np.concatenate(added)[order].astype(np.int64),
        amounts=np.concatenate(amounts)[order],
        infusions=None
        if schedule.infusions is None
        else np.append(schedule.infusions, np.full(len(time) - len(rows), -1))[order],
    )


def _route(parameter: str, routes: Sequence[Route]) -> int:
    known = parameters_on_occasions(routes)
    if parameter not in known:
        what = f"the model does not let `{parameter}` change between occasions"
        none = "no parameter: the model has no such route"
        raise not_among(what, parameter, known, code="regimen.occasions", none=none)
    return [route.name for route in routes].index(PREFIX + parameter)
