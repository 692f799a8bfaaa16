"""Figures of dose-response studies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.container import ErrorbarContainer

from simulate.figures.axis_response import axis_response
from simulate.figures.dose_response import dose_response, effect_label, places_of, shown_places
from simulate.figures.dosing_interval import dosing_interval
from simulate.figures.exposure_response import exposure_response
from simulate.figures.heat_map import heat_map
from simulate.figures.isobole import isobole
from simulate.figures.responses import field, in_lines, response_figures
from simulate.studies.dose_response.responses import together
from tests.figures.check import check_figure, texts_of
from tests.figures.synthetic import dataset
from tests.studies.dose_response.made import DOSES, response


def test_a_panel_has_the_means_the_fitted_curve_and_its_ed50() -> None:
    figure = dose_response(response(endpoints=1))
    check_figure(figure)
    axes = figure.axes[0]
    (points,) = (artist for artist in axes.containers if isinstance(artist, ErrorbarContainer))
    assert np.asarray(points.lines[0].get_xdata()) == pytest.approx([1 / 3, *DOSES[1:]])
    assert np.asarray(points.lines[0].get_ydata()) == pytest.approx(11.95 - 4.0 * DOSES / (DOSES + 8.0))
    curve = next(line for line in axes.get_lines() if len(np.asarray(line.get_xdata())) == 200)
    x, y = np.asarray(curve.get_xdata()), np.asarray(curve.get_ydata())
    assert y == pytest.approx(11.95 - 4.0 * x / (x + 8.0), rel=1e-4)
    upright = next(line for line in axes.get_lines() if len(set(np.asarray(line.get_xdata()).tolist())) == 1)
    assert float(upright.get_xdata()[0]) == pytest.approx(8.0, rel=1e-3)  # type: ignore[index]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "10", "100"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("dose (mg)", "mean (%)")
    assert axes.get_title(loc="left") == "level on day 180\nED50 8 mg (8 to 8)"
    assert texts_of(figure) == [
        "mean of patients",
        "95 % of resampled means, n = 40 of 40 patients",
        "90 % of patients",
    ]


def test_what_cannot_be_identified_is_said_in_the_panel() -> None:
    data = response(endpoints=1)
    data["verdict"].values[:] = 3
    figure = dose_response(data)
    assert "ED50: not identifiable in the range: no plateau\nis reached" in figure.axes[0].get_title(loc="left")
    assert not figure.axes[0].patches


@pytest.mark.parametrize(
    ("title", "unit", "label"),
    [
        ("change to day 182 of the level", "%", "change (% of the value at the start)"),
        ("change to day 182 of the level", "pg/mL", "change (pg/mL)"),
        ("level on day 182", "", "mean (ratio)"),
        ("level on day 182", "%", "mean (%)"),
    ],
)
def test_the_axis_of_an_effect_says_of_what_its_unit_is(title: str, unit: str, label: str) -> None:
    assert effect_label(xr.Dataset({"endpoint_title": title, "endpoint_unit": unit})) == label


def test_a_legend_stays_within_the_page() -> None:
    """Draws and patients are counted in words that are wider than a column."""
    made = response().isel(endpoint=[0])
    figure = dose_response(made.assign_coords(draw=("member", np.arange(made.sizes["member"]) % 4)))
    check_figure(figure)
    width = figure.bbox.width
    for text in figure.legends[0].get_texts():
        assert text.get_window_extent().x1 < width
    assert " ".join(texts_of(figure)).replace("\n", " ").count("patients in each of 4 draws") == 1


def test_several_places_have_a_color_each_and_no_bars_that_hide_each_other() -> None:
    figure = dose_response(response(seconds=3))
    check_figure(figure)
    assert texts_of(figure) == ["f_m = 0.1", "f_m = 0.3", "f_m = 0.5", "means, n = 40 of 40 patients"]
    assert len({line.get_color() for line in figure.axes[0].get_lines()}) == 3


def test_of_many_places_some_are_drawn_and_the_ends_are_among_them() -> None:
    assert shown_places(4) == [0, 1, 2, 3]
    assert shown_places(21) == [0, 4, 8, 12, 16, 20]


def test_the_dose_of_nothing_stands_left_of_the_lowest() -> None:
    assert places_of(np.array([0.0, 3.0, 9.0])).tolist() == [1.0, 3.0, 9.0]


def test_exposure_and_response_of_every_patient_at_every_dose_are_dots() -> None:
    data = response()
    data["effect"].values[0, 0, 0, :5] = np.nan
    figure = exposure_response(data)
    check_figure(figure)
    assert len(figure.axes) == 4
    dots = figure.axes[0].get_lines()[0]
    assert len(np.asarray(dots.get_xdata())) == 40 * len(DOSES) - 5
    assert figure.axes[0].get_xlabel() == "average of drug in serum (pg/mL)"
    assert figure.axes[3].get_xlabel() == "trough of drug in serum (pg/mL)"
    assert texts_of(figure)[1:] == ["median of each of 12 groups", "90 % of them"]


def test_the_interval_between_doses_has_its_exposures_and_its_blocked_share() -> None:
    data = response()
    figure = dosing_interval(data)
    check_figure(figure)
    left, right = figure.axes
    assert [line.get_label() for line in left.get_lines()] == ["average", "trough", "peak"]
    assert np.asarray(left.get_lines()[2].get_ydata()) == pytest.approx(3.0 * (DOSES + 1.0))
    assert len(right.get_lines()) == 2
    assert texts_of(figure) == ["lymph", "muscle"]
    assert right.get_ylabel() == "share of the interval with\nIL-1 signal below 10 % of baseline (%)"
    assert right.get_title(loc="left") == "median of 40 patients, and 90 %"


def test_with_several_places_dashes_are_sites_and_colors_are_places() -> None:
    figure = dosing_interval(response(seconds=3))
    check_figure(figure)
    assert len(figure.axes[1].get_lines()) == 6
    assert texts_of(figure)[:2] == ["lymph", "muscle"]
    assert len(texts_of(figure)) == 5


def test_a_level_that_no_dose_reaches_is_said_to_be_out_of_range() -> None:
    data = response(seconds=3)
    data["isobole"].values[:, 0] = np.nan
    assert texts_of(isobole(data))[0].endswith("of the largest effect: no dose in the range")


def test_an_isobole_is_drawn_in_the_unit_of_the_dose() -> None:
    data = response(seconds=3)
    figure = isobole(data)
    check_figure(figure)
    axes = figure.axes[0]
    assert axes.get_xlabel() == "penetration"
    assert axes.get_ylabel() == "dose (mg)"
    for line, values in zip(axes.get_lines(), data["isobole"].values[0], strict=True):
        assert np.asarray(line.get_ydata()) == pytest.approx(values, nan_ok=True)
    assert texts_of(figure)[-1] == "means, 95 % of resampled cohorts, n = 40 of 40 patients"


def test_the_map_of_a_study_has_doses_and_places() -> None:
    figure = heat_map(field(response(seconds=3), 0), note="mean")
    check_figure(figure)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("dose (mg)", "penetration")


def test_a_sweep_over_one_axis_has_the_median_change_of_each_arm_up_to_the_last_time() -> None:
    data = dataset(arms=3).assign_coords(over_dose=("arm", np.array([30.0, 10.0, 100.0]), {"units": "mg"}))
    data["status"].values[2, 0] = 1
    figure = axis_response(data, "dose", quantities=["level"])
    check_figure(figure)
    line = figure.axes[0].get_lines()[0]
    assert np.asarray(line.get_xdata()).tolist() == [10.0, 30.0, 100.0]
    # Levels that do not change with time change by nothing.
    assert np.asarray(line.get_ydata()).tolist() == [0.0, 0.0, 0.0]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("dose (mg)", "change (%)")
    people = "median, 50 and 90 % of 20–21 of 21 patients"
    assert figure.get_suptitle() == f"change from day 0 to day 182: {people}"
    data["level"].values[:, :, -1] *= np.array([1.5, 0.5, 2.0])[:, np.newaxis]
    line = axis_response(data, "dose", quantities=["level"]).axes[0].get_lines()[0]
    assert np.asarray(line.get_ydata()) == pytest.approx([-50.0, 50.0, 100.0])
    # Of one time that was kept there are levels alone.
    figure = axis_response(data.isel(time=[0]), "dose", quantities=["level"])
    assert np.asarray(figure.axes[0].get_lines()[0].get_ydata()) == pytest.approx([40.0, 20.0, 61.5])
    assert figure.axes[0].get_ylabel() == "%"
    assert figure.get_suptitle() == f"day 0: {people}"


def two(**asked: int) -> list[xr.Dataset]:
    """The same study under two hypotheses, the effects of the second half as large."""
    first, second = response(**asked), response(**asked)
    for name in ("mean", "mean_low", "mean_high", "p5", "p95", "effect"):
        second[name] = 0.5 * second[name]
    return [first.assign_attrs(hypothesis="H1"), second.assign_attrs(hypothesis="H3a")]


def test_two_hypotheses_are_two_lines_with_bars_and_their_ed50_in_the_title() -> None:
    figure = dose_response(in_lines(two(endpoints=1)))
    check_figure(figure)
    assert texts_of(figure) == ["H1", "H3a", "means and 95 %, n = 40 of 40 patients"]
    title = figure.axes[0].get_title(loc="left").splitlines()
    assert title == ["level on day 180", "H1: ED50 8 mg (8 to 8)", "H3a: ED50 8 mg (8 to 8)"]
    assert len(figure.axes[0].containers) == 2


def test_places_of_a_second_axis_are_shared_out_among_hypotheses() -> None:
    lines = in_lines(two(seconds=8))["line"].values.tolist()
    assert lines == [f"{name}, f_m = {value}" for name in ("H1", "H3a") for value in ("0.1", "0.9", "1.5")]


def test_figures_of_two_hypotheses_have_one_name_each_but_for_heat_maps() -> None:
    figures = dict(response_figures(two(seconds=2, endpoints=1)))
    assert list(figures) == [
        "dose-response", "exposure-response", "dosing-interval", "heat-map-H1-1", "heat-map-H3a-1", "isobole"
    ]  # fmt: skip
    exposures = figures["exposure-response"]()
    check_figure(exposures)
    assert texts_of(exposures)[:2] == ["H1", "H3a"]
    assert len(exposures.axes[0].get_lines()) == 2
    isoboles = figures["isobole"]()
    check_figure(isoboles)
    assert texts_of(isoboles)[-2:] == ["H1", "H3a"]
    assert {line.get_linestyle() for line in isoboles.axes[0].get_lines()} == {"-", "--"}


def test_results_of_two_hypotheses_are_one_dataset_along_them() -> None:
    found = together(two(endpoints=1))
    assert found["hypothesis"].values.tolist() == ["H1", "H3a"]
    np.testing.assert_array_equal(found["mean"].sel(hypothesis="H3a"), two(endpoints=1)[1]["mean"])
