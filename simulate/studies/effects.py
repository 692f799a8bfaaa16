"""Percent changes since baseline at a day: of each patient, and means of arms and strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import t as student

from simulate.errors import not_among
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import pooled, quantity_names
from simulate.studies.paired import changes_since_baseline
from simulate.studies.values import values_shown


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect with its interval."""

    #: What the row is called, and the heading that it stands under; empty for none.
    label: str
    group: str
    #: The effect and its interval, None if it cannot be had.
    estimate: float | None
    low: float | None
    high: float | None
    #: How many patients it is of, and how many gave no number besides: they failed, or a rule had stopped them.
    n: int
    missing: int


def changes(dataset: xr.Dataset, quantity: str, day: float) -> xr.DataArray:
    """Change of a quantity since baseline in percent, [arm, member], as `changes_since_baseline` reads it.

    NaN besides for those whose baseline is not above 0.
    """
    dataset = pooled(dataset)
    names = quantity_names(dataset)
    if quantity not in names:
        raise not_among(f"the results have no quantity `{quantity}`", quantity, names, code="figure.quantity")
    days = np.asarray(dataset["time"].values, dtype=np.float64)
    place = int(np.abs(days - day).argmin())
    percent, _ = changes_since_baseline(dataset, quantity, place, in_percent=True)
    percent = np.where(values_shown(dataset, quantity, 0)[:, :, 0] > 0.0, percent, np.nan)
    label = {"units": "%", "long_name": f"change of {dataset[quantity].attrs['long_name']}", "day": float(days[place])}
    return xr.DataArray(percent, {name: dataset[name] for name in ("arm", "member")}, ("arm", "member"), attrs=label)


def effects(dataset: xr.Dataset, quantity: str, day: float, *, level: float = 0.95) -> tuple[Effect, ...]:
    """Mean change in percent of each arm, for all patients and for each stratum, arm by arm.

    The interval is by Student's distribution, none for fewer than two patients; where there are draws of a fit, it is
    as wide as these and the patients of each make it.
    """
    dataset = pooled(dataset)
    percent = np.asarray(changes(dataset, quantity, day).values, dtype=np.float64)
    draws = np.asarray(dataset["draw"].values) if "draw" in dataset.coords else np.zeros(dataset.sizes["member"])
    strata = np.asarray(dataset["stratum"].values, dtype=object)
    kinds = list(dict.fromkeys(strata))
    rows = []
    for arm, values in zip(dataset["arm"].values, percent, strict=True):
        rows.append(_effect("all patients", str(arm), values, draws, level))
        if len(kinds) > 1:
            some = ((kind, strata == kind) for kind in kinds)
            rows += [_effect(str(kind), str(arm), values[own], draws[own], level) for kind, own in some]
    return tuple(rows)


def _effect(label: str, group: str, values: FloatArray, draws: FloatArray, level: float) -> Effect:
    known = np.isfinite(values)
    present = values[known]
    # Patients are the same in every draw, so that more draws do not make more of them.
    draws_there = len(np.unique(draws))
    n = len(present) // draws_there
    missing = len(values) // draws_there - n
    if len(present) < 2:
        return Effect(label, group, None, None, None, n, missing)
    each = [part for draw in np.unique(draws[known]) if len(part := present[draws[known] == draw]) > 1]
    within = float(np.mean([part.var(ddof=1) / len(part) for part in each])) if each else float(present.var(ddof=1))
    between = float(np.var([part.mean() for part in each], ddof=1)) if len(each) > 1 else 0.0
    free = (len(each) if len(each) > 1 else len(present)) - 1
    mean = float(present.mean())
    reach = float(student.ppf(0.5 + level / 2.0, free)) * (within + between) ** 0.5
    return Effect(label, group, mean, mean - reach, mean + reach, n, missing)
