"""``simulate docs`` opens a site where one can be built, and says where the pages are where none can."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from simulate import pages
from simulate.cli.app import outcome
from simulate.shipped import pages_folder

Capture = pytest.CaptureFixture[str]
INSTALL = 'pip install "il1sim[docs]"'


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a browser was asked to open."""
    found: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: found.append(address) or True)
    return found


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Folders in which Sphinx was asked to build; it leaves one page, as it would."""
    found: list[Path] = []

    def run(words: list[str], **named: Any) -> subprocess.CompletedProcess[str]:
        folder = Path(words[-1])
        folder.mkdir()
        (folder / ".buildinfo").write_text("", encoding="utf-8")
        found.append(folder)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(pages, "needs", lambda: None)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path / "cache"))
    return found


def test_without_sphinx_the_page_in_markdown_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, opened: list[str]
) -> None:
    monkeypatch.setattr(pages, "needs", lambda: INSTALL)
    assert outcome(["docs", "regimens"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{pages_folder() / 'regimens.md'}\n"
    assert said.err == f"this is the text of the page; {INSTALL} makes a site of it\n"
    assert outcome(["docs", "1-a-scenario", "--json"]) == 0
    place = str(pages_folder() / "tutorials" / "1-a-scenario.md")
    assert json.loads(capsys.readouterr().out) == {"page": place, "site": False}
    assert opened == []


def test_a_site_is_built_once_and_opened_and_those_of_older_packages_go(
    capsys: Capture, opened: list[str], built: list[Path], tmp_path: Path
) -> None:
    old, new = tmp_path / "cache" / "site" / "old", tmp_path / "cache" / "site" / "new"
    for folder, age in ((old, 7200), (new, 60)):
        folder.mkdir(parents=True, mode=0o700)
        os.utime(folder, times=(folder.stat().st_mtime - age,) * 2)
    (tmp_path / "cache").chmod(0o700)
    (tmp_path / "cache" / "site").chmod(0o700)
    assert outcome(["docs", "1-a-scenario"]) == 0
    said = capsys.readouterr()
    page = Path(said.out.strip())
    assert page.parts[-2:] == ("tutorials", "1-a-scenario.html")
    assert page.is_relative_to(tmp_path / "cache" / "site")
    assert said.err == "building the site, once\n"
    assert opened == [page.as_uri()]
    assert outcome(["docs", "--no-browser"]) == 0
    assert capsys.readouterr().err == ""
    assert (len(built), len(opened)) == (1, 1)
    assert {path.name for path in (tmp_path / "cache" / "site").iterdir()} == {page.parts[-3], "new"}


def test_a_folder_gets_the_site_anew_and_nothing_but_a_site_is_replaced(
    capsys: Capture, opened: list[str], built: list[Path], tmp_path: Path
) -> None:
    target = tmp_path / "public" / "site"
    for _ in range(2):
        assert outcome(["docs", "--build", str(target), "--no-browser"]) == 0
        assert capsys.readouterr().out == f"{target / 'index.html'}\n"
        assert [path.name for path in target.parent.iterdir()] == ["site"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    assert outcome(["docs", "--build", str(tmp_path / "mine")]) == 3
    assert capsys.readouterr().err == (
        "error[docs.folder]: what is there is no site\n"
        f"  --> {tmp_path / 'mine'}\n"
        "  expected: a new folder, an empty one, or one with an earlier site\n"
    )
    assert (len(built), opened) == (2, [])


def test_where_no_browser_is_found_and_no_site_can_be_kept_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, built: list[Path], tmp_path: Path
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    assert outcome(["docs", "--build", str(tmp_path / "site")]) == 0
    assert capsys.readouterr().err == "no browser was found\n"
    monkeypatch.setattr(pages, "cache_folder", lambda name, is_told: None)
    assert outcome(["docs"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{pages_folder() / 'index.md'}\n"
    assert said.err == "this is the text of the page; a site cannot be kept, --build DIR makes one\n"


def test_what_cannot_be_built_or_opened_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    assert outcome(["docs", "regimes"]) == 3
    assert capsys.readouterr().err == (
        "error[docs.page]: there is no page `regimes`\n"
        f"  expected: {', '.join(f'`{name}`' for name in pages.pages())}\n"
        "  try:      did you mean `regimens`?\n"
    )
    monkeypatch.setattr(pages, "needs", lambda: INSTALL)
    assert outcome(["docs", "--build", str(tmp_path / "site")]) == 7
    assert capsys.readouterr().err == (
        "error[extra.docs]: building the site needs Sphinx with its extensions\n"
        "  expected: sphinx, myst_parser, numpydoc, pydata_sphinx_theme\n"
        f"  try:      {INSTALL}\n"
    )
    monkeypatch.setattr(pages, "needs", lambda: None)
    failed = subprocess.CompletedProcess([], 2, "", "a line\nTheme error\n")
    monkeypatch.setattr(subprocess, "run", lambda words, **named: failed)
    assert outcome(["docs", "--build", str(tmp_path / "site")]) == 7
    assert capsys.readouterr().err == (
        "error[docs.build]: Sphinx could not build the site\n"
        "  found:    Theme error\n"
        f"  try:      `python -m sphinx {pages_folder()} DIR` shows more\n"
    )
    assert list(tmp_path.iterdir()) == []
