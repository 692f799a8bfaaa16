"""Sweeps from their directories: the plan that a directory was begun with, and its results."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate import inputs
from simulate.errors import InputError, Where
from simulate.manifest import kept_inputs, read_manifest, said_of
from simulate.store import PLAN, read_plan
from simulate.studies.settings import Setting
from simulate.studies.sweeps.plans import SweepPlan, plan_sweep
from simulate.studies.sweeps.requests import Options, read_request
from simulate.studies.sweeps.running import RESULTS, run_sweep

if TYPE_CHECKING:
    import xarray as xr


def planned(directory: Path) -> SweepPlan:
    """The sweep that a directory was begun with, asked again."""
    found = read_plan(directory)
    if found is None and (finished := read_manifest(directory)) is not None:
        raise InputError(
            "the run is finished, and no sweep: there is nothing to go on with",
            code="sweep.none",
            where=Where(file=str(directory)),
            found=f"a run directory of `{finished.get('kind', 'another kind')}`",
            expected=f"a folder with a file {PLAN}",
            advice=f"`simulate runs show {directory}` says what is in it",
        )
    if found is None or "options" not in found:
        raise InputError(
            "no sweep was begun in the folder",
            code="sweep.none",
            where=Where(file=str(directory)),
            found=said_of(directory) or "no such folder",
            expected=f"a folder with a file {PLAN}",
            advice="`simulate runs list` shows what there is",
        )
    kept: dict[str, Any] = {
        name: tuple(row) if isinstance(row, list) else row for name, row in found["options"].items()
    }
    options = Options(**kept | {"settings": tuple(Setting(*row) for row in kept["settings"])})
    with inputs.given(kept_inputs(directory, found)):
        return plan_sweep(read_request(found["source"], options), part_size=int(found["part_size"]))


def swept(
    plan: SweepPlan,
    out: str | Path | None = None,
    *,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    progress: Callable[[int], None] | None = None,
    report: Callable[[str], None] | None = None,
) -> xr.Dataset:
    """Results of a planned sweep, in memory or, with ``out``, opened; arguments and errors as for `run_sweep`."""
    import xarray as xr

    from simulate.studies.netcdf import read_netcdf

    with contextlib.ExitStack() as stack:
        target = Path(stack.enter_context(tempfile.TemporaryDirectory()) if out is None else out)
        run_sweep(
            plan, target, workers=workers, threads=threads, scheduler=scheduler, force=force, progress=progress,
            notify=report,
        )  # fmt: skip
        if out is not None:
            return xr.open_dataset(target / RESULTS, engine="h5netcdf", decode_times=False)
        return read_netcdf(target / RESULTS)
