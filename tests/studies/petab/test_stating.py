"""What is here as problems in PEtab: their log-likelihood against closed forms, and what they leave out.

One drug in one compartment, given into a vein; the body makes it too. A(t) = own/k + Σ F·dose·exp(-k(t - t')).
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yaml")
pytest.importorskip("libsbml")

from simulate.errors import InputError
from simulate.exchange.petab.reading import read_petab
from simulate.studies.petab.objective import Objective, objective_of
from simulate.studies.petab.restating import StatedProblem, write_problem
from simulate.studies.petab.sources import stated_problem
from simulate.studies.settings import Setting

DATA = Path(__file__).parents[2] / "data"

MODEL = """\
[model]
title = "one compartment, into a vein"

[parameters]
k = { meaning = "rate of loss", value = 0.1, unit = "1/h", bounds = [0.01, 1], spread = { sd_log = 0.3 } }
V = { meaning = "volume", value = 10, unit = "L" }
F = { meaning = "share of a dose that enters", value = 0.8, unit = "1", bounds = [0.1, 1] }
own = { meaning = "made by the body", value = 2, unit = "mg/h" }
idle = { meaning = "nothing", value = 1, unit = "1", bounds = [0.5, 2] }

[species.A]
meaning = "drug in the body"
unit = "mg"
initial = "own/k"

[reactions.made]
rate = "own"
change = { A = 1 }

[reactions.lost]
rate = "k*A"
change = { A = -1 }

[routes.iv]
drug = "drug"
target = "A"
unit = "ug"
gain = "F"

[observables.c]
meaning = "drug in plasma"
unit = "mg/L"
expression = "A/V"

[observables.other]
meaning = "nothing"
unit = "1"
expression = "idle"
"""
PATIENTS = """\
schema = 1
table = "table.csv"
time = "h"
amount = "ug"
[model]
file = "model.toml"
[readings.c]
unit = "ug/L"
additive = { value = 300, bounds = [50, 1800] }
proportional = 0.1
[free.k]
typical = [0.02, 0.5]
spread = [0.1, 1]
[free.F]
typical = [0.2, 3.2]
"""
TABLE = """\
ID,TIME,AMT,RATE,DV
anna,0,.,.,2200
anna,0,100000,0,.
anna,2,.,.,8000
anna,24,.,.,3000
anna,24,100000,0,.
anna,25,.,.,9500
bert,0,120000,30000,.
bert,3,.,.,9000
bert,10,.,.,6500
"""
SCENARIO = """\
schema = 1
title = "two doses"
[model]
file = "model.toml"
[time]
end = "2 d"
every = "6 h"
unit = "h"
[cohort]
patients = 10
[[arm]]
name = "low"
regimen = "50 mg iv every 1 d x 2"
[[arm]]
name = "high"
regimen = "200 mg iv every 1 d x 2"
[arm.parameters]
V = 20
[outputs]
quantities = ["c"]
"""
READINGS = """\
ARM,TIME,DVID,DV,SD
low,2,c,5.5,0.5
low,30,c,4.5,0.6
high,2,c,7.5,0.7
high,30,c,6,0.8
"""
K, V, F, OWN = 0.1, 10.0, 0.8, 2.0


def files(folder: Path, **texts: str) -> Path:
    names = {"model": "model.toml", "data": "data.toml", "table": "table.csv", "scenario": "scenario.toml"}
    known = {"model": MODEL, "data": PATIENTS, "table": TABLE, "scenario": SCENARIO}
    for name, text in {**known, **texts}.items():
        (folder / names.get(name, f"{name}.csv")).write_text(text, encoding="utf-8")
    return folder


def written(folder: Path, problem: StatedProblem) -> Objective:
    """The objective of the files, read from the disk."""
    write_problem(problem, folder / "new" / "problem.yaml", read=(), force=True)
    return objective_of(read_petab(folder / "new" / "problem.yaml"), rtol=1e-10)


def amount(time: float, doses: dict[float, float], k: float = K, share: float = F) -> float:
    """mg in the body at a time, h, after doses in mg."""
    return OWN / k + sum(share * dose * math.exp(-k * (time - at)) for at, dose in doses.items() if at < time)


def normal(value: float, middle: float, size: float) -> float:
    return -0.5 * ((value - middle) / size) ** 2 - math.log(size) - 0.5 * math.log(2.0 * math.pi)


def of_patients(k: float, share: float, additive: float) -> float:
    """Log-likelihood of the table. The infusion enters at 30 mg/h, until 0.8 of 120 mg is in."""
    anna = {0.0: 100.0, 24.0: 100.0}
    levels = [(value, amount(time, anna, k, share)) for time, value in ((0, 2.2), (2, 8.0), (24, 3.0), (25, 9.5))]
    rate, end = 30.0 * share / F, 3.2
    filled = [rate / k * (1.0 - math.exp(-k * time)) for time in (3.0, end)]
    levels += [(9.0, OWN / k + filled[0]), (6.5, OWN / k + filled[1] * math.exp(-k * (10.0 - end)))]
    return sum(normal(value, a / V, math.hypot(additive, 0.1 * a / V)) for value, a in levels)


def test_patients_have_the_likelihood_of_the_closed_form_at_any_point(tmp_path: Path) -> None:
    found = stated_problem(files(tmp_path) / "data.toml", "problem.yaml")
    assert found.log_likelihood == pytest.approx(of_patients(K, F, 0.3), rel=1e-6)
    objective = written(tmp_path, found)
    assert [part.id for part in objective.problem.estimated] == ["k", "F", "noise_additive_c"]
    for point in ([0.1, 0.8, 0.3], [0.05, 0.6, 0.5], [0.2, 1.1, 0.2]):
        # A millionth of a day before a dose in place of just before it.
        assert objective(np.array(point)).log_likelihood == pytest.approx(of_patients(*point), rel=1e-5)


def test_what_a_problem_leaves_out_of_individual_data_is_said(tmp_path: Path) -> None:
    data = PATIENTS.replace("[free.F]", "[free.idle]\ntypical = [0.5, 2]\n[free.F]")
    found = stated_problem(files(tmp_path, data=data) / "data.toml", "problem.yaml")
    assert found.left_out == (
        "how patients differ, in `k`: PEtab has no random effects; each patient is the typical one",
        "`idle`, which a fit leaves free: nothing that was read depends on it",
        "what else is free in a fit here: `spread_k`",
        "that readings of `anna` are before the dose of their time, which changes them at once: they stand 1e-06 d "
        "earlier",
        "that what is given to `bert` depends on what is sought, as an infusion at a rate ends when all of its amount "
        "has entered: it is as at the nominal values",
    )


def test_priors_are_those_of_the_data_with_their_limits_as_bounds(tmp_path: Path) -> None:
    """About the value in the model, with the mean width of both sides; 95 % are 1.96 standard deviations."""
    problem = stated_problem(files(tmp_path) / "data.toml", "problem.yaml").problem
    k, share, noise = problem.parameters
    for part, (low, middle, high) in ((k, (0.02, 0.1, 0.5)), (share, (0.2, 0.8, 3.2)), (noise, (0.05, 0.3, 1.8))):
        assert (part.lower, part.nominal, part.upper) == pytest.approx((low, middle, high))
        assert part.prior is not None
        assert (part.prior.kind, part.prior.scale, part.prior.truncated) == ("normal", "log", True)
        assert part.prior.first == pytest.approx(math.log(middle))
        assert part.prior.second == pytest.approx(math.log(high / low) / (2.0 * 1.959964), rel=1e-6)


def test_arms_are_experiments_of_one_model_with_their_doses_and_parameters(tmp_path: Path) -> None:
    found = stated_problem(
        files(tmp_path, readings=READINGS) / "scenario.toml",
        "problem.yaml",
        data=tmp_path / "readings.csv",
        estimate=["k", "F=0.1:1"],
    )
    objective = written(tmp_path, found)
    for k, share in ((0.1, 0.8), (0.2, 0.5)):
        expected = 0.0
        for arm_dose, volume, row in ((50.0, 10.0, (5.5, 0.5, 4.5, 0.6)), (200.0, 20.0, (7.5, 0.7, 6.0, 0.8))):
            doses = {0.0: arm_dose, 24.0: arm_dose}
            expected += normal(row[0], amount(2.0, doses, k, share) / volume, row[1])
            expected += normal(row[2], amount(30.0, doses, k, share) / volume, row[3])
        assert objective(np.array([k, share])).log_likelihood == pytest.approx(expected, rel=1e-7)
    assert found.left_out == (
        "how patients differ: PEtab has no random effects, and the typical patient alone is left",
        "that the priors of `F` are wider on one side: in PEtab both sides have the mean width",
    )
    low, high = objective.problem.experiments
    assert [(low.id, high.id)] == [("low", "high")]
    # The dose of the first time is added to the initial value, in what is sought and numbers alone.
    assert {one.target: str(one.value) for one in low.periods[0].changes} == {"V": "10", "A": "50*F + 2/k"}
    assert {one.target: str(one.value) for one in low.periods[1].changes} == {"A": "A + 50*F"}


def test_readings_without_a_deviation_have_a_noise_of_their_logarithm_that_is_sought(tmp_path: Path) -> None:
    table = "TIME,DVID,DV\n0.25,c,5.5\n1.25,c,4.5\n"
    found = stated_problem(
        files(tmp_path, readings=table) / "scenario.toml",
        "problem.yaml",
        data=tmp_path / "readings.csv",
        estimate=["k=0.05:0.2"],
        arm="low",
        time="d",
        settings=[Setting("cohort.patients", 1, "--set")],
    )
    doses = {0.0: 50.0, 24.0: 50.0}
    expected = sum(
        normal(math.log(value), math.log(amount(time, doses) / V), 0.3) - math.log(value)
        for time, value in ((6.0, 5.5), (30.0, 4.5))
    )
    assert found.log_likelihood == pytest.approx(expected, rel=1e-8)
    assert [part.id for part in found.problem.estimated] == ["k", "noise_log_c"]
    assert (found.problem.parameters[0].lower, found.problem.parameters[0].upper) == (0.05, 0.2)
    assert found.left_out == ("the arms of which nothing was read: `high`",)


def test_a_model_without_a_scenario_is_solved_until_the_last_reading(tmp_path: Path) -> None:
    table = "TIME,DVID,DV,SD\n0,c,2,0.1\n50,c,2.1,0.1\n"
    found = stated_problem(
        files(tmp_path, readings=table) / "model.toml",
        "problem.yaml",
        data=tmp_path / "readings.csv",
        estimate=["own=1:4"],
        time="h",
    )
    assert found.log_likelihood == pytest.approx(normal(2.0, 2.0, 0.1) + normal(2.1, 2.0, 0.1), rel=1e-8)
    (own,) = found.problem.parameters
    assert (own.prior, own.lower, own.nominal, own.upper) == (None, 1.0, 2.0, 4.0)


def test_readings_at_the_beginning_alone_are_of_the_baseline(tmp_path: Path) -> None:
    files(tmp_path, readings="TIME,DVID,DV,SD\n0,c,2.5,0.1\n")
    found = stated_problem(
        tmp_path / "model.toml", "problem.yaml", data=tmp_path / "readings.csv", estimate=["own=1:4"]
    )
    assert found.log_likelihood == pytest.approx(normal(2.5, 2.0, 0.1), rel=1e-8)


def test_theophylline_has_the_likelihood_of_the_textbook(tmp_path: Path) -> None:
    found = stated_problem(DATA / "theophylline.toml", "problem.yaml")
    rows = [line.split(",") for line in (DATA / "theophylline.csv").read_text(encoding="utf-8").split()[1:]]
    header = (DATA / "theophylline.csv").read_text(encoding="utf-8").split()[0].split(",")
    ka, cl, v = 1.5, 2.8, 32.0
    k = cl / v
    expected, dose = 0.0, 0.0
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        if cells["AMT"] != ".":
            dose = float(cells["AMT"])
            continue
        time = float(cells["TIME"])
        level = dose * ka / (v * (ka - k)) * (math.exp(-k * time) - math.exp(-ka * time))
        expected += normal(float(cells["DV"]), level, 0.7)
    assert found.log_likelihood == pytest.approx(expected, rel=1e-8)
    assert len(found.problem.measurements) == 132


def refusal(folder: Path, source: str, **asked: object) -> str:
    if "table" in asked:
        (folder / "readings.csv").write_text(str(asked.pop("table")), encoding="utf-8")
        asked["data"] = folder / "readings.csv"
    name = folder / source if "." in source else Path(source)
    with pytest.raises(InputError) as caught:
        stated_problem(name, "problem.yaml", **asked)  # type: ignore[arg-type]
    return str(caught.value).replace(str(folder), "FOLDER")


REPORTED = (
    "  found:    directions, counts, and ranges of patients whom nobody can tell, averaged over patients who differ\n"
    "  expected: readings at times: of single patients, or of the arms of a scenario (--data)\n"
    "  try:      `simulate fit --evidence` fits it here"
)


@pytest.mark.parametrize("source", ["abstract", "zong-2011"])
def test_what_a_trial_reported_is_refused_with_the_reason(tmp_path: Path, source: str) -> None:
    assert refusal(tmp_path, source) == (
        f"error[petab.evidence]: what a trial reported is no estimation problem that PEtab can say\n  --> {source}\n"
        + REPORTED
    )


@pytest.mark.parametrize(
    ("source", "asked", "message"),
    [
        (
            "scenario.toml",
            {},
            "error[petab.source]: a model or a scenario alone is no estimation problem\n  --> FOLDER/scenario.toml\n"
            "  expected: --data TABLE: what was read of it (TIME, DV, DVID; ARM and SD if there are)",
        ),
        (
            "data.toml",
            {"arm": "low"},
            "error[petab.source]: --arm is not for individual data, whose file says all else\n"
            "  expected: --hypothesis or --estimate\n  try:      leave it out",
        ),
        (
            "scenario.toml",
            {"table": READINGS},
            "error[petab.estimate]: nothing is to be estimated\n"
            "  expected: `--estimate NAME=LOW:HIGH`, or `--estimate NAME` for a parameter with bounds; once for each",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["kk=1:2"]},
            "error[petab.estimate]: the model has no parameter `kk`\n  found:    `kk=1:2`\n"
            "  expected: a parameter of the model, once\n  try:      did you mean `k`?",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["k", "k=0.1:1"]},
            "error[petab.estimate]: `k` is named twice\n  found:    `k=0.1:1`\n"
            "  expected: a parameter of the model, once",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["k=1:0.1"]},
            "error[petab.estimate]: this says no bounds\n  found:    `k=1:0.1`\n"
            "  expected: NAME=LOW:HIGH, two numbers in the unit of the parameter, the lower first",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["k=0.2:1"]},
            "error[petab.estimate]: the value of `k` is not between its bounds\n  found:    0.1 [1/h]\n"
            "  expected: 0.2 to 1",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["own"]},
            "error[fit.bounds]: the parameter `own` has no bounds, and so no prior\n"
            "  expected: `bounds = [low, high]` in its row: limits that hold 95 % of what is believed\n"
            "  try:      give it bounds: `--estimate own=LOW:HIGH`",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["V=1:30"]},
            "error[petab.arm]: the arms differ in `V`, which is to be estimated\n"
            "  expected: a parameter that is the same in all arms\n"
            "  try:      one arm alone, or another parameter",
        ),
        (
            "scenario.toml",
            {"table": "TIME,DVID,DV\n1,c,5\n", "estimate": ["k"]},
            "error[exchange.arm]: the table does not say of which arm it is\n  --> FOLDER/readings.csv:1\n"
            "  found:    low, high\n  expected: a column ARM, or --arm and one of them",
        ),
        (
            "scenario.toml",
            {"table": READINGS, "estimate": ["k"], "arm": "lo"},
            "error[exchange.arm]: the scenario has no arm `lo`\n  --> FOLDER/scenario.toml\n  found:    low, high\n"
            "  expected: --arm and one of them\n  try:      did you mean `low`?",
        ),
        (
            "scenario.toml",
            {"table": "ARM,TIME,DVID,DV\nmiddle,1,c,5\n", "estimate": ["k"]},
            "error[exchange.arm]: the scenario has no arm `middle`\n"
            "  --> FOLDER/readings.csv:2:1, key `ARM`, term `middle`\n  expected: the name of an arm",
        ),
        (
            "scenario.toml",
            {"table": "ARM,TIME,DVID,DV\nlow,1,d,5\n", "estimate": ["k"]},
            "error[data.quantity]: the model has no quantity `d`\n"
            "  --> FOLDER/readings.csv:2:7, key `DVID`, term `d`\n  expected: a state or an observable",
        ),
        (
            "scenario.toml",
            {"table": "ARM,TIME,DVID,DV\nlow,1,c,0\n", "estimate": ["k"]},
            "error[data.value]: a reading of `c` with log-normal noise is not above 0\n"
            "  --> FOLDER/readings.csv:2:9, key `DV`, term `0`\n  expected: a number above 0\n"
            "  try:      give it a standard deviation, in a column SD",
        ),
        (
            "scenario.toml",
            {"table": "ARM,TIME,DVID,DV,SD\nlow,1,c,1,0.1\nlow,2,c,1,.\n", "estimate": ["k"]},
            "error[table.value]: some readings of `c` have a standard deviation and others none\n"
            "  --> FOLDER/readings.csv:3:11, key `SD`, term `.`\n  expected: one for each of them, or for none",
        ),
        (
            "scenario.toml",
            {"table": "ARM,TIME,DVID\nlow,1,c\n", "estimate": ["k"]},
            "error[table.column]: the column DV is missing\n  --> FOLDER/readings.csv:1:1, term `ARM`\n"
            "  expected: at least TIME, DV, DVID",
        ),
        (
            "scenario.toml",
            {"table": "ARM,TIME,DVID,DV,ARMS\nlow,1,c,1,2\n", "estimate": ["k"]},
            "error[table.column]: there is no column `ARMS`\n  --> FOLDER/readings.csv:1:18, term `ARMS`\n"
            "  expected: TIME, DV, DVID, ARM, SD\n  try:      did you mean `ARM`?",
        ),
    ],
)
def test_what_is_no_problem_is_refused(tmp_path: Path, source: str, asked: dict[str, object], message: str) -> None:
    assert refusal(files(tmp_path), source, **dict(asked)) == message


def test_a_reading_below_a_limit_is_refused(tmp_path: Path) -> None:
    table = TABLE.replace("\n", ",0\n").replace("RATE,DV,0", "RATE,DV,CENS").replace("6500,0", "6500,1")
    assert refusal(files(tmp_path, table=table), "data.toml") == (
        "error[petab.censored]: the reading is below a limit, which PEtab cannot say\n"
        "  --> FOLDER/table.csv:10:13, key `DV`, term `6500`\n  expected: readings that are numbers\n"
        "  try:      leave it out, or fit it here: `simulate fit --data`"
    )


def test_doses_that_depend_on_how_the_patient_does_are_refused(tmp_path: Path) -> None:
    rule = '[[arm.rule]]\nquantity = "c"\nabove = "100 mg/L"\nend = true\n'
    ruled = SCENARIO.replace('x 2"\n[[arm]]', f'x 2"\n{rule}[[arm]]')
    assert refusal(files(tmp_path, scenario=ruled), "scenario.toml", table=READINGS, estimate=["k"]) == (
        "error[exchange.rules]: the doses of the arm `low` depend on how the patient does\n"
        "  expected: doses at times that are known beforehand\n  try:      leave the rules out"
    )


def test_the_linter_of_petab_finds_nothing_in_what_is_written(tmp_path: Path) -> None:
    petab = pytest.importorskip("petab.v2")
    files(tmp_path, readings=READINGS)
    of_arms = stated_problem(
        tmp_path / "scenario.toml", "problem.yaml", data=tmp_path / "readings.csv", estimate=["k", "F"]
    )
    for number, problem in enumerate((stated_problem(tmp_path / "data.toml", "problem.yaml"), of_arms)):
        out = tmp_path / str(number) / "problem.yaml"
        write_problem(problem, out, read=(), force=False)
        with warnings.catch_warnings():
            # Of what the package itself uses.
            warnings.simplefilter("ignore")
            assert list(petab.lint_problem(str(out))) == []


def test_the_reference_model_is_written_under_a_hypothesis_with_the_doses_of_an_arm(tmp_path: Path) -> None:
    """What fits leave free is sought; its likelihood is held against that of this engine before it is there."""
    table = tmp_path / "means.csv"
    table.write_text("TIME,DVID,DV\n0,il17a,0.4\n28,il17a,0.2\n", encoding="utf-8")
    found = stated_problem(Path("anakinra-100mg-daily"), "problem.yaml", data=table, hypothesis="H1")
    sought = {part.id: part for part in found.problem.estimated}
    assert {"det17", "d_M17", "K_17", "noise_log_il17a"} <= sought.keys()
    assert not {"det1", "p_unchanged"} & sought.keys()
    assert (sought["K_17"].lower, sought["K_17"].upper) == (0.05, 1.0)
    (experiment,) = found.problem.experiments
    assert [period.time for period in experiment.periods] == [float(day) for day in range(29)]
    assert found.log_likelihood is not None
