"""The numbers of docs/credibility.md are those of the files that it speaks of."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.problems import PROBLEMS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/credibility.md").read_text(encoding="utf-8")
CHECKS = (ROOT / "docs/checks.md").read_text(encoding="utf-8")


def grades(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        if isinstance(content.get("grade"), str):
            yield content["grade"]
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from grades(value)


def test_numbers_are_counted_by_the_grades_of_the_parameter_files() -> None:
    files = (*(ROOT / "parameters").glob("*.toml"), *(ROOT / "parameters/pharmacokinetics").glob("*.toml"))
    found = Counter(grade for file in files for grade in grades(tomllib.loads(file.read_text(encoding="utf-8"))))
    counted = (found.total(), found["read"], found["calculated"], found["recalled"], found["assumed"])
    said = (
        "of {} shipped numbers with a grade {} were read in the cited publication, {} calculated from numbers that "
        "were read, {} recalled and {} assumed"
    )
    assert said.format(*counted) in " ".join(PAGE.split())


def test_checks_are_counted_by_their_verdicts() -> None:
    parts = re.findall(r"<!-- (?!refused)[\w-]+ -->\n(.*?)<!-- end -->", CHECKS, re.DOTALL)
    shown = [line for part in parts for line in part.splitlines()[2:]]
    differing = sum("**differs**" in line for line in shown)
    assert f"{len(shown) - differing} rows within" in PAGE
    assert f"{differing} that differ" in PAGE


def test_problems_with_known_answers_are_counted() -> None:
    assert f"{len(PROBLEMS)} problems with known answers" in PAGE


@pytest.mark.parametrize(
    ("number", "page"),
    [
        ("1.00 [0.93, 1.06]", "sensitivity-analysis"),
        ("0.79 [0.73, 0.85]", "sensitivity-analysis"),
        ("81 of 99", "predictions"),
    ],
)
def test_a_number_of_another_page_is_that_of_the_page(number: str, page: str) -> None:
    assert number in PAGE
    assert number in (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def test_every_page_that_is_named_exists() -> None:
    for name in re.findall(r"\]\(([a-z-]+\.md)\)", PAGE):
        assert (ROOT / "docs" / name).is_file(), name
