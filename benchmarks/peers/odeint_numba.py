"""SciPy's `odeint` (LSODA) with a right-hand side compiled by Numba."""

from __future__ import annotations

import numba
import numpy as np
from scipy.integrate import odeint

from benchmarks.peers.peer import Peer, Solve
from benchmarks.reduced import reduced
from benchmarks.workload import DAYS, Workload
from simulate.solver import FloatArray


def _prepare(workload: Workload) -> Solve:
    given = reduced(workload)
    rates = numba.njit(fastmath=True)(given.python().rhs)
    n = len(given.states)

    @numba.njit("float64[::1](float64[::1], float64, float64[::1])", fastmath=True)
    def rhs(y, t, c):  # type: ignore[no-untyped-def]
        result = np.empty(n)
        values = rates(t, y, c)
        for index in range(n):
            result[index] = values[index]
        return result

    day_long = np.array([0.0, 1.0])

    def run(rtol: float, atol: float) -> FloatArray:
        values = np.empty((len(given.initial), len(given.recorded_days), n))
        for member, (initial, row, dose) in enumerate(zip(given.initial, given.values, given.dose, strict=True)):
            constants, y, output = np.ascontiguousarray(row), initial.copy(), 0
            for day in range(DAYS + 1):
                y[given.target] += dose if day < DAYS else 0.0
                if day in given.recorded_days:
                    values[member, output] = y
                    output += 1
                if day < DAYS:
                    y = odeint(rhs, y, day_long, args=(constants,), rtol=rtol, atol=atol)[-1]
        return values

    run(1e-3, 1e-6)
    return run


PEERS = (Peer("odeint-numba", "LSODA", 48, 12, 1e-3, (), "", _prepare),)
