"""Values that take long to find, kept on disk by the content of all that they follow from.

What is kept lies where compiled code does, with the same guards (`simulate.cache`): in a folder that nobody else can
reach into, each file with a hash of its content. It is read as Python's own pickles, and never from anywhere else.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from simulate import LOADED, cache, shipped
from simulate.files import content_hash
from simulate.versions import code_hash, sources, version_of

_FOLDER = "values"

T = TypeVar("T")


def recalled(name: str, question: str, find: Callable[[], T]) -> T:
    """A value as it was kept, or found and kept where it comes back as it is.

    Parameters
    ----------
    name
        For readers.
    question
        All that decides it, besides the sources of this package and SymPy.
    find
        What finds it, which has no other effect. Its errors are not kept.
    """
    folder, edition = cache.cache_folder(_FOLDER, is_told=False), _edition()
    if folder is None or edition is None:
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
        if as_kept == value and _is_what_runs():
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
def _edition() -> str | None:
    """Hash of what decides all values; None without sources, as in an archive, and where they are not what runs."""
    return content_hash(sys.version, version_of("sympy"), code_hash()) if _is_what_runs() else None


def _is_what_runs() -> bool:
    """Whether sources and shipped parameters are as this process has read them, or will: none was written since.

    Else what they say now would be taken for what follows from them, and by all later processes.
    """
    try:
        told = [path.stat() for path in (*sources(), *shipped.parameter_files())]
    except OSError:
        return False
    return bool(sources()) and max(max(one.st_mtime_ns, one.st_ctime_ns) for one in told) < LOADED
