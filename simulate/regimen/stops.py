"""From prescriptions to the stops of the solver, for each member of a cohort.

Missed doses belong to a member: the scheduled doses of a plan are numbered in the order of time, and dose ``k`` of a
member is missed if number ``k`` of the member's own random stream is below the probability. Member 7 therefore misses
the same doses in any cohort and in every arm with the same timetable, and whoever misses a dose at 10 % misses it
at 20 % too.

How much of a dose arrives may vary from dose to dose: dose ``k`` of a member is multiplied by exp(σ η), where η is
standard normal number ``k`` of another stream of the member, with the same consequences. A missed dose keeps its
number, so missing it changes no other dose.

Doses that were always given (a steady state) are the usual ones of the patient: none of them was missed, the usual
amount arrived, and the kinetics were those that the patient usually has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError
from simulate.regimen.doses import Dose, Plan, Regimen, check_not_negative
from simulate.regimen.steady import Kinetics
from simulate.regimen.stop_arrays import Stops, state_stops, stops_of, under_way
from simulate.regimen.timetable import Doses, Timetable, route_index, timetable_of
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Schedule, StopKind
from simulate.streams import normals, stream
from simulate.symbolic.parts import Route


def _given(doses: Doses, seed: int, member: int) -> npt.NDArray[np.bool_]:
    """Which doses a member does not miss, shape [dose]."""
    if not doses.missing.any():
        return np.ones(len(doses), dtype=np.bool_)
    return stream(seed, "missed doses", member).random(len(doses)) >= doses.missing


def _arriving(doses: Doses, spreads: FloatArray, seed: int, members: Sequence[int]) -> FloatArray | None:
    """What arrives of each dose over what usually does, shape [member, dose]; None where that never varies.

    ``spreads`` has a standard deviation of the logarithm for each route.
    """
    of_doses = spreads[doses.route] if len(doses) else np.zeros(0)
    if not of_doses.any():
        return None
    logs = of_doses * normals(seed, "between doses", members, len(doses))
    # One by one: a vector exponential may differ in the last bit between the middle and the end of an array.
    return np.array([math.exp(value) for value in logs.ravel().tolist()]).reshape(logs.shape)


def realize(
    plan: Plan,
    routes: Sequence[Route],
    *,
    horizon: float | None = None,
    seed: int = 0,
    member: int = 0,
    between_doses: Mapping[str, float] | None = None,
) -> Regimen:
    """Explicit doses of one member, in the units of the routes.

    What a steady state stands for is not among them, and infusions take as long as if all of them arrived.

    Parameters
    ----------
    plan
        Prescription.
    routes
        Routes of the model.
    horizon
        End of the simulation, days; a dose at it is given. None if every course of the plan has an end of its own.
    seed, member
        Key of the missed doses and of what arrives of each dose.
    between_doses
        As for `compile_schedule`.

    Raises
    ------
    InputError
        ``regimen.route``, ``regimen.unit``, ``regimen.endless`` or ``regimen.too-many``.
    """
    table = timetable_of(plan, routes, horizon)
    doses = table.doses
    given = _given(doses, seed, member)
    factors = _arriving(doses, _spreads(between_doses, routes), seed, [member])
    amounts = doses.amount if factors is None else doses.amount * factors[0]
    columns = (doses.time, doses.route, amounts, doses.duration, doses.lag)
    rows = zip(*(column[given].tolist() for column in columns), strict=True)
    return Regimen(
        tuple(Dose(time, routes[route].name, amount, duration, lag) for time, route, amount, duration, lag in rows),
        tuple(table.resets.tolist()),
    )


def compile_schedule(
    plans: Sequence[Plan | Regimen],
    routes: Sequence[Route],
    *,
    members: Sequence[int] | None = None,
    seed: int = 0,
    horizon: float | None = None,
    between_doses: Mapping[str, float] | None = None,
    kinetics: Kinetics | None = None,
) -> Schedule:
    """Stops of all members; the order of courses and doses is irrelevant, and so are the units they are written in.

    Parameters
    ----------
    plans
        One prescription, or one list of explicit doses, per member.
    routes
        Routes of the model, in its order.
    members
        Numbers of the members, which key the missed doses and what arrives of each; 0, 1, 2 ... if not given.
    seed
        Seed of both.
    horizon
        End of the simulation, days; doses after it are left out. None if every course has an end of its own.
    between_doses
        By route, the standard deviation of the logarithm of how much of a dose arrives, from dose to dose of a
        patient; 0 for a route that is not there. The median dose arrives as it is.
    kinetics
        The model with the parameters of the same members; needed for steady states, and for infusions whose rate is set
        where bioavailability is not 1.

    Raises
    ------
    InputError
        ``regimen.route``, ``regimen.unit``, ``regimen.endless``, ``regimen.too-many``, ``regimen.conflict``,
        ``regimen.steady``; ``regimen.kinetics`` where these are needed.
    """
    numbers = range(len(plans)) if members is None else members
    spreads = _spreads(between_doses, routes)
    # Of doses that are the same for everybody only the stops are kept.
    timetables: dict[Plan | Regimen, tuple[Timetable | None, Stops, list[int]]] = {}
    stops: list[Stops] = []
    known: Plan | Regimen | None = None
    if len(plans) != len(numbers):
        raise ValueError(f"{len(plans)} plans for {len(numbers)} members")
    for row, plan in enumerate(plans):
        # Neighbors mostly share one plan, and to hash a plan takes longer than all else that is done for a member.
        if plan is not known:
            if plan not in timetables:
                made = timetable_of(plan, routes, horizon)
                timetables[plan] = (made if _differs(made, spreads) else None, stops_of(made, made.doses), [])
            _, usual, rows = timetables[plan]
            known = plan
        stops.append(usual)
        rows.append(row)
    if not stops:
        return Schedule.empty(0)
    for table, usual, rows in timetables.values():
        if table is not None:
            arriving = _arriving(table.doses, spreads, seed, [numbers[row] for row in rows])
            for place, row in enumerate(rows):
                factors = None if arriving is None else arriving[place]
                stops[row] = _stops_of_row(table, usual, routes, kinetics, row, factors, numbers[row])
                if table.doses.missing.any():
                    # A reset, dose -1, takes place whoever misses what, and so do doses of a train.
                    given = np.append(_given(table.doses, seed, numbers[row]), True)
                    stops[row] = stops[row].of(given[np.minimum(stops[row].dose, len(given) - 1)])
    kinds = np.concatenate([one.kind for one in stops])
    return Schedule(
        offsets=np.cumsum([0, *(len(one.time) for one in stops)], dtype=np.int64),
        times=np.concatenate([one.time for one in stops]),
        kinds=kinds,
        routes=np.concatenate([one.route for one in stops]),
        amounts=np.concatenate([one.amount for one in stops]),
        infusions=np.where(kinds == StopKind.RATE, np.concatenate([one.dose for one in stops]), -1),
    )


def _differs(table: Timetable, spreads: FloatArray) -> bool:
    """Whether the doses of a plan may differ between its members."""
    doses = table.doses
    varies = bool(doses.missing.any() or doses.rated.any() or spreads[doses.route].any())
    return varies or bool(table.steady)


def _stops_of_row(
    table: Timetable,
    usual: Stops,
    routes: Sequence[Route],
    kinetics: Kinetics | None,
    row: int,
    factors: FloatArray | None,
    member: int,
) -> Stops:
    """Stops of a member, none missed; ``usual`` are those of its plan."""
    rated = {*table.doses.route[table.doses.rated].tolist()}
    part = {route for route in rated if routes[route].gain != 1}
    if not part and not table.steady and (not rated or factors is None):
        return usual if factors is None else replace(usual, amount=usual.amount * np.append(factors, 1.0)[usual.dose])
    if kinetics is None and (part or table.steady):
        raise _no_kinetics()
    shares = {route: kinetics.fraction(route, row) for route in part} if kinetics else {}
    try:
        return _stops_of_member(table, kinetics, row, shares, factors)
    except InputError as error:
        error.found = error.found or f"patient {member}"
        raise


def _stops_of_member(
    table: Timetable, kinetics: Kinetics | None, row: int, shares: Mapping[int, float], factors: FloatArray | None
) -> Stops:
    """Stops of a member for whom they depend on the member's own kinetics, none missed.

    ``shares`` are what arrives of a dose by the routes by which it is not all.
    """
    doses = table.doses
    arriving = np.ones(len(doses)) if factors is None else factors
    share = np.array([shares.get(route, 1.0) for route in doses.route.tolist()])
    # What arrives of a dose at a set rate decides how long it takes: in the body the rate is what was set.
    longer = np.where(doses.rated, share * arriving, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(doses.rated, doses.rate / share, doses.rate * arriving)
    own = replace(
        doses,
        amount=doses.amount * arriving,
        end=np.where(longer == 1.0, doses.end, doses.begin + doses.duration * longer),
        rate=rate,
    )
    parts = [stops_of(table, own)]
    number = len(doses)
    for steady in table.steady:
        assert kinetics is not None
        scale = kinetics.fraction(steady.route, row) if steady.rated else 1.0
        time, amount = float(steady.time), float(steady.amount)
        if steady.endless and scale:
            # The rate in the body is what was set, and never ends: what does not arrive is given on top.
            amount, scale = amount / scale, 1.0
        if steady.replaces:
            parts.append(state_stops(time, StopKind.SET, kinetics.emptied(row)))
        if scale == 0.0:
            continue
        duration = float(steady.duration) * scale
        left = kinetics.left(steady.route, row, every=steady.every, lag=steady.lag, duration=duration)
        parts.append(state_stops(time, StopKind.ADD, [(state, amount * value) for state, value in left]))
        late = under_way(table, steady, scale, amount / duration if duration else np.inf)
        begun = stops_of(replace(table, resets=np.zeros(0)), late)
        parts.append(replace(begun, dose=np.where(begun.dose < 0, -1, begun.dose + number)))
        number += len(late)
    return Stops.joined(parts)


def _no_kinetics() -> InputError:
    return InputError(
        "steady states and infusions at a set rate depend on the kinetics of each patient",
        code="regimen.kinetics",
        expected="`kinetics=Kinetics(model, parameters)`, as `simulate_cohort` gives",
    )


def _spreads(between_doses: Mapping[str, float] | None, routes: Sequence[Route]) -> FloatArray:
    """Standard deviation of the logarithm of what arrives, shape [route]."""
    spreads = np.zeros(len(routes))
    for name, spread in (between_doses or {}).items():
        check_not_negative(f"the spread between doses of route `{name}`", spread)
        spreads[route_index(name, routes)] = spread
    return spreads
