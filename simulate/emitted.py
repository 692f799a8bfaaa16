"""Machine code made with LLVM directly, without Numba's front end, or loaded from where `simulate.native` keeps it.

What makes it (`simulate.emitting`) is loaded when something is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from llvmlite.binding import add_symbol

from simulate.compiled import LOCK, Compiled
from simulate.interruption import heed
from simulate.native import Native, load, made_once, symbol_of

if TYPE_CHECKING:
    from simulate.emitting import Writer

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
            _EMITTED[symbol] = Native(load(symbol, made_once(symbol, make)), ["float64 1"], "none")
    heed()
    return _EMITTED[symbol]
