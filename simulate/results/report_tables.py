"""Tables of a report: files of a directory, with words for their names and columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulate.files import parse_json
from simulate.manifest import check_file
from simulate.results.changes import RULE, ChangeRow
from simulate.results.html import escaped, folded, lines_table, paragraph, section, table
from simulate.results.shown import changes_shown, levels_shown, named, same_in_all
from simulate.results.tables import SummaryRow, rounded
from simulate.studies.measuring.ranking import SIZES
from simulate.studies.paired import RESOLVED
from simulate.studies.side_by_side import LARGE
from simulate.tabular import rows_of

MOST_ROWS = 400
"""Rows of a table of results; the file has the others."""

CHANGES, SUMMARY = "changes.csv", "summary.csv"
_FIRST = (CHANGES, SUMMARY)
_WORDS = {
    "arm": "arm",
    "less": "minus the arm",
    "group": "of whom",
    "p5": "5 % of patients below",
    "p95": "95 % of patients below",
    "up": "share who rise",
    "down": "share who fall",
    "n": "patients",
    "n_ok": "patients shown",
    "agreeing": "share who agree",
    "trough": "trough (median)",
    "peak": "peak (median)",
    "source": "the source printed",
    "needed": "patients needed",
    "going": "share who go that way",
    "both": "share with both signs",
    "p": "p-value",
    "ed50": "ED50",
    "since_d": "since day",
    "time_d": "day",
    "n_all": "patients in all",
}
"""Words for names of columns that do not speak for themselves; in others an underscore is a blank."""

_WORDS_OF: Mapping[str, Mapping[str, str]] = {
    "curves.csv": {
        "patients": "patients with a curve of their own",
        "patients_median": "median of patients' own",
    },
    "side-by-side.csv": {
        "both_responders": "share of responders with both signs",
        "both_others": "share of others with both signs",
        "both_large": f"share with both signs and more than {LARGE:g} %",
    },
}
"""Words for names of columns of a file that mean something else in others."""

_ENDS = {"_low": "low end", "_high": "high end", "_p5": "5 % of patients below", "_p95": "95 % of patients below"}

_COUNTS = ("n", "n_ok", "n_all", "patients", "needed")
"""Columns that count patients: whole numbers without decimals, of which no range is the ends."""

_MIDDLES = ("median", "simulated", "mean")
"""Columns of which `p5` and `p95` are the ends, the first of them that a file has."""

_RANGES = (
    ("p5", "p95", " (5 to 95 % of patients)", "({} to {})"),
    ("{}_p5", "{}_p95", " (5 to 95 %)", "({} to {})"),
    ("{}_low", "{}_high", " [low to high end]", "[{} to {}]"),
)
"""Names of columns with the ends of what another column has, what its heading says of them, and how they are shown."""

_CAPTIONS = {
    CHANGES: "Change since baseline",
    SUMMARY: "Levels",
    "effect-doses.csv": "Doses with a share of the largest effect",
    "effects.csv": "Effects",
    "influences.csv": "What patients' own ED50 goes with",
    "isoboles.csv": "Doses of equal effect",
}
"""Words for tables whose file names do not speak for themselves; in others a hyphen is a blank."""

_CAPTIONS_OF = {
    ("dose-response", "curves.csv"): "Curves of effect against dose",
    ("fit", "curves.csv"): "Points of the profiles",
    ("trial", "curves.csv"): "Power over the number of patients",
    ("trial", "curves.png"): "power over the number of patients",
    ("trial", "effects.csv"): "Power and errors of sign and size, by effect and test",
    ("trial", "endpoints.csv"): "Power of endpoints that are judged together",
    ("trial", "printed.csv"): "Reported values among repeated studies",
    ("trial", "trial.png"): "power, and errors of sign and size, by effect and test",
}
"""Words for tables and figures of a verb, the names of which mean something else or nothing without it."""

OF_DOSES = ("effect-doses.csv", "isoboles.csv")
"""Tables of doses, of which one that is beyond the doses of the study is blank."""

_FACTS = {("dose-response", "bound"): "blocked is a signal of IL-1 below this, % of its baseline"}
"""Words for single values of the document of a verb."""

_NOT_SHOWN = {CHANGES: ("meaning", "day", "averaged")}


def results(directory: Path, manifest: Mapping[str, Any]) -> str:
    """The section of results: single values of a verb, then all tables of its directory."""
    parts = list(_told(directory, manifest))
    names = [name for name in manifest.get("files", {}) if name.endswith(".csv") and "/" not in name]
    shown = _of_run(directory) if manifest.get("kind") == "run" and {*_FIRST} <= {*names} else None
    parts += [] if shown is None else shown
    for name in sorted(names, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)):
        if (directory / name).is_file():
            text = _text(directory / name)
            title, whole = _caption(name, manifest), list(_whole(directory, name, text))
            if shown is not None and name in _FIRST:
                parts.append(folded(f"{title}, row by row", *whole))
            else:
                parts += [f"<h3>{escaped(title)}</h3>", *whole]
                parts += [paragraph(f"Changes are each patient's own; {RULE}.")] if name == CHANGES else []
    return section("Results", *parts)


def _text(file: Path) -> str:
    """Text of a table, in which somebody may have written what is none."""
    return file.read_text(encoding="utf-8", errors="replace")


def _of_run(directory: Path) -> list[str] | None:
    """Changes and levels of a run as the run printed them, with the names of quantities; None if they cannot be read.

    A file that was changed by hand, or by a version with other columns, may lack columns, or rows of some arm or visit.
    """
    texts = [_text(directory / name) for name in _FIRST if (directory / name).is_file()]
    if len(texts) < len(_FIRST):
        return None
    try:
        return _changes_and_levels(rows_of(texts[0], ChangeRow), rows_of(texts[1], SummaryRow))
    except (ValueError, TypeError, KeyError):
        return None


def _changes_and_levels(changes: Sequence[ChangeRow], levels: Sequence[SummaryRow]) -> list[str]:
    are_alike = not (changes and changes[0].median_low is not None) and same_in_all(levels)
    ranges = "" if are_alike else ": median (5 to 95 % of the patients)"
    parts = []
    if changes:
        tables = changes_shown(
            changes,
            has_room=True,
            are_alike=are_alike,
            bracketed={row.quantity for row in changes},
            named=named,
        )
        between = f"{ranges} [90 % of the draws]" if changes[0].median_low is not None else ranges
        parts.append("<h3>Change since baseline, of each patient</h3>")
        parts += [lines_table(own.what, own.headings, own.lines) for own in tables]
        counted = "" if are_alike else f"; up/down: % of patients who rise and who fall {RESOLVED}"
        rule = f"; {RULE}" if any(row.reported for row in changes) else ""
        parts.append(paragraph(f"Changes are each patient's own{between}{counted}{rule}."))
    own = levels_shown(levels, named=named)
    parts += [f"<h3>Levels{ranges}</h3>", lines_table(own.what, own.headings, own.lines)]
    if any(row.trough is not None for row in levels):
        parts.append(paragraph("Where trough and peak stand below, it is the average over the dosing interval before."))
    return parts


def _whole(directory: Path, name: str, text: str) -> Iterator[str]:
    """All rows of a file, up to `MOST_ROWS`."""
    rows = list(csv.reader(io.StringIO(text)))
    if not rows:
        return
    hidden = _NOT_SHOWN.get(name, ())
    wide = [row + [""] * (len(rows[0]) - len(row)) for row in rows[1 : MOST_ROWS + 1]]
    highest = _highest_dose(directory) if name in OF_DOSES else ""
    told = [in_words(name, dict(zip(rows[0], row, strict=False)), highest) for row in wide]
    shown = {title: [_cell(row[title], title) for row in told] for title in rows[0] if title not in hidden}
    columns = narrow(shown, name)
    yield table(list(columns), list(zip(*columns.values(), strict=True)))
    if len(rows) - 1 > MOST_ROWS:
        yield paragraph(f"{MOST_ROWS} of {len(rows) - 1} rows; the file has the others.")


def in_words(name: str, row: Mapping[str, str], highest: str) -> dict[str, str]:
    """A row of a file in which what is blank because it is out of reach, or cannot be estimated, says so.

    ``highest`` is the highest dose of a dose-response study.
    """
    found = dict(row)
    if name in OF_DOSES:
        if found.get("low") or found.get("high"):
            found["dose"] = found.get("dose") or "not known but for its ends"
            found["low"] = found.get("low") or "less than the doses"
            found["high"] = found.get("high") or f"more than {highest}"
        else:
            found["dose"] = found.get("dose") or "not known in the range"
    elif name == "curves.csv" and found.get("estimate") == "":
        is_between = found.get("low") or found.get("high")
        found["estimate"] = "not known but for its ends" if is_between else "not estimable"
    elif name == "profiles.csv":
        for end in {"low", "high"} & set(found):
            found[end] = found[end] or "open"
    elif found.get("n_needed") == "":
        found["n_needed"] = f"over {SIZES[-1]}"
    return found


def _highest_dose(directory: Path) -> str:
    file = directory / "effects.csv"
    rows = csv.DictReader(io.StringIO(_text(file) if file.is_file() else ""))
    return f"{max((float(row['dose']) for row in rows), default=math.inf):g}".replace("inf", "the doses")


def narrow(columns: Mapping[str, Sequence[str]], file: str = "") -> dict[str, list[str]]:
    """Columns of a file by their words: ends stand beside what they are the ends of, and what is empty is left out."""
    found: dict[str, list[str]] = {}
    ranges = _ranges_of(columns)
    ends = {end for own in ranges.values() for low, high, *_ in own for end in (low, high)}
    for name, cells in columns.items():
        if name in ends:
            continue
        words, joined = _WORDS_OF.get(file, {}).get(name) or heading(name), list(cells)
        for low, high, said, form in ranges.get(name, ()):
            pairs = list(zip(columns[low], columns[high], strict=True))
            if any(map(any, pairs)):
                words += said
            joined = [
                f"{cell} {form.format(*own)}" if any(own) else cell for cell, own in zip(joined, pairs, strict=True)
            ]
        if any(joined) or not joined:
            found[words if words not in found else f"{words}, {name.replace('_', ' ')}"] = joined
    return found


def _ranges_of(columns: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, str, str, str]]]:
    """Column → the columns with its ends, and how these are told. Ends that are those of no column are not in it."""
    names = list(columns)
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for low, high, said, form in _RANGES:
        stems = [name.removesuffix(low[2:]) for name in names if name.endswith(low[2:])] if low != "p5" else [""]
        for stem in stems:
            ends = (low.format(stem), high.format(stem))
            if low == "p5":
                wanted: tuple[str, ...] = _MIDDLES
            else:
                wanted = (f"{stem}_median", stem) if low == "{}_p5" else (stem,)
            middle = next((name for name in wanted if name in names and name not in _COUNTS), None)
            if middle is not None and all(end in names for end in ends):
                found.setdefault(middle, []).append((*ends, said, form))
    return found


def _caption(name: str, manifest: Mapping[str, Any]) -> str:
    """What a table has, and the name of its file."""
    own = _CAPTIONS_OF.get((str(manifest.get("kind")), name))
    words = name.removesuffix(".csv").replace("-", " ").replace("_", " ")
    return f"{own or _CAPTIONS.get(name, words[:1].upper() + words[1:])} ({name})"


def words_of_picture(name: str, manifest: Mapping[str, Any]) -> str:
    """The caption of a figure, by its name."""
    return _CAPTIONS_OF.get((str(manifest.get("kind")), name), name.removesuffix(".png").replace("-", " "))


def heading(column: str) -> str:
    """Words for the name of a column in a file."""
    if column in _WORDS:
        return _WORDS[column]
    for end, words in _ENDS.items():
        if column.endswith(end):
            return f"{heading(column.removesuffix(end))}, {words}"
    return column.removeprefix("over_").replace("_", " ")


def _told(directory: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Single values of the document of a verb, such as a verdict; that of a sweep is for going on with it."""
    if manifest.get("kind") == "sweep":
        return
    name = f"{manifest.get('kind')}.json"
    if name in manifest.get("files", {}):
        document = parse_json(check_file(directory, manifest, name).read_bytes())
        told = {key: value for key, value in document.items() if isinstance(value, str | int | float) and value != ""}
        rows = [
            (
                _FACTS.get((str(manifest.get("kind")), key), key.replace("_", " ")),
                f"{value:.0f}" if isinstance(value, float) and value.is_integer() else value,
            )
            for key, value in told.items()
        ]
        if rows:
            yield table(("", ""), rows)


def _cell(text: str, column: str) -> str:
    """A number of a table to three digits, and a count without decimals."""
    try:
        value = float(text)
    except ValueError:
        return text
    if column in _COUNTS and value.is_integer():
        return f"{value:.0f}"
    return text if text.isdigit() else rounded(value)
