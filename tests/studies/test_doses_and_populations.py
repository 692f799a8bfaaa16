"""Scenarios whose doses are tabulated, or whose people are not the patients of the trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulate.regimen.writing import print_regimen
from simulate.studies.runs import Study, simulate_study
from tests.studies.tabled import fault_of, study_of

FILE = """\
schema = 1
title = "a test"
model = { hypothesis = "none", fit = "typical" }
[time]
end = "20 d"

[cohort]
patients = 3
population = "healthy"

[[arm]]
name = "in words"
regimen = "100 mg sc every 24 h x 3 and 50 mg sc at 7.5 d"

[[arm]]
name = "as recorded"
doses = { file = "doses.csv", time = "h", amount = "mg", patient = "7", covariates = ["WT"] }
"""
DOSES = """\
ID,TIME,AMT,II,ADDL,WT
7,180,50,.,.,71
7,0,100,24,2,71
8,0,100,24,9,64
"""


def study(folder: Path, text: str = FILE, doses: str = DOSES, *settings: str) -> Study:
    return study_of(folder, text, doses, *settings)


def fault(folder: Path, text: str = FILE, doses: str = DOSES, *settings: str) -> str:
    return fault_of(folder, text, doses, *settings)


def test_an_arm_in_words_and_an_arm_in_a_table_have_the_same_bits(tmp_path: Path) -> None:
    ensemble = simulate_study(study(tmp_path))
    words, table = ensemble.quantity("serum_il1ra")
    assert words.tobytes() == table.tobytes()
    assert words[:, 1].min() > 1000


def test_the_table_of_an_arm_is_told_in_words(tmp_path: Path) -> None:
    arms = study(tmp_path).arms
    assert [print_regimen(arm.plan) for arm in arms] == [
        "100 mg sc every 1 d x 3 and 50 mg sc from 7.5 d",
        "100 mg sc every 1 d until 3 d and 50 mg sc from 7.5 d",
    ]


def test_what_is_given_into_a_muscle_is_absorbed_as_from_under_the_skin_and_called_an_assumption(
    tmp_path: Path,
) -> None:
    under_the_skin = study_of(tmp_path, FILE, DOSES)
    into_a_muscle = study_of(tmp_path, FILE.replace("100 mg sc", "100 mg i.m."), DOSES)
    assert under_the_skin.assumptions == ()
    assert into_a_muscle.assumptions == (
        "route: anakinra into a muscle (`im`) is absorbed like anakinra under the skin; no source tells",
    )
    first, second = (simulate_study(study).trajectories.values for study in (under_the_skin, into_a_muscle))
    assert first.tobytes() == second.tobytes()


def test_the_drug_of_the_reference_model_has_a_steady_state(tmp_path: Path) -> None:
    text = FILE.replace(', patient = "7", covariates = ["WT"]', "")
    arm = study(tmp_path, text, "TIME,AMT,SS,II\n48,100,1,6\n").arms[1]
    assert print_regimen(arm.plan) == "100 mg sc every 0.25 d from 2 d until 2.25 d steady"


def test_the_population_of_a_scenario_is_drawn(tmp_path: Path) -> None:
    assert set(simulate_study(study(tmp_path)).cohort.strata) == {"healthy"}
    caps = study(tmp_path, FILE, DOSES, "cohort.population=caps")
    assert {stratum.name for stratum in caps.population.strata} == {"CAPS"}
    assert caps.key != study(tmp_path).key


def test_a_file_may_be_a_population(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('base = "myositis"\n', encoding="utf-8")
    mine = study(tmp_path, FILE.replace('"healthy"', '"mine.toml"'))
    assert (len(mine.population.covariates), mine.population.strata) == (2, ())


def test_without_a_name_the_population_is_that_of_the_trial(tmp_path: Path) -> None:
    plain = study(tmp_path, FILE.replace('population = "healthy"\n', ""))
    assert [stratum.name for stratum in plain.population.strata] == ["PM", "DM", "IBM"]
    np.testing.assert_array_equal(simulate_study(plain).cohort.ids, [0, 1, 2])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'name = "as recorded"\n',
            'name = "as recorded"\nregimen = "none"\n',
            "error[scenario.value]: an arm has a regimen or a table of doses, not both\n"
            "  --> test.toml:18, key `arm[1].doses`\n  try:      leave one of the two out",
        ),
        (
            ', time = "h"',
            "",
            "error[key.missing]: the key `time` is missing\n"
            "  --> test.toml:17, key `arm[1].doses`\n"
            "  found:    `file`, `amount`, `patient`, `covariates`\n"
            '  expected: the unit of TIME, such as "h"',
        ),
        (
            '"h"',
            '"mg"',
            "error[units.mismatch]: `mg` is not a unit of time\n  --> test.toml:17, key `arm[1].doses`\n"
            "  expected: such as h or d",
        ),
        (
            'patient = "7"',
            'patient = "9"',
            "error[table.patient]: the table has no patient `9`\n  --> doses.csv\n  expected: `7`, `8`",
        ),
        (
            'covariates = ["WT"]',
            "covariates = []",
            "error[table.column]: there is no column `WT`\n  --> doses.csv:1:21, term `WT`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, ALAG, CMT, II, ADDL, TOTAL, UNTIL, SS, "
            "DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT\n"
            "  try:      declare it as a covariate or as ignored: `covariates = [...]`, `ignore = [...]`",
        ),
        (
            '"healthy"',
            '"helthy"',
            "error[cohort.unknown]: there is no population `helthy`\n  --> test.toml:9, key `cohort.population`\n"
            "  expected: `myositis`, `caps`, `healthy`, `obese`, `renal`, or a file\n"
            "  try:      did you mean `healthy`?",
        ),
    ],
)
def test_each_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert fault(tmp_path, FILE.replace(old, new)) == message


def test_a_route_that_the_model_lacks_is_blamed_on_the_arm(tmp_path: Path) -> None:
    text = FILE.replace(', patient = "7", covariates = ["WT"]', "")
    assert fault(tmp_path, text, "TIME,AMT,CMT\n0,100,oral\n").startswith(
        "error[regimen.route]: the model has no route `oral`\n  --> test.toml:17, key `arm[1].doses`"
    )
