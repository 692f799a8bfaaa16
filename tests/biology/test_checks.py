"""The reviewer's table: every number published beside the model's, and docs/checks.md as it is printed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from string import ascii_lowercase

import pytest

from tests.biology.baselines import MANY, MODELS, of_many
from tests.biology.reviewed import Check, outside, table
from tests.biology.reviewed_cells import CELLS, MARKERS
from tests.biology.reviewed_drug import IL1, PHARMACOKINETICS, RECEPTOR

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"
SECTIONS = {"pharmacokinetics": PHARMACOKINETICS, "receptor": RECEPTOR, "IL-1": IL1, "cells": CELLS}
CHECKS = (*(check for section in SECTIONS.values() for check in section), *MARKERS)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_what_was_published_is_met_or_the_difference_is_explained(check: Check) -> None:
    # An explanation that nothing needs any more is as wrong as a difference without one.
    assert bool(outside(check)) == bool(check.why), check.model()


def test_no_row_has_the_name_of_another() -> None:
    names = [check.key for check in CHECKS]
    assert sorted(names) == sorted(set(names))


def refused() -> str:
    """The table of those who have no steady baseline, its reasons, and how many models refuse nobody."""
    rows, letters = [], dict[str, str]()
    for name in MODELS:
        counts = of_many(name).counts
        for reason, _ in counts.most_common():
            letters.setdefault(reason, ascii_lowercase[len(letters)])
        reasons = ", ".join(f"{100 * count / MANY:.2f} % {letters[reason]}" for reason, count in counts.most_common())
        if counts:
            rows.append(f"| `{name}` | {100 * counts.total() / MANY:.2f} % | {reasons} |\n")
    head = "| model | refused | reasons |\n|---|---|---|\n"
    told = "; ".join(f"{letter}: {reason}" for reason, letter in letters.items())
    return head + "".join(rows) + f"\nReasons: {told}.\n\n{len(MODELS) - len(rows)} other models refuse nobody.\n"


def as_it_should_be(document: str) -> str:
    """The page with every part between marks written anew."""
    parts = {name: table(section) for name, section in SECTIONS.items()} | {"refused": refused()}
    for name, text in parts.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        assert len(pattern.findall(document)) == 1, name
        document = pattern.sub(lambda found, text=text: found[1] + text + found[2], document)
    return document


def test_the_page_prints_what_the_model_gives() -> None:
    """With IL1SIM_WRITE_DOCS=1 in the environment, the page is written anew first."""
    if os.environ.get("IL1SIM_WRITE_DOCS") == "1":
        PAGE.write_text(as_it_should_be(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    printed = PAGE.read_text(encoding="utf-8")
    assert printed == as_it_should_be(printed)
