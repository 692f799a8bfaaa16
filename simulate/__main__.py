"""``python -m simulate`` and the command ``simulate``: ends at once if it is interrupted before it has begun."""

import gc
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def _leave(number: int, frame: object) -> "NoReturn":
    # Whatever is being loaded at this moment could lose an exception, or make another of it.
    os.write(2, b"interrupted; nothing was left half written\n")
    os._exit(128 + number)


def main() -> "NoReturn":
    """Run the command line and leave with its exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    # What is loaded stays; to look through it again and again takes a tenth of a run.
    gc.set_threshold(50_000, 20, 100)
    from simulate.cli.app import main as begin

    begin(sys.argv[1:])


if __name__ == "__main__":
    main()
