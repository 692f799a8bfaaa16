"""A trial from its file, such as `parameters/trials/zong-2011.toml`; every key is in docs/trial-files.md."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from simulate import shipped
from simulate.cohort.assay import Assay
from simulate.cohort.reading import MYOSITIS, no_population
from simulate.errors import InputError, did_you_mean, listed, not_among
from simulate.evidence.multiplicity import CORRECTIONS
from simulate.evidence.protocol import Judgment
from simulate.files import Document, parse_toml, read_bytes, read_toml
from simulate.inputs import is_there
from simulate.regimen.words import parse_regimen
from simulate.symbolic.parameterfile import grade_of, parameter_of, read_sources
from simulate.symbolic.parts import Parameter, Source
from simulate.symbolic.units import DIMENSIONLESS, Unit, convert, unit
from simulate.toml import TomlTable, keys_of
from simulate.trials.design import (
    AS_USUAL,
    SIGNIFICANT,
    WAYS,
    Analysis,
    Foresight,
    Outcome,
    Readout,
    Sampling,
    TrialArm,
    TrialDesign,
    Visit,
    changes_of,
    check_order,
)

DEFAULT = "zong-2011"
"""The trial that is meant where none is named."""

_SAID = ("source", "grade")

TRIAL_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "": (
        ("schema", "title", "source", "arm", "visit", "assay"),
        ("evidence", "population", "options", "reference", "response", "sampling", "outcome", "analysis", "prediction"),
    ),
    "reference.KEY": (("citation", "identifier", "read"), ()),
    "arm": (("name", "regimen", "n", *_SAID), ("strata", "note")),
    "visit": (("name", "day", *_SAID), ("last_dose", "n", "note")),
    "assay.NAME": (("reads", "unit", "sd_log", *_SAID), ("limit", "events", "samples", "is_of_drug", "note")),
    "sampling": (("earliest", "latest", "sd_occasion", "sd_assay"), ()),
    "response": (("quantity", "event", "visit", *_SAID), ("note",)),
    "outcome": (("quantity", "between"), ("reported", "compared", "with_fall_of")),
    "analysis": ((), ("endpoints", "correction", "alpha")),
    "prediction": (("doses", "weeks", "wash_out", "main", "titles"), ("early",)),
    "a number": (("value", "unit", *_SAID), ("meaning", "bounds", "note")),
}
"""Keys of the tables of a trial file: those that it must have, and those that it may have besides."""
_DAYS = unit("d")

T = TypeVar("T")


def shipped_trial() -> TrialDesign:
    """The trial that ships and is fitted where none is named."""
    path = find_trial(DEFAULT)
    # Read each time, so that a run knows that it reads it.
    return _kept(read_bytes(path, str(path)), path)


@functools.lru_cache(maxsize=4)
def _kept(content: bytes, path: Path) -> TrialDesign:
    return trial_from(parse_toml(content.decode(), str(path)), path)


def find_trial(name: Path | str) -> Path:
    """File of a trial: a shipped one by name, or a file.

    Raises
    ------
    InputError
        ``trial.unknown``: no trial of this name ships, and it is no TOML file.
    """
    files = shipped.trial_files()
    text = str(name)
    if text in files:
        return files[text]
    if not text.endswith(".toml") and not is_there(Path(text)):
        raise InputError(
            f"there is no trial `{text[:60]}`",
            code="trial.unknown",
            expected=listed(files) + ", or a TOML file",
            advice=did_you_mean(text, files) or "`simulate new trial mine` writes one to begin with",
        )
    return Path(text)


def read_trial(name: Path | str) -> TrialDesign:
    """A trial from its file, or a shipped one by name.

    Raises
    ------
    InputError
        ``key.*``, ``file.*``, ``units.*`` or ``regimen.*`` with the line at fault; ``source.unknown``; ``trial.*`` as
        for `TrialDesign`.
    """
    path = find_trial(name)
    return trial_from(read_toml(path, kind="trial"), path)


def trial_from(document: Document, path: Path) -> TrialDesign:
    """A trial from a document that was read; errors are those of `read_trial`."""
    return _Reader(document, path).trial()


class _Reader:
    """Reads the parts of the file, and keeps its numbers with their sources."""

    def __init__(self, document: Document, path: Path) -> None:
        self.document = document
        self.path = path
        self.top = TomlTable(document, **keys_of(TRIAL_KEYS, ""))
        self.references = tuple(self._references())
        self.sources = {*read_sources(shipped.sources_file()), *(part.key for part in self.references)}
        self.numbers: list[Parameter] = []

    def trial(self) -> TrialDesign:
        top = self.top
        top.schema()
        self.source(top)
        arms = tuple(self.arm(row) for row in self.top.tables("arm"))
        visits: list[Visit] = []
        for row in self.top.tables("visit"):
            visits.append(self.visit(row, visits[-1].day if visits else -math.inf))
        days = {visit.name: visit.day for visit in visits}
        readouts = tuple(self.readouts(visits))
        outcomes = tuple(self.outcomes(days, readouts)) or changes_of(readouts, visits)
        design = self.at(
            top,
            lambda: TrialDesign(
                name=self.path.stem,
                title=top.text("title"),
                source=top.text("source"),
                population=self.population(),
                options=top.texts("options"),
                arms=arms,
                visits=tuple(visits),
                readouts=readouts,
                response=self.judgment(days),
                outcomes=outcomes,
                foresight=self.foresight(arms),
                evidence=self.evidence(),
                numbers=tuple(self.numbers),
                references=self.references,
            ),
        )
        return replace(design, analysis=self.analysis(design))

    def at(self, row: TomlTable, make: Callable[[], T], *keys: str) -> T:
        """Value whose faults are those of a place in the file."""
        try:
            return make()
        except InputError as error:
            error.where = error.where or row.where(*keys)
            raise

    def _references(self) -> Iterator[Source]:
        for key, row in self.top.named("reference", **keys_of(TRIAL_KEYS, "reference.KEY")):
            yield Source(key, row.text("citation"), row.text("identifier"), row.text("read"))

    def source(self, row: TomlTable) -> None:
        source = row.text("source")
        if source not in self.sources:
            raise InputError(
                f"the source `{source[:60]}` is not a known reference",
                code="source.unknown",
                where=row.where("source"),
                expected="a key of sources.toml, or of a table [reference.KEY] of this file",
                advice=did_you_mean(source, self.sources),
            )

    def number(self, name: str, row: TomlTable, wanted: Unit, *, least: float = 0.0) -> float:
        """A number with its unit, source and grade, in another unit."""
        row.check_keys(**keys_of(TRIAL_KEYS, "a number"))
        self.source(row)
        found = parameter_of(name, row)
        self.numbers.append(found)
        value = self.at(row, lambda: convert(found.value, found.unit, wanted), "unit")
        if value < least:
            raise row.wrong("value", f"a number of at least {least:g}")
        return value

    def stated(self, name: str, row: TomlTable, value: float, unit: Unit = DIMENSIONLESS) -> None:
        """Keep a plain number of a table that has source and grade for all of them."""
        self.source(row)
        row.text("note", "")
        grade = grade_of(row)
        self.numbers.append(Parameter(name, name, value, unit, source=row.text("source"), grade=grade))

    def arm(self, row: TomlTable) -> TrialArm:
        row.check_keys(**keys_of(TRIAL_KEYS, "arm"))
        name, n = row.text("name"), row.integer("n", least=1)
        self.stated(f"patients of {name}", row, float(n))
        table = row.table("strata")
        strata = tuple((kind, table.integer(kind, least=1)) for kind in table)
        text, plan = row.text("regimen"), row.parsed("regimen", parse_regimen)
        return self.at(row, lambda: TrialArm(name, text, plan, n, strata), "strata")

    def visit(self, row: TomlTable, before: float) -> Visit:
        row.check_keys(**keys_of(TRIAL_KEYS, "visit"))
        name, day = row.text("name"), row.number("day")
        self.stated(f"day of {name}", row, day, _DAYS)
        self.at(row, lambda: check_order(before, day), "day")
        last, n = row.number("last_dose", None), row.integer("n", None, least=1)
        return self.at(row, lambda: Visit(name, day, last, n), "last_dose")

    def judgment(self, days: Mapping[str, float]) -> Judgment | None:
        if "response" not in self.top:
            return None
        row = self.top.table("response", **keys_of(TRIAL_KEYS, "response"))
        day = self.day(row, "visit", row.text("visit"), days)
        self.stated("day of the response", row, day, _DAYS)
        return Judgment(row.text("quantity"), row.text("event"), day)

    def day(self, row: TomlTable, key: str, name: str, days: Mapping[str, float]) -> float:
        """Day of a visit by its name."""
        if name not in days:
            raise not_among(f"there is no visit `{name[:60]}`", name, days, code="trial.visit", where=row.where(key))
        return days[name]

    def sampling(self) -> Sampling | None:
        if "sampling" not in self.top:
            return None
        row, keys = self.top.table("sampling", **keys_of(TRIAL_KEYS, "sampling")), TRIAL_KEYS["sampling"][0]
        units = (_DAYS, _DAYS, DIMENSIONLESS, DIMENSIONLESS)
        values = [
            self.number(f"sampling {key}", row.table(key), wanted) for key, wanted in zip(keys, units, strict=True)
        ]
        return self.at(row, lambda: Sampling(*values))

    def readouts(self, visits: Sequence[Visit]) -> Iterator[Readout]:
        sampling = self.sampling()
        table = self.top.table("assay")
        for name in table:
            row = table.table(name)
            for part in self.assay(name, row, sampling):
                self.at(row, functools.partial(part.check_samples, visits), "samples")
                yield part

    def assay(self, name: str, row: TomlTable, sampling: Sampling | None) -> Iterator[Readout]:
        row.check_keys(**keys_of(TRIAL_KEYS, "assay.NAME"))
        self.source(row)
        own = row.parsed("unit", unit)
        sd_log = self.number(f"{name} sd_log", row.table("sd_log"), DIMENSIONLESS)
        noise = self.numbers[-1]
        limit = self.number(f"{name} limit", row.table("limit"), own) if "limit" in row else 0.0
        events = None
        if "events" in row:
            events = round(self.number(f"{name} events", row.table("events"), DIMENSIONLESS, least=1.0))
        assay = self.at(row, lambda: Assay(own, sd_log, limit, events))
        is_of_drug = row.boolean("is_of_drug", False)
        if is_of_drug and sampling is None:
            raise InputError(
                f"nothing says when the samples of `{name}` are drawn",
                code="trial.window",
                where=row.where("is_of_drug"),
                expected="a table [sampling]",
            )
        samples = row.integers("samples")
        reads = row.table("reads")
        for quantity in reads:
            yield Readout(quantity, reads.text(quantity), assay, sampling if is_of_drug else None, samples, noise)

    def outcomes(self, days: Mapping[str, float], readouts: tuple[Readout, ...]) -> Iterator[Outcome]:
        known: set[tuple[str, str | None, float, float]] = set()
        for row in self.top.tables("outcome"):
            found = self.outcome(row, days, readouts)
            if found.asked in known:
                raise InputError(
                    f"two outcomes ask the same of `{found.quantity}`",
                    code="trial.outcome",
                    where=row.where("between"),
                    expected="another quantity, or other visits",
                )
            known.add(found.asked)
            yield found

    def outcome(self, row: TomlTable, days: Mapping[str, float], readouts: tuple[Readout, ...]) -> Outcome:
        row.check_keys(**keys_of(TRIAL_KEYS, "outcome"))
        known = [part.quantity for part in readouts]
        for key in ("quantity", "with_fall_of"):
            if key in row:
                row.choice(key, known)
        between = row.texts("between")
        if len(between) != 2:
            raise row.wrong("between", "the names of two visits")
        first, last = (self.day(row, "between", name, days) for name in between)
        if not first < last:
            raise row.wrong("between", "an earlier visit and a later one")
        is_compared = row.boolean("compared", True)
        quantity = row.text("quantity")
        titles = {part.quantity: part.title for part in readouts}
        partner = row.text("with_fall_of", None)
        way = row.choice("reported", WAYS) if "reported" in row else ""
        title = "" if partner is None else titles[partner]
        return Outcome(quantity, titles[quantity], first, last, way, is_compared, partner, title)

    def analysis(self, design: TrialDesign) -> Analysis:
        if "analysis" not in self.top:
            return AS_USUAL
        row = self.top.table("analysis", **keys_of(TRIAL_KEYS, "analysis"))
        known = [design.name_of(part) for part in design.outcomes]
        known += ["response"] if "response" in self.top else []
        endpoints = row.texts("endpoints")
        for name in endpoints:
            effect = name.partition(",")[0].strip()
            if effect not in known:
                raise not_among(
                    f"there is no outcome `{effect[:60]}`",
                    effect,
                    known,
                    code="trial.endpoint",
                    where=row.where("endpoints"),
                )
        correction = row.choice("correction", CORRECTIONS, "holm")
        alpha = row.number("alpha", SIGNIFICANT)
        return self.at(row, lambda: Analysis(endpoints, correction, alpha, row.where("endpoints")), "alpha")

    def foresight(self, arms: Sequence[TrialArm]) -> Foresight | None:
        if "prediction" not in self.top:
            return None
        row = self.top.table("prediction", **keys_of(TRIAL_KEYS, "prediction"))
        titles = row.table("titles")
        named = {quantity: titles.text(quantity) for quantity in titles}
        found = Foresight(
            doses=self.ascending(row, "doses"),
            days=tuple(7.0 * week for week in self.ascending(row, "weeks")),
            wash_out=row.number("wash_out", above=0.0),
            titles=named,
            main=row.texts("main"),
            early=row.texts("early"),
        )
        for key, names in (("main", found.main), ("early", found.early)):
            for name in names:
                if name not in named:
                    raise not_among(f"`{name[:60]}` has no title", name, named, code="key.value", where=row.where(key))
        amounts = [float(course.amount) for course in arms[0].plan.courses]
        if not amounts or max(amounts) not in found.doses:
            raise row.wrong("doses", "doses with that of the first arm among them")
        return found

    def ascending(self, row: TomlTable, key: str) -> tuple[float, ...]:
        """Numbers above 0, each larger than the one before."""
        value = row[key]
        found = row.numbers(key) if isinstance(value, list) and value else ()
        if not found or any(not before < after for before, after in itertools.pairwise((0.0, *found))):
            raise row.wrong(key, "ascending numbers above 0")
        return found

    def population(self) -> str | Path:
        name = self.top.text("population", MYOSITIS)
        known = (MYOSITIS, *shipped.population_files())
        if name.endswith(".toml"):
            return self.path.parent / name
        if name not in known:
            raise no_population(name, known, self.top.where("population"))
        return name

    def evidence(self) -> Path | None:
        name = self.top.text("evidence", "")
        if not name:
            return None
        files = shipped.observation_files()
        if not name.endswith(".toml") and name not in files:
            raise InputError(
                f"there is no evidence `{name[:60]}`",
                code="trial.evidence",
                where=self.top.where("evidence"),
                expected=listed(files) + ", or a file",
                advice=did_you_mean(name, files),
            )
        return files[name] if name in files else self.path.parent / name
