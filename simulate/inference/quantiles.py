"""Quantiles of weighted draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulate.streams import FloatArray


def quantiles(points: FloatArray, weights: FloatArray, shares: Sequence[float]) -> list[FloatArray]:
    """Weighted quantiles of each column, one array [dimension] for each share."""
    found, total = np.empty((len(shares), points.shape[1])), weights.sum()
    for column in range(points.shape[1]):
        order = np.argsort(points[:, column], kind="stable")
        each = weights[order]
        found[:, column] = np.interp(shares, (np.cumsum(each) - 0.5 * each) / total, points[order, column])
    return list(found)
