"""PEtab version 2: experiments with periods, and conditions with a row for each change.

https://petab.readthedocs.io/en/latest/v2/documentation_data_format.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from simulate.errors import InputError
from simulate.exchange.petab.priors import second_version
from simulate.exchange.petab.problem import (
    ConditionChange,
    EstimatedParameter,
    Experiment,
    Measured,
    MeasuredValue,
    Period,
)
from simulate.exchange.petab.rows import check_name, checked_parameter, measurement_of, observable_of, parts_of
from simulate.exchange.petab.tables import TableRow, rows_of

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
    return parts_of(paths, "parameter", ("parameterId", "estimate"), _PARAMETERS, _parameter)


def _parameter(row: TableRow) -> EstimatedParameter:
    return checked_parameter(
        EstimatedParameter(
            id=row.identifier("parameterId"),
            scale="lin",
            lower=row.number("lowerBound", -math.inf),
            upper=row.number("upperBound", math.inf),
            nominal=row.number("nominalValue", math.nan),
            is_estimated=row.choice("estimate", ("true", "false", "True", "False")).lower() == "true",
            prior=second_version(row),
            start=None,
            where=row.where("parameterId"),
            name=row.text("parameterName"),
        )
    )


def observables_of(paths: Sequence[Path]) -> tuple[tuple[Measured, ...], list[str]]:
    """Observables of the tables of version 2, and what was not read."""
    return parts_of(
        paths, "observable", ("observableId", "observableFormula", "noiseFormula"), _OBSERVABLES, _observable
    )


def _observable(row: TableRow) -> Measured:
    distribution = row.choice("noiseDistribution", _DISTRIBUTIONS, "normal")
    return Measured(
        id=row.identifier("observableId"),
        formula=row.formula("observableFormula"),
        noise=row.formula("noiseFormula"),
        scale="log" if distribution.startswith("log-") else "lin",
        distribution=distribution.removeprefix("log-"),
        placeholders=row.identifiers("observablePlaceholders"),
        noise_placeholders=row.identifiers("noisePlaceholders"),
        where=row.where("observableId"),
        name=row.text("observableName"),
    )


def conditions_of(paths: Sequence[Path]) -> tuple[dict[str, tuple[ConditionChange, ...]], list[str]]:
    """Changes of each condition, and what was not read."""
    needed = ("conditionId", "targetId", "targetValue")
    rows, dropped = rows_of(paths, needed, (*needed, "conditionName"))
    found: dict[str, tuple[ConditionChange, ...]] = {}
    for row in rows:
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
    needed = ("experimentId", "time", "conditionId")
    rows, dropped = rows_of(paths, needed, (*needed, "experimentName"))
    begun: dict[str, dict[float, tuple[ConditionChange, ...]]] = {}
    for row in rows:
        name, time, condition = row.identifier("experimentId"), row.number("time"), row.text("conditionId")
        if time == math.inf:
            raise InputError("a period begins at infinity", code="petab.experiment", where=row.where("time"))
        changes = begun.setdefault(name, {}).setdefault(time, ())
        added = conditions[check_name(row, "conditionId", "condition", condition, conditions)] if condition else ()
        if twice := {change.target for change in changes} & {change.target for change in added}:
            raise InputError(
                f"two conditions change `{min(twice)}` at one time",
                code="petab.experiment",
                where=row.where("conditionId"),
            )
        begun[name][time] = (*changes, *added)
    found = {
        name: Experiment(name, tuple(Period(time, changes) for time, changes in sorted(periods.items())))
        for name, periods in begun.items()
    }
    return found, dropped


def measurements_of(
    paths: Sequence[Path], experiments: dict[str, Experiment], observables: Sequence[Measured], model: str
) -> tuple[tuple[MeasuredValue, ...], tuple[Experiment, ...], list[str]]:
    """Measurements of the tables of version 2, the experiments that they are of, and what was not read."""
    known = {observable.id: observable for observable in observables}
    rows, dropped = rows_of(paths, ("observableId", "experimentId", "time", "measurement"), _MEASUREMENTS)
    found: list[MeasuredValue] = []
    used: list[str] = []
    for row in rows:
        name = row.text("experimentId")
        if name:
            check_name(row, "experimentId", "experiment", name, experiments)
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
    needed = ("petabEntityId", "modelEntityId")
    rows, dropped = rows_of(paths, needed, (*needed, "name"))
    found: dict[str, str] = {}
    for row in rows:
        name = row.identifier("petabEntityId")
        if row.text("modelEntityId"):
            found[name] = row.identifier("modelEntityId")
    return found, dropped
