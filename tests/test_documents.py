"""What the documents say of tests, commands, functions, files and one another is so."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

import simulate
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

OTHERS = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md"]
"""Pages that are part of the site, but not of its folder."""

BLOCKS = [
    (path, kind, text)
    for path in (*PAGES, *OTHERS)
    for kind, text in re.findall(
        r"^```([^\n]*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
]

KNOWN = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}

HANDFUL = 5
"""A section with more numbers than this says where they are from."""

VERBS = "|".join(
    verb for part in tomllib.loads((ROOT / "simulate" / "verbs.toml").read_text("utf-8")).values() for verb in part
)
COMMAND = re.compile(rf"(?:`|^|\$ )(?:python -m )?simulate (?:{VERBS})\b", re.MULTILINE)
CITATION = re.compile(
    r"\bPMID\b|\bPMC\d|\bdoi\b|\bISBN\b"
    r"|\b(?!January|February|March|April|May|June|July|August|September|October|November|December)"
    r"[A-Z][\w-]+(?: et al\.| and others| and [A-Z]\w+)?,? \(?(?:19|20)\d\d\b"
)
NUMBER = re.compile(r"(?<![\w./:+-])[-−+±]?\d+(?:[.,]\d+)*")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_test_that_a_document_names_exists(path: Path) -> None:
    # The name of a file of tests ends in `.py`, and that of a test does not.
    named = set(re.findall(r"`(test_\w+)`", path.read_text(encoding="utf-8")))
    assert named <= KNOWN, sorted(named - KNOWN)


def test_acceptance_tests_and_problems_of_the_document_are_those_that_there_are() -> None:
    text = VERIFICATION.read_text(encoding="utf-8")
    numbers = {name[5:8] for name in KNOWN if re.match(r"test_n\d\d_", name)}
    assert numbers == {f"n{number:02}" for number in range(1, 16)}
    assert "`test_n01_…` to `test_n15_…`" in text
    assert f"of the {len(PROBLEMS)} problems" in text
    named = set(re.findall(r"^\| ([A-Z][A-Z -]+) \|", text, re.MULTILINE))
    assert len(named) > 5
    assert named <= {problem.name for problem in PROBLEMS}


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_of_a_document_is_one_that_the_program_understands(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    group = get_command(app)
    context = group.make_context("simulate", [], resilient_parsing=True)
    name, verb, rest = group.resolve_command(context, words)
    understood = verb.make_context(name, rest, parent=context)
    assert understood.info_name == name == words[0]
    understood.close()


def test_blocks_of_code_are_of_the_kinds_that_are_looked_at() -> None:
    assert {kind.split()[0] for _, kind, _ in BLOCKS if kind and not kind.startswith("{")} == {
        *("bash", "python", "toml"),
        *("csv", "r"),
    }


def blocks(kind: str) -> list[tuple[str, str]]:
    """Blocks of a kind, each with its page."""
    return [(path.name, text) for path, told, text in BLOCKS if told.split()[:1] == [kind]]


@pytest.mark.parametrize(("page", "text"), blocks("toml"))
def test_every_table_of_a_document_is_toml(page: str, text: str) -> None:
    assert tomllib.loads(text), page


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_what_a_document_calls_in_python_is_there_and_takes_the_arguments(page: str, text: str) -> None:
    for node in ast.walk(ast.parse(text, filename=page)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simulate"):
            module = import_module(node.module or "")
            assert [part.name for part in node.names if not hasattr(module, part.name)] == []
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "simulate":
            assert hasattr(simulate, node.attr), node.attr
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("simulate."):
            function = getattr(simulate, ast.unparse(node.func).split(".")[1])
            known = inspect.signature(function).parameters
            given = {part.arg for part in node.keywords if part.arg is not None}
            assert given <= {*known}, ast.unparse(node)


def anchors(path: Path) -> Iterator[str]:
    """What the headings of a page can be linked by, as GitHub and the site make it of them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", [*PAGES, *OTHERS], ids=lambda path: path.stem)
def test_every_file_and_heading_that_a_document_links_to_exists(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        if not target.startswith("http"):
            linked = path.parent / file if file else path
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CONTRIBUTING.md", OTHERS[-1]], ids=lambda path: path.stem)
def test_every_test_script_and_table_that_a_document_names_exists(path: Path) -> None:
    named = re.findall(
        r"`(?:[^`]* )?((?:tests|benchmarks|parameters)/[\w./+-]*\w)(?:::[\w\[\]]+)?`", path.read_text("utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Heading and text of each section with its blocks of code; what stands above all headings has an empty one."""
    heading, lines, code = "", [], False
    for line in text.splitlines():
        code ^= line.startswith("```")
        if line.startswith("#") and not code:
            yield heading, "\n".join(lines)
            heading, lines = line, []
        else:
            lines.append(line)
    yield heading, "\n".join(lines)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`]*`|\]\([^)]*\)", "", text, flags=re.MULTILINE | re.DOTALL)


def says_where_from(text: str) -> bool:
    """Whether a text names a command, a test, a script, a file of numbers or a publication, of those that there are."""
    files = re.findall(r"\b(?:tests|benchmarks|parameters)/[\w./+-]*\w", text)
    files += [name.replace(".", "/") + ".py" for name in re.findall(r"python -m (benchmarks\.\w+)", text)]
    tests = re.findall(r"\btest_\w+", text)
    return (
        COMMAND.search(text) is not None
        or any(name in KNOWN for name in tests)
        or any((ROOT / name).exists() for name in files)
        or CITATION.search(without_code(text)) is not None
    )


def sections_of_unknown_origin(text: str) -> list[str]:
    """Sections of many numbers that do not say where these are from, unless the head of the page says it for all."""
    (above, head), *rest = [*sections(text)]
    if not above and not head.strip() and rest:
        (above, head), *rest = rest
    if any(re.search(r"\bNumbers\b", part) and says_where_from(part) for part in re.split(r"\n\s*\n", head)):
        return []
    return [
        heading
        for heading, body in ((above, head), *rest)
        if len(NUMBER.findall(without_code(body))) > HANDFUL and not says_where_from(body)
    ]


@pytest.mark.parametrize("path", [*PAGES, OTHERS[-1]], ids=lambda path: path.stem)
def test_numbers_of_a_document_have_an_origin(path: Path) -> None:
    assert sections_of_unknown_origin(path.read_text(encoding="utf-8")) == []


def test_a_section_without_its_origin_is_found() -> None:
    told = "`simulate trial` has all: 1, 2, 3, 4, 5, 6."
    page = f"# A page\n\nIt says much.\n\n## First\n\n{told}\n\n## Second\n\n7, 8, 9, 10, 11.\n"
    assert sections_of_unknown_origin(page) == []
    assert sections_of_unknown_origin(page.replace("`simulate trial` has all", "All")) == ["## First"]
    assert sections_of_unknown_origin(page.replace("11.", "11, H1+H6, 12.")) == ["## Second"]
    assert sections_of_unknown_origin(page.replace("11.", "11, 12 (Sutton et al. 2006).")) == []
    # A month is no author; what does not exist is no origin; a command in a block is one.
    for stripped in (
        "In November 2026",
        "`simulate guess` has all",
        "`test_of_nothing`",
        "`tests/no.py`",
        "`import simulate as s`",
    ):
        assert sections_of_unknown_origin(page.replace("`simulate trial` has all", stripped)) == ["## First"]
    for named in (
        "`test_numbers_of_a_document_have_an_origin`",
        "benchmarks/fits.py",
        "`python -m benchmarks.fits`",
        "doi 10.1/2",
    ):
        assert sections_of_unknown_origin(page.replace("`simulate trial` has all", named)) == []
    block = "```bash\nsimulate trial  # 1\n```"
    assert sections_of_unknown_origin(page.replace("`simulate trial` has all", block)) == []
    # One paragraph at the head may speak for the page, if it says so.
    bare = page.replace("`simulate trial` has all", "All")
    assert sections_of_unknown_origin(bare.replace("It says much.", "`simulate trial` repeats it.")) == ["## First"]
    assert sections_of_unknown_origin(bare.replace("It says much.", "Numbers are those of `simulate trial`.")) == []


def test_every_page_that_a_text_names_exists() -> None:
    sources = [path for folder in ("simulate", "parameters", "benchmarks") for path in (ROOT / folder).rglob("*.*")]
    named = {
        page
        for path in (*PAGES, *OTHERS, *sources)
        if path.suffix in (".md", ".py", ".toml")
        for page in re.findall(r"\bdocs/[\w/-]+\.\w+", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 30
    assert [page for page in sorted(named) if not (ROOT / page).is_file()] == []


def test_every_picture_is_shown_on_some_page() -> None:
    shown = {
        name
        for path in (*PAGES, *OTHERS)
        for name in re.findall(r"figures/([\w-]+\.png)\)", path.read_text(encoding="utf-8"))
    }
    assert {path.name for path in (ROOT / "docs" / "figures").iterdir()} == shown


def test_every_page_of_the_site_stands_in_one_list() -> None:
    listed: list[str] = []
    for path in (ROOT / "docs").glob("*.md"):
        for block in re.findall(
            r"^```{toctree}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            entries = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed += [
                page.relative_to(ROOT / "docs").with_suffix("").as_posix()
                for entry in entries
                for page in sorted((ROOT / "docs").glob(f"{entry}.md"))
            ]
    pages = [path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted([*listed, "index"]) == sorted(pages)
