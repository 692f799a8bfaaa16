"""Run directories of all verbs: whole or absent, looked at before the work, seen by ``runs``."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.cli.app import outcome
from simulate.errors import InputError, MissingExtra
from simulate.files import file_hash, read_bytes
from simulate.inputs import given, is_folder, is_there, noted, noting
from simulate.manifest import keep_inputs, kept_inputs, seal
from simulate.results.catalog import FINISHED, entries_of, records_in, states_of_files
from simulate.results.provenance import asked
from simulate.results.result import Result
from simulate.store import read_manifest
from simulate.studies.models import keep_models, kept_model
from simulate.tabular import ResultTable

Capture = pytest.CaptureFixture[str]

VERBS = (
    ("design",), ("compare",), ("vpop",), ("trial",), ("predict",), ("reproduce",),
    ("sensitivity", "untreated", "-e", "ifng:change"), ("dose-response", "anakinra-100mg-daily"), ("calibrate",),
)  # fmt: skip


TABLE = ResultTable(("name", "value"), (("a", 0.1), ("b", None)))


def result(question: int, *, title: str = "a title", path: Path | None = None) -> Result[int]:
    with noting():
        if path is not None:
            read_bytes(path, str(path))
        origin = asked("design", {"n": question, "out": "here", "threads": 2}, out=None, force=False)
    return Result(origin, title, question, document={"verdict": "x"}, tables={"design": TABLE})


def test_a_verb_that_does_not_judge_has_no_verdict() -> None:
    assert result(3).passed is None
    assert repr(result(3)) == "design: a title\n  table `design`: 2 rows"


def failing() -> Figure:
    raise ValueError("no\n  room")


def blank() -> Figure:
    return Figure()


FAULT = (
    "error[internal.figure]: the figure `first` could not be drawn, by a fault of this program; all else is written\n"
    "  found:    ValueError: no room\n"
    "  expected: first.png and first.svg\n"
    "  try:      report it, with what `simulate --debug` prints of it and with the input, to the maintainers"
)


@pytest.mark.parametrize("step", ["drawing", "saving"])
def test_a_figure_that_cannot_be_drawn_costs_no_number(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step == "saving":
        monkeypatch.setattr("simulate.figures.style._short", lambda text: failing() if "<svg" in text else text)
    figures = {"first": failing if step == "drawing" else blank}
    others = {"second": blank} if step == "drawing" else {}
    with pytest.warns(RuntimeWarning) as warned:
        names = replace(result(3), figures=figures | others).write(tmp_path / "here")
    assert [str(one.message) for one in warned] == [FAULT]
    drawn = [f"second.{ending}" for ending in ("png", "svg")] if others else []
    assert names == ("design.csv", "design.json", "manifest.json", *drawn)
    assert {path.name for path in (tmp_path / "here").iterdir()} == set(names)
    entries = entries_of(tmp_path / "here")
    assert entries["undrawn"] == {"first": "ValueError: no room"}
    assert set(states_of_files(tmp_path / "here", entries).values()) == {"whole"}


def test_where_warnings_are_errors_the_rest_is_written_first(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            replace(result(3), figures={"first": failing}).write(tmp_path / "here")
    entries = entries_of(tmp_path / "here")
    assert entries["undrawn"] == {"first": "ValueError: no room"}
    assert set(states_of_files(tmp_path / "here", entries).values()) == {"whole"}


def test_a_command_whose_figure_cannot_be_drawn_prints_its_numbers_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("simulate.figures.time_course.time_course", lambda *_, **__: failing())
    words = ["run", "untreated", "-n", "2", "--end", "3 d", "--set", "model.fit=typical", "--out", "here"]
    assert outcome(words) == 1
    said = capsys.readouterr()
    assert "Levels" in said.out
    assert said.err.endswith(f"wrote here\n{FAULT.replace('first', 'time-course')}\n")
    assert "results.nc" in entries_of(Path("here"))["files"]
    assert outcome(["runs", "show", "here"]) == 0
    assert "\nnot drawn: time-course, ValueError: no room\n" in capsys.readouterr().out
    assert outcome([*words, "--force", "--debug"]) == 1
    assert "in failing\n" in capsys.readouterr().err
    assert outcome([*words, "--force", "--no-figures"]) == 0


def test_a_result_leaves_its_files_and_a_manifest_by_which_it_is_listed(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("a = 1", encoding="utf-8")
    found = result(3, path=mine)
    names = found.write(tmp_path / "here")
    assert names == ("design.csv", "design.json", "inputs/mine.toml", "manifest.json")
    assert all((tmp_path / "here" / name).is_file() for name in names)
    (record,) = records_in([tmp_path])
    assert (record.kind, record.title, record.state) == ("design", "a title", FINISHED)
    assert record.key == found.provenance.key
    entries = entries_of(tmp_path / "here")
    assert entries["arguments"] == {"n": 3}
    assert kept_inputs(tmp_path / "here", entries) == {str(mine): b"a = 1"}
    assert set(states_of_files(tmp_path / "here", entries).values()) == {"whole"}
    assert (tmp_path / "here" / "design.csv").read_text(encoding="utf-8") == "name,value\na,0.1\nb,\n"


def test_files_of_one_name_from_two_folders_are_both_kept(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.toml").write_text(folder, encoding="utf-8")
    with noting():
        for folder in ("one", "other"):
            read_bytes(tmp_path / folder / "a.toml", "a")
        read = noted()
    places = keep_inputs(tmp_path, read)
    assert list(places.values()) == ["inputs/a.toml", "inputs/a-2.toml"]
    assert [(tmp_path / place).read_text(encoding="utf-8") for place in places.values()] == ["one", "other"]


def test_a_manifest_of_a_stranger_reaches_no_file_outside_its_directory(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    digest = file_hash(tmp_path / "secret")
    (tmp_path / "here").mkdir()
    for place in ("../secret", str(tmp_path / "secret")):
        entries = {"inputs": {"mine": place}, "files": {place: digest}}
        with pytest.raises(InputError) as caught:
            kept_inputs(tmp_path / "here", entries)
        assert caught.value.code == "runs.changed"


def test_where_files_are_given_no_other_is_read(tmp_path: Path) -> None:
    (tmp_path / "there.toml").write_text("x", encoding="utf-8")
    with given({"mine/a.toml": b"kept"}):
        assert read_bytes(Path("mine/a.toml"), "a") == b"kept"
        assert read_bytes(Path("mine/../mine/a.toml"), "a") == b"kept"
        assert (is_there("mine/a.toml"), is_folder("mine"), is_folder("mine/a.toml")) == (True, True, False)
        assert not is_there(tmp_path / "there.toml")
        with pytest.raises(InputError) as caught:
            read_bytes(tmp_path / "there.toml", "there.toml")
    assert caught.value.code == "file.missing"
    assert read_bytes(tmp_path / "there.toml", "there.toml") == b"x"


def test_the_same_question_has_the_same_key_and_another_or_another_file_has_not(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("a", encoding="utf-8")
    key = result(3, path=mine).provenance.key
    assert result(3, path=mine, title="another").provenance.key == key
    assert result(4, path=mine).provenance.key != key
    mine.write_text("b", encoding="utf-8")
    assert result(3, path=mine).provenance.key != key


def test_an_earlier_answer_to_another_question_is_replaced_by_force_alone(tmp_path: Path) -> None:
    result(3, title="one").write(tmp_path / "here")
    result(3, title="one").write(tmp_path / "here")
    with pytest.raises(InputError) as caught:
        asked("design", {"n": 4}, out=tmp_path / "here", force=False)
    assert (caught.value.code, caught.value.found) == ("store.occupied", "one")
    assert asked("design", {"n": 4}, out=tmp_path / "here", force=True).key == result(4).provenance.key
    result(4).write(tmp_path / "here", force=True)
    assert entries_of(tmp_path / "here")["arguments"] == {"n": 4}


def test_a_disk_that_is_full_leaves_nothing_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(MissingExtra) as caught:
        result(3).write(tmp_path / "here")
    assert str(caught.value).splitlines()[:2] == [
        "error[store.unwritable]: the run directory cannot be written: no space left on device",
        f"  --> {tmp_path / 'here'}",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_every_verb_looks_at_its_folder_before_it_works(
    words: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("x", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "foreign")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    faults = {
        "foreign": "the folder is not empty, and it is not a run directory",
        "link": "the target is a symbolic link",
        "file": "the target is a file",
        "pipe": "the target is a file",
        "file/below": f"`{tmp_path / 'file'}` is not a folder",
    }
    for name, fault in faults.items():
        for options in ([], ["--force"]):
            assert outcome([*words, "--out", str(tmp_path / name), *options]) == 3
            assert capsys.readouterr().err.startswith(f"error[store.occupied]: {fault}\n  --> {tmp_path / name}\n")
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["thesis.txt"]
    assert read_manifest(tmp_path / "foreign") is None


@pytest.mark.parametrize("name", ["folder", "link", "pipe", "missing/report.html", "file/report.html"])
def test_a_report_looks_at_its_file_before_it_works(tmp_path: Path, capsys: Capture, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    assert outcome(["report", str(tmp_path), "--out", str(tmp_path / name), "--force"]) == 3
    fault = f"`{(tmp_path / name).parent}` is not a folder" if "/" in name else "the target is no file"
    assert capsys.readouterr().err.startswith(f"error[store.occupied]: {fault}\n  --> {tmp_path / name}\n")


@pytest.mark.skipif(os.name != "posix", reason="links need no right of their own on POSIX alone")
def test_a_link_of_a_stranger_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "time-course.png").write_bytes(b"x")
    seal(tmp_path / "here", {"kind": "run", "key": "k"}, ["time-course.png"])
    (tmp_path / "here" / "time-course.png").unlink()
    (tmp_path / "here" / "time-course.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path / "here")
    assert str(caught.value) == (
        "error[manifest.outside]: the file names another that is not in its folder\n"
        f"  --> {tmp_path / 'here' / 'manifest.json'}\n"
        "  found:    `time-course.png`\n"
        "  expected: files of the run directory alone, as this program writes them\n"
        "  try:      do not use the folder, and ask whoever made it"
    )


def test_models_whose_names_are_one_file_name_are_both_kept(tmp_path: Path) -> None:
    models = {name: reference_model(hypothesis_named(part)) for name, part in (("a/b", "H0"), ("a-b", "H4"))}
    kept = keep_models(tmp_path, models)
    assert [entry["file"] for entry in kept.values()] == ["models/a-b.toml", "models/a-b-2.toml"]
    assert [kept_model(tmp_path, entry) is not None for entry in kept.values()] == [True, True]


def test_the_model_of_a_hypothesis_in_a_file_has_that_ending_once(tmp_path: Path) -> None:
    model = reference_model(hypothesis_named("H0"))
    kept = keep_models(tmp_path, {"H1+brake.toml": model, "H1+brake": model, "mine.toml+H1": model})
    assert [entry["file"] for entry in kept.values()] == [
        "models/H1+brake.toml",
        "models/H1+brake-2.toml",
        "models/mine+H1.toml",
    ]
