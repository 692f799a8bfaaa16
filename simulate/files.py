"""Files: TOML and JSON read with the lines of faults, writing whole or not at all, and hashes of content."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import math
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from simulate import inputs
from simulate.disk import open_regular, sync
from simulate.errors import InputError, MissingExtra, Where, did_you_mean, reason_of
from simulate.filekinds import decoded, encoding_of, refuse_content, refuse_other
from simulate.locks import new_file
from simulate.tomltext import BARE_KEY, MAX_NESTING, Keys, TooDeep, lines_of, load_toml

MAX_BYTES = 10_000_000
"""Largest file that is read, such as a table of doses."""
MAX_TOML_BYTES = 2_000_000
"""Largest TOML file that is read: real models are a hundredth of it, and its keys take a hundred times its room."""

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file: its path as shown in errors, its data, and its text, from which lines are found.

    Where settings are laid over it, they are in the data, and ``origins`` tells which of them decided a key.
    """

    path: str
    data: dict[str, Any]
    text: str
    origins: Mapping[Keys, str] = field(default_factory=dict)

    def where(self, *keys: str | int) -> Where:
        """Place of a key: the setting that decided it, or else the file; elements of arrays are counted from 0.

        The line is that of the key itself or, where the file does not hold it, of its nearest parent.
        """
        origin = self._origin(keys)
        if origin is not None:
            return Where(file=origin, key=dotted(*keys))
        lines = lines_of(self.text)
        known: Keys = keys
        while known and known not in lines:
            known = known[:-1]
        return Where(file=self.path, line=lines.get(known), key=dotted(*keys) if keys else None)

    def folder(self, *keys: str | int) -> Path:
        """What the path under a key is relative to: the file, or the working folder if a setting decided it."""
        return Path(self.path).parent if self._origin(keys) is None else Path()

    def _origin(self, keys: Keys) -> str | None:
        lengths = range(len(keys), 0, -1) if self.origins else ()
        return next((self.origins[keys[:length]] for length in lengths if keys[:length] in self.origins), None)


def dotted(*keys: str | int) -> str:
    """Path of keys as TOML and a reader write it: ``arms[1].regimen``, ``reactions."odd name".rate``."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += ("." if text else "") + (key if BARE_KEY.fullmatch(key) else f'"{key}"')
    return text


def read_toml(path: Path | str, *, kind: str | None = None) -> Document:
    """Read a TOML file; of a ``kind`` if one is given, as `simulate.filekinds` calls it.

    Raises
    ------
    InputError
        ``file.missing``, ``file.directory``, ``file.unreadable``, ``file.size``, ``file.empty``, ``file.kind``,
        ``file.encoding`` (with the offset of the byte) or ``file.syntax`` (with line and column).
    """
    shown = str(path)
    raw = read_bytes(Path(path), shown)
    if len(raw) > MAX_TOML_BYTES:
        raise InputError(
            "the file is too large",
            code="file.size",
            where=Where(file=shown),
            expected=f"at most {MAX_TOML_BYTES // 1_000_000} MB",
        )
    document = parse_toml(text_of(raw, shown, "TOML"), shown)
    if kind is not None:
        refuse_other(document.data, kind, shown)
    return document


def text_of(raw: bytes, file: str, wanted: str | None = None) -> str:
    """Text of a file: in UTF-8, or in UTF-16 where it begins with the mark of it.

    Parameters
    ----------
    raw, file
        Its bytes, and its name as errors show it.
    wanted
        What is read, as for `refuse_content`, where bytes of another kind are told by that.

    Raises
    ------
    InputError
        ``file.encoding``, with line and column; ``file.kind``.
    """
    try:
        text = decoded(raw)
    except UnicodeDecodeError as error:
        if wanted is not None:
            refuse_content(raw, wanted, file)
        encoding = encoding_of(raw)
        line = raw.count(b"\n", 0, error.start) + 1
        if encoding.startswith("utf-8"):
            byte = raw[error.start : error.start + 1]
            letter = byte.decode("cp1252", errors="replace")
            found = f"0x{byte.hex()}" + (
                f", which is `{letter}` in Windows-1252 (Latin-1)"
                if letter.isprintable() and letter != "\ufffd"
                else ""
            )
            column = error.start - raw.rfind(b"\n", 0, error.start)
            raise InputError(
                f"the file is not UTF-8 text: byte {error.start} is 0x{byte.hex()}",
                code="file.encoding",
                where=Where(file, line, column),
                found=found,
                expected="UTF-8",
                advice="save the file as UTF-8 in your editor, or as `CSV UTF-8` in your spreadsheet",
            ) from None
        raise InputError(
            f"the file says that it is {encoding.upper()}, and is not: byte {error.start} fits no letter",
            code="file.encoding",
            where=Where(file),
            expected="UTF-8",
            advice="save the file as UTF-8",
        ) from None
    if "\0" in text:
        before = text[: text.index("\0")]
        raise InputError(
            "the file holds characters of code 0",
            code="file.encoding",
            where=Where(file, before.count("\n") + 1),
            found="UTF-16 without a mark at its beginning" if text.count("\0") > len(text) // 4 else "bytes of no text",
            expected="UTF-8",
            advice="save the file as UTF-8 in your editor",
        )
    return text


_parsed = functools.lru_cache(maxsize=64)(load_toml)
"""The same few files of what ships are read by every part of a study, and parsing takes most of the time of it."""

_REMEMBERED = 100_000
"""Characters of the longest text of which the content is remembered."""


def _copy(value: Any) -> Any:
    """A value of TOML of which no table or list is that of another."""
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def parse_toml(text: str, path: str) -> Document:
    """Parse TOML text that came from ``path``, which is only shown in errors.

    Raises
    ------
    InputError
        ``file.syntax``.
    """
    try:
        data = _copy(_parsed(text)) if len(text) <= _REMEMBERED else load_toml(text)
    except TooDeep as error:
        raise InputError(
            f"the file is nested too deeply: {error}",
            code="file.syntax",
            where=Where(file=path, line=error.line),
            expected=f"at most {MAX_NESTING} tables, lists and parts of a key inside one another",
        ) from None
    except ValueError as error:
        refuse_content(text.encode(), "TOML", path)
        message = str(error)
        found = _POSITION.search(message)
        line = column = None
        if found is not None:
            message = message[: found.start()]
            lines = text.split("\n")
            line = int(found[1]) if found[1] else len(lines)
            column = int(found[2]) if found[2] else len(lines[-1]) + 1
        raise InputError(
            f"the file is not valid TOML: {message[:1].lower()}{message[1:]}",
            code="file.syntax",
            where=Where(file=path, line=line, column=column),
            found=_line_of(text, line),
            advice="texts need quotation marks, and a key may occur only once",
        ) from None
    return Document(path=path, data=data, text=text)


def write_atomically(path: Path | str, data: bytes | memoryview | str) -> None:
    """Write a file so that a reader finds the old content or the new, never a part, even after a power failure.

    Parameters
    ----------
    path
        Target; its folder must exist. A symbolic link is replaced, not followed.
    data
        Content; text is encoded as UTF-8.

    Raises
    ------
    MissingExtra
        ``file.unwritable``: the folder is missing, read-only or full.
    """
    with replacing(path) as file:
        file.write(data.encode("utf-8") if isinstance(data, str) else data)


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """A file to write that takes the place of the target when all is written; as `write_atomically`, piece by piece."""
    target = Path(path)
    try:
        # Held while it is written, so that nobody takes it for what a killed process left.
        descriptor, temporary = new_file(target.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.name == "posix":
                _put(temporary, target)
        if os.name != "posix":
            # Windows renames nothing that is open.
            _put(temporary, target)
        sync(target.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _put(temporary: Path, target: Path) -> None:
    try:
        os.replace(temporary, target)
    except ValueError as error:
        raise _unwritable(target, error) from error


def _unwritable(path: Path | str, error: Exception) -> MissingExtra:
    return MissingExtra(
        f"cannot write the file: {reason_of(error)}",
        code="file.unwritable",
        where=Where(file=str(path)),
        advice="choose a folder that exists, is writable and has space",
    )


def content_hash(*parts: bytes | str) -> str:
    """Hash of a sequence of texts or bytes, 32 hexadecimal digits; ``("ab", "c")`` and ``("a", "bc")`` differ."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        content = part.encode("utf-8") if isinstance(part, str) else part
        hasher.update(len(content).to_bytes(8, "little"))
        hasher.update(content)
    return hasher.hexdigest()


_HASHES: dict[tuple[int, ...], str] = {}
_SMALL = 1 << 20
_TICK = 1_000_000_000


def file_hash(path: Path) -> str:
    """SHA-256 of a file of any size, as other programs print it; processors compute it faster than what else is safe.

    A file is read once as long as it is the same by all that the system says of it: a report asks for the hash of a
    gigabyte of results twice.
    """
    with open_regular(path) as file:
        told = os.fstat(file.fileno())
        key = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
        if key in _HASHES:
            return _HASHES[key]
        # Of small files, as sources are, the room to read them takes longer than the hash.
        is_small = told.st_size <= _SMALL
        digest = (hashlib.sha256(file.read()) if is_small else hashlib.file_digest(file, "sha256")).hexdigest()
    # What changed within the last tick of the clock may change again and say the same of itself.
    if time.time_ns() - told.st_ctime_ns > _TICK:
        _HASHES[key] = digest
    return digest


def files_hash(paths: Iterable[Path], root: Path) -> str:
    """Hash of files and of where each lies from a folder on; of some hundred, as of one, each is read once."""
    inside = f"{root}{os.sep}"

    def place(path: Path) -> str:
        text = str(path)
        return (text[len(inside) :] if text.startswith(inside) else os.path.relpath(text, root)).replace(os.sep, "/")

    return content_hash(*(part for path in sorted(paths, key=str) for part in (place(path), file_hash(path))))


def _nearest(path: Path) -> str | None:
    """Advice that names files of the same kind beside a path, whose names are near its own."""
    try:
        beside = sorted(one.name for one in path.parent.iterdir() if one.suffix.casefold() == path.suffix.casefold())
    except OSError:
        return None
    known = [str(path.parent / name) for name in beside if did_you_mean(path.stem, [Path(name).stem])]
    return did_you_mean(str(path), known)


def read_bytes(path: Path, shown: str) -> bytes:
    """Content of a file, read no further than the limit: a device may have no end.

    Raises
    ------
    InputError
        ``file.missing``, ``file.directory``, ``file.unreadable``, ``file.size``; ``shown`` is the path in them.
    """
    where = Where(file=shown)
    try:
        kept = inputs.content_of(path)
        if kept is None:
            with open_regular(path) as file:
                raw = file.read(MAX_BYTES + 1)
        else:
            raw = kept
    except FileNotFoundError:
        raise InputError(
            "the file does not exist",
            code="file.missing",
            where=where,
            advice=_nearest(path) or "check the path and the working folder",
        ) from None
    except IsADirectoryError:
        is_run = (path / "manifest.json").is_file()
        raise InputError(
            "the path is a folder, not a file",
            code="file.directory",
            where=where,
            found="the directory of a run" if is_run else None,
            advice=f"`simulate report {shown}` tells what came out, `simulate runs repeat {shown}` makes it again"
            if is_run
            else "name a file in it",
        ) from None
    except (OSError, ValueError) as error:
        irregular = isinstance(error, OSError) and error.errno == errno.EINVAL
        raise InputError(
            f"the file cannot be read: {reason_of(error)}",
            code="file.unreadable",
            where=where,
            advice="write what it gives to a file first, and name that file" if irregular else None,
        ) from None
    if len(raw) > MAX_BYTES:
        raise InputError(
            "the file is too large", code="file.size", where=where, expected=f"at most {MAX_BYTES // 1_000_000} MB"
        )
    inputs.note(path, raw)
    return raw


def parse_json(content: bytes | str) -> Any:
    """Value of a JSON document that is strict: no number without an end, no key twice.

    Raises
    ------
    ValueError
        With what is wrong; it is no JSON, or `json` alone would have taken it silently.
    """
    try:
        return json.loads(content, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError("the brackets are nested too deeply") from None


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a finite number")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} occurs twice")
    return found


def _line_of(text: str, line: int | None) -> str | None:
    lines = text.split("\n")
    if line is None or not 1 <= line <= len(lines):
        return None
    shown = lines[line - 1].strip()
    # Control characters would reach the reader's terminal.
    return f"`{shown[:100]}`" if shown.isprintable() and shown else None
