"""A scenario with a model of its own that runs in a moment, as texts to be spoiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulate.cli.app import outcome

MODEL = """\
[parameters]
k = "0.5 1/d"

[species.X]
unit = "mg"
meaning = "drug"
initial = 1

[reactions.loss]
rate = "k*X"
change = { X = -1 }

[routes.iv]
target = "X"
unit = "mg"
gain = 1
"""

SCENARIO = """\
schema = 1
title = "a drug that is lost"

[model]
file = "model.toml"

[time]
end = "4 d"

[cohort]
patients = 3

[[arm]]
name = "treated"
regimen = "1 mg iv every 1 d until 3 d"
"""


def write_files(folder: Path, *, model: str = MODEL, scenario: str = SCENARIO) -> Path:
    """Write both files; the path of the scenario."""
    (folder / "model.toml").write_text(model, encoding="utf-8")
    path = folder / "scenario.toml"
    path.write_text(scenario, encoding="utf-8")
    return path


def run(*arguments: object, figures: bool = False) -> int:
    """Exit code of ``simulate run``."""
    return outcome(["run", *map(str, arguments), *([] if figures else ["--no-figures"])])


def manifest_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return document


def results_of(folder: Path) -> dict[str, bytes]:
    """Content of every result of a run: not its manifest, which has the date, nor what it was asked with."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    kept = (name for name in files if name != "manifest.json" and not name.startswith("inputs/"))
    return {name: files[name].read_bytes() for name in kept}
