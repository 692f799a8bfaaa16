"""What the documents say of the tests is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.problems import PROBLEMS

ROOT = Path(__file__).resolve().parent.parent
VERIFICATION = ROOT / "docs" / "verification.md"
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))

KNOWN = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_test_that_a_document_names_exists(path: Path) -> None:
    # The name of a file of tests ends in `.py`, and that of a test does not.
    named = set(re.findall(r"`(test_\w+)`", path.read_text(encoding="utf-8")))
    assert named <= KNOWN, sorted(named - KNOWN)


def test_every_acceptance_test_and_every_problem_is_in_the_document() -> None:
    text = VERIFICATION.read_text(encoding="utf-8")
    numbers = {name[5:8] for name in KNOWN if re.match(r"test_n\d\d_", name)}
    assert numbers == {f"n{number:02}" for number in range(1, 16)}
    for number in range(1, 16):
        assert f"| N{number} |" in text
    for problem in PROBLEMS:
        assert f"| {problem.name} " in text
