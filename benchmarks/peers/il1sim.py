"""The engine itself, on one thread."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, Solve
from benchmarks.workload import Workload
from simulate.kernels.build import build
from simulate.solver import DOPRI5, TAYLOR, FloatArray, Method, Tolerance, solve


def _with(method: Method) -> Peer:
    def prepare(workload: Workload) -> Solve:
        kernel = build(workload.system)

        def run(rtol: float, atol: float) -> FloatArray:
            return solve(
                kernel,
                workload.parameters,
                workload.schedule,
                workload.times,
                tolerance=Tolerance(rtol),
                method=method,
                threads=1,
            ).values

        return run

    return Peer("il1sim", method.name, 1024, 256, 1e-6, (), "", prepare)


PEERS = (_with(TAYLOR), _with(DOPRI5))
