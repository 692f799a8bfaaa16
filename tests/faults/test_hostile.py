"""Rows 41 to 49 of the catalogue that no other test holds: input that wants to do something."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from simulate.cli.app import outcome
from tests.faults.small import MODEL, SCENARIO, run, write_files

Capture = pytest.CaptureFixture[str]

HOSTILE = (
    "__import__('os').system('touch pwned')",
    "().__class__.__mro__",
    "exp.__globals__",
    "lambda: 0",
    "[x for x in (1,)]",
    'f"{1}"',
    "k if 1 else 2",
    "(y:=1)",
    "exp(*k)",
    "k\nimport os",
)
DOORS = ("rate", "change", "parameter", "initial", "name", "regimen", "setting", "quantity", "hypothesis", "end")


def spoiled(folder: Path, door: str, text: str) -> list[str]:
    """Arguments of a run in which the text stands where the door is."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    model = {
        "rate": MODEL.replace('"k*X"', quoted),
        "change": MODEL.replace("{ X = -1 }", f"{{ X = {quoted} }}"),
        "parameter": MODEL.replace('"0.5 1/d"', quoted),
        "initial": MODEL.replace("initial = 1", f"initial = {quoted}"),
        "name": MODEL.replace("[species.X]", f"[species.{quoted}]"),
    }.get(door, MODEL)
    scenario = {
        "regimen": SCENARIO.replace('"1 mg iv every 1 d until 3 d"', quoted),
        "end": SCENARIO.replace('"4 d"', quoted),
    }.get(door, SCENARIO)
    path = str(write_files(folder, model=model, scenario=scenario))
    options = {
        "setting": ["--set", f"k={text}"],
        "quantity": ["--set", f"outputs.quantities=[{quoted}]"],
        "hypothesis": ["--hypothesis", text],
    }
    return ["run", path, *options.get(door, []), "--no-figures"]


@pytest.mark.parametrize("door", DOORS)
def test_code_in_the_place_of_a_value_is_refused_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, door: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in HOSTILE:
        assert outcome(spoiled(tmp_path, door, text)) in (2, 3), text
        captured = capsys.readouterr()
        assert captured.err.startswith("error["), text
        assert captured.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.toml", "scenario.toml"]


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "trap.toml"],
        ["check", "trap.csv"],
        ["check", "trap.toml"],
        ["reproduce", "--fit", "trap.json"],
        ["run", "untreated", "--hypothesis", "trap.toml"],
    ],
    ids=" ".join,
)
def test_a_pickle_is_no_input_and_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for ending in ("toml", "csv", "json"):
        (tmp_path / f"trap.{ending}").write_bytes(pickle.dumps(_Trap()))
    assert outcome(arguments) in (2, 3)
    assert capsys.readouterr().err.startswith("error[")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/x", "a/b", "CON", ".", "=cmd|'/c calc'!A1", "<script>alert(1)</script>"]
)
def test_a_name_is_data_and_makes_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    scenario = write_files(
        inner, scenario=SCENARIO.replace('"treated"', f'"{name}"').replace("a drug that is lost", name)
    )
    assert run(scenario, figures=True) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    (made,) = (inner / "runs").iterdir()
    assert made.name.startswith("scenario-")
    assert f",{name}," in (made / "summary.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["title", "arm", "quantity"])
def test_terminal_escapes_of_a_file_are_shown_and_not_obeyed(tmp_path: Path, capsys: Capture, place: str) -> None:
    escape = "\\u001b]0;x\\u0007"
    scenario = {
        "title": SCENARIO.replace("a drug that is lost", f"a {escape} drug"),
        "arm": SCENARIO.replace('"treated"', f'"{escape}"') + '\n[[arm]]\nname = "b"\nregimen = "none"\n',
        "quantity": SCENARIO,
    }[place]
    model = MODEL.replace('"drug"', f'"{escape}"') if place == "quantity" else MODEL
    code = run(write_files(tmp_path, model=model, scenario=scenario), "--out", tmp_path / "here")
    captured = capsys.readouterr()
    assert code in (0, 3)
    assert "\x1b" not in captured.out + captured.err
    assert "\x07" not in captured.out + captured.err


def test_a_link_in_the_way_is_refused_and_its_target_untouched(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "target"
    target.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    assert run(write_files(tmp_path), "--out", link) == 3
    assert "symbolic link" in capsys.readouterr().err
    assert list(target.iterdir()) == []
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    assert run(write_files(tmp_path), "--out", dangling) == 3
    assert not (tmp_path / "nowhere").exists()
