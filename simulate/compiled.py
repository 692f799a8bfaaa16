"""Functions that are compiled, or loaded from the cache, when they are first called or asked for their address.

Numba, which compiles them (`simulate.compiling`), takes longer to load than a small batch takes to solve. So what is
declared here waits for it: functions, their types, and what they take into themselves. A function that an earlier
process compiled is loaded as machine code (`simulate.native`), and nothing else is.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from simulate import cache, native
from simulate.interruption import heed
from simulate.later import Later, LaterType, made, types
from simulate.native import Native, cache_directory, source_of


def _code() -> Any:
    from simulate.compiling import Code

    return Code


Code = LaterType("Code", _code)
"""Numba's type of compiled code of some signature that is known by its address alone."""

WORKSPACE = types.float64[::1]
BLOCK_FUNCTION = Code(types.void(WORKSPACE))
"""Numba type of a kernel's function: it acts on the flat workspace of a block."""

LOCK = threading.RLock()
"""Held by who compiles."""


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
        if payload is not None:
            # As it was written, it can still be of no use to this process.
            with contextlib.suppress(ValueError, KeyError, RuntimeError):
                return native.kept(payload)
        from simulate.compiling import machine_code

        payload = machine_code(self._function, made(self._signature))
        # A compiler that was interrupted may have lost the exception on its way.
        heed()
        if path is not None:
            native.keep(path, payload)
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


def _of(function: Callable[..., Any], part: Any) -> Any:
    return functools.update_wrapper(part, function)


def inlined(function: Callable[..., Any]) -> Any:
    """Decorate a helper that is compiled into each compiled function that calls it, and that nobody else can call."""

    def part() -> Any:
        from simulate.compiling import inlined_part

        return inlined_part(function)

    return _of(function, Later(part))


def apart(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined` that is called rarely: it stays a function, and the loop around it small.

    What LLVM does to a function takes it more than twice the time where that is twice as long.
    """

    def part() -> Any:
        from simulate.compiling import part_apart

        return part_apart(function)

    return _of(function, Later(part))


def verbatim(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined` that loops over lanes call: its code stands in its caller word for word.

    Without that, a loop around it is not vectorized. It is kept on disk too, for each model calls it.
    """
    from simulate.compiling import kept_part

    return kept_part(function)
