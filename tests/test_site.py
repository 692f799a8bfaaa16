"""The site of the documentation, built once for all tests here: about 12 seconds of processor time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import simulate
from simulate.pages import build_site, needs, pages
from simulate.shipped import pages_folder
from simulate.verbs import verbs

pytestmark = pytest.mark.skipif(needs() is not None, reason=f"Sphinx with its extensions is not installed: {needs()}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose build would have failed at the first warning: a link, a picture, a docstring, a page in no list."""
    folder = tmp_path_factory.mktemp("built") / "site"
    build_site(folder, strict=True)
    return folder


def test_every_page_becomes_one_of_the_site_and_nothing_else_is_left(site: Path) -> None:
    for path in pages().values():
        page = site / path.relative_to(pages_folder()).with_suffix(".html")
        assert "</article>" in page.read_text(encoding="utf-8"), page
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_every_picture_is_in_the_site(site: Path) -> None:
    shown = {path.name for path in (site / "_images").iterdir()}
    assert {path.name for path in (pages_folder() / "figures").iterdir()} <= shown


def test_every_public_name_is_documented(site: Path) -> None:
    text = (site / "public-names.html").read_text(encoding="utf-8")
    found = set(re.findall(r'<dt class="sig sig-object py" id="simulate\.(\w+)">', text))
    assert found == {*simulate.__all__} - {"__version__"}
    assert "In place of the scenario’s." in text, "what arguments mean that several functions have"


def test_every_verb_is_there_with_its_options(site: Path) -> None:
    text = (site / "verbs.html").read_text(encoding="utf-8")
    assert re.findall(r"Usage: simulate ([a-z-]+) \[OPTIONS\]", text) == list(verbs())
    assert text.count("--help  ") == len(verbs()) + 1


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)', path.read_text(encoding="utf-8")
        )
        assert loaded == [], path
