"""gradsolve with its fused Warp kernel on the CPU: one call a dose, as the kernel records its final state only."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.peer import Peer, Solve
from benchmarks.reduced import reduced
from benchmarks.workload import DAYS, Workload
from simulate.solver import FloatArray


def _prepare(workload: Workload) -> Solve:
    import gradsolve
    import jax.numpy as jnp
    import warp

    warp.config.quiet = True
    given = reduced(workload)
    rhs = given.python("import jax.numpy as math").rhs

    class Day:
        """The members that gradsolve asks of a problem."""

        name = "il1sim_day"
        dim = len(given.states)
        t0, t1 = 0.0, 1.0
        is_stiff = False

        def f_jax(self, t: Any, y: Any, p: Any) -> Any:
            return jnp.stack(rhs(t, y, p))

    problem = Day()
    gradsolve.register_jax_field(problem.name, problem.f_jax, problem.dim, given.values.shape[1])

    def run(rtol: float, atol: float) -> FloatArray:
        values = np.empty((len(given.initial), len(given.recorded_days), len(given.states)))
        y, output = given.initial.copy(), 0
        for day in range(DAYS + 1):
            if day < DAYS:
                y[:, given.target] += given.dose
            if day in given.recorded_days:
                values[:, output] = y
                output += 1
            if day < DAYS:
                result = gradsolve.solve(
                    problem, y, given.values, engine="warp_ode", fused=False, rtol=rtol, atol=atol, device="cpu"
                )
                y = np.array(result.y_final)
        return values

    run(1e-3, 1e-6)
    return run


_EXTRA = "pip install 'il1sim[bench]'"
PEERS = (Peer("gradsolve", "Tsit5, fused Warp kernel", 1024, 256, 1e-2, ("gradsolve", "warp"), _EXTRA, _prepare),)
