"""What takes long to find is found once, comes back as it was, and is found anew when what decides it has changed."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sympy

from simulate import recall
from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.errors import InputError
from simulate.kernels.blueprint import blueprint, recalled_blueprint
from simulate.kernels.build import assemble
from simulate.kernels.of_model import kernel_of
from simulate.kernels.system import lower
from simulate.recall import recalled
from simulate.studies.models import _shipped_model, find_model
from simulate.symbolic.modelwriting import model_text


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
    recall._edition.cache_clear()
    recall._paths.cache_clear()


def test_a_value_is_found_once_for_each_question() -> None:
    asked = Asked((sympy.Symbol("x") + 1, 0.1))
    assert [recalled("a", ("symbolic",), text, asked) for text in ("1", "1", "2", "2")] == [asked.value] * 4
    assert asked.times == 2


def test_a_source_that_changed_is_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    (package / "symbolic").mkdir(parents=True)
    monkeypatch.setattr(recall, "__file__", str(package / "recall.py"))
    asked = Asked(1)
    for path in (package / "recall.py", package / "symbolic" / "model.py"):
        for text in ("1", "2"):
            path.write_text(text, encoding="utf-8")
            as_of_now(monkeypatch)
            recalled("a", ("symbolic",), "", asked)
            recalled("a", ("symbolic",), "", asked)
    (package / "kernels").mkdir()
    (package / "kernels" / "build.py").touch()
    as_of_now(monkeypatch)
    recalled("a", ("symbolic",), "", asked)
    assert asked.times == 4


def as_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sources be read as by a process that begins now."""
    recall._edition.cache_clear()
    recall._paths.cache_clear()
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
    monkeypatch.setattr(recall, "__file__", str(tmp_path / "package" / "recall.py"))
    monkeypatch.setattr(recall.shipped, "parameter_files", lambda: (table,))
    as_of_now(monkeypatch)

    def edit() -> int:
        later = recall.LOADED + 1
        os.utime(source if what == "source" else table, ns=(later, later))
        return 1

    if when == "before":
        edit()
        asked = Asked(1)
        assert [recalled("a", ("symbolic",), "", asked) for _ in range(2)] == [1, 1]
        assert asked.times == 2
    else:
        assert recalled("a", ("symbolic",), "", edit) == 1
    assert not list(cache.iterdir())


def test_without_sources_nothing_is_kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a package of compiled files alone, of which two editions would look the same."""
    monkeypatch.setattr(recall, "__file__", str(tmp_path / "package" / "recall.py"))
    as_of_now(monkeypatch)
    asked = Asked(1)
    assert [recalled("a", ("symbolic",), "", asked) for _ in range(2)] == [1, 1]
    assert asked.times == 2
    assert not list(cache.iterdir())


def test_what_would_come_back_as_something_else_is_not_kept(cache: Path) -> None:
    # SymPy multiplies out what it is given anew: 2*(x + 1) comes back as 2*x + 2.
    unevaluated = sympy.Mul(2, sympy.Symbol("x") + 1, evaluate=False)
    assert pickle.loads(pickle.dumps(unevaluated)) != unevaluated
    asked = Asked(unevaluated)
    for _ in range(2):
        assert recalled("a", (), "", asked) == unevaluated
    assert asked.times == 2
    assert not list(cache.iterdir())


def test_what_cannot_be_written_is_found_each_time(cache: Path) -> None:
    asked = Asked(lambda: None)
    assert [recalled("a", (), "", asked) for _ in range(2)] == [asked.value] * 2
    assert not list(cache.iterdir())


@pytest.mark.parametrize("harm", ["cut", "no pickle"])
def test_a_damaged_file_is_written_anew(cache: Path, harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(1)
    recalled("a", (), "", asked)
    (path,) = cache.iterdir()
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        recall.cache.save(path, b"no pickle")
    assert [recalled("a", (), "", asked) for _ in range(2)] == [1, 1]
    assert asked.times == 2


def test_an_error_is_told_each_time() -> None:
    def refuse() -> None:
        raise InputError("no", code="a.b")

    for _ in range(2):
        with pytest.raises(InputError):
            recalled("a", (), "", refuse)


def test_without_a_cache_everything_is_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.parent.joinpath("file").touch()
    monkeypatch.setenv("IL1SIM_CACHE_DIR", str(cache.parent / "file"))
    asked = Asked(1)
    assert [recalled("a", (), "", asked) for _ in range(2)] == [1, 1]
    assert asked.times == 2


@pytest.mark.parametrize("hypothesis", ["H1+H6", "H2+H5", "H3b+response"])
def test_a_shipped_model_and_its_kernel_come_back_as_they_were_composed(
    cache: Path, hypothesis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = reference_model(hypothesis_named(hypothesis))
    plan = blueprint(lower(model))
    for is_kept in (False, True):
        _shipped_model.cache_clear()
        if is_kept:
            # Whoever composed or took apart again would find nothing to do it with.
            monkeypatch.setattr("simulate.biology.reference.compose", None)
            monkeypatch.setattr("simulate.kernels.blueprint.blueprint", None)
        found = _shipped_model(*hypothesis.split("+"))
        assert (found, found.key, model_text(found)) == (model, model.key, model_text(model))
        assert recalled_blueprint(lower(found), found.key) == plan
    assert {path.name.partition("-")[0] for path in cache.iterdir()} == {"model", "blueprint"}
    kernel_of.cache_clear()
    assert kernel_of(found).key == assemble(plan).key


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


def test_a_kernel_of_another_system_is_not_taken_whatever_its_key() -> None:
    systems = [lower(reference_model(hypothesis_named(name))) for name in ("H0", "H1")]
    found = [recalled_blueprint(system, "key") for system in systems]
    assert found == [blueprint(system) for system in systems]
    assert found[0] != found[1]
