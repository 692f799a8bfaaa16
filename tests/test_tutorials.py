"""Every block of the tutorials runs as it stands, one after the other, in a folder of its own."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulate.cli.app import outcome

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_there_are_six_tutorials() -> None:
    assert [page.name[:2] for page in PAGES] == ["1-", "2-", "3-", "4-", "5-", "6-"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_tutorial_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "il1sim[sbml]" in page.read_text(encoding="utf-8"):
        pytest.importorskip("libsbml")
    for model in page.parent.glob("*.xml"):
        shutil.copy(model, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "tutorial"}
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert {kind for kind, _, _ in blocks} <= {"bash", "csv", "python", "r", "toml"}
    for kind, file, text in blocks:
        if file:
            (tmp_path / file).write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, page.name, "exec"), names)
        else:
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                if program == "Rscript":
                    if shutil.which(program):
                        subprocess.run([program, *arguments], check=True)
                    continue
                assert program == "simulate"
                assert outcome(arguments) == 0, line


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="there is no R")
def test_the_tutorial_in_r_finds_what_pandas_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (page,) = (page for page in PAGES if page.name.startswith("6-"))
    (script,) = (text for _, file, text in BLOCK.findall(page.read_text(encoding="utf-8")) if file == "change.R")
    random = np.random.default_rng(1)
    index = pd.MultiIndex.from_product(
        [range(9), range(3), ["ifng", "il17a"], [0.0, 182.0]], names=["id", "draw", "quantity", "day"]
    )
    long = pd.DataFrame({"value": random.lognormal(size=len(index))}, index=index).reset_index()
    monkeypatch.chdir(tmp_path)
    long.assign(stratum="DM", arm="a", unit="%").to_csv("mine.csv", index=False)
    subprocess.run(["Rscript", "-e", script], check=True, capture_output=True)
    wide = long.pivot(index=["id", "draw", "quantity"], columns="day", values="value")
    expected = (100 * (wide[182.0] / wide[0.0] - 1)).groupby(["quantity", "draw"]).median()
    found = pd.read_csv("medians.csv").set_index(["quantity", "draw"])["change"]
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), check_names=False, rtol=1e-12)
