"""Processes that solve the parts of a sweep, and what happens when one of them dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from simulate.errors import Unfinished
from simulate.files import write_atomically
from simulate.studies.sweeps.parts import part_path, solved_part
from simulate.studies.sweeps.plans import SweepPlan

PATIENCE = 5
"""Times in a row that workers may die before one part more is finished."""

_TASK: list[tuple[SweepPlan, Path, int]] = []


def solve_in_processes(
    plan: SweepPlan, folder: Path, missing: Sequence[int], *, workers: int, threads: int
) -> Iterator[int]:
    """Numbers of parts as they are finished by processes of their own, which write them."""
    left = set(missing)
    deaths = 0
    while left:
        # Not by forking: a fork of a process with threads may inherit a lock that nobody will ever open.
        pool = ProcessPoolExecutor(
            max_workers=min(workers, len(left)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(plan, folder, threads),
        )
        try:
            with _shielded():
                solving = [pool.submit(_solve, index) for index in sorted(left)]
            for done in as_completed(solving):
                index = done.result()
                left.discard(index)
                deaths = 0
                yield index
        except BrokenProcessPool:
            deaths += 1
            if deaths == PATIENCE:
                raise Unfinished(
                    f"worker processes died {PATIENCE} times in a row",
                    code="sweep.workers",
                    found=f"{len(left)} of {len(plan.parts)} parts are missing",
                    advice="the same command goes on from here; give fewer --workers if memory ran out",
                ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _shielded() -> Iterator[None]:
    """Context in which processes are started that Ctrl-C does not reach, not even before their first line."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(plan: SweepPlan, folder: Path, threads: int) -> None:
    """Make a process ready to solve parts of a sweep, and to end with the one that started it."""
    # Ctrl-C reaches all processes of a terminal; the first of them tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.process.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _TASK[:] = [(plan, folder, threads)]


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _solve(index: int) -> int:
    plan, folder, threads = _TASK[0]
    write_atomically(part_path(folder, plan.parts[index]), solved_part(plan, index, threads))
    return index
