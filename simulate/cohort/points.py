"""Points that fill the cube evenly: the coordinates of the patients of a fit.

A fit compares thousands of populations. With the same coordinates in all of them a likelihood is a smooth function of
what differs between the populations, and two hypotheses are compared on the same patients.

Every column depends on the seed, its name and the number of patients, and on nothing else but the columns that are
named before it among the leading ones: a parameter that is new somewhere moves nobody. Leading columns are those of a
Sobol set, each scrambled (A. Owen, J. Complexity 14 (1998) 466) by a key of its own. Their normal scores are then made
exactly uncorrelated, one after the other: with some dozens of patients a correlation by chance would be the largest
error of a fit. All other columns are Latin hypercubes: one number in each of as many cells as there are patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulate.streams import FloatArray, IntArray, stream

POINTS = "Sobol columns scrambled by name, Gram and Schmidt; Latin hypercubes by name"
"""What keys of fits hash of this module: another text wherever the same name and seed have other numbers."""

_EDGE = 2.0**-53


def latin(name: str, patients: int, *, seed: int) -> FloatArray:
    """A column of a Latin hypercube, shape [patient]."""
    random = stream(seed, f"points: {name}", patients)
    return _inside((random.permutation(patients) + random.random(patients)) / patients)


def leading_columns(names: Sequence[str], patients: int, *, seed: int) -> Mapping[str, FloatArray]:
    """Leading columns by their names, each of shape [patient].

    Parameters
    ----------
    names
        Those that matter most first; another name at the end changes none of the others.
    patients
        Number of patients, best a power of two. The scores of half as many columns are made uncorrelated. The first
        column stays as it is, with its share of numbers in every part of the range.
    seed
        Key of the scrambling.
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import qmc

    bits = max(patients - 1, 1).bit_length()
    cells = np.floor(qmc.Sobol(len(names), scramble=False).random_base2(bits)[:patients] * 2**bits).astype(np.int64)
    found: dict[str, FloatArray] = {}
    scores: list[FloatArray] = []
    for index, name in enumerate(names):
        uniform = _scrambled(cells[:, index], bits, name, seed)
        score = ndtri(uniform)
        score = score - score.mean()
        if index < patients // 2:
            for before in scores:
                score = score - before * (before * score).mean()
        score = score / np.sqrt(np.square(score).mean())
        scores.append(score)
        found[name] = uniform if index == 0 else _inside(ndtr(score))
    return found


def _scrambled(cells: IntArray, bits: int, name: str, seed: int) -> FloatArray:
    """A column of cells, of which there are 2**bits, with each bit flipped or not by those before it."""
    random = stream(seed, f"points: {name}", len(cells))
    found = np.zeros_like(cells)
    for bit in range(bits):
        flips = random.integers(0, 2, size=2**bit)
        own = (cells >> (bits - 1 - bit)) & 1
        found = (found << 1) | (own ^ flips[cells >> (bits - bit)])
    return _inside((found + random.random(len(cells))) * 0.5**bits)


def _inside(uniform: FloatArray) -> FloatArray:
    """Numbers that are neither 0 nor 1."""
    return np.clip(uniform, _EDGE, 1.0 - _EDGE)
