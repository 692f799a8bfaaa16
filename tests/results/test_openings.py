"""With what reports of each kind open: an answer in sentences, and what a reader must know before believing it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.manifest import read_manifest
from simulate.results.opening import Opening
from simulate.results.openings import of_doses, of_side_by_side, opening_of
from simulate.studies.dose_response.tables import curve_rows, effect_rows
from simulate.studies.runs import Study, prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.settings import Setting
from simulate.studies.side_by_side import set_side_by_side
from tests.studies.dose_response.made import response
from tests.studies.test_side_by_side import WAYS, moved

APART = (
    "All of it is so if the hypothesis is true, and what was reported cannot tell the hypotheses that were fitted "
    "to it apart (simulate compare)."
)


@pytest.fixture(scope="module")
def study() -> Study:
    typical = [Setting("model.fit", "typical", "test"), Setting("model.hypothesis", "H0", "test")]
    return prepare(read_scenario("anakinra-100mg-daily", typical))


def opening_in(folder: Path) -> Opening:
    entries = read_manifest(folder)
    assert entries is not None
    found = opening_of(entries)
    assert found is not None
    return found


def test_a_dose_response_study_answers_with_each_ed50_or_why_there_is_none() -> None:
    data = response(endpoints=2)
    data["verdict"].values[1, 0] = 3
    found = of_doses([data])
    assert found.sentences == (
        "none, level on day 180: ED50 8.00 mg (8.00 to 8.00).",
        "none, level on day 180: not identifiable in the range: no plateau is reached.",
    )
    assert found.caveats[0] == "Means of 40 of 40 patients; intervals are 95 %."
    assert found.caveats[1].startswith("Parameters are at their typical values")
    assert APART not in found.caveats
    own = data.assign_attrs(hypothesis="H1")
    assert APART not in of_doses([own]).caveats
    assert APART in of_doses([own.assign_attrs(model="reference")]).caveats


def test_a_dose_response_study_answers_with_the_doses_of_other_effects_that_were_asked() -> None:
    data = response(endpoints=1)
    places = ("endpoint", "second", "share")
    for name, doses in {"effect_dose": (72.0, np.nan), "effect_dose_low": (60.5, 200.0)}.items():
        data[name] = (places, np.array([[doses]]))
    data["effect_dose_high"] = (places, np.array([[[np.nan, np.nan]]]))
    data = data.assign_coords(share=("share", np.array([0.9, 0.99])))
    assert of_doses([data]).sentences == (
        "none, level on day 180: ED50 8.00 mg (8.00 to 8.00); ED90 72.0 mg (60.5 to more than 300); "
        "ED99 from 200 to more than 300 mg.",
    )


def test_patients_of_a_dose_response_study_are_counted_once_in_however_many_draws() -> None:
    data = response(endpoints=1).assign_coords(draw=("member", np.repeat(np.arange(4), 10)))
    assert of_doses([data]).caveats[0] == "Means of 10 of 10 patients in each of 4 draws; intervals are 95 %."
    assert of_doses([data]).question == "How does level on day 180 depend on the dose?"
    assert {(row.n, row.n_all, row.patients) for row in curve_rows(data)} == {(10, 10, 10)}
    assert {row.n for row in effect_rows(data)} == {10}


def test_hypotheses_side_by_side_answer_in_whom_both_signs_come_out(study: Study) -> None:
    (one,) = set_side_by_side(moved(), "H0", 182, WAYS)
    counters = {"H0, prior": {"n": 48, "n_ok": 44, "stopped": 1, "infeasible": 3}, "H0, fit": {"n": 48, "n_ok": 48}}
    found = of_side_by_side([study, study], [replace(one, name="H0, prior")], counters)
    assert found.question == study.scenario.question
    assert found.sentences == (
        "H0, prior, arm 0, day 182: ifng rises and il17a falls in 50 % of the patients; "
        "median changes il17a -12.5 %, ifng 5.00 %.",
    )
    assert found.caveats[0] == f"Hypothesis H0; {study.scenario.patients} patients."
    assert found.caveats[1].startswith("Parameters are at their typical values")
    assert found.caveats[2:] == (
        APART,
        "H0, prior: 3 of 48 trajectories did not reach the end, and are in no number.",
    )


def test_a_comparison_answers_with_its_verdict_and_probabilities(tmp_path: Path) -> None:
    found = simulate.compare(["H0", "H4"], out=tmp_path / "here").value
    opening = opening_in(tmp_path / "here")
    assert opening.sentences[0].casefold() == f"{found.sentence}.".casefold()
    assert all(f"{name} " in opening.sentences[1] for name in ("H0", "H4"))
    shares = [int(part.split()[-2]) for part in opening.sentences[1].split(": ")[1].rstrip(".").split(", ")]
    assert sum(shares) == pytest.approx(100, abs=1)


def test_a_run_answers_first_with_what_was_reported(tmp_path: Path) -> None:
    simulate.run(
        "anakinra-100mg-daily", hypothesis="H4", patients=50, fit="prior", draws=2, settings={"time.every": "91 d"},
        out=tmp_path / "here", figures=False,
    )  # fmt: skip
    opening = opening_in(tmp_path / "here")
    starts = [text.partition(" at 6 months: change ")[0] for text in opening.sentences[:2]]
    assert starts == [
        "CD4 cells stained for IL-17A after restimulation (il17a)",
        "CD4 cells stained for IFNγ after restimulation (ifng)",
    ]
    assert all("; between draws [" in text and "; reported: " in text for text in opening.sentences[:2])
    assert opening.caveats[0] == "Hypothesis H4; 50 patients in each of 2 draws of the prior."
    assert opening.caveats[1] == "[ ]: where 90 % of the draws have their own median, or share."
    assert opening.caveats[2] == APART
    assert opening.caveats[3].startswith("A reported direction agrees where 75 %")


def test_a_run_of_several_arms_answers_quantity_by_quantity(tmp_path: Path) -> None:
    simulate.run("dose-arms", patients=50, draws=2, out=tmp_path / "many", figures=False)
    told = opening_in(tmp_path / "many").sentences
    number = r"[+-]\d+(\.\d+)?"
    arm = rf"mg/d {number} \[{number} to {number}\]"
    reported = r", reported: (rose|fell): agrees 100 % \[100 to 100\]"
    assert len(told) == 4
    assert re.fullmatch(
        r"CD4 cells stained for IL-17A after restimulation \(il17a\) at 6 months: median change in % "
        rf"\(where 90 % of the draws have it\): 10 {arm}; 30 {arm}; 100 {arm}{reported}; 300 {arm}\.",
        told[0],
    )
    simulate.run("dose-arms", patients=50, fit="typical", out=tmp_path / "one", figures=False)
    told = opening_in(tmp_path / "one").sentences
    arm = rf"mg/d {number} \({number} to {number}\)"
    assert re.fullmatch(
        r"creatine kinase in serum \(ck\) at 6 months: median change in % \(5 to 95 % of the patients\): "
        rf"10 {arm}; 30 {arm}; 100 {arm}; 300 {arm}\.",
        told[3],
    )
    simulate.run("dose-arms", patients=1, fit="typical", out=tmp_path / "alone", figures=False)
    assert re.fullmatch(
        r"creatine kinase in serum \(ck\) at 6 months: change in %: "
        rf"10 mg/d {number}; 30 mg/d {number}; 100 mg/d {number}; 300 mg/d {number}\.",
        opening_in(tmp_path / "alone").sentences[3],
    )


def test_a_run_that_goes_on_after_what_was_reported_answers_of_its_end_too(tmp_path: Path) -> None:
    quarterly = {"time.every": "91 d"}
    simulate.run("wash-out", patients=8, fit="typical", settings=quarterly, out=tmp_path / "here", figures=False)
    told = opening_in(tmp_path / "here").sentences
    assert [re.findall(r"\((\w+)\) at (\w+ months)", text)[0] for text in told] == [
        *((name, "6 months") for name in ("il17a", "ifng", "serum_il1ra", "ck")),
        *((name, "12 months") for name in ("il17a", "ifng")),
    ]
    # Half a year after the last dose IL-17A is on its way back.
    without, throughout = (float(number) for number in re.findall(r"(-\d+) \(", told[4]))
    assert throughout < without < 0.0


def test_what_begins_at_nothing_is_answered_with_a_difference(tmp_path: Path) -> None:
    (tmp_path / "made.toml").write_text(
        '[species.x]\nunit = "1"\ninitial = "0"\n[species.m]\nunit = "mg"\ninitial = "0"\n'
        '[parameters]\nk = "2 1/d"\nj = "3 mg/d"\n[reactions.a]\nrate = "k"\nchange = { x = 1 }\n'
        '[reactions.b]\nrate = "j"\nchange = { m = 1 }\n',
        encoding="utf-8",
    )
    simulate.run(tmp_path / "made.toml", end="2 d", out=tmp_path / "out", figures=False)
    told = opening_in(tmp_path / "out").sentences
    assert told == ("x at day 2: difference +4.00.", "m at day 2: difference +6.00 mg.")


def test_a_run_of_few_patients_who_are_drawn_says_nothing_of_what_lies_between_draws(tmp_path: Path) -> None:
    simulate.run(
        "anakinra-100mg-daily", hypothesis="H4", patients=5, fit="prior", draws=2, settings={"time.every": "91 d"},
        out=tmp_path / "here", figures=False,
    )  # fmt: skip
    opening = opening_in(tmp_path / "here")
    assert not any("[" in text for text in opening.sentences)
    assert opening.caveats[1] == "No [ ] between draws, which have the same patients: that needs 50 of them."


def test_an_opening_that_is_none_is_none() -> None:
    assert opening_of({}) is None
    assert opening_of({"answer": "yes"}) is None
    assert opening_of({"answer": {"sentences": "a", "caveats": [1]}}) == Opening("", (), ("1",))
