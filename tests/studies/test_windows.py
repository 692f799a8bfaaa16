"""Averages, troughs and peaks between doses that change a level at once, against sums of exponentials."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from simulate.api.varying import dose_response
from simulate.regimen.words import parse_regimen
from simulate.studies.runs import prepare
from simulate.studies.scenario import read_scenario
from simulate.studies.windows import highest, last_interval, window

MODEL = """\
[parameters]
k = "0.1 1/h"
E50 = "7.7 mg"
[species.A]
unit = "mg"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
[observables.resp]
expression = "hill(A, E50, 40)"
"""

SCENARIO = """\
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "30 d"
[cohort]
patients = 5
[[arm]]
name = "a"
regimen = "100 mg iv every 24 h"
"""

PER_HOUR = 0.7


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("windows")
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return folder / "s.toml"


def exposures(scenario: Path, regimen: str, *, day: float = 30.0, dose: str = "25,50,75,100 mg") -> list[float]:
    """Average, trough and peak at the highest dose, with a loss of 0.7/h."""
    found = dose_response(
        scenario,
        dose=dose,
        endpoint=f"A@{day!r}",
        exposure="A",
        patients=1,
        replicates=0,
        settings={"k": "0.7 1/h", "arm.a.regimen": regimen, "solver.rtol": 1e-8, "solver.atol": 1e-14},
    )
    values: list[float] = found["exposure"].values[:, 0, -1, 0].tolist()
    return values


@pytest.mark.parametrize("day", [30.0, 20.0])
def test_the_trough_is_what_is_there_before_the_next_dose(scenario: Path, day: float) -> None:
    fade = np.exp(-PER_HOUR * 24.0)
    average, trough, peak = exposures(scenario, "100 mg iv every 24 h", day=day)
    assert average == pytest.approx(100.0 / (PER_HOUR * 24.0), rel=2e-6)
    assert trough == pytest.approx(100.0 * fade / (1.0 - fade), rel=1e-3)
    assert peak == pytest.approx(100.0 / (1.0 - fade), rel=1e-6)


def test_a_day_within_an_interval_ends_a_whole_one(scenario: Path) -> None:
    fade = np.exp(-PER_HOUR * 24.0)
    average, trough, peak = exposures(scenario, "100 mg iv every 24 h", day=29.25)
    assert average == pytest.approx(100.0 / (PER_HOUR * 24.0), rel=2e-6)
    assert trough == pytest.approx(100.0 * fade / (1.0 - fade), rel=1e-3)
    assert peak == pytest.approx(100.0 / (1.0 - fade), rel=1e-6)


def test_of_several_intervals_it_is_the_one_that_is_running(scenario: Path) -> None:
    fade = np.exp(-PER_HOUR * 12.0)
    average, trough, peak = exposures(scenario, "100 mg iv every 48 h until 10 d and 100 mg iv every 12 h from 10 d")
    assert average == pytest.approx(100.0 / (PER_HOUR * 12.0), rel=2e-6)
    assert trough == pytest.approx(100.0 * fade / (1.0 - fade), rel=1e-4)
    assert peak == pytest.approx(100.0 / (1.0 - fade), rel=1e-6)


def test_an_infusion_has_its_peak_at_its_end_and_the_average_of_a_dose(scenario: Path) -> None:
    fade, hours = np.exp(-PER_HOUR * 24.0), 3.0
    average, trough, peak = exposures(scenario, "100 mg iv over 3 h every 24 h")
    rise = 100.0 / hours / PER_HOUR * (1.0 - np.exp(-PER_HOUR * hours))
    assert average == pytest.approx(100.0 / (PER_HOUR * 24.0), rel=2e-6)
    assert peak == pytest.approx(rise / (1.0 - fade), rel=1e-6)
    assert trough == pytest.approx(rise * np.exp(-PER_HOUR * 21.0) / (1.0 - fade), rel=1e-3)


def test_a_dose_at_the_start_is_in_the_first_interval(scenario: Path) -> None:
    average, trough, peak = exposures(scenario, "100 mg iv every 24 h", day=1.0)
    fade = np.exp(-PER_HOUR * 24.0)
    assert average == pytest.approx(100.0 * (1.0 - fade) / (PER_HOUR * 24.0), rel=2e-6)
    assert (trough, peak) == (pytest.approx(100.0 * fade, rel=1e-3), pytest.approx(100.0, rel=1e-6))


def test_a_pause_and_a_skipped_dose_do_not_hide_the_jumps_of_the_others(scenario: Path) -> None:
    average, trough, peak = exposures(
        scenario, "100 mg iv every 24 h from 27 d and 100 mg iv every 12 h from 29.5 d", day=30.0
    )
    fade = np.exp(-PER_HOUR * 12.0)
    assert peak == pytest.approx(100.0 * (1.0 + fade + fade**3 + fade**5), rel=1e-6)
    at_29 = 100.0 * (1.0 + fade**2 + fade**4)
    at_noon = at_29 * fade + 100.0
    assert trough == pytest.approx(at_29 * fade, rel=1e-3)
    assert average == pytest.approx((at_29 + at_noon) * (1.0 - fade) / (PER_HOUR * 24.0), rel=2e-6)


@pytest.mark.parametrize(
    ("regimen", "day", "hours"),
    [
        ("100 mg iv every 24 h", 10, 24),
        ("100 mg iv every 24 h until 10 d", 10, 24),
        ("100 mg iv every 24 h until 4 d", 10, 24),
        ("100 mg iv every 48 h until 4 d and 10 mg iv every 12 h from 4 d", 4, 48),
        ("100 mg iv every 48 h until 4 d and 10 mg iv every 12 h from 4 d", 5, 12),
        ("100 mg iv every 24 h and 300 mg iv every 168 h", 10, 168),
        ("100 mg iv", 10, 24),
        ("100 mg iv every 12 h from 20 d", 10, 24),
    ],
)
def test_the_interval_of_a_day_is_that_of_what_is_running(regimen: str, day: int, hours: int) -> None:
    assert last_interval(parse_regimen(regimen), Fraction(day)) == Fraction(hours, 24)


def test_averages_weigh_every_moment_and_summits_are_between_times(scenario: Path) -> None:
    model = prepare(read_scenario(scenario)).model
    plans = (parse_regimen("1 mg iv every 24 h"), parse_regimen("1 mg iv every 36 h"))
    found = window(plans, model, 0.0, 3.0, 5.0, np.array([parameter.value for parameter in model.parameters]))
    assert found.weights.sum() == pytest.approx(1.0)
    assert (np.diff(found.times) > 0.0).all()
    assert {1.0, 1.5, 2.0} < set(found.times.tolist())
    # A curve with a kink at each cut, whose integral is known.
    cuts = np.array([0.0, 1.0, 1.5, 2.0])
    since = found.times - cuts[np.searchsorted(cuts, found.times, side="right") - 1]
    assert (np.exp(-7.0 * since) * found.weights).sum() == pytest.approx(
        sum(1.0 - np.exp(-7.0 * length) for length in (1.0, 0.5, 0.5, 1.0)) / 21.0, rel=1e-7
    )
    times = np.linspace(0.0, 1.0, 8)
    assert highest(times, 3.0 - (times - 0.4) ** 2) == pytest.approx(3.0, rel=1e-12)
    assert highest(times, np.where(times < 0.5, times, times + 7.0)) == 8.0
    assert np.isnan(highest(times, np.where(times > 0.5, np.nan, times)))


def test_a_step_between_two_doses_has_no_ed50_but_the_doses_around_it(scenario: Path) -> None:
    settings = {"time.end": "3 d", "arm.a.regimen": "1 mg iv every 24 h"}
    found = dose_response(
        scenario, dose="1,2,4,8,16,32,64 mg", endpoint="resp@1", exposure="A", replicates=20, settings=settings
    )
    # After the second dose there are 1 + exp(-2.4) doses, 8.7 mg at 8 mg and 4.4 at 4.
    assert found["effect"].values[0, 0, :, 0] == pytest.approx([0, 0, 0, 0, 1, 1, 1, 1], abs=0.01)
    row = [float(found[name].values[0, 0, 2]) for name in ("curve", "curve_low", "curve_high")]
    assert np.isnan(row[0])
    assert row[1:] == [4.0, 8.0]
    assert float(found["certainty"].values[0, 0]) == 0.0
    assert np.isnan(found["patient_curve"].values).all()


@pytest.fixture(scope="module")
def with_a_gain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same where 0.6 of a dose arrives, if nothing else is said."""
    folder = tmp_path_factory.mktemp("gain")
    model = MODEL.replace('gain = "1"', 'gain = "F"').replace("[parameters]\n", "[parameters]\nF = 0.6\n")
    (folder / "model.toml").write_text(model, encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return folder / "s.toml"


def test_a_steady_state_has_a_curve(with_a_gain: Path) -> None:
    fade = np.exp(-PER_HOUR * 24.0)
    average, trough, peak = exposures(with_a_gain, "100 mg iv every 24 h steady", day=2.0)
    assert average == pytest.approx(60.0 / (PER_HOUR * 24.0), rel=2e-6)
    assert trough == pytest.approx(60.0 * fade / (1.0 - fade), rel=1e-3)
    assert peak == pytest.approx(60.0 / (1.0 - fade), rel=1e-6)


def test_an_infusion_at_a_rate_has_its_peak_where_it_ends_at_every_dose(with_a_gain: Path) -> None:
    found = dose_response(
        with_a_gain,
        dose="25,50,75,100 mg",
        endpoint="A@30",
        exposure="A",
        patients=1,
        replicates=0,
        second="F=0.3,0.6",
        settings={
            "k": f"{PER_HOUR} 1/h",
            "arm.a.regimen": "100 mg iv every 24 h rate 10 mg/h",
            "solver.rtol": 1e-8,
            "solver.atol": 1e-14,
        },
    )
    doses, shares = np.array([0.0, 25.0, 50.0, 75.0, 100.0]), np.array([[0.3], [0.6]])
    average, _, peak = found["exposure"].values[..., 0]
    assert average == pytest.approx(shares * doses / (PER_HOUR * 24.0), rel=2e-6)
    # 10 mg/h for as long as what arrives lasts, every day.
    rise = 10.0 / PER_HOUR * -np.expm1(-PER_HOUR * shares * doses / 10.0)
    assert peak == pytest.approx(rise / -np.expm1(-PER_HOUR * 24.0), rel=1e-6)
