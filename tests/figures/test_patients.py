"""Figures of single patients and of groups of them: spaghetti, waterfall, forest."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color
from scipy.stats import ttest_1samp

from simulate.errors import InputError
from simulate.figures.axis_response import axis_response
from simulate.figures.forest import forest
from simulate.figures.spaghetti import spaghetti
from simulate.figures.style import COLORS
from simulate.figures.waterfall import waterfall
from simulate.studies.effects import Effect, changes, effects
from tests.figures.check import check_figure, texts_of
from tests.figures.synthetic import dataset


def falling(arms: int = 1) -> xr.Dataset:
    """Member ``m`` ends at 10 - m percent of change, with m from 0 to 20."""
    data = dataset(arms=arms)
    data["level"].values[:] = 100.0
    data["level"].values[:, :, -1] = 110.0 - np.arange(21)
    return data


@pytest.mark.parametrize("quantities", [("level",), ("level", "rise")])
def test_numbers_of_a_file_have_no_unit_at_their_axes_and_that_is_said_once(quantities: tuple[str, ...]) -> None:
    data = dataset(arms=2).assign_attrs(units_of_file=1)
    data["level"].attrs["units"] = data["rise"].attrs["units"] = "1"
    figure = spaghetti(data, quantities=quantities)
    check_figure(figure)
    assert {axes.get_ylabel() for axes in figure.axes} == {""}
    assert texts_of(figure).count("numbers without a unit: in those of the file") == 1
    sweep = data.assign_coords(over_dose=("arm", np.array([10.0, 30.0]), {"units": "mg"}))
    figure = axis_response(sweep, "dose", quantities=list(quantities))
    check_figure(figure)
    # A share of a number has no unit to miss; a difference has.
    assert {axes.get_ylabel() for axes in figure.axes} == {"change (%)"}
    assert len(str(figure.get_suptitle()).splitlines()) == 1
    sweep["level"].values[0, 0, 0] = 0.0
    figure = axis_response(sweep, "dose", quantities=list(quantities))
    assert figure.axes[0].get_ylabel() == "change"
    assert str(figure.get_suptitle()).splitlines()[1:] == ["numbers without a unit: in those of the file"]


def test_a_line_is_a_patient_and_the_broad_one_their_median() -> None:
    data = dataset()
    data["status"].values[0, 0] = 1
    figure = spaghetti(data, quantities=["level"], patients=5)
    check_figure(figure)
    lines = figure.axes[0].get_lines()
    thin = [float(line.get_ydata()[0]) for line in lines if line.get_linewidth() < 1.0]
    assert thin == [11.0, 12.0, 13.0, 14.0, 15.0]
    broad = [line for line in lines if line.get_linewidth() == 2.0]
    assert float(broad[0].get_ydata()[0]) == 20.5
    assert figure.axes[0].get_ylabel() == "%"
    assert figure.axes[0].get_xlabel() == "time (days)"
    assert texts_of(figure) == ["arm 0", "5 single patients", "median of 20 of 21 patients"]


def test_arms_share_the_lines_of_a_panel_and_decades_have_their_scale() -> None:
    figure = spaghetti(dataset(arms=2), patients=10)
    check_figure(figure)
    level, rise = figure.axes
    assert len([line for line in level.get_lines() if line.get_linewidth() < 1.0]) == 10
    assert (level.get_yscale(), rise.get_yscale()) == ("linear", "log")
    assert texts_of(figure)[2:] == ["5 single patients of each", "median of 21 patients"]


def test_an_arm_in_which_all_failed_has_no_line() -> None:
    data = dataset(arms=2)
    data["status"].values[1] = 2
    figure = spaghetti(data, quantities=["level"])
    assert {line.get_color() for line in figure.axes[0].get_lines()} <= {COLORS[0], "white"}
    assert texts_of(figure)[-1] == "median of 0–21 of 21 patients"


def test_a_change_is_in_percent_of_the_own_baseline() -> None:
    data = dataset()
    data["rise"].values[0, 0, 0] = 0.0
    data["status"].values[0, 1] = 3
    found = changes(data, "rise", 183.0)
    assert found.attrs["day"] == 182.0
    assert np.isnan(found.values[0, :2]).all()
    assert found.values[0, 2:] == pytest.approx(-99.9)


def test_a_quantity_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        changes(dataset(), "lvel", 0.0)
    assert str(caught.value) == (
        "error[figure.quantity]: the results have no quantity `lvel`\n"
        "  expected: `level`, `rise`\n"
        "  try:      did you mean `level`?"
    )


def test_bars_fall_from_the_left_in_the_colors_of_the_strata() -> None:
    data = falling(arms=2)
    data["status"].values[1, 3] = 1
    figure = waterfall(data, "level", 182.0)
    check_figure(figure)
    drawn = [axes.collections[0] for axes in figure.axes]
    heights = [[float(path.vertices[1, 1]) for path in bars.get_paths()] for bars in drawn]
    edges = [[tuple(path.vertices[[0, 2], 0]) for path in bars.get_paths()] for bars in drawn]
    assert edges[0] == [(place - 0.5, place + 0.5) for place in range(1, 22)]
    assert heights[0] == pytest.approx(sorted(heights[0], reverse=True))
    assert heights[0][0] == pytest.approx(10.0)
    assert [len(row) for row in heights] == [21, 20]
    shades = drawn[0].get_facecolor()
    assert same_color(shades[0], COLORS[0])
    assert same_color(shades[1], COLORS[1])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["arm 0: 21 of 21 patients", "arm 1: 20 of 21 patients"]
    assert texts_of(figure) == ["even", "odd"]
    assert figure.axes[0].get_ylabel() == "change (% of baseline)"


def test_bars_of_patients_in_several_draws_are_said_to_be_of_all_draws() -> None:
    data = dataset(members=8)
    assert waterfall(data, "rise", 182.0).axes[0].get_xlabel() == "patients, ranked"
    data = data.assign_coords(draw=("member", np.repeat([0, 1], 4)))
    figure = waterfall(data, "rise", 182.0)
    assert figure.axes[0].get_xlabel() == "patients of all draws, ranked"
    assert figure.axes[0].get_title(loc="left") == "arm 0: 4 of 4 patients of each of 2 draws"


def test_an_effect_is_the_mean_change_with_the_interval_of_student() -> None:
    data = falling()
    data["status"].values[0, 20] = 1
    everybody, even, odd = effects(data, "level", 182.0)
    interval = ttest_1samp(10.0 - np.arange(20), 0.0).confidence_interval(0.95)
    assert (everybody.estimate, everybody.low, everybody.high) == pytest.approx((0.5, interval.low, interval.high))
    assert (everybody.label, everybody.group, everybody.n, everybody.missing) == ("all patients", "arm 0", 20, 1)
    assert (even.n, even.missing, odd.n, odd.missing) == (10, 1, 10, 0)


def test_a_patient_is_one_in_however_many_draws() -> None:
    data = dataset(members=8).assign_coords(draw=("member", np.repeat([0, 1], 4)))
    (everybody, *_) = effects(data, "level", 182.0)
    assert (everybody.n, everybody.missing) == (4, 0)
    data["status"].values[0, 0] = 1
    (everybody, *_) = effects(data, "level", 182.0)
    assert (everybody.n, everybody.missing) == (3, 1)


def test_one_patient_has_no_interval() -> None:
    only = effects(dataset(members=1), "level", 182.0)
    assert only == (Effect("all patients", "arm 0", None, None, None, 1, 0),)


def test_a_forest_has_a_row_for_each_effect_and_a_heading_for_each_group() -> None:
    rows = (
        Effect("all", "H1", -5.0, -7.0, -3.0, 20, 0),
        Effect("men", "H1", 2.0, 1.0, 4.0, 9, 2),
        Effect("all", "H2", None, None, None, 0, 20),
    )
    figure = forest(rows, label="change of IL-17A", unit="%")
    check_figure(figure)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["H1", "  all", "  men", "H2", "  all"]
    beside = [text.get_text() for text in axes.texts]
    assert beside == [
        "−5 (−7 to −3); n = 20",
        "2 (1 to 4); n = 9, 2 without a value",
        "none; n = 0, 20 without a value",
    ]
    spans = [[float(value) for value in line.get_xdata()] for line in axes.get_lines()]  # type: ignore[union-attr]
    assert spans == [[-7.0, -3.0], [-5.0], [1.0, 4.0], [2.0], [0.0, 0.0]]
    assert axes.get_xlabel() == "change of IL-17A (%)"
