"""Parameters and references from TOML, one row each.

::

    [k_a]
    meaning = "absorption rate constant after subcutaneous injection"
    value = 4.1
    unit = "1/d"
    spread = { cv = 0.25 }            # or { sd_log = 0.79 }; omitted: the same in all patients
    bounds = [2.8, 5.5]
    source = "label-kineret"          # a key of sources.toml
    grade = "read"                    # read | calculated | recalled | assumed
    note = "optional free text"
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from simulate.errors import InputError, Where, did_you_mean
from simulate.files import read_toml
from simulate.symbolic.naming import check_name
from simulate.symbolic.parts import Grade, Parameter, Source, Spread
from simulate.symbolic.units import DIMENSIONLESS, unit
from simulate.toml import TomlTable

PARAMETER_KEYS = ("meaning", "value", "unit", "spread", "bounds", "source", "grade", "note")
"""Keys of the row of a parameter."""

_REQUIRED = ("meaning", "value", "unit", "source", "grade")
_GRADES = {grade.name.lower(): grade for grade in Grade}


def read_parameters(path: Path | str) -> dict[str, Parameter]:
    """Parameters of a file, by name.

    Raises
    ------
    InputError
        ``key.unknown``, ``key.missing``, ``key.type``, ``key.value`` (a value outside its bounds, say),
        ``model.name``, ``units.…``, ``file.…``; each with file and line.
    """
    document = read_toml(Path(path))
    rows = TomlTable(document)
    found = {}
    for name in rows:
        check_name(name, rows.where(name))
        found[name] = parameter_of(name, rows.table(name, allowed=PARAMETER_KEYS, required=_REQUIRED))
    return found


def parameter_of(name: str, row: TomlTable, *, is_within: bool = True) -> Parameter:
    """Parameter from its row; what the row leaves out has the defaults of `Parameter`.

    Patients who are drawn within bounds may be the tail of a distribution: with ``is_within`` false, its center may
    lie outside.
    """
    value = row.number("value")
    bounds = bounds_of(row, value if is_within else None)
    spread = spread_of(row)
    if spread is not None and value <= 0:
        raise row.wrong("value", "a positive number, because the spread is log-normal")
    row.text("note", "")
    return Parameter(
        name=name,
        meaning=row.text("meaning", name),
        value=value,
        unit=row.parsed("unit", unit, DIMENSIONLESS),
        spread=spread,
        bounds=bounds,
        source=row.text("source", "user"),
        grade=grade_of(row, Grade.ASSUMED),
    )


def read_sources(path: Path | str) -> dict[str, Source]:
    """References of a file, by key.

    Raises
    ------
    InputError
        As `read_parameters`.
    """
    keys = ("citation", "identifier", "read")
    rows = TomlTable(read_toml(Path(path)))
    found = {}
    for key in rows:
        row = rows.table(key, allowed=keys, required=keys)
        found[key] = Source(key, row.text("citation"), row.text("identifier"), row.text("read"))
    return found


def check_sources(parameters: Mapping[str, Parameter], sources: Mapping[str, Source]) -> None:
    """Refuse a parameter whose source is not among the references.

    Raises
    ------
    InputError
        ``source.unknown``.
    """
    for name, parameter in parameters.items():
        if parameter.source not in sources:
            raise InputError(
                f"the source `{parameter.source}` of parameter `{name}` is not a known reference",
                code="source.unknown",
                where=Where(key=f"{name}.source"),
                advice=did_you_mean(parameter.source, sources) or "add it to sources.toml",
            )


def grade_of(row: TomlTable, default: Grade | None = None) -> Grade:
    """The grade of a number, by the key ``grade``."""
    return _GRADES[row.choice("grade", _GRADES, None if default is None else default.name.lower())]


def bounds_of(row: TomlTable, value: float | None = None) -> tuple[float, float] | None:
    """Bounds of a number, within which a given value must lie; None where there are none."""
    if "bounds" not in row:
        return None
    low, high = row.numbers("bounds", 2)
    if not low < high:
        raise row.wrong("bounds", "the lower bound first, then a higher one")
    if value is not None and not low <= value <= high:
        raise InputError(
            "the value lies outside its bounds",
            code="key.value",
            where=row.where("value"),
            found=f"{value:g}",
            expected=f"{low:g} to {high:g}",
        )
    return low, high


def spread_of(row: TomlTable) -> Spread | None:
    """The spread of a number between patients; None where it has none."""
    if "spread" not in row:
        return None
    expected = "{ cv = 0.3 } or { sd_log = 0.3 }"
    if not isinstance(row["spread"], Mapping):
        raise row.wrong("spread", expected, code="key.type")
    inner = row.table("spread", allowed=("cv", "sd_log"))
    if len(inner) != 1:
        raise row.wrong("spread", expected)
    key = next(iter(inner))
    size = inner.number(key, least=0, most=100)
    return Spread.from_cv(size) if key == "cv" else Spread(size)
