"""Scenarios whose patients are those of a table of doses: each with their own doses and covariates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulate.arrays import as_dataset
from simulate.cohort.arms import Arm
from simulate.regimen.timetable import Doses
from simulate.regimen.words import parse_regimen
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import dose_variables, read_dataset, write_dataset
from simulate.studies.runs import Study, prepare, simulate_study, study_dataset
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting
from simulate.studies.verification import verify
from tests.studies.tabled import fault_of, study_of
from tests.studies.tiny import model

FILE = """\
schema = 1
title = "a test"
model = { hypothesis = "none", fit = "typical" }
[time]
end = "3 d"

[[arm]]
name = "as recorded"
doses = { file = "doses.csv", time = "h", amount = "mg", covariates = ["WT", "crcl"], ignore = ["SITE"] }

[outputs]
quantities = ["serum_il1ra"]
"""
DOSES = """\
ID,TIME,AMT,II,ADDL,WT,CRCL,SITE
7,0,100,24,2,71,.,Lund
8,12,50,.,.,64.5,100,Uppsala
a,0,100,24,2,.,.,Uppsala
"""
UNTREATED = '[[arm]]\nname = "untreated"\nregimen = "none"\n\n[outputs]'


def study(folder: Path, text: str = FILE, doses: str = DOSES, *settings: str) -> Study:
    return study_of(folder, text, doses, *settings)


def fault(folder: Path, text: str = FILE, doses: str = DOSES, *settings: str) -> str:
    return fault_of(folder, text, doses, *settings)


def test_there_are_as_many_patients_as_in_the_table_if_no_number_is_given(tmp_path: Path) -> None:
    assert study(tmp_path).scenario.patients == 3
    assert study(tmp_path, FILE, DOSES, "cohort.patients=7").scenario.patients == 7
    of_one = FILE.replace('amount = "mg",', 'amount = "mg", patient = "8",')
    assert study(tmp_path, of_one).scenario.patients == 100


def test_each_patient_has_the_doses_and_covariates_of_the_table(tmp_path: Path) -> None:
    ensemble = simulate_study(study(tmp_path, FILE, DOSES, "cohort.patients=5"))
    weight, renal = ensemble.cohort.of("weight"), ensemble.cohort.of("creatinine_clearance")
    assert weight[[0, 1, 3, 4]].tolist() == [71.0, 64.5, 71.0, 64.5]
    assert renal[[1, 4]].tolist() == [100.0, 100.0]
    # Who is not known is drawn, and members who stand for one patient differ in what is not known.
    assert 50 <= weight[2] <= 110
    assert len(set(renal[[0, 2, 3]].tolist())) == 3
    assert ensemble.cohort.of("CL")[0] != ensemble.cohort.of("CL")[3]
    serum = ensemble.quantity("serum_il1ra")[0]
    drug = serum / serum[:, :1]
    assert (drug[[0, 2, 3], 1] > 2).all()
    own = study(tmp_path, FILE, DOSES, "cohort.patients=5", "arm[0].doses.patient='8'")
    np.testing.assert_array_equal(simulate_study(own).cohort.of("weight"), [64.5] * 5)


def test_heavier_patients_have_less_drug(tmp_path: Path) -> None:
    doses = "ID,TIME,AMT,WT\n1,20,100,55\n2,20,100,105\n"
    text = FILE.replace(', "crcl"', "").replace(', ignore = ["SITE"]', "")
    serum = simulate_study(study(tmp_path, text, doses, "cohort.patients=80")).quantity("serum_il1ra")[0, :, 1:2]
    assert np.median(serum[::2]) > 1.1 * np.median(serum[1::2])


def test_arms_in_words_treat_the_people_of_the_table(tmp_path: Path) -> None:
    both = simulate_study(study(tmp_path, FILE.replace("[outputs]", UNTREATED)))
    alone = simulate_study(study(tmp_path))
    assert both.quantity("serum_il1ra")[0].tobytes() == alone.quantity("serum_il1ra")[0].tobytes()
    assert both.parameter_values[0].tobytes() == both.parameter_values[1].tobytes()


def test_a_patient_of_a_table_is_the_same_alone_and_verification_finds_nothing(tmp_path: Path) -> None:
    spread = "cohort.between_doses=0.3"
    found = study(tmp_path, FILE, DOSES, "cohort.patients=5", spread)
    everyone = simulate_study(found)
    alone = simulate_study(study(tmp_path, FILE, DOSES, "cohort.patients=1", "cohort.first=4", spread))
    assert alone.cohort.of("weight").tolist() == [64.5]
    assert alone.trajectories.values.tobytes() == everyone.trajectories.values[4:].tobytes()
    verification = verify(found, share=1.0)
    assert verification.faults == ()
    assert [judge.given_up for judge in verification.judges] == [0, 0]


def test_results_name_regimens_and_doses_of_all_patients(tmp_path: Path) -> None:
    found = study(tmp_path)
    ensemble = simulate_study(found)
    dataset = study_dataset(found, ensemble)
    assert dataset["regimen"].values.tolist() == ["2 regimens of 3 patients"]
    assert dataset["dose_time"].values.tolist() == [[0.0, 0.5, 1.0, 2.0]]
    assert dataset["covariates"].values[:2, 0].tolist() == [71.0, 64.5]
    write_dataset(dataset, tmp_path / "r.nc")
    assert read_dataset(tmp_path / "r.nc").identical(as_dataset(dataset))
    (arm,) = json.loads(json.dumps(found.settings))["arms"]
    assert arm["regimens"]["8"] == "50 mg sc from 0.5 d"
    assert arm["covariates"] == {"WT": {"7": 71.0, "8": 64.5}, "CRCL": {"8": 100.0}}


def test_doses_of_all_patients_are_each_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    joined, calls = Doses.joined, []
    plans = tuple(parse_regimen(f"100 mg iv every 24 h x {1 + number % 3} lag {number} h") for number in range(40))
    unordered = (
        parse_regimen("7 mg iv from 5 d"),
        parse_regimen("7 mg iv from 5 d and 3 mg iv"),
        parse_regimen("none"),
    )
    monkeypatch.setattr(Doses, "joined", lambda parts: calls.append(sum(map(len, parts))) or joined(parts))
    found = dose_variables((Arm("a", plans[0], plans=plans),), model(), 10.0)
    # Work is linear: every dose of a plan is put in order for its course, for its plan, and once among all.
    assert sum(calls) == 3 * sum(1 + number % 3 for number in range(40))
    assert len(found["dose_time"][1][0]) == sum(1 + number % 3 for number in range(40))
    twice = dose_variables((Arm("a", unordered[0], plans=unordered),), model(), 10.0)
    assert twice["dose_time"][1].tolist() == [[0.0, 5.0]]
    assert twice["dose_amount"][1].tolist() == [[3.0, 7.0]]
    nothing = dose_variables((Arm("a", unordered[2], plans=unordered[2:]),), model(), 10.0)
    assert nothing["dose_time"][1].shape == (1, 0)


def test_the_key_of_a_run_tells_covariates_and_spreads_between_doses_apart(tmp_path: Path) -> None:
    keys = {
        study(tmp_path).key,
        study(tmp_path, FILE, DOSES.replace("64.5", "65")).key,
        study(tmp_path, FILE, DOSES.replace("8,12,50", "8,12,60")).key,
        study(tmp_path, FILE, DOSES, "cohort.between_doses=0.2").key,
    }
    assert len(keys) == 4


def test_doses_vary_from_one_to_the_next_if_they_are_told_to(tmp_path: Path) -> None:
    varied = study(tmp_path, FILE, DOSES, "cohort.between_doses=0.5")
    assert [occasion.route for occasion in varied.population.occasions] == ["sc", "iv", "im"]
    assert [occasion.sd_log for occasion in varied.population.occasions] == pytest.approx([np.sqrt(np.log1p(0.25))] * 3)
    plain, changed = (simulate_study(found).quantity("serum_il1ra")[0] for found in (study(tmp_path), varied))
    assert plain[:, 0].tobytes() == changed[:, 0].tobytes()
    assert (plain[:, 1:] != changed[:, 1:]).all()
    same = simulate_study(study(tmp_path, FILE, DOSES, "cohort.between_doses=0")).quantity("serum_il1ra")[0]
    assert same.tobytes() == plain.tobytes()


def test_serum_varies_with_what_arrives_of_a_dose_and_cells_that_add_up_weeks_hardly_do() -> None:
    course = {"cohort.patients": 40, "time.end": "91 d", "model.fit": "typical"}

    def cohort(spread: float) -> dict[str, FloatArray]:
        settings = [Setting(key, value, key) for key, value in {**course, "cohort.between_doses": spread}.items()]
        ensemble = simulate_study(prepare(read_scenario("anakinra-100mg-daily", settings)))
        return {name: np.log(ensemble.quantity(name)[0]) for name in ("serum_il1ra", "ifng", "il17a")}

    plain, varied = cohort(0.0), cohort(0.47)
    # Within a patient, day after day just before a dose.
    assert np.std(plain["serum_il1ra"][:, 28:], axis=1).max() < 0.02
    assert np.median(np.std(varied["serum_il1ra"][:, 28:], axis=1)) == pytest.approx(0.41, abs=0.03)
    assert 0.0 < np.abs(varied["ifng"] - plain["ifng"])[:, -1].max() < 0.02
    assert 0.0 < np.abs(varied["il17a"] - plain["il17a"])[:, -1].mean() < 0.05


@pytest.mark.parametrize(
    ("text", "doses", "message"),
    [
        (
            FILE.replace('["WT", "crcl"], ignore = ["SITE"]', '["WT", "crcl", "AGE"]'),
            DOSES.replace("SITE", "AGE").replace("Lund", "50").replace("Uppsala", "60"),
            "error[scenario.covariate]: the population has no covariate for the column `AGE`\n"
            "  --> test.toml:9, key `arm[0].doses`\n  found:    the column `AGE` of doses.csv\n"
            "  expected: `weight` (WT, BW), `creatinine_clearance` (CRCL, CLCR)\n"
            '  try:      leave the column unread: `ignore = ["AGE"]`',
        ),
        (
            FILE.replace('["WT", "crcl"], ignore = ["SITE"]', '["WT", "crcl", "weight"]'),
            DOSES.replace("SITE", "WEIGHT").replace("Lund", "50").replace("Uppsala", "60"),
            "error[scenario.covariate]: two columns give `weight`\n"
            "  --> test.toml:9, key `arm[0].doses`\n  found:    the column `WEIGHT` of doses.csv\n"
            "  expected: `weight` (WT, BW), `creatinine_clearance` (CRCL, CLCR)\n"
            '  try:      leave the column unread: `ignore = ["WEIGHT"]`',
        ),
        (
            FILE,
            DOSES.replace("64.5", "45"),
            "error[cohort.covariate]: a given value of `weight` cannot be used\n"
            "  --> test.toml:9, key `arm[0].doses`\n  found:    45 kg\n"
            "  expected: a number from 50 to 110 kg for each of 3 members\n"
            "  try:      take a population that has such people: `obese`, `renal`, or a file with wider bounds",
        ),
        (
            FILE.replace(
                "[outputs]",
                '[[arm]]\nname = "of 8"\ndoses = { file = "doses.csv", time = "h", amount = "mg", patient = "8", '
                'covariates = ["WT", "CRCL"], ignore = ["site"] }\n\n[outputs]',
            ),
            DOSES,
            "error[scenario.covariate]: patient 0 has two values of `weight`\n"
            "  --> test.toml:13, key `arm[1].doses`\n  found:    71 (doses.csv), 64.5 (doses.csv)\n"
            "  expected: one: all arms treat the same patients\n"
            "  try:      give the value in one table only, or the same in all, patient by patient",
        ),
    ],
)
def test_each_fault_is_told_with_its_place(tmp_path: Path, text: str, doses: str, message: str) -> None:
    assert fault(tmp_path, text, doses) == message


@pytest.mark.parametrize("value", ["-0.1", "nan", "11"])
def test_a_spread_between_doses_is_in_range(tmp_path: Path, value: str) -> None:
    text = fault(tmp_path, FILE, DOSES, f"cohort.between_doses={value}")
    assert text == (
        "error[key.value]: the value of `between_doses` cannot be used\n"
        f"  --> --set cohort.between_doses={value}, key `cohort.between_doses`\n  found:    {value}\n"
        "  expected: a number from 0 to 10"
    )
