"""Files judged without solving, and models shown to readers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from simulate import shipped
from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.reference import reference_model
from simulate.cli.app import outcome
from simulate.cli.show import VIEWS
from simulate.files import read_toml

ROOT = Path(__file__).resolve().parents[2]

Capture = pytest.CaptureFixture[str]

MODEL = """\
[model]
name = "mine"

[parameters]
k = "0.5 1/d"

[species.X]
unit = "nM"
initial = "1"

[reactions.loss]
rate = "k * X"
change = { X = -1 }
"""

HYPOTHESIS = """\
[hypothesis]
name = "slow"
title = "everything is slow"

[hypothesis.constraints]
k_M = 0.001
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize("path", sorted(shipped.root().rglob("*.toml")), ids=lambda path: str(path.stem))
def test_nothing_is_wrong_with_a_shipped_file(path: Path, capsys: Capture) -> None:
    assert outcome(["check", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: nothing wrong with this ")


@pytest.mark.parametrize(
    ("name", "text", "kind", "content"),
    [
        ("m.toml", MODEL, "model", "1 state, 1 parameter"),
        (
            "h.toml",
            HYPOTHESIS,
            "hypothesis",
            "slow, of the reference model: mechanisms affinity, antagonist, cd4, creatine_kinase, cytokines_constant, "
            "il1, muscle, no_decoy, occupancy, pharmacokinetics, priming, readouts, residence, survival, tissues",
        ),
        (
            "s.toml",
            'schema = 1\ntitle = "t"\n[time]\nend = "28 d"\n[[arm]]\nname = "a"\nregimen = "none"\n',
            "scenario",
            "1 arm, 100 patients of each of 16 draws of the fit, 28 d, hypothesis H1+H6; "
            'the scenario names no hypothesis: H1+H6 is meant (`hypothesis = "none"` for none); '
            "the scenario names no fit: the shipped one is meant, or that in fits/, or else the prior "
            '(`fit = "typical"` for neither)',
        ),
        (
            "d.toml",
            'schema = 1\ntitle = "t"\nscenario = "anakinra-100mg-daily"\n[[axis]]\nover = "dose"\nvalues = [10, 30]\n',
            "sweep",
            "2 arms, 100 patients, 3200 trajectories",
        ),
        (
            "p.toml",
            '[k]\nmeaning = "x"\nvalue = 1\nunit = "1/d"\nsource = "zong-2011"\ngrade = "read"\n',
            "parameters",
            "1 parameter",
        ),
    ],
)
def test_what_a_file_is_follows_from_its_tables(
    folder: Path, capsys: Capture, name: str, text: str, kind: str, content: str
) -> None:
    assert outcome(["check", write(folder, name, text), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": name, "kind": kind, "content": content}


DOSES = "ID,TIME,AMT,EVID,II,ADDL,WT\r\n1,0,100,1,24,27,70\r\n2,12,100,1,.,.,.\r\n2,48,.,3,.,.,80\r\n"


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ((), "2 patients, 29 doses, day 0 to 27, 1 reset, covariates WT, TIME in h, AMT in mg"),
        (("--time", "d"), "2 patients, 29 doses, day 0 to 648, 1 reset, covariates WT, TIME in d, AMT in mg"),
        (("--ignore", "wt"), "2 patients, 29 doses, day 0 to 27, 1 reset, TIME in h, AMT in mg"),
        (
            ("--population", "healthy"),
            "2 patients, 29 doses, day 0 to 27, 1 reset, covariates WT, TIME in h, AMT in mg",
        ),
    ],
)
def test_a_table_of_doses_is_told_in_numbers(
    folder: Path, capsys: Capture, options: tuple[str, ...], content: str
) -> None:
    assert outcome(["check", write(folder, "doses.csv", DOSES), *options]) == 0
    assert capsys.readouterr().out == f"doses.csv: nothing wrong with this dose file: {content}\n"


READ = "ID,TIME,AMT,DV,DVID\n1,0,100,.,.\n1,24,.,5,ck\n1,48,.,9,T1\n"


def test_readings_of_a_table_are_judged_under_any_hypothesis(folder: Path, capsys: Capture) -> None:
    table = write(folder, "doses.csv", READ)
    assert outcome(["check", table, "--hypothesis", "H4"]) == 0
    assert capsys.readouterr().out == (
        "doses.csv: nothing wrong with this dose file: 1 patient, 1 dose, day 0 to 0, 2 observed values of ck "
        "(µkat/L) T1 (cell/µL), TIME in h, AMT in mg\n"
    )
    assert outcome(["check", table]) == 3
    assert capsys.readouterr().err.startswith(
        "error[table.quantity]: the model has no quantity `T1`\n"
        "  --> doses.csv:4:10, key `DVID`, term `T1`\n  found:    hypothesis H1+H6\n"
        "  expected: a state or an observable\n"
    )


def test_a_scenario_is_judged_under_another_hypothesis_and_other_files_under_none(
    folder: Path, capsys: Capture
) -> None:
    assert outcome(["check", "untreated", "--hypothesis", "H4"]) == 0
    assert "hypothesis H4" in capsys.readouterr().out
    assert outcome(["check", "untreated", "--hypothesis", "H44"]) == 3
    assert capsys.readouterr().err.startswith("error[hypothesis.unknown]")
    name = write(folder, "p.toml", '[k]\nmeaning = "x"\nvalue = 1\nunit = "1/d"\nsource = "assumption"\n')
    assert outcome(["check", name, "-H", "H4"]) == 3
    assert capsys.readouterr().err == (
        "error[check.hypothesis]: a hypothesis says nothing of this file\n  --> p.toml\n"
        "  expected: a scenario, or a table of doses (CSV)\n  try:      leave `--hypothesis` out\n"
    )


def test_the_patients_of_a_table_may_be_of_another_population(folder: Path, capsys: Capture) -> None:
    table = write(folder, "doses.csv", "ID,TIME,AMT,CRCL\n1,0,100,20\n2,0,100,100\n")
    assert outcome(["check", table]) == 3
    assert "found:    20 mL/min" in capsys.readouterr().err
    assert outcome(["check", table, "--population", "renal"]) == 0
    assert "2 patients, 2 doses" in capsys.readouterr().out
    own = 'base = "renal"\n'
    assert outcome(["check", table, "--population", write(folder, "mine.toml", own)]) == 0


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            DOSES,
            ("--population", "renel"),
            "error[cohort.unknown]: there is no population `renel`\n"
            "  expected: `myositis`, `caps`, `healthy`, `obese`, `renal`, or a file\n"
            "  try:      did you mean `renal`?\n",
        ),
        (
            DOSES.replace("WT", "AGE"),
            (),
            "error[table.column]: there is no column `AGE`\n  --> doses.csv:1:26, term `AGE`\n"
            "  expected: ID, TIME, EVID, AMT, RATE, DUR, TINF, ALAG, CMT, II, ADDL, TOTAL, UNTIL, SS, "
            "DV, MDV, DVID, UNIT, LLOQ, CENS, LIMIT, WEIGHT, WT, BW, "
            "CREATININE_CLEARANCE, CRCL, CLCR\n"
            "  try:      leave the column out: `--ignore AGE`\n",
        ),
        (
            DOSES.replace("70", "30"),
            (),
            "error[cohort.covariate]: a given value of `weight` cannot be used\n  --> doses.csv\n"
            "  found:    30 kg\n  expected: a number from 50 to 110 kg for each of 2 members\n"
            "  try:      take a population that has such people: `obese`, `renal`, or a file with wider bounds\n",
        ),
        (
            DOSES,
            ("--amount", "L"),
            "error[regimen.unit]: a dose by route `sc` cannot be given in L\n  --> doses.csv\n"
            "  found:    L, which is a volume\n  expected: mg, which is a mass\n",
        ),
    ],
)
def test_a_fault_of_a_table_of_doses_is_told(
    folder: Path, capsys: Capture, text: str, options: tuple[str, ...], message: str
) -> None:
    assert outcome(["check", write(folder, "doses.csv", text), *options]) == 3
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "error[check.kind]: the file is empty\n"
            "  --> x.toml\n"
            "  expected: a scenario ([[arm]], [time]), model ([species.NAME]), hypothesis ([hypothesis]) or parameter "
            "file\n",
        ),
        (
            "a = 1\n",
            "error[check.kind]: the tables of the file are those of no kind that can be checked\n"
            "  --> x.toml\n"
            "  expected: a scenario ([[arm]], [time]), model ([species.NAME]), hypothesis ([hypothesis]) or parameter "
            "file\n",
        ),
        (
            MODEL.replace("k * X", "k * Y"),
            "error[model.undefined]: nothing defines `Y`, which stands in the rate of `loss`\n"
            "  --> x.toml:12, key `reactions.loss.rate`\n"
            "  try:      declare it as a parameter or a definition\n",
        ),
        (
            HYPOTHESIS.replace("k_M", "k_MM"),
            "error[hypothesis.unknown]: hypothesis `slow` fixes `k_MM`, which is no parameter of the model\n"
            "  --> x.toml\n"
            "  try:      did you mean `k_M` or `f_mem`?\n",
        ),
        (
            'schema = 1\ntitle = "t"\n[time]\nend = "28 d"\n[[arm]]\nname = "a"\nregimen = "1 mg oral"\n',
            "error[regimen.route]: the model has no route `oral`\n"
            "  --> x.toml:7, key `arm[0].regimen`\n"
            "  expected: `sc`, `iv`, `im`\n",
        ),
        (
            '[k]\nmeaning = "x"\nvalue = 1\nunit = "1/d"\nsource = "zong-2010"\ngrade = "read"\n',
            "error[source.unknown]: the source `zong-2010` of parameter `k` is not a known reference\n"
            "  --> x.toml:5, key `k.source`\n"
            "  try:      did you mean `zong-2014` or `zong-2011` or `hong-2012`?\n",
        ),
    ],
)
def test_a_fault_ends_with_3_and_its_place(folder: Path, capsys: Capture, text: str, message: str) -> None:
    assert outcome(["check", write(folder, "x.toml", text)]) == 3
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", message)


def test_a_shipped_scenario_is_checked_by_its_name(capsys: Capture) -> None:
    assert outcome(["check", "untreated", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(shipped.scenario_files()["untreated"])


def test_the_list_holds_all_that_ships(capsys: Capture) -> None:
    assert outcome(["list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in document["scenarios"]] == list(shipped.scenario_files())
    assert [row["name"] for row in document["hypotheses"]] == [hypothesis.name for hypothesis in HYPOTHESES]
    assert [row["name"] for row in document["parameters"]] == [path.stem for path in shipped.parameter_files()]
    assert outcome(["list"]) == 0
    text = capsys.readouterr().out
    assert all(row["title"] in text for rows in document.values() for row in rows)


@pytest.mark.parametrize("what", list(VIEWS))
def test_every_view_has_a_text_and_a_document(what: str, capsys: Capture) -> None:
    assert outcome(["show", what, "--hypothesis", "H1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 10
    assert outcome(["show", what, "--hypothesis", "H1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["hypothesis"]) == ("reference", "H1")
    assert len(document) > 2


def test_the_model_is_shown_as_it_was_composed(capsys: Capture) -> None:
    assert outcome(["show", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    model = reference_model()
    assert document["key"] == model.key
    assert [row["name"] for row in document["states"]] == [species.name for species in model.species]


def test_equations_can_be_had_for_a_paper(capsys: Capture) -> None:
    assert outcome(["show", "equations", "--latex"]) == 0
    assert r"\begin{align*}" in capsys.readouterr().out


def test_a_model_and_a_hypothesis_of_ones_own_are_shown(folder: Path, capsys: Capture) -> None:
    assert outcome(["show", "reactions", "--model", write(folder, "m.toml", MODEL)]) == 0
    assert capsys.readouterr().out == "loss: k*X  |  X -1\n"
    name = write(folder, "h.toml", HYPOTHESIS)
    assert outcome(["show", "parameters", "--hypothesis", f"H1+{name}", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["hypothesis"] == "H1+slow"
    assert next(row["value"] for row in document["parameters"] if row["name"] == "k_M") == "0.001"


@pytest.mark.parametrize("verb", ["check", "show", "run"])
def test_a_fault_in_the_mechanism_of_a_hypothesis_file_has_its_line(verb: str, folder: Path, capsys: Capture) -> None:
    text = HYPOTHESIS + '\n[reactions.more]\nrate = "2*d_MM*M1"\nchange = { M1 = -1 }\n'
    name = write(folder, "h.toml", text)
    lines = {
        "check": ["check", name],
        "show": ["show", "model", "--hypothesis", name],
        "run": ["run", "untreated", "--hypothesis", f"H1+{name}"],
    }
    assert outcome(lines[verb]) == 3
    assert "nothing defines `d_MM`" in (message := capsys.readouterr().err)
    assert "  --> h.toml:9, key `reactions.more.rate`\n" in message


def test_the_hypothesis_of_the_page_changes_the_reference_model(folder: Path, capsys: Capture) -> None:
    page = (ROOT / "docs" / "model-files.md").read_text(encoding="utf-8")
    example = next(part for part in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[hypothesis]" in part)
    assert outcome(["show", "model", "--hypothesis", f"H1+{write(folder, 'il23.toml', example)}"]) == 0
    assert "hypothesis: H1+H23\n" in (shown := capsys.readouterr().out)
    assert "il23" in shown


def test_the_python_of_the_page_simulates_a_model(capsys: Capture) -> None:
    page = (ROOT / "docs" / "model-files.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "model-files.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "dX/dt = -k*X   [nM per day]" in shown
    assert "[[[1. " in shown


def test_a_shipped_hypothesis_is_not_for_a_model_of_ones_own(folder: Path, capsys: Capture) -> None:
    assert outcome(["show", "--model", write(folder, "m.toml", MODEL), "-H", "H1"]) == 3
    assert capsys.readouterr().err == (
        "error[hypothesis.unknown]: the hypothesis `H1` changes the reference model and no other\n"
        "  --> --hypothesis H1\n"
        "  expected: `none` or a hypothesis file\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["show", "equation"],
            "error[usage.argument]: there is nothing to show by the name `equation`\n"
            "  expected: `model`, `equations`, `reactions`, `parameters`, `sources`, `draws`\n"
            "  try:      did you mean `equations` or `reactions`?\n",
        ),
        (
            ["show", "my model.xml"],
            "error[usage.argument]: there is nothing to show by the name `my model.xml`\n"
            "  expected: `model`, `equations`, `reactions`, `parameters`, `sources`, `draws`\n"
            "  try:      of a model file: `simulate show model 'my model.xml'`\n",
        ),
        (
            ["show", "model.toml"],
            "error[usage.argument]: there is nothing to show by the name `model.toml`\n"
            "  expected: `model`, `equations`, `reactions`, `parameters`, `sources`, `draws`\n"
            "  try:      of a model file: `simulate show model model.toml`\n",
        ),
        (
            ["show", "H1+H3a"],
            "error[usage.argument]: there is nothing to show by the name `H1+H3a`\n"
            "  expected: `model`, `equations`, `reactions`, `parameters`, `sources`, `draws`\n"
            "  try:      of a hypothesis: `simulate show model -H H1+H3a`\n",
        ),
        (
            ["show", "wash-out"],
            "error[usage.argument]: there is nothing to show by the name `wash-out`\n"
            "  expected: `model`, `equations`, `reactions`, `parameters`, `sources`, `draws`\n"
            "  try:      of a scenario: `simulate check wash-out`, or `simulate run wash-out`\n",
        ),
        (
            ["show", "model", "--latex"],
            "error[usage.argument]: --latex is for equations only\n  try:      `simulate show equations --latex`\n",
        ),
    ],
)
def test_what_cannot_be_shown_ends_with_2(arguments: list[str], message: str, capsys: Capture) -> None:
    assert outcome(arguments) == 2
    assert capsys.readouterr().err == message


def test_a_model_of_ones_own_is_run_without_figures_of_the_source(folder: Path, capsys: Capture) -> None:
    write(folder, "m.toml", MODEL)
    scenario = (
        'schema = 1\ntitle = "mine"\n[model]\nfile = "m.toml"\n[time]\nend = "2 d"\n[cohort]\npatients = 2\n'
        '[[arm]]\nname = "a"\nregimen = "none"\n'
    )
    assert outcome(["run", write(folder, "s.toml", scenario), "--json", "--no-figures"]) == 0
    rows = json.loads(capsys.readouterr().out)["summary"]
    assert [(row["quantity"], row["visit"], row["source"]) for row in rows] == [
        ("X", "baseline", ""),
        ("X", "day 2", ""),
    ]
    assert rows[1]["median"] == pytest.approx(2.718281828459045**-1, rel=1e-5)


def test_the_sources_of_all_that_ships_name_every_row_with_its_grade(capsys: Capture) -> None:
    assert outcome(["show", "sources", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["sources"]
    shown = {name: row["key"] for row in rows for name in row["parameters"].split(", ")}
    folders = {"pharmacokinetics": " of {stem}"}
    expected = {}
    for path in [*shipped.parameter_files(), *shipped.parameterization_files().values()]:
        suffix = folders.get(path.parent.name, "").format(stem=path.stem)
        for name, row in read_toml(path).data.items():
            expected[f"{name}{suffix} ({row['grade']})"] = row["source"]
    assert expected.items() <= shown.items()
    for name, path in {"myositis": shipped.cohort_file(), **shipped.population_files()}.items():
        for stratum in read_toml(path).data["stratum"]:
            for parameter, row in stratum.get("parameters", {}).items():
                assert shown[f"{parameter} of {name} {stratum['name']} ({row['grade']})"] == row["source"]
    assert shown["sampling sd_occasion of zong-2011 (calculated)"] == "urien-2013"
    assert shown["staining limit of zong-2011 (assumed)"] == "assumption"
    assert shown["exponent of weight on CL of obese (calculated)"] == "study-20010168"
    assert shown["correlation of chi and f_RO of myositis (assumed)"] == "zong-2011"
    assert shown["retention at 91 d of myositis (read)"] == "dorph-2009"


def test_what_ships_is_listed_with_populations_published_kinetics_and_trials(capsys: Capture) -> None:
    assert outcome(["list", "--json"]) == 0
    found = {kind: [row["name"] for row in rows] for kind, rows in json.loads(capsys.readouterr().out).items()}
    assert found["populations"] == ["myositis", "caps", "healthy", "obese", "renal"]
    assert found["pharmacokinetics"] == list(shipped.parameterization_files())
    assert found["trials"] == list(shipped.trial_files())
    assert {"trial", "caps", "obese"} <= set(found["scenarios"])


def test_draws_of_a_fit_are_shown_in_the_units_of_the_parameters(capsys: Capture) -> None:
    assert outcome(["show", "draws", "-H", "H1"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    fit = json.loads(shipped.fit_files()["H1"].read_text(encoding="utf-8"))
    assert header.split(",") == ["draw", *(row["name"] for row in fit["estimates"])]
    table = np.array([line.split(",") for line in lines], dtype=np.float64)
    assert table[:, 0].tolist() == list(range(256))
    for column, row in zip(table[:, 1:].T, fit["estimates"], strict=True):
        low, median, high = row["posterior"]
        # The kept draws are 256 of the 2048 weighted ones that the estimates are of.
        assert abs(np.median(column) - median) < 0.25 * (high - low)
        assert low < np.median(column) < high


def test_a_fit_is_asked_of_draws_alone(capsys: Capture) -> None:
    assert outcome(["show", "parameters", "--fit", "prior"]) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: --fit is for draws only\n  try:      `simulate show draws --fit FIT`\n"
    )


@pytest.mark.parametrize("what", ["model", "equations", "parameters"])
def test_a_model_file_is_shown_where_other_verbs_take_it(what: str, capsys: Capture) -> None:
    file = str(shipped.root() / "models" / "schulz2009.toml")
    assert outcome(["show", what, "--model", file]) == 0
    shown = capsys.readouterr().out
    assert outcome(["show", what, file]) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["parameters", "a.toml", "--model", "b.toml"], "two models are named\n  found:    `a.toml` and `b.toml`\n"),
        (["draws", "a.toml"], "draws are of a hypothesis, and no model file\n"),
        (
            ["parameters", "H1"],
            "`H1` is no model file\n  expected: a name that ends in .toml, .xml, .sbml or .ant\n"
            "  try:      a hypothesis of the reference model: `simulate show parameters -H H1`\n",
        ),
    ],
)
def test_what_is_no_model_is_not_shown_as_one(words: list[str], message: str, capsys: Capture) -> None:
    assert outcome(["show", *words]) == 2
    assert capsys.readouterr().err == f"error[usage.argument]: {message}"
