"""Quantiles of numbers, and of weighted draws."""

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


def quantiles_along(values: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Quantiles, shape [quantile, ...], along the last axis of values, none of them NaN: those of `numpy.quantile`.

    Processors put numbers into order several times faster than they pick some of those in the order.
    """
    ordered = np.sort(values, axis=-1)
    last = ordered.shape[-1] - 1
    found = np.empty((len(levels), *ordered.shape[:-1]))
    for index, level in enumerate(levels):
        place = last * level
        share = place - int(place)
        low, high = ordered[..., int(place)], ordered[..., min(int(place) + 1, last)]
        found[index] = high - (high - low) * (1.0 - share) if share >= 0.5 else low + (high - low) * share
    return found
