"""Virtual populations as plain values: the document for programs, and their patients as tables."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simulate.inference.populations.conclusions import Answer
from simulate.studies.virtual.methods import POOL, VirtualPopulation
from simulate.studies.virtual.populations import VirtualPopulations, question_of
from simulate.tabular import ResultTable

CAVEATS = (
    "Only a posterior carries the uncertainty of the parameters. The intervals of all other rows are those of a finite "
    "number of patients.",
    "The target is a model and not an observation: the abstract has no data of single patients. What was not printed "
    "(other correlations, the level and spread of CD45RO and of the change of creatine kinase) is that of the pool.",
)
"""What a reader must know before comparing."""


def document(result: VirtualPopulations) -> dict[str, Any]:
    """Everything but the patients as plain values."""
    target = result.target
    return {
        "hypothesis": result.people.problem.label,
        "settings": dataclasses.asdict(result.settings),
        "refused": result.refused,
        "target": {
            "statistics": list(target.names),
            "mean": target.mean.tolist(),
            "covariance": target.covariance.tolist(),
            "levels": [
                {"statistic": row.statistic.name, "mean": row.mean, "sd": row.sd, "n": row.n}
                | {"item": row.item, "reading": row.reading}
                for row in result.printed.levels
            ],
            "correlations": [
                {"statistics": [row.a.name, row.b.name], "rho": row.rho, "n": row.n}
                | {"item": row.item, "reading": row.reading}
                for row in result.printed.ties
            ],
        },
        "populations": {name: _made(made) for name, made in result.made.items()},
        "absent": dict(result.absent),
        "ways": list(result.ways),
        "conclusions": [
            {
                "question": row.question,
                "answers": {name: dataclasses.asdict(answer) for name, answer in row.answers.items()},
                "spread": row.spread,
                "method_dependent": row.is_method_dependent,
                "apart": None if row.apart is None else list(row.apart),
            }
            for row in result.conclusions
        ],
        "others": {name: _answers(result, answers) for name, answers in result.others.items()},
        "posterior": None if result.posterior is None else _answers(result, result.posterior),
        "caveats": list(CAVEATS),
    }


def _made(made: VirtualPopulation) -> dict[str, Any]:
    return {
        "patients": int((made.weights > 0.0).sum()),
        "effective": made.effective,
        "mean": made.mean.tolist(),
        "sd": made.sd.tolist(),
        "correlations": [_plain(value) for value in made.correlations],
        "distances": made.distances.tolist(),
        "facts": {name: _plain(value) for name, value in made.facts.items()},
        "warnings": list(made.warnings),
    }


def _plain(value: float | str) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _answers(result: VirtualPopulations, answers: tuple[Answer, ...]) -> dict[str, Any]:
    trial, changes = result.people.problem.trial, result.people.changes
    return {question_of(trial, part): dataclasses.asdict(answer) for part, answer in zip(changes, answers, strict=True)}


def patients_tables(result: VirtualPopulations) -> dict[str, ResultTable]:
    """Tables by name: the patients of the pool with their weight in each population, and the states of chains."""
    pool = result.made[POOL]
    weights = {
        name: made.weights for name, made in result.made.items() if made.chains is None and made.outputs is pool.outputs
    }
    tables = {"pool": _table(result, pool, {f"weight: {name}": column for name, column in weights.items()})}
    for name, made in result.made.items():
        if made.chains is not None:
            tables[name.replace(" ", "-")] = _table(result, made, {"chain": made.chains})
    return tables


def _table(
    result: VirtualPopulations, made: VirtualPopulation, first: Mapping[str, np.ndarray[Any, Any]]
) -> ResultTable:
    people = result.people
    population = people.problem.population
    values = people.parameters(made.points)
    varying = np.ptp(values, axis=0) > 0.0
    kinds = [stratum.name for stratum in population.strata] or [""]
    header = [*first, "kind"]
    header += [f"log {part.name}" for part in people.statistics]
    header += [
        "response",
        *(f"log change of {people.problem.trial.name_of(part)}, without error" for part in people.changes),
    ]
    header += [name for name, varies in zip(population.names, varying, strict=True) if varies]
    columns = [column.tolist() for column in first.values()]
    numbers = np.concatenate([made.outputs, values[:, varying]], axis=1)
    rows = []
    for row, kind in enumerate(people.kinds(made.points).tolist()):
        shown = [f"{value:.9g}" for value in numbers[row].tolist()]
        rows.append((*(column[row] for column in columns), kinds[kind], *shown))
    return ResultTable(tuple(header), tuple(rows))
