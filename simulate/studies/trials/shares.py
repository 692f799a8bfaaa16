"""Shares of many studies, with intervals of what the simulation does not know."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from simulate.streams import FloatArray, stream

LEVEL = 0.95
RESAMPLES = 400

Interval = tuple[float, float]
Again = npt.NDArray[np.int64]


def populations_again(populations: int, seed: int) -> Again:
    """Which populations are drawn when they are drawn again, shape [resample, population]."""
    return stream(seed, "trial: populations", populations).integers(populations, size=(RESAMPLES, populations))


def share_of(happened: npt.NDArray[np.bool_], again: Again) -> tuple[float, Interval]:
    """Share of studies, shape [population, study], in which something happened, and its interval."""
    spread = happened.mean(axis=1)[again].mean(axis=1)
    return float(happened.mean()), share_interval(spread, int(happened.sum()), happened.size)


def share_interval(resampled: FloatArray, events: int, of: int) -> Interval:
    """From populations drawn again, and no narrower than a binomial interval."""
    tail = 0.5 * (1.0 - LEVEL)
    # Clopper and Pearson: where nothing happened, resampling knows no error.
    exact_low = float(betaincinv(events, of - events + 1, tail)) if events else 0.0
    exact_high = float(betaincinv(events + 1, of - events, 1.0 - tail)) if events < of else 1.0
    known = resampled[np.isfinite(resampled)]
    low, high = np.quantile(known, (tail, 1.0 - tail)).tolist() if len(known) else (exact_low, exact_high)
    return min(low, exact_low), max(high, exact_high)
