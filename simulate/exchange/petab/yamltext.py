"""The part of YAML that PEtab needs: tables, lists and texts, each with its line; nothing is constructed from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate.errors import InputError, Where, did_you_mean, optional
from simulate.files import read_bytes

MAX_NODES = 100_000


_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Yaml:
    """A place in a YAML file: a table, a list or a text. Numbers and truth values are texts, nothing the empty one."""

    file: str
    line: int
    key: str
    content: dict[str, Yaml] | list[Yaml] | str

    @property
    def where(self) -> Where:
        """The place."""
        return Where(file=self.file, line=self.line, key=self.key or None)

    def wrong(self, expected: str) -> InputError:
        """An error for what is not as it should be."""
        # A file of another kind is one long text.
        kind = {dict: "a table", list: "a list"}.get(type(self.content), f"`{str(self.content)[:_LONGEST]}`")
        return InputError(
            "the file of the problem has something else where PEtab has " + expected,
            code="petab.yaml",
            where=self.where,
            found=kind,
            expected=expected,
        )

    def table(self, known: Sequence[str] | None = None) -> dict[str, Yaml]:
        """Its entries; with ``known`` no others."""
        if not isinstance(self.content, dict):
            raise self.wrong("a table")
        for name, entry in self.content.items():
            if known is not None and name not in known:
                raise InputError(
                    f"the key `{name}` is not known",
                    code="petab.key",
                    where=entry.where,
                    expected=", ".join(known),
                    advice=did_you_mean(name, known),
                )
        return self.content

    def items(self) -> list[Yaml]:
        """Its items; a text is a list of one, nothing an empty one."""
        if isinstance(self.content, list):
            return self.content
        if isinstance(self.content, dict):
            raise self.wrong("a list")
        return [self] if self.content else []

    def text(self) -> str:
        """Its text."""
        if not isinstance(self.content, str) or not self.content:
            raise self.wrong("a text")
        return self.content


def read_yaml(path: Path) -> Yaml:
    """Read a YAML file.

    Raises
    ------
    InputError
        ``file.…``; ``petab.yaml`` for what is no YAML, or has anchors or tags of its own.
    MissingExtra
        ``extra.petab``: PyYAML is not installed.
    """
    yaml = optional("yaml", "reading PEtab", "PyYAML", "petab")
    content = read_bytes(path, str(path))
    try:
        _check_events(path, yaml.parse(content, Loader=yaml.SafeLoader))
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            "the file is no sound YAML",
            code="petab.yaml",
            where=Where(file=str(path), line=None if mark is None else mark.line + 1),
            found=str(getattr(error, "problem", None) or "too deep")[:100],
        ) from None
    if node is None:
        raise InputError("the file is empty", code="petab.yaml", where=Where(file=str(path)))
    return _walk(str(path), node, "")


def _check_events(path: Path, events: Any) -> None:
    """Refuse what could make much of little, before a tree is built of it."""
    for number, event in enumerate(events):
        if number > MAX_NODES or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise InputError(
                "the file has an anchor, an alias or a tag" if number <= MAX_NODES else "the file has too many entries",
                code="petab.yaml",
                where=Where(file=str(path), line=event.start_mark.line + 1),
                expected="plain tables, lists and texts",
            )


def _walk(file: str, node: Any, key: str) -> Yaml:
    line = node.start_mark.line + 1
    if node.id == "mapping":
        found: dict[str, Yaml] = {}
        for name, value in node.value:
            if name.id != "scalar" or name.value in found:
                raise InputError(
                    "a key is no text, or given twice",
                    code="petab.yaml",
                    where=Where(file=file, line=name.start_mark.line + 1),
                )
            found[name.value] = _walk(file, value, name.value)
        return Yaml(file, line, key, found)
    if node.id == "sequence":
        return Yaml(file, line, key, [_walk(file, value, key) for value in node.value])
    is_nothing = node.style is None and node.value in ("", "~", "null", "Null", "NULL")
    return Yaml(file, line, key, "" if is_nothing else str(node.value))
