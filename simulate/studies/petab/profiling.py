"""Profiles of the sought parameters of a problem: how far each can go before likelihood times prior falls too much.

Each is walked from every optimum that starts have found within `simulate.inference.profiles.THRESHOLD` of the best
(`simulate.inference.walks`). Where a walk comes upon a better point than all starts, all begin anew from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from simulate.errors import InputError, counted, did_you_mean
from simulate.exchange.petab.upgrading import shortened
from simulate.inference.descent import Slope, descend
from simulate.inference.profiles import THRESHOLD
from simulate.inference.walks import CROSSED, LOST, Walk, walk
from simulate.solver.kernel import FloatArray
from simulate.studies.petab.fitting import PetabFit
from simulate.studies.petab.objective import Objective, scaled, unscaled
from simulate.studies.petab.outcomes import BOUNDED, FLAT, ONE_SIDED, SPLIT, ProblemProfiles, ProfiledParameter
from simulate.studies.petab.slopes import slopes_of, values_of

BETTER = 0.01
"""Logarithm by which a point is better than all starts, and profiles begin anew from it."""
_SAME = 0.05
"""Logarithm up to which an optimum that a walk from another one has passed is no other."""
_APART = 0.01
"""Share of the distance of the bounds by which optima are told apart."""
_MOST_OPTIMA, _MOST_BEGINNINGS = 4, 5


def profile_fit(
    objective: Objective,
    fit: PetabFit,
    *,
    names: Sequence[str] | None = None,
    told: Callable[[str], None] | None = None,
) -> ProblemProfiles:
    """Profile parameters of a problem that was fitted.

    Parameters
    ----------
    objective, fit
        The objective, and its fit.
    names
        Which parameters; all if not given.
    told
        Called with a line when a profile has ended.

    Raises
    ------
    InputError
        ``petab.profile``: no such parameter is sought.
    """
    sought = [parameter.id for parameter in objective.problem.estimated]
    chosen = chosen_places(objective, sought if names is None else names)
    asked = _Asked(objective)
    top = fit.log_likelihood + fit.log_prior
    bounds = objective.bounds()
    best, floor = fit.point, -top
    optima = _optima(objective, fit)
    walks: list[list[Walk]] = []
    for beginning in range(_MOST_BEGINNINGS):
        is_last = beginning == _MOST_BEGINNINGS - 1
        walks = []
        for place in chosen:
            walks.append(_walks(asked, optima, place, bounds, floor + THRESHOLD))
            lowest = min(walks[-1], key=lambda one: float(one.values.min()))
            if not is_last and lowest.values.min() < floor - BETTER:
                best, floor = asked.lowest(lowest.points[int(lowest.values.argmin())], bounds)
                optima = [best, *(point for point in optima if asked.value(point) <= floor + THRESHOLD)]
                _tell(told, f"a better point than all starts, log-posterior {-floor:.4f}: profiles begin anew")
                break
            _tell(
                told,
                f"profile {len(walks)} of {len(chosen)}, `{sought[place]}`: {counted(asked.count, 'point')} so far",
            )
        else:
            break
    floor = min([floor, *(float(one.values.min()) for own in walks for one in own)])
    return ProblemProfiles(
        parameters=tuple(_row(objective, own, place, best, floor) for own, place in zip(walks, chosen, strict=True)),
        names=tuple(sought),
        curves=tuple(_curve(objective, own, floor) for own in walks),
        point=best,
        gained=max(-floor - top, 0.0),
        evaluations=asked.count,
        differences=asked.differences,
    )


class _Asked:
    """What is minimized, with a count of what was asked; a point whose model fails otherwise has no value either."""

    def __init__(self, objective: Objective) -> None:
        self._values, self._slopes = values_of(objective), slopes_of(objective, told=self._differ)
        self.count = self.differences = 0

    def _differ(self, points: int) -> None:
        self.differences += points

    def value(self, point: FloatArray) -> float:
        self.count += 1
        return self._values(point[np.newaxis])[0]

    def slope(self, point: FloatArray) -> Slope:
        self.count += 1
        return self._slopes(point[np.newaxis])[0]

    def lowest(self, point: FloatArray, bounds: FloatArray) -> tuple[FloatArray, float]:
        """Where a descent in all coordinates ends."""
        found = descend(self.value, self.slope, point, bounds)
        return found.point, found.value


def _tell(told: Callable[[str], None] | None, line: str) -> None:
    if told is not None:
        told(line)


def chosen_places(objective: Objective, names: Sequence[str]) -> list[int]:
    """Places of parameters among those that are sought, each once.

    Raises
    ------
    InputError
        ``petab.profile``: no such parameter is sought.
    """
    sought = [parameter.id for parameter in objective.problem.estimated]
    for name in names:
        if name not in sought:
            raise InputError(
                f"no parameter `{name}` is sought",
                code="petab.profile",
                expected=shortened(sought),
                advice=did_you_mean(name, sought),
            )
    return [sought.index(name) for name in dict.fromkeys(names)]


def _optima(objective: Objective, fit: PetabFit) -> list[FloatArray]:
    """The best point, and ends of other starts that are as good by the threshold, each elsewhere than those before."""
    top = fit.log_likelihood + fit.log_prior
    bounds = objective.bounds()
    apart = _APART * (bounds[:, 1] - bounds[:, 0])
    found = [fit.point]
    for row in fit.starts:
        if row.log_posterior is None or row.log_posterior < top - THRESHOLD:
            continue
        point = np.array([scaled(row.values[one.id], one.scale) for one in objective.problem.estimated])
        if all(np.any(np.abs(point - other) > apart) for other in found):
            found.append(np.clip(point, bounds[:, 0], bounds[:, 1]))
    return found


def _walks(asked: _Asked, optima: Sequence[FloatArray], place: int, bounds: FloatArray, ceiling: float) -> list[Walk]:
    """Walks from optima, but for those at a value where a walk from another one has come as low."""
    found: list[Walk] = []
    for point in optima:
        if len(found) == _MOST_OPTIMA:
            break
        here = asked.value(point)
        if here < ceiling and not any(_passes(one, float(point[place]), here) for one in found):
            found.append(walk(asked.value, asked.slope, point, place, bounds, ceiling))
    return found


def _passes(one: Walk, held: float, value: float) -> bool:
    places = one.points[:, one.coordinate]
    return bool(places[0] <= held <= places[-1] and np.interp(held, places, one.values) <= value + _SAME)


def _row(objective: Objective, walks: Sequence[Walk], place: int, best: FloatArray, floor: float) -> ProfiledParameter:
    parameter = objective.problem.estimated[place]
    whole = _joined([(_end(one, 0), _end(one, 1)) for one in walks])
    ends = int(math.isinf(whole[0][0])) + int(math.isinf(whole[-1][1]))

    def told(value: float) -> float | None:
        return None if math.isinf(value) else unscaled(value, parameter.scale)

    return ProfiledParameter(
        name=parameter.id,
        scale=parameter.scale,
        verdict=SPLIT if len(whole) > 1 else (BOUNDED, ONE_SIDED, FLAT)[ends],
        estimate=unscaled(float(best[place]), parameter.scale),
        low=told(whole[0][0]),
        high=told(whole[-1][1]),
        drop=max(float(one.values.max()) for one in walks) - floor,
        parts=tuple((told(low), told(high)) for low, high in whole),
        lost=any(LOST in one.ends for one in walks),
    )


def _end(one: Walk, side: int) -> float:
    return one.interval[side] if one.ends[side] == CROSSED else (-math.inf, math.inf)[side]


def _joined(intervals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals that touch as one, in order."""
    found: list[tuple[float, float]] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _curve(objective: Objective, walks: Sequence[Walk], floor: float) -> tuple[FloatArray, FloatArray]:
    """Drops, and all parameters where they are, by the value of the one that is held; of several walks the lowest."""
    place = walks[0].coordinate
    points = np.concatenate([one.points for one in walks])
    drops = np.concatenate([one.values for one in walks]) - floor
    order = np.lexsort((drops, points[:, place]))
    kept = [
        row
        for row in order
        if all(
            drops[row]
            <= np.interp(points[row, place], one.points[:, place], one.values, np.inf, np.inf) - floor + _SAME
            for one in walks
        )
    ]
    scales = [one.scale for one in objective.problem.estimated]
    values = [[unscaled(float(value), scale) for value, scale in zip(points[row], scales, strict=True)] for row in kept]
    return drops[kept], np.array(values)
