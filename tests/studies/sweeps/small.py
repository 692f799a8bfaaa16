"""A small sweep of the reference model, and what the directories of two sweeps have in common."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import xarray as xr

from simulate.studies.settings import Setting
from simulate.studies.sweeps.plans import SweepPlan, plan_sweep
from simulate.studies.sweeps.requests import Options, read_request

SCENARIO = "anakinra-100mg-daily"
SETTINGS = (
    Setting("time.end", "3 d", "--set time.end=3 d"),
    Setting("model.fit", "typical", "--fit typical"),
    Setting("cohort.seed", 5, "--seed 5"),
    Setting("outputs.quantities", ["ifng", "ck"], "--set outputs.quantities"),
)


def options(*over: str, patients: int = 3, **others: object) -> Options:
    size = Setting("cohort.patients", patients, f"--patients {patients}")
    return Options(over=over, settings=(*SETTINGS, size), **others)  # type: ignore[arg-type]


@cache
def plan(*over: str, patients: int = 3, part_size: int | None = None) -> SweepPlan:
    """Four doses of three patients, if not told otherwise."""
    return plan_sweep(
        read_request(SCENARIO, options(*(over or ("dose=10,30,100,300",)), patients=patients)), part_size=part_size
    )


def read(folder: Path) -> xr.Dataset:
    with xr.open_dataset(folder / "results.nc", engine="h5netcdf", decode_times=False) as dataset:
        return dataset.load()


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of the files of a finished sweep but for its manifest, which knows the time, and how it was cut."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in (".nc", ".csv")}
