"""The limits of memory that hold are those that are looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulate import memory
from simulate.cli.app import outcome
from simulate.errors import MissingExtra
from simulate.memory import Room, check_room, room

GB = 1_000_000_000


def tree(root: Path, files: dict[str, str]) -> Path:
    base = {"proc/meminfo": "MemTotal: 64000000 kB\nMemAvailable: 32000000 kB\nSwapFree: 1000000 kB\n"}
    for name, text in (base | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return root


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_limits", dict)


def test_of_a_machine_what_is_free_counts(tmp_path: Path) -> None:
    assert room(tree(tmp_path, {})) == Room(33_000_000 * 1024, "this machine, as busy as it is,")


@pytest.mark.parametrize("place", ["a/b", "a", "."])
def test_a_control_group_and_each_one_above_it_count(tmp_path: Path, place: str) -> None:
    top = f"sys/fs/cgroup/{place}"
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/memory.max": "max\n",
        f"{top}/memory.max": f"{4 * GB}\n",
        f"{top}/memory.current": f"{3 * GB}\n",
        f"{top}/memory.stat": f"anon {GB}\ninactive_file {GB}\n",
    }
    found = room(tree(tmp_path, files))
    assert found is not None
    # 4 GB less the 3 that are taken, of which 1 gives way.
    assert found == Room(2 * GB, f"the control group `{tmp_path / top}`".replace("/.`", "`"))


def test_a_control_group_of_the_first_version_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "9:cpu,cpuacct:/x\n5:memory:/docker/1\n",
        # In a container the path is that outside; what is seen there is the group itself.
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GB}\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GB}\n",
        "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0\n",
    }
    assert room(tree(tmp_path, files)) == Room(GB, f"the control group `{tmp_path / 'sys/fs/cgroup/memory'}`")


def test_limits_of_the_process_count_less_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(memory, "_limits", lambda: {"RLIMIT_AS": 3 * GB, "RLIMIT_DATA": 4 * GB})
    root = tree(tmp_path, {"proc/self/statm": "1000 500 200 1 0 700 0\n"})
    assert room(root) == Room(3 * GB - 1000 * page, "`ulimit -v`")
    monkeypatch.setattr(memory, "_limits", lambda: {"RLIMIT_DATA": 2 * GB})
    assert room(root) == Room(2 * GB - 700 * page, "`ulimit -d`")


def test_work_for_which_there_is_no_room_is_refused_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "room", lambda: Room(2 * GB, "`ulimit -v`"))
    check_room(2 * GB, "the run", advice="less")
    with pytest.raises(MissingExtra) as caught:
        check_room(3 * GB, "the run", found="many patients", advice="less")
    assert str(caught.value) == (
        "error[memory]: the run would need about 3 GB of memory\n  found:    many patients\n"
        "  expected: at most 2 GB, which is what `ulimit -v` leaves\n  try:      less"
    )


def test_too_little_address_space_to_load_libraries_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "_limits", lambda: {"RLIMIT_AS": GB // 2})
    monkeypatch.setattr(memory, "_cores", lambda: 10)
    assert outcome(["list"]) == 7
    assert capsys.readouterr().err == (
        "error[memory]: there is too little memory to begin\n  found:    0.5 GB, by `ulimit -v`\n"
        "  expected: 2 GB of address space on 10 cores, most of which is never touched\n"
        "  try:      set a higher limit with `ulimit -v`, or limit memory by a control group\n"
    )


@pytest.mark.parametrize("error", [MemoryError("Unable to allocate 8 GiB"), RuntimeError("can't start new thread")])
def test_memory_that_runs_out_after_all_ends_with_7(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("simulate.cli.list.show_shipped", fail)
    assert outcome(["list"]) == 7
    assert capsys.readouterr().err.startswith(f"error[memory]: memory ran out\n  found:    {error}\n")


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_at_the_least_address_space_that_is_let_through_libraries_load() -> None:
    program = (
        "import resource\nfrom simulate import memory\n"
        "size = memory.FLOOR + memory._THREAD * memory._cores()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size, size))\nmemory.check_floor()\n"
        "import simulate.solver.batch, simulate.studies.runs, scipy.stats, h5netcdf, matplotlib.figure\nprint('loaded')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "loaded\n"), done.stderr
