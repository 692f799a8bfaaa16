"""The folder of a dose-response study: tables, figures, the dataset."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import xarray as xr

from simulate.files import content_hash
from simulate.report.tables import csv_text
from simulate.store import MANIFEST, manifest_text, new_directory
from simulate.studies.datasets import write_dataset
from simulate.studies.dose_response.tables import (
    CurveRow,
    EffectRow,
    InfluenceRow,
    IsoboleRow,
    ShareRow,
    curve_rows,
    effect_rows,
    influence_rows,
    isobole_rows,
    patients_text,
    share_rows,
)
from simulate.versions import versions


def response_key(dataset: xr.Dataset) -> str:
    """Content hash of a study: the same numbers, the same key."""
    arrays = (dataset[name].values.tobytes() for name in ("effect", "dose", "second"))
    return content_hash(*arrays, *(str(text) for text in dataset["endpoint"].values), repr(dataset.attrs["hypothesis"]))


def write_response(
    dataset: xr.Dataset, target: Path, *, key: str | None = None, figures: bool = True, force: bool = False
) -> tuple[str, ...]:
    """Write the folder of a study, all of it or nothing.

    Parameters
    ----------
    dataset
        Result of `simulate.dose_response`.
    target
        The folder; absent, empty, or that of an earlier study.
    key
        By what a folder of the same study is known; its content if not given.
    figures
        Whether to draw.
    force
        Whether another run may be replaced.

    Returns
    -------
    tuple of str
        Names of the files.

    Raises
    ------
    InputError, MissingExtra
        As for `simulate.store.new_directory`.
    """
    known = response_key(dataset) if key is None else key
    held = {name: str(dataset.attrs[name]) for name in ("study", "counters") if name in dataset.attrs}
    with new_directory(target, key=known, force=force) as folder:
        write_dataset(dataset, folder / "response.nc")
        (folder / "curves.csv").write_text(csv_text(curve_rows(dataset), CurveRow), encoding="utf-8")
        (folder / "effects.csv").write_text(csv_text(effect_rows(dataset), EffectRow), encoding="utf-8")
        further = (
            ("isoboles.csv", isobole_rows(dataset), IsoboleRow),
            ("effect-doses.csv", share_rows(dataset), ShareRow),
            ("influences.csv", influence_rows(dataset), InfluenceRow),
        )
        for name, rows, kind in further:
            if rows:
                (folder / name).write_text(csv_text(rows, kind), encoding="utf-8")
        if figures:
            draw(dataset, folder)
        written = sorted(path.name for path in folder.iterdir())
        entries = {
            "title": dataset.attrs["title"],
            "key": known,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            **{name: json.loads(text) for name, text in held.items() if name == "counters"},
            **json.loads(held.get("study", "{}")),
            "kind": "dose-response",
            "study": {
                "arm": dataset.attrs["arm"],
                "doses": _values(dataset["dose"]),
                **({dataset.attrs["second"]: _values(dataset["second"])} if dataset.attrs["second"] else {}),
                "endpoints": ", ".join(str(text) for text in dataset["endpoint"].values),
                "last day of exposures": dataset.attrs["window_end"],
                "signal that counts as blocked, % of baseline": dataset.attrs["bound"],
            },
            "versions": versions(),
            "files": {name: content_hash((folder / name).read_bytes()) for name in written},
        }
        (folder / MANIFEST).write_text(manifest_text(entries), encoding="utf-8")
    return (*written, MANIFEST)


def draw(dataset: xr.Dataset, folder: Path) -> None:
    """Draw all figures of a study that has a result."""
    from simulate.figures.dose_response import dose_response
    from simulate.figures.dosing_interval import dosing_interval
    from simulate.figures.exposure_response import exposure_response
    from simulate.figures.heat_map import heat_map
    from simulate.figures.isobole import isobole
    from simulate.figures.style import save

    if not int(dataset["n"].max()):
        return
    save(dose_response(dataset), folder, "dose-response")
    if "exposure" in dataset:
        save(exposure_response(dataset), folder, "exposure-response")
    if "exposure" in dataset and "blocked" in dataset:
        save(dosing_interval(dataset), folder, "dosing-interval")
    if dataset.sizes["second"] > 1:
        for endpoint in range(dataset.sizes["endpoint"]):
            note = f"mean of {patients_text(dataset, endpoint)}"
            save(heat_map(field(dataset, endpoint), note=note), folder, f"heat-map-{endpoint + 1}")
    if "isobole" in dataset:
        save(isobole(dataset), folder, "isobole")


def field(dataset: xr.Dataset, endpoint: int) -> xr.DataArray:
    """Means over doses and the second axis, as `simulate.figures.heat_map` takes them; the dose of nothing left out."""
    means = dataset["mean"].isel(endpoint=endpoint).sel(dose=dataset["dose"] > 0.0)
    labels = {"long_name": str(means["endpoint_title"].values), "units": str(means["endpoint_unit"].values)}
    found = means.drop_vars([name for name in means.coords if name not in means.dims]).assign_attrs(labels)
    return found.assign_coords(dose=found["dose"].assign_attrs(long_name="dose"))


def _values(places: xr.DataArray) -> str:
    unit = str(places.attrs.get("units", ""))
    return ", ".join(f"{value:.4g}" for value in places.values) + (f" {unit}" if unit not in ("", "1") else "")
