"""Sweeps that are killed, from the outside: nothing is lost, and the bits are those of a sweep left alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from simulate.cli.app import TERMINATED
from simulate.errors import InputError, MissingExtra, Unfinished
from simulate.locks import is_locked
from simulate.studies.sweeps.running import PARTS, run_sweep
from tests.studies.sweeps.small import contents, plan

COMMAND = (
    *(sys.executable, "-m", "simulate", "sweep", "anakinra-100mg-daily", "--over", "dose=10,30,100,300"),
    *(
        "--fit",
        "typical",
        "--patients",
        "3",
        "--seed",
        "5",
        "--set",
        "time.end=3 d",
        "--set",
        'outputs.quantities=["ifng", "ck"]',
    ),
    *("--part-size", "1"),
)
DEADLINE = 120.0


def parts_in(target: Path) -> int:
    return len(list((target / PARTS).glob("*.part")))


def started(target: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, "--out", str(target), *options], stderr=subprocess.PIPE, text=True)


def wait_for(parts: int, target: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a sweep has so many parts; it may have ended before."""
    end = time.monotonic() + DEADLINE
    while parts_in(target) < parts and process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Bytes of a sweep that was left alone."""
    target = tmp_path_factory.mktemp("whole")
    run_sweep(plan(), target)
    return contents(target)


def test_a_sweep_that_is_killed_again_and_again_ends_with_the_same_bytes(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    target = tmp_path / "killed"
    for ending in (signal.SIGKILL, signal.SIGTERM):
        # Parts of its own tell that the second one has begun too, however many the first had left.
        parts = parts_in(target) + 2
        process = started(target)
        wait_for(parts, target, process)
        process.send_signal(ending)
        _, said = process.communicate(timeout=DEADLINE)
        assert not is_locked(target)
        if process.returncode == TERMINATED:
            assert f"to go on: the same command, or `simulate runs resume {target}`\n" in said
        else:
            assert process.returncode in (-signal.SIGKILL, 0)
    run_sweep(plan(part_size=1), target)
    assert contents(target) == whole
    assert sorted(path.name for path in target.iterdir()) == sorted(
        [*whole, "inputs", "manifest.json", "models", "sweep.json"]
    )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found by /proc")
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, whole: dict[str, bytes]) -> None:
    target = tmp_path / "workers"
    killed: list[int] = []

    def kill(rows: int) -> None:
        # The first progress tells what is there already.
        if rows and len(killed) < 1:
            for child in _children(os.getpid()):
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                        killed.append(child)
                    break

    run_sweep(plan(part_size=1), target, workers=2, progress=kill)
    assert killed
    assert contents(target) == whole


def _children(parent: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def test_a_cluster_whose_workers_are_killed_gives_the_same_bytes(tmp_path: Path, whole: dict[str, bytes]) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    target = tmp_path / "cluster"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        killed: list[int] = []

        def kill(rows: int) -> None:
            if rows and not killed:
                pid = cluster.workers[0].process.pid
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

        run_sweep(plan(part_size=1), target, scheduler=cluster.scheduler_address, progress=kill)
        assert killed
    assert contents(target) == whole


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("simulate.studies.sweeps.cluster.PATIENCE", "100 ms")
    with pytest.raises(InputError) as caught:
        run_sweep(plan(), tmp_path, scheduler="tcp://127.0.0.1:1")
    lines = str(caught.value).splitlines()
    assert lines[:2] == [
        "error[sweep.scheduler]: no scheduler answers",
        "  --> --scheduler tcp://127.0.0.1:1",
    ]
    assert lines[-1] == "  expected: the address of a scheduler of Dask, such as tcp://10.0.0.1:8786"


class _Future:
    """A part that a cluster was given, and what has become of it."""

    def __init__(self, error: Exception, status: str) -> None:
        self._error, self.status = error, status

    def result(self) -> bytes:
        raise self._error


def _cluster(monkeypatch: pytest.MonkeyPatch, *, future: _Future | None = None) -> None:
    """Let there be a cluster without workers, or one whose parts all end in one way."""

    class Cancelled(Exception):
        pass

    class Killed(Exception):
        pass

    class Client:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def as_current(self) -> contextlib.AbstractContextManager[None]:
            return contextlib.nullcontext()

        def wait_for_workers(self, number: int, timeout: str) -> None:
            if future is None:
                raise TimeoutError

        def scatter(self, plan: object, **_: object) -> object:
            return plan

        def submit(self, *_: object, **__: object) -> object:
            return future

        def close(self, timeout: float) -> None:
            raise OSError

    names = {"CancelledError": Cancelled, "Client": Client, "as_completed": list}
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(**names))
    monkeypatch.setitem(sys.modules, "distributed.scheduler", SimpleNamespace(KilledWorker=Killed))
    if future is not None and future._error.args == ("lost",):
        future._error = Cancelled("lost")


def test_a_cluster_without_workers_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cluster(monkeypatch)
    with pytest.raises(MissingExtra) as caught:
        run_sweep(plan(), tmp_path, scheduler="tcp://127.0.0.1:1")
    assert str(caught.value) == (
        "error[sweep.workers]: the scheduler has no workers\n  --> --scheduler tcp://127.0.0.1:1\n"
        "  expected: one or more, which need il1sim of the same version\n"
        "  try:      start some: `dask worker tcp://127.0.0.1:1`"
    )


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            ValueError("lost"),
            "cancelled",
            "error[sweep.scheduler]: the scheduler has gone\n  --> --scheduler tcp://127.0.0.1:1\n"
            "  found:    Cancelled: lost\n"
            "  try:      start it again; the same command, or `simulate runs resume`, then goes on from here",
        ),
        (
            OSError("no disk"),
            "error",
            "error[sweep.workers]: a worker could not solve a part\n  --> --scheduler tcp://127.0.0.1:1\n"
            "  found:    no disk\n"
            "  try:      the same command goes on from here; give workers more memory if it ran out",
        ),
    ],
)
def test_a_cluster_that_ends_in_the_midst_leaves_a_sweep_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, message: str
) -> None:
    _cluster(monkeypatch, future=_Future(error, status))
    with pytest.raises(Unfinished) as caught:
        run_sweep(plan(), tmp_path, scheduler="tcp://127.0.0.1:1")
    assert str(caught.value) == message
    assert (tmp_path / "sweep.json").exists()


def test_a_cluster_without_its_package_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra) as caught:
        run_sweep(plan(), tmp_path, scheduler="tcp://127.0.0.1:1")
    assert str(caught.value) == (
        "error[sweep.cluster]: a cluster needs the package `distributed`\n"
        "  try:      install it with `pip install 'il1sim[cluster]'`"
    )


def test_two_processes_on_one_directory_share_nothing_but_the_result(tmp_path: Path, whole: dict[str, bytes]) -> None:
    target = tmp_path / "two"
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            run_sweep(plan(part_size=1), target)
            outcomes.append("finished")
        except InputError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "finished" in outcomes
    assert set(outcomes) <= {"finished", "store.locked"}
    assert contents(target) == whole
