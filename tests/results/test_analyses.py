"""Folders of analyses: whole or absent, looked at before the work, seen by ``runs``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from simulate.results.analyses import analysis_of, check_place, written

from simulate.cli.app import outcome
from simulate.errors import InputError, MissingExtra
from simulate.results.catalog import FINISHED, entries_of, records_in, states_of_files
from simulate.store import read_manifest

Capture = pytest.CaptureFixture[str]

VERBS = (
    ("design",), ("compare",), ("vpop",), ("trial",), ("predict",), ("reproduce",),
    ("sensitivity", "untreated", "-e", "ifng:change"), ("dose-response", "anakinra-100mg-daily"),
)  # fmt: skip


def test_an_analysis_leaves_its_files_and_a_manifest_by_which_it_is_listed(tmp_path: Path) -> None:
    analysis = analysis_of("design", {"n": 3, "names": ["H0", "H1"], "folder": Path("fits"), "out": None, "threads": 2})
    with written(analysis, tmp_path / "here", title="a title", force=False) as folder:
        (folder / "design.json").write_text("{}", encoding="utf-8")
    (record,) = records_in([tmp_path])
    assert (record.kind, record.title, record.state, record.key) == ("design", "a title", FINISHED, analysis.key)
    entries = entries_of(tmp_path / "here")
    assert entries["inputs"] == {"n": 3, "names": ["H0", "H1"], "folder": "fits"}
    assert states_of_files(tmp_path / "here", entries) == {"design.json": "whole"}


def test_the_same_question_has_the_same_key_and_another_or_another_file_has_not(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("a", encoding="utf-8")
    key = analysis_of("trial", {"n": 3, "fitted": mine, "force": False}).key
    assert analysis_of("trial", {"n": 3, "fitted": mine, "force": True, "as_json": True, "out": mine}).key == key
    assert analysis_of("trial", {"n": 4, "fitted": mine}).key != key
    assert analysis_of("vpop", {"n": 3, "fitted": mine}).key != key
    mine.write_text("b", encoding="utf-8")
    assert analysis_of("trial", {"n": 3, "fitted": mine}).key != key
    (tmp_path / "fits" / "H1").mkdir(parents=True)
    folder = analysis_of("compare", {"folder": tmp_path / "fits"}).key
    (tmp_path / "fits" / "H1" / "fit.json").write_text("{}", encoding="utf-8")
    assert analysis_of("compare", {"folder": tmp_path / "fits"}).key != folder


def test_an_earlier_answer_to_another_question_is_replaced_by_force_alone(tmp_path: Path) -> None:
    one, other = (analysis_of("trial", {"n": n}) for n in (3, 4))
    for again in range(2):
        with written(one, tmp_path / "here", title="one", force=False) as folder:
            (folder / f"{again}.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_place(other, tmp_path / "here", force=False)
    assert (caught.value.code, caught.value.found) == ("store.occupied", "one")
    check_place(other, tmp_path / "here", force=True)
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["1.json", "manifest.json"]


def test_a_disk_that_is_full_leaves_nothing_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with (
        pytest.raises(MissingExtra) as caught,
        written(analysis_of("trial", {}), tmp_path / "here", title="x", force=False) as folder,
    ):
        (folder / "trial.json").write_text("{}", encoding="utf-8")
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
