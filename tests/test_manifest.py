"""Manifests and results are believed only as they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.manifest import MANIFEST, manifest_text, read_manifest
from simulate.results.catalog import DAMAGED, leftovers, records_in
from simulate.store import check_target
from tests.faults.small import run, write_files

Capture = pytest.CaptureFixture[str]

ENTRIES: dict[str, Any] = {"key": "1", "title": "µ", "size": {"arms": 2, "share": 0.1}, "list": [1, None, -0.0, 1e300]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert run(write_files(folder), "--out", folder / "runs" / "here") == 0
    return folder / "runs" / "here"


def test_a_manifest_reads_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(manifest_text(ENTRIES), encoding="utf-8")
    assert read_manifest(tmp_path) == {"program": "il1sim", **ENTRIES}


def test_a_manifest_with_any_value_changed_is_not_believed(tmp_path: Path) -> None:
    written = json.loads(manifest_text(ENTRIES))
    for name in written:
        if name != "program":
            (tmp_path / MANIFEST).write_text(json.dumps({**written, name: None}), encoding="utf-8")
            with pytest.raises(InputError) as caught:
                read_manifest(tmp_path)
    assert str(caught.value) == (
        f"error[manifest.changed]: the file is not as it was written\n  --> {tmp_path / MANIFEST}\n"
        "  try:      make the run anew in another folder; what is in a changed file is not believed"
    )
    (tmp_path / MANIFEST).write_text(json.dumps({**written, "program": None}), encoding="utf-8")
    assert read_manifest(tmp_path) is None
    (tmp_path / MANIFEST).write_text("[" * 100_000, encoding="utf-8")
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize("name", ["../secret.png", "/etc/secret.png", "a/../../secret.png", "C:\\\\secret.png"])
def test_a_manifest_that_names_a_file_elsewhere_is_not_used(tmp_path: Path, name: str) -> None:
    for change in ({"files": {name: "0"}}, {"inputs": {"own.toml": name}}, {"models": {"H0": {"file": name}}}):
        (tmp_path / MANIFEST).write_text(manifest_text({**ENTRIES, **change}), encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_manifest(tmp_path)
        assert str(caught.value) == (
            f"error[manifest.outside]: the file names another that is not in its folder\n  --> {tmp_path / MANIFEST}\n"
            f"  found:    `{name}`\n"
            "  expected: files of the run directory alone, as this program writes them\n"
            "  try:      do not use the folder, and ask whoever made it"
        )


def spoiled(made: Path, change: dict[str, object]) -> str:
    """Text of the manifest before it was changed."""
    text = (made / MANIFEST).read_text(encoding="utf-8")
    (made / MANIFEST).write_text(json.dumps(json.loads(text) | change), encoding="utf-8")
    return text


@pytest.mark.parametrize("name", ["scenario", "counters", "versions", "files", "key", "title", "failures", "inputs"])
def test_no_verb_stumbles_over_a_null_in_a_manifest(made: Path, capsys: Capture, name: str) -> None:
    text = spoiled(made, {name: None})
    try:
        (record,) = records_in([made.parent])
        assert record.state == DAMAGED
        assert leftovers([made.parent], unfinished=True) == ()
        assert outcome(["runs", "list", str(made.parent)]) == 0
        capsys.readouterr()
        for words in (["runs", "show"], ["runs", "diff", str(made)], ["report"]):
            assert outcome([*words, str(made)]) == 3
            assert capsys.readouterr().err.startswith(
                f"error[manifest.changed]: the file is not as it was written\n  --> {made / MANIFEST}\n"
            )
        with pytest.raises(InputError, match="the file is not as it was written"):
            check_target(made, key="", force=True)
    finally:
        (made / MANIFEST).write_text(text, encoding="utf-8")


def test_every_verb_says_of_a_folder_that_is_no_run_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("cut").mkdir()
    Path("cut/manifest.json").write_text('{"program": "il1', encoding="utf-8")
    Path("table.csv").write_text("a,b\n", encoding="utf-8")
    said = {
        "empty": "a folder without manifest.json",
        "cut": "a folder whose manifest.json was cut short, or is of another program",
        "table.csv": "a file; a run is a folder",
    }
    for name, found in said.items():
        for words in (["runs", "show"], ["runs", "repeat"], ["runs", "diff", name], ["runs", "resume"], ["tidy"]):
            assert outcome([*words, name]) == 3
            shown = capsys.readouterr().err
            assert f"\n  --> {name}\n  found:    {found}\n  expected: " in shown
            assert "\n  try:      `simulate runs " in shown


def test_every_verb_says_that_a_file_of_a_run_is_missing(made: Path, capsys: Capture) -> None:
    results = made / "results.nc"
    aside = results.rename(made / "aside")
    try:
        for words in (["runs", "diff", str(made)], ["report", "--no-error"], ["tidy"]):
            assert outcome([*words, str(made)]) == 3
            assert capsys.readouterr().err == (
                f"error[runs.changed]: the file of the run is missing\n  --> {results}\n"
                "  try:      make the run anew, with --force in the same folder\n"
            )
        assert outcome(["runs", "resume", str(made)]) == 3
        assert capsys.readouterr().err == (
            f"error[sweep.none]: the run is finished, and no sweep: there is nothing to go on with\n  --> {made}\n"
            "  found:    a run directory of `run`\n  expected: a folder with a file sweep.json\n"
            f"  try:      `simulate runs show {made}` says what is in it\n"
        )
    finally:
        aside.rename(results)


@pytest.mark.parametrize("place", [0, 100, 2000, -50])
def test_no_verb_stumbles_over_damaged_results(made: Path, capsys: Capture, place: int) -> None:
    results = made / "results.nc"
    whole = results.read_bytes()
    harmed = bytearray(whole)
    harmed[place] ^= 0x10
    results.write_bytes(harmed)
    try:
        for words in (["runs", "diff", str(made)], ["report", "--no-error"]):
            assert outcome([*words, str(made)]) == 3
            assert capsys.readouterr().err == (
                f"error[runs.changed]: the file is not as it was written\n  --> {results}\n"
                "  try:      make the run anew, with --force in the same folder\n"
            )
    finally:
        results.write_bytes(whole)
    assert outcome(["runs", "diff", str(made), str(made)]) == 0
