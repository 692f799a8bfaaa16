"""What a file is, whoever it was given to: by its first bytes, and of TOML by its tables.

A reader that finds something else than it reads says what the file is and who takes it.
"""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Mapping, Set
from typing import Any

from simulate.errors import InputError, Where

TABLES: Mapping[str, Set[str]] = {
    "hypothesis": {"hypothesis"},
    "evidence": {"item"},
    "evidence sets": {"set"},
    "annotations": {"parts"},
    "measurement": {"sample"},
    "individual data": {"readings"},
    "trial": {"visit", "assay", "sampling"},
    "sweep": {"axis", "scenario"},
    "scenario": {"time", "cohort"},
    "model": {
        *("species", "definitions", "reactions", "observables"),
        *("routes", "balances", "conditions", "events"),
    },
    "population": {"covariate", "effect", "correlation", "stratum", "occasion", "retention"},
}
"""Kind of a TOML file → tables of which it has some, the first that fits."""

_NAMES = {
    "hypothesis": "a hypothesis",
    "evidence sets": "a file of sets of evidence",
    "annotations": "a file of annotations",
    "measurement": "a measurement",
    "individual data": "a description of readings of single patients",
    "trial": "a trial",
    "sweep": "a sweep",
    "scenario": "a scenario",
    "model": "a model",
    "population": "a population",
    "sources": "a list of sources",
    "parameters": "a table of parameters",
}
"""What a reader calls them; of others the kind itself."""

_TAKES = {
    "hypothesis": "`simulate run anakinra-100mg-daily -H {file}` takes it",
    "evidence": "`simulate fit --evidence {file}` takes it, and `simulate audit {file}`",
    "measurement": "`simulate design --measurement {file}` takes it",
    "individual data": "`simulate fit --data {file}` takes it",
    "trial": "`simulate trial --trial {file}` takes it",
    "sweep": "`simulate sweep {file}` takes it",
    "scenario": "`simulate run {file}` takes it",
    "model": '`simulate run {file} --end "10 h"` takes it',
    "population": 'a scenario takes it, by `population = "{file}"` under [cohort]',
}

_NEW = frozenset({"scenario", "model", "hypothesis", "trial", "evidence", "measurement"})
"""Kinds of which `simulate new` writes a file."""

_FIRST_BYTES = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive, such as a workbook of Excel or a COMBINE archive",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"\x89HDF": "a file of results (netCDF or HDF5)",
    b"CDF": "a file of results (netCDF)",
}
_HTML = re.compile(
    r"\s*(<\?xml[^>]*>\s*)?(<!--(?:(?!-->).)*-->\s*)?(<!doctype\s+html|<html)\b", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(r"<[?!a-zA-Z]")
_JSON = re.compile(r"""\{\s*["}]|\[\s*(\{|"[^"\n]*"\s*,|-?\d[\d.eE+-]*\s*,)""")
# No comment can be read in two ways, or a line of them would be in as many as there are parts of it.
_TOML = re.compile(r"""(#[^\n]*(\n\s*|$))*(\[+[\w."-]+\]+\s*(\n|$)|[\w"-]+\s*=\s*\S)""")
_CELL = r'(\s*"[^"]*"\s*|[^="\[\]{},#<>:;]*)'
_HEADER = re.compile(rf"(?!,){_CELL}(,{_CELL})+")


def name_of(kind: str) -> str:
    """What a reader calls a file of a kind."""
    return _NAMES.get(kind, kind)


def kind_of(data: Mapping[str, Any]) -> str:
    """Kind of a TOML file by its tables; empty where they are of none."""
    if found := next((kind for kind, own in TABLES.items() if own & data.keys()), ""):
        return found
    rows = list(data.values())
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        return ""
    return (
        "sources"
        if any("citation" in row for row in rows)
        else "parameters"
        if any("value" in row for row in rows)
        else ""
    )


def taken_by(kind: str, file: str) -> str | None:
    """Which command takes a file of a kind, as advice; None where none does."""
    said = file if kind == "population" else shlex.quote(file)
    return _TAKES[kind].format(file=said) if kind in _TAKES else None


def refuse_other(data: Mapping[str, Any], kind: str, file: str) -> None:
    """Refuse a TOML file that is empty, or that by its tables is of another kind than the one that is read.

    Raises
    ------
    InputError
        ``file.empty``, ``file.kind``.
    """
    if not data:
        raise InputError(
            "the file is empty",
            code="file.empty",
            where=Where(file=file),
            expected=name_of(kind),
            advice=f"`simulate new {kind} mine` writes one to begin with" if kind in _NEW else None,
        )
    found = kind_of(data)
    if found != kind and found and not TABLES[kind] & data.keys():
        raise InputError(
            f"the file is {name_of(found)}, and no {name_of(kind).removeprefix('a ')}",
            code="file.kind",
            where=Where(file=file),
            expected=name_of(kind),
            advice=taken_by(found, file),
        )


def refuse_content(raw: bytes, wanted: str, file: str) -> None:
    """Refuse bytes that are recognized as something else than what is ``wanted``, such as ``TOML``.

    Raises
    ------
    InputError
        ``file.empty``, ``file.kind``.
    """
    name, advice = content_kind(raw)
    if name and name != wanted:
        is_empty = name == "empty"
        if name == "TOML" and file.lower().endswith(".toml"):
            advice = "name the file that was meant"
        raise InputError(
            "the file is empty" if is_empty else f"the file is {name}, and no {wanted.removeprefix('a ')}",
            code="file.empty" if is_empty else "file.kind",
            where=Where(file=file),
            expected=wanted,
            advice=advice,
        )


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Marks at the beginning of a text, by which it says its encoding; that of UTF-32 begins as one of UTF-16 does."""


def encoding_of(raw: bytes) -> str:
    """Encoding that a text says by a mark at its beginning; UTF-8 where there is none."""
    return next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")


def decoded(raw: bytes, errors: str = "strict") -> str:
    """Text of a file, in the encoding that it says by a mark at its beginning, or else in UTF-8.

    Raises
    ------
    UnicodeDecodeError
        It is in another one, unless ``errors`` says otherwise.
    """
    return raw.decode(encoding_of(raw), errors)


def content_kind(raw: bytes) -> tuple[str, str]:
    """What a file is by its bytes, and what to do about it; empty where nothing is recognized."""
    for start, name in _FIRST_BYTES.items():
        if raw.startswith(start):
            return name, "name the file that was meant"
    text = decoded(raw[:10_000], errors="replace").lstrip()
    if not text:
        return "empty", "load or write it again"
    if _HTML.match(text):
        return "a web page (HTML)", "load the file itself: a page about it, or of a login, was saved in its place"
    if _XML.match(text):
        if "<sbml" in text:
            return "SBML", "`simulate run` takes a model in SBML, by a name that ends in .xml or .sbml"
        return "XML", "a model in SBML begins with `<sbml`"
    if _JSON.match(text):
        return "JSON", "name the TOML file that was meant"
    if _HEADER.fullmatch(text.split("\n", 1)[0].strip()):
        return "a table (CSV)", "a table of doses stands in an arm of a scenario: `doses = { file = … }`"
    return ("TOML", "give it a name that ends in .toml") if _TOML.match(text) else ("", "")
