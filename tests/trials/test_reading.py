"""A trial is what its file says, and a fault in the file is told with its line."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cohort.assay import Assay
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.evidence.protocol import Judgment
from simulate.evidence.reading import abstract_file
from simulate.files import read_toml
from simulate.regimen.words import parse_regimen
from simulate.symbolic.units import unit
from simulate.trials.design import Sampling, TrialArm
from simulate.trials.reading import read_trial, shipped_trial, trial_from

ZONG = shipped.trial_files()["zong-2011"]


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = ZONG.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_shipped_trial_is_the_study_of_the_abstract() -> None:
    trial = shipped_trial()
    assert [(arm.name, arm.regimen, arm.n) for arm in trial.arms] == [("anakinra", "100 mg sc every 24 h", 15)]
    assert [(visit.day, visit.last_dose) for visit in trial.visits] == [(0.0, None), (182.0, 181.0)]
    assert trial.quantities == ("serum_il1ra", "ifng", "il17a", "cd45ro", "ck")
    assert trial.assays["il17a"] == Assay(unit("%"), 0.36, 0.01, 50_000)
    assert trial.assays["ck"] == Assay(unit("µkat/L"), 0.05)
    sampling = Sampling(20 / 24, 1.5, 0.447, 0.4)
    assert {part.quantity: part.sampling for part in trial.readouts if part.sampling} == {"serum_il1ra": sampling}
    assert trial.response == Judgment("response", "clinical_response", 182.0)
    assert trial.options == ("response", "ck-drift")
    assert trial.evidence == abstract_file()
    assert {trial} == {read_trial("zong-2011")}


def test_a_sampling_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        Sampling(1.0, 0.5, 0.0, 0.0)
    assert str(caught.value) == (
        "error[visit.value]: the sampling cannot be\n  found:    1.0 to 0.5 d, spreads 0.0 and 0.0\n"
        "  expected: 0 <= earliest <= latest, and spreads that are not negative"
    )


def test_as_many_of_each_kind_stay_in_the_trial_as_its_population_says() -> None:
    trial, people = shipped_trial(), shipped_population([])
    assert dict(trial.arms[0].strata) == {stratum.name: stratum.count for stratum in people.strata}
    at_end = next(row.share for row in people.retention if row.day == trial.end)
    assert trial.visits[-1].n == pytest.approx(at_end * trial.n)


def test_readings_of_so_many_patients_are_there_at_each_visit() -> None:
    trial = shipped_trial()
    assert [trial.samples("ifng", day) for day in trial.days] == [8, 6]
    assert trial.samples("serum_il1ra", *trial.days) == 10
    # In everybody who is in the study.
    assert [trial.samples("ck", day) for day in trial.days] == [15, 11]


@pytest.mark.parametrize("name", shipped.trial_files())
def test_every_number_of_a_shipped_trial_has_a_source_and_a_grade(name: str) -> None:
    trial = read_trial(name)
    assert len(trial.numbers) > 3
    assert all(row.source for row in trial.numbers)
    assert trial.evidence is not None
    assert trial.evidence.exists()


def test_words_of_a_trial_have_no_meaning_and_numbers_have(tmp_path: Path) -> None:
    meaning = repr(shipped_trial().meaning)
    for old, new in (
        ('title = "anakinra', 'title = "Anakinra'),
        ('note = "before treatment"', 'note = "at first"'),
        ('regimen = "100 mg sc every 24 h"', 'regimen = "100 mg sc daily"'),
        ('name = "baseline"', 'name = "baseline"  # so called'),
    ):
        assert repr(read_trial(changed(tmp_path, old, new)).meaning) == meaning
    for old, new in (
        ('regimen = "100 mg sc every 24 h"', 'regimen = "100 mg sc every 12 h"'),
        ("last_dose = 181", "last_dose = 180"),
        ("value = 0.36", "value = 0.37"),
        ("value = 36", "value = 35"),
        ('event = "clinical_response"', 'event = "improvement"'),
    ):
        assert repr(read_trial(changed(tmp_path, old, new)).meaning) != meaning


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'regimen = "100 mg sc every 24 h"',
            'regime = "100 mg sc every 24 h"',
            "error[key.unknown]: unknown key `regime`\n"
            "  --> {path}:13, key `arm[0].regime`\n"
            "  expected: `name`, `regimen`, `n`, `source`, `grade`, `strata`, `note`\n"
            "  try:      did you mean `regimen`?",
        ),
        (
            'regimen = "100 mg sc every 24 h"',
            'regimen = "100 mg sc evry 24 h"',
            "error[regimen.syntax]: `evry` is not a word of regimens\n"
            "  --> {path}:13, key `arm[0].regimen`, term `100 mg sc evry 24 h`\n"
            "  expected: every, once, twice, daily, weekly, q12h, from, at, until, for, x, over, rate, lag, missing, "
            "pause, skipping, stop, restart, steady, and, then\n"
            "  try:      did you mean `every`?",
        ),
        (
            'grade = "read"',
            'grade = "reed"',
            "error[key.value]: the value of `grade` cannot be used\n"
            "  --> {path}:17, key `arm[0].grade`\n"
            "  found:    'reed'\n"
            "  expected: `read`, `calculated`, `recalled`, `assumed`\n"
            "  try:      did you mean `read` or `recalled`?",
        ),
        (
            "strata = { PM = 6, DM = 4, IBM = 5 }",
            "strata = { PM = 6, DM = 4 }",
            "error[trial.strata]: the kinds of patients of the arm `anakinra` do not add up\n"
            "  --> {path}:15, key `arm[0].strata`\n"
            "  found:    6 PM + 4 DM = 10\n"
            "  expected: 15, as many as were enrolled",
        ),
        (
            'source = "zong-2011"\ngrade = "read"\nnote = "15',
            'source = "zong-2010"\ngrade = "read"\nnote = "15',
            "error[source.unknown]: the source `zong-2010` is not a known reference\n"
            "  --> {path}:16, key `arm[0].source`\n"
            "  expected: a key of sources.toml, or of a table [reference.KEY] of this file\n"
            "  try:      did you mean `zong-2014` or `zong-2011` or `hong-2012`?",
        ),
        (
            'visit = "6 months"',
            'visit = "6 month"',
            "error[trial.visit]: there is no visit `6 month`\n"
            "  --> {path}:39, key `response.visit`\n"
            "  expected: `baseline`, `6 months`\n"
            "  try:      did you mean `6 months`?",
        ),
        (
            "day = 182",
            "day = 0",
            "error[trial.visit]: the visit on day 0 is not after the one before it\n"
            "  --> {path}:29, key `visit[1].day`\n"
            "  found:    day 0 after day 0\n"
            "  expected: days in the order of time, from day 0 on",
        ),
        (
            "last_dose = 181",
            "last_dose = 183",
            "error[trial.visit]: the last dose before the visit `6 months` is on day 183\n"
            "  --> {path}:30, key `visit[1].last_dose`\n"
            "  expected: a day from 0 to 182, that of the visit",
        ),
        (
            "samples = [14, 10]",
            "samples = [14]",
            "error[trial.samples]: `serum_il1ra` has not one number of samples for each visit\n"
            "  --> {path}:89, key `assay.elisa.samples`\n"
            "  found:    1 for 2 visits\n"
            "  expected: baseline, 6 months",
        ),
        (
            'unit = "h"\nbounds = [0, 24]',
            'unit = "mg"\nbounds = [0, 24]',
            "error[units.mismatch]: mg cannot be converted to d\n"
            "  --> {path}:52, key `sampling.earliest.unit`\n"
            "  found:    µg\n"
            "  expected: d",
        ),
        (
            'population = "myositis"',
            'population = "myosits"',
            "error[cohort.unknown]: there is no population `myosits`\n"
            "  --> {path}:8, key `population`\n"
            "  expected: `myositis`, `caps`, `healthy`, `obese`, `renal`, or a file\n"
            "  try:      did you mean `myositis`?",
        ),
        (
            'quantity = "il17a"\nbetween',
            'quantity = "il17"\nbetween',
            "error[key.value]: the value of `quantity` cannot be used\n"
            "  --> {path}:196, key `outcome[1].quantity`\n"
            "  found:    'il17'\n"
            "  expected: `serum_il1ra`, `ifng`, `il17a`, `cd45ro`, `ck`\n"
            "  try:      did you mean `il17a`?",
        ),
        (
            "doses = [30, 100, 200]",
            "doses = [30, 200]",
            "error[key.value]: the value of `doses` cannot be used\n"
            "  --> {path}:217, key `prediction.doses`\n"
            "  found:    [30, 200]\n"
            "  expected: doses with that of the first arm among them",
        ),
        (
            "weeks = [2, 4, 12, 24]",
            "weeks = [2, 12, 4]",
            "error[key.value]: the value of `weeks` cannot be used\n"
            "  --> {path}:218, key `prediction.weeks`\n"
            "  found:    [2, 12, 4]\n"
            "  expected: ascending numbers above 0",
        ),
        (
            'early = ["double_positive"]',
            'early = ["double_positives"]',
            "error[key.value]: `double_positives` has no title\n"
            "  --> {path}:221, key `prediction.early`\n"
            "  expected: `il17a`, `ifng`, `double_positive`, `ex_th17`, `th17_memory`, `naive`, `cd45ro`, `T1`, "
            "`inflammation`, `ck`, `il17a_unwashed`, `ifng_unwashed`\n"
            "  try:      did you mean `double_positive`?",
        ),
        (
            'evidence = "abstract"',
            'evidence = "abstrct"',
            "error[trial.evidence]: there is no evidence `abstrct`\n"
            "  --> {path}:7, key `evidence`\n"
            "  expected: `abstract`, `example-two-arms`, `external`, `infliximab-pilot`, `lasiglie-2011`, `zong-2014`, "
            "or a file\n"
            "  try:      did you mean `abstract`?",
        ),
    ],
)
def test_a_fault_in_a_trial_is_told_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(InputError) as caught:
        trial_from(read_toml(path), path)
    assert str(caught.value) == message.format(path=path)


def test_another_dose_is_given_as_that_of_the_trial_and_up_to_its_last_visit() -> None:
    trial = shipped_trial()
    assert trial.dosed(30.0) == parse_regimen("30 mg sc every 24 h until 182 d")
    assert trial.dosed(trial.dose) == parse_regimen("100 mg sc every 24 h until 182 d")
    assert trial.dosed(0.0) == parse_regimen("none")
    untreated = dataclasses.replace(trial, arms=(TrialArm("untreated", "none", parse_regimen("none"), 15),))
    with pytest.raises(InputError) as caught:
        untreated.dosed(30.0)
    assert str(caught.value) == (
        "error[trial.dose]: nothing is given in the first arm of the trial `zong-2011`, which has no other dose\n"
        "  found:    `untreated`: none\n"
        "  try:      let the arm that is treated come first"
    )


def test_a_trial_that_says_nothing_of_predictions_is_predicted_at_its_visits() -> None:
    seen = read_trial("example-two-arms").foreseen
    assert seen.days == (28.0, 56.0, 84.0)
    assert seen.doses == (30.0, 100.0, 200.0)
    assert seen.main == ("double_positive", "gcsf", "naive")
    assert list(seen.titles) == ["serum_il1ra", "naive", "double_positive", "gcsf"]


def test_samples_that_are_drawn_after_the_next_dose_are_refused_but_at_the_last_visit(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        '[[visit]]\nname = "6 months"',
        '[[visit]]\nname = "3 months"\nday = 91\nlast_dose = 90\nsource = "assumption"\ngrade = "assumed"\n\n'
        '[[visit]]\nname = "6 months"',
    )
    text = path.read_text(encoding="utf-8").replace("[14, 10]", "[14, 12, 10]").replace("[8, 6]", "[8, 7, 6]")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_trial(path)
    assert str(caught.value) == (
        "error[trial.window]: a dose of the arm `anakinra` falls before the last sample of the visit `3 months`\n"
        f"  --> {path}\n"
        "  found:    a dose on day 91, samples up to day 91.5\n"
        "  expected: samples that are drawn before the next dose; only at the last visit it waits for them\n"
        "  try:      a window that closes earlier"
    )
    path.write_text(text.replace("value = 36\n", "value = 23\n").replace("bounds = [24, 60]", "bounds = [20, 60]"))
    assert read_trial(path).days == (0.0, 91.0, 182.0)


def test_a_name_that_no_trial_has_is_refused_with_those_that_ship() -> None:
    with pytest.raises(InputError) as caught:
        read_trial("zong-2012")
    assert caught.value.code == "trial.unknown"
    assert caught.value.advice == "did you mean `zong-2014` or `zong-2011`?"


def test_where_nothing_is_asked_it_is_the_change_of_each_reading(tmp_path: Path) -> None:
    text = (shipped.trial_files()["example-two-arms"]).read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.split("[[outcome]]")[0].replace('evidence = "example-two-arms"', ""), encoding="utf-8")
    assert [(part.quantity, part.first, part.last, part.is_compared) for part in read_trial(path).outcomes] == [
        ("serum_il1ra", 0.0, 84.0, False),
        ("naive", 0.0, 84.0, True),
        ("double_positive", 0.0, 84.0, True),
        ("gcsf", 0.0, 84.0, True),
    ]


def test_outcomes_of_one_quantity_are_told_apart_by_their_visits(tmp_path: Path) -> None:
    text = (shipped.trial_files()["example-two-arms"]).read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    more = '[[outcome]]\nquantity = "gcsf"\nbetween = {}\n'
    late = text + more.format('["baseline", "week 12"]')
    path.write_text(late + '[analysis]\nendpoints = ["gcsf@week 4", "gcsf@week 12"]\n', encoding="utf-8")
    trial = read_trial(path)
    names = ["double_positive", "gcsf@week 4", "naive", "gcsf@week 12"]
    assert [trial.name_of(part) for part in trial.outcomes] == names
    assert [trial.title_of(part) for part in trial.outcomes][1:2] == [f"{trial.outcomes[1].title}, week 4"]
    path.write_text(late + more.format('["week 4", "week 12"]'), encoding="utf-8")
    trial = read_trial(path)
    assert [trial.name_of(part) for part in trial.outcomes] == [
        "double_positive",
        "gcsf@week 4",
        "naive",
        "gcsf@baseline to week 12",
        "gcsf@week 4 to week 12",
    ]
    path.write_text(text + more.format('["baseline", "week 4"]'), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_trial(path)
    assert str(caught.value) == (
        "error[trial.outcome]: two outcomes ask the same of `gcsf`\n"
        f"  --> {path}:{text.count(chr(10)) + 3}, key `outcome[3].between`\n"
        "  expected: another quantity, or other visits"
    )
