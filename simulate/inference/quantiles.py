"""Quantiles of weighted draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulate.streams import FloatArray


def quantiles(points: FloatArray, weights: FloatArray, shares: Sequence[float]) -> list[FloatArray]:
    """Weighted quantiles of each column, one array [dimension] for each share."""
    found = np.empty((len(shares), points.shape[1]))
    for column in range(points.shape[1]):
        order = np.argsort(points[:, column], kind="stable")
        reached = np.cumsum(weights[order]) - 0.5 * weights[order]
        found[:, column] = np.interp(shares, reached / weights.sum(), points[order, column])
    return list(found)
