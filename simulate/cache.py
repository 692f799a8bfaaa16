"""Compiled code and answers on disk: in a folder that nobody else can reach into, each file with a hash of its content.

What is kept is loaded into the process and run, so neither a file that somebody else could have planted nor one whose
bits have changed may ever be taken. The first is a matter of the folder and of all that are above it, as for the keys
of ssh; the second of the hash. Without a cache everything works as well, only that it is compiled each time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import multiprocessing
import os
import secrets
import stat
import time
from pathlib import Path

import platformdirs

from simulate.disk import open_regular
from simulate.errors import reason_of

_MARK = b"il1sim compiled 1\n"
_DIGEST = 32
_STALE = 3600.0
"""Age in seconds of a temporary file that no process can be writing any more."""

_log = logging.getLogger("il1sim")


@functools.cache
def _tell(text: str) -> None:
    # One line for each trouble, however many files have it, and however many workers there are.
    if multiprocessing.parent_process() is None:
        _log.warning("%s", text if text.isprintable() else ascii(text)[1:-1])


def without(reason: str) -> None:
    """Say once that compiled code is not kept, and why."""
    _tell(f"compiled code is not kept, and compiled again each time: {reason}")


def _quiet(reason: str) -> None:
    """Nothing is lost without a cache but time, and nobody need know."""


def cache_folder(name: str, *, is_told: bool = True) -> Path | None:
    """Folder of that name, private to the user; None, with a line that says why if that is told, if there is none."""
    tell = without if is_told else _quiet
    chosen = os.environ.get("IL1SIM_CACHE_DIR")
    root = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("il1sim"))
    # Without a home, the user's folder is a relative path that would end up wherever the command was started.
    if not chosen and not root.is_absolute():
        tell("there is no home folder; IL1SIM_CACHE_DIR can name another")
        return None
    try:
        # Without links: what is checked is what is used.
        folder = root.resolve() / name
        fault = unsafe(folder)
        if fault is None:
            _make(folder)
            fault = unsafe(folder)
    except (OSError, RuntimeError, ValueError) as error:
        fault = f"`{root}`: {reason_of(error)}"
    if fault is not None:
        tell(fault)
        return None
    _sweep(folder)
    return folder


def unsafe(folder: Path) -> str | None:
    """Why another user could plant files in a folder; None where only root and this user can.

    Each folder above it must belong to one of these two, and be writable by nobody else unless it is sticky, as `/tmp`
    is; the folder itself, by nobody else at all. What does not exist yet is passed over.
    """
    if not hasattr(os, "getuid"):
        return None
    for part in (*reversed(folder.parents), folder):
        try:
            status = os.lstat(part)
        except FileNotFoundError:
            return None
        if status.st_uid not in (0, os.getuid()):
            return f"`{part}` belongs to another user"
        if not stat.S_ISDIR(status.st_mode):
            return f"`{part}` is not a folder"
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and (part == folder or not status.st_mode & stat.S_ISVTX):
            return f"other users may write to `{part}`; `chmod go-w` mends it"
    return None


def _make(folder: Path) -> None:
    for part in (*reversed(folder.parents), folder):
        if not part.is_dir():
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700)
                # Whatever the mask of new files takes away.
                os.chmod(part, 0o700)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left."""
    with contextlib.suppress(OSError):
        for path in folder.glob(".il1sim-*.tmp"):
            if path.lstat().st_mtime < time.time() - _STALE:
                path.unlink()


def load(path: Path, *, is_told: bool = True) -> bytes | None:
    """Content of a file that `save` wrote; None where there is none, or one that is not as it was written.

    That code is compiled anew is told; what else is kept here takes no time to speak of.
    """
    try:
        with open_regular(path, follow=False) as file:
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError:
        content = b""
    mark, digest, payload = content[: len(_MARK)], content[len(_MARK) :][:_DIGEST], content[len(_MARK) + _DIGEST :]
    if mark == _MARK and secrets.compare_digest(digest, _digest(path, payload)):
        return payload
    if is_told:
        damaged(path)
    return None


def damaged(path: Path) -> None:
    """Say once that compiled code on disk could not be used."""
    _tell(f"compiled code in `{path.parent}` is damaged, and compiled anew")


def save(path: Path, payload: bytes, *, is_told: bool = True) -> None:
    """Write a file with its hash, whole or not at all; a line says why where it cannot be written, if that is told."""
    temporary = path.parent / f".il1sim-{secrets.token_hex(8)}.tmp"
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with open(descriptor, "wb") as file:
                file.write(_MARK + _digest(path, payload) + payload)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        (without if is_told else _quiet)(f"`{path.parent}`: {(error.strerror or str(error)).lower()}")


def _digest(path: Path, payload: bytes) -> bytes:
    # With its name, so that no file stands for another.
    name = hashlib.blake2b(path.name.encode(), digest_size=_DIGEST).digest()
    return hashlib.blake2b(payload, key=name, digest_size=_DIGEST).digest()
