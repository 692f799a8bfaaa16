"""Run directories: whole or not there, and nothing but a run is ever replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulate.errors import InputError, MissingExtra
from simulate.store import MANIFEST, check_target, manifest_text, new_directory, read_manifest


def write_run(target: Path, *, key: str = "k", content: str = "x", force: bool = False) -> None:
    with new_directory(target, key=key, force=force) as folder:
        (folder / "results").write_text(content, encoding="utf-8")
        (folder / MANIFEST).write_text(manifest_text({"key": key, "title": "a title"}), encoding="utf-8")


def test_a_directory_appears_with_all_its_files(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a")
    assert sorted(path.name for path in (tmp_path / "runs" / "a").iterdir()) == [MANIFEST, "results"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a"]


@pytest.mark.parametrize("ending", [RuntimeError, KeyboardInterrupt, OSError])
def test_nothing_is_left_of_a_directory_that_was_not_finished(tmp_path: Path, ending: type[BaseException]) -> None:
    def fail() -> None:
        with new_directory(tmp_path / "runs" / "a", key="k") as folder:
            (folder / "half").write_text("x", encoding="utf-8")
            raise ending

    with pytest.raises((ending, MissingExtra)):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_successor_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    write_run(tmp_path / "a", content="old")

    def fail() -> None:
        with new_directory(tmp_path / "a", key="k") as folder:
            (folder / "results").write_text("new", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "a" / "results").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_run_replaces_one_with_the_same_key_and_leaves_no_file_of_it(tmp_path: Path) -> None:
    write_run(tmp_path / "a")
    (tmp_path / "a" / "old").write_text("x", encoding="utf-8")
    write_run(tmp_path / "a", content="new")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [MANIFEST, "results"]
    assert (tmp_path / "a" / "results").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_another_run_is_replaced_by_force_only(tmp_path: Path) -> None:
    write_run(tmp_path / "a", key="one")
    with pytest.raises(InputError) as caught:
        check_target(tmp_path / "a", key="two")
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "error[store.occupied]: the folder holds another run\n"
        "  --> a\n"
        "  found:    a title\n"
        "  try:      choose another folder with --out, or replace that run with --force"
    )
    write_run(tmp_path / "a", key="two", force=True)
    manifest = read_manifest(tmp_path / "a")
    assert manifest is not None
    assert manifest["key"] == "two"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path, force: bool) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_target(tmp_path / "thesis", key="k", force=force)
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        "error[store.occupied]: the folder is not empty, and it is not a run directory\n"
        "  --> thesis\n"
        "  try:      choose another folder with --out; a folder of something else is never replaced"
    )


@pytest.mark.parametrize("content", ["{", "[]", '{"program": "other"}', "{}"])
def test_a_manifest_of_another_program_makes_no_run_directory(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
    assert read_manifest(tmp_path) is None
    with pytest.raises(InputError):
        check_target(tmp_path, key="k", force=True)


def test_a_file_and_a_link_are_no_targets(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name, what in (("file", "the target is a file"), ("link", "the target is a symbolic link")):
        with pytest.raises(InputError, match=what):
            check_target(tmp_path / name, key="k", force=True)
    with pytest.raises(InputError, match="is not a folder"):
        check_target(tmp_path / "file" / "below", key="k")


def test_an_empty_folder_may_become_a_run(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_run(tmp_path / "a")
    assert read_manifest(tmp_path / "a") is not None


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_cannot_be_written_is_found_before_any_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(MissingExtra) as caught:
            check_target(tmp_path / "a", key="k")
    finally:
        tmp_path.chmod(0o700)
    assert caught.value.code == "store.unwritable"


def test_a_name_that_the_file_system_refuses_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra) as caught:
        write_run(tmp_path / ("x" * 300))
    assert caught.value.code == "store.unwritable"
    assert caught.value.what == "the run directory cannot be written: file name too long"
    assert list(tmp_path.iterdir()) == []
