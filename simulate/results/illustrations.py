"""Figures that a report draws from the results of a directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from simulate.results.changes import signed
from simulate.results.shown import with_meaning
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.datasets import pooled, quantity_names
from simulate.studies.netcdf import opened
from simulate.studies.paired import outcomes
from simulate.studies.runs import Study
from simulate.studies.visits import time_unit_of, time_words

PREFERRED = ("il17a", "ifng", "ck")
"""Quantities of which changes are drawn, if there are some of them; else the first."""

MOST_VALUES = 50_000_000
"""Values of a result beyond which it is too large for figures of a report."""

_MOST_ARMS = 6
_RESULTS = "results.nc"


def illustrations(directory: Path, *, kept: Sequence[str] = ()) -> Iterator[tuple[bytes, str]]:
    """PNG and caption of each figure; none where there are no results, or nobody reached the end."""
    dataset = _readable(directory)
    if dataset is None:
        return
    axes = [str(name) for name in dataset.coords if str(name).startswith("over_")]
    yield from _of_sweep(dataset, axes) if axes else _of_run(dataset, kept)


@dataclass(frozen=True, slots=True)
class SweepFacts:
    """Units of what a sweep varies, and of what draws its parameters are; None where they are at typical values."""

    units: dict[str, str]
    fit: str | None


def facts_of_sweep(directory: Path) -> SweepFacts | None:
    """What the results of a sweep say of its axes, however large they are; None where there are no results."""
    path = directory / _RESULTS
    if not path.is_file():
        return None
    with opened(path) as dataset:
        axes = [str(name) for name in dataset.coords if str(name).startswith("over_")]
        units = {name.removeprefix("over_"): str(dataset[name].attrs.get("units", "")) for name in axes}
        fit = dataset.attrs.get("fit")
        return SweepFacts(units, None if fit is None else str(fit))


def between(name: str, values: Sequence[object], unit: str) -> str:
    """An axis in words: from where to where its numbers go, or what its values are."""
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    shown = "" if unit in ("", "1") else f" {unit}"
    if len(numbers) < len(values):
        return f"{name} ({'; '.join(map(str, dict.fromkeys(values)))})"
    return f"{name} from {min(numbers):.4g} to {max(numbers):.4g}{shown}"


def listed(texts: Sequence[str]) -> str:
    """Texts as a list in a sentence."""
    return " and ".join((*([", ".join(texts[:-1])] if texts[1:] else []), *texts[-1:]))


def ends_of_axes(directory: Path) -> Iterator[str]:
    """Sentences about a sweep: median changes of some quantities, or levels, at both ends of each axis."""
    dataset = _readable(directory)
    if dataset is None:
        return
    last = _last(dataset)
    when = f"on {last}" if last.startswith("day") else f"at {last}"
    if dataset.sizes["time"] > 1:
        when = f"by {last}"
    axes = [str(name) for name in dataset.coords if str(name).startswith("over_")]
    for axis in axes:
        others = listed(
            [
                between(other[5:], dataset[other].values.tolist(), str(dataset[other].attrs.get("units", "")))
                for other in axes
                if other != axis
            ]
        )
        together = f", with {others} together" if others else ""
        unit = str(dataset[axis].attrs.get("units", ""))
        shown = "" if unit in ("", "1") else f" {unit}"
        is_text = dataset[axis].dtype.kind != "f"
        places = np.asarray(dataset[axis].values, dtype=object if is_text else np.float64)
        for name in _chosen(dataset):
            found = outcomes(dataset, name)
            told = _told_texts(found.values, places) if is_text else [places.min(), places.max()]
            medians = [_median(found.values[places == place]) for place in told]
            if told and None not in medians:
                values = [signed(one, found.unit) if found.are_changes else f"{one:.3g}" for one in medians]
                own = found.unit.removesuffix("1")
                what = with_meaning(name, str(dataset[name].attrs["long_name"]))
                what += ", change" if found.are_changes else ""
                labels = told if is_text else [f"{place:.4g}{shown}" for place in told]
                each = [
                    f"{value} {own} where {'it' if index else axis[5:]} is {label}"
                    for index, (value, label) in enumerate(zip(values, labels, strict=True))
                ]
                yield f"{what} {when}: {', '.join(each)}{together}."


_MOST_TEXTS = 4
"""Texts of an axis of which all are told; of more, those with the lowest and the highest median."""


def _told_texts(values: FloatArray, places: npt.NDArray[np.object_]) -> list[str]:
    """Texts of an axis of texts, in their order, of which somebody has a number."""
    medians = {text: _median(values[places == text]) for text in dict.fromkeys(places.tolist())}
    known = {text: median for text, median in medians.items() if median is not None}
    if len(known) <= _MOST_TEXTS:
        return list(known)
    return [min(known, key=lambda text: known[text]), max(known, key=lambda text: known[text])]


def _median(values: FloatArray) -> float | None:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else None


def _last(dataset: xr.Dataset) -> str:
    return time_words(float(dataset["time"].values[-1]), time_unit_of(dataset))


def _readable(directory: Path) -> xr.Dataset | None:
    """Results of a directory that are not too large, and in which somebody reached the end."""
    path = directory / _RESULTS
    if not path.is_file():
        return None
    with opened(path) as found:
        if sum(variable.size for variable in found.data_vars.values()) > MOST_VALUES:
            return None
        dataset = pooled(found.load())
    return dataset if (np.asarray(dataset["status"].values) == Status.OK).any() else None


def few_arms(study: Study) -> Study:
    """The study with at most `_MOST_ARMS` of its arms, the first and the last among them."""
    if len(study.arms) <= _MOST_ARMS:
        return study
    chosen = np.unique(np.linspace(0, len(study.arms) - 1, _MOST_ARMS).round().astype(int)).tolist()
    scenario = replace(study.scenario, arms=tuple(study.scenario.arms[index] for index in chosen))
    return replace(study, scenario=scenario, arms=tuple(study.arms[index] for index in chosen))


def _of_run(dataset: xr.Dataset, kept: Sequence[str]) -> Iterator[tuple[bytes, str]]:
    from simulate.figures.forest import forest
    from simulate.figures.style import png_bytes
    from simulate.figures.time_course import time_course
    from simulate.figures.waterfall import waterfall
    from simulate.studies.effects import effects

    if "time-course.png" not in kept:
        yield png_bytes(time_course(dataset)), "time course"
    end = float(dataset["time"].values[-1])
    for name in _chosen(dataset):
        yield png_bytes(waterfall(dataset, name, end)), f"change of {name} in each patient"
        label = f"mean change of {dataset[name].attrs['long_name']} at {_last(dataset)}"
        yield png_bytes(forest(effects(dataset, name, end), label=label, unit="%")), f"mean change of {name} by arm"


def _of_sweep(dataset: xr.Dataset, axes: Sequence[str]) -> Iterator[tuple[bytes, str]]:
    from simulate.figures.axis_response import axis_response
    from simulate.figures.heat_map import heat_map
    from simulate.figures.style import png_bytes

    numeric = [name for name in axes if dataset[name].dtype.kind == "f"]
    several = "base_arm" in dataset.coords and len(set(dataset["base_arm"].values.tolist())) > 1
    if several or len(numeric) != len(axes):
        return
    if len(axes) == 1:
        name = axes[0].removeprefix("over_")
        yield (
            png_bytes(axis_response(dataset, name)),
            f"{'change' if dataset.sizes['time'] > 1 else 'level'} over {name}",
        )
    elif len(axes) == 2:
        for quantity in _chosen(dataset):
            field = _crossed(dataset, quantity, axes)
            if field is not None:
                note = f"median of patients, {_last(dataset)}"
                yield png_bytes(heat_map(field, note=note)), f"{quantity} over {axes[0][5:]} and {axes[1][5:]}"


def _chosen(dataset: xr.Dataset) -> list[str]:
    names = quantity_names(dataset)
    return [name for name in PREFERRED if name in names] or list(names[:1])


def _crossed(dataset: xr.Dataset, quantity: str, axes: Sequence[str]) -> xr.DataArray | None:
    """Median outcomes over two axes that are crossed, the second of them upward; None if they are not."""
    across, upward = (np.asarray(dataset[name].values, dtype=np.float64) for name in axes)
    xs, ys = np.unique(across), np.unique(upward)
    if len(xs) * len(ys) != len(across) or min(len(xs), len(ys)) < 2:
        return None
    found = outcomes(dataset, quantity)
    values = found.values
    known = np.isfinite(values).any(axis=1)
    medians = np.full(len(values), np.nan)
    medians[known] = np.nanmedian(values[known], axis=1)
    field = np.full((len(ys), len(xs)), np.nan)
    field[np.searchsorted(ys, upward), np.searchsorted(xs, across)] = medians
    names = [name.removeprefix("over_") for name in axes]
    return xr.DataArray(
        field,
        {
            names[1]: (names[1], ys, dict(dataset[axes[1]].attrs)),
            names[0]: (names[0], xs, dict(dataset[axes[0]].attrs)),
        },
        (names[1], names[0]),
        attrs={
            "long_name": f"{'change of ' if found.are_changes else ''}{dataset[quantity].attrs['long_name']}",
            "units": found.unit,
        },
    )
