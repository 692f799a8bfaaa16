"""Virtual cohorts whose distributions are known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.symbolic.units import unit

PERCENT = unit("%")


def subject(quantity: str = "ifng", *days: float, since: float | None = None, group: str = "all") -> Subject:
    """A subject in percent, at baseline if no day is given."""
    return Subject(quantity, days or (0.0,), since, group, PERCENT)


def normal_scores(patients: int, seed: int) -> FloatArray:
    """Standard normal numbers in random order whose distribution is exact but for its outermost tails."""
    from scipy.special import ndtri

    scores = ndtri((np.arange(patients) + 0.5) / patients)
    np.random.default_rng(seed).shuffle(scores)
    return np.asarray(scores, dtype=np.float64)


def seen(
    *, patients: int = 256, shift: float | FloatArray = 0.0, spread: float | FloatArray = 1.0, **changes: Any
) -> TrialObservations:
    """Cohorts with ``ifng``, ``il17a`` and ``ck`` at days 0 and 182; IFNγ rises, IL-17A falls, CK falls with noise.

    The logarithm of a level at baseline is normal around ``shift`` with the standard deviation ``spread``; responders
    are those with much IFNγ rather than others.
    """
    shifts, spreads = np.broadcast_arrays(np.atleast_1d(shift), np.atleast_1d(spread))
    one, two, three, four = (normal_scores(patients, seed) for seed in (1, 2, 3, 4))
    base = shifts[:, np.newaxis] + spreads[:, np.newaxis] * one
    shape = base.shape
    levels = {
        ("ifng", 0.0): np.exp(base),
        ("ifng", 182.0): np.exp(base + 0.3 + 0.4 * two),
        ("il17a", 0.0): np.exp(np.broadcast_to(0.5 * three, shape)),
        ("il17a", 182.0): np.exp(np.broadcast_to(0.5 * three - 0.2 + 0.3 * four, shape)),
        ("ck", 0.0): np.exp(np.broadcast_to(1.0 + four, shape)),
        ("ck", 182.0): np.exp(np.broadcast_to(1.0 + four, shape) - 0.5 + 0.3 * base + 0.1 * two),
    }
    chance = np.broadcast_to(1.0 / (1.0 + np.exp(-one)), shape)
    values: dict[str, Any] = {
        "weights": np.full(shape, 1.0 / patients),
        "levels": levels,
        "units": {"ifng": PERCENT, "il17a": PERCENT, "ck": unit("µkat/L")},
        "noise": {"ifng": 0.3, "il17a": 0.3, "ck": 0.1},
        "groups": {"responders": chance, "non-responders": 1.0 - chance},
        "events": {("clinical_response", 182.0): chance},
    }
    return TrialObservations(**(values | changes))
