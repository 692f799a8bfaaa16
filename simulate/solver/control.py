"""Step-size control for a block of lanes: error ratio, acceptance, next step. No branches, so that it vectorizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate.compiled import inlined
from simulate.solver.layout import (
    ABSOLUTE,
    ACCEPT,
    ERROR,
    FACTOR,
    LANES,
    LIMIT,
    NEXT,
    NOW,
    RATIO,
    RUNNING,
    SIZE,
    START,
    STATE,
    STEP,
    STOP,
)

SAFETY = 0.9
LARGEST = 5.0
SMALLEST = 0.2
RESOLUTION = 4.0 * float(np.finfo(np.float64).eps)
"""Share of the time below which a step would hardly move it."""
ROOTS = 7
"""Square roots taken one after another: the step factor is a power in steps of 1/128."""


def exponent_bits(error_order: int) -> int:
    """The power 1/(2(q + 1)) of the squared error ratio in units of 1/128, for an error estimate of order q.

    Only the error test has to be exact; the factor may be slightly off, and a product of nested square roots costs a
    tenth of a call of `pow`.
    """
    power = 1.0 / (2.0 * (error_order + 1.0))
    return round(power * (1 << ROOTS))


@inlined
def choose_step(w: Any, n: int) -> None:
    """Shorten the proposed steps so that no stop is passed and no sliver is left before one.

    No step but the last before a stop is so short that the state would move and the time would not.
    """
    for lane in range(LANES):
        shortest = RESOLUTION * abs(w[NOW + lane])
        h = w[STEP + lane] if w[STEP + lane] > shortest else shortest
        rest = w[STOP + lane] - w[NOW + lane]
        reaches = h >= 0.999999 * rest
        h = min(h, 0.5 * rest) if h > 0.5 * rest else h
        h = rest if reaches else h
        w[STEP + lane] = h
        w[NEXT + lane] = w[STOP + lane] if reaches else w[NOW + lane] + h
    for state in range(n):
        for lane in range(LANES):
            w[SIZE + state * LANES + lane] = w[STEP + lane]


@inlined
def judge(w: Any, n: int, rtol: float, bits: int) -> None:
    """Error estimate → squared error ratio, acceptance and step factor. An undefined estimate is a rejection."""
    for i in range(n * LANES):
        a = abs(w[START + i])
        b = abs(w[STATE + i])
        scaled = w[ERROR + i] / (w[ABSOLUTE + i] + rtol * (a if a > b else b))
        w[ERROR + i] = scaled * scaled
    for lane in range(LANES):
        w[RATIO + lane] = 0.0
    for state in range(n):
        for lane in range(LANES):
            w[RATIO + lane] += w[ERROR + state * LANES + lane]
    share = 1.0 / n
    for lane in range(LANES):
        ratio = w[RATIO + lane] * share
        w[RATIO + lane] = ratio
        root = ratio
        power = 1.0
        for index in range(ROOTS):
            root = math.sqrt(root)
            if (bits >> (ROOTS - 1 - index)) & 1:
                power *= root
        factor = SAFETY / power
        factor = factor if factor < w[LIMIT + lane] else w[LIMIT + lane]
        # Written so that an undefined ratio ends in the smallest factor.
        factor = factor if factor > SMALLEST and ratio < math.inf else SMALLEST
        accepted = ratio <= 1.0 and w[RUNNING + lane] > 0.0
        w[FACTOR + lane] = factor
        w[ACCEPT + lane] = 1.0 if accepted else 0.0
        w[LIMIT + lane] = LARGEST if accepted else 1.0
