"""The table of mechanisms in ``docs/reference-model.md`` names options and files that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference-model.md").read_text(encoding="utf-8")
SECTION = TEXT.split("## Where each mechanism lives")[1].split("\n## ")[0]
FILES = {file: re.findall(r"`([^`]+)`", options) for file, options in re.findall(r"`(\w+\.py)` \(([^)]+)\)", SECTION)}
VALUES = {value.name: value for value in (*HYPOTHESES, *OPTIONS)}
NAMES = {*VALUES}
MADE = {"muscle-by-th17", "H1-activated", "il10-th17", "ifng-th17", "H4-dm", "H4-resident"}
"""Of which the file has a function that makes the mechanism."""


@pytest.mark.parametrize("file", FILES)
def test_a_mechanism_is_where_the_table_says(file: str) -> None:
    module = importlib.import_module(f"simulate.biology.{file.removesuffix('.py')}")
    own = {id(value) for value in vars(module).values()}
    for name in FILES[file]:
        mechanisms = [*VALUES[name].add, *(part for _, part in VALUES[name].replace)]
        assert any(id(part) in own for part in mechanisms) is (name not in MADE)


def test_every_option_is_in_the_table_or_contains_one_that_is() -> None:
    named = {name for options in FILES.values() for name in options}
    lacking = NAMES - named
    assert lacking == {"H0", "receptor-number-decoy"}, "docs/reference-model.md, where each mechanism lives"
