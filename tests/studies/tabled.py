"""Studies of a scenario beside a table of doses, written into a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import parse_setting


def study_of(folder: Path, text: str, doses: str, *settings: str) -> Study:
    """The study of a scenario whose table is ``doses.csv``."""
    (folder / "doses.csv").write_text(doses, encoding="utf-8")
    path = folder / "test.toml"
    path.write_text(text, encoding="utf-8")
    return prepare(read_scenario(path, [parse_setting(setting) for setting in settings]))


def fault_of(folder: Path, text: str, doses: str, *settings: str) -> str:
    """What is said of one that is refused, with names of files alone."""
    with pytest.raises(InputError) as caught:
        study_of(folder, text, doses, *settings)
    return str(caught.value).replace(f"{folder}/", "")
