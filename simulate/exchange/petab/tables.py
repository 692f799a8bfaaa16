"""Tables of PEtab: tab-separated text, each cell with its place."""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sympy
from sympy import Expr

from simulate.errors import InputError, Where, counted, did_you_mean
from simulate.exchange.petab.formulas import parse_formula
from simulate.files import read_bytes, text_of

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INFINITE = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf, "infinity": math.inf, "-infinity": -math.inf}
_ABSENT = ("", "nan", "na", "n/a", "null", "none")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NEAR = 0.8
"""Likeness at which an unknown column is taken for a misspelled known one."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table; a cell that is empty, or says that it has no value, is the empty text."""

    file: str
    line: int
    cells: Mapping[str, str]

    def where(self, column: str) -> Where:
        """Place of a cell."""
        return Where(file=self.file, line=self.line, key=column)

    def text(self, column: str, default: str = "") -> str:
        """Text of a cell."""
        found = self.cells.get(column, "")
        return default if found.lower() in _ABSENT else found

    def needed(self, column: str) -> str:
        """Text of a cell that must have one."""
        if not (found := self.text(column)):
            raise InputError(f"the column `{column}` has no value here", code="petab.value", where=self.where(column))
        return found

    def identifier(self, column: str) -> str:
        """Text of a cell that must be an identifier."""
        return identifier(self.needed(column), self.where(column))

    def choice(self, column: str, known: Sequence[str], default: str = "") -> str:
        """Text of a cell that is one of several."""
        found = self.text(column, default)
        if found not in known:
            raise InputError(
                f"the column `{column}` has a value that is not known",
                code="petab.choice",
                where=self.where(column),
                found=found or "nothing",
                expected=", ".join(known),
                advice=did_you_mean(found, known),
            )
        return found

    def number(self, column: str, default: float | None = None) -> float:
        """Number of a cell, which may be infinite."""
        found = self.text(column)
        if not found and default is not None:
            return default
        value = number(found)
        if value is None:
            raise InputError(
                f"the column `{column}` has no number here",
                code="petab.number",
                where=self.where(column),
                found=f"`{found}`" if found else "nothing",
                expected="a number",
            )
        return value

    def formula(self, column: str) -> Expr:
        """Formula of a cell."""
        return parse_formula(self.needed(column), self.where(column))

    def several(self, column: str) -> tuple[Expr, ...]:
        """Numbers and identifiers of a cell, separated by semicolons."""
        found = self.text(column)
        return tuple(value_of(part, self.where(column)) for part in found.split(";")) if found else ()

    def identifiers(self, column: str) -> tuple[str, ...]:
        """Identifiers of a cell, separated by semicolons."""
        found = self.text(column)
        return tuple(identifier(part.strip(), self.where(column)) for part in found.split(";")) if found else ()


@dataclass(frozen=True, slots=True)
class TsvTable:
    """A table: its columns and rows."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def number(text: str) -> float | None:
    """Number of a text, or None where it is none."""
    text = text.strip()
    if text.lower() in _INFINITE:
        return _INFINITE[text.lower()]
    return float(text) if _NUMBER.fullmatch(text) else None


def identifier(text: str, where: Where) -> str:
    """A text that must be an identifier."""
    if not _IDENTIFIER.fullmatch(text):
        raise InputError(
            f"`{text[:60]}` is no identifier",
            code="petab.id",
            where=where,
            expected="letters, digits and underscores, and no digit first",
        )
    return text


def value_of(text: str, where: Where) -> Expr:
    """A number, exact, or the symbol of an identifier."""
    text = text.strip()
    value = number(text)
    if value is None:
        return sympy.Symbol(identifier(text, where))
    if not math.isfinite(value):
        raise InputError("a value is not finite", code="petab.number", where=where, found=text)
    return sympy.Rational(repr(value))


def read_table(path: Path, needed: Sequence[str]) -> TsvTable:
    """Read a table.

    Raises
    ------
    InputError
        ``file.…``; ``petab.table`` for what is no table, or a row that is longer than the first; ``petab.column`` for a
        column that is missing or given twice.
    """
    content = read_bytes(path, str(path))
    text = text_of(content, str(path))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True)
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise InputError(
            "the file is no tab-separated text", code="petab.table", where=Where(file=str(path)), found=str(error)[:100]
        ) from None
    lines = [(line, cells) for line, cells in lines if any(cells)]
    if not lines:
        raise InputError("the table is empty", code="petab.table", where=Where(file=str(path)))
    (first, columns), *rest = lines
    while columns and not columns[-1]:
        columns.pop()
    for place, column in enumerate(columns):
        if not column or column in columns[:place]:
            raise InputError(
                f"the column `{column}` is given twice" if column else f"the column {place + 1} has no name",
                code="petab.column",
                where=Where(file=str(path), line=first, key=column or None),
            )
    for column in needed:
        if column not in columns:
            raise InputError(
                f"the table has no column `{column}`",
                code="petab.column",
                where=Where(file=str(path), line=first),
                found=", ".join(columns),
                expected=", ".join(needed),
            )
    rows = []
    for line, cells in rest:
        if any(cells[len(columns) :]):
            raise InputError(
                f"the row has {counted(len(cells), 'cell')}, and the table {counted(len(columns), 'column')}",
                code="petab.table",
                where=Where(file=str(path), line=line),
            )
        rows.append(TableRow(str(path), line, dict(zip(columns, cells, strict=False))))
    return TsvTable(str(path), tuple(columns), tuple(rows))


def rows_of(
    paths: Sequence[Path], needed: Sequence[str], known: Sequence[str]
) -> tuple[tuple[TableRow, ...], list[str]]:
    """Rows of tables, and in words the columns that the format does not know; errors as `read_table` and `unread`."""
    rows: list[TableRow] = []
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, needed)
        dropped += unread(table, known)
        rows += table.rows
    return tuple(rows), dropped


def unread(table: TsvTable, known: Sequence[str]) -> list[str]:
    """Columns that the format does not know, in words.

    Raises
    ------
    InputError
        ``petab.column``: such a column has almost the name of a known one.
    """
    found = []
    for column in table.columns:
        if column in known:
            continue
        near = difflib.get_close_matches(column.casefold(), [name.casefold() for name in known], n=1, cutoff=_NEAR)
        if near:
            raise InputError(
                f"the column `{column}` is not known",
                code="petab.column",
                where=Where(file=table.file, line=1, key=column),
                advice=did_you_mean(column, known),
            )
        found.append(f"the column `{column}` of {Path(table.file).name}, to which PEtab gives no meaning")
    return found
