"""Rows 13 to 34 of the catalogue that no other test holds: values, the disk, two runs at once."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from simulate import store
from simulate.errors import InputError
from simulate.store import MANIFEST, check_target, manifest_text, new_directory
from simulate.studies.datasets import read_dataset
from tests.faults.small import SCENARIO, manifest_of, results_of, run, write_files

Capture = pytest.CaptureFixture[str]


EXPLOSIVE = """\
[parameters]
k = { value = 0.7, unit = "1/d", spread = { cv = 0.9 } }

[species.X]
unit = "1"
initial = 1

[reactions.gain]
rate = "k*X**2"
change = { X = 1 }
"""


def fill(target: Path, key: str, *, both: threading.Barrier | None = None, force: bool = False) -> None:
    with new_directory(target, key=key, force=force) as folder:
        (folder / "results.txt").write_text(key, encoding="utf-8")
        (folder / MANIFEST).write_text(manifest_text({"key": key, "title": key}), encoding="utf-8")
        if both is not None:
            both.wait(20.0)


def test_of_two_runs_into_one_folder_the_second_is_refused_and_the_first_is_whole(tmp_path: Path) -> None:
    both = threading.Barrier(2)
    refused: list[InputError] = []

    def attempt(key: str) -> None:
        try:
            fill(tmp_path / "here", key, both=both)
        except InputError as error:
            refused.append(error)

    threads = [threading.Thread(target=attempt, args=(key,)) for key in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Both began while the folder was free; whoever ends second finds the other's run, or its name is taken.
    winner = manifest_of(tmp_path / "here")["key"]
    assert (tmp_path / "here" / "results.txt").read_text(encoding="utf-8") == winner
    assert len(refused) == 1
    assert refused[0].code == "store.occupied"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_run_that_arrives_between_the_last_look_and_the_naming_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(target: Path, *, key: str, force: bool = False) -> None:
        check_target(target, key=key, force=force)
        looks.append(key)
        if looks == ["other"]:
            with monkeypatch.context() as undone:
                undone.setattr(store, "check_target", check_target)
                fill(target, "one")

    monkeypatch.setattr(store, "check_target", look)
    with pytest.raises(InputError) as caught:
        fill(tmp_path / "here", "other")
    assert caught.value.code == "store.occupied"
    assert manifest_of(tmp_path / "here")["key"] == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_the_same_run_that_arrives_in_between_is_replaced_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(target: Path, *, key: str, force: bool = False) -> None:
        check_target(target, key=key, force=force)
        looks.append(key)
        if len(looks) == 1:
            fill(target, "one")

    monkeypatch.setattr(store, "check_target", look)
    fill(tmp_path / "here", "one")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert len(looks) == 3


def test_a_forced_run_leaves_no_file_of_the_one_before(tmp_path: Path) -> None:
    scenario = write_files(tmp_path)
    assert run(scenario, "--out", tmp_path / "here", figures=True) == 0
    assert "time-course.png" in results_of(tmp_path / "here")
    assert run(scenario, "--out", tmp_path / "here", "--seed", "5", "--force") == 0
    assert sorted(results_of(tmp_path / "here")) == ["changes.csv", "models/none.toml", "results.nc", "summary.csv"]


def test_a_long_name_is_an_error_before_any_work(tmp_path: Path, capsys: Capture) -> None:
    assert run(write_files(tmp_path), "--out", tmp_path / ("x" * 300)) == 7
    assert capsys.readouterr().err.startswith("error[store.unwritable]: ")


def test_a_folder_that_is_a_file_is_an_error_before_any_work(tmp_path: Path, capsys: Capture) -> None:
    scenario = write_files(tmp_path)
    assert run(scenario, "--out", scenario / "here") == 3
    assert capsys.readouterr().err.startswith("error[store.occupied]: ")


def test_a_member_that_fails_is_told_with_its_term_and_the_others_have_the_bits_of_a_run_without_it(
    tmp_path: Path, capsys: Capture
) -> None:
    # dX/dt = k X² is infinite at 1/k: within the day for those whose rate is large.
    scenario = write_files(tmp_path, model=EXPLOSIVE, scenario=SCENARIO.replace("1 mg iv every 1 d until 3 d", "none"))
    code = run(scenario, "--patients", "64", "--set", "time.end=1 d", "--out", tmp_path / "all")
    failures = manifest_of(tmp_path / "all")["failures"]
    failed = sorted(row["patient"] for row in failures)
    assert 0 < len(failed) < 64
    assert code in (0, 4)
    assert all(row["term"] for row in failures)
    error = capsys.readouterr().err
    assert f"left out: {len(failed)} of 64 trajectories" in error
    sound = next(patient for patient in range(64) if patient not in failed)
    assert run(scenario, "--patient", sound, "--set", "time.end=1 d", "--out", tmp_path / "one") == 0
    together = read_dataset(tmp_path / "all" / "results.nc")["X"].sel(member=sound).values
    alone = read_dataset(tmp_path / "one" / "results.nc")["X"].sel(member=sound).values
    assert together.tobytes() == alone.tobytes()


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_run_can_be_read_by_others_as_any_new_file(tmp_path: Path) -> None:
    assert run(write_files(tmp_path), "--out", tmp_path / "here") == 0
    mask = os.umask(0)
    os.umask(mask)
    mode = stat.S_IMODE((tmp_path / "here" / "results.nc").stat().st_mode)
    assert mode == 0o666 & ~mask
