"""Values that take long to find, kept on disk by the content of all that they follow from.

What is kept lies where compiled code does, with the same guards (`simulate.cache`): in a folder that nobody else can
reach into, each file with a hash of its content. It is read as Python's own pickles, and never from anywhere else.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import pickle
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from simulate import cache
from simulate.files import file_hash

_FOLDER = "values"

T = TypeVar("T")


def recalled(name: str, sources: Sequence[str], question: bytes, find: Callable[[], T]) -> T:
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
    if folder is None or edition is None:
        return find()
    digest = hashlib.blake2b(edition + question, digest_size=16)
    path = folder / f"{name}-{digest.hexdigest()}.bin"
    payload = cache.load(path, is_told=False)
    if payload is not None:
        # As it was written, it can still be of no use to this process: then it is found and written anew.
        with contextlib.suppress(Exception):
            kept: T = pickle.loads(payload)
            return kept
    value = find()
    with contextlib.suppress(Exception):
        payload = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        # SymPy makes expressions anew from their parts, and may do with them what whoever made them did not.
        if pickle.loads(payload) == value:
            cache.save(path, payload, is_told=False)
    return value


@functools.cache
def _edition(*sources: str) -> bytes | None:
    """Hash of some folders of this package, of its own modules and of what else decides what SymPy does.

    None where there are no such files, as in an archive.
    """
    import sympy

    package = Path(__file__).parent
    if not Path(__file__).is_file():
        return None
    digest = hashlib.blake2b(digest_size=16)
    digest.update("\0".join((sys.version, sympy.__version__)).encode())
    for path in sorted([*package.glob("*.py"), *(path for one in sources for path in (package / one).rglob("*.py"))]):
        digest.update(f"{path.relative_to(package)}\0{file_hash(path)}\0".encode())
    return digest.digest()
