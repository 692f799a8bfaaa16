"""A method driven step by step without the loop: what its order is measured with."""

from __future__ import annotations

import numpy as np

from simulate.kernels.kernel import CompiledKernel
from simulate.solver import METHODS, FloatArray, Method
from simulate.solver.arguments import functions_of
from simulate.solver.layout import CONSTANTS, LANES, NOW, RATE, RESULT, START, STATE, STEP, TIME, stage
from simulate.solver.loop_values import addressed

RUNGE_KUTTA = tuple(method for method in METHODS if not method.series)
"""Methods with stages; Taylor series have tests of their own, and do not take every model."""


def attempt(kernel: CompiledKernel, method: Method, time: float, state: FloatArray, step: float) -> FloatArray:
    """Workspace after one attempt from ``state`` in every lane."""
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)
    n = len(kernel.states)
    for index in range(n):
        for offset in (START, STATE):
            w[offset + index * LANES : offset + (index + 1) * LANES] = state[index]
    w[NOW : NOW + LANES] = w[TIME : TIME + LANES] = time
    w[STEP : STEP + LANES] = step
    kernel.rhs(w)
    w[stage(0) : stage(0) + n * LANES] = w[RATE : RATE + n * LANES]
    functions = functions_of(kernel, method)[1:]
    if method.series:
        functions[0](w)
    method.attempt(w, n, *addressed(functions))
    method.extend(w, n, *addressed((kernel.rhs, kernel.rhs)))
    return w


def column(w: FloatArray, offset: int, n: int) -> FloatArray:
    """The first lane of a vector, shape [state]."""
    return w[offset : offset + n * LANES : LANES].copy()


def march(kernel: CompiledKernel, method: Method, end: float, steps: int) -> FloatArray:
    """State at ``end`` after equal steps from the initial state at 0, shape [state]."""
    w = np.zeros(CONSTANTS + kernel.rows * LANES)
    kernel.prepare(w)
    n = len(kernel.states)
    state = column(w, RESULT, n)
    for index in range(steps):
        state = column(attempt(kernel, method, end * index / steps, state, end / steps), STATE, n)
    return state
