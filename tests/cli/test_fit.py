"""``simulate fit``, ``reproduce`` and ``calibrate`` on the command line."""

from __future__ import annotations

import csv
import dataclasses
import inspect
import json
import re
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.cli.fit import fit
from simulate.studies.fitting.posterior import Settings, write_posterior
from tests.studies.fitting.tiny import free_few
from tests.studies.virtual.fits import fitted

SHORT = ["--particles", "20", "--runs", "1", "--patients", "8", "--draws", "64", "--final-patients", "8"]


def test_a_fit_prints_what_was_learned_and_leaves_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free_few(monkeypatch)
    folder = tmp_path / "mine"
    assert outcome(["fit", "--hypothesis", "H0", "--out", str(folder), *SHORT]) == 0
    said = capsys.readouterr()
    assert "log-evidence" in said.out
    assert "verdict" in said.out
    assert "warning: one run alone" in said.out
    assert "numbers are free" in said.err
    kept = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
    assert kept["diagnostics"]["effective"] < 50
    assert {row["verdict"] for row in kept["estimates"]} == {"not known"}


def test_individual_data_are_refused_beside_a_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = Path(__file__).parents[1] / "data" / "theophylline.toml"
    arguments = ["fit", "--data", str(data), "--trial", "zong-2011", "--out", str(tmp_path / "x")]
    assert outcome(arguments) == 3
    assert capsys.readouterr().err == (
        "error[fit.data]: `trial` is named beside individual data\n"
        "  expected: individual data alone: nothing that was reported, and no profiles\n"
        "  try:      leave out `trial` or `data`\n"
    )
    assert not (tmp_path / "x").exists()


def test_a_fit_to_individual_data_tells_how_many_virtual_patients_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = '[parameters.level]\nvalue = 3\nunit = "nM"\nspread = { sd_log = 0.5 }\n'
    model += '[parameters.k]\nvalue = 0.2\nunit = "1/d"\n'
    model += '[species.X]\nunit = "nM"\ninitial = "level"\n[reactions.loss]\nrate = "k*X"\nchange = { X = -1 }\n'
    data = 'schema = 1\ntable = "t.csv"\ntime = "d"\n[model]\nfile = "m.toml"\n[readings.X]\nlog = 0.3\n'
    data += "[free.level]\ntypical = [0.5, 20]\n"
    for name, text in {"m.toml": model, "d.toml": data, "t.csv": "ID,TIME,DV\na,0,2\nb,1,4\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    folder = tmp_path / "mine"
    arguments = ["fit", "--data", str(tmp_path / "d.toml"), "--out", str(folder), *SHORT[:-1], "16"]
    assert outcome(arguments) == 0
    said = capsys.readouterr().out
    assert "individual data: d, 2 patients, 2 readings" in said
    assert "Patients; virtual ones about the mode of each" in said
    kept = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
    assert [(row["name"], row["observations"]) for row in kept["individuals"]["patients"]] == [("a", 1), ("b", 1)]
    assert outcome([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == kept


def test_an_unknown_hypothesis_is_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(["fit", "--hypothesis", "H99", "--out", str(tmp_path / "x")]) == 3
    assert "there is no hypothesis `H99`" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_evidence_that_contradicts_itself_is_not_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "evidence.toml"
    path.write_text(
        'schema = 1\nsource = "user"\n[[item]]\nid = "x"\naccount = "seven of six"\nquantity = "clinical_response"\n'
        'visit_day = 182\nkind = "count"\ncount = 7\nn = 6\nstanding = "reported"\n',
        encoding="utf-8",
    )
    assert outcome(["fit", "--evidence", str(path), "--out", str(tmp_path / "x")]) == 3
    assert "7 of 6" in capsys.readouterr().err


def test_a_damaged_result_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fit.json"
    path.write_text("{}", encoding="utf-8")
    assert outcome(["reproduce", "--fit", str(path)]) == 3
    said = capsys.readouterr().err
    assert "the file is not the result of a fit, or is damaged" in said
    assert str(path) in said


@pytest.mark.parametrize("word", ["prior", "shipped"])
def test_a_word_is_no_result_that_can_be_reproduced(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["reproduce", "--fit", word]) == 3
    assert capsys.readouterr().err == (
        f"error[scenario.fit]: `{word}` is no result of a fit\n"
        "  expected: the result of `simulate fit`: a fit.json, or its folder\n"
        "  try:      leave it out where the shipped fit is meant\n"
    )


def test_a_reproduction_prints_every_row_and_draws_the_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # That of the null hypothesis is in the folder of fits: the one that ships has many more draws and patients.
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {})
    path, fits, out = tmp_path / "fit.json", tmp_path / "fits", tmp_path / "out"
    (fits / "H0").mkdir(parents=True)
    write_posterior(path, fitted("H1"))
    write_posterior(fits / "H0" / "fit.json", fitted("H0"))
    assert outcome(["reproduce", "--fit", str(path), "--fits", str(fits), "--out", str(out), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    keys = {"item", "account", "location", "standing", "reported", "median", "low", "high", "tail_probability"}
    assert all(keys <= row.keys() for row in rows)
    assert {"response", "il1ra-on-drug", "ifng-level", "il17a-direction"} <= {row["item"] for row in rows}
    assert (out / "reproduction.png").stat().st_size > 20_000
    with (out / "reproduction.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_a_reproduction_says_first_which_printed_figures_the_fit_does_not_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(shipped, "fit_files", lambda *_: {})
    path, fits = tmp_path / "fit.json", tmp_path / "fits"
    (fits / "H0").mkdir(parents=True)
    write_posterior(path, fitted("H1"))
    write_posterior(fits / "H0" / "fit.json", fitted("H0"))
    assert outcome(["reproduce", "--fit", str(path), "--fits", str(fits)]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = re.fullmatch(
        r"(\d+) of 15 reported values that were fitted are as studies repeated under (H\w+) have them; not: (.*)",
        lines[0],
    )
    assert found is not None
    not_so = found[3].split(", ")
    assert int(found[1]) + len(not_so) == 15
    assert "cd45ro-ck-correlation r" in not_so
    used, others = (lines.index(f"{part}: median and 90 % of studies repeated under {found[2]} and H0")
                      for part in ("Fitted", "Not fitted"))  # fmt: skip
    assert any(line.split()[:4] == ["response", "count", "ambiguous", "7"] for line in lines[used:others])
    low = [place for place, line in enumerate(lines) if "il1ra-on-drug low" in line]
    assert used < others < min(low)
    assert any(line.startswith("not predicted, nothing is counted or measured in it: background, ") for line in lines)


@pytest.mark.parametrize("verb", ["fit", "reproduce", "calibrate"])
def test_too_few_of_anything_is_refused(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    option = {"fit": "--particles", "reproduce": "--nothing", "calibrate": "--repeats"}[verb]
    assert outcome([verb, option, "1"]) == 2
    assert "error" in capsys.readouterr().err


def test_what_is_not_said_on_the_command_line_is_as_in_settings() -> None:
    said = inspect.signature(fit).parameters
    for field in dataclasses.fields(Settings):
        if field.name in said:
            assert said[field.name].default == field.default
    assert {"particles", "patients", "draws", "final_patients"} <= said.keys()


def test_a_hypothesis_in_the_place_of_a_problem_is_told_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["fit", "H1+H6"]) == 2
    assert capsys.readouterr().err == (
        "error[usage.argument]: `H1+H6` is a hypothesis, and no estimation problem\n"
        "  try:      `simulate fit --hypothesis H1+H6`\n"
    )
