"""p-values of several endpoints together, adjusted so that a study errs in none of them with a given probability.

Names and definitions are those of `p.adjust` in R. An endpoint is significant where its adjusted p-value is below the
level of the whole family.
"""

from __future__ import annotations

import numpy as np

from simulate.streams import FloatArray

CORRECTIONS = ("none", "bonferroni", "holm", "hochberg")
"""``none`` leaves p-values as they are.

``bonferroni`` and ``holm`` hold however endpoints hang together, and Holm's finds all that Bonferroni's does (S. Holm,
Scand. J. Statist. 6 (1979) 65). ``hochberg`` finds more, but holds only where endpoints are independent or move
together (Y. Hochberg, Biometrika 75 (1988) 800; S. K. Sarkar, Ann. Statist. 26 (1998) 494)."""


def adjusted(p_values: FloatArray, correction: str) -> FloatArray:
    """Adjusted p-values of families, which stand along the last axis, by one of `CORRECTIONS`; a NaN counts as 1."""
    known: FloatArray = np.where(np.isnan(p_values), 1.0, p_values)
    count = known.shape[-1]
    if correction == "none":
        return known
    if correction == "bonferroni":
        together: FloatArray = np.minimum(count * known, 1.0)
        return together
    order = np.argsort(known, axis=-1, kind="stable")
    stepped = np.take_along_axis(known, order, axis=-1) * np.arange(count, 0, -1)
    if correction == "holm":
        stepped = np.maximum.accumulate(stepped, axis=-1)
    else:
        stepped = np.minimum.accumulate(stepped[..., ::-1], axis=-1)[..., ::-1]
    found = np.empty_like(known)
    np.put_along_axis(found, order, np.minimum(stepped, 1.0), axis=-1)
    return found
