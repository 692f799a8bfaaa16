"""Threads, batch sizes, memory, a whole run: ``python benchmarks/scaling.py [--largest N] [--run N [--every TIME]]``.

Prints the time of one and of two threads, the time a member of growing batches, each streamed to disk in chunks, and
the most memory that the process held. With ``--run``, that of `simulate run` of so many patients over 24 weeks with two
quantities, from the shell to its last file, and what solving alone takes of it: some of its patients in this process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.workload import Workload, reference_workload
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.solver import TAYLOR, Tolerance, solve
from simulate.studies.intervals import intervals_of, recording
from simulate.studies.runs import cohort_of, prepare, simulate_study
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting

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


def whole_run(patients: int, every: str) -> None:
    """Print what a run takes from the shell to its last file, in a process of its own, and the solver's part of it."""
    asked = ["--fit", "typical", "--end", "24 weeks", "--every", every, "-q", "ifng", "-q", "il17a", "--no-figures"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "simulate", "run", "anakinra-100mg-daily", *asked]
        for n, name in ((64, "warm"), (patients, "whole")):
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run([*command, "-n", str(n), "-o", f"{folder}/{name}"], check=True, capture_output=True)
            seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        size = sum(file.stat().st_size for file in Path(folder, "whole").rglob("*")) / 2**20
    settings = {"model.fit": "typical", "time.end": "168 d", "time.every": every, "cohort.patients": CHUNK}
    settings |= {"outputs.quantities": ["ifng", "il17a"]}
    study = prepare(
        read_scenario("anakinra-100mg-daily", [Setting(key, value, key) for key, value in settings.items()]),
        in_parts=True,
    )
    recorded, rates = recording(study, intervals_of(study)), []
    for _ in range(3):
        people = cohort_of(study, 0, CHUNK // 5)
        begun = time.perf_counter()
        simulate_study(recorded, people=people, threads=2)
        rates.append((time.perf_counter() - begun) / people.members)
    solving = patients * float(np.median(rates))
    print(f"a run of {patients} patients over 24 weeks, every {every}: {seconds:.1f} s, {work:.1f} s of the processor,")
    held = f"{after.ru_maxrss / 2**20:.2f} GiB, {size:.0f} MiB of files"
    print(f"solving {solving:.1f} s, {seconds / solving:.2f} ×; {held}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000, help="members of the largest batch")
    parser.add_argument("--run", type=int, default=0, help="patients of a whole run; nothing else is measured then")
    parser.add_argument("--every", default="1 d", help="how often a whole run is recorded")
    arguments = parser.parse_args()
    if arguments.run:
        whole_run(arguments.run, arguments.every)
        return
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
