"""A cache of answers about the package itself, so that a command need not import the libraries that find them.

An answer is plain values, kept as JSON beside the compiled code of `simulate.cache`, with the hash of every source and
table of the package and the versions of the libraries that print mathematics. It is never taken where one of them has
changed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simulate import cache, shipped
from simulate.files import content_hash, files_hash
from simulate.versions import version_of

_FOLDER = "answers"
_LIBRARIES = ("sympy", "pint", "numpy")


@functools.cache
def edition() -> str:
    """Hash of all that decides what the package says of itself, and of where it lies."""
    package = Path(__file__).parent
    folders = ((package, "*.py"), (package, "*.toml"), (shipped.root(), "*.toml"))
    found = files_hash((path for folder, pattern in folders for path in folder.rglob(pattern)), package)
    return content_hash(sys.version, str(package), *map(version_of, _LIBRARIES), found)


def kept(question: Sequence[str], find: Callable[[], Any]) -> Any:
    """The answer to a question: as it was kept, or found and kept.

    Parameters
    ----------
    question
        Words that tell it from all others.
    find
        What finds the answer: plain values, as JSON has them.
    """
    folder = cache.cache_folder(_FOLDER, is_told=False)
    if folder is None:
        return find()
    name = hashlib.blake2b("\0".join(question).encode(), digest_size=16).hexdigest()
    path = folder / f"{name}.json"
    if (payload := cache.load(path, is_told=False)) is not None:
        entry = json.loads(payload)
        if entry["edition"] == edition():
            return entry["answer"]
    answer = find()
    cache.save(path, json.dumps({"edition": edition(), "answer": answer}).encode(), is_told=False)
    return answer
