"""Figures that could not be drawn, for a fault of this program: what was computed is written all the same."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from simulate.errors import Il1simError

_GATHERED: ContextVar[list[Il1simError] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[list[Il1simError]]:
    """Context in which faults of figures are gathered, for who says them at the end; elsewhere they are warnings."""
    found: list[Il1simError] = []
    token = _GATHERED.set(found)
    try:
        yield found
    finally:
        _GATHERED.reset(token)


@contextmanager
def telling_afterwards() -> Iterator[None]:
    """Context at whose end they are told: where warnings are errors, all else must have been written."""
    with gathering() as found:
        yield
    for fault in found:
        _tell(fault)


def tell_undrawn(name: str, error: Exception) -> None:
    """Tell that a figure could not be drawn, and why."""
    fault = Il1simError(
        f"the figure `{name}` could not be drawn, by a fault of this program; all else is written",
        code="internal.figure",
        found=said_of(error),
        expected=f"{name}.png and {name}.svg",
        advice="report it, with what `simulate --debug` prints of it and with the input, to the maintainers",
    )
    fault.__cause__ = error
    _tell(fault)


def _tell(fault: Il1simError) -> None:
    gathered = _GATHERED.get()
    if gathered is None:
        warnings.warn(str(fault), RuntimeWarning, stacklevel=3)
    else:
        gathered.append(fault)


def said_of(error: Exception) -> str:
    """An exception on a line of its own."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
