"""Individual data from their file: a table of readings and doses of single patients, and how they are to be fitted.

Every key is in docs/individual-data.md. A table alone, a file of comma-separated values, is read as if a file named it
that says nothing else: TIME in hours, AMT in milligrams, DVID with the names of the quantities, in their own units, and
the usual noise (`USUAL`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulate.errors import InputError, Where, listed
from simulate.files import read_toml
from simulate.regimen.observed import ObservedTable, read_observed
from simulate.symbolic.parts import Grade, Parameter
from simulate.symbolic.units import DIMENSIONLESS, Unit, unit
from simulate.toml import TomlTable, keys_of

DATA_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "": (
        ("schema", "table", "readings"),
        ("title", "time", "amount", "covariates", "ignore", "model", "free", "average"),
    ),
    "model": ((), ("file", "hypothesis", "population")),
    "readings.QUANTITY": ((), ("dvid", "unit", "additive", "proportional", "log")),
    "free.PARAMETER": ((), ("typical", "spread")),
    "a noise": (("value",), ("bounds",)),
}
"""Keys of the tables of a data file: those that it must have, and those that it may have besides."""

NOISES = ("additive", "proportional", "log")
"""Kinds of noise: a standard deviation in the unit of the reading, one as a share of it, and one of its logarithm."""

PRIOR, MODE = "prior", "mode"
"""Where the virtual patients stand over whom the likelihood of a patient is averaged: drawn as patients are, or about
the mode of the patient."""

USUAL = Parameter(
    "log",
    "noise of a reading, standard deviation of the logarithm",
    0.3,
    DIMENSIONLESS,
    bounds=(0.1, 1.0),
    source="assumption",
    grade=Grade.ASSUMED,
)
"""Noise where nothing is said of it: log-normal, 0.3, free from 0.1 to 1."""


@dataclass(frozen=True, slots=True)
class ReadingOf:
    """The quantity of a model that a DVID names, and its noise.

    Attributes
    ----------
    quantity
        State or observable of the model.
    dvid
        What DVID has for it; None where everything is read of it.
    unit
        Unit of DV; None for that of the quantity.
    noises
        By kind, the size of the noise; free where it has bounds, within which it lies with 95 %.
    where
        Place in the file.
    """

    quantity: str
    dvid: str | None
    unit: Unit | None
    noises: tuple[tuple[str, Parameter], ...]
    where: Where

    @property
    def is_log(self) -> bool:
        """Whether the logarithm of a reading is normal about that of the quantity."""
        return any(kind == "log" for kind, _ in self.noises)


@dataclass(frozen=True, slots=True)
class FreeParameter:
    """A parameter of the model that is free: limits, 95 %, of its typical value and of its spread; None if fixed."""

    name: str
    typical: tuple[float, float] | None
    spread: tuple[float, float] | None
    where: Where


@dataclass(frozen=True, slots=True)
class IndividualData:
    """Readings of single patients, and how they are to be fitted.

    Attributes
    ----------
    file, name, title
        The file, its name without its ending, and what a reader is told.
    table
        Doses and observations.
    model, hypothesis, population
        A model of the user's own, None for the reference model; its hypothesis, None for the usual one; and a
        population, None for the usual one.
    readings
        What was read.
    free
        What is free; None for what every fit of a hypothesis of the reference model leaves free.
    average
        `PRIOR` or `MODE`; None for what suits the model.
    """

    file: str
    name: str
    title: str
    table: ObservedTable
    model: Path | None
    hypothesis: str | None
    population: Path | None
    readings: tuple[ReadingOf, ...]
    free: tuple[FreeParameter, ...] | None
    average: str | None


def read_individual(path: Path | str) -> IndividualData:
    """Individual data from their file, or from a table alone.

    Raises
    ------
    InputError
        ``key.*``, ``file.*``, ``units.*`` or ``table.*`` with the line at fault; ``data.noise``, ``data.free``.
    """
    file = Path(path)
    return _of_file(file) if file.suffix == ".toml" else _of_table(file)


def _of_table(file: Path) -> IndividualData:
    table = read_observed(file, time="h", amount="mg")
    names = dict.fromkeys(row.what for row in table.observations)
    if "" in names:
        raise InputError(
            "the table does not say what was read",
            code="data.quantity",
            where=Where(str(file), 1),
            expected="a column DVID with the names of quantities of the model, such as il17a",
            advice="or a data file, in which `[readings.QUANTITY]` says so: docs/individual-data.md",
        )
    readings = tuple(ReadingOf(name, name, None, (("log", USUAL),), _place(table, name)) for name in names)
    return IndividualData(str(file), file.stem, file.stem, table, None, None, None, readings, None, None)


def _place(table: ObservedTable, name: str) -> Where:
    return next(row.what_cell.where for row in table.observations if row.what == name)


def _of_file(file: Path) -> IndividualData:
    document = read_toml(file, kind="individual data")
    top = TomlTable(document, **keys_of(DATA_KEYS, ""))
    top.schema()
    model = top.table("model", **keys_of(DATA_KEYS, "model"))
    table = read_observed(
        document.folder("table") / top.text("table"),
        time=top.text("time", "h"),
        amount=top.text("amount", "mg"),
        covariates=top.texts("covariates"),
        ignored=top.texts("ignore"),
        where=top.where(),
    )
    readings = tuple(
        _reading(name, row) for name, row in top.named("readings", **keys_of(DATA_KEYS, "readings.QUANTITY"))
    )
    if not readings:
        raise top.wrong("readings", "a table [readings.QUANTITY] for each quantity that was read")
    _check_told(table, readings)
    free = tuple(_free(name, row) for name, row in top.named("free", **keys_of(DATA_KEYS, "free.PARAMETER")))
    return IndividualData(
        file=str(file),
        name=file.stem,
        title=top.text("title", file.stem),
        table=table,
        model=_beside(model, "file"),
        hypothesis=model.text("hypothesis", None),
        population=_beside(model, "population"),
        readings=readings,
        free=free if "free" in top else None,
        average=top.choice("average", (PRIOR, MODE)) if "average" in top else None,
    )


def _beside(model: TomlTable, key: str) -> Path | None:
    name = model.text(key, None)
    return None if name is None else model.document.folder("model", key) / name


def _reading(quantity: str, row: TomlTable) -> ReadingOf:
    noises = tuple((kind, _noise(kind, row)) for kind in NOISES if kind in row)
    kinds = [kind for kind, _ in noises]
    if not noises or ("log" in kinds and len(kinds) > 1):
        raise InputError(
            f"the noise of `{quantity}` is not told in one way",
            code="data.noise",
            where=row.where(),
            found=listed(kinds) or "nothing",
            expected="`log`, or `additive`, `proportional` or both",
            advice="such as `log = { value = 0.3, bounds = [0.1, 1] }`, free within bounds; or `log = 0.3`, known",
        )
    return ReadingOf(quantity, row.text("dvid", None), row.parsed("unit", unit, None), noises, row.where())


def _noise(kind: str, row: TomlTable) -> Parameter:
    """Size of a noise, from a table with bounds, or a bare number that is known."""
    if not isinstance(row[kind], Mapping):
        return Parameter(kind, kind, row.number(kind, above=0.0), DIMENSIONLESS)
    own = row.table(kind, **keys_of(DATA_KEYS, "a noise"))
    value = own.number("value", above=0.0)
    return Parameter(kind, kind, value, DIMENSIONLESS, bounds=_limits(own, "bounds", value))


def _limits(row: TomlTable, key: str, middle: float | None = None) -> tuple[float, float] | None:
    if key not in row:
        return None
    low, high = row.numbers(key, 2)
    if not 0.0 < low < high or (middle is not None and not low < middle < high):
        raise row.wrong(
            key,
            "two numbers above 0, the lower first"
            + ("" if middle is None else f", and {middle:g}, the value, between them"),
        )
    return low, high


def _free(name: str, row: TomlTable) -> FreeParameter:
    found = FreeParameter(name, _limits(row, "typical"), _limits(row, "spread"), row.where())
    if found.typical is None and found.spread is None:
        raise InputError(
            f"nothing of `{name}` is free",
            code="data.free",
            where=row.where(),
            expected="`typical = [low, high]`, limits of its typical value, `spread = [low, high]`, or both",
        )
    return found


def _check_told(table: ObservedTable, readings: tuple[ReadingOf, ...]) -> None:
    """Refuse observations of which the file does not say what they are, and the other way round."""
    by_dvid: dict[str | None, ReadingOf] = {}
    for part in readings:
        if part.dvid in by_dvid or (part.dvid is None and len(readings) > 1):
            raise InputError(
                f"it is not told which readings are of `{part.quantity}`",
                code="data.quantity",
                where=part.where,
                expected="a `dvid` of its own for each quantity, as the column DVID has it",
            )
        by_dvid[part.dvid] = part
    seen = {row.what for row in table.observations}
    for row in table.observations:
        if None not in by_dvid and row.what not in by_dvid:
            raise row.what_cell.error(
                f"nothing says what DVID `{row.what}` is" if row.what else "the table has no column DVID",
                "data.quantity",
                expected=listed(by_dvid),
                advice="a table `[readings.QUANTITY]` of the data file with this `dvid`",
            )
    for part in readings:
        if part.dvid is not None and part.dvid not in seen:
            raise InputError(
                f"no observation has the DVID `{part.dvid}` of `{part.quantity}`",
                code="data.quantity",
                where=part.where,
                expected=listed(sorted(seen)),
                advice="leave the quantity out",
            )
