"""SciPy's `solve_ivp` with a Python right-hand side: what most scripts of the field do."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.peers.peer import Peer, Solve
from benchmarks.reduced import reduced
from benchmarks.workload import DAYS, Workload
from simulate.solver import FloatArray


def _with(method: str) -> Peer:
    def prepare(workload: Workload) -> Solve:
        given = reduced(workload)
        rhs = given.python().rhs

        def run(rtol: float, atol: float) -> FloatArray:
            values = np.empty((len(given.initial), len(given.recorded_days), len(given.states)))
            for member, (initial, row, dose) in enumerate(zip(given.initial, given.values, given.dose, strict=True)):
                constants, y, output = row.tolist(), initial.copy(), 0
                for day in range(DAYS + 1):
                    y[given.target] += dose if day < DAYS else 0.0
                    if day in given.recorded_days:
                        values[member, output] = y
                        output += 1
                    if day < DAYS:
                        solution = solve_ivp(
                            lambda t, y, c=constants: rhs(t, y.tolist(), c),
                            (0.0, 1.0),
                            y,
                            method=method,
                            rtol=rtol,
                            atol=atol,
                        )
                        y = solution.y[:, -1]
            return values

        return run

    return Peer("solve_ivp", f"{method}, Python right-hand side", 3, 1, 1e-3, (), "", prepare)


PEERS = (_with("LSODA"), _with("DOP853"))
