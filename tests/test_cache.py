"""Compiled code on disk: where it may lie, and what is loaded of it."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numba import types

from simulate import cache, compiled, compiling, native
from simulate.cache import cache_folder, load, save, unsafe

Caplog = pytest.LogCaptureFixture

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and permissions are those of POSIX")
KEPT_ANEW = "compiled code is not kept, and compiled again each time: "


@pytest.fixture(autouse=True)
def _told_anew() -> Iterator[None]:
    """What was said in one test is said again in the next."""
    cache._tell.cache_clear()
    yield
    cache._tell.cache_clear()


def third(x: Any) -> None:
    x[0] = x[0] / 3.0 + 1.0


def other(x: Any) -> None:
    x[0] = 7.0


def value_of(function: Any, folder: Path | None, monkeypatch: pytest.MonkeyPatch) -> float:
    """What a function that is compiled, or loaded from a cache, makes of 1."""
    monkeypatch.setattr(compiled, "cache_directory", lambda: folder)
    x = np.ones(1)
    compiled.compiled(types.void(types.float64[::1]))(function)(x)
    return float(x[0])


def test_a_function_is_compiled_when_it_is_called_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "cache_directory", lambda: tmp_path)
    function = compiled.compiled(types.void(types.float64[::1]))(other)
    assert list(tmp_path.iterdir()) == []
    function(np.ones(1))
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("tests.test_cache.other-")


def test_threads_that_begin_together_have_one_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    compile_one = compiling.machine_code

    def slow(function: Any, signature: Any) -> bytes:
        made.append(1)
        # Long enough for the other threads to ask as well.
        sleep(0.2)
        return compile_one(function, signature)

    monkeypatch.setattr(compiled, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(compiling, "machine_code", slow)
    function = compiled.compiled(types.void(types.float64[::1]))(other)
    with ThreadPoolExecutor(4) as pool:
        addresses = set(pool.map(lambda _: function.address, range(4)))
    assert len(addresses) == len(made) == 1


def statuses(monkeypatch: pytest.MonkeyPatch, folders: dict[str, tuple[int, int]]) -> None:
    """Let folders have other owners and permissions than this test could give them."""

    def lstat(path: str | os.PathLike[str]) -> Any:
        uid, mode = folders[str(path)]
        return SimpleNamespace(st_uid=uid, st_mode=mode if stat.S_IFMT(mode) else stat.S_IFDIR | mode)

    monkeypatch.setattr(os, "lstat", lstat)
    monkeypatch.setattr(os, "getuid", lambda: 1000)


@posix
@pytest.mark.parametrize(
    ("folders", "fault"),
    [
        ({"/": (0, 0o755), "/home": (0, 0o755), "/home/a": (1000, 0o700)}, None),
        ({"/": (0, 0o755), "/tmp": (0, 0o1777), "/tmp/a": (1000, 0o700)}, None),
        ({"/": (0, 0o755), "/b": (1001, 0o755), "/b/a": (1000, 0o700)}, "`/b` belongs to another user"),
        ({"/": (0, 0o755), "/tmp": (1001, 0o1777), "/tmp/a": (1000, 0o700)}, "`/tmp` belongs to another user"),
        ({"/": (0, 0o755), "/b": (1000, 0o755), "/b/a": (1001, 0o700)}, "`/b/a` belongs to another user"),
        (
            {"/": (0, 0o755), "/b": (0, 0o777), "/b/a": (1000, 0o700)},
            "other users may write to `/b`; `chmod go-w` mends it",
        ),
        (
            {"/": (0, 0o755), "/b": (1000, 0o775), "/b/a": (1000, 0o700)},
            "other users may write to `/b`; `chmod go-w` mends it",
        ),
        (
            {"/": (0, 0o755), "/b": (1000, 0o755), "/b/a": (1000, 0o1777)},
            "other users may write to `/b/a`; `chmod go-w` mends it",
        ),
        ({"/": (0, 0o755), "/b": (1000, stat.S_IFLNK | 0o777), "/b/a": (1000, 0o700)}, "`/b` is not a folder"),
    ],
)
def test_a_cache_lies_where_nobody_else_can_reach(
    monkeypatch: pytest.MonkeyPatch, folders: dict[str, tuple[int, int]], fault: str | None
) -> None:
    statuses(monkeypatch, folders)
    assert unsafe(Path(list(folders)[-1])) == fault


@posix
def test_nothing_is_made_under_a_folder_that_is_not_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Caplog
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path / "open" / "cache"))
    assert cache_folder("x") is None
    assert list((tmp_path / "open").iterdir()) == []
    assert caplog.messages == [
        f"{KEPT_ANEW}other users may write to `{tmp_path / 'open'}`; `chmod go-w` mends it",
    ]


@posix
def test_a_cache_that_others_may_write_to_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Caplog
) -> None:
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path / "a" / "b"))
    own = cache_folder("x")
    assert own == tmp_path / "a" / "b" / "x"
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in (own, own.parent, own.parent.parent))
    own.chmod(0o777)
    assert cache_folder("x") is None
    assert len(caplog.messages) == 1


@posix
def test_links_in_the_path_are_those_of_the_moment_of_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path / "link"))
    assert cache_folder("x") == tmp_path / "here" / "x"


@posix
def test_a_mask_that_takes_everything_away_leaves_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path / "a"))
    before = os.umask(0o777)
    try:
        folder = cache_folder("x")
    finally:
        os.umask(before)
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("root", ["file", "file/inside"])
def test_a_cache_that_is_a_file_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Caplog, root: str
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path / root))
    assert cache_folder("x") is None
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(KEPT_ANEW + f"`{tmp_path / 'file'}")
    assert value_of(third, None, monkeypatch) == 1.0 / 3.0 + 1.0


def test_without_a_home_nothing_is_written_where_the_command_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Caplog
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IL1SIM_CACHE_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: "~/.cache/il1sim")
    assert cache_folder("x") is None
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == [KEPT_ANEW + "there is no home folder; IL1SIM_CACHE_DIR can name another"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_cache_that_takes_nothing_is_done_without_and_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Caplog, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        found = [value_of(function, tmp_path, patched) for function in (third, other)]
    assert found == [1.0 / 3.0 + 1.0, 7.0]
    assert caplog.messages == [KEPT_ANEW + f"`{tmp_path}`: {os.strerror(code).lower()}"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_any_bit_changed_is_not_what_was_written(tmp_path: Path, caplog: Caplog) -> None:
    path = tmp_path / "a.bin"
    save(path, b"compiled code")
    content = path.read_bytes()
    assert load(path) == b"compiled code"
    for place in range(8 * len(content)):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        assert load(path) is None
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert load(path) is None
    (tmp_path / "b.bin").write_bytes(content)
    assert load(tmp_path / "b.bin") is None, "a file stands for no other"
    assert caplog.messages == [f"compiled code in `{tmp_path}` is damaged, and compiled anew"]
    assert load(tmp_path / "c.bin") is None


def test_damaged_code_is_compiled_anew_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Caplog
) -> None:
    assert value_of(third, tmp_path, monkeypatch) == 1.0 / 3.0 + 1.0
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))
    assert value_of(third, tmp_path, monkeypatch) == 1.0 / 3.0 + 1.0
    assert len(path.read_bytes()) == pytest.approx(len(whole), rel=0.01)
    assert len(caplog.messages) == 1
    with monkeypatch.context() as patched:
        patched.setattr(compiled.cache, "save", None)
        # Loaded, as nothing that is compiled could be kept now.
        assert value_of(third, tmp_path, patched) == 1.0 / 3.0 + 1.0


def test_code_of_another_function_under_the_name_of_this_one_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value_of(third, tmp_path, monkeypatch)
    (mine,) = tmp_path.iterdir()
    value_of(other, tmp_path, monkeypatch)
    (theirs,) = set(tmp_path.iterdir()) - {mine}
    mine.write_bytes(theirs.read_bytes())
    assert value_of(third, tmp_path, monkeypatch) == 1.0 / 3.0 + 1.0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are those of POSIX")
def test_a_pipe_in_the_place_of_compiled_code_is_not_waited_for(tmp_path: Path, caplog: Caplog) -> None:
    os.mkfifo(tmp_path / "a.bin")
    assert load(tmp_path / "a.bin") is None
    save(tmp_path / "a.bin", b"compiled code")
    assert load(tmp_path / "a.bin") == b"compiled code"
    assert len(caplog.messages) == 1


def test_what_the_compilers_are_told_is_in_the_name_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        with monkeypatch.context() as patched:
            patched.setattr(native, "_told", native._settings)
            return native.fingerprint.__wrapped__()

    monkeypatch.chdir(tmp_path)
    plain = told()
    for name, value in (("NUMBA_OPT", "0"), ("NUMBA_SLP_VECTORIZE", "1"), ("NUMBA_CPU_NAME", "generic")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert told() != plain, name
    idle = (
        ("NUMBA_NUM_THREADS", "1"),
        ("NUMBA_CACHE_DIR", "/"),
        ("NUMBA_ENABLE_CUDASIM", "1"),
        ("OMP_NUM_THREADS", "1"),
    )
    for name, value in idle:
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert told() == plain, name
    (tmp_path / ".numba_config.yaml").write_text("opt: max", encoding="utf-8")
    assert told() != plain, "a file of settings"


def test_files_of_killed_processes_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path))
    folder = cache_folder("x")
    assert folder is not None
    for name, age in ((".il1sim-0.tmp", 2 * cache._STALE), (".il1sim-1.tmp", 0.0)):
        (folder / name).touch()
        os.utime(folder / name, (0.0, (folder / name).stat().st_mtime - age))
    assert cache_folder("x") == folder
    assert [path.name for path in folder.iterdir()] == [".il1sim-1.tmp"]


LOADING = """
import sys
from simulate.solver.recording import observe_all
print(observe_all.address != 0, "numba" in sys.modules)
"""


def test_code_that_was_kept_is_loaded_without_what_is_needed_to_translate(tmp_path: Path) -> None:
    environment = {**os.environ, "IL1SIM_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", LOADING], capture_output=True, text=True, check=True, env=environment
        ).stdout
        for _ in range(2)
    ]
    assert said == ["True True\n", "True False\n"]
