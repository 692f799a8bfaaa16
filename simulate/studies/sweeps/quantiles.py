"""Quantiles over the patients of each arm, read from the results a block at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simulate.inference.quantiles import quantiles_along
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.datasets import draws_in, quantity_names
from simulate.studies.values import counts_dropout, seen_members

if TYPE_CHECKING:
    import xarray as xr

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that a sweep leaves behind."""

MAX_NUMBERS = 2_000_000
"""Arms times times times quantities of which quantiles at all times are kept; of more, at the first and last time."""

_BLOCK_BYTES = 64_000_000


def quantiles_of(dataset: xr.Dataset, *, times: Sequence[int] | None = None) -> xr.Dataset:
    """Quantiles over the patients of each arm who reached each time and, if dropout counts, are still in the study.

    For each quantity a variable (arm, time, quantile), NaN where nobody is left, and ``n_ok`` (arm, time), the number
    of patients. One whom a rule has stopped counts until then; one whose trajectory failed never. The dataset may be
    open and not loaded, and larger than memory.
    """
    chosen = np.arange(dataset.sizes["time"]) if times is None else np.asarray(times, dtype=np.int64)
    names = quantity_names(dataset)
    seen = seen_members(dataset)[:, chosen] if counts_dropout(dataset) else None
    arms = dataset.sizes["arm"]
    found = {name: np.full((arms, len(chosen), len(LEVELS)), np.nan) for name in names}
    counts = np.zeros((arms, len(chosen)), dtype=np.int64)
    finished = np.asarray(dataset["status"].values) == Status.OK
    for name in names:
        for some, days, values in _blocks(dataset[name], chosen):
            for arm, block in zip(range(*some), values, strict=True):
                there = finished[arm][:, np.newaxis] & ~np.isnan(block)
                if seen is not None:
                    there &= seen[:, slice(*days)]
                counts[arm, slice(*days)] = there.sum(axis=0)
                found[name][arm, slice(*days)] = quantiles_of_those(block, there, LEVELS)
    variables: dict[str, Any] = {
        name: (("arm", "time", "quantile"), values, dataset[name].attrs) for name, values in found.items()
    }
    # Patients are counted once, in however many draws of a fit they are.
    variables["n_ok"] = (
        ("arm", "time"),
        counts // draws_in(dataset),
        {"long_name": "patients of whom the quantiles are"},
    )
    kept = {name: row for name, row in dataset.coords.items() if set(row.dims) <= {"arm"}}
    import xarray as xr

    return xr.Dataset(
        variables,
        coords={
            **{str(name): (row.dims, row.values, row.attrs) for name, row in kept.items()},
            "time": ("time", dataset["time"].values[chosen], dataset["time"].attrs),
            "quantile": ("quantile", np.array(LEVELS)),
        },
        attrs=dataset.attrs,
    )


def _blocks(
    variable: xr.DataArray, times: npt.NDArray[np.int64]
) -> Iterator[tuple[tuple[int, int], tuple[int, int], FloatArray]]:
    """Ranges of arms, ranges of the chosen times, and the values, shape [arm, member, time]; each fits into memory."""
    arms, patients, every = variable.shape
    together = max(1, _BLOCK_BYTES // (8 * patients * every))
    width = len(times) if patients * every * 8 <= _BLOCK_BYTES else max(1, _BLOCK_BYTES // (8 * patients))
    for arm in range(0, arms, together):
        for first in range(0, len(times), width):
            own = times[first : first + width]
            low, high = int(own[0]), int(own[-1]) + 1
            # A stretch that is long because few times are chosen is read time by time.
            if high - low > width:
                values = np.stack([variable[arm : arm + together, :, int(time)].values for time in own], axis=2)
            else:
                values = variable[arm : arm + together, :, low:high].values[:, :, own - low]
            yield (arm, min(arm + together, arms)), (first, first + len(own)), values


def quantiles_of_those(values: FloatArray, there: npt.NDArray[np.bool_], levels: Sequence[float]) -> FloatArray:
    """Quantiles, shape [time, quantile], of the values [member, time] of those who are there."""
    found = np.full((values.shape[1], len(levels)), np.nan)
    # While the same people are there, one call.
    starts = np.flatnonzero(np.r_[True, (there[:, 1:] != there[:, :-1]).any(axis=0)])
    for first, end in zip(starts, (*starts[1:], there.shape[1]), strict=True):
        if there[:, first].any():
            found[first:end] = quantiles_along(values[there[:, first], first:end].T, levels).T
    return found


def times_kept(dataset: xr.Dataset) -> list[int]:
    """Indices of the times of which quantiles are kept."""
    times = dataset.sizes["time"]
    if dataset.sizes["arm"] * times * len(quantity_names(dataset)) <= MAX_NUMBERS:
        return list(range(times))
    return sorted({0, times - 1})


def summarized(quantiles: xr.Dataset) -> str:
    """CSV of the quantiles at the first and the last time: a line for each arm, quantity and time."""
    overs = [str(name) for name in quantiles.coords if str(name).startswith("over_")]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    shares = [f"p{100 * level:g}" for level in quantiles["quantile"].values.tolist()]
    writer.writerow(["arm", *overs, "quantity", "unit", "time_d", "n_ok", *shares])
    ends = sorted({0, quantiles.sizes["time"] - 1})
    days, counts = quantiles["time"].values.tolist(), quantiles["n_ok"].values.tolist()
    columns = [quantiles[name].values.tolist() for name in overs]
    names = [str(name) for name in quantiles.data_vars if name != "n_ok"]
    values = {name: quantiles[name].values.tolist() for name in names}
    for arm, title in enumerate(quantiles["arm"].values.tolist()):
        for name in names:
            for time in ends:
                head = [title, *(column[arm] for column in columns), name, quantiles[name].attrs.get("units", "")]
                numbers = ["" if np.isnan(value) else value for value in values[name][arm][time]]
                writer.writerow([*head, days[time], counts[arm][time], *numbers])
    return buffer.getvalue()


def write_summaries(results: Path, folder: Path, *, quantiles: str, summary: str) -> None:
    """Write quantiles and their ends, of results on disk, into a folder."""
    from simulate.files import write_atomically
    from simulate.studies.datasets import dataset_bytes
    from simulate.studies.netcdf import opened

    with opened(results) as dataset:
        found = quantiles_of(dataset, times=times_kept(dataset))
    write_atomically(folder / quantiles, dataset_bytes(found))
    write_atomically(folder / summary, summarized(found))
