"""Run directories that are never half written.

A directory is built beside its target in a folder of a temporary name, which is locked until all is done. Flushed, it
takes its target's name, or changes places with what is there, in one step. Only a directory that holds a manifest of
this program is ever replaced: a mistyped target can cost a run, but nothing else.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from simulate.disk import exchange, sync
from simulate.errors import InputError, MissingExtra, Where, reason_of
from simulate.locks import check_free, hold, is_locked, let_go, locked, remove_free
from simulate.manifest import MANIFEST as MANIFEST
from simulate.manifest import PLAN as PLAN
from simulate.manifest import manifest_text as manifest_text
from simulate.manifest import read_manifest as read_manifest
from simulate.manifest import read_plan as read_plan

NEW, _OLD, _NAME = "new", "old", "name"
"""In a temporary folder: what is written; what stepped aside for it, where that takes two steps, and its name."""

NEXT = "next"
"""Ending of the temporary folder of a run in parts that replaces another run when it is finished."""

_PATIENCE = 10.0
"""Seconds to wait for another process that is putting a run in the same place."""


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
    _check_folder(parent, where)


def check_file(target: Path, *, force: bool = False) -> None:
    """Refuse a file that must not, or cannot, be written; meant to be called before anything is computed.

    Raises
    ------
    InputError
        ``store.occupied``: a link, a folder or a device is there, or a file and no ``force``; or its folder is none.
    MissingExtra
        ``store.unwritable``: its folder cannot be written.
    """
    where = Where(file=str(target))
    try:
        there = os.lstat(target) if os.path.lexists(target) else None
        folder = target.absolute().parent
    except (OSError, ValueError) as error:
        raise unwritable(where, error) from error
    if there is not None and not stat.S_ISREG(there.st_mode):
        raise InputError(
            "the target is no file", code="store.occupied", where=where, advice="choose another file with --out"
        )
    if there is not None and not force:
        raise InputError(
            "the file is there already",
            code="store.occupied",
            where=where,
            advice="choose another with --out, or replace it with --force",
        )
    _check_folder(folder, where)


def _check_folder(folder: Path, where: Where) -> None:
    """Refuse a target whose folder is none, or cannot be written."""
    if not folder.is_dir():
        raise InputError(
            f"`{folder}` is not a folder", code="store.occupied", where=where, advice="choose another folder with --out"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MissingExtra(
            f"the folder `{folder}` cannot be written",
            code="store.unwritable",
            where=where,
            advice="choose another folder with --out",
        )


def _check_kind(target: Path, where: Where) -> None:
    if target.is_symlink():
        raise InputError(
            "the target is a symbolic link",
            code="store.occupied",
            where=where,
            advice="give the folder that it points to",
        )
    if os.path.lexists(target) and not target.is_dir():
        raise InputError(
            "the target is a file", code="store.occupied", where=where, advice="choose another folder with --out"
        )


def _check_occupant(target: Path, where: Where, *, key: str, force: bool) -> None:
    _check_kind(target, where)
    if not os.path.lexists(target):
        return
    check_free(target)
    if next(target.iterdir(), None) is None:
        return
    manifest = read_manifest(target) or read_plan(target)
    if manifest is None:
        raise InputError(
            "the folder is not empty, and it is not a run directory",
            code="store.occupied",
            where=where,
            advice="choose another folder with --out; a folder of something else is never replaced",
        )
    if manifest.get("key") != key and not force:
        raise InputError(
            "the folder holds another run",
            code="store.occupied",
            where=where,
            found=str(manifest.get("title") or "a run without a title"),
            advice="choose another folder with --out, or replace that run with --force",
        )


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
    made = _missing_parents(target)
    finished = False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path in traces(target.parent):
            remove_dead(path)
        with _staging(target.parent) as staging:
            new = staging / NEW
            new.mkdir()
            # Whatever the mask of new files takes away: an owner who cannot write cannot clear up either.
            new.chmod(new.stat().st_mode | stat.S_IRWXU)
            # Whatever is wrong in the body but the disk is not for this function to name.
            yield new
            _flush(new)
            put_in_place(new, target, key=key, force=force)
            finished = True
    except OSError as error:
        raise unwritable(where, error) from error
    finally:
        if not finished:
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


@contextlib.contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """A locked folder of a temporary name, removed at the end with what is in it."""
    while True:
        # A short name of its own: `target.name + suffix` could exceed the longest name the file system allows.
        staging = parent / f".il1sim-{secrets.token_hex(8)}.tmp"
        staging.mkdir()
        staging.chmod(stat.S_IRWXU)
        with contextlib.suppress(FileNotFoundError, InputError):
            # Who sweeps at this moment may have been faster, and is left to it.
            descriptor = hold(staging)
            break
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        let_go(descriptor, staging)


def traces(folder: Path) -> Iterator[Path]:
    """Temporary files and folders of this program in a folder that no process uses any more."""
    for ending in ("tmp", "old"):
        yield from (path for path in folder.glob(f".il1sim-*.{ending}") if not is_locked(path))
    for path in folder.glob(f".il1sim-*.{NEXT}"):
        left = read_plan(path / NEW) or read_manifest(path / NEW)
        is_done = (path / _NAME).exists() or (left is not None and f".il1sim-{left.get('key')}.{NEXT}" != path.name)
        if is_done and not is_locked(path / NEW):
            yield path


def place_to_replace(target: Path, key: str) -> Path:
    """Folder beside a run directory in which a run in parts is made that replaces it by `put_in_place` at the end."""
    container = target.absolute().parent / f".il1sim-{key}.{NEXT}"
    for path in traces(container.parent):
        remove_dead(path)
    (container / NEW).mkdir(parents=True, exist_ok=True)
    return container / NEW


def remove_dead(path: Path) -> bool:
    """Remove what a killed process left, unless one is at work there after all; whether anything is left of it.

    A run that had stepped aside for another that never took its place comes back.
    """
    with contextlib.suppress(OSError, InputError):
        if path.is_symlink() or not path.is_dir():
            return not remove_free(path)
        path.chmod(path.stat().st_mode | stat.S_IRWXU)
        descriptor = hold(path)
        try:
            if (path / _NAME).is_file():
                target = path.parent / (path / _NAME).read_text(encoding="utf-8")
                if target.parent == path.parent and not os.path.lexists(target):
                    os.rename(path / _OLD, target)
            shutil.rmtree(path, ignore_errors=True)
        finally:
            let_go(descriptor, path)
    return os.path.lexists(path)


@contextlib.contextmanager
def working_folder(target: Path) -> Iterator[None]:
    """Context in which a folder is there, and no other process works in it: for what is kept step by step.

    Raises
    ------
    InputError
        ``store.occupied``: a link or a file is there. ``store.locked``.
    MissingExtra
        ``store.unwritable``.
    """
    where = Where(file=str(target))
    try:
        _check_kind(target, where)
        target.mkdir(parents=True, exist_ok=True)
        for path in traces(target):
            remove_dead(path)
        lock = hold(target)
    except OSError as error:
        raise unwritable(where, error) from error
    try:
        yield
    finally:
        let_go(lock, target)


def _missing_parents(target: Path) -> list[Path]:
    """Folders above the target that do not exist yet, innermost first."""
    missing = []
    for folder in target.parents:
        with contextlib.suppress(OSError):
            if folder.exists():
                break
        missing.append(folder)
    return missing


def put_in_place(new: Path, target: Path, *, key: str, force: bool) -> None:
    """Give a directory its name, unless there is what must not be replaced; what was there is then where it was.

    Raises
    ------
    InputError
        ``store.occupied``, ``store.locked``.
    OSError
        It cannot be done.
    """
    while True:
        # Looked at before the check: what comes after it has not been checked, and must not be taken for it.
        seen = _identity(target)
        check_target(target, key=key, force=force)
        if seen is None:
            try:
                os.rename(new, target)
                break
            except OSError:
                # A folder with something in it does not give way: another process was faster, and its run is judged.
                if not os.path.lexists(target):
                    raise
        else:
            with locked(target, wait=_PATIENCE):
                if _identity(target) == seen:
                    _replace(new, target)
                    break
    sync(target.parent)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _replace(new: Path, target: Path) -> None:
    """Put a directory in the place of another, which is then where the first was."""
    if exchange(new, target):
        return
    # Here and there no call lets two names change places: the old run steps aside first, to where it is found again.
    old = new.parent / _OLD
    (new.parent / _NAME).write_text(target.name, encoding="utf-8")
    sync(new.parent)
    os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(old, target)
        raise
    os.rename(old, new)


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
            sync(path)
    sync(folder)


def unwritable(where: Where, error: Exception) -> MissingExtra:
    """The fault of a run directory that the operating system does not let be written."""
    return MissingExtra(
        f"the run directory cannot be written: {reason_of(error)}",
        code="store.unwritable",
        where=where,
        advice="choose a folder that is writable and has space with --out",
    )
