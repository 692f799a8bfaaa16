"""How long the fuzzer runs, from which seed, and what one input may cost.

``IL1SIM_FUZZ_SECONDS`` is the time for all parts together, 9 if not set; ``IL1SIM_FUZZ_SEED`` the seed, 1 if not set.
Minutes on demand: ``IL1SIM_FUZZ_SECONDS=600 IL1SIM_FUZZ_SEED=7 pytest -n 0 -s tests/fuzz``. A failure names seed and
number of its input; with this seed the same inputs are made again, in the same order.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType

from simulate.errors import Il1simError

SEED = int(os.environ.get("IL1SIM_FUZZ_SEED", "1"))
SECONDS = float(os.environ.get("IL1SIM_FUZZ_SECONDS", "9"))
PARTS = 3

CPU_SECONDS = 5.0
"""Time of the processor that one input may take."""
MEGABYTES = 1000.0
"""Memory that one input may take beyond what was taken before."""


class TooLong(BaseException):
    """An input has used up its time; not an `Exception`, so that nothing on the way takes it for its own."""


def generator(purpose: str, number: int) -> random.Random:
    """Random numbers of one input, the same whatever came before it."""
    return random.Random(f"{SEED} {purpose} {number}")


def inputs(*, at_least: int = 1) -> Iterator[int]:
    """Numbers of inputs until the time of a part is over."""
    until = time.monotonic() + SECONDS / PARTS
    number = 0
    while number < at_least or time.monotonic() < until:
        yield number
        number += 1


@contextlib.contextmanager
def limited(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """Stop what goes on for longer than its time of the processor."""

    def stop(_: int, frame: FrameType | None) -> None:
        raise TooLong("".join(traceback.format_stack(frame)[-12:]))

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def peak_megabytes() -> float:
    """Most memory that this process has ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def verdict(act: Callable[[], object]) -> str:
    """What becomes of an input: ``accepted``, the code of an error, or what is wrong with this program."""
    memory, began = peak_megabytes(), time.process_time()
    try:
        with limited():
            act()
        found = "accepted"
    except TooLong as stop:
        return f"FAULT: longer than {CPU_SECONDS:g} s, in\n{stop}"
    except Il1simError as error:
        str(error)
        found = error.code
    except Exception:
        return f"FAULT: {traceback.format_exc(limit=-8)}"
    took, more = time.process_time() - began, peak_megabytes() - memory
    if took > CPU_SECONDS or more > MEGABYTES:
        return f"FAULT: {found}, after {took:.1f} s and with {more:.0f} MB"
    return found
