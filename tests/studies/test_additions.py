"""What is added to a scenario changes no number that was there, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import simulate

SCENARIO = """\
schema = 1
title = "t"
[model]
name = "reference"
hypothesis = "H1+H3a"
fit = "typical"
[time]
end = "6 d"
[cohort]
patients = 9
between_occasions = { CL = 0.3 }
occasion = "2 d"
[outputs]
quantities = ["M17", "serum_il1ra", "CK"]
[solver]
method = "METHOD"
[[arm]]
name = "first"
regimen = "100 mg sc every 24 h until 6 d"
[[arm.rule]]
quantity = "serum_il1ra"
below = "100 ng/mL"
give = "5 mg sc"
margin = "20 ng/mL"
"""
ARM = """\
[[arm]]
name = "second"
regimen = "30 mg sc every 48 h until 6 d"
[arm.parameters]
k_a = 4.0
"""
METHODS = ("dopri5", "taylor", "rodas5p", "automatic")


@pytest.fixture(scope="module", params=METHODS)
def plain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, xr.Dataset]:
    file = tmp_path_factory.mktemp("additions") / "s.toml"
    file.write_text(SCENARIO.replace("METHOD", request.param), encoding="utf-8")
    return file, simulate.run(file)


def assert_kept(before: xr.Dataset, after: xr.Dataset) -> None:
    # How many steps were made is counted up to the end.
    for name in set(before.data_vars) - {"work"}:
        for dimension in before[name].dims:
            kept = np.isin(after[dimension].values, before[dimension].values)
            after = after.isel({dimension: np.flatnonzero(kept)})
        np.testing.assert_array_equal(after[name].values, before[name].values, err_msg=str(name))


def test_a_longer_time_changes_no_number_of_a_run_that_stands_on_draws(plain: tuple[Path, xr.Dataset]) -> None:
    # Their model reads creatine kinase, which drifts by a power of time.
    file, _ = plain
    before, after = (simulate.run(file, fit="prior", draws=2, settings={"time.end": end}) for end in ("6 d", "8 d"))
    assert_kept(before, after)


@pytest.mark.parametrize(
    "settings",
    [{"time.every": "12 h"}, {"time.every": "20 min"}, {"time.visits": ["1 h", "3.3 d"]}, {"time.end": "8 d"}],
)
def test_a_time_that_is_added_changes_no_other(plain: tuple[Path, xr.Dataset], settings: dict[str, object]) -> None:
    file, before = plain
    after = simulate.run(file, settings=settings)
    assert after.sizes["time"] > before.sizes["time"] or "time.visits" in settings
    assert_kept(before, after)


def test_an_arm_that_is_added_changes_no_other(plain: tuple[Path, xr.Dataset]) -> None:
    file, before = plain
    more = file.with_name("more.toml")
    more.write_text(file.read_text(encoding="utf-8") + ARM, encoding="utf-8")
    assert_kept(before, simulate.run(more))


def test_a_patient_who_is_added_changes_no_other(plain: tuple[Path, xr.Dataset]) -> None:
    file, before = plain
    assert_kept(before, simulate.run(file, patients=12))
