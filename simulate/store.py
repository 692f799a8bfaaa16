"""Run directories that are never half written.

A directory is built beside its target under a temporary name, flushed, and renamed. Only a directory that holds a
manifest of this program is ever replaced: a mistyped target can cost a run, but nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulate.errors import InputError, MissingExtra, Where
from simulate.files import parse_json

MANIFEST = "manifest.json"
"""Name of the file that makes a directory a run directory."""

PLAN = "sweep.json"
"""Name of the file that marks a run that is made in parts, and may be unfinished."""

_PROGRAM = "il1sim"


def check_target(target: Path, *, key: str, force: bool = False) -> None:
    """Refuse a target that must not, or cannot, be written; meant to be called before anything is computed.

    Parameters
    ----------
    target
        Directory to be written. It may be absent, empty, or a run directory.
    key
        Content hash of the run to be written: a run directory with the same key may be replaced, as it says the same.
    force
        Whether a run directory with another key may be replaced.

    Raises
    ------
    InputError
        ``store.occupied``: something else is there.
    MissingExtra
        ``store.unwritable``: the folder around the target cannot be written.
    """
    where = Where(file=str(target))
    try:
        if Path.cwd().is_relative_to(target.absolute()):
            raise InputError(
                "the run directory cannot be the working folder, or one around it",
                code="store.occupied",
                where=where,
                advice="give a folder of its own, such as `runs/mine`",
            )
        _check_occupant(target, where, key=key, force=force)
        parent = target.absolute().parent
        while not parent.exists():
            parent = parent.parent
    except (OSError, ValueError) as error:
        raise unwritable(where, error) from error
    if not parent.is_dir():
        raise InputError(
            f"`{parent}` is not a folder", code="store.occupied", where=where, advice="choose another folder"
        )
    if not os.access(parent, os.W_OK | os.X_OK):
        raise MissingExtra(
            f"the folder `{parent}` cannot be written",
            code="store.unwritable",
            where=where,
            advice="choose another folder with --out",
        )


def _check_occupant(target: Path, where: Where, *, key: str, force: bool) -> None:
    if target.is_symlink():
        raise InputError(
            "the target is a symbolic link",
            code="store.occupied",
            where=where,
            advice="give the folder that it points to",
        )
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise InputError("the target is a file", code="store.occupied", where=where, advice="choose another folder")
    if next(target.iterdir(), None) is None:
        return
    manifest = read_manifest(target) or read_plan(target)
    if manifest is None:
        raise InputError(
            "the folder is not empty, and it is not a run directory",
            code="store.occupied",
            where=where,
            advice="choose another folder; a folder of something else is never replaced",
        )
    if manifest.get("key") != key and not force:
        raise InputError(
            "the folder holds another run",
            code="store.occupied",
            where=where,
            found=str(manifest.get("title") or "a run without a title"),
            advice="choose another folder, or replace that run with --force",
        )


def read_manifest(directory: Path) -> dict[str, Any] | None:
    """Manifest of a run directory; None where there is none that this program wrote."""
    return _read(directory / MANIFEST)


def read_plan(directory: Path) -> dict[str, Any] | None:
    """What a run in parts is to be; None where there is no such file that this program wrote."""
    return _read(directory / PLAN)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        manifest = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("program") == _PROGRAM else None


def manifest_text(entries: dict[str, Any]) -> str:
    """Content of a manifest: JSON with the mark by which `read_manifest` knows it."""
    return json.dumps({"program": _PROGRAM, **entries}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@contextlib.contextmanager
def new_directory(target: Path, *, key: str, force: bool = False) -> Iterator[Path]:
    """Context in which a directory is filled; it takes its name, or replaces its predecessor, when all went well.

    Parameters
    ----------
    target, key, force
        As for `check_target`, which is asked again at the end, since another process may have been there.

    Yields
    ------
    Path
        The temporary directory. After an error or an interruption it is removed, and the target is as it was.

    Raises
    ------
    InputError
        ``store.occupied``.
    MissingExtra
        ``store.unwritable``: no permission, no space, a name that the file system refuses.
    """
    where = Where(file=str(target))
    target = target.absolute()
    # A short name of its own: `target.name + suffix` could exceed the longest name the file system allows.
    staging = target.parent / f".il1sim-{secrets.token_hex(8)}.tmp"
    made = _missing_parents(target)
    finished = False
    try:
        staging.mkdir(parents=True)
        # Whatever is wrong in the body but the disk is not for this function to name.
        yield staging
        _flush(staging)
        _put_in_place(staging, target, key=key, force=force)
        finished = True
    except OSError as error:
        raise unwritable(where, error) from error
    finally:
        if not finished:
            shutil.rmtree(staging, ignore_errors=True)
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _missing_parents(target: Path) -> list[Path]:
    """Folders above the target that do not exist yet, innermost first."""
    missing = []
    for folder in target.parents:
        with contextlib.suppress(OSError):
            if folder.exists():
                break
        missing.append(folder)
    return missing


def _put_in_place(staging: Path, target: Path, *, key: str, force: bool) -> None:
    """Give the directory its name, unless another process has put there what must not be replaced."""
    # Looked at before the check: what comes after it has not been checked, and must not be taken for its predecessor.
    is_there = os.path.lexists(target)
    check_target(target, key=key, force=force)
    if not is_there:
        try:
            os.rename(staging, target)
        except OSError:
            # A folder with something in it does not give way: another process was faster, and its run is judged anew.
            if not os.path.lexists(target):
                raise
            _put_in_place(staging, target, key=key, force=force)
            return
    else:
        # No portable call exchanges two directories: the old run steps aside first, and comes back if the new one
        # cannot take its place.
        aside = target.parent / f".il1sim-{secrets.token_hex(8)}.old"
        os.rename(target, aside)
        try:
            os.rename(staging, target)
        except BaseException:
            os.rename(aside, target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    _sync(target.parent)


def _flush(folder: Path) -> None:
    """Bring a folder's files to the disk, as a rename alone may outlive them in a power failure."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        else:
            _sync(path)
    _sync(folder)


def _sync(folder: Path) -> None:
    # Windows cannot open a folder, and needs no such step.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unwritable(where: Where, error: Exception) -> MissingExtra:
    """The fault of a run directory that the operating system does not let be written."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return MissingExtra(
        f"the run directory cannot be written: {reason[:1].lower()}{reason[1:]}",
        code="store.unwritable",
        where=where,
        advice="choose a folder that is writable and has space with --out",
    )
