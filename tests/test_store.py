"""Directories that take their names in one step, and what becomes of those that were killed."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from simulate import store
from simulate.disk import exchange, open_regular
from simulate.errors import InputError, MissingExtra
from simulate.files import file_hash, read_bytes, write_atomically
from simulate.locks import hold, is_locked, let_go, locked, new_file
from simulate.results.catalog import leftovers, records_in, remove
from simulate.store import MANIFEST, check_target, manifest_text, new_directory, read_manifest, traces
from tests.faults.small import manifest_of

posix = pytest.mark.skipif(os.name != "posix", reason="such things are those of POSIX")


def fill(target: Path, key: str, *, force: bool = False, meanwhile: Callable[[], object] | None = None) -> None:
    with new_directory(target, key=key, force=force) as folder:
        (folder / "results.txt").write_text(key, encoding="utf-8")
        if meanwhile is not None:
            meanwhile()
        (folder / MANIFEST).write_text(manifest_text({"key": key, "title": key}), encoding="utf-8")


def test_two_folders_change_places(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system has no such call")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "c")


def test_what_is_being_written_is_not_swept(tmp_path: Path) -> None:
    swept: list[Path] = []

    def sweep() -> None:
        (staging,) = tmp_path.glob(".il1sim-*.tmp")
        assert is_locked(staging)
        assert leftovers([tmp_path]) == ()
        # Not even by those that found it before it was locked, nor by a run beside it.
        assert remove(staging) == 0
        fill(tmp_path / "beside", "other")
        swept.append(staging)

    fill(tmp_path / "here", "one", meanwhile=sweep)
    assert len(swept) == 1
    assert (tmp_path / "here" / "results.txt").read_text(encoding="utf-8") == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside", "here"]


def test_files_being_written_are_not_swept_and_those_of_killed_processes_are(tmp_path: Path) -> None:
    descriptor, path = new_file(tmp_path)
    (tmp_path / ".il1sim-0.tmp").touch()
    if os.name == "posix":
        assert [found.name for found in traces(tmp_path)] == [".il1sim-0.tmp"]
    fill(tmp_path / "here", "one")
    os.close(descriptor)
    assert {found.name for found in tmp_path.iterdir()} == {"here", path.name}
    assert leftovers([tmp_path]) == (path,)
    write_atomically(tmp_path / "file", "x")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_a_file_swept_before_it_was_locked_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulate import locks

    taken: list[int] = []

    def take(descriptor: int) -> bool:
        if not taken:
            for path in tmp_path.iterdir():
                path.unlink()
        taken.append(descriptor)
        return True

    monkeypatch.setattr(locks, "_take", take)
    descriptor, path = new_file(tmp_path)
    os.close(descriptor)
    assert list(tmp_path.iterdir()) == [path]
    assert len(taken) == 2


@pytest.mark.parametrize("mode", [0o700, 0o000])
def test_folders_of_killed_processes_are_swept_by_the_next_run_and_by_gc(tmp_path: Path, mode: int) -> None:
    for sweep in (lambda: fill(tmp_path / "here", "one"), lambda: [remove(path) for path in leftovers([tmp_path])]):
        (tmp_path / ".il1sim-0.tmp").mkdir()
        (tmp_path / ".il1sim-0.tmp" / "results.nc").touch()
        (tmp_path / ".il1sim-0.tmp").chmod(mode)
        sweep()
        assert [path.name for path in tmp_path.iterdir()] == ["here"]


@posix
def test_a_mask_that_takes_everything_away_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        raise InputError("x", code="x")

    before = os.umask(0o777)
    try:
        with pytest.raises(InputError):
            fill(tmp_path / "here", "one", meanwhile=fail)
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_replaced_run_is_gone_and_nothing_else_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(store, "exchange", lambda one, other: False)
    fill(tmp_path / "here", "one")
    fill(tmp_path / "here", "two", force=True)
    assert manifest_of(tmp_path / "here")["key"] == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [MANIFEST, "results.txt"]


@pytest.mark.parametrize("last", [0, 1, 2, 3])
def test_a_kill_at_any_step_of_a_replacement_loses_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    """The steps of a system that cannot exchange, cut off after each: what gc finds then has one of the runs."""

    class _Killed(BaseException):
        pass

    fill(tmp_path / "here", "one")
    staging = tmp_path / ".il1sim-0.tmp"
    (staging / store.NEW).mkdir(parents=True)
    (staging / store.NEW / MANIFEST).write_text(manifest_text({"key": "two"}), encoding="utf-8")
    done: list[object] = []
    rename = os.rename

    def counted(one: Path, other: Path) -> None:
        if len(done) == last:
            raise _Killed
        done.append(one)
        rename(one, other)

    monkeypatch.setattr(store, "exchange", lambda one, other: False)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", counted)
        # A process that is killed does not tidy up: the name comes back by gc alone.
        try:
            store._replace(staging / store.NEW, tmp_path / "here")
        except _Killed:
            pass
    for path in leftovers([tmp_path]):
        remove(path)
    expected = "two" if last >= 2 else "one"
    assert manifest_of(tmp_path / "here")["key"] == expected
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_run_that_stepped_aside_comes_back_with_the_next_run_beside_it(tmp_path: Path) -> None:
    fill(tmp_path / "here", "one")
    staging = tmp_path / ".il1sim-0.tmp"
    staging.mkdir()
    (staging / "name").write_text("here", encoding="utf-8")
    (tmp_path / "here").rename(staging / "old")
    fill(tmp_path / "beside", "two")
    assert manifest_of(tmp_path / "here")["key"] == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside", "here"]


def test_a_name_that_leads_elsewhere_brings_nothing_back(tmp_path: Path) -> None:
    staging = tmp_path / "runs" / ".il1sim-0.tmp"
    (staging / "old").mkdir(parents=True)
    (staging / "name").write_text("../elsewhere", encoding="utf-8")
    for path in leftovers([tmp_path / "runs"]):
        remove(path)
    assert [path.name for path in tmp_path.rglob("*")] == ["runs"]


def test_a_run_put_there_in_the_last_moment_is_not_replaced_without_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "here", "one")
    fill(tmp_path / "other", "other")
    calls: list[Path] = []
    wait = store.locked

    def late(folder: Path, **options: float) -> object:
        if not calls:
            (tmp_path / "here").rename(tmp_path / "aside")
            (tmp_path / "other").rename(tmp_path / "here")
        calls.append(folder)
        return wait(folder, **options)

    monkeypatch.setattr(store, "locked", late)
    with pytest.raises(InputError) as caught:
        fill(tmp_path / "here", "one")
    assert caught.value.code == "store.occupied"
    assert manifest_of(tmp_path / "here")["key"] == "other"


def test_a_run_in_which_a_process_works_is_not_replaced(tmp_path: Path) -> None:
    fill(tmp_path / "here", "one")
    with locked(tmp_path / "here"), pytest.raises(InputError) as caught:
        check_target(tmp_path / "here", key="one", force=True)
    assert str(caught.value).splitlines()[:2] == [
        "error[store.locked]: another process works in the folder",
        f"  --> {tmp_path / 'here'}",
    ]


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:

    descriptor = hold(tmp_path)
    timer = threading.Timer(0.1, let_go, (descriptor, tmp_path))
    timer.start()
    with locked(tmp_path, wait=20.0):
        assert is_locked(tmp_path)
    timer.join()
    assert list(tmp_path.iterdir()) == []


def specials(folder: Path) -> list[Path]:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
    return [folder / "pipe", folder / "socket", Path("/dev/zero")]


@posix
def test_a_pipe_a_socket_and_a_device_are_refused_at_once_wherever_a_file_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not in the folder of the test, whose path may be too long for a socket.
    with tempfile.TemporaryDirectory() as short:
        for path in specials(Path(short)):
            with pytest.raises(InputError) as caught:
                read_bytes(path, "input.toml")
            assert caught.value.code == "file.unreadable"
            for read in (open_regular, file_hash):
                with pytest.raises(OSError, match=r"not a regular file|[Nn]o such device"):
                    read(path)
            with pytest.raises((InputError, MissingExtra)):
                check_target(path, key="")


@posix
def test_a_pipe_in_the_place_of_a_manifest_makes_no_run_directory(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MANIFEST)
    os.mkfifo(tmp_path / "sweep.json")
    assert read_manifest(tmp_path) is None
    assert records_in([tmp_path]) == ()
    with pytest.raises(InputError) as caught:
        check_target(tmp_path, key="", force=True)
    assert caught.value.code == "store.occupied"


@posix
def test_a_pipe_is_named_as_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as caught:
        read_bytes(tmp_path / "pipe", "pipe")
    assert str(caught.value) == (
        "error[file.unreadable]: the file cannot be read: it is a pipe, a socket or a device, not a regular file\n"
        "  --> pipe\n"
        "  try:      write what it gives to a file first, and name that file"
    )
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
