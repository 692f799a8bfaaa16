"""Profiles of a function with gradients: walks from an optimum, one coordinate held, the others minimized.

At each value of the held coordinate the others go down by `simulate.inference.descent`, from where the walk has led
them. A walk ends where the function has risen to a ceiling, at a bound, or where no further step can be made. The
ceiling is found by interpolation of the root of the rise, which is exact of a parabola, and a descent there. What a
descent finds is the least value near the walk: another valley may be lower, so that an interval may be too narrow but,
the optimum given, not too wide by more than the height at which a crossing counts as found.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulate.inference.descent import Slope, descend
from simulate.inference.profiles import THRESHOLD
from simulate.streams import FloatArray

CROSSED, BOUND, LOST = "crossed", "bound", "lost"
"""How a walk ends: at the ceiling, at a bound below it, or where no further step can be made."""

_NEAR = 0.001
"""Height from the ceiling at which its crossing is found."""
_FEW, _MANY, _FAR = 0.1, 0.6, THRESHOLD
"""Rises from one value to the next below which steps grow, and above which they shrink; and height above the ceiling
from which a step is repeated with a quarter of its length."""
_LEAST_STEP, _LONGEST_STEP = 1e-6, 0.1
"""Of the distance of the bounds."""
_MOST_VALUES, _MOST_INTERPOLATIONS = 60, 8
_TOLERANCE, _MOST_STEPS = 1e-5, 60
_RIDGE = 1e-8

Value = Callable[[FloatArray], float]
SlopeOf = Callable[[FloatArray], Slope]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Least values of a function over one coordinate, around an optimum.

    Attributes
    ----------
    coordinate
        Which.
    values, points
        Least values, and where, in the order of the coordinate, shape [place] and [place, coordinate].
    ends
        How the walk to the lower and that to the upper side ended.
    interval
        Where it crossed the ceiling; elsewhere the last value it came to.
    """

    coordinate: int
    values: FloatArray
    points: FloatArray
    ends: tuple[str, str]
    interval: tuple[float, float]


def walk(value: Value, slope: SlopeOf, start: FloatArray, coordinate: int, bounds: FloatArray, ceiling: float) -> Walk:
    """Walk from an optimum to both sides.

    Parameters
    ----------
    value, slope, bounds
        As for `simulate.inference.descent.descend`.
    start
        The optimum, below the ceiling.
    coordinate
        What is held.
    ceiling
        Value of the function at which a walk ends.
    """
    here = slope(start)
    best = _Place(float(start[coordinate]), here.value, start)
    first = _first_step(here, coordinate, bounds)
    sides = [_Side(value, slope, coordinate, bounds, ceiling, side) for side in (-1.0, 1.0)]
    found = [side.walked(best, first) for side in sides]
    places = [*reversed(found[0].places[1:]), *found[1].places]
    return Walk(
        coordinate,
        np.array([place.value for place in places]),
        np.array([place.point for place in places]),
        (found[0].end, found[1].end),
        (found[0].at, found[1].at),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A value of the held coordinate, the least value of the function there, and where."""

    held: float
    value: float
    point: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Walked:
    places: list[_Place]
    end: str
    at: float


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """A walk to one side."""

    value: Value
    slope: SlopeOf
    coordinate: int
    bounds: FloatArray
    ceiling: float
    side: float

    def walked(self, best: _Place, step: float) -> _Walked:
        low, high = self.bounds[self.coordinate]
        end, width = (low if self.side < 0.0 else high), high - low
        places = [best]
        while len(places) < _MOST_VALUES:
            last = places[-1]
            if last.held == end:
                return _Walked(places, BOUND, float(end))
            held = last.held + self.side * step
            held = float(end) if (end - held) * self.side < _LEAST_STEP * width else held
            place = self._at(held, places)
            if place is None or (place.value > self.ceiling + _FAR and step > 100.0 * _LEAST_STEP * width):
                step *= 0.25
                if step < _LEAST_STEP * width:
                    break
                continue
            if place.value > self.ceiling:
                crossing = self._crossing(last, place)
                if crossing is None:
                    # It ends before this place, but nothing is known of where.
                    return _Walked([*places, place], LOST, last.held)
                between = [] if crossing.held in (last.held, place.held) else [crossing]
                return _Walked([*places, *between, place], CROSSED, crossing.held)
            places.append(place)
            rise = place.value - last.value
            step *= 2.0 if rise < _FEW else 0.5 if rise > _MANY else 1.0
            step = min(step, _LONGEST_STEP * width)
        return _Walked(places, LOST, places[-1].held)

    def _at(self, held: float, places: list[_Place]) -> _Place | None:
        """The least value found at a value of the coordinate; None where the function has none."""
        guesses = [places[-1].point]
        if len(places) > 1:
            before, last = places[-2:]
            share = (held - last.held) / (last.held - before.held)
            guesses.append(last.point + share * (last.point - before.point))
        bounds = self.bounds.copy()
        bounds[self.coordinate] = held
        guesses = [np.clip(guess, bounds[:, 0], bounds[:, 1]) for guess in guesses]
        values = [self.value(guess) for guess in guesses]
        for place in np.argsort(values, kind="stable"):
            if not math.isfinite(values[place]):
                break
            begun = self.slope(guesses[place])
            if np.isfinite(begun.gradient).all() and np.isfinite(begun.curvature).all():
                found = descend(
                    self.value, self.slope, guesses[place], bounds, most_steps=_MOST_STEPS, tolerance=_TOLERANCE
                )
                return _Place(held, found.value, found.point)
        return None

    def _crossing(self, inside: _Place, outside: _Place) -> _Place | None:
        """The place nearest to the ceiling between one below and one above it; None where the function ends between."""
        floor = self.ceiling - THRESHOLD
        nearest = min((inside, outside), key=lambda place: abs(place.value - self.ceiling))
        for number in range(_MOST_INTERPOLATIONS):
            if abs(nearest.value - self.ceiling) <= _NEAR:
                break
            near, far = (math.sqrt(max(place.value - floor, 0.0)) for place in (inside, outside))
            # Every third time the middle, where interpolation keeps one end.
            share = 0.5 if number % 3 == 2 else (math.sqrt(THRESHOLD) - near) / (far - near)
            place = self._at(inside.held + share * (outside.held - inside.held), [inside])
            if place is None:
                return None
            inside, outside = (place, outside) if place.value <= self.ceiling else (inside, place)
            nearest = min((nearest, place), key=lambda place: abs(place.value - self.ceiling))
        return nearest


def _first_step(here: Slope, coordinate: int, bounds: FloatArray) -> float:
    """Half a standard deviation of the parabola, or a tenth of the distance of the bounds where that is less."""
    diagonal = np.diag(here.curvature)
    width = float(bounds[coordinate, 1] - bounds[coordinate, 0])
    longest = _LONGEST_STEP * width
    if not diagonal[coordinate] > 0.0:
        return longest
    root = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = here.curvature / np.outer(root, root) + _RIDGE * np.eye(len(root))
    scaled[diagonal <= 0.0, diagonal <= 0.0] = 1.0
    variance = float(np.linalg.inv(scaled)[coordinate, coordinate]) / float(diagonal[coordinate])
    return min(max(0.5 * math.sqrt(max(variance, 0.0)), 100.0 * _LEAST_STEP * width), longest)
