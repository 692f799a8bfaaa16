"""Machine code made with LLVM directly, without Numba's front end, or loaded from where `simulate.compiled` keeps it.

What makes it (`simulate.emitting`) is loaded when something is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from llvmlite.binding import add_symbol

from simulate import cache, native
from simulate.compiled import LOCK, Compiled, cache_directory, fingerprint
from simulate.interruption import heed
from simulate.native import Native

Writer = Callable[[Any, Any, Any, Any], None]
"""Writes instructions; given are Numba's contexts of types and of the machine, a builder, and where a workspace is."""

_EMITTED: dict[str, Native] = {}


def emitted(
    name: str, text: str, writer: Callable[[], Writer], *, is_simple: bool = False, calls: Iterable[Compiled] = ()
) -> Native:
    """A function of the workspace whose instructions are written past Numba, or loaded from the cache.

    Parameters
    ----------
    name
        For readers.
    text
        What the instructions follow from: where it is the same, so are they.
    writer
        Gives what writes them.
    is_simple
        Whether there is nothing in them for LLVM to simplify, which takes it as long as to translate them.
    calls
        Compiled functions that are called, by their ``symbol``.
    """
    for function in calls:
        add_symbol(function.symbol, function.address)
    symbol = symbol_of(name, text)

    def make() -> bytes:
        from simulate.emitting import object_code

        return object_code(symbol, writer(), is_simple=is_simple)

    with LOCK:
        if symbol not in _EMITTED:
            _EMITTED[symbol] = Native(native.load(symbol, made_once(symbol, make)), ["float64 1"], "none")
    heed()
    return _EMITTED[symbol]


def symbol_of(name: str, text: str) -> str:
    """Name of what follows from a text on this machine."""
    given = (text, *native.machine(), fingerprint())
    digest = hashlib.blake2b("\0".join(given).encode(), digest_size=16).hexdigest()
    return f"{name}-{digest}"


def made_once(symbol: str, make: Callable[[], bytes]) -> bytes:
    """Code from the cache, or made and kept there."""
    folder = cache_directory()
    path = None if folder is None else folder / f"{symbol}.bin"
    code = None if path is None else cache.load(path)
    if code is None:
        code = make()
        if path is not None:
            cache.save(path, code)
    return code
