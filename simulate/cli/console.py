"""What is printed where: results on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulate.errors import Il1simError
from simulate.watching import Headway, Report

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress
    from rich.table import Table

_PATIENCE = 1.0
_PACE = 30.0
_REMEMBERED = 300.0


class UsageFault(Il1simError):
    """A command line that cannot be understood."""

    exit_code = 2


def say(text: str, *, is_error: bool = False) -> None:
    """Print a message on standard error; control characters are shown, not obeyed."""
    shown = printable(text)
    if is_error and _has_colors(sys.stderr):
        first, _, rest = shown.partition(":")
        shown = f"\x1b[1;31m{first}\x1b[0m:{rest}"
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(shown + "\n")
        sys.stderr.flush()


def paced(clock: Callable[[], float] = time.monotonic) -> Report:
    """What says sentences about work as `say` does; elsewhere than on a terminal, how far it is but now and then."""
    last = clock()

    def tell(line: str) -> None:
        nonlocal last
        if isinstance(line, Headway) and not sys.stderr.isatty():
            if clock() - last < _PACE:
                return
            last = clock()
        say(line)

    return tell


def printable(text: str) -> str:
    """The text with control characters written out, but for the ends of lines."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in text
    )


def _has_colors(stream: Any) -> bool:
    return bool(stream.isatty()) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def print_json(document: Mapping[str, Any] | None, fault: Il1simError | None = None) -> None:
    """Print the one JSON document of a verb, and in it what went wrong, if anything.

    In ASCII where standard output is not UTF-8, as JSON must be.
    """
    if fault is not None:
        document = {**(document or {}), "error": fault.as_dict()}
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8")
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=not is_utf8, allow_nan=False) + "\n")


def print_text(text: str) -> None:
    """Print a result that is plain text; control characters are shown, not obeyed."""
    shown = printable(text)
    sys.stdout.write(shown if shown.endswith("\n") else shown + "\n")


def titled(title: str | None, headings: Iterable[str] = (), **style: Any) -> Table:
    """An empty table of rich with its title at the left and these columns; ``style`` is handed on."""
    from rich import box
    from rich.table import Table

    from simulate.cli.folding import title_of

    return Table(*headings, box=box.SIMPLE_HEAD, title=title_of(title), title_justify="left", **style)


def in_lines(text: str) -> list[str]:
    """Lines of a text, as wide as `letters_in_line`."""
    import textwrap

    return textwrap.wrap(text, letters_in_line())


LETTERS = 80
"""Letters in a line of text, at most."""


def letters_in_line() -> int:
    """Letters in a line of text: 80, or as many as the console has if that is narrower."""
    from simulate.cli.folding import LEAST_WIDTH

    return max(LEAST_WIDTH, min(LETTERS, _console_width() or LETTERS))


def _console_width() -> int | None:
    """Letters in a line where a terminal or ``COLUMNS`` limits it; None where nothing does."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def print_rich(*parts: RenderableType) -> None:
    """Print tables and texts of rich; in full width where neither a terminal nor ``COLUMNS`` limits it.

    A table that is wider goes on below, as `simulate.cli.folding` has it. Control characters of the texts are shown,
    not obeyed.
    """
    from rich.console import Console
    from rich.segment import Segment, Segments
    from rich.table import Table

    from simulate.cli.folding import LEAST_WIDTH, folded

    is_limited = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    console = Console(file=sys.stdout, width=None if is_limited else 200, highlight=False, emoji=False, markup=False)
    if console.width < LEAST_WIDTH:
        console = Console(file=sys.stdout, width=LEAST_WIDTH, highlight=False, emoji=False, markup=False)
    fitting = [own for part in parts for own in (folded(part, console.width) if isinstance(part, Table) else (part,))]
    with console.capture() as capture:
        for part in fitting:
            segments = console.render(part)
            shown = [
                segment if segment.control else Segment(printable(segment.text), segment.style) for segment in segments
            ]
            console.print(Segments(shown))
    # Not by rich itself, which has its own way of leaving when the reader has gone.
    sys.stdout.write("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


@contextlib.contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """Progress on standard error, if the work lasts, with the time passed and the time left; yields what to call.

    A bar on a terminal, and nothing elsewhere.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda done: None
        return
    bar = progress_bar(total, label, time.monotonic)
    timer = threading.Timer(_PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done: bar.advance(bar.task_ids[0], done)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def progress_bar(total: int, label: str, clock: Callable[[], float]) -> Progress:
    """The bar of one stage: what is done of how much, the time passed, and what is left at the pace of late."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("passed,"),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("left"),
    )
    bar = Progress(
        *columns, console=Console(stderr=True), transient=True, speed_estimate_period=_REMEMBERED, get_time=clock
    )
    bar.add_task(label, total=total)
    return bar


def ended(fault: Il1simError | None) -> int:
    """Exit code of a verb that printed what it found; what is wrong with that, if anything, is said first."""
    if fault is None:
        return 0
    say(str(fault), is_error=True)
    return fault.exit_code


def ask(function: Callable[..., Any], given: Mapping[str, Any], **other: object) -> Any:
    """What the function of a verb gives for options by their names, of which those are handed to it that it takes.

    ``other`` are arguments in place of options; what it takes to tell how far work is, it is given.
    """
    arguments = {"progress": progress, "report": paced(), **given, **other}
    names = inspect.signature(function).parameters
    return function(**{name: value for name, value in arguments.items() if name in names})


def carry_out(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    show: Callable[[Any], None],
    *,
    judge: Callable[[Any], Il1simError | None] = lambda result: None,
    **other: object,
) -> int:
    """Ask the function of a verb, print the document of its result or what a reader is shown, and say where it lies.

    Parameters
    ----------
    function, given, other
        As for `ask`.
    show
        Prints a result for a reader.
    judge
        What is wrong with a result.
    """
    result = ask(function, given, **other)
    fault = judge(result)
    if given["as_json"]:
        print_json(result.document, fault)
    else:
        show(result)
    if given.get("out") is not None:
        say(f"wrote {given['out']}")
    return ended(fault)
