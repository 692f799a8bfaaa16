"""The run directories of a folder: their state, and what of them can be removed."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate.errors import InputError, Where
from simulate.files import file_hash
from simulate.locks import is_locked, locked
from simulate.manifest import said_of
from simulate.store import NEW, NEXT, read_manifest, read_plan, remove_dead, traces
from simulate.studies.sweeps.running import PARTS

FINISHED, UNFINISHED, RUNNING, DAMAGED = "finished", "unfinished", "running", "damaged"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run directory."""

    directory: str  #: Where it is
    kind: str  #: The verb that made it
    #: What it says of itself.
    title: str
    key: str
    #: ``finished``, ``unfinished`` or, where a process works in it, ``running``; ``damaged``, where it does not say.
    state: str
    #: Parts that are solved and all parts of a sweep that is not finished; None otherwise.
    parts: tuple[int, int] | None
    size: int  #: Bytes on the disk
    written: str | None  #: When it was finished, UTC; None where it is not


def records_in(folders: Sequence[Path]) -> tuple[RunRecord, ...]:
    """Run directories in folders, or the folders themselves where they are such, by name."""
    found = {}
    for folder in folders:
        for directory in (folder, *_directories(folder)):
            record = record_of(directory)
            if record is not None:
                found[record.directory] = record
    return tuple(found[name] for name in sorted(found))


def _directories(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
        # Sweeps that will replace another run when they are finished.
        yield from (path / NEW for path in folder.glob(f".il1sim-*.{NEXT}") if (path / NEW).is_dir())


def record_of(directory: Path) -> RunRecord | None:
    """The record of a run directory; None for a directory that is none."""
    try:
        manifest, plan = read_manifest(directory), read_plan(directory)
    except InputError:
        return RunRecord(str(directory), "", "", "", DAMAGED, None, _size(directory), None)
    entries = manifest or plan
    if entries is None:
        return None
    parts = None
    if manifest is None and plan is not None:
        parts = (len(list((directory / PARTS).glob("*.part"))), int(plan.get("size", {}).get("parts", 0)))
    if is_locked(directory):
        state = RUNNING
    else:
        state = UNFINISHED if manifest is None else FINISHED
    return RunRecord(
        directory=str(directory),
        kind=str(entries.get("kind", "run")),
        title=str(entries.get("title") or ""),
        key=str(entries.get("key") or ""),
        state=state,
        parts=parts,
        size=_size(directory),
        written=None if manifest is None else manifest.get("written"),
    )


def entries_of(directory: Path) -> dict[str, Any]:
    """Manifest of a run directory or, of a sweep that is not finished, what it is to be."""
    entries = read_manifest(directory) or read_plan(directory)
    if entries is None:
        raise InputError(
            "the folder is not a run directory" if directory.exists() else "there is no such folder",
            code="runs.none",
            where=Where(file=str(directory)),
            found=said_of(directory),
            expected="a folder that a verb made, such as `simulate run`",
            advice="`simulate runs list FOLDER` shows those in a folder",
        )
    return entries


def states_of_files(directory: Path, entries: dict[str, Any]) -> dict[str, str]:
    """Files that a manifest names: ``whole``, ``changed`` since they were written, or ``missing``."""
    states = {}
    for name, digest in dict(entries.get("files", {})).items():
        path = directory / str(name)
        is_whole = path.is_file() and file_hash(path) == digest
        states[str(name)] = "whole" if is_whole else "changed" if path.is_file() else "missing"
    return states


def leftovers(folders: Sequence[Path], *, unfinished: bool = False) -> tuple[Path, ...]:
    """Files and folders that can be removed: traces of killed processes, parts of finished sweeps."""
    found: set[Path] = set()
    for folder in folders:
        found |= set(traces(folder))
    for record in records_in(folders):
        directory = Path(record.directory)
        if record.state in (RUNNING, DAMAGED):
            continue
        if record.state == UNFINISHED and unfinished:
            found.add(directory)
            continue
        # Another process may have removed it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            found |= set(traces(directory)) | set(traces(directory / PARTS))
        if record.state == FINISHED and (directory / PARTS).is_dir():
            found.add(directory / PARTS)
    return tuple(sorted(path for path in found if not set(path.parents) & found))


def remove(path: Path) -> int:
    """Remove a file or folder, but no longer one in which a process has begun to work; the bytes that it held."""
    size = path.lstat().st_size if path.is_symlink() or path.is_file() else _size(path)
    if path.name.startswith(".il1sim-"):
        return 0 if remove_dead(path) else size
    with contextlib.suppress(InputError, FileNotFoundError), locked(path):
        shutil.rmtree(path)
        if path.parent.name.startswith(".il1sim-"):
            path.parent.rmdir()
        return size
    return 0


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
