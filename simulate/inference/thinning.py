"""A few draws that represent many."""

from __future__ import annotations

import numpy as np

from simulate.streams import FloatArray, IntArray


def thinned(draws: FloatArray, count: int) -> IntArray:
    """Indices of some of the draws that are spread as all of them are, in each coordinate.

    Of all subsets the one is sought whose energy distance to all draws, summed over the coordinates, is least;
    distances are those of ranks. From evenly spaced draws on, each draw in turn gives way to the best of all, until
    none does. Ranks are whole numbers, so that what is found hangs on no rounding.

    Parameters
    ----------
    draws
        Shape [draw, coordinate]; a draw that counts more often stands there more often.
    count
        How many; all if there are no more.

    Returns
    -------
    IntArray
        Shape [count], in increasing order.

    Notes
    -----
    These are the support points of S. Mak and V. R. Joseph, Ann. Statist. 46 (2018) 2562, doi:10.1214/17-AOS1629, for
    one coordinate at a time: with as few draws as are simulated, medians and bands are nearer to those of all.
    """
    total = len(draws)
    if count >= total:
        return np.arange(total)
    chosen = (np.arange(count) * total) // count
    distances = np.zeros((total, total), dtype=np.int64)
    for coordinate in draws.T:
        _, values, counts = np.unique(coordinate, return_inverse=True, return_counts=True)
        ranks = (2 * np.cumsum(counts) - counts)[values]
        distances += np.abs(ranks[:, None] - ranks)
    to_all = distances.sum(axis=1)
    to_chosen = distances[:, chosen].sum(axis=1)
    # What of the energy distance depends on i, the draw in place of another, is `excess[i]` times 2 / (total count²).
    for _ in range(_SWEEPS):
        before = chosen.copy()
        for place in range(count):
            others = to_chosen - distances[:, chosen[place]]
            excess = count * to_all - total * others
            excess[np.delete(chosen, place)] = np.iinfo(np.int64).max
            best = int(np.argmin(excess))
            if excess[best] < excess[chosen[place]]:
                to_chosen, chosen[place] = others + distances[:, best], best
        if np.array_equal(before, chosen):
            break
    return np.sort(chosen)


_SWEEPS = 100
"""Far more than it takes, each of which makes the distance smaller."""
