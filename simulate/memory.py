"""How much memory a process may take: the smallest of all limits.

Beyond a limit the operating system ends a process without a word, or a library that asked for memory does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulate.errors import MissingExtra, Where

FLOOR = 1_200_000_000
"""Address space that libraries, compiler and threads take, whatever is solved; each further thread takes its share."""

_THREAD = 80_000_000
_UNLIMITED = 1 << 60
_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Room:
    """Memory that a process may still take, in bytes, and what sets the limit."""

    size: int
    limit: str


def room(root: Path = _ROOT) -> Room | None:
    """The least that any limit leaves to this process; None where nothing is known.

    Parameters
    ----------
    root
        Folder in which ``proc`` and ``sys`` are.
    """
    return min((*_of_machine(root), *_of_process(root), *_of_groups(root)), key=lambda found: found.size, default=None)


def check_room(needed: int, what: str, *, where: Where | None = None, found: str | None = None, advice: str) -> None:
    """Refuse work for which there is too little memory, before it begins.

    Raises
    ------
    MissingExtra
        ``memory``, with what it needs, what there is, and which limit that is.
    """
    there = room()
    if there is not None and needed > there.size:
        raise MissingExtra(
            f"{what} would need about {needed / 1e9:.3g} GB of memory",
            code="memory",
            where=where,
            found=found,
            expected=f"at most {max(there.size, 0) / 1e9:.3g} GB, which is what {there.limit} leaves",
            advice=advice,
        )


def check_floor() -> None:
    """Refuse to load libraries that would crash: some ask for memory without looking whether they got it.

    Raises
    ------
    MissingExtra
        ``memory``.
    """
    limit = _limits().get("RLIMIT_AS", _UNLIMITED)
    needed = FLOOR + _THREAD * _cores()
    if limit < needed:
        raise MissingExtra(
            "there is too little memory to begin",
            code="memory",
            found=f"{limit / 1e9:.3g} GB, by `ulimit -v`",
            expected=f"{needed / 1e9:.3g} GB of address space on {_cores()} cores, most of which is never touched",
            advice="set a higher limit with `ulimit -v`, or limit memory by a control group",
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _of_machine(root: Path) -> Iterator[Room]:
    with contextlib.suppress(OSError, ValueError, KeyError):
        rows = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines())
        free = sum(int(rows[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
        yield Room(1024 * free, "this machine, as busy as it is,")
        return
    if hasattr(os, "sysconf"):
        yield Room(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "this machine")


def _limits() -> dict[str, int]:
    if sys.platform == "win32":
        return {}
    import resource

    found = {name: resource.getrlimit(getattr(resource, name))[0] for name in ("RLIMIT_AS", "RLIMIT_DATA")}
    return {name: size for name, size in found.items() if size != resource.RLIM_INFINITY}


def _of_process(root: Path) -> Iterator[Room]:
    limits = _limits()
    if not limits:
        return
    taken = {"RLIMIT_AS": 0, "RLIMIT_DATA": 0}
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = [int(word) for word in (root / "proc/self/statm").read_text(encoding="ascii").split()]
        size = os.sysconf("SC_PAGE_SIZE")
        taken = {"RLIMIT_AS": size * pages[0], "RLIMIT_DATA": size * pages[5]}
    for name, option in (("RLIMIT_AS", "v"), ("RLIMIT_DATA", "d")):
        if name in limits:
            yield Room(limits[name] - taken[name], f"`ulimit -{option}`")


def _of_groups(root: Path) -> Iterator[Room]:
    """What each control group leaves that the process is in, and each one above it."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    mounts = root / "sys/fs/cgroup"
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            tops, names = (mounts, mounts / "unified"), ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            tops = (mounts / "memory", mounts / controllers)
        else:
            continue
        for top in tops:
            # In a container, the path may be that outside, and the group of the process the topmost that is seen.
            below = top / path.strip("/")
            for group in (below, *below.parents):
                if not group.is_relative_to(top):
                    break
                yield from _of_group(group, *names)


def _of_group(group: Path, limit: str, current: str, spare: str) -> Iterator[Room]:
    with contextlib.suppress(OSError, ValueError):
        text = (group / limit).read_text(encoding="ascii").strip()
        if text == "max" or int(text) >= _UNLIMITED:
            return
        taken = int((group / current).read_text(encoding="ascii"))
        for line in (group / "memory.stat").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == spare:
                # Pages of files, which give way.
                taken -= int(value)
        yield Room(int(text) - taken, f"the control group `{group}`")
