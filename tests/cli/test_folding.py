"""A table that is wider than a line goes on below, with what says of what its rows are, and breaks no number."""

from __future__ import annotations

import io
import sys

import pytest
from rich import box
from rich.cells import cell_len
from rich.table import Table

from simulate.cli.console import print_rich, titled
from simulate.cli.folding import folded, hanging

TITLES = ("restimulation at 0, 1, 3 and 6 months", "paired restimulation of the non-responders")


def table(columns: int, **options: object) -> Table:
    found = Table(box=box.SIMPLE_HEAD, title="What tells most", title_justify="left", caption="medians", **options)  # type: ignore[arg-type]
    for header in ("rank", "measurement", *(f"column {number}" for number in range(columns))):
        found.add_column(header)
    for row, title in enumerate(TITLES):
        found.add_row(str(row + 1), title, *(f"{row}.{number:03d} ± 0.0{number:02d}" for number in range(columns)))
    return found


def printed(monkeypatch: pytest.MonkeyPatch, found: Table, columns: str | None) -> str:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    print_rich(found)
    return out.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"padding": 0}, {"pad_edge": False, "padding": (0, 1, 0, 0)}, {"show_edge": False}]
)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_cell_is_printed_whole_within_the_width(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], width: int
) -> None:
    shown = printed(monkeypatch, table(9, **options), str(width))
    assert max(map(len, shown.splitlines())) <= width
    for row, number in ((row, number) for row in range(2) for number in range(9)):
        assert shown.count(f"{row}.{number:03d} ± 0.0{number:02d}") == 1
    parts = folded(table(9, **options), width)
    assert len(parts) > 1
    assert [str(part.title) for part in parts] == [
        "What tells most",
        *["What tells most, continued"] * (len(parts) - 1),
    ]
    assert [part.caption for part in parts] == [None] * (len(parts) - 1) + ["medians"]
    for part in parts:
        assert [str(column.header) for column in part.columns[:2]] == ["rank", "measurement"]
        assert [" ".join(str(cell).split()) for cell in part.columns[1].cells] == list(TITLES)


def test_what_tells_rows_apart_is_repeated_in_each_part() -> None:
    """An endpoint, a hypothesis and a dose; where there is no room for them, the first alone."""
    found = Table()
    for header in ("endpoint", "hypothesis", "dose", *(f"column {number}" for number in range(4))):
        found.add_column(header)
    for endpoint in ("ifng", "il17a"):
        for hypothesis in ("H1+H6", "H1"):
            for dose in ("10", "100"):
                found.add_row(endpoint, hypothesis, dose, *4 * ["26.1 (2.5 to 59.3)"])
    parts = folded(found, 60)
    assert len(parts) == 4
    for part in parts:
        assert [str(column.header) for column in part.columns[:3]] == ["endpoint", "hypothesis", "dose"]
        assert len(set(zip(*(column.cells for column in part.columns[:3]), strict=True))) == 8
    (first, *_) = folded(found, 40)
    assert [str(column.header) for column in first.columns] == ["endpoint", "hypothesis", "dose"]
    assert [str(part.columns[0].header) for part in folded(found, 40)] == 5 * ["endpoint"]


def test_a_table_that_fits_and_one_that_nothing_limits_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = table(1)
    assert folded(narrow, 80) == (narrow,)
    assert max(map(len, printed(monkeypatch, table(9), None).splitlines())) > 150
    assert "continued" not in printed(monkeypatch, table(9), None)


def test_a_column_of_words_is_folded_between_words_before_a_table_is_cut() -> None:
    found = Table()
    for header in ("name", "what it says"):
        found.add_column(header)
    found.add_row("one", "a sentence that is a good deal longer than what is left of a line of eighty letters is")
    (part,) = folded(found, 80)
    assert part.columns[0].width == 4
    assert sum(column.width or 0 for column in part.columns) == 80 - 7


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("  100 mg sc daily", "  100 mg sc daily"),
        ("  100 mg sc every other day until 90 d", "  100 mg sc every other\n    day until 90 d"),
        ("    less 100 mg sc every other day", "    less 100 mg sc every\n      other day"),
        ("il17a, %", "il17a, %"),
    ],
)
def test_a_label_is_folded_between_words_and_goes_on_to_the_right(label: str, shown: str) -> None:
    assert hanging(label, 25) == shown
    assert max(map(len, hanging("  " + "x" * 60, 25).splitlines())) <= 25


def test_a_short_title_of_a_narrow_table_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = titled("Change since baseline, of each patient", ("a", "b"))
    narrow.add_row("1", "2")
    assert printed(monkeypatch, narrow, "60").startswith("Change since baseline, of each patient\n")
    # One that no line of the narrowest console holds is folded, and loses nothing.
    long = "Steady states, hypothesis H1+H3a, of the model: " + "a title of many words " * 3
    wide = titled(long.strip(), [f"column {number}" for number in range(6)])
    wide.add_row(*"123456")
    told = printed(monkeypatch, wide, "60").partition("\n\n")[0]
    assert max(map(len, told.splitlines())) <= 60
    assert " ".join(told.split()) == " ".join(long.split())


def test_a_title_of_wide_letters_is_printed_whole_within_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    found = titled("細胞" * 20, ["a"])
    found.add_row("a row that is as wide as its words are long, so that there is room")
    shown = printed(monkeypatch, found, "60")
    assert max(map(cell_len, shown.splitlines())) <= 60
    assert "".join(shown.split()).count("細胞") == 20
