"""The door of sweeps: from Python, and again from a directory in which one was begun."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.errors import InputError, Where
from simulate.store import PLAN, read_plan
from simulate.studies.settings import Setting, settings_from
from simulate.studies.sweeps.axes import axes_from
from simulate.studies.sweeps.plans import SweepPlan, plan_sweep
from simulate.studies.sweeps.requests import Options, read_request
from simulate.studies.sweeps.running import RESULTS, run_sweep

if TYPE_CHECKING:
    import xarray as xr


def planned(directory: Path) -> SweepPlan:
    """The sweep that a directory was begun with, asked again.

    Raises
    ------
    InputError
        ``sweep.none``: no sweep was begun there. Otherwise as `read_request` and `plan_sweep`.
    """
    found = read_plan(directory)
    if found is None or "options" not in found:
        raise InputError(
            "no sweep was begun in the folder",
            code="sweep.none",
            where=Where(file=str(directory)),
            expected=f"a folder with a file {PLAN}",
            advice="`simulate runs list` shows what there is",
        )
    given = found["options"]
    options = Options(
        over=tuple(given["over"]),
        settings=tuple(Setting(*row) for row in given["settings"]),
        arms=tuple(given["arms"]),
        zipped=given["zipped"],
        design=given["design"],
        design_seed=given["design_seed"],
        at=tuple(given["at"]),
        parameters=given["parameters"],
    )
    return plan_sweep(read_request(found["source"], options), part_size=int(found["part_size"]))


def sweep(
    scenario: str | Path,
    over: Mapping[str, object] | Sequence[str] = (),
    *,
    patients: int | None = None,
    seed: int | None = None,
    hypothesis: str | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    settings: Mapping[str, object] | None = None,
    arms: Sequence[str] = (),
    zipped: bool | None = None,
    design: str | None = None,
    design_seed: int | None = None,
    at: Sequence[str] = (),
    parameters: bool | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
) -> xr.Dataset:
    """Simulate a scenario at every point of a design, the same patients at each.

    ``simulate.sweep("anakinra-100mg-daily", {"dose": "10:300:40log"}, patients=250)``

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or the path of a scenario file or a sweep file.
    over
        What varies: from names to values or to texts such as ``"10:300:40log"``, or such texts with their names.
    patients, seed, hypothesis, fit, draws, settings
        In place of the scenario's; as for `simulate.run`.
    arms
        Names of the scenario's arms that are varied; all if not given.
    zipped
        Whether axes with values are taken in step, and not each value with each.
    design, design_seed
        How to draw for axes that have a range, such as ``"sobol:64"`` or ``"lhs:100"``, and from which seed.
    at
        When values are kept, such as ``["0 d", "182 d"]``; at all times of the scenario if not given.
    parameters
        Whether the parameters of every patient in every arm are kept.
    out
        Directory in which the sweep is made, or gone on with. Without it nothing is left on disk.
    workers, threads, scheduler, force
        As for `run_sweep`. A script that gives ``workers`` needs ``if __name__ == "__main__":``.

    Returns
    -------
    Dataset
        As described in `docs/sweeps.md`; in memory or, with ``out``, opened and read as it is used.

    Raises
    ------
    InputError
        When something that was asked cannot be done; see `run_sweep`.
    """
    named = {
        "model.hypothesis": hypothesis,
        "model.fit": None if fit is None else str(fit),
        "model.draws": draws,
        "cohort.patients": patients,
        "cohort.seed": seed,
    }
    options = Options(
        over=axes_from(over),
        settings=tuple(settings_from(named, settings)),
        arms=tuple(arms),
        zipped=zipped,
        design=design,
        design_seed=design_seed,
        at=tuple(at),
        parameters=parameters,
    )
    plan = plan_sweep(read_request(scenario, options))
    return swept(plan, out, workers=workers, threads=threads, scheduler=scheduler, force=force)


def swept(
    plan: SweepPlan,
    out: str | Path | None = None,
    *,
    workers: int = 1,
    threads: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
) -> xr.Dataset:
    """Results of a planned sweep; arguments, result and errors as for `sweep`."""
    import xarray as xr

    with contextlib.ExitStack() as stack:
        target = Path(stack.enter_context(tempfile.TemporaryDirectory()) if out is None else out)
        run_sweep(plan, target, workers=workers, threads=threads, scheduler=scheduler, force=force)
        dataset = xr.open_dataset(target / RESULTS, engine="h5netcdf", decode_times=False)
        if out is None:
            with dataset:
                return dataset.load()
        return dataset
