"""What a sweep would take: trajectories, memory, disk and time, the last from a small part that is solved."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from simulate.errors import counted
from simulate.memory import check_room
from simulate.studies.sweeps.parts import solve_part
from simulate.studies.sweeps.plans import Part, SweepPlan

SAMPLE = 128
"""Trajectories that are timed."""

PROCESS_BYTES = 450_000_000
"""What a process holds before it solves anything: interpreter, libraries, compiled code."""


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """An estimate of the work of a sweep."""

    #: Sizes; a part is what is solved and kept as one.
    arms: int
    patients: int
    trajectories: int
    parts: int
    largest_part: int
    memory_bytes: int  #: Most memory, over all processes
    #: Most space on the disk, and what stays in the end.
    disk_bytes: int
    kept_bytes: int
    #: Time by the clock on this machine as busy as it is now, if the other processes have cores of their own.
    seconds: float
    #: Trajectories that were timed, and the time they took.
    sampled: int
    sample_seconds: float


def estimate(plan: SweepPlan, *, workers: int = 1) -> TimeEstimate:
    """Work out what a sweep would take; solves a small part of it twice, the second time by the clock."""
    largest = max(part.rows for part in plan.parts)
    sample = _sample(plan)
    solve_part(sample, 0)
    begun = time.perf_counter()
    solve_part(sample, 0)
    seconds = time.perf_counter() - begun
    kept = plan.rows * plan.row_bytes
    return TimeEstimate(
        arms=len(plan.study.arms),
        patients=plan.study.members,
        trajectories=plan.rows,
        parts=len(plan.parts),
        largest_part=largest,
        memory_bytes=(PROCESS_BYTES + held_bytes(plan)) * (1 if workers == 1 else workers + 1),
        disk_bytes=2 * kept,
        kept_bytes=kept,
        seconds=seconds * plan.rows / sample.parts[0].rows,
        sampled=sample.parts[0].rows,
        sample_seconds=seconds,
    )


def held_bytes(plan: SweepPlan) -> int:
    """Memory that the largest part takes while it is solved."""
    # Recorded values, those of time 0 taken off, and the packed part; the last also where it is unpacked.
    return max(part.rows for part in plan.parts) * (2 * plan.recorded_bytes + 3 * plan.row_bytes)


def check_memory(plan: SweepPlan, *, workers: int = 1) -> None:
    """Refuse a sweep for which there is too little memory."""
    others = 0 if workers == 1 else workers * (PROCESS_BYTES + held_bytes(plan))
    check_room(
        held_bytes(plan) + others,
        "the sweep",
        found=f"parts of {counted(max(part.rows for part in plan.parts), 'trajectory')}, {counted(workers, 'worker')}",
        advice="fewer --workers, or a smaller --part-size",
    )


def _sample(plan: SweepPlan) -> SweepPlan:
    """A sweep whose one part is small: some patients in the arm in the middle, and in its neighbors."""
    members = min(SAMPLE, plan.study.members)
    arms = min(len(plan.study.arms), -(-SAMPLE // members))
    first = (len(plan.study.arms) - arms) // 2
    return replace(plan, parts=(Part((first, first + arms), (0, members)),))
