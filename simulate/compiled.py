"""Functions that are compiled, or loaded from the cache, when they are first called or asked for their address.

Numba, which compiles them (`simulate.compiling`), takes longer to load than a small batch takes to solve. So what is
declared here waits for it: functions, their types, and what they take into themselves. A function that an earlier
process compiled is loaded as machine code (`simulate.native`), and nothing else is.

What is kept is in a folder with the hash of all sources, of the compilers and of their settings, and in it a file for
each function, signature and processor, as `simulate.cache` keeps them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import linecache
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulate import cache, native
from simulate.errors import MissingExtra
from simulate.interruption import heed
from simulate.native import Native
from simulate.versions import version_of

_SETTINGS = ("NUMBA_", "LLVM")
_FILE = Path(".numba_config.yaml")
"""Where Numba finds settings, in the folder where a process begins."""
_AT_FIRST = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
with contextlib.suppress(OSError):
    _AT_FIRST[f"{_FILE}"] = _FILE.read_text(encoding="utf-8", errors="replace")

if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
    raise MissingExtra(
        "nothing can be compiled: `NUMBA_DISABLE_JIT` is set",
        code="environment.jit",
        expected="an environment without it",
        advice="`unset NUMBA_DISABLE_JIT`, before Python starts",
    )


class Later:
    """Something of Numba's that is made when a function is compiled that has need of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @functools.cached_property
    def made(self) -> Any:
        """What it stands for."""
        return self._make()

    @property
    def is_made(self) -> bool:
        """Whether somebody asked for it."""
        return "made" in vars(self)


class Kind(Later):
    """A type of Numba's, or what makes one, as it is written in a signature."""

    def __init__(self, text: str, make: Callable[[], Any]) -> None:
        super().__init__(make)
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def __getattr__(self, name: str) -> Kind:
        if name.startswith("_"):
            raise AttributeError(name)
        return Kind(f"{self!r}.{name}", lambda: getattr(self.made, name))

    def __getitem__(self, key: Any) -> Kind:
        return Kind(f"{self!r}[{key!r}]", lambda: self.made[key])

    def __call__(self, *arguments: Any, **named: Any) -> Kind:
        return Kind(f"{self!r}({arguments!r}, {named!r})", lambda: self.made(*_made(arguments), **named))


def _made(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_made, value))
    return value.made if isinstance(value, Later) else value


def _numba_types() -> Any:
    from numba import types

    return types


def _code() -> Any:
    from simulate.compiling import Code

    return Code


types = Kind("types", _numba_types)
"""Numba's types."""

Code = Kind("Code", _code)
"""Numba's type of compiled code of some signature that is known by its address alone."""

WORKSPACE = types.float64[::1]
BLOCK_FUNCTION = Code(types.void(WORKSPACE))
"""Numba type of a kernel's function: it acts on the flat workspace of a block."""

LOCK = threading.RLock()
"""Held by who compiles."""

_IDLE = (
    "NUMBA_CACHE_", "NUMBA_COLOR_SCHEME", "NUMBA_CUDA_", "NUMBA_DEBUG_", "NUMBA_DEVELOPER_", "NUMBA_DISABLE_ERROR_",
    "NUMBA_DISABLE_PERFORMANCE_", "NUMBA_DUMP_", "NUMBA_ENABLE_CUDASIM", "NUMBA_FULL_TRACEBACKS", "NUMBA_NUM_THREADS",
    "NUMBA_SHOW_HELP", "NUMBA_THREADING_", "NUMBA_WARNINGS",
)  # fmt: skip
"""Beginnings of the names of settings that decide no bit of a result."""


@functools.cache
def fingerprint() -> str:
    """Hash of everything but a model that decides the bits of a result: sources, compilers and what they are told."""
    digest = hashlib.blake2b(digest_size=8)
    package = Path(__file__).parent
    here = [package / f"{name}.py" for name in ("compiled", "compiling", "emitted", "emitting", "native")]
    for path in sorted([*here, *package.glob("solver/**/*.py"), *package.glob("kernels/**/*.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = map(version_of, ("numba", "llvmlite", "numpy"))
    digest.update("\0".join((*versions, *_told(_settings()))).encode())
    return digest.hexdigest()


def _settings() -> dict[str, str]:
    """What the environment and Numba's file of settings tell the compilers."""
    return {**_AT_FIRST, **{name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}}


def _told(settings: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(settings.items()) if not name.startswith(_IDLE)]


@functools.cache
def cache_directory() -> Path | None:
    """Folder for compiled code of these sources, compilers and settings; None where there is none that can be used."""
    return cache.cache_folder(fingerprint())


def source_of(function: Callable[..., Any]) -> str:
    """Text of the module that a function is from."""
    names = function.__globals__
    loader: Any = names.get("__loader__")
    if hasattr(loader, "get_source"):
        # A module that was started under another name is not known to its own loader.
        with contextlib.suppress(ImportError):
            return str(loader.get_source(names["__name__"]))
    return "".join(linecache.getlines(function.__code__.co_filename, names))


class Compiled:
    """A function that is compiled, or loaded from the cache, when it is first called or asked for its ``address``."""

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        functools.update_wrapper(self, function)
        self._function, self._signature = function, signature
        self._code: Native | None = None

    def __call__(self, *arguments: Any) -> Any:
        return self._native(*arguments)

    @property
    def symbol(self) -> str:
        """Name by which emitted code calls it."""
        return f"{self._function.__module__}.{self._function.__qualname__}"

    @property
    def address(self) -> int:
        """Where the machine code is, for compiled code that calls it."""
        return self._native.address

    @property
    def _native(self) -> Native:
        if self._code is None:
            # Threads begin together: the address that one of them has must not be that of code which another replaces.
            with LOCK:
                self._code = self._code or self._found()
        return self._code

    def _found(self) -> Native:
        folder = cache_directory()
        path = None if folder is None else folder / self._file_name()
        payload = None if path is None else cache.load(path)
        if payload is None:
            from simulate.compiling import machine_code

            payload = machine_code(self._function, _made(self._signature))
            # A compiler that was interrupted may have lost the exception on its way.
            heed()
            if path is not None:
                cache.save(path, payload)
        return native.kept(payload)

    def _file_name(self) -> str:
        """File of the function for a signature on this processor."""
        named = (source_of(self._function), self._function.__qualname__, self._function.__code__.co_firstlineno)
        given = (*named, repr(self._signature), *native.machine(), sys.version)
        digest = hashlib.blake2b("\0".join(map(str, given)).encode(), digest_size=16)
        name = f"{self._function.__module__}.{self._function.__name__}".replace("<", "").replace(">", "")
        return f"{name}-{digest.hexdigest()}.bin"


def compiled(signature: Any) -> Callable[[Callable[..., Any]], Compiled]:
    """Decorate a function to be compiled, or loaded from the cache, for one signature.

    The compiled function releases the interpreter lock, follows IEEE rules for division by zero and may contract a
    multiplication and an addition into one instruction; it never assumes that numbers are finite. Compiled code calls
    it by its ``address``.
    """
    return functools.partial(Compiled, signature=signature)


def inlined(function: Callable[..., Any]) -> Any:
    """Decorate a helper that is compiled into each compiled function that calls it, and that nobody else can call."""

    def part() -> Any:
        from simulate.compiling import inlined_part

        return inlined_part(function)

    return Later(part)


def apart(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined` that is called rarely: it stays a function, and the loop around it small.

    What LLVM does to a function takes it more than twice the time where that is twice as long.
    """

    def part() -> Any:
        from simulate.compiling import part_apart

        return part_apart(function)

    return Later(part)


def verbatim(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined` that loops over lanes call: its code stands in its caller word for word.

    Without that, a loop around it is not vectorized. It is kept on disk too, for each model calls it.
    """
    from simulate.compiling import kept_part

    return kept_part(function)
