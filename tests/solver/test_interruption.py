"""A solve that nobody waits for any more ends at once: after an interrupt, or an error of who listens to progress."""

from __future__ import annotations

import time

import numpy as np
import pytest

from simulate.kernels.build import build
from simulate.kernels.system import equations
from simulate.solver import Schedule, solve

MEMBERS = 1280


def endless(**options: object) -> None:
    """Some minutes of work: an explicit method on a stiff system, without a limit of steps."""
    kernel = build(equations({"x": "1e9 * (t - x)"}, [0.0], parameters=["unused"]))
    parameters = np.zeros((MEMBERS, 1))
    solve(kernel, parameters, Schedule.empty(MEMBERS), np.array([1.0]), max_steps=10**12, **options)


def test_an_interrupt_ends_running_and_queued_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        time.sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr("simulate.solver.batch.as_completed", interrupted)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        endless(threads=2)
    assert time.monotonic() - began < 10.0


def test_an_error_of_the_listener_ends_the_work_and_is_what_the_caller_sees() -> None:
    kernel = build(equations({"x": "-q * x"}, [1.0], parameters=["q"]))
    told: list[int] = []

    def listen(finished: int) -> None:
        told.append(finished)
        raise RuntimeError("the listener is gone")

    with pytest.raises(RuntimeError, match="the listener is gone"):
        solve(kernel, np.ones((MEMBERS, 1)), Schedule.empty(MEMBERS), np.array([1.0]), progress=listen, threads=1)
    assert len(told) == 1


@pytest.mark.parametrize(("members", "threads"), [(1, 4), (9, 2), (200, 16), (257, 3)])
def test_progress_counts_every_member_once_and_every_thread_gets_a_share(members: int, threads: int) -> None:
    kernel = build(equations({"x": "-q * x"}, [1.0], parameters=["q"]))
    told: list[int] = []
    solve(
        kernel,
        np.ones((members, 1)),
        Schedule.empty(members),
        np.array([1.0]),
        progress=told.append,
        threads=threads,
    )
    assert sum(told) == members
    assert len(told) >= min(threads, members / 16)
