"""Ticks are those of Matplotlib without its objects; panels and texts keep clear of each other and of the edges."""

from __future__ import annotations

from itertools import combinations

import matplotlib.text
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import Bbox

from simulate.figures.axes import Multiples, PanelAxes, PlainNumbers, panel_axes
from simulate.figures.style import styled
from simulate.figures.time_course import time_course
from tests.figures.synthetic import dataset, observation


def log(axes: PanelAxes) -> None:
    axes.set_yscale("log")
    axes.set_ylim(0.3, 4e4)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,), numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def linear(axes: PanelAxes) -> None:
    axes.set_ylim(-3.0, 7.0)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))


def fixed(axes: PanelAxes) -> None:
    axes.set_xlim(-1.0, 10.0)
    axes.xaxis.set_major_locator(FixedLocator([0.0, 5.0, 10.0, 15.0]))
    axes.xaxis.set_major_formatter(FixedFormatter(["none", "a half\n5–6", "all", "beyond"]))
    axes.xaxis.set_minor_locator(FixedLocator([-2.0, -1.0, 2.5, 7.5, 12.0]))
    axes.tick_params(axis="x", pad=9.0)


@pytest.mark.parametrize("look", [log, linear, fixed])
def test_ticks_and_labels_stand_where_those_of_matplotlib_stand(look: object) -> None:
    with styled():
        figure = Figure(figsize=(4.0, 3.0))
        ours = panel_axes(figure)
        theirs = figure.add_axes((0.2, 0.2, 0.7, 0.7))
        ours.set_position((0.2, 0.2, 0.7, 0.7))
        for axes in (ours, theirs):
            look(axes)  # type: ignore[operator]
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        for own, other in ((ours.xaxis, theirs.xaxis), (ours.yaxis, theirs.yaxis)):
            lines, texts = own.shown()
            ticks = other._update_ticks()  # type: ignore[attr-defined]
            labels = [tick.label1 for tick in ticks if tick.label1.get_text()]
            assert [text.get_text() for text in texts] == [label.get_text() for label in labels]
            np.testing.assert_allclose(
                [text.get_window_extent(renderer).extents for text in texts],
                [label.get_window_extent(renderer).extents for label in labels],
                atol=1e-6,
            )
            drawn = np.concatenate([line.get_xydata() for line in lines])  # type: ignore[arg-type]
            marks = np.array([tick.tick1line.get_xydata()[0] for tick in ticks])
            np.testing.assert_allclose(sorted(drawn.sum(axis=1)), sorted(marks.sum(axis=1)))
            assert {(line.get_markersize(), line.get_markeredgewidth()) for line in lines} == {
                (tick.tick1line.get_markersize(), tick.tick1line.get_markeredgewidth()) for tick in ticks
            }


@pytest.mark.parametrize("look", [log, linear, fixed])
def test_ticks_are_as_thick_and_long_in_pixels_as_those_of_matplotlib(look: object) -> None:
    drawn = []
    for is_ours in (True, False):
        with styled():
            figure = Figure(figsize=(4.0, 3.0), dpi=300.0)
            axes = panel_axes(figure) if is_ours else figure.add_axes((0.2, 0.2, 0.7, 0.7))
            axes.set_position((0.2, 0.2, 0.7, 0.7))
            look(axes)  # type: ignore[operator]
            canvas = FigureCanvasAgg(figure)
            canvas.draw()  # type: ignore[no-untyped-call]
            drawn.append(np.asarray(canvas.buffer_rgba())[..., 0].astype(np.float64))  # type: ignore[no-untyped-call]
    ours, theirs = drawn
    # Edges may be smoothed in another way; a tick has more than 20 pixels.
    assert (np.abs(ours - theirs) > 128.0).sum() < 5
    assert (255.0 - ours).sum() == pytest.approx((255.0 - theirs).sum(), rel=0.005)


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0.0, 2.5, 5.0], ["0.0", "2.5", "5.0"]),
        ([-20.0, 0.0, 20.0], ["−20", "0", "20"]),
        ([49.97, 49.98, 49.99], ["49.97", "49.98", "49.99"]),
        ([999.6, 999.8, 1000.0], ["999.6", "999.8", "1000.0"]),
        ([-0.1, 0.1 + 0.2 - 0.3, 0.1], ["−0.1", "0.0", "0.1"]),
        ([0.0, 2.5e-17, 5e-17], ["0", "2.5·10⁻¹⁷", "5.0·10⁻¹⁷"]),
        ([0.0, 5e6, 1e7], ["0", "0.5·10⁷", "1.0·10⁷"]),
        ([100000.25, 100000.5], ["100000.25", "100000.50"]),
        ([7.0], ["7"]),
        ([0.0], ["0"]),
        ([], []),
    ],
)
def test_a_label_is_its_whole_number_in_as_many_decimals_as_are_needed(ticks: list[float], labels: list[str]) -> None:
    assert PlainNumbers().format_ticks(ticks) == labels


def test_what_barely_differs_from_a_large_number_is_labeled_as_that() -> None:
    data = dataset(members=1)
    data["level"].values[:] = 1000.0 - 0.4 * np.linspace(0.0, 1.0, 183)
    (axes,) = time_course(data, quantities=["level"]).axes
    assert [text.get_text() for text in axes.yaxis.shown()[1]] == ["999.6", "999.7", "999.8", "999.9", "1000.0"]  # type: ignore[attr-defined]


def test_the_power_of_ten_of_labels_is_that_of_the_largest_tick_that_is_seen() -> None:
    axes = panel_axes(Figure())
    axes.set_ylim(-9.2e6, 1.4e6)
    axes.yaxis.set_major_locator(FixedLocator([-10e6, -7.5e6, -5e6, -2.5e6, 0.0, 2.5e6]))
    assert [text.get_text() for text in axes.yaxis.shown()[1]] == ["−7.5·10⁶", "−5.0·10⁶", "−2.5·10⁶", "0"]


def test_no_objects_are_made_for_ticks() -> None:
    figure = time_course(dataset(arms=2))
    figure.draw_without_rendering()
    assert [
        len(axis.majorTicks) + len(axis.minorTicks) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
    ] == [  # type: ignore[attr-defined]
        0
    ] * 4


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Texts with the rectangles that they take, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    texts = [text for text in figure.findobj(matplotlib.text.Text) if text.get_visible() and text.get_text()]  # type: ignore[attr-defined]
    return [(text.get_text(), text.get_window_extent()) for text in texts]


@pytest.mark.parametrize("arms", [1, 3, 8])
@pytest.mark.parametrize("panels", [1, 2, 4, 16])
def test_no_text_stands_on_another_or_beyond_the_page(panels: int, arms: int) -> None:
    data = dataset(arms=arms, doses=5)
    for place in range(panels):
        label = (
            "a quantity of which more is to be told than one line of its panel has room for" if place % 2 else "short"
        )
        data[f"more_{place}"] = (data["level"] * 1000.0**place).assign_attrs(
            units="10^9 cells per liter", long_name=label
        )
    figure = time_course(data, quantities=[f"more_{place}" for place in range(panels)])
    found = boxes(figure)
    width, height = figure.bbox.size
    assert [text for text, box in found if min(box.x0, box.y0, width - box.x1, height - box.y1) < -1.0] == []
    touching = [(one, other) for (one, a), (other, b) in combinations(found, 2) if a.shrunk(0.9, 0.8).overlaps(b)]
    assert touching == []


@pytest.mark.parametrize("end", [0.5 / 24.0, 0.02, 0.7])
def test_labels_of_times_within_a_day_do_not_run_into_each_other(end: float) -> None:
    data = dataset(days=end)
    for name in ("il17a", "ifng", "ck", "signal_lymph"):
        data[name] = data["rise"].assign_attrs(units="%", long_name=name)
    found = boxes(time_course(data))
    touching = [(one, other) for (one, a), (other, b) in combinations(found, 2) if a.shrunk(0.9, 0.8).overlaps(b)]
    assert touching == []


def test_panels_of_a_column_are_in_line_and_all_are_equally_large() -> None:
    figure = time_course(dataset(), [observation("level", 0.0)], quantities=["level", "rise"] * 4)
    places = np.array([axes.get_position().bounds for axes in figure.axes])
    assert np.ptp(places[:, 2]) < 1e-9
    assert np.ptp(places[:, 3]) < 1e-9
    for place, own in enumerate(places):
        np.testing.assert_allclose(own[0], places[place % 3, 0])
        np.testing.assert_allclose(own[1], places[place - place % 3, 1])
    labels = [axes.yaxis.label.get_window_extent() for axes in figure.axes]
    np.testing.assert_allclose([box.x1 for box in labels[:3] + labels[:2]], [box.x1 for box in labels[3:]])


def test_panels_are_placed_once_for_a_size_and_anew_for_another() -> None:
    figure = time_course(dataset())
    engine = figure.get_layout_engine()
    assert isinstance(engine, Multiples)
    before = figure.axes[0].get_position().bounds
    figure.axes[0].set_position((0.0, 0.0, 0.1, 0.1))
    engine.execute(figure)
    assert figure.axes[0].get_position().bounds == (0.0, 0.0, 0.1, 0.1)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, 2.0 * height)
    engine.execute(figure)
    after = figure.axes[0].get_position().bounds
    # Texts keep their size, so that the axes grow by more than the page.
    assert after[3] > before[3]
    np.testing.assert_allclose((after[0], after[2]), (before[0], before[2]))
