"""Threads, batch sizes and memory: ``python benchmarks/scaling.py [--largest N]``.

Prints the time of one and of two threads, the time a member of growing batches, each streamed to disk in chunks, and
the most memory that the process held.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.workload import Workload, reference_workload
from simulate.kernels.build import CompiledKernel, build
from simulate.solver import TAYLOR, Tolerance, solve

CHUNK = 10_000
TOLERANCE = Tolerance(6.8e-6)


def timed(kernel: CompiledKernel, workload: Workload, threads: int) -> float:
    """Seconds by the clock for one batch."""
    begun = time.perf_counter()
    solve(
        kernel,
        workload.parameters,
        workload.schedule,
        workload.times,
        tolerance=TOLERANCE,
        method=TAYLOR,
        threads=threads,
    )
    return time.perf_counter() - begun


def stream(kernel: CompiledKernel, chunk: Workload, members: int, path: Path, threads: int) -> float:
    """Seconds to solve that many members in chunks and write every recorded value to a file."""
    begun = time.perf_counter()
    with path.open("wb") as file:
        for first in range(0, members, len(chunk.parameters)):
            part = chunk.part(min(len(chunk.parameters), members - first))
            result = solve(
                kernel,
                part.parameters,
                part.schedule,
                part.times,
                tolerance=TOLERANCE,
                method=TAYLOR,
                threads=threads,
            )
            file.write(np.ascontiguousarray(result.values).data)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000, help="members of the largest batch")
    arguments = parser.parse_args()
    workload = reference_workload(2048)
    kernel = build(workload.system)
    timed(kernel, workload.part(64), 2)
    ratios = [timed(kernel, workload, 1) / timed(kernel, workload, 2) for _ in range(5)]
    print(f"two threads are {np.median(ratios):.2f} × one (five runs: {min(ratios):.2f} to {max(ratios):.2f})")
    chunk = reference_workload(CHUNK)
    size = 1000
    with tempfile.TemporaryDirectory() as folder:
        while size <= arguments.largest:
            seconds = stream(kernel, chunk, size, Path(folder) / "values.bin", threads=2)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"{size:8d} members: {seconds:7.1f} s, {1e6 * seconds / size:6.0f} µs each, peak {memory:.2f} GiB")
            size *= 10


if __name__ == "__main__":
    main()
