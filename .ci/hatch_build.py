"""Puts the curated data and the pages of the documentation into the wheel."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DataHook(BuildHookInterface):  # type: ignore[type-arg]
    """Copies `parameters/` to `simulate/_parameters/` and pages to `simulate/_pages/`, but only into a real wheel.

    A static ``force-include`` would also copy the data into site-packages on ``pip install -e .``, to go stale there.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["parameters"] = "simulate/_parameters"
            for name in ("docs", "benchmarks/README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
                build_data["force_include"][name] = f"simulate/_pages/{name}"
