"""``simulate tidy`` writes the long table of a directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulate
from simulate.cli.app import outcome


def test_a_run_becomes_a_table_beside_its_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine"
    simulate.run("untreated", patients=2, fit="typical", settings={"time.end": "2 d"}, out=out, figures=False)
    assert outcome(["tidy", str(out), "-q", "ifng", "--at", "2 d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"table": str(tmp_path / "mine.csv"), "rows": 2}
    lines = (tmp_path / "mine.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,stratum,arm,day,quantity,unit,value"
    assert len(lines) == 3
    assert outcome(["tidy", str(out)]) == 3
    assert "replace it with --force" in capsys.readouterr().err
