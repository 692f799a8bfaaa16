"""The list of faults beside this file has every row, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^(\d+)\. (.+?): (.+)$", PAGE, re.MULTILINE)


def test_the_page_has_all_rows_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, len(ROWS) + 1))


def test_every_test_that_the_page_names_exists() -> None:
    named = [(path, name) for _, _, how in ROWS for path, name in re.findall(r"`([\w/]+\.py)::(\w+)`", how)]
    assert len(named) > 115
    absent = [
        f"{path}::{name}"
        for path, name in named
        if not (TESTS / path).exists()
        or not re.search(rf"^def {name}\(", (TESTS / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert absent == []


def test_a_row_without_a_test_has_a_reason() -> None:
    assert [number for number, _, how in ROWS if "::" not in how and len(how) < 30] == []
