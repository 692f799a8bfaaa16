"""What the documents say of the tests is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from benchmarks.problems import PROBLEMS
from simulate.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
VERIFICATION = ROOT / "docs" / "verification.md"
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))

PAGES = [ROOT / "README.md", *DOCUMENTS, *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]
COMMANDS = sorted(
    {
        (path.relative_to(ROOT).as_posix(), line.removeprefix("$ ").strip())
        for path in PAGES
        for block in re.findall(r"^```bash\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for line in re.split(r"&&|\n", block.replace("\\\n", " "))
        if re.match(r"(\$ )?simulate ", line.strip())
    }
)
"""Lines of documents that call the program, without their comments' meaning."""

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


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_of_a_document_is_one_that_the_program_understands(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    group = get_command(app)
    context = group.make_context("simulate", [], resilient_parsing=True)
    name, verb, rest = group.resolve_command(context, words)
    understood = verb.make_context(name, rest, parent=context)
    assert understood.info_name == name == words[0]
    understood.close()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_file_that_a_document_links_to_exists(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        assert target.startswith("http") or (path.parent / target).exists(), target
