"""Quantiles of weighted draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulate.streams import FloatArray


def quantiles(points: FloatArray, weights: FloatArray, shares: Sequence[float]) -> list[FloatArray]:
    """Weighted quantiles of each column, one array [dimension] for each share."""
    return list(quantiles_of_rows(points.T, np.broadcast_to(weights, points.T.shape), shares).T)


def quantiles_of_rows(values: FloatArray, weights: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Weighted quantiles, shape [row, share], of values with weights of their own, shape [row, value] both."""
    order = np.argsort(values, axis=1, kind="stable")
    each, ordered = (np.take_along_axis(part, order, axis=1) for part in (weights, values))
    middles = (np.cumsum(each, axis=1) - 0.5 * each) / weights.sum(axis=1, keepdims=True)
    rows = [np.interp(shares, middle, own) for middle, own in zip(middles, ordered, strict=True)]
    return np.array(rows).reshape(len(values), len(shares))
