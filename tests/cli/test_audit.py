"""`simulate audit` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulate
from simulate.cli.app import outcome

Capture = pytest.CaptureFixture[str]

WRONG = """\
schema = 1
source = "zong-2011"

[[item]]
id = "response"
account = "16 of 15 responded"
quantity = "clinical_response"
visit_day = 182
kind = "count"
count = 16
n = 15
standing = "reported"
"""


def test_the_abstract_is_audited_and_its_contradiction_carries_its_mark(capsys: Capture) -> None:
    assert outcome(["audit"]) == 0
    captured = capsys.readouterr()
    (line,) = [line for line in captured.out.splitlines() if "il1ra-on-drug" in line]
    assert line.split()[1:3] == ["disputed", "contradicts"]
    assert "all 10 of 10 rose" in captured.out
    assert "gives p = 0.0023" in captured.out
    assert captured.out.rstrip().endswith("0 of these not marked as disputed")
    assert captured.err == ""


def test_what_agrees_is_shown_on_request(capsys: Capture) -> None:
    assert outcome(["audit", "--all"]) == 0
    assert "7 of 15 is possible" in capsys.readouterr().out


def test_json_holds_items_with_their_words_and_findings(capsys: Capture) -> None:
    assert outcome(["audit", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["source"] == "zong-2011"
    assert document["unmarked"] == 0
    disputed = [item for item in document["items"] if item["standing"] == "disputed"]
    assert [item["item"] for item in disputed] == ["il1ra-on-drug"]
    assert {"item", "standing", "check", "verdict", "text"} == set(document["findings"][0])
    assert [row["check"] for row in document["findings"] if row["verdict"] == "contradicts"] == [
        "range",
        "attainable mean",
    ]


def test_an_unmarked_contradiction_is_an_input_error(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, encoding="utf-8")
    assert outcome(["audit", str(path)]) == 3
    captured = capsys.readouterr()
    assert "16 of 15 is more than all" in captured.out
    assert captured.err.startswith("error[evidence.contradiction]: the item `response` contradicts arithmetic")
    assert outcome(["audit", str(path), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["unmarked"], document["error"]["code"]) == (1, "evidence.contradiction")


def test_from_python_an_audit_says_whether_it_has_passed(tmp_path: Path) -> None:
    assert (simulate.audit().passed, simulate.audit().faults) == (True, ())
    (tmp_path / "wrong.toml").write_text(WRONG, encoding="utf-8")
    found = simulate.audit(tmp_path / "wrong.toml")
    said = "the item `response` contradicts arithmetic: 16 of 15 is more than all"
    assert (found.passed, found.faults) == (False, (said,))
    assert f"\n  NOT passed: {said}\n" in repr(found)


def test_a_malformed_file_is_an_input_error(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG.replace("count = 16", 'count = "many"'), encoding="utf-8")
    assert outcome(["audit", str(path)]) == 3
    assert f"--> {path}:10, key `item[0].count`" in capsys.readouterr().err
