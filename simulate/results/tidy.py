"""Results as one long table, a row for each number, as pandas and R have it.

The columns are ``id`` (the number of the patient), ``patient_id`` (as a table of doses has it, if the run has one),
``stratum``, ``arm``, a column for each axis of a sweep, ``draw`` (of the fit, if the results stand on one), ``day``,
``quantity``, ``unit`` and ``value``. A patient who failed has no values.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate.errors import InputError, MissingExtra, Where, did_you_mean
from simulate.files import replacing
from simulate.watching import Advance, Progress, Report, quiet

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]
    import xarray as xr

MOST_ROWS = 20_000_000
"""Rows of the largest table that is made in memory: some 2 GB."""
LARGE = 5_000_000
"""Rows of a table that is written as CSV, above which its size is told first."""
_LETTERS = 56
"""Of a row in CSV, about."""
_AXIS = "over_"
_TOGETHER = 2048
"""Patients of one piece."""


def tidy_frame(
    dataset: xr.Dataset, quantities: Sequence[str] | None = None, days: Sequence[float] | None = None
) -> pd.DataFrame:
    """One long table of the results of a run or sweep.

    Parameters
    ----------
    dataset
        What `simulate.run` or `simulate.sweep` return.
    quantities
        Their names; all if not given.
    days
        Times in days; all that were recorded if not given.
    """
    import pandas

    dataset, names, places = _chosen(dataset, quantities, days)
    rows = _rows(dataset, names, places)
    if rows > MOST_ROWS:
        raise InputError(
            "the table would be too large for memory",
            code="tidy.size",
            found=f"{rows:,} rows",
            expected=f"at most {MOST_ROWS:,}",
            advice="name quantities or days, or write a file piece by piece: `simulate tidy DIR --out long.parquet`",
        )
    return pandas.concat(list(_blocks(dataset, names, places)), ignore_index=True)


def write_tidy(
    dataset: xr.Dataset,
    out: Path,
    quantities: Sequence[str] | None = None,
    days: Sequence[float] | None = None,
    *,
    progress: Progress = quiet,
    report: Report | None = None,
) -> int:
    """Write the long table piece by piece, as CSV or Parquet by the name's ending, and return its number of rows.

    ``progress`` shows how many rows are written; ``report`` is told the size of a large CSV file before.
    """
    dataset, names, places = _chosen(dataset, quantities, days)
    writing = {".csv": _write_csv, ".parquet": _write_parquet}.get(out.suffix)
    if writing is None:
        raise InputError(
            "a long table is CSV or Parquet",
            code="tidy.ending",
            where=Where(file=str(out)),
            found=out.suffix or "no ending",
            expected="a name that ends in .csv or .parquet",
        )
    rows = _rows(dataset, names, places)
    if report and out.suffix == ".csv" and rows > LARGE:
        report(
            f"{rows:,} rows are some {rows * _LETTERS / 1e9:.1f} GB of CSV; --quantity and --at keep fewer, and "
            "Parquet is smaller: --out long.parquet"
        )
    with progress(rows, "writing rows") as advance:
        writing(out, _blocks(dataset, names, places), advance)
    return rows


def _rows(dataset: xr.Dataset, names: Sequence[str], places: Sequence[int]) -> int:
    return len(names) * len(places) * dataset.sizes["arm"] * dataset.sizes["member"]


def _write_csv(out: Path, blocks: Iterator[pd.DataFrame], advance: Advance) -> None:
    is_first = True
    with replacing(out) as file:
        for block in blocks:
            file.write(block.to_csv(index=False, header=is_first, lineterminator="\n").encode())
            is_first = False
            advance(len(block))


def _write_parquet(out: Path, blocks: Iterator[pd.DataFrame], advance: Advance) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra(
            "Parquet files need the package pyarrow",
            code="extra.parquet",
            expected="pyarrow",
            advice='pip install "il1sim[parquet]", or write CSV',
        ) from error
    writer = None
    with replacing(out) as file:
        for block in blocks:
            table = pyarrow.Table.from_pandas(block, preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
            advance(len(block))
        if writer is not None:
            writer.close()


def _chosen(
    dataset: xr.Dataset, quantities: Sequence[str] | None, days: Sequence[float] | None
) -> tuple[xr.Dataset, list[str], list[int]]:
    """The patients of all draws beside each other, names, and places of the times."""
    from simulate.studies.datasets import pooled, quantity_names
    from simulate.studies.visits import in_time_unit, time_unit_of

    dataset = pooled(dataset)
    known = quantity_names(dataset)
    if not known:
        raise InputError(
            "these results have no courses of patients",
            code="tidy.results",
            found=str(dataset.attrs.get("title", "no title")),
            expected="the results of a run or a sweep",
            advice="other verbs write their tables as CSV files beside the manifest",
        )
    for name in quantities or ():
        if name not in known:
            raise InputError(
                f"no quantity `{name}` was recorded",
                code="tidy.quantity",
                expected=", ".join(known),
                advice=did_you_mean(name, known),
            )
    times = dataset["time"].values
    for day in days or ():
        if not np.isclose(times, day, rtol=0.0, atol=1e-9).any():
            shown = time_unit_of(dataset)
            near = float(times[np.abs(times - day).argmin()])
            at, first, last, nearest = (f"{in_time_unit(time, shown):g}" for time in (day, times[0], times[-1], near))
            raise InputError(
                f"nothing was recorded at {at} {shown}",
                code="tidy.time",
                expected=f"a time of {first} to {last} {shown}, of {len(times)}",
                advice=f"the nearest is {nearest} {shown}",
            )
    wanted = times if days is None else np.asarray(days, dtype=float)
    places = [
        int(place) for place in np.nonzero(np.isclose(times[:, None], wanted, rtol=0.0, atol=1e-9).any(axis=1))[0]
    ]
    return dataset, list(quantities or known), places


def _blocks(dataset: xr.Dataset, names: Sequence[str], places: Sequence[int]) -> Iterator[pd.DataFrame]:
    """The table in pieces: some patients of a quantity in an arm."""
    import pandas

    from simulate.studies.values import values_of_finished

    members, times = dataset.sizes["member"], dataset["time"].values[list(places)]
    coordinates = {
        name: dataset[own].values
        for name, own in (("id", "member"), *((name, name) for name in ("patient_id", "stratum", "draw")))
        if own in dataset.coords
    }
    axes = [str(name) for name in dataset.coords if str(name).startswith(_AXIS)]
    for name in names:
        values = values_of_finished(dataset, name)[:, :, list(places)]
        for arm, first in itertools.product(range(dataset.sizes["arm"]), range(0, members, _TOGETHER)):
            some = slice(first, first + _TOGETHER)
            block = values[arm, some]
            rows = block.size

            def same(value: Any, rows: int = rows) -> Any:
                return np.full(rows, value, dtype=object if isinstance(value, str) else None)

            own = {key: np.repeat(column[some], len(times)) for key, column in coordinates.items()}
            columns: dict[str, Any] = {
                **{key: own[key] for key in ("id", "patient_id", "stratum") if key in own},
                "arm": same(str(dataset["arm"].values[arm])),
                **{axis.removeprefix(_AXIS): same(dataset[axis].values[arm]) for axis in axes},
                **{key: own[key] for key in ("draw",) if key in own},
                "day": np.tile(times, len(block)),
                "quantity": same(name),
                "unit": same(str(dataset[name].attrs.get("units", ""))),
                "value": block.ravel(),
            }
            yield pandas.DataFrame(columns)
