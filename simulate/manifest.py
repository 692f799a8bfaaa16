"""What a run directory says of itself, and whether that is still what was written."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from simulate.disk import open_regular
from simulate.errors import InputError, Where
from simulate.filekinds import content_kind
from simulate.files import content_hash, file_hash, parse_json, read_bytes, write_atomically
from simulate.inputs import is_folder
from simulate.versions import code_hash, versions

MANIFEST = "manifest.json"
"""Name of the file that makes a directory a run directory."""

PLAN = "sweep.json"
"""Name of the file that marks a run that is made in parts, and may be unfinished."""

INPUTS = "inputs"
"""Folder of a run directory with the files that the run read."""

_PROGRAM = "il1sim"
_HASH = "hash"


def read_manifest(directory: Path) -> dict[str, Any] | None:
    """Manifest of a run directory; None where there is none that this program wrote.

    Raises
    ------
    InputError
        ``manifest.changed``: it is not as it was written. ``manifest.outside``: it names files elsewhere.
    """
    return _read(directory / MANIFEST)


def kind_at(path: Path) -> tuple[str, str]:
    """What a file or folder of a user is that is not what was meant, and what to do about it.

    Of a file by its first bytes, of a folder by its manifest; empty where nothing is recognized.
    """
    if not is_folder(path):
        return content_kind(read_bytes(path, str(path)))
    try:
        entries = read_manifest(path) or read_plan(path)
    except InputError:
        entries = {}
    if entries is None:
        return "a folder", "name the file that was meant"
    kind = str(entries.get("kind", ""))
    of = f" of `{kind}`" if kind.isprintable() and kind else ""
    return f"a run directory{of}", f"`simulate runs show {shlex.quote(str(path))}` says what is in it"


def said_of(path: Path) -> str | None:
    """What is in the place of a run directory, where its manifest cannot be read; None where nothing is there."""
    if path.is_file():
        return "a file; a run is a folder"
    if (path / MANIFEST).is_file():
        return f"a folder whose {MANIFEST} was cut short, or is of another program"
    return f"a folder without {MANIFEST}" if path.is_dir() else None


def read_plan(directory: Path) -> dict[str, Any] | None:
    """What a run in parts is to be; None where there is no such file that this program wrote; errors as above."""
    return _read(directory / PLAN)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with open_regular(path) as file:
            entries = parse_json(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(entries, dict) or entries.get("program") != _PROGRAM:
        return None
    if entries.pop(_HASH, None) != _hash_of(entries):
        raise InputError(
            "the file is not as it was written",
            code="manifest.changed",
            where=Where(file=str(path)),
            advice="make the run anew in another folder; what is in a changed file is not believed",
        )
    _check_inside(entries, path)
    return entries


def _check_inside(entries: Mapping[str, Any], path: Path) -> None:
    """Refuse what a stranger may have written: names of files that are not in the directory, or links out of it."""
    listed = [entries.get(name) for name in ("files", "inputs", "models")]
    files, places, models = (group if isinstance(group, Mapping) else {} for group in listed)
    kept = [entry.get("file", "") for entry in models.values() if isinstance(entry, Mapping)]
    for name in map(str, (*files, *places.values(), *kept)):
        if not _is_inside(name) or not (path.parent / name).resolve().is_relative_to(path.parent.resolve()):
            raise InputError(
                "the file names another that is not in its folder",
                code="manifest.outside",
                where=Where(file=str(path)),
                found=f"`{name[:100]}`" if name.isprintable() else None,
                expected="files of the run directory alone, as this program writes them",
                advice="do not use the folder, and ask whoever made it",
            )


def _is_inside(name: str) -> bool:
    """Whether a name is of a file in a folder, by the rules of every system."""
    return not any(
        one.is_absolute() or one.drive or one.root or ".." in one.parts
        for one in (PurePosixPath(name), PureWindowsPath(name))
    )


def manifest_text(entries: dict[str, Any]) -> str:
    """Content of a manifest: JSON with the mark by which `read_manifest` knows it, and a hash of all that it says."""
    marked = {"program": _PROGRAM, **entries}
    whole = {**marked, _HASH: _hash_of(json.loads(json.dumps(marked, allow_nan=False)))}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _hash_of(entries: dict[str, Any]) -> str:
    return content_hash(json.dumps(entries, sort_keys=True))


def keep_inputs(directory: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write the files that a run read into its directory.

    Parameters
    ----------
    directory
        The run directory.
    files
        Name → content, as `simulate.inputs.noted` has them.

    Returns
    -------
    dict
        Name → place in the directory.
    """
    places: dict[str, str] = {}
    taken: set[str] = set()
    for name, content in sorted(files.items()):
        own = PurePath(name.rpartition(":")[2]).name
        place, number = own, 1
        while place.casefold() in taken:
            number += 1
            place = f"{PurePath(own).stem}-{number}{PurePath(own).suffix}"
        taken.add(place.casefold())
        places[name] = f"{INPUTS}/{place}"
        (directory / INPUTS).mkdir(exist_ok=True)
        (directory / places[name]).write_bytes(content)
    return places


def kept_inputs(directory: Path, entries: Mapping[str, Any]) -> dict[str, bytes]:
    """Files that a run read, from its directory; errors as `check_file`."""
    places = dict(entries.get("inputs", {}))
    return {name: check_file(directory, entries, place).read_bytes() for name, place in places.items()}


def seal(directory: Path, entries: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Write the manifest of a directory, last of all: with the time, the versions and the hash of each other file.

    Parameters
    ----------
    directory
        Everything else is in it.
    entries, names
        What else it says, and the files that belong to the run.

    Returns
    -------
    dict
        The manifest as it is read.
    """
    whole = {
        **entries,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        # Two states of the sources may bear one version.
        "versions": {**versions(), "code": code_hash()[:12]},
        "files": {name: file_hash(directory / name) for name in sorted(names)},
    }
    write_atomically(directory / MANIFEST, manifest_text(whole))
    found = read_manifest(directory)
    assert found is not None
    return found


def check_file(directory: Path, entries: Mapping[str, Any], name: str) -> Path:
    """Path of a file of a run directory that is as its manifest says.

    Raises
    ------
    InputError
        ``runs.changed``: it is damaged, was changed, or is missing.
    """
    path = directory / name
    try:
        is_whole = _is_inside(name) and file_hash(path) == entries.get("files", {}).get(name)
    except OSError:
        is_whole = False
    if not is_whole:
        raise InputError(
            "the file is not as it was written" if path.exists() else "the file of the run is missing",
            code="runs.changed",
            where=Where(file=str(path)),
            advice="make the run anew, with --force in the same folder",
        )
    return path
