"""A record of the files that a run reads, and the same files when the run is repeated.

`simulate.files.read_bytes`, by which every file of a user is read, asks here. A file goes by its path as it was given,
so that the same question asks for the same names on another machine; a file that ships, by its place among the shipped
data. The tables of parameters are not noted: `simulate.versions` says which they are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path, PurePath

from simulate import shipped

SHIPPED = "shipped:"
"""What begins the names of files that ship."""

_noted: ContextVar[dict[str, bytes] | None] = ContextVar("noted", default=None)
_given: ContextVar[Mapping[str, bytes] | None] = ContextVar("given", default=None)


@contextlib.contextmanager
def noting() -> Iterator[None]:
    """Context, or decorator of a function, in which files are noted that are read; `noted` has them."""
    outer = _noted.get()
    token = _noted.set({})
    try:
        yield
    finally:
        if outer is not None:
            outer |= _noted.get() or {}
        _noted.reset(token)


def noted() -> Mapping[str, bytes]:
    """Files that were read since `noting` began: name → content. What is read later is in it too, until that ends."""
    files = _noted.get()
    return {} if files is None else files


@contextlib.contextmanager
def given(files: Mapping[str, bytes]) -> Iterator[None]:
    """Context in which these files are read and no others, but for those that ship."""
    token = _given.set(files)
    try:
        yield
    finally:
        _given.reset(token)


def is_given() -> bool:
    """Whether files were given, and no others are read."""
    return _given.get() is not None


def note(path: Path | str, content: bytes) -> None:
    """Note a file, if anybody notes."""
    files, name = _noted.get(), _name(path)
    if files is not None and name is not None:
        files[name] = content


def content_of(path: Path | str) -> bytes | None:
    """Content of a file that was given; None where it is to be read from the disk.

    Raises
    ------
    FileNotFoundError
        Files were given, and this is none of them.
    """
    files, name = _given.get(), _name(path)
    if files is None or name is None:
        return None
    if name not in files and not name.startswith(SHIPPED):
        raise FileNotFoundError(str(path))
    return files.get(name)


def is_there(path: Path | str) -> bool:
    """Whether there is a file or a folder of this path, among the files that were given or else on the disk."""
    files, name = _given.get(), _name(path)
    if files is None or name is None or name.startswith(SHIPPED):
        return Path(path).exists()
    return name in files or is_folder(path)


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder of this path, among those of the files that were given or else on the disk."""
    files, name = _given.get(), _name(path)
    if files is None or name is None or name.startswith(SHIPPED):
        return Path(path).is_dir()
    return any(PurePath(known).is_relative_to(name) and known != name for known in files)


def _name(path: Path | str) -> str | None:
    """Name of a file; None for the tables of parameters."""
    text = os.path.normpath(path)
    root = str(shipped.root())
    if not text.startswith(root + os.sep):
        return PurePath(text).as_posix()
    inner = PurePath(text).relative_to(root)
    is_table = len(inner.parts) == 1 or text == str(shipped.priors_file())
    return None if is_table else SHIPPED + inner.as_posix()
