"""Arithmetic on rows of the workspace that a loop reads from a table, for programs too long to be written out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simulate.compiled import inlined
from simulate.solver.layout import LANES, NOT_FINITE, SHIFT, SOUND, UNUSABLE
from simulate.solver.vectors import load, store

KINDS = (
    "add", "scale", "invert", "take", "take_on_diagonal", "fill", "shift", "begin", "watch", "judge",
)  # fmt: skip
"""What a step does, by its number: with the rows a, b and c of the workspace ``a + b * c``, ``a * b`` or ``-1 / a`` in
the place of a; takes an entry b of a Jacobian, on the diagonal less the shift, where there is none 0 in place of it;
watches for entries that are not finite, and judges them."""

_ADD, _SCALE, _INVERT, _TAKE, _TAKE_ON_DIAGONAL, _FILL, _SHIFT, _BEGIN, _WATCH, _JUDGE = range(len(KINDS))


def source(name: str, meaning: str, steps: Sequence[tuple[int, ...]]) -> str:
    """Source of a function that follows these steps: kind, and the offsets of three rows."""
    text = "\n".join(" ".join(map(str, run)) for run in _runs(steps))
    return f'''from simulate.kernels.following import follow, table

_{name}_steps = table("""
{text}
""")


def {name}(w):
    """{meaning}"""
    follow(w, _{name}_steps)
'''


def _runs(steps: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Steps, each with how many do the same to the rows that follow, with the same b; they are put together."""
    runs: list[tuple[int, ...]] = []
    for kind, a, b, c in steps:
        if runs and kind == _ADD:
            last, first, factor, second, count = runs[-1]
            beyond = count * LANES
            if (last, first + beyond, factor, second + beyond) == (kind, a, b, c):
                runs[-1] = (kind, first, b, second, count + 1)
                continue
        runs.append((kind, a, b, c, 1))
    return runs


def table(text: str) -> np.ndarray:
    """The numbers of a table, shape [run, 5]."""
    return np.array([line.split() for line in text.split("\n") if line], dtype=np.int32)


@inlined
def follow(w: np.ndarray, steps: np.ndarray) -> None:
    """Do what the steps say, one after the other."""
    for index in range(steps.shape[0]):
        kind, a, b, c = steps[index, 0], steps[index, 1], steps[index, 2], steps[index, 3]
        if kind == _ADD:
            factor = load(w, b)
            for i in range(0, steps[index, 4] * LANES, LANES):
                store(w, a + i, load(w, a + i) + factor * load(w, c + i))
        elif kind == _SCALE:
            store(w, a, load(w, a) * load(w, b))
        else:
            _follow_rest(w, kind, a, b)


@inlined
def _follow_rest(w: np.ndarray, kind: int, a: int, b: int) -> None:
    for lane in range(LANES):
        if kind == _INVERT:
            pivot = w[a + lane]
            w[SOUND + lane] = w[SOUND + lane] if pivot < 0.0 and pivot > -math.inf else UNUSABLE
            w[a + lane] = -1.0 / pivot
        elif kind in (_TAKE, _TAKE_ON_DIAGONAL):
            entry = w[b + lane]
            w[SOUND + lane] = w[SOUND + lane] + 0.0 * entry
            entry = entry if abs(entry) < math.inf else 0.0
            w[a + lane] = entry if kind == _TAKE else entry - w[SHIFT + lane]
        elif kind == _FILL:
            w[a + lane] = 0.0
        elif kind == _SHIFT:
            w[a + lane] = 0.0 - w[SHIFT + lane]
        elif kind == _BEGIN:
            w[SOUND + lane] = 0.0
        elif kind == _WATCH:
            w[SOUND + lane] = w[SOUND + lane] + 0.0 * w[b + lane]
        else:
            w[SOUND + lane] = 1.0 if w[SOUND + lane] == 0.0 else NOT_FINITE
