"""The patients of dose tables: which member of a cohort is which of them, and what is known of each.

Member number ``m`` is patient ``m % n`` of a table with ``n`` patients, in the order of the table. All arms treat the
same patients, so what several tables say of one member must agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulate.cohort.draws import check_given
from simulate.cohort.population import Population
from simulate.errors import InputError
from simulate.solver.kernel import FloatArray
from simulate.studies.treatments import Tabled, Treatment
from simulate.symbolic.parts import Parameter

COLUMNS = {"weight": ("WT", "BW"), "creatinine_clearance": ("CRCL", "CLCR")}
"""Usual names of columns beside the name of the covariate itself; capitals do not matter."""


def known_values(
    treatments: Sequence[Treatment], population: Population, n: int, *, first: int = 0
) -> dict[str, FloatArray]:
    """Covariates of ``n`` members from number ``first`` on that dose tables give; NaN where they say nothing."""
    known: dict[str, FloatArray] = {}
    tables: dict[str, str] = {}
    for treatment in treatments:
        if not isinstance(treatment.plan, Tabled):
            continue
        for name, column in _covariates(treatment, population).items():
            values = _of_members(treatment.plan, column, n, first)
            try:
                check_given(population, {name: values}, n)
            except InputError as error:
                error.where = treatment.where
                raise
            before = known.setdefault(name, values)
            table = treatment.plan.table.file
            differs = np.flatnonzero(~np.isnan(before) & ~np.isnan(values) & (before != values))
            if len(differs):
                member = int(differs[0])
                raise InputError(
                    f"patient {first + member} has two values of `{name}`",
                    code="scenario.covariate",
                    where=treatment.where,
                    found=f"{before[member]:g} ({tables[name]}), {values[member]:g} ({table})",
                    expected="one: all arms treat the same patients",
                    advice="give the value in one table only, or the same in all, patient by patient",
                )
            known[name] = np.where(np.isnan(before), values, before)
            tables.setdefault(name, table)
    return known


def _covariates(treatment: Treatment, population: Population) -> dict[str, Mapping[str, float]]:
    """Columns of an arm's table by the name of the covariate."""
    assert isinstance(treatment.plan, Tabled)
    found: dict[str, Mapping[str, float]] = {}
    for column, values in treatment.plan.table.covariates.items():
        name = next((part.name for part in population.covariates if column in columns_of(part)), None)
        if name is None or name in found:
            known = ", ".join(f"`{part.name}` ({', '.join(columns_of(part)[1:])})" for part in population.covariates)
            raise InputError(
                f"the population has no covariate for the column `{column}`"
                if name is None
                else f"two columns give `{name}`",
                code="scenario.covariate",
                where=treatment.where,
                found=f"the column `{column}` of {treatment.plan.table.file}",
                expected=known or "none: the population has no covariates",
                advice=f'leave the column unread: `ignore = ["{column}"]`',
            )
        found[name] = values
    return found


def columns_of(covariate: Parameter) -> tuple[str, ...]:
    """Names that a column of a covariate may have, in capitals."""
    return (covariate.name.upper(), *COLUMNS.get(covariate.name, ()))


def _of_members(tabled: Tabled, column: Mapping[str, float], n: int, first: int) -> FloatArray:
    values = np.array([column.get(patient, math.nan) for patient in tabled.patients], dtype=np.float64)
    return values[np.arange(first, first + n) % len(values)]
