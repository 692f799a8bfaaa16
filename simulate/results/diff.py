"""What differs between two runs: of what was asked, and of what came out, quantity by quantity."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from simulate.errors import InputError, Where, counted, listed
from simulate.inputs import SHIPPED
from simulate.manifest import check_file
from simulate.results.catalog import entries_of
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import pooled, quantity_names
from simulate.studies.sweeps.running import flat
from simulate.tabular import ResultTable, read_csv

RESULTS = "results.nc"
_DRAW = 2**32

_BLOCK_BYTES = 64_000_000
_SELECTING = ("patients", "first", "times", "every", "quantities", "keeps_parameters")
_KEYS = ("model_key", "population_key", "arms_key", "code")


@dataclass(frozen=True, slots=True)
class ChangedInput:
    """An input that differs: its value in the first run and in the second, None where a run does not have it."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class ChangedOutput:
    """A quantity in both runs, over the arms, patients and times that both have."""

    #: What is compared.
    quantity: str
    unit: str
    #: Numbers that both runs have, and those of them whose bits differ.
    values: int
    different: int
    arms: tuple[str, ...]  #: Arms in which any differ
    #: Largest difference over the larger of the two sizes, 0 where none differ; infinite where a run has no number.
    largest: float
    #: Where it is largest, and what the runs have there; None where none differ. Of a table, the labels of the row
    #: stand for the arm.
    arm: str | None = None
    patient: int | None = None
    day: float | None = None
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Two runs beside each other."""

    changes: tuple[ChangedInput, ...]  #: Inputs that differ
    versions: tuple[ChangedInput, ...]  #: Versions that differ
    effects: tuple[ChangedOutput, ...]  #: Quantities that both have, in the order of the first
    only: tuple[str, ...]  #: What one run alone has: arms, quantities, numbers of patients and times, in words

    @property
    def causes(self) -> tuple[ChangedInput, ...]:
        """Inputs that can change a number that both have, and not merely which arms, patients or times there are."""
        return tuple(change for change in self.changes if not _only_selects(change))


def _only_selects(change: ChangedInput) -> bool:
    if change.name.startswith("arm `"):
        return change.before is None or change.after is None
    return change.name.startswith("axes.") or change.name in _SELECTING


def diff_runs(first: Path, second: Path) -> RunDiff:
    """Compare two run directories: trajectories block by block where both have them, else tables cell by cell."""
    before, after = entries_of(first), entries_of(second)
    changes = _changes(_inputs(before), _inputs(after))
    # Hashes say that something changed; where it is named anyway, they say nothing more.
    named = [change for change in changes if change.name not in _KEYS]
    if RESULTS in before.get("files", {}) and RESULTS in after.get("files", {}):
        with _opened(first, before) as one, _opened(second, after) as other:
            effects = tuple(_effect(one, other, name) for name in quantity_names(one) if name in quantity_names(other))
            only = tuple(_only(one, other))
    else:
        tables = _tables(first, before), _tables(second, after)
        effects = tuple(effect for name in tables[0] if name in tables[1] for effect in _cells(name, *tables))
        only = tuple(_only_tables(*tables))
    code = [change for change in changes if change.name == "code"]
    return RunDiff(
        changes=tuple([*named, *code] if named else changes),
        versions=tuple(_changes(flat(before.get("versions", {})), flat(after.get("versions", {})))),
        effects=effects,
        only=only,
    )


def _inputs(entries: Mapping[str, Any]) -> dict[str, Any]:
    """What decided a run, by name; arms by their names and not their places."""
    keys = {name: entry.get("key") for name, entry in entries.get("models", {}).items()}
    own = entries.get("arguments", {}).get("scenario")
    # Of the files that were read not the scenario's own, which is compared key by key.
    files = {
        name: entries.get("files", {}).get(place)
        for name, place in entries.get("inputs", {}).items()
        if name != own and not name.startswith(f"{SHIPPED}scenarios/")
    }
    decided = {"model_key": next(iter(keys.values())) if len(keys) == 1 else keys, "files": files}
    if "resolved" in entries:
        return flat({**entries["resolved"]})
    if "scenario" not in entries:
        return flat({**entries.get("arguments", {}), **decided})
    scenario = {name: value for name, value in entries["scenario"].items() if name not in ("title", "question")}
    arms = {f"arm `{arm['name']}`": {key: arm[key] for key in arm if key != "name"} for arm in scenario.pop("arms", [])}
    asked = {
        name: value for name, value in entries.get("arguments", {}).items() if name not in ("scenario", "settings")
    }
    return flat({**scenario, **arms, **asked, **entries.get("study", {}), **decided})


def _tables(directory: Path, entries: dict[str, Any]) -> dict[str, ResultTable]:
    names = [name for name in entries.get("files", {}) if name.endswith(".csv") and "/" not in name]
    if not names:
        raise _without_results(directory, directory)
    return {name: read_csv(check_file(directory, entries, name).read_text(encoding="utf-8")) for name in names}


def _number(text: str) -> float | None:
    """A cell as a number; NaN where it is empty; None for a text."""
    try:
        return float(text) if text else math.nan
    except ValueError:
        return None


def _columns(*tables: ResultTable) -> tuple[list[str], list[str]]:
    """Columns that all tables have: those of which some cell is a text, which say of what a row is, and the others."""
    common = [column for column in tables[0].columns if all(column in table.columns for table in tables)]
    labels = [
        column
        for column in common
        if any(_number(row[table.columns.index(column)]) is None for table in tables for row in table.rows)
    ]
    return labels, [column for column in common if column not in labels]


def _named(table: ResultTable, labels: Sequence[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """Rows by their labels; of several with the same ones each says, too, that it is this one of so many.

    So they meet those of another table only where there are as many: else it is not known which is which.
    """
    together: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in table.records():
        together.setdefault(tuple(row[label] for label in labels), []).append(row)
    return {
        label if len(rows) == 1 else (*label, f"row {place} of {len(rows)}"): row
        for label, rows in together.items()
        for place, row in enumerate(rows, start=1)
    }


def _cells(name: str, left: Mapping[str, ResultTable], right: Mapping[str, ResultTable]) -> Iterator[ChangedOutput]:
    """An effect for each column of numbers that both have of a table, where some row is in both."""
    labels, columns = _columns(left[name], right[name])
    rows = [_named(table, labels) for table in (left[name], right[name])]
    common = [label for label in rows[0] if label in rows[1]]
    if not common:
        return
    for column in columns:
        pairs = np.array([[float(found[label][column] or "nan") for found in rows] for label in common])
        one, other = pairs.reshape(-1, 2).T
        unequal = ~((one == other) | (np.isnan(one) & np.isnan(other)))
        place = f"{name.removesuffix('.csv')}: {column}"
        if not unequal.any():
            yield ChangedOutput(place, "1", len(common), 0, (), 0.0)
            continue
        sizes = np.where(unequal, _relative(one, other), -1.0)
        worst = int(np.argmax(sizes))
        shown = [", ".join(label) for label in common]
        where = tuple(label for label, is_other in zip(shown, unequal.tolist(), strict=True) if is_other)
        yield ChangedOutput(
            place, "1", len(common), int(unequal.sum()), where, float(sizes[worst]), shown[worst], None, None,
            float(one[worst]), float(other[worst]),
        )  # fmt: skip


def _only_tables(left: Mapping[str, ResultTable], right: Mapping[str, ResultTable]) -> Iterator[str]:
    for place, own, other in (("first", left, right), ("second", right, left)):
        for name, table in own.items():
            if name not in other:
                yield f"the {place} alone has the table `{name}`"
            else:
                labels, _ = _columns(table, other[name])
                count = len(_named(table, labels).keys() - _named(other[name], labels).keys())
                if count:
                    yield f"the {place} alone has {counted(count, 'row')} of `{name}`"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ChangedInput]:
    return [
        ChangedInput(name, before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _opened(directory: Path, entries: dict[str, Any]) -> xr.Dataset:
    path = directory / RESULTS
    if RESULTS not in entries.get("files", {}):
        raise _without_results(directory, path)
    return pooled(xr.open_dataset(check_file(directory, entries, RESULTS), engine="h5netcdf", decode_times=False))


def _without_results(directory: Path, path: Path) -> InputError:
    return InputError(
        "the run has no results",
        code="runs.results",
        where=Where(file=str(path)),
        advice=f"if it is a sweep, `simulate runs resume {directory}` finishes it",
    )


def _effect(one: xr.Dataset, other: xr.Dataset, name: str) -> ChangedOutput:
    values = different = 0
    arms: dict[str, None] = {}
    worst = ChangedOutput(name, str(one[name].attrs.get("units", "")), 0, 0, (), 0.0)
    for arm, members, times, left, right in _common(one, other, name):
        values += left.size
        unequal = left.view(np.uint64) != right.view(np.uint64)
        if not unequal.any():
            continue
        different += int(unequal.sum())
        arms[arm] = None
        sizes = _relative(left, right)
        sizes[~unequal] = -1.0
        member, time = np.unravel_index(int(np.argmax(sizes)), sizes.shape)
        if sizes[member, time] > worst.largest or worst.arm is None:
            worst = ChangedOutput(
                name, worst.unit, 0, 0, (), float(sizes[member, time]), arm, int(members[member]), float(times[time]),
                float(left[member, time]), float(right[member, time]),
            )  # fmt: skip
    return replace(worst, values=values, different=different, arms=tuple(arms))


def _relative(left: FloatArray, right: FloatArray) -> FloatArray:
    scale = np.maximum(np.abs(left), np.abs(right))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative: FloatArray = np.abs(left - right) / scale
    relative[np.isnan(left) != np.isnan(right)] = np.inf
    return np.nan_to_num(relative, nan=0.0, posinf=np.inf)


def _common(
    one: xr.Dataset, other: xr.Dataset, name: str
) -> Iterator[tuple[str, npt.NDArray[Any], npt.NDArray[Any], FloatArray, FloatArray]]:
    """Values that both datasets have, of an arm and some patients at a time: arm, patients, times, values of both."""
    members, left_members, right_members = np.intersect1d(_numbers(one), _numbers(other), return_indices=True)
    times, left_times, right_times = np.intersect1d(one["time"].values, other["time"].values, return_indices=True)
    if not len(members) or not len(times):
        return
    places = {arm: index for index, arm in enumerate(other["arm"].values.tolist())}
    step = max(1, _BLOCK_BYTES // (8 * max(one.sizes["time"], other.sizes["time"])))
    for index, arm in enumerate(one["arm"].values.tolist()):
        if arm not in places:
            continue
        for first in range(0, len(members), step):
            own = slice(first, first + step)
            yield (
                str(arm),
                members[own] % _DRAW,
                times,
                _block(one[name][index], left_members[own], left_times),
                _block(other[name][places[arm]], right_members[own], right_times),
            )


def _numbers(dataset: xr.Dataset) -> npt.NDArray[Any]:
    """A number of each member that tells patients and draws apart; that of the patient in the first draw."""
    draws = dataset["draw"].values if "draw" in dataset.coords else 0
    return np.asarray(dataset["member"].values + _DRAW * draws)


def _block(variable: xr.DataArray, members: npt.NDArray[Any], times: npt.NDArray[Any]) -> FloatArray:
    low = int(members[0])
    stretch = variable[low : int(members[-1]) + 1].values
    return np.ascontiguousarray(stretch[members - low][:, times], dtype=np.float64)


def _only(one: xr.Dataset, other: xr.Dataset) -> Iterator[str]:
    for place, left, right in (("first", one, other), ("second", other, one)):
        arms = [str(arm) for arm in left["arm"].values if arm not in set(right["arm"].values.tolist())]
        if arms:
            yield f"the {place} alone has the arm" + ("s " if len(arms) > 1 else " ") + _listed(arms)
        names = [name for name in quantity_names(left) if name not in quantity_names(right)]
        if names:
            yield f"the {place} alone has the quantit" + ("ies " if len(names) > 1 else "y ") + _listed(names)
        for axis, word in (("member", "patient"), ("time", "time")):
            count = len(np.setdiff1d(left[axis].values, right[axis].values))
            if count:
                yield f"the {place} alone has {count} {word}{'s' if count > 1 else ''}"


def _listed(names: list[str]) -> str:
    shown = listed(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
