"""The reviewer's table: every number published beside the model's, and docs/checks.md as it is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.biology.baselines import MODELS, baselines, model_of, patients
from tests.biology.reviewed import Check, outside, table
from tests.biology.reviewed_cells import CELLS, MARKERS
from tests.biology.reviewed_drug import IL1, PHARMACOKINETICS, RECEPTOR

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
SECTIONS = {"PHARMACOKINETICS": PHARMACOKINETICS, "RECEPTOR": RECEPTOR, "IL1": IL1, "CELLS": CELLS, "MARKERS": MARKERS}
CHECKS = tuple(check for section in SECTIONS.values() for check in section)
MANY = 10_000


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_what_was_published_is_met_or_the_difference_is_explained(check: Check) -> None:
    # An explanation that nothing needs any more is as wrong as a difference without one.
    assert bool(outside(check)) == bool(check.why), check.model()


def test_no_row_has_the_name_of_another() -> None:
    names = [check.key for check in CHECKS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_printed_table_is_what_the_model_gives(section: str) -> None:
    assert table(SECTIONS[section]) in DOCUMENT


def refused(name: str) -> str:
    """A line of the table of those who have no steady baseline."""
    counts = baselines(model_of(name), patients(MANY)).counts
    reasons = "; ".join(f"{100 * count / MANY:.2f} %: {reason}" for reason, count in counts.most_common())
    share = f"{100 * counts.total() / MANY:.2f} %" if counts else "0"
    return f"| `{name}` | {share} | {reasons or '–'} |\n"


def test_the_printed_shares_of_patients_without_a_baseline_are_current() -> None:
    lines = [refused(name) for name in MODELS]
    assert "".join(line for line in lines if "%" in line) in DOCUMENT
    without = [f"`{name}`" for name, line in zip(MODELS, lines, strict=True) if "%" not in line]
    assert f"None of the 10,000 is refused under {', '.join(without)}.\n" in DOCUMENT
