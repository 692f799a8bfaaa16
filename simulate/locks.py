"""Locks on folders, and on files being written, that end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from simulate.errors import InputError, Where

LOCK = ".il1sim.lock"
"""Name of the file in a folder by which it is locked; the operating system holds the lock, the file only names it."""

_PAUSE = 0.02


@contextlib.contextmanager
def locked(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Context in which no other process works in a folder.

    Parameters
    ----------
    folder
        The folder, which must exist.
    wait
        Seconds to wait for another process to end its work there.

    Raises
    ------
    InputError
        ``store.locked``: another process works there, which is named.
    """
    descriptor = hold(folder, wait=wait)
    try:
        yield
    finally:
        let_go(descriptor, folder)


def hold(folder: Path, *, wait: float = 0.0) -> int:
    """Lock a folder until `let_go` is called with what is returned; arguments and errors as for `locked`."""
    path = folder / LOCK
    until = time.monotonic() + wait
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if _take(descriptor):
                # The last holder may have removed the file between our opening and our locking it.
                if _is_at(descriptor, path):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
                    return descriptor
            elif time.monotonic() >= until:
                raise _taken(folder, os.read(descriptor, 200).decode("utf-8", errors="replace"))
            else:
                time.sleep(_PAUSE)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def let_go(descriptor: int, folder: Path) -> None:
    """Give up a lock; the folder may have another name by now, or be gone."""
    # Removed while it is still locked, so that nobody can have locked what is removed.
    with contextlib.suppress(OSError):
        if _is_at(descriptor, folder / LOCK):
            (folder / LOCK).unlink()
    os.close(descriptor)


def check_free(folder: Path) -> None:
    """Refuse a folder in which another process works; errors as for `locked`."""
    if is_locked(folder):
        try:
            holder = (folder / LOCK).read_bytes()[:200].decode("utf-8", errors="replace")
        except OSError:
            return
        raise _taken(folder, holder)


def is_locked(path: Path) -> bool:
    """Whether a process works in a folder, or writes a file that `new_file` made."""
    try:
        descriptor = os.open(path / LOCK if path.is_dir() else path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        return not _take(descriptor)
    finally:
        os.close(descriptor)


def new_file(folder: Path) -> tuple[int, Path]:
    """A new temporary file, open for writing, that is locked as long as it is open; its descriptor and its path."""
    while True:
        # A short name of its own: that of its target and a suffix could exceed the longest that the system allows.
        path = folder / f".il1sim-{secrets.token_hex(8)}.tmp"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            # Where the file system knows no locks, nobody can find that it is free either.
            if os.name != "posix" or not _take(descriptor) or _is_at(descriptor, path):
                return descriptor, path
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        os.close(descriptor)


def remove_free(path: Path) -> bool:
    """Remove a file that `new_file` made and nobody writes any more; whether it was one."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not _take(descriptor):
            return False
        if os.name == "posix":
            path.unlink()
    finally:
        os.close(descriptor)
    if os.name != "posix":
        path.unlink()
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one that has a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except OSError:
        return False


def _take(descriptor: int) -> bool:
    """Lock a file if nobody has; the lock goes when the file is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _taken(folder: Path, holder: str) -> InputError:
    return InputError(
        "another process works in the folder",
        code="store.locked",
        where=Where(file=str(folder)),
        found=holder if holder.isprintable() and holder else None,
        advice="wait for it to end, or choose another folder",
    )
