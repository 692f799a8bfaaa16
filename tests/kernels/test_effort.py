"""What it takes to make a model ready grows as the model does; counted in calls and instructions, not in seconds."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llvmlite import ir

from benchmarks.large import ring
from simulate import emitting, native
from simulate.exchange.sbml import read_sbml
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import lower

DOUBLED = 2.2
"""Most that effort grows by when a model becomes twice as large."""


def calls(work: Callable[[], object]) -> int:
    """How many functions are called."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


Made = tuple[CompiledKernel, list[int]]


def made(path: Path, states: int) -> Made:
    """Kernel of a model, and calls of reading it, its equations, its functions and its Jacobian."""
    path.write_text(ring(states))
    spent: list[int] = []
    found: list[Any] = []

    def part(work: Callable[[], object]) -> Any:
        spent.append(calls(lambda: found.append(work())))
        return found[-1]

    imported = part(lambda: read_sbml(path, time_unit="d"))
    model = part(lambda: imported.model.compose())
    kernel = part(lambda: build(lower(model)))
    part(lambda: kernel.stiff_source())
    return kernel, spent


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    """A model, and one that is twice as large."""
    path = tmp_path_factory.mktemp("ring") / "ring.xml"
    made(path, 5)
    return made(path, 24), made(path, 48)


def test_what_python_does_grows_in_proportion_to_the_model(doubled: tuple[Made, Made]) -> None:
    (_, small), (_, large) = doubled
    growth = [more / less for less, more in zip(small, large, strict=True)]
    assert 1.5 < min(growth)
    assert max(growth) < DOUBLED


def test_tables_grow_in_proportion_to_the_model(tmp_path: Path) -> None:
    path = tmp_path / "ring.xml"
    made(path, 49)
    (small, few), (large, many) = (made(path, states) for states in (50, 100))
    assert 1.5 < many[-1] / few[-1] < DOUBLED
    assert 1.5 < len(large.stiff_source()) / len(small.stiff_source()) < DOUBLED * 1.1


@pytest.mark.parametrize("name", ["prepare", "rhs", "jacobian"])
def test_what_llvm_is_given_and_gives_grows_in_proportion_to_the_model(
    name: str, doubled: tuple[Made, Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    plain = emitting._Object.add_ir_module

    def counted(library: emitting._Object, module: ir.Module) -> None:
        given.append(sum(len(block.instructions) for function in module.functions for block in function.blocks))
        plain(library, module)

    monkeypatch.setattr(emitting._Object, "add_ir_module", counted)
    # No code that is kept counts.
    monkeypatch.setattr(native, "cache_directory", lambda: None)
    for kernel, _ in doubled:
        getattr(kernel, name)
    assert len(given) == 2
    assert 1.5 < given[1] / given[0] < DOUBLED
