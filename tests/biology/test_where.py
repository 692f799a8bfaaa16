"""The table of mechanisms in ``docs/reference-model.md`` names options and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference-model.md").read_text(encoding="utf-8")
SECTION = TEXT.split("## Where each mechanism lives")[1].split("\n## ")[0]
FILES = {file: re.findall(r"`([^`]+)`", options) for file, options in re.findall(r"`(\w+\.py)` \(([^)]+)\)", SECTION)}
NAMES = {value.name for value in (*HYPOTHESES, *OPTIONS)}


@pytest.mark.parametrize("file", FILES)
def test_a_mechanism_is_where_the_table_says(file: str) -> None:
    assert (ROOT / "simulate" / "biology" / file).is_file()
    assert {*FILES[file]} <= NAMES


def test_every_option_is_in_the_table_or_contains_one_that_is() -> None:
    named = {name for options in FILES.values() for name in options}
    assert NAMES - named == {"H0", "receptor-number-decoy"}
