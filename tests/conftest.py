"""Settings of all tests: no window is opened, property tests try the same examples, what is compiled is shared."""

from __future__ import annotations

import importlib
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")
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
    "solver/test_machines",
)  # fmt: skip
"""Files of tests that are begun first, so that none of them is all that a worker still has to do at the end."""

_PATIENCE = 600.0


def pytest_configure(config: pytest.Config) -> None:
    """Of workers that begin together with an empty cache, one compiles the loop, and the others the methods."""
    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker is None:
        return
    from simulate.compiled import cache_directory
    from simulate.locks import locked

    if worker != "gw0":
        importlib.import_module("simulate.solver.methods")
    if (folder := cache_directory()) is not None:
        with locked(folder, wait=_PATIENCE):
            importlib.import_module("simulate.solver.lanes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        folder = config.rootpath / "tests"
        rank = {folder / f"{name}.py": place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: rank.get(item.path, len(rank)))
