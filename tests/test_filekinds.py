"""A file that was given in the place of another is told by what it is, what was expected and who takes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simulate import shipped
from simulate.cli.app import outcome
from simulate.filekinds import TABLES, content_kind, kind_of, taken_by
from simulate.files import read_toml

Capture = pytest.CaptureFixture[str]

SHIPPED = {
    "scenario": "scenarios/untreated.toml",
    "trial": "trials/zong-2011.toml",
    "evidence": "observations/abstract.toml",
    "evidence sets": "observations/sets.toml",
    "measurement": "measurements/ck-course.toml",
    "hypothesis": "templates/hypothesis.toml",
    "model": "models/schulz2009.toml",
    "population": "populations/healthy.toml",
    "sources": "sources.toml",
    "parameters": "cd4.toml",
}
PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
FILES = {
    "page.toml": PAGE.encode(),
    "page.xml": PAGE.encode(),
    "page.csv": PAGE.encode(),
    "empty.toml": b"# nothing\n",
    "empty.xml": b"",
    "picture.toml": b"\x89PNG\r\n\x1a\n\x00\x00\xff",
    "sbml.toml": b'<?xml version="1.0"?>\n<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core"/>\n',
    "toml.xml": b'# a model\n[species.A]\nunit = "mg"\n',
    "fit.toml": b'{"hypothesis": "H1"}\n',
    "table.toml": b"ID,TIME,AMT\n1,0,100\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, file in SHIPPED.items():
        shutil.copy(shipped.root() / file, tmp_path / f"{name.replace(' ', '-')}.toml")
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "mine").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("kind", SHIPPED)
def test_every_kind_of_file_that_ships_is_known_by_its_tables(kind: str) -> None:
    assert kind_of(read_toml(shipped.root() / SHIPPED[kind]).data) == kind


def test_all_files_that_ship_are_of_the_kind_of_their_folder() -> None:
    folders = {"scenarios": "scenario", "trials": "trial", "measurements": "measurement", "populations": "population"}
    found = {
        path.name: kind_of(read_toml(path).data) == kind
        for name, kind in folders.items()
        for path in (shipped.root() / name).glob("*.toml")
    }
    assert found
    assert all(found.values())


OTHERS = [
    ("run trial.toml", "a trial, and no scenario", "a scenario", "`simulate trial --trial trial.toml` takes it"),
    (
        "sweep evidence.toml --over f_m=0.1,0.2",
        "evidence, and no scenario",
        "a scenario",
        "`simulate fit --evidence evidence.toml` takes it, and `simulate audit evidence.toml`",
    ),
    (
        "dose-response measurement.toml",
        "a measurement, and no scenario",
        "a scenario",
        "`simulate design --measurement measurement.toml` takes it",
    ),
    ("run parameters.toml", "a table of parameters, and no scenario", "a scenario", None),
    ("audit scenario.toml", "a scenario, and no evidence", "evidence", "`simulate run scenario.toml` takes it"),
    (
        "fit --evidence hypothesis.toml",
        "a hypothesis, and no evidence",
        "evidence",
        "`simulate run anakinra-100mg-daily -H hypothesis.toml` takes it",
    ),
    (
        "trial --trial population.toml",
        "a population, and no trial",
        "a trial",
        'a scenario takes it, by `population = "population.toml"` under [cohort]',
    ),
    (
        "design --measurement model.toml",
        "a model, and no measurement",
        "a measurement",
        '`simulate run model.toml --end "10 h"` takes it',
    ),
    ("run untreated -H sources.toml", "a list of sources, and no hypothesis", "a hypothesis", None),
    (
        "show parameters --model trial.toml",
        "a trial, and no model",
        "a model",
        "`simulate trial --trial trial.toml` takes it",
    ),
    (
        "fit --data evidence.toml",
        "evidence, and no description of readings of single patients",
        "a description of readings of single patients",
        "`simulate fit --evidence evidence.toml` takes it, and `simulate audit evidence.toml`",
    ),
    (
        "trial --trial page.toml",
        "a web page (HTML), and no TOML",
        "TOML",
        "load the file itself: a page about it, or of a login, was saved in its place",
    ),
    (
        'run page.xml --end "10 h"',
        "a web page (HTML), and no SBML",
        "SBML",
        "load the file itself: a page about it, or of a login, was saved in its place",
    ),
    (
        "check page.csv",
        "a web page (HTML), and no table (CSV)",
        "a table (CSV)",
        "load the file itself: a page about it, or of a login, was saved in its place",
    ),
    ('run toml.xml --end "10 h"', "TOML, and no SBML", "SBML", "give it a name that ends in .toml"),
    (
        "audit sbml.toml",
        "SBML, and no TOML",
        "TOML",
        "`simulate run` takes a model in SBML, by a name that ends in .xml or .sbml",
    ),
    ("run picture.toml", "a picture (PNG), and no TOML", "TOML", "name the file that was meant"),
    ("run untreated --fit trial.toml", "TOML, and no JSON", "JSON", "name the file that was meant"),
    ("run fit.toml", "JSON, and no TOML", "TOML", "name the TOML file that was meant"),
    (
        "run table.toml",
        "a table (CSV), and no TOML",
        "TOML",
        "a table of doses stands in an arm of a scenario: `doses = { file = … }`",
    ),
]


@pytest.mark.parametrize(("line", "found", "expected", "advice"), OTHERS)
def test_a_file_of_another_kind_is_recognized(
    folder: Path, capsys: Capture, line: str, found: str, expected: str, advice: str | None
) -> None:
    words = line.replace('"10 h"', "10_h").split()
    assert outcome([word.replace("10_h", "10 h") for word in words]) == 3
    (file,) = [word for word in words if "." in word and (folder / word).exists()]
    assert capsys.readouterr().err == (
        f"error[file.kind]: the file is {found}\n  --> {file}\n  expected: {expected}\n"
        + ("" if advice is None else f"  try:      {advice}\n")
    )


@pytest.mark.parametrize(
    ("words", "expected", "advice"),
    [
        (["audit", "empty.toml"], "evidence", "`simulate new evidence mine` writes one to begin with"),
        (["fit", "--evidence", "empty.toml"], "evidence", "`simulate new evidence mine` writes one to begin with"),
        (["trial", "--trial", "empty.toml"], "a trial", "`simulate new trial mine` writes one to begin with"),
        (["run", "empty.toml", "--end", "1 d"], "a scenario", "`simulate new scenario mine` writes one to begin with"),
        (["run", "empty.xml", "--end", "1 d"], "SBML", "load or write it again"),
    ],
)
def test_a_file_without_anything_is_empty(
    folder: Path, capsys: Capture, words: list[str], expected: str, advice: str
) -> None:
    assert outcome(words) == 3
    file = next(word for word in words if word.startswith("empty"))
    assert capsys.readouterr().err == (
        f"error[file.empty]: the file is empty\n  --> {file}\n  expected: {expected}\n  try:      {advice}\n"
    )


@pytest.mark.parametrize("words", [["run"], ["audit"], ["fit", "--evidence"], ["trial", "--trial"], ["check"]])
def test_a_folder_in_the_place_of_a_file_is_told_by_what_it_is(folder: Path, capsys: Capture, words: list[str]) -> None:
    assert outcome([*words, "mine"]) == 3
    assert capsys.readouterr().err == (
        "error[file.directory]: the path is a folder, not a file\n  --> mine\n  try:      name a file in it\n"
    )
    assert outcome([*words, "run"]) == 3
    assert capsys.readouterr().err == (
        "error[file.directory]: the path is a folder, not a file\n  --> run\n  found:    the directory of a run\n"
        "  try:      `simulate report run` tells what came out, `simulate runs repeat run` makes it again\n"
    )


def test_a_report_of_a_file_says_which_folder_is_meant(folder: Path, capsys: Capture) -> None:
    (folder / "run" / "changes.csv").write_text("a\n", encoding="utf-8")
    for file, advice in (
        ("scenario.toml", "`simulate run … --out mine && simulate report mine` makes a folder, and reports it"),
        ("run/changes.csv", "`simulate report run`, the folder that it is in"),
    ):
        assert outcome(["report", file]) == 3
        assert capsys.readouterr().err == (
            f"error[report.none]: this is a file, and a report is of a folder\n  --> {file}\n"
            f"  expected: a folder that a verb made, most of them with --out\n  try:      {advice}\n"
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", "untreated", "-n", "1e3"],
            "`--patients` takes a whole number\n  found:    `1e3`\n  expected: digits alone, such as 1000\n"
            "  try:      `--patients 1000`\n",
        ),
        (
            ["run", "untreated", "-n", "1,000"],
            "`--patients` takes a whole number\n  found:    `1,000`\n  expected: digits alone, such as 1000\n"
            "  try:      `--patients 1000`\n",
        ),
        (
            ["run", "untreated", "-n", "2.5"],
            "`--patients` takes a whole number\n  found:    `2.5`\n  expected: digits alone, such as 1000\n",
        ),
        (
            ["run", "untreated", "-n", "1,5"],
            "`--patients` takes a whole number\n  found:    `1,5`\n  expected: digits alone, such as 1000\n",
        ),
        (
            ["run", "untreated", "--rtol", "0,001"],
            "`--rtol` takes a number\n  found:    `0,001`\n"
            "  expected: digits with a decimal point, such as 0.1 or 1e-6\n  try:      `--rtol 0.001`\n",
        ),
    ],
)
def test_a_number_that_cannot_be_read_is_shown_with_the_one_that_was_meant(
    words: list[str], message: str, capsys: Capture
) -> None:
    assert outcome(words) == 2
    assert capsys.readouterr().err == f"error[usage.argument]: {message}"


SBML = '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core"><notes>\n<!-- n --><html/></notes></sbml>'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"<!-- of a drug, by hand -->\n{SBML}", "SBML"),
        (f'<?xml version="1.0"?>\n<!-- of a drug, by hand -->\n{SBML}', "SBML"),
        (f"<!-- {'long, ' * 400} -->\n{SBML}", "SBML"),
        (f"<!-- a page -->\n{PAGE}", "a web page (HTML)"),
        ('["a table"]\nx = 1', ""),
        ("[1]\nx = 1", "TOML"),
        ('[{"a": 1}]', "JSON"),
        ("[1, 2]", "JSON"),
        ('title "A drug, once"\n', ""),
        ("<<<<<<< HEAD\n", ""),
        ("# study = 5\nID,TIME\n", ""),
        ("# a model\n\n# of mine\n[species.A]\n", "TOML"),
        ('"ID","TIME (h)",AMT\n1,0,100\n', "a table (CSV)"),
    ],
)
def test_a_kind_is_not_told_by_what_stands_inside_it(text: str, found: str) -> None:
    assert content_kind(text.encode())[0] == found


def test_what_a_file_is_takes_no_longer_where_a_comment_has_many_parts() -> None:
    # Were each part a comment or not, there would be two to the power of 200 ways.
    assert content_kind(b"# " * 200 + b"\nsome words") == ("", "")


def test_a_command_that_takes_a_file_can_be_copied_whatever_its_name() -> None:
    assert taken_by("scenario", "my run.toml") == "`simulate run 'my run.toml'` takes it"
    assert (
        taken_by("population", "my own.toml") == 'a scenario takes it, by `population = "my own.toml"` under [cohort]'
    )


def test_a_population_of_occasions_or_retention_alone_is_one() -> None:
    assert {kind_of({name: [{}]}) for name in ("occasion", "retention")} == {"population"}


def test_no_two_kinds_share_a_table_and_what_is_nothing_known_is_nothing() -> None:
    tables = [table for own in TABLES.values() for table in own]
    assert len(tables) == len(set(tables))
    assert content_kind(b"some words, and more of them = nothing") == ("", "")
    assert kind_of({"schema": 1, "title": "x"}) == ""
