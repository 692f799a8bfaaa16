"""A problem as files of PEtab version 2: YAML, the model, and tables of tab-separated text.

https://petab.readthedocs.io/en/latest/v2/documentation_data_format.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sympy import Expr

from simulate.errors import InputError
from simulate.exchange.numbers import free_name
from simulate.exchange.petab.formulas import formula_text
from simulate.exchange.petab.priors import SECOND_VERSION
from simulate.exchange.petab.problem import (
    ConditionChange,
    EstimatedParameter,
    Experiment,
    Measured,
    MeasuredValue,
    PetabProblem,
    Prior,
)

MODEL = "model.xml"
"""Name of the file of the model."""

_PRIORS = {own: name for name, own in SECOND_VERSION.items()}

_OPTIONAL = (
    *("lowerBound", "upperBound", "priorDistribution", "priorParameters", "observableParameters", "noiseParameters"),
    *("observablePlaceholders", "noisePlaceholders", "parameterName", "observableName"),
)
"""Columns that are left out where they would say nothing."""

Rows = Sequence[Sequence[str]]


def problem_files(problem: PetabProblem, name: str) -> dict[str, str]:
    """Texts of the files of a problem of version 2 by their names, but for that of the model, `MODEL`.

    Parameters
    ----------
    problem
        Of version 2. Names of its experiments need be no identifiers.
    name
        Name of the file that names the others.

    Raises
    ------
    InputError
        ``petab.formula``: a formula for which PEtab has no words.
    """
    experiments = _Experiments(problem.experiments)
    tables = {
        "parameters": _parameters(problem.parameters),
        "observables": _observables(problem.observables),
        "measurements": _measurements(problem.measurements, experiments.names),
        "conditions": experiments.conditions(),
        "experiments": experiments.rows(),
        "mappings": [["petabEntityId", "modelEntityId"], *map(list, problem.aliases.items())],
    }
    files = {f"{kind}.tsv": _table(rows) for kind, rows in tables.items() if len(rows) > 1}
    kinds = {f"{kind[:-1]}_files": f"{kind}.tsv" for kind in tables if f"{kind}.tsv" in files}
    lines = ["format_version: 2.0.0", "model_files:", "  model:", f"    location: {MODEL}", "    language: sbml"]
    lines += [f"{key}: [{file}]" for key, file in kinds.items()]
    return {name: "\n".join(lines) + "\n", **files}


def _table(rows: Rows) -> str:
    """Tab-separated text without columns that are empty in every row and may be absent."""
    kept = [place for place, name in enumerate(rows[0]) if name not in _OPTIONAL or any(row[place] for row in rows[1:])]
    return "".join("\t".join(row[place] for place in kept) + "\n" for row in rows)


def number_text(value: float) -> str:
    """A number with all its digits; nothing for one that is not given."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "inf" if value > 0.0 else "-inf"
    return repr(float(value)).removesuffix(".0")


def _parameters(parameters: Iterable[EstimatedParameter]) -> list[list[str]]:
    columns = ["parameterId", "estimate", "nominalValue", "lowerBound", "upperBound"]
    rows = [[*columns, "priorDistribution", "priorParameters", "parameterName"]]
    for part in parameters:
        bounds = [number_text(bound) if math.isfinite(bound) else "" for bound in (part.lower, part.upper)]
        rows.append(
            [
                part.id,
                str(part.is_estimated).lower(),
                number_text(part.nominal),
                *bounds,
                *_prior(part.prior),
                part.name,
            ]
        )
    return rows


def _prior(prior: Prior | None) -> list[str]:
    if prior is None:
        return ["", ""]
    first, second = prior.first, prior.second
    if prior.kind == "uniform" and prior.scale == "log":
        first, second = math.exp(first), math.exp(second)
    return [_PRIORS[prior.kind, prior.scale], f"{number_text(first)};{number_text(second)}"]


def _observables(observables: Iterable[Measured]) -> list[list[str]]:
    columns = ["observableId", "observableFormula", "noiseFormula", "noiseDistribution"]
    rows = [[*columns, "observablePlaceholders", "noisePlaceholders", "observableName"]]
    for part in observables:
        distribution = f"log-{part.distribution}" if part.scale == "log" else part.distribution
        places = [";".join(part.placeholders), ";".join(part.noise_placeholders)]
        rows.append(
            [part.id, _formula(part.formula, part), _formula(part.noise, part), distribution, *places, part.name]
        )
    return rows


def _formula(expression: Expr, part: Measured | ConditionChange) -> str:
    try:
        return formula_text(expression)
    except InputError as error:
        error.where = error.where or part.where
        raise


def _measurements(measurements: Iterable[MeasuredValue], experiments: Sequence[str]) -> list[list[str]]:
    columns = ["observableId", "experimentId", "time", "measurement"]
    rows = [[*columns, "observableParameters", "noiseParameters"]]
    for one in measurements:
        given = [";".join(map(_value, values)) for values in (one.parameters, one.noise_parameters)]
        place = [one.observable, experiments[one.experiment], number_text(one.time), number_text(one.value)]
        rows.append([*place, *given])
    return rows


def _value(value: Expr) -> str:
    return number_text(float(value)) if value.is_Rational else str(value)


class _Experiments:
    """Experiments under names that are identifiers, and each set of changes as one condition."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        self.experiments = experiments
        taken: set[str] = set()
        self.names = [_identifier(one.id, taken) if _does_anything(one) else "" for one in experiments]
        self._known: dict[tuple[tuple[str, str], ...], str] = {}
        for experiment in experiments:
            for period in experiment.periods:
                if changes := _changes(period.changes):
                    self._known.setdefault(changes, f"condition_{len(self._known) + 1}")

    def conditions(self) -> list[list[str]]:
        """Rows of the table of conditions."""
        rows = [["conditionId", "targetId", "targetValue"]]
        for changes, name in self._known.items():
            rows += [[name, target, value] for target, value in changes]
        return rows

    def rows(self) -> list[list[str]]:
        """Rows of the table of experiments."""
        rows = [["experimentId", "time", "conditionId"]]
        for name, experiment in zip(self.names, self.experiments, strict=True):
            for period in experiment.periods if name else ():
                condition = self._known.get(_changes(period.changes), "")
                rows.append([name, number_text(period.time), condition])
        return rows


def _does_anything(experiment: Experiment) -> bool:
    """Whether an experiment is more than the model as it is, from time 0 on."""
    return [(period.time, period.changes) for period in experiment.periods] != [(0.0, ())]


def _changes(changes: Iterable[ConditionChange]) -> tuple[tuple[str, str], ...]:
    return tuple((one.target, _formula(one.value, one)) for one in changes if one.value is not None)


def _identifier(name: str, taken: set[str]) -> str:
    text = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return free_name(text if text[:1].isalpha() or text[:1] == "_" else f"experiment_{text}", taken)
