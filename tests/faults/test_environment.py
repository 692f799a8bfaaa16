"""What stands in the environment changes no result, or is one clear error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulate.cli.app import outcome

MODEL = """\
[parameters]
k = "0.1 1/h"
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
"""
SCENARIO = """\
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "2 d"
[cohort]
patients = 1
[[arm]]
name = "a"
regimen = "100 mg iv daily"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.toml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def simulated(folder: Path, out: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulate", "run", "s.toml", "--out", out],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_figures_are_drawn_the_same_whatever_the_environment_says_of_drawing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert outcome(["run", "s.toml", "--out", "usual"]) == 0
    (folder / "matplotlibrc").write_text("backend: module://nothing\nfont.size: 30\nlines.linewidth: 9\n")
    found = simulated(folder, "other", MPLBACKEND="module://matplotlib_inline.backend_inline", PYTHONWARNINGS="error")
    assert (found.returncode, found.stderr) == (0, "wrote other\n")
    for name in ("time-course.png", "time-course.svg", "summary.csv", "results.nc"):
        assert (folder / "other" / name).read_bytes() == (folder / "usual" / name).read_bytes()


def test_without_compilation_there_is_one_clear_error(folder: Path) -> None:
    found = simulated(folder, "out", NUMBA_DISABLE_JIT="1")
    assert (found.returncode, found.stderr) == (
        7,
        "error[environment.jit]: nothing can be compiled: `NUMBA_DISABLE_JIT` is set\n"
        "  expected: an environment without it\n"
        "  try:      `unset NUMBA_DISABLE_JIT`, before Python starts\n",
    )
    assert not (folder / "out").exists()
