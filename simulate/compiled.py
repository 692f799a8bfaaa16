"""Numba behind one door: how the package compiles, and where compiled code is kept.

Numba decides that cached code is current by looking at the one file that holds the function. Here functions of
several files are compiled into each other, so the cache folder carries the hash of them all: a changed line anywhere
gives a new folder, and nothing stale is ever loaded.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import stat
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs
from numba import types
from numba.core.errors import NumbaExperimentalFeatureWarning

from simulate.errors import MissingExtra

if getattr(numba.config, "DISABLE_JIT", 0):
    raise MissingExtra(
        "nothing can be compiled: `NUMBA_DISABLE_JIT` is set",
        code="environment.jit",
        expected="an environment without it",
        advice="`unset NUMBA_DISABLE_JIT`, before Python starts",
    )

WORKSPACE = types.float64[::1]
BLOCK_FUNCTION = types.FunctionType(types.void(WORKSPACE))
"""Numba type of a kernel's function: it acts on the flat workspace of a block."""

_LOCK = threading.RLock()
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
    "fastmath": {"contract"},
    # Nothing here allocates. Numba would else count references to every array at every call, atomically, at the cost of
    # a step for each.
    "_nrt": False,
}


@functools.cache
def fingerprint() -> str:
    """Hash of everything but a model that decides the bits of a result: the engine's sources and the compilers."""
    digest = hashlib.blake2b(digest_size=8)
    package = Path(__file__).parent
    for path in sorted([Path(__file__), *package.glob("solver/**/*.py"), *package.glob("kernels/**/*.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = (numba.__version__, llvmlite.__version__, np.__version__)
    digest.update("\0".join(versions).encode())
    return digest.hexdigest()


@functools.cache
def cache_directory() -> Path:
    """Folder for compiled code, private to the user; a temporary one where no permanent one can be had.

    Numba's index files are pickles, so a folder that somebody else may write to is never used.
    """
    chosen = os.environ.get("IL1SIM_CACHE_DIR")
    root = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("il1sim"))
    folder = root / fingerprint()
    try:
        # Without a home, the user's folder is a relative path that would end up wherever the command was started.
        if chosen or root.is_absolute():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(folder) and os.access(folder, os.W_OK):
                return folder.absolute()
    except OSError:
        pass
    passing = Path(tempfile.mkdtemp(prefix="il1sim-"))
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    return passing


def _is_private(folder: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextlib.contextmanager
def _numba_cache_in(folder: Path) -> Iterator[None]:
    config: Any = numba.config
    with _LOCK:  # the setting is that of the process
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder)
        try:
            yield
        finally:
            config.CACHE_DIR = before


def _forget(function: Callable[..., Any], folder: Path) -> None:
    """Remove what the cache holds of a function; Numba itself would stumble over a damaged file for ever."""
    stem = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}"
    for path in (*folder.rglob("*.nbi"), *folder.rglob("*.nbc")):
        if path.name.startswith((f"{stem}-", f"{stem}.")):
            path.unlink(missing_ok=True)


def compiled(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function to be compiled, or loaded from the cache, for one signature.

    The compiled function releases the interpreter lock, follows IEEE rules for division by zero and may contract a
    multiplication and an addition into one instruction; it never assumes that numbers are finite.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        folder = cache_directory()
        with _numba_cache_in(folder), warnings.catch_warnings():
            # Functions as arguments let one integrator serve every model; Numba still calls them experimental.
            warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
            try:
                return numba.njit(signature, cache=True, **_OPTIONS)(function)
            except Exception:
                # A cache that cannot be read (cut off, of another build) must not stop the work: compile afresh, and
                # without any cache where even that fails, as on a full disk.
                with contextlib.suppress(Exception):
                    _forget(function, folder)
                    return numba.njit(signature, cache=True, **_OPTIONS)(function)
                return numba.njit(signature, **_OPTIONS)(function)

    return decorate


def inlined(function: Callable[..., Any]) -> Any:
    """Decorate a helper that only compiled functions call; it is compiled into each of them."""
    return numba.njit(**_OPTIONS)(function)


def verbatim(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined`, but one whose operations are carried out as they are written.

    No multiplication is contracted with an addition, which would void what follows from the rounding of each; and the
    code stands in its caller for certain, without which a loop around it is not vectorized.
    """
    options = {name: value for name, value in _OPTIONS.items() if name != "fastmath"}
    return numba.njit(forceinline=True, **options)(function)
