"""A run is made again from its directory alone, and its report needs nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import simulate
from simulate.cli.app import outcome
from simulate.files import file_hash
from simulate.manifest import manifest_text, read_manifest
from simulate.results.html_report import Purpose, report
from tests.faults.small import MODEL, SCENARIO, run

Capture = pytest.CaptureFixture[str]

DOSES = "ID,TIME,AMT,EVID\n7,0,1,1\n7,24,2,1\n8,12,5,1\n"
HYPOTHESIS = '[hypothesis]\nname = "slow"\ntitle = "the drug is lost slowly"\n\n[hypothesis.constraints]\nk = 0.25\n'
TABLED = SCENARIO.replace(
    'regimen = "1 mg iv every 1 d until 3 d"', 'doses = { file = "own/doses.csv", time = "h", amount = "mg" }'
).replace('file = "model.toml"', 'file = "own/model.toml"\nhypothesis = "own/slow.toml"')


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run of a user's model, hypothesis and dose table, in a folder where nothing else is left."""
    home = tmp_path_factory.mktemp("home")
    (home / "own").mkdir()
    for name, text in (("own/model.toml", MODEL), ("own/slow.toml", HYPOTHESIS), ("own/doses.csv", DOSES)):
        (home / name).write_text(text, encoding="utf-8")
    (home / "mine.toml").write_text(TABLED, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert run("mine.toml", "--out", "made") == 0
    shutil.rmtree(home / "own")
    (home / "mine.toml").unlink()
    return home / "made"


def test_files_of_the_user_are_in_the_directory_byte_for_byte(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    texts = {name: (made / place).read_text(encoding="utf-8") for name, place in manifest["inputs"].items()}
    own = {"mine.toml": TABLED, "own/doses.csv": DOSES, "own/model.toml": MODEL, "own/slow.toml": HYPOTHESIS}
    assert {name: text for name, text in texts.items() if not name.startswith("shipped:")} == own


def test_a_run_is_the_same_again_from_its_directory_in_another_place(
    made: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(made, moved)
    monkeypatch.chdir(tmp_path)
    # Files of the same names that are there are not those of the run.
    (tmp_path / "mine.toml").write_text("x", encoding="utf-8")
    assert outcome(["runs", "repeat", "moved", "--out", "again"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "the same to the bit: changes.csv, results.nc, summary.csv\n"
    assert shown.err == "wrote again\n"
    for name in ("results.nc", "inputs/doses.csv", "models/slow.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (made / name).read_bytes()


def test_a_result_that_is_not_the_same_again_ends_with_5(made: Path, tmp_path: Path, capsys: Capture) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(made, moved)
    # As if the run had given another number: its manifest is whole, and so is the file.
    (moved / "summary.csv").write_text("quantity\n", encoding="utf-8")
    entries = read_manifest(moved)
    assert entries is not None
    entries["files"]["summary.csv"] = file_hash(moved / "summary.csv")
    (moved / "manifest.json").write_text(manifest_text(entries), encoding="utf-8")
    assert outcome(["runs", "repeat", str(moved)]) == 5
    assert capsys.readouterr().err == (
        "error[runs.repeat]: the run is not the same again\n"
        "  found:    summary.csv\n"
        "  expected: the same bytes in every file of results\n"
        "  try:      `simulate runs diff` says how far apart two directories are; versions and sources are the same: "
        "report it to the maintainers\n"
    )
    assert simulate.repeat(moved).differing == ("summary.csv",)
    # As if another state of the sources had made it.
    now = entries["versions"]["code"]
    entries["versions"]["code"] = "0123456789ab"
    (moved / "manifest.json").write_text(manifest_text(entries), encoding="utf-8")
    assert outcome(["runs", "repeat", str(moved)]) == 5
    assert capsys.readouterr().err == (
        "error[runs.repeat]: the run is not the same again: it was made by other versions\n"
        f"  found:    summary.csv; code 0123456789ab is now {now}\n"
        "  expected: the same bytes in every file of results where all versions are the same; under others, bits may "
        "differ\n"
        "  try:      `simulate runs diff` says how far apart two directories are; the versions of then, which "
        f"`simulate runs show {moved}` names, give the bits of then\n"
    )


def test_an_input_that_was_changed_is_not_believed(made: Path, tmp_path: Path, capsys: Capture) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(made, moved)
    (moved / "inputs" / "doses.csv").write_text("x", encoding="utf-8")
    assert outcome(["runs", "repeat", str(moved)]) == 3
    assert capsys.readouterr().err.startswith(
        f"error[runs.changed]: the file is not as it was written\n  --> {moved / 'inputs' / 'doses.csv'}\n"
    )


def asked_otherwise(made: Path, place: Path, **change: object) -> Path:
    """A copy of a directory whose manifest says something else, and is whole."""
    shutil.copytree(made, place)
    entries = read_manifest(place)
    assert entries is not None
    (place / "manifest.json").write_text(manifest_text(entries | change), encoding="utf-8")
    return place


def test_a_manifest_of_a_stranger_cannot_say_where_a_run_is_written(made: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    shutil.copytree(made, precious)
    before = (precious / "manifest.json").read_bytes()
    arguments = json.loads(before)["arguments"]
    asked = {"hypotheses": ["none"], "out": str(precious), "force": True}
    hostile = asked_otherwise(made, tmp_path / "hostile", kind="side-by-side", arguments=arguments | asked)
    assert simulate.repeat(hostile, out=tmp_path / "new").differing
    assert (precious / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "found"),
    [({"kind": "guess"}, "`guess`"), ({"arguments": {"scenario": "mine.toml", "luck": 3}}, "`luck`")],
)
def test_a_run_of_another_version_is_said_to_be_one(
    made: Path, tmp_path: Path, capsys: Capture, change: dict[str, object], found: str
) -> None:
    moved = asked_otherwise(made, tmp_path / "moved", **change)
    assert outcome(["runs", "repeat", str(moved)]) == 3
    assert capsys.readouterr().err == (
        f"error[runs.asked]: the run was asked in a way that this version does not know\n  --> {moved}\n"
        f"  found:    {found}\n"
        f"  try:      repeat it with the version that made it, which `simulate runs show {moved}` names\n"
    )


def test_a_sweep_that_is_not_finished_is_not_repeated(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "sweep.json").write_text(manifest_text({"kind": "sweep"}), encoding="utf-8")
    assert outcome(["runs", "repeat", str(tmp_path)]) == 3
    assert capsys.readouterr().err == (
        f"error[runs.unfinished]: the sweep is not finished\n  --> {tmp_path}\n"
        f"  try:      go on with it first: `simulate runs resume {tmp_path}`\n"
    )


def test_a_report_shows_the_model_and_what_each_patient_of_the_table_is_given(made: Path) -> None:
    text = report(made, Purpose())
    assert "<h3>Doses of treated</h3>" in text
    assert "2 mg iv from 1 d" in text
    assert "<td>5 mg iv from 0.5 d</td>" in text
    assert "hypothesis slow" in text
    assert "<mi>X</mi>" in text
    assert "A sample was solved again" in text


def test_files_that_are_not_as_they_were_written_are_named(made: Path, tmp_path: Path, capsys: Capture) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(made, moved)
    (moved / "results.nc").unlink()
    with (moved / "summary.csv").open("a", encoding="utf-8") as file:
        file.write("1\n")
    assert outcome(["runs", "repeat", str(moved)]) == 3
    told = capsys.readouterr()
    assert told.out == "the same to the bit: changes.csv\n"
    assert told.err.endswith(
        "error[runs.damaged]: files of the run are not as they were written\n"
        f"  --> {moved}\n"
        "  found:    results.nc is missing, summary.csv is changed\n"
        "  expected: the files that the manifest names, with their bytes\n"
        "  try:      write the run anew with `--out DIR`: what it gives now is what they were\n"
    )
