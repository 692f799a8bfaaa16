"""Tables of comma-separated values, each cell of which knows its row and column.

Strict on purpose, because a dose read wrongly looks like a dose read rightly: one line a record, a decimal point, plain
digits, as many cells in each row as in the header. Spreadsheets that save otherwise are told where and how. What cannot
be read wrongly is read: a byte order mark before the header, and lines that end as on Windows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from simulate.errors import InputError, Where
from simulate.filekinds import content_kind, refuse_content
from simulate.files import read_bytes, text_of

ABSENT = ("", ".")
"""What stands in a cell that has no value; NONMEM reads both as zero."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_MARKED = re.compile(r"[+-]?[0-9]*(?:[^0-9A-Za-z+-]+[0-9]+)+[^0-9A-Za-z+-]?")
"""Digits with marks among them: points, commas, blanks of any width, apostrophes."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a column of a row, without blanks at its ends; ``column`` counts characters of the line from 1."""

    file: str
    line: int
    column: int
    key: str | None
    text: str

    @property
    def is_absent(self) -> bool:
        return self.text in ABSENT

    @property
    def where(self) -> Where:
        shown = self.text if self.text and self.text.isprintable() and len(self.text) <= _LONGEST else None
        return Where(self.file, self.line, self.column, self.key, shown)

    def error(self, what: str, code: str = "table.value", **answers: str | None) -> InputError:
        """An error at this cell."""
        return InputError(what, code=code, where=self.where, **answers)

    def number(self) -> Fraction:
        """The exact number in the cell; 0 where it is absent.

        Raises
        ------
        InputError
            ``table.number``.
        """
        if self.is_absent:
            return Fraction(0)
        if len(self.text) > _LONGEST or not _NUMBER.fullmatch(self.text):
            raise self.error(
                f"`{self.key}` is not a number",
                "table.number",
                expected="digits 0 to 9 with a decimal point and no separator of thousands, or `.` for no value",
                advice=_number_advice(self.text),
            )
        return Fraction(self.text)

    def count(self) -> int:
        """The whole number in the cell; 0 where it is absent.

        Raises
        ------
        InputError
            ``table.number``.
        """
        number = self.number()
        if number.denominator != 1:
            raise self.error(f"`{self.key}` is not a whole number", "table.number")
        return number.numerator


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The cells of a file: the header, and rows of as many cells."""

    file: str
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def read_sheet(path: Path | str) -> CsvTable:
    """Read a file of comma-separated values.

    Raises
    ------
    InputError
        ``file.missing``, ``file.directory``, ``file.unreadable``, ``file.size``, ``file.encoding``; as `parse_sheet`.
    """
    file = str(path)
    raw = read_bytes(Path(path), file)
    if content_kind(raw)[0] != "empty":
        refuse_content(raw, "a table (CSV)", file)
    return parse_sheet(text_of(raw, file), file)


def parse_sheet(text: str, file: str) -> CsvTable:
    """Cells of a text that came from ``file``, which is only shown in errors.

    Raises
    ------
    InputError
        ``table.syntax``: a carriage return within a line, a quotation mark without its partner, a row with more or
        fewer cells than the header, an empty row; ``table.empty``.
    """
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    while lines and not lines[-1].strip(" \t"):
        lines.pop()
    if not lines:
        raise InputError(
            "the table is empty", code="table.empty", where=Where(file, 1), expected="a header such as TIME,AMT,II,ADDL"
        )
    header = _split(lines[0], file, 1, ())
    rows = tuple(_split(line, file, number, header) for number, line in enumerate(lines[1:], start=2))
    return CsvTable(file, header, rows)


def _split(line: str, file: str, number: int, header: Sequence[Cell]) -> tuple[Cell, ...]:
    control = next((index for index, character in enumerate(line) if character in "\r\v\f\x00\x85\u2028\u2029"), None)
    if control is not None:
        raise InputError(
            "the line holds a control character",
            code="table.syntax",
            where=Where(file, number, control + 1),
            found=repr(line[control]),
            advice="save the file with the line ends of Unix (LF) or Windows (CR LF)",
        )
    cells: list[Cell] = []
    at = 0
    while at <= len(line):
        begin = at + len(line[at:]) - len(line[at:].lstrip(" \t"))
        key = header[len(cells)].text.upper() if len(cells) < len(header) else None
        if begin < len(line) and line[begin] == '"':
            match = _QUOTED.match(line, begin)
            end = len(line) if match is None else match.end()
            rest = len(line[end:]) - len(line[end:].lstrip(" \t"))
            if match is None or (end + rest < len(line) and line[end + rest] != ","):
                raise InputError(
                    "a quotation mark has no partner, or text follows it",
                    code="table.syntax",
                    where=Where(file, number, begin + 1, key),
                )
            content, at = match[0][1:-1].replace('""', '"').strip(" \t"), end + rest + 1
            begin += 1
        else:
            end = line.find(",", at)
            end = len(line) if end < 0 else end
            content, at = line[at:end].strip(" \t"), end + 1
        cells.append(Cell(file, number, begin + 1, key, content))
    if header and len(cells) != len(header):
        raise _ragged(line, cells, header)
    return tuple(cells)


def _ragged(line: str, cells: Sequence[Cell], header: Sequence[Cell]) -> InputError:
    last = cells[min(len(header), len(cells) - 1)]
    if not line.strip(" \t"):
        return InputError(
            "the row is empty", code="table.syntax", where=Where(last.file, last.line, 1), advice="delete the line"
        )
    if len(header) == 1 and any(mark in header[0].text for mark in ";\t"):
        return header[0].error(
            "the columns are not separated by commas",
            "table.syntax",
            expected="commas between columns, and numbers with a decimal point",
            advice="write the file anew so: a spreadsheet set to a decimal comma writes semicolons",
        )
    more = len(cells) > len(header)
    return InputError(
        "the row has more cells than the header" if more else "the row has fewer cells than the header",
        code="table.syntax",
        where=Where(last.file, last.line, last.column if more else len(line) + 1),
        found=str(len(cells)),
        expected=str(len(header)),
        advice="a comma begins the next column: numbers have a decimal point and no separator of thousands"
        if more
        else "put `.` where there is no value",
    )


def _number_advice(text: str) -> str | None:
    if any(character.isdigit() and not character.isascii() for character in text):
        return "write the digits as 0 to 9"
    if (advice := _marks_advice(text)) is not None:
        return advice
    if text.casefold() in ("na", "nan", "n/a", "null", "none"):
        return "write `.` where there is no value"
    return None


def _marks_advice(text: str) -> str | None:
    """What to write for digits with marks among them, where a mark may be a decimal point or group thousands."""
    if not _MARKED.fullmatch(text):
        return None
    groups = re.split(r"[^0-9]+", text.lstrip("+-"))
    marks = re.findall(r"[^0-9]+", text.lstrip("+-"))
    whole, last = "".join(groups[:-1]), groups[-1]
    grouped = 1 <= len(groups[0]) <= 3 and groups[0][0] != "0" and all(len(group) == 3 for group in groups[1:])
    if len(set(marks)) == 1 and grouped and marks[0] in (",", ".") and len(marks) == 1:
        return f"this is ambiguous: write {whole}{last} or {whole}.{last.rstrip('0') or '0'}, whichever is meant"
    if len(set(marks)) == 1 and grouped:
        return f"write the digits without separators: {whole}{last}"
    if len(marks) == 1 and marks[0] == ",":
        return f"write a decimal point: {whole or '0'}.{last}"
    if len(set(marks)) == 2 and marks.count(marks[-1]) == 1 and marks[-1] in (",", "."):
        return f"write no separator of thousands, and a decimal point: {whole}.{last}"
    return "write the digits without separators, and a decimal point"
