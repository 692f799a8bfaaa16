"""What the patients of a population weigh of whom some cannot exist."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray


def weights_of_existing(exists: npt.NDArray[np.bool_], shares: FloatArray, of_kind: IntArray) -> FloatArray:
    """Weights of those who exist; each kind of patient keeps the share that it had in the trial, if anyone is left."""
    weights = np.where(exists, shares, 0.0)
    for kind in np.unique(of_kind):
        mine = of_kind == kind
        before, left = shares[:, mine].sum(axis=1), weights[:, mine].sum(axis=1)
        weights[:, mine] *= np.where(left > 0.0, before / np.where(left > 0.0, left, 1.0), 0.0)[:, np.newaxis]
    total = weights.sum(axis=1, keepdims=True)
    spread: FloatArray = np.where(total > 0.0, weights / np.where(total > 0.0, total, 1.0), 1.0 / weights.shape[1])
    return spread
