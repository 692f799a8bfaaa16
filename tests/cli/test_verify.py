"""`simulate verify` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulate
import simulate.studies.errors_made as errors_made
from simulate.cli.app import outcome
from tests.cli.test_times_of_models import decay

Capture = pytest.CaptureFixture[str]

SMALL = ("--patients", "3", "--set", "time.end=3 d", "--set", "model.fit=typical")


def test_verify_prints_two_tables_and_a_verdict(capsys: Capture) -> None:
    assert outcome(["verify", "untreated", *SMALL]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0] == "the same bits, however it is solved"
    assert any(line.split() == ["in", "another", "order", "3", "none"] for line in lines)
    assert lines[-1].startswith("verified: untreated, hypothesis ")
    assert "largest error" in lines[-1]
    assert "\x1b" not in captured.out


def test_a_model_of_another_program_is_verified(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "decay.xml").write_text(decay("hour"), encoding="utf-8")
    model = [str(tmp_path / "decay.xml"), "--end", "5", "--every", "1", "--vary", "k.cv=0.3", "-n", "4"]
    assert outcome(["verify", *model, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["passed"], document["patients"]) == (True, 4)
    assert [row["quantity"] for row in document["errors"]] == ["x"]
    assert outcome(["verify", *model[:5]]) == 0
    said = capsys.readouterr().out
    assert "verified: decay, 1 patient; " in said
    assert said.count("(1 trajectory)") == 2
    assert outcome(["verify", str(tmp_path / "decay.xml")]) == 3
    assert "an SBML file does not say how long it is to be solved" in capsys.readouterr().err


def test_verify_in_json_holds_everything_that_was_compared(capsys: Capture) -> None:
    assert outcome(["verify", "dose-arms", *SMALL, "--seed", "4", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is True
    assert document["faults"] == []
    assert (document["patients"], document["arms"], document["failed"]) == (3, 4, 0)
    assert {row["differing"] for row in document["repetitions"]} == {0}
    assert {row["trajectories"] for row in document["judges"]} == {12, 3}
    columns = {"quantity", "unit", "relative", "ratio", "undefined", "arm", "patient", "day"}
    assert columns == set(document["errors"][0])
    assert {"il1sim", "numpy", "numba", "machine"} <= set(document["versions"])


def test_what_is_not_as_promised_is_an_error_with_its_own_exit_code(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors_made, "LIMIT", 0.0)
    assert outcome(["verify", "untreated", *SMALL, "--json"]) == 5
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["passed"] is False
    assert document["error"]["code"] == "verify.failed"
    assert captured.err.startswith("error[verify.failed]: the scenario `untreated` is not solved as promised\n")
    assert "of its value (patient " in captured.err
    assert "expected: the same bits in every way of solving, and errors within their limits\n" in captured.err


def test_from_python_a_result_says_whether_it_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"patients": 3, "settings": {"time.end": "3 d", "model.fit": "typical"}}
    found = simulate.verify("untreated", **few)
    assert (found.passed, found.faults) == (True, ())
    assert repr(found).splitlines()[1] == "  passed"
    monkeypatch.setattr(errors_made, "LIMIT", 0.0)
    found = simulate.verify("untreated", **few)
    assert found.passed is False
    assert found.faults == found.value.faults
    assert repr(found).splitlines()[1:] == [
        *(f"  NOT passed: {fault}" for fault in found.faults),
        f"  table `repetitions`: {len(found.tables['repetitions'])} rows",
        f"  table `errors`: {len(found.tables['errors'])} rows",
    ]


def test_where_no_tolerance_is_tighter_nothing_is_judged(capsys: Capture) -> None:
    assert outcome(["verify", "untreated", *SMALL, "--set", "solver.rtol=1e-13"]) == 5
    captured = capsys.readouterr()
    assert (
        "the error cannot be judged: no solution is tighter than 1e-13, as rounding decides below 1e-13" in captured.err
    )
    assert captured.out.splitlines()[-1].endswith(" at 1e-13; errors not judged")


def test_a_share_beyond_one_is_a_usage_error(capsys: Capture) -> None:
    assert outcome(["verify", "--share", "1.5"]) == 2
    assert "--share" in capsys.readouterr().err
