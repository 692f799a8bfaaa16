"""PEtab of version 1: tables of conditions with a column for each quantity that they change.

https://petab.readthedocs.io/en/latest/v1/documentation_data_format.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from sympy import Expr

from simulate.errors import InputError, did_you_mean
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
from simulate.exchange.petab.tables import TableRow, TsvTable, read_table, unread, value_of

_PARAMETERS = (
    *("parameterId", "parameterName", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"),
    *("initializationPriorType", "initializationPriorParameters", "objectivePriorType", "objectivePriorParameters"),
)
_OBSERVABLES = (
    *("observableId", "observableName", "observableFormula", "observableTransformation", "noiseFormula"),
    "noiseDistribution",
)
_MEASUREMENTS = (
    *("observableId", "preequilibrationConditionId", "simulationConditionId", "measurement", "time"),
    *("observableParameters", "noiseParameters", "datasetId", "replicateId"),
)
_CONFIRMED = ("observableTransformation", "noiseDistribution")
"""Columns that some tables of measurements have too; they must say what the table of observables says."""


def parameters_of(paths: Sequence[Path]) -> tuple[tuple[EstimatedParameter, ...], list[str]]:
    """Parameters of the tables of version 1, and what was not read."""
    found: dict[str, EstimatedParameter] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("parameterId", "parameterScale", "estimate"))
        dropped += unread(table, _PARAMETERS)
        for row in table.rows:
            name = row.identifier("parameterId")
            scale = row.choice("parameterScale", SCALES)
            parameter = EstimatedParameter(
                id=name,
                scale=scale,
                lower=row.number("lowerBound", -math.inf),
                upper=row.number("upperBound", math.inf),
                nominal=row.number("nominalValue", math.nan),
                is_estimated=row.choice("estimate", ("0", "1", "0.0", "1.0")).startswith("1"),
                prior=first_version(row, "objective", scale),
                start=first_version(row, "initialization", scale),
                where=row.where("parameterId"),
            )
            check_parameter(parameter, name in found)
            found[name] = parameter
    return tuple(found.values()), dropped


def check_parameter(parameter: EstimatedParameter, is_known: bool) -> None:
    """Refuse a parameter that is given twice, or whose numbers do not fit its scale."""
    wrong = None
    if is_known:
        wrong = "is given twice"
    elif not parameter.is_estimated and math.isnan(parameter.nominal):
        wrong = "is not estimated and has no nominal value"
    elif parameter.is_estimated and not parameter.lower < parameter.upper:
        wrong = "has bounds between which nothing lies"
    elif parameter.is_estimated and not (math.isfinite(parameter.lower) and math.isfinite(parameter.upper)):
        wrong = "is estimated and has no finite bounds"
    elif parameter.is_estimated and parameter.scale != "lin" and parameter.lower <= 0.0:
        wrong = f"has the scale {parameter.scale} and a bound that is not positive"
    elif math.isinf(parameter.nominal):
        wrong = "has a nominal value that is infinite"
    if wrong is not None:
        raise InputError(f"the parameter `{parameter.id}` {wrong}", code="petab.parameter", where=parameter.where)


def observables_of(paths: Sequence[Path]) -> tuple[tuple[Measured, ...], list[str]]:
    """Observables of the tables of version 1, and what was not read."""
    found: dict[str, Measured] = {}
    dropped: list[str] = []
    for path in paths:
        table = read_table(path, ("observableId", "observableFormula", "noiseFormula"))
        dropped += unread(table, _OBSERVABLES)
        for row in table.rows:
            name = row.identifier("observableId")
            formula, noise = row.formula("observableFormula"), row.formula("noiseFormula")
            observable = Measured(
                id=name,
                formula=formula,
                noise=noise,
                scale=row.choice("observableTransformation", SCALES, "lin"),
                distribution=row.choice("noiseDistribution", DISTRIBUTIONS, "normal"),
                placeholders=_placeholders(row, "observableFormula", "observable", name, (formula, noise)),
                noise_placeholders=_placeholders(row, "noiseFormula", "noise", name, (noise, formula)),
                where=row.where("observableId"),
            )
            if name in found:
                raise InputError(
                    f"the observable `{name}` is given twice", code="petab.observable", where=observable.where
                )
            found[name] = observable
    return tuple(found.values()), dropped


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
    tables: Sequence[TsvTable], conditions: dict[str, tuple[ConditionChange, ...]]
) -> tuple[tuple[Experiment, ...], dict[tuple[str, str], int]]:
    """An experiment for each pair of conditions that is measured, and the number of each pair."""
    found: list[Experiment] = []
    places: dict[tuple[str, str], int] = {}
    for table in tables:
        for row in table.rows:
            pair = row.text("preequilibrationConditionId"), row.needed("simulationConditionId")
            if pair in places:
                continue
            for name, column in zip(pair, ("preequilibrationConditionId", "simulationConditionId"), strict=True):
                if name and name not in conditions:
                    raise InputError(
                        f"there is no condition `{name}`",
                        code="petab.condition",
                        where=row.where(column),
                        advice=did_you_mean(name, conditions),
                    )
            before, during = pair
            periods = [Period(-math.inf, conditions[before])] if before else []
            places[pair] = len(found)
            found.append(Experiment("+".join(filter(None, pair)), (*periods, Period(0.0, conditions[during]))))
    return tuple(found), places


def measurements_of(
    paths: Sequence[Path], conditions: dict[str, tuple[ConditionChange, ...]], observables: Sequence[Measured]
) -> tuple[tuple[MeasuredValue, ...], tuple[Experiment, ...], list[str]]:
    """Measurements of the tables of version 1, the experiments that they are of, and what was not read."""
    known = {observable.id: observable for observable in observables}
    tables = [read_table(path, ("observableId", "simulationConditionId", "measurement", "time")) for path in paths]
    experiments, places = experiments_of(tables, conditions)
    found: list[MeasuredValue] = []
    dropped: list[str] = []
    for table in tables:
        dropped += unread(table, (*_MEASUREMENTS, *_CONFIRMED))
        for row in table.rows:
            observable = observable_of(row, known)
            pair = row.text("preequilibrationConditionId"), row.needed("simulationConditionId")
            for column, own in zip(_CONFIRMED, (observable.scale, observable.distribution), strict=True):
                if row.text(column, own) != own:
                    raise InputError(
                        f"the column `{column}` does not say what the table of observables says",
                        code="petab.measurement",
                        where=row.where(column),
                        found=row.text(column),
                        expected=own,
                    )
            found.append(measurement_of(row, observable, places[pair]))
    return tuple(found), experiments, dropped


def observable_of(row: TableRow, known: dict[str, Measured]) -> Measured:
    """The observable of a measurement."""
    name = row.needed("observableId")
    if name not in known:
        raise InputError(
            f"there is no observable `{name}`",
            code="petab.observable",
            where=row.where("observableId"),
            advice=did_you_mean(name, known),
        )
    return known[name]


def measurement_of(row: TableRow, observable: Measured, experiment: int) -> MeasuredValue:
    """A measurement, checked against what its observable leaves open."""
    measurement = MeasuredValue(
        observable=observable.id,
        experiment=experiment,
        time=row.number("time"),
        value=row.number("measurement"),
        parameters=row.several("observableParameters"),
        noise_parameters=row.several("noiseParameters"),
        where=row.where("measurement"),
    )
    for column, given, wanted in (
        ("observableParameters", measurement.parameters, observable.placeholders),
        ("noiseParameters", measurement.noise_parameters, observable.noise_placeholders),
    ):
        if len(given) != len(wanted):
            raise InputError(
                f"the observable `{observable.id}` has {len(wanted)} placeholders of this kind",
                code="petab.placeholder",
                where=row.where(column),
                found=f"{len(given)} values",
                expected=", ".join(wanted) or "nothing",
            )
    if not math.isfinite(measurement.value) or (observable.scale != "lin" and measurement.value <= 0.0):
        raise InputError(
            "a measurement cannot be compared on the scale of its observable",
            code="petab.measurement",
            where=measurement.where,
            found=row.text("measurement"),
            expected="a finite number"
            + (f" above 0, for the scale {observable.scale}" if observable.scale != "lin" else ""),
        )
    return measurement
