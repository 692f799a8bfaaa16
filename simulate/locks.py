"""Locks on folders that end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from simulate.errors import InputError, Where

LOCK = ".il1sim.lock"
"""Name of the file in a folder by which it is locked; the operating system holds the lock, the file only names it."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Context in which no other process works in a folder.

    Raises
    ------
    InputError
        ``store.locked``: another process does, which is named.
    """
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if not _take(descriptor):
                raise _taken(folder, os.read(descriptor, 200).decode("utf-8", errors="replace"))
            # The last holder may have removed the file between our opening and our locking it.
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    break
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        # Removed while it is still locked, so that nobody can have locked what is removed.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Whether another process works in a folder."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        return not _take(descriptor)
    finally:
        os.close(descriptor)


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
        advice="wait for it to end, or choose another folder with --out",
    )
