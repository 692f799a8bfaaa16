"""What derivatives cost: a solve with k of them over a plain solve, one thread, in one run.

    python benchmarks/sensitivities.py [--members 64] [--json]

The aim is at most 1 + k/2. Times are those of the processor, the best of several, taken in turns, so that what else the
machine does falls on all alike; compiling is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from workload import reference_workload

from simulate.kernels.build import build
from simulate.kernels.sensitivities import solve_sensitivities
from simulate.solver import Tolerance, solve

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

    def plain() -> None:
        solve(kernel, work.parameters, work.schedule, work.times, tolerance=tolerance, threads=1)

    def with_derivatives(count: int) -> Callable[[], None]:
        def run() -> None:
            solve_sensitivities(
                work.system,
                work.parameters,
                work.schedule,
                work.times,
                of=PARAMETERS[:count],
                together=count,
                tolerance=tolerance,
                threads=1,
            )

        return run

    ways = {0: plain, **{count: with_derivatives(count) for count in COUNTS}}
    best = dict.fromkeys(ways, float("inf"))
    for run in ways.values():
        run()
    for _ in range(options.rounds):
        for count, run in ways.items():
            began = time.process_time()
            run()
            best[count] = min(best[count], time.process_time() - began)
    rows = [
        {"derivatives": count, "seconds": best[count], "ratio": best[count] / best[0], "aim": 1 + count / 2}
        for count in ways
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{options.members} patients, 24 weeks of daily doses; plain solve {1e3 * best[0] / options.members:.3f} ms")
    print("derivatives  ratio  at most")
    for row in rows[1:]:
        print(f"{row['derivatives']:11d}  {row['ratio']:5.2f}  {row['aim']:7.1f}")


if __name__ == "__main__":
    main()
