"""Measurements that could be made, from files such as `parameters/measurements/blood-1-month.toml`.

Their keys are in `docs/reference-files.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulate import shipped
from simulate.cohort.assay import Assay
from simulate.errors import InputError, Where, did_you_mean
from simulate.evidence.reading import days_of
from simulate.evidence.trial_observations import EVERYONE
from simulate.files import read_toml
from simulate.symbolic.parameterfile import read_sources
from simulate.toml import TomlTable, keys_of
from simulate.trials.design import TrialDesign
from simulate.trials.reading import shipped_trial

GROUPS = (EVERYONE, "responders", "non-responders")
UNTREATED = "untreated"
"""Arm of a measurement in which nothing is given, whatever arms the trial had."""

GRADES = ("read", "calculated", "recalled", "assumed")
UNCHANGED = "unchanged"

_ORIGIN = ("source", "grade")

MEASUREMENT_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "": (("schema", "title", "cost", "sample"), ("answers", "note")),
    "cost": (("value", *_ORIGIN), ("note",)),
    "sample": (("arm", "n", "reading"), ("group",)),
    "sample.reading": (("quantity", "days"), ("since", "over", "limit", "without", "noise", *_ORIGIN)),
}
"""Keys of the tables of a measurement file: those that it must have, and those that it may have besides."""


@dataclass(frozen=True, slots=True)
class PlannedReading:
    """One number of a patient: the logarithm of a quantity, or its change, or its ratio to another."""

    #: What is read when.
    quantity: str
    day: float
    since: float | None  #: Day since which its change is meant; None if it is not a change
    over: str | None  #: Quantity of the same day to which its ratio is meant; None if it is not a ratio
    noise: float  #: Standard deviation of the logarithm of one reading
    limit: float  #: Lowest reading, in the unit of the quantity; 0 if there is none
    is_optional: bool  #: Whether a hypothesis without the quantity has changes and ratios of 1
    where: Where  #: Place in the file

    @property
    def days(self) -> tuple[float, ...]:
        return (self.day,) if self.since is None else (self.since, self.day)


@dataclass(frozen=True, slots=True)
class Sample:
    """Patients who are seen together."""

    #: Who, under which treatment, and how many.
    group: str
    arm: str
    n: int
    readings: tuple[PlannedReading, ...]  #: Numbers of each patient


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something that could be measured."""

    #: Name of the file, and words.
    name: str
    title: str
    answers: str  #: Number of the question of `docs/next-measurements.md` that it answers; empty if none
    note: str  #: What a reader must know
    #: In units of one patient's restimulation at one visit, and where that is from.
    cost: float
    cost_source: str
    cost_grade: str
    samples: tuple[Sample, ...]  #: Groups of patients; each has patients of its own

    @property
    def n(self) -> int:
        return sum(sample.n for sample in self.samples)


def shipped_measurements(design: TrialDesign | None = None) -> tuple[Measurement, ...]:
    """The catalogue that ships, sorted by name, for a trial; the shipped one if none is given."""
    return tuple(read_measurement(path, design) for path in shipped.measurement_files().values())


def read_measurement(path: Path | str, design: TrialDesign | None = None) -> Measurement:
    """A measurement from its file."""
    top = TomlTable(read_toml(path, kind="measurement"), **keys_of(MEASUREMENT_KEYS, ""))
    top.schema()
    cost = top.table("cost", **keys_of(MEASUREMENT_KEYS, "cost"))
    cost.text("note", "")
    source, grade = _provenance(cost)
    design = shipped_trial() if design is None else design
    return Measurement(
        name=Path(path).stem,
        title=top.text("title"),
        answers=top.text("answers", ""),
        note=top.text("note", ""),
        cost=cost.number("value", above=0.0),
        cost_source=source,
        cost_grade=grade,
        samples=tuple(_sample(row, design) for row in top.tables("sample", **keys_of(MEASUREMENT_KEYS, "sample"))),
    )


def _sample(row: TomlTable, design: TrialDesign) -> Sample:
    tables = row.tables("reading", **keys_of(MEASUREMENT_KEYS, "sample.reading"))
    readings = [reading for table in tables for reading in _readings(table, design)]
    return Sample(
        group=row.choice("group", GROUPS if design.response is not None else GROUPS[:1], EVERYONE),
        arm=row.choice("arm", (*(arm.name for arm in design.arms), UNTREATED)),
        n=row.integer("n", least=2),
        readings=tuple(readings),
    )


def _readings(row: TomlTable, design: TrialDesign) -> list[PlannedReading]:
    quantity, since, over = row.text("quantity"), row.number("since", None), row.text("over", None)
    days = days_of(row, "days")
    # So long after treatment as it lasted.
    latest = 2.0 * design.end
    for key, value in (("days", max(days)), ("since", since or 0.0)):
        if not 0.0 <= value <= latest:
            raise row.wrong(key, f"days from 0 to {latest:g}")
    is_optional = "without" in row and row.choice("without", (UNCHANGED,)) == UNCHANGED
    if (since is not None and over is not None) or (is_optional and since is None and over is None):
        raise InputError(
            f"the reading of `{quantity}` cannot be",
            code="measurement.reading",
            where=row.where(),
            found="a change and a ratio at once" if over is not None else "a level that a hypothesis may lack",
            expected="`since` or `over`, not both; and one of them where a hypothesis may be `without` the quantity",
        )
    if since is not None and since in days:
        raise row.wrong("since", "a day on which no change is read")
    limit = row.number("limit", 0.0, above=0.0)
    if "limit" not in row and quantity in design.assays:
        limit = design.assays[quantity].limit
    return [
        PlannedReading(
            quantity=quantity,
            day=day,
            since=since,
            over=over,
            noise=_noise(row, quantity, design.assays),
            limit=limit,
            is_optional=is_optional,
            where=row.where(),
        )
        for day in days
    ]


def _noise(row: TomlTable, quantity: str, assays: Mapping[str, Assay]) -> float:
    if "noise" in row:
        for key in _ORIGIN:
            if key not in row:
                raise row.missing(key, "where the noise is from")
        _provenance(row)
        return row.number("noise", above=0.0)
    if quantity not in assays:
        raise InputError(
            f"nothing says how well `{quantity}` is read",
            code="measurement.noise",
            where=row.where(),
            expected="`noise`, the standard deviation of the logarithm of a reading, with `source` and `grade`",
            advice=f"assays of the trial read {', '.join(f'`{name}`' for name in assays)}",
        )
    return assays[quantity].sd_log


def _provenance(row: TomlTable) -> tuple[str, str]:
    """Source and grade of a number, both of known ones."""
    source, known = row.text("source"), read_sources(shipped.sources_file())
    if source not in known:
        raise InputError(
            f"the source `{source}` is not a known reference",
            code="source.unknown",
            where=row.where("source"),
            expected="a key of sources.toml",
            advice=did_you_mean(source, known),
        )
    return source, row.choice("grade", GRADES)
