"""The table of mechanisms in ``docs/reference-model.md`` names options, files and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference-model.md").read_text(encoding="utf-8")
SECTION = TEXT.split("## Where each mechanism lives")[1].split("\n## ")[0]
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in SECTION.splitlines()
    if "`tests" not in line and line.startswith("|")
][2:]
NAMES = {value.name for value in (*HYPOTHESES, *OPTIONS)}
ELSEWHERE = {"obese", "renal", "IBM"}
"""Populations and a stratum."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_mechanism_is_where_the_table_says(row: tuple[str, ...]) -> None:
    _, switch, file, test = row
    assert set(re.findall(r"`([^`]+)`", switch)) <= NAMES | ELSEWHERE
    assert (ROOT / "simulate" / file.strip("`")).is_file()
    path, _, name = test.strip("`").partition("::")
    written = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert f"def {name}(" in written if name else "def test_" in written


def test_every_option_is_in_the_table_or_contains_one_that_is() -> None:
    named = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[1])}
    assert NAMES - named == {"H0", "receptor-number-decoy"}
