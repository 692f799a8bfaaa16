"""PEtab of version 2: experiments with periods, and conditions with a row for each change.

https://petab.readthedocs.io/en/latest/v2/documentation_data_format.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from simulate.errors import InputError, did_you_mean
from simulate.exchange.petab.first import check_parameter, measurement_of, observable_of
from simulate.exchange.petab.priors import second_version
from simulate.exchange.petab.problem import (
    ConditionChange,
    EstimatedParameter,
    Experiment,
    Measured,
    MeasuredValue,
    Period,
)
from simulate.exchange.petab.tables import read_table, unread

_PARAMETERS = (
    *("parameterId", "parameterName", "lowerBound", "upperBound", "nominalValue", "estimate", "priorDistribution"),
    "priorParameters",
)
_OBSERVABLES = (
    *("observableId", "observableName", "observableFormula", "observablePlaceholders", "noiseFormula"),
    *("noiseDistribution", "noisePlaceholders"),
)
_MEASUREMENTS = (
    *("modelId", "observableId", "experimentId", "time", "measurement", "observableParameters", "noiseParameters"),
    *("datasetId", "replicateId"),
)
_DISTRIBUTIONS = ("normal", "laplace", "log-normal", "log-laplace")


def parameters_of(paths: Sequence[Path]) -> tuple[tuple[EstimatedParameter, ...], list[str]]:
    """Parameters of the tables of version 2, which has no scales, and what was not read."""
    found: dict[str, EstimatedParameter] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("parameterId", "estimate"))
        dropped += unread(table, _PARAMETERS)
        for row in table.rows:
            name = row.identifier("parameterId")
            parameter = EstimatedParameter(
                id=name,
                scale="lin",
                lower=row.number("lowerBound", -math.inf),
                upper=row.number("upperBound", math.inf),
                nominal=row.number("nominalValue", math.nan),
                is_estimated=row.choice("estimate", ("true", "false", "True", "False")).lower() == "true",
                prior=second_version(row),
                start=None,
                where=row.where("parameterId"),
            )
            check_parameter(parameter, name in found)
            found[name] = parameter
    return tuple(found.values()), dropped


def observables_of(paths: Sequence[Path]) -> tuple[tuple[Measured, ...], list[str]]:
    """Observables of the tables of version 2, and what was not read."""
    found: dict[str, Measured] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("observableId", "observableFormula", "noiseFormula"))
        dropped += unread(table, _OBSERVABLES)
        for row in table.rows:
            name = row.identifier("observableId")
            distribution = row.choice("noiseDistribution", _DISTRIBUTIONS, "normal")
            if name in found:
                raise InputError(
                    f"the observable `{name}` is given twice", code="petab.observable", where=row.where("observableId")
                )
            found[name] = Measured(
                id=name,
                formula=row.formula("observableFormula"),
                noise=row.formula("noiseFormula"),
                scale="log" if distribution.startswith("log-") else "lin",
                distribution=distribution.removeprefix("log-"),
                placeholders=row.identifiers("observablePlaceholders"),
                noise_placeholders=row.identifiers("noisePlaceholders"),
                where=row.where("observableId"),
            )
    return tuple(found.values()), dropped


def conditions_of(paths: Sequence[Path]) -> tuple[dict[str, tuple[ConditionChange, ...]], list[str]]:
    """Changes of each condition, and what was not read."""
    found: dict[str, tuple[ConditionChange, ...]] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("conditionId", "targetId", "targetValue"))
        dropped += unread(table, ("conditionId", "conditionName", "targetId", "targetValue"))
        for row in table.rows:
            name, target = row.identifier("conditionId"), row.identifier("targetId")
            if any(change.target == target for change in found.get(name, ())):
                raise InputError(
                    f"the condition `{name}` changes `{target}` twice",
                    code="petab.condition",
                    where=row.where("targetId"),
                )
            change = ConditionChange(target, row.formula("targetValue"), row.where("targetValue"))
            found[name] = (*found.get(name, ()), change)
    return found, dropped


def experiments_of(
    paths: Sequence[Path], conditions: dict[str, tuple[ConditionChange, ...]]
) -> tuple[dict[str, Experiment], list[str]]:
    """Experiments by their names, and what was not read. Conditions of one time take place together."""
    rows: dict[str, dict[float, tuple[ConditionChange, ...]]] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("experimentId", "time", "conditionId"))
        dropped += unread(table, ("experimentId", "experimentName", "time", "conditionId"))
        for row in table.rows:
            name, time, condition = row.identifier("experimentId"), row.number("time"), row.text("conditionId")
            if time == math.inf:
                raise InputError("a period begins at infinity", code="petab.experiment", where=row.where("time"))
            if condition and condition not in conditions:
                raise InputError(
                    f"there is no condition `{condition}`",
                    code="petab.condition",
                    where=row.where("conditionId"),
                    advice=did_you_mean(condition, conditions),
                )
            changes = rows.setdefault(name, {}).setdefault(time, ())
            added = conditions[condition] if condition else ()
            if twice := {change.target for change in changes} & {change.target for change in added}:
                raise InputError(
                    f"two conditions change `{min(twice)}` at one time",
                    code="petab.experiment",
                    where=row.where("conditionId"),
                )
            rows[name][time] = (*changes, *added)
    found = {
        name: Experiment(name, tuple(Period(time, changes) for time, changes in sorted(periods.items())))
        for name, periods in rows.items()
    }
    return found, dropped


def measurements_of(
    paths: Sequence[Path], experiments: dict[str, Experiment], observables: Sequence[Measured], model: str
) -> tuple[tuple[MeasuredValue, ...], tuple[Experiment, ...], list[str]]:
    """Measurements of the tables of version 2, the experiments that they are of, and what was not read."""
    known = {observable.id: observable for observable in observables}
    found: list[MeasuredValue] = []
    used: list[str] = []
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("observableId", "experimentId", "time", "measurement"))
        dropped += unread(table, _MEASUREMENTS)
        for row in table.rows:
            name = row.text("experimentId")
            if name and name not in experiments:
                raise InputError(
                    f"there is no experiment `{name}`",
                    code="petab.experiment",
                    where=row.where("experimentId"),
                    advice=did_you_mean(name, experiments),
                )
            if row.text("modelId", model) != model:
                raise InputError(
                    "a measurement is of another model",
                    code="petab.model",
                    where=row.where("modelId"),
                    found=row.text("modelId"),
                    expected=model,
                )
            if name not in used:
                used.append(name)
            found.append(measurement_of(row, observable_of(row, known), used.index(name)))
    whole = Experiment("", (Period(0.0, ()),))
    return tuple(found), tuple(experiments[name] if name else whole for name in used), dropped


def aliases_of(paths: Sequence[Path]) -> tuple[dict[str, str], list[str]]:
    """Names of the tables for identifiers of the model; rows without one give a name to what is no part of it."""
    found: dict[str, str] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("petabEntityId", "modelEntityId"))
        dropped += unread(table, ("petabEntityId", "modelEntityId", "name"))
        for row in table.rows:
            name = row.identifier("petabEntityId")
            if row.text("modelEntityId"):
                found[name] = row.identifier("modelEntityId")
    return found, dropped
