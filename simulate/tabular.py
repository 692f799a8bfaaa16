"""Tables of results: named columns, and rows of plain values."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table.

    Attributes
    ----------
    columns
        Names of the columns.
    rows
        Values: texts, numbers and truth values; None where there is none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def csv(self) -> str:
        """The table as CSV; numbers have all their digits and read back as the same bits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()

    def records(self) -> list[dict[str, Any]]:
        """A dictionary for each row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def frame(self) -> pd.DataFrame:
        """The table as a data frame of pandas."""
        import pandas

        return pandas.DataFrame(self.rows, columns=list(self.columns))


def table_of(rows: Sequence[Any], kind: type[Any] | None = None) -> ResultTable:
    """Table of rows of one kind: mappings with the same keys, or values of a dataclass.

    Parameters
    ----------
    rows
        The rows.
    kind
        The dataclass, which has the columns where there is no row.
    """
    if kind is not None or (rows and dataclasses.is_dataclass(rows[0])):
        names = [part.name for part in dataclasses.fields(kind or rows[0])]
        return ResultTable(tuple(names), tuple(tuple(getattr(row, name) for name in names) for row in rows))
    found: Sequence[Mapping[str, Any]] = rows
    columns = tuple(found[0]) if found else ()
    return ResultTable(columns, tuple(tuple(row[name] for name in columns) for row in found))


def read_csv(text: str) -> ResultTable:
    """Table of a text that `ResultTable.csv` made; every value is a text.

    Raises
    ------
    ValueError
        It is none: it has no line, or a line with more or fewer cells than the first.
    """
    lines = [tuple(line) for line in csv.reader(io.StringIO(text))]
    if not lines or any(len(line) != len(lines[0]) for line in lines):
        raise ValueError("the text is no table")
    return ResultTable(lines[0], tuple(lines[1:]))


def rows_of(text: str, kind: type[Row]) -> tuple[Row, ...]:
    """Rows of a dataclass, as `table_of` and `ResultTable.csv` wrote them.

    Raises
    ------
    ValueError
        The text is no such table.
    """
    found, hints = read_csv(text), typing.get_type_hints(kind)
    if set(found.columns) - set(hints):
        raise ValueError("the text is no such table")
    return tuple(
        kind(**{name: _value(cell, hints[name]) for name, cell in zip(found.columns, row, strict=True)})
        for row in found.rows
    )


def _value(cell: str, hint: Any) -> Any:
    """What a cell has, by the type of its column."""
    among = typing.get_args(hint) or (hint,)
    if cell == "" and type(None) in among:
        return None
    if bool in among:
        return {"True": True, "False": False}[cell]
    return next(own(cell) for own in (int, float, str) if own in among)


def finite(value: Any) -> float | None:
    """A number as a table or JSON has it; None where there is none."""
    return None if value is None or not math.isfinite(float(value)) else float(value)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Quantiles one by one."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, tuple | list):
            flat |= {f"{name}_{end}": part for end, part in zip(("low", "median", "high"), value, strict=True)}
        else:
            flat[name] = value
    return flat
