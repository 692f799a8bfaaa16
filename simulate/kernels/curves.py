"""Curves of steady states in the space of states and one input: tangents, corrections, and places on a curve.

Lengths are measured in the sizes of the variables at a point, so that no result depends on units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.kernels.equilibria import applied, scaled_inverse
from simulate.kernels.vectorfield import VectorField
from simulate.solver.kernel import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

_CORRECTIONS = 8
_CONVERGED = 1e-11
_SEARCHES = 80
_SEARCHED = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The equations of the curves, one a lane; a point is a state and after it the value of the parameter."""

    field: VectorField
    inputs: FloatArray
    scale: FloatArray

    def sizes(self, points: FloatArray) -> FloatArray:
        """Sizes [lane, variable] in which lengths at the points are measured."""
        sizes = np.maximum(np.abs(points), self.scale)
        sizes[:, -1] = self.scale[-1]
        return sizes

    def inputs_at(self, lanes: IntArray, values: FloatArray) -> FloatArray:
        """Inputs of the lanes with the parameter at the values."""
        inputs = self.inputs[lanes]
        inputs[:, self.field.axis] = values
        return inputs

    def tangents(
        self, lanes: IntArray, points: FloatArray, sizes: FloatArray, forward: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Unit tangents in the given sizes, along ``forward``, and the determinants of curve and tangent."""
        slopes = self.field.slopes(points[:, :-1], self.inputs_at(lanes, points[:, -1])) * sizes[:, None, :]
        height = np.abs(slopes).max(axis=2, keepdims=True)
        slopes /= np.where(height == 0.0, 1.0, height)
        found = np.linalg.svd(slopes, full_matrices=True)[2][:, -1, :]
        found *= np.where((found * forward).sum(axis=1) < 0.0, -1.0, 1.0)[:, None]
        return found, np.linalg.det(np.concatenate([slopes, found[:, None, :]], axis=1))

    def corrected(
        self, lanes: IntArray, guesses: FloatArray, across: FloatArray, sizes: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Points of the curves in the planes through the guesses across the tangents, and whether they were reached."""
        points, reached, active = guesses.copy(), np.zeros(len(lanes), bool), np.ones(len(lanes), bool)
        for _ in range(_CORRECTIONS):
            (trying,) = np.nonzero(active)
            if not trying.size:
                break
            here, size = points[trying], sizes[trying]
            inputs = self.inputs_at(lanes[trying], here[:, -1])
            rates, slopes = self.field.rates(here[:, :-1], inputs), self.field.slopes(here[:, :-1], inputs)
            sound = np.isfinite(rates).all(axis=1) & np.isfinite(slopes).all(axis=(1, 2))
            active[trying[~sound]] = False
            trying, here, size = trying[sound], here[sound], size[sound]
            plane = across[trying] / size
            matrices = np.concatenate([slopes[sound], plane[:, None, :]], axis=1)
            off = ((here - guesses[trying]) * plane).sum(axis=1)
            steps = applied(scaled_inverse(matrices, size), np.hstack([rates[sound], off[:, None]]))
            points[trying] = here - steps
            reached[trying] = np.abs(steps / size).max(axis=1, initial=0.0) <= _CONVERGED
            active[trying] = ~reached[trying]
        return points, reached


def located(
    curves: Curves,
    lanes: IntArray,
    base: FloatArray,
    next_point: FloatArray,
    along: FloatArray,
    is_crossing: BoolArray,
) -> FloatArray:
    """Points between ``base`` and ``next_point`` where the sign changes: regula falsi along the tangent (Illinois)."""
    sizes = curves.sizes(base)

    def measured(which: IntArray, guesses: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        points, reached = curves.corrected(lanes[which], guesses, along[which], sizes[which])
        tangents, determinants = curves.tangents(lanes[which], points, sizes[which], along[which])
        return points, np.where(is_crossing[which], determinants, tangents[:, -1]), reached

    every = np.arange(len(lanes))
    low, high = np.zeros(len(lanes)), ((next_point - base) / sizes * along).sum(axis=1)
    low_point, low_value, _ = measured(every, base)
    high_point, high_value, _ = measured(every, next_point)
    tolerance = _SEARCHED * high
    active, halving = low_value * high_value < 0.0, np.zeros(len(lanes), bool)
    for _ in range(_SEARCHES):
        (on,) = np.nonzero(active)
        if not on.size:
            break
        share = np.where(halving[on], 0.5, low_value[on] / (low_value[on] - high_value[on]))
        middle = low[on] + share * (high[on] - low[on])
        point, value, reached = measured(on, low_point[on] + share[:, None] * (high_point[on] - low_point[on]))
        # Right where curves cross no point can be corrected; beside it one can.
        active[on] = (np.abs(middle - high[on]) > tolerance[on]) & (reached | ~halving[on])
        halving[on] = ~reached
        on, middle, point, value = on[reached], middle[reached], point[reached], value[reached]
        is_past = value * high_value[on] > 0.0
        # The end that stays counts half, or it might stay for ever.
        low_value[on] = np.where(is_past, low_value[on] / 2.0, high_value[on])
        low[on] = np.where(is_past, low[on], high[on])
        low_point[on] = np.where(is_past[:, None], low_point[on], high_point[on])
        high[on], high_value[on], high_point[on] = middle, value, point
        active[on] &= value != 0.0
    # Where nothing changes its sign, rounding has moved the place to one of the ends.
    share = np.where(
        low_value * high_value < 0.0,
        low_value / np.where(low_value == high_value, 1.0, low_value - high_value),
        np.where(np.abs(low_value) < np.abs(high_value), 0.0, 1.0),
    )
    located: FloatArray = low_point + share[:, None] * (high_point - low_point)
    return located
