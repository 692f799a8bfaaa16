"""``python -m simulate`` and the command ``simulate``: ends at once if it is interrupted before it has begun."""

import atexit
import contextlib
import ctypes
import gc
import os
import signal
import sys

from simulate.aside import set_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Settings of memory in the C library of GNU, by their numbers."""


def _leave(number: int, frame: object) -> "NoReturn":
    # Whatever is being loaded at this moment could lose an exception, or make another of it.
    os.write(2, b"interrupted; nothing was left half written\n")
    os._exit(128 + number)


def _end(code: "str | int | None") -> "NoReturn":
    # All is said and written. To take a million objects apart one by one would take a twentieth of a run.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else code is not None)


def _keep_freed() -> None:
    # Arrays of some megabytes come and go by the hundred: given back to the system, each page is cleared each time.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 1 << 25)
        library.mallopt(_TRIM_THRESHOLD, 1 << 27)


def main() -> "NoReturn":
    """Run the command line and leave with its exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    # What is loaded stays; to look through it takes a twentieth of a run, and each time again.
    gc.set_threshold(1_000_000, 20, 100)
    _keep_freed()
    # Matrices are small here, and threads that wait for their share of one spin, for a twentieth of a run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    set_aside()
    from simulate.cli.app import main as begin

    try:
        begin(sys.argv[1:])
    except SystemExit as ending:
        if sys.getprofile() is None and sys.gettrace() is None:
            _end(ending.code)
        raise


if __name__ == "__main__":
    main()
