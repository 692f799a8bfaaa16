"""Quantiles block by block against quantiles of everything at once."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.solver.trajectories import Status
from simulate.studies.sweeps import quantiles
from simulate.studies.sweeps.quantiles import LEVELS, quantiles_of, summarized, times_kept


def dataset(arms: int = 3, members: int = 7, times: int = 5, *, dropout: bool = False) -> xr.Dataset:
    """Numbers at random; the second member fails in the first arm, the others leave one after the other."""
    random = np.random.default_rng(1)
    status = np.full((arms, members), Status.OK.value, dtype=np.int8)
    status[0, 1 % members] = Status.TOO_MANY_STEPS.value
    return xr.Dataset(
        {
            "a": (("arm", "member", "time"), random.normal(size=(arms, members, times)), {"units": "mg"}),
            "b": (("arm", "member", "time"), random.normal(size=(arms, members, times)), {"units": "1"}),
            "status": (("arm", "member"), status),
            "dropout_day": ("member", np.arange(1.0, members + 1.0)),
        },
        coords={
            "arm": [f"arm {index}" for index in range(arms)],
            "over_dose": ("arm", np.arange(arms, dtype=np.float64)),
            "time": np.arange(times, dtype=np.float64),
            "member": np.arange(members),
        },
        attrs={"dropout": int(dropout)},
    )


def plainly(data: xr.Dataset, name: str, arm: int, time: int) -> np.ndarray:  # type: ignore[type-arg]
    """Quantiles of one arm at one time, by a loop over patients."""
    values = [
        float(data[name].values[arm, member, time])
        for member in range(data.sizes["member"])
        if data["status"].values[arm, member] == Status.OK
        and (not data.attrs["dropout"] or data["dropout_day"].values[member] > data["time"].values[time])
    ]
    return np.quantile(values, LEVELS) if values else np.full(len(LEVELS), np.nan)


@settings(max_examples=25)
@given(
    arms=st.integers(1, 4),
    members=st.integers(1, 9),
    times=st.integers(1, 7),
    block=st.integers(8, 4000),
    dropout=st.booleans(),
    chosen=st.booleans(),
)
def test_blocks_of_any_size_give_the_quantiles_of_those_who_count(
    arms: int, members: int, times: int, block: int, dropout: bool, chosen: bool
) -> None:
    data = dataset(arms, members, times, dropout=dropout)
    kept = sorted({0, times - 1}) if chosen else list(range(times))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(quantiles, "_BLOCK_BYTES", block)
        found = quantiles_of(data, times=kept if chosen else None)
    for name in ("a", "b"):
        assert found[name].dims == ("arm", "time", "quantile")
        for arm in range(arms):
            for place, time in enumerate(kept):
                expected = plainly(data, name, arm, time)
                assert np.array_equal(found[name].values[arm, place], expected, equal_nan=True)


def test_those_who_count_are_counted() -> None:
    assert quantiles_of(dataset())["n_ok"].values.tolist() == [[6] * 5, [7] * 5, [7] * 5]
    assert quantiles_of(dataset(dropout=True))["n_ok"].values.tolist() == [
        [6, 5, 5, 4, 3],
        [7, 6, 5, 4, 3],
        [7, 6, 5, 4, 3],
    ]


def test_of_very_many_arms_only_the_ends_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert times_kept(dataset()) == [0, 1, 2, 3, 4]
    monkeypatch.setattr(quantiles, "MAX_NUMBERS", 29)
    assert times_kept(dataset()) == [0, 4]


def test_the_table_has_a_line_for_each_arm_quantity_and_end() -> None:
    rows = list(csv.DictReader(io.StringIO(summarized(quantiles_of(dataset())))))
    assert len(rows) == 3 * 2 * 2
    assert list(rows[0]) == ["arm", "over_dose", "quantity", "unit", "time_d", "n_ok", "p5", "p25", "p50", "p75", "p95"]
    assert [row["unit"] for row in rows[:4]] == ["mg", "mg", "1", "1"]
    for row in rows:
        expected = plainly(dataset(), row["quantity"], int(float(row["over_dose"])), int(float(row["time_d"])))
        assert [float(row[name]) for name in ("p5", "p25", "p50", "p75", "p95")] == expected.tolist()
