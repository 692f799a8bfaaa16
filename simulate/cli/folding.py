"""Tables that are wider than a line: texts are folded between words, and columns that do not fit go on below.

Numbers are never broken. What says of what a row is, the columns up to the first of words and as many more as tell rows
apart, is repeated in each part.
"""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

LEAST_WIDTH = 60
"""Letters in a line that is printed, at least."""

LABEL = 25
"""Letters of what says of what a row is, at most, where a table has to be folded."""

_WORDY = 16
_MOST_LABELS = 2
_MOST_KEYS = 3


def folded(table: Table, width: int) -> tuple[Table, ...]:
    """A table as it is if it fits into lines of so many letters, else one or several that do."""
    columns = [[str(cell) for cell in (column.header, *column.cells)] for column in table.columns]
    natural = [max(cell_len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
    if not columns or _total(natural, table) <= width or any(column.width is not None for column in table.columns):
        return (table,)
    labels = _labels(columns)
    least = _least(columns, natural, labels)
    keys = _keys(columns)
    if len(keys) > len(labels):
        own = _least(columns, natural, keys)
        if all(_total([own[key] for key in keys] + [size], table) <= width for size in own[len(keys) :]):
            labels, least = keys, own
    parts: list[list[int]] = []
    for place in range(len(columns)):
        if place in labels:
            continue
        if not parts or _total([least[other] for other in (*parts[-1], place)], table) > width:
            parts.append([*labels])
        parts[-1].append(place)
    parts = parts or [labels]
    found = [_part(table, place, _widened(own, least, natural, width, table)) for place, own in enumerate(parts)]
    # Below the first part it would be read as the title of the second.
    found[-1].caption = table.caption
    return tuple(found)


def hanging(label: str, width: int) -> str:
    """A label in lines of so many letters, folded between words, the further ones two letters to the right."""
    indent = " " * (len(label) - len(label.lstrip()))
    lines = textwrap.wrap(label.strip(), width, initial_indent=indent, subsequent_indent=f"{indent}  ")
    return "\n".join(lines) or label


def _is_words(cells: Sequence[str]) -> bool:
    """Whether a column, below its header, has words and not numbers: these are never broken."""
    shown = [cell for cell in cells[1:] if cell.strip(" –.")]
    return bool(shown) and sum(cell.lstrip()[:1].isalpha() for cell in shown) > len(shown) / 2


def _longest_word(cells: Sequence[str]) -> int:
    return max((cell_len(word) for cell in cells for word in cell.split()), default=0)


def title_of(text: str | None) -> Text | None:
    """Title of a table, not folded to the table's width where it fits in a line of any console."""
    is_short = text is not None and cell_len(text) <= LEAST_WIDTH
    return None if text is None else Text(text, no_wrap=is_short, overflow="ignore" if is_short else None)


def _labels(columns: Sequence[Sequence[str]]) -> list[int]:
    """The columns up to the first of words; the first alone where that is far off."""
    first = next((place for place, cells in enumerate(columns) if _is_words(cells)), 0)
    return list(range(first + 1)) if first < _MOST_LABELS else [0]


def _least(columns: Sequence[Sequence[str]], natural: Sequence[int], labels: Sequence[int]) -> list[int]:
    """Widths of columns, at least: words may be folded, numbers not."""
    return [
        min(size, max(_longest_word(cells), LABEL if place in labels else _WORDY)) if _is_words(cells) else size
        for place, (cells, size) in enumerate(zip(columns, natural, strict=True))
    ]


def _keys(columns: Sequence[Sequence[str]]) -> list[int]:
    """The fewest first columns that tell all rows apart; none where rows belong to those above them, or too few do."""
    rows = list(zip(*(cells[1:] for cells in columns), strict=True))
    if any(not row[0].strip() or row[0][0].isspace() for row in rows):
        return []
    most = min(_MOST_KEYS, len(columns) - 1)
    return next((list(range(n)) for n in range(1, most + 1) if len({row[:n] for row in rows}) == len(rows)), [])


def _total(widths: Sequence[int], table: Table) -> int:
    """Width of a table whose columns have these, at most: padding and lines between columns included."""
    _, right, _, left = table.padding
    between = max(left, right) if table.collapse_padding else left + right
    line = 1 if table.box is not None else 0
    return sum(widths) + (between + line) * (len(widths) - 1) + left + right + 2 * line


def _widened(
    own: Sequence[int], least: Sequence[int], natural: Sequence[int], width: int, table: Table
) -> dict[int, int]:
    """Widths of the columns of a part: what is left of a line goes to those that are folded."""
    found = {place: least[place] for place in own}
    left = width - _total(list(found.values()), table)
    for place in sorted(own, key=lambda one: natural[one] - least[one]):
        more = min(natural[place] - found[place], max(0, left))
        found[place] += more
        left -= more
    return found


def _part(table: Table, number: int, widths: dict[int, int]) -> Table:
    """Some columns of a table, with these widths."""
    found = copy.copy(table)
    found.columns, found.rows, found.caption = [], [], None
    if number:
        found.title = None if table.title is None else title_of(f"{table.title}, continued")
    columns: list[tuple[Column, list[RenderableType]]] = [
        (table.columns[place], list(table.columns[place].cells)) for place in widths
    ]
    for (column, _), size in zip(columns, widths.values(), strict=True):
        found.add_column(column.header, justify=column.justify, style=column.style, overflow="fold", width=size)
    for row, own in enumerate(table.rows):
        found.add_row(*(cells[row] for _, cells in columns), style=own.style, end_section=own.end_section)
    return found
