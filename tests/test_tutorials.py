"""Every block of the tutorials runs as it stands, one after the other, in a folder of its own."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulate.cli.app import outcome

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_there_are_four_tutorials() -> None:
    assert [page.name[:2] for page in PAGES] == ["1-", "2-", "3-", "4-"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_tutorial_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "il1sim[sbml]" in page.read_text(encoding="utf-8"):
        pytest.importorskip("libsbml")
    for model in page.parent.glob("*.xml"):
        shutil.copy(model, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "tutorial"}
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert {kind for kind, _, _ in blocks} <= {"bash", "python", "toml"}
    for kind, file, text in blocks:
        if kind == "toml":
            (tmp_path / file).write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, page.name, "exec"), names)
        else:
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "simulate"
                assert outcome(arguments) == 0, line
