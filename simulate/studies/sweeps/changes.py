"""Change of each patient since baseline at every point of a sweep, read from the results a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr

from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import quantity_names
from simulate.studies.paired import (
    Paired,
    are_draws_told,
    changes_since_baseline,
    draws_of_members,
    has_baselines,
    summed_up,
)
from simulate.studies.values import nothing_in
from simulate.studies.visits import time_unit_of
from simulate.tabular import ResultTable

_BLOCK_BYTES = 64_000_000
_AXIS = "over_"
_COLUMNS = ("median", "p5", "p95", "up", "down", "n")


@dataclass(frozen=True, slots=True)
class SweepChange:
    """Changes of the patients at one point, from the first time to the last."""

    #: Arm, the values of the axes there by their names, what changed, and % of what it was or a unit.
    arm: str
    over: Mapping[str, float | str]
    quantity: str
    unit: str
    #: The first and the last time that were kept, in days.
    since: float
    day: float
    #: Over the patients.
    changed: Paired
    time_unit: str = "d"  #: In which times are shown

    @property
    def between_draws(self) -> tuple[float | None, float | None]:
        """Between which 90 % of the draws of a fit have their own median; None where there is one population."""
        return self.changed.of_draws.get("median", (None, None))


def sweep_changes(results: Path) -> tuple[SweepChange, ...]:
    """Changes at every point: arms, quantities.

    ``results``: the file of a sweep; it may be larger than memory. One of a single time has no changes.
    """
    from simulate.studies.netcdf import opened

    with opened(results) as dataset:
        return tuple(_rows(dataset)) if dataset.sizes["time"] > 1 else ()


def changes_table(rows: Sequence[SweepChange]) -> ResultTable:
    """The changes as a table: a column for each axis, named as in ``summary.csv``."""
    axes = list(rows[0].over) if rows else []
    columns = (
        "arm",
        *(f"{_AXIS}{name}" for name in axes),
        "quantity",
        "unit",
        "since_d",
        "time_d",
        *_COLUMNS,
        "median_low",
        "median_high",
    )
    return ResultTable(
        columns,
        tuple(
            (
                row.arm,
                *row.over.values(),
                row.quantity,
                row.unit,
                row.since,
                row.day,
                *(getattr(row.changed, name) for name in _COLUMNS),
                *row.between_draws,
            )
            for row in rows
        ),
    )


def _rows(dataset: xr.Dataset) -> Iterator[SweepChange]:
    is_told = are_draws_told(dataset)
    draws, days = draws_of_members(dataset), dataset["time"].values.tolist()
    axes = [str(name) for name in dataset.coords if str(name).startswith(_AXIS)]
    shown = time_unit_of(dataset)
    # Of all points, by the first patient: what is nothing does not depend on how the patients are parted.
    in_units = nothing_in(dataset.isel(member=[0]).load())
    nothing = {name: in_units[str(dataset.variables[name].attrs["units"])] for name in quantity_names(dataset)}
    everybody, in_percent = np.ones(dataset.sizes["member"]), _in_percent(dataset, nothing)
    for arm, title in enumerate(dataset["arm"].values.tolist()):
        over = {name.removeprefix(_AXIS): dataset[name].values[arm].item() for name in axes}
        for name, (unit, values) in _of_arm(dataset, arm, in_percent, nothing).items():
            found = summed_up(values, everybody, draws)
            if not is_told:
                found = replace(found, of_draws={})
            yield SweepChange(title, over, name, unit, days[0], days[-1], found, shown)


def _in_percent(dataset: xr.Dataset, nothing: Mapping[str, float]) -> dict[str, bool]:
    """Of each quantity whether its changes are in % of the baseline at every point."""
    found = dict.fromkeys(quantity_names(dataset), True)
    for arm in range(dataset.sizes["arm"]):
        first = dataset.isel(arm=[arm], time=[0]).load()
        found = {name: is_so and has_baselines(first, name, nothing[name]) for name, is_so in found.items()}
    return found


def _of_arm(
    dataset: xr.Dataset, arm: int, in_percent: Mapping[str, bool], nothing: Mapping[str, float]
) -> dict[str, tuple[str, FloatArray]]:
    """Of each quantity the unit of its change, and the changes of the patients of an arm, shape [member]."""
    last = dataset.sizes["time"] - 1
    together = max(1, _BLOCK_BYTES // (8 * dataset.sizes["time"] * len(in_percent)))
    parts: dict[str, list[FloatArray]] = {name: [] for name in in_percent}
    units: dict[str, str] = {}
    for first in range(0, dataset.sizes["member"], together):
        block = dataset.isel(arm=[arm], member=slice(first, first + together)).load()
        for name, wanted in in_percent.items():
            values, units[name] = changes_since_baseline(block, name, last, in_percent=wanted, nothing=nothing[name])
            parts[name].append(values[0])
    return {name: (units[name], np.concatenate(found)) for name, found in parts.items()}
