"""What follows the dose is read as its average between doses, with trough and peak; the other numbers do not move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import simulate
from simulate.arrays import as_dataset
from simulate.figures.panels import panels_of
from simulate.figures.time_course import time_course
from simulate.results.changes import change_rows
from simulate.results.tables import summary
from simulate.studies.datasets import read_dataset, write_dataset
from simulate.studies.dose_following import averaged_course, followed, stretches, values_read
from simulate.studies.effects import changes
from simulate.studies.paired import changes_since_baseline, courses_of_change, less_untreated
from simulate.studies.runs import prepare as prepared
from simulate.studies.runs import simulate_study, study_dataset
from simulate.studies.scenario import read_scenario

MODEL = """
[species.A]
unit = "mg"
[species.B]
unit = "mg"
initial = "1"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[reactions.fade]
rate = "k*B/1000"
change = { B = -1 }
[routes.iv]
target = "A"
unit = "mg"
gain = "1"
[parameters.k]
value = 0.1
unit = "1/h"
spread = { cv = 0.3 }
"""

HEAD = """
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "20 d"
every = "1 d"
[cohort]
patients = 9
"""

SCENARIO = f"""{HEAD}[[arm]]
name = "twice a day, stopped"
regimen = "100 mg iv every 12 h until 10 d"
[[arm]]
name = "every other day"
regimen = "100 mg iv every 48 h"
[[arm]]
name = "untreated"
regimen = "none"
"""

RULED = """[[arm]]
name = "ruled"
regimen = "{regimen}"
[[arm.rule]]
quantity = "A"
above = "1000 mg"
{does}
"""
"""An arm with a rule that never acts: its patients have the doses of the regimen."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("following")
    (made / "model.toml").write_text(MODEL, encoding="utf-8")
    (made / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def ran(folder: Path) -> xr.Dataset:
    return simulate.run(folder / "s.toml")


def expected(dataset: xr.Dataset, every: float, doses: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, trough and peak of each patient over the interval that begins with the last of so many doses."""
    loss = dataset["parameters"].sel(parameter="k").values[0]
    left = np.exp(-every * loss)
    peak = 100.0 * (1.0 - left**doses) / (1.0 - left)
    return peak * (1.0 - left) / (every * loss), peak * left, peak


def test_an_interval_has_the_mean_trough_and_peak_of_the_closed_form(ran: xr.Dataset) -> None:
    values, swings, averaged = values_read(ran, "A", 20)
    assert swings is not None
    assert averaged.tolist() == [False, True, False]
    mean, trough, peak = expected(ran, 48.0, 10)
    assert values[1] == pytest.approx(mean, rel=2e-5)
    assert swings[1].T == pytest.approx(np.array([trough, peak]), rel=2e-5)


def test_after_the_last_interval_and_without_doses_a_value_is_that_of_the_time(ran: xr.Dataset) -> None:
    values, _, averaged = values_read(ran, "A", 20)
    for arm in (0, 2):
        assert values[arm].tolist() == ran["A"].values[arm, :, 20].tolist()
    assert not averaged[[0, 2]].any()


def test_a_course_is_averaged_while_doses_follow_one_another_and_has_an_envelope_there(ran: xr.Dataset) -> None:
    values, swings = averaged_course(ran, "A")
    assert swings is not None
    mean, trough, peak = expected(ran, 12.0, 20)
    assert values[0, :, 10] == pytest.approx(mean, rel=2e-3)
    assert swings[0, :, 10] == pytest.approx(np.array([trough, peak]).T, rel=2e-3)
    assert np.isnan(swings[0, :, 11:]).all()
    assert values[0, :, 11:].tolist() == ran["A"].values[0, :, 11:].tolist()
    # Samples of every other day stand right after a dose and far from it in turn; their averages do not.
    sampled = np.median(ran["A"].values[1], axis=0)[12:]
    assert sampled.max() > 5.0 * sampled.min()
    assert np.ptp(np.median(values[1], axis=0)[12:]) < 0.01 * np.median(values[1])


def ruled(folder: Path, regimen: str, does: str) -> xr.Dataset:
    path = folder / "ruled.toml"
    path.write_text(SCENARIO + RULED.format(regimen=regimen, does=does), encoding="utf-8")
    return simulate.run(path)


def test_beside_an_arm_with_a_rule_every_arm_is_read_at_the_visit(folder: Path, ran: xr.Dataset) -> None:
    dataset = ruled(folder, "100 mg iv every 48 h", "dose = 0.5")
    mean, trough, _ = expected(dataset, 48.0, 10)
    # The dose of the day of the visit is in both: what is there then is no average, and no trough.
    at_visit = trough + 100.0
    assert np.median(at_visit) > 3.0 * np.median(mean)
    values, swings, averaged = values_read(dataset, "A", 20)
    assert (swings, averaged.tolist()) == (None, [False] * 4)
    assert values[1] == pytest.approx(at_visit, rel=2e-5)
    # The same doses change the same, whether a rule looks on or not; so do differences from the untreated arm.
    changed, _ = changes_since_baseline(dataset, "A", 20)
    np.testing.assert_allclose(changed[1], at_visit, rtol=2e-5)
    np.testing.assert_array_equal(changed[3], changed[1])
    less, _ = less_untreated(dataset, "A", 20)
    np.testing.assert_array_equal(less[3], less[1])
    np.testing.assert_array_equal(courses_of_change(dataset, "A")[0][3], courses_of_change(dataset, "A")[0][1])
    levels = {row.arm: row for row in summary(dataset) if row.quantity == "A" and row.visit == "day 20"}
    assert (levels["ruled"].median, levels["ruled"].trough) == (levels["every other day"].median, None)
    # Without the rule it is the average.
    assert changes_since_baseline(ran, "A", 20)[0][1] == pytest.approx(mean, rel=2e-5)


@pytest.mark.parametrize(
    ("does", "averaged"), [("end = true", [False, True, False, False]), ('give = "5 mg iv"', [False] * 4)]
)
def test_an_arm_without_doses_takes_no_average_from_others_unless_its_rule_gives_one(
    folder: Path, does: str, averaged: list[bool]
) -> None:
    assert values_read(ruled(folder, "none", does), "A", 20)[2].tolist() == averaged


def test_a_change_in_percent_has_the_average_and_nothing_where_nothing_was_before(ran: xr.Dataset) -> None:
    raised = ran.assign(A=ran["A"] + 1.0, dosing_interval=ran["dosing_interval"] + 1.0)
    assert "A" in raised["followed"].values
    read, _, averaged = values_read(raised, "A", 8)
    assert averaged.any()
    np.testing.assert_allclose(changes(raised, "A", 8.0).values, 100.0 * (read - 1.0), rtol=1e-9)
    assert np.isnan(changes(ran, "A", 8.0).values).all()


def test_what_no_dose_moves_follows_none(ran: xr.Dataset) -> None:
    assert followed(ran, "B") is None
    assert averaged_course(ran, "B")[1] is None
    assert values_read(ran, "B", 20)[1] is None


def test_recording_between_doses_moves_no_other_number(folder: Path, ran: xr.Dataset) -> None:
    study = prepared(read_scenario(folder / "s.toml", []))
    plain = study_dataset(study, simulate_study(study))
    assert as_dataset(plain).identical(
        ran.drop_vars(["dosing_interval", "interval_day", "interval_chance", "followed", "part"])
    )


def test_intervals_come_back_from_a_file(ran: xr.Dataset, tmp_path: Path) -> None:
    write_dataset(ran, tmp_path / "results.nc")
    back = read_dataset(tmp_path / "results.nc")
    assert values_read(back, "A", 20)[0].tolist() == values_read(ran, "A", 20)[0].tolist()


def test_results_that_do_not_say_whether_chance_has_a_part_have_the_line_between_intervals(ran: xr.Dataset) -> None:
    for now, before in zip(
        averaged_course(ran, "A"), averaged_course(ran.drop_vars("interval_chance"), "A"), strict=True
    ):
        np.testing.assert_array_equal(now, before)


def test_tables_have_trough_and_peak_beside_the_average(ran: xr.Dataset) -> None:
    rows = {(row.quantity, row.arm): row for row in summary(ran) if row.visit == "day 20"}
    row = rows["A", "every other day"]
    mean, trough, peak = (np.median(part) for part in expected(ran, 48.0, 10))
    assert (row.median, row.trough, row.peak) == pytest.approx((mean, trough, peak), rel=1e-4)
    assert (rows["A", "untreated"].trough, rows["B", "every other day"].peak) == (None, None)


def test_a_change_is_that_of_the_average(ran: xr.Dataset) -> None:
    changes, unit = changes_since_baseline(ran, "A", 20)
    assert unit == "mg"
    assert changes[1] == pytest.approx(expected(ran, 48.0, 10)[0], rel=2e-5)
    assert courses_of_change(ran, "A")[0][1, :, 20] == pytest.approx(changes[1], rel=2e-3)


def test_a_figure_draws_the_envelope_and_says_so(ran: xr.Dataset) -> None:
    panel = panels_of(ran, quantities=["A"])[0]
    assert panel.envelope is not None
    _, trough, peak = (np.median(part) for part in expected(ran, 48.0, 10))
    assert panel.envelope[1, :, 20] == pytest.approx([trough, peak], rel=1e-4)
    assert np.isnan(panel.envelope[2]).all()
    figure = time_course(ran)
    told = "trough to peak about the last dose (median); on its day where doses end early"
    assert told in [text.get_text() for text in figure.legends[0].get_texts()]
    assert panels_of(ran, quantities=["B"])[0].envelope is None
    # Of several arms hatches would lie over each other.
    assert not [part for part in time_course(ran, quantities=["A"]).axes[0].collections if part.get_hatch()]


CHANCE = """
{head}{cohort}
[[arm]]
name = "by chance"
regimen = "100 mg iv every day{words}"
[[arm]]
name = "steady"
regimen = "100 mg iv every day"
"""


@pytest.fixture(params=[("", " missing 40 %"), ("between_doses = 0.5", "")], ids=["missed", "what arrives"])
def by_chance(request: pytest.FixtureRequest, folder: Path) -> Path:
    cohort, words = request.param
    path = folder / "chance.toml"
    path.write_text(CHANCE.format(head=HEAD, cohort=cohort, words=words), encoding="utf-8")
    return path


def averages_by_chance(dataset: xr.Dataset) -> np.ndarray:
    """Average of each patient over the day that ends on each day but the first: what is there after a dose fades."""
    lost = 24.0 * dataset["parameters"].sel(parameter="k").values[0][:, np.newaxis]
    return (dataset["A"].values[0, :, 1:-1] * -np.expm1(-lost) / lost).astype(np.float64)


def test_where_doses_differ_by_chance_each_interval_stands_for_itself(by_chance: Path) -> None:
    dataset = simulate.run(by_chance)
    values, swings = averaged_course(dataset, "A")
    assert swings is not None
    exact = averages_by_chance(dataset)
    # Else an average over neighbors would do as well.
    assert np.median(np.abs(np.diff(exact, axis=1)) / exact[:, 1:]) > 0.1
    assert values[0, :, 2:] == pytest.approx(exact, rel=2e-3)
    assert swings[0, :, 2:, 1] == pytest.approx(dataset["A"].values[0, :, 1:-1], rel=2e-3)


def test_where_there_is_no_room_for_each_a_day_has_the_average_of_the_nearest_interval(
    by_chance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulate.studies.intervals._MOST_NUMBERS", 9 * 2 * 6 * 60)
    dataset = simulate.run(by_chance)
    ends = dataset["interval_day"].values[0]
    ends = ends[np.isfinite(ends)].astype(int)
    assert 6 <= len(ends) <= 12
    days = np.arange(4, 21)
    apart = np.abs(days[:, np.newaxis] - ends)
    is_sure = np.diff(np.sort(apart, axis=1)[:, :2], axis=1)[:, 0] > 0
    exact = averages_by_chance(dataset)[:, ends[apart.argmin(axis=1)] - 2]
    values, _ = averaged_course(dataset, "A")
    assert values[0, :, 4:][:, is_sure] == pytest.approx(exact[:, is_sure], rel=2e-3)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([0.0, 1.0, 2.0], [(0.0, 3.0)]),
        ([0.0, 1.0], []),
        ([], []),
        ([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 13.0], [(0.0, 3.0), (10.0, 14.0)]),
        ([0.0, 1.0, 2.0, 3.0, 9.0], [(0.0, 4.0)]),
    ],
)
def test_regular_dosing_comes_in_stretches(given: list[float], found: list[tuple[float, float]]) -> None:
    assert stretches(np.array(given)) == found


def test_a_change_says_whether_it_is_of_an_average(ran: xr.Dataset) -> None:
    told = {(row.arm, row.quantity): row.averaged for row in change_rows(ran) if row.day == 20.0}
    # One has no dose in the ten days before it, and B follows none.
    assert {key for key, averaged in told.items() if averaged} == {("every other day", "A")}
    assert len(told) == 6
