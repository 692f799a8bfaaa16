"""What is removed of run directories while others work beside."""

from __future__ import annotations

from pathlib import Path

from simulate.results.catalog import remove


def test_what_another_process_removed_meanwhile_is_gone_and_no_error(tmp_path: Path) -> None:
    assert remove(tmp_path / "here") == 0
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x").write_text("four", encoding="utf-8")
    assert remove(tmp_path / "there") == 4
    assert not (tmp_path / "there").exists()
