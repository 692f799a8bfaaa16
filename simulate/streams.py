"""Random numbers keyed by (seed, purpose, member); no generator is ever handed along.

The source is Philox, a counter-based generator (Salmon and others 2011, doi 10.1145/2063384.2063405): the key is a hash
of the seed and the purpose, and a member has its own place in the counter. What a member draws therefore cannot
depend on how many members there are, on their order, or on which thread draws first.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from simulate.errors import InputError
from simulate.files import content_hash

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_WORDS = 4
"""64-bit words that Philox makes of one counter."""

_LARGEST_GAP = 128
"""Passing over so many members costs less than setting up a generator."""


def stream(seed: int, purpose: str, member: int) -> np.random.Generator:
    """Generator for one purpose of one member, at its beginning.

    Parameters
    ----------
    seed
        Any integer.
    purpose
        What the numbers are for; different purposes have unrelated streams.
    member
        Number of the member, the same whatever the size of the cohort.

    Raises
    ------
    InputError
        ``streams.member``: a negative number of a member.
    """
    _check(member)
    return np.random.Generator(np.random.Philox(key=_key(str(int(seed)), purpose, str(int(member)))))


def uniforms(seed: int, purpose: str, members: Sequence[int] | IntArray, count: int) -> FloatArray:
    """Numbers between 0 and 1, and neither, shape [member, count].

    A number depends on the seed, the purpose, the member and its column, and on nothing else: a longer row begins with
    the shorter one. Each is the middle of one of 2**52 cells.

    Raises
    ------
    InputError
        ``streams.member``: a negative number of a member.
    """
    numbers = np.asarray(members, dtype=np.int64)
    blocks = -(-count // _WORDS)
    words = np.empty((len(numbers), blocks * _WORDS), dtype=np.uint64)
    for begin, end in _stretches(numbers):
        first = int(numbers[begin])
        _check(first)
        offsets = numbers[begin:end] - first
        for block in range(blocks):
            generator = np.random.Philox(key=_key(str(int(seed)), purpose, "normals", str(block)), counter=first)
            raw = generator.random_raw((int(offsets[-1]) + 1) * _WORDS).reshape(-1, _WORDS)
            words[begin:end, block * _WORDS : (block + 1) * _WORDS] = raw[offsets]
    # Half a step above the lower edge of each of 2**52 cells: neither 0 nor 1 can occur.
    return np.asarray(((words[:, :count] >> np.uint64(12)) + 0.5) * 2.0**-52, dtype=np.float64)


def normals(seed: int, purpose: str, members: Sequence[int] | IntArray, count: int) -> FloatArray:
    """Standard normal numbers, shape [member, count]: quantiles of `uniforms`, so that none lies beyond 8.2.

    Raises
    ------
    InputError
        ``streams.member``: a negative number of a member.
    """
    from scipy.special import ndtri

    values: FloatArray = ndtri(uniforms(seed, purpose, members, count))
    return values


def _stretches(numbers: IntArray) -> list[tuple[int, int]]:
    """Rows of members in rising order without large gaps; each is cheapest in one pass of the generator."""
    if not len(numbers):
        return []
    steps = np.diff(numbers)
    breaks = (np.flatnonzero((steps < 1) | (steps > _LARGEST_GAP)) + 1).tolist()
    return list(itertools.pairwise([0, *breaks, len(numbers)]))


def _key(*parts: str) -> int:
    return int(content_hash(*parts), base=16)


def _check(member: int) -> None:
    if member < 0:
        raise InputError(
            f"the number of a member is {member}", code="streams.member", expected="a whole number, not negative"
        )
