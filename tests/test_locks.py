"""Locks on folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate.errors import InputError
from simulate.locks import LOCK, is_locked, locked


def test_a_lock_is_gone_with_its_file_when_it_ends(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert is_locked(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_locked_folder_is_not_locked_twice(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(InputError, match="another process works in the folder") as caught, locked(tmp_path):
            pass
        assert caught.value.code == "store.locked"
        assert is_locked(tmp_path)


def test_a_file_that_a_killed_process_left_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("process 1 on nowhere", encoding="utf-8")
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / LOCK).symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path):
        pass
    assert not target.exists()
