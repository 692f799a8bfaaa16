"""A sweep as it is asked for: a sweep file, or a scenario and what varies.

A sweep file in full::

    schema = 1
    title = "doses of anakinra, with more and with less of it in muscle"
    scenario = "anakinra-100mg-daily"  # a shipped scenario, or a file relative to this one
    arms = ["anakinra 100 mg/d"]  # those of the scenario that are varied; all, if not given

    [settings]  # laid over the scenario, as by --set
    cohort.patients = 250
    cohort.seed = 5
    time.end = "364 d"
    k_a = "0.2 1/h"

    [[axis]]
    over = "dose"  # of each dose; or interval, regimen, a parameter, a covariate such as weight
    from = "10 mg"
    to = "300 mg"
    count = 40  # without it, the design below draws from the range
    spacing = "log"  # or linear

    [[axis]]
    over = "f_m"
    values = [0.1, 0.3]

    [design]
    zipped = false  # true: first value with first, second with second
    sample = "sobol"  # or latin-hypercube: for axes without count and values
    points = 64
    seed = 1

    [outputs]
    at = ["0 d", "28 d", "182 d"]  # when to keep values; at all times of the scenario, if not given
    quantities = ["ifng", "il17a"]  # in place of those of the scenario
    parameters = false  # whether to keep the parameters of every patient in every arm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulate.errors import InputError, Where, relocated
from simulate.exchange.foreign import is_foreign
from simulate.filekinds import refuse_other
from simulate.files import Document, read_toml
from simulate.inputs import noted, noting
from simulate.regimen.doses import exact
from simulate.studies.bare_models import scenario_for
from simulate.studies.scenario import Scenario, find_scenario, is_model, read_scenario, scenario_from
from simulate.studies.settings import Setting, times_set
from simulate.studies.sweeps.axes import Axis, axes_of, parse_axis
from simulate.studies.sweeps.designs import SAMPLES, SweepDesign, parse_sample
from simulate.studies.treatments import MAX_DAYS
from simulate.symbolic.units import parse_quantity, unit, with_unit
from simulate.toml import TomlTable


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a sweep beside its file, as texts from which the same can be asked again."""

    #: Axes, as `simulate.studies.sweeps.axes.parse_axis` reads them; one of the same name in the file gives way.
    over: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()  #: What is laid over the scenario
    #: Times, as `simulate.studies.bare_models.scenario_for` takes them.
    end: str | None = None
    every: str | None = None
    arms: tuple[str, ...] = ()  #: Arms that are varied
    #: As ``--zip``, ``--design`` and ``--design-seed``; None for what the file says.
    zipped: bool | None = None
    design: str | None = None
    design_seed: int | None = None
    at: tuple[str, ...] = ()  #: Times with their units
    parameters: bool | None = None  #: Whether the parameters are kept


@dataclass(frozen=True, slots=True)
class Request:
    """A sweep as it is asked for."""

    #: Name of the file without its ending, and what a reader is told.
    name: str
    title: str
    scenario: Scenario  #: What is varied, with its settings
    arms: tuple[str, ...]  #: Names of the arms that are varied; empty for all
    #: What varies, and how axes combine.
    axes: tuple[Axis, ...]
    design: SweepDesign
    at: tuple[float, ...]  #: When values are kept, days, ascending; empty for all times of the scenario
    parameters: bool  #: Whether the parameters of every patient in every arm are kept
    where_arms: Where
    where_at: Where
    #: From what the same can be asked again: the file as it was named, what was asked beside it, and what was read.
    source: str
    options: Options
    files: Mapping[str, bytes] = field(default_factory=dict)


SWEEP_KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("schema", "title", "scenario", "arms", "settings", "axis", "design", "outputs"),
    "design": ("zipped", "sample", "points", "seed"),
    "outputs": ("at", "quantities", "parameters"),
}
"""Keys of the tables of a sweep file; those of axes are in `simulate.studies.sweeps.axes`."""


@noting()
def read_request(source: str | Path, options: Options | None = None) -> Request:
    """Read a sweep file, or a scenario to be varied, with options laid over it."""
    options = Options() if options is None else options
    path = Path(source) if is_foreign(source) else find_scenario(str(source))
    document = None if is_foreign(path) else read_toml(path)
    if document is not None and ("scenario" in document.data or "axis" in document.data):
        return replace(_with_options(_of_file(document, path, options), options), files=noted())
    if document is None or is_model(document):
        scenario = scenario_for(source, options.end, options.every, options.settings)
    else:
        refuse_other(document.data, "scenario", str(source))
        settings = (*options.settings, *times_set(options.end, options.every))
        scenario = scenario_from(document, settings, name=path.stem)
    where = Where(file=scenario.document.path)
    base = Request(
        name=path.stem,
        title=scenario.title,
        scenario=scenario,
        arms=(),
        axes=(),
        design=SweepDesign(where=where),
        at=(),
        parameters=False,
        where_arms=where,
        where_at=where,
        source=str(source),
        options=options,
    )
    return replace(_with_options(base, options), files=noted())


def _of_file(document: Document, path: Path, options: Options) -> Request:
    top = TomlTable(document, allowed=SWEEP_KEYS[""])
    design, outputs = (top.table(name, allowed=SWEEP_KEYS[name]) for name in ("design", "outputs"))
    top.schema()
    title = top.text("title", most=500)
    name = top.text("scenario", expected="a shipped scenario, or a file relative to this one")
    axes = axes_of(top)
    own = [
        Setting(key, value, str(replace(document.where("settings", *keys), key=None)))
        for keys, key, value in _flat(top.table("settings"))
    ]
    if "quantities" in outputs:
        origin = str(replace(outputs.where("quantities"), key=None))
        own.append(Setting("outputs.quantities", list(outputs.texts("quantities")), origin))
    if name.endswith(".toml") or "/" in name:
        name = str(path.parent / name)
    try:
        scenario = read_scenario(name, [*own, *options.settings, *times_set(options.end, options.every)])
    except InputError as error:
        raise relocated(error, top.where("scenario"), name) if error.where is None else error from None
    return Request(
        name=path.stem,
        title=title,
        scenario=scenario,
        arms=top.texts("arms"),
        axes=axes,
        design=SweepDesign(
            design.boolean("zipped", False),
            SAMPLES[design.choice("sample", SAMPLES)] if "sample" in design else None,
            design.integer("points", 64, least=1),
            design.integer("seed", 1, least=0, most=2**63 - 1),
            design.where(),
        ),
        at=_days([(text, outputs.where("at", index)) for index, text in enumerate(outputs.texts("at"))]),
        parameters=outputs.boolean("parameters", False),
        where_arms=top.where("arms"),
        where_at=outputs.where("at"),
        source=str(path),
        options=options,
    )


def _flat(table: TomlTable) -> list[tuple[tuple[str | int, ...], str, Any]]:
    """Keys and values of the nested tables of settings: their places, and the key of the setting that each is."""
    rows = []
    for name in table:
        if isinstance(table[name], dict):
            rows += _flat(table.table(name))
        else:
            keys = (*table.keys[1:], name)
            rows.append((keys, ".".join(map(str, keys)), table[name]))
    return rows


def _with_options(request: Request, options: Options) -> Request:
    chosen = {axis.name: axis for axis in request.axes}
    added = [parse_axis(text) for text in options.over]
    for axis in added:
        if sum(other.name == axis.name for other in added) > 1:
            raise InputError(f"the axis `{axis.name}` is there twice", code="sweep.axis", where=axis.where)
    chosen |= {axis.name: axis for axis in added}
    axes = tuple(chosen.values()) if added else request.axes
    own = request.scenario.time_unit if request.scenario.says_unit_of_time else ""
    design = request.design
    if options.design is not None:
        sample, points = parse_sample(options.design)
        design = replace(design, sample=sample, points=points, where=Where(file=f"--design {options.design}"))
    if options.zipped is not None:
        design = replace(design, zipped=options.zipped, where=Where(file="--zip"))
    if options.design_seed is not None:
        design = replace(design, seed=options.design_seed)
    if not axes:
        raise InputError(
            "nothing is varied",
            code="sweep.axis",
            where=design.where,
            expected="a table `[[axis]]` or an option such as `--over dose=10:300:40log`",
        )
    return replace(
        request,
        arms=options.arms or request.arms,
        axes=axes,
        design=design,
        at=_days([(text, Where(file=f"--at {text}")) for text in options.at], own) if options.at else request.at,
        parameters=request.parameters if options.parameters is None else options.parameters,
        where_arms=Where(file=f"--arm {options.arms[0]}") if options.arms else request.where_arms,
        where_at=Where(file=f"--at {options.at[-1]}") if options.at else request.where_at,
    )


def _days(texts: Sequence[tuple[str, Where]], own: str = "") -> tuple[float, ...]:
    """Times in days, ascending, of texts and the places where they are written; bare numbers in a unit, if it is said.

    ``own``: that unit.
    """
    found = set()
    for text, where in texts:
        value, given = parse_quantity(with_unit(text, own), where=where)
        days = exact(value) * given.factor
        if given.dimension != unit("d").dimension or not 0 <= days <= MAX_DAYS:
            raise InputError(
                f"`{text}` is not a time",
                code="units.mismatch",
                where=where,
                expected=f'a number with a unit of time, such as "182 d", from 0 d to {MAX_DAYS} d',
            )
        found.add(float(days))
    return tuple(sorted(found))
