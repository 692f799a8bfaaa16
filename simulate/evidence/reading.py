"""Evidence from a file such as `parameters/observations/abstract.toml`; its keys are in `docs/reference-files.md`.

A reading with a ``kind`` of its own has all keys of that kind itself. An item without readings has one: as printed.
The doubt that remains beside all readings depends on the standing and stands in `doubt.toml` beside the files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from simulate import shipped
from simulate.errors import InputError, did_you_mean
from simulate.evidence.items import Evidence, Item, Reading, Standing, Statement, Use
from simulate.evidence.kinds import KINDS
from simulate.evidence.subject import Subject
from simulate.files import Document, read_toml
from simulate.symbolic.parameterfile import read_parameters
from simulate.symbolic.units import DIMENSIONLESS, unit
from simulate.toml import TomlTable

_SUBJECT = ("quantity", "visit_day", "since_day", "group", "unit")

EVIDENCE_KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("schema", "source", "trial", "includes", "item"),
    "item": (
        *("id", "account", "location", "kind", "standing", "use", "among", "arm", "source", "note", "reading"),
        *_SUBJECT,
    ),
    "item.reading": ("name", "share", "kind", *_SUBJECT),
}
"""Keys of the tables of an evidence file; items and readings have those of their kind besides."""


def abstract_file() -> Path:
    """Every statement of the abstract."""
    return shipped.root() / "observations" / "abstract.toml"


def external_file() -> Path:
    """Findings of other studies, which a fitted model is held against."""
    return shipped.root() / "observations" / "external.toml"


def doubt_file() -> Path:
    """How likely a statement means nothing of what it seems to mean, by its standing."""
    return shipped.root() / "observations" / "doubt.toml"


def shipped_doubts() -> dict[Standing, float]:
    """Probability, by standing, that a statement means nothing of the kind."""
    rows = read_parameters(doubt_file())
    return {standing: rows[f"doubt_{standing.value.replace(' ', '_')}"].value for standing in Standing}


def read_evidence(path: Path | str | None = None) -> Evidence:
    """Items of a file, or of a shipped one by name; of the abstract if none is given."""
    files = shipped.observation_files()
    return evidence_from(
        read_toml(abstract_file() if path is None else files.get(str(path), Path(path)), kind="evidence")
    )


def evidence_from(document: Document) -> Evidence:
    """Items of a document that was read; errors are those of `read_evidence`."""
    top = TomlTable(document, allowed=EVIDENCE_KEYS[""], required=("schema", "source", "item"))
    top.schema()
    source = top.text("source")
    if top["item"] == []:
        raise InputError("the file has no item", code="evidence.empty", where=document.where("item"))
    doubts = shipped_doubts()
    included = top.text("includes", "")
    items: dict[str, Item] = {}
    if included:
        known = shipped.observation_files()
        other = read_evidence(known.get(included, Path(document.path).parent / included))
        items = {item.name: item for item in other.items}
    before = len(items)
    for row in top.tables("item", required=("kind",)):
        item = _item(row, source, doubts)
        if item.name in items:
            raise InputError(
                f"two items have the name `{item.name}`",
                code="evidence.twice",
                where=row.where("id"),
                advice="give one of them another name",
            )
        items[item.name] = item
    for index, item in enumerate(list(items.values())[before:]):
        if item.among is not None and not (item.among in items and hasattr(items[item.among].statement, "count")):
            raise InputError(
                f"`{item.among}` is not an item that counts people",
                code="evidence.among",
                where=document.where("item", index, "among"),
                advice=did_you_mean(item.among, items),
            )
    trial = top.text("trial", "")
    if trial.endswith(".toml"):
        trial = str(Path(document.path).parent / trial)
    return Evidence(source, tuple(items.values()), trial, Path(document.path).stem)


def _item(row: TomlTable, source: str, doubts: Mapping[Standing, float]) -> Item:
    kind = row.choice("kind", KINDS)
    row.check_keys((*EVIDENCE_KEYS["item"], *KINDS[kind].KEYS))
    name, account = row.text("id"), row.text("account")
    standing = Standing(row.choice("standing", [known.value for known in Standing]))
    note = row.text("note", None)
    if note is None and standing is not Standing.REPORTED:
        raise InputError(
            f"the item `{name}` is {standing.value}, and no note says why",
            code="key.missing",
            where=row.where("standing"),
            expected="a `note`",
        )
    subject, statement = _claim(row, kind)
    said = [row] if "reading" not in row else [_whole(table, row, kind) for table in row.tables("reading")]
    return Item(
        name=name,
        account=account,
        location=row.text("location", None),
        source=row.text("source", source),
        standing=standing,
        note=note,
        use=Use(row.choice("use", [known.value for known in Use], Use.DATUM.value)),
        subject=subject,
        statement=statement,
        readings=_readings(row, kind, (subject, statement)),
        doubt=doubts[standing],
        among=row.text("among", None),
        arm=row.text("arm", None),
        taken=tuple(dict.fromkeys(text for table in said for text in _taken(table, kind))),
        where=row.where(),
    )


def _taken(row: TomlTable, kind: str) -> list[str]:
    """Sentences about what the kind takes to be meant where a claim does not say it."""
    taken: Mapping[str, str] = getattr(KINDS[row.text("kind", kind)], "TAKEN", {})
    return [text for key, text in taken.items() if key not in row]


def _claim(row: TomlTable, kind: str) -> tuple[Subject, Statement]:
    subject = Subject(
        quantity=row.text("quantity"),
        days=days_of(row, "visit_day"),
        since=row.number("since_day", None),
        group=row.text("group", "all"),
        unit=row.parsed("unit", unit, DIMENSIONLESS),
    )
    return subject, KINDS[kind].read(row)


def days_of(row: TomlTable, key: str) -> tuple[float, ...]:
    """A day, or several of them."""
    days = row.numbers(key) if isinstance(row[key], list) else (row.number(key),)
    if min(days) < 0.0 or len(set(days)) < len(days):
        raise row.wrong(key, "a day from 0 on, or several different ones")
    return days


def _readings(row: TomlTable, kind: str, printed: tuple[Subject, Statement]) -> tuple[Reading, ...]:
    if "reading" not in row:
        return (Reading("as printed", 1.0, *printed),)
    readings = [_reading(table, row, kind) for table in row.tables("reading")]
    total = math.fsum(reading.share for reading in readings)
    if abs(total - 1.0) > 1e-9 or len({reading.name for reading in readings}) < len(readings):
        raise InputError(
            f"the readings of `{row.text('id')}` are not different ones whose shares add up to 1",
            code="evidence.shares",
            where=row.where("reading"),
            found=", ".join(f"{reading.name} {reading.share:g}" for reading in readings),
        )
    return tuple(readings)


def _reading(table: TomlTable, row: TomlTable, kind: str) -> Reading:
    own = table.choice("kind", KINDS, kind)
    table.check_keys((*EVIDENCE_KEYS["item.reading"], *KINDS[own].KEYS))
    subject, statement = _claim(_whole(table, row, kind), own)
    return Reading(table.text("name"), table.number("share", least=0.0, most=1.0), subject, statement)


def _whole(table: TomlTable, row: TomlTable, kind: str) -> TomlTable:
    """A reading with what its item says of it too."""
    # What another kind calls by the same name, such as `n`, is not meant.
    return table.over(row, hidden=() if table.text("kind", kind) == kind else KINDS[kind].KEYS)
