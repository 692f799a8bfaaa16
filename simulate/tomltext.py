"""TOML as text: how deep it may nest, and on which line each key stands; values are the business of `tomllib`."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from typing import Any

MAX_NESTING = 32
"""Tables, lists and parts of a key inside one another; what this program reads has six at most."""

_MAX_BITS = 256

Keys = tuple[str | int, ...]
"""Path of a value: names of tables and keys, places in lists."""

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

# Possessive throughout: no text makes the search go back.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_NESTING}}}")
# Comments, and texts of several lines and of one; what has no end is for the parser to refuse.
_TEXT = re.compile(
    r"""#[^\n]*+|"{3}(?:[^"\\]|\\.|"(?!""))*+(?:"{3}|\Z)|'{3}(?:[^']|'(?!''))*+(?:'{3}|\Z)"""
    r"""|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'""",
    re.DOTALL,
)


class TooDeep(ValueError):
    """Tables, lists or keys are nested more deeply than is read; with the line, where known."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


def load_toml(text: str) -> dict[str, Any]:
    """Data of a TOML text, in time and memory that grow with its length.

    Raises
    ------
    TooDeep
        It nests more than `MAX_NESTING`. The parser would need memory with the square of the depth.
    ValueError
        As `tomllib.loads`.
    """
    # Nearly every text is free of such a key at first sight; quotation marks are looked at only in the others.
    if _LONG_KEY.search(text):
        # A text becomes an empty one that has as many lines: it may be part of a key.
        found = _LONG_KEY.search(_TEXT.sub(_emptied, text))
        if found:
            line = found.string.count("\n", 0, found.start()) + 1
            raise TooDeep(f"a key has more than {MAX_NESTING} parts", line)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise TooDeep("its brackets are some hundred levels deep") from None
    level: list[Any] = [data]
    for _ in range(MAX_NESTING + 1):
        values = [one for table in level for one in (table.values() if isinstance(table, dict) else table)]
        if any(isinstance(one, int) and one.bit_length() > _MAX_BITS for one in values):
            # A hexadecimal number of any length is read, but can be neither converted nor shown.
            raise ValueError(f"a whole number has more than {_MAX_BITS} bits")
        level = [one for one in values if isinstance(one, dict | list)]
    if level:
        raise TooDeep(f"it has more than {MAX_NESTING} levels")
    return data


def _emptied(match: re.Match[str]) -> str:
    return "" if match[0].startswith("#") else '""' + "\n" * match[0].count("\n")


@functools.lru_cache(maxsize=32)
def lines_of(text: str) -> Mapping[Keys, int]:
    """Line of each key of a text that `load_toml` has read."""
    return _Scanner(text).scan()


class _Scanner:
    """Walks through valid TOML and notes where keys stand; values are the business of `tomllib`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Keys, int] = {}
        self.counts: dict[Keys, int] = {}
        self._counted_to = 0
        self._line = 1

    def scan(self) -> dict[Keys, int]:
        table: Keys = ()
        while self._skip("\n"):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _line_here(self) -> int:
        self._line += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._line

    def _note(self, keys: Keys) -> None:
        self.lines.setdefault(keys, self._line_here())

    def _skip(self, also: str = "") -> bool:
        """Skip blanks, comments and the characters ``also``; tells whether anything is left."""
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif character in " \t\r" or character in also:
                self.at += 1
            else:
                return True
        return False

    def _key(self) -> tuple[str, ...]:
        """Read a dotted key, up to the character after it."""
        parts: list[str] = []
        while True:
            self._skip()
            if self.text[self.at] in "\"'":
                start = self.at
                self._string()
                parts.append(next(iter(tomllib.loads(f"{self.text[start : self.at]} = 0"))))
            else:
                match = BARE_KEY.match(self.text, self.at)
                assert match is not None, "the text was valid TOML"
                parts.append(match[0])
                self.at = match.end()
            self._skip()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _header(self) -> Keys:
        repeated = self.text.startswith("[[", self.at)
        self.at += 2 if repeated else 1
        names = self._key()
        self.at += 2 if repeated else 1
        table: Keys = ()
        for depth, name in enumerate(names, start=1):
            table = (*table, name)
            if repeated and depth == len(names):
                self.counts[table] = self.counts.get(table, -1) + 1
            self._note(table)
            if table in self.counts:
                table = (*table, self.counts[table])
        self._note(table)
        return table

    def _pair(self, table: Keys) -> None:
        start = table
        keys = self._key()
        for name in keys:
            start = (*start, name)
            self._note(start)
        self.at += 1
        self._value(start)

    def _value(self, keys: Keys) -> None:
        self._skip()
        character = self.text[self.at]
        if character in "\"'":
            self._string()
        elif character == "[":
            self._array(keys)
        elif character == "{":
            self._inline_table(keys)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _array(self, keys: Keys) -> None:
        self.at += 1
        index = 0
        while self._skip("\n,") and self.text[self.at] != "]":
            self._note((*keys, index))
            self._value((*keys, index))
            index += 1
        self.at += 1

    def _inline_table(self, keys: Keys) -> None:
        self.at += 1
        while self._skip("\n,") and self.text[self.at] != "}":
            self._pair(keys)
        self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        triple = self.text.startswith(quote * 3, self.at)
        closing = quote * 3 if triple else quote
        self.at += len(closing)
        while not self.text.startswith(closing, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(closing)
        # A multi-line string may end in up to two quotation marks of its own.
        while triple and self.text.startswith(quote, self.at):
            self.at += 1
