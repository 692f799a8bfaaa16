"""Sweeps in directories: what they hold, and that nothing that happens to them changes a bit."""

from __future__ import annotations

import json
import multiprocessing
import platform
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import simulate
from simulate.api.simulating import run
from simulate.api.varying import planned_sweep
from simulate.errors import InputError, MissingExtra
from simulate.locks import LOCK, locked
from simulate.results.catalog import leftovers, records_in, remove
from simulate.store import manifest_text
from simulate.studies.settings import Setting
from simulate.studies.sweeps import running
from simulate.studies.sweeps.parts import pack, part_path, read_part, solve_part, unpack
from simulate.studies.sweeps.plans import SweepPlan, plan_sweep
from simulate.studies.sweeps.requests import Options, read_request
from simulate.studies.sweeps.running import PARTS, run_sweep, said_of_space
from simulate.studies.sweeps.sweeping import planned
from tests.studies.sweeps.small import SCENARIO, contents, options, plan, read

FILES = ["changes.csv", "inputs", "manifest.json", "models", "quantiles.nc", "results.nc", "summary.csv", "sweep.json"]


class Stopped(Exception):
    """What ends a sweep in a test."""


def begin(target: Path, found: SweepPlan, parts: int) -> None:
    """A sweep that ends after so many parts."""
    left = parts

    def count(rows: int) -> None:
        nonlocal left
        left -= rows > 0
        if left < 0:
            raise Stopped

    with pytest.raises(Stopped):
        run_sweep(found, target, progress=count)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Bytes of a sweep that was left alone."""
    target = tmp_path_factory.mktemp("whole")
    run_sweep(plan(), target)
    return contents(target)


def test_an_arm_has_the_bits_of_a_run_of_its_own(tmp_path: Path) -> None:
    found = plan("dose=10,100", "f_m=0.2,0.3")
    run_sweep(found, tmp_path)
    dataset = read(tmp_path)
    for dose, f_m in ((10.0, 0.2), (100.0, 0.3)):
        settings = {"time.end": "3 d", "f_m": f_m, "arm[0].regimen": f"{dose:g} mg sc every 24 h until 182 d"}
        alone = run(SCENARIO, patients=3, seed=5, fit="typical", settings=settings)
        arm = dataset.sel(arm=f"dose {dose:g} mg, f_m {f_m:g}")
        for name in found.study.quantities:
            assert np.array_equal(arm[name].values, alone[name].values[0])
            assert dataset[name].attrs == alone[name].attrs
        assert np.array_equal(dataset["covariates"].values, alone["covariates"].values)
        assert np.array_equal(dataset["dropout_day"].values, alone["dropout_day"].values)
        assert dataset["stratum"].values.tolist() == alone["stratum"].values.tolist()
        assert dataset["time"].values.tolist() == alone["time"].values.tolist()
        place = dataset["arm"].values.tolist().index(str(arm["arm"].values))
        assert np.array_equal(dataset["dose_time"].values[place], alone["dose_time"].values[0])
    assert dataset["over_dose"].values.tolist() == [10.0, 10.0, 100.0, 100.0]
    assert dataset["over_dose"].attrs == {"units": "mg", "long_name": "amount of a dose"}
    assert dataset["over_f_m"].attrs["units"] == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_a_dose_of_which_nothing_arrives_is_none_in_a_sweep_as_in_a_run(tmp_path: Path) -> None:
    asked = options("F=0,0.9")
    beyond = Setting("model.beyond_bounds", True, "--set model.beyond_bounds=true")
    request = read_request(SCENARIO, replace(asked, settings=(*asked.settings, beyond)))
    run_sweep(plan_sweep(request), tmp_path)
    given = read(tmp_path)["dose_time"].values
    settings = {"time.end": "3 d", "F": 0.0, "model.beyond_bounds": True}
    alone = run(SCENARIO, patients=3, seed=5, fit="typical", settings=settings)["dose_time"].values
    assert not np.isfinite(given[0]).any()
    assert not np.isfinite(alone).any()
    assert np.isfinite(given[1]).any()


def test_parts_of_any_size_and_interruptions_give_the_same_bytes(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run_sweep(plan(part_size=2), tmp_path / "parts")
    small = plan(part_size=1)
    for parts in (0, 1, 5, 2):
        begin(tmp_path / "interrupted", small, parts)
        assert (tmp_path / "interrupted" / "sweep.json").exists()
    run_sweep(small, tmp_path / "interrupted")
    assert sorted(whole) == ["changes.csv", "quantiles.nc", "results.nc", "summary.csv"]
    assert contents(tmp_path / "parts") == whole
    assert contents(tmp_path / "interrupted") == whole
    assert sorted(path.name for path in (tmp_path / "interrupted").iterdir()) == FILES


def test_what_was_finished_is_not_solved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan(part_size=3)
    begin(tmp_path, found, 2)
    solved: list[int] = []

    def counted(own: SweepPlan, index: int, **others: object) -> object:
        solved.append(index)
        return solve_part(own, index)

    monkeypatch.setattr(running, "solve_part", counted)
    said: list[str] = []
    run_sweep(found, tmp_path, notify=said.append)
    kept = len(found.parts) - len(solved)
    assert solved == list(range(kept, len(found.parts)))
    assert said == [f"{kept} of 4 parts are there; going on"]
    solved.clear()
    first = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    del first["hash"]
    assert run_sweep(found, tmp_path) == first
    assert solved == []


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_a_damaged_part_is_found_and_solved_again(
    tmp_path: Path, whole: dict[str, bytes], damage: bytes | None
) -> None:
    found = plan(part_size=3)
    begin(tmp_path / "damaged", found, 3)
    path = part_path(tmp_path / "damaged" / PARTS, found.parts[0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content) if damage is None else damage)
    said: list[str] = []
    run_sweep(found, tmp_path / "damaged", notify=said.append)
    assert said[0] == "part 0 is damaged and is solved again"
    assert contents(tmp_path / "damaged") == whole


def test_a_part_is_taken_for_no_other_part_and_no_other_sweep() -> None:
    found = plan(part_size=3)
    packed = pack(solve_part(found, 0), found.key, found.parts[0])
    assert unpack(packed, found.key, found.parts[0]) is not None
    assert unpack(packed, found.key, found.parts[1]) is None
    assert unpack(packed, "another", found.parts[0]) is None
    assert unpack(packed[:-1], found.key, found.parts[0]) is None
    assert read_part(Path("nowhere"), found.key, found.parts[0]) is None


def test_damaged_results_are_made_again(tmp_path: Path, whole: dict[str, bytes]) -> None:
    run_sweep(plan(), tmp_path)
    (tmp_path / "results.nc").write_bytes(b"x")
    run_sweep(plan(), tmp_path)
    assert contents(tmp_path) == whole


def test_another_sweep_is_refused_with_what_differs_and_replaced_by_force(tmp_path: Path) -> None:
    run_sweep(plan("dose=10,100"), tmp_path)
    with pytest.raises(InputError) as caught:
        run_sweep(plan("dose=10,100", patients=4), tmp_path)
    assert str(caught.value) == (
        f"error[sweep.changed]: the folder holds another sweep\n  --> {tmp_path}\n"
        "  found:    `patients` was 3 and is 4\n"
        "  expected: the same scenario, settings, axes and version as when it was begun\n"
        "  try:      choose another folder with --out, or begin anew in this one with --force"
    )
    run_sweep(plan("dose=10,100", patients=4), tmp_path, force=True)
    assert read(tmp_path).sizes["member"] == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert [path.name for path in tmp_path.parent.iterdir() if path.name.endswith(".old")] == []


def test_a_finished_sweep_stays_until_the_one_that_replaces_it_is_finished(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    target, other = tmp_path / "here", plan("dose=10,100", patients=4)
    run_sweep(plan(), target)
    with pytest.raises(Stopped):
        run_sweep(other, target, force=True, progress=_stop)
    assert contents(target) == whole
    listed = records_in([tmp_path])
    assert [(record.state, record.title == other.request.title) for record in listed] == [
        ("unfinished", True),
        ("finished", True),
    ]
    assert leftovers([tmp_path]) == ()
    said: list[str] = []
    run_sweep(other, target, force=True, notify=said.append)
    assert read(target).sizes["member"] == 4
    assert sorted(path.name for path in target.iterdir()) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_what_a_kill_leaves_of_a_replaced_sweep_is_swept(tmp_path: Path, whole: dict[str, bytes]) -> None:
    target, key = tmp_path / "here", "0" * 32
    run_sweep(plan(), target)
    # Ended between taking the place of the old run and removing it.
    left = tmp_path / f".il1sim-{key}.next" / "new"
    shutil.copytree(target, left)
    (found,) = leftovers([tmp_path])
    assert found == left.parent
    remove(found)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    # Ended while it was solved: kept, as any sweep that is not finished, until it is said that those go too.
    left.mkdir(parents=True)
    (left / "sweep.json").write_text(manifest_text({"key": key, "title": "x"}), encoding="utf-8")
    assert leftovers([tmp_path]) == ()
    (found,) = leftovers([tmp_path], unfinished=True)
    remove(found)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert contents(target) == whole


def test_an_unfinished_sweep_gives_way_to_force(tmp_path: Path) -> None:
    begin(tmp_path / "here", plan(part_size=3), 1)
    other = plan("dose=10,100", patients=4)
    run_sweep(other, tmp_path / "here", force=True)
    assert read(tmp_path / "here").sizes["member"] == 4
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == FILES


def _stop(rows: int) -> None:
    if rows:
        raise Stopped


def test_a_folder_of_something_else_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        run_sweep(plan(), tmp_path, force=True)
    assert caught.value.code == "store.occupied"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def _hold(folder: Path, ready: object) -> None:
    with locked(folder):
        ready.set()  # type: ignore[attr-defined]
        time.sleep(60.0)


def test_a_second_process_is_turned_away_and_the_first_goes_on_unharmed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(InputError) as caught:
            run_sweep(plan(), tmp_path)
        assert str(caught.value) == (
            f"error[store.locked]: another process works in the folder\n  --> {tmp_path}\n"
            f"  found:    process {other.pid} on {platform.node()}\n"
            "  try:      wait for it to end, or choose another folder"
        )
        other.kill()
        other.join()
        # The lock goes with the process, though its file is still there.
        assert (tmp_path / LOCK).exists()
        run_sweep(plan(), tmp_path)
    finally:
        other.kill()
        other.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_a_disk_that_is_full_is_an_error_that_loses_nothing(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plan(part_size=3)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("simulate.studies.sweeps.gathering.os.posix_fallocate", full)
        with pytest.raises(MissingExtra) as caught:
            run_sweep(found, tmp_path / "full")
    assert caught.value.code == "store.unwritable"
    assert caught.value.what == "the run directory cannot be written: no space left on device"
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == ["inputs", "models", "parts", "sweep.json"]
    said: list[str] = []
    run_sweep(found, tmp_path / "full", notify=said.append)
    assert said == ["4 of 4 parts are there; going on"]
    assert contents(tmp_path / "full") == whole


def test_a_disk_without_room_is_refused_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plan(part_size=3)
    begin(tmp_path, found, 1)
    monkeypatch.setattr("simulate.studies.sweeps.running.solve_part", None)
    needed = found.row_bytes * (found.rows + 2 * 3)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=needed - 1))
    with pytest.raises(MissingExtra) as caught:
        run_sweep(found, tmp_path)
    assert str(caught.value) == (
        f"error[store.space]: the disk has no room for the results\n  --> {tmp_path}\n"
        f"  found:    {(needed - 1) / 1e9:.3g} GB free\n"
        f"  expected: {needed / 1e9:.3g} GB, of which {found.row_bytes * 12 / 1e9:.3g} GB stay\n"
        "  try:      keep fewer times, such as `--at '0 d' --at '182 d'`, or choose a folder on another disk with --out"
    )
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=needed))
    assert run_sweep(found, tmp_path)["counters"] == {"n": 12, "n_ok": 12}


def test_a_directory_tells_what_sweep_it_is_of(tmp_path: Path) -> None:
    found = plan(part_size=3)
    begin(tmp_path, found, 1)
    again = planned(tmp_path)
    assert (again.key, again.parts) == (found.key, found.parts)
    with pytest.raises(InputError) as caught:
        planned(tmp_path / PARTS)
    assert str(caught.value) == (
        f"error[sweep.none]: no sweep was begun in the folder\n  --> {tmp_path / PARTS}\n"
        "  found:    a folder without manifest.json\n"
        "  expected: a folder with a file sweep.json\n  try:      `simulate runs list` shows what there is"
    )


def test_a_sweep_of_a_model_alone_is_asked_again_with_its_times(tmp_path: Path) -> None:
    model = tmp_path / "decay.ant"
    model.write_text("model decay\n  S -> ; k*S\n  S = 10; k = 0.1\nend\n")
    target = tmp_path / "sweep"
    found = plan_sweep(read_request(str(model), Options(over=("k=0.1,0.2",), end="10 s", every="1 s")))
    run_sweep(found, target)
    again = planned(target)
    assert (again.key, again.times.tolist()) == (found.key, found.times.tolist())


def test_python_gives_the_same_as_a_directory(tmp_path: Path) -> None:
    options = {"patients": 3, "seed": 5, "settings": {"time.end": "3 d", "outputs.quantities": ["ifng"]}}
    dataset = simulate.sweep(SCENARIO, {"dose": [10, 100]}, **options)
    kept = simulate.sweep(SCENARIO, {"dose": "10:100:2log"}, out=tmp_path / "here", parameters=True, **options)
    with kept:
        assert np.array_equal(kept["ifng"].values, dataset["ifng"].values)
        assert kept["parameters"].dims == ("arm", "member", "parameter")
    assert "parameters" not in dataset


def test_covariates_that_are_an_axis_stand_beside_their_arms(tmp_path: Path) -> None:
    run_sweep(plan("weight=60,90"), tmp_path)
    dataset = read(tmp_path)
    assert dataset["covariates"].dims == ("arm", "member", "covariate")
    weights = dataset["covariates"].sel(covariate="weight").values
    assert weights.tolist() == [[60.0] * 3, [90.0] * 3]


def test_those_who_fail_are_counted_and_listed(tmp_path: Path) -> None:
    limited = plan("dose=10,100")
    study = replace(limited.study, scenario=replace(limited.study.scenario, max_steps=5))
    manifest = run_sweep(replace(limited, study=study, key="k"), tmp_path)
    assert manifest["counters"] == {"n": 6, "n_ok": 0, "too_many_steps": 6}
    assert len(manifest["failures"]) == 6
    assert manifest["failures"][0]["arm"] == "dose 10 mg"


def test_quantities_may_have_the_names_of_arguments_of_numpy() -> None:
    found = plan()
    arrays = {"file": np.ones((1, 1, 1)), "allow_pickle": np.zeros((1, 1, 1))}
    read = unpack(pack(arrays, found.key, found.parts[0]), found.key, found.parts[0])
    assert read is not None
    assert {name: array.sum() for name, array in read.items()} == {"file": 1.0, "allow_pickle": 0.0}


def test_a_sweep_that_leaves_gigabytes_says_so_beforehand_and_a_small_one_does_not() -> None:
    axes = ["dose=10:300:40log", "f_m=0.1:0.9:5"]
    large = planned_sweep("anakinra-100mg-daily", axes)
    # 200 arms of 100 patients in each of 16 draws; a double for each of 183 times and the first, and quantity.
    assert large.rows == 320_000
    kept = 320_000 * (8 * (len(large.times) + 1) * len(large.study.quantities) + 1)
    assert said_of_space(large) == (
        f"320000 trajectories will leave {kept / 1e9:.2g} GB, and take twice that on the way: they keep "
        f"{len(large.times)} times, and `--at` names those that are looked at"
    )
    assert said_of_space(planned_sweep("anakinra-100mg-daily", axes, at=["0 d", "182 d"])) == ""


def test_what_a_sweep_leaves_is_said_once_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_TOLD", 1)
    told: list[str] = []
    done: list[int] = []
    small = plan()
    run_sweep(small, tmp_path / "swept", notify=lambda text: told.append(f"{len(done)} {text}"), progress=done.append)
    assert [text for text in told if "GB" in text] == [f"0 {said_of_space(small)}"]
