"""The least value of a function near a point, between bounds, by damped Newton steps with a curvature that is given.

The curvature is that of a sum of squares, or any other that is not negative (K. Levenberg, Q. Appl. Math. 2 (1944) 164;
the damping is that of H. B. Nielsen, IMM-REP-1999-05). A coordinate at a bound, beyond which the function would fall,
stays there; a step that passes a bound ends at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulate.streams import FloatArray

_FIRST_DAMPING = 1e-3
_MOST_DAMPING = 1e12
_LEAST_CURVATURE = 1e-8


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
        Why it ended: ``gradient`` and ``flat`` are a minimum as far as can be told, ``damping`` is a step that no
        longer gets anywhere, ``steps`` the limit.
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


def descend(
    value: Callable[[FloatArray], float],
    slope: Callable[[FloatArray], Slope],
    start: FloatArray,
    bounds: FloatArray,
    *,
    most_steps: int = 200,
    tolerance: float = 1e-9,
) -> Descent:
    """Go down from a point.

    Parameters
    ----------
    value
        The function; infinite or not a number where it has no value.
    slope
        The function with its gradient and curvature, asked for where a step has ended; a step to where they are not
        finite is not taken.
    start
        Where to begin, shape [coordinate]; the function is finite there.
    bounds
        Shape [coordinate, 2].
    most_steps
        Limit of steps.
    tolerance
        The decrease, in units of the function, below which three steps in a row are the last; and the one that the
        gradient and the curvature must promise.
    """
    low, high = bounds[:, 0], bounds[:, 1]
    point = np.clip(np.asarray(start, dtype=np.float64), low, high)
    here = slope(point)
    damping, growth = _FIRST_DAMPING, 2.0
    evaluations, steps, small = 1, 0, 0
    ended = "steps"
    while steps < most_steps:
        free = ~(((point <= low) & (here.gradient > 0.0)) | ((point >= high) & (here.gradient < 0.0)))
        step = _step(here, free, damping)
        moved = np.clip(point + step, low, high)
        step = moved - point
        promised = -float(here.gradient @ step + 0.5 * step @ here.curvature @ step)
        if not free.any() or not step.any() or (0.0 <= promised <= tolerance and damping <= 1.0):
            ended = "gradient"
            break
        found = value(moved)
        evaluations += 1
        gained = here.value - found
        there = slope(moved) if promised > 0.0 and gained > 0.0 else None
        if there is not None and _is_finite(there):
            point, here, steps = moved, there, steps + 1
            damping = max(damping * max(1.0 / 3.0, 1.0 - (2.0 * gained / promised - 1.0) ** 3), 1e-15)
            growth = 2.0
            small = small + 1 if gained <= tolerance else 0
            if small == 3:
                ended = "flat"
                break
            continue
        damping, growth = damping * growth, growth * 2.0
        if damping > _MOST_DAMPING:
            ended = "damping"
            break
    return Descent(point, here.value, here, steps, evaluations, ended)


def _is_finite(there: Slope) -> bool:
    return bool(np.isfinite(there.gradient).all() and np.isfinite(there.curvature).all())


def _step(here: Slope, free: np.ndarray[tuple[int], np.dtype[np.bool_]], damping: float) -> FloatArray:
    """Damped step of the coordinates that are free."""
    step = np.zeros(len(here.gradient))
    if free.any():
        curvature = here.curvature[np.ix_(free, free)]
        diagonal = np.diag(curvature)
        size = np.maximum(diagonal, _LEAST_CURVATURE * max(float(diagonal.max()), 1e-300))
        # In units in which the diagonal is 1, so that the scales of coordinates do not matter.
        root = np.sqrt(size)
        matrix = curvature / np.outer(root, root) + damping * np.eye(len(root))
        step[free] = -np.linalg.lstsq(matrix, here.gradient[free] / root, rcond=None)[0] / root
    return step
