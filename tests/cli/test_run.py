"""`simulate run` from the command line to the run directory."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulate
from simulate.cli.app import main, outcome
from simulate.results.changes import RULE
from simulate.solver.trajectories import Status
from simulate.studies.datasets import by_draw, quantity_names, read_dataset
from simulate.studies.paired import ALL

Capture = pytest.CaptureFixture[str]

SMALL = ("--set", "model.fit='typical'", "--patients", "3", "--set", "time.end=14 d")
BEYOND = ("--set", "model.beyond_bounds=true")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, figures: bool = False) -> int:
    return outcome(["run", *arguments, *([] if figures else ["--no-figures"])])


def everything(folder: Path) -> list[str]:
    """Files, and folders but for those of inputs and models."""
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(str(path) for path in paths if path.name not in ("inputs", "models"))


FILES = [
    *("changes.csv", "inputs/abstract.toml", "inputs/doubt.toml", "inputs/zong-2011.toml", "manifest.json"),
    *("results.nc", "summary.csv"),
]
"""What every run of the reference model leaves."""


def test_quantities_that_are_chosen_are_kept_printed_and_drawn(folder: Path, capsys: Capture) -> None:
    assert run("untreated", *SMALL, "-q", "il17a", "--quantity", "M17", "--out", "here", figures=True) == 0
    shown = capsys.readouterr().out
    assert "il17a, %" in shown
    assert "M17, cell/µL" in shown
    assert "ifng, %" not in shown
    with read_dataset(Path("here/results.nc")) as dataset:
        assert quantity_names(dataset) == ("il17a", "M17")
    found = simulate.run("untreated", quantities=["il17a"], patients=3, fit="typical", settings={"time.end": "14 d"})
    with read_dataset(Path("here/results.nc")) as dataset:
        np.testing.assert_array_equal(by_draw(dataset)["il17a"].values, found["il17a"].values)
    assert quantity_names(found) == ("il17a",)
    assert run("untreated", *SMALL, "-q", "il17", "--quantity", "M17") == 3
    assert capsys.readouterr().err == (
        "error[scenario.unknown]: the model has no quantity `il17`\n"
        "  --> --quantity il17 --quantity M17, key `outputs.quantities[0]`\n"
        "  expected: a state or an observable\n"
        "  try:      did you mean `il17a`?\n"
    )


def test_names_of_arms_are_not_broken_where_there_is_room(folder: Path, capsys: Capture) -> None:
    long = "100 mg sc every other day until 9 d"
    assert run("untreated", *SMALL, "-q", "il17a", "--regimen", "100 mg iv daily", "--regimen", long, "-o", "here") == 0
    changes, _, levels = capsys.readouterr().out.partition("Levels")
    (line,) = (line for line in changes.splitlines() if line.startswith(f"   {long} "))
    assert line.split()[-1].count("/") == 1
    # Two visits stand beside each other: the name goes on below, to the right of where it began.
    first, second = levels.splitlines()[6:8]
    assert first.startswith("   100 mg sc every other  ")
    assert second.rstrip() == "     day until 9 d"


def test_a_run_leaves_results_summary_figures_and_manifest(folder: Path, capsys: Capture) -> None:
    assert run("dose-arms", *SMALL, "--out", "here", figures=True) == 0
    files = [*FILES, "inputs/dose-arms.toml", "models/H1+H6.toml", "time-course.png", "time-course.svg"]
    assert everything(folder) == ["here", *(f"here/{name}" for name in sorted(files))]
    captured = capsys.readouterr()
    assert captured.err == "wrote here\n"
    assert captured.out.startswith("anakinra at four doses for 6 months, the first 14 d\n")
    assert "hypothesis H1+H6; 3 patients with the parameters of the tables, of no fit;" in captured.out
    assert "\x1b" not in captured.out

    dataset = read_dataset(folder / "here" / "results.nc")
    assert dict(dataset.sizes) | {"arm": 4, "member": 3, "time": 15} == dict(dataset.sizes)
    assert (dataset["status"].values == Status.OK).all()
    with open(folder / "here" / "summary.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(quantity_names(dataset)) * 4 * 2
    assert {row["visit"] for row in rows} == {"baseline", "day 14"}
    row = next(row for row in rows if (row["quantity"], row["arm"], row["visit"]) == ("ck", "100 mg/d", "day 14"))
    values = dataset["ck"].sel(arm="100 mg/d", time=14.0)
    assert float(row["median"]) == float(values.median())
    assert (row["n_ok"], row["n"]) == ("3", "3")


def test_the_manifest_says_what_decided_the_numbers(folder: Path) -> None:
    assert run("untreated", *SMALL, "--seed", "7", "--set", "f_m=0.4", "--out", "here") == 0
    manifest = json.loads((folder / "here" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["program"] == "il1sim"
    assert manifest["scenario"]["seed"] == 7
    assert manifest["scenario"]["arms"][0]["parameters"] == {"f_m": 0.4}
    settings = ["--set f_m=0.4", "--set model.fit='typical'", "--set time.end=14 d"]
    assert manifest["changes"] == ["--patients 3", "--seed 7", *settings]
    assert manifest["counters"]["n"] == manifest["counters"]["n_ok"] == 3
    assert manifest["counters"]["accepted_steps"] > 0
    assert manifest["failures"] == []
    assert {"il1sim", "python", "numpy", "numba", "sympy"} <= set(manifest["versions"])
    for name, hashed in manifest["files"].items():
        assert hashlib.sha256((folder / "here" / name).read_bytes()).hexdigest() == hashed
    own = ["inputs/untreated.toml", "models/H1+H6.toml"]
    assert list(manifest["files"]) == sorted({*FILES, *own} - {"manifest.json"})
    assert manifest["inputs"]["shipped:scenarios/untreated.toml"] == "inputs/untreated.toml"


def test_json_is_one_document_and_all_that_is_on_standard_output(folder: Path, capsys: Capture) -> None:
    assert run("untreated", *SMALL, "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(document) == {"directory", "files", "key", "scenario", "counters", "failures", "changes", "summary"}
    assert document["directory"].startswith("runs/untreated-")
    assert (folder / document["directory"] / "results.nc").exists()
    assert document["key"].startswith(document["directory"].removeprefix("runs/untreated-"))
    assert {"quantity", "arm", "visit", "median", "p5", "p95", "n_ok", "n", "source"} <= set(document["summary"][0])


def test_the_same_run_again_gives_the_same_bytes_in_the_same_place(folder: Path, capsys: Capture) -> None:
    assert run("anakinra-100mg-daily", *SMALL, "--threads", "1") == 0
    before = {path.name: path.read_bytes() for path in folder.glob("runs/*/*.*") if path.name != "manifest.json"}
    assert run("anakinra-100mg-daily", *SMALL, "--threads", "2") == 0
    after = {path.name: path.read_bytes() for path in folder.glob("runs/*/*.*") if path.name != "manifest.json"}
    assert len(list((folder / "runs").iterdir())) == 1
    assert before == after


def test_another_run_needs_force_to_take_the_place(folder: Path, capsys: Capture) -> None:
    assert run("untreated", *SMALL, "--out", "here") == 0
    before = everything(folder)
    capsys.readouterr()
    assert run("untreated", *SMALL, "--seed", "2", "--out", "here") == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error[store.occupied]: the folder holds another run\n"
        "  --> here\n"
        "  found:    refractory myositis without treatment, the first 14 d\n"
        "  try:      choose another folder with --out, or replace that run with --force\n"
    )
    assert everything(folder) == before
    assert run("untreated", *SMALL, "--seed", "2", "--out", "here", "--force") == 0
    assert json.loads((folder / "here" / "manifest.json").read_text(encoding="utf-8"))["scenario"]["seed"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("untreated", "--set", "f_mm=0.3"),
            "error[scenario.unknown]: the model has no parameter `f_mm`\n"
            "  --> --set f_mm=0.3, key `parameters.f_mm`\n"
            "  try:      did you mean `f_mem` or `f_m`?\n",
        ),
        (
            ("untreated", "--set", "f_m=0.3 nM"),
            "error[units.mismatch]: the parameter `f_m` cannot be given in nM\n"
            "  --> --set f_m=0.3 nM, key `parameters.f_m`\n"
            "  found:    nM\n"
            "  expected: a pure number\n",
        ),
        (
            ("untreated", "--set", 'outputs.quantities=["ifn"]'),
            "error[scenario.unknown]: the model has no quantity `ifn`\n"
            '  --> --set outputs.quantities=["ifn"], key `outputs.quantities[0]`\n'
            "  expected: a state or an observable\n"
            "  try:      did you mean `ifng`?\n",
        ),
        (
            ("untreated", "--set", "arm[0].regimen=100 mg scc"),
            "error[regimen.route]: the model has no route `scc`\n"
            "  --> --set arm[0].regimen=100 mg scc, key `arm[0].regimen`\n"
            "  expected: `sc`, `iv`, `im`\n"
            "  try:      did you mean `sc`?\n",
        ),
        (
            ("untreated", "--set", "solver.method=dopri"),
            "error[scenario.unknown]: there is no method `dopri`\n"
            "  --> --set solver.method=dopri, key `solver.method`\n"
            "  expected: `taylor+rodas5p`, `dopri5+rodas5p`, `dopri5`, `dop853`, `taylor`, `rodas5p`, `automatic`\n"
            "  try:      did you mean `dopri5`?\n",
        ),
        (
            ("untreated", "--patients", "0"),
            "error[key.value]: the value of `patients` cannot be used\n"
            "  --> --patients 0, key `cohort.patients`\n"
            "  found:    0\n"
            "  expected: a whole number from 1 to 10000000\n",
        ),
        (
            ("untreated", "--rtol", "0"),
            "error[key.value]: the value of `rtol` cannot be used\n"
            "  --> --rtol 0.0, key `solver.rtol`\n"
            "  found:    0.0\n"
            "  expected: a number from 1e-13 to 0.1\n",
        ),
        (
            ("untreated", "--set", "f_m=-1"),
            "error[scenario.value]: the parameter `f_m` cannot be negative\n"
            "  --> --set f_m=-1, key `parameters.f_m`\n"
            "  found:    -1\n"
            "  expected: a number of at least 0\n",
        ),
        (
            ("untreated", "--set", "f_m=1.5"),
            "error[scenario.bounds]: the parameter `f_m` is out of its bounds\n"
            "  --> --set f_m=1.5, key `parameters.f_m`\n"
            "  found:    1.5\n"
            "  expected: a number from 0.1 to 1\n"
            "  try:      to go beyond what is known of it: `--set model.beyond_bounds=true`\n",
        ),
        (
            ("untreated", "--set", "k_a=1 1/h"),
            "error[scenario.bounds]: the parameter `k_a` is out of its bounds\n"
            "  --> --set k_a=1 1/h, key `parameters.k_a`\n"
            "  found:    1 1/h, which is 24 1/d\n"
            "  expected: a number from 0.1167 to 0.2292 1/h, which is from 2.8 to 5.5 1/d\n"
            "  try:      to go beyond what is known of it: `--set model.beyond_bounds=true`\n",
        ),
        (
            ("untreated", "--out", ""),
            "error[store.occupied]: the run directory cannot be the working folder, or one around it\n"
            "  --> .\n"
            "  try:      give a folder of its own, such as `runs/mine`\n",
        ),
        (
            ("untreated", "--set", "R_0=0,5 nM"),
            "error[units.quantity]: `0,5 nM` has a decimal comma\n"
            "  --> --set R_0=0,5 nM, key `parameters.R_0`\n"
            "  try:      write a decimal point: `0.5 nM`\n",
        ),
        (
            ("missing.toml",),
            "error[file.missing]: the file does not exist\n"
            "  --> missing.toml\n"
            "  try:      check the path and the working folder\n",
        ),
    ],
)
def test_bad_input_is_one_error_and_nothing_is_written(
    folder: Path, capsys: Capture, arguments: tuple[str, ...], message: str
) -> None:
    assert run(*arguments) == 3
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", message)
    assert everything(folder) == []


@pytest.mark.parametrize("scenario", ["untreated", "anakinra-100mg-daily"])
def test_an_unknown_hypothesis_is_named_with_its_option(folder: Path, capsys: Capture, scenario: str) -> None:
    assert run(scenario, "-H", "H9") == 3
    assert capsys.readouterr().err == (
        "error[hypothesis.unknown]: there is no hypothesis `H9`\n  --> --hypothesis H9, key `model.hypothesis`\n"
        "  found:    'H9'\n"
        "  expected: one of H0, H1, H2, H3a, H3b, H4, H5, H5a, H5b, H6, H7, H8, an option, several joined by +, "
        "or none\n"
        "  try:      `simulate list` says what each is; a file of your own is named with its ending, `mine.toml`\n"
    )
    assert everything(folder) == []


def test_a_run_beyond_the_memory_of_the_machine_is_refused_before_it_begins(folder: Path, capsys: Capture) -> None:
    assert run("untreated", "--patients", "10000000", "--set", "time.every=1 h") == 7
    error = capsys.readouterr().err
    assert error.startswith("error[memory]: the run would need about ")
    assert "  --> --patients 10000000, key `cohort.patients`\n" in error
    assert "  found:    patients: 10000000 in each of 16 draws, arms: 1, times: 4369, quantities: 17\n" in error
    assert error.endswith(
        "  try:      fewer patients, or fewer times of output; or fewer quantities, such as `--quantity serum_il1ra` "
        "alone; or `--fit typical` in place of draws of a fit\n"
    )
    assert everything(folder) == []


def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run("untreated", *SMALL, "--out", "deep/below/here") == 7
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        "error[store.unwritable]: the run directory cannot be written: no space left on device\n"
        "  --> deep/below/here\n"
        "  try:      choose a folder that is writable and has space with --out\n",
    )
    assert everything(folder) == []


def test_an_interruption_of_the_work_leaves_nothing(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simulate.tabular.ResultTable.csv", interrupted)
    assert run("untreated", *SMALL) == 130
    assert capsys.readouterr().err == "interrupted; nothing was left half written\n"
    assert everything(folder) == []


def test_a_run_that_another_process_ends_leaves_nothing(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("simulate.tabular.ResultTable.csv", ended)
    try:
        with pytest.raises(SystemExit) as ending:
            main(["run", "untreated", *SMALL, "--no-figures"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ending.value.code == 143
    assert capsys.readouterr().err == "interrupted; nothing was left half written\n"
    assert everything(folder) == []


def test_a_cohort_without_a_baseline_ends_with_4_and_its_reasons_are_kept(folder: Path, capsys: Capture) -> None:
    assert run("untreated", *SMALL, *BEYOND, "--set", "f_RO=1.5", "--out", "here", "--json", figures=True) == 4
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["error"]["code"] == "run.failures"
    assert document["counters"] == {"n": 3, "n_ok": 0, "infeasible": 3}
    assert [row["patient"] for row in document["failures"]] == [0, 1, 2]
    assert all(row["median"] is None for row in document["summary"])
    assert everything(folder) == [
        "here",
        *(f"here/{name}" for name in sorted([*FILES, "inputs/untreated.toml", "models/H1+H6.toml"])),
    ]
    assert "left out: 3 of 3 trajectories: the parameters admit no steady baseline" in captured.err
    assert run("untreated", *SMALL, *BEYOND, "--set", "f_RO=1.5", "--out", "here") == 4
    assert " – " in (table := capsys.readouterr().out)
    assert "– to –" not in table


def test_what_the_source_counted_is_told_below_the_table(folder: Path, capsys: Capture) -> None:
    assert run("anakinra-100mg-daily", *SMALL) == 0
    shown = " ".join(capsys.readouterr().out.split())
    # Fourteen days have no figure of 6 months beside them.
    assert shown.endswith("the source also printed: cell samples 8 of 15 (baseline)")
    assert "clinical response" not in shown


def test_an_untreated_run_stands_beside_baseline_figures_alone(folder: Path, capsys: Capture) -> None:
    assert run("untreated", *SMALL) == 0
    table = capsys.readouterr().out
    assert "mean 2559" in table
    assert "19571" not in table
    assert table.splitlines()[-1] == "the source also printed: cell samples 8 of 15 (baseline)"


def test_too_many_numerical_failures_end_with_4_and_the_results_are_written(folder: Path, capsys: Capture) -> None:
    assert run("anakinra-100mg-daily", *SMALL, "--set", "solver.max_steps=5", "--out", "here") == 4
    captured = capsys.readouterr()
    assert "error[run.failures]: 3 of 3 trajectories did not reach the end\n" in captured.err
    assert "  expected: at most 5 % of numerical failures, and one patient or more who reach the end\n" in captured.err
    dataset = read_dataset(folder / "here" / "results.nc")
    assert (dataset["status"].values == Status.TOO_MANY_STEPS).all()


def test_a_scenario_of_ones_own_is_a_file(folder: Path, capsys: Capture) -> None:
    (folder / "mine.toml").write_text(
        'schema = 1\ntitle = "mine"\n[model]\nfit = "typical"\n[time]\nend = "2 d"\n'
        'every = "12 h"\n[cohort]\npatients = 2\n'
        '[[arm]]\nname = "once"\nregimen = "100 mg sc"\n[outputs]\nquantities = ["ck", "A_d"]\n',
        encoding="utf-8",
    )
    assert run("mine.toml", "--out", "here", "--hypothesis", "h3A + H1") == 0
    dataset = read_dataset(folder / "here" / "results.nc")
    assert quantity_names(dataset) == ("ck", "A_d")
    assert dataset.attrs["hypothesis"] == "H1+H3a"
    assert dataset["time"].values.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_the_same_run_from_python_gives_the_same_numbers(folder: Path) -> None:
    import simulate

    assert run("anakinra-100mg-daily", *SMALL, "--out", "here") == 0
    dataset = simulate.run("anakinra-100mg-daily", patients=3, fit="typical", settings={"time.end": "14 d"})
    assert dataset.identical(read_dataset(folder / "here" / "results.nc"))
    assert everything(folder) == [
        "here",
        *(f"here/{name}" for name in sorted([*FILES, "inputs/anakinra-100mg-daily.toml", "models/H1+H6.toml"])),
    ]


def test_changes_come_first_in_80_columns_beside_the_reported_direction(folder: Path, capsys: Capture) -> None:
    size = ("--fit", "typical", "--patients", "8", "--set", "time.every=91 d")
    assert run("anakinra-100mg-daily", *size, "--out", "here") == 0
    shown = capsys.readouterr().out
    changes, _, levels = shown.partition("Levels\n")
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert " ".join(levels.split()).endswith(
        "the source also printed: clinical response 7 of 15 (6 months, ambiguous); still treated 10 of 14 (6 months); "
        "cell samples 8 of 15 (baseline); cell samples 6 of 15 (6 months)"
    )
    # Serum is averaged as everything is that follows the dose; what was printed was a sample.
    serum = next(place for place, line in enumerate(levels.splitlines()) if line.startswith(" serum_il1ra, pg/mL"))
    assert levels.splitlines()[serum + 1].startswith("   trough to peak")
    assert "serum_il1ra, 6 months: mean 19571" in levels
    assert "nearer the trough than the average" in " ".join(levels.split())
    with open(folder / "here" / "changes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    dataset = read_dataset(folder / "here" / "results.nc")
    relative = dataset["ifng"][0, :, -1] / dataset["ifng"][0, :, 0] - 1.0
    row = next(row for row in rows if (row["quantity"], row["visit"], row["group"]) == ("ifng", "6 months", ALL))
    assert float(row["up"]) == float((relative > 0.0).mean())
    assert float(row["median"]) == pytest.approx(100.0 * float(relative.median()))
    line = next(line for line in changes.splitlines() if line.split()[:1] == ["ifng"])
    assert line.endswith(f"rose: {row['verdict']} {100.0 * float(row['up']):.0f} %")
    assert "responders" in changes
    assert " ".join(changes.split()).endswith(f"{RULE}.")
    assert "ifng" in levels


def test_several_arms_and_visits_fit_80_columns_in_one_notation(folder: Path, capsys: Capture) -> None:
    assert run("dose-arms", "--patients", "3", "--set", "time.every=91 d") == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "×" not in shown
    headings = " ".join(line for line in shown.splitlines() if line.startswith(" level"))
    assert [visit for visit in ("baseline", "3 months", "6 months") if visit in headings] == [
        "baseline",
        "3 months",
        "6 months",
    ]
    tables = shown.partition("Levels\n")[2].split("Levels, continued\n")
    for part in tables:
        assert part.count("\n   300 mg/d ") >= 15


def test_a_run_on_a_fit_shows_what_is_not_known_beside_how_patients_differ(folder: Path, capsys: Capture) -> None:
    size = ("--fit", "shipped", "--draws", "6", "--patients", "50", "--set", "time.every=182 d")
    assert run("anakinra-100mg-daily", *size, "--out", "here") == 0
    changes = capsys.readouterr().out.partition("Levels\n")[0]
    assert "50 patients of each of 6 draws of the fit" in " ".join(changes.split())
    assert "; [ ]: where 90 % of the draws have their own median, or share; " in " ".join(changes.split())
    dataset = by_draw(read_dataset(folder / "here" / "results.nc"))
    change = 100.0 * (dataset["il17a"][0, :, :, -1] / dataset["il17a"][0, :, :, 0] - 1.0)
    own = change.median("member")
    with open(folder / "here" / "changes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    row = next(row for row in rows if (row["quantity"], row["visit"], row["group"]) == ("il17a", "6 months", ALL))
    assert float(row["median"]) == pytest.approx(float(change.median()))
    assert (float(row["median_low"]), float(row["median_high"])) == pytest.approx(
        (float(own.quantile(0.05)), float(own.quantile(0.95)))
    )
    assert (row["verdict"], row["down_low"], row["down_high"], row["n"]) == ("agrees", "1.0", "1.0", "50.0")
    lines = changes.splitlines()
    first = next(place for place, line in enumerate(lines) if line.split()[:1] == ["il17a"])
    assert lines[first].endswith("fell: agrees 100 %")
    assert lines[first + 1].endswith("[100 to 100]")


def test_few_patients_who_are_drawn_have_no_brackets(folder: Path, capsys: Capture) -> None:
    size = ("--draws", "2", "--patients", "20", "--set", "time.every=182 d", "-q", "ck", "-q", "il17a")
    assert run("anakinra-100mg-daily", *size, "--out", "here") == 0
    changes, _, _ = capsys.readouterr().out.partition("Levels\n")
    said = "; no [ ] between draws, which have the same patients: that needs 50 of them; "
    assert said in " ".join(changes.split())
    assert changes.count("[") == 1
    with open(folder / "here" / "changes.csv", encoding="utf-8", newline="") as file:
        assert {row["median_low"] for row in csv.DictReader(file)} == {""}


def test_patients_of_a_table_are_as_many_as_it_names_in_however_many_draws(folder: Path, capsys: Capture) -> None:
    doses = 'doses = { file = "doses.csv", time = "h", amount = "mg" }'
    (folder / "doses.csv").write_text("ID,TIME,AMT,CMT,EVID\na,0,100,1,1\nb,0,100,1,1\nc,0,50,1,1\n", encoding="utf-8")
    (folder / "own.toml").write_text(
        f'schema = 1\ntitle = "own"\n[time]\nend = "14 d"\nevery = "7 d"\n[[arm]]\nname = "own"\n{doses}\n',
        encoding="utf-8",
    )
    assert run("own.toml", "--draws", "4", "-q", "ck", "--out", "here") == 0
    changes, _, _ = capsys.readouterr().out.partition("Levels\n")
    said = "; [ ]: where 90 % of the draws have their own median, or share, of these 3 patients; other patients would "
    assert said in " ".join(changes.split())
    assert changes.count("[") == 2
    counted: dict[str, set[str]] = {}
    for name, columns in (("changes", ("n",)), ("summary", ("n", "n_ok"))):
        with open(folder / "here" / f"{name}.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("group", ALL) == ALL]
        counted |= {f"{name}.{column}": {row[column] for row in rows} for column in columns}
    assert counted == {"changes.n": {"3.0"}, "summary.n": {"3"}, "summary.n_ok": {"3"}}


def test_each_arm_is_set_beside_the_untreated_one(folder: Path, capsys: Capture) -> None:
    extra = ("--set", 'outputs.quantities=["ifng"]', "--set", "arm[1].regimen=none")
    assert run("wash-out", *SMALL, *extra, "--out", "here") == 0
    changes = capsys.readouterr().out.partition("Levels\n")[0].splitlines()
    lines = {line.split()[0]: line.split() for line in changes if line.startswith("   ")}
    # Nobody changes untreated, so the arm less the untreated one is the arm.
    assert "less" not in lines
    assert [line.split()[-1] for line in changes if "100 mg/d throughout" in line] == ["0/0"]
    with open(folder / "here" / "changes.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["group"] == ALL]
    assert [(row["arm"], row["less"]) for row in rows] == [
        ("100 mg/d until day 182", ""),
        ("100 mg/d until day 182", "100 mg/d throughout"),
        ("100 mg/d throughout", ""),
    ]
    assert rows[0]["median"] == rows[1]["median"]


def test_regimens_take_the_place_of_the_arms_of_a_scenario(folder: Path, capsys: Capture) -> None:
    regimens = ("--regimen", "100 mg sc daily", "--regimen", "none")
    assert run("dose-arms", *SMALL, *regimens, "--out", "here") == 0
    assert capsys.readouterr().out.startswith("100 mg sc daily; none\n")
    with open(folder / "here" / "changes.csv", encoding="utf-8", newline="") as file:
        assert {row["arm"] for row in csv.DictReader(file)} == {"100 mg sc daily", "none"}
    given = simulate.run(
        "dose-arms",
        regimen=["100 mg sc daily", "none"],
        patients=3,
        settings={"model.fit": "typical", "time.end": "14 d"},
    )
    written = by_draw(read_dataset(folder / "here" / "results.nc"))
    np.testing.assert_array_equal(given["il17a"], written["il17a"])


def test_a_regimen_that_cannot_be_read_is_named_with_its_option(folder: Path, capsys: Capture) -> None:
    assert run("dose-arms", *SMALL, "--regimen", "100 mg ivv daily") == 3
    assert capsys.readouterr().err == (
        "error[regimen.route]: the model has no route `ivv`\n"
        '  --> --regimen "100 mg ivv daily", key `arm[0].regimen`\n'
        "  expected: `sc`, `iv`, `im`\n"
        "  try:      did you mean `iv`?\n"
    )
    assert run("dose-arms", *SMALL, "--regimen", "none", "--set", "title=Mine") == 3
    assert capsys.readouterr().err.startswith("error[scenario.setting]: `title` is set twice\n")


def test_patients_with_doses_of_their_own_are_said_to_be_read_at_the_visit(folder: Path, capsys: Capture) -> None:
    (folder / "doses.csv").write_text("ID,TIME,AMT,EVID,II,ADDL\n1,0,100,1,24,30\n2,0,100,1,48,15\n", encoding="utf-8")
    doses = 'doses = { file = "doses.csv", time = "h", amount = "mg" }'
    (folder / "own.toml").write_text(
        f'schema = 1\ntitle = "own"\n[cohort]\npatients = 2\n[time]\nend = "28 d"\n[[arm]]\nname = "own"\n{doses}\n',
        encoding="utf-8",
    )
    assert run("own.toml", "--fit", "typical") == 0
    said = " ".join(capsys.readouterr().out.split())
    reading = (
        "it is read at the visit itself, not as an average between doses: patients of `own` have doses of their own"
    )
    people = "2 patients with the parameters of the tables, of no fit; median (5 % to 95 %"
    counted = "up/down: % of patients who rise and who fall by any amount that the solver resolves"
    assert f"{people} of the patients); {reading}; {counted}." in said
    assert f"{people}); {reading}." in said


def test_two_arms_of_the_same_doses_say_the_same_though_one_has_a_rule(folder: Path, capsys: Capture) -> None:
    arms = "".join(f'[[arm]]\nname = "{name}"\nregimen = "100 mg sc daily"\n' for name in ("plain", "ruled"))
    rule = '[[arm.rule]]\nquantity = "serum_il1ra"\nabove = "1 g/mL"\ndose = 0\n'
    (folder / "two.toml").write_text(
        f'schema = 1\ntitle = "two"\n[cohort]\npatients = 3\n[time]\nend = "28 d"\n{arms}{rule}', encoding="utf-8"
    )
    assert run("two.toml", "--fit", "typical", "--out", "two") == 0
    said = capsys.readouterr().out
    reading = (
        "every arm is read at the visit itself, not as an average between doses: patients of `ruled` have doses of"
    )
    assert " ".join(said.split()).count(f"; {reading} their own") == 2
    assert "trough to peak" not in said
    with open(folder / "two" / "changes.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["quantity"] == "signal_lymph" and row["group"] == ALL]
    plain, ruled = ([row[key] for key in ("median", "p5", "p95", "up", "down")] for row in rows)
    assert plain == ruled


def test_a_run_beyond_the_visit_that_was_reported_shows_its_last_visit_too(capsys: Capture, tmp_path: Path) -> None:
    command = ["run", "wash-out", "--patients", "4", "--draws", "2", "--no-figures", "--out", str(tmp_path / "run")]
    assert outcome(command) == 0
    headings = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith(" change in %")]
    assert headings == [
        ["change", "in", "%", "6", "months", "(5", "to", "95", "%)", "up/down", "reported"],
        ["change", "in", "%", "12", "months", "(5", "to", "95", "%)", "up/down"],
    ]


def test_medians_of_another_visit_stand_on_its_side_in_time(folder: Path, capsys: Capture) -> None:
    found = {}
    for name in ("anakinra-100mg-daily", "anakinra-100mg-daily-12-months"):
        assert outcome(["run", name, "--fit", "typical", "-n", "4", "--no-figures"]) == 0
        found[name] = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(" change in %"))
    assert [" ".join(line.split()) for line in found.values()] == [
        "change in % 3 months 6 months (5 to 95 %) up/down reported",
        "change in % 6 months (5 to 95 %) up/down 12 months reported",
    ]


def test_an_arm_that_has_no_interval_where_another_has_is_said_to_be_read_at_the_visit(
    folder: Path, capsys: Capture
) -> None:
    reading = "; what follows the dose: average over the dosing interval before a visit"
    regimens = ("--regimen", "100 mg sc daily", "--regimen")
    assert run("dose-arms", *SMALL, *regimens, "100 mg sc") == 0
    said = " ".join(capsys.readouterr().out.split())
    apart = f"{reading}, and of `100 mg sc` the value at the visit itself"
    assert f"of the patients){apart}; up/down: % of patients who rise and who fall" in said
    assert f"median (5 % to 95 %){apart}." in said
    # Who is given nothing has nothing to average.
    assert run("dose-arms", *SMALL, *regimens, "none") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"median (5 % to 95 %){reading}." in said
    assert "the value at the visit itself" not in said


NEARLY_NOTHING = """
[species.kept]
meaning = "what fades"
unit = "1"
initial = "100"
[species.made]
meaning = "what is made of rounding"
unit = "1"
initial = "1e-27"
[species.lost]
meaning = "rounding that is lost"
unit = "1"
initial = "1e-27"
[species.mass]
meaning = "what is made of nothing"
unit = "mg"
initial = "0"
[parameters]
k = "0.5 1/d"
zero_order = "2 1/d"
synthesis = "3 mg/d"
[reactions.fade]
rate = "k*kept"
change = { kept = -1 }
[reactions.make]
rate = "zero_order"
change = { made = 1 }
[reactions.lose]
rate = "k*lost"
change = { lost = -1 }
[reactions.gain]
rate = "synthesis"
change = { mass = 1 }
"""


def test_what_is_nothing_but_rounding_has_no_percent_and_no_direction(folder: Path, capsys: Capture) -> None:
    (folder / "nearly.toml").write_text(NEARLY_NOTHING, encoding="utf-8")
    assert run("nearly.toml", "--end", "2 d") == 0
    said = capsys.readouterr().out
    table = said[said.index(" change in %") : said.index("1 patient.")].splitlines()
    # Of `kept` 1/e is left after two days; `made` gains 2 and `mass` 3 mg a day.
    assert [" ".join(line.split()) for line in (table[0], *table[2:])] == [
        "change in % day 2",
        "kept -63",
        "made, difference +4.00",
        "lost, difference 0",
        "mass, difference in mg +6.00",
        "",
    ]
    assert run("nearly.toml", "--end", "2 d", "-q", "mass") == 0
    heading = capsys.readouterr().out.splitlines()[4]
    assert heading.split() == ["change", "day", "2"]


def test_patients_who_are_alike_have_no_range_and_no_shares(folder: Path, capsys: Capture) -> None:
    (folder / "alike.toml").write_text(NEARLY_NOTHING, encoding="utf-8")
    assert run("alike.toml", "--end", "2 d", "-n", "20") == 0
    said = capsys.readouterr().out
    assert "5 to 95 %" not in said
    assert "up/down" not in said
    assert said.count("\n20 patients, all alike in what is kept (`--vary` gives parameters a spread).") == 2
    assert run("alike.toml", "--end", "2 d", "-n", "20", "--vary", "k.cv=0.3", "--out", "differ") == 0
    said = capsys.readouterr().out
    assert said.count("\n20 patients; median (5 % to 95 %") == 2
    assert "up/down" in said


def test_patients_who_fail_are_not_said_to_be_alike(folder: Path, capsys: Capture) -> None:
    (folder / "failing.toml").write_text(NEARLY_NOTHING, encoding="utf-8")
    assert run("failing.toml", "--end", "2 d", "-n", "3", "--set", "solver.max_steps=1") == 4
    said = capsys.readouterr().out
    assert said.count("\n3 patients; median (5 % to 95 %") == 2
    assert "alike" not in said


def test_a_figure_of_more_quantities_than_it_has_panels_says_which_it_shows(folder: Path, capsys: Capture) -> None:
    parts = ["[parameters]", 'k = "1 1/d"']
    for number in range(20):
        parts += [f"[species.x{number}]", 'meaning = "what is lost"', 'unit = "1"', f'initial = "{number + 1}"']
        parts += [f"[reactions.loss{number}]", f'rate = "k*x{number}"', f"change = {{ x{number} = -1 }}"]
    (folder / "many.toml").write_text("\n".join(parts) + "\n", encoding="utf-8")
    assert run("many.toml", "--end", "1 d", "--out", "all", figures=True) == 0
    told = "drawn are the first 18 of 20 quantities; `--quantity NAME` draws others\n"
    assert told in capsys.readouterr().err
    assert run("many.toml", "--end", "1 d", "-q", "x19", "--out", "one", figures=True) == 0
    assert run("many.toml", "--end", "1 d", "--out", "none") == 0
    assert "drawn are" not in capsys.readouterr().err
