"""`simulate runs`: what is there, what differs, what can go on and what can go."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from simulate.cli.app import outcome
from simulate.locks import locked
from simulate.studies.sweeps.running import run_sweep
from tests.studies.sweeps.small import contents, plan

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Stopped(Exception):
    """What ends a sweep in a test."""


def begin(target: Path) -> None:
    """A sweep that ends after its second part."""
    advanced: list[int] = []

    def count(rows: int) -> None:
        advanced.append(rows)
        if len(advanced) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        run_sweep(plan(part_size=3), target, progress=count)


def runs(capsys: Capture, *arguments: str) -> dict[str, object]:
    assert outcome(["runs", *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_runs_are_listed_with_their_state_and_resumed_to_the_same_bytes(folder: Path, capsys: Capture) -> None:
    run_sweep(plan(), folder / "runs" / "whole")
    begin(folder / "runs" / "begun")
    (folder / "runs" / "other").mkdir()
    rows = runs(capsys, "list")["runs"]
    assert isinstance(rows, list)
    assert [(row["directory"], row["state"], row["parts"]) for row in rows] == [
        ("runs/begun", "unfinished", [2, 4]),
        ("runs/whole", "finished", None),
    ]
    with locked(folder / "runs" / "begun"):
        assert [row["state"] for row in runs(capsys, "list", "runs/begun")["runs"]] == ["running"]  # type: ignore[attr-defined]
    for words in (["runs", "list"], ["runs"]):
        assert outcome(words) == 0
        assert "unfinished: 2 of 4 parts" in capsys.readouterr().out
    assert outcome(["runs", "resume", "runs/begun"]) == 0
    assert capsys.readouterr().err == "2 of 4 parts are there; going on\nwrote runs/begun\n"
    assert contents(folder / "runs" / "begun") == contents(folder / "runs" / "whole")


def test_a_run_is_shown_with_the_state_of_its_files(folder: Path, capsys: Capture) -> None:
    run_sweep(plan(), folder / "here")
    (folder / "here" / "summary.csv").write_text("x", encoding="utf-8")
    (folder / "here" / "quantiles.nc").unlink()
    assert runs(capsys, "show", "here")["states"] == {
        "changes.csv": "whole",
        "inputs/anakinra-100mg-daily.toml": "whole",
        "models/H1+H6.toml": "whole",
        "sweep.json": "whole",
        "quantiles.nc": "missing",
        "results.nc": "whole",
        "summary.csv": "changed",
    }
    assert outcome(["runs", "show", "here"]) == 0
    shown = capsys.readouterr().out
    assert "sweep, finished, " in shown
    assert "\npatients = 3\nseed = 5\n" in shown
    assert re.search(r"\nend = [0-9.]+ d\n", shown)
    assert "counters: n 12, n_ok 12\n" in shown
    begin(folder / "begun")
    assert outcome(["runs", "show", "begun"]) == 0
    assert "sweep, unfinished, 2 of 4 parts, " in capsys.readouterr().out


def test_the_one_input_that_differs_is_named_with_what_it_changed(folder: Path, capsys: Capture) -> None:
    run_sweep(plan("dose=10,100"), folder / "a")
    run_sweep(plan("dose=10,30,100", patients=4), folder / "b")
    found = runs(capsys, "diff", "a", "b")
    assert [change["name"] for change in found["changes"]] == ["patients", "axes.dose"]  # type: ignore[attr-defined]
    assert [(row["quantity"], row["different"], row["values"]) for row in found["effects"]] == [  # type: ignore[attr-defined]
        ("ifng", 0, 24),
        ("ck", 0, 24),
    ]
    assert found["only"] == ["the second alone has the arm `dose 30 mg`", "the second alone has 1 patient"]
    assert outcome(["runs", "diff", "a", "b"]) == 0
    assert "every number that both have is the same\n" in capsys.readouterr().out

    for name, f_m in (("c", "0.2"), ("d", "0.3")):
        arguments = ["--patients", "3", "--set", "time.end=3 d", "--set", f"f_m={f_m}", "--no-figures", "--out", name]
        quantities = 'outputs.quantities=["naive", "signal_muscle"]'
        populations = ["--fit", "shipped", "--draws", "2"]
        assert outcome(["run", "anakinra-100mg-daily", *populations, *arguments, "--set", quantities]) == 0
    capsys.readouterr()
    assert outcome(["runs", "diff", "c", "d"]) == 0
    shown = capsys.readouterr().out
    assert "changed signal_muscle; the same to the bit: naive\n" in shown
    found = runs(capsys, "diff", "c", "d")
    effect = found["effects"][1]  # type: ignore[index]
    assert (effect["quantity"], effect["values"], effect["arms"]) == ("signal_muscle", 24, ["anakinra 100 mg/d"])
    assert effect["different"] > 0
    sizes = abs(effect["before"] - effect["after"]) / max(effect["before"], effect["after"])
    assert effect["largest"] == pytest.approx(sizes, rel=1e-12)


def test_what_was_asked_twice_is_the_same_twice(folder: Path, capsys: Capture) -> None:
    run_sweep(plan("dose=10,100"), folder / "a")
    run_sweep(plan("dose=10,100"), folder / "b")
    assert outcome(["runs", "diff", "a", "b"]) == 0
    assert capsys.readouterr().out == "what was asked is the same, and so is every number\n"


def test_only_what_nobody_needs_is_tidied_away(folder: Path, capsys: Capture) -> None:
    run_sweep(plan("dose=10,100"), folder / "runs" / "whole")
    (folder / "runs" / "whole" / "parts").mkdir()
    (folder / "runs" / "whole" / "parts" / "1.part").write_text("x", encoding="utf-8")
    (folder / "runs" / ".il1sim-0.tmp").mkdir()
    (folder / "runs" / "notes.txt").write_text("x", encoding="utf-8")
    begin(folder / "runs" / "begun")
    (folder / "runs" / "begun" / "parts" / ".il1sim-1.tmp").write_text("x", encoding="utf-8")
    before = sorted(folder.rglob("*"))
    expected = ["runs/.il1sim-0.tmp", "runs/begun/parts/.il1sim-1.tmp", "runs/whole/parts"]
    assert runs(capsys, "gc", "--dry-run") == {"removed": [], "found": expected, "freed": 0}
    assert sorted(folder.rglob("*")) == before
    assert runs(capsys, "gc") == {"removed": expected, "found": expected, "freed": 2}
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["begun", "notes.txt", "whole"]
    with locked(folder / "runs" / "begun"):
        assert runs(capsys, "gc", "--unfinished")["removed"] == []
    assert runs(capsys, "gc", "--unfinished")["removed"] == ["runs/begun"]
    assert contents(folder / "runs" / "whole")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["."],
            2,
            "error[usage.argument]: there is no `runs .`\n"
            "  expected: `list`, `show`, `diff`, `resume`, `gc`, `repeat`\n"
            "  try:      `simulate runs list .`, or `simulate runs show .`\n",
        ),
        (
            ["lst"],
            2,
            "error[usage.argument]: there is no `runs lst`\n"
            "  expected: `list`, `show`, `diff`, `resume`, `gc`, `repeat`\n  try:      did you mean `list`?\n",
        ),
        (["diff", "a"], 2, "error[usage.argument]: `runs diff` takes 2 directories\n  found:    1\n"),
        (
            ["show", "nowhere"],
            3,
            "error[runs.none]: there is no such folder\n  --> nowhere\n"
            "  expected: a folder that a verb made, such as `simulate run`\n"
            "  try:      `simulate runs list FOLDER` shows those in a folder\n",
        ),
        (
            ["list", "begun", "nowhere"],
            3,
            "error[runs.none]: there is no such folder\n  --> nowhere\n"
            "  expected: a folder with run directories\n"
            "  try:      without a folder those in runs and fits are meant\n",
        ),
        (
            ["gc", "nowhere"],
            3,
            "error[runs.none]: there is no such folder\n  --> nowhere\n"
            "  expected: a folder with run directories\n"
            "  try:      without a folder those in runs and fits are meant\n",
        ),
        (
            ["diff", "begun", "begun"],
            3,
            "error[runs.results]: the run has no results\n  --> begun\n"
            "  try:      if it is a sweep, `simulate runs resume begun` finishes it\n",
        ),
    ],
)
def test_what_runs_cannot_do_is_said_in_full(
    folder: Path, capsys: Capture, arguments: list[str], code: int, message: str
) -> None:
    begin(folder / "begun")
    assert outcome(["runs", *arguments]) == code
    assert capsys.readouterr().err == message


def test_no_runs_are_an_answer_too(folder: Path, capsys: Capture) -> None:
    assert outcome(["runs", "list"]) == 0
    assert capsys.readouterr().out == "no run directories in runs, fits\n"
