"""Ctrl-C and SIGTERM, which must end the program even where a library swallows the exception.

An exception that is raised while a library calls back into Python, or while an object is taken apart, is printed and
forgotten. So whoever asked for an end is remembered, and the end is asked for again.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any, NoReturn

_REMINDER = 0.05
"""Seconds after which a lost interruption is repeated; the library has returned by then."""

_asked: list[int] = []


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends whatever Ctrl-C ends."""


def listen() -> None:
    """Let SIGINT and SIGTERM end what runs, and come again where their exception is lost."""
    # Who starts a program in the background may have told it not to listen.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    sys.unraisablehook = _unraisable


def _end(number: int, frame: object) -> NoReturn:
    _asked.append(number)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def asked() -> KeyboardInterrupt | None:
    """What was asked for and is not done yet; None where nothing was."""
    if not _asked:
        return None
    return Terminated() if _asked[-1] == signal.SIGTERM else KeyboardInterrupt()


def heed() -> None:
    """Raise again what was asked for and has been lost since."""
    ending = asked()
    if ending is not None:
        raise ending


def forget() -> None:
    """Begin anew: what was asked for so far has been done."""
    _asked.clear()


def _unraisable(lost: Any) -> None:
    if isinstance(lost.exc_value, KeyboardInterrupt) or lost.exc_type in (KeyboardInterrupt, Terminated):
        number = signal.SIGTERM if lost.exc_type is Terminated else signal.SIGINT
        timer = threading.Timer(_REMINDER, os.kill, (os.getpid(), number))
        timer.daemon = True
        timer.start()
    else:
        sys.__unraisablehook__(lost)
