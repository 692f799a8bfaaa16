"""Values that take long to find, kept on disk by the content of all that they follow from.

What is kept lies where compiled code does, with the same guards (`simulate.cache`): in a folder that nobody else can
reach into, each file with a hash of its content. It is read as Python's own pickles, and never from anywhere else.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from simulate import LOADED, cache, shipped
from simulate.files import content_hash, files_hash
from simulate.versions import versions

_FOLDER = "values"

T = TypeVar("T")


def recalled(name: str, sources: Sequence[str], question: str, find: Callable[[], T]) -> T:
    """A value as it was kept, or found and kept where it comes back as it is.

    Parameters
    ----------
    name
        For readers.
    sources
        Folders of this package whose text decides it, besides SymPy.
    question
        All else that decides it.
    find
        What finds it, which has no other effect. Its errors are not kept.
    """
    folder, edition = cache.cache_folder(_FOLDER, is_told=False), _edition(*sources)
    if folder is None or edition is None or not _is_what_runs(*sources):
        return find()
    path = folder / f"{name}-{content_hash(edition, question)}.bin"
    payload = cache.load(path, is_told=False)
    if payload is not None:
        # As it was written, it can still be of no use to this process: then it is found and written anew.
        with contextlib.suppress(Exception):
            kept: T = unpacked(payload)
            return kept
    value = find()
    with contextlib.suppress(Exception):
        payload = packed(value)
        as_kept: T = unpacked(payload)
        # SymPy makes expressions anew from their parts, and may do with them what whoever made them did not.
        if as_kept == value and _is_what_runs(*sources):
            cache.save(path, payload, is_told=False)
            # So that `content_of` is the same for this process and for later ones.
            return as_kept
    return value


def packed(value: Any) -> bytes:
    """A value as bytes of `unpacked`, for what is kept of it."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def unpacked(payload: bytes) -> Any:
    """The value of bytes that this process has packed, or has from what is kept."""
    return pickle.loads(payload)


def content_of(value: Any) -> str:
    """Hash of everything in a value."""
    return content_hash(packed(value))


@functools.cache
def _paths(*sources: str) -> tuple[Path, ...]:
    """Modules of this package beside its folders, and those in some folders of it."""
    package = Path(__file__).parent
    return tuple(sorted([*package.glob("*.py"), *(path for one in sources for path in (package / one).rglob("*.py"))]))


@functools.cache
def _edition(*sources: str) -> str | None:
    """Hash of those, and of what else decides what SymPy does; None without sources, as in an archive."""
    paths = _paths(*sources)
    return content_hash(sys.version, versions()["sympy"], files_hash(paths, Path(__file__).parent)) if paths else None


def _is_what_runs(*sources: str) -> bool:
    """Whether sources and shipped parameters are as this process has read them, or will: none was written since.

    Else what they say now would be taken for what follows from them, and by all later processes.
    """
    try:
        told = [path.stat() for path in (*_paths(*sources), *shipped.parameter_files())]
    except OSError:
        return False
    return max(max(one.st_mtime_ns, one.st_ctime_ns) for one in told) < LOADED
