"""The race: every engine on the same patients, on one core, at its loosest tolerance that is accurate enough.

    python benchmarks/race.py [--json] [--quick] [--avx2] [--engine NAME]...

For each engine the loosest relative tolerance is sought at which every recorded value is within 1e-5 of a reference
solved at 1e-11. Then all engines run in turn, several times, and the median counts. Time is processor time of this
process, which is confined to one core, so that other work on the machine disturbs it little. With ``--avx2`` il1sim
and C make code for a processor that has no wider vectors (Zen 3), as the processor at hand runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# Before any numerical library is loaded: one thread, one core.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
if "--avx2" in sys.argv:
    os.environ["C_PROCESSOR"] = os.environ["NUMBA_CPU_NAME"] = "znver3"
    os.environ["NUMBA_CPU_FEATURES"] = "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse4.1,+sse4.2,+ssse3"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

from benchmarks.floor import floor  # noqa: E402
from benchmarks.peers import PEERS, Peer  # noqa: E402
from benchmarks.peers.peer import Solve  # noqa: E402
from benchmarks.workload import Workload, reference_workload, relative_error  # noqa: E402
from simulate.kernels.build import build  # noqa: E402
from simulate.kernels.reference import solve_reference  # noqa: E402
from simulate.solver import DOPRI5, FloatArray, Tolerance, solve  # noqa: E402

ACCURACY = 1e-5
LADDER = tuple(1e-4 * 10 ** (-step / 6) for step in range(31))
"""Relative tolerances, loosest first, down to 1e-9."""


@dataclass(frozen=True, slots=True)
class Runner:
    """An engine that is compiled and has found its tolerance."""

    engine: str
    method: str
    run: Callable[[], object]
    members: float
    rtol: float
    atol: float
    error: float | None = None
    first: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table; ``None`` where an engine is absent."""

    engine: str
    method: str
    rtol: float | None
    atol: float | None
    trajectories_per_second: float | None
    max_relative_error: float | None
    accurate: bool
    members: float
    first_result_seconds: float | None
    note: str = ""


def find_tolerance(run: Solve, absolute: float, exact: FloatArray) -> tuple[float, float]:
    """Loosest tolerance of the ladder that is accurate enough, and its error; the tightest one if none is."""
    low, high = 0, len(LADDER) - 1
    errors: dict[int, float] = {}

    def error(step: int) -> float:
        if step not in errors:
            errors[step] = relative_error(run(LADDER[step], LADDER[step] * absolute), exact)
        return errors[step]

    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if error(middle) <= ACCURACY else (middle + 1, high)
    return LADDER[low], error(low)


def prepare(peer: Peer, workload: Workload, exact: FloatArray) -> Runner:
    """Compile an engine and find its tolerance."""
    begun = time.perf_counter()
    run = peer.prepare(workload)
    run(1e-3, 1e-6)
    first = time.perf_counter() - begun
    rtol, error = find_tolerance(run, peer.absolute, exact)
    atol = rtol * peer.absolute
    return Runner(peer.engine, peer.method, lambda: run(rtol, atol), len(workload.parameters), rtol, atol, error, first)


def floor_of(runner: Runner, workload: Workload) -> Runner:
    """What the engine cannot be faster than, as one more that takes its turn."""
    part = workload.part(min(128, len(workload.parameters)))
    name, worth, run = floor(runner.method, part, Tolerance(runner.rtol, runner.atol))
    return Runner("floor", name, run, worth, runner.rtol, runner.atol)


def measure(runners: list[Runner], rounds: int) -> list[Result]:
    """Trajectories per second of processor time, the median of rounds in which the engines take turns."""
    seconds: list[list[float]] = [[] for _ in runners]
    for _ in range(rounds):
        for runner, own in zip(runners, seconds, strict=True):
            begun = time.process_time()
            runner.run()
            own.append(time.process_time() - begun)
    return [
        Result(
            engine=runner.engine,
            method=runner.method,
            rtol=runner.rtol,
            atol=runner.atol,
            trajectories_per_second=runner.members / statistics.median(own),
            max_relative_error=runner.error,
            accurate=runner.error is None or runner.error <= ACCURACY,
            members=runner.members,
            first_result_seconds=runner.first,
        )
        for runner, own in zip(runners, seconds, strict=True)
    ]


def race(engines: list[str] | None, *, quick: bool) -> tuple[list[Result], float]:
    """All results, the best of each engine, and how far the reference is from SciPy."""
    chosen = [peer for peer in PEERS if engines is None or peer.engine in engines]
    sizes = {peer: peer.quick_members if quick else peer.members for peer in chosen}
    workload = reference_workload(max(*sizes.values(), 1))
    _say(f"reference for {len(workload.parameters)} members")
    tight = Tolerance(1e-11)
    exact = solve(
        build(workload.system), workload.parameters, workload.schedule, workload.times, tolerance=tight, method=DOPRI5
    ).values
    one = workload.part(1)
    oracle = solve_reference(one.system, one.parameters, one.schedule, one.times, tolerance=Tolerance(1e-10))
    runners, results = [], []
    for peer in chosen:
        if peer.missing:
            note = f"not installed: {peer.install}"
            results.append(Result(peer.engine, peer.method, None, None, None, None, False, 0, None, note))
            continue
        _say(f"{peer.engine}: {peer.method}")
        try:
            runners.append(prepare(peer, workload.part(sizes[peer]), exact))
        except Exception as fault:
            results.append(Result(peer.engine, peer.method, None, None, None, None, False, 0, None, f"failed: {fault}"))
    _say("taking turns")
    floors = [floor_of(runner, workload) for runner in runners if runner.engine == "il1sim"]
    measured = measure([*runners, *floors], 1 if quick else 5)
    return _best(measured + results), relative_error(oracle.values, exact)


def _best(results: list[Result]) -> list[Result]:
    """Fastest accurate method of each engine first; the others of that engine follow it."""
    order = {name: index for index, name in enumerate(dict.fromkeys(peer.engine for peer in PEERS))}
    return sorted(
        results,
        key=lambda result: (order.get(result.engine, 99), not result.accurate, -(result.trajectories_per_second or 0)),
    )


def _table(results: list[Result], distance: float) -> str:
    own = next((result.trajectories_per_second for result in results if result.engine == "il1sim"), None)
    heads = ("trajectories/s", "il1sim is", "first result")
    lines = [f"{'engine':13} {'method':56} {'rtol':>8} {'error':>8} {heads[0]:>15} {heads[1]:>10} {heads[2]:>13}"]
    for result in results:
        if result.trajectories_per_second is None:
            lines.append(f"{result.engine:13} {result.method:56} {result.note}")
            continue
        ratio = f"{own / result.trajectories_per_second:.2f} ×" if own else ""
        error = "" if result.max_relative_error is None else f"{result.max_relative_error:.1e}"
        first = "" if result.first_result_seconds is None else f"{result.first_result_seconds:.1f} s"
        missed = "" if result.accurate else "  misses 1e-5"
        lines.append(
            f"{result.engine:13} {result.method:56} {result.rtol:8.1e} {error:>8} "
            f"{result.trajectories_per_second:15.1f} {ratio:>10} {first:>13}{missed}"
        )
    return "\n".join([*lines, f"reference and SciPy's DOP853 at 1e-10 differ by {distance:.1e}"])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run the race and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="fewer members and one round: minutes instead of many")
    parser.add_argument("--avx2", action="store_true", help="code for vectors of 256 bits")
    parser.add_argument("--engine", action="append", help="only this engine (may be given several times)")
    arguments = parser.parse_args()
    # Some engines greet on standard output, which is for the result alone.
    with contextlib.redirect_stdout(sys.stderr):
        results, distance = race(arguments.engine, quick=arguments.quick)
    if arguments.json:
        # One line for each engine, its best; other methods of an engine, and the floors, are in a list of their own.
        first = {result.engine: result for result in reversed(results) if result.engine != "floor"}
        engines = [asdict(result) for result in results if result is first.get(result.engine)]
        others = [asdict(result) for result in results if result is not first.get(result.engine)]
        document = {"accuracy": ACCURACY, "reference_error": distance, "engines": engines, "others": others}
        print(json.dumps(document, indent=2))
    else:
        print(_table(results, distance))


if __name__ == "__main__":
    main()
