"""``simulate tidy``: results as one long table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulate.api.reporting import tidy as function
from simulate.cli.console import print_json, progress, say
from simulate.cli.options import Force, Json, defaults_of


@defaults_of(function)
def tidy(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of a run or a sweep.")],
    quantities: Annotated[
        list[str] | None, typer.Option("--quantity", "-q", metavar="NAME", help="A quantity; all if not given.")
    ],
    at: Annotated[list[str] | None, typer.Option("--at", metavar="TIME", help="A time ('182 d'); all if not given.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A .csv or .parquet file; DIR.csv if not given.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write results as one long table, a row for each number, for pandas, R and databases.

    Its columns are id, stratum, arm, the axes of a sweep, draw, day, quantity, unit and value.

    \b
    simulate run anakinra-100mg-daily --out mine && simulate tidy mine
    simulate tidy mine -q ifng -q il17a --at "0 d" --at "182 d" --out changes.parquet
    """  # noqa: D301
    from simulate.api.reporting import write_long

    whole = directory.resolve()
    target = whole.with_name(f"{whole.name}.csv") if out is None else out
    rows = write_long(directory, target, quantities=quantities, at=at, force=force, progress=progress, report=say)
    if as_json:
        print_json({"table": str(target), "rows": rows})
    say(f"wrote {target}: {rows:,} rows")
