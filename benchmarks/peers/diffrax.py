"""diffrax under `vmap`: one compiled function from parameters to recorded states, a solve a day inside a scan."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.peer import Peer, Solve
from benchmarks.reduced import reduced
from benchmarks.workload import DAYS, Workload
from simulate.solver import FloatArray


def _with(name: str, members: int) -> Peer:
    def prepare(workload: Workload) -> Solve:
        import diffrax
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        given = reduced(workload)
        rhs = given.python("import jax.numpy as math").rhs
        term = diffrax.ODETerm(lambda time, y, constants: jnp.stack(rhs(time, y, constants)))

        def one_member(initial: Any, constants: Any, dose: Any, rtol: Any, atol: Any) -> Any:
            def one_day(carried: Any, day: Any) -> Any:
                y, step = carried
                y = y.at[given.target].add(dose)
                solution = diffrax.diffeqsolve(
                    term,
                    getattr(diffrax, name)(),
                    t0=0.0,
                    t1=1.0,
                    dt0=0.01,
                    y0=y,
                    args=constants,
                    stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
                    saveat=diffrax.SaveAt(t1=True),
                    adjoint=diffrax.ForwardMode(),
                    max_steps=4096,
                )
                assert solution.ys is not None
                return (solution.ys[0], step), y

            (last, _), starts = jax.lax.scan(one_day, (initial, 0.0), None, length=DAYS)
            return jnp.concatenate([starts, last[None]])[jnp.asarray(given.recorded_days)]

        batched = jax.jit(jax.vmap(one_member, in_axes=(0, 0, 0, None, None)))
        arguments = [jnp.asarray(part) for part in (given.initial, given.values, given.dose)]

        def run(rtol: float, atol: float) -> FloatArray:
            return np.asarray(batched(*arguments, rtol, atol))

        run(1e-3, 1e-6)
        return run

    return Peer("diffrax", f"{name}, vmap", members, 64, 1e-2, ("diffrax",), "pip install 'il1sim[bench]'", prepare)


PEERS = (_with("Tsit5", 512), _with("Dopri8", 256))
