"""`simulate verify` from the command line."""

from __future__ import annotations

import dataclasses
import json

import pytest

import simulate.studies.errors_made as errors_made
import simulate.studies.problems.judgment as judgment
from simulate.cli.app import outcome
from simulate.studies.problems import PROBLEMS

Capture = pytest.CaptureFixture[str]

SMALL = ("--patients", "3", "--set", "time.end=3 d")


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


def test_where_no_tolerance_is_tighter_nothing_is_judged(capsys: Capture) -> None:
    assert outcome(["verify", "untreated", *SMALL, "--set", "solver.rtol=1e-13"]) == 5
    captured = capsys.readouterr()
    assert (
        "the error cannot be judged: no solution is tighter than 1e-13, as rounding decides below 1e-13" in captured.err
    )
    assert captured.out.splitlines()[-1].endswith(" at 1e-13; errors not judged")


def quickly(monkeypatch: pytest.MonkeyPatch, gate: float) -> None:
    few = tuple(dataclasses.replace(problem, gate=gate) for problem in PROBLEMS if problem.name in ("ERLANG", "ENZYME"))
    monkeypatch.setattr(judgment, "PROBLEMS", few)


def test_methods_are_judged_on_problems_with_known_answers(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly(monkeypatch, 100.0)
    assert outcome(["verify", "--problems"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("K: the largest global error")
    assert lines[-1] == "verified: 20 solutions of 2 problems"
    row = next(line.split() for line in lines if line.strip().startswith("ERLANG"))
    assert row[1:3] == ["Dormand-Prince", "5(4)"]
    assert all(0.0 < float(cell) < 100.0 for cell in row[3:7])
    assert row[7] == "100"


def test_a_method_that_misses_its_constant_is_an_error(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly(monkeypatch, 0.2)
    assert outcome(["verify", "--problems", "--json"]) == 5
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["passed"] is False
    assert len(document["judgments"]) == 20
    assert {"problem", "method", "rtol", "status", "constant", "gate", "evaluations"} <= set(document["judgments"][0])
    assert "solutions are farther off than promised\n" in captured.err
    assert "expected: K of at most 0.2\n" in captured.err


def test_a_share_beyond_one_is_a_usage_error(capsys: Capture) -> None:
    assert outcome(["verify", "--share", "1.5"]) == 2
    assert "--share" in capsys.readouterr().err
