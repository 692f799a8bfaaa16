"""Changes since baseline are drawn first, with the reported direction and who goes it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from simulate.evidence.observations import Standing
from simulate.figures.changes import Arrow, change_panels
from simulate.figures.style import COLORS
from simulate.figures.time_course import time_course
from tests.figures.synthetic import dataset, observation

ROSE = observation("ifng", 182.0, standing=Standing.AMBIGUOUS, mean=None, direction="up")


def moved(*, arms: int = 1, days: float = 182.0) -> xr.Dataset:
    """``ifng`` of member m moves from 10 + m by m - 5 percent at once in all arms, of which the first is treated."""
    data = dataset(arms=arms, days=days, doses=5)
    data["ifng"] = data["level"].copy(data=np.broadcast_to(data["level"].values[:1], data["level"].shape).copy())
    data["ifng"].values[:, :, 1:] *= 1.0 + (np.arange(21.0) - 5.0)[None, :, None] / 100.0
    return data


def test_a_panel_holds_the_quantiles_of_the_changes_and_not_the_change_of_quantiles() -> None:
    (panel,) = change_panels(moved(), [ROSE])
    assert (panel.quantity, panel.unit) == ("ifng", "%")
    # Changes are -5, -4, ... 15 %: quantiles 1, 5, 10, 15 and 19 places from the least.
    assert panel.bands[0, :, 7] == pytest.approx([-4.0, 0.0, 5.0, 10.0, 14.0])
    assert panel.bands[0, :, 0].tolist() == [0.0] * 5


def test_an_arrow_has_the_share_of_each_treated_arm_that_goes_its_way() -> None:
    fell = observation("ifng", 182.0, mean=None, direction="down")
    healthy = observation("ifng", 182.0, standing=Standing.HEALTHY, mean=None, direction="up")
    later = observation("ifng", 364.0, mean=None, direction="up")
    (panel,) = change_panels(moved(arms=2), [ROSE, fell, healthy, later, observation("level", 182.0, direction="up")])
    assert panel.arrows == (
        Arrow(182.0, "up", (pytest.approx(15 / 21), None)),  # type: ignore[arg-type]
        Arrow(182.0, "down", (pytest.approx(5 / 21), None)),  # type: ignore[arg-type]
    )


def test_changes_are_the_first_panels_and_their_arrow_stands_right_of_the_time_that_is_shown() -> None:
    figure = time_course(moved(), [ROSE])
    first = figure.axes[0]
    assert first.get_title(loc="left") == "IFNγ+ cells"
    assert first.get_ylabel() == "change since\nbaseline (%)"
    assert first.get_yscale() == "linear"
    texts = {text.get_text(): text for text in first.texts}
    assert texts["71 %"].get_position()[0] > 182.0
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-1] == "reported, and how many go that way"
    assert [axes.get_title(loc="left")[:7] for axes in figure.axes] == ["IFNγ+ c", "A level", "A fall ", "A level"]


@pytest.mark.parametrize("arms", [1, 2, 4])
@pytest.mark.parametrize("unit", ["%", "million cells per milliliter"])
def test_no_label_of_an_axis_comes_near_the_letter_of_a_panel(arms: int, unit: str) -> None:
    data = moved(arms=arms)
    data["level"].attrs["units"] = unit
    # As many rows as the figure of a run has.
    data = data.assign({f"level_{number}": data["level"] for number in range(9)})
    figure = time_course(data, [ROSE])
    figure.draw_without_rendering()
    letters = [text for axes in figure.axes for text in axes.texts if text.get_weight() == "bold"]
    assert "".join(text.get_text() for text in letters) == "abcdefghijklm"
    boxes = [text.get_window_extent() for text in letters]
    gap = 3.0 / 72.0 * figure.dpi
    for axes in figure.axes:
        assert axes.get_ylabel() or axes is not figure.axes[0]
        label = axes.yaxis.label.get_window_extent()
        assert not any(label.padded(gap).overlaps(box) for box in boxes), axes.get_ylabel()


def test_shares_of_several_arms_have_the_colors_of_the_arms() -> None:
    data = moved(arms=3)
    data["dose_time"].values[:] = data["dose_time"].values[0]
    shares = [text for text in time_course(data, [ROSE]).axes[0].texts if text.get_text() == "71 %"]
    assert [same_color(text.get_color(), color) for text, color in zip(shares, COLORS, strict=False)] == [True] * 3


def test_an_arrow_of_a_day_before_the_end_says_so() -> None:
    texts = [text.get_text() for text in time_course(moved(days=364.0), [ROSE]).axes[0].texts]
    assert "day 182:" in texts
    ended = [text.get_text() for text in time_course(moved(), [ROSE]).axes[0].texts]
    assert not any(text.startswith("day") for text in ended)


def test_without_a_reported_direction_there_is_no_arrow_and_without_patients_no_band() -> None:
    data = moved()
    figure = time_course(data)
    assert all("reported" not in text.get_text() for text in figure.legends[0].get_texts())
    data["status"].values[:] = 4
    (panel,) = change_panels(data, [ROSE])
    assert np.isnan(panel.bands).all()
    assert panel.arrows[0].shares == (None,)
    assert len(time_course(data, [ROSE]).axes) == 4


def test_quantities_that_are_asked_for_are_drawn_as_levels_alone() -> None:
    figure = time_course(moved(), [ROSE], quantities=["ifng"])
    assert [axes.get_ylabel() for axes in figure.axes] == ["%"]
