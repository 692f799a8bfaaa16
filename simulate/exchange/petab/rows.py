"""Rows of the tables that both versions of PEtab have, checked: parameters, observables, measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from simulate.errors import InputError, counted, did_you_mean
from simulate.exchange.petab.problem import EstimatedParameter, Measured, MeasuredValue
from simulate.exchange.petab.tables import TableRow, rows_of

_Part = TypeVar("_Part", EstimatedParameter, Measured)


def parts_of(
    paths: Sequence[Path],
    kind: str,
    needed: Sequence[str],
    known: Sequence[str],
    read: Callable[[TableRow], _Part],
) -> tuple[tuple[_Part, ...], list[str]]:
    """What ``read`` makes of each row of tables of one kind, such as ``parameter``, and what was not read.

    Raises
    ------
    InputError
        ``petab.{kind}``: an identifier is given twice; and what ``read`` refuses.
    """
    rows, dropped = rows_of(paths, needed, known)
    found: dict[str, _Part] = {}
    for row in rows:
        part = read(row)
        if part.id in found:
            raise InputError(f"the {kind} `{part.id}` is given twice", code=f"petab.{kind}", where=part.where)
        found[part.id] = part
    return tuple(found.values()), dropped


def check_name(row: TableRow, column: str, kind: str, name: str, known: Collection[str]) -> str:
    """The name, or an error where there is nothing of this kind, such as ``condition``, that has it."""
    if name not in known:
        raise InputError(
            f"there is no {kind} `{name}`",
            code=f"petab.{kind}",
            where=row.where(column),
            advice=did_you_mean(name, known),
        )
    return name


def checked_parameter(parameter: EstimatedParameter) -> EstimatedParameter:
    """The parameter, or an error where its numbers do not fit its scale."""
    wrong = None
    if not parameter.is_estimated and math.isnan(parameter.nominal):
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
    return parameter


def observable_of(row: TableRow, known: dict[str, Measured]) -> Measured:
    """The observable of a measurement."""
    return known[check_name(row, "observableId", "observable", row.needed("observableId"), known)]


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
                found=counted(len(given), "value"),
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
