"""The figure shows the data that it says it shows; asserted on data and artists, never on pixels."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.lines import Line2D

from simulate.evidence.observations import Standing
from simulate.figures.bands import LEVELS, bands_of
from simulate.figures.panels import MAX_PANELS, Mark, panels_of
from simulate.figures.style import COLORS, plain_number, save
from simulate.figures.time_course import time_course
from simulate.symbolic.units import unit
from tests.figures.synthetic import dataset, observation


def curves(axes: Axes) -> list[Line2D]:
    return list(axes.get_lines())


def test_a_panel_holds_the_quantiles_of_the_members() -> None:
    level, _ = panels_of(dataset(arms=2))
    assert (level.quantity, level.title, level.label) == ("level", "A level with a $ in its name", "%")
    assert level.bands.shape == (2, len(LEVELS), 183)
    assert level.bands[0, :, 7].tolist() == [11.0, 15.0, 20.0, 25.0, 29.0]
    assert level.bands[1, 2, 7] == 40.0


def test_members_that_failed_are_left_out_even_before_their_failure() -> None:
    data = dataset()
    data["status"].values[0, 10:] = 1
    level, _ = panels_of(data)
    assert level.bands[0, 2, 0] == 14.5


def test_an_arm_in_which_all_failed_has_no_bands() -> None:
    data = dataset(arms=2)
    data["status"].values[1] = 4
    level, _ = panels_of(data)
    assert np.isnan(level.bands[1]).all()
    assert not np.isnan(level.bands[0]).any()
    assert len(time_course(data).axes) == 2


def test_only_what_spans_decades_has_a_logarithmic_axis() -> None:
    level, rise = panels_of(dataset())
    assert (level.logarithmic, rise.logarithmic) == (False, True)
    assert [axes.get_yscale() for axes in time_course(dataset()).axes] == ["linear", "log"]


def test_printed_figures_are_drawn_in_the_unit_of_the_panel() -> None:
    printed = observation("rise", 0.0, mean=2559.0, low=467.0, high=6937.0, unit=unit("pg/mL"))
    _, rise = panels_of(dataset(), [printed])
    assert rise.marks == (Mark(0.0, 2.559, 0.467, 6.937, Standing.REPORTED),)


def test_only_means_of_patients_within_the_time_shown_are_drawn() -> None:
    level, _ = panels_of(
        dataset(days=100.0),
        [
            observation("level", 0.0),
            observation("level", 182.0),
            observation("level", 0.0, standing=Standing.HEALTHY),
            observation("level", 0.0, mean=None, direction="up"),
            observation("other", 0.0),
        ],
    )
    assert len(level.marks) == 1


def test_a_disputed_figure_is_hollow_and_its_inverted_range_is_drawn_upright() -> None:
    disputed = observation("level", 182.0, standing=Standing.DISPUTED, low=50.0, high=5.0)
    figure = time_course(dataset(), [observation("level", 0.0), disputed])
    lines = curves(figure.axes[0])
    dots = [line for line in lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, True]
    ranges = [line.get_ydata() for line in lines if line.get_marker() != "o"][1:]
    assert [list(map(float, values)) for values in ranges] == [[5.0, 50.0], [5.0, 50.0]]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        *("arm 0", "median", "50 % of 21 patients", "90 % of 21 patients"),
        *("source: mean and range", "source, disputed"),
    ]


def test_the_median_of_each_arm_is_a_line_in_the_color_of_the_arm() -> None:
    figure = time_course(dataset(arms=3))
    drawn = curves(figure.axes[0])
    lines = [line for line in drawn if len(np.asarray(line.get_xdata())) > 2]
    assert [float(line.get_ydata()[0]) for line in lines] == [20.0, 40.0, 60.0]  # type: ignore[index]
    assert len({str(line.get_linestyle()) + str(line._unscaled_dash_pattern) for line in lines}) == 3  # type: ignore[attr-defined]
    assert all(same_color(line.get_color(), color) for line, color in zip(lines, COLORS, strict=False))


def test_axes_carry_unit_time_and_letter() -> None:
    figure = time_course(dataset())
    for axes, letter, label in zip(figure.axes, "ab", ("%", "ng/mL"), strict=True):
        assert axes.get_ylabel() == label
        assert axes.get_xlabel() == "time (months)"
        assert letter in [text.get_text() for text in axes.texts]
    assert figure.axes[0].get_title(loc="left") == "A level with a $ in its name"
    assert time_course(dataset(days=28.0)).axes[0].get_xlabel() == "time (days)"


def ticks_of(data: xr.Dataset) -> list[LineCollection]:
    """Rows of ticks for doses in the first panel."""
    return [artist for artist in time_course(data).axes[0].collections if isinstance(artist, LineCollection)]


@pytest.mark.parametrize(("doses", "separate"), [(10, True), (182, False)])
def test_doses_are_ticks_or_a_bar_where_ticks_would_touch(doses: int, separate: bool) -> None:
    ticks = ticks_of(dataset(doses=doses))
    assert bool(ticks) is separate
    if separate:
        assert len(ticks[0].get_paths()) == doses


def test_a_holiday_is_a_gap_in_the_bar_of_doses() -> None:
    data = dataset(doses=182)

    def bars() -> list[list[float]]:
        last = time_course(data).axes[0].patches[-1]
        return [[float(bar[:, 0].min()), float(bar[:, 0].max())] for bar in last.get_path().to_polygons()]

    assert bars() == [[0.0, 182.0]]
    data["dose_time"].values[0, 84:98] = np.nan
    assert bars() == [[0.0, 84.0], [98.0, 182.0]]


def test_a_figure_has_no_more_panels_than_fit_on_a_page() -> None:
    data = dataset()
    for index in range(2 * MAX_PANELS):
        data[f"more_{index}"] = data["level"]
    assert len(time_course(data).axes) == MAX_PANELS
    assert len(time_course(data, quantities=["rise"]).axes) == 1


def test_a_figure_is_180_mm_wide_and_all_its_text_is_legible() -> None:
    figure = time_course(dataset(arms=2), [observation("level", 0.0)])
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180.0)
    figure.draw_without_rendering()
    assert min(text.get_fontsize() for text in figure.findobj(matplotlib.text.Text)) >= 7.0  # type: ignore[attr-defined]


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        files.append([path.read_bytes() for path in save(time_course(dataset(doses=5)), folder, "figure")])
    assert files[0] == files[1]
    assert files[0][0].startswith(b"\x89PNG")
    assert b"<svg" in files[0][1]
    assert b"dc:date" not in files[0][1]


def test_drawing_leaves_the_settings_of_matplotlib_as_they_were(tmp_path: Path) -> None:
    matplotlib.rcParams["lines.linewidth"] = 3.25
    before = dict(matplotlib.rcParams)
    save(time_course(dataset()), tmp_path, "figure")
    assert dict(matplotlib.rcParams) == before
    matplotlib.rcParams["lines.linewidth"] = matplotlib.rcParamsDefault["lines.linewidth"]


def test_arms_with_the_same_doses_share_one_gray_row() -> None:
    data = dataset(arms=3, doses=10)
    assert len(ticks_of(data)) == 1
    data["dose_time"].values[1:] = data["dose_time"].values[0]
    assert len(ticks_of(data)) == 1
    data["dose_time"].values[2] += 0.5
    assert len(ticks_of(data)) == 3


@pytest.mark.parametrize("arms", [2, 3, 8])
def test_bands_of_more_than_two_arms_stand_as_bars_beside_the_axes_at_the_end(arms: int) -> None:
    data = dataset(arms=arms)
    figure = time_course(data)
    axes, end = figure.axes[0], float(data["time"].values[-1])
    labels = [text.get_text() for text in figure.legends[0].get_texts()][arms:]
    at_end = "" if arms == 2 else ", at the end"
    assert labels == ["median", f"50 % of 21 patients{at_end}", f"90 % of 21 patients{at_end}"]
    assert len(axes.patches) == (4 if arms == 2 else 0)
    bars = [line for line in curves(axes) if min(np.asarray(line.get_xdata())) > end]
    # Quantiles of (1 + arm)(10 + m), m from 0 to 20.
    expected = [[(1 + arm) * low, (1 + arm) * high] for arm in range(arms) for low, high in ((11, 29), (15, 25))]
    assert [list(map(float, np.asarray(bar.get_ydata()))) for bar in bars] == ([] if arms == 2 else expected)
    assert len(curves(axes)) == arms + len(bars)
    places = [float(np.asarray(bar.get_xdata())[0]) for bar in bars]
    assert places == sorted(places)
    assert len(set(places)) == len(bars) / 2


@pytest.mark.parametrize("draws", [None, 3])
def test_quantiles_of_many_arms_are_known_where_they_are_drawn(draws: int | None) -> None:
    values = np.random.default_rng(5).lognormal(size=(4, 21, 30))
    values[1, 2:, 20:] = np.nan
    seen = np.ones((21, 30), dtype=bool)
    numbers = None if draws is None else np.arange(21) % draws
    alone = np.concatenate([bands_of(own[np.newaxis], seen, numbers) for own in values])
    together = bands_of(values, seen, numbers)
    median = LEVELS.index(0.5)
    assert np.array_equal(together[:, median], alone[:, median])
    assert np.array_equal(together[:, :, -1], alone[:, :, -1])
    assert np.isnan(np.delete(together[:, :, :-1], median, axis=1)).all()
    # Sorted by hand: with 21 members the quantiles are the 2nd, 6th, 11th, 16th and 20th of them.
    ordered = np.sort(values[0], axis=0)
    if draws is None:
        assert np.allclose(alone[0], ordered[[1, 5, 10, 15, 19]], rtol=1e-12)
    else:
        medians = np.sort([np.sort(values[0, numbers == draw], axis=0)[3] for draw in range(3)], axis=0)
        inner = [medians[0] + 0.1 * (medians[1] - medians[0]), medians[2] - 0.1 * (medians[2] - medians[1])]
        assert np.allclose(alone[0], [ordered[1], inner[0], ordered[10], inner[1], ordered[19]], rtol=1e-12)


def test_bars_are_of_the_last_time_at_which_somebody_is_there() -> None:
    data = dataset(arms=3)
    data["level"].values[1, :, 100:] = np.nan
    data["level"].values[2] = np.nan
    data["level"].values[0, :, -1] += 7.0
    axes = time_course(data, quantities=["level"]).axes[0]
    bars = [line for line in curves(axes) if min(np.asarray(line.get_xdata())) > float(data["time"].values[-1])]
    assert [list(map(float, np.asarray(bar.get_ydata()))) for bar in bars] == [[18, 36], [22, 32], [22, 58], [30, 50]]


def test_each_month_of_half_a_year_is_marked() -> None:
    for axes in time_course(dataset()).axes:
        months = axes.xaxis.get_minorticklocs() * 12.0 / 365.25
        # Those that have a number are among the others.
        assert {*np.round(months, 9), *np.round(axes.get_xticks() * 12.0 / 365.25, 9)} == set(range(7))


def test_the_legend_tells_how_many_of_how_many_patients_are_shown() -> None:
    data = dataset(arms=2)
    data["status"].values[1, 3] = 1
    labels = [text.get_text() for text in time_course(data).legends[0].get_texts()]
    assert labels[3:] == ["50 % of 20–21 of 21 patients", "90 % of 20–21 of 21 patients"]


def test_a_printed_range_or_a_band_that_is_not_drawn_makes_no_logarithmic_axis() -> None:
    wide = observation("level", 0.0, mean=20.0, low=1.0, high=50.0)
    assert not panels_of(dataset(), [wide])[0].logarithmic
    data = dataset(arms=3)
    data["level"].values[:, :2, :-1] = 0.1
    assert panels_of(data.isel(arm=[0]))[0].logarithmic
    assert not panels_of(data.isel(arm=[0] * 5))[0].logarithmic


def test_the_legend_tells_that_values_are_from_the_times_of_doses() -> None:
    def said(data: xr.Dataset) -> bool:
        labels = [text.get_text() for text in time_course(data).legends[0].get_texts()]
        assert any(label.startswith("doses") for label in labels)
        return "doses; values as each is given" in labels

    daily = dataset(doses=20)
    assert said(daily)
    daily["dose_time"].values[0, 10:] += 0.5
    assert not said(daily)


def test_after_one_dose_alone_values_are_not_only_from_the_times_of_doses() -> None:
    labels = [text.get_text() for text in time_course(dataset(doses=1)).legends[0].get_texts()]
    assert "doses" in labels
    assert "doses; values as each is given" not in labels


def test_a_patient_who_is_in_several_draws_is_counted_once_below_the_axis() -> None:
    # Each of 15 patients is in 16 draws; six leave on day 100.
    data = dataset(members=240).assign_coords(draw=("member", np.repeat(np.arange(16), 15)))
    data["dropout_day"] = ("member", np.tile(np.r_[[100.0] * 6, [np.inf] * 9], 16))
    data.attrs["dropout"] = 1
    axes = time_course(data, quantities=["level"]).axes[0]
    assert [text.get_text() for text in axes.xaxis.shown()[1]] == ["0\n15", "3\n15", "6\n9"]  # type: ignore[attr-defined]
    # A rule that stops one of them in some draws only makes it a range.
    data["level"].values[0, 14, 50:] = np.nan
    axes = time_course(data, quantities=["level"]).axes[0]
    assert [text.get_text() for text in axes.xaxis.shown()[1]] == ["0\n15", "3\n14–15", "6\n8–9"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("scale", "shown"),
    [
        (1.0, ["1", "10", "100", "1000"]),
        (300.0, ["1000", "10000", "100000"]),
        (3e4, ["10⁵", "10⁶", "10⁷"]),
        (1e-4, ["10⁻⁴", "10⁻³", "0.01", "0.1"]),
    ],
)
def test_numbers_on_a_logarithmic_axis_are_spelt_alike(scale: float, shown: list[str]) -> None:
    data = dataset()
    data["rise"] = (data["rise"] * scale).assign_attrs(data["rise"].attrs)
    axes = time_course(data, quantities=["rise"]).axes[0]
    labels = [text.get_text() for text in axes.yaxis.shown()[1]]  # type: ignore[attr-defined]
    assert labels == shown


def test_many_seconds_on_the_axis_of_time_have_a_power_of_ten() -> None:
    data = dataset(days=20.0).assign_attrs(time_unit="s")
    axes = time_course(data, quantities=["level"]).axes[0]
    labels = [text.get_text() for text in axes.xaxis.shown()[1]]  # type: ignore[attr-defined]
    assert labels == ["0", "0.6·10⁶", "1.2·10⁶"]
    assert axes.get_xlabel() == "time (s)"


def test_what_begins_as_nothing_has_no_logarithmic_axis() -> None:
    data = dataset()
    data["level"].values[..., 0] = 1e-26
    assert not panels_of(data)[0].logarithmic
    data["level"].values[..., 0] = 1e-6
    assert panels_of(data)[0].logarithmic


def test_the_legend_tells_which_arm_has_no_averages_between_doses(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "what follows the dose: as it is, of other arms averages between doses"

    def labels(averaged_arms: int) -> list[str]:
        data = dataset(arms=2)
        data["dose_time"] = (("arm", "dose"), np.tile(np.arange(182.0), (2, 1)))

        def averaged(own: xr.Dataset, quantity: str) -> tuple[np.ndarray, np.ndarray | None]:
            values = own[quantity].values
            swings = np.stack([0.5 * values, 2.0 * values], axis=-1)
            swings[averaged_arms:] = np.nan
            return values, swings if averaged_arms else None

        monkeypatch.setattr("simulate.figures.panels.averaged_course", averaged)
        return [text.get_text() for text in time_course(data, quantities=["level"]).legends[0].get_texts()]

    assert [labels(arms).count(said) for arms in (0, 1, 2)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.005, "0.005"), (100_000.0, "100000"), (1e6, "10⁶"), (2e7, "2·10⁷"), (5e-6, "5·10⁻⁶")]
)
def test_large_and_small_numbers_have_powers_of_ten(value: float, shown: str) -> None:
    assert plain_number(value, None) == shown


def test_a_course_that_rounding_alone_moves_is_drawn_as_a_level() -> None:
    data = dataset()
    noise = np.random.default_rng(1).normal(0.0, 1e-9, data["level"].shape)
    data["level"] = data["level"].copy(data=7.0 * (1.0 + noise))
    axes = time_course(data, quantities=["level"]).axes[0]
    assert axes.get_ylim() == pytest.approx((3.5, 10.5))


def test_names_and_units_of_another_program_stay_what_they_are() -> None:
    data = dataset()
    data["rise"].attrs = {"units": "1", "long_name": "mA"}
    assert [panel.title for panel in panels_of(data)] == ["A level with a $ in its name", "mA"]
    assert [axes.get_ylabel() for axes in time_course(data).axes] == ["%", "ratio"]
    foreign = data.assign_attrs(units_of_file=1)
    drawn = time_course(foreign).axes
    assert [axes.get_title(loc="left").replace("\n", " ") for axes in drawn] == ["a level with a $ in its name", "mA"]
    assert [axes.get_ylabel() for axes in drawn] == ["%", ""]
    # The name of a quantity is none to be changed, whatever the model is.
    data["rise"].attrs["long_name"] = "ka"
    assert [panels_of(data.rename(rise=name))[1].title for name in ("ka", "rise")] == ["ka", "Ka"]


@pytest.mark.parametrize("swinging", [1, 2, 3])
def test_troughs_and_peaks_of_several_arms_stand_beside_the_axes_and_of_one_over_time(
    swinging: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(arms=3)

    def averaged(own: xr.Dataset, quantity: str) -> tuple[np.ndarray, np.ndarray]:
        values = own[quantity].values
        swings = np.stack([0.5 * values, 2.0 * values], axis=-1)
        swings[swinging:] = np.nan
        # The last dose is given before the end.
        swings[..., -10:, :] = np.nan
        return values, swings

    monkeypatch.setattr("simulate.figures.panels.averaged_course", averaged)
    figure = time_course(data, quantities=["level"])
    (axes,) = figure.axes
    end = float(data["time"].values[-1])
    bars = [line for line in axes.get_lines() if min(np.asarray(line.get_xdata())) > end]
    beside = [line for line in bars if line.get_marker() == "_"]
    # Right of the bars of the bands.
    assert len(bars) == len(beside) + 6
    assert [bar.get_marker() for bar in sorted(bars, key=lambda bar: bar.get_xdata()[0])][6:] == ["_"] * len(beside)  # type: ignore[index]
    hatched = [part for part in axes.patches if part.get_hatch()]
    assert (len(beside), len(hatched)) == ((swinging, 0) if swinging > 1 else (0, 1))
    for arm, line in enumerate(beside):
        assert same_color(line.get_color(), COLORS[arm])
        # The median member has a level of 20 (1 + arm).
        assert np.asarray(line.get_ydata()).tolist() == [10.0 * (1 + arm), 40.0 * (1 + arm)]
    assert len({float(np.asarray(line.get_xdata())[0]) for line in beside}) == len(beside)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("trough to peak about the last dose (median)" in labels) == (swinging > 1)
    assert ("trough to peak (median)" in labels) == (swinging == 1)


def with_zigzag(data: xr.Dataset) -> xr.Dataset:
    """``level`` goes up by a half and back at every second time."""
    ups = 1.0 + 0.5 * (np.arange(data.sizes["time"]) % 2)
    return data.assign(level=(data["level"] * xr.DataArray(ups, dims="time")).assign_attrs(data["level"].attrs))


@pytest.mark.parametrize("arms", [1, 2, 4])
def test_lines_that_zigzag_are_pale_below_the_thick_median_of_their_arm_without_hatches(
    arms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = with_zigzag(dataset(arms=arms, members=5))

    def averaged(own: xr.Dataset, quantity: str) -> tuple[np.ndarray, np.ndarray]:
        values = own[quantity].values
        return values, np.stack([0.5 * values, 2.0 * values], axis=-1)

    monkeypatch.setattr("simulate.figures.panels.averaged_course", averaged)
    figure = time_course(data, quantities=["level", "rise"])
    restless, calm = figure.axes
    courses = [line for line in restless.get_lines() if len(np.asarray(line.get_xdata())) == data.sizes["time"]]
    pale = [line for line in courses if line.get_alpha() is not None]
    thick = [line for line in courses if line.get_alpha() is None]
    assert (len(pale), len(thick)) == (5 * arms, arms)
    assert max(line.get_linewidth() for line in pale) < 0.5 < min(line.get_linewidth() for line in thick)
    for arm, line in enumerate(thick):
        # The third of five has 12 (1 + arm).
        assert np.asarray(line.get_ydata())[:2].tolist() == [12.0 * (1 + arm), 18.0 * (1 + arm)]
        assert arms == 1 or same_color(line.get_color(), COLORS[arm])
    assert not [part for part in restless.patches if part.get_hatch()]
    assert len([part for part in calm.patches if part.get_hatch()]) == (1 if arms == 1 else 0)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "thick: median patient, where lines zigzag" in labels


@pytest.mark.parametrize(("arms", "named"), [(1, True), (2, False)])
def test_a_number_of_a_patient_stands_at_a_line_only_where_the_legend_explains_it(arms: int, named: bool) -> None:
    figure = time_course(dataset(arms=arms, members=3), quantities=["level"])
    numbers = {text.get_text() for text in figure.axes[0].texts} & {"0", "1", "2"}
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert numbers == ({"0", "1", "2"} if named else set())
    assert [label for label in labels if label.startswith("patient")] == (
        ["patient 0", "patient 1", "patient 2"] if named else []
    )


def test_a_model_that_is_solved_once_is_no_patient() -> None:
    figure = time_course(dataset(members=1), quantities=["level"])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["arm 0"]
    assert not [text for text in figure.axes[0].texts if text.get_text() == "0"]


@pytest.mark.parametrize(("patients", "whose"), [(20, ", of these 20 patients"), (50, "")])
def test_where_draws_have_their_medians_is_of_these_patients_if_they_are_few(patients: int, whose: str) -> None:
    data = dataset(members=2 * patients).assign_coords(
        member=("member", np.tile(np.arange(patients), 2)), draw=("member", np.repeat([0, 1], patients))
    )
    labels = [text.get_text() for text in time_course(data).legends[0].get_texts()]
    assert f"median in 90 % of 2 draws{whose}" in " ".join(labels).replace("\n", " ").split(" 90 % of patients")[0]
    assert ("of these" in " ".join(labels)) is bool(whose)


def test_that_numbers_lack_units_is_said_once_for_the_figure_where_one_does() -> None:
    data = dataset().assign_attrs(units_of_file=1)
    note = "numbers without a unit: in those of the file"

    def said(shown: xr.Dataset, *quantities: str) -> int:
        figure = time_course(shown, quantities=quantities)
        assert not [text for text in figure.findobj(matplotlib.text.Text) if "of the\nfile" in text.get_text()]  # type: ignore[attr-defined]
        return [text.get_text() for text in figure.legends[0].get_texts()].count(note)

    assert said(data, "level", "rise") == 0
    data["level"].attrs["units"] = data["rise"].attrs["units"] = "1"
    assert said(data, "level", "rise") == 1
    del data.attrs["units_of_file"]
    assert said(data, "level", "rise") == 0


@pytest.mark.parametrize("members", [1, 21])
def test_what_is_less_than_a_molecule_of_a_mole_is_drawn_as_zero_and_says_how_much_it_is(members: int) -> None:
    data = dataset(members=members)
    # The first patient has a level of 10 in the same unit; the 1000 of another unit is no measure.
    data["residue"] = (data["rise"] * 5e-27).assign_attrs(units="%", long_name="residue")
    nothing = panels_of(data, quantities=["residue"])[0]
    assert nothing.residue == pytest.approx(5e-24)
    assert not nothing.logarithmic
    (axes,) = time_course(data, quantities=["residue"]).axes
    assert all((np.asarray(line.get_ydata()) == 0.0).all() for line in curves(axes))
    assert axes.get_ylim() == (-1.0, 1.0)
    assert [text.get_text() for text in axes.yaxis.shown()[1]] == ["0"]  # type: ignore[attr-defined]
    assert "zero: never more than 10⁻²³" in [text.get_text() for text in axes.texts]
    data["residue"] = (data["rise"] * 5e-26).assign_attrs(data["residue"].attrs)
    something = panels_of(data, quantities=["residue"])[0]
    assert something.residue is None
    assert something.logarithmic


def test_a_quantity_that_is_exactly_zero_is_drawn_as_it_is() -> None:
    data = dataset()
    data["level"] = 0.0 * data["level"].assign_attrs(data["level"].attrs)
    data["level"].attrs = {"units": "%", "long_name": "nothing"}
    (panel,) = panels_of(data, quantities=["level"])
    assert panel.residue is None
    assert time_course(data, quantities=["level"]).axes[0].get_ylim() == (-1.0, 1.0)


def test_trough_to_peak_of_doses_that_end_early_stands_on_the_day_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(arms=3)

    def averaged(own: xr.Dataset, quantity: str) -> tuple[np.ndarray, np.ndarray]:
        values = own[quantity].values
        swings = np.stack([0.5 * values, 2.0 * values], axis=-1)
        # Days 0 to 182: the first arm is dosed to day 60, the others to the end.
        swings[0, :, 61:] = np.nan
        return values, swings

    monkeypatch.setattr("simulate.figures.panels.averaged_course", averaged)
    figure = time_course(data, quantities=["level"])
    (axes,) = figure.axes
    bars = [line for line in axes.get_lines() if line.get_marker() == "_"]
    places = [float(np.asarray(line.get_xdata())[0]) for line in bars]
    assert places[0] == 60.0
    assert min(places[1:]) > 182.0
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "trough to peak about the last dose (median); on its day where doses end early" in labels
