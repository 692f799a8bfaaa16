"""PEtab version 1: tables of conditions with a column for each quantity that they change.

https://petab.readthedocs.io/en/latest/v1/documentation_data_format.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from sympy import Expr

from simulate.errors import InputError
from simulate.exchange.petab.priors import first_version
from simulate.exchange.petab.problem import (
    DISTRIBUTIONS,
    SCALES,
    ConditionChange,
    EstimatedParameter,
    Experiment,
    Measured,
    MeasuredValue,
    Period,
)
from simulate.exchange.petab.rows import check_name, checked_parameter, measurement_of, observable_of, parts_of
from simulate.exchange.petab.tables import TableRow, read_table, rows_of, value_of

_PARAMETERS = (
    *("parameterId", "parameterName", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"),
    *("initializationPriorType", "initializationPriorParameters", "objectivePriorType", "objectivePriorParameters"),
)
_OBSERVABLES = (
    *("observableId", "observableName", "observableFormula", "observableTransformation", "noiseFormula"),
    "noiseDistribution",
)
_BEFORE, _DURING = "preequilibrationConditionId", "simulationConditionId"
_MEASUREMENTS = (
    *("observableId", _BEFORE, _DURING, "measurement", "time"),
    *("observableParameters", "noiseParameters", "datasetId", "replicateId"),
)
_CONFIRMED = ("observableTransformation", "noiseDistribution")
"""Columns that some tables of measurements have too; they must say what the table of observables says."""


def parameters_of(paths: Sequence[Path]) -> tuple[tuple[EstimatedParameter, ...], list[str]]:
    """Parameters of the tables of version 1, and what was not read."""
    return parts_of(paths, "parameter", ("parameterId", "parameterScale", "estimate"), _PARAMETERS, _parameter)


def _parameter(row: TableRow) -> EstimatedParameter:
    scale = row.choice("parameterScale", SCALES)
    return checked_parameter(
        EstimatedParameter(
            id=row.identifier("parameterId"),
            scale=scale,
            lower=row.number("lowerBound", -math.inf),
            upper=row.number("upperBound", math.inf),
            nominal=row.number("nominalValue", math.nan),
            is_estimated=row.choice("estimate", ("0", "1", "0.0", "1.0")).startswith("1"),
            prior=first_version(row, "objective", scale),
            start=first_version(row, "initialization", scale),
            where=row.where("parameterId"),
            name=row.text("parameterName"),
        )
    )


def observables_of(paths: Sequence[Path]) -> tuple[tuple[Measured, ...], list[str]]:
    """Observables of the tables of version 1, and what was not read."""
    return parts_of(
        paths, "observable", ("observableId", "observableFormula", "noiseFormula"), _OBSERVABLES, _observable
    )


def _observable(row: TableRow) -> Measured:
    name = row.identifier("observableId")
    formula, noise = row.formula("observableFormula"), row.formula("noiseFormula")
    return Measured(
        id=name,
        formula=formula,
        noise=noise,
        scale=row.choice("observableTransformation", SCALES, "lin"),
        distribution=row.choice("noiseDistribution", DISTRIBUTIONS, "normal"),
        placeholders=_placeholders(row, "observableFormula", "observable", name, (formula, noise)),
        noise_placeholders=_placeholders(row, "noiseFormula", "noise", name, (noise, formula)),
        where=row.where("observableId"),
        name=row.text("observableName"),
    )


def _placeholders(row: TableRow, column: str, what: str, observable: str, formulas: Sequence[Expr]) -> tuple[str, ...]:
    """Names such as ``noiseParameter1_OBSERVABLE`` in formulas, which are numbered from 1 without a gap."""
    beginning, end = f"{what}Parameter", f"_{observable}"
    names = {str(symbol) for formula in formulas for symbol in formula.free_symbols}
    own = [name for name in names if name.startswith(beginning) and name.endswith(end)]
    numbers = sorted(name[len(beginning) : -len(end)] for name in own)
    if sorted(numbers) != sorted(str(place + 1) for place in range(len(numbers))):
        raise InputError(
            "the placeholders of a formula are not numbered from 1",
            code="petab.placeholder",
            where=row.where(column),
            found=", ".join(sorted(own)),
        )
    return tuple(f"{beginning}{place + 1}{end}" for place in range(len(numbers)))


def conditions_of(paths: Sequence[Path]) -> tuple[dict[str, tuple[ConditionChange, ...]], list[str]]:
    """Changes of each condition; an empty cell gives back what the model says."""
    found: dict[str, tuple[ConditionChange, ...]] = {}
    for path in paths:
        table = read_table(path, ("conditionId",))
        targets = [column for column in table.columns if column not in ("conditionId", "conditionName")]
        for row in table.rows:
            name = row.identifier("conditionId")
            if name in found:
                raise InputError(
                    f"the condition `{name}` is given twice", code="petab.condition", where=row.where("conditionId")
                )
            found[name] = tuple(
                ConditionChange(
                    target,
                    value_of(row.text(target), row.where(target)) if row.text(target) else None,
                    row.where(target),
                )
                for target in targets
            )
    return found, []


def experiments_of(
    rows: Sequence[TableRow], conditions: dict[str, tuple[ConditionChange, ...]]
) -> tuple[tuple[Experiment, ...], dict[tuple[str, str], int]]:
    """An experiment for each pair of conditions that is measured, and the number of each pair."""
    found: list[Experiment] = []
    places: dict[tuple[str, str], int] = {}
    for row in rows:
        pair = before, during = _conditions_of(row)
        if pair in places:
            continue
        if before:
            check_name(row, _BEFORE, "condition", before, conditions)
        check_name(row, _DURING, "condition", during, conditions)
        periods = [Period(-math.inf, conditions[before])] if before else []
        places[pair] = len(found)
        found.append(Experiment("+".join(filter(None, pair)), (*periods, Period(0.0, conditions[during]))))
    return tuple(found), places


def measurements_of(
    paths: Sequence[Path], conditions: dict[str, tuple[ConditionChange, ...]], observables: Sequence[Measured]
) -> tuple[tuple[MeasuredValue, ...], tuple[Experiment, ...], list[str]]:
    """Measurements of the tables of version 1, the experiments that they are of, and what was not read."""
    known = {observable.id: observable for observable in observables}
    rows, dropped = rows_of(paths, ("observableId", _DURING, "measurement", "time"), (*_MEASUREMENTS, *_CONFIRMED))
    experiments, places = experiments_of(rows, conditions)
    found: list[MeasuredValue] = []
    for row in rows:
        observable = observable_of(row, known)
        for column, own in zip(_CONFIRMED, (observable.scale, observable.distribution), strict=True):
            if row.text(column, own) != own:
                raise InputError(
                    f"the column `{column}` does not say what the table of observables says",
                    code="petab.measurement",
                    where=row.where(column),
                    found=row.text(column),
                    expected=own,
                )
        found.append(measurement_of(row, observable, places[_conditions_of(row)]))
    return tuple(found), experiments, dropped


def _conditions_of(row: TableRow) -> tuple[str, str]:
    """Names of the condition before a measurement, empty where there is none, and of that during it."""
    return row.text(_BEFORE), row.needed(_DURING)
