"""The diagrams show each point that was measured; asserted on artists, never on pixels."""

from __future__ import annotations

from pathlib import Path

from benchmarks.diagram import MEASURES, work_precision
from benchmarks.work_precision import Point
from simulate.figures.style import save

POINTS = (
    Point("SMOOTH", "first", 1e-3, 2e-3, 10.0, 100.0, 20.0),
    Point("SMOOTH", "first", 1e-5, 3e-5, 20.0, 250.0, 40.0),
    Point("SMOOTH", "second", 1e-3, 1e-4, 15.0, 130.0, 10.0),
    Point("SMOOTH", "second", 1e-5, None, 99.0, 999.0, 90.0),
    Point("STIFF", "second", 1e-3, 5e-4, 70.0, 700.0, 60.0),
)


def test_each_method_has_a_line_of_error_and_work_in_each_panel() -> None:
    figure = work_precision(POINTS)
    assert len(figure.axes) == 2 * len(MEASURES)
    drawn = {
        (row, column): {
            str(line.get_label()): list(zip(map(float, line.get_xdata()), map(float, line.get_ydata()), strict=True))
            for line in figure.axes[2 * row + column].get_lines()
        }
        for row in range(2)
        for column in range(2)
    }
    assert drawn[0, 0] == {"first": [(2e-3, 10.0), (3e-5, 20.0)], "second": [(1e-4, 15.0)]}
    assert drawn[0, 1] == {"first": [(2e-3, 100.0), (3e-5, 250.0)], "second": [(1e-4, 130.0)]}
    assert drawn[1, 0] == {"second": [(5e-4, 70.0)]}


def test_precision_grows_to_the_right_and_a_method_has_one_color() -> None:
    figure = work_precision(POINTS)
    assert all(axes.xaxis_inverted() and axes.get_xscale() == "log" for axes in figure.axes)
    colors = {str(line.get_label()): line.get_color() for axes in reversed(figure.axes) for line in axes.get_lines()}
    assert colors["first"] != colors["second"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["first", "second"]
    assert figure.axes[2].get_lines()[0].get_color() == colors["second"]


def test_the_same_points_give_the_same_bytes(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        png, svg = save(work_precision(POINTS), tmp_path, name)
        texts.append((png.read_bytes(), svg.read_bytes()))
    assert texts[0] == texts[1]
