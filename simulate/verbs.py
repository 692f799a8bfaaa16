"""The verbs: what the command line offers, and the Python function of the same name; a row each in `verbs.toml`."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the command line.

    Attributes
    ----------
    name, group, summary
        What is typed, what it is for, and what the help says of it.
    function
        Name of its function in the module `simulate.cli.NAME`.
    api
        Module that has the Python function of the same name; None where there is none.
    """

    name: str
    group: str
    summary: str
    function: str
    api: str | None

    @property
    def word(self) -> str:
        """The name as Python writes it."""
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """Module that parses its arguments and prints its results."""
        return f"simulate.cli.{self.word}"


@functools.cache
def verbs() -> Mapping[str, Verb]:
    """Every verb by its name, in the order of the help."""
    # Not by the reader of files: the package asks for this table before any module of it is there.
    table = tomllib.loads(Path(__file__).with_name("verbs.toml").read_text(encoding="utf-8"))
    return {
        name: Verb(name, group, row["help"], row.get("function", name.replace("-", "_")), row.get("api"))
        for group, rows in table.items()
        for name, row in rows.items()
    }
