"""Machine code is called as it was compiled, or refused."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulate import native
from simulate.compiled import Compiled, compiled
from simulate.later import types
from simulate.native import kept

NUMBERS = types.float64[::1]


@compiled(types.float64(types.int64, types.Tuple((NUMBERS, types.float64, types.int64[:, ::1])), types.boolean))
def everything(times: int, parts: Any, is_negative: bool) -> float:
    numbers, factor, matrix = parts
    total = 0.0
    for number in numbers:
        total += number * factor
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            total += matrix[row, column] * 10**column
    matrix[0, 0] = -1
    return -times * total if is_negative else times * total


@compiled(types.boolean(types.float64))
def is_above(value: float) -> bool:
    return bool(value > 1.5)


@compiled(types.void(NUMBERS))
def doubled(numbers: Any) -> None:
    for index in range(len(numbers)):
        numbers[index] *= 2.0


@pytest.mark.parametrize("is_negative", [False, True])
def test_numbers_arrays_and_tuples_of_them_arrive_and_a_number_comes_back(is_negative: bool) -> None:
    matrix = np.array([[1, 2, 3], [4, 5, 6]])
    found = everything(2, (np.array([0.5, 0.25]), 4.0, matrix), is_negative)
    assert found == (-1.0 if is_negative else 1.0) * 2.0 * (0.75 * 4.0 + 321 + 654)
    assert matrix.tolist() == [[-1, 2, 3], [4, 5, 6]]


def test_whole_numbers_are_taken_for_numbers_and_nothing_comes_back_of_nothing() -> None:
    assert [is_above(value) for value in (1, 2, 1.25, np.float64(1.75))] == [False, True, False, True]
    numbers = np.arange(3.0)
    assert doubled(numbers) is None
    assert numbers.tolist() == [0.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (doubled, (), "0 arguments were given, and 1 are taken"),
        (doubled, (np.zeros(2), 1), "2 arguments were given, and 1 are taken"),
        (doubled, ([0.0],), "an array of float64 with 1 dimensions is taken"),
        (doubled, (np.zeros(2, dtype=np.int64),), "an array of float64 with 1 dimensions is taken"),
        (doubled, (np.zeros((2, 2)),), "an array of float64 with 1 dimensions is taken"),
        (doubled, (np.zeros(4)[::2],), "an array is taken whose elements lie one after another"),
        (doubled, (np.broadcast_to(0.0, (1,)),), "an array is taken that can be written to"),
        (doubled, (np.frombuffer(bytearray(17), offset=1),), "an array is taken whose elements lie one after another"),
        (is_above, ("many",), "could not convert string to float"),
    ],
)
def test_what_was_not_compiled_for_is_refused(function: Compiled, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        function(*arguments)


@compiled(types.float64(types.Array(types.float64, 1, "C", readonly=True)))
def first(numbers: Any) -> float:
    return float(numbers[0])


def test_an_array_that_cannot_be_written_to_is_read() -> None:
    assert [first(numbers) for numbers in (np.array([3.0]), np.broadcast_to(3.0, (1,)))] == [3.0, 3.0]


@pytest.mark.parametrize("has_svml", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_vector_functions_are_part_of_the_machine_where_numba_would_let_loops_call_them(
    has_svml: bool, is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_name: str) -> None:
        if not is_there:
            raise RuntimeError

    monkeypatch.setattr(native.sys, "platform", "linux")
    monkeypatch.setattr(native.binding.targets, "has_svml", lambda: has_svml)
    monkeypatch.setattr(native.binding, "load_library_permanently", load)
    *others, functions = native.machine.__wrapped__()
    assert others == list(native.machine()[:-1])
    assert functions == ("SVML" if has_svml and is_there else "")


@pytest.mark.parametrize("payload", [b"", b"no header\n", b"[1]\ncode"])
def test_what_is_no_code_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="|".join(("Expecting value", "not enough values"))):
        kept(payload)


_LOADED = """
import sys
from simulate import native
native.binding.ObjectFileRef.from_data = lambda code: sys.exit("numba" in sys.modules)
native.load("f", b"code\\0" + sys.argv[1].encode() + b"\\0")
"""


@pytest.mark.parametrize(("name", "is_loaded"), [("memmove", 0), ("__svml_exp8", 1), ("numba_gil_ensure", 1)])
def test_numba_is_loaded_for_code_that_calls_it(name: str, is_loaded: int, tmp_path: Path) -> None:
    environment = {**os.environ, "IL1SIM_CACHE_DIR": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", _LOADED, name], check=False, env=environment).returncode == is_loaded


_TOLD = """
import os, sys
from pathlib import Path
from simulate import native
from simulate.compiled import compiled
from simulate.later import types

how, name, value = sys.argv[1:]
if how == "before Numba":
    native.fingerprint()
if how == "only to Numba":
    os.environ[name] = value
    import numba
    del os.environ[name]
elif name == native._FILE:
    Path("settings").mkdir()
    os.chdir("settings")
    Path(name).write_text(value)
else:
    os.environ[name] = value

@compiled(types.void(types.float64[::1]))
def f(x):
    x[0] = 1.0

print(f.address != 0, native.fingerprint())
"""


def environment() -> dict[str, str]:
    """Nothing is told to Numba."""
    return {key: text for key, text in os.environ.items() if not key.startswith("NUMBA_")}


@functools.cache
def plain() -> str:
    """Fingerprint of a process that tells Numba nothing."""
    command = [sys.executable, "-c", "from simulate import native; print(native.fingerprint())"]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment(), cwd=Path(__file__).parent
    )
    return told.stdout.strip()


@pytest.mark.parametrize(("name", "value"), [("NUMBA_CPU_NAME", "generic"), (native._FILE, "cpu_name: generic")])
@pytest.mark.parametrize("how", ["at first", "before Numba", "only to Numba"])
def test_code_is_kept_where_its_folder_says_what_the_compilers_were_told(
    how: str, name: str, value: str, tmp_path: Path
) -> None:
    if how == "only to Numba" and name == native._FILE:
        name, value = "NUMBA_OPT", "1"
    command = [sys.executable, "-c", _TOLD, how, name, value]
    within = {**environment(), "IL1SIM_CACHE_DIR": str(tmp_path / "cache")}
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=within)
    works, fingerprint = told.stdout.split()
    kept = [path.parent.name for path in (tmp_path / "cache").rglob("*.bin")]
    assert works == "True"
    assert (fingerprint == plain()) == (how == "before Numba")
    assert kept == ([] if how == "before Numba" else [fingerprint])
    said = "other settings were made for Numba"
    assert (said in told.stderr) == (how == "before Numba")
