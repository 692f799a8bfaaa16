"""What every figure of this program promises; asserted on artists, so that another rasterizer changes nothing."""

from __future__ import annotations

import matplotlib.text
from matplotlib.figure import Figure

from simulate.figures.style import COLUMN, PAGE


def check_figure(figure: Figure) -> None:
    """A figure is as wide as a column or a page, can be drawn, and its text is legible and within it."""
    assert figure.get_size_inches()[0] in (COLUMN, PAGE)
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(matplotlib.text.Text) if text.get_visible() and text.get_text()]  # type: ignore[attr-defined]
    assert min(text.get_fontsize() for text in shown) >= 7.0
    width, height = figure.bbox.width, figure.bbox.height
    # Ticks beyond the limits of an axis are kept by matplotlib and not drawn.
    ticks = {
        tick
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_ticklabels(), *axis.get_ticklabels(minor=True))
    }
    for text in shown:
        box = text.get_window_extent()
        is_inside = box.x0 >= -2.0 and box.y0 >= -2.0 and box.x1 <= width + 2.0 and box.y1 <= height + 2.0
        assert is_inside or text in ticks, text.get_text()
    for axes in figure.axes:
        assert axes.get_xlabel() or axes.get_ylabel() or axes.get_title(loc="left")


def texts_of(figure: Figure) -> list[str]:
    """Entries of the legends."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]
