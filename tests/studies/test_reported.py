"""What was printed stands beside patients who were treated as those of the source were, and beside no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.cohort.arms import Arm
from simulate.evidence.observations import Standing
from simulate.regimen.words import parse_regimen
from simulate.studies.reported import is_treated_so, observations_for
from simulate.studies.runs import prepare
from simulate.studies.scenario import read_scenario

SCENARIO = """
schema = 1
title = "arms"
[model]
hypothesis = "H1"
fit = "typical"
[time]
end = "{end}"
[cohort]
patients = 2
[[arm]]
name = "untreated"
regimen = "none"
[[arm]]
name = "daily"
regimen = "100 mg sc daily"
[[arm]]
name = "every other day"
regimen = "100 mg sc every 48 h"
"""


@pytest.mark.parametrize(
    ("regimen", "is_so"),
    [
        ("100 mg sc every 24 h", True),
        ("100 mg sc daily until 182 d", True),
        ("0.1 g sc daily until 180 d", True),
        ("100 mg sc daily pause from 200 d to 210 d", True),
        ("100 mg sc daily until 182 d then 50 mg sc daily", True),
        ("100 mg sc daily until 91 d", False),
        ("100 mg sc every 48 h", False),
        ("50 mg sc twice daily", False),
        ("100 mg iv daily", False),
        ("100 mg sc daily missing 10 %", False),
        ("100 mg sc daily pause from 60 d to 90 d", False),
        ("none", False),
    ],
)
def test_a_treatment_is_that_of_the_source_where_it_gives_the_same_until_then(regimen: str, *, is_so: bool) -> None:
    assert is_treated_so(Arm("a", parse_regimen(regimen)), 182.0) is is_so


def days_of(folder: Path, end: str) -> dict[str, set[float]]:
    path = folder / "s.toml"
    path.write_text(SCENARIO.format(end=end), encoding="utf-8")
    return {
        arm: {item.day for item in own if item.standing is not Standing.HEALTHY}
        for arm, own in observations_for(prepare(read_scenario(path))).items()
    }


def test_later_figures_stand_beside_the_arm_of_the_source_and_within_the_run_alone(tmp_path: Path) -> None:
    assert days_of(tmp_path, "182 d") == {"untreated": {0.0}, "daily": {0.0, 182.0}, "every other day": {0.0}}
    assert days_of(tmp_path, "84 d") == {"untreated": {0.0}, "daily": {0.0}, "every other day": {0.0}}
