"""What takes long to find is found once, comes back as it was, and is found anew when what decides it has changed."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from simulate import recall, versions
from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.of_model import kernel_of, system_of, term_sizes_of
from simulate.kernels.system import lower
from simulate.kernels.terms import term_sizes
from simulate.native import cache_directory
from simulate.recall import recalled
from simulate.studies.models import _shipped_model, find_model
from simulate.symbolic.modelwriting import model_text

CODE = cache_directory()
"""Where code is kept for all tests."""


class Asked:
    """What finds a value, and how often it was asked."""

    def __init__(self, value: object) -> None:
        self.value, self.times = value, 0

    def __call__(self) -> object:
        self.times += 1
        return self.value


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(tmp_path))
    yield tmp_path / "values"
    read_anew()


def read_anew() -> None:
    """Let this process know no source."""
    for function in (recall._edition, versions.code_hash, versions.sources):
        function.cache_clear()


def test_a_value_is_found_once_for_each_question() -> None:
    asked = Asked((sympy.Symbol("x") + 1, 0.1))
    assert [recalled("a", text, asked) for text in ("1", "1", "2", "2")] == [asked.value] * 4
    assert asked.times == 2


def test_a_source_that_changed_is_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    (package / "symbolic").mkdir(parents=True)
    monkeypatch.setattr(versions, "__file__", str(package / "versions.py"))
    asked = Asked(1)
    for path in (package / "recall.py", package / "symbolic" / "model.py"):
        for text in ("1", "2"):
            path.write_text(text, encoding="utf-8")
            as_of_now(monkeypatch)
            recalled("a", "", asked)
            recalled("a", "", asked)
    assert asked.times == 4
    # Commands and figures decide no value.
    for folder, times in (("cli", 4), ("figures", 4), ("kernels", 5)):
        (package / folder).mkdir()
        (package / folder / "build.py").touch()
        as_of_now(monkeypatch)
        recalled("a", "", asked)
        assert asked.times == times


def as_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sources be read as by a process that begins now."""
    read_anew()
    monkeypatch.setattr(recall, "LOADED", time.time_ns() + 1_000_000_000)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("what", ["source", "table"])
def test_what_follows_from_sources_that_a_process_did_not_read_is_not_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, what: str, when: str
) -> None:
    """A notebook runs on while the package is edited: what its old modules give is not what the new ones would."""
    (tmp_path / "package" / "symbolic").mkdir(parents=True)
    source, table = tmp_path / "package" / "symbolic" / "model.py", tmp_path / "rates.toml"
    for path in (source, table):
        path.touch()
    monkeypatch.setattr(versions, "__file__", str(tmp_path / "package" / "versions.py"))
    monkeypatch.setattr(recall.shipped, "parameter_files", lambda: (table,))
    as_of_now(monkeypatch)

    def edit() -> int:
        later = recall.LOADED + 1
        os.utime(source if what == "source" else table, ns=(later, later))
        return 1

    if when == "before":
        edit()
        asked = Asked(1)
        assert [recalled("a", "", asked) for _ in range(2)] == [1, 1]
        assert asked.times == 2
    else:
        assert recalled("a", "", edit) == 1
    assert not list(cache.iterdir())


def test_without_sources_nothing_is_kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a package of compiled files alone, of which two editions would look the same."""
    monkeypatch.setattr(versions, "__file__", str(tmp_path / "package" / "versions.py"))
    as_of_now(monkeypatch)
    asked = Asked(1)
    assert [recalled("a", "", asked) for _ in range(2)] == [1, 1]
    assert asked.times == 2
    assert not list(cache.iterdir())


def test_what_would_come_back_as_something_else_is_not_kept(cache: Path) -> None:
    # SymPy multiplies out what it is given anew: 2*(x + 1) comes back as 2*x + 2.
    unevaluated = sympy.Mul(2, sympy.Symbol("x") + 1, evaluate=False)
    assert pickle.loads(pickle.dumps(unevaluated)) != unevaluated
    asked = Asked(unevaluated)
    for _ in range(2):
        assert recalled("a", "", asked) == unevaluated
    assert asked.times == 2
    assert not list(cache.iterdir())


def test_what_cannot_be_written_is_found_each_time(cache: Path) -> None:
    asked = Asked(lambda: None)
    assert [recalled("a", "", asked) for _ in range(2)] == [asked.value] * 2
    assert not list(cache.iterdir())


@pytest.mark.parametrize("harm", ["cut", "no pickle"])
def test_a_damaged_file_is_written_anew(cache: Path, harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(1)
    recalled("a", "", asked)
    (path,) = cache.iterdir()
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        recall.cache.save(path, b"no pickle")
    assert [recalled("a", "", asked) for _ in range(2)] == [1, 1]
    assert asked.times == 2


def test_an_error_is_told_each_time() -> None:
    def refuse() -> None:
        raise InputError("no", code="a.b")

    for _ in range(2):
        with pytest.raises(InputError):
            recalled("a", "", refuse)


def test_without_a_cache_everything_is_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.joinpath("file").touch()
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(cache.parent / "file"))
    asked = Asked(1)
    assert [recalled("a", "", asked) for _ in range(2)] == [1, 1]
    assert asked.times == 2


@pytest.mark.parametrize("hypothesis", ["H1+H6", "H2+H5", "H3b+response"])
def test_a_shipped_model_and_its_kernel_come_back_as_they_were_composed(
    cache: Path, hypothesis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = reference_model(hypothesis_named(hypothesis))
    built = build(lower(model))
    for is_kept in (False, True):
        forget()
        if is_kept:
            # Whoever composed, lowered or built again would find nothing to do it with.
            monkeypatch.setattr("simulate.biology.reference.compose", None)
            monkeypatch.setattr("simulate.kernels.system.lower", None)
            monkeypatch.setattr("simulate.kernels.build.build", None)
        found = _shipped_model(*hypothesis.split("+"))
        kernel, sizes = kernel_of(found), term_sizes_of(found)
        assert (kernel.key, kernel.functions, kernel.source) == (built.key, built.functions, built.source)
        assert hypothesis != "H1+H6" or kernel.series() == built.series()
        assert (kernel.clock and kernel.clock()) == (built.clock and built.clock())
        assert sizes == term_sizes(lower(model))
        assert (found, found.key, model_text(found)) == (model, model.key, model_text(model))
    assert {path.name.rpartition("-")[0] for path in cache.iterdir()} == {"model", "kernel", "term-sizes"}
    monkeypatch.undo()
    assert kernel_of(found).stiff_functions() == built.stiff_functions()


def forget() -> None:
    """Let this process know no model."""
    for function in (_shipped_model, kernel_of, term_sizes_of, system_of):
        function.cache_clear()


def test_kernels_of_models_that_say_the_same_otherwise_are_not_taken_for_each_other() -> None:
    model = reference_model(hypothesis_named("H1"))
    condition, *others = model.conditions
    other = replace(model, conditions=(replace(condition, reason="another reason"), *others))
    assert other.key == model.key
    assert [kernel_of(one).conditions[0] for one in (model, other, model)] == [
        condition.reason,
        "another reason",
        condition.reason,
    ]


_RUN = """
import sys
from simulate.cli.app import outcome
from simulate.aside import set_aside
set_aside()
settings = ["--set", "cohort.patients=2", "--set", "time.end=14 d"]
code = outcome(["run", "anakinra-100mg-daily", *settings, "--out", sys.argv[1]])
print(code, sorted({name.partition(".")[0] for name in sys.modules} & {"sympy", "mpmath", "numba", "xarray"}))
"""


def test_a_run_of_a_shipped_model_needs_neither_sympy_nor_numba_the_second_time(tmp_path: Path) -> None:
    # Values alone are found anew: that machine code is compiled once is asked elsewhere, and takes long.
    if CODE is not None and CODE.is_dir():
        shutil.copytree(CODE, tmp_path / CODE.name, ignore=shutil.ignore_patterns(".*"))
    results = []
    for name in ("first", "second"):
        command = [sys.executable, "-c", _RUN, str(tmp_path / name)]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
        results.append((told.splitlines()[-1], (tmp_path / name / "results.nc").read_bytes()))
    (first, course), (second, same_course) = results
    assert first.startswith("0 ['mpmath', ")
    assert second == "0 []"
    assert course == same_course


def test_a_hypothesis_file_is_read_anew_whichever_way_it_is_named(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = []
    for text in ("one", "other"):
        Path("mine.toml").write_text(f'[hypothesis]\nname = "{text}"\ntitle = "{text}"\n', encoding="utf-8")
        found += [
            find_model(None, parts) for parts in (("H1", "mine.toml"), ("H1+mine.toml",), ("H1", Path("mine.toml")))
        ]
    assert [model.hypothesis.rpartition("+")[2] for model in found] == ["one"] * 3 + ["other"] * 3
    assert not list(cache.glob("model-*"))
