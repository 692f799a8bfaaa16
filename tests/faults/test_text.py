"""Rows 50 to 57 of the catalogue that no other test holds: encodings, zones, terminals."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulate.studies.datasets import read_dataset
from tests.faults.small import MODEL, SCENARIO, manifest_of, results_of, run, write_files


def bytes_of(folder: Path, model: bytes, scenario: bytes) -> dict[str, bytes]:
    folder.mkdir()
    (folder / "model.toml").write_bytes(model)
    (folder / "scenario.toml").write_bytes(scenario)
    assert run(folder / "scenario.toml", "--out", folder / "here") == 0
    return results_of(folder / "here")


def test_byte_order_marks_line_ends_and_a_missing_last_one_change_no_byte_of_a_result(tmp_path: Path) -> None:
    model, scenario = MODEL.encode(), SCENARIO.encode()
    plain = bytes_of(tmp_path / "plain", model, scenario)
    mark = b"\xef\xbb\xbf"
    assert bytes_of(tmp_path / "mark", mark + model, mark + scenario) == plain
    windows = (text.replace(b"\n", b"\r\n") for text in (model, scenario))
    assert bytes_of(tmp_path / "windows", *windows) == plain
    assert bytes_of(tmp_path / "cut", model.rstrip(), scenario.rstrip() + b"\t ") == plain


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
def test_the_zone_of_the_machine_is_in_no_result_and_the_manifest_has_utc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = bytes_of(tmp_path / "here", MODEL.encode(), SCENARIO.encode())
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        there = bytes_of(tmp_path / "there", MODEL.encode(), SCENARIO.encode())
        assert manifest_of(tmp_path / "there" / "here")["written"].endswith("+00:00")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert here == there


def test_every_number_of_the_summary_reads_back_as_that_of_the_results(tmp_path: Path) -> None:
    assert run(write_files(tmp_path), "--out", tmp_path / "here") == 0
    dataset = read_dataset(tmp_path / "here" / "results.nc")
    text = (tmp_path / "here" / "summary.csv").read_bytes().decode("ascii")
    rows = list(csv.DictReader(io.StringIO(text)))
    last = next(row for row in rows if row["visit"] == "day 4")
    assert float(last["median"]).hex() == float(dataset["X"][0, :, -1].median()).hex()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudoterminal")
@pytest.mark.parametrize(
    ("variable", "is_colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_color_is_for_terminals_that_want_it(variable: dict[str, str], is_colored: bool) -> None:
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "simulate", "rnu"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment | variable,
    )
    assert process.wait() == 2
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert b"error[usage.verb]" in shown.replace(b"\x1b[1;31m", b"").replace(b"\x1b[0m", b"")
    assert (b"\x1b" in shown) is is_colored
