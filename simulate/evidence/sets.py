"""Named sets of evidence: which trials a fit stands on, and which statements it leaves out for what reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulate import shipped
from simulate.files import read_toml
from simulate.toml import TomlTable, keys_of

DEFAULT = "abstract"
"""The set that is meant where none is named."""

SET_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "": (("schema",), ("set", "checks")),
    "set": (("title", "trials"), ("not_used",)),
    "set.not_used": (("statement", "source", "why"), ()),
    "checks": (("title", "trials"), ()),
}
"""Keys of the tables of a file of sets: those that it must have, and those that it may have besides."""


@dataclass(frozen=True, slots=True)
class NotUsed:
    """A statement that a set does not use, the key of its source, and why it is not used."""

    statement: str
    source: str
    why: str

    def __str__(self) -> str:
        return f"not used: {self.statement} ({self.source}): {self.why}"


@dataclass(frozen=True, slots=True)
class EvidenceSet:
    """A set of evidence."""

    #: As ``--evidence`` takes it, and words.
    name: str
    title: str
    trials: tuple[str, ...]  #: Shipped trials, each with the evidence that its file names
    not_used: tuple[NotUsed, ...] = ()  #: What it could have and does not use


def evidence_sets(path: Path | None = None) -> Mapping[str, EvidenceSet]:
    """Sets of evidence of a file by name; those that ship if none is given."""
    found = {}
    for name, row in _top(path).named("set", **keys_of(SET_KEYS, "set")):
        left_out = row.tables("not_used", **keys_of(SET_KEYS, "set.not_used"))
        found[name] = EvidenceSet(
            name,
            row.text("title"),
            row.texts("trials"),
            tuple(NotUsed(part.text("statement"), part.text("source"), part.text("why")) for part in left_out),
        )
    return found


def check_trials() -> tuple[str, ...]:
    """Shipped trials of other patients or drugs, which a fit is held against if it does not use them."""
    return _top().table("checks", **keys_of(SET_KEYS, "checks")).texts("trials")


def _top(path: Path | None = None) -> TomlTable:
    top = TomlTable(read_toml(path or shipped.evidence_sets_file(), kind="evidence sets"), **keys_of(SET_KEYS, ""))
    top.schema()
    return top
