"""The least value of a function near a point, between bounds, by damped Newton steps with a curvature that is given.

The curvature is that of a sum of squares, or any other that is not negative (K. Levenberg, Q. Appl. Math. 2 (1944) 164;
the damping is that of H. B. Nielsen, IMM-REP-1999-05). A coordinate at a bound, beyond which the function would fall,
stays there; one whose step would pass a bound ends at it, and the others take that into account.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from simulate.streams import FloatArray

MOST_STEPS, TOLERANCE = 400, 1e-9
_LONG, _LITTLE = 50, 1e-3
"""Steps that end a descent if together they gain less than so much, in units of the function."""
_FIRST_DAMPING = 1e-3
_MOST_DAMPING = 1e12
_LEAST_CURVATURE = 1e-8
_NOTHING = np.empty(0)


class Slope(NamedTuple):
    """A function at a point: its value, gradient [coordinate], and curvature [coordinate, coordinate]."""

    value: float
    gradient: FloatArray
    curvature: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Where a descent ended.

    Attributes
    ----------
    point, value
        The lowest point that was found, and the function there.
    slope
        The function there, with its curvature.
    steps, evaluations
        Steps that were taken, and points that were asked for.
    ended
        Why it ended: ``gradient`` and ``flat`` are a minimum as far as can be told, ``slow`` is fifty steps that
        gained next to nothing, ``damping`` a step that no longer gets anywhere, ``steps`` the limit, ``undefined`` a
        beginning that has no value, gradient or curvature.
    """

    point: FloatArray
    value: float
    slope: Slope
    steps: int
    evaluations: int
    ended: str

    @property
    def converged(self) -> bool:
        """Whether it ended where no way down was left."""
        return self.ended in ("gradient", "flat")


class Probe(NamedTuple):
    """A request of a descent: the function at a point, and whether with gradient and curvature."""

    point: FloatArray
    with_slope: bool


Name = TypeVar("Name")
Descending = Generator[Probe, Any, Descent]
"""A descent under way: it asks, is sent the answer, and returns where it ended."""


def descend(
    value: Callable[[FloatArray], float],
    slope: Callable[[FloatArray], Slope],
    start: FloatArray,
    bounds: FloatArray,
    *,
    most_steps: int = MOST_STEPS,
    tolerance: float = TOLERANCE,
) -> Descent:
    """Go down from a point.

    Parameters
    ----------
    value
        The function; infinite or not a number where it has no value.
    slope
        The function with its gradient and curvature, asked for where a step has ended; a step to where they are not
        finite is not taken.
    start, bounds, most_steps, tolerance
        As for `descending`.
    """
    one = {0: descending(start, bounds, most_steps=most_steps, tolerance=tolerance)}
    ((_, found),) = together(one, lambda points: [value(points[0])], lambda points: [slope(points[0])])
    return found


def together(
    descents: Mapping[Name, Descending],
    values: Callable[[FloatArray], Sequence[float]],
    slopes: Callable[[FloatArray], Sequence[Slope]],
) -> Iterator[tuple[Name, Descent]]:
    """Let several descents go down side by side, and tell each that has ended by its name.

    Parameters
    ----------
    descents
        Descents that have not begun.
    values, slopes
        The function at several points, shape [point, coordinate], as for `descend`. An answer must not depend on the
        other points; then where a descent ends does not depend on the other descents.
    """
    asked: dict[Name, Probe] = {}
    answers: dict[Name, Slope | None] = dict.fromkeys(descents)
    while answers:
        for number, answer in answers.items():
            try:
                asked[number] = descents[number].send(answer)
            except StopIteration as ended:
                asked.pop(number, None)
                yield number, ended.value
        answers = {}
        plain = [number for number, one in asked.items() if not one.with_slope]
        steep = [number for number, one in asked.items() if one.with_slope]
        if plain:
            found = values(np.array([asked[number].point for number in plain]))
            answers |= {number: Slope(own, _NOTHING, _NOTHING) for number, own in zip(plain, found, strict=True)}
        if steep:
            answers |= zip(steep, slopes(np.array([asked[number].point for number in steep])), strict=True)


def descending(
    start: FloatArray, bounds: FloatArray, *, most_steps: int = MOST_STEPS, tolerance: float = TOLERANCE
) -> Descending:
    """Go down from a point.

    Parameters
    ----------
    start
        Where to begin, shape [coordinate].
    bounds
        Shape [coordinate, 2].
    most_steps
        Limit of steps.
    tolerance
        The decrease, in units of the function, below which three steps in a row are the last; and the one that the
        gradient and the curvature must promise.
    """
    point = np.clip(np.asarray(start, dtype=np.float64), bounds[:, 0], bounds[:, 1])
    here = yield Probe(point, True)
    before = here.value
    damping, growth = _FIRST_DAMPING, 2.0
    evaluations, steps, small = 1, 0, 0
    ended = "steps"
    if not _is_finite(here):
        return Descent(point, here.value, here, steps, evaluations, "undefined")
    while steps < most_steps:
        moved = _moved(here, point, bounds, damping)
        step = moved - point
        promised = -float(here.gradient @ step + 0.5 * step @ here.curvature @ step)
        if not step.any() or (0.0 <= promised <= tolerance and damping <= 1.0):
            ended = "gradient"
            break
        found = yield Probe(moved, False)
        evaluations += 1
        gained = here.value - found.value
        there = (yield Probe(moved, True)) if promised > 0.0 and gained > 0.0 else None
        if there is not None and _is_finite(there):
            point, here, steps = moved, there, steps + 1
            damping = max(damping * max(1.0 / 3.0, 1.0 - (2.0 * gained / promised - 1.0) ** 3), 1e-15)
            growth = 2.0
            small = small + 1 if gained <= tolerance else 0
            is_idle = steps % _LONG == 0 and before - here.value < _LITTLE
            if small == 3 or is_idle:
                ended = "flat" if small == 3 else "slow"
                break
            before = here.value if steps % _LONG == 0 else before
            continue
        damping, growth = damping * growth, growth * 2.0
        if damping > _MOST_DAMPING:
            ended = "damping"
            break
    return Descent(point, here.value, here, steps, evaluations, ended)


def _is_finite(there: Slope) -> bool:
    return bool(np.isfinite(there.value) and np.isfinite(there.gradient).all() and np.isfinite(there.curvature).all())


def _moved(here: Slope, point: FloatArray, bounds: FloatArray, damping: float) -> FloatArray:
    """Where a damped step leads: what would pass a bound ends at it, and the others go where that leaves them best."""
    low, high = bounds[:, 0], bounds[:, 1]
    free = ~(((point <= low) & (here.gradient > 0.0)) | ((point >= high) & (here.gradient < 0.0)))
    moved = point.copy()
    diagonal = np.diag(here.curvature)
    size = np.maximum(diagonal, _LEAST_CURVATURE * max(float(diagonal[free].max(initial=0.0)), 1e-300))
    # In units in which the diagonal is 1, so that the scales of coordinates do not matter.
    root = np.sqrt(size)
    matrix = here.curvature / np.outer(root, root) + damping * np.eye(len(root))
    while free.any():
        pull = here.gradient / root + matrix @ (root * (moved - point))
        step = -np.linalg.lstsq(matrix[np.ix_(free, free)], pull[free], rcond=None)[0] / root[free]
        whole = point.copy()
        whole[free] += step
        ended = np.clip(whole, low, high)
        passed = free & (ended != whole)
        moved[passed] = ended[passed]
        free &= ~passed
        if not passed.any():
            moved[free] = whole[free]
            break
    return moved
