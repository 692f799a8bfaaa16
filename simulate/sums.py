"""Logarithms of sums of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def logsumexp(logs: npt.ArrayLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Logarithm of the sum of the exponentials of what is given, to the bit that of `scipy.special.logsumexp`.

    That one is for arrays of any library, which takes it ten times as long for the few numbers that there mostly are.

    Parameters
    ----------
    logs
        Real numbers; minus infinity stands for nothing.
    axis
        Along which is summed; all of them, if not given.
    keepdims
        Whether that axis stays, with one place.
    """
    logs = np.array(logs, dtype=np.float64)
    if not logs.size:
        return np.full_like(logs.sum(axis=axis, keepdims=keepdims), -np.inf)[()]
    greatest = logs.max(axis=axis, keepdims=True)
    is_greatest = logs == greatest
    count = is_greatest.sum(axis=axis, keepdims=True, dtype=np.float64)
    # The greatest are counted apart: what is left is small beside them, and keeps its digits.
    logs[is_greatest] = -np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.exp(logs - greatest).sum(axis=axis, keepdims=True)
        found = np.log1p(rest / count) + np.log(count) + greatest
    found = np.where(np.isfinite(found), found, greatest)
    return found if keepdims else found.squeeze(axis=axis)[()]
