"""How many 24-week patients a second one graphics card integrates: ``python benchmarks/gpu.py [members]``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.workload import reference_workload
from simulate.kernels.build import build
from simulate.kernels.cuda import compile_for_cuda
from simulate.solver import Tolerance, solve

_COMPARED = 64


def main(members: int) -> None:
    """Compile, solve once to warm up, then solve all members; compare a few with the processor."""
    work = reference_workload(members)
    tolerance = Tolerance(1e-6)
    engine = compile_for_cuda(work.system)
    few = work.part(_COMPARED)
    began = time.perf_counter()
    small = engine.solve(few.parameters, few.schedule, few.times, tolerance=tolerance)
    print(f"first result after {time.perf_counter() - began:.1f} s, compiling included")
    expected = solve(build(work.system), few.parameters, few.schedule, few.times, tolerance=tolerance)
    scale = np.nanmax(np.abs(expected.values), axis=(0, 1))
    difference = np.nanmax(np.abs(small.values - expected.values) / np.where(scale > 0, scale, 1.0))
    print(f"largest difference from the processor, relative to each quantity's largest value: {difference:.1e}")
    began = time.perf_counter()
    result = engine.solve(work.parameters, work.schedule, work.times, tolerance=tolerance)
    seconds = time.perf_counter() - began
    print(f"{members} members in {seconds:.2f} s, transfers included: {members / seconds:.0f} trajectories/s")
    print(f"steps {result.counters[:, 0].mean():.0f} a member, failures {len(result.failures)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
