"""Rows 1 to 12 of the catalogue that no other test holds: malformed input."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.studies.fitting.posterior import read_posterior
from tests.faults.small import MODEL, SCENARIO, run, write_files

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("kind", ["empty", "missing", "folder", "binary", "random"])
def test_whatever_is_no_scenario_is_one_error_that_names_its_path(tmp_path: Path, capsys: Capture, kind: str) -> None:
    path = tmp_path / "given.toml"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        content = {"empty": b"", "binary": b"\x7fELF\x02\x01\x01\x00", "random": bytes(range(256))}[kind]
        path.write_bytes(content)
    assert run(path) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second, *_ = captured.err.splitlines()
    assert first.startswith("error[")
    assert "Traceback" not in captured.err
    assert second.startswith(f"  --> {path}")


@pytest.mark.parametrize("name", ["\u212a", "\ufb01t", "e\u0301", "ｋ", "k\u200b", "k ", "1k", "a;import os", "x\ny"])
def test_a_name_that_looks_like_another_or_is_none_is_refused(tmp_path: Path, capsys: Capture, name: str) -> None:
    escaped = "".join(letter if " " <= letter <= "~" else f"\\u{ord(letter):04x}" for letter in name)
    model = MODEL.replace('k = "0.5', f'"{escaped}" = "0.5')
    assert run(write_files(tmp_path, model=model)) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith("error[")
    assert "model.toml:2" in captured.err
    assert not list(tmp_path.glob("runs"))


@pytest.mark.parametrize(
    "value",
    [
        *('"0.5e 1/d"', '"0x1 1/d"', '"1_0 1/d"', '"５ 1/d"', '"nan 1/d"', '"inf 1/d"', '"1e999 1/d"', '"0,5 1/d"'),
        *('" 1/d"', "true", "[1]", "1e999"),
    ],
)
def test_a_value_that_is_no_plain_number_is_refused_at_its_line(tmp_path: Path, capsys: Capture, value: str) -> None:
    assert run(write_files(tmp_path, model=MODEL.replace('"0.5 1/d"', value))) == 3
    error = capsys.readouterr().err
    assert error.startswith("error[")
    assert "model.toml:2" in error


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("patients = 3", "patients = 3\npatients = 4"),
        ("patients = 3", "patients = true"),
        ("patients = 3", "patients = 1.5"),
        ("patients = 3", 'patients = "3"'),
        ("patients = 3", "patients = [3]"),
        ("patients = 3", "patients = 3000000000"),
        ("patients = 3", "patients = 3\nseed = 18446744073709551616"),
        ("patients = 3", "patients = 3\nseed = -1"),
        ('end = "4 d"', 'end = "0 d"'),
        ('end = "4 d"', 'end = "-4 d"'),
        ('end = "4 d"', 'end = "nan d"'),
        ('end = "4 d"', 'end = "4 d"\nevery = "0 d"'),
        ("1 mg iv", "-1 mg iv"),
        ("1 mg iv", "nan mg iv"),
        ("1 mg iv", "1 mg gut"),
        ('name = "treated"', 'name = ""'),
        ("schema = 1", "schema = 1\nx = " + "[" * 100_000),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_at_its_line_before_any_work(
    tmp_path: Path, capsys: Capture, before: str, after: str
) -> None:
    assert run(write_files(tmp_path, scenario=SCENARIO.replace(before, after))) == 3
    error = capsys.readouterr().err
    assert error.startswith("error[")
    assert "scenario.toml" in error.splitlines()[1]
    assert len(error) < 2_000


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_of_a_fit_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    shipped = Path(__file__).resolve().parents[2] / "parameters" / "fit" / "abstract" / "H0.json"
    text = shipped.read_text(encoding="utf-8")
    start = text.index('"log_evidence": ') + len('"log_evidence": ')
    end = min(text.index(mark, start) for mark in ",\n")
    path = tmp_path / "fit.json"
    path.write_text(text[:start] + number + text[end:], encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_posterior(path)
    assert caught.value.code == "fit.file"


def test_a_key_of_a_fit_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    path.write_text('{"program": "il1sim", "program": "other"}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_posterior(path)
    assert caught.value.found == "ValueError: the key 'program' occurs twice"
