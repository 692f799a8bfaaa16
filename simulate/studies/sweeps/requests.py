"""What a sweep is asked to be: a sweep file, or a scenario and what varies.

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
from typing import Any, Literal

from pydantic import Field

from simulate.errors import InputError, Where, relocated
from simulate.files import Document, read_toml
from simulate.inputs import noted, noting
from simulate.regimen.doses import exact
from simulate.studies.scenario import Scenario, find_scenario, read_scenario, scenario_from
from simulate.studies.sheets import Setting, Sheet, Table, lay_over, validated
from simulate.studies.sweeps.axes import Axis, AxisTable, axes_of, parse_axis
from simulate.studies.sweeps.designs import Design, parse_sample
from simulate.studies.treatments import MAX_DAYS
from simulate.symbolic.units import parse_quantity, unit


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for beside the file, as texts from which the same can be asked again.

    Attributes
    ----------
    over
        Axes, as `simulate.studies.sweeps.axes.parse_axis` reads them; one of the same name in the file gives way.
    settings
        What is laid over the scenario.
    arms
        Arms that are varied.
    zipped, design, design_seed
        As ``--zip``, ``--design`` and ``--design-seed``; None for what the file says.
    at
        Times with their units.
    parameters
        Whether the parameters are kept.
    """

    over: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    arms: tuple[str, ...] = ()
    zipped: bool | None = None
    design: str | None = None
    design_seed: int | None = None
    at: tuple[str, ...] = ()
    parameters: bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a sweep is asked to be.

    Attributes
    ----------
    name, title
        Name of the file without its ending, and what a reader is told.
    scenario
        What is varied, with its settings.
    arms
        Names of the arms that are varied; empty for all.
    axes, design
        What varies, and how axes combine.
    at
        When values are kept, days, ascending; empty for all times of the scenario.
    parameters
        Whether the parameters of every patient in every arm are kept.
    source, options, files
        From what the same can be asked again: the file as it was named, what was asked beside it, and what was read.
    """

    name: str
    title: str
    scenario: Scenario
    arms: tuple[str, ...]
    axes: tuple[Axis, ...]
    design: Design
    at: tuple[float, ...]
    parameters: bool
    where_arms: Where
    where_at: Where
    source: str
    options: Options
    files: Mapping[str, bytes] = field(default_factory=dict)


class _Design(Table):
    zipped: bool = False
    sample: Literal["latin-hypercube", "sobol"] | None = None
    points: int = Field(default=64, ge=1)
    seed: int = Field(default=1, ge=0, le=2**63 - 1)


class _Outputs(Table):
    at: list[str] = Field(default_factory=list, description='times such as ["0 d", "182 d"]')
    quantities: list[str] | None = None
    parameters: bool = False


class SweepFile(Table):
    """What a sweep file may hold."""

    version: Literal[1] = Field(alias="schema", description="1")
    title: str = Field(min_length=1, max_length=500, description="a text in quotation marks")
    scenario: str = Field(min_length=1, description="a shipped scenario, or a file relative to this one")
    arms: list[str] = Field(default_factory=list)
    settings: dict[str, Any] = Field(default_factory=dict)
    axis: list[AxisTable] = Field(default_factory=list)
    design: _Design = _Design()
    outputs: _Outputs = _Outputs()


@noting()
def read_request(source: str | Path, options: Options | None = None) -> Request:
    """Read a sweep file, or a scenario to be varied, with options laid over it.

    Parameters
    ----------
    source
        Path of a sweep file or of a scenario file, or the name of a shipped scenario.
    options
        What is asked for beside it.

    Raises
    ------
    InputError
        ``sweep.*`` for what is wrong in the sweep, else as `read_scenario`; with the line or option at fault.
    """
    options = Options() if options is None else options
    path = find_scenario(str(source))
    document = read_toml(path)
    if "scenario" in document.data or "axis" in document.data:
        return replace(_with_options(_of_file(document, path, options), options), files=noted())
    scenario = scenario_from(document, options.settings, name=path.stem)
    where = Where(file=document.path)
    base = Request(
        name=path.stem,
        title=scenario.title,
        scenario=scenario,
        arms=(),
        axes=(),
        design=Design(where=where),
        at=(),
        parameters=False,
        where_arms=where,
        where_at=where,
        source=str(source),
        options=options,
    )
    return replace(_with_options(base, options), files=noted())


def _of_file(document: Document, path: Path, options: Options) -> Request:
    sheet = lay_over(document, (), SweepFile)
    content = validated(sheet, SweepFile)
    own = [
        Setting(key, value, str(replace(sheet.where("settings", *keys), key=None)))
        for keys, key, value in _flat(content.settings)
    ]
    if content.outputs.quantities is not None:
        origin = str(replace(sheet.where("outputs", "quantities"), key=None))
        own.append(Setting("outputs.quantities", content.outputs.quantities, origin))
    name = content.scenario
    if name.endswith(".toml") or "/" in name:
        name = str(path.parent / name)
    try:
        scenario = read_scenario(name, [*own, *options.settings])
    except InputError as error:
        raise relocated(error, sheet.where("scenario"), name) if error.where is None else error from None
    design = content.design
    return Request(
        name=path.stem,
        title=content.title,
        scenario=scenario,
        arms=tuple(content.arms),
        axes=axes_of(content.axis, sheet),
        design=Design(design.zipped, design.sample, design.points, design.seed, sheet.where("design")),
        at=_days(content.outputs.at, sheet),
        parameters=content.outputs.parameters,
        where_arms=sheet.where("arms"),
        where_at=sheet.where("outputs", "at"),
        source=str(path),
        options=options,
    )


def _flat(table: Mapping[str, Any], before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str, Any]]:
    """Keys and values of nested tables: their places, and the key of the setting that each is."""
    rows = []
    for name, value in table.items():
        keys = (*before, name)
        if isinstance(value, dict):
            rows += _flat(value, keys)
        else:
            rows.append((keys, ".".join(keys), value))
    return rows


def _with_options(request: Request, options: Options) -> Request:
    chosen = {axis.name: axis for axis in request.axes}
    added = [parse_axis(text) for text in options.over]
    for axis in added:
        if sum(other.name == axis.name for other in added) > 1:
            raise InputError(f"the axis `{axis.name}` is there twice", code="sweep.axis", where=axis.where)
    chosen |= {axis.name: axis for axis in added}
    axes = tuple(chosen.values()) if added else request.axes
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
        at=_days(options.at, None) if options.at else request.at,
        parameters=request.parameters if options.parameters is None else options.parameters,
        where_arms=Where(file=f"--arm {options.arms[0]}") if options.arms else request.where_arms,
        where_at=Where(file=f"--at {options.at[-1]}") if options.at else request.where_at,
    )


def _days(texts: Sequence[str], sheet: Sheet | None) -> tuple[float, ...]:
    """Times in days, ascending."""
    found = set()
    for index, text in enumerate(texts):
        where = Where(file=f"--at {text}") if sheet is None else sheet.where("outputs", "at", index)
        value, given = parse_quantity(text, where=where)
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
