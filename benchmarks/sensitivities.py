"""What derivatives cost: a solve with k of them over a plain solve, one thread, in one run.

    python benchmarks/sensitivities.py [--members 64] [--json]

The aim is at most 1 + k/2. Times are those of the processor, the best of several, taken in turns, so that what else
the machine does falls on all alike; compiling is not counted. The floor is a plain solve and the operations that
derivatives add to each of its steps, counted in the program that is solved and weighted by what each takes here.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import sympy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.operations import added, costs, nanoseconds
from benchmarks.workload import reference_workload
from simulate.kernels.build import build
from simulate.kernels.sensitivities import Direction, sensitivity_kernel, solve_sensitivities
from simulate.solver import Tolerance, Trajectories, solve
from simulate.solver.layout import LANES

PARAMETERS = ("CL", "V", "k_a", "K_Ra", "F", "d_E", "k_CK", "CD4")
COUNTS = (1, 2, 4, 8)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    work = reference_workload(options.members)
    kernel = build(work.system)
    tolerance = Tolerance(1e-6)
    directions = [Direction(name, ((name, sympy.S.One),)) for name in PARAMETERS]

    def plain() -> Trajectories:
        return solve(kernel, work.parameters, work.schedule, work.times, tolerance=tolerance, threads=1)

    def with_derivatives(count: int) -> Callable[[], Trajectories]:
        def run() -> Trajectories:
            return solve_sensitivities(
                work.system,
                work.parameters,
                work.schedule,
                work.times,
                of=directions[:count],
                together=count,
                tolerance=tolerance,
                threads=1,
            ).trajectories

        return run

    ways = {0: plain, **{count: with_derivatives(count) for count in COUNTS}}
    best = dict.fromkeys(ways, float("inf"))
    steps = {count: run().counters[:, :2].sum() for count, run in ways.items()}
    for _ in range(options.rounds):
        for count, run in ways.items():
            began = time.process_time()
            run()
            best[count] = min(best[count], time.process_time() - began)
    each = costs()
    counted = {}
    for count in COUNTS:
        followers = sensitivity_kernel(work.system, tuple(directions[:count])).followers
        assert followers is not None
        counted[count] = added(followers)
    rows = [
        {
            "derivatives": count,
            "seconds": best[count],
            "ratio": best[count] / best[0],
            "aim": 1 + count / 2,
            "floor": 1 + nanoseconds(counted[count], each) * 1e-9 * float(steps[count]) / LANES / best[0],
            "steps": float(steps[count] / options.members),
            "operations": dict(counted[count]),
        }
        for count in COUNTS
    ]
    document = {"plain": best[0], "plain_steps": float(steps[0] / options.members), "costs": each, "rows": rows}
    if options.json:
        print(json.dumps(document, indent=2))
        return
    print(f"{options.members} patients, 24 weeks of daily doses; plain solve {1e3 * best[0] / options.members:.3f} ms")
    print(f"{document['plain_steps']:.0f} steps; nanoseconds for {LANES} lanes of an operation:", end=" ")
    print(", ".join(f"{name} {cost:.2f}" for name, cost in each.items()))
    print("derivatives  ratio  at most  floor  over it  steps  arithmetic  reads  writes  (added to a step)")
    for row in rows:
        found = counted[row["derivatives"]]
        arithmetic = sum(found[name] for name in ("multiply", "add", "fused", "divide"))
        print(
            f"{row['derivatives']:11d}  {row['ratio']:5.2f}  {row['aim']:7.1f}  {row['floor']:5.2f}  "
            f"{row['ratio'] / row['floor']:7.2f}  {row['steps']:5.0f}  {arithmetic:10d}  "
            f"{found['read']:5d}  {found['write']:6d}"
        )


if __name__ == "__main__":
    main()
