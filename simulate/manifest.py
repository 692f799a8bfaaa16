"""What a run directory says of itself, and whether that is still what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulate.disk import open_regular
from simulate.errors import InputError, Where
from simulate.files import content_hash, file_hash, parse_json

MANIFEST = "manifest.json"
"""Name of the file that makes a directory a run directory."""

PLAN = "sweep.json"
"""Name of the file that marks a run that is made in parts, and may be unfinished."""

_PROGRAM = "il1sim"
_HASH = "hash"


def read_manifest(directory: Path) -> dict[str, Any] | None:
    """Manifest of a run directory; None where there is none that this program wrote.

    Raises
    ------
    InputError
        ``manifest.changed``: it is not as it was written.
    """
    return _read(directory / MANIFEST)


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
    return entries


def manifest_text(entries: dict[str, Any]) -> str:
    """Content of a manifest: JSON with the mark by which `read_manifest` knows it, and a hash of all that it says."""
    marked = {"program": _PROGRAM, **entries}
    whole = {**marked, _HASH: _hash_of(json.loads(json.dumps(marked, allow_nan=False)))}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _hash_of(entries: dict[str, Any]) -> str:
    return content_hash(json.dumps(entries, sort_keys=True))


def check_file(directory: Path, entries: dict[str, Any], name: str) -> Path:
    """Path of a file of a run directory that is as its manifest says.

    Raises
    ------
    InputError
        ``runs.changed``: it is damaged, or was changed.
    """
    path = directory / name
    try:
        is_whole = file_hash(path) == entries.get("files", {}).get(name)
    except OSError:
        is_whole = False
    if not is_whole:
        raise InputError(
            "the file is not as it was written",
            code="runs.changed",
            where=Where(file=str(path)),
            advice="make the run anew, with --force in the same folder",
        )
    return path
