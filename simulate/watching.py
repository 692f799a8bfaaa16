"""Callbacks by which long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Advance = Callable[[int], None]
"""Called with how much is done since the last call."""

Progress = Callable[[int, str], AbstractContextManager[Advance]]
"""Called with how much there is to do and a label; what it gives is entered while it is done."""

Report = Callable[[str], None]
"""Called with sentences about the work."""


class Headway(str):
    """A sentence about how far work is, of which a reader may be spared some."""

    __slots__ = ()


def quiet(total: int, label: str) -> AbstractContextManager[Advance]:
    """Progress that nobody sees."""
    return nullcontext(lambda done: None)
