"""Words that messages are made of."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import simulate
from simulate.errors import counted
from simulate.studies.fitting.posterior import shipped_posterior


@pytest.mark.parametrize(
    ("noun", "several"), [("draw", "draws"), ("virtual patient", "virtual patients"), ("study", "studies")]
)
def test_a_number_of_things_is_said_as_a_reader_says_it(noun: str, several: str) -> None:
    assert [counted(number, noun) for number in (0, 1, 2)] == [f"0 {several}", f"1 {noun}", f"2 {several}"]


def test_one_effective_draw_is_one() -> None:
    found = dataclasses.replace(shipped_posterior("H1").diagnostics, effective=1.2, tail=1.8)
    assert ": 1 effective draw, tail 1.80, and 50 " in found.weakness


def test_nothing_that_may_be_one_alone_is_printed_in_the_plural() -> None:
    """Of nouns of which there often is one: their number goes by `counted`."""
    nouns = "effective draws|trajectories|parameters|virtual patients|observed values|readings"
    pattern = re.compile(rf"\}} (?:{nouns})\b")
    folder = Path(simulate.__file__).parent
    found = {
        f"{path.relative_to(folder).as_posix()}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        if path.parent.name != "kernels"
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line)
    }
    assert found == set()
