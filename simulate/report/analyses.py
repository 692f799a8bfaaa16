"""The folder of an analysis: what a verb writes with ``--out``, all of it or nothing, with a manifest."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulate.compiled import fingerprint
from simulate.files import content_hash, file_hash
from simulate.store import MANIFEST, check_target, manifest_text, new_directory
from simulate.versions import versions

_UNASKED = ("out", "force", "as_json", "threads")
"""Arguments that decide nothing of what comes out."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a verb was asked.

    Attributes
    ----------
    verb
        Its name.
    inputs
        Its arguments, as JSON has them.
    files
        Hash of each file that an argument names, and of each fit in a folder of fits.
    """

    verb: str
    inputs: dict[str, Any]
    files: dict[str, str]

    @property
    def key(self) -> str:
        """Content hash of all that decides the result; a folder of the same key says the same."""
        asked = json.dumps([self.verb, self.inputs, self.files, versions()], sort_keys=True)
        return content_hash("analysis 1", asked, fingerprint())


def analysis_of(verb: str, arguments: Mapping[str, object], also: Iterable[Path] = ()) -> Analysis:
    """An analysis from the arguments of its verb, whatever they are called, and files that its files name."""
    asked = {name: value for name, value in arguments.items() if name not in _UNASKED}
    inputs = {name: _plain(value) for name, value in asked.items()}
    files: dict[str, str] = {}
    for value in asked.values():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, str | Path):
                files |= {str(path): file_hash(path) for path in _files(Path(one))}
    files |= {str(path): file_hash(path) for one in also for path in _files(one)}
    return Analysis(verb, inputs, files)


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _files(path: Path) -> list[Path]:
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            return [path]
        if path.is_dir():
            return sorted(found for found in path.glob("*/fit.json") if found.is_file())
    return []


def check_place(analysis: Analysis, out: Path | None, *, force: bool) -> None:
    """Refuse, before anything is computed, a folder that must not or cannot be written; errors as `check_target`."""
    if out is not None:
        check_target(out, key=analysis.key, force=force)


@contextlib.contextmanager
def written(analysis: Analysis, out: Path, *, title: str, force: bool) -> Iterator[Path]:
    """Context in which the folder of an analysis is filled; its manifest is added when that is done.

    Raises
    ------
    InputError, MissingExtra
        As for `simulate.store.new_directory`; the target is then as it was.
    """
    with new_directory(out, key=analysis.key, force=force) as folder:
        yield folder
        entries = {
            "kind": analysis.verb,
            "title": title,
            "key": analysis.key,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": analysis.inputs,
            "read": analysis.files,
            "versions": versions(),
            "files": {path.name: file_hash(path) for path in sorted(folder.iterdir())},
        }
        (folder / MANIFEST).write_text(manifest_text(entries), encoding="utf-8")
