"""Settings of all tests: no window is opened, property tests try the same examples, what is compiled is shared."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")
# As the command does: two workers on two cores would else have four threads that wait for one another by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# pytest-xdist sets it for its workers, and tables would be folded to it.
os.environ.pop("COLUMNS", None)
# Each of a hundred processes would else translate all files of the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile(
    "il1sim", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("il1sim")

LONGEST = (
    "biology", "exchange", "solver/test_machines", "solver/test_acceptance", "studies/sweeps/test_survival",
    "test_tutorials", "kernels/test_sensitivities", "studies/fitting/test_fit", "kernels/test_print_llvm",
    "evidence/test_order_statistics", "cli/test_fit", "cli/test_run", "cli/test_app", "cli/test_trial_files",
    "symbolic/test_limits", "test_site", "studies/fitting/test_shipped", "kernels/test_cuda",
    "studies/comparison/test_own", "kernels/test_build", "faults/test_environment", "studies/virtual/test_populations",
    "inference/test_polish", "cli/test_vpop",
)  # fmt: skip
"""Tests that are begun first, the others in the order of their names: what takes long must not be left to the end."""

TOGETHER = ("tests/biology/", "tests/exchange/")
"""Folders each of one worker: their files share models that are composed once, and courses and baselines of them."""

_PATIENCE = 600.0


def pytest_configure(config: pytest.Config) -> None:
    """Of workers that begin together, the first compiles the loop while another translates the tests for both."""
    if _worker(config) == "gw0":
        _compile_loop()


def _worker(config: pytest.Config) -> str:
    """Name of the process as a worker; empty for one that is none."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def _compile_loop() -> None:
    from simulate.locks import locked
    from simulate.native import cache_directory
    from simulate.solver.lanes import integrate

    if (folder := cache_directory()) is not None:
        with locked(folder, wait=_PATIENCE):
            assert integrate.address


def _compile_methods() -> None:
    from simulate.compiled import Compiled
    from simulate.solver.methods import METHODS

    for method in METHODS:
        for part in (method.attempt, method.interpolate, method.extend, method.propose):
            assert isinstance(part, Compiled)
            assert part.address


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    from simulate.uncollected import uncollected

    with uncollected():
        return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What all tests share stays until the end: no search for garbage need walk through it again and again."""
    if _worker(session.config) not in ("", "gw0"):
        _compile_methods()
        _compile_loop()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        rank = {f"tests/{name}": place for place, name in enumerate(LONGEST)}

        def place(item: pytest.Item) -> int:
            return rank.get(_together(item.nodeid).removesuffix("/").removesuffix(".py"), len(rank))

        items.sort(key=place)


def _together(nodeid: str) -> str:
    """The file of a test, or the folder whose files stay together."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return the scheduler of `loadfile` that takes the files of each folder of `TOGETHER` for one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(nodeid)

    return Scheduling(config, log)
