"""A long table has each number of a result once, beside whose it is, and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import simulate
from simulate.errors import InputError, MissingExtra
from simulate.results import tidy as module
from simulate.results.tidy import tidy_frame, write_tidy

SHAPE = (2, 3, 4)
VALUES = np.arange(24.0).reshape(SHAPE)


@pytest.fixture
def dataset() -> xr.Dataset:
    """Two points of a sweep, three patients, four times; one solution has failed."""
    dims = ("arm", "member", "time")
    status = np.zeros(SHAPE[:2], dtype=np.int8)
    status[1, 2] = 2
    return xr.Dataset(
        {"x": (dims, VALUES, {"units": "mg"}), "y": (dims, -VALUES), "status": (dims[:2], status)},
        coords={
            "arm": ["low", "high"], "over_dose": ("arm", [1.0, 2.0]), "member": [7, 8, 9], "time": [0.0, 1.0, 2.5, 7.0],
            "stratum": ("member", ["PM", "PM", "DM"]), "draw": ("member", [0, 0, 1]),
        },
    )  # fmt: skip


def test_each_number_stands_once_beside_whose_it_is(dataset: xr.Dataset) -> None:
    frame = tidy_frame(dataset)
    assert list(frame) == ["id", "stratum", "arm", "dose", "draw", "day", "quantity", "unit", "value"]
    assert len(frame) == 2 * VALUES.size
    (row,) = frame[(frame.arm == "high") & (frame.id == 8) & (frame.day == 2.5) & (frame.quantity == "y")].to_dict(
        "records"
    )
    assert row == {
        "id": 8, "stratum": "PM", "arm": "high", "dose": 2.0, "draw": 0, "day": 2.5, "quantity": "y", "unit": "",
        "value": -VALUES[1, 1, 2],
    }  # fmt: skip
    failed = frame[(frame.arm == "high") & (frame.id == 9)]
    assert failed.value.isna().all()
    assert frame.value.isna().sum() == len(failed) == 8
    back = frame[frame.quantity == "x"].set_index(["arm", "id", "day"]).value.to_xarray()
    np.testing.assert_array_equal(back.sel(arm="low", id=[7, 8, 9]).values, VALUES[0])


def test_quantities_and_times_can_be_chosen(dataset: xr.Dataset) -> None:
    frame = tidy_frame(dataset, ["x"], [7.0, 0.0])
    assert set(frame.quantity) == {"x"}
    assert sorted(set(frame.day)) == [0.0, 7.0]
    assert len(frame) == 2 * 3 * 2


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_reads_back_as_the_same_bits(dataset: xr.Dataset, tmp_path: Path, ending: str) -> None:
    dataset["x"] = dataset["x"] * np.pi
    path = tmp_path / f"long.{ending}"
    rows = write_tidy(dataset, path)
    wanted = tidy_frame(dataset)
    found = (
        pd.read_csv(path, keep_default_na=False, na_values={"value": [""]})
        if ending == "csv"
        else pd.read_parquet(path)
    )
    assert rows == len(wanted)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)


def test_a_run_by_draws_and_its_directory_give_the_same_table(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = simulate.run(
        "anakinra-100mg-daily", patients=2, draws=2, settings={"time.end": "7 d"}, out=out, figures=False
    )
    frame = simulate.tidy(run, quantities=["ifng"], at=["0 d", "7 d"])
    assert len(frame) == 2 * 2 * 2
    wanted = run["ifng"].transpose("arm", "draw", "member", "time").values[0][:, :, [0, -1]]
    np.testing.assert_array_equal(frame.value.values.reshape(2, 2, 2), wanted)
    pd.testing.assert_frame_equal(simulate.tidy(out, quantities=["ifng"], at=["0 d", "7 d"]), frame)


def test_what_is_not_there_is_refused_in_words(dataset: xr.Dataset, tmp_path: Path) -> None:
    def message(*arguments: object) -> str:
        with pytest.raises(InputError) as caught:
            tidy_frame(dataset, *arguments)  # type: ignore[arg-type]
        return str(caught.value)

    assert message(["z"]) == "error[tidy.quantity]: no quantity `z` was recorded\n  expected: x, y"
    assert message(None, [2.0]) == (
        "error[tidy.time]: nothing was recorded at 2 d\n"
        "  expected: a time of 0 to 7 d, of 4\n"
        "  try:      the nearest is 2.5 d"
    )
    with pytest.raises(InputError) as caught:
        write_tidy(dataset, tmp_path / "long.xlsx")
    assert str(caught.value) == (
        "error[tidy.ending]: a long table is CSV or Parquet\n"
        f"  --> {tmp_path / 'long.xlsx'}\n"
        "  found:    .xlsx\n"
        "  expected: a name that ends in .csv or .parquet"
    )
    with pytest.raises(InputError) as caught:
        tidy_frame(dataset[["status"]].assign_attrs(title="t"))
    assert str(caught.value) == (
        "error[tidy.results]: these results have no courses of patients\n"
        "  found:    t\n"
        "  expected: the results of a run or a sweep\n"
        "  try:      other verbs write their tables as CSV files beside the manifest"
    )
    with pytest.raises(InputError) as caught:
        simulate.tidy(tmp_path)
    assert str(caught.value) == (
        "error[tidy.results]: no courses of patients are in the directory\n"
        f"  --> {tmp_path}\n"
        "  found:    a folder without manifest.json\n"
        "  expected: the directory of a run or a sweep\n"
        "  try:      `simulate runs list FOLDER` shows those in a folder"
    )
    with pytest.raises(InputError) as caught:
        simulate.tidy(tmp_path / "none")
    assert str(caught.value) == (
        "error[tidy.results]: no courses of patients are in the directory\n"
        f"  --> {tmp_path / 'none'}\n"
        "  found:    no such folder\n"
        "  expected: the directory of a run or a sweep\n"
        "  try:      `simulate runs list FOLDER` shows those in a folder"
    )


def test_a_table_too_large_for_memory_is_refused_before_it_is_made(
    dataset: xr.Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 40)
    with pytest.raises(InputError) as caught:
        tidy_frame(dataset)
    assert str(caught.value) == (
        "error[tidy.size]: the table would be too large for memory\n"
        "  found:    48 rows\n"
        "  expected: at most 40\n"
        "  try:      name quantities or days, or write a file piece by piece: `simulate tidy DIR --out long.parquet`"
    )
    assert len(tidy_frame(dataset, ["x"])) == 24
    assert write_tidy(dataset, tmp_path / "long.csv") == 48


def test_parquet_without_its_package_says_how_to_get_it(
    dataset: xr.Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra) as caught:
        write_tidy(dataset, tmp_path / "long.parquet")
    assert str(caught.value) == (
        "error[extra.parquet]: Parquet files need the package pyarrow\n"
        "  expected: pyarrow\n"
        '  try:      pip install "il1sim[parquet]", or write CSV'
    )
    assert not list(tmp_path.iterdir())


def test_the_size_of_a_large_table_is_told_before_it_is_written(
    dataset: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGE", 47)
    told: list[str] = []
    write_tidy(dataset, tmp_path / "long.csv", report=told.append)
    assert told == [
        "48 rows are some 0.0 GB of CSV; --quantity and --at keep fewer, and Parquet is smaller: --out long.parquet"
    ]
    monkeypatch.setattr(module, "LARGE", 48)
    write_tidy(dataset, tmp_path / "long.csv", report=told.append)
    assert len(told) == 1
